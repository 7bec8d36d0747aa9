/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of segments against good ones, cut ones, bent ones, and things that are none. Whatever
 * it is given, it must come back with an answer; sanitizers see to the rest. */
#include "watch/segment.h"
#include "watch/fixture.h"

#include "base/file.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static char place[32];
static int dir_fd;

static int set_up(void **state)
{
        (void)state;
        dir_fd = fixture_directory(place);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        (void)close(dir_fd);
        return file_remove_tree(AT_FDCWD, place);
}

static int open_named(const char *name, struct segment_view **ret_view, const char **ret_why)
{
        const uid_t owners[] = { geteuid() };

        return segment_open(dir_fd, name, owners, 1, ret_view, ret_why);
}

/* Everything the watcher does with a segment, twice; the last outcome that was not 0. */
static int read_all(struct segment_view *view, const char **ret_why)
{
        static struct segment_news news[segment_slot_max];
        int outcome = 0;

        for (int round = 0; round < 2 && !outcome; round++) {
                size_t count = 0;

                outcome = segment_refresh(view, ret_why);
                if (!outcome)
                        outcome = segment_sample(view, ret_why);
                for (uint32_t i = 0; i < view->row_count && !outcome; i++)
                        (void)*segment_cells(view, i); /* any number, but no crash */
                if (!outcome)
                        outcome =
                                segment_read_events(view, news, segment_slot_max, &count, ret_why);
                for (size_t i = 0; i < count; i++) {
                        assert_true(news[i].row < view->row_count);
                        assert_true(news[i].event->stack_depth <= SEGMENT_STACK_MAX);
                        assert_true(news[i].event->text_bytes <= sizeof(news[i].event->text));
                }
        }
        return outcome;
}

static int read_fixture(const struct fixture *fixture, size_t length, const char **ret_why)
{
        struct segment_view *view = NULL;
        int outcome;

        fixture_write(fixture, dir_fd, "x.seg", length);
        outcome = open_named("x.seg", &view, ret_why);
        assert_int_equal(outcome, 0);
        outcome = read_all(view, ret_why);
        segment_close(&view);
        assert_null(view);
        return outcome;
}

/* ---- Good ones ------------------------------------------------------------ */

static void cells_are_summed_over_blocks(void **state)
{
        struct segment_view *view = NULL;
        struct segment_news news[fixture_slots];
        struct fixture fixture;
        const char *why = NULL;
        size_t count = 0;

        (void)state;
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_int_equal(view->row_count, fixture_rows);
        assert_int_equal(segment_sample(view, &why), 0);
        assert_int_equal(*segment_cells(view, 0), 42);
        assert_int_equal(*segment_cells(view, 1), 1); /* misses, not the 11 passes */
        assert_int_equal(*segment_cells(view, 2), 2);
        assert_true((int64_t)*segment_cells(view, 3) == -7);
        assert_string_equal(view->rows[1].record->name, "expect_index_and_table_disagree");
        assert_null(view->rows[1].bad);
        assert_int_equal(segment_read_events(view, news, fixture_slots, &count, &why), 0);
        assert_int_equal(count, 1);
        assert_int_equal(news[0].row, 1);
        assert_int_equal(news[0].event->value[1].bits, 4);
        assert_int_equal(segment_read_events(view, news, fixture_slots, &count, &why), 0);
        assert_int_equal(count, 0); /* once is enough */
        assert_int_equal(segment_sample(view, &why), 0);
        assert_false(view->has_moved);
        fixture.bytes[view->blocks[0].offset]++;
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(segment_sample(view, &why), 0);
        assert_true(view->has_moved);
        segment_close(&view);
        fixture_fini(&fixture);
}

enum { operation_bytes = 144, operation_rows = 2 };

/* One object of two operations; the second claims the cells of the first, which cannot be. */
static void add_operations(struct fixture *fixture)
{
        struct segment_row row = fixture_row(toc_kind_operation, "request", 0);
        size_t at;

        row.cell_bytes = operation_bytes;
        row.record.rule[0] = (struct toc_rule){ .meaning = "only looked at" };
        fixture_header(fixture);
        at = fixture_extend(fixture, SEGMENT_ROWS, 0, operation_rows,
                            sizeof(struct segment_rows) + operation_rows * sizeof(row));
        memcpy(fixture->bytes + at + sizeof(struct segment_rows), &row, sizeof(row));
        memcpy(fixture->bytes + at + sizeof(struct segment_rows) + sizeof(row), &row, sizeof(row));
}

