/* SPDX-License-Identifier: Apache-2.0 */
/* The same samples, judged by a rule_set and by Prometheus: `promtool test rules` must say the same
 * at every second. Without promtool in the PATH the tests that run it (promtool_test live) are
 * skipped; the timelines below were read off it and are compared in any case (promtool_test
 * recorded). Random samples, and the expressions that are exported, are tests/conform's.
 *
 * How the timelines were made (promtool 2.42.0 of Debian 12):
 *
 *     promtool_test ask DIR && promtool test rules DIR/test.yml
 *
 * `ask` expects nothing at any second, so promtool prints what it got instead: one letter of a
 * timeline is P or F where it got ALERTS with that alertstate, and . where it got nothing.
 *
 * Two differences that the expressions allow for. `m offset W` is nothing in the first W seconds,
 * where a rule_set starts from 0: hence `or m * 0`. And increase() sees an event only if the sample
 * before it is in the range too: so its range is one sample longer than the window (less a
 * millisecond, because 2.42 closes ranges on both sides and 3.x does not), and as it has no other
 * base, those counters stand at 0 for the first W seconds. */
#include "rule/fixture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { steps_max = 400 };

struct timeline {
        const char *what;
        unsigned kind;
        struct toc_rule rule;
        const char *expr;    /* with @ for "this alert is firing" */
        const char *samples; /* value*seconds; _ nothing; stale: gone */
        const char *states;  /* seconds and letter, from promtool */
};

#define RULE(...) CLEARS(TOC_NO_CLEAR_LEVEL_, __VA_ARGS__)
#define CLEARS(at, ...)                                             \
        {                                                           \
                .clear_at = (at), .severity = TOC_WARN, __VA_ARGS__ \
        }

enum { ABOVE = 4, AT_LEAST = 6, BELOW = 1, AT_MOST = 3, EQUAL = 2, NOT = 5 };

