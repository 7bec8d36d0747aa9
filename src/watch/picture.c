/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to copy what a program says of its inside, and to believe none of it: every number that
 * later is an index is checked here, once.
 */
#include "watch/picture.h"

#include "watch/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

enum { ask_max = 64, task_bytes = 512 }; /* threads whose time is asked for at a glance */

/* A page of a thread as far as its sites are used; and when its time was asked for last. */
struct buffer {
        struct inside_thread page;
        struct picture_thread threads[INSIDE_THREADS_MAX];
};

int picture_new(pid_t pid, struct picture **ret_picture)
{
        struct picture *picture = calloc(1, sizeof(*picture));
        struct buffer *buffer = calloc(1, sizeof(*buffer));

        if (!picture || !buffer) {
                free(picture);
                free(buffer);
                return -ENOMEM;
        }
        picture->pid = pid;
        picture->buffer = buffer;
        picture->threads = buffer->threads;
        *ret_picture = picture;
        return 0;
}

void picture_free(struct picture **address)
{
        struct picture *picture = *address;

        if (!picture)
                return;
        free(picture->buffer);
        free(picture);
        *address = NULL;
}

const char *picture_module(const struct picture *picture, uint32_t module)
{
        if (module == INSIDE_OTHER_MODULES)
                return "others";
        if (module == INSIDE_PROGRAM || module >= picture->module_count)
                return "process";
        return picture->modules[module].name;
}

/* ---- Tables --------------------------------------------------------------- */

static uint32_t least(uint64_t n, uint32_t max)
{
        return n < max ? (uint32_t)n : max;
}

static bool is_name(const char *name)
{
        for (size_t i = 0; i < INSIDE_NAME; i++) {
                bool is_letter = (name[i] >= 'a' && name[i] <= 'z') ||
                                 (name[i] >= 'A' && name[i] <= 'Z') || name[i] == '_' ||
                                 (i && name[i] >= '0' && name[i] <= '9');

                if (!name[i])
                        return i > 0;
                if (!is_letter)
                        return false;
        }
        return false;
}

/* One at a time, and each once: what its writer makes of a name later is not seen. */
static int read_modules(struct picture *picture, const struct segment_view *view,
                        const char **ret_why)
{
        uint32_t count = least(picture->head.modules, INSIDE_OTHER_MODULES);
        struct inside_module modules[INSIDE_MODULES];
        int outcome = segment_copy(view, view->inside.table[1], modules, sizeof(modules), ret_why);

        if (outcome)
                return outcome;
        if (!picture->module_count && count)
                picture->module_count = 1; /* the program, which has no name */
        while (picture->module_count < count) {
                const struct inside_module *next = &modules[picture->module_count];

                if (!next->is_ready || !is_name(next->name))
                        break; /* not yet, or never */
                picture->modules[picture->module_count++] = *next;
        }
        picture->has_other_modules |= modules[INSIDE_OTHER_MODULES].is_ready != 0;
        return 0;
}

static int read_sites(struct picture *picture, const struct segment_view *view,
                      const char **ret_why)
{
        uint32_t from = picture->site_count;
        uint32_t count = least(picture->head.sites, INSIDE_SITES);
        int outcome;

        if (count <= from)
                return 0;
        outcome = segment_copy(
                view, view->inside.table[2] + (uint64_t)from * sizeof(struct inside_site),
                &picture->sites[from], (count - from) * sizeof(struct inside_site), ret_why);
        for (uint32_t i = from; i < count && !outcome; i++) {
                struct inside_site *site = &picture->sites[i];

                if (i < INSIDE_FIRST_SITE)
                        *site = (struct inside_site){ .is_ready = 1,
                                                      .kind = 1 + i / INSIDE_MODULES,
                                                      .module = i % INSIDE_MODULES };
                if (!site->is_ready || !site->kind || site->kind > INSIDE_KINDS ||
                    site->module >= INSIDE_MODULES || site->depth > INSIDE_STACK)
                        *site = (struct inside_site){ 0 };
        }
        if (!outcome)
                picture->site_count = count;
        return outcome;
}

static int read_nodes(struct picture *picture, const struct segment_view *view,
                      const char **ret_why)
{
        uint32_t count = least(picture->head.nodes, INSIDE_NODES);
        int outcome;

        if (count <= picture->node_count)
                return 0;
        outcome = segment_copy(view, view->inside.table[3], picture->nodes,
                               count * sizeof(struct inside_node), ret_why);
        if (!outcome)
                picture->node_count = count;
        return outcome;
}

