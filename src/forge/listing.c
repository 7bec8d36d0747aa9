/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that what a run was is readable without a browser. Rows are written first, with tabs
 * between cells (escaped text holds none), and then set in columns as wide as their widest cell.
 */
#include "forge/listing.h"
#include "base/clock.h"
#include "forge/money.h"

#include <inttypes.h>

enum { rows_bytes_max = 64 << 20, headline_bytes_max = 100 };

/* ---- Columns ----------------------------------------------------------------------------- */

static const char *colour_of(const char *cell, size_t length)
{
        static const struct {
                const char *word;
                const char *colour;
        } words[] = {
                { "accepted", "\x1b[32m" },   { "rejected", "\x1b[31m" },
                { "failed", "\x1b[31m" },     { "contract", "\x1b[31m" },
                { "changed", "\x1b[31m" },    { "unsound", "\x1b[31m" },
                { "budget", "\x1b[33m" },     { "ceiling", "\x1b[33m" },
                { "infra", "\x1b[33m" },      { "interrupted", "\x1b[33m" },
                { "unfinished", "\x1b[33m" }, { "unknown", "\x1b[33m" },
                { "running", "\x1b[36m" },
        };

        for (size_t i = 0; i < BASE_COUNT(words); i++)
                if (length == strlen(words[i].word) && memcmp(cell, words[i].word, length) == 0)
                        return words[i].colour;
        return NULL;
}

/* Characters; what comes here is valid UTF-8. */
static size_t width_of(const char *bytes, size_t length)
{
        size_t width = 0;

        for (size_t i = 0; i < length; i++)
                width += ((unsigned char)bytes[i] & 0xc0) != 0x80;
        return width;
}

static void measure(const struct text *rows, size_t widths[static listing_columns_max])
{
        const char *cell = text_view(rows);
        size_t column = 0;

        while (*cell) {
                size_t length = strcspn(cell, "\t\n");
                size_t width = width_of(cell, length);

                if (column < listing_columns_max && width > widths[column])
                        widths[column] = width;
                column = cell[length] == '\t' ? column + 1 : 0;
                cell += length + (cell[length] != '\0');
        }
}

/* numbers: the columns that are set to the right, a bit each. */
static void set(const struct text *rows, unsigned numbers, bool has_colour, struct text *into)
{
        size_t widths[listing_columns_max] = { 0 };
        const char *cell = text_view(rows);
        size_t column = 0;

        measure(rows, widths);
        while (*cell) {
                size_t length = strcspn(cell, "\t\n");
                bool is_last = cell[length] != '\t';
                const char *colour = has_colour ? colour_of(cell, length) : NULL;
                size_t width = width_of(cell, length);
                size_t most = column < listing_columns_max ? widths[column] : width;
                int room = (int)(most - width);

                text_printf(into, "%s%*s%s", column ? "  " : "", numbers >> column & 1 ? room : 0,
                            "", colour ? colour : "");
                text_append_bytes(into, cell, length);
                text_printf(into, "%s%*s%s", colour ? "\x1b[0m" : "",
                            is_last || numbers >> column & 1 ? 0 : room, "", is_last ? "\n" : "");
                column = is_last ? 0 : column + 1;
                cell += length + (cell[length] != '\0');
        }
        if (rows->error && !into->error)
                into->error = rows->error;
}

/* ---- Cells ------------------------------------------------------------------------------- */

static const json_t *field(const json_t *object, const char *key)
{
        return json_object_get(object, key);
}

static void append_value(struct text *row, const json_t *value)
{
        char *dump;

        if (json_string_length(value)) {
                text_append_escaped(row, json_string_value(value), json_string_length(value));
        } else if (!value || json_is_null(value) || json_is_string(value)) {
                text_append(row, "-");
        } else {
                dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
                text_append_escaped(row, dump ? dump : "", dump ? strlen(dump) : 0);
                free(dump);
        }
}

static void append_word(struct text *row, const json_t *object, const char *key, char end)
{
        append_value(row, field(object, key));
        text_append_bytes(row, &end, 1);
}

/* At most so many bytes of it. */
static void append_cut(struct text *row, const json_t *value)
{
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(rows_bytes_max);
        BASE_SCOPE(text_fini) struct text part = TEXT_INIT(headline_bytes_max);

        append_value(&whole, value);
        text_append_escaped(&part, text_view(&whole), whole.length);
        text_append(row, text_view(&part));
        if (part.error)
                text_append(row, "...");
}

static void append_money(struct text *row, const json_t *object, char end)
{
        const json_t *cost = field(object, "cost_microusd");

        if (json_is_integer(cost) && json_integer_value(cost) >= 0) {
                text_append(row, json_is_true(field(object, "estimated")) ? "~" : "");
                money_append(row, (uint64_t)json_integer_value(cost));
        } else {
                text_append(row, "-");
        }
        text_append_bytes(row, &end, 1);
}

