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
           TOC_BUDGET(descriptors, 100, TOC_NOTE, "files are not closed"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "it reports errors", .hold_s = 30)));

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
        toc_raise(open_files, 1);
        toc_lower(open_files, 1);
        toc_raise(open_files, length), toc_lower(open_files, length);
        for (size_t i = 0; i < length; i++)
                toc_beat(flusher);
        return path ? 0 : -EINVAL;
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