/* clang-format off */
static const struct timeline timelines[] = {
{ "a burst of the limit is silent, one more is not", toc_kind_counter,
  RULE(.signal = toc_signal_per_minute, .op = ABOVE, .limit = 3),
  "(m - (m offset 1m or m * 0)) > 3",
  "0*61 3*70 7*70",
  "131.60F10." },
{ "steadily one more than the limit does not flap", toc_kind_counter,
  RULE(.signal = toc_signal_per_minute, .op = ABOVE, .limit = 18, .window_s = 10),
  "(m - (m offset 10s or m * 0)) * 6 > 18",
  "0*12 1*2 2*3 3*2 4*3 5*2 6*3 7*2 8*3 9*2 10*3 11*2 12*3 12*20",
  "19.23F20." },
{ "first seen at more than the limit", toc_kind_counter,
  RULE(.signal = toc_signal_per_minute, .op = AT_LEAST, .limit = 5),
  "(m - (m offset 1m or m * 0)) >= 5",
  "5*65",
  "60F5." },
{ "a rate at its limit, and just below", toc_kind_counter,
  RULE(.signal = toc_signal_per_second, .op = AT_LEAST, .limit = 2),
  "(m - (m offset 10s or m * 0)) / 10 >= 2",
  "0*12 19*11 39*6 58*20",
  "23.10F16." },
{ "the shortest window", toc_kind_counter,
  RULE(.signal = toc_signal_per_minute, .op = ABOVE, .limit = 30, .window_s = 4),
  "(m - (m offset 4s or m * 0)) * 15 > 30",
  "0*6 1 2 3 3*6 4*2 5*2 6*2 8*2 9*6",
  "8.2F11.4F4." },
{ "too few events", toc_kind_counter,
  RULE(.signal = toc_signal_per_minute, .op = BELOW, .limit = 18, .window_s = 10, .hold_s = 2),
  "(m - (m offset 10s or m * 0)) * 6 < 18",
  "0*12 1 2 3 4 5 6 6*15 9*15",
  "2P12F11.2P6F10.2P3F" },
{ "a total", toc_kind_counter,
  RULE(.signal = toc_signal_total, .op = ABOVE, .limit = 5),
  "m > 5",
  "0*3 5*3 6*3 100*3",
  "6.6F" },
{ "any miss, through resets", toc_kind_expectation,
  RULE(.signal = toc_signal_total, .op = ABOVE),
  "increase(m[60999ms]) > 0",
  "0*61 1*65 0*5 1*65 3*3 1*65",
  "61.60F10.60F5.63F5." },
{ "a count through resets, away from the limit", toc_kind_error,
  RULE(.signal = toc_signal_per_minute, .op = ABOVE, .limit = 5),
  "increase(m[60999ms]) > 5",
  "0*61 4*10 20*30 4*80 0*2 12*70",
  "71.60F52.60F10." },
{ "hysteresis above", toc_kind_gauge,
  CLEARS(60, .signal = toc_signal_value, .op = ABOVE, .limit = 80),
  "m > 80 or (m > 60 and @)",
  "70*2 80 81 80*2 61*2 60*2 61*2 80*2 81*2 59 81 60 81 61",
  "3.5F6.2F1.1F1.2F" },
{ "hysteresis at least", toc_kind_gauge,
  CLEARS(79, .signal = toc_signal_value, .op = AT_LEAST, .limit = 80),
  "m >= 80 or (m > 79 and @)",
  "79*2 80*2 79 80 79 81 78 80*2",
  "2.2F1.1F1.1F1.2F" },
{ "hysteresis below, with hold", toc_kind_gauge,
  CLEARS(20, .signal = toc_signal_value, .op = BELOW, .limit = 10, .hold_s = 2),
  "m < 10 or (m < 20 and @)",
  "15*2 10 9 19 9*3 19*3 20*2 19*3 9 10 9*3 20 9*2",
  "3.1P1.2P4F5.1P1.2P1F1.2P" },
{ "hysteresis at most, negative", toc_kind_level,
  CLEARS(-5, .signal = toc_signal_value, .op = AT_MOST, .limit = -10),
  "m <= -10 or (m < -5 and @)",
  "0 -9 -10 -9 -6 -5 -6 -11 -4",
  "2.3F2.1F1." },
{ "hold: one second short, just enough, flapping", toc_kind_gauge,
  RULE(.signal = toc_signal_value, .op = ABOVE, .limit = 80, .hold_s = 5),
  "m > 80",
  "0 81*5 0 81*6 0 81*7 0 81*2 0 81*4 0*2 81*9",
  "1.5P1.5P1F1.5P2F1.2P1.4P2.5P4F" },
{ "keep", toc_kind_gauge,
  RULE(.signal = toc_signal_value, .op = ABOVE, .limit = 80, .keep_s = 4),
  "m > 80",
  "0 81 0*7 81*2 0*3 81 0*4 81 0*5",
  "1.5F3.15F1." },
{ "hold, keep and hysteresis", toc_kind_gauge,
  CLEARS(60, .signal = toc_signal_value, .op = ABOVE, .limit = 80, .hold_s = 3, .keep_s = 4),
  "m > 80 or (m > 60 and @)",
  "81*2 70 81*5 70*4 60*2 70*2 60*3 61 60*6 70*3 81*5 0*8",
  "2P1.3P18F5.3P6F4." },
{ "equal, where a clear level means nothing", toc_kind_gauge,
  CLEARS(3, .signal = toc_signal_value, .op = EQUAL, .limit = 5),
  "m == 5",
  "4 5 6 5*2 4*2",
  "1.1F1.2F2." },
{ "not equal, with hold", toc_kind_gauge,
  RULE(.signal = toc_signal_value, .op = NOT, .limit = 5, .hold_s = 1),
  "m != 5",
  "5 4 5 4 6 7 5 6*3",
  "1.1P1.1P2F1.1P2F" },
{ "a heart that stops, never having beaten first", toc_kind_heartbeat,
  RULE(.signal = toc_signal_silent_ms, .op = ABOVE, .limit = 3000),
  "(time() - m) * 1000 > 3000",
  "0*6 6 7 8 8*3 8*4 16*3 19*5",
  "4.2F6.4F7.1F" },
{ "no value at first, and gone while it rings", toc_kind_gauge,
  RULE(.signal = toc_signal_value, .op = ABOVE, .limit = 80, .hold_s = 1, .keep_s = 3),
  "m > 80",
  "_*4 81*4 stale _*6 81 stale _ 81*3 0 stale _*5",
  "4.1P6F4.1P2.1P5F4." },
};
/* clang-format on */

/* ---- Samples and states, second by second -------------------------------------------------*/

struct seconds {
        size_t count;
        char word[steps_max][24]; /* as promtool wants it */
};

static void expand(const char *samples, struct seconds *ret_seconds)
{
        char copy[1024];
        char *rest = copy;
        char *word;

        ret_seconds->count = 0;
        assert_true(snprintf(copy, sizeof(copy), "%s", samples) < (int)sizeof(copy));
        while ((word = strsep(&rest, " "))) {
                char *star = strchr(word, '*');
                long times = star ? strtol(star + 1, NULL, 10) : 1;

                if (star)
                        *star = '\0';
                for (; times > 0; times--) {
                        assert_true(ret_seconds->count < steps_max);
                        snprintf(ret_seconds->word[ret_seconds->count++], 24, "%s", word);
                }
        }
}

