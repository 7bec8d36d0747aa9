/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c - every allocation of the program, with its size, its site and its age.
 *
 * In front of each block lie 16 bytes (struct inside_block), behind it, if it is not large, one
 * more. What malloc gives is the allocator's behind us, libc's or the program's own, so a pointer
 * may come to free() that was never given here: from mallocx, or from before we were there. It is
 * told by its canary; and since the 16 bytes in front of a pointer may not be mapped if it lies at
 * the beginning of a page, those of ours that do are noted (ours.c).
 *
 * A block that is freed keeps a mark, by which a second free of the same pointer is known: in the
 * 16 bytes if the thread keeps it for its next malloc (magazine.h), else behind them, where libc's
 * lists do not write. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "inside/early.h"
#include "inside/heap.h"
#include "inside/inside.h"
#include "inside/ours.h"
#include "inside/real.h"

enum { SHIFT = 4, PAGE = 4096 };

static const uint64_t SIZE_MAX_BYTES = (UINT64_C(1) << INSIDE_EPOCH_SHIFT) - 1;
static const uint64_t NOT_OURS = UINT64_MAX;

static struct {
        void *(*malloc)(size_t);
        void *(*calloc)(size_t, size_t);
        void *(*realloc)(void *, size_t);
        void (*free)(void *);
        void *(*memalign)(size_t, size_t);
        size_t (*usable)(void *);
        char *(*strdup)(const char *);
        char *(*strndup)(const char *, size_t);
        bool is_foreign; /* not libc's */
        bool is_off;     /* the program's own malloc is in front of ours: we are not asked */
        size_t fast_end; /* malloc() asks no more questions about fewer bytes; 0: about none */
        size_t kept_end; /* smaller ones are kept when they are freed; 0: none, not libc's */
} real;

/* Found by name, and not by pointers to functions, which are those of whoever is in front. */
static void look_around(void)
{
        const void *libc = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");

        real.is_foreign = !inside_is_of_one_object(dlsym(RTLD_NEXT, "malloc"), libc);
        /* What strdup of ours gives out would come to a free() that never heard of us. */
        real.is_off = !inside_is_of_one_object(dlsym(RTLD_DEFAULT, "malloc"), &real);
}

void inside_heap_start(void)
{
        INSIDE_REAL(real.malloc, "malloc");
        INSIDE_REAL(real.calloc, "calloc");
        INSIDE_REAL(real.realloc, "realloc");
        INSIDE_REAL(real.free, "free");
        INSIDE_REAL(real.memalign, "memalign");
        INSIDE_REAL(real.usable, "malloc_usable_size");
        INSIDE_REAL(real.strdup, "strdup");
        INSIDE_REAL(real.strndup, "strndup");
        look_around();
        if (real.is_off)
                return;
        real.fast_end = INSIDE_TAIL_MAX + 1;
        inside_.flags |= INSIDE_HAS_HEAP;
        if (real.is_foreign)
                inside_.flags |= INSIDE_FOREIGN_ALLOCATOR;
        else
                real.kept_end = MAGAZINE_END;
}

/* Passes through until we are ready; false: use the real one. */
static bool is_on(void)
{
        return inside_is_awake() && !real.is_off;
}

/* ---- Blocks ---------------------------------------------------------------------------*/

static struct inside_block *block_of(void *memory)
{
        return (struct inside_block *)memory - 1;
}

static uint64_t size_of(const struct inside_block *block)
{
        return block->size_and_epoch & SIZE_MAX_BYTES;
}

/* ours: what find() says. */
static uint32_t site_of(uint64_t ours)
{
        return (uint32_t)(ours >> INSIDE_SITE_SHIFT) % INSIDE_SITES;
}

/* The exponent of an aligned one: in the room that it has in front of it. */
static uint64_t *shift_at(void *memory)
{
        return (uint64_t *)memory - 3;
}

static char *base_of(void *memory, uint64_t ours)
{
        unsigned shift = ours & INSIDE_ALIGNED ? (unsigned)*shift_at(memory) % 64 : SHIFT;

        return (char *)memory - ((uintptr_t)1 << shift);
}

