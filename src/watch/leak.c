/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to ask only when there is a reason, and to believe only what was true twice. */
#include "watch/leak.h"

#include "watch/errand.h"
#include "watch/heapscan.h"
#include "watch/procfs.h"

#include <errno.h>
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
        idle_factor = 4, /* for a second of looking, four without */
        details_max = 5,
};

struct verdict {
        uint64_t bytes, blocks;
        uint32_t generations;
        uint32_t oldest_s;
};

/* The thread's, until it is done. */
struct look {
        heapscan_look *scan;
        volatile bool stop;
        struct heapscan_request request;
        struct heapscan_result result;
        int failed;
};

struct leak {
        struct {
                uint64_t floor, last;
                uint64_t due; /* the next look, in ticks; each place waits for itself */
                uint32_t risen;
                uint32_t wait_s; /* 0: it has not been looked at */
        } site[INSIDE_SITES];
        struct verdict verdict[INSIDE_SITES];
        uint64_t ticks;
        uint64_t rest;  /* no look before that tick, whoever is due */
        uint64_t begun; /* this look */
        bool is_second;
        uint32_t threads; /* of the process, when the look began */
        struct heapscan_result first;

        heapscan_look *scan;
        struct heapscan_request request;
        struct heapscan_result result;
        struct look *look; /* the errand's; NULL: there is none */
        struct errand *errand;
        bool is_given_up; /* this one */
        bool gave_up;     /* any */
};

/* One look at a time, of all processes that are watched: looks take time and memory. */
static bool is_taken;

int leak_new(pid_t pid, heapscan_look *scan, struct leak **ret_leak)
{
        struct leak *leak = calloc(1, sizeof(*leak));

        if (!leak)
                return -ENOMEM;
        leak->request.pid = pid;
        leak->scan = scan;
        *ret_leak = leak;
        return 0;
}

static void look_free(void *state)
{
        struct look *look = state;

        free(look->result.blocks);
        free(look);
}

/* It is done, or nobody wants it any more. */
static void leave(struct leak *leak)
{
        if (!leak->errand)
                return;
        leak->look->stop = true;
        errand_leave(&leak->errand);
        leak->look = NULL;
        is_taken &= leak->is_given_up; /* then it is another's */
        leak->is_given_up = false;
}

void leak_free(struct leak **address)
{
        struct leak *leak = *address;

        if (!leak)
                return;
        leave(leak);
        free(leak->first.blocks);
        free(leak->result.blocks);
        free(leak);
        *address = NULL;
}

/* ---- Looking -------------------------------------------------------------- */

static void run_look(void *state)
{
        struct look *look = state;

        (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10); /* as it is, else */
        look->failed = look->scan(&look->request, &look->result);
}

static void start_look(struct leak *leak)
{
        struct look *look = calloc(1, sizeof(*look));

        leak->rest = leak->ticks + wait_max_s; /* if it cannot be had */
        if (!look)
                return;
        look->scan = leak->scan;
        look->request = leak->request;
        look->request.stop = &look->stop;
        if (errand_new(run_look, look, look_free, &leak->errand)) {
                free(look);
                return;
        }
        leak->look = look;
        is_taken = true;
}

static bool is_due(const struct leak *leak, uint32_t site)
{
        return leak->ticks >= leak->site[site].due &&
               (leak->site[site].risen >= windows || leak->verdict[site].blocks);
}

/* As the kernel counts them: those that found no room for a page live, too, or have ended. */
static uint32_t count_threads(const struct picture *picture)
{
        char text[2048];
        const char *at;
        unsigned count = 0;

        if (procfs_read(picture->pid, "status", text, sizeof(text)) > 0) {
                at = strstr(text, "\nThreads:"); /* the name before it is escaped */
                if (at && sscanf(at, "\nThreads: %u", &count) != 1)
                        count = 0;
        }
        return count > picture->thread_count ? count : picture->thread_count;
}

