/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - what whole.c does not use: kinds with several cells, labels, sites that must be reached
 * and the options in the order in which they are documented. Never run. */
#include <tocsin.h>

#include <stddef.h>

TOC_MODULE(kinds, "All that has more than one cell", TOC_RUNBOOK("https://wiki.example.com/kinds"));

TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow: check the hash"),
          TOC_ALERT(max_us, >=, 1000000, TOC_PAGE, "a lookup took a second"));
TOC_SIZES(reply, "Bytes of a reply",
          TOC_ALERT(p999, >, 1 << 20, TOC_WARN, "replies are too large", .hold_s = 60,
                    .window_s = 300, .volume_min = 50));
TOC_SHARE(failed, "Lookups that failed, of all lookups",
          TOC_ALERT(permille, >, 10, TOC_PAGE, "callers are being refused", .volume_min = 100),
          TOC_ALERT(burn_fast, >, 14, TOC_PAGE, "the error budget is spent too fast",
                    .objective_permille = 999));
TOC_GAUGE(disk, "Bytes that are used", TOC_ALERT(growth, >, 0, TOC_NOTE, "it only ever grows"),
          TOC_ALERT(exhausts_s, <, 86400, TOC_WARN, "full within a day", .hold_s = 300,
                    .keep_s = 60, .capacity = 1LL << 40));
TOC_LEVEL(users, "Who is logged in",
          TOC_ALERT(exhausts_s, <=, 60, TOC_WARN, "no seat is left", .capacity = 100));
TOC_OPERATION(query, "A query to another server",
              TOC_ALERT(oldest_ms, >, 30000, TOC_PAGE, "a query hangs"),
              TOC_ALERT(in_flight, >, 100, TOC_WARN, "queries pile up", .clear_at = 50));
TOC_FLOW(jobs, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs vanish"),
         TOC_ALERT(stalled_ms, >, 5000, TOC_WARN, "nobody takes jobs"));
TOC_FLOW(signed_, "Where a limit may be negative",
         TOC_ALERT(backlog, <, -1, TOC_NOTE, "more went out than came in"));
TOC_COUNTER_BY(lookups, "Lookups by how they ended", (found, absent, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "lookups fail", .hold_s = 10));
TOC_GAUGE_BY(depth, "Entries of a queue", (in, out), TOC_QUIET("only feeds a chart"));
TOC_LEVEL_BY(open_, "Files that are open", (data, log),
             TOC_ALERT(value, >, 10, TOC_WARN, "files are not closed"), TOC_RUNBOOK("wiki"));
TOC_TIMER_BY(phase, "A phase of a request", (parse, run),
             TOC_ALERT_ON(run, p90_us, >, 100, TOC_WARN, "requests are slow"));
TOC_SIZES_BY(bytes, "Bytes of a message", (request, reply), TOC_QUIET("only feeds a chart"));
TOC_SHARE_BY(bad, "Messages that are bad", (request, reply), TOC_QUIET("only feeds a chart"));
TOC_HEARTBEAT_BY(worker, "A worker's loop", (reader, writer),
                 TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "a worker is stuck"));

int kinds_use(int n, size_t size, const char *path);
bool kinds_labels(int n);
bool kinds_sites(int n, const char *path);

int kinds_use(int n, size_t size, const char *path)
{
        struct toc_open open = toc_begin(query);

        TOC_TIME_SCOPE(lookup);
        TOC_OPERATION_SCOPE(query);
        toc_observe(lookup, 3000);
        toc_observe(reply, n);
        toc_share(failed, n < 0);
        toc_share(failed, path);
        toc_set(disk, n);
        toc_raise(users, 1);
        toc_in(jobs, size);
        toc_out(jobs, 1);
        toc_dropped(jobs, size);
        toc_held(jobs, -1);
        toc_in(signed_, 2);
        toc_end(query, open);
        return n;
}

bool kinds_labels(int n)
{
        TOC_TIME_SCOPE_BY(phase, run);
        toc_count_by(lookups, found);
        toc_add_by(lookups, absent, 2);
        if (n)
                toc_count_by(lookups, failed);
        toc_set_by(depth, in, n);
        toc_set_by(depth, out, 0);
        toc_raise_by(open_, data, 1);
        toc_lower_by(open_, log, 1);
        toc_observe_by(bytes, request, n);
        toc_observe_by(bytes, reply, n);
        toc_share_by(bad, request, n > 1);
        toc_share_by(bad, reply, false);
        toc_beat_by(worker, reader);
        toc_beat_by(worker, writer);
        toc_observe_by(phase, parse, n);
        return n;
}

bool kinds_sites(int n, const char *path)
{
        TOC_REACHED(TOC_NOTE, "nobody ever came here");
        TOC_REACHED(TOC_NOTE, "nobody ever came there", TOC_UPTIME_S(86400), TOC_WHEN(disk),
                    TOC_RUNBOOK("wiki"));
        if (TOC_SOMETIMES(n > 5, TOC_WARN, "more than five are never seen"))
                n--;
        if (TOC_SOMETIMES(path, TOC_WARN, "there never was a path", TOC_UPTIME_S(60)))
                n--;
        if (!TOC_EXPECT(n, TOC_WARN, "there is at least one", TOC_STOP_IN_TESTS,
                        TOC_RUNBOOK("wiki")))
                return false;
        if (!TOC_EXPECT_CMP(path, !=, NULL, TOC_WARN, "there is a path", TOC_STOP_FROM(7)))
                return TOC_UNREACHABLE(TOC_PAGE, "nobody has none", TOC_RUNBOOK("wiki"));
        return true;
}
