/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands without a network: a line in, a reply out, as a client would see it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"

enum { REPLY_MAX = 1 << 20, TEXT_MAX = 1 << 16 };

static struct options options = {
        .clients_max = 10,
        .keys_max = 4,
        .memory_bytes_max = 1 << 20,
        .bulk_bytes_max = 4096,
};
static struct purse purse = { .bytes_max = REPLY_MAX };
static struct vault vault;
static struct command_host host;
static struct command_session session;
static struct buffer reply;
static char text[TEXT_MAX];

static int set_up(void **state)
{
        const struct store_limits limits = { options.keys_max, options.memory_bytes_max };
        const struct hash_seed seed = { 1, 2 };
        struct flusher_options flushing = { .vault = &vault, .interval_ms = 100 };

        (void)state;
        options.has_debug = true;
        if (vault_open(&vault, &limits, &seed))
                return -1;
        host = (struct command_host){ .options = &options, .vault = &vault, .buffers = &purse };
        host.started_ms = clock_boot_ms();
        session = (struct command_session){ .id = 7 };
        buffer_init(&reply, REPLY_MAX, &purse);
        return flusher_start(&host.flusher, &flushing);
}

/* With so few values held that keys push each other out. */
static int set_up_hot(void **state)
{
        int result = set_up(state);

        return result ? result : hot_new(&host.hot, 2);
}

static int tear_down(void **state)
{
        (void)state;
        buffer_fini(&reply);
        hot_free(&host.hot);
        if (flusher_stop(&host.flusher, flusher_beat))
                return -1;
        vault_close(&vault);
        return 0;
}

/* Runs an inline command; its reply is in `text`. */
static const char *run(const char *line)
{
        const struct resp_limits limits = { 4096, TEXT_MAX };
        static struct resp_request request;
        char bytes[RESP_LINE_MAX];
        int length = snprintf(bytes, sizeof(bytes), "%s\r\n", line);
        size_t replied;

        assert_int_equal(resp_parse((struct resp_view){ bytes, (size_t)length }, &limits, &request),
                         0);
        command_run(&host, &session, &request, &reply);
        assert_int_equal(reply.error, 0);
        replied = buffer_pending(&reply);
        assert_in_range(replied, 1, TEXT_MAX - 1);
        memcpy(text, buffer_view(&reply), replied);
        text[replied] = '\0';
        buffer_consume(&reply, replied);
        return text;
}

struct exchange {
        const char *line;
        const char *reply; /* a ~ at its end stands for anything */
};

static void assert_exchanges(const struct exchange *exchanges, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const char *expected = exchanges[i].reply;
                const char *found = run(exchanges[i].line);
                size_t length = strlen(expected);

                if (length > 0 && expected[length - 1] == '~')
                        assert_memory_equal(found, expected, length - 1);
                else
                        assert_string_equal(found, expected);
        }
}

#define ASSERT_EXCHANGES(exchanges) \
        assert_exchanges(exchanges, sizeof(exchanges) / sizeof((exchanges)[0]))

