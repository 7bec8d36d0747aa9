/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a thread that spins calls nobody who could say where it is. */
#include "watch/remote.h"

#include "base/base.h"
#include "base/clock.h"
#include "watch/errand.h"
#include "watch/procfs.h"

#include <elfutils/libdwfl.h>

#define REMOTE_MAX_NS (50 * CLOCK_MS_NS)  /* for frames */
#define ERRAND_MAX_NS (200 * CLOCK_MS_NS) /* for all, files and pages that it maps included */

enum { depth_max = 64 };

struct walk {
        pid_t pid, thread;
        uint64_t stack[depth_max];
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

/* Opens what the process maps, and reads its stack: each may be served by somebody who does not
 * answer. */
static void take_walk(void *state)
{
        static const Dwfl_Callbacks callbacks = {
                .find_elf = dwfl_linux_proc_find_elf,
                .find_debuginfo = dwfl_standard_find_debuginfo,
        };
        struct walk *walk = state;
        Dwfl *dwfl = dwfl_begin(&callbacks);

        if (!dwfl)
                return;
        if (dwfl_linux_proc_report(dwfl, walk->pid) == 0 &&
            dwfl_report_end(dwfl, NULL, NULL) == 0 &&
            dwfl_linux_proc_attach(dwfl, walk->pid, false) == 0) {
                walk->until_ns = clock_monotonic_ns() + REMOTE_MAX_NS;
                (void)dwfl_getthread_frames(dwfl, walk->thread, on_frame, walk); /* depth says */
        }
        dwfl_end(dwfl);
}

uint32_t remote_stack(pid_t pid, pid_t thread, uint64_t *ret_stack, uint32_t max)
{
        static struct errand *late; /* the one that has not come back */
        struct errand *errand = NULL;
        struct walk *walk;
        uint32_t depth = 0;

        if (late && errand_wait(late, 0))
                errand_leave(&late);
        if (late || !pid || !thread || !max || !is_stoppable(pid, thread))
                return 0;
        walk = calloc(1, sizeof(*walk));
        if (!walk)
                return 0;
        walk->pid = pid;
        walk->thread = thread;
        walk->max = max < depth_max ? max : depth_max;
        if (errand_new(take_walk, walk, free, &errand)) {
                free(walk);
                return 0;
        }
        if (!errand_wait(errand, ERRAND_MAX_NS)) {
                late = errand;
                return 0;
        }
        depth = walk->depth;
        memcpy(ret_stack, walk->stack, depth * sizeof(ret_stack[0]));
        errand_leave(&errand);
        return depth;
}
