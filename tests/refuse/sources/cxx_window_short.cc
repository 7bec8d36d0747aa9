/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a window of three seconds */
/* refuse: tocsin: counter events: .window_s is 4 or more */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(per_minute, >, 9, TOC_NOTE, "it was counted", .window_s = 4));
#else
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(per_minute, >, 9, TOC_NOTE, "it was counted", .window_s = 3));
#endif