/* "3.2F" is "...FF". */
static void spell(const char *states, char ret_letters[static steps_max + 1])
{
        size_t count = 0;

        while (*states) {
                char *letter;
                long times = strtol(states, &letter, 10);

                for (; times > 0; times--) {
                        assert_true(count < steps_max);
                        ret_letters[count++] = *letter;
                }
                states = letter + 1;
        }
        ret_letters[count] = '\0';
}

/* What a rule_set says. It knows UNDEF from OK and Prometheus does not: both are '.'. */
static void judge(const struct timeline *timeline, const struct seconds *seconds,
                  char ret_letters[static steps_max + 1])
{
        struct toc_record record = fixture_record(timeline->kind, timeline->rule);
        const struct rule_change *changes;
        struct rule_set *set;
        struct rule_view view;
        uint32_t row;
        size_t count;

        assert_int_equal(rule_set_new(&set, 0), 0);
        assert_int_equal(rule_set_add(set, &record, 0, true, &row), 0);
        for (size_t t = 0; t < seconds->count; t++) {
                char *end;
                int64_t value = strtoll(seconds->word[t], &end, 10);
                uint64_t sample = (uint64_t)(*end ? TOC_GAUGE_UNSET_ : value);

                assert_int_equal(rule_set_tick(set, t * S,
                                               &(struct rule_sample){ .cells = &sample }, 1,
                                               &changes, &count),
                                 0);
                assert_int_equal(rule_set_view(set, 0, &view), 0);
                ret_letters[t] = "..PF"[view.state];
        }
        ret_letters[seconds->count] = '\0';
        rule_set_free(&set);
}

/* ---- promtool -----------------------------------------------------------------------------*/

static void write_rule(FILE *file, size_t number, const struct timeline *timeline)
{
        fprintf(file, "  - alert: A%zu\n    expr: '", number);
        for (const char *c = timeline->expr; *c; c++)
                if (*c == '@')
                        fprintf(file,
                                "ignoring(alertname, alertstate) "
                                "ALERTS{alertname=\"A%zu\",alertstate=\"firing\"} == 1",
                                number);
                else
                        fputc(*c, file);
        fprintf(file, "'\n    for: %" PRIu32 "s\n    keep_firing_for: %" PRIu32 "s\n",
                timeline->rule.hold_s, timeline->rule.keep_s);
}

static void write_test(FILE *file, size_t number, const struct seconds *seconds,
                       const char *letters)
{
        fprintf(file, "- interval: 1s\n  input_series:\n  - series: m\n    values: '");
        for (size_t t = 0; t < seconds->count; t++)
                fprintf(file, "%s ", seconds->word[t]);
        fprintf(file, "'\n  promql_expr_test:\n");
        for (size_t t = 0; t < seconds->count; t++) {
                fprintf(file, "  - expr: 'ALERTS{alertname=\"A%zu\"}'\n    eval_time: %zus\n",
                        number, t);
                if (letters[t] != '.')
                        fprintf(file,
                                "    exp_samples: [{labels: 'ALERTS{alertname=\"A%zu\","
                                "alertstate=\"%s\"}', value: 1}]\n",
                                number, letters[t] == 'P' ? "pending" : "firing");
        }
}

static FILE *create(const char *directory, const char *name)
{
        char path[512];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        file = fopen(path, "w");
        assert_non_null(file);
        return file;
}

/* rules.yml and test.yml; letters[i]: what promtool is to find for timelines[i]. */
static void write_files(const char *directory, const struct timeline *lines, size_t count,
                        const struct seconds *seconds, char (*letters)[steps_max + 1])
{
        FILE *rules = create(directory, "rules.yml");
        FILE *test = create(directory, "test.yml");

        fprintf(rules, "groups:\n- name: rule\n  interval: 1s\n  rules:\n");
        fprintf(test, "rule_files: [rules.yml]\nevaluation_interval: 1s\ntests:\n");
        for (size_t i = 0; i < count; i++) {
                write_rule(rules, i, &lines[i]);
                write_test(test, i, &seconds[i], letters[i]);
        }
        assert_int_equal(fclose(rules), 0);
        assert_int_equal(fclose(test), 0);
}

