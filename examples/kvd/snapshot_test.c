/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was written is read back, and what is damaged is refused, wherever the damage is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "snapshot.h"

enum { FILE_BYTES_MAX = 65536, HOUR_MS = 3600000 };

static const struct hash_seed seed = { 1, 2 };
static const struct store_limits roomy = { 1000, 1 << 20 };
static char directory_path[64];
static struct snapshot_file file = { -1, "snap" };
static int beats;

static void alive(void)
{
        beats++;
}

static int set_up(void **state)
{
        (void)state;
        (void)snprintf(directory_path, sizeof(directory_path), "/tmp/kvd-snapshot-XXXXXX");
        if (!mkdtemp(directory_path))
                return -1;
        file.directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return file.directory < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        (void)state;
        (void)unlinkat(file.directory, file.name, 0); /* may not be there */
        (void)close(file.directory);                  /* only read from */
        return rmdir(directory_path);                 /* fails if a draft was left behind */
}

static struct store_text text(const char *bytes)
{
        return (struct store_text){ bytes, strlen(bytes) };
}

static void set(struct vault *vault, const char *key, const char *value, uint64_t expires_ms)
{
        struct store_item item = { text(key), text(value), expires_ms };

        assert_int_equal(store_set(vault->store, &item, clock_boot_ms()), 0);
}

static void open_vault(struct vault *vault, const struct store_limits *limits)
{
        assert_int_equal(vault_open(vault, limits, &seed), 0);
}

static int load(struct vault *vault, const struct store_limits *limits)
{
        open_vault(vault, limits);
        return snapshot_read(&file, vault->store, alive);
}

static void write_file(const char *bytes, size_t length)
{
        int fd = openat(file.directory, file.name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, length), length);
        assert_int_equal(close(fd), 0);
}

static size_t read_file(char bytes[FILE_BYTES_MAX])
{
        int fd = openat(file.directory, file.name, O_RDONLY);
        ssize_t n;

        assert_true(fd >= 0);
        n = read(fd, bytes, FILE_BYTES_MAX);
        assert_true(n >= 0);
        (void)close(fd); /* only read from */
        return (size_t)n;
}

static void test_no_file(void **state)
{
        struct vault vault;

        (void)state;
        assert_int_equal(load(&vault, &roomy), SNAPSHOT_NONE);
        vault_close(&vault);
}

static void test_there_and_back(void **state)
{
        uint64_t soon = clock_boot_ms() + HOUR_MS;
        struct vault vault;
        struct store_item item;

        (void)state;
        open_vault(&vault, &roomy);
        set(&vault, "plain", "value", 0);
        set(&vault, "", "", 0);
        set(&vault, "lines\r\n*1\r\n", "$1\r\nx\r\n", 0);
        set(&vault, "soon", "over", soon);
        set(&vault, "over", "already", 1);
        beats = 0;
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        assert_true(beats >= (int)store_stripes(vault.store));
        vault_close(&vault);

        assert_int_equal(load(&vault, &roomy), 0);
        assert_int_equal(store_stats(vault.store).keys, 4);
        assert_int_equal(store_get(vault.store, text("lines\r\n*1\r\n"), 1, &item), 0);
        assert_memory_equal(item.value.bytes, "$1\r\nx\r\n", 7);
        assert_int_equal(item.expires_ms, 0);
        assert_int_equal(store_get(vault.store, text("soon"), 1, &item), 0);
        assert_in_range(item.expires_ms, soon - 10000, soon + 10000);
        vault_close(&vault);
}

static void test_empty_store(void **state)
{
        struct vault vault;

        (void)state;
        open_vault(&vault, &roomy);
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        vault_close(&vault);
        assert_int_equal(load(&vault, &roomy), 0);
        assert_int_equal(store_stats(vault.store).keys, 0);
        vault_close(&vault);
}

static void test_expired_while_away(void **state)
{
        const char *bytes = "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$4\r\nPXAT\r\n$4\r\n1000\r\n";
        struct vault vault;

        (void)state;
        write_file(bytes, strlen(bytes));
        assert_int_equal(load(&vault, &roomy), 0);
        assert_int_equal(store_stats(vault.store).keys, 0);
        vault_close(&vault);
}

