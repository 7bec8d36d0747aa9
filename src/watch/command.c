/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because the simplest receiver is a line of shell, and such lines hang.
 */
#include "watch/command.h"

#include "base/child.h"
#include "base/error.h"

#include <errno.h>

enum { time_max_s = 10, printed_bytes_max = 4096, attempts_max = 5, shown_bytes_max = 60 };

struct command {
        char *line;
};

static void command_free(void *self)
{
        struct command *command = self;

        free(command->line);
        free(command);
}

/* How it ended, and the last thing that it printed. */
static void explain(const struct child_result *result, const struct text *printed, struct text *why)
{
        const char *bytes = text_view(printed);
        size_t to = printed->length, from;

        child_append_end(result, why);
        while (to && (bytes[to - 1] == '\n' || bytes[to - 1] == ' '))
                to--;
        for (from = to; from && bytes[from - 1] != '\n'; from--)
                ;
        if (to > from) {
                text_append(why, ": ");
                text_append_bytes(why, bytes + from, to - from);
        }
}

static int deliver(void *self, struct outbox *outbox, const char *body, size_t length,
                   struct text *why)
{
        struct command *command = self;
        BASE_SCOPE(text_fini) struct text printed = TEXT_INIT(printed_bytes_max);
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(length + 1);
        struct child_request request = {
                .command = command->line,
                .input_length = length + 1,
                .errors = &printed,
                .time_max_ns = time_max_s * CLOCK_S_NS,
        };
        struct child_result result;
        int failed;

        (void)outbox;
        text_append_bytes(&line, body, length);
        text_append(&line, "\n");
        if (line.error)
                return line.error;
        request.input = text_view(&line);
        failed = child_run(&request, &result);
        if (failed) {
                text_printf(why, "it cannot be run: %s", error_text(failed));
                return failed;
        }
        if (child_succeeded(&result))
                return 0;
        explain(&result, &printed, why);
        return result.end == CHILD_EXITED && (result.code == 126 || result.code == 127)
                       ? RECEIVER_REFUSED
                       : -EIO;
}

static const struct receiver_kind kind = {
        .noun = "command",
        .types = OUTBOX_ALERT,
        .attempts_max = attempts_max,
        .deliver = deliver,
        .free = command_free,
};

int command_new(const char *line, struct receiver **ret_receiver)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(shown_bytes_max + 8);
        struct command *command = calloc(1, sizeof(*command));

        if (!command)
                return -ENOMEM;
        command->line = strdup(line);
        if (!command->line) {
                free(command);
                return -ENOMEM;
        }
        text_printf(&name, strlen(line) > shown_bytes_max ? "'%.57s...'" : "'%s'", line);
        return receiver_new(&kind, text_view(&name), command, ret_receiver);
}
