/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a prompt is a function of files: whoever has the contract, the templates and a
 * candidate can make the same bytes again.
 */
#include "forge/prompt.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/brief.h"
#include "forge/fence.h"
#include "forge/template.h"
#include "gate/digest.h"
#include "gate/workshop.h"

#include <errno.h>
#include <unistd.h>

enum { path_bytes_max = 8192, RIGHT_COUNT = 4 };
enum { TEMPLATE_SYSTEM = PROMPT_STAGE_COUNT, TEMPLATE_CONTRACT, TEMPLATE_COUNT };

static const char *const template_names[TEMPLATE_COUNT] = {
        [PROMPT_WRITE] = "write.md",         [PROMPT_DIAGNOSE] = "diagnose.md",
        [PROMPT_REPAIR] = "repair.md",       [TEMPLATE_SYSTEM] = "system.md",
        [TEMPLATE_CONTRACT] = "contract.md",
};

static const char *const stage_names[PROMPT_STAGE_COUNT] = {
        [PROMPT_WRITE] = "write",
        [PROMPT_DIAGNOSE] = "diagnose",
        [PROMPT_REPAIR] = "repair",
};

struct prompt_kit {
        struct text templates[TEMPLATE_COUNT];
        struct text shown[TEMPLATE_COUNT]; /* their paths, for messages */
        struct brief brief;
        struct text system; /* filled in */
        struct text stable;
        char sha256[digest_hex_size];
};

const char *prompt_stage_name(enum prompt_stage stage)
{
        return stage_names[stage];
}

static int fail(struct text *why, const char *file, int error)
{
        text_append_escaped(why, file, strlen(file));
        text_printf(why, ": %s; see prompts/README.md for what must be there", error_text(error));
        return error == -ENOMEM ? error : PROMPT_WRONG;
}

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* of a folder: nothing can be lost */
}

/* ---- Templates --------------------------------------------------------------------------- */

static int read_template(struct prompt_kit *kit, size_t which, int dir_fd, const char *folder,
                         struct text *why)
{
        struct text *text = &kit->templates[which];
        struct text *shown = &kit->shown[which];
        int failed;

        text_init(text, template_bytes_max);
        text_init(shown, path_bytes_max);
        text_append_escaped(shown, folder, strlen(folder));
        text_printf(shown, "/%s", template_names[which]);
        failed = file_read(dir_fd, template_names[which], text);
        if (failed)
                return fail(why, text_view(shown), failed);
        if (!memchr(text_view(text), '\0', text->length) &&
            text_is_utf8(text_view(text), text->length))
                return 0;
        text_printf(why, "%s: it holds a NUL byte or is not UTF-8; save it as text",
                    text_view(shown));
        return PROMPT_WRONG;
}

static int read_templates(struct prompt_kit *kit, const char *given, struct text *why)
{
        BASE_SCOPE(text_fini) struct text missing = TEXT_INIT(path_bytes_max);
        const char *folder = given ? given : parts_find(&missing)->prompts;
        BASE_SCOPE(close_fd) int dir_fd = -1;

        if (!folder) {
                text_append(why, "the prompts that come with tocsin are missing; build or install "
                                 "it whole");
                return PROMPT_WRONG;
        }
        dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return fail(why, folder, error_last());
        for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
                int failed = read_template(kit, i, dir_fd, given ? given : "prompts", why);

                if (failed)
                        return failed;
        }
        return 0;
}

/* ---- Filling ----------------------------------------------------------------------------- */

static int fill(const struct prompt_kit *kit, size_t which, const struct template_value *right,
                struct text *into, struct text *why)
{
        struct template_value values[BRIEF_COUNT + RIGHT_COUNT];
        size_t count = 0;
        int outcome;

        for (; count < BRIEF_COUNT; count++)
                values[count] = (struct template_value){ brief_names[count],
                                                         text_view(&kit->brief.values[count]) };
        for (size_t i = 0; right && i < RIGHT_COUNT; i++)
                values[count++] = right[i];
        outcome = template_fill(text_view(&kit->shown[which]), text_view(&kit->templates[which]),
                                values, count, into, why);
        if (outcome == -EOVERFLOW) {
                text_printf(why,
                            "%s: the prompt has more than %d bytes; the contract or the "
                            "candidate is too large for a model",
                            text_view(&kit->shown[which]), prompt_bytes_max);
                return PROMPT_WRONG;
        }
        return outcome == TEMPLATE_WRONG ? PROMPT_WRONG : outcome;
}

/* What each stage has; NULL where using the name is wrong. Texts stand for "". */
static void name_right(enum prompt_stage stage, const char *const texts[RIGHT_COUNT],
                       struct template_value right[RIGHT_COUNT])
{
        static const char *const names[RIGHT_COUNT] = { "candidate", "packet", "diagnosis",
                                                        "earlier" };
        const bool has[RIGHT_COUNT] = { stage != PROMPT_WRITE, stage != PROMPT_WRITE,
                                        stage == PROMPT_REPAIR, stage == PROMPT_WRITE };

        for (size_t i = 0; i < RIGHT_COUNT; i++)
                right[i] = (struct template_value){ names[i], has[i] ? texts[i] : NULL };
}

/* So that a slip in repair.md is told before the first call is paid, not after the second. */
static int try_stages(const struct prompt_kit *kit, struct text *why)
{
        static const char *const nothing[RIGHT_COUNT] = { "", "", "", "" };

        for (size_t i = 0; i < PROMPT_STAGE_COUNT; i++) {
                BASE_SCOPE(text_fini) struct text into = TEXT_INIT(prompt_bytes_max);
                struct template_value right[RIGHT_COUNT];
                int outcome;

                name_right((enum prompt_stage)i, nothing, right);
                outcome = fill(kit, i, right, &into, why);
                if (outcome)
                        return outcome;
        }
        return 0;
}

