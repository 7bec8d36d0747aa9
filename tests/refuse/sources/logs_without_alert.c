/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_ALERT is missing inside TOC_LOGS */
/* refuse: "TOC_LOGS" passed */
/* clang: too many arguments provided to function-like macro */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(per_minute, >, 10, TOC_WARN, "the cache reports errors"));
#endif
