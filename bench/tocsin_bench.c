/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin_bench.c - what probes cost on this machine, next to what the same machine does without
 * them, in one run. Absolute figures are of one CPU on one day; ratios are what is promised. */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "bell.h"
#include "inside.h"
#include "kind.h"
#include "loop.h"
#include "peer.h"
#include "probe/segment.h"
#include "report.h"
#include "shelter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { only_max = 64 };

struct request {
        uint64_t rounds;
        uint64_t seed;
        bool marginal, json, check;
        struct option_list only;
        const char *only_values[only_max];
};

static const char examples[] = "tocsin-bench\n"
                               "tocsin-bench --only counter --only error --rounds 21\n"
                               "tocsin-bench --marginal\n"
                               "tocsin-bench --json --check >bench.json\n";

static const char summary[] =
        "Measure what probes cost on this machine, next to what it does without them. "
        "The columns are nanoseconds an operation, median and quartiles over the rounds; the ratio "
        "of the medians to that of another row with as many threads; and growth, from one thread "
        "to two, less that of the other row. Each with its limit, if it has a budget.";

static void free_array(char ***array)
{
        free(*array);
}

static int parse(int argc, char **argv, struct request *request)
{
        const struct option options[] = {
                OPTION_NUMBER("rounds", 0, "N", "rounds, of which the median is taken (11)",
                              &request->rounds, 1, FIGURE_ROUND_MAX),
                OPTION_LIST("only", 0, "NAME",
                            "only this row, and what it is compared with; may be repeated",
                            &request->only),
                OPTION_FLAG("marginal", 0, "also measure what a probe adds to other work",
                            &request->marginal),
                OPTION_NUMBER("seed", 0, "N", "of the order of rows in each round (1)",
                              &request->seed, 0, INT64_MAX),
                OPTION_FLAG("check", 0, "exit with status 1 if a budget is exceeded",
                            &request->check),
                OPTION_FLAG("json", 0, "print results as JSON", &request->json),
        };
        const struct option_page page = {
                .command = "tocsin-bench",
                .summary = summary,
                .options = options,
                .option_count = BASE_COUNT(options),
                .examples = examples,
        };
        struct option_operands operands;
        char **copy BASE_SCOPE(free_array) = calloc((size_t)argc + 1, sizeof *copy);

        if (!copy) {
                say_error("cannot start: %s", error_text(ENOMEM));
                return OPTION_UNHEARD;
        }
        /* Parsing reorders them, and they are to be handed on as they came. */
        memcpy(copy, argv, (size_t)argc * sizeof *copy);
        return option_parse_or_say(&page, argc, copy, &operands);
}

/* Each name must be that of a row. */
static bool names_are_known(const struct option_list *only)
{
        const char *known[FIGURE_COUNT_MAX];
        const char *nearest;

        for (size_t i = 0; i < row_count; i++)
                known[i] = row_table[i].name;
        for (size_t i = 0; i < only->count; i++) {
                if (row_find(only->values[i]))
                        continue;
                nearest = option_nearest(only->values[i], known, row_count);
                say_error("there is no row '%s'%s%s%s", only->values[i],
                          nearest ? "; did you mean '" : "", nearest ? nearest : "",
                          nearest ? "'?" : "");
                return false;
        }
        return true;
}

/* Whether a row was asked for, or is what one that was asked for is compared with. */
static bool is_wanted(const struct row *row, const struct request *request)
{
        if (request->only.count == 0)
                return row->part != ROW_WORK || request->marginal;
        for (size_t i = 0; i < request->only.count; i++) {
                const struct row *asked = row_find(request->only.values[i]);

                if (asked == row)
                        return true;
                /* Of what it is compared with the budget shall be seen too. */
                for (; asked; asked = row_find(asked->against))
                        if (strcmp(asked->against, row->name) == 0)
                                return true;
        }
        return false;
}

/* Rows that were asked for and cannot be measured. */
static struct missing {
        const struct row *rows[FIGURE_COUNT_MAX];
        size_t count;
} missing;

