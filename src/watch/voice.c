/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because standard error is shared with the program and may block, and neither may hold the
 * watcher or tear a line.
 */
#include "watch/voice.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct tone {
        const char *label;
        const char *colour;
};

static const struct tone tones[] = {
        [VOICE_PLAIN] = { "", "" },
        [VOICE_ERROR] = { "error: ", "\033[1;31m" },
        [VOICE_WARNING] = { "warning: ", "\033[1;33m" },
        [VOICE_PAGE] = { "PAGE ", "\033[1;37;41m" },
        [VOICE_WARN] = { "WARN ", "\033[1;33m" },
        [VOICE_NOTE] = { "note ", "\033[1;36m" },
        [VOICE_OK] = { "ok   ", "\033[1;32m" },
        [VOICE_LOG] = { "log  ", "\033[1;35m" },
};

struct voice {
        pthread_mutex_t lock;
        int fd;
        bool has_colour;
        char *lines[voice_lines_max]; /* a ring */
        unsigned first;
        unsigned count;
        uint64_t withheld; /* since the last line that was taken */
};

int voice_new(bool has_colour, struct voice **ret_voice)
{
        struct voice *voice = calloc(1, sizeof(*voice));
        int failed;

        if (!voice)
                return -ENOMEM;
        voice->has_colour = has_colour;
        voice->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        failed = voice->fd < 0 ? error_last() : -pthread_mutex_init(&voice->lock, NULL);
        if (failed) {
                if (voice->fd >= 0)
                        (void)close(voice->fd); /* an eventfd holds nothing */
                free(voice);
                return failed;
        }
        *ret_voice = voice;
        return 0;
}

void voice_free(struct voice **address)
{
        struct voice *voice = *address;

        if (!voice)
                return;
        for (unsigned i = 0; i < voice->count; i++)
                free(voice->lines[(voice->first + i) % voice_lines_max]);
        (void)close(voice->fd);
        (void)pthread_mutex_destroy(&voice->lock); /* nobody holds it any more */
        free(voice);
        *address = NULL;
}

int voice_fd(const struct voice *voice)
{
        return voice->fd;
}

BASE_PRINTF(3, 0)
static void build_line(const struct voice *voice, enum voice_tone tone, const char *format,
                       va_list arguments, struct text *line)
{
        BASE_SCOPE(text_fini) struct text message = TEXT_INIT(voice_line_bytes_max);
        bool is_coloured = voice->has_colour && tones[tone].colour[0];

        text_vprintf(&message, format, arguments);
        text_append(line, "tocsin: ");
        text_append(line, is_coloured ? tones[tone].colour : "");
        text_append(line, tones[tone].label);
        text_append(line, is_coloured ? "\033[0m" : "");
        text_append_escaped(line, text_view(&message), message.length);
        text_append(line, message.error == -EOVERFLOW ? "...\n" : "\n");
}

void voice_say(struct voice *voice, enum voice_tone tone, const char *format, ...)
{
        struct text line = TEXT_INIT((size_t)5 * voice_line_bytes_max);
        uint64_t one = 1;
        va_list arguments;

        va_start(arguments, format);
        build_line(voice, tone, format, arguments, &line);
        va_end(arguments);

        (void)pthread_mutex_lock(&voice->lock); /* fails only for a thread that holds it */
        if (line.bytes && voice->count < voice_lines_max) {
                voice->lines[(voice->first + voice->count++) % voice_lines_max] = line.bytes;
        } else {
                free(line.bytes);
                voice->withheld++;
        }
        (void)pthread_mutex_unlock(&voice->lock);
        (void)!write(voice->fd, &one, sizeof(one)); /* full means readable */
}

static char *say_withheld(struct voice *voice)
{
        struct text line = TEXT_INIT(128);

        text_printf(&line, "tocsin: %llu more lines\n", (unsigned long long)voice->withheld);
        voice->withheld = 0;
        return line.bytes;
}

char *voice_take(struct voice *voice)
{
        char *line = NULL;
        uint64_t count;

        (void)!read(voice->fd, &count, sizeof(count)); /* empty: nothing waits */
        (void)pthread_mutex_lock(&voice->lock);
        if (voice->count) {
                line = voice->lines[voice->first];
                voice->first = (voice->first + 1) % voice_lines_max;
                voice->count--;
        } else if (voice->withheld) {
                line = say_withheld(voice);
        }
        (void)pthread_mutex_unlock(&voice->lock);
        return line;
}
