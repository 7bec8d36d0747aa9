/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a sanitizer's report has sixty lines of which ten say something, and because two
 * runs of the same failure differ in every address of it: neither helps whoever is to mend it.
 */
#include "forge/evidence.h"
#include "forge/fence.h"

#include <errno.h>
#include <regex.h>

/* What is replaced, in this order; with `keeps` the first group stays before it. Short numbers in
 * hexadecimal are values, not addresses. */
static const struct change {
        const char *pattern;
        const char *with;
        bool keeps;
} changes[] = {
        { "^==[0-9]+== ?", "", false },
        { "([Aa]ddress )0x[0-9a-fA-F]+", "0xADDR", true },
        { "0x[0-9a-fA-F]{9,}", "0xADDR", false },
        { " at pc 0xADDR.*", "", false },
        { " ?\\(BuildId: [0-9a-f]+\\)", "", false },
        { " ?\\([^() ]+\\+0x[0-9a-fA-F]+\\)", "", false },
        { " ?\\(pid=[0-9]+\\)", "", false },
        { "tid=[0-9]+, ", "", false },
        { "(^|[^A-Za-z0-9_./])/(src|contract)/", "", true },
        { "/(tmp|var/tmp|dev/shm)/[A-Za-z0-9_./+-]+", "/tmp/PATH", false },
        { "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9:.]+Z?)?", "DATE", false },
        { "[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?", "TIME", false },
        { "[0-9]+\\.[0-9]+ ?(ns|us|ms|s|seconds?)\\>", "TIME", false },
};

/* Lines that say nothing to whoever wrote the code. */
static const char droppable[] =
        "^=+$|^SUMMARY: |ABORTING$|^HINT: |^ *\\(longjmp and|^ *Thread T[0-9]+ |"
        "^ *ms +live bytes|^ *[0-9]+( +[0-9]+){4}$|^(Memcheck|Copyright|Using Valgrind|Command:|"
        "Parent PID|For (lists|counts) of|Rerun with|ERROR SUMMARY|HEAP SUMMARY|LEAK SUMMARY|"
        "Process terminating|Use --track)|^ *(in use at exit|total heap usage):|"
        "^FILE DESCRIPTORS: |^Open file descriptor [0-9]+: /reports/|^ *<inherited from parent>";

/* "#1 0x55eb in get /src/lru.c:271", "#0 drop /src/lru.c:116 (harness+0xad8f)". */
static const char sanitizer_frame[] =
        "^ *#([0-9]+) (0x[^ ]+ in )?([A-Za-z_.][A-Za-z0-9_.]*)( ([^ ]+))?";
/* "   at 0x10A3B4: fitting (utf8.c:59)", "   by 0x4A8F: main (in /harness)". */
static const char valgrind_frame[] = "^ +(at|by) 0x[0-9A-F]+: (.+) \\((in )?([^ )]+)\\)$";
/* Of tables of stage bench: times are the last column. */
static const char bench_row[] = "^ *([a-z_]+ +calls|[0-9]+ +[0-9]+) .* +(ns|[0-9.]+)$";

enum { PATTERN_DROPPABLE, PATTERN_SANITIZER, PATTERN_VALGRIND, PATTERN_BENCH, PATTERN_COUNT };

static const char *const patterns[PATTERN_COUNT] = {
        [PATTERN_DROPPABLE] = droppable,
        [PATTERN_SANITIZER] = sanitizer_frame,
        [PATTERN_VALGRIND] = valgrind_frame,
        [PATTERN_BENCH] = bench_row,
};

enum { groups_max = 6, cut_bytes = sizeof("(cut)\n") - 1 };

struct evidence_filter {
        regex_t changes[BASE_COUNT(changes)];
        regex_t patterns[PATTERN_COUNT];
        size_t change_count;
        size_t pattern_count;
};

int evidence_filter_new(struct evidence_filter **ret_filter)
{
        BASE_SCOPE(evidence_filter_free)
        struct evidence_filter *filter = calloc(1, sizeof(*filter));

        if (!filter)
                return -ENOMEM;
        for (; filter->change_count < BASE_COUNT(changes); filter->change_count++)
                if (regcomp(&filter->changes[filter->change_count],
                            changes[filter->change_count].pattern, REG_EXTENDED))
                        return -ENOMEM; /* they are constants: there is no other reason */
        for (; filter->pattern_count < PATTERN_COUNT; filter->pattern_count++)
                if (regcomp(&filter->patterns[filter->pattern_count],
                            patterns[filter->pattern_count], REG_EXTENDED))
                        return -ENOMEM;
        *ret_filter = filter;
        filter = NULL;
        return 0;
}

