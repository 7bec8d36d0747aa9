/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an error budget of no objective */
/* refuse: tocsin: share failed: burn_slow takes .objective_permille, from 1 to 999 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_SHARE(failed, "What failed",
          TOC_ALERT(burn_slow, >, 9, TOC_NOTE, "it burns", .objective_permille = 999));
#else
TOC_SHARE(failed, "What failed",
          TOC_ALERT(burn_slow, >, 9, TOC_NOTE, "it burns", .objective_permille = 1000));
#endif
