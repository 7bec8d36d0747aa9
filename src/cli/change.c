/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because of a changed rule people want to know one thing first: does it still ring when it
 * did?
 */
#include "cli/change.h"

#include "rule/rule.h"
#include "rule/signal.h"

#include <errno.h>
#include <inttypes.h>

void changes_fini(struct changes *changes)
{
        for (size_t i = 0; i < changes->count; i++)
                free(changes->changes[i].fields);
        free(changes->changes);
        *changes = (struct changes)CHANGES_NULL;
}

const char *change_word(enum change_what what)
{
        static const char *const words[] = {
                [CHANGE_REMOVED] = "removed", [CHANGE_LOOSENED] = "loosened",
                [CHANGE_CHANGED] = "changed", [CHANGE_TIGHTENED] = "tightened",
                [CHANGE_ADDED] = "added",
        };

        return words[what];
}

/* ---- Fields ---------------------------------------------------------------- */

/* Texts that differ are a field of the change. Both are cut to what fits: a record has no longer
 * ones. */
static void compare_texts(struct change *change, const char *name, const char *old, const char *now,
                          enum change_what way)
{
        struct change_field *field = &change->fields[change->field_count];

        if (strcmp(old, now) == 0 || change->field_count == change_field_max)
                return;
        field->name = name;
        field->way = way;
        (void)snprintf(field->old, sizeof(field->old), "%s", old);
        (void)snprintf(field->now, sizeof(field->now), "%s", now);
        change->field_count++;
}

/* more: what it means that the number grew. */
static void compare_numbers(struct change *change, const char *name, int64_t old, int64_t now,
                            enum change_what more)
{
        enum change_what way = more;
        char was[24];
        char is[24];

        if (more != CHANGE_CHANGED && now < old)
                way = more == CHANGE_LOOSENED ? CHANGE_TIGHTENED : CHANGE_LOOSENED;
        (void)snprintf(was, sizeof(was), "%" PRId64, old); /* fit */
        (void)snprintf(is, sizeof(is), "%" PRId64, now);
        compare_texts(change, name, was, is, way);
}

/* What it means that the limit of such a rule grew. */
static enum change_what higher_limit(unsigned op)
{
        unsigned side = op & (TOC_ABOVE_ | TOC_BELOW_);

        if (side == TOC_ABOVE_)
                return CHANGE_LOOSENED;
        return side == TOC_BELOW_ ? CHANGE_TIGHTENED : CHANGE_CHANGED;
}

static enum change_what opposite(enum change_what way)
{
        if (way == CHANGE_LOOSENED)
                return CHANGE_TIGHTENED;
        return way == CHANGE_TIGHTENED ? CHANGE_LOOSENED : CHANGE_CHANGED;
}

/* An op is a set of outcomes that ring: a larger one rings more. */
static void compare_ops(struct change *change, unsigned old, unsigned now)
{
        enum change_what way = CHANGE_CHANGED;

        if ((old & now) == old)
                way = CHANGE_TIGHTENED;
        else if ((old & now) == now)
                way = CHANGE_LOOSENED;
        compare_texts(change, "op", rule_op_name(old), rule_op_name(now), way);
}

/* Ringing goes on until the signal is back at that level: one further off the limit, or one at all,
 * rings longer. */
static void compare_clear_levels(struct change *change, const struct toc_rule *old,
                                 const struct toc_rule *now)
{
        bool had = old->clear_at != TOC_NO_CLEAR_LEVEL_;
        bool has = now->clear_at != TOC_NO_CLEAR_LEVEL_;
        char level[24];

        if (had && has) {
                compare_numbers(change, "clear_at", old->clear_at, now->clear_at,
                                higher_limit(now->op));
                return;
        }
        (void)snprintf(level, sizeof(level), "%" PRId64, had ? old->clear_at : now->clear_at);
        compare_texts(change, "clear_at", had ? level : "none", has ? level : "none",
                      has ? CHANGE_TIGHTENED : CHANGE_LOOSENED);
}

static void compare_windows(struct change *change, const struct toc_record *old_record,
                            const struct toc_rule *old, const struct toc_rule *now)
{
        const struct signal *signal = signal_find(old_record->kind, now->signal);
        /* A count gathers more in a longer window; a rate or a part of them may go either way. */
        bool counts = signal && signal->how == SIGNAL_COUNT;

        if (!signal)
                return;
        compare_numbers(change, "window_s", signal_window_s(signal, old),
                        signal_window_s(signal, now),
                        counts ? opposite(higher_limit(now->op)) : CHANGE_CHANGED);
        compare_numbers(change, "volume_min", signal_volume(signal, old),
                        signal_volume(signal, now), CHANGE_LOOSENED);
}

