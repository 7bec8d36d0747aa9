/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: sizes have no rule */
/* refuse: sizes request has no alert rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));
#else
TOC_SIZES(request, "Bytes of a request");
#endif
