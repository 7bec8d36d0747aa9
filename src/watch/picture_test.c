/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of libtocsin-inside as it writes them, and as nobody should: numbers are written by hand
 * into the file, and what a picture says of them is compared with what was written. */
#include "watch/inside_fixture.h"

#include <sys/syscall.h>

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void is_broken(const char *as)
{
        const char *why = "";

        write_all();
        assert_int_equal(look(&why), SEGMENT_BROKEN);
        assert_non_null(strstr(why, as));
}

/* ---- As it is written ----------------------------------------------------- */

static void cells_are_summed_over_threads(void **state)
{
        (void)state;
        add_site(INSIDE_HEAP, 1);
        add_page(7);
        add_page(0); /* it has ended, and freed what another made */
        page(0)->cells[INSIDE_FIRST_SITE].live = 3 * INSIDE_ONE + 300;
        page(0)->cells[INSIDE_FIRST_SITE].made = 3;
        page(1)->cells[INSIDE_FIRST_SITE].live = -INSIDE_ONE - 100;
        page(1)->cells[INSIDE_FIRST_SITE].made = 2;
        page(0)->io[1] = (struct inside_io){ .reads = 2, .read_bytes = 20 };
        page(1)->io[1] = (struct inside_io){ .reads = 1, .read_bytes = 5, .errors = 1 };
        look_well();
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].live, 2);
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].bytes, 200);
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].made, 5);
        assert_int_equal(picture->io[1].reads, 3);
        assert_int_equal(picture->io[1].read_bytes, 25);
        assert_int_equal(picture->io[1].errors, 1);
        assert_int_equal(picture->thread_count, 1);
        assert_int_equal(picture->threads[0].id, 7);
        look_well(); /* the second time it is not twice as much */
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].bytes, 200);
}

static void only_threads_of_the_process_live(void **state)
{
        const char *why = NULL;

        (void)state;
        picture->pid = getpid();
        add_page((uint64_t)syscall(SYS_gettid));
        add_page(1); /* no thread of ours, whoever says so */
        add_page(UINT64_MAX);
        look_well();
        assert_int_equal(picture->thread_count, 1);
        assert_int_equal(picture->threads[0].number, 0);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why), 0);
        assert_int_equal(picture->thread_count, 1);
}

static void who_is_joined_is_found_by_its_pthread_t(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                add_page(100 + i);
                page(i)->self = i < 3 ? 0x7000 + i : 0; /* the last one has ended */
                page(i)->wait_kind = INSIDE_JOIN;
        }
        page(0)->wait_number = 1;
        page(0)->wait_lock = 0x7002;
        page(1)->wait_number = 3;
        page(1)->wait_lock = 0x7003; /* nobody's */
        page(2)->wait_number = 2;    /* over */
        page(2)->wait_lock = 0x7000;
        page(3)->wait_number = 1;
        page(3)->wait_lock = 0; /* never */
        look_well();
        assert_int_equal(picture->threads[0].wait_lock, 102);
        assert_int_equal(picture->threads[1].wait_lock, 0);
        assert_int_equal(picture->threads[2].wait_lock, 0x7000);
        assert_int_equal(picture->threads[3].wait_lock, 0);
}

static void modules_come_when_they_are_ready(void **state)
{
        struct inside_module *modules = at(at_modules);

        (void)state;
        name_module(2, "wal");
        name_module(3, "net");
        modules[2].is_ready = 0;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_string_equal(picture_module(picture, 0), "process");
        assert_string_equal(picture_module(picture, 1), "lru");
        assert_string_equal(picture_module(picture, 3), "process");
        modules[2].is_ready = 1;
        look_well();
        assert_int_equal(picture->module_count, 4);
        assert_string_equal(picture_module(picture, 3), "net");
        assert_false(picture->has_other_modules);
        modules[INSIDE_OTHER_MODULES].is_ready = 1;
        look_well();
        assert_true(picture->has_other_modules);
        assert_string_equal(picture_module(picture, INSIDE_OTHER_MODULES), "others");
}

static void findings_wait_for_the_one_before(void **state)
{
        struct inside_finding *findings = at(at_findings);

        (void)state;
        head()->findings_made = 2;
        findings[1] = (struct inside_finding){ .is_ready = 1, .kind = INSIDE_DOUBLE_FREE };
        look_well();
        assert_int_equal(picture->finding_count, 0);
        findings[0] = (struct inside_finding){ .is_ready = 1, .kind = INSIDE_OVERFLOW };
        look_well();
        assert_int_equal(picture->finding_count, 2);
        assert_int_equal(picture->findings[0].kind, INSIDE_OVERFLOW);
}

/* ---- As nobody should ----------------------------------------------------- */

static void names_that_are_none_are_not_taken(void **state)
{
        static const char *const names[] = { "", "9lives", "a b", "\x1b[31m", "\xc3\xa4", "a/b" };
        struct inside_module *modules = at(at_modules);

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                name_module(2, names[i]);
                look_well();
                assert_int_equal(picture->module_count, 2);
        }
        memset(modules[2].name, 'a', sizeof(modules[2].name)); /* without an end */
        look_well();
        assert_int_equal(picture->module_count, 2);
}

static void a_name_that_was_taken_stays(void **state)
{
        struct inside_module *modules = at(at_modules);

        (void)state;
        look_well();
        memset(&modules[1], 0xff, sizeof(modules[1]));
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_string_equal(picture_module(picture, 1), "lru");
}

