/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because growth alone cannot tell a leak from a cache that fills: but nobody can free what
 * nobody can find.
 */
#include "watch/heapscan.h"

#include "watch/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
        chunk_bytes = 1 << 20,
        page_bytes_min = 4096,
        chunk_pages_max = chunk_bytes / page_bytes_min,
        old_epochs = 2,
        sample_shift_max = 32,
        readings = 3,
};

struct map {
        uint64_t from, to;
};

struct edge {
        uint32_t from, to;
};

struct scan {
        const struct heapscan_request *request;
        struct heapscan_result *result;
        struct map *maps;
        size_t map_count;
        struct edge *edges;
        size_t edge_count;
        int pagemap;
        size_t page_bytes;
        uint64_t words[chunk_bytes / 8 + 2];
        uint64_t lowest, highest; /* of blocks, ends included */
};

/* ---- Maps ----------------------------------------------------------------- */

/* Writable memory: heap, stacks, data of objects, anonymous. Not devices, nor our own segments. */
static bool is_wanted(const char *line)
{
        const char *path = strchr(line, '/');
        size_t length = strcspn(line, "\n");

        if (length > 4 && strncmp(line + length - 4, ".seg", 4) == 0)
                return false;
        return !path || path > line + length || strncmp(path, "/dev/", 5) != 0 ||
               strncmp(path, "/dev/zero", 9) == 0 || strncmp(path, "/dev/shm", 8) == 0;
}