static void test_keys(void **state)
{
        static const struct exchange exchanges[] = {
                { "GET k", "$-1\r\n" },
                { "SET k v", "+OK\r\n" },
                { "get k", "$1\r\nv\r\n" },
                { "EXISTS k k none", ":2\r\n" },
                { "DBSIZE", ":1\r\n" },
                { "TTL k", ":-1\r\n" },
                { "TTL none", ":-2\r\n" },
                { "PTTL none", ":-2\r\n" },
                { "SET k v EX 100", "+OK\r\n" },
                { "TTL k", ":100\r\n" },
                { "SET k v", "+OK\r\n" },
                { "TTL k", ":-1\r\n" },
                { "SET k 2 px 100000 nx", "$-1\r\n" },
                { "SET k 3 XX PX 100000", "+OK\r\n" },
                { "TTL k", ":100\r\n" },
                { "SET none 3 XX", "$-1\r\n" },
                { "SET k 3 PXAT 1000", "+OK\r\n" },
                { "GET k", "$-1\r\n" },
                { "SET k v NX", "+OK\r\n" },
                { "DEL k none", ":1\r\n" },
                { "DBSIZE", ":0\r\n" },
                { "SET k v", "+OK\r\n" },
                { "FLUSHALL", "+OK\r\n" },
                { "DBSIZE", ":0\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
}

static void test_set_mistakes(void **state)
{
        static const struct exchange exchanges[] = {
                { "SET k v EX", "-ERR syntax error\r\n" },
                { "SET k v NX XX", "-ERR syntax error\r\n" },
                { "SET k v XX NX", "-ERR syntax error\r\n" },
                { "SET k v EX 1 PX 1", "-ERR syntax error\r\n" },
                { "SET k v FOO", "-ERR syntax error\r\n" },
                { "SET k v EX 0", "-ERR invalid expire time in 'set' command\r\n" },
                { "SET k v EX -1", "-ERR invalid expire time in 'set' command\r\n" },
                { "SET k v EX x", "-ERR invalid expire time in 'set' command\r\n" },
                { "SET k v EX 9223372036854775807",
                  "-ERR invalid expire time in 'set' command\r\n" },
                { "EXISTS k", ":0\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
}

static void test_counting(void **state)
{
        static const struct exchange exchanges[] = {
                { "INCR n", ":1\r\n" },
                { "INCR n", ":2\r\n" },
                { "DECR n", ":1\r\n" },
                { "GET n", "$1\r\n1\r\n" },
                { "SET n 9223372036854775807 EX 100", "+OK\r\n" },
                { "INCR n", "-ERR increment or decrement would overflow\r\n" },
                { "DECR n", ":9223372036854775806\r\n" },
                { "TTL n", ":100\r\n" },
                { "SET n -9223372036854775808", "+OK\r\n" },
                { "DECR n", "-ERR increment or decrement would overflow\r\n" },
                { "SET n x", "+OK\r\n" },
                { "INCR n", "-ERR value is not an integer or out of range\r\n" },
                { "GET n", "$1\r\nx\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
}

static void test_full(void **state)
{
        static const struct exchange exchanges[] = {
                { "SET a 1", "+OK\r\n" },
                { "SET b 1", "+OK\r\n" },
                { "SET c 1", "+OK\r\n" },
                { "INCR d", ":1\r\n" },
                { "SET e 1", "-OOM command not allowed: the store is full\r\n" },
                { "INCR e", "-OOM command not allowed: the store is full\r\n" },
                { "SET a 2", "+OK\r\n" },
                { "DEL a", ":1\r\n" },
                { "SET e 1", "+OK\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
}

static void test_connection(void **state)
{
        static const struct exchange exchanges[] = {
                { "PING", "+PONG\r\n" },
                { "PING hello", "$5\r\nhello\r\n" },
                { "ECHO hello", "$5\r\nhello\r\n" },
                { "SELECT 0", "+OK\r\n" },
                { "SELECT 1", "-ERR DB index is out of range\r\n" },
                { "SELECT x", "-ERR value is not an integer or out of range\r\n" },
                { "HELLO", "*10\r\n$6\r\nserver\r\n$3\r\nkvd\r\n~" },
                { "HELLO 2", "*10\r\n~" },
                { "HELLO 3", "-NOPROTO unsupported protocol version\r\n" },
                { "CLIENT ID", ":7\r\n" },
                { "CLIENT GETNAME", "$-1\r\n" },
                { "CLIENT SETNAME me", "+OK\r\n" },
                { "CLIENT GETNAME", "$2\r\nme\r\n" },
                { "CLIENT SETNAME \x1b[2J", "-ERR client names are~" },
                { "CLIENT SETINFO LIB-NAME x", "+OK\r\n" },
                { "CLIENT KILL", "-ERR unknown subcommand~" },
                { "FOO bar", "-ERR unknown command 'FOO'\r\n" },
                { "\x1b[2J", "-ERR unknown command '?[2J'\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
        assert_false(session.wants_close);
        assert_string_equal(run("QUIT"), "+OK\r\n");
        assert_true(session.wants_close);
}

static void test_name_limit(void **state)
{
        char line[128];

        (void)state;
        (void)snprintf(line, sizeof(line), "CLIENT SETNAME %0*d", (int)COMMAND_NAME_MAX, 0);
        assert_string_equal(run(line), "+OK\r\n");
        (void)snprintf(line, sizeof(line), "CLIENT SETNAME %0*d", COMMAND_NAME_MAX + 1, 0);
        assert_memory_equal(run(line), "-ERR", 4);
        assert_int_equal(strlen(session.name), COMMAND_NAME_MAX);
}

static void test_unknown_name_is_cut(void **state)
{
        char line[1024];

        (void)state;
        (void)snprintf(line, sizeof(line), "%0*d", 1000, 0);
        assert_true(strlen(run(line)) < 128);
}

static void test_server(void **state)
{
        static const struct exchange exchanges[] = {
                { "CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n" },
                { "CONFIG GET appendonly save save",
                  "*4\r\n$4\r\nsave\r\n$0\r\n\r\n$10\r\nappendonly\r\n$2\r\nno\r\n" },
                { "CONFIG GET nothing", "*0\r\n" },
                { "CONFIG GET *", "*14\r\n~" },
                { "CONFIG GET", "-ERR only CONFIG GET is supported\r\n" },
                { "CONFIG SET save x", "-ERR only CONFIG GET is supported\r\n" },
                { "COMMAND COUNT", ":20\r\n" },
                { "COMMAND", "*20\r\n*6\r\n$6\r\nclient\r\n:-2\r\n*0\r\n:0\r\n:0\r\n:0\r\n~" },
                { "COMMAND DOCS", "*40\r\n$6\r\nclient\r\n*6\r\n$7\r\nsummary\r\n~" },
                { "COMMAND DOCS get nothing GET", "*2\r\n$3\r\nget\r\n*6\r\n~" },
                { "COMMAND FOO", "-ERR unknown subcommand 'FOO' of COMMAND\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
        (void)run("SET k v");
        assert_non_null(strstr(run("INFO"), "\r\ndb0:keys=1,"));
        assert_non_null(strstr(text, "\r\nhot_entries:0\r\nhot_hits:0\r\nhot_misses:0\r\n"));
        assert_non_null(strstr(run("INFO memory"), "\r\nmaxmemory:1048576\r\n"));
}

static void test_debug(void **state)
{
        static const struct exchange exchanges[] = {
                { "SET k v", "+OK\r\n" },
                { "DEBUG TOCSIN break-invariant", "+OK\r\n" },
                { "SET k w", "-ERR the store is damaged, writes are refused\r\n" },
                { "DEL k", "-ERR the store is damaged, writes are refused\r\n" },
                { "GET k", "$1\r\nv\r\n" },
                { "DEBUG TOCSIN fix-invariant", "+OK\r\n" },
                { "SET k w", "+OK\r\n" },
                { "DEBUG TOCSIN stop-flusher", "+OK\r\n" },
                { "DEBUG TOCSIN start-flusher", "+OK\r\n" },
                { "DEBUG TOCSIN error 20", "+OK\r\n" },
                { "DEBUG TOCSIN error 0",
                  "-ERR DEBUG TOCSIN error wants a number up to 1000000\r\n" },
                { "DEBUG TOCSIN error 1000001", "-ERR DEBUG TOCSIN error wants~" },
                { "DEBUG TOCSIN error", "-ERR DEBUG TOCSIN error wants~" },
                { "DEBUG TOCSIN hang 1", "+OK\r\n" },
                { "DEBUG TOCSIN deadlock now", "-ERR syntax error\r\n" },
                { "DEBUG TOCSIN hang x", "-ERR DEBUG TOCSIN hang wants milliseconds\r\n" },
                { "DEBUG TOCSIN crash now", "-ERR syntax error\r\n" },
                { "DEBUG TOCSIN foo", "-ERR DEBUG TOCSIN knows~" },
                { "DEBUG TOCSIN", "-ERR only DEBUG TOCSIN is supported\r\n" },
                { "DEBUG SLEEP 1", "-ERR only DEBUG TOCSIN is supported\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
        options.has_debug = false;
        assert_memory_equal(run("DEBUG TOCSIN crash"), "-ERR DEBUG is off", 17);
}

/* An answer from the cache is a hit like any other. */
static void test_hot_info(void **state)
{
        static const struct exchange exchanges[] = {
                { "GET k", "$-1\r\n" },
                { "SET k v", "+OK\r\n" },
                { "GET k", "$1\r\nv\r\n" },
                { "GET k", "$1\r\nv\r\n" },
        };

        (void)state;
        ASSERT_EXCHANGES(exchanges);
        assert_non_null(strstr(run("INFO"), "\r\nkeyspace_hits:2\r\nkeyspace_misses:1\r\n"));
        assert_non_null(strstr(text, "\r\nhot_entries:1\r\nhot_hits:2\r\nhot_misses:1\r\n"));
}

/* Every row, with one argument too few and one too many. */
static void test_argument_limits(void **state)
{
        static const struct {
                const char *name;
                size_t least;
                size_t most;
        } rows[] = {
#define COMMAND(name, least, most, needs, group, summary) { #name, least, most },
#include "command.def"
#undef COMMAND
        };
        char line[RESP_LINE_MAX];

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                for (size_t count = 1; count <= 8; count++) {
                        bool fits = count >= rows[i].least && count <= rows[i].most;
                        int length = snprintf(line, sizeof(line), "%s", rows[i].name);

                        for (size_t j = 1; j < count; j++)
                                length += snprintf(line + length, sizeof(line) - (size_t)length,
                                                   " zz");
                        assert_true(fits != (strstr(run(line), "wrong number of arguments for '") &&
                                             strstr(text, "' command\r\n")));
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_set_mistakes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_counting, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_connection, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_name_limit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_unknown_name_is_cut, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_server, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_debug, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_argument_limits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_keys, set_up_hot, tear_down),
                cmocka_unit_test_setup_teardown(test_counting, set_up_hot, tear_down),
                cmocka_unit_test_setup_teardown(test_full, set_up_hot, tear_down),
                cmocka_unit_test_setup_teardown(test_debug, set_up_hot, tear_down),
                cmocka_unit_test_setup_teardown(test_hot_info, set_up_hot, tear_down),
        };

        return cmocka_run_group_tests_name("kvd command", tests, NULL, NULL);
}
