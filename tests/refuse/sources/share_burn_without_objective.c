/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: how many are to succeed is not said */
/* refuse: share refused: burn_slow takes .objective_permille, from 1 to 999 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(burn_slow, >, 6, TOC_PAGE, "callers are refused", .hold_s = 60,
                    .objective_permille = 999));
#else
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(burn_slow, >, 6, TOC_PAGE, "callers are refused", .hold_s = 60));
#endif
