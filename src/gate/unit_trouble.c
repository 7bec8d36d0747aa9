/* SPDX-License-Identifier: Apache-2.0 */
/* Five builds, a tool and a thousand failing allocations find the same mistake over and over; who
 * has to mend it should read it once. The output that is read here was written by the candidate's
 * own process: it may lie about which mistake it made, but never that it made none. */
#include "gate/unit_trouble.h"

#include "tocsin/case.h"

#include <ctype.h>
#include <errno.h>

enum { others_named_max = 3, others_bytes_max = 16 << 10 };

/* What a report says, sought in this order; `fault`: the rule in a FAULT case. */
static const struct mark {
        const char *text;
        const char *rule;
        const char *fault;
} marks[] = {
        { "ERROR: LeakSanitizer: detected memory leaks", "unit.leak", "unit.fault-leak" },
        { "ERROR: AddressSanitizer: ", "unit.sanitizer", "unit.fault-crash" },
        { "runtime error: ", "unit.sanitizer", "unit.fault-crash" },
        { "ThreadSanitizer: thread leak", "unit.threads", "unit.threads" },
        { "ThreadSanitizer: data race", "unit.race", "unit.race" },
        { "ThreadSanitizer: lock-order-inversion", "unit.race", "unit.race" },
        { "ThreadSanitizer: ", "unit.race", "unit.fault-crash" },
        { "== Invalid ", "unit.valgrind", "unit.fault-crash" },
        { "uninitialised", "unit.valgrind", "unit.fault-crash" },
        { "== Syscall param ", "unit.valgrind", "unit.fault-crash" },
        { "== Mismatched free", "unit.valgrind", "unit.fault-crash" },
        { "== Source and destination overlap", "unit.valgrind", "unit.fault-crash" },
        { "are definitely lost", "unit.leak", "unit.fault-leak" },
        { "are possibly lost", "unit.leak", "unit.fault-leak" },
        { "== Open file descriptor", "unit.descriptors", "unit.descriptors" },
        { "; stopping here, as its TOC_STOP says", "unit.crash", "unit.fault-crash" },
        { "== Process terminating", "unit.crash", "unit.fault-crash" },
};

static bool is_fault(const struct unit_sight *sight)
{
        return sight->kind == TOC_CASE_FAULT_ && sight->run->fail_at > 0;
}

static const struct mark *mark_of(const char *report, const char **ret_at)
{
        for (size_t i = 0; i < BASE_COUNT(marks); i++) {
                const char *at = strstr(report, marks[i].text);

                if (at) {
                        *ret_at = at;
                        return &marks[i];
                }
        }
        return NULL;
}

/* Of what ended a process or was left by it, in words of session.h. */
static const struct kind {
        const char *kind;
        const char *rule;
        const char *fault;
} kinds[] = {
        { "leak", "unit.leak", "unit.fault-leak" },
        { "heap", "unit.leak", "unit.fault-leak" },
        { "descriptors", "unit.descriptors", "unit.descriptors" },
        { "threads", "unit.threads", "unit.threads" },
        { "processes", "unit.threads", "unit.threads" },
        { "memory", "unit.memory", "unit.memory" },
        { "flood", "unit.flood", "unit.flood" },
};

static const char *rule_of_kind(const char *word, bool in_fault, const char *otherwise)
{
        for (size_t i = 0; i < BASE_COUNT(kinds); i++)
                if (strcmp(kinds[i].kind, word) == 0)
                        return in_fault ? kinds[i].fault : kinds[i].rule;
        return otherwise;
}

/* Never called with SESSION_PASSED. */
static const char *rule_of(const struct unit_sight *sight)
{
        const struct session_verdict *verdict = sight->verdict;
        const bool in_fault = is_fault(sight);
        const char *at = NULL;
        const struct mark *mark;

        switch (verdict->state) {
        case SESSION_FAILED:
                return in_fault ? "unit.fault-check" : "unit.check";
        case SESSION_SILENT:
                return "unit.early-exit";
        case SESSION_LATE:
                return in_fault ? "unit.fault-hang" : "unit.hang";
        case SESSION_BROKEN:
                return "unit.invariant";
        case SESSION_LEFT:
        case SESSION_LOST:
                return rule_of_kind(verdict->kind, in_fault, "unit.lost");
        case SESSION_PASSED:
        case SESSION_CRASHED:
        default:
                mark = mark_of(text_view(&verdict->output), &at);
                if (mark)
                        return in_fault ? mark->fault : mark->rule;
                return rule_of_kind(verdict->kind, in_fault,
                                    in_fault ? "unit.fault-crash" : "unit.crash");
        }
}

