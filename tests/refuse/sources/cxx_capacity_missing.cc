/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: exhaustion of what has no end */
/* refuse: tocsin: gauge used: exhausts_s takes .capacity, above 0 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Bytes used", TOC_ALERT(exhausts_s, <, 9, TOC_NOTE, "it fills", .capacity = 1));
#else
TOC_GAUGE(used, "Bytes used", TOC_ALERT(exhausts_s, <, 9, TOC_NOTE, "it fills"));
#endif
