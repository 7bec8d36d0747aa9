/* SPDX-License-Identifier: Apache-2.0 */
/* whole.c - everything that <tocsin.h> offers, used as its documentation says. It must compile
 * without a warning wherever the header promises to work; nothing here is ever run. */
#include <tocsin.h>

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#define MIB (1024 * 1024)

TOC_MODULE(whole, "Everything that the header offers",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "it outgrew its share of memory"),
           TOC_BUDGET(live_bytes, 96 * MIB, TOC_PAGE, "it will be killed for its memory"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "it reports errors", .hold_s = 30)),
           TOC_RUNBOOK("https://wiki.example.com/whole"));

enum { NEARLY = 3600 };

TOC_COUNTER(hits, "Lookups answered from memory", TOC_QUIET("only feeds the hit-ratio chart"));
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache", .hold_s = 300,
                      .keep_s = 60, .clear_at = 800, .window_s = 120),
            TOC_ALERT(per_second, >=, 0x100u, TOC_PAGE, "the cache does not help at all"),
            TOC_RUNBOOK("https://wiki.example.com/cache"));
TOC_COUNTER(starts, "Times that somebody began",
            TOC_ALERT(total, ==, 0, TOC_NOTE,
                      "nobody ever "
                      "began"),
            TOC_RUNBOOK("wiki"));
TOC_COUNTER(hours, "Entries that came too late",
            TOC_ALERT(per_hour, !=, 9223372036854775807, TOC_NOTE, "the clock is wrong"));
TOC_GAUGE(used, "Slots in use",
          TOC_ALERT(value, >=, NEARLY, TOC_NOTE, "cache is nearly full", .clear_at = 3200),
          TOC_ALERT(value, >=, 4096, TOC_WARN, "cache is full; evictions follow"));
TOC_GAUGE(credit, "What is left to spend", TOC_ALERT(value, <, -5, TOC_WARN, "we owe them"));
TOC_LEVEL(open_files, "Files that are open now",
          TOC_ALERT(value, <=, -1, TOC_PAGE, "more were closed than opened"));
TOC_HEARTBEAT(flusher, "Background writer loop",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "flusher is stuck: data stays in memory"));

TOC_GAUGE(rss_kib, "Memory in use",
          TOC_ALERT(growth, >=, 64, TOC_NOTE, "memory is not given back", .window_s = 60),
          TOC_ALERT(exhausts_s, <, 3600, TOC_PAGE, "memory ends within the hour", .hold_s = 60,
                    .clear_at = 7200, .capacity = 4 * MIB));
TOC_LEVEL(descriptors, "Descriptors that are open",
          TOC_ALERT(growth, >, 0, TOC_NOTE, "descriptors are not closed"),
          TOC_ALERT(exhausts_s, <=, 600, TOC_PAGE, "descriptors run out", .capacity = 1024));
TOC_GAUGE(leader, "1 while this node leads", TOC_QUIET("it only gates what a leader must do"));
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow: check the hash", .hold_s = 60,
                    .keep_s = 60, .window_s = 300, .volume_min = 500),
          TOC_ALERT(max_us, >=, 9223372036854775807, TOC_PAGE, "a lookup took for ever"),
          TOC_RUNBOOK("wiki"));
TOC_TIMER(store, "One store", TOC_ALERT(p50_us, >, 0, TOC_NOTE, "stores are not free"),
          TOC_ALERT(p90_us, >=, 20, TOC_NOTE, "stores are slow"));
TOC_TIMER(flush, "One flush", TOC_ALERT(p999_us, >, 1000000, TOC_WARN, "the disk is slow"));
TOC_TIMER(wait, "Time that is not judged", TOC_QUIET("only feeds a chart"));
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 16 * MIB, TOC_WARN, "somebody sends files as keys"),
          TOC_ALERT(p50, >=, 512, TOC_NOTE, "most requests do not fit a block"));
TOC_SIZES(answer, "Bytes of an answer",
          TOC_ALERT(p90, >, 4096, TOC_NOTE, "answers do not fit a page"),
          TOC_ALERT(p99, >, 65536, TOC_NOTE, "answers do not fit a packet"));
TOC_SIZES(batch, "Entries of a batch", TOC_ALERT(p999, >, 100, TOC_NOTE, "batches are large"));
TOC_SHARE(failed, "Lookups that failed, of all lookups",
          TOC_ALERT(permille, >, 10, TOC_WARN, "callers are being refused", .volume_min = 100),
          TOC_ALERT(burn_fast, >, 14, TOC_PAGE, "the month's errors are spent in two days",
                    .objective_permille = 999));
TOC_SHARE(late, "Answers that came late, of all",
          TOC_ALERT(burn_slow, >=, 6, TOC_WARN, "the month's errors are spent in five days",
                    .window_s = 43200, .objective_permille = 990));
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"),
              TOC_ALERT(in_flight, >=, 64, TOC_WARN, "more fetches than the disk can do"));
