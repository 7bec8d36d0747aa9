/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the end is far */
/* refuse: gauge used | exhausts_s rings on one side only | < or <= for exhausts_s */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, <, 3600, TOC_WARN, "memory is not given back",
                    .capacity = 1 << 20));
#else
TOC_GAUGE(used, "Bytes in use",
          TOC_ALERT(exhausts_s, >, 3600, TOC_WARN, "memory is not given back",
                    .capacity = 1 << 20));
#endif
