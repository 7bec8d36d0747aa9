/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a budget that is spent too slowly */
/* refuse: share refused | burn_fast rings on one side only */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(burn_fast, >, 14, TOC_PAGE, "callers are refused", .objective_permille = 999));
#else
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(burn_fast, <, 14, TOC_PAGE, "callers are refused", .objective_permille = 999));
#endif
