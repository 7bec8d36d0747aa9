/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - brings the library up in the middle of whatever call came first. Most often that is an
 * allocation before main(), when there is one thread. */
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside/inside.h"

struct inside inside_;
__thread struct inside_local inside_local_;

static uint64_t make_secret(void)
{
        uint64_t secret = 0;

        if (syscall(SYS_getrandom, &secret, sizeof secret, 1 /* GRND_NONBLOCK */) != sizeof secret)
                secret = (uintptr_t)&secret ^ (uint64_t)getpid() << 32;
        return secret & ((UINT64_C(1) << INSIDE_SITE_SHIFT) - 1);
}

/* A sanitizer stands in for the same functions, and knows its own blocks only. */
static bool has_sanitizer(void)
{
        return dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init") ||
               dlsym(RTLD_DEFAULT, "__msan_init");
}

static void find_real(void)
{
        inside_plugin_start();
        inside_fork_start();
        inside_heap_start();
        inside_jemalloc_start();
        inside_lock_start();
        inside_descriptor_start();
        inside_call_start();
        inside_thread_start();
        inside_join_start();
}

static bool open_region(void)
{
        if (!inside_region_open())
                return false;
        inside_.secret = make_secret();
        inside_.head->version = INSIDE_VERSION;
        inside_.head->secret = inside_.secret;
        inside_.head->epoch_s = INSIDE_EPOCH_S;
        inside_.head->flags = inside_.flags;
        inside_.head->modules = 1;
        inside_.head->sites = INSIDE_FIRST_SITE;
        inside_.modules[INSIDE_PROGRAM].is_ready = 1;
        inside_.crowd = inside_region_page();
        return inside_.crowd != NULL;
}

void inside_start(void)
{
        enum inside_state state = INSIDE_ABSENT;

        if (inside_.state != INSIDE_ASLEEP)
                return;
        inside_.state = INSIDE_STARTING;
        find_real();
        if (!has_sanitizer() && open_region())
                state = INSIDE_READY;
        __atomic_store_n(&inside_.state, state, __ATOMIC_RELEASE);
        if (state == INSIDE_READY)
                inside_fork_watch();
}
