/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a model's words, a server's and a candidate's reach a terminal in one place only,
 * escaped.
 */
#include "forge/screen.h"
#include "base/clock.h"
#include "base/say.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { redraw_ms = 100, columns_usual = 80 };

static const char *const codes[] = {
        [SCREEN_PLAIN] = "",         [SCREEN_BOLD] = "\033[1m", [SCREEN_DIM] = "\033[2m",
        [SCREEN_GREEN] = "\033[32m", [SCREEN_RED] = "\033[31m", [SCREEN_YELLOW] = "\033[33m",
};

void screen_open(struct screen *screen)
{
        *screen = (struct screen){ .has_colour = say_wants_colour(STDERR_FILENO),
                                   .is_terminal = isatty(STDERR_FILENO) };
}

static void put(const struct text *line)
{
        if (fwrite(text_view(line), 1, line->length, stderr) == line->length)
                (void)fflush(stderr); /* nobody could be told that it failed */
}

static void append_formatted(struct text *into, const char *format, va_list arguments)
        BASE_PRINTF(2, 0);
static void append_formatted(struct text *into, const char *format, va_list arguments)
{
        BASE_SCOPE(text_fini) struct text raw = TEXT_INIT(screen_line_max);

        text_vprintf(&raw, format, arguments);
        for (size_t i = 0; i < raw.length; i++)
                if (raw.bytes[i] == '\n' || raw.bytes[i] == '\t')
                        raw.bytes[i] = ' ';
        text_append_escaped(into, text_view(&raw), raw.length);
}

static void erase(struct screen *screen)
{
        if (screen->is_drawn)
                (void)fputs("\r\033[K", stderr); /* an ornament */
        screen->is_drawn = false;
}

void screen_say(struct screen *screen, enum screen_colour colour, const char *format, ...)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(5 * screen_line_max);
        bool is_coloured = screen->has_colour && colour != SCREEN_PLAIN;
        va_list arguments;

        erase(screen);
        text_append(&line, is_coloured ? codes[colour] : "");
        va_start(arguments, format);
        append_formatted(&line, format, arguments);
        va_end(arguments);
        text_printf(&line, "%s\n", is_coloured ? "\033[0m" : "");
        put(&line);
}

static size_t columns(void)
{
        struct winsize size;

        if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20)
                return size.ws_col;
        return columns_usual;
}

static void draw(struct screen *screen, size_t answer_bytes)
{
        uint64_t now_ns = clock_monotonic_ns();
        char line[200];
        int width = (int)columns() - 1;

        if (!screen->is_terminal || now_ns - screen->drawn_ns < redraw_ms * CLOCK_MS_NS)
                return;
        screen->drawn_ns = now_ns;
        (void)snprintf(line, sizeof(line), "%s  %.0f s%s", screen->what,
                       (double)(now_ns - screen->since_ns) / (double)CLOCK_S_NS,
                       answer_bytes ? "" : "  waiting");
        if (answer_bytes)
                (void)snprintf(line, sizeof(line), "%s  %.0f s  %zu bytes", screen->what,
                               (double)(now_ns - screen->since_ns) / (double)CLOCK_S_NS,
                               answer_bytes);
        (void)fprintf(stderr, "\r\033[K%.*s", width, line);
        (void)fflush(stderr);
        screen->is_drawn = true;
}

void screen_begin(struct screen *screen, const char *format, ...)
{
        BASE_SCOPE(text_fini) struct text what = TEXT_INIT(sizeof(screen->what) - 1);
        va_list arguments;

        va_start(arguments, format);
        append_formatted(&what, format, arguments);
        va_end(arguments);
        (void)snprintf(screen->what, sizeof(screen->what), "%s", text_view(&what));
        screen->since_ns = clock_monotonic_ns();
        screen->drawn_ns = 0;
        draw(screen, 0);
}

void screen_progress(void *context, size_t answer_bytes)
{
        draw(context, answer_bytes);
}
