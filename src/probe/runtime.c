/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.c - who counts where: objects, threads and their blocks in the segment.
 *
 * The hot path is in tocsin.h: it adds at &cell + delta. Here a thread gets its delta.
 *
 *   object  an executable or shared object with probes; its cells are the template of a block
 *   block   a copy of that template for one thread. When the thread ends, the block goes back
 *           with its totals, and the next thread counts on in the same cells: nothing is folded,
 *           nothing freed, and no reader can come at the wrong moment.
 *
 * Locking: everything here but the readers of one word holds the guard. After fork the child
 * forgets everything and attaches anew, so it does not matter what another thread was doing. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe/guard.h"
#include "probe/runtime.h"

enum {
        CHUNK_BYTES = 64 << 10, /* the segment grows by multiples; a page is at most as large */
        EVENT_FIRSTS = 64,
        EVENT_REPEATS = 64,
        KEYS_WITHOUT_MALLOC = 32, /* glibc: pthread_setspecific allocates for later keys */
        DEAD_SCAN_MIN = 64,       /* blocks of an object before we look for dead owners */
};

static struct {
        bool is_started, is_initialised;
        pthread_key_t key;
        bool has_key;
        struct object *objects;
        uint32_t objects_count;
        struct block *spare; /* left over by the parent of a fork */
        struct place place;
        struct segment_header *header; /* NULL: everything is private */
        char *chunk;                   /* where the next extent goes */
        uint64_t chunk_left;
        uint64_t file_bytes;
        char *arena; /* private memory for our own books */
        uint64_t arena_left;
} runtime;

__thread uint32_t toc_thread_;
static __thread struct block *mine;

/* ---- Memory ---------------------------------------------------------------------------*/

static uint64_t round_up(uint64_t n, uint64_t to)
{
        return (n + to - 1) / to * to;
}

static void *private_memory(uint64_t bytes)
{
        void *at;

        bytes = round_up(bytes, 64);
        if (bytes > runtime.arena_left) {
                uint64_t more = round_up(bytes, CHUNK_BYTES);

                at = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (at == MAP_FAILED)
                        return NULL;
                runtime.arena = at;
                runtime.arena_left = more;
        }
        at = runtime.arena;
        runtime.arena += bytes;
        runtime.arena_left -= bytes;
        return at;
}

static uint64_t extent_bytes(uint64_t payload)
{
        return sizeof(struct segment_extent) + round_up(payload, 64);
}

static void publish(struct segment_extent *extent, uint32_t kind, uint64_t bytes)
{
        extent->magic = SEGMENT_EXTENT_MAGIC;
        extent->kind = kind;
        extent->bytes = bytes;
        __atomic_store_n(&runtime.header->used_bytes, runtime.header->used_bytes + bytes,
                         __ATOMIC_RELEASE);
        runtime.chunk += bytes;
        runtime.chunk_left -= bytes;
}

/* Room for an extent behind the last one; NULL if the segment cannot grow. Publish it next. */
static struct segment_extent *reserve(uint64_t bytes)
{
        if (!runtime.header)
                return NULL;
        if (bytes > runtime.chunk_left) {
                uint64_t quarter = runtime.file_bytes / 4;
                uint64_t more = round_up(bytes > quarter ? bytes : quarter, CHUNK_BYTES);
                char *map;

                map = toc_place_grow_(&runtime.place, runtime.file_bytes, more);
                if (!map)
                        return NULL;
                if (runtime.chunk_left)
                        publish((struct segment_extent *)runtime.chunk, SEGMENT_FILLER,
                                runtime.chunk_left);
                runtime.chunk = map;
                runtime.chunk_left = more;
                runtime.file_bytes += more;
        }
        return (struct segment_extent *)runtime.chunk;
}

/* ---- Objects --------------------------------------------------------------------------*/

static uint64_t probes_count(const struct toc_dso_ *dso)
{
        return (uint64_t)(dso->probes_end - dso->probes);
}

static uint64_t cells_bytes(const struct toc_dso_ *dso)
{
        return (uint64_t)(dso->cells_end - dso->cells);
}

static uint64_t shared_bytes(const struct toc_dso_ *dso)
{
        return (uint64_t)(dso->shared_end - dso->shared);
}

static uint64_t rows_bytes(const struct toc_dso_ *dso)
{
        return extent_bytes(sizeof(struct segment_rows) +
                            probes_count(dso) * sizeof(struct segment_row));
}

void toc_runtime_row_(struct segment_row *row, const struct toc_dso_ *dso,
                      const struct toc_probe_ *probe)
{
        const char *cell = probe->cell;

        row->record = *probe->record;
        row->place = SEGMENT_NO_CELL;
        if (!cell)
                return;
        row->cell_bytes = 8 * toc_words_(row->record.kind);
        if (cell >= dso->shared && cell < dso->shared_end) {
                row->place = SEGMENT_IN_SHARED;
                row->cell_offset = (uint32_t)(cell - dso->shared);
        } else {
                row->place = SEGMENT_IN_BLOCK;
                row->cell_offset = (uint32_t)(cell - dso->cells);
        }
}

