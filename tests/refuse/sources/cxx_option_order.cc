/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: options stand in another order */
/* refuse: TOC_ALERT_in_order_hold_s_keep_s_clear_at | does not match declaration order */
/* only: gcc */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >, 9, TOC_NOTE, "it was counted", .hold_s = 1, .clear_at = 5));
#else
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >, 9, TOC_NOTE, "it was counted", .clear_at = 5, .hold_s = 1));
#endif
