/* SPDX-License-Identifier: Apache-2.0 */
/* A segment that asks for more rules than we judge must not cost more than those rules. */
#include "watch/fixture.h"

#include "base/clock.h"
#include "watch/target.h"

static char directory[32];
static int dir_fd;

/* One row more than there is room for: the last is a site that brings its module's sum along. */
static void too_many_rows(struct fixture *fixture)
{
        const uint32_t count = segment_row_max;
        const uint64_t cells[4] = { 7 };
        size_t at;

        fixture_header(fixture);
        at = fixture_extend(fixture, SEGMENT_ROWS, 0, count,
                            sizeof(struct segment_rows) + count * sizeof(struct segment_row));
        at += sizeof(struct segment_rows);
        for (uint32_t i = 0; i < count; i++) {
                struct segment_row row = fixture_row(toc_kind_counter, "hits", 0);

                if (i == count - 1) {
                        row = fixture_row(toc_kind_error, "error_50", 0);
                        row.record.flags = TOC_IS_USUAL_;
                        row.record.rule[0] = (struct toc_rule){ 0 };
                }
                memcpy(fixture->bytes + at + i * sizeof(row), &row, sizeof(row));
        }
        (void)fixture_add_block(fixture, 0, cells);
}

static void a_row_without_room_is_left_out(void **state)
{
        struct fixture fixture = { NULL, 0 };
        const uid_t owner = getuid();
        const struct rule_change *changes;
        struct target *target = NULL;
        const char *why = NULL;
        size_t count;

        (void)state;
        too_many_rows(&fixture);
        fixture_write(&fixture, dir_fd, "many.seg", fixture.length);
        assert_int_equal(target_new(dir_fd, "many.seg", &owner, 1, &target, &why), 0);
        assert_int_equal(target_refresh(target, 1, clock_monotonic_ns(), &why), 0);
        assert_int_equal(target->known_rows, segment_row_max);
        assert_int_equal(target->ignored_rows, 1);
        assert_string_equal(target->ignored_why, "there is no room for its rules");
        assert_int_equal(target->rule_rows[segment_row_max - 1], target_no_row);
        assert_int_equal(target_judge(target, clock_monotonic_ns(), true, &changes, &count, &why),
                         0);
        assert_int_equal(target->samples[0].cells[0], 7);
        target_free(&target);
        fixture_fini(&fixture);
        assert_int_equal(unlinkat(dir_fd, "many.seg", 0), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_row_without_room_is_left_out),
        };
        int failed;

        dir_fd = fixture_directory(directory);
        failed = cmocka_run_group_tests_name("target", tests, NULL, NULL);
        (void)close(dir_fd);    /* only read */
        (void)rmdir(directory); /* a failed test may have left something */
        return failed;
}
