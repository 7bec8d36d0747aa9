/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of logs refers to itself */
/* refuse: TOC_LOGS of module demo: TOC_USUAL is for TOC_ERROR and TOC_WARNING; give it */
/* refuse: TOC_ALERT( */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_LOGS(TOC_USUAL));
#endif
