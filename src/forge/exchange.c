/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that what comes in pieces is one thing when it is judged: a stream of events, an object
 * from a server that does not stream, or somebody's page. Which of them is found by looking: what
 * the headers call it is not to be relied on.
 */
#include "forge/exchange.h"

#include <errno.h>

enum { raw_bytes_max = 16 << 20 };

static bool take_event(void *context, const char *data, size_t length)
{
        struct exchange *exchange = context;
        int outcome = openai_take_chunk(&exchange->reply, data, length);

        text_clear(&exchange->raw);
        /* What follows a whole answer adds figures to it, or nothing. */
        if (outcome == OPENAI_STRANGE && exchange->reply.finish[0])
                outcome = 0;
        exchange->outcome = outcome;
        return !outcome && !exchange->reply.error.stands;
}

void exchange_init(struct exchange *exchange, const struct provider_question *question)
{
        *exchange = (struct exchange){
                .question = question,
                .raw = TEXT_INIT(raw_bytes_max),
        };
        openai_reply_init(&exchange->reply);
        sse_init(&exchange->sse, take_event, exchange);
}

void exchange_fini(struct exchange *exchange)
{
        openai_reply_fini(&exchange->reply);
        sse_fini(&exchange->sse);
        text_fini(&exchange->raw);
}

static size_t count_blanks(const char *bytes, size_t length)
{
        size_t count = 0;

        while (count < length && strchr(" \t\r\n", bytes[count]) && bytes[count])
                count++;
        return count;
}

static enum http_news take_piece_of_stream(struct exchange *exchange, const char *bytes,
                                           size_t length)
{
        const struct openai_reply *reply = &exchange->reply;
        const size_t content = reply->content.length;
        const uint64_t before = reply->reasoning_bytes + reply->refusal.length + content;

        text_append_bytes(&exchange->raw, bytes, length);
        if (sse_feed(&exchange->sse, bytes, length))
                return HTTP_ENOUGH;
        if (reply->content.length != content && exchange->question->progress)
                exchange->question->progress(exchange->question->progress_context,
                                             reply->content.length);
        if (reply->is_done)
                return HTTP_LAST;
        return reply->reasoning_bytes + reply->refusal.length + reply->content.length != before
                       ? HTTP_NEWS
                       : HTTP_NOTHING;
}

/* A stream, unless it begins as an object does: what the header calls it is not to be relied on. */
static enum http_news take_piece(void *context, long status, const char *bytes, size_t length)
{
        struct exchange *exchange = context;
        const size_t blanks = count_blanks(bytes, length);

        if (exchange->form == EXCHANGE_UNKNOWN && blanks < length)
                exchange->form = status != exchange_status_ok || bytes[blanks] == '{'
                                         ? EXCHANGE_BODY
                                         : EXCHANGE_STREAM;
        if (exchange->form == EXCHANGE_STREAM)
                return take_piece_of_stream(exchange, bytes, length);
        text_append_bytes(&exchange->raw, bytes, length);
        return blanks < length ? HTTP_NEWS : HTTP_NOTHING;
}

/* Nothing has come, and whoever looks on sees that we still wait. */
static void take_turn(void *context)
{
        const struct exchange *exchange = context;

        exchange->question->progress(exchange->question->progress_context,
                                     exchange->reply.content.length);
}

static int finish_reply(struct exchange *exchange)
{
        struct openai_reply *reply = &exchange->reply;

        if (exchange->form == EXCHANGE_BODY)
                exchange->outcome =
                        openai_take_body(reply, text_view(&exchange->raw), exchange->raw.length);
        else if (exchange->http.end == HTTP_END_WHOLE)
                (void)sse_end(&exchange->sse); /* an event's outcome is kept beside it */
        if (exchange->sse.outcome == -EOVERFLOW)
                exchange->outcome = OPENAI_FULL;
        if (exchange->sse.outcome < 0 && exchange->sse.outcome != -EOVERFLOW)
                return exchange->sse.outcome;
        return exchange->outcome < 0 ? exchange->outcome : 0;
}

int exchange_perform(struct exchange *exchange, const struct model *model,
                     const struct openai_quirks *quirks, const char *key, struct http *http)
{
        BASE_SCOPE(text_fini) struct text body = TEXT_INIT(TEXT_LENGTH_LIMIT);
        struct http_request request = {
                .key = key,
                .deadline_ns = exchange->question->deadline_ns,
                .silence_ns = model->silence_ns,
                .stop_fd = exchange->question->stop_fd,
                .take = take_piece,
                .turn = exchange->question->progress ? take_turn : NULL,
                .context = exchange,
        };
        int failed = openai_render(model, exchange->question, quirks, &body);

        if (failed)
                return failed;
        request.body = text_view(&body);
        request.body_length = body.length;
        failed = http_post(http, &request, &exchange->http);
        return failed ? failed : finish_reply(exchange);
}
