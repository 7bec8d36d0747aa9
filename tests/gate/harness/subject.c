/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to do to the harness, one function each, what candidates do. */
#include "subject.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tocsin.h"

TOC_MODULE(subject, "Does what its name says");
TOC_COUNTER(events, "What subject_count() was told",
            TOC_ALERT(per_minute, >, 100, TOC_WARN, "too many events", .hold_s = 30));
TOC_GAUGE(fill, "What subject_fill() was told",
          TOC_ALERT(value, >, 10, TOC_PAGE, "the subject is full"));

struct subject {
        char *bytes;
        int is_broken;
};

struct subject *subject_new(size_t bytes)
{
        struct subject *subject = malloc(sizeof(*subject));

        if (!subject)
                return NULL;
        subject->is_broken = 0;
        subject->bytes = malloc(bytes);
        if (!subject->bytes) {
                free(subject);
                return NULL;
        }
        return subject;
}

void subject_free(struct subject *subject)
{
        if (subject)
                free(subject->bytes);
        free(subject);
}

int subject_check(const struct subject *subject)
{
        return subject->is_broken;
}

void subject_break(struct subject *subject)
{
        subject->is_broken = 7;
}

void subject_forget(struct subject *subject)
{
        subject->bytes = NULL;
}

void *subject_take(size_t bytes)
{
        return malloc(bytes);
}

void subject_return(void *memory)
{
        free(memory);
}

char *subject_copy(const char *text)
{
        return strdup(text);
}

int subject_careless(void)
{
        char *first = malloc(100), *second;

        if (!first)
                return -1;
        second = malloc(100);
        *(volatile char *)second = 1;
        free(second);
        free(first);
        return 0;
}

int subject_leaks_on_error(void)
{
        char *first = malloc(100), *second;

        if (!first)
                return -1;
        second = malloc(100);
        if (!second)
                return -1;
        free(second);
        free(first);
        return 0;
}

int subject_each_way(void)
{
        char *memory[11] = { NULL }, *grown;
        size_t size = 0;
        FILE *stream = tmpfile();
        int missing = 0;

        if (!stream)
                return -1;
        fputs("a line\n", stream);
        rewind(stream);
        memory[0] = malloc(10);
        memory[1] = calloc(10, 10);
        memory[2] = realloc(NULL, 10);
        memory[3] = reallocarray(NULL, 10, 10);
        memory[4] = aligned_alloc(64, 64);
        if (posix_memalign((void **)&memory[5], 64, 64))
                memory[5] = NULL;
        memory[6] = memalign(64, 64);
        memory[7] = strdup("text");
        memory[8] = strndup("text", 2);
        if (asprintf(&memory[9], "%d", 123456789) < 0)
                memory[9] = NULL;
        (void)!getline(&memory[10], &size, stream);
        fclose(stream);
        grown = realloc(memory[0], 1000);
        if (grown)
                memory[0] = grown;
        for (int i = 0; i < 11; i++) {
                missing += !memory[i];
                free(memory[i]);
        }
        return missing;
}

int subject_add(int a, int b)
{
        return a + b;
}

void subject_race(void)
{
        static int shared;

        shared++;
}

void subject_count(unsigned events)
{
        toc_add(events, events);
}

void subject_fill(long to)
{
        toc_set(fill, to);
}

int subject_expect(int value)
{
        return TOC_EXPECT(value == 1, TOC_WARN, "the value is one");
}
