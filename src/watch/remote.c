/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a thread that spins calls nobody who could say where it is. */
#include "watch/remote.h"

#include "base/base.h"

#include <elfutils/libdwfl.h>

struct walk {
        uint64_t *stack;
        uint32_t depth, max;
};

static int on_frame(Dwfl_Frame *frame, void *argument)
{
        struct walk *walk = argument;
        Dwarf_Addr at;

        if (!dwfl_frame_pc(frame, &at, NULL))
                return DWARF_CB_ABORT;
        walk->stack[walk->depth++] = at;
        return walk->depth == walk->max ? DWARF_CB_ABORT : DWARF_CB_OK;
}

uint32_t remote_stack(pid_t pid, pid_t thread, uint64_t *ret_stack, uint32_t max)
{
        static const Dwfl_Callbacks callbacks = {
                .find_elf = dwfl_linux_proc_find_elf,
                .find_debuginfo = dwfl_standard_find_debuginfo,
        };
        struct walk walk = { .stack = ret_stack, .max = max };
        Dwfl *dwfl = pid && thread && max ? dwfl_begin(&callbacks) : NULL;

        if (!dwfl)
                return 0;
        if (dwfl_linux_proc_report(dwfl, pid) == 0 && dwfl_report_end(dwfl, NULL, NULL) == 0 &&
            dwfl_linux_proc_attach(dwfl, pid, false) == 0)
                (void)dwfl_getthread_frames(dwfl, thread, on_frame, &walk); /* walk says how far */
        dwfl_end(dwfl);
        return walk.depth;
}
