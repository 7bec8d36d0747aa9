/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: errors have no labels */
/* refuse: TOC_LOGS of module demo has no labels */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail")));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail")));
#endif
