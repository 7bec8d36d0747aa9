/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reckons the chain again with digests of its own, cuts the file at every byte of its last line,
 * flips a bit of every other one, and runs out of disk at every byte of a record.
 */
#include "forge/ledger.h"
#include "forge/ledger_fixture.h"
#include "gate/digest.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *number(int value)
{
        return json_pack("{s:i, s:s}", "value", value, "text", "a \"quoted\" word\n");
}

/* Three records. */
static void make(const struct place *place)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(ledger_append(ledger, "call.intent", number(i)), 0);
        assert_int_equal(ledger_count(ledger), 3);
}

static void read_file(const struct place *place, struct text *into)
{
        text_clear(into);
        assert_int_equal(file_read(place->fd, "ledger.jsonl", into), 0);
}

static void write_file(const struct place *place, const char *bytes, size_t length)
{
        assert_int_equal(file_replace(place->fd, "ledger.jsonl", bytes, length, 0600), 0);
}

/* Opens, and gives the number of records; below 0: minus the outcome, with `why`. */
static int count_of(const struct place *place, enum ledger_mode mode, struct text *why)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        int outcome = ledger_open(place->path, mode, &ledger, why);

        if (outcome) {
                assert_null(ledger);
                return outcome > 0 ? -outcome : -1000 + outcome;
        }
        return (int)ledger_count(ledger);
}

/* ---- The chain --------------------------------------------------------------------------- */

static void test_the_chain_is_what_its_header_says(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        char previous[digest_hex_size];
        char *rest, *line;
        size_t n = 0;

        make(place);
        read_file(place, &bytes);
        assert_int_equal(ledger_open(place->path, LEDGER_READ, &ledger, &why), 0);
        assert_string_equal(ledger_folder(ledger), place->path);
        assert_false(ledger_was_torn(ledger));
        assert_int_equal(digest_of("", 0, previous), 0);
        assert_string_equal(previous,
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        rest = bytes.bytes;
        while ((line = strsep(&rest, "\n")) && *line) {
                json_t *record = json_loads(line, 0, NULL);

                assert_int_equal(json_integer_value(json_object_get(record, "n")), n);
                assert_string_equal(json_string_value(json_object_get(record, "prev")), previous);
                assert_int_equal(strlen(json_string_value(json_object_get(record, "t"))), 24);
                assert_string_equal(json_string_value(json_object_get(record, "type")),
                                    "call.intent");
                assert_int_equal(json_integer_value(json_object_get(record, "value")), n);
                assert_true(json_equal(record, ledger_record(ledger, n)));
                assert_int_equal(strncmp(line, "{\"n\":", 5), 0);
                json_decref(record);
                assert_int_equal(digest_of(line, strlen(line), previous), 0);
                n++;
        }
        assert_int_equal(n, 3);
        assert_string_equal(ledger_head(ledger), previous);
        assert_null(ledger_record(ledger, 3));
}

static void test_an_empty_ledger_is_one(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        struct ledger *ledger = NULL;

        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_NONE);
        assert_non_null(strstr(text_view(&why), "is no run"));
        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        ledger_close(&ledger);
        assert_null(ledger);
        ledger_close(&ledger);
        assert_int_equal(count_of(place, LEDGER_READ, &why), 0);
        assert_int_equal(ledger_create(place->path, &ledger, &why), -EEXIST);
        assert_non_null(strstr(text_view(&why), "already"));
        assert_int_equal(ledger_open("/nonexistent/run", LEDGER_WRITE, &ledger, &why), LEDGER_NONE);
        assert_int_equal(ledger_create("/nonexistent/run", &ledger, &why), -ENOENT);
}

static void test_what_is_no_file_is_not_read(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);

        assert_int_equal(mkfifoat(place->fd, "ledger.jsonl", 0600), 0);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -1000 - EINVAL);
        assert_int_equal(unlinkat(place->fd, "ledger.jsonl", 0), 0);
        assert_int_equal(symlinkat("/etc/passwd", place->fd, "ledger.jsonl"), 0);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -1000 - ELOOP);
        assert_int_equal(count_of(place, LEDGER_WRITE, &why), -1000 - ELOOP);
        assert_int_equal(unlinkat(place->fd, "ledger.jsonl", 0), 0);
        assert_int_equal(mkdirat(place->fd, "ledger.jsonl", 0700), 0);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -1000 - EINVAL);
}

/* ---- Torn, changed ----------------------------------------------------------------------- */

static size_t start_of_last(const struct text *bytes)
{
        size_t at = bytes->length - 1;

        while (bytes->bytes[at - 1] != '\n')
                at--;
        return at;
}

