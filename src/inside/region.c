/* SPDX-License-Identifier: Apache-2.0 */
/* region.c - one range of addresses that holds all that is published, from the first call to the
 * last, in a file on tmpfs or, where none can be had, in memory of our own.
 *
 * The addresses are reserved once and never change: files are mapped over them. So a child of fork
 * gets a copy at the same place, before anybody could count into its parent's, and whatever points
 * into the region stays right. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inside/inside.h"
#include "probe/guard.h"
#include "probe/runtime.h"

enum { CHUNK_BYTES = 64 << 10, FIRST_PAGES = 4 };

struct page_extent {
        struct segment_extent extent;
        struct inside_thread page;
};

static struct {
        char *base;
        uint64_t reserved_bytes;
        uint64_t mapped_bytes;
        uint64_t first_page; /* offset of the first page of a thread */
        uint32_t pages;
        bool is_cut; /* what comes now is memory of our own, behind a file */
        struct place place;
} region;

static uint64_t round_up(uint64_t n, uint64_t to)
{
        return (n + to - 1) / to * to;
}

static uint64_t page_bytes(void)
{
        return round_up(sizeof(struct page_extent), 64);
}

static struct segment_header *header(void)
{
        return (struct segment_header *)(void *)region.base;
}

/* ---- Mapping --------------------------------------------------------------------------*/

static bool move_over(void *map, uint64_t at, uint64_t bytes)
{
        return mremap(map, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, region.base + at) !=
               MAP_FAILED;
}

