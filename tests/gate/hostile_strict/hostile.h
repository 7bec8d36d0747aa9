/* SPDX-License-Identifier: Apache-2.0 */
/* hostile.h - the least that a contract can ask for; its candidates are what is tested.
 *
 * Units: none. Ownership: none. Errors: none. Threads: any. */
#ifndef HOSTILE_H
#define HOSTILE_H

/* a + b, or the nearest number that an int can hold. */
int hostile_add(int a, int b);

#endif