static void append_ms(struct text *row, double ms, char end)
{
        uint64_t whole = ms > 0 && ms < 1e15 ? (uint64_t)ms : 0;
        uint64_t seconds = whole / 1000;

        if (whole < 60000)
                text_printf(row, "%" PRIu64 ".%" PRIu64 "s", seconds, whole % 1000 / 100);
        else if (seconds < 3600)
                text_printf(row, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
        else
                text_printf(row, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
        text_append_bytes(row, &end, 1);
}

static void append_score(struct text *row, const json_t *value, char end)
{
        json_int_t permille = json_integer_value(value);

        if (json_is_integer(value) && permille >= 0 && permille <= 1000)
                text_printf(row, "%d.%03d", (int)permille / 1000, (int)permille % 1000);
        else
                text_append(row, "-");
        text_append_bytes(row, &end, 1);
}

static const char *outcome_of(const json_t *story)
{
        const char *outcome = json_string_value(field(story, "outcome"));

        return outcome ? outcome : "interrupted";
}

/* ---- All runs ---------------------------------------------------------------------------- */

void listing_append_runs(const json_t *stories, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        text_append(&rows, "RUN\tMODULE\tOUTCOME\tCALLS\tCANDIDATES\tCOST\tTIME\tBEGAN\n");
        for (size_t i = 0; i < json_array_size(stories); i++) {
                const json_t *story = json_array_get(stories, i);
                const json_t *totals = field(story, "totals");

                append_word(&rows, story, "name", '\t');
                append_word(&rows, story, "module", '\t');
                text_append_escaped(&rows, outcome_of(story), strlen(outcome_of(story)));
                text_append(&rows, "\t");
                append_word(&rows, totals, "calls", '\t');
                append_word(&rows, totals, "candidates", '\t');
                append_money(&rows, totals, '\t');
                append_ms(&rows, json_number_value(field(totals, "seconds")) * 1000, '\t');
                append_word(&rows, story, "began", '\n');
        }
        set(&rows, 0x78, has_colour, into); /* calls to time */
}

/* ---- One run ----------------------------------------------------------------------------- */

static void append_heading(const char *heading, bool has_colour, struct text *into)
{
        text_printf(into, "\n%s%s%s\n", has_colour ? "\x1b[1m" : "", heading,
                    has_colour ? "\x1b[0m" : "");
}

static void append_pairs(const json_t *object, const char *prefix, struct text *rows)
{
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)object, key, value)
        {
                bool is_money = strcmp(key, "cost_microusd") == 0;

                text_append(rows, prefix);
                text_append_escaped(rows, key, is_money ? strlen("cost") : strlen(key));
                text_append(rows, "\t");
                if (is_money) {
                        append_money(rows, object, '\n');
                } else {
                        append_value(rows, value);
                        text_append(rows, "\n");
                }
        }
}

static void append_price(const json_t *price, struct text *rows)
{
        static const char *const kinds[] = { "input", "output" };

        if (json_is_string(price)) {
                text_append(rows, "\t");
                append_value(rows, price);
                return;
        }
        for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
                const json_t *amount = field(price, kinds[i]);

                text_append(rows, i ? " out " : "\tin ");
                if (json_is_integer(amount) && json_integer_value(amount) >= 0)
                        money_append(rows, (uint64_t)json_integer_value(amount));
                else
                        text_append(rows, "-");
        }
        text_append(rows, " per million");
}

static void append_head(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);
        const json_t *totals = field(story, "totals");
        const json_t *contract = field(story, "contract");

        text_append(&rows, "run\t");
        append_word(&rows, story, "name", '\n');
        text_append(&rows, "outcome\t");
        text_append_escaped(&rows, outcome_of(story), strlen(outcome_of(story)));
        text_append(&rows, "\n");
        if (json_is_string(field(story, "why"))) {
                text_append(&rows, "why\t");
                append_word(&rows, story, "why", '\n');
        }
        append_pairs(field(story, "evidence"), "  ", &rows);
        text_append(&rows, "accepted\t");
        append_word(&rows, story, "accepted", '\n');
        for (size_t i = 0; i < json_array_size(field(story, "files")); i++) {
                const json_t *file = json_array_get(field(story, "files"), i);

                text_append(&rows, "  ");
                append_word(&rows, file, "path", '\t');
                append_word(&rows, file, "sha256", '\n');
        }
        text_append(&rows, "contract\t");
        append_word(&rows, contract, "path", ' ');
        append_word(&rows, contract, "sha256", '\n');
        text_append(&rows, "began\t");
        append_word(&rows, story, "began", '\n');
        text_append(&rows, "worked\t");
        append_ms(&rows, json_number_value(field(totals, "seconds")) * 1000, '\n');
        text_append(&rows, "cost\t");
        append_money(&rows, totals, ' ');
        text_append(&rows, "for ");
        append_word(&rows, totals, "input", ' ');
        text_append(&rows, "tokens in, ");
        append_word(&rows, totals, "output", ' ');
        text_append(&rows, "out\n");
        append_pairs(field(story, "limits"), "limit ", &rows);
        text_append(&rows, "records\t");
        append_word(&rows, story, "records", '\n');
        text_append(&rows, "head\t");
        append_word(&rows, story, "head", '\n');
        set(&rows, 0, has_colour, into);
}

