/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c - every allocation of the program, with its size, its site and its age. */
#include "inside/inside.h"

void inside_heap_start(void)
{
}
