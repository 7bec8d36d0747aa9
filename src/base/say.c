/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that every message has the same form and none can carry a foreign escape sequence.
 */
#include "base/say.h"
#include "base/text.h"

#include <errno.h>
#include <unistd.h>

bool say_wants_colour(int fd)
{
        const char *refused = getenv("NO_COLOR");
        const char *terminal = getenv("TERM");

        if (refused && refused[0])
                return false;
        if (terminal && strcmp(terminal, "dumb") == 0)
                return false;
        return isatty(fd);
}

static void say(const char *kind, const char *colour, const char *format, va_list arguments)
        BASE_PRINTF(3, 0);

static void say(const char *kind, const char *colour, const char *format, va_list arguments)
{
        int kept = errno;
        bool coloured = kind[0] && say_wants_colour(STDERR_FILENO);
        struct text message BASE_SCOPE(text_fini) = TEXT_INIT(say_line_max);
        struct text line BASE_SCOPE(text_fini) = TEXT_INIT((size_t)8 * say_line_max);

        text_vprintf(&message, format, arguments);
        text_append(&line, "tocsin: ");
        text_append(&line, coloured ? colour : "");
        text_append(&line, kind);
        text_append(&line, coloured ? "\033[0m" : "");
        text_append_escaped(&line, text_view(&message), message.length);
        text_append(&line, message.error == -EOVERFLOW ? "...\n" : "\n");

        /* Nobody is left to hear about a failure to write here. */
        (void)!write(STDERR_FILENO, text_view(&line), line.length);
        errno = kept;
}

void say_error(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say("error: ", "\033[1;31m", format, arguments);
        va_end(arguments);
}

void say_warning(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say("warning: ", "\033[1;33m", format, arguments);
        va_end(arguments);
}

void say_note(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say("", "", format, arguments);
        va_end(arguments);
}
