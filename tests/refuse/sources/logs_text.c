/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of logs is a text */
/* refuse: TOC_LOGS of module demo: a rule is TOC_ALERT(signal, op, limit, severity, meaning), */
/* refuse: not a text */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_LOGS("at most ten a minute"));
#endif