static int sign(struct prompt_kit *kit)
{
        struct digest digest;

        digest_begin(&digest);
        for (size_t i = 0; i < TEMPLATE_COUNT; i++)
                digest_field(&digest, text_view(&kit->templates[i]), kit->templates[i].length);
        for (size_t i = 0; i < BRIEF_COUNT; i++)
                digest_field(&digest, text_view(&kit->brief.values[i]),
                             kit->brief.values[i].length);
        return digest_end(&digest, kit->sha256);
}

static int load(struct prompt_kit *kit, const struct contract *contract,
                const struct prompt_options *options, struct text *why)
{
        int outcome = read_templates(kit, options->folder, why);

        if (!outcome)
                outcome = brief_init(&kit->brief, contract, options->shows_cases, why);
        if (outcome == BRIEF_WRONG)
                return PROMPT_WRONG;
        if (!outcome)
                outcome = fill(kit, TEMPLATE_SYSTEM, NULL, &kit->system, why);
        if (!outcome)
                outcome = fill(kit, TEMPLATE_CONTRACT, NULL, &kit->stable, why);
        if (!outcome)
                outcome = try_stages(kit, why);
        if (!outcome)
                outcome = sign(kit);
        text_append(&kit->stable, "\n");
        return outcome;
}

int prompt_kit_load(const struct contract *contract, const struct prompt_options *options,
                    struct prompt_kit **ret_kit, struct text *why)
{
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = calloc(1, sizeof(*kit));
        int outcome;

        if (!kit)
                return -ENOMEM;
        text_init(&kit->system, prompt_bytes_max);
        text_init(&kit->stable, prompt_bytes_max);
        outcome = load(kit, contract, options, why);
        if (outcome)
                return outcome;
        *ret_kit = kit;
        kit = NULL;
        return 0;
}

void prompt_kit_free(struct prompt_kit **kit)
{
        if (!*kit)
                return;
        for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
                text_fini(&(*kit)->templates[i]);
                text_fini(&(*kit)->shown[i]);
        }
        brief_fini(&(*kit)->brief);
        text_fini(&(*kit)->system);
        text_fini(&(*kit)->stable);
        free(*kit);
        *kit = NULL;
}

const char *prompt_kit_sha256(const struct prompt_kit *kit)
{
        return kit->sha256;
}

/* ---- One prompt -------------------------------------------------------------------------- */

static void append_candidate(const struct candidate *candidate, struct text *into)
{
        for (size_t i = 0; i < candidate->file_count; i++) {
                text_printf(into, "FILE: %s\n", candidate->files[i].name);
                fence_append(into, "c", candidate->files[i].bytes, candidate->files[i].length);
                text_append(into, "\n");
        }
}

/* Quoted line by line, so that it cannot be taken for a part of the prompt. */
static void append_quoted(const char *lines, const char *before, struct text *into)
{
        struct span rest = { lines, lines + strlen(lines) };
        struct span line;

        while (span_next_line(&rest, &line)) {
                text_append(into, before);
                text_append_bytes(into, line.at, span_length(line));
                text_append(into, "\n");
        }
        text_append(into, "\n");
}

static void append_diagnosis(const char *diagnosis, struct text *into)
{
        text_append(into, "# A diagnosis\n\nSomebody who has read the same made it. It may be "
                          "wrong: check it against the code.\n\n");
        append_quoted(diagnosis, "> ", into);
}

static void append_earlier(const char *earlier, struct text *into)
{
        text_append(into, "Earlier attempts were rejected. Choose a design for which these cannot "
                          "happen:\n\n");
        append_quoted(earlier, "- ", into);
}

int prompt_make(const struct prompt_kit *kit, enum prompt_stage stage,
                const struct prompt_parts *parts, struct prompt *ret_prompt, struct text *why)
{
        BASE_SCOPE(text_fini) struct text candidate = TEXT_INIT(2 * prompt_bytes_max);
        BASE_SCOPE(text_fini) struct text diagnosis = TEXT_INIT(prompt_bytes_max);
        BASE_SCOPE(text_fini) struct text earlier = TEXT_INIT(prompt_bytes_max);
        BASE_SCOPE(prompt_fini)
        struct prompt prompt = { .system = TEXT_INIT(prompt_bytes_max),
                                 .user = TEXT_INIT(prompt_bytes_max) };
        struct template_value right[RIGHT_COUNT];
        int outcome;

        if (parts->candidate)
                append_candidate(parts->candidate, &candidate);
        if (parts->diagnosis && *parts->diagnosis)
                append_diagnosis(parts->diagnosis, &diagnosis);
        if (parts->earlier && *parts->earlier)
                append_earlier(parts->earlier, &earlier);
        name_right(stage,
                   (const char *[RIGHT_COUNT]){ text_view(&candidate),
                                                parts->packet ? parts->packet : "",
                                                text_view(&diagnosis), text_view(&earlier) },
                   right);
        text_append_bytes(&prompt.system, text_view(&kit->system), kit->system.length);
        text_append_bytes(&prompt.user, text_view(&kit->stable), kit->stable.length);
        prompt.stable_length = prompt.user.length;
        outcome = fill(kit, stage, right, &prompt.user, why);
        if (!outcome)
                outcome = prompt.system.error;
        if (outcome)
                return outcome;
        *ret_prompt = prompt;
        prompt = (struct prompt){ .stable_length = 0 };
        return 0;
}

void prompt_fini(struct prompt *prompt)
{
        text_fini(&prompt->system);
        text_fini(&prompt->user);
}
