/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the clear level is on the side that rings */
/* refuse: tocsin: counter events: .clear_at is on the side that rings */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >=, 9, TOC_NOTE, "it was counted", .clear_at = 8));
#else
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >=, 9, TOC_NOTE, "it was counted", .clear_at = 9));
#endif