static void compare_rules(struct change *change, const struct toc_record *old_record,
                          const struct toc_rule *old, const struct toc_rule *now)
{
        if (old->signal != now->signal) { /* limits of two things cannot be compared */
                compare_texts(change, "signal", rule_signal_name(old->signal),
                              rule_signal_name(now->signal), CHANGE_CHANGED);
                compare_texts(change, "op", rule_op_name(old->op), rule_op_name(now->op),
                              CHANGE_CHANGED);
                compare_numbers(change, "limit", old->limit, now->limit, CHANGE_CHANGED);
        } else {
                bool is_same_side = higher_limit(old->op) == higher_limit(now->op);

                compare_ops(change, old->op, now->op);
                compare_numbers(change, "limit", old->limit, now->limit,
                                is_same_side ? higher_limit(now->op) : CHANGE_CHANGED);
                compare_windows(change, old_record, old, now);
                compare_clear_levels(change, old, now);
        }
        compare_numbers(change, "hold_s", old->hold_s, now->hold_s, CHANGE_LOOSENED);
        compare_numbers(change, "keep_s", old->keep_s, now->keep_s, CHANGE_TIGHTENED);
        compare_numbers(change, "capacity", old->capacity, now->capacity, CHANGE_LOOSENED);
        compare_numbers(change, "objective_permille", old->objective_permille,
                        now->objective_permille, CHANGE_TIGHTENED);
        compare_texts(change, "severity", rule_severity_name(old->severity),
                      rule_severity_name(now->severity),
                      now->severity > old->severity ? CHANGE_TIGHTENED : CHANGE_LOOSENED);
        compare_texts(change, "meaning", old->meaning, now->meaning, CHANGE_CHANGED);
}

static bool is_quiet(const struct toc_record *record)
{
        return !record->rule[0].severity && !record->rule[1].severity;
}

static const char *usual_word(const struct toc_record *record)
{
        return record->flags & TOC_IS_USUAL_ ? "yes" : "no";
}

static const char *or_none(const char *text)
{
        return text && *text ? text : "none";
}

/* What a probe has beside rules. */
static void compare_probes(struct change *change, const struct toc_record *old,
                           const struct toc_record *now)
{
        bool is_usual = now->flags & TOC_IS_USUAL_;
        enum change_what way = is_usual ? CHANGE_TIGHTENED : CHANGE_LOOSENED;

        /* One that had a rule of its own, or has one now, says so in the line of that rule. */
        if (!is_quiet(is_usual ? old : now))
                way = CHANGE_CHANGED;
        compare_texts(change, "usual", usual_word(old), usual_word(now), way);
        compare_texts(change, "stop", or_none(listing_stop(old)), or_none(listing_stop(now)),
                      CHANGE_CHANGED);
        if (now->kind == toc_kind_must_hit) /* one that must be set first is one reason less */
                compare_texts(change, "when", or_none(old->labels), or_none(now->labels),
                              !*old->labels   ? CHANGE_LOOSENED
                              : !*now->labels ? CHANGE_TIGHTENED
                                              : CHANGE_CHANGED);
        if (is_quiet(old) && is_quiet(now))
                compare_texts(change, "reason", or_none(old->rule[0].meaning),
                              or_none(now->rule[0].meaning), CHANGE_CHANGED);
        compare_texts(change, "help", old->help, now->help, CHANGE_CHANGED);
        compare_texts(change, "runbook", or_none(old->runbook), or_none(now->runbook),
                      CHANGE_CHANGED);
}

/* ---- Changes --------------------------------------------------------------- */

/* More and less of it, or something that is neither: changed. A new text alone says nothing about
 * when it rings, and does not hide what the numbers say. */
static enum change_what what_of(const struct change *change)
{
        bool is_loosened = false;
        bool is_tightened = false;
        bool is_open = false;

