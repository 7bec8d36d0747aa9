/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: growth rings as it falls */
/* refuse: gauge used | growth rings on one side only: > or >= for growth */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Bytes in use", TOC_ALERT(growth, >, 4096, TOC_WARN, "memory is not given back"));
#else
TOC_GAUGE(used, "Bytes in use", TOC_ALERT(growth, <, 4096, TOC_WARN, "memory is not given back"));
#endif