/* A thread that has begun 100 and ended 90, with these in two of its slots. */
static void add_operation_block(struct fixture *fixture, uint64_t slot_3, uint64_t slot_15)
{
        const struct toc_operation_ cells = { .begun = 100,
                                              .ended = 90,
                                              .slot = { [3] = slot_3, [15] = slot_15 } };
        size_t at = fixture_extend(fixture, SEGMENT_BLOCK, 0, operation_bytes, operation_bytes);

        memcpy(fixture->bytes + at, &cells, sizeof(cells));
}

static struct segment_view *sample(const struct fixture *fixture)
{
        struct segment_view *view = NULL;
        const char *why = NULL;

        fixture_write(fixture, dir_fd, "x.seg", fixture->length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_int_equal(segment_sample(view, &why), 0);
        assert_int_equal(segment_sample(view, &why), 0); /* the second begins anew */
        return view;
}

static void operations_that_go_on_are_named(void **state)
{
        struct segment_view *view;
        struct fixture fixture;
        const uint64_t *open;
        uint32_t count;

        (void)state;
        add_operations(&fixture);
        add_operation_block(&fixture, 7, 0);
        add_operation_block(&fixture, 0, 0);
        add_operation_block(&fixture, 7, 99);
        view = sample(&fixture);
        assert_int_equal(segment_cells(view, 0)[0], 300);
        assert_int_equal(segment_cells(view, 0)[1], 270);
        open = segment_open_ones(view, 0, &count);
        assert_int_equal(count, 3);
        assert_int_equal(open[0], 0x0000030000000007); /* block 0, slot 3, the 7th */
        assert_int_equal(open[1], 0x0000230000000007); /* block 2 */
        assert_int_equal(open[2], 0x00002f0000000063);
        assert_null(segment_open_ones(view, 1, &count)); /* it shares cells: not followed */
        assert_int_equal(count, 0);
        segment_close(&view);
        fixture_fini(&fixture);
}

static void the_first_1024_operations_are_named(void **state)
{
        struct segment_view *view;
        struct fixture fixture;
        const uint64_t *open;
        uint32_t count;

        (void)state;
        add_operations(&fixture);
        for (uint64_t i = 0; i < segment_open_max / 2; i++)
                add_operation_block(&fixture, 1, 2);
        view = sample(&fixture);
        open = segment_open_ones(view, 0, &count);
        assert_int_equal(count, segment_open_max);
        for (uint32_t i = 1; i < count; i++)
                assert_true(open[i - 1] < open[i]);
        assert_int_equal(open[count - 1], 0x001fff0000000002); /* block 511 */
        segment_close(&view);
        add_operation_block(&fixture, 1, 2);
        view = sample(&fixture);
        assert_int_equal(segment_open_ones(view, 0, &count)[1023], 0x001fff0000000002);
        assert_int_equal(count, segment_open_max);
        segment_close(&view);
        fixture_fini(&fixture);
}

static void a_gauge_without_a_place_is_unset(void **state)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_header(&fixture);
        fixture_add_rows(&fixture, 0);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_int_equal(segment_sample(view, &why), 0);
        assert_int_equal(*segment_cells(view, 0), 0);
        assert_true((int64_t)*segment_cells(view, 3) == TOC_GAUGE_UNSET_);
        segment_close(&view);
        fixture_fini(&fixture);
}

static void a_segment_grows_while_it_is_read(void **state)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(read_all(view, &why), 0);
        for (uint32_t i = 1; i < 50; i++) {
                fixture_add_rows(&fixture, i); /* a plug-in a round, and a thread */
                (void)fixture_add_block(&fixture, i, (const uint64_t[]){ i, 0, 0, 0 });
                (void)fixture_add_block(&fixture, 0, (const uint64_t[]){ 1, 0, 0, 0 });
                fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
                assert_int_equal(read_all(view, &why), 0);
                assert_int_equal(view->row_count, fixture_rows * (i + 1));
                assert_int_equal(*segment_cells(view, 0), 42 + i);
                assert_int_equal(*segment_cells(view, fixture_rows * i), i);
        }
        segment_close(&view);
        fixture_fini(&fixture);
}