TOC_FLOW(jobs, "Jobs through the queue",
         TOC_ALERT(lost, !=, 0, TOC_PAGE, "a job was lost, or counted twice: a bug"),
         TOC_ALERT(stalled_ms, >, 5000, TOC_PAGE, "nobody takes jobs: are the workers alive?"));
TOC_FLOW(bytes, "Bytes through the pipe",
         TOC_ALERT(backlog, >, 64 * MIB, TOC_WARN, "the reader is too slow"),
         TOC_ALERT(lost, <, -1, TOC_PAGE, "more came out than went in"));

TOC_COUNTER_BY(answers, "Answers by outcome", (ok, refused, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "answers fail", .hold_s = 60,
                            .clear_at = 5),
               TOC_ALERT_ON(refused, per_hour, >=, 1000, TOC_NOTE, "callers are refused"),
               TOC_RUNBOOK("https://wiki.example.com/answers"));
TOC_COUNTER_BY(another_name_of__31_characters_, "Eight labels, one as long as can be",
               (a_name_of_23_characters, b, c, d, e, f, g, h), TOC_QUIET("only feeds a chart"));
TOC_GAUGE_BY(depth, "Entries in the queues", (high, low),
             TOC_ALERT(value, >, 1000, TOC_WARN, "the queue is long"));
TOC_LEVEL_BY(users, "Users that are logged in", (human, robot),
             TOC_ALERT_ON(robot, value, >, 100, TOC_NOTE, "many robots"));
TOC_TIMER_BY(call, "One call", (get, put),
             TOC_ALERT_ON(get, p99_us, >, 100, TOC_WARN, "reads are slow"),
             TOC_ALERT_ON(put, p99_us, >=, 1000, TOC_WARN, "writes are slow", .volume_min = 10));
TOC_SIZES_BY(value_of, "Bytes of a value", (get, put),
             TOC_ALERT(max, >, 4096, TOC_NOTE, "large values"));
TOC_SHARE_BY(missed, "Calls that missed, of all", (get, put),
             TOC_ALERT(permille, >=, 500, TOC_NOTE, "most calls miss"));
TOC_HEARTBEAT_BY(worker, "The worker's loop", (first, second),
                 TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "a worker is stuck"));

struct cache {
        unsigned used, cap;
        uint8_t small;
        unsigned flags : 3;
        double ratio;
        const char *name;
};

int whole_use(struct cache *cache, const char *path, size_t length);
int whole_expect(struct cache *cache, const char *path, size_t length);
int whole_log(const char *path, size_t length);
int whole_more(struct cache *cache, struct toc_open *ret_open, size_t length);
bool whole_by(size_t length);
int whole_policies(struct cache *cache, int n);
const char *whole_where(void);

int whole_use(struct cache *cache, const char *path, size_t length)
{
        toc_count(hits);
        if (length)
                toc_count(starts);
        else
                toc_count(hours);
        toc_add(evictions, length);
        toc_add(evictions, 3);
        toc_add(evictions, cache->used / 2);
        toc_set(used, cache->used);
        toc_set(credit, -7);
        toc_set(leader, 1);
        toc_raise(open_files, 1);
        toc_lower(open_files, 1);
        toc_raise(open_files, length), toc_lower(open_files, length);
        for (size_t i = 0; i < length; i++)
                toc_beat(flusher);
        return path ? 0 : -EINVAL;
}

int whole_more(struct cache *cache, struct toc_open *ret_open, size_t length)
{
        TOC_ENTER(whole);
        TOC_ANY_ORDER("it has one lock");
        TOC_TIME_SCOPE(lookup);
        TOC_OPERATION_SCOPE(fetch);
        struct toc_open open = toc_begin(fetch);

        toc_set(rss_kib, (int64_t)length);
        toc_raise(descriptors, 1);
        toc_observe(lookup, (int64_t)length * 1000);
        toc_observe(wait, 1);
        toc_observe(request, cache->used);
        toc_observe(answer, cache->small), toc_observe(batch, -1);
        if (length)
                toc_share(failed, cache->used > cache->cap);
        else
                toc_share(late, true);
        for (size_t i = 0; i < length; i++) {
                TOC_TIME_SCOPE(store);
                TOC_TIME_SCOPE(flush);
                toc_in(jobs, 1);
                toc_held(jobs, 1);
        }
        toc_held(jobs, -1), toc_out(jobs, 1);
        toc_held(jobs, -(int)cache->used);
        toc_dropped(jobs, cache->used);
        toc_in(bytes, length), toc_out(bytes, length);
        toc_end(fetch, open);
        *ret_open = toc_begin(fetch);
        return 0;
}

