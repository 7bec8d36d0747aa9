/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - what happened, for the watcher: a slot in the shared ring, and a knock on its door.
 *
 * The ring is the truth and survives the process; the doorbell is a hint that saves up to a
 * second. A slot is claimed with one compare-and-swap and never waited for: where two threads
 * meet in one slot, the later one goes without and is counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "probe/runtime.h"

enum { RING_INTERVAL_NS = 5000000 }; /* between two rings for misses that are no event */

struct event_ring toc_event_ring_;

/* The fence: no store into the slot may be seen before the odd number. gcc's thread sanitizer does
 * not know fences; what is ordered here is read by another process, which it does not see. */
static struct segment_event *claim(struct segment_extent *extent, uint64_t count, uint64_t *ret_n)
{
        struct segment_ring *ring = (struct segment_ring *)(extent + 1);
        struct segment_event *slots = (struct segment_event *)(ring + 1);
        struct segment_event *slot = NULL;
        uint64_t n = __atomic_fetch_add(&ring->next_number, 1, __ATOMIC_RELAXED);
        uint64_t seq;

        if (count == 1) {
                uint64_t first = __atomic_fetch_add(&ring->next_first, 1, __ATOMIC_RELAXED);

                if (first < ring->firsts)
                        slot = &slots[first];
        }
        if (!slot)
                slot = &slots[ring->firsts + n % (extent->count - ring->firsts)];
        seq = __atomic_load_n(&slot->seq, __ATOMIC_RELAXED);
        if ((seq & 1) || !__atomic_compare_exchange_n(&slot->seq, &seq, 2 * n + 1, false,
                                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wtsan"
        __atomic_thread_fence(__ATOMIC_RELEASE);
#pragma GCC diagnostic pop
        *ret_n = n;
        return slot;
}

static struct segment_event *begin(const struct toc_dso_ *dso, const struct toc_probe_ *probe,
                                   uint32_t kind, uint64_t count, uint64_t *ret_n)
{
        struct segment_extent *extent = __atomic_load_n(&toc_event_ring_.extent, __ATOMIC_ACQUIRE);
        uint32_t object = toc_runtime_object_(dso);
        struct segment_event *event;

        if (!extent || object == UINT32_MAX)
                return NULL;
        event = claim(extent, count, ret_n);
        if (!event) {
                __atomic_fetch_add(&toc_event_ring_.header->events_dropped, 1, __ATOMIC_RELAXED);
                return NULL;
        }
        event->kind = kind;
        event->object = object;
        event->row = (uint32_t)(probe - dso->probes);
        event->thread = toc_thread_;
        event->count = count;
        event->stack_depth = 0;
        event->text_bytes = 0;
        return event;
}

static void end(struct segment_event *event, uint64_t n)
{
        __atomic_store_n(&event->seq, 2 * n + 2, __ATOMIC_RELEASE);
}

/* Opened and closed each time: a descriptor that we kept might be the application's own file by
 * now. Nobody listening is no error. */
static void ring_bell(bool is_news)
{
        static int64_t last_ns;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timespec now = { 0 };
        size_t bytes = strlen(toc_event_ring_.directory);
        int64_t now_ns, before;
        int fd;

        if (bytes + sizeof "/bell" > sizeof address.sun_path)
                return;
        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
        before = __atomic_load_n(&last_ns, __ATOMIC_RELAXED);
        if (!is_news && before && now_ns - before < RING_INTERVAL_NS)
                return;
        __atomic_store_n(&last_ns, now_ns, __ATOMIC_RELAXED);
        memcpy(address.sun_path, toc_event_ring_.directory, bytes);
        memcpy(address.sun_path + bytes, "/bell", sizeof "/bell");
        fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return;
        (void)syscall(SYS_sendto, fd, "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT, &address,
                      sizeof address);
        (void)syscall(SYS_close, fd);
}

bool toc_miss_(struct toc_dso_ *dso, int64_t *delta, const struct toc_probe_ *probe,
               struct toc_value_ a, struct toc_value_ b)
{
        int saved = errno;
        int64_t there = *delta ? *delta : toc_attach_thread_(dso, delta);
        uint64_t *misses = (uint64_t *)((uintptr_t)probe->cell + (uintptr_t)there);
        uint64_t count, n;
        bool is_news; /* the 1st, 2nd, 4th, 8th ... here; never held back from the watcher */

        toc_add_at_(misses, 1);
        count = __atomic_load_n(misses, __ATOMIC_RELAXED);
        is_news = (count & (count - 1)) == 0;

        if (is_news) {
                struct segment_event *event = begin(dso, probe, SEGMENT_EVENT_MISS, count, &n);

                if (event) {
                        event->value[0] = a;
                        event->value[1] = b;
                        event->stack_depth = toc_stack_walk_(__builtin_frame_address(0),
                                                             event->stack, SEGMENT_STACK_MAX);
                        end(event, n);
                }
        }
        if (toc_event_ring_.extent)
                ring_bell(is_news);
        errno = saved;
        return false;
}

static bool pages(const struct toc_record *record)
{
        return record->rule[0].severity == TOC_PAGE || record->rule[1].severity == TOC_PAGE;
}

void toc_report_(struct toc_dso_ *dso, const struct toc_probe_ *probe, uint64_t count,
                 const char *format, ...)
{
        int saved = errno;
        struct segment_event *event;
        va_list args;
        uint64_t n;

        event = begin(dso, probe,
                      probe->record->kind == toc_kind_error ? SEGMENT_EVENT_ERROR
                                                            : SEGMENT_EVENT_WARNING,
                      count, &n);
        if (event) {
                memset(event->value, 0, sizeof event->value);
                va_start(args, format);
                event->text_bytes =
                        toc_message_format_(event->text, sizeof event->text, format, &args);
                va_end(args);
                end(event, n);
                if (pages(probe->record))
                        ring_bell(true);
        }
        errno = saved;
}

/* One line for who reads the output of tests; the event is in the ring already. */
void toc_stop_(const struct toc_probe_ *probe)
{
        const struct toc_record *record = probe->record;
        char line[384];
        int bytes = snprintf(
                line, sizeof line,
                "tocsin: %s:%u: %s does not hold: %s; stopping here, as its TOC_STOP says\n",
                record->file, record->line, record->help, record->rule[0].meaning);

        if (bytes > 0)
                (void)syscall(SYS_write, STDERR_FILENO, line,
                              bytes < (int)sizeof line ? (size_t)bytes : sizeof line - 1);
        abort();
}
