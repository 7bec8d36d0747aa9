/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as rest, and what does not. */
#include "watch/idle.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct picture *picture;
static struct idle idle;
static struct insight insight;

enum { MODULE = 2, SITE = INSIDE_FIRST_SITE };

static int begin(void **state)
{
        (void)state;
        memset(&idle, 0, sizeof(idle));
        memset(&insight, 0, sizeof(insight));
        if (picture_new(0, &picture))
                return -1;
        picture->site_count = SITE + 1;
        picture->sites[SITE] =
                (struct inside_site){ .is_ready = 1, .kind = INSIDE_HEAP, .module = MODULE };
        picture->thread_count = 2;
        return 0;
}

static int end(void **state)
{
        (void)state;
        picture_free(&picture);
        return 0;
}

static void stands_at(uint64_t bytes, uint64_t made)
{
        picture->cells[SITE] = (struct picture_cells){ .bytes = bytes, .live = 1, .made = made };
}

/* Ten looks and a tick. */
static int64_t after_a_second(uint64_t around)
{
        picture->threads[1].around = around;
        for (int i = 0; i < 10; i++)
                idle_glance(&idle, picture);
        idle_see(&idle, picture, &insight);
        return insight.value[MODULE][INSIGHT_idle_bytes];
}

static void what_a_request_leaves_is_seen_when_it_is_over(void **state)
{
        (void)state;
        stands_at(500, 3);
        assert_int_equal(after_a_second(1 << MODULE), 0); /* someone is in it */
        stands_at(100, 4);
        assert_int_equal(after_a_second(0), 0); /* in that second a block was made */
        assert_int_equal(after_a_second(0), 100);
        stands_at(900, 5);
        assert_int_equal(after_a_second(1 << MODULE), 100); /* stands until it rests again */
        stands_at(0, 5);
        assert_int_equal(after_a_second(0), 0);
}

static void who_is_deeper_down_is_in_it_still(void **state)
{
        (void)state;
        stands_at(500, 3);
        picture->threads[1].module = MODULE + 1;
        assert_int_equal(after_a_second(1 << MODULE | 1 << (MODULE + 1)), 0);
        assert_int_equal(after_a_second(1 << MODULE | 1 << (MODULE + 1)), 0);
        assert_int_equal(after_a_second(1 << (MODULE + 1)), 500); /* it has come back */
}

static void one_look_that_finds_someone_is_enough(void **state)
{
        (void)state;
        stands_at(500, 3);
        (void)after_a_second(1 << MODULE);
        picture->threads[0].around = 0;
        for (int i = 0; i < 10; i++) {
                picture->threads[1].around = i == 8 ? 1 << MODULE : 0;
                idle_glance(&idle, picture);
        }
        idle_see(&idle, picture, &insight);
        assert_int_equal(insight.value[MODULE][INSIGHT_idle_bytes], 0);
}

static void descriptors_are_no_bytes(void **state)
{
        (void)state;
        picture->sites[SITE].kind = INSIDE_DESCRIPTOR;
        stands_at(500, 3);
        (void)after_a_second(0);
        assert_int_equal(after_a_second(0), 0);
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(what_a_request_leaves_is_seen_when_it_is_over),
                TRIAL(who_is_deeper_down_is_in_it_still),
                TRIAL(one_look_that_finds_someone_is_enough),
                TRIAL(descriptors_are_no_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