static uint64_t bytes_for(uint64_t size)
{
        return size < real.kept_end ? magazine_bytes(size)
                                    : size + INSIDE_BLOCK_BYTES + (size <= INSIDE_TAIL_MAX);
}

/* What is in front of it is in front of the page, in part at least: some allocators give small
 * blocks at multiples of 8. */
static bool begins_a_page(const void *memory)
{
        return INSIDE_SLOW(((uintptr_t)memory & (PAGE - INSIDE_BLOCK_BYTES)) == 0);
}

/* Its site and whether it is aligned, as inside_unmark() leaves them; NOT_OURS: or freed. */
static uint64_t find(void *memory)
{
        uint64_t left;

        if (INSIDE_SLOW(((uintptr_t)memory & 7) != 0))
                return NOT_OURS;
        if (begins_a_page(memory) && !ours_has(memory))
                return NOT_OURS;
        left = inside_unmark(block_of(memory)->mark, (uintptr_t)memory, inside_.secret);
        return inside_unmark_rest(left) <= INSIDE_ALIGNED ? left : NOT_OURS;
}

/* mark, secret and address: one undoes the other. */
static inline void set(struct inside_block *block, uint64_t size, uint64_t ours)
{
        char *memory = (char *)(block + 1);

        block->size_and_epoch = size | inside_local_.epoch;
        block->mark = inside_unmark(ours, (uintptr_t)memory, inside_.secret);
}

static inline void set_tail(void *memory, uint64_t size)
{
        ((uint8_t *)memory)[size] = INSIDE_TAIL;
}

static inline bool is_broken(const void *memory, uint64_t size)
{
        return ((const uint8_t *)memory)[size] != INSIDE_TAIL;
}

/* base: what the allocator gave; the user's bytes begin 1 << shift behind it. */
__attribute__((noinline)) static void *give(void *base, uint64_t size, unsigned shift,
                                            const void *at, const void *sp)
{
        struct inside_local *local = &inside_local_;
        struct inside_thread *page = inside_page();
        uint32_t site = inside_site(page, INSIDE_HEAP, at, sp);
        char *memory;

        if (INSIDE_SLOW(!base))
                return NULL;
        memory = (char *)base + ((uintptr_t)1 << shift);
        if (begins_a_page(memory) && !ours_add(memory)) {
                real.free(base);
                errno = ENOMEM;
                return NULL;
        }
        if (INSIDE_SLOW(--local->countdown < 0))
                inside_refresh(local);
        set(block_of(memory), size,
            (uint64_t)site << INSIDE_SITE_SHIFT | (shift == SHIFT ? 0 : INSIDE_ALIGNED));
        if (shift != SHIFT)
                *shift_at(memory) = shift;
        if (size <= INSIDE_TAIL_MAX)
                set_tail(memory, size);
        inside_made(page, site, size);
        return memory;
}

static void report(enum inside_finding_kind kind, void *memory, uint64_t ours, const void *at)
{
        struct inside_finding *finding = inside_finding_new(kind);

        if (!finding)
                return;
        finding->lock[0] = (uintptr_t)memory;
        if (ours != NOT_OURS) {
                finding->size = size_of(block_of(memory));
                finding->site = site_of(ours);
                finding->module = inside_.sites[finding->site].module;
        }
        finding->depth[0] = inside_stack(at, finding->stack[0], INSIDE_STACK);
        inside_finding_done(finding);
}

/* It is not live any more: counts that, and what is wrong with it. */
static void take(void *memory, uint64_t ours, const void *at)
{
        uint64_t size = size_of(block_of(memory));

        if (size <= INSIDE_TAIL_MAX && INSIDE_SLOW(is_broken(memory, size)))
                report(INSIDE_OVERFLOW, memory, ours, at);
        if (begins_a_page(memory))
                ours_remove(memory);
        inside_ended(inside_page(), site_of(ours), size);
        block_of(memory)->mark = 0;
}

/* No mark of any block: there the address is that of the bytes behind it. */
static uint64_t freed_mark(const void *memory)
{
        return (uintptr_t)memory ^ inside_.secret;
}

