/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - what the program reads and writes, and in which call it is blocked. */
#include "inside/inside.h"

void inside_call_start(void)
{
}