/* In order; one that is not ready yet holds up those behind it. */
static int read_findings(struct picture *picture, const struct segment_view *view,
                         const char **ret_why)
{
        uint32_t made = least(picture->head.findings_made, INSIDE_FINDINGS);

        while (picture->finding_count < made) {
                struct inside_finding *finding = &picture->findings[picture->finding_count];
                int outcome = segment_copy(
                        view,
                        view->inside.table[4] + (uint64_t)picture->finding_count * sizeof(*finding),
                        finding, sizeof(*finding), ret_why);

                if (outcome || !finding->is_ready)
                        return outcome;
                finding->module %= INSIDE_MODULES;
                finding->site %= INSIDE_SITES;
                for (int i = 0; i < 2; i++) {
                        finding->depth[i] = least(finding->depth[i], INSIDE_STACK);
                        finding->node[i] %= INSIDE_NODES;
                }
                picture->finding_count++;
        }
        return 0;
}

/* ---- Threads -------------------------------------------------------------- */

/* Those that libc makes by itself go past libtocsin-inside. */
static void ask_io(pid_t pid, struct picture_thread *thread)
{
        char path[64], text[task_bytes];
        unsigned long long reads, writes;
        const char *at;

        (void)snprintf(path, sizeof(path), "task/%u/io", thread->id);
        if (procfs_read(pid, path, text, sizeof(text)) <= 0)
                return; /* kernels may be built without, and may refuse it */
        at = strstr(text, "syscr:");
        if (at && sscanf(at, "syscr: %llu syscw: %llu", &reads, &writes) == 2)
                thread->io_calls = reads + writes;
}

/* False: no thread of the process has that id now, or nobody can find out. */
static bool ask_time(pid_t pid, struct picture_thread *thread, bool asks_io, bool *ret_has_ended)
{
        char path[64], text[task_bytes];
        unsigned long long ran, waited;

        (void)snprintf(path, sizeof(path), "task/%u/schedstat", thread->id);
        errno = 0;
        if (procfs_read(pid, path, text, sizeof(text)) <= 0) {
                *ret_has_ended = errno == ENOENT || errno == ESRCH;
                return false;
        }
        if (sscanf(text, "%llu %llu", &ran, &waited) == 2) {
                thread->cpu_ns = ran;
                thread->waited_ns = waited;
        }
        if (asks_io)
                ask_io(pid, thread);
        return true;
}

static uint64_t activity_of(const struct inside_thread *page, uint32_t sites)
{
        uint64_t sum = page->here.entries + inside_taken(page->locks) + page->call_number +
                       page->wait_number;

        for (uint32_t i = 0; i < INSIDE_MODULES; i++)
                sum += page->io[i].reads + page->io[i].writes;
        for (uint32_t i = 0; i < sites; i++)
                sum += page->cells[i].made;
        return sum;
}

static void take_left(struct picture *picture, const struct picture_thread *thread)
{
        struct picture_left *left = &picture->left[picture->left_count];

        if (!thread->held_count || picture->left_count == picture_left_max)
                return;
        left->id = thread->id;
        left->held_count = thread->held_count;
        memcpy(left->held, thread->held, sizeof(left->held));
        picture->left_count++;
}

static void take_thread(struct picture *picture, const struct inside_thread *page, uint32_t number,
                        uint64_t owner)
{
        struct picture_thread thread = {
                .id = (uint32_t)owner,
                .number = number,
                .module = page->here.module % INSIDE_MODULES,
                .entries = page->here.entries,
                .around = page->here.around,
                .wait_number = page->wait_number,
                .wait_lock = page->wait_lock,
                .wait_at = page->wait_at,
                .wait_kind = page->wait_kind,
                .wait_node = page->wait_node % INSIDE_NODES,
                .wait_mutex = page->wait_mutex,
                .call_number = page->call_number,
                .call_at = page->call_at,
                .call_kind = page->call_kind,
                .call_fd = page->call_fd,
                .locks_taken = inside_taken(page->locks),
                .self = page->self,
                .made_site = page->made_site % INSIDE_SITES,
                .held_count = least(inside_held_count(page->locks), INSIDE_HELD),
                .activity = activity_of(page, picture->site_count),
        };

        bool has_ended = false;

        memcpy(thread.held, page->held, sizeof(thread.held));
        for (uint32_t i = 0; i < INSIDE_HELD; i++)
                thread.held[i].node %= INSIDE_NODES;
        if (picture->pid &&
            !ask_time(picture->pid, &thread, picture->thread_count < ask_max, &has_ended)) {
                if (has_ended)
                        take_left(picture, &thread);
                return;
        }
        picture->threads[picture->thread_count++] = thread;
}

