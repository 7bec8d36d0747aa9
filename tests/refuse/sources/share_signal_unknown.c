/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a share is judged in percent */
/* refuse: share refused | no signal percent; | has permille */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, 10, TOC_PAGE, "callers are refused"));
#else
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(percent, >, 1, TOC_PAGE, "callers are refused"));
#endif
