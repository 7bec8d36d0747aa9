/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a module has two rules for its logs */
/* refuse: module demo: at most one TOC_LOGS */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#endif
