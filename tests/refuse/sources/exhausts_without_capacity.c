/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: where the gauge ends is not said */
/* refuse: gauge used: exhausts_s takes .capacity, above 0 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, <=, 3600, TOC_WARN, "memory is not given back",
                    .capacity = 1 << 20));
#else
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, <=, 3600, TOC_WARN, "memory is not given back"));
#endif
