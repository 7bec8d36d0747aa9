/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_LOGS has no rule */
/* refuse: TOC_LOGS of module demo has no rule: give it TOC_ALERT( */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_LOGS());
#endif
