/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of a heartbeat is in the wrong unit */
/* refuse: heartbeat flusher | no signal silent_s; | has silent_ms */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_HEARTBEAT(flusher, "Background writer loop",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "flusher is stuck"));
#else
TOC_HEARTBEAT(flusher, "Background writer loop",
              TOC_ALERT(silent_s, >, 5, TOC_PAGE, "flusher is stuck"));
#endif
