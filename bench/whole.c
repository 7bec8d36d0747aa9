/* SPDX-License-Identifier: Apache-2.0 */
/* whole.c - work for whole.py to slow down: two threads that fill, search and empty a table of
 * words behind locks. It allocates, copies, compares and locks in about the shares of a server that
 * does nothing but that. usage: whole ROUNDS; prints a number that depends on all it did. */
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { thread_count = 2, shard_count = 16, bucket_count = 512, word_count = 4096 };

struct word {
        struct word *next;
        uint64_t uses;
        char *text;
};

static struct shard {
        pthread_mutex_t lock;
        struct word *buckets[bucket_count];
} shards[shard_count];

static pthread_mutex_t sum_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t sum;

static void must(int failed)
{
        if (failed)
                exit(1);
}

static uint64_t hash(const char *text)
{
        uint64_t value = 14695981039346656037u;

        for (; *text; text++)
                value = (value ^ (uint8_t)*text) * 1099511628211u;
        return value;
}

static struct word **find(struct shard *shard, uint64_t key, const char *text)
{
        struct word **at = &shard->buckets[key / shard_count % bucket_count];

        while (*at && strcmp((*at)->text, text) != 0)
                at = &(*at)->next;
        return at;
}

static void use(const char *text)
{
        uint64_t key = hash(text);
        struct shard *shard = &shards[key % shard_count];
        struct word **at;

        must(pthread_mutex_lock(&shard->lock));
        at = find(shard, key, text);
        if (!*at) {
                *at = calloc(1, sizeof **at);
                must(!*at);
                (*at)->text = strdup(text);
                must(!(*at)->text);
        }
        (*at)->uses++;
        must(pthread_mutex_unlock(&shard->lock));
}

/* What it was used for, or 0. */
static uint64_t forget(const char *text)
{
        uint64_t key = hash(text), uses = 0;
        struct shard *shard = &shards[key % shard_count];
        struct word **at, *word;

        must(pthread_mutex_lock(&shard->lock));
        at = find(shard, key, text);
        word = *at;
        if (word) {
                *at = word->next;
                uses = word->uses;
                free(word->text);
                free(word);
        }
        must(pthread_mutex_unlock(&shard->lock));
        return uses;
}

/* Words of its own: what comes of it does not hang on who was first. */
static char *make(unsigned thread, unsigned number)
{
        size_t size = 16 + number * 7 % 200;
        char *text = malloc(size);

        must(!text || snprintf(text, size, "%u.%u", thread, number) < 0);
        memset(text + strlen(text) + 1, 'x', size - strlen(text) - 1);
        return text;
}

static void round_of(unsigned thread)
{
        uint64_t uses = 0;

        for (unsigned turn = 0; turn < 4; turn++)
                for (unsigned i = 0; i < word_count; i++) {
                        char *text = make(thread, i);

                        if (turn < 3)
                                use(text);
                        else
                                uses += forget(text) * (i + 1);
                        free(text);
                }
        must(pthread_mutex_lock(&sum_lock));
        sum = sum + uses % 1000003;
        must(pthread_mutex_unlock(&sum_lock));
}

static unsigned long rounds;

static void *work(void *number)
{
        for (unsigned long i = 0; i < rounds; i++)
                round_of(*(unsigned *)number);
        return NULL;
}

int main(int argc, char **argv)
{
        pthread_t threads[thread_count];
        unsigned numbers[thread_count];

        rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
        for (unsigned i = 0; i < shard_count; i++)
                must(pthread_mutex_init(&shards[i].lock, NULL));
        for (unsigned i = 0; i < thread_count; i++) {
                numbers[i] = i;
                must(pthread_create(&threads[i], NULL, work, &numbers[i]));
        }
        for (unsigned i = 0; i < thread_count; i++)
                must(pthread_join(threads[i], NULL));
        printf("%" PRIu64 "\n", sum);
        return 0;
}
