/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because the protocol is where strangers speak: everything they send is judged here,
 * against limits, before any other file sees it.
 *
 * A partial request is parsed again from its start when more bytes have come. That keeps the
 * parser a pure function, and costs little: arguments are skipped by their length, `bytes` says
 * how many are needed before another try makes sense, and RESP_ARGS_MAX bounds the rest.
 */
#include "resp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <tocsin.h>

TOC_MODULE(resp, "Parser of the Redis protocol");

TOC_COUNTER(protocol_errors, "Requests that break the protocol or its limits",
            TOC_ALERT(per_minute, >, 600, TOC_WARN,
                      "somebody who is no Redis client keeps calling"),
            TOC_RUNBOOK("examples/kvd/README.md#protocol-errors"));

struct cursor {
        struct resp_view stream;
        size_t at;
        size_t needed; /* when partial */
};

static int refuse(struct resp_request *request, const char *reason)
{
        request->reason = reason;
        return -EPROTO;
}

/* The next line without its end. The cursor stands behind it. */
static int take_line(struct cursor *cursor, size_t max, struct resp_view *ret_line)
{
        const char *start = cursor->stream.bytes + cursor->at;
        size_t left = cursor->stream.length - cursor->at;
        const char *end = memchr(start, '\n', left < max ? left : max);

        cursor->needed = cursor->stream.length + 1;
        if (!end)
                return left < max ? RESP_PARTIAL : -EPROTO;
        *ret_line = (struct resp_view){ start, (size_t)(end - start) };
        cursor->at += ret_line->length + 1;
        return 0;
}

/* The number in a line such as "*3\r", whose first byte the caller has looked at. */
static int take_head(struct cursor *cursor, int64_t *ret_number)
{
        struct resp_view line;
        int result = take_line(cursor, RESP_HEAD_MAX, &line);

        if (result)
                return result;
        if (line.length < 2 || line.bytes[line.length - 1] != '\r')
                return -EPROTO;
        line = (struct resp_view){ line.bytes + 1, line.length - 2 };
        return resp_number(line, ret_number) ? -EPROTO : 0;
}

static int take_bulk(struct cursor *cursor, const struct resp_limits *limits,
                     struct resp_request *request)
{
        const char *bytes = cursor->stream.bytes;
        size_t length, left;
        int64_t number;
        int result;

        if (cursor->at == cursor->stream.length) {
                cursor->needed = cursor->at + 1;
                return RESP_PARTIAL;
        }
        if (bytes[cursor->at] != '$')
                return refuse(request, "Protocol error: expected '$'");
        result = take_head(cursor, &number);
        if (result > 0)
                return result;
        if (result < 0 || number < 0 || (uint64_t)number > limits->bulk_max)
                return refuse(request, "Protocol error: invalid bulk length");
        length = (size_t)number;
        left = cursor->stream.length - cursor->at;
        if (left < 2 || left - 2 < length) {
                cursor->needed = cursor->at + length + 2;
                return RESP_PARTIAL;
        }
        if (memcmp(bytes + cursor->at + length, "\r\n", 2) != 0)
                return refuse(request, "Protocol error: bulk string has no end");
        request->args[request->count++] = (struct resp_view){ bytes + cursor->at, length };
        cursor->at += length + 2;
        return 0;
}

static int take_array(struct cursor *cursor, const struct resp_limits *limits,
                      struct resp_request *request)
{
        int64_t count;
        int result = take_head(cursor, &count);