static void test_torn_at_every_byte(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text after = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        size_t last;

        make(place);
        read_file(place, &bytes);
        last = start_of_last(&bytes);
        for (size_t length = last; length < bytes.length; length++) {
                struct ledger *ledger = NULL;

                write_file(place, bytes.bytes, length);
                assert_int_equal(ledger_open(place->path, LEDGER_READ, &ledger, &why), 0);
                assert_int_equal(ledger_count(ledger), 2);
                assert_int_equal(ledger_was_torn(ledger), length > last);
                ledger_close(&ledger);
                read_file(place, &after);
                assert_int_equal(after.length, length); /* a reader changes nothing */
                assert_int_equal(ledger_open(place->path, LEDGER_WRITE, &ledger, &why), 0);
                assert_int_equal(ledger_was_torn(ledger), length > last);
                assert_int_equal(ledger_append(ledger, "resume", json_object()), 0);
                ledger_close(&ledger);
                read_file(place, &after);
                assert_memory_equal(after.bytes, bytes.bytes, last);
                assert_int_equal(count_of(place, LEDGER_READ, &why), 3);
        }
}

/* Blocks of a file that were never written read as zeros after a power cut. */
static void test_torn_into_zeros(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        size_t last;

        make(place);
        read_file(place, &bytes);
        last = start_of_last(&bytes);
        for (size_t from = last; from < bytes.length; from++) {
                BASE_SCOPE(text_fini) struct text torn = TEXT_INIT(1 << 16);

                text_append_bytes(&torn, bytes.bytes, bytes.length);
                memset(torn.bytes + from, 0, bytes.length - from);
                write_file(place, torn.bytes, torn.length);
                assert_int_equal(count_of(place, LEDGER_READ, &why), 2);
        }
}

static void test_a_flipped_bit_in_every_line(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        size_t last, line = 1;

        make(place);
        read_file(place, &bytes);
        last = start_of_last(&bytes);
        for (size_t i = 0; i < last; i++) {
                char expected[40], next[40];
                char was = bytes.bytes[i];

                bytes.bytes[i] = (char)(was ^ (1 << (i % 8)));
                write_file(place, bytes.bytes, bytes.length);
                text_clear(&why);
                assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
                (void)snprintf(expected, sizeof(expected), "ledger.jsonl:%zu: ", line);
                (void)snprintf(next, sizeof(next), "ledger.jsonl:%zu: ", line + 1);
                assert_true(strncmp(text_view(&why), expected, strlen(expected)) == 0 ||
                            strncmp(text_view(&why), next, strlen(next)) == 0);
                bytes.bytes[i] = was;
                line += was == '\n';
        }
        assert_int_equal(line, 3);
        write_file(place, bytes.bytes, bytes.length);
        assert_int_equal(count_of(place, LEDGER_READ, &why), 3);
}

static void test_lines_taken_out_added_or_exchanged(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text changed = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        size_t first, last;

        make(place);
        read_file(place, &bytes);
        last = start_of_last(&bytes);
        first = (size_t)(strchr(bytes.bytes, '\n') - bytes.bytes) + 1;
        write_file(place, bytes.bytes + first, bytes.length - first); /* without the first */
        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
        assert_string_equal(text_view(&why),
                            "ledger.jsonl:1: this line was changed; nothing of it can be relied "
                            "on");
        text_append_bytes(&changed, bytes.bytes, first); /* without the second */
        text_append_bytes(&changed, bytes.bytes + last, bytes.length - last);
        write_file(place, changed.bytes, changed.length);
        text_clear(&why);
        assert_int_equal(count_of(place, LEDGER_WRITE, &why), -LEDGER_BROKEN);
        assert_string_equal(text_view(&why), "ledger.jsonl:2: this line or the one before was "
                                             "changed; nothing of it can be relied on");
        text_clear(&changed); /* the last one twice */
        text_append_bytes(&changed, bytes.bytes, bytes.length);
        text_append_bytes(&changed, bytes.bytes + last, bytes.length - last);
        write_file(place, changed.bytes, changed.length);
        text_clear(&why);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
        assert_string_equal(text_view(&why), "ledger.jsonl:4: this line or the one before was "
                                             "changed; what stands before line 3 still holds");
        text_clear(&changed); /* an empty line in the middle */
        text_append_bytes(&changed, bytes.bytes, last);
        text_append(&changed, "\n");
        text_append_bytes(&changed, bytes.bytes + last, bytes.length - last);
        write_file(place, changed.bytes, changed.length);
        text_clear(&why);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
        assert_string_equal(text_view(&why), "ledger.jsonl:3: this line was changed: it is no "
                                             "record; what stands before line 3 still holds");
}

