/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a clear level for a comparison without sides */
/* refuse: tocsin: counter events: .clear_at is not for == and != */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >=, 9, TOC_NOTE, "it was counted", .clear_at = 8));
#else
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, ==, 9, TOC_NOTE, "it was counted", .clear_at = 8));
#endif
