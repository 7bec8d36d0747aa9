/* SPDX-License-Identifier: Apache-2.0 */
/* hostile.c - macros that an author may well have must not reach into the header's. */
#define ALERT          1
#define QUIET          1
#define RUNBOOK        1
#define BUDGET         1
#define LOGS           1
#define USUAL          1
#define NOTE           1
#define WARN           1
#define PAGE           1
#define COUNTER        1
#define ERROR          1
#define WARNING        1
#define MODULE         1
#define RECORD         1
#define TEXT           1
#define CAT(a, b)      a b
#define STR(x)         x
#define error(...)     whoops
#define warning(...)   whoops
#define counter(...)   whoops
#define value(...)     whoops
#define total(...)     whoops
#define count(...)     whoops
#define site(...)      whoops
#define gauge(...)     whoops
#define timer(...)     whoops
#define sizes(...)     whoops
#define share(...)     whoops
#define flow(...)      whoops
#define operation(...) whoops
#define heartbeat(...) whoops
#define in(...)        whoops
#define out(...)       whoops
#define dropped(...)   whoops
#define held(...)      whoops
#define lost(...)      whoops
#define label(...)     whoops
#define name(...)      whoops
#define kind(...)      whoops
#define signal(...)    whoops
#define open(...)      whoops
#define max(a, b)      ((a) > (b) ? (a) : (b))
#define must_hit(...)  whoops
#define EACH           1
#define SHARE          1
#define FLOW           1
#define TIMER          1
#define WHEN           1
#define ALERT_ON       1
#define UPTIME_S       1
#define STOP_FROM      1
#define STOP_IN_TESTS  1

#include <tocsin.h>

TOC_MODULE(hostile, "Macros that an author may well have",
           TOC_BUDGET(threads, 8, TOC_WARN, "it outgrew its share of threads"),
           TOC_LOGS(TOC_QUIET("its errors are expected")));
TOC_COUNTER(count, "Things that were counted", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"),
            TOC_RUNBOOK("wiki"));
TOC_GAUGE(level, "How high it stands", TOC_QUIET("only feeds a chart"));
TOC_TIMER(timer, "Times of a thing", TOC_ALERT(max_us, >, 1, TOC_WARN, "it is slow"));
TOC_SIZES(sizes, "Sizes of a thing", TOC_ALERT(max, >, 1, TOC_WARN, "it is large"));
TOC_SHARE(share, "Share of a thing", TOC_ALERT(permille, >, 1, TOC_WARN, "it fails"));
TOC_OPERATION(open, "Things going on", TOC_ALERT(in_flight, >, 1, TOC_WARN, "too many"));
TOC_FLOW(flow, "Things that flow", TOC_ALERT(lost, !=, 0, TOC_WARN, "they are lost"));
TOC_COUNTER_BY(name, "Things by label", (in, out, label),
               TOC_ALERT_ON(out, total, >, 1, TOC_WARN, "more than one"), TOC_RUNBOOK("wiki"));

int hostile(int code);

int hostile(int code)
{
        toc_count(count);
        toc_set(level, code);
        TOC_TIME_SCOPE(timer);
        TOC_OPERATION_SCOPE(open);
        toc_observe(sizes, code);
        toc_share(share, code > 1);
        toc_in(flow, 1), toc_held(flow, 1), toc_held(flow, -1), toc_out(flow, 1);
        toc_dropped(flow, 0);
        toc_count_by(name, in), toc_count_by(name, out), toc_add_by(name, label, 2);
        toc_end(open, toc_begin(open));
        TOC_REACHED(TOC_NOTE, "nobody comes here", TOC_WHEN(level), TOC_UPTIME_S(60));
        (void)TOC_SOMETIMES(code == 4, TOC_NOTE, "four is common", TOC_RUNBOOK("wiki"));
        if (!TOC_EXPECT(code != 5, TOC_NOTE, "five is not expected", TOC_STOP_FROM(3),
                        TOC_STOP_IN_TESTS))
                return 5;
        if (!TOC_EXPECT(code != 3, TOC_NOTE, "three is not expected"))
                return TOC_WARNING(code, TOC_USUAL, "failed with code %d", code);
        return TOC_ERROR(code, TOC_USUAL, "failed with code %d", code);
}
