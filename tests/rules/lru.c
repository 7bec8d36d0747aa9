/* SPDX-License-Identifier: Apache-2.0 */
/* lru.c - a module with each kind of probe, rule and option. What rules_test.py expects of it is
 * written down there; lines are found by the first words of each probe. */
#include <tocsin.h>

#include "lru.h"

TOC_MODULE(lru, "Fixed-capacity least-recently-used cache",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory",
                      .hold_s = 10),
           TOC_BUDGET(threads, 1, TOC_NOTE, "a cache needs no threads"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));

TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      .hold_s = 300),
            TOC_ALERT(per_second, >=, 500, TOC_PAGE, "the cache does not help at all",
                      .window_s = 120, .clear_at = 100, .keep_s = 60),
            TOC_RUNBOOK("https://wiki.example.com/lru"));
TOC_COUNTER(hits, "Lookups answered from memory", TOC_QUIET("only feeds the hit-ratio chart"));
TOC_GAUGE(used, "Slots in use",
          TOC_ALERT(value, >=, 3600, TOC_NOTE, "cache is nearly full", .clear_at = 3200));
TOC_GAUGE(credit, "What is left to spend", TOC_ALERT(value, <, -5, TOC_WARN, "we owe them"));
TOC_LEVEL(open_files, "Files that are open now",
          TOC_ALERT(value, !=, 0, TOC_NOTE, "somebody has a file open"));
TOC_HEARTBEAT(flusher, "Background writer loop",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "flusher is stuck: data stays in memory"));

int lru_get(int key)
{
        if (!TOC_EXPECT(key > 0, TOC_PAGE, "keys are positive"))
                return TOC_ERROR(-1, TOC_USUAL, "cannot find key %d", key);
        if (!TOC_EXPECT_CMP(key, <, 4096, TOC_WARN, "keys are small"))
                return TOC_ERROR(-2, TOC_ALERT(total, >, 3, TOC_PAGE, "keys are made up"),
                                 "made up: %d\n", key);
        if (key == 7)
                return TOC_WARNING(0, TOC_QUIET("seven is usual"), "seven again");
        toc_count(hits);
        toc_add(evictions, 2);
        toc_set(used, key);
        toc_set(credit, -key);
        toc_raise(open_files, 1);
        toc_lower(open_files, 1);
        toc_beat(flusher);
        return lru_part(key);
}