void evidence_filter_free(struct evidence_filter **filter)
{
        if (!*filter)
                return;
        for (size_t i = 0; i < (*filter)->change_count; i++)
                regfree(&(*filter)->changes[i]);
        for (size_t i = 0; i < (*filter)->pattern_count; i++)
                regfree(&(*filter)->patterns[i]);
        free(*filter);
        *filter = NULL;
}

/* ---- What differs from run to run -------------------------------------------------------- */

static void apply(const regex_t *regex, const struct change *change, const char *from,
                  struct text *into)
{
        regmatch_t groups[2];
        int flags = 0;

        while (*from && regexec(regex, from, 2, groups, flags) == 0 &&
               groups[0].rm_eo > groups[0].rm_so) {
                text_append_bytes(into, from, (size_t)groups[0].rm_so);
                if (change->keeps)
                        text_append_bytes(into, from + groups[1].rm_so,
                                          (size_t)(groups[1].rm_eo - groups[1].rm_so));
                text_append(into, change->with);
                from += groups[0].rm_eo;
                flags = REG_NOTBOL;
        }
        text_append(into, from);
}

static void steady(const struct evidence_filter *filter, const char *line, struct text *into)
{
        struct text turns[2] = { TEXT_INIT(16 * evidence_line_max),
                                 TEXT_INIT(16 * evidence_line_max) };
        size_t turn = 0;

        text_append(&turns[0], line);
        for (size_t i = 0; i < BASE_COUNT(changes); i++, turn = !turn) {
                text_clear(&turns[!turn]);
                apply(&filter->changes[i], &changes[i], text_view(&turns[turn]), &turns[!turn]);
        }
        text_append(into, text_view(&turns[turn]));
        text_fini(&turns[0]);
        text_fini(&turns[1]);
}

void evidence_append_steady(const struct evidence_filter *filter, const char *bytes, size_t length,
                            size_t length_max, struct text *into)
{
        BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(16 * evidence_line_max);

        excerpt_append_plain(bytes, length, length_max, &plain);
        steady(filter, text_view(&plain), into);
}

/* ---- Frames ------------------------------------------------------------------------------ */

struct frame {
        bool is_top;
        struct text function;
        struct text place;
};

static void frame_fini(struct frame *frame)
{
        text_fini(&frame->function);
        text_fini(&frame->place);
}

static void take(struct text *into, const char *line, regmatch_t group)
{
        text_append_bytes(into, line + group.rm_so, (size_t)(group.rm_eo - group.rm_so));
}

static bool read_frame(const struct evidence_filter *filter, const char *line, struct frame *frame)
{
        regmatch_t groups[groups_max];

        frame->function = (struct text)TEXT_INIT(evidence_line_max);
        frame->place = (struct text)TEXT_INIT(evidence_line_max);
        if (!regexec(&filter->patterns[PATTERN_SANITIZER], line, groups_max, groups, 0)) {
                frame->is_top = line[groups[1].rm_so] == '0';
                take(&frame->function, line, groups[3]);
                if (groups[5].rm_so >= 0)
                        take(&frame->place, line, groups[5]);
        } else if (!regexec(&filter->patterns[PATTERN_VALGRIND], line, groups_max, groups, 0)) {
                frame->is_top = line[groups[1].rm_so] == 'a';
                take(&frame->place, line, groups[4]);
                take(&frame->function, line, groups[2]);
        } else {
                return false;
        }
        return true;
}

static const char *without(const char *word, const char *start)
{
        return strncmp(word, start, strlen(start)) == 0 ? word + strlen(start) : word;
}

/* FILE:LINE or FILE:LINE:COLUMN of a listed file. */
static bool append_place(const struct excerpt *excerpt, const char *place, struct text *into)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(evidence_line_max);
        BASE_SCOPE(text_fini) struct text digits = TEXT_INIT(evidence_line_max);
        BASE_SCOPE(text_fini) struct text file = TEXT_INIT(evidence_line_max);
        const size_t length = strcspn(place, ":");
        uint64_t line = 0;

        text_append_bytes(&name, place, length);
        if (!place[length] || !excerpt_find(excerpt, text_view(&name), &file))
                return false;
        text_append_bytes(&digits, place + length + 1, strspn(place + length + 1, "0123456789"));
        if (text_parse_u64(text_view(&digits), 1, 10000000, &line))
                return false;
        excerpt_append_line(excerpt, text_view(&file), (unsigned)line, into);
        return true;
}

