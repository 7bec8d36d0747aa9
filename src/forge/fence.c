/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because files go both ways inside Markdown, and may hold fences of their own.
 */
#include "forge/fence.h"

#include <strings.h>

enum { indent_max = 3, shortest = 3 }; /* a closing fence may be indented by 3 more */

size_t span_length(struct span span)
{
        return (size_t)(span.end - span.at);
}

struct span span_trimmed(struct span span, const char *set)
{
        while (span.at < span.end && *span.at && strchr(set, *span.at))
                span.at++;
        while (span.at < span.end && span.end[-1] && strchr(set, span.end[-1]))
                span.end--;
        return span;
}

bool span_begins_with(struct span span, const char *word)
{
        return span_length(span) >= strlen(word) && strncasecmp(span.at, word, strlen(word)) == 0;
}

/* The next line without its end; false: there is none. */
bool span_next_line(struct span *rest, struct span *ret_line)
{
        const char *stop;

        if (rest->at == rest->end)
                return false;
        stop = memchr(rest->at, '\n', span_length(*rest));
        ret_line->at = rest->at;
        ret_line->end = stop ? stop : rest->end;
        rest->at = stop ? stop + 1 : rest->end;
        if (ret_line->end > ret_line->at && ret_line->end[-1] == '\r')
                ret_line->end--;
        return true;
}

const char *span_find(struct span span, const char *word)
{
        return span_length(span) ? memmem(span.at, span_length(span), word, strlen(word)) : NULL;
}

bool fence_opens(struct span line, struct fence *ret_fence)
{
        struct span rest = line;
        struct fence fence = { .length = 0 };

        while (rest.at < rest.end && (*rest.at == ' ' || *rest.at == '\t'))
                rest.at++;
        fence.indent = (size_t)(rest.at - line.at);
        if (rest.at == rest.end || (*rest.at != '`' && *rest.at != '~'))
                return false;
        fence.mark = *rest.at;
        while (rest.at < rest.end && *rest.at == fence.mark) {
                rest.at++;
                fence.length++;
        }
        fence.info = span_trimmed(rest, " \t");
        if (fence.length < shortest || (fence.mark == '`' && span_find(rest, "`")))
                return false;
        *ret_fence = fence;
        return true;
}

static bool closes(struct span line, const struct fence *fence)
{
        struct fence other;

        return fence_opens(line, &other) && other.mark == fence->mark &&
               other.length >= fence->length && other.indent <= fence->indent + indent_max &&
               !span_length(other.info);
}

/* Reads to the end of the fence; whether that was there. */
bool fence_read(struct span *rest, const struct fence *fence, struct text *into)
{
        struct span line;

        while (span_next_line(rest, &line)) {
                size_t indent = 0;

                if (closes(line, fence))
                        return true;
                while (indent < fence->indent && line.at < line.end &&
                       (*line.at == ' ' || *line.at == '\t')) {
                        line.at++;
                        indent++;
                }
                text_append_bytes(into, line.at, span_length(line));
                text_append(into, "\n");
        }
        return false;
}

void fence_append(struct text *into, const char *info, const void *bytes, size_t length)
{
        const char *from = bytes;
        size_t run = 0, longest = shortest - 1;

        for (size_t i = 0; i < length; i++) {
                run = from[i] == '`' ? run + 1 : 0;
                longest = run > longest ? run : longest;
        }
        for (size_t i = 0; i <= longest; i++)
                text_append(into, "`");
        text_printf(into, "%s\n", info);
        text_append_bytes(into, bytes, length);
        if (length && from[length - 1] != '\n')
                text_append(into, "\n");
        for (size_t i = 0; i <= longest; i++)
                text_append(into, "`");
        text_append(into, "\n");
}