/* The second look is for the same places as the first: one that paused since is no better. */
static void begin_look(struct leak *leak, const struct picture *picture)
{
        if (is_taken || errand_running() == errand_max)
                return; /* at the next tick, perhaps */
        leak->request.secret = picture->head.secret;
        leak->request.epoch = (uint32_t)(picture->at_ns / CLOCK_S_NS / INSIDE_EPOCH_S) & 0xffffff;
        for (uint32_t i = 0; i < INSIDE_SITES && !leak->is_second; i++)
                leak->request.is_suspect[i] = is_due(leak, i);
        leak->begun = leak->ticks;
        leak->threads = count_threads(picture);
        start_look(leak);
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

/* Blocks stand for others where there are too many to look at all of them. */
static uint32_t shift_of(const struct leak *leak)
{
        return leak->first.sample_shift > leak->result.sample_shift ? leak->first.sample_shift
                                                                    : leak->result.sample_shift;
}

/* Of one site: how many epochs its lost blocks are of, counted up to 64 back. */
static void count_block(struct leak *leak, uint64_t *epochs, const struct heapscan_block *block)
{
        struct verdict *verdict = &leak->verdict[block->site];
        uint32_t age = (leak->request.epoch - block->epoch) & 0xffffff;

        verdict->bytes += block->size << shift_of(leak);
        verdict->blocks++;
        if (age * INSIDE_EPOCH_S > verdict->oldest_s)
                verdict->oldest_s = age * INSIDE_EPOCH_S;
        epochs[block->site] |= UINT64_C(1) << (age < 63 ? age : 63);
}

/* A thread that sleeps in a call may hold the one pointer to what it works on in a register, where
 * nobody sees it, for hours: as many blocks as there are threads are no leak. Nor is what was made
 * within one epoch. */
static bool is_leak(const struct leak *leak, const struct verdict *verdict)
{
        return verdict->blocks > leak->threads && verdict->generations >= 2;
}

static void conclude(struct leak *leak)
{
        uint64_t epochs[INSIDE_SITES] = { 0 };

        for (uint32_t i = 0; i < INSIDE_SITES; i++)
                if (leak->request.is_suspect[i])
                        leak->verdict[i] = (struct verdict){ 0 };
        for (size_t i = 0; i < leak->result.count; i++)
                if (!leak->result.blocks[i].is_reached &&
                    was_unreached(&leak->first, &leak->result.blocks[i]))
                        count_block(leak, epochs, &leak->result.blocks[i]);
        for (uint32_t i = 0; i < INSIDE_SITES; i++) {
                struct verdict *verdict = &leak->verdict[i];

                if (!leak->request.is_suspect[i])
                        continue;
                verdict->generations = (uint32_t)__builtin_popcountll(epochs[i]);
                if (!is_leak(leak, verdict))
                        *verdict = (struct verdict){ 0 };
                verdict->blocks <<= shift_of(leak);
        }
}

/* Where nothing is lost, the next look waits twice as long. */
static void put_off(struct leak *leak)
{
        for (uint32_t i = 0; i < INSIDE_SITES; i++) {
                uint32_t wait_s = 2 * leak->site[i].wait_s;

                if (!leak->request.is_suspect[i])
                        continue;
                if (leak->verdict[i].blocks)
                        wait_s = wait_leak_s;
                else if (wait_s < wait_first_s)
                        wait_s = wait_first_s;
                else if (wait_s > wait_max_s)
                        wait_s = wait_max_s;
                leak->site[i].wait_s = wait_s;
                leak->site[i].due = leak->ticks + wait_s;
        }
}

static void take_first(struct leak *leak)
{
        leak->first = leak->result;
        leak->result = (struct heapscan_result){ 0 };
        leak->is_second = true;
        leak->rest = leak->ticks + between_s;
}

static void end_pair(struct leak *leak)
{
        put_off(leak);
        leak->rest = leak->ticks + idle_factor * (leak->ticks - leak->begun);
        leak->is_second = false;
        free(leak->first.blocks);
        free(leak->result.blocks);
        leak->first = leak->result = (struct heapscan_result){ 0 };
}

static bool has_any_unreached(const struct heapscan_result *result)
{
        for (size_t i = 0; i < result->count; i++)
                if (!result->blocks[i].is_reached)
                        return true;
        return false;
}

static void end_look(struct leak *leak)
{
        bool failed = leak->is_given_up || leak->look->failed;

        if (!failed) {
                leak->result = leak->look->result;
                leak->look->result = (struct heapscan_result){ 0 };
        }
        leave(leak);
        if (failed) {
                end_pair(leak);
                leak->rest = leak->ticks + wait_max_s;
        } else if (leak->is_second) {
                if (!leak->result.is_cut && !leak->first.is_cut)
                        conclude(leak);
                end_pair(leak);
        } else if (!has_any_unreached(&leak->result) && !leak->result.is_cut) {
                conclude(leak); /* nothing is left to confirm */
                end_pair(leak);
        } else {
                take_first(leak);
        }
}

/* Others may be looked at again; what the first look of this pair saw, and what has been concluded,
 * stays until this one comes back. */
static void give_up(struct leak *leak)
{
        leak->look->stop = true;
        leak->is_given_up = leak->gave_up = true;
        is_taken = false;
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
                has_suspect |= is_due(leak, i);
        }
        return has_suspect;
}

