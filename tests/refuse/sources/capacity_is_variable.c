/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the capacity is known at run time */
/* refuse: constant */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
enum { size = 9 };
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, <, 3600, TOC_WARN, "memory is not given back", .capacity = size));
#else
extern int size;
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, <, 3600, TOC_WARN, "memory is not given back", .capacity = size));
#endif