        if (result > 0)
                return result;
        if (result < 0 || count > RESP_ARGS_MAX)
                return refuse(request, "Protocol error: invalid multibulk length");
        while ((int64_t)request->count < count) {
                result = take_bulk(cursor, limits, request);
                if (result)
                        return result;
        }
        return 0;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static int take_inline(struct cursor *cursor, struct resp_request *request)
{
        struct resp_view line;
        int result = take_line(cursor, RESP_LINE_MAX, &line);

        if (result < 0)
                return refuse(request, "Protocol error: too big inline request");
        if (result > 0)
                return result;
        for (size_t at = 0; at < line.length;) {
                size_t start = at;

                while (at < line.length && !is_blank(line.bytes[at]))
                        at++;
                if (at == start) {
                        at++;
                        continue;
                }
                if (request->count == RESP_ARGS_MAX)
                        return refuse(request, "Protocol error: too many inline arguments");
                request->args[request->count++] =
                        (struct resp_view){ line.bytes + start, at - start };
        }
        return 0;
}

int resp_parse(struct resp_view bytes, const struct resp_limits *limits,
               struct resp_request *request)
{
        struct cursor cursor = { .stream = bytes, .needed = 1 };
        int result = RESP_PARTIAL;

        request->count = 0;
        request->reason = NULL;
        if (bytes.length > 0 && bytes.bytes[0] == '*')
                result = take_array(&cursor, limits, request);
        else if (bytes.length > 0)
                result = take_inline(&cursor, request);
        request->bytes = result == RESP_PARTIAL ? cursor.needed : cursor.at;
        if (result >= 0 && request->bytes > limits->request_max)
                result = refuse(request, "Protocol error: too big request");
        if (result < 0)
                toc_count(protocol_errors);
        if (!TOC_EXPECT_CMP(cursor.at, <=, bytes.length, TOC_PAGE,
                            "the parser read past the end of its input"))
                return refuse(request, "Protocol error: internal");
        return result;
}

bool resp_is(struct resp_view view, const char *word)
{
        return strlen(word) == view.length && strncasecmp(view.bytes, word, view.length) == 0;
}

int resp_number(struct resp_view view, int64_t *ret_number)
{
        bool is_negative = view.length > 0 && view.bytes[0] == '-';
        uint64_t magnitude_max = is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
        uint64_t magnitude = 0;
        size_t first = is_negative ? 1 : 0;

        if (view.length == first || (view.bytes[first] == '0' && view.length > 1))
                return -EINVAL;
        for (size_t i = first; i < view.length; i++) {
                unsigned digit = (unsigned char)view.bytes[i] - (unsigned)'0';

                if (digit > 9 || magnitude > (magnitude_max - digit) / 10)
                        return -EINVAL;
                magnitude = magnitude * 10 + digit;
        }
        *ret_number = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return 0;
}

void resp_put_status(struct buffer *reply, const char *word)
{
        buffer_append(reply, "+", 1);
        buffer_append(reply, word, strlen(word));
        buffer_append(reply, "\r\n", 2);
}

void resp_put_error(struct buffer *reply, const char *format, ...)
{
        char text[RESP_ERROR_MAX + 1];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments); /* cut if too long */
        va_end(arguments);
        /* What the client sent may be quoted in it: keep it on one line, and off terminals. */
        for (char *c = text; *c; c++) {
                if (*c < ' ' || *c > '~')
                        *c = '?';
        }
        buffer_append(reply, "-", 1);
        buffer_append(reply, text, strlen(text));
        buffer_append(reply, "\r\n", 2);
}

static void put_head(struct buffer *reply, char kind, int64_t number)
{
        char head[RESP_HEAD_MAX];
        int length = snprintf(head, sizeof(head), "%c%lld\r\n", kind, (long long)number);

        buffer_append(reply, head, (size_t)length);
}

void resp_put_number(struct buffer *reply, int64_t number)
{
        put_head(reply, ':', number);
}

void resp_put_bulk(struct buffer *reply, struct resp_view value)
{
        put_head(reply, '$', (int64_t)value.length);
        buffer_append(reply, value.bytes, value.length);
        buffer_append(reply, "\r\n", 2);
}

void resp_put_text(struct buffer *reply, const char *text)
{
        resp_put_bulk(reply, (struct resp_view){ text, strlen(text) });
}

void resp_put_nil(struct buffer *reply)
{
        put_head(reply, '$', -1);
}

void resp_put_array(struct buffer *reply, size_t count)
{
        put_head(reply, '*', (int64_t)count);
}