/* Runs promtool in that directory, for two minutes at most. Its exit status. */
static int run_promtool(const char *directory, const char *arguments)
{
        char command[128];
        int status = 0;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                snprintf(command, sizeof(command), "exec timeout 120 promtool %s", arguments);
                if (chdir(directory) || !freopen("said", "w", stdout) ||
                    dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
                        _exit(126);
                execl("/bin/sh", "sh", "-c", command, (char *)NULL);
                _exit(126);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void print_what_it_said(const char *directory)
{
        char path[512], line[512];
        FILE *said;

        snprintf(path, sizeof(path), "%s/said", directory);
        said = fopen(path, "r");
        for (int i = 0; said && i < 40 && fgets(line, sizeof(line), said); i++)
                print_error("%s", line);
        if (said)
                fclose(said);
}

static void remove_files(const char *directory)
{
        static const char *const names[] = { "rules.yml", "test.yml", "said" };
        char path[512];

        for (size_t i = 0; i < COUNT(names); i++) {
                snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
                (void)unlink(path); /* said is missing if promtool never ran */
        }
        assert_int_equal(rmdir(directory), 0);
}

static void promtool_agrees(const struct timeline *lines, size_t count,
                            const struct seconds *seconds, char (*letters)[steps_max + 1])
{
        char directory[] = "/tmp/promtool_test.XXXXXX";
        int status;

        assert_non_null(mkdtemp(directory));
        write_files(directory, lines, count, seconds, letters);
        status = run_promtool(directory, "test rules test.yml");
        if (status)
                print_what_it_said(directory);
        remove_files(directory);
        assert_int_equal(status, 0);
}

/* ---- Tests --------------------------------------------------------------------------------*/

static struct seconds seconds[COUNT(timelines)];
static char letters[COUNT(timelines)][steps_max + 1];

static void a_rule_set_says_what_promtool_said(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT(timelines); i++) {
                char got[steps_max + 1];

                expand(timelines[i].samples, &seconds[i]);
                spell(timelines[i].states, letters[i]);
                judge(&timelines[i], &seconds[i], got);
                if (strcmp(got, letters[i]) != 0)
                        fail_msg("%s:\n  promtool %s\n  here     %s", timelines[i].what, letters[i],
                                 got);
        }
}

static void promtool_still_says_it(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT(timelines); i++) {
                expand(timelines[i].samples, &seconds[i]);
                spell(timelines[i].states, letters[i]);
        }
        promtool_agrees(timelines, COUNT(timelines), seconds, letters);
}

/* A promtool that agrees with anything would make the tests above worthless. */
static void promtool_can_disagree(void **state)
{
        char directory[] = "/tmp/promtool_test.XXXXXX";
        char wrong[1][steps_max + 1];
        int status;

        (void)state;
        expand(timelines[0].samples, &seconds[0]);
        spell(timelines[0].states, wrong[0]);
        wrong[0][strlen(wrong[0]) - 1] = wrong[0][strlen(wrong[0]) - 1] == '.' ? 'F' : '.';
        assert_non_null(mkdtemp(directory));
        write_files(directory, timelines, 1, seconds, wrong);
        status = run_promtool(directory, "test rules test.yml");
        remove_files(directory);
        assert_int_equal(status, 1);
}

static int ask(const char *directory)
{
        for (size_t i = 0; i < COUNT(timelines); i++) {
                expand(timelines[i].samples, &seconds[i]);
                memset(letters[i], '.', seconds[i].count);
        }
        write_files(directory, timelines, COUNT(timelines), seconds, letters);
        return 0;
}

static bool have_promtool(void)
{
        char directory[] = "/tmp/promtool_test.XXXXXX";
        int status;

        if (!mkdtemp(directory))
                return false;
        status = run_promtool(directory, "--version");
        remove_files(directory);
        return status == 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest recorded[] = {
                cmocka_unit_test(a_rule_set_says_what_promtool_said),
        };
        const struct CMUnitTest live[] = {
                cmocka_unit_test(promtool_still_says_it),
                cmocka_unit_test(promtool_can_disagree),
        };

        if (argc == 3 && strcmp(argv[1], "ask") == 0)
                return ask(argv[2]);
        if (argc == 2 && strcmp(argv[1], "recorded") == 0)
                return cmocka_run_group_tests(recorded, NULL, NULL);
        /* Not with skip(), which cmocka 1.1.5 reports as a failure of sorts: "not ok # SKIP". */
        if (!have_promtool()) {
                puts("1..0 # SKIP there is no promtool");
                return 0;
        }
        return cmocka_run_group_tests(live, NULL, NULL);
}
