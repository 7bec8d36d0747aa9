/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin-conform - the same random samples, judged by src/rule and by Prometheus.
 *
 * A timeline is compared at each step at which a sample was taken. What is in a stream, and what is
 * left out of all, is said in stream.h. */
#include "judge.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        exit_disagree = 1,
        exit_usage = 2,
        exit_no_judge = 3,
        streams_max = 1000000,
        batch_max = 32, /* streams that promtool is asked about at once */
        said_max = 20,  /* disagreements that are shown */
};

/* What promtool is asked in one call: streams of the same scrape interval. */
struct batch {
        uint64_t seed[batch_max];
        size_t count;
        uint32_t scrape_s;
};

struct run {
        struct batch *batches;
        size_t batch_count;
        bool prints_both; /* timelines, whatever they say */
        bool is_quiet;
        bool stops;           /* at the first disagreement */
        pthread_mutex_t lock; /* of all below */
        size_t next;
        uint64_t streams, steps, samples, rules, rang, disagreements;
        uint64_t by_kind[16];
        int status;
};

/* ---- Reports ------------------------------------------------------------------------------*/

/* A rule on too few events, whose window is no whole number of scrapes, looks at a shorter one in
 * Prometheus. It may ring where it does not here, and never the other way round. */
static bool may_ring_more(const struct stream *stream, uint32_t slot)
{
        const struct toc_rule *rule = &stream->record.rule[slot];

        return rule->severity && promql_window_s(&stream->record, slot, stream->scrape_s) <
                                         rule_window_s(stream->record.kind, rule);
}

static bool agree(const struct stream *stream, const struct timeline *here,
                  const struct timeline *there)
{
        for (uint32_t slot = 0; slot < 2; slot++) {
                if (!may_ring_more(stream, slot)) {
                        if (strcmp(here->letter[slot], there->letter[slot]) != 0)
                                return false;
                        continue;
                }
                for (uint32_t i = 0; i < stream->steps; i++)
                        if (here->letter[slot][i] == 'F' && there->letter[slot][i] != 'F')
                                return false;
        }
        return true;
}

