/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, order and rates, by hand. */
#include "watch/census.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct picture *picture;
static struct census census;
static const struct text no_maps;
static const struct namer nobody = { .maps = &no_maps }; /* numbers only */

enum { MODULE = 1, SITE = INSIDE_FIRST_SITE };

static int begin(void **state)
{
        (void)state;
        memset(&census, 0, sizeof(census));
        return picture_new(0, &picture);
}

static int end(void **state)
{
        (void)state;
        picture_free(&picture);
        return 0;
}

static void site(uint32_t number, enum inside_kind kind, uint64_t bytes, uint64_t live,
                 uint64_t made)
{
        picture->sites[number] = (struct inside_site){
                .is_ready = 1, .kind = kind, .module = MODULE, .depth = 1, .stack = { number }
        };
        picture->cells[number] = (struct picture_cells){ bytes, live, made };
        if (picture->site_count <= number)
                picture->site_count = number + 1;
}

static json_int_t number(const json_t *object, const char *name)
{
        assert_true(json_is_integer(json_object_get(object, name)));
        return json_integer_value(json_object_get(object, name));
}

static void modules_add_up_and_the_largest_come_first(void **state)
{
        BASE_SCOPE(json_decrefp) json_t *all = NULL;
        const json_t *sites;

        (void)state;
        site(SITE, INSIDE_HEAP, 64, 2, 20);
        site(SITE + 1, INSIDE_HEAP, 4096, 1, 1);
        site(SITE + 2, INSIDE_HEAP, 0, 0, 50); /* nothing of it lives */
        site(SITE + 3, INSIDE_DESCRIPTOR, 0, 7, 9);
        site(SITE + 4, INSIDE_THREAD_KIND, 0, 3, 3);
        site(SITE + 5, INSIDE_HEAP, 1 << 20, 1, 1);
        picture->sites[SITE + 5].module = MODULE + 1;
        picture->io[MODULE] =
                (struct inside_io){ .reads = 4, .read_bytes = 400, .timed = 2, .timed_ns = 5000 };
        census_see(&census, picture);
        all = census_module(&census, picture, &nobody, MODULE);
        assert_int_equal(number(all, "live_bytes"), 4160);
        assert_int_equal(number(all, "blocks"), 3);
        assert_int_equal(number(all, "blocks_made"), 71);
        assert_int_equal(number(all, "descriptors"), 7);
        assert_int_equal(number(all, "threads"), 3);
        assert_int_equal(number(json_object_get(all, "calls"), "read_bytes"), 400);
        assert_true(json_real_value(json_object_get(json_object_get(all, "calls"), "mean_us")) ==
                    2.5);
        sites = json_object_get(all, "sites");
        assert_int_equal(json_array_size(sites), 4);
        assert_int_equal(number(json_array_get(sites, 0), "bytes"), 4096);
        assert_int_equal(number(json_array_get(sites, 1), "bytes"), 64);
        assert_int_equal(number(json_array_get(sites, 2), "live"), 7);
        assert_string_equal(json_string_value(json_object_get(json_array_get(sites, 3), "kind")),
                            "thread");
        assert_false(census_has(picture, MODULE + 2));
        assert_true(census_has(picture, MODULE + 1));
}

static void rates_are_of_ten_seconds(void **state)
{
        (void)state;
        for (uint64_t second = 0; second <= 30; second++) {
                BASE_SCOPE(json_decrefp) json_t *all = NULL;
                uint64_t made = second < 20 ? 30 * second : 570 + 80 * (second - 19);

                site(SITE, INSIDE_HEAP, 8, 1, made ? made : 1);
                census_see(&census, picture);
                all = census_module(&census, picture, &nobody, MODULE);
                if (second == 5) /* since the first: (150 - 1) / 5 */
                        assert_int_equal(number(all, "blocks_per_second"), 29);
                if (second == 19)
                        assert_int_equal(number(all, "blocks_per_second"), 30);
                if (second == 24) /* five of each */
                        assert_int_equal(number(all, "blocks_per_second"), 55);
                if (second == 30)
                        assert_int_equal(number(all, "blocks_per_second"), 80);
        }
}

static void only_some_sites_are_said(void **state)
{
        BASE_SCOPE(json_decrefp) json_t *all = NULL;

        (void)state;
        for (uint32_t i = 0; i < 20; i++)
                site(SITE + i, INSIDE_HEAP, 1 + i, 1, 1);
        all = census_module(&census, picture, &nobody, MODULE);
        assert_int_equal(json_array_size(json_object_get(all, "sites")), 5);
        assert_int_equal(number(json_array_get(json_object_get(all, "sites"), 4), "bytes"), 16);
        assert_null(json_object_get(all, "calls"));
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(modules_add_up_and_the_largest_come_first),
                TRIAL(rates_are_of_ten_seconds),
                TRIAL(only_some_sites_are_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