static bool map_private(uint64_t at, uint64_t bytes)
{
        return mmap(region.base + at, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* Says what the file is; the magic comes last, in publish(). */
static void describe(void)
{
        struct segment_header *head = header();

        head->version = SEGMENT_VERSION;
        head->header_bytes = SEGMENT_HEADER_BYTES;
        head->record_bytes = sizeof(struct toc_record);
        head->row_bytes = sizeof(struct segment_row);
        head->event_bytes = sizeof(struct segment_event);
        head->state = SEGMENT_RUNNING;
        toc_place_describe_(head);
}

static void publish(void)
{
        uint64_t magic;

        memcpy(&magic, SEGMENT_MAGIC, sizeof magic);
        __atomic_store_n((uint64_t *)(void *)header()->magic, magic, __ATOMIC_RELEASE);
        inside_.is_published = true;
}

/* ---- Extents --------------------------------------------------------------------------*/

static void *add_extent(uint64_t *at, uint32_t kind, uint32_t count, uint64_t payload)
{
        struct segment_extent *extent = (struct segment_extent *)(void *)(region.base + *at);

        extent->magic = SEGMENT_EXTENT_MAGIC;
        extent->kind = kind;
        extent->count = count;
        extent->bytes = sizeof *extent + round_up(payload, 64);
        *at += extent->bytes;
        return extent + 1;
}

static uint64_t tables_bytes(void)
{
        return SEGMENT_HEADER_BYTES + 5 * sizeof(struct segment_extent) +
               round_up(sizeof(struct inside_head), 64) +
               INSIDE_MODULES * sizeof(struct inside_module) +
               INSIDE_SITES * sizeof(struct inside_site) +
               round_up(INSIDE_NODES * sizeof(struct inside_node), 64) +
               round_up(INSIDE_FINDINGS * sizeof(struct inside_finding), 64);
}

static void add_tables(void)
{
        uint64_t at = SEGMENT_HEADER_BYTES;

        inside_.head = add_extent(&at, SEGMENT_INSIDE, 1, sizeof(struct inside_head));
        inside_.modules = add_extent(&at, SEGMENT_INSIDE_MODULES, INSIDE_MODULES,
                                     INSIDE_MODULES * sizeof(struct inside_module));
        inside_.sites = add_extent(&at, SEGMENT_INSIDE_SITES, INSIDE_SITES,
                                   INSIDE_SITES * sizeof(struct inside_site));
        inside_.nodes = add_extent(&at, SEGMENT_INSIDE_NODES, INSIDE_NODES,
                                   INSIDE_NODES * sizeof(struct inside_node));
        inside_.findings = add_extent(&at, SEGMENT_INSIDE_FINDINGS, INSIDE_FINDINGS,
                                      INSIDE_FINDINGS * sizeof(struct inside_finding));
        region.first_page = at;
        header()->used_bytes = at;
}

static bool reserve(void)
{
        void *base;

        region.reserved_bytes =
                round_up(tables_bytes() + INSIDE_THREADS_MAX * page_bytes(), CHUNK_BYTES) +
                64 * CHUNK_BYTES;
        base = mmap(NULL, region.reserved_bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED)
                return false;
        region.base = base;
        return true;
}

static bool grow(void)
{
        uint64_t quarter = region.mapped_bytes / 4;
        uint64_t more = round_up(quarter > page_bytes() ? quarter : page_bytes(), CHUNK_BYTES);
        void *map = NULL;

        if (region.mapped_bytes + more > region.reserved_bytes)
                more = region.reserved_bytes - region.mapped_bytes;
        if (inside_.is_published && !region.is_cut)
                map = toc_place_grow_(&region.place, region.mapped_bytes, more);
        if (map && !move_over(map, region.mapped_bytes, more)) {
                (void)munmap(map, more); /* it was mapped here */
                map = NULL;
        }
        if (!map) {
                region.is_cut = inside_.is_published;
                if (!map_private(region.mapped_bytes, more))
                        return false;
        }
        region.mapped_bytes += more;
        return true;
}

struct inside_thread *inside_region_page_at(uint32_t number)
{
        return &((struct page_extent *)(void *)(region.base + region.first_page +
                                                number * page_bytes()))
                        ->page;
}

uint32_t inside_region_pages(void)
{
        return region.pages;
}

void inside_region_own(struct inside_thread *page, uint32_t thread)
{
        struct segment_extent *extent = (struct segment_extent *)(void *)page - 1;

        __atomic_store_n(&extent->owner, thread, __ATOMIC_RELAXED);
}

struct inside_thread *inside_region_page(void)
{
        uint64_t at = region.first_page + region.pages * page_bytes();
        struct inside_thread *page;

        if (region.pages == INSIDE_THREADS_MAX)
                return NULL;
        if (at + page_bytes() > region.mapped_bytes && !grow())
                return NULL;
        if (at + page_bytes() > region.mapped_bytes)
                return NULL;
        page = add_extent(&at, SEGMENT_INSIDE_THREAD, 1, sizeof(struct inside_thread));
        region.pages++;
        if (!region.is_cut)
                __atomic_store_n(&header()->used_bytes, at, __ATOMIC_RELEASE);
        return page;
}

bool inside_region_open(void)
{
        uint64_t bytes = round_up(tables_bytes() + FIRST_PAGES * page_bytes(), CHUNK_BYTES);
        void *map;

        if (!reserve())
                return false;
        map = toc_place_create_(&region.place, bytes);
        if (map && !move_over(map, 0, bytes)) {
                (void)munmap(map, bytes); /* it was mapped here */
                toc_place_remove_(&region.place);
                map = NULL;
        }
        if (!map && !map_private(0, bytes))
                return false;
        region.mapped_bytes = bytes;
        describe();
        add_tables();
        if (map)
                publish();
        return true;
}

/* ---- Fork -----------------------------------------------------------------------------*/

static void copy(char *to, const void *from, uint64_t bytes)
{
        memcpy(to + ((const char *)from - region.base), from, bytes);
}

static void copy_table(char *to, const void *table, uint64_t bytes)
{
        const struct segment_extent *extent = (const struct segment_extent *)table - 1;

        copy(to, extent, sizeof *extent + bytes);
}

/* What is filled, to memory that is zero: of what a fork costs, the faults of first stores are the
 * most, and most of the tables is empty. How much is filled is said by the copy and by ourselves:
 * the parent goes on. */
static void copy_filled(char *to)
{
        const struct inside_head *head =
                (const void *)(to + ((const char *)inside_.head - region.base));
        uint64_t findings;

        copy(to, region.base, SEGMENT_HEADER_BYTES);
        ((struct segment_header *)(void *)to)->used_bytes =
                region.first_page + region.pages * page_bytes();
        copy_table(to, inside_.head, sizeof *head);
        findings = head->findings_made < INSIDE_FINDINGS ? head->findings_made : INSIDE_FINDINGS;
        copy_table(to, inside_.modules, head->modules * sizeof inside_.modules[0]);
        copy_table(to, inside_.sites, head->sites * sizeof inside_.sites[0]);
        copy_table(to, inside_.nodes, head->nodes * sizeof inside_.nodes[0]);
        copy_table(to, inside_.findings, findings * sizeof inside_.findings[0]);
        for (uint32_t i = 0; i < region.pages; i++)
                copy_table(to, inside_region_page_at(i),
                           offsetof(struct inside_thread, cells) +
                                   head->sites * sizeof(struct inside_cells));
}

/* A copy of the parent's, at the same addresses. */
static void copy_for_child(void)
{
        void *own = mmap(NULL, region.mapped_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (own != MAP_FAILED) {
                copy_filled(own);
                if (move_over(own, 0, region.mapped_bytes))
                        return;
        }
        (void)map_private(0, region.mapped_bytes); /* better to know nothing than to write there */
        describe();
        add_tables();
        region.pages = 0;
        inside_.crowd = inside_region_page(); /* there is room: it was mapped */
}

void inside_region_forked(void)
{
        struct guard guard = toc_guard_seize_();

        copy_for_child();
        inside_.is_published = false;
        region.is_cut = false;
        region.place.path[0] = '\0';
        memset(header()->magic, 0, sizeof header()->magic);
        inside_page_forked();
        inside_lock_forked();
        inside_thread_forked();
        toc_guard_leave_(guard);
}

void inside_region_publish(void)
{
        struct guard guard;
        void *map;

        if (inside_.is_published || inside_.state != INSIDE_READY || region.is_cut)
                return;
        guard = toc_guard_enter_();
        region.is_cut = true; /* once */
        map = toc_place_create_(&region.place, region.mapped_bytes);
        if (map) {
                describe();
                copy_filled(map);
                if (move_over(map, 0, region.mapped_bytes)) {
                        region.is_cut = false;
                        publish();
                } else {
                        (void)munmap(map, region.mapped_bytes); /* it was mapped here */
                        toc_place_remove_(&region.place);
                }
        }
        toc_guard_leave_(guard);
}

__attribute__((constructor(101))) static void hello(void)
{
        inside_start();
}

__attribute__((destructor(101))) static void goodbye(void)
{
        struct guard guard = toc_guard_enter_();

        if (inside_.is_published) {
                __atomic_store_n(&header()->state, SEGMENT_ENDED, __ATOMIC_RELEASE);
                if (region.place.is_ours_to_remove)
                        toc_place_remove_(&region.place);
        }
        toc_guard_leave_(guard);
}