static void append_tiers(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        for (size_t i = 0; i < json_array_size(field(story, "tiers")); i++) {
                const json_t *tier = json_array_get(field(story, "tiers"), i);

                append_word(&rows, tier, "name", '\t');
                append_word(&rows, tier, "provider", '\t');
                append_value(&rows, field(tier, "model"));
                append_price(field(tier, "price"), &rows);
                text_append(&rows, "\n");
        }
        if (!rows.length)
                return;
        append_heading("Tiers", has_colour, into);
        set(&rows, 0, has_colour, into);
}

static void append_calls(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        text_append(&rows, "SLOT\tTRY\tSTAGE\tTIER\tIN\tOUT\tCOST\tTIME\tRESULT\tWHY\n");
        for (size_t i = 0; i < json_array_size(field(story, "calls")); i++) {
                const json_t *call = json_array_get(field(story, "calls"), i);
                const json_t *why = field(call, "why");

                append_word(&rows, call, "slot", '\t');
                append_word(&rows, call, "attempt", '\t');
                append_word(&rows, call, "stage", '\t');
                append_word(&rows, call, "tier", '\t');
                append_word(&rows, call, "input", '\t');
                append_word(&rows, call, "output", '\t');
                append_money(&rows, call, '\t');
                if (json_is_integer(field(call, "ms")))
                        append_ms(&rows, json_number_value(field(call, "ms")), '\t');
                else
                        text_append(&rows, "-\t");
                append_word(&rows, call, "result", '\t');
                append_cut(&rows, json_is_string(why) ? why : field(call, "finish"));
                text_append(&rows, "\n");
        }
        append_heading("Calls", has_colour, into);
        set(&rows, 0xf3, has_colour, into); /* slot and try, tokens to time */
}

static void append_candidates(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        text_append(&rows,
                    "CANDIDATE\tLINEAGE\tPARENT\tSTAGE\tTIER\tVERDICT\tSCORE\tFAILED IN\tRULE\t"
                    "FIRST FINDING\n");
        for (size_t i = 0; i < json_array_size(field(story, "candidates")); i++) {
                const json_t *it = json_array_get(field(story, "candidates"), i);

                append_word(&rows, it, "id", '\t');
                append_word(&rows, it, "lineage", '\t');
                append_word(&rows, it, "parent", '\t');
                append_word(&rows, it, "stage", '\t');
                append_word(&rows, it, "tier", '\t');
                append_word(&rows, it, "verdict", '\t');
                append_score(&rows, field(it, "score_permille"), '\t');
                append_word(&rows, it, "failed_stage", '\t');
                append_value(&rows, json_array_get(field(it, "keys"), 0));
                text_append(&rows, "\t");
                append_cut(&rows, field(it, "headline"));
                text_append(&rows, "\n");
        }
        append_heading("Candidates", has_colour, into);
        set(&rows, 0x47, has_colour, into); /* the names, and the score */
}

static void append_decisions(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        text_append(&rows, "RECORD\tACTION\tSTAGE\tTIER\tSLOT\tCANDIDATE\tREASON\n");
        for (size_t i = 0; i < json_array_size(field(story, "decisions")); i++) {
                const json_t *it = json_array_get(field(story, "decisions"), i);

                append_word(&rows, it, "n", '\t');
                append_word(&rows, it, "action", '\t');
                append_word(&rows, it, "stage", '\t');
                append_word(&rows, it, "tier", '\t');
                append_word(&rows, it, "slot", '\t');
                append_word(&rows, it, "candidate", '\t');
                append_word(&rows, it, "reason", '\n');
        }
        append_heading("Decisions", has_colour, into);
        set(&rows, 0x31, has_colour, into); /* record, slot, candidate */
}

static void append_notes(const json_t *story, bool has_colour, struct text *into)
{
        BASE_SCOPE(text_fini) struct text rows = TEXT_INIT(rows_bytes_max);

        for (size_t i = 0; i < json_array_size(field(story, "notes")); i++) {
                const json_t *it = json_array_get(field(story, "notes"), i);

                append_word(&rows, it, "n", '\t');
                append_word(&rows, it, "type", '\t');
                append_word(&rows, it, "text", '\n');
        }
        if (!rows.length)
                return;
        append_heading("Also", has_colour, into);
        set(&rows, 1, has_colour, into);
}

void listing_append_run(const json_t *story, bool has_colour, struct text *into)
{
        append_head(story, has_colour, into);
        append_tiers(story, has_colour, into);
        append_calls(story, has_colour, into);
        append_candidates(story, has_colour, into);
        append_decisions(story, has_colour, into);
        append_notes(story, has_colour, into);
}