bool whole_by(size_t length)
{
        TOC_TIME_SCOPE_BY(call, get);
        toc_count_by(answers, ok);
        toc_add_by(answers, failed, length);
        toc_count_by(answers, refused);
        toc_count_by(another_name_of__31_characters_, a_name_of_23_characters);
        toc_set_by(depth, high, 1), toc_set_by(depth, low, -1);
        toc_raise_by(users, human, 1), toc_lower_by(users, robot, length);
        toc_observe_by(call, put, 1000);
        toc_observe_by(value_of, get, (int64_t)length), toc_observe_by(value_of, put, 1);
        toc_share_by(missed, get, length == 0), toc_share_by(missed, put, false);
        toc_beat_by(worker, first), toc_beat_by(worker, second);
        return length > 0;
}

int whole_policies(struct cache *cache, int n)
{
        if (!TOC_EXPECT(n > 0, TOC_PAGE, "nobody asks for less than one", TOC_STOP_IN_TESTS))
                return -EINVAL;
        if (!TOC_EXPECT(n < 99, TOC_PAGE, "nobody asks for more", TOC_STOP_FROM(7),
                        TOC_STOP_IN_TESTS))
                return -EINVAL;
        if (!TOC_EXPECT_CMP(n, !=, 13, TOC_PAGE, "nobody asks for 13", TOC_RUNBOOK("wiki/13"),
                            TOC_STOP_FROM(NEARLY)))
                return -EINVAL;
        if (n == 12)
                return TOC_UNREACHABLE(TOC_PAGE, "there is no 12", TOC_RUNBOOK("wiki/12")) ? 0 : -1;
        if (TOC_SOMETIMES(n > 1, TOC_NOTE, "nobody ever asks for more than one"))
                TOC_REACHED(TOC_WARN, "nobody ever asks for many, or this is dead code");
        (void)TOC_SOMETIMES(cache->used == cache->cap, TOC_NOTE, "the cache is larger than needed",
                            TOC_UPTIME_S(86400), TOC_WHEN(leader), TOC_RUNBOOK("wiki/size"));
        TOC_REACHED(TOC_PAGE, "the leader does not lead", TOC_WHEN(leader), TOC_UPTIME_S(2 * 60));
        return 0;
}

int whole_expect(struct cache *cache, const char *path, size_t length)
{
        if (!TOC_EXPECT(cache->used <= cache->cap, TOC_PAGE, "more slots used than exist"))
                return -EINVAL;
        if (!TOC_EXPECT(path, TOC_WARN, "a cache has a path"))
                return -EINVAL;
        if (!TOC_EXPECT_CMP(cache->used, <=, cache->cap, TOC_PAGE, "more slots used than exist"))
                return -EINVAL;
        /* A constant is no reason for a warning about signs. */
        (void)TOC_EXPECT_CMP(length, <, 64, TOC_NOTE, "nobody has such a name");
        (void)TOC_EXPECT_CMP(0, !=, length, TOC_NOTE, "nobody has no name");
        (void)TOC_EXPECT_CMP(cache->small, >=, 1, TOC_NOTE, "small things count too");
        (void)TOC_EXPECT_CMP(cache->flags, ==, 5u, TOC_NOTE, "bit-fields can be compared");
        (void)TOC_EXPECT_CMP(cache->ratio, >, 0.5, TOC_NOTE, "fractions can be compared");
        (void)TOC_EXPECT_CMP(cache->name, !=, NULL, TOC_NOTE, "pointers can be compared");
        (void)TOC_EXPECT_CMP(path, !=, cache->name, TOC_NOTE, "and with each other");
        switch (cache->cap) {
        case 0:
                return TOC_UNREACHABLE(TOC_PAGE, "a cache has slots") ? 0 : -EINVAL;
        default:
                break;
        }
        return TOC_EXPECT(length > 1 && TOC_EXPECT(cache->cap > 1, TOC_NOTE, "one in another"),
                          TOC_NOTE, "and the other")
                       ? 0
                       : -EINVAL;
}

int whole_log(const char *path, size_t length)
{
        if (!length)
                return TOC_ERROR(-EIO, TOC_USUAL, "cannot open index '%s'", path);
        if (length == 1)
                return TOC_ERROR(
                        -EIO,
                        TOC_ALERT(per_minute, >, 3, TOC_PAGE, "the disk is dying", .hold_s = 1),
                        "cannot read index '%s' of %zu bytes", path, length);
        if (length == 2)
                return TOC_WARNING(0, TOC_QUIET("it is tried again"), "tried again, once");
        (void)TOC_WARNING(path, TOC_USUAL, "odd length %" PRIu64 " of %s", (uint64_t)length, path);
        (void)TOC_ERROR(length, TOC_ALERT(total, >, 0, TOC_WARN, "it never happens"),
                        "this never happens, %d%%", 100);
        return TOC_ERROR(-EIO, TOC_USUAL, "no argument at all");
}

const char *whole_where(void)
{
        return toc_segment_path();
}
