/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a disk that does not answer holds up whoever asks it, and tells nobody. */
#include "watch/blocked.h"

#include "watch/event.h"
#include "watch/procfs.h"
#include "watch/remote.h"

#include <unistd.h>

enum { path_bytes = 64, name_bytes = 256 };

static bool is_file(const struct picture *picture, int32_t fd)
{
        char name[name_bytes];
        struct statx status;

        (void)snprintf(name, sizeof(name), "fd/%d", (int)fd);
        return picture->pid && !procfs_file(picture->pid, name, &status) &&
               (S_ISREG(status.stx_mode) || S_ISBLK(status.stx_mode));
}

static bool is_on(const struct picture_thread *thread)
{
        return (thread->call_number & 1) &&
               (thread->call_kind == INSIDE_CALL_READ || thread->call_kind == INSIDE_CALL_WRITE ||
                thread->call_kind == INSIDE_CALL_SYNC);
}

static uint64_t age_ns(struct blocked *blocked, const struct picture *picture,
                       const struct picture_thread *thread)
{
        uint32_t n = thread->number;
        uint64_t age_ns;

        if (blocked->calls[n].number != thread->call_number) {
                blocked->calls[n].number = thread->call_number;
                blocked->calls[n].since_ns = picture->at_ns;
                blocked->calls[n].looks = 0;
                blocked->calls[n].is_asked = blocked->calls[n].is_file = false;
        }
        blocked->calls[n].looks++;
        age_ns = picture->at_ns - blocked->calls[n].since_ns;
        if (!is_on(thread) || age_ns < BLOCKED_ASK_NS)
                return 0;
        if (!blocked->calls[n].is_asked)
                blocked->calls[n].is_file = is_file(picture, thread->call_fd);
        blocked->calls[n].is_asked = true;
        return blocked->calls[n].is_file && blocked->calls[n].looks >= blocked_looks_min ? age_ns
                                                                                         : 0;
}

void blocked_glance(struct blocked *blocked, const struct picture *picture, struct insight *insight)
{
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_blocked_ms] = 0;
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];
                int64_t ms = (int64_t)(age_ns(blocked, picture, thread) / CLOCK_MS_NS);

                if (ms > insight->value[thread->module][INSIGHT_blocked_ms])
                        insight->value[thread->module][INSIGHT_blocked_ms] = ms;
        }
}

static json_t *name_of(const struct picture *picture, int32_t fd)
{
        char path[path_bytes], name[name_bytes];
        ssize_t length;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)picture->pid, (int)fd);
        length = readlink(path, name, sizeof(name));
        return event_string(name, length > 0 ? (size_t)length : 0);
}

json_t *blocked_details(const struct blocked *blocked, const struct picture *picture,
                        const struct namer *namer, uint32_t module)
{
        static const char *const kinds[] = { [INSIDE_CALL_READ] = "read",
                                             [INSIDE_CALL_WRITE] = "write",
                                             [INSIDE_CALL_SYNC] = "sync" };
        const struct picture_thread *oldest = NULL;
        uint64_t stack[INSIDE_STACK];
        uint32_t depth;
        json_t *details;

        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                if (is_on(thread) && thread->module == module &&
                    blocked->calls[thread->number].is_file &&
                    (!oldest || blocked->calls[thread->number].since_ns <
                                        blocked->calls[oldest->number].since_ns))
                        oldest = thread;
        }
        if (!oldest)
                return NULL;
        details = json_pack("{s:i, s:s, s:i, s:o, s:o}", "thread", (int)oldest->id, "call",
                            kinds[oldest->call_kind], "descriptor", (int)oldest->call_fd, "file",
                            name_of(picture, oldest->call_fd), "at",
                            namer_place(namer, oldest->call_at));
        depth = remote_stack(picture->pid, (pid_t)oldest->id, stack, INSIDE_STACK);
        if (depth)
                (void)json_object_set_new(details, "stack", namer_stack(namer, stack, depth));
        return details;
}
