/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: sizes are judged in microseconds */
/* refuse: sizes request | no signal p99_us; | has p50, p90 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SIZES(request, "Bytes of a request", TOC_ALERT(p99, >, 50, TOC_WARN, "requests are too long"));
#else
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "requests are too long"));
#endif
