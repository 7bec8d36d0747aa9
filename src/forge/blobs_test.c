/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seen through the ledger, as nobody else uses blobs: a disk that is full, a blob that was changed.
 */
#include "forge/blobs.h"
#include "forge/ledger.h"
#include "forge/ledger_fixture.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_files_are_ours_alone(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        char hex[digest_hex_size];
        struct stat is;
        mode_t mask = umask(0);

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0);
        assert_int_equal(ledger_reserve(ledger, 5), 0);
        assert_int_equal(ledger_keep(ledger, "hello", 5, hex), 0);
        (void)umask(mask);
        assert_int_equal(fstatat(place->fd, "ledger.jsonl", &is, 0), 0);
        assert_int_equal(is.st_mode & 07777, 0600);
        assert_int_equal(fstatat(place->fd, "blobs", &is, 0), 0);
        assert_int_equal(is.st_mode & 07777, 0700);
        assert_int_equal(fstatat(place->fd, "blobs/ba", &is, 0), 0);
        assert_int_equal(is.st_mode & 07777, 0700);
        assert_int_equal(
                fstatat(place->fd,
                        "blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                        &is, 0),
                0);
        assert_int_equal(is.st_mode & 07777, 0600);
        assert_int_equal(
                fstatat(place->fd,
                        "blobs/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                        &is, 0),
                0);
        assert_int_equal(is.st_mode & 07777, 0600);
        assert_int_equal(is.st_size, 5);
}

/* What was reserved can be kept, and the records after it, although nothing else fits any more. */
static void test_reserved_room_outlasts_a_full_disk(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(200);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(text_fini) struct text blob = TEXT_INIT(1 << 20);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        static char answer[200000], filler[4096];
        char hex[digest_hex_size];
        int fd;

        text_printf(&path, "%s/disk", place->path);
        assert_int_equal(mkdirat(place->fd, "disk", 0700), 0);
        if (mount("none", text_view(&path), "tmpfs", 0, "size=2m"))
                skip(); /* only root may */
        memset(answer, 'a', sizeof(answer));
        assert_int_equal(ledger_create(text_view(&path), &ledger, &why), 0);
        assert_int_equal(ledger_reserve(ledger, 3 << 20), -ENOSPC);
        assert_int_equal(ledger_reserve(ledger, sizeof(answer)), 0);
        fd = openat(ledger_folder_fd(ledger), "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        while (write(fd, filler, sizeof(filler)) > 0)
                continue;
        assert_int_equal(errno, ENOSPC);
        (void)close(fd);
        assert_int_equal(ledger_keep(ledger, answer, sizeof(answer), hex), 0);
        for (int i = 0; i < 4; i++)
                assert_int_equal(
                        ledger_append(ledger, "call.result", json_pack("{s:i}", "value", i)), 0);
        assert_int_equal(ledger_fetch(ledger, hex, &blob), 0);
        assert_int_equal(blob.length, sizeof(answer));
        assert_memory_equal(blob.bytes, answer, sizeof(answer));
        assert_int_equal(ledger_reserve(ledger, 1 << 20), -ENOSPC);
        assert_int_equal(ledger_keep(ledger, answer, sizeof(answer) - 1, hex), -ENOSPC);
        ledger_close(&ledger);
        assert_int_equal(umount2(text_view(&path), MNT_DETACH), 0);
}

static void test_reserved_room_is_given_back(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        char hex[digest_hex_size];
        struct stat is;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_append(ledger, "run.start", json_object()), 0);
        assert_int_equal(ledger_reserve(ledger, 1 << 20), 0);
        assert_int_equal(fstatat(place->fd, ".spool", &is, 0), 0);
        assert_true(is.st_blocks * 512 >= 1 << 20);
        assert_int_equal(ledger_reserve(ledger, 1 << 10), 0); /* there is more already */
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0);
        assert_int_equal(faccessat(place->fd, ".spool", F_OK, 0), -1);
        assert_int_equal(ledger_reserve(ledger, 1 << 20), 0);
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0); /* is there already */
        assert_int_equal(faccessat(place->fd, ".spool", F_OK, 0), -1);
        assert_int_equal(ledger_reserve(ledger, 1), 0);
        assert_int_equal(ledger_keep(ledger, "more than that", 14, hex), 0);
        assert_int_equal(ledger_reserve(ledger, 1 << 20), 0);
        ledger_close(&ledger);
        assert_int_equal(faccessat(place->fd, ".spool", F_OK, 0), -1);
        assert_int_equal(fstatat(place->fd, "ledger.jsonl", &is, 0), 0);
        assert_true(is.st_blocks * 512 < 64 << 10);
        assert_int_equal(symlinkat("/etc/passwd", place->fd, ".spool"), 0); /* left by anyone */
        assert_int_equal(ledger_open(place->path, LEDGER_WRITE, &ledger, &why), 0);
        assert_int_equal(ledger_reserve(ledger, 1 << 20), 0);
        assert_int_equal(ledger_keep(ledger, "def", 3, hex), 0);
}