        if (!change->old || !change->now)
                return change->old ? CHANGE_REMOVED : CHANGE_ADDED;
        for (size_t i = 0; i < change->field_count; i++) {
                const struct change_field *field = &change->fields[i];
                bool is_text = strcmp(field->name, "meaning") == 0 ||
                               strcmp(field->name, "help") == 0 ||
                               strcmp(field->name, "runbook") == 0;

                is_loosened |= field->way == CHANGE_LOOSENED;
                is_tightened |= field->way == CHANGE_TIGHTENED;
                is_open |= field->way == CHANGE_CHANGED && !is_text;
        }
        if (is_open || is_loosened == is_tightened)
                return CHANGE_CHANGED;
        return is_loosened ? CHANGE_LOOSENED : CHANGE_TIGHTENED;
}

static unsigned severity_of(const struct toc_record *record, size_t slot)
{
        unsigned first, second;

        if (!record)
                return 0;
        if (slot < change_slots)
                return record->rule[slot].severity;
        first = record->rule[0].severity;
        second = record->rule[1].severity;
        return first > second ? first : second;
}

/* A change that is being made, with room for all its fields. */
struct draft {
        struct change change;
        struct change_field fields[change_field_max];
};

static void begin(struct draft *draft, const struct toc_record *old, size_t old_slot,
                  const struct toc_record *now, size_t now_slot)
{
        unsigned was = severity_of(old, old_slot);
        unsigned is = severity_of(now, now_slot);

        draft->change = (struct change){ .old = old,
                                         .now = now,
                                         .old_slot = old_slot,
                                         .now_slot = now_slot,
                                         .severity = was > is ? was : is,
                                         .fields = draft->fields };
}

/* One more place at the end of the array. */
static int reserve(struct changes *changes)
{
        size_t more = changes->capacity ? 2 * changes->capacity : 16;
        struct change *moved;

        if (changes->count < changes->capacity)
                return 0;
        moved = reallocarray(changes->changes, more, sizeof(*moved));
        if (!moved)
                return -ENOMEM;
        changes->changes = moved;
        changes->capacity = more;
        return 0;
}

/* It is one, unless two that were compared differ in nothing. */
static void commit(struct changes *changes, const struct draft *draft)
{
        struct change change = draft->change;
        size_t bytes = change.field_count * sizeof(*change.fields);

        if (change.old && change.now && !change.field_count)
                return;
        change.what = what_of(&change);
        change.fields = malloc(bytes + 1);
        if (!change.fields || reserve(changes)) {
                free(change.fields);
                changes->error = -ENOMEM;
                return;
        }
        memcpy(change.fields, draft->fields, bytes);
        changes->changes[changes->count++] = change;
}

/* How much two rules have in common; 0: both are none. */
static unsigned likeness(const struct toc_rule *a, const struct toc_rule *b)
{
        if (!a->severity || !b->severity)
                return 0;
        if (memcmp(a, b, sizeof(*a)) == 0)
                return 5;
        if (a->signal != b->signal)
                return 1;
        if (higher_limit(a->op) != higher_limit(b->op))
                return 2;
        return a->severity != b->severity ? 3 : 4;
}

/* Whether the second rule of one belongs to the first of the other. */
static bool is_crossed(const struct toc_record *old, const struct toc_record *now)
{
        const unsigned straight[] = { likeness(&old->rule[0], &now->rule[0]),
                                      likeness(&old->rule[1], &now->rule[1]) };
        const unsigned crossed[] = { likeness(&old->rule[0], &now->rule[1]),
                                     likeness(&old->rule[1], &now->rule[0]) };

        return crossed[0] + crossed[1] > straight[0] + straight[1];
}

static void change_rules(struct changes *changes, const struct toc_record *old,
                         const struct toc_record *now)
{
        size_t cross = is_crossed(old, now);
        struct draft draft;

        for (size_t slot = 0; slot < change_slots; slot++) {
                size_t other = slot ^ cross;
                bool had = old->rule[slot].severity;
                bool has = now->rule[other].severity;

                if (!had && !has)
                        continue;
                begin(&draft, had ? old : NULL, slot, has ? now : NULL, other);
                if (had && has)
                        compare_rules(&draft.change, old, &old->rule[slot], &now->rule[other]);
                else
                        draft.change.beside = had ? now : old;
                commit(changes, &draft);
        }
        begin(&draft, old, change_slots, now, change_slots);
        compare_probes(&draft.change, old, now);
        commit(changes, &draft);
}