static void print_rule(const struct stream *stream, uint32_t slot)
{
        struct text expr BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        const struct toc_rule *rule = &stream->record.rule[slot];
        struct promql how = { .alert = slot ? "A1" : "A0", .scrape_s = stream->scrape_s };

        if (promql_expr(&expr, &stream->record, slot, &how))
                return;
        printf("rule %u: %s %s %" PRId64, slot, rule_signal_name(rule->signal),
               rule_op_name(rule->op), rule->limit);
        if (rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                printf(", clear_at %" PRId64, rule->clear_at);
        printf(", window %u s, hold %u s, keep %u s", rule->window_s, rule->hold_s, rule->keep_s);
        if (rule->volume_min)
                printf(", volume_min %u", rule->volume_min);
        if (rule->capacity)
                printf(", capacity %" PRId64, rule->capacity);
        if (rule->objective_permille)
                printf(", objective %u", rule->objective_permille);
        printf("\n        %s\n", text_view(&expr));
}

/* One line a step: time, what the series said, engine and promtool for each rule. */
static void print_both(const struct stream *stream, const struct timeline *here,
                       const struct timeline *there)
{
        struct promql_series series;
        uint32_t count = 0;

        printf("seed %" PRIu64 ": %s, every %u s, %s the start%s%s\n", stream->seed,
               rule_kind_name(stream->form->kind), stream->scrape_s,
               stream->from_start ? "seen from" : "not seen from",
               stream->record.labels[0] ? ", label " : "", stream->record.labels);
        for (uint32_t slot = 0; slot < 2; slot++)
                print_rule(stream, slot);
        printf("%8s  e p  e p  %10s", "s", "started");
        for (; promql_series(&stream->record, count, &series) == 0; count++)
                printf(" %12.12s", series.name + strlen(stream->record.module) + 1);
        printf("\n");
        for (uint32_t i = 0; i < stream->steps; i++) {
                const struct stream_step *step = &stream->step[i];
                bool differ = false;

                printf("%8u ", i * stream->scrape_s);
                for (uint32_t slot = 0; slot < 2; slot++) {
                        printf(" %c %c ", here->letter[slot][i], there->letter[slot][i]);
                        differ |= here->letter[slot][i] != there->letter[slot][i];
                }
                printf(" %10" PRId64, step->started);
                for (uint32_t n = 0; n < count && step->is_sampled; n++)
                        if (step->series[n] <= STREAM_STALE)
                                printf(" %12s", "-");
                        else
                                printf(" %12" PRId64, step->series[n]);
                printf("%s%s\n", step->is_new ? " (new)" : "", differ ? " <" : "");
        }
}

static void print_disagreement(const struct stream *stream, const struct timeline *here,
                               const struct timeline *there)
{
        for (uint32_t i = 0; i < stream->steps; i++)
                for (uint32_t slot = 0; slot < 2; slot++)
                        if (here->letter[slot][i] != there->letter[slot][i]) {
                                printf("seed %" PRIu64 " (%s %s): at %u s, rule %u: here '%c', "
                                       "promtool '%c'; see --seed %" PRIu64 "\n",
                                       stream->seed, rule_kind_name(stream->form->kind),
                                       rule_signal_name(stream->form->signal), i * stream->scrape_s,
                                       slot, here->letter[slot][i], there->letter[slot][i],
                                       stream->seed);
                                return;
                        }
}

/* ---- Batches ------------------------------------------------------------------------------*/

static void account(struct run *run, const struct stream *stream, const struct timeline *here,
                    const struct timeline *there)
{
        run->streams++;
        run->steps += stream->steps;
        run->by_kind[stream->form->kind % 16]++;
        for (uint32_t i = 0; i < stream->steps; i++)
                run->samples += stream->step[i].is_sampled;
        for (uint32_t slot = 0; slot < 2; slot++) {
                run->rules += stream->record.rule[slot].severity > 0;
                run->rang += strchr(here->letter[slot], 'F') && strchr(here->letter[slot], '.');
        }
        if (run->prints_both)
                print_both(stream, here, there);
        if (agree(stream, here, there))
                return;
        if (run->disagreements++ < said_max && !run->is_quiet && !run->prints_both)
                print_disagreement(stream, here, there);
        if (!run->status)
                run->status = exit_disagree;
        if (run->stops)
                run->next = run->batch_count;
}

static void complain(struct run *run, const char *what)
{
        pthread_mutex_lock(&run->lock);
        if (run->status != exit_no_judge)
                say_error("%s", what);
        run->status = exit_no_judge;
        run->next = run->batch_count;
        pthread_mutex_unlock(&run->lock);
}

/* The engine's answers; one that it refuses to judge is worth no promtool. */
static int judge_all(struct run *run, const struct batch *batch, struct stream *streams,
                     struct timeline *here)
{
        for (size_t k = 0; k < batch->count; k++) {
                char what[128];
                int error;

                stream_make(&streams[k], batch->seed[k]);
                error = judge_engine(&streams[k], &here[k]);
                if (!error)
                        continue;
                (void)snprintf(what, sizeof(what), "seed %" PRIu64 " (%s %s): src/rule: %s",
                               batch->seed[k], rule_kind_name(streams[k].form->kind),
                               rule_signal_name(streams[k].form->signal), error_text(-error));
                complain(run, what);
                return error;
        }
        return 0;
}

static void run_batch(struct run *run, const struct batch *batch, struct stream *streams,
                      struct timeline *here, struct timeline *there)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        int outcome = judge_all(run, batch, streams, here);

        if (outcome)
                return;
        outcome = judge_promtool(streams, here, batch->count, there, &why);
        if (outcome) {
                complain(run, outcome > 0 ? text_view(&why) : error_text(-outcome));
                return;
        }
        pthread_mutex_lock(&run->lock);
        for (size_t k = 0; k < batch->count; k++)
                account(run, &streams[k], &here[k], &there[k]);
        pthread_mutex_unlock(&run->lock);
}

static void *work(void *context)
{
        struct run *run = context;
        struct stream *streams = calloc(batch_max, sizeof(*streams));
        struct timeline *here = calloc(batch_max, sizeof(*here));
        struct timeline *there = calloc(batch_max, sizeof(*there));

        if (!streams || !here || !there)
                complain(run, error_text(ENOMEM));
        for (;;) {
                size_t n;

                pthread_mutex_lock(&run->lock);
                n = run->next;
                run->next += n < run->batch_count;
                pthread_mutex_unlock(&run->lock);
                if (n >= run->batch_count)
                        break;
                run_batch(run, &run->batches[n], streams, here, there);
        }
        free(streams);
        free(here);
        free(there);
        return NULL;
}

/* Puts a stream with others of its scrape interval. */
static void place(struct run *run, uint64_t seed, uint32_t scrape_s, size_t full)
{
        size_t n = run->batch_count;

        while (n > 0 && run->batches[n - 1].scrape_s != scrape_s)
                n--;
        if (n == 0 || run->batches[n - 1].count == full) {
                n = ++run->batch_count;
                run->batches[n - 1] = (struct batch){ .scrape_s = scrape_s };
        }
        run->batches[n - 1].seed[run->batches[n - 1].count++] = seed;
}

static bool is_wanted(uint64_t seed, const char *kind, const char *signal)
{
        const struct stream_form *form = stream_form_of(seed);

        return (!kind || strcmp(kind, rule_kind_name(form->kind)) == 0) &&
               (!signal || strcmp(signal, rule_signal_name(form->signal)) == 0);
}

static bool is_known(const char *kind, const char *signal)
{
        for (size_t n = 0; stream_form(n); n++)
                if ((!kind || strcmp(kind, rule_kind_name(stream_form(n)->kind)) == 0) &&
                    (!signal || strcmp(signal, rule_signal_name(stream_form(n)->signal)) == 0))
                        return true;
        return false;
}