/* ---- Blobs ------------------------------------------------------------------------------- */

static void test_blobs_are_what_their_names_say(void **state)
{
        static const char abc[] =
                "blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(text_fini) struct text blob = TEXT_INIT(100);
        BASE_SCOPE(text_fini) struct text small = TEXT_INIT(2);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        char hex[digest_hex_size];

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0);
        assert_string_equal(hex,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_int_equal(ledger_fetch(ledger, hex, &blob), 0);
        assert_string_equal(text_view(&blob), "abc");
        assert_int_equal(ledger_fetch(ledger, hex, &small), -EOVERFLOW);
        assert_int_equal(file_replace(place->fd, abc, "abd", 3, 0600), 0);
        assert_int_equal(ledger_fetch(ledger, hex, &blob), -EBADMSG);
        assert_string_equal(text_view(&blob), "abc");            /* as before */
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0); /* mends it */
        assert_int_equal(ledger_fetch(ledger, hex, &blob), 0);
        assert_int_equal(unlinkat(place->fd, abc, 0), 0);
        assert_int_equal(ledger_fetch(ledger, hex, &blob), -ENOENT);
        assert_int_equal(ledger_fetch(ledger, "", &blob), -EINVAL);
        assert_int_equal(ledger_fetch(ledger, "../../etc/passwd", &blob), -EINVAL);
        hex[5] = 'G';
        assert_int_equal(ledger_fetch(ledger, hex, &blob), -EINVAL);
        assert_int_equal(ledger_keep(ledger, "", 0, hex), 0);
        text_clear(&blob);
        assert_int_equal(ledger_fetch(ledger, hex, &blob), 0);
        assert_int_equal(blob.length, 0);
}

static void test_the_largest_blob_and_one_beyond(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(text_fini) struct text blob = TEXT_INIT(2 * ledger_blob_bytes_max);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        static char large[ledger_blob_bytes_max + 1];
        char hex[digest_hex_size];

        memset(large, 7, sizeof(large));
        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_keep(ledger, large, sizeof(large), hex), -EFBIG);
        assert_int_equal(ledger_reserve(ledger, sizeof(large)), -EFBIG);
        assert_int_equal(ledger_reserve(ledger, ledger_blob_bytes_max), 0);
        assert_int_equal(ledger_keep(ledger, large, ledger_blob_bytes_max, hex), 0);
        assert_int_equal(ledger_fetch(ledger, hex, &blob), 0);
        assert_int_equal(blob.length, ledger_blob_bytes_max);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files_are_ours_alone, enter, leave),
                cmocka_unit_test_setup_teardown(test_reserved_room_outlasts_a_full_disk, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_reserved_room_is_given_back, enter, leave),
                cmocka_unit_test_setup_teardown(test_blobs_are_what_their_names_say, enter, leave),
                cmocka_unit_test_setup_teardown(test_the_largest_blob_and_one_beyond, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
