/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because no two gateways end their lines alike, and because a network cuts wherever it
 * likes: between the two bytes of a line's end as well as within a character.
 */
#include "forge/sse.h"

#include <errno.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void sse_init(struct sse *sse, sse_take *take, void *context)
{
        *sse = (struct sse){
                .take = take,
                .context = context,
                .line = TEXT_INIT(sse_line_bytes_max),
                .data = TEXT_INIT(sse_line_bytes_max),
        };
}

void sse_fini(struct sse *sse)
{
        text_fini(&sse->line);
        text_fini(&sse->data);
}

static bool is_worth_taking(const struct text *data)
{
        const char *first = text_view(data);

        first += strspn(first, " \t\r\n");
        return *first && *first != ':';
}

static void end_event(struct sse *sse)
{
        if (sse->has_data && is_worth_taking(&sse->data) &&
            !sse->take(sse->context, text_view(&sse->data), sse->data.length))
                sse->outcome = SSE_ENOUGH;
        sse->has_data = false;
        text_clear(&sse->data);
}

/* "data: value", "data:value", or "data" alone. */
static void take_field(struct sse *sse, const char *line, size_t length)
{
        static const char data[] = "data";
        const size_t name_length = sizeof(data) - 1;

        if (length < name_length || memcmp(line, data, name_length) != 0 ||
            (length > name_length && line[name_length] != ':'))
                return;
        line += name_length;
        length -= name_length;
        if (length) {
                line++;
                length--;
        }
        if (length && *line == ' ') {
                line++;
                length--;
        }
        if (sse->has_data)
                text_append(&sse->data, "\n");
        text_append_bytes(&sse->data, line, length);
        sse->has_data = true;
        sse->outcome = sse->data.error;
}

static void end_line(struct sse *sse)
{
        const size_t mark_length = sizeof(byte_order_mark) - 1;
        const char *line = text_view(&sse->line);
        size_t length = sse->line.length;

        if (!sse->has_begun && length >= mark_length &&
            memcmp(line, byte_order_mark, mark_length) == 0) {
                line += mark_length;
                length -= mark_length;
        }
        sse->has_begun = true;
        if (length)
                take_field(sse, line, length);
        else
                end_event(sse);
        text_clear(&sse->line);
}

static size_t length_of_line(const char *bytes, size_t length)
{
        size_t count = 0;

        while (count < length && bytes[count] != '\r' && bytes[count] != '\n')
                count++;
        return count;
}

int sse_feed(struct sse *sse, const char *bytes, size_t length)
{
        while (length && !sse->outcome) {
                size_t count = length_of_line(bytes, length);

                if (sse->bytes_count + count >= sse_bytes_max) {
                        sse->outcome = -EOVERFLOW;
                        break;
                }
                text_append_bytes(&sse->line, bytes, count);
                sse->outcome = sse->line.error;
                if (count)
                        sse->after_cr = false;
                if (count < length && !sse->outcome) {
                        /* The second half of an end that was split is no end of its own. */
                        if (!sse->after_cr || bytes[count] != '\n')
                                end_line(sse);
                        sse->after_cr = bytes[count] == '\r';
                        count++;
                }
                sse->bytes_count += count;
                bytes += count;
                length -= count;
        }
        return sse->outcome;
}

int sse_end(struct sse *sse)
{
        if (!sse->outcome && sse->line.length)
                end_line(sse);
        if (!sse->outcome)
                end_event(sse);
        return sse->outcome;
}
