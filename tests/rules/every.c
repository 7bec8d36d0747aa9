/* SPDX-License-Identifier: Apache-2.0 */
/* every.c - a probe of every kind, a rule of every signal, and texts that want to be something
 * else: what exports must bear. */
#include <tocsin.h>

TOC_MODULE(every, "Each kind: \"quotes\", 'quotes', {{ $value }}, # no comment, \u00fcml\u00e4ut",
           TOC_BUDGET(live_bytes, 1 << 20, TOC_WARN, "too much memory"),
           TOC_BUDGET(lock_wait_ms, 50, TOC_NOTE, "locks are waited for"),
           TOC_RUNBOOK("https://wiki.example.com/every"));

TOC_COUNTER(count, "Things {{ that }} happen: all",
            TOC_ALERT(total, >, 9007199254740993, TOC_NOTE, "more than {{ can }} be counted"),
            TOC_ALERT(per_second, >=, 5, TOC_PAGE, "`a` \"b\" 'c' \\ %d {{ $labels.x }}",
                      .keep_s = 90, .clear_at = 2));
TOC_COUNTER(hourly, "key: value",
            TOC_ALERT(per_hour, <, 1, TOC_WARN, "- nothing happens", .hold_s = 7200),
            TOC_RUNBOOK("doc/page.md# not a comment"));
TOC_COUNTER(odd, "Seven-second windows",
            TOC_ALERT(per_minute, >, 7, TOC_WARN, "null and true", .window_s = 7));
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, refused, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_PAGE, "requests fail", .clear_at = 5));
TOC_COUNTER_BY(null, "What YAML takes for something else", (yes, null),
               TOC_ALERT_ON(null, per_minute, >, 10, TOC_NOTE, "nothing is counted"));
TOC_GAUGE(used, "<b>Bytes</b> in use, *bold*",
          TOC_ALERT(growth, >, 100, TOC_WARN, "it grows and _grows_"),
          TOC_ALERT(exhausts_s, <, 3600, TOC_PAGE, "full in [an](hour)", .capacity = 4096));
TOC_LEVEL(depth, "Items in it", TOC_ALERT(value, !=, -1, TOC_NOTE, "as ever as can be"));
TOC_GAUGE(mode, "Whether it is on", TOC_QUIET("only gates \"NEVER\" | rules"));
TOC_TIMER(lookup, "Time of a lookup",
          TOC_ALERT(p99_us, >, 1500, TOC_WARN, "lookups are slow", .volume_min = 50),
          TOC_ALERT(max_us, >=, 2000000, TOC_PAGE, "a lookup hung"));
TOC_TIMER(insert, "Time of an insert", TOC_ALERT(p50_us, >, 100, TOC_WARN, "inserts are slow"),
          TOC_ALERT(p90_us, >, 200, TOC_WARN, "many inserts are slow"));
TOC_TIMER(flush, "Time of a flush", TOC_ALERT(p999_us, >, 100000, TOC_WARN, "flushes are slow"));
TOC_SIZES(batch, "Items a batch", TOC_ALERT(p90, >, 64, TOC_NOTE, "batches are large"),
          TOC_ALERT(max, >, 4096, TOC_WARN, "a batch is huge"));
TOC_SIZES(reply, "Bytes a reply", TOC_ALERT(p50, >=, 512, TOC_NOTE, "replies are large"),
          TOC_ALERT(p99, >, 65536, TOC_NOTE, "some replies are large"));
TOC_SIZES(tail, "Bytes of www.a.example, http://b.example, c@@d@e.example",
          TOC_ALERT(p999, >, 9, TOC_NOTE, "tails are long"));
TOC_SHARE(errors, "Requests that failed",
          TOC_ALERT(permille, >, 20, TOC_WARN, "many requests fail"),
          TOC_ALERT(burn_fast, >, 14, TOC_PAGE, "the month is spent today",
                    .objective_permille = 999));
TOC_SHARE(misses, "Lookups that missed",
          TOC_ALERT(burn_slow, >=, 3, TOC_WARN, "the month is spent early",
                    .objective_permille = 990));
TOC_HEARTBEAT(worker, "The worker's loop",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "the worker is stuck"));
TOC_OPERATION(call, "Calls to the peer", TOC_ALERT(oldest_ms, >, 30000, TOC_WARN, "a call hangs"),
              TOC_ALERT(in_flight, >=, 100, TOC_PAGE, "too many calls at once"));
TOC_FLOW(queue, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs are lost"),
         TOC_ALERT(stalled_ms, >, 10000, TOC_PAGE, "the queue stands still"));
TOC_FLOW(pipe, "Lines through the pipe", TOC_ALERT(backlog, >, 500, TOC_WARN, "lines wait"));

int every_thing(int n);
int every_thing(int n)
{
        TOC_TIME_SCOPE(lookup);
        TOC_TIME_SCOPE(insert);
        TOC_TIME_SCOPE(flush);
        TOC_OPERATION_SCOPE(call);

        toc_count(count);
        toc_count(hourly);
        toc_count(odd);
        toc_count_by(null, yes);
        toc_count_by(null, null);
        toc_count_by(requests, ok);
        toc_count_by(requests, refused);
        toc_count_by(requests, failed);
        toc_set(used, n);
        toc_set(mode, 1);
        toc_raise(depth, n);
        toc_observe(batch, n);
        toc_observe(reply, n);
        toc_observe(tail, n);
        toc_share(errors, n > 3);
        toc_share(misses, n > 4);
        toc_beat(worker);
        toc_in(queue, 1);
        toc_in(pipe, 1);
        if (!TOC_EXPECT(n > 0, TOC_PAGE, "numbers are positive", TOC_STOP_FROM(9)))
                return TOC_ERROR(-1, TOC_USUAL, "number %d is not positive\n", n);
        if (!TOC_EXPECT(n < 99, TOC_WARN, "numbers are positive", TOC_STOP_IN_TESTS))
                return TOC_WARNING(-1, TOC_USUAL, "number %d is too large", n);
        if (TOC_SOMETIMES(n == 7, TOC_NOTE, "seven never comes", TOC_WHEN(mode),
                          TOC_UPTIME_S(86400)))
                TOC_REACHED(TOC_NOTE, "nobody ever comes here");
        return TOC_ERROR(n, TOC_ALERT(total, >, 3, TOC_WARN, "it ends in an error"),
                         "this is the end");
}