static void append_frame(const struct excerpt *excerpt, const struct frame *frame,
                         struct text *into)
{
        BASE_SCOPE(text_fini) struct text place = TEXT_INIT(2 * evidence_line_max);
        BASE_SCOPE(text_fini) struct text from = TEXT_INIT(2 * evidence_line_max);
        const char *function = text_view(&frame->function);
        const char *test_case = without(function, "toc_case_run_");

        /* Valgrind leaves folders out, and a case file may be called like the module's. */
        if (test_case != function && strncmp(text_view(&frame->place), "cases/", 6) != 0)
                text_append(&from, "cases/");
        text_append(&from, text_view(&frame->place));
        function = without(function, "__interceptor_");
        function = without(function, "__wrap_");
        if (append_place(excerpt, text_view(&from), &place))
                text_printf(into, "    in %s%s, %s\n", test_case != function ? "case " : "",
                            test_case != function ? test_case : function, text_view(&place));
        else if (frame->is_top)
                text_printf(into, "    in %s\n", function);
}

/* ---- All of it --------------------------------------------------------------------------- */

struct reduction {
        const struct evidence_filter *filter;
        const struct excerpt *excerpt;
        struct text *into;
        bool is_shadow; /* of AddressSanitizer: bytes of its shadow, to the end of the report */
        bool is_aside;  /* where a thread was begun: of no use */
};

static bool matches(const struct reduction *reduction, size_t pattern, const char *line)
{
        return regexec(&reduction->filter->patterns[pattern], line, 0, NULL, 0) == 0;
}

static void reduce_line(struct reduction *reduction, const char *line)
{
        BASE_SCOPE(frame_fini) struct frame frame = { .is_top = false };
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(16 * evidence_line_max);
        struct span shown;

        steady(reduction->filter, line, &said);
        line = text_view(&said);
        if (strncmp(line, "Shadow byte", 11) == 0)
                reduction->is_shadow = true;
        else if (*line && *line != ' ' && *line != '=')
                reduction->is_shadow = false;
        if (reduction->is_shadow)
                return;
        if (read_frame(reduction->filter, line, &frame)) {
                if (!reduction->is_aside)
                        append_frame(reduction->excerpt, &frame, reduction->into);
                return;
        }
        shown = span_trimmed((struct span){ line, line + said.length }, " ");
        reduction->is_aside = strncmp(shown.at, "Thread T", 8) == 0;
        if (!span_length(shown) || matches(reduction, PATTERN_DROPPABLE, line))
                return;
        shown.at = line;
        if (matches(reduction, PATTERN_BENCH, line)) {
                while (shown.end > shown.at && shown.end[-1] != ' ')
                        shown.end--;
                shown = span_trimmed(shown, "");
                while (shown.end > shown.at && shown.end[-1] == ' ')
                        shown.end--;
        }
        text_append_bytes(reduction->into, shown.at, span_length(shown));
        text_append(reduction->into, "\n");
}

void evidence_append(const struct evidence_filter *filter, const struct excerpt *excerpt,
                     const char *bytes, size_t length, size_t length_max, struct text *into)
{
        BASE_SCOPE(text_fini) struct text all = TEXT_INIT(4 * length_max + 16 * evidence_line_max);
        struct reduction reduction = { .filter = filter, .excerpt = excerpt, .into = &all };
        struct span rest = { bytes, bytes + length };
        struct span line;
        size_t fits;

        for (size_t i = 0; i < evidence_lines_max && all.length <= length_max; i++) {
                BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(16 * evidence_line_max);

                if (!span_next_line(&rest, &line))
                        break;
                excerpt_append_plain(line.at, span_length(line), evidence_line_max, &plain);
                reduce_line(&reduction, text_view(&plain));
        }
        fits = all.length;
        if (fits > length_max) {
                fits = length_max - cut_bytes;
                while (fits && text_view(&all)[fits - 1] != '\n')
                        fits--;
        }
        text_append_bytes(into, text_view(&all), fits);
        if (fits < all.length)
                text_append(into, "(cut)\n");
}
