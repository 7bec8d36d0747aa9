/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: less than nothing fails */
/* refuse: share refused | limit is negative */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, 1, TOC_PAGE, "callers are refused"));
#else
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, -1, TOC_PAGE, "callers are refused"));
#endif