/* Whoever waits for the end of a thread knows its pthread_t only; it may be on any page. */
static void find_joined(struct picture *picture)
{
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                struct picture_thread *waiter = &picture->threads[i];
                uint64_t self = waiter->wait_lock;

                if (!(waiter->wait_number & 1) || waiter->wait_kind != INSIDE_JOIN)
                        continue;
                waiter->wait_lock = 0;
                for (uint32_t k = 0; self && k < picture->thread_count; k++)
                        if (picture->threads[k].self == self)
                                waiter->wait_lock = picture->threads[k].id;
        }
}

/* adds_up: sums cells and calls over all pages as well. */
static int read_pages(struct picture *picture, const struct segment_view *view, bool adds_up,
                      const char **ret_why)
{
        struct buffer *buffer = picture->buffer;
        struct inside_thread *page = &buffer->page;
        size_t bytes = offsetof(struct inside_thread, cells) +
                       picture->site_count * sizeof(struct inside_cells);

        picture->thread_count = 0;
        picture->left_count = 0;
        for (uint32_t i = 0; i < view->inside.page_count; i++) {
                uint64_t offset = view->inside.pages[i];
                struct segment_extent extent;
                int outcome = segment_copy(view, offset, &extent, sizeof(extent), ret_why);

                if (!outcome && (adds_up || extent.owner))
                        outcome = segment_copy(view, offset + sizeof(extent), page, bytes, ret_why);
                if (outcome)
                        return outcome;
                if (extent.owner)
                        take_thread(picture, page, i, extent.owner);
                if (!adds_up)
                        continue;
                for (uint32_t n = 0; n < picture->site_count; n++) {
                        picture->cells[n].live += page->cells[n].live;
                        picture->cells[n].made += page->cells[n].made;
                }
                for (uint32_t n = 0; n < INSIDE_MODULES; n++) {
                        const uint64_t *from = (const uint64_t *)&page->io[n];
                        uint64_t *to = (uint64_t *)&picture->io[n];

                        for (size_t k = 0; k < sizeof(struct inside_io) / 8; k++)
                                to[k] += from[k];
                }
        }
        find_joined(picture);
        return 0;
}

static int read_all(struct picture *picture, const struct segment_view *view, const char **ret_why)
{
        int outcome = segment_copy(view, view->inside.table[0], &picture->head,
                                   sizeof(picture->head), ret_why);

        if (!outcome && picture->head.version != INSIDE_VERSION) {
                *ret_why = "what is inside is of another version";
                outcome = SEGMENT_BROKEN;
        }
        if (!outcome)
                outcome = read_modules(picture, view, ret_why);
        if (!outcome)
                outcome = read_sites(picture, view, ret_why);
        if (!outcome)
                outcome = read_nodes(picture, view, ret_why);
        return outcome ? outcome : read_findings(picture, view, ret_why);
}

int picture_read(struct picture *picture, const struct segment_view *view, uint64_t now_ns,
                 const char **ret_why)
{
        int outcome = read_all(picture, view, ret_why);

        if (outcome)
                return outcome;
        memset(picture->cells, 0, sizeof(picture->cells));
        memset(picture->io, 0, sizeof(picture->io));
        outcome = read_pages(picture, view, true, ret_why);
        for (uint32_t i = 0; i < picture->site_count; i++) {
                uint64_t live = picture->cells[i].live;

                picture->cells[i].bytes = inside_live_bytes(live);
                picture->cells[i].live = inside_live_count(live);
        }
        picture->at_ns = now_ns;
        return outcome;
}

int picture_read_threads(struct picture *picture, const struct segment_view *view, uint64_t now_ns,
                         const char **ret_why)
{
        int outcome = segment_copy(view, view->inside.table[0], &picture->head,
                                   sizeof(picture->head), ret_why);

        if (!outcome && least(picture->head.modules, INSIDE_OTHER_MODULES) > picture->module_count)
                outcome = read_modules(picture, view, ret_why);
        if (!outcome)
                outcome = read_nodes(picture, view, ret_why);
        if (!outcome)
                outcome = read_findings(picture, view, ret_why);
        picture->at_ns = now_ns;
        return outcome ? outcome : read_pages(picture, view, false, ret_why);
}