static void publish_rows(struct object *object)
{
        const struct toc_dso_ *dso = object->dso;
        struct segment_extent *extent = reserve(rows_bytes(dso));
        struct segment_row *row;

        if (!extent)
                return;
        object->rows = (struct segment_rows *)(extent + 1);
        row = (struct segment_row *)(object->rows + 1);
        for (const struct toc_probe_ *probe = dso->probes; probe < dso->probes_end; probe++)
                toc_runtime_row_(row++, dso, probe);
        extent->object = object->number;
        extent->count = (uint32_t)probes_count(dso);
        publish(extent, SEGMENT_ROWS, rows_bytes(dso));
}

/* A copy of a template: in the segment, else in private memory, else NULL, and then the template
 * itself serves. */
static char *place_cells(const struct object *object, uint32_t kind, const char *template,
                         uint64_t bytes, struct segment_extent **ret_extent)
{
        struct segment_extent *extent = object->rows ? reserve(extent_bytes(bytes)) : NULL;
        char *cells = extent ? (char *)(extent + 1) : private_memory(bytes);

        *ret_extent = extent;
        if (!cells)
                return NULL;
        memcpy(cells, template, bytes);
        if (extent) {
                extent->object = object->number;
                extent->count = (uint32_t)bytes;
                publish(extent, kind, extent_bytes(bytes));
        } else if (runtime.header) {
                runtime.header->threads_private++;
        }
        return cells;
}

static void publish_object(struct object *object)
{
        struct toc_dso_ *dso = object->dso;
        struct segment_extent *extent;

        if (!object->is_published) {
                object->began_ns = toc_now_();
                object->cells_bytes = cells_bytes(dso);
                object->shared_bytes = shared_bytes(dso);
                publish_rows(object);
                if (shared_bytes(dso))
                        object->shared_cells = place_cells(object, SEGMENT_SHARED, dso->shared,
                                                           shared_bytes(dso), &extent);
                object->is_published = true;
        }
        if (object->shared_cells)
                __atomic_store_n(&dso->shared_delta, object->shared_cells - dso->shared,
                                 __ATOMIC_RELEASE);
}

/* The same plug-in loaded again: same records and cells, so its counts go on. */
static bool is_the_same(const struct object *object, const struct toc_dso_ *dso)
{
        const struct segment_extent *extent;
        const struct segment_row *row;

        if (object->dso || !object->rows)
                return false;
        extent = (const struct segment_extent *)(const void *)object->rows - 1;
        row = (const struct segment_row *)(object->rows + 1);
        if (extent->count != probes_count(dso))
                return false;
        for (const struct toc_probe_ *probe = dso->probes; probe < dso->probes_end; probe++) {
                struct segment_row now = { 0 };

                toc_runtime_row_(&now, dso, probe);
                if (memcmp(&now, row++, sizeof now) != 0)
                        return false;
        }
        return true;
}

static struct object *add_object(struct toc_dso_ *dso)
{
        struct object *object, **end = &runtime.objects;

        for (object = runtime.objects; object; end = &object->next, object = object->next)
                if (is_the_same(object, dso))
                        break;
        if (!object) {
                object = private_memory(sizeof *object);
                if (!object)
                        return NULL;
                *object = (struct object){ .number = runtime.objects_count++,
                                           .scan_at = DEAD_SCAN_MIN };
                object->blocks_end = &object->blocks;
                __atomic_store_n(end, object, __ATOMIC_RELEASE);
        }
        object->dso = dso;
        __atomic_store_n(&dso->slot, object, __ATOMIC_RELEASE);
        return object;
}

const struct object *toc_runtime_objects_(void)
{
        return runtime.objects;
}

uint32_t toc_runtime_object_(const struct toc_dso_ *dso)
{
        const struct object *object = __atomic_load_n(&dso->slot, __ATOMIC_ACQUIRE);

        return object && object->rows ? object->number : UINT32_MAX;
}

/* ---- The segment ----------------------------------------------------------------------*/

static uint64_t first_bytes(void)
{
        uint64_t bytes = SEGMENT_HEADER_BYTES;

        bytes += extent_bytes(sizeof(struct segment_ring) +
                              (EVENT_FIRSTS + EVENT_REPEATS) * sizeof(struct segment_event));
        for (const struct object *object = runtime.objects; object; object = object->next)
                if (object->dso)
                        bytes += rows_bytes(object->dso) + extent_bytes(shared_bytes(object->dso)) +
                                 4 * extent_bytes(cells_bytes(object->dso));
        return round_up(bytes, CHUNK_BYTES);
}

