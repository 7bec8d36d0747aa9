/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h - for tests: segments as the runtime writes them, in memory and in files.
 *
 * Ownership: the struct owns its bytes. Threads: one. Errors: fail the test. Limits: none.
 */
#ifndef WATCH_FIXTURE_H
#define WATCH_FIXTURE_H

#include "base/base.h"
#include "probe/segment.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
        unsigned char *bytes;
        size_t length;
};

enum { fixture_rows = 4, fixture_block_bytes = 32, fixture_slots = 8 };

/* Rows: counter "hits" at 0, expectation "expect_41" at 8 (16 bytes), error "error_50" at 24, gauge
 * "used" in the shared cells. */
static inline struct segment_row fixture_row(enum toc_kind kind, const char *name, uint32_t offset)
{
        struct segment_row row = { .record = { .version = 1, .kind = (uint8_t)kind, .line = 41 },
                                   .cell_offset = offset,
                                   .cell_bytes = 8,
                                   .place = SEGMENT_IN_BLOCK };
        struct toc_rule *rule = &row.record.rule[0];

        (void)snprintf(row.record.module, sizeof(row.record.module), "store");
        (void)snprintf(row.record.name, sizeof(row.record.name), "%s", name);
        (void)snprintf(row.record.file, sizeof(row.record.file), "store.c");
        (void)snprintf(rule->meaning, sizeof(rule->meaning), "index and table disagree");
        rule->signal = kind == toc_kind_gauge ? toc_signal_value : toc_signal_total;
        rule->op = TOC_ABOVE_;
        rule->clear_at = TOC_NO_CLEAR_LEVEL_;
        rule->severity = TOC_PAGE;
        rule->limit = kind == toc_kind_expectation ? 0 : 1000;
        if (kind == toc_kind_expectation)
                row.cell_bytes = 16;
        if (kind == toc_kind_gauge)
                row.place = SEGMENT_IN_SHARED;
        return row;
}

/* Appends an extent and moves used_bytes behind it; returns the offset of what follows its
 * header. */
static inline size_t fixture_extend(struct fixture *fixture, uint32_t kind, uint32_t object,
                                    uint32_t count, size_t payload)
{
        size_t bytes = sizeof(struct segment_extent) + (payload + 63) / 64 * 64;
        size_t at = fixture->length;
        struct segment_extent extent = { .magic = SEGMENT_EXTENT_MAGIC,
                                         .kind = kind,
                                         .bytes = bytes,
                                         .object = object,
                                         .count = count };
        uint64_t used = at + bytes;

        fixture->bytes = realloc(fixture->bytes, at + bytes);
        assert_non_null(fixture->bytes);
        memset(fixture->bytes + at, 0, bytes);
        memcpy(fixture->bytes + at, &extent, sizeof(extent));
        fixture->length = at + bytes;
        memcpy(fixture->bytes + offsetof(struct segment_header, used_bytes), &used, sizeof(used));
        return at + sizeof(extent);
}

static inline void fixture_header(struct fixture *fixture)
{
        struct segment_header header = {
                .version = SEGMENT_VERSION,
                .header_bytes = SEGMENT_HEADER_BYTES,
                .record_bytes = sizeof(struct toc_record),
                .row_bytes = sizeof(struct segment_row),
                .event_bytes = sizeof(struct segment_event),
                .state = SEGMENT_RUNNING,
                .used_bytes = SEGMENT_HEADER_BYTES,
                .attached_ns = 1000,
                .pid = (uint32_t)getpid(),
                .uid = geteuid(),
                .program = "/usr/bin/kvd",
        };

        memcpy(header.magic, SEGMENT_MAGIC, sizeof(header.magic));
        fixture->length = SEGMENT_HEADER_BYTES;
        fixture->bytes = calloc(1, fixture->length);
        assert_non_null(fixture->bytes);
        memcpy(fixture->bytes, &header, sizeof(header));
}

static inline void fixture_add_rows(struct fixture *fixture, uint32_t object)
{
        const struct segment_row rows[fixture_rows] = {
                fixture_row(toc_kind_counter, "hits", 0),
                fixture_row(toc_kind_expectation, "expect_41", 8),
                fixture_row(toc_kind_error, "error_50", 24),
                fixture_row(toc_kind_gauge, "used", 0),
        };
        size_t at = fixture_extend(fixture, SEGMENT_ROWS, object, fixture_rows,
                                   sizeof(struct segment_rows) + sizeof(rows));

        memcpy(fixture->bytes + at + sizeof(struct segment_rows), rows, sizeof(rows));
}

/* One block of one thread; returns the offset of its cells. */
static inline size_t fixture_add_block(struct fixture *fixture, uint32_t object,
                                       const uint64_t cells[4])
{
        size_t at = fixture_extend(fixture, SEGMENT_BLOCK, object, fixture_block_bytes,
                                   fixture_block_bytes);

        memcpy(fixture->bytes + at, cells, fixture_block_bytes);
        return at;
}

/* A whole segment: one object, two threads, a ring with one event. */
static inline void fixture_init(struct fixture *fixture)
{
        const int64_t used = -7;
        struct segment_ring ring = { .firsts = 4, .next_number = 1 };
        struct segment_event event = { .seq = 2,
                                       .kind = SEGMENT_EVENT_MISS,
                                       .row = 1,
                                       .thread = 77,
                                       .count = 1,
                                       .value = { { 3, 4, 'i' }, { 4, 4, 'i' } },
                                       .stack_depth = 2,
                                       .stack = { 0x1000, 0x2000 } };
        size_t at;

        fixture_header(fixture);
        fixture_add_rows(fixture, 0);
        at = fixture_extend(fixture, SEGMENT_SHARED, 0, 8, 8);
        memcpy(fixture->bytes + at, &used, sizeof(used));
        at = fixture_extend(fixture, SEGMENT_EVENTS, 0, fixture_slots,
                            sizeof(ring) + fixture_slots * sizeof(event));
        memcpy(fixture->bytes + at, &ring, sizeof(ring));
        memcpy(fixture->bytes + at + sizeof(ring), &event, sizeof(event));
        (void)fixture_add_block(fixture, 0, (const uint64_t[]){ 10, 1, 5, 2 });
        (void)fixture_extend(fixture, SEGMENT_FILLER, 0, 0, 128);
        (void)fixture_add_block(fixture, 0, (const uint64_t[]){ 32, 0, 6, 0 });
}

static inline void fixture_fini(struct fixture *fixture)
{
        free(fixture->bytes);
        *fixture = (struct fixture){ NULL, 0 };
}

static inline struct segment_header *fixture_head(struct fixture *fixture)
{
        return (struct segment_header *)(void *)fixture->bytes;
}

/* The first bytes of the segment as a file. */
static inline void fixture_write(const struct fixture *fixture, int dir_fd, const char *name,
                                 size_t length)
{
        int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, fixture->bytes, length), length);
        assert_int_equal(close(fd), 0);
}

/* A directory of its own for each test program. */
static inline int fixture_directory(char path[static 32])
{
        int fd;

        (void)snprintf(path, 32, "/tmp/tocsin-watch-XXXXXX");
        assert_non_null(mkdtemp(path));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

#endif