static void rows_are_frozen_when_first_seen(void **state)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(read_all(view, &why), 0);
        memset(fixture.bytes + SEGMENT_HEADER_BYTES + 128, 0xff, sizeof(struct segment_row));
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(read_all(view, &why), 0);
        assert_string_equal(view->rows[0].record->name, "hits");
        segment_close(&view);
        fixture_fini(&fixture);
}

static void an_unfinished_event_comes_later(void **state)
{
        struct segment_view *view = NULL;
        struct segment_news news[fixture_slots];
        struct fixture fixture;
        struct segment_event *event;
        const char *why = NULL;
        size_t count = 0, at;

        (void)state;
        fixture_init(&fixture);
        at = SEGMENT_HEADER_BYTES + (64 + 64 + fixture_rows * 576) + 128 + 64 + 64;
        event = (struct segment_event *)(void *)(fixture.bytes + at);
        assert_int_equal(event->thread, 77);
        event->seq = 1; /* being written */
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_int_equal(segment_read_events(view, news, fixture_slots, &count, &why), 0);
        assert_int_equal(count, 0);
        event->seq = 2;
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(segment_read_events(view, news, fixture_slots, &count, &why), 0);
        assert_int_equal(count, 1);
        segment_close(&view);
        fixture_fini(&fixture);
}

/* ---- Bad ones ------------------------------------------------------------- */

static void every_cut_is_noticed(void **state)
{
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        for (size_t length = 0; length < fixture.length; length += 64) {
                const char *why = NULL;
                int outcome = read_fixture(&fixture, length, &why);

                assert_int_equal(outcome, length < sizeof(struct segment_header)
                                                  ? SEGMENT_UNFINISHED
                                                  : SEGMENT_BROKEN);
                assert_non_null(why);
        }
        fixture_fini(&fixture);
}

static uint64_t next_random(uint64_t *seed)
{
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return *seed >> 33;
}

static void no_flipped_bit_breaks_the_reader(void **state)
{
        const uint64_t seeds[] = { 1, 20240229, 0xc0ffee };
        unsigned counts[SEGMENT_BROKEN + 1] = { 0 };
        struct fixture good;

        (void)state;
        fixture_init(&good);
        for (int round = 0; round < 6000; round++) {
                struct fixture bad = { malloc(good.length), good.length };
                uint64_t seed = seeds[round % 3] + (uint64_t)round * 7919;
                unsigned flips = 1 + (unsigned)(next_random(&seed) % 4);
                const char *why = NULL;
                int outcome;

                assert_non_null(bad.bytes);
                memcpy(bad.bytes, good.bytes, good.length);
                while (flips--) {
                        size_t at = next_random(&seed) % good.length;

                        /* Half of them where the numbers are. */
                        if (next_random(&seed) & 1)
                                at = next_random(&seed) & 2
                                             ? next_random(&seed) % sizeof(struct segment_header)
                                             : SEGMENT_HEADER_BYTES + next_random(&seed) % 128;
                        bad.bytes[at] ^= (unsigned char)(1u << (next_random(&seed) & 7));
                }
                outcome = read_fixture(&bad, bad.length, &why);
                assert_true(outcome >= 0 && outcome <= SEGMENT_BROKEN);
                assert_true(outcome == 0 || why);
                counts[outcome]++;
                fixture_fini(&bad);
        }
        assert_true(counts[0] > 100 && counts[SEGMENT_BROKEN] > 100); /* both roads were taken */
        fixture_fini(&good);
}

/* One field of the header is changed; the reader must say that it is broken. */
static void check_header(size_t offset, size_t size, uint64_t value)
{
        struct fixture fixture;
        const char *why = NULL;

        fixture_init(&fixture);
        memcpy(fixture.bytes + offset, &value, size);
        assert_int_equal(read_fixture(&fixture, fixture.length, &why), SEGMENT_BROKEN);
        assert_non_null(why);
        fixture_fini(&fixture);
}

static void wrong_numbers_in_the_header(void **state)
{
        (void)state;
        check_header(0, 8, 0x2020202020202020);
        check_header(offsetof(struct segment_header, version), 4, 2);
        check_header(offsetof(struct segment_header, header_bytes), 4, 64);
        check_header(offsetof(struct segment_header, record_bytes), 4, 513);
        check_header(offsetof(struct segment_header, row_bytes), 4, 0);
        check_header(offsetof(struct segment_header, event_bytes), 4, 1);
        check_header(offsetof(struct segment_header, state), 4, 3);
        check_header(offsetof(struct segment_header, pid), 4, 0);
        check_header(offsetof(struct segment_header, used_bytes), 8, UINT64_MAX);
        check_header(offsetof(struct segment_header, used_bytes), 8, 0);
        check_header(offsetof(struct segment_header, used_bytes), 8, SEGMENT_HEADER_BYTES + 1);
        check_header(offsetof(struct segment_header, used_bytes), 8, 1 << 20); /* beyond the file */
        check_header(offsetof(struct segment_header, used_bytes), 8, SEGMENT_HEADER_BYTES + 64);
}

