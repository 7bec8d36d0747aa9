/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a quantile has a clear level */
/* refuse: tocsin: timer step: .clear_at is not for quantiles */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(step, "A step of it", TOC_ALERT(p99_us, >, 9, TOC_NOTE, "it is slow"));
#else
TOC_TIMER(step, "A step of it", TOC_ALERT(p99_us, >, 9, TOC_NOTE, "it is slow", .clear_at = 5));
#endif