static void publish_events(void)
{
        uint64_t bytes =
                extent_bytes(sizeof(struct segment_ring) +
                             (EVENT_FIRSTS + EVENT_REPEATS) * sizeof(struct segment_event));
        struct segment_extent *extent = reserve(bytes);

        if (!extent)
                return;
        extent->count = EVENT_FIRSTS + EVENT_REPEATS;
        ((struct segment_ring *)(extent + 1))->firsts = EVENT_FIRSTS;
        publish(extent, SEGMENT_EVENTS, bytes);
        toc_event_ring_.header = runtime.header;
        toc_event_ring_.directory = runtime.place.directory;
        __atomic_store_n(&toc_event_ring_.extent, extent, __ATOMIC_RELEASE);
}

/* All but the magic, without which nobody reads it. */
static void begin_segment(struct segment_header *header, uint64_t bytes)
{
        header->version = SEGMENT_VERSION;
        header->header_bytes = SEGMENT_HEADER_BYTES;
        header->record_bytes = sizeof(struct toc_record);
        header->row_bytes = sizeof(struct segment_row);
        header->event_bytes = sizeof(struct segment_event);
        header->state = SEGMENT_RUNNING;
        header->used_bytes = SEGMENT_HEADER_BYTES;
        toc_place_describe_(header);
        runtime.header = header;
        runtime.chunk = (char *)header + SEGMENT_HEADER_BYTES;
        runtime.chunk_left = bytes - SEGMENT_HEADER_BYTES;
        runtime.file_bytes = bytes;
}

/* Makes the segment, if one can be had, with all objects known so far. Once a process. Without it
 * they are published as well, and so in the order of their numbers: that is how visits ask. */
static void start(void)
{
        uint64_t bytes = first_bytes(), magic;
        struct segment_header *header = toc_place_create_(&runtime.place, bytes);

        runtime.is_started = true;
        if (header)
                begin_segment(header, bytes);
        for (struct object *object = runtime.objects; object; object = object->next)
                if (object->dso)
                        publish_object(object);
        if (!header)
                return;
        publish_events();
        memcpy(&magic, SEGMENT_MAGIC, sizeof magic);
        __atomic_store_n((uint64_t *)(void *)header->magic, magic, __ATOMIC_RELEASE);
}

/* ---- Threads --------------------------------------------------------------------------*/

static void release(struct block *block)
{
        block->delta = NULL;
        block->thread = 0;
        if (block->owner)
                __atomic_store_n(block->owner, 0, __ATOMIC_RELAXED);
        block->free = block->object->free;
        block->object->free = block;
}

static void on_thread_exit(void *unused)
{
        struct guard guard = toc_guard_enter_();

        (void)unused;
        for (struct block *block = mine; block; block = block->mine) {
                if (block->delta)
                        *block->delta = 0; /* later destructors may count: they attach again */
                release(block);
        }
        mine = NULL;
        toc_guard_leave_(guard);
}

/* Threads whose destructor never ran: more than 32 keys, or killed in their last round. */
static void release_dead(struct object *object)
{
        uint32_t alive = 0;

        for (struct block *block = object->blocks; block; block = block->all) {
                if (!block->thread)
                        continue;
                if (syscall(SYS_tgkill, getpid(), block->thread, 0) != 0 && errno == ESRCH)
                        release(block);
                else
                        alive++;
        }
        object->scan_at = alive * 2 > DEAD_SCAN_MIN ? alive * 2 : DEAD_SCAN_MIN;
}

static struct block *new_block(struct object *object)
{
        struct block *block = runtime.spare;
        struct segment_extent *extent;

        if (block)
                runtime.spare = block->all;
        else
                block = private_memory(sizeof *block);
        if (!block)
                return NULL;
        *block = (struct block){ .object = object, .number = object->blocks_count };
        block->cells = place_cells(object, SEGMENT_BLOCK, object->dso->cells,
                                   cells_bytes(object->dso), &extent);
        if (!block->cells) {
                block->all = runtime.spare;
                runtime.spare = block;
                return NULL;
        }
        block->owner = extent ? &extent->owner : NULL;
        object->blocks_count++;
        *object->blocks_end = block;
        object->blocks_end = &block->all;
        return block;
}

/* A block that this thread had before the object was unloaded, else a free one, else a new one. */
static struct block *find_block(struct object *object)
{
        struct block *block;

        for (block = mine; block; block = block->mine)
                if (block->object == object && !block->delta)
                        return block;
        if (!object->free && object->blocks_count >= object->scan_at)
                release_dead(object);
        block = object->free;
        if (block)
                object->free = block->free;
        else
                block = new_block(object);
        if (!block)
                return NULL;
        block->mine = mine;
        mine = block;
        return block;
}

static struct object *ready_object(struct toc_dso_ *dso)
{
        struct object *object = dso->slot ? dso->slot : add_object(dso);

