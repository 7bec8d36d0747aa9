/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time since boot for every duration, wall time only for what outlives this process.
 *
 * Units: milliseconds. Threads: any. Errors: none; both clocks always exist on Linux. Time since
 * boot counts suspended time too, so that a key expires after a night in a closed laptop.
 */
#ifndef KVD_CLOCK_H
#define KVD_CLOCK_H

#include <stdint.h>

uint64_t clock_boot_ms(void);
uint64_t clock_wall_ms(void);

#endif