/* Where libc does not write: in the first 16 bytes of a chunk are its lists, of a large one in the
 * first 32, in the last 8 its size. A small one has room for no more than the mark. */
static void mark_freed(void *memory, uint64_t size, uint64_t freed)
{
        if (!real.is_foreign)
                __builtin_memcpy((char *)memory + (size < 32 ? 0 : 16), &freed, 8);
}

static bool has_freed_mark(const void *at, uint64_t freed)
{
        return memcmp(at, &freed, sizeof freed) == 0;
}

static bool is_freed_twice(void *memory)
{
        uint64_t freed = freed_mark(memory);

        if (real.is_foreign || ((uintptr_t)memory & 15) != 0)
                return false;
        return (!begins_a_page(memory) && block_of(memory)->mark == (freed ^ INSIDE_FREED)) ||
               has_freed_mark(memory, freed) || has_freed_mark((char *)memory + 16, freed);
}

/* One that lies as malloc gave it, and has room for size bytes. */
static inline void give_back(struct inside_block *block, uint64_t size, uint64_t freed)
{
        block->mark = 0;
        mark_freed(block + 1, size, freed);
        real.free(block);
}

void inside_heap_thread_end(void)
{
        struct magazines *magazines;

        if (!inside_local_.room || inside_local_.room->magazines.is_closed)
                return;
        magazines = &inside_local_.room->magazines;
        magazines->is_closed = 1; /* what later destructors free is libc's at once */
        for (uint32_t i = 0; i < MAGAZINE_CLASSES; i++)
                for (struct magazine *magazine = &magazines->of[i]; magazine->count;) {
                        struct inside_block *block = magazine->round[--magazine->count];

                        give_back(block, i * MAGAZINE_STEP, freed_mark(block + 1));
                }
}

/* One that the thread freed, of a size that fits; NULL: there is none. */
static inline struct inside_block *take_kept(size_t size)
{
        struct inside_room *room = inside_local_.room;

        if (INSIDE_SLOW(!room || size >= real.kept_end))
                return NULL;
        return magazine_take(&room->magazines, size);
}

/* The usual case of give(). */
static inline void *hand_out(struct inside_thread *page, struct inside_block *block, size_t size,
                             const void *at, const void *sp)
{
        struct inside_cells *cells;
        uint64_t site;

        site = inside_site_known(inside_path(INSIDE_HEAP, page->here.module, at, (uintptr_t)sp));
        if (INSIDE_SLOW(site >= INSIDE_SITE_UNKNOWN || --inside_local_.countdown < 0))
                return give(block, size, SHIFT, at, sp);
        set(block, size, site << INSIDE_SITE_SHIFT);
        set_tail(block + 1, size);
        cells = inside_cells_of(page, (uint32_t)site);
        toc_add_at_(&cells->live, INSIDE_ONE + size);
        toc_add_at_(&cells->made, 1);
        return block + 1;
}

/* What the allocator gave for bytes_for(size). */
static inline void *receive(struct inside_block *base, size_t size, const void *at, const void *sp)
{
        struct inside_thread *page = inside_local_.own;

        if (INSIDE_SLOW(!page || !base || size >= real.fast_end) || begins_a_page(base + 1))
                return give(base, size, SHIFT, at, sp);
        return hand_out(page, base, size, at, sp);
}

/* ---- What the program calls -----------------------------------------------------------*/

static bool is_too_large(uint64_t size)
{
        if (size <= SIZE_MAX_BYTES / 2)
                return false;
        errno = ENOMEM;
        return true;
}

static void *allocate(size_t size, const void *at, const void *sp)
{
        struct inside_block *block = take_kept(size);

        if (block)
                return hand_out(inside_local_.own, block, size, at, sp);
        if (INSIDE_SLOW(!is_on()))
                return real.malloc && inside_.state != INSIDE_STARTING ? real.malloc(size)
                                                                       : early_allocate(size);
        if (INSIDE_SLOW(is_too_large(size)))
                return NULL;
        return receive(real.malloc(bytes_for(size)), size, at, sp);
}