/* A probe that only one side has: each of its rules, or that it was quiet. */
static void change_alone(struct changes *changes, const struct toc_record *old,
                         const struct toc_record *now)
{
        const struct toc_record *record = old ? old : now;
        struct draft draft;

        for (size_t slot = 0; slot < change_slots; slot++) {
                if (!record->rule[slot].severity)
                        continue;
                begin(&draft, old, slot, now, slot);
                commit(changes, &draft);
        }
        if (!is_quiet(record))
                return;
        begin(&draft, old, change_slots, now, change_slots);
        commit(changes, &draft);
}

/* ---- Probes ---------------------------------------------------------------- */

static int compare_keys(const struct toc_record *a, const struct toc_record *b)
{
        int order = strcmp(a->module, b->module);

        if (!order)
                order = listing_is_module(b) - listing_is_module(a);
        if (!order)
                order = a->kind - b->kind;
        if (!order)
                order = strcmp(a->name, b->name);
        return order ? order : strcmp(rule_label(a), rule_label(b));
}

static int compare_rows(const void *left, const void *right)
{
        return compare_keys(((const struct row *)left)->record,
                            ((const struct row *)right)->record);
}

static int compare_changes(const void *left, const void *right)
{
        const struct change *a = left;
        const struct change *b = right;
        const struct toc_record *mine = a->old ? a->old : a->now;
        const struct toc_record *theirs = b->old ? b->old : b->now;
        int order = (int)a->what - (int)b->what;

        if (!order)
                order = (int)b->severity - (int)a->severity;
        if (!order)
                order = compare_keys(mine, theirs);
        return order ? order : (a->old_slot > b->old_slot) - (a->old_slot < b->old_slot);
}

static struct row *sorted_rows(const struct listing *listing)
{
        struct row *rows = calloc(listing->row_count + 1, sizeof(*rows));

        if (rows && listing->row_count) {
                memcpy(rows, listing->rows, listing->row_count * sizeof(*rows));
                qsort(rows, listing->row_count, sizeof(*rows), compare_rows);
        }
        return rows;
}

static void free_rows(struct row **rows)
{
        free(*rows);
}

/* How many rows from the first on have its name. */
static size_t run_length(const struct row *rows, size_t count)
{
        size_t length = 0;

        while (length < count && compare_rows(&rows[0], &rows[length]) == 0)
                length++;
        return length;
}

static void change_pair(struct changes *changes, struct row *was, struct row *is)
{
        change_rules(changes, was->record, is->record);
        was->record = is->record = NULL;
}

/* Rows of one name, which sites that say the same have: those with the same condition or format
 * belong together, then the others in their order, and what is left is alone. Takes the rows. */
static void change_run(struct changes *changes, struct row *was, size_t old_count, struct row *is,
                       size_t count)
{
        for (size_t i = 0; i < old_count; i++)
                for (size_t j = 0; j < count && was[i].record; j++)
                        if (is[j].record && strcmp(was[i].record->help, is[j].record->help) == 0)
                                change_pair(changes, &was[i], &is[j]);
        for (size_t i = 0, j = 0; i < old_count; i++) {
                while (j < count && !is[j].record)
                        j++;
                if (was[i].record && j < count)
                        change_pair(changes, &was[i], &is[j]);
                else if (was[i].record)
                        change_alone(changes, was[i].record, NULL);
        }
        for (size_t j = 0; j < count; j++)
                if (is[j].record)
                        change_alone(changes, NULL, is[j].record);
}

int changes_find(struct changes *changes, const struct listing *old, const struct listing *now)
{
        struct row *was BASE_SCOPE(free_rows) = sorted_rows(old);
        struct row *is BASE_SCOPE(free_rows) = sorted_rows(now);
        size_t i = 0;
        size_t j = 0;

        if (!was || !is)
                return -ENOMEM;
        while (i < old->row_count || j < now->row_count) {
                int order = i == old->row_count   ? 1
                            : j == now->row_count ? -1
                                                  : compare_rows(&was[i], &is[j]);

                size_t gone = order <= 0 ? run_length(&was[i], old->row_count - i) : 0;
                size_t come = order >= 0 ? run_length(&is[j], now->row_count - j) : 0;

                change_run(changes, &was[i], gone, &is[j], come);
                i += gone;
                j += come;
        }
        if (changes->count)
                qsort(changes->changes, changes->count, sizeof(*changes->changes), compare_changes);
        return changes->error;
}
