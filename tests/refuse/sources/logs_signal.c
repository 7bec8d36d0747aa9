/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of logs looks at what they do not have */
/* refuse: TOC_LOGS of module demo | no signal per_second; | has total and per_minute */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_second, >, 10, TOC_WARN, "the cache reports errors")));
#endif
