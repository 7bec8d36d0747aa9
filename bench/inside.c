/* SPDX-License-Identifier: Apache-2.0 */
/* inside.c - compiled like loop.c at -O2: the same loop for libc, for the library and for others,
 * with functions that the compiler knows nothing of. */
#include "inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE_PART(bench);

struct calls {
        void *(*make)(size_t size);
        void (*drop)(void *block);
        void *(*zero)(size_t count, size_t size);
        void *(*grow)(void *block, size_t size);
        int (*lock)(pthread_mutex_t *mutex);
        int (*unlock)(pthread_mutex_t *mutex);
        ssize_t (*read)(int fd, void *buffer, size_t size);
};

/* Read in each turn, constant all the same: nothing that is written shares their lines. */
static _Alignas(64) struct {
        struct calls libc, ours, jemalloc;
        int zero_fd;
        bool is_here;
} all;

/* A sanitizer wants to be the first library, and this one to be none beside it. */
#ifdef __SANITIZE_ADDRESS__
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

/* ---- Start ------------------------------------------------------------------------------*/

static int set(const char *name, const char *value)
{
        return setenv(name, value, 1) ? -errno : 0;
}

/* In the build tree, or where it was installed. */
static bool find_library(char path[static PATH_MAX])
{
        static const char *const places[] = {
                "../src/inside", "../lib/x86_64-linux-gnu", "../lib/aarch64-linux-gnu", "../lib64",
                "../lib",
        };
        char self[PATH_MAX / 2];
        ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
        char *slash;

        self[length > 0 ? length : 0] = '\0';
        slash = strrchr(self, '/');
        if (!slash)
                return false;
        *slash = '\0';
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                (void)snprintf(path, PATH_MAX, "%s/%s/libtocsin-inside.so.0", self, places[i]);
                if (!access(path, R_OK))
                        return true;
        }
        return false;
}

int inside_prepare(void)
{
        char path[PATH_MAX];
        int failed = 0;

        /* jemalloc wants more room for its thread-local variables than dlopen() has to give. */
        if (!failed)
                failed = set("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=65536");
        if (!failed)
                failed = set("MALLOC_CONF", "prof:true,lg_prof_sample:19,prof_final:false");
        if (!failed && !is_sanitized && find_library(path))
                failed = set("LD_PRELOAD", path);
        return failed;
}

/* ISO C has no way from an object pointer to a function pointer, POSIX has. */
static void take(void *from, const char *name, void *ret_function)
{
        void *found = dlsym(from, name);

        memcpy(ret_function, &found, sizeof found);
}

static void take_all(struct calls *calls, void *from)
{
        take(from, "malloc", &calls->make);
        take(from, "free", &calls->drop);
        take(from, "calloc", &calls->zero);
        take(from, "realloc", &calls->grow);
        take(from, "pthread_mutex_lock", &calls->lock);
        take(from, "pthread_mutex_unlock", &calls->unlock);
        take(from, "read", &calls->read);
}

void inside_open(void)
{
        void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
        /* With a sanitizer, dlopen() that binds deeply ends the program. */
        void *jemalloc =
                is_sanitized ? NULL
                             : dlopen("libjemalloc.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

        all.zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        if (!libc)
                return;
        take_all(&all.libc, libc);
        take_all(&all.ours, RTLD_DEFAULT);
        if (jemalloc)
                take_all(&all.jemalloc, jemalloc);
        all.is_here = dlsym(RTLD_DEFAULT, "toc_inside_") && all.zero_fd >= 0;
}

bool inside_is_here(void)
{
        return all.is_here;
}

bool inside_has_jemalloc(void)
{
        return all.jemalloc.make && all.jemalloc.drop;
}

/* ---- Loops ------------------------------------------------------------------------------*/

#define INLINE static inline __attribute__((always_inline))

INLINE void pair(const struct calls *calls, uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                calls->drop(calls->make(64));
}

void inside_malloc_libc(uint64_t times)
{
        pair(&all.libc, times);
}

void inside_malloc(uint64_t times)
{
        pair(&all.ours, times);
}

void inside_malloc_jemalloc(uint64_t times)
{
        pair(&all.jemalloc, times);
}

INLINE void churn(const struct calls *calls, uint64_t times)
{
        void *live[64] = { NULL };

        for (uint64_t i = 0; i < times; i++) {
                calls->drop(live[i % 64]);
                live[i % 64] = calls->make(16 + i * 7 % 64 * 16);
        }
        for (size_t i = 0; i < 64; i++)
                calls->drop(live[i]);
}

void inside_churn_libc(uint64_t times)
{
        churn(&all.libc, times);
}

void inside_churn(uint64_t times)
{
        churn(&all.ours, times);
}

void inside_churn_jemalloc(uint64_t times)
{
        churn(&all.jemalloc, times);
}

INLINE void grow(const struct calls *calls, uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                calls->drop(calls->grow(calls->zero(1, 24), 100));
}

void inside_grow_libc(uint64_t times)
{
        grow(&all.libc, times);
}

void inside_grow(uint64_t times)
{
        grow(&all.ours, times);
}

/* On the stack: of the thread's own, and on no line with anybody else's. Initialised by a call, as
 * those of objects are: of one that is not, and is in no program's data, the order is not known. */
INLINE void lock(const struct calls *calls, uint64_t times)
{
        _Alignas(64) pthread_mutex_t mutex;

        (void)pthread_mutex_init(&mutex, NULL); /* cannot fail */
        for (uint64_t i = 0; i < times; i++) {
                (void)calls->lock(&mutex); /* a normal one that nobody holds cannot fail */
                (void)calls->unlock(&mutex);
        }
        (void)pthread_mutex_destroy(&mutex); /* nobody holds it */
}

void inside_lock_libc(uint64_t times)
{
        lock(&all.libc, times);
}

void inside_lock(uint64_t times)
{
        lock(&all.ours, times);
}

INLINE void nested(const struct calls *calls, uint64_t times)
{
        _Alignas(64) pthread_mutex_t outer, inner;

        (void)pthread_mutex_init(&outer, NULL); /* as above */
        (void)pthread_mutex_init(&inner, NULL);
        for (uint64_t i = 0; i < times; i++) {
                (void)calls->lock(&outer); /* as above */
                (void)calls->lock(&inner);
                (void)calls->unlock(&inner);
                (void)calls->unlock(&outer);
        }
        (void)pthread_mutex_destroy(&inner);
        (void)pthread_mutex_destroy(&outer);
}

void inside_nested_libc(uint64_t times)
{
        nested(&all.libc, times);
}

void inside_nested(uint64_t times)
{
        nested(&all.ours, times);
}

void inside_enter(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++) {
                TOC_ENTER(bench);
                __asm__ volatile("" ::: "memory");
        }
}

INLINE void read_byte(const struct calls *calls, uint64_t times)
{
        char byte;

        for (uint64_t i = 0; i < times; i++)
                if (calls->read(all.zero_fd, &byte, 1) != 1)
                        abort();
}

void inside_read_libc(uint64_t times)
{
        read_byte(&all.libc, times);
}

void inside_read(uint64_t times)
{
        read_byte(&all.ours, times);
}
