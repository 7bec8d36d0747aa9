/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the limit is an enumerator of a type of its own */
/* refuse: tocsin: counter events: the limit must be an integer */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
enum { unscoped = 9 };
enum class scoped { limit = 9 };

#ifdef CORRECT
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >, unscoped, TOC_NOTE, "it was counted"));
#else
TOC_COUNTER(events, "Whatever is counted",
            TOC_ALERT(total, >, scoped::limit, TOC_NOTE, "it was counted"));
#endif