/* "NAME:LINE" that does not begin inside a longer name. */
static const char *place_in(const char *report, const char *name, unsigned *ret_line)
{
        const size_t length = strlen(name);

        for (const char *at = report; (at = strstr(at, name)); at += length) {
                const char *digit = at + length + 1;
                unsigned line = 0;

                if (at > report && (isalnum((unsigned char)at[-1]) || strchr("_-.", at[-1])))
                        continue;
                if (at[length] != ':' || !isdigit((unsigned char)*digit))
                        continue;
                for (; isdigit((unsigned char)*digit) && line < 10000000; digit++)
                        line = line * 10 + (unsigned)(*digit - '0');
                *ret_line = line;
                return at;
        }
        return NULL;
}

/* The first place in a report that lies in a file of the candidate; false: none. */
static bool find_place(const struct candidate *candidate, const char *report, char *ret_file,
                       size_t size, unsigned *ret_line)
{
        const char *first = NULL;

        for (size_t i = 0; i < candidate->file_count; i++) {
                unsigned line = 0;
                const char *at = place_in(report, candidate->files[i].name, &line);

                if (at && (!first || at < first)) {
                        first = at;
                        *ret_line = line;
                        (void)snprintf(ret_file, size, "%s", candidate->files[i].name);
                }
        }
        return first != NULL;
}

/* The line of the report that says what happened, without the process number before it. */
static void headline(const char *report, const char *at, struct text *into)
{
        static const char leaked[] = "SUMMARY: AddressSanitizer: ";
        const char *sum = strstr(at, leaked);
        const char *end;
        const char *begin = at;
        const char *prefix;

        /* Of leaks the last line says how much, the first only that there are some. */
        if (strncmp(at, "ERROR: LeakSanitizer", 20) == 0 && sum)
                at = begin = report = sum + strlen(leaked);
        end = strchr(at, '\n');
        while (begin > report && begin[-1] != '\n')
                begin--;
        if (!end)
                end = at + strlen(at);
        /* "==123==ERROR: X" and "lru.c:3:5: runtime error: X": X is what people want, the place
         * stands elsewhere. */
        prefix = strstr(begin, "Sanitizer: ");
        if (prefix && prefix < end)
                begin = prefix > begin ? at : begin;
        else if (strncmp(at, "== ", 3) == 0)
                begin = at + 3;
        else if (strncmp(begin, "==", 2) == 0 && strstr(begin, "== ") < at)
                begin = strstr(begin, "== ") + 3;
        else if (strncmp(at, "runtime error: ", 15) == 0)
                begin = at;
        if (strncmp(begin, "ERROR: ", 7) == 0)
                begin += 7;
        for (const char *hex = begin; hex < end; hex++)
                if (strncmp(hex, " on address 0x", 14) == 0 || strncmp(hex, " (pid=", 6) == 0 ||
                    strncmp(hex, " on unknown address", 19) == 0)
                        end = hex;
        if (end > begin && end[-1] == '.')
                end--;
        text_append_escaped(into, begin, (size_t)(end - begin));
}

/* What happened, in one line, and where. */
static void describe(struct unit_trouble *trouble, const struct candidate *candidate,
                     const struct unit_sight *sight)
{
        const struct session_verdict *verdict = sight->verdict;
        const char *report = text_view(&verdict->output);
        const char *at = report;
        const struct mark *mark = NULL;

        if (verdict->state == SESSION_CRASHED || verdict->state == SESSION_LEFT)
                mark = mark_of(report, &at);
        if (mark)
                headline(report, at, &trouble->what);
        else if (verdict->message[0])
                text_append_escaped(&trouble->what, verdict->message, strlen(verdict->message));
        else
                text_append(&trouble->what, session_state_name(verdict->state));
        if (verdict->file[0]) {
                (void)snprintf(trouble->file, sizeof trouble->file, "%s", verdict->file);
                trouble->line = verdict->line;
        } else {
                /* A valgrind or UBSan headline may itself hold the place, so the line's begin. */
                while (mark && at > report && at[-1] != '\n')
                        at--;
                trouble->is_own_place = find_place(candidate, at, trouble->file,
                                                   sizeof trouble->file, &trouble->line);
        }
        text_append_bytes(&trouble->evidence, report, verdict->output.length);
}

