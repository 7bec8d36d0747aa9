/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - every thread of the program, with the place where it was made. */
#include "inside/inside.h"

void inside_thread_start(void)
{
}
