/* SPDX-License-Identifier: Apache-2.0 */
/* module.c - numbers for names, the same for all objects of the process. */
#include <string.h>

#include "inside/inside.h"
#include "probe/guard.h"

static uint32_t number_of(const char *name)
{
        uint32_t count = inside_.head->modules;

        for (uint32_t i = 1; i < count; i++)
                if (strncmp(inside_.modules[i].name, name, INSIDE_NAME - 1) == 0)
                        return i;
        if (count == INSIDE_OTHER_MODULES) {
                inside_.modules[count].is_ready = 1;
                return count;
        }
        strncpy(inside_.modules[count].name, name, INSIDE_NAME - 1);
        __atomic_store_n(&inside_.modules[count].is_ready, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&inside_.head->modules, count + 1, __ATOMIC_RELEASE);
        return count;
}

struct toc_here_ *inside_enter(struct toc_entry_ *entry)
{
        struct guard guard;

        if (!inside_is_ready())
                return NULL;
        (void)inside_page(); /* it has one from now on */
        guard = toc_guard_enter_();
        __atomic_store_n(&entry->module, number_of(entry->name), __ATOMIC_RELAXED);
        toc_guard_leave_(guard);
        return inside_local_.here;
}

INSIDE_PUBLIC const struct toc_inside_ *toc_inside_(void);

const struct toc_inside_ *toc_inside_(void)
{
        static struct toc_inside_ inside = { .version = INSIDE_VERSION, .enter = inside_enter };
        char *thread;

#if defined(__x86_64__)
        __asm__("movq %%fs:0, %0" : "=r"(thread));
#else
        thread = __builtin_thread_pointer();
#endif
        inside.here_offset = (char *)&inside_local_.here - thread;
        inside_region_publish(); /* who asks is one to be seen, a child of fork as well */
        return &inside;
}