static void a_file_without_magic_is_not_finished(void **state)
{
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_init(&fixture);
        memset(fixture.bytes, 0, 8);
        assert_int_equal(read_fixture(&fixture, fixture.length, &why), SEGMENT_UNFINISHED);
        fixture_fini(&fixture);
}

/* An extent of that kind with these numbers behind a good segment. */
static int read_with(uint32_t kind, uint32_t object, uint32_t count, uint64_t bytes)
{
        struct fixture fixture;
        struct segment_extent *extent;
        const char *why = NULL;
        int outcome;
        size_t at;

        fixture_init(&fixture);
        at = fixture_extend(&fixture, kind, object, count, 4096);
        extent = (struct segment_extent *)(void *)(fixture.bytes + at) - 1;
        if (bytes)
                extent->bytes = bytes;
        outcome = read_fixture(&fixture, fixture.length, &why);
        fixture_fini(&fixture);
        return outcome;
}

static void wrong_numbers_in_extents(void **state)
{
        (void)state;
        assert_int_equal(read_with(SEGMENT_FILLER, 0, 0, 0), 0);
        assert_int_equal(read_with(0, 0, 0, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(6, 0, 0, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_FILLER, 0, 0, 63), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_FILLER, 0, 0, 32), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_FILLER, 0, 0, UINT64_MAX - 63), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_FILLER, 0, 0, 1 << 20), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_BLOCK, 1, 4096, 0), 0);
        assert_int_equal(read_with(SEGMENT_BLOCK, 1, 4104, 0), SEGMENT_BROKEN); /* no room */
        assert_int_equal(read_with(SEGMENT_BLOCK, 1, 4095, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_BLOCK, 1, UINT32_MAX, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_BLOCK, 0, 64, 0), SEGMENT_BROKEN); /* was 32 */
        assert_int_equal(read_with(SEGMENT_SHARED, 0, 8, 0), SEGMENT_BROKEN); /* twice */
        assert_int_equal(read_with(SEGMENT_SHARED, 1, 8, 0), 0);
        assert_int_equal(read_with(SEGMENT_ROWS, 0, 1, 0), SEGMENT_BROKEN); /* twice */
        assert_int_equal(read_with(SEGMENT_ROWS, 1, 1, 0), 0);
        assert_int_equal(read_with(SEGMENT_ROWS, 1, 8, 0), SEGMENT_BROKEN); /* seven fit */
        assert_int_equal(read_with(SEGMENT_ROWS, 1, UINT32_MAX, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_ROWS, segment_object_max - 1, 1, 0), 0);
        assert_int_equal(read_with(SEGMENT_ROWS, segment_object_max, 1, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_ROWS, UINT32_MAX, 1, 0), SEGMENT_BROKEN);
        assert_int_equal(read_with(SEGMENT_EVENTS, 0, 7, 0), SEGMENT_BROKEN); /* twice */
}

static void check_row(size_t offset, size_t size, uint64_t value, bool is_bad)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        fixture_init(&fixture);
        memcpy(fixture.bytes + SEGMENT_HEADER_BYTES + 128 + offset, &value, size);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(read_all(view, &why), 0);
        assert_int_equal(view->row_count, fixture_rows);
        assert_int_equal(view->rows[0].bad != NULL, is_bad);
        assert_null(view->rows[1].bad); /* the others go on */
        segment_close(&view);
        fixture_fini(&fixture);
}