static void *allocate_zero(size_t size, const void *at, const void *sp)
{
        struct inside_block *block = take_kept(size);

        if (block) {
                memset(block + 1, 0, size);
                return hand_out(inside_local_.own, block, size, at, sp);
        }
        if (INSIDE_SLOW(!is_on()))
                return real.calloc && inside_.state != INSIDE_STARTING ? real.calloc(1, size)
                                                                       : early_allocate(size);
        if (INSIDE_SLOW(is_too_large(size)))
                return NULL;
        return receive(real.calloc(1, bytes_for(size)), size, at, sp);
}

/* alignment: a power of two. */
void *heap_allocate_aligned(size_t alignment, size_t size, const void *at, const void *sp)
{
        unsigned shift = SHIFT;

        if (INSIDE_SLOW(!is_on()))
                return real.memalign ? real.memalign(alignment, size) : NULL;
        if (alignment <= INSIDE_BLOCK_BYTES)
                return allocate(size, at, sp);
        if (INSIDE_SLOW(is_too_large(size) || is_too_large(alignment)))
                return NULL;
        while ((size_t)1 << shift < alignment)
                shift++;
        return give(real.memalign((size_t)1 << shift, ((size_t)1 << shift) + bytes_for(size)), size,
                    shift, at, sp);
}

bool heap_has(void *memory)
{
        return memory && (early_has(memory) || (is_on() && find(memory) != NOT_OURS));
}

/* Not one of ours, as far as we know. */
__attribute__((cold)) static void release_other(void *memory, const void *at)
{
        if (!memory || early_has(memory))
                return;
        if (is_on() && is_freed_twice(memory)) {
                report(INSIDE_DOUBLE_FREE, memory, NOT_OURS, at);
                return;
        }
        if (is_on())
                (void)__atomic_fetch_add(&inside_.head->foreign_frees, 1, __ATOMIC_RELAXED);
        if (real.free)
                real.free(memory);
}

void heap_release(void *memory, const void *at)
{
        uint64_t ours = memory && is_on() ? find(memory) : NOT_OURS;
        void *base;

        if (INSIDE_SLOW(ours == NOT_OURS)) {
                release_other(memory, at);
                return;
        }
        base = base_of(memory, ours);
        take(memory, ours, at);
        mark_freed(memory, size_of(block_of(memory)), freed_mark(memory));
        real.free(base);
}

/* The usual case of heap_release(); false: it is another. What goes to the real one must not be
 * computed from what was just read: the next malloc() waits for it. */
static inline bool release(void *memory)
{
        struct inside_thread *page = inside_local_.own;
        uint64_t freed, ours, size;

        if (INSIDE_SLOW(!page) || begins_a_page(memory)) /* NULL, too, is such a page */
                return false;
        freed = freed_mark(memory);
        ours = block_of(memory)->mark ^ freed; /* as inside_unmark(), with both of use below */
        size = size_of(block_of(memory));
        if (INSIDE_SLOW(inside_unmark_rest(ours) || size > INSIDE_TAIL_MAX ||
                        is_broken(memory, size)))
                return false;
        toc_add_at_(&inside_cells_of(page, site_of(ours))->live, 0 - (INSIDE_ONE + size));
        block_of(memory)->mark = freed ^ INSIDE_FREED;
        if (size >= real.kept_end ||
            !magazine_put(&inside_local_.room->magazines, size, block_of(memory)))
                give_back(block_of(memory), size, freed);
        return true;
}

/* What is ours goes the usual way, if it can. */
static void *move(void *memory, uint64_t old, void *moved, size_t size, const void *at)
{
        if (!moved)
                return NULL;
        memcpy(moved, memory, old < size ? old : size);
        if (!release(memory))
                heap_release(memory, at);
        return moved;
}