static void test_a_record_that_fits_and_is_none(void **state)
{
        static const char *const wrong[] = {
                "{\"n\":1,\"prev\":\"%s\",\"type\":\"x\"}\n",
                "{\"n\":0.0,\"prev\":\"%s\",\"type\":\"x\"}\n",
                "{\"n\":0,\"prev\":\"%s\"}\n",
                "{\"n\":0,\"prev\":\"%s\",\"type\":7}\n",
                "{\"n\":0,\"prev\":\"%.63s\",\"type\":\"x\"}\n",
                "{\"prev\":\"%s\",\"type\":\"x\"}\n",
        };
        static const char *const none =
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(5000);
        char line[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
                (void)snprintf(line, sizeof(line), wrong[i], none);
                write_file(place, line, strlen(line));
                assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
        }
#pragma GCC diagnostic pop
        (void)snprintf(line, sizeof(line), "{\"n\":0,\"prev\":\"%s\",\"type\":\"x\"}\n", none);
        write_file(place, line, strlen(line));
        assert_int_equal(count_of(place, LEDGER_READ, &why), 1);
}

/* ---- A full disk ------------------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_room_at_every_byte_of_a_record(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text before = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text after = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        size_t line;

        (void)signal(SIGXFSZ, SIG_IGN);
        make(place);
        read_file(place, &before);
        line = before.length - start_of_last(&before); /* all are equally long */
        assert_int_equal(ledger_open(place->path, LEDGER_WRITE, &ledger, &why), 0);
        for (size_t room = 0; room < line; room++) {
                int failed;

                limit_files(before.length + room);
                failed = ledger_append(ledger, "call.intent", number(3));
                limit_files(RLIM_INFINITY);
                assert_true(failed == -EFBIG || failed == -ENOSPC);
                assert_int_equal(ledger_count(ledger), 3);
                read_file(place, &after);
                assert_int_equal(after.length, before.length);
                assert_memory_equal(after.bytes, before.bytes, before.length);
        }
        limit_files(before.length + line);
        assert_int_equal(ledger_append(ledger, "call.intent", number(3)), 0);
        limit_files(RLIM_INFINITY);
        assert_int_equal(ledger_count(ledger), 4);
        assert_int_equal(count_of(place, LEDGER_READ, &why), 4);
}

/* ---- Limits ------------------------------------------------------------------------------ */

static json_t *padded(size_t length)
{
        char *bytes = malloc(length + 1);
        json_t *fields;

        assert_non_null(bytes);
        memset(bytes, 'x', length);
        bytes[length] = '\0';
        fields = json_pack("{s:s}", "pad", bytes);
        free(bytes);
        return fields;
}

static void test_the_longest_line_and_one_beyond(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1 << 20);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        size_t around;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_append(ledger, "x", padded(0)), 0);
        read_file(place, &bytes);
        around = bytes.length - 1;
        assert_int_equal(ledger_append(ledger, "x", padded(ledger_line_bytes_max - around + 1)),
                         -EMSGSIZE);
        assert_int_equal(ledger_append(ledger, "x", padded(ledger_line_bytes_max)), -EMSGSIZE);
        assert_int_equal(ledger_count(ledger), 1);
        assert_int_equal(ledger_append(ledger, "x", padded(ledger_line_bytes_max - around)), 0);
        ledger_close(&ledger);
        assert_int_equal(count_of(place, LEDGER_READ, &why), 2);

        /* A line of somebody else's that is one longer, whole and torn. */
        read_file(place, &bytes);
        bytes.bytes[bytes.length - 1] = ' ';
        text_append(&bytes, "\n");
        write_file(place, bytes.bytes, bytes.length);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
        write_file(place, bytes.bytes, bytes.length - 1);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -LEDGER_BROKEN);
}

static void test_the_largest_ledger_and_one_beyond(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        struct stat is;
        size_t left;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        for (int i = 0; i < 255; i++)
                assert_int_equal(ledger_append(ledger, "x", padded(ledger_line_bytes_max - 200)),
                                 0);
        assert_int_equal(ledger_append(ledger, "x", padded(0)), 0);
        assert_int_equal(fstatat(place->fd, "ledger.jsonl", &is, 0), 0);
        left = ledger_bytes_max - (size_t)is.st_size;
        while (left > ledger_line_bytes_max / 2) {
                assert_int_equal(ledger_append(ledger, "x", padded(10000)), 0);
                assert_int_equal(fstatat(place->fd, "ledger.jsonl", &is, 0), 0);
                left = ledger_bytes_max - (size_t)is.st_size;
        }
        assert_int_equal(ledger_append(ledger, "x", padded(left)), -EFBIG);
        for (size_t length = left; length > left - 200; length--) {
                int failed = ledger_append(ledger, "x", padded(length));

                if (!failed)
                        break;
                assert_int_equal(failed, -EFBIG);
        }
        assert_int_equal(fstatat(place->fd, "ledger.jsonl", &is, 0), 0);
        assert_int_equal(is.st_size, ledger_bytes_max); /* filled to the last byte */
        assert_int_equal(ledger_append(ledger, "x", padded(0)), -EFBIG);
        left = ledger_count(ledger);
        ledger_close(&ledger);
        assert_int_equal(count_of(place, LEDGER_READ, &why), left);
        assert_int_equal(fchdir(place->fd), 0);
        assert_int_equal(truncate("ledger.jsonl", (off_t)ledger_bytes_max + 1), 0);
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(count_of(place, LEDGER_READ, &why), -1000 - EFBIG);
}

