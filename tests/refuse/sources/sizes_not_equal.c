/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a maximum is compared with != */
/* refuse: sizes request | max rings on one side only */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SIZES(request, "Bytes of a request", TOC_ALERT(max, >, 50, TOC_WARN, "requests are too long"));
#else
TOC_SIZES(request, "Bytes of a request", TOC_ALERT(max, !=, 50, TOC_WARN, "requests are too long"));
#endif