static void a_bad_row_is_ignored_alone(void **state)
{
        (void)state;
        check_row(0, 2, 1, false);
        check_row(offsetof(struct toc_record, version), 2, 2, true);
        check_row(offsetof(struct toc_record, kind), 1, 99, true);
        check_row(offsetof(struct toc_record, module), 8, 0x1b1b1b1b1b1b1b1b, true);
        check_row(offsetof(struct segment_row, cell_offset), 4, 4, true);
        check_row(offsetof(struct segment_row, cell_offset), 4, UINT32_MAX - 7, true);
        check_row(offsetof(struct segment_row, cell_offset), 4, segment_cells_bytes_max, true);
        check_row(offsetof(struct segment_row, cell_offset), 4, 1024, false); /* reads as 0 */
        check_row(offsetof(struct segment_row, cell_bytes), 4, 16, true);
        check_row(offsetof(struct segment_row, place), 4, 0, true);
        check_row(offsetof(struct segment_row, place), 4, SEGMENT_NO_CELL, true);
        check_row(offsetof(struct segment_row, place), 4, SEGMENT_IN_SHARED, false);
}

static void a_segment_may_not_change_its_identity(void **state)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(read_all(view, &why), 0);
        fixture_head(&fixture)->attached_ns++;
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(read_all(view, &why), SEGMENT_BROKEN);
        fixture_head(&fixture)->attached_ns--;
        fixture_head(&fixture)->used_bytes -= 128;
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(read_all(view, &why), SEGMENT_BROKEN); /* it shrank */
        segment_close(&view);
        fixture_fini(&fixture);
}

static void a_file_cut_under_the_reader_is_noticed(void **state)
{
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
        assert_int_equal(open_named("x.seg", &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        fixture_write(&fixture, dir_fd, "x.seg", 4096);
        assert_int_equal(segment_sample(view, &why), SEGMENT_BROKEN);
        assert_non_null(why);
        segment_close(&view);
        fixture_fini(&fixture);
}

/* ---- What is no segment --------------------------------------------------- */

static void other_things_are_refused(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;
        int fd;

        (void)state;
        assert_int_equal(mkdirat(dir_fd, "dir.seg", 0700), 0);
        assert_int_equal(open_named("dir.seg", &view, &why), SEGMENT_REFUSED);
        assert_int_equal(mkfifoat(dir_fd, "fifo.seg", 0600), 0);
        assert_int_equal(open_named("fifo.seg", &view, &why), SEGMENT_REFUSED);
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "real", fixture.length);
        fixture_fini(&fixture);
        assert_int_equal(symlinkat("real", dir_fd, "link.seg"), 0);
        assert_int_equal(open_named("link.seg", &view, &why), SEGMENT_REFUSED);
        assert_int_equal(open_named("none.seg", &view, &why), -ENOENT);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket.seg", place);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(open_named("socket.seg", &view, &why), SEGMENT_REFUSED);
        (void)close(fd);
        assert_null(view);
}

static void files_of_others_are_refused(void **state)
{
        const uid_t owners[] = { geteuid(), 4242 };
        struct segment_view *view = NULL;
        struct fixture fixture;
        const char *why = NULL;

        (void)state;
        if (geteuid() != 0)
                skip(); /* only root can give files away */
        fixture_init(&fixture);
        fixture_write(&fixture, dir_fd, "theirs.seg", fixture.length);
        fixture_fini(&fixture);
        assert_int_equal(fchownat(dir_fd, "theirs.seg", 4242, 4242, 0), 0);
        assert_int_equal(open_named("theirs.seg", &view, &why), SEGMENT_REFUSED);
        assert_int_equal(segment_open(dir_fd, "theirs.seg", owners, 2, &view, &why), 0);
        segment_close(&view);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(cells_are_summed_over_blocks),
                cmocka_unit_test(operations_that_go_on_are_named),
                cmocka_unit_test(the_first_1024_operations_are_named),
                cmocka_unit_test(a_gauge_without_a_place_is_unset),
                cmocka_unit_test(a_segment_grows_while_it_is_read),
                cmocka_unit_test(rows_are_frozen_when_first_seen),
                cmocka_unit_test(an_unfinished_event_comes_later),
                cmocka_unit_test(every_cut_is_noticed),
                cmocka_unit_test(no_flipped_bit_breaks_the_reader),
                cmocka_unit_test(wrong_numbers_in_the_header),
                cmocka_unit_test(a_file_without_magic_is_not_finished),
                cmocka_unit_test(wrong_numbers_in_extents),
                cmocka_unit_test(a_bad_row_is_ignored_alone),
                cmocka_unit_test(a_segment_may_not_change_its_identity),
                cmocka_unit_test(a_file_cut_under_the_reader_is_noticed),
                cmocka_unit_test(other_things_are_refused),
                cmocka_unit_test(files_of_others_are_refused),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
