/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an operation is silent */
/* refuse: operation fetch | no signal silent_ms; | has oldest_ms and in_flight */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"));
#else
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "the disk hangs"));
#endif