/* Cut anywhere but between two requests, the file is refused. */
static void test_cut_at_every_byte(void **state)
{
        static char bytes[FILE_BYTES_MAX];
        struct vault vault;
        size_t length;
        int whole = 0;

        (void)state;
        open_vault(&vault, &roomy);
        set(&vault, "a", "1", 0);
        set(&vault, "b", "2", clock_boot_ms() + HOUR_MS);
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        vault_close(&vault);
        length = read_file(bytes);
        for (size_t cut = 0; cut <= length; cut++) {
                int result;

                write_file(bytes, cut);
                result = load(&vault, &roomy);
                assert_true(result == 0 || result == -EBADMSG);
                whole += result == 0;
                vault_close(&vault);
        }
        assert_int_equal(whole, 3); /* none, one, both */
}

static void test_damaged(void **state)
{
        static const char *const cases[] = {
                "rubbish\n",
                "*1\r\n$4\r\nPING\r\n",
                "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n",
                "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nNX\r\n",
                "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nEX\r\n$1\r\n1\r\n",
                "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$4\r\nPXAT\r\n$1\r\nx\r\n",
                "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$4\r\nPXAT\r\n$2\r\n-1\r\n",
                "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99999999999\r\n",
                "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nvvv",
        };
        struct vault vault;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                write_file(cases[i], strlen(cases[i]));
                assert_int_equal(load(&vault, &roomy), -EBADMSG);
                vault_close(&vault);
        }
}

static void test_too_big(void **state)
{
        const struct store_limits one = { 1, 1 << 20 };
        struct vault vault;

        (void)state;
        open_vault(&vault, &roomy);
        set(&vault, "a", "1", 0);
        set(&vault, "b", "2", 0);
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        vault_close(&vault);
        assert_int_equal(load(&vault, &one), SNAPSHOT_TOO_BIG);
        vault_close(&vault);
}

/* Whatever goes wrong, the snapshot before is left, and no draft. */
static void test_old_file_is_left(void **state)
{
        static char before[FILE_BYTES_MAX], after[FILE_BYTES_MAX];
        const struct rlimit little = { 8, RLIM_INFINITY };
        struct rlimit usual;
        struct vault vault;
        size_t length;

        (void)state;
        open_vault(&vault, &roomy);
        set(&vault, "a", "1", 0);
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        length = read_file(before);
        set(&vault, "b", "2", 0);
        store_break(vault.store);
        assert_int_equal(snapshot_write(&file, &vault, alive), -EUCLEAN);
        store_mend(vault.store);
        assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
        assert_int_equal(snapshot_write(&file, &vault, alive), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
        assert_int_equal(read_file(after), length);
        assert_memory_equal(before, after, length);
        assert_int_equal(snapshot_write(&file, &vault, alive), 0);
        assert_true(read_file(after) > length);
        vault_close(&vault);
}

static void test_strange_places(void **state)
{
        const struct snapshot_file nowhere = { -1, "snap" };
        struct vault vault;

        (void)state;
        open_vault(&vault, &roomy);
        assert_int_equal(snapshot_write(&nowhere, &vault, alive), -EBADF);
        assert_int_equal(snapshot_read(&nowhere, vault.store, alive), -EBADF);
        assert_int_equal(mkdirat(file.directory, "snap", 0700), 0);
        assert_int_equal(snapshot_write(&file, &vault, alive), -EISDIR);
        assert_int_equal(snapshot_read(&file, vault.store, alive), -EISDIR);
        assert_int_equal(unlinkat(file.directory, "snap", AT_REMOVEDIR), 0);
        assert_int_equal(symlinkat("elsewhere", file.directory, "snap"), 0);
        assert_int_equal(snapshot_read(&file, vault.store, alive), -ELOOP);
        vault_close(&vault);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_empty_store, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_expired_while_away, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_cut_at_every_byte, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_too_big, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_old_file_is_left, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_strange_places, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("kvd snapshot", tests, NULL, NULL);
}
