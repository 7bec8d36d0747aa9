/* SPDX-License-Identifier: Apache-2.0 */
/* Shows that the same stream gives the same events however it is cut, and that limits hold. */
#include "forge/sse.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { events_bytes_max = 32 << 20, chunkings = 20000 };

/* Each event as "<data>". */
static bool take(void *context, const char *data, size_t length)
{
        struct text *events = context;

        text_append(events, "<");
        text_append_bytes(events, data, length);
        text_append(events, ">");
        return !(length == 4 && memcmp(data, "stop", 4) == 0);
}

static int decode(const char *bytes, size_t length, size_t step, struct text *events)
{
        struct sse sse BASE_SCOPE(sse_fini);
        int outcome = 0;

        sse_init(&sse, take, events);
        for (size_t from = 0; from < length && !outcome; from += step)
                outcome = sse_feed(&sse, bytes + from, length - from < step ? length - from : step);
        return outcome ? outcome : sse_end(&sse);
}

static const struct {
        const char *stream;
        const char *events;
} streams[] = {
        { "", "" },
        { "data: a\n\n", "<a>" },
        { "data:a\n\ndata: b\n\n", "<a><b>" },
        { "data:  two spaces\n\n", "< two spaces>" },
        { "data: a\r\rdata: b\r\r", "<a><b>" },
        { "data: a\r\n\r\ndata: b\r\n\r\n", "<a><b>" },
        { "data: a\r\n\ndata: b\n\r\n", "<a><b>" },
        { "data: a\ndata: b\n\n", "<a\nb>" },
        { "data: a\r\ndata\r\ndata: b\r\n\r\n", "<a\n\nb>" },
        { "\xef\xbb\xbf"
          "data: a\n\n",
          "<a>" },
        { "data: \xef\xbb\xbf"
          "a\n\n",
          "<\xef\xbb\xbf"
          "a>" },
        { ": comment\n\ndata: a\n\n:\n\n", "<a>" },
        { "event: x\nid: 7\nretry: 10\ndata: a\n\n", "<a>" },
        { "event: data\ndatax: 1\ndat: 2\n\n", "" },
        { "data\n\ndata:\n\ndata:  \t \n\n", "" },
        { "data: : OPENROUTER PROCESSING\n\ndata: a\n\n", "<a>" },
        { "data: a", "<a>" },
        { "data: a\n", "<a>" },
        { "data: a\r", "<a>" },
        { "data: a\n\ndata: stop\n\ndata: b\n\n", "<a><stop>" },
        { "\n\n\r\n\rdata: \xc3\xa9\n\n", "<\xc3\xa9>" },
};

static void each_form_is_understood_in_any_pieces(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(streams); i++) {
                const size_t length = strlen(streams[i].stream);

                for (size_t step = 1; step <= length + 1; step++) {
                        struct text events BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                        int outcome = decode(streams[i].stream, length, step, &events);

                        assert_string_equal(text_view(&events), streams[i].events);
                        assert_int_equal(outcome,
                                         strstr(streams[i].stream, "stop") ? SSE_ENOUGH : 0);
                }
        }
}

static uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static void random_cuts_change_nothing(void **state)
{
        static const char *const pieces[] = { "data: ", "data:", "{\"a\":1}",   "\r",       "\n",
                                              "\r\n",   ":",     "\n\n",        "\r\n\r\n", "x",
                                              "data",   " ",     "\xef\xbb\xbf" };
        uint64_t random = 88172645463325252U;

        (void)state;
        for (size_t round = 0; round < chunkings; round++) {
                struct text stream BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                struct text whole BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                struct text cut BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                struct sse sse BASE_SCOPE(sse_fini);

                for (size_t i = next_random(&random) % 40; i > 0; i--)
                        text_append(&stream, pieces[next_random(&random) % BASE_COUNT(pieces)]);
                assert_int_equal(decode(text_view(&stream), stream.length, 1000, &whole), 0);
                sse_init(&sse, take, &cut);
                for (size_t from = 0; from < stream.length;) {
                        size_t count = 1 + next_random(&random) % 7;

                        if (count > stream.length - from)
                                count = stream.length - from;
                        assert_int_equal(sse_feed(&sse, stream.bytes + from, count), 0);
                        from += count;
                }
                assert_int_equal(sse_end(&sse), 0);
                assert_string_equal(text_view(&cut), text_view(&whole));
        }
}

static void line_limit_is_exact(void **state)
{
        struct text stream BASE_SCOPE(text_fini) = TEXT_INIT(events_bytes_max);
        struct text events BASE_SCOPE(text_fini) = TEXT_INIT(events_bytes_max);

        (void)state;
        text_append(&stream, "data:");
        while (stream.length < sse_line_bytes_max)
                text_append(&stream, "x");
        text_append(&stream, "\n\n");
        assert_int_equal(decode(stream.bytes, stream.length, 60000, &events), 0);
        assert_int_equal(events.length, sse_line_bytes_max - 5 + 2);
        stream.bytes[sse_line_bytes_max] = 'x'; /* one more before the end of the line */
        text_clear(&events);
        assert_int_equal(decode(stream.bytes, stream.length, 60000, &events), -EOVERFLOW);
        assert_int_equal(events.length, 0);
}

static void limit_of_all_holds_without_any_event(void **state)
{
        static const char comment[] = ": still here\n";
        struct text events BASE_SCOPE(text_fini) = TEXT_INIT(10);
        struct sse sse BASE_SCOPE(sse_fini);
        size_t fed = 0;
        int outcome = 0;

        (void)state;
        sse_init(&sse, take, &events);
        while (!outcome && fed < events_bytes_max) {
                outcome = sse_feed(&sse, comment, sizeof(comment) - 1);
                fed += sizeof(comment) - 1;
        }
        assert_int_equal(outcome, -EOVERFLOW);
        assert_true(fed >= sse_bytes_max && fed < sse_bytes_max + 100);
        assert_int_equal(sse_feed(&sse, "data: a\n\n", 9), -EOVERFLOW); /* and stays so */
        assert_int_equal(sse_end(&sse), -EOVERFLOW);
        assert_int_equal(events.length, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_form_is_understood_in_any_pieces),
                cmocka_unit_test(random_cuts_change_nothing),
                cmocka_unit_test(line_limit_is_exact),
                cmocka_unit_test(limit_of_all_holds_without_any_event),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