static size_t plan(const struct request *request, unsigned threads_max, struct figure *figures)
{
        size_t count = 0;

        for (size_t i = 0; i < row_count; i++) {
                const struct row *row = &row_table[i];
                bool is_single = row->part == ROW_SELDOM || row->part == ROW_WORK;

                if (!is_wanted(row, request))
                        continue;
                if (!peer_is_here(row->library)) {
                        missing.rows[missing.count++] = row;
                        continue;
                }
                for (unsigned threads = 1; threads <= (is_single ? 1 : threads_max); threads++)
                        figures[count++] = (struct figure){ .row = row, .threads = threads };
        }
        return count;
}

static void tell_round(size_t round, size_t rounds)
{
        if (!isatty(STDERR_FILENO))
                return;
        if (round < rounds)
                (void)fprintf(stderr, "\rround %zu of %zu", round, rounds);
        else
                (void)fprintf(stderr, "\r%*s\r", 24, "");
}

/* How many reports were dropped, as the segment says: they would have been cheaper than others. */
static uint64_t read_dropped(void)
{
        struct segment_header header = { 0 };
        int fd = open(toc_segment_path(), O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return 0;
        if (pread(fd, &header, sizeof header, 0) != sizeof header)
                header.events_dropped = 0;
        (void)close(fd); /* nothing was written through it */
        return header.events_dropped;
}

static int print(const struct request *request, const struct measure *measure, uint64_t took_ns)
{
        struct host host;
        struct report report = { .host = &host,
                                 .measure = measure,
                                 .missing = missing.rows,
                                 .missing_count = missing.count,
                                 .seed = request->seed,
                                 .events_dropped = read_dropped(),
                                 .took_ns = took_ns };
        int failed;

        host_describe(&host);
        failed = request->json ? report_json(&report) : report_table(&report);
        if (failed) {
                say_error("cannot write the results: %s", error_text(failed));
                return ERROR_EXIT_UNKNOWN;
        }
        for (size_t i = 0; i < measure->count; i++)
                if (request->check && measure->figures[i].verdict == FIGURE_OVER)
                        return ERROR_EXIT_NO;
        return ERROR_EXIT_YES;
}

static int measure_with(const struct request *request, struct crew *crew)
{
        static struct figure figures[FIGURE_COUNT_MAX]; /* more than belongs on a stack */
        struct measure measure = { .crew = crew,
                                   .figures = figures,
                                   .count = plan(request, crew->count, figures),
                                   .rounds = request->rounds,
                                   .seed = request->seed,
                                   .on_round = tell_round };
        uint64_t start_ns = clock_monotonic_ns();
        int failed = measure_all(&measure);

        if (failed) {
                say_error("cannot measure: %s", error_text(failed));
                return ERROR_EXIT_UNKNOWN;
        }
        figure_judge(figures, measure.count);
        return print(request, &measure, clock_monotonic_ns() - start_ns);
}

static int work(const struct request *request, const char *directory)
{
        struct crew crew;
        int failed, status;

        if (!toc_segment_path()) {
                say_error("there is no segment in '%s': probes would count in private memory, and "
                          "reports go nowhere; a directory on tmpfs is needed",
                          directory);
                return ERROR_EXIT_UNKNOWN;
        }
        kind_open();
        inside_open();
        peer_open(directory);
        failed = loop_open();
        if (!failed)
                failed = crew_open(&crew);
        if (!failed) {
                failed = bell_place(directory, crew.member[crew.count - 1].cpu);
                status = failed ? ERROR_EXIT_UNKNOWN : measure_with(request, &crew);
                crew_close(&crew);
        }
        loop_close();
        peer_close();
        if (!failed)
                return status;
        say_error("cannot start: %s", error_text(failed));
        return ERROR_EXIT_UNKNOWN;
}

int main(int argc, char **argv)
{
        struct request request = { .rounds = 11, .seed = 1 };
        const char *directory;
        int outcome, status;

        request.only = (struct option_list){ .values = request.only_values, .count_max = only_max };
        outcome = parse(argc, argv, &request);
        if (outcome)
                return option_exit(outcome);
        if (!names_are_known(&request.only))
                return ERROR_EXIT_USAGE;
        outcome = shelter_enter(argv, &directory, &status);
        if (outcome == SHELTER_LEFT)
                return status;
        if (outcome) {
                say_error("cannot make a directory on tmpfs: %s", error_text(outcome));
                return ERROR_EXIT_UNKNOWN;
        }
        return work(&request, directory);
}