        if (!object)
                return NULL;
        if (!runtime.is_started)
                start();
        publish_object(object);
        return object;
}

static int64_t attach(struct toc_dso_ *dso, int64_t *delta)
{
        struct object *object = ready_object(dso);
        struct block *block = object ? find_block(object) : NULL;

        if (!block)
                return 0;
        if (!toc_thread_)
                toc_thread_ = (uint32_t)syscall(SYS_gettid);
        block->thread = (pid_t)toc_thread_;
        if (block->owner)
                __atomic_store_n(block->owner, toc_thread_, __ATOMIC_RELAXED);
        block->delta = delta;
        *delta = block->cells - dso->cells;
        if (runtime.has_key)
                (void)pthread_setspecific(runtime.key, &runtime); /* cannot fail for such a key */
        return *delta;
}

int64_t toc_attach_thread_(struct toc_dso_ *dso, int64_t *delta)
{
        struct guard guard = toc_guard_enter_();
        int64_t found = *delta ? *delta : attach(dso, delta); /* a handler may have come first */

        toc_guard_leave_(guard);
        return found;
}

int64_t toc_attach_shared_(struct toc_dso_ *dso)
{
        struct guard guard = toc_guard_enter_();

        (void)ready_object(dso);
        toc_guard_leave_(guard);
        return __atomic_load_n(&dso->shared_delta, __ATOMIC_RELAXED);
}

/* ---- Life of the process --------------------------------------------------------------*/

/* In the child of a fork there is one thread, and nothing of the segment is ours. What is mapped
 * stays mapped: the code that was interrupted may be about to add at an old address. */
static void on_fork_in_child(void)
{
        struct guard guard = toc_guard_seize_();

        for (struct block *block = mine; block; block = block->mine)
                if (block->delta)
                        *block->delta = 0;
        mine = NULL;
        toc_thread_ = 0;
        toc_event_ring_.extent = NULL;
        runtime.header = NULL;
        runtime.chunk_left = 0;
        runtime.place.path[0] = '\0';
        runtime.is_started = false;
        for (struct object *object = runtime.objects; object; object = object->next) {
                while (object->blocks) {
                        struct block *block = object->blocks;

                        object->blocks = block->all;
                        block->all = runtime.spare;
                        runtime.spare = block;
                }
                object->blocks_end = &object->blocks;
                object->free = NULL;
                object->blocks_count = 0;
                object->rows = NULL;
                object->shared_cells = NULL;
                object->is_published = false;
                if (object->dso) {
                        object->dso->shared_delta = 0;
                        object->dso->forks++;
                }
        }
        toc_guard_leave_(guard);
}

static void initialise(void)
{
        runtime.is_initialised = true;
        (void)pthread_atfork(NULL, NULL, on_fork_in_child); /* without memory: nothing to be done */
        runtime.has_key = pthread_key_create(&runtime.key, on_thread_exit) == 0 &&
                          runtime.key < KEYS_WITHOUT_MALLOC;
}

void toc_register_(struct toc_dso_ *dso)
{
        struct guard guard;

        if (!runtime.is_initialised)
                initialise();
        guard = toc_guard_enter_();
        (void)ready_object(dso);
        toc_guard_leave_(guard);
        if (dso->version >= 2)
                __atomic_store_n(&dso->inside, toc_enter_offset_(), __ATOMIC_RELAXED);
}

/* dlclose, or the end of the process: the templates go away, the counts stay. */
void toc_unregister_(struct toc_dso_ *dso)
{
        struct guard guard = toc_guard_enter_();
        struct object *object = dso->slot;

        if (object) {
                for (struct block *block = object->blocks; block; block = block->all)
                        block->delta = NULL;
                __atomic_store_n(&dso->slot, NULL, __ATOMIC_RELEASE);
                object->dso = NULL;
        }
        toc_guard_leave_(guard);
}

uint64_t toc_now_(void)
{
        struct timespec now = { 0 };
        int saved = errno;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
        errno = saved;
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const char *toc_segment_path(void)
{
        return runtime.place.path[0] ? runtime.place.path : NULL;
}

/* Left through exit(): says so, and takes the file along unless a watcher asked for it. */
__attribute__((destructor(101))) static void goodbye(void)
{
        struct guard guard = toc_guard_enter_();

        /* A plug-in may have brought this code along in the archive, and be unloaded now. */
        if (runtime.has_key)
                (void)pthread_key_delete(runtime.key); /* it was made here */
        runtime.has_key = false;
        if (runtime.header) {
                __atomic_store_n(&runtime.header->state, SEGMENT_ENDED, __ATOMIC_RELEASE);
                if (runtime.place.is_ours_to_remove)
                        toc_place_remove_(&runtime.place);
        }
        toc_guard_leave_(guard);
}