static bool places_agree(const struct unit_trouble *left, const struct unit_trouble *right)
{
        return !left->file[0] || !right->file[0] ||
               (strcmp(left->file, right->file) == 0 && left->line == right->line);
}

static bool is_same(const struct unit_trouble *left, const struct unit_trouble *right)
{
        return strcmp(left->rule, right->rule) == 0 &&
               strcmp(left->test_case, right->test_case) == 0 && places_agree(left, right);
}

/* Frees what `from` holds. The first sight stays the one to repeat; a report with a place is the
 * better evidence. */
static void merge(struct unit_trouble *into, struct unit_trouble *from)
{
        for (size_t i = 0; i < from->way_count; i++) {
                bool is_known = false;

                for (size_t k = 0; k < into->way_count; k++)
                        is_known = is_known || strcmp(into->ways[k], from->ways[i]) == 0;
                if (!is_known && into->way_count < unit_way_max)
                        into->ways[into->way_count++] = from->ways[i];
        }
        into->times += from->times;
        if (!into->file[0] && from->file[0]) {
                memcpy(into->file, from->file, sizeof into->file);
                into->line = from->line;
                into->is_own_place = from->is_own_place;
                text_fini(&into->what);
                into->what = from->what;
                text_init(&from->what, 1024);
                text_fini(&into->evidence);
                into->evidence = from->evidence;
                text_init(&from->evidence, unit_evidence_max);
        }
        text_fini(&from->what);
        text_fini(&from->evidence);
        text_fini(&from->others);
}

static int add(struct unit_troubles *troubles, struct unit_trouble *trouble)
{
        for (size_t i = 0; i < troubles->count; i++) {
                if (is_same(&troubles->items[i], trouble)) {
                        merge(&troubles->items[i], trouble);
                        return 0;
                }
        }
        if (troubles->count == unit_trouble_max) {
                troubles->dropped++;
                text_fini(&trouble->what); /* others has nothing yet */
                text_fini(&trouble->evidence);
                return 0;
        }
        if (troubles->count == troubles->size) {
                const size_t size = troubles->size ? 2 * troubles->size : 8;
                struct unit_trouble *items =
                        reallocarray(troubles->items, size, sizeof *troubles->items);

                if (!items) {
                        text_fini(&trouble->what);
                        text_fini(&trouble->evidence);
                        return -ENOMEM;
                }
                troubles->items = items;
                troubles->size = size;
        }
        troubles->items[troubles->count++] = *trouble;
        return 0;
}

int unit_trouble_note(struct unit_troubles *troubles, const struct candidate *candidate,
                      const struct unit_sight *sight)
{
        struct unit_trouble trouble = {
                .rule = rule_of(sight),
                .ways = { sight->way },
                .way_count = 1,
                .fail_at = sight->run->fail_at,
                .is_sticky = sight->run->is_sticky,
                .allocations = sight->verdict->allocations,
                .times = 1,
                .others = TEXT_INIT(others_bytes_max),
                .what = TEXT_INIT(1024),
                .evidence = TEXT_INIT(unit_evidence_max),
        };

        (void)snprintf(trouble.test_case, sizeof trouble.test_case, "%s", sight->run->name);
        describe(&trouble, candidate, sight);
        return add(troubles, &trouble);
}

int unit_trouble_join(struct unit_troubles *troubles, struct unit_troubles *from)
{
        int failed = 0;

        for (size_t i = 0; i < from->count; i++) {
                const int outcome = add(troubles, &from->items[i]);

                failed = failed ? failed : outcome;
        }
        troubles->dropped += from->dropped;
        from->count = 0;
        unit_troubles_fini(from);
        return failed;
}

