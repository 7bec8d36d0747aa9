/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.c - every descriptor of the program, with the place where it was opened. */
#include "inside/inside.h"

void inside_descriptor_start(void)
{
}
