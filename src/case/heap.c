/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to stand between a candidate and the allocator: counts what it asks for and makes the
 * n-th request fail. Only the candidate's object calls these (wrap.def); they call the real ones,
 * which a sanitizer or valgrind may have taken over.
 *
 * Live bytes are those that the allocator gave (malloc_usable_size), so that memory which the
 * candidate frees and another allocated makes them negative for a while, and nothing overflows.
 */
#include "case/harness.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic int64_t live_bytes, peak_bytes;
static _Atomic uint64_t allocations, fired;
static _Atomic bool is_armed, fails_all;

void toc_heap_arm_(void)
{
        atomic_store(&is_armed, true);
}

void toc_heap_disarm_(void)
{
        atomic_store(&is_armed, false);
}

void toc_heap_peak_again_(void)
{
        atomic_store(&peak_bytes, atomic_load(&live_bytes));
}

void toc_heap_fail_all_(bool fails)
{
        atomic_store(&fails_all, fails);
}

struct heap_count toc_heap_count_(void)
{
        return (struct heap_count){
                .allocations = atomic_load_explicit(&allocations, memory_order_relaxed),
                .fired = atomic_load_explicit(&fired, memory_order_relaxed),
                .live_bytes = atomic_load_explicit(&live_bytes, memory_order_relaxed),
                .peak_bytes = atomic_load_explicit(&peak_bytes, memory_order_relaxed),
        };
}

/* Said at once: the case may crash of it and say nothing more. */
void toc_heap_fired_(void)
{
        if (atomic_fetch_add(&fired, 1) == 0)
                (void)toc_wire_send_(toc_harness_run_.wire_fd, "DATA %s fired=1",
                                     toc_harness_run_.nonce);
}

bool toc_heap_is_armed_(void)
{
        return atomic_load_explicit(&is_armed, memory_order_relaxed);
}

static bool fire(void)
{
        toc_heap_fired_();
        errno = ENOMEM;
        return true;
}

static bool fails(void)
{
        uint64_t number, fail_at = toc_harness_run_.fail_at;

        if (!toc_heap_is_armed_())
                return false;
        toc_fault_delay_();
        number = 1 + atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
        if (number == fail_at || (fail_at && number > fail_at && toc_harness_run_.is_sticky))
                return fire();
        return atomic_load_explicit(&fails_all, memory_order_relaxed) && fire();
}

static void account(int64_t bytes)
{
        int64_t now = bytes + atomic_fetch_add_explicit(&live_bytes, bytes, memory_order_relaxed);
        int64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);

        while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now))
                ;
}

static int64_t size_of(void *memory)
{
        return memory ? (int64_t)malloc_usable_size(memory) : 0;
}

static void *given(void *memory)
{
        if (memory)
                account(size_of(memory));
        return memory;
}

#define WRAPPED(type, name, ...)         \
        type __wrap_##name(__VA_ARGS__); \
        type __wrap_##name(__VA_ARGS__)

WRAPPED(void *, malloc, size_t size)
{
        return fails() ? NULL : given(malloc(size));
}

WRAPPED(void *, calloc, size_t count, size_t size)
{
        return fails() ? NULL : given(calloc(count, size));
}

WRAPPED(void, free, void *memory)
{
        int error = errno;

        if (!memory)
                return;
        toc_invariant_forget_(memory);
        if (toc_fault_leaks_())
                return;
        account(-size_of(memory));
        free(memory);
        errno = error;
}

WRAPPED(void *, realloc, void *memory, size_t size)
{
        int64_t before;
        void *moved;

        if (!(memory && !size) && fails())
                return NULL;
        before = size_of(memory);
        moved = realloc(memory, size);
        if (moved || (memory && !size))
                account(size_of(moved) - before);
        return moved;
}

WRAPPED(void *, reallocarray, void *memory, size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }
        return __wrap_realloc(memory, bytes);
}

WRAPPED(void *, aligned_alloc, size_t alignment, size_t size)
{
        return fails() ? NULL : given(aligned_alloc(alignment, size));
}

WRAPPED(void *, memalign, size_t alignment, size_t size)
{
        return fails() ? NULL : given(memalign(alignment, size));
}

WRAPPED(void *, valloc, size_t size)
{
        return fails() ? NULL : given(valloc(size));
}

WRAPPED(int, posix_memalign, void **memory, size_t alignment, size_t size)
{
        int error = errno, failed = fails() ? ENOMEM : posix_memalign(memory, alignment, size);

        errno = error; /* this one leaves it alone */
        if (!failed)
                account(size_of(*memory));
        return failed;
}

WRAPPED(char *, strdup, const char *text)
{
        return fails() ? NULL : given(strdup(text));
}

WRAPPED(char *, __strdup, const char *text)
{
        return __wrap_strdup(text);
}

WRAPPED(char *, strndup, const char *text, size_t length)
{
        return fails() ? NULL : given(strndup(text, length));
}

WRAPPED(char *, __strndup, const char *text, size_t length)
{
        return __wrap_strndup(text, length);
}

__attribute__((format(printf, 2, 0)))
WRAPPED(int, vasprintf, char **text, const char *format, va_list arguments)
{
        int length = fails() ? -1 : vasprintf(text, format, arguments);

        if (length >= 0)
                account(size_of(*text));
        return length;
}

__attribute__((format(printf, 2, 3))) WRAPPED(int, asprintf, char **text, const char *format, ...)
{
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = __wrap_vasprintf(text, format, arguments);
        va_end(arguments);
        return length;
}

__attribute__((format(printf, 3, 0)))
WRAPPED(int, __vasprintf_chk, char **text, int flag, const char *format, va_list arguments)
{
        (void)flag; /* %n in writable memory is looked for by the build that ships, not here */
        return __wrap_vasprintf(text, format, arguments);
}

__attribute__((format(printf, 3, 4)))
WRAPPED(int, __asprintf_chk, char **text, int flag, const char *format, ...)
{
        va_list arguments;
        int length;

        (void)flag;
        va_start(arguments, format);
        length = __wrap_vasprintf(text, format, arguments);
        va_end(arguments);
        return length;
}

WRAPPED(ssize_t, getdelim, char **line, size_t *size, int delimiter, FILE *stream)
{
        int64_t before = line ? size_of(*line) : 0;
        ssize_t length;

        if (fails())
                return -1;
        length = getdelim(line, size, delimiter, stream);
        if (line)
                account(size_of(*line) - before);
        return length;
}

WRAPPED(ssize_t, __getdelim, char **line, size_t *size, int delimiter, FILE *stream)
{
        return __wrap_getdelim(line, size, delimiter, stream);
}

WRAPPED(ssize_t, getline, char **line, size_t *size, FILE *stream)
{
        return __wrap_getdelim(line, size, '\n', stream);
}

void toc_case_free(void *memory)
{
        __wrap_free(memory);
}