static int read_maps(struct scan *scan)
{
        size_t size = procfs_maps_bytes_max;
        char *text = malloc(size), *line = text;
        ssize_t length;

        if (!text)
                return -ENOMEM;
        length = procfs_read_all(scan->request->pid, "maps", text, size);
        if (length <= 0) {
                free(text);
                return length < 0 && errno == EACCES ? -EPERM : -ESRCH;
        }
        while (line && *line && scan->map_count < heapscan_map_max) {
                unsigned long long from, to;
                char rights[5] = "";

                if (sscanf(line, "%llx-%llx %4s", &from, &to, rights) == 3 && rights[0] == 'r' &&
                    rights[1] == 'w' && is_wanted(line))
                        scan->maps[scan->map_count++] = (struct map){ from, to };
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
        scan->result->is_cut |= scan->map_count == heapscan_map_max;
        free(text);
        return 0;
}

/* ---- Reading -------------------------------------------------------------- */

typedef void scan_words(struct scan *scan, uint64_t address, size_t count);

static int read_run(struct scan *scan, uint64_t address, size_t bytes, scan_words *see)
{
        struct iovec to = { scan->words, bytes };
        struct iovec from = { (void *)(uintptr_t)address, bytes };
        ssize_t length = process_vm_readv(scan->request->pid, &to, 1, &from, 1, 0);

        if (length < 0 && (errno == EPERM || errno == ESRCH))
                return -errno;
        if (length <= 0)
                return 0; /* unmapped meanwhile */
        scan->result->bytes_read += (uint64_t)length;
        see(scan, address, (size_t)length / 8);
        return 0;
}

/* Only runs of pages that are there: to read another would make it. */
static int read_chunk(struct scan *scan, uint64_t address, size_t pages, scan_words *see)
{
        uint64_t entries[chunk_pages_max];
        size_t page_bytes = scan->page_bytes;
        ssize_t length =
                pread(scan->pagemap, entries, pages * 8, (off_t)(address / page_bytes * 8));
        size_t begun = 0;
        int failed = 0;

        if (length != (ssize_t)(pages * 8))
                return read_run(scan, address, pages * page_bytes, see);
        for (size_t i = 0; i <= pages && !failed; i++) {
                bool is_there = i < pages && entries[i] >> 62 != 0;

                if (is_there)
                        continue;
                if (i > begun)
                        failed = read_run(scan, address + begun * page_bytes,
                                          (i - begun) * page_bytes, see);
                begun = i + 1;
        }
        return failed;
}

static int read_memory(struct scan *scan, scan_words *see)
{
        int failed = 0;

        uint64_t begun = scan->result->bytes_read;

        for (size_t i = 0; i < scan->map_count && !failed; i++) {
                uint64_t at = scan->maps[i].from;

                while (at < scan->maps[i].to && !failed) {
                        uint64_t left = scan->maps[i].to - at;
                        size_t bytes = left < chunk_bytes ? (size_t)left : chunk_bytes;

                        if (*scan->request->stop)
                                return -ECANCELED;
                        if (scan->result->bytes_read - begun > HEAPSCAN_BYTES_MAX) {
                                scan->result->is_cut = true;
                                return 0;
                        }
                        failed = read_chunk(scan, at, bytes / scan->page_bytes, see);
                        at += bytes;
                }
        }
        return failed;
}

/* ---- First reading: blocks ------------------------------------------------ */

/* The same of each 2^shift blocks in every scan: else none would be seen twice. */
static bool is_sampled(uint64_t address, uint32_t shift)
{
        return !shift || (address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - shift) == 0;
}

static void sample_fewer(struct heapscan_result *result)
{
        size_t kept = 0;

        if (result->sample_shift == sample_shift_max) {
                result->is_cut = true; /* addresses that somebody has chosen */
                return;
        }
        result->sample_shift++;
        for (size_t i = 0; i < result->count; i++)
                if (is_sampled(result->blocks[i].address, result->sample_shift))
                        result->blocks[kept++] = result->blocks[i];
        result->count = kept;
}

static void find_blocks(struct scan *scan, uint64_t address, size_t count)
{
        const struct heapscan_request *request = scan->request;
        struct heapscan_result *result = scan->result;

        for (size_t i = 0; i + 1 < count; i += 2) {
                uint64_t user = address + i * 8 + INSIDE_BLOCK_BYTES;
                uint64_t left = inside_unmark(scan->words[i + 1], user, request->secret);
                uint32_t site = (uint32_t)(left >> INSIDE_SITE_SHIFT);
                uint64_t size = scan->words[i] & ((UINT64_C(1) << 40) - 1);
                uint32_t epoch = (uint32_t)(scan->words[i] >> INSIDE_EPOCH_SHIFT);

                if (inside_unmark_rest(left) > INSIDE_ALIGNED || site >= INSIDE_SITES ||
                    !request->is_suspect[site] ||
                    ((request->epoch - epoch) & 0xffffff) < old_epochs)
                        continue;
                while (result->count == heapscan_block_max && !result->is_cut)
                        sample_fewer(result);
                if (result->is_cut)
                        return;
                if (!is_sampled(user, result->sample_shift))
                        continue;
                result->blocks[result->count++] = (struct heapscan_block){
                        .address = user, .size = size, .epoch = epoch, .site = site
                };
        }
}

/* ---- Second reading: what points to them ---------------------------------- */

/* The block that holds that address, its end included; -1: none. */
static ssize_t block_at(const struct heapscan_result *result, uint64_t address)
{
        size_t low = 0, high = result->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (result->blocks[middle].address <= address)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (!low || address - result->blocks[low - 1].address > result->blocks[low - 1].size)
                return -1;
        return (ssize_t)low - 1;
}

static void find_pointers(struct scan *scan, uint64_t address, size_t count)
{
        struct heapscan_result *result = scan->result;

        for (size_t i = 0; i < count; i++) {
                uint64_t word = scan->words[i], at = address + i * 8;
                ssize_t to, from;

                if (word < scan->lowest || word > scan->highest)
                        continue;
                to = block_at(result, word);
                if (to < 0 || result->blocks[to].is_reached)
                        continue;
                from = block_at(result, at);
                if (from == to)
                        continue;
                if (from < 0 || scan->edge_count == heapscan_edge_max)
                        result->blocks[to].is_reached = true; /* who forgets, must not accuse */
                else
                        scan->edges[scan->edge_count++] =
                                (struct edge){ (uint32_t)from, (uint32_t)to };
        }
}

/* Blocks were read by address, so edges are sorted by where they come from. */
static size_t first_edge(const struct scan *scan, uint32_t from)
{
        size_t low = 0, high = scan->edge_count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (scan->edges[middle].from < from)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* What a reached block points to is reached: each block is asked once, for lists are long. */
static int spread(struct scan *scan)
{
        struct heapscan_block *blocks = scan->result->blocks;
        uint32_t *open = calloc(heapscan_block_max, sizeof(*open));
        size_t open_count = 0;

        if (!open)
                return -ENOMEM;
        for (size_t i = 0; i < scan->result->count; i++)
                if (blocks[i].is_reached)
                        open[open_count++] = (uint32_t)i;
        while (open_count) {
                uint32_t from = open[--open_count];

                for (size_t i = first_edge(scan, from);
                     i < scan->edge_count && scan->edges[i].from == from; i++) {
                        uint32_t to = scan->edges[i].to;

                        if (blocks[to].is_reached)
                                continue;
                        blocks[to].is_reached = true;
                        open[open_count++] = to;
                }
        }
        free(open);
        return 0;
}

static bool has_unreached(const struct heapscan_result *result)
{
        for (size_t i = 0; i < result->count; i++)
                if (!result->blocks[i].is_reached)
                        return true;
        return false;
}

/* A pointer that is handed from where we have not been yet to where we have been is missed: one in
 * four, where threads do nothing else. So what looks unreached is asked for again. */
static int run(struct scan *scan)
{
        struct heapscan_result *result = scan->result;
        int failed = read_maps(scan);

        if (!failed)
                failed = read_memory(scan, find_blocks);
        if (failed || !result->count)
                return failed;
        scan->lowest = result->blocks[0].address;
        for (size_t i = 0; i < result->count; i++)
                if (result->blocks[i].address + result->blocks[i].size > scan->highest)
                        scan->highest = result->blocks[i].address + result->blocks[i].size;
        for (int i = 0; i < readings && !failed && has_unreached(result); i++) {
                scan->edge_count = 0;
                failed = read_memory(scan, find_pointers);
                if (!failed)
                        failed = spread(scan);
        }
        return failed;
}

int heapscan_run(const struct heapscan_request *request, struct heapscan_result *ret_result)
{
        struct scan *scan = calloc(1, sizeof(*scan));
        struct heapscan_result result = { .blocks = calloc(heapscan_block_max,
                                                           sizeof(struct heapscan_block)) };
        int failed = -ENOMEM;

        if (scan) {
                scan->request = request;
                scan->result = &result;
                scan->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
                scan->maps = calloc(heapscan_map_max, sizeof(*scan->maps));
                scan->edges = calloc(heapscan_edge_max, sizeof(*scan->edges));
                scan->pagemap = procfs_open(request->pid, "pagemap");
        }
        if (scan && scan->maps && scan->edges && result.blocks)
                failed = run(scan);
        if (scan) {
                if (scan->pagemap >= 0)
                        (void)close(scan->pagemap); /* read only */
                free(scan->maps);
                free(scan->edges);
        }
        free(scan);
        if (failed) {
                free(result.blocks);
                return failed;
        }
        *ret_result = result;
        return 0;
}
