/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a thread that spins calls nobody who could say where it is. */
#include "watch/remote.h"

#include "base/base.h"
#include "base/clock.h"
#include "watch/procfs.h"

#include <elfutils/libdwfl.h>

#define REMOTE_MAX_NS (50 * CLOCK_MS_NS)

struct walk {
        uint64_t *stack;
        uint32_t depth, max;
        uint64_t until_ns;
};

static int on_frame(Dwfl_Frame *frame, void *argument)
{
        struct walk *walk = argument;
        Dwarf_Addr at;

        if (!dwfl_frame_pc(frame, &at, NULL))
                return DWARF_CB_ABORT;
        walk->stack[walk->depth++] = at;
        if (walk->depth == walk->max || clock_monotonic_ns() >= walk->until_ns)
                return DWARF_CB_ABORT;
        return DWARF_CB_OK;
}

/* To stop it is to wait until it stops: one that hangs in the kernel might never. */
static bool is_stoppable(pid_t pid, pid_t thread)
{
        char name[64], text[512];
        const char *behind;

        (void)snprintf(name, sizeof(name), "task/%d/stat", (int)thread);
        if (procfs_read(pid, name, text, sizeof(text)) <= 0)
                return false;
        behind = strrchr(text, ')'); /* of its name, which may hold anything */
        return behind && (strncmp(behind, ") R", 3) == 0 || strncmp(behind, ") S", 3) == 0);
}

uint32_t remote_stack(pid_t pid, pid_t thread, uint64_t *ret_stack, uint32_t max)
{
        static const Dwfl_Callbacks callbacks = {
                .find_elf = dwfl_linux_proc_find_elf,
                .find_debuginfo = dwfl_standard_find_debuginfo,
        };
        struct walk walk = { .stack = ret_stack, .max = max };
        bool may_ask = pid && thread && max && is_stoppable(pid, thread);
        Dwfl *dwfl = may_ask ? dwfl_begin(&callbacks) : NULL;

        if (!dwfl)
                return 0;
        if (dwfl_linux_proc_report(dwfl, pid) == 0 && dwfl_report_end(dwfl, NULL, NULL) == 0 &&
            dwfl_linux_proc_attach(dwfl, pid, false) == 0) {
                walk.until_ns = clock_monotonic_ns() + REMOTE_MAX_NS;
                (void)dwfl_getthread_frames(dwfl, thread, on_frame, &walk); /* walk says how far */
        }
        dwfl_end(dwfl);
        return walk.depth;
}