/* Of one that is ours and lies as malloc gave it. */
static void *resize(void *memory, uint64_t ours, size_t size, const void *at, const void *sp)
{
        struct inside_block before = *block_of(memory), *base = block_of(memory);
        uint64_t old = size_of(&before);
        bool fits = old < real.kept_end && size < real.kept_end &&
                    magazine_class(old) == magazine_class(size);

        if (!fits && old < real.kept_end && (base = take_kept(size)) != NULL)
                return move(memory, old, hand_out(inside_local_.own, base, size, at, sp), size, at);
        take(memory, ours, at);
        if (!fits)
                base = real.realloc((char *)memory - INSIDE_BLOCK_BYTES, bytes_for(size));
        if (base)
                return receive(base, size, at, sp);
        *block_of(memory) = before; /* as if nothing had happened */
        if (begins_a_page(memory))
                (void)ours_add(memory); /* its leaf is there: it was noted a moment ago */
        inside_made(inside_page(), site_of(ours), old);
        return NULL;
}

void *heap_reallocate(void *memory, size_t size, const void *at, const void *sp)
{
        uint64_t ours;

        if (!memory)
                return allocate(size, at, sp);
        if (early_has(memory))
                return move(memory, early_size(memory), allocate(size, at, sp), size, at);
        ours = is_on() ? find(memory) : NOT_OURS;
        if (INSIDE_SLOW(ours == NOT_OURS && is_on() && is_freed_twice(memory))) {
                report(INSIDE_DOUBLE_FREE, memory, NOT_OURS, at);
                return NULL;
        }
        if (INSIDE_SLOW(ours == NOT_OURS))
                return real.realloc(memory, size); /* stays what it was: not ours */
        if (size == 0) {                           /* libc frees it */
                heap_release(memory, at);
                return NULL;
        }
        if (INSIDE_SLOW(is_too_large(size)))
                return NULL;
        if (ours & INSIDE_ALIGNED)
                return move(memory, size_of(block_of(memory)), allocate(size, at, sp), size, at);
        return resize(memory, ours, size, at, sp);
}

#define AT __builtin_return_address(0)
#define SP inside_sp()

/* Of its own, so that malloc() saves no register. */
__attribute__((noinline)) static void *make(size_t size, const void *at, const void *sp)
{
        if (INSIDE_SLOW(!inside_local_.own || size >= real.fast_end))
                return allocate(size, at, sp);
        return receive(real.malloc(bytes_for(size)), size, at, sp);
}

INSIDE_PUBLIC void *malloc(size_t size)
{
        struct inside_block *block = take_kept(size);

        return block ? hand_out(inside_local_.own, block, size, AT, SP) : make(size, AT, SP);
}

INSIDE_PUBLIC void free(void *memory)
{
        if (INSIDE_SLOW(!release(memory)))
                heap_release(memory, AT);
}

INSIDE_PUBLIC void *calloc(size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }
        return allocate_zero(bytes, AT, SP);
}

INSIDE_PUBLIC void *realloc(void *memory, size_t size)
{
        return heap_reallocate(memory, size, AT, SP);
}

INSIDE_PUBLIC void *reallocarray(void *memory, size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }
        return heap_reallocate(memory, bytes, AT, SP);
}

/* Not what the allocator has room for: the byte behind it is ours. */
size_t heap_size(void *memory)
{
        if (!memory)
                return 0;
        if (early_has(memory))
                return early_size(memory);
        if (is_on() && find(memory) != NOT_OURS)
                return size_of(block_of(memory));
        return real.usable ? real.usable(memory) : 0;
}

INSIDE_PUBLIC size_t malloc_usable_size(void *memory)
{
        return heap_size(memory);
}

static char *copy_text(const char *text, size_t length, const void *at, const void *sp)
{
        char *copy = allocate(length + 1, at, sp);

        if (!copy)
                return NULL;
        memcpy(copy, text, length);
        copy[length] = '\0';
        return copy;
}

INSIDE_PUBLIC char *(strdup)(const char *text);
INSIDE_PUBLIC char *(strndup)(const char *text, size_t max);

char *(strdup)(const char *text)
{
        if (INSIDE_SLOW(!is_on() && real.strdup))
                return real.strdup(text);
        return copy_text(text, strlen(text), AT, SP);
}

char *(strndup)(const char *text, size_t max)
{
        if (INSIDE_SLOW(!is_on() && real.strndup))
                return real.strndup(text, max);
        return copy_text(text, strnlen(text, max), AT, SP);
}
