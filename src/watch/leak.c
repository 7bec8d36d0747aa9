/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to ask only when there is a reason, and to believe only what was true twice. */
#include "watch/leak.h"

#include "watch/heapscan.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
        window_s = 5,
        windows = 3,
        between_s = 5,
        wait_first_s = 10,
        wait_max_s = 300,
        wait_leak_s = 30,
        details_max = 5,
};

struct verdict {
        uint64_t bytes, blocks;
        uint32_t generations;
        uint32_t oldest_s;
};

struct leak {
        struct {
                uint64_t floor, last;
                uint32_t risen;
        } site[INSIDE_SITES];
        struct verdict verdict[INSIDE_SITES];
        uint64_t ticks, due; /* the next look, in ticks */
        uint64_t wait_s;
        bool is_second;
        bool is_refused;
        struct heapscan_result first;

        /* The thread's while is_running, else the owner's. */
        pthread_t thread;
        bool has_thread;
        atomic_bool is_running;
        volatile bool stop;
        struct heapscan_request request;
        struct heapscan_result result;
        int failed;
};

int leak_new(pid_t pid, struct leak **ret_leak)
{
        struct leak *leak = calloc(1, sizeof(*leak));

        if (!leak)
                return -ENOMEM;
        leak->request.pid = pid;
        leak->request.stop = &leak->stop;
        leak->wait_s = wait_first_s;
        *ret_leak = leak;
        return 0;
}

static void join(struct leak *leak)
{
        if (leak->has_thread)
                (void)pthread_join(leak->thread, NULL); /* ours, joinable */
        leak->has_thread = false;
}

void leak_free(struct leak **address)
{
        struct leak *leak = *address;

        if (!leak)
                return;
        leak->stop = true;
        join(leak);
        free(leak->first.blocks);
        free(leak->result.blocks);
        free(leak);
        *address = NULL;
}

/* ---- Looking -------------------------------------------------------------- */

static void *look(void *context)
{
        struct leak *leak = context;

        (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10); /* as it is, else */
        leak->failed = heapscan_run(&leak->request, &leak->result);
        atomic_store(&leak->is_running, false);
        return NULL;
}

static void begin_look(struct leak *leak, const struct picture *picture)
{
        leak->request.secret = picture->head.secret;
        leak->request.epoch = (uint32_t)(picture->at_ns / CLOCK_S_NS / INSIDE_EPOCH_S) & 0xffffff;
        for (uint32_t i = 0; i < INSIDE_SITES; i++)
                leak->request.is_suspect[i] =
                        leak->site[i].risen >= windows || leak->verdict[i].blocks;
        atomic_store(&leak->is_running, true);
        if (pthread_create(&leak->thread, NULL, look, leak)) {
                atomic_store(&leak->is_running, false);
                leak->due = leak->ticks + wait_max_s;
                return;
        }
        leak->has_thread = true;
}

/* ---- Concluding ----------------------------------------------------------- */

static bool was_unreached(const struct heapscan_result *first, const struct heapscan_block *block)
{
        size_t low = 0, high = first->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (first->blocks[middle].address < block->address)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < first->count && first->blocks[low].address == block->address &&
               first->blocks[low].epoch == block->epoch && !first->blocks[low].is_reached;
}

/* Of one site: how many epochs its lost blocks are of, counted up to 64 back. */
static void count_block(struct leak *leak, uint64_t *epochs, const struct heapscan_block *block)
{
        struct verdict *verdict = &leak->verdict[block->site];
        uint32_t age = (leak->request.epoch - block->epoch) & 0xffffff;

        verdict->bytes += block->size;
        verdict->blocks++;
        if (age * INSIDE_EPOCH_S > verdict->oldest_s)
                verdict->oldest_s = age * INSIDE_EPOCH_S;
        epochs[block->site] |= UINT64_C(1) << (age < 63 ? age : 63);
}