static void counts_beyond_the_tables_are_cut(void **state)
{
        const char *why = NULL;

        (void)state;
        head()->modules = head()->sites = head()->nodes = UINT32_MAX;
        head()->findings_made = UINT64_MAX;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_int_equal(picture->site_count, INSIDE_SITES);
        assert_int_equal(picture->node_count, INSIDE_NODES);
        assert_int_equal(picture->finding_count, 0);
        head()->modules = head()->sites = head()->nodes = 0; /* and back */
        head()->findings_made = 0;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_int_equal(picture->site_count, INSIDE_SITES);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why), 0);
}

static void numbers_out_of_range_come_into_it(void **state)
{
        (void)state;
        head()->sites = head()->nodes = INSIDE_SITES;
        head()->modules = INSIDE_MODULES;
        head()->findings_made = INSIDE_FINDINGS;
        memset(at(at_sites), 0xff, INSIDE_SITES * sizeof(struct inside_site));
        memset(at(at_nodes), 0xff, INSIDE_NODES * sizeof(struct inside_node));
        memset(at(at_findings), 0xff, INSIDE_FINDINGS * sizeof(struct inside_finding));
        add_page(7);
        memset(page(0), 0xff, sizeof(*page(0)));
        look_well();
        for (uint32_t i = 0; i < INSIDE_SITES; i++) {
                assert_true(picture->sites[i].module < INSIDE_MODULES);
                assert_true(picture->sites[i].depth <= INSIDE_STACK);
                assert_int_equal(picture->sites[i].is_ready, i < INSIDE_FIRST_SITE);
        }
        assert_int_equal(picture->finding_count, INSIDE_FINDINGS);
        for (uint32_t i = 0; i < INSIDE_FINDINGS; i++) {
                assert_true(picture->findings[i].module < INSIDE_MODULES);
                assert_true(picture->findings[i].site < INSIDE_SITES);
                assert_true(picture->findings[i].depth[1] <= INSIDE_STACK);
                assert_true(picture->findings[i].node[1] < INSIDE_NODES);
        }
        assert_int_equal(picture->thread_count, 1);
        assert_true(picture->threads[0].module < INSIDE_MODULES);
        assert_true(picture->threads[0].wait_node < INSIDE_NODES);
        assert_true(picture->threads[0].made_site < INSIDE_SITES);
        assert_int_equal(picture->threads[0].held_count, INSIDE_HELD);
        for (uint32_t i = 0; i < INSIDE_HELD; i++)
                assert_true(picture->threads[0].held[i].node < INSIDE_NODES);
}

static void another_version_is_not_read(void **state)
{
        (void)state;
        head()->version = INSIDE_VERSION + 1;
        is_broken("another version");
}

static void a_table_is_there_once(void **state)
{
        (void)state;
        (void)fixture_extend(&fixture, SEGMENT_INSIDE_SITES, 0, INSIDE_SITES,
                             INSIDE_SITES * sizeof(struct inside_site));
        is_broken("twice");
}

static void a_table_has_the_size_of_this_version(void **state)
{
        struct segment_extent *extent = at(at_nodes - sizeof(*extent));

        (void)state;
        extent->count = INSIDE_NODES - 1;
        is_broken("another version");
}

static void a_table_lies_within_its_extent(void **state)
{
        struct segment_extent *extent = at(at_findings - sizeof(*extent));

        (void)state;
        extent->count = UINT32_MAX;
        is_broken("more than it has room for");
}

static void a_page_lies_within_its_extent(void **state)
{
        (void)state;
        (void)fixture_extend(&fixture, SEGMENT_INSIDE_THREAD, 0, 1, 64);
        is_broken("more than it has room for");
}

static void without_one_of_the_tables_there_is_no_inside(void **state)
{
        struct segment_extent *extent = at(at_sites - sizeof(*extent));
        const uid_t owners[] = { geteuid() };
        const char *why = NULL;

        (void)state;
        extent->kind = SEGMENT_FILLER;
        write_all();
        assert_int_equal(segment_open(dir_fd, "x.seg", owners, 1, &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_false(segment_has_inside(view));
}

static void a_file_that_becomes_shorter_is_broken(void **state)
{
        const char *why = "";

        (void)state;
        add_page(7);
        look_well();
        fixture_write(&fixture, dir_fd, "x.seg", at_page[0]);
        assert_int_equal(picture_read(picture, view, now_s * CLOCK_S_NS, &why), SEGMENT_BROKEN);
        fixture_write(&fixture, dir_fd, "x.seg", at_sites);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why),
                         SEGMENT_BROKEN);
}

static int run_all(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(cells_are_summed_over_threads),
                TRIAL(only_threads_of_the_process_live),
                TRIAL(who_is_joined_is_found_by_its_pthread_t),
                TRIAL(modules_come_when_they_are_ready),
                TRIAL(findings_wait_for_the_one_before),
                TRIAL(names_that_are_none_are_not_taken),
                TRIAL(a_name_that_was_taken_stays),
                TRIAL(counts_beyond_the_tables_are_cut),
                TRIAL(numbers_out_of_range_come_into_it),
                TRIAL(another_version_is_not_read),
                TRIAL(a_table_is_there_once),
                TRIAL(a_table_has_the_size_of_this_version),
                TRIAL(a_table_lies_within_its_extent),
                TRIAL(a_page_lies_within_its_extent),
                TRIAL(without_one_of_the_tables_there_is_no_inside),
                TRIAL(a_file_that_becomes_shorter_is_broken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
        return run_in_directory(run_all);
}