/* Streams of the seeds from `first` on that are wanted, until there are so many. */
static bool gather(struct run *run, uint64_t first, uint64_t count, const char *kind,
                   const char *signal, size_t full)
{
        struct stream *stream = calloc(1, sizeof(*stream));

        run->batches = calloc(count, sizeof(*run->batches));
        if (!run->batches || !stream) {
                free(stream);
                return false;
        }
        for (uint64_t seed = first; count > 0; seed++) {
                if (!is_wanted(seed, kind, signal))
                        continue;
                stream_make(stream, seed);
                place(run, seed, stream->scrape_s, full);
                count--;
        }
        free(stream);
        return true;
}

/* ---- The program --------------------------------------------------------------------------*/

static void print_summary(const struct run *run, uint64_t first, uint64_t took_ns, bool json)
{
        double took_s = (double)took_ns / (double)CLOCK_S_NS;

        if (!json) {
                printf("%" PRIu64 " streams from seed %" PRIu64 ", %" PRIu64
                       " rules of which %" PRIu64 " rang and fell silent, %" PRIu64
                       " samples of %" PRIu64 " steps, %.1f s: %" PRIu64 " disagree\n",
                       run->streams, first, run->rules, run->rang, run->samples, run->steps, took_s,
                       run->disagreements);
                return;
        }
        printf("{\"streams\":%" PRIu64 ",\"first\":%" PRIu64 ",\"rules\":%" PRIu64
               ",\"rang\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"samples\":%" PRIu64
               ",\"not_compared\":%" PRIu64 ",\"disagreements\":%" PRIu64
               ",\"seconds\":%.1f,\"kinds\":{",
               run->streams, first, run->rules, run->rang, run->steps, run->samples,
               run->steps - run->samples, run->disagreements, took_s);
        for (unsigned kind = 0, shown = 0; kind < 16; kind++)
                if (run->by_kind[kind])
                        printf("%s\"%s\":%" PRIu64, shown++ ? "," : "", rule_kind_name(kind),
                               run->by_kind[kind]);
        printf("}}\n");
}

static bool run_jobs(struct run *run, size_t jobs)
{
        pthread_t threads[64];
        size_t started = 0;

        while (started < jobs && pthread_create(&threads[started], NULL, work, run) == 0)
                started++;
        for (size_t i = 0; i < started; i++)
                pthread_join(threads[i], NULL);
        return started > 0;
}

int main(int argc, char **argv)
{
        struct run run = { .lock = PTHREAD_MUTEX_INITIALIZER };
        const char *kind = NULL;
        const char *signal = NULL;
        uint64_t seed = 0, first = 1, count = 2000, jobs = 2;
        bool json = false;
        const struct option options[] = {
                OPTION_NUMBER("streams", 'n', "N", "compare that many (2000)", &count, 1,
                              streams_max),
                OPTION_NUMBER("first", 0, "SEED", "begin with this seed (1)", &first, 1,
                              UINT64_C(1) << 62),
                OPTION_NUMBER("seed", 's', "SEED", "only this stream, and show both timelines",
                              &seed, 1, UINT64_C(1) << 62),
                OPTION_TEXT("kind", 'k', "NAME", "only streams of this kind of probe", &kind),
                OPTION_TEXT("signal", 0, "NAME", "only streams of this signal", &signal),
                OPTION_NUMBER("jobs", 'j', "N", "run that many promtools at once (2)", &jobs, 1,
                              64),
                OPTION_FLAG("stop", 0, "stop at the first disagreement", &run.stops),
                OPTION_FLAG("json", 0, "print the summary as JSON, and nothing else", &json),
        };
        const struct option_page page = {
                .command = "tocsin-conform",
                .summary = "Judge random samples with src/rule and with promtool, and compare. "
                           "Exit status 0 if all agree, 1 if not, 3 without a working promtool.",
                .options = options,
                .option_count = BASE_COUNT(options),
                .examples = "tocsin-conform --streams 100 --kind timer\ntocsin-conform --seed 7\n",
        };
        struct option_operands operands;
        int outcome = option_parse_or_say(&page, argc, argv, &operands);
        uint64_t began_ns;
        size_t full;

        if (outcome)
                return option_exit(outcome);
        if (!is_known(kind, signal)) {
                say_error("there is no such kind, or none with that signal");
                return exit_usage;
        }
        if (seed) {
                first = seed;
                count = 1;
                kind = signal = NULL;
                run.prints_both = !json;
        }
        run.is_quiet = json;
        /* So few a call that all jobs have some. */
        full = count / (4 * jobs) + 1 < batch_max ? (size_t)(count / (4 * jobs) + 1) : batch_max;
        began_ns = clock_monotonic_ns();
        if (!gather(&run, first, count, kind, signal, full) || !run_jobs(&run, (size_t)jobs))
                run.status = exit_no_judge;
        if (run.status != exit_no_judge)
                print_summary(&run, first, clock_monotonic_ns() - began_ns, json);
        free(run.batches);
        return run.status;
}