void leak_see(struct leak *leak, const struct picture *picture, struct insight *insight)
{
        bool has_suspect;

        leak->ticks++;
        has_suspect = see_sites(leak, picture);
        if (leak->errand && errand_wait(leak->errand, 0))
                end_look(leak);
        else if (leak->errand && !leak->is_given_up && leak->ticks - leak->begun >= leak_look_max_s)
                give_up(leak);
        if (!leak->errand && leak->ticks >= leak->rest && (has_suspect || leak->is_second) &&
            picture->pid)
                begin_look(leak, picture);
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_leak] = 0;
        for (uint32_t i = 0; i < picture->site_count; i++)
                insight->value[picture->sites[i].module][INSIGHT_leak] +=
                        (int64_t)leak->verdict[i].bytes;
}

bool leak_gave_up(const struct leak *leak)
{
        return leak->gave_up;
}

/* The site of that module that has lost most, but for those that are said; -1: none. */
static int largest(const struct leak *leak, const struct picture *picture, uint32_t module,
                   const bool *is_said)
{
        int found = -1;

        for (uint32_t i = 0; i < picture->site_count; i++)
                if (leak->verdict[i].blocks && picture->sites[i].module == module && !is_said[i] &&
                    (found < 0 || leak->verdict[i].bytes > leak->verdict[found].bytes))
                        found = (int)i;
        return found;
}

json_t *leak_details(const struct leak *leak, const struct picture *picture,
                     const struct namer *namer, uint32_t module)
{
        bool is_said[INSIDE_SITES] = { false };
        json_t *sites = json_array();
        int i;

        while (json_array_size(sites) < details_max &&
               (i = largest(leak, picture, module, is_said)) >= 0) {
                const struct verdict *verdict = &leak->verdict[i];
                json_t *one =
                        json_pack("{s:o, s:I, s:I, s:i, s:i, s:b}", "site",
                                  namer_site(namer, picture, (uint32_t)i), "bytes",
                                  (json_int_t)verdict->bytes, "blocks", (json_int_t)verdict->blocks,
                                  "generations", (int)verdict->generations, "oldest_s",
                                  (int)verdict->oldest_s, "confirmed", 1);

                is_said[i] = true;
                if (json_array_append_new(sites, one))
                        break; /* without memory there is no detail */
        }
        return json_pack("{s:o}", "sites", sites);
}