/* A crash without a report, and valgrind's view, are explained by a sanitizer's report. */
static void explain(struct unit_troubles *troubles)
{
        for (size_t i = 0; i < troubles->count; i++) {
                struct unit_trouble *report = &troubles->items[i];

                if (strcmp(report->rule, "unit.sanitizer") != 0)
                        continue;
                for (size_t k = 0; k < troubles->count; k++) {
                        struct unit_trouble *other = &troubles->items[k];

                        if (other->is_told_elsewhere ||
                            strcmp(other->test_case, report->test_case) != 0 ||
                            (strcmp(other->rule, "unit.crash") != 0 &&
                             strcmp(other->rule, "unit.valgrind") != 0) ||
                            !places_agree(other, report))
                                continue;
                        merge(report, other);
                        other->is_told_elsewhere = true;
                }
        }
}

/* One line of the candidate, one mistake, in however many cases. */
static void gather(struct unit_troubles *troubles)
{
        for (size_t i = 0; i < troubles->count; i++) {
                struct unit_trouble *first = &troubles->items[i];

                for (size_t k = i + 1; k < troubles->count && first->is_own_place; k++) {
                        struct unit_trouble *other = &troubles->items[k];

                        if (first->is_told_elsewhere || other->is_told_elsewhere ||
                            !other->is_own_place || strcmp(first->rule, other->rule) != 0 ||
                            !places_agree(first, other))
                                continue;
                        first->other_count++;
                        text_printf(&first->others, ", %s", other->test_case);
                        merge(first, other);
                        other->is_told_elsewhere = true;
                }
        }
}

/* The first few; the finding has all of them. */
static void append_others(const struct unit_trouble *trouble, struct text *into)
{
        const char *others = text_view(&trouble->others);
        const char *end = others;

        for (size_t i = 0; i < others_named_max && *end; i++)
                end += 1 + strcspn(end + 1, ",");
        text_append_bytes(into, others, (size_t)(end - others));
}

static void tell(const struct unit_trouble *trouble, struct stage_result *result)
{
        struct text line BASE_SCOPE(text_fini) = TEXT_INIT(2048);
        struct finding *finding;

        text_append(&line, trouble->test_case);
        append_others(trouble, &line);
        if (trouble->other_count > others_named_max)
                text_printf(&line, " and %zu more", trouble->other_count - others_named_max);
        text_printf(&line, ": %s", text_view(&trouble->what));
        if (trouble->fail_at > 0)
                text_printf(&line, " when allocation %llu %s", (unsigned long long)trouble->fail_at,
                            trouble->is_sticky ? "and all after it fail" : "fails");
        text_append(&line, " (");
        for (size_t i = 0; i < trouble->way_count; i++)
                text_printf(&line, "%s%s", i ? ", " : "", trouble->ways[i]);
        if (trouble->fail_at > 0 && trouble->times > 1)
                text_printf(&line, "; in %zu runs", trouble->times);
        text_append(&line, ")");
        finding = finding_add(result, trouble->rule, "%s", text_view(&line));
        if (!finding)
                return;
        if (trouble->file[0])
                finding_at(finding, trouble->file, trouble->line);
        if (trouble->evidence.length > 0)
                finding_evidence(finding, text_view(&trouble->evidence), trouble->evidence.length);
        finding_case(finding, trouble->test_case, trouble->ways[0]);
        if (trouble->others.length)
                finding_other_cases(finding, text_view(&trouble->others) + strlen(", "));
        finding->fail_at = trouble->fail_at;
        finding->is_sticky = trouble->is_sticky;
}

void unit_trouble_tell(struct unit_troubles *troubles, struct stage_result *result)
{
        explain(troubles);
        gather(troubles);
        for (size_t i = 0; i < troubles->count; i++)
                if (!troubles->items[i].is_told_elsewhere)
                        tell(&troubles->items[i], result);
        result->findings_dropped += troubles->dropped;
}

void unit_troubles_fini(struct unit_troubles *troubles)
{
        for (size_t i = 0; i < troubles->count; i++) {
                if (troubles->items[i].is_told_elsewhere)
                        continue;
                text_fini(&troubles->items[i].what);
                text_fini(&troubles->items[i].evidence);
                text_fini(&troubles->items[i].others);
        }
        free(troubles->items);
        memset(troubles, 0, sizeof *troubles);
}
