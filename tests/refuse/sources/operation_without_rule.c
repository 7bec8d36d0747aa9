/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an operation has no rule */
/* refuse: operation fetch has no alert rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"));
#else
TOC_OPERATION(fetch, "Fetches from the disk");
#endif
