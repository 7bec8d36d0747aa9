/* SPDX-License-Identifier: Apache-2.0 */
/* hoard_shed.c - the same budgets, and nothing that could break them. */
#include <tocsin.h>

TOC_MODULE(shed, "Is never entered", TOC_BUDGET(live_bytes, 1 << 20, TOC_WARN, "the shed is full"),
           TOC_BUDGET(descriptors, 8, TOC_NOTE, "the shed has too many doors"));
