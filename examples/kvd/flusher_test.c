/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No test here says how fast: each waits for a condition, up to a deadline that only a hang meets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "flusher.h"

enum { DEADLINE_MS = 20000, TICK_MS = 5 };

static const struct hash_seed seed = { 1, 2 };
static const struct store_limits roomy = { 1000, 1 << 20 };
static char directory_path[64];
static int directory;
static struct vault vault;
static struct flusher *flusher;

static int set_up(void **state)
{
        (void)state;
        (void)snprintf(directory_path, sizeof(directory_path), "/tmp/kvd-flusher-XXXXXX");
        if (!mkdtemp(directory_path))
                return -1;
        directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return -1;
        return vault_open(&vault, &roomy, &seed);
}

static int tear_down(void **state)
{
        (void)state;
        vault_close(&vault);
        (void)unlinkat(directory, "snap", 0); /* may not be there */
        (void)close(directory);               /* only read from */
        return rmdir(directory_path);
}

static void start(const char *name)
{
        const struct flusher_options options = {
                .vault = &vault,
                .file = { directory, name },
                .interval_ms = TICK_MS,
                .save_ms = TICK_MS,
        };

        assert_int_equal(flusher_start(&flusher, &options), 0);
}

static void nap(void)
{
        const struct timespec moment = { 0, 1000000 };

        (void)nanosleep(&moment, NULL); /* a signal only makes it shorter */
}

static void wait_for_ticks(uint64_t more)
{
        uint64_t until_ms = clock_boot_ms() + DEADLINE_MS;
        uint64_t from = flusher_stats(flusher).ticks;

        while (flusher_stats(flusher).ticks < from + more) {
                assert_true(clock_boot_ms() < until_ms);
                nap();
        }
}

static void set(const char *key, uint64_t lives_ms)
{
        uint64_t now_ms = clock_boot_ms();
        struct store_item item = { { key, strlen(key) },
                                   { "v", 1 },
                                   lives_ms ? now_ms + lives_ms : 0 };

        assert_int_equal(store_set(vault_enter(&vault), &item, now_ms), 0);
        vault_leave(&vault);
}

static uint64_t keys(void)
{
        uint64_t count = store_stats(vault_enter(&vault)).keys;

        vault_leave(&vault);
        return count;
}

static bool has_file(void)
{
        struct stat found;

        return fstatat(directory, "snap", &found, 0) == 0;
}

static void test_start_and_stop(void **state)
{
        (void)state;
        start(NULL);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
        assert_null(flusher);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
}

static void test_sweeps(void **state)
{
        uint64_t until_ms = clock_boot_ms() + DEADLINE_MS;

        (void)state;
        set("stays", 0);
        set("goes", 1);
        start(NULL);
        while (keys() == 2) {
                assert_true(clock_boot_ms() < until_ms);
                nap();
        }
        assert_int_equal(keys(), 1);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
        assert_false(has_file());
}

static void test_saves_changes_only(void **state)
{
        uint64_t until_ms = clock_boot_ms() + DEADLINE_MS;

        (void)state;
        start("snap");
        wait_for_ticks(5);
        assert_false(has_file());
        set("key", 0);
        while (flusher_stats(flusher).saves == 0) {
                assert_true(clock_boot_ms() < until_ms);
                nap();
        }
        assert_true(has_file());
        wait_for_ticks(5);
        assert_int_equal(flusher_stats(flusher).saves, 1);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
}

static void test_pause(void **state)
{
        uint64_t ticks;

        (void)state;
        start("snap");
        flusher_pause(flusher, true);
        wait_for_ticks(0);
        assert_true(flusher_stats(flusher).is_paused);
        ticks = flusher_stats(flusher).ticks;
        set("key", 0);
        for (int i = 0; i < 50; i++)
                nap();
        assert_true(flusher_stats(flusher).ticks <= ticks + 1); /* one may have been under way */
        flusher_pause(flusher, false);
        wait_for_ticks(2);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
}

/* Stopping works also while paused, and saves what was not saved. */
static void test_stop_while_paused(void **state)
{
        (void)state;
        start("snap");
        flusher_pause(flusher, true);
        set("key", 0);
        assert_int_equal(flusher_stop(&flusher, flusher_beat), 0);
        assert_true(has_file());
}

static void test_failed_saves(void **state)
{
        uint64_t until_ms = clock_boot_ms() + DEADLINE_MS;

        (void)state;
        start("no/such/directory");
        set("key", 0);
        while (flusher_stats(flusher).saves_failed < 3) {
                assert_true(clock_boot_ms() < until_ms);
                nap();
        }
        assert_true(flusher_stop(&flusher, flusher_beat) < 0);
        assert_null(flusher);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_start_and_stop, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_sweeps, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_saves_changes_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_pause, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stop_while_paused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_failed_saves, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("kvd flusher", tests, NULL, NULL);
}
