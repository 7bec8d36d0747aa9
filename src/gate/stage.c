/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every stage asks: is this case meant, is that build, and many hands for many runs.
 */
#include "gate/stage.h"

#include <stdatomic.h>

enum { thread_max = 64 };

bool stage_wants_case(const struct stage_context *context, const char *test_case)
{
        const char *asked = context->options->test_case;

        return !asked || strcmp(asked, test_case) == 0;
}

bool stage_wants_build(const struct stage_context *context, const char *build)
{
        const char *asked = context->options->build;

        return !asked || strcmp(asked, build) == 0;
}

struct crew {
        int (*work)(void *context, size_t i);
        void *context;
        size_t count;
        atomic_size_t next;
        atomic_int failed; /* the first error below 0 */
};

static void *labour(void *argument)
{
        struct crew *crew = argument;

        while (!atomic_load(&crew->failed)) {
                size_t i = atomic_fetch_add(&crew->next, 1);
                int none = 0;
                int outcome;

                if (i >= crew->count)
                        break;
                outcome = crew->work(crew->context, i);
                if (outcome < 0)
                        (void)atomic_compare_exchange_strong(&crew->failed, &none, outcome);
        }
        return NULL;
}

int stage_in_parallel(struct stage_context *context, size_t count,
                      int (*work)(void *context, size_t i), void *work_context)
{
        struct crew crew = { .work = work, .context = work_context, .count = count };
        pthread_t threads[thread_max];
        size_t wanted = context->options->jobs < thread_max ? context->options->jobs : thread_max;
        size_t started = 0;

        if (wanted > count)
                wanted = count;
        /* This thread works too; without more threads it does everything. */
        while (started + 1 < wanted && !pthread_create(&threads[started], NULL, labour, &crew))
                started++;
        (void)labour(&crew);
        while (started)
                (void)pthread_join(threads[--started], NULL); /* it was started and not joined */
        return atomic_load(&crew.failed);
}