static bool conclude(struct leak *leak)
{
        uint64_t epochs[INSIDE_SITES] = { 0 };
        bool has_found = false;

        memset(leak->verdict, 0, sizeof(leak->verdict));
        for (size_t i = 0; i < leak->result.count; i++)
                if (!leak->result.blocks[i].is_reached &&
                    was_unreached(&leak->first, &leak->result.blocks[i]))
                        count_block(leak, epochs, &leak->result.blocks[i]);
        for (uint32_t i = 0; i < INSIDE_SITES; i++) {
                leak->verdict[i].generations = (uint32_t)__builtin_popcountll(epochs[i]);
                if (leak->verdict[i].generations < 2)
                        leak->verdict[i] = (struct verdict){ 0 };
                has_found |= leak->verdict[i].blocks > 0;
        }
        return has_found;
}

static void take_first(struct leak *leak)
{
        leak->first = leak->result;
        leak->result = (struct heapscan_result){ 0 };
        leak->is_second = true;
        leak->due = leak->ticks + between_s;
}

static void take_second(struct leak *leak)
{
        bool has_found = !leak->result.is_cut && !leak->first.is_cut && conclude(leak);

        leak->wait_s = has_found ? wait_leak_s : 2 * leak->wait_s;
        if (leak->wait_s > wait_max_s)
                leak->wait_s = wait_max_s;
        leak->due = leak->ticks + leak->wait_s;
        leak->is_second = false;
        free(leak->first.blocks);
        free(leak->result.blocks);
        leak->first = leak->result = (struct heapscan_result){ 0 };
}

static void end_look(struct leak *leak)
{
        join(leak);
        if (leak->failed) {
                leak->is_refused = leak->failed == -EPERM;
                leak->due = leak->ticks + wait_max_s;
        } else if (leak->is_second) {
                take_second(leak);
        } else {
                take_first(leak);
        }
}

/* ---- Each second ---------------------------------------------------------- */

static bool see_sites(struct leak *leak, const struct picture *picture)
{
        bool is_end = leak->ticks % window_s == 0, has_suspect = false;

        for (uint32_t i = 0; i < picture->site_count; i++) {
                uint64_t live = picture->cells[i].live;

                if (picture->sites[i].kind != INSIDE_HEAP)
                        continue;
                if (live < leak->site[i].floor)
                        leak->site[i].floor = live;
                if (is_end) {
                        bool rises =
                                leak->site[i].floor > leak->site[i].last && leak->ticks > window_s;

                        leak->site[i].risen = rises ? leak->site[i].risen + 1 : 0;
                        leak->site[i].last = leak->site[i].floor;
                        leak->site[i].floor = live;
                }
                has_suspect |= leak->site[i].risen >= windows || leak->verdict[i].blocks;
        }
        return has_suspect;
}

void leak_see(struct leak *leak, const struct picture *picture, struct insight *insight)
{
        bool has_suspect;

        leak->ticks++;
        has_suspect = see_sites(leak, picture);
        if (leak->has_thread && !atomic_load(&leak->is_running))
                end_look(leak);
        if (!leak->has_thread && leak->ticks >= leak->due && (has_suspect || leak->is_second) &&
            picture->pid)
                begin_look(leak, picture);
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_leak] = 0;
        for (uint32_t i = 0; i < picture->site_count; i++)
                insight->value[picture->sites[i].module][INSIGHT_leak] +=
                        (int64_t)leak->verdict[i].bytes;
}

json_t *leak_details(const struct leak *leak, const struct picture *picture,
                     const struct namer *namer, uint32_t module)
{
        json_t *sites = json_array();

        for (uint32_t i = 0; i < picture->site_count && json_array_size(sites) < details_max; i++) {
                const struct verdict *verdict = &leak->verdict[i];
                json_t *one;

                if (!verdict->blocks || picture->sites[i].module != module)
                        continue;
                one = json_pack("{s:o, s:I, s:I, s:i, s:i}", "site", namer_site(namer, picture, i),
                                "bytes", (json_int_t)verdict->bytes, "blocks",
                                (json_int_t)verdict->blocks, "generations",
                                (int)verdict->generations, "oldest_s", (int)verdict->oldest_s);
                (void)json_array_append_new(sites, one);
        }
        return json_pack("{s:o}", "sites", sites);
}