static void test_what_is_no_record_is_not_added(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        json_t *deep = json_array();
        char hex[digest_hex_size];

        for (int i = 0; i < 5000; i++) {
                json_t *around = json_array();

                (void)json_array_append_new(around, deep);
                deep = around;
        }
        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_append(ledger, "x", NULL), -EINVAL);
        assert_int_equal(ledger_append(ledger, "x", json_array()), -EINVAL);
        assert_int_equal(ledger_append(ledger, "x", json_pack("{s:s}", "prev", "mine")), -EINVAL);
        assert_int_equal(ledger_append(ledger, "x", json_pack("{s:o}", "deep", deep)), -EINVAL);
        assert_int_equal(
                ledger_append(ledger, "x", json_pack("{s:o}", "nul", json_stringn("a\0b", 3))),
                -EINVAL);
        assert_int_equal(ledger_append(ledger, "\xff", json_object()), -EINVAL);
        assert_int_equal(ledger_count(ledger), 0);
        assert_int_equal(ledger_append(ledger, "x", json_pack("{s:s}", "odd", "\x7f\xc2\x9b\n")),
                         0);
        ledger_close(&ledger);
        assert_int_equal(ledger_open(place->path, LEDGER_READ, &ledger, &why), 0);
        assert_int_equal(ledger_count(ledger), 1);
        assert_int_equal(ledger_append(ledger, "x", json_object()), -EBADF);
        assert_int_equal(ledger_reserve(ledger, 1), -EBADF);
        assert_int_equal(ledger_keep(ledger, "x", 1, hex), -EBADF);
}

/* ---- Several processes ------------------------------------------------------------------- */

static void test_one_writer(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(text_fini) struct text expected = TEXT_INIT(100);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(count_of(place, LEDGER_WRITE, &why), -LEDGER_BUSY);
        text_printf(&expected, "another tocsin writes to this run (process %d)", (int)getpid());
        assert_int_equal(strncmp(text_view(&why), text_view(&expected), expected.length), 0);
        ledger_close(&ledger);
        assert_int_equal(count_of(place, LEDGER_WRITE, &why), 0);
}

static void write_many(const char *path, int count)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;

        if (ledger_open(path, LEDGER_WRITE, &ledger, &why))
                _exit(1);
        for (int i = 0; i < count; i++)
                if (ledger_append(ledger, "x", padded(5000)))
                        _exit(1);
        _exit(0);
}

static void test_a_reader_beside_a_writer(void **state)
{
        enum { records = 200 };
        const struct place *place = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        struct ledger *ledger = NULL;
        int seen = 0, status = 0;
        pid_t child;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        ledger_close(&ledger);
        child = fork();
        if (child == 0)
                write_many(place->path, records);
        while (waitpid(child, &status, WNOHANG) == 0) {
                int count = count_of(place, LEDGER_READ, &why);

                assert_in_range(count, seen, records);
                seen = count;
        }
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(count_of(place, LEDGER_READ, &why), records);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_chain_is_what_its_header_says, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_an_empty_ledger_is_one, enter, leave),
                cmocka_unit_test_setup_teardown(test_what_is_no_file_is_not_read, enter, leave),
                cmocka_unit_test_setup_teardown(test_torn_at_every_byte, enter, leave),
                cmocka_unit_test_setup_teardown(test_torn_into_zeros, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_flipped_bit_in_every_line, enter, leave),
                cmocka_unit_test_setup_teardown(test_lines_taken_out_added_or_exchanged, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_a_record_that_fits_and_is_none, enter, leave),
                cmocka_unit_test_setup_teardown(test_no_room_at_every_byte_of_a_record, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_the_longest_line_and_one_beyond, enter, leave),
                cmocka_unit_test_setup_teardown(test_the_largest_ledger_and_one_beyond, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_what_is_no_record_is_not_added, enter, leave),
                cmocka_unit_test_setup_teardown(test_one_writer, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_reader_beside_a_writer, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
