/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a run can be made again with no key, no network and no bill: its answers are those
 * that an earlier run paid for, and they are found by the prompts that they answered.
 *
 * By prompt: the answer that the same prompt had in the same slot, else in any slot, once. In
 * order: the next answer of the same stage, whatever the prompt was; for those who change a
 * template and want to see what the rest of the machine makes of it.
 */
#include "base/error.h"
#include "forge/ledger.h"
#include "forge/provider_kind.h"
#include "gate/digest.h"

#include <errno.h>
#include <inttypes.h>

enum { quoted_bytes_max = 160 };

/* Views of the ledger's records. */
struct call {
        uint64_t slot;
        uint64_t attempt;
        const char *stage;
        const char *prompt;
        const json_t *result; /* NULL: none came */
        bool is_used;
};

struct replay {
        const struct model *model;
        struct ledger *ledger;
        struct call *calls; /* in the order of their intents */
        size_t count;
};

static void close_replay(void *self)
{
        struct replay *replay = self;

        ledger_close(&replay->ledger);
        free(replay->calls);
        free(replay);
}

/* ---- Reading the recording ---------------------------------------------------------------- */

static const char *string_of(const json_t *record, const char *key)
{
        const char *string = json_string_value(json_object_get(record, key));

        return string ? string : "";
}

static uint64_t number_of(const json_t *record, const char *key)
{
        const json_int_t number = json_integer_value(json_object_get(record, key));

        return number > 0 ? (uint64_t)number : 0;
}

/* To the last intent of that slot and attempt: a run that was gone on with may repeat one. */
static void add_result(struct replay *replay, const json_t *record)
{
        for (size_t i = replay->count; i-- > 0;) {
                struct call *call = &replay->calls[i];

                if (call->slot == number_of(record, "slot") &&
                    call->attempt == number_of(record, "attempt")) {
                        call->result = record;
                        return;
                }
        }
}

static int read_calls(struct replay *replay)
{
        const size_t count = ledger_count(replay->ledger);

        replay->calls = calloc(count + 1, sizeof(*replay->calls));
        if (!replay->calls)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const json_t *record = ledger_record(replay->ledger, i);
                const char *type = string_of(record, "type");

                if (strcmp(type, "call.intent") == 0)
                        replay->calls[replay->count++] = (struct call){
                                .slot = number_of(record, "slot"),
                                .attempt = number_of(record, "attempt"),
                                .stage = string_of(record, "stage"),
                                .prompt = string_of(record, "prompt"),
                        };
                else if (strcmp(type, "call.result") == 0)
                        add_result(replay, record);
        }
        return 0;
}

static bool is_theirs(int failed)
{
        return failed == -ENOENT || failed == -ENOTDIR || failed == -EACCES || failed == -EISDIR ||
               failed == -ELOOP || failed == -ENAMETOOLONG;
}

static int open_replay(const struct model *model, void **ret_self, struct text *why)
{
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(provider_why_max);
        struct replay *replay = calloc(1, sizeof(*replay));
        int failed;

        if (!replay)
                return -ENOMEM;
        replay->model = model;
        failed = ledger_open(model->recording, LEDGER_READ, &replay->ledger, &said);
        if (failed > 0 || is_theirs(failed)) {
                text_printf(why, "the recording '%s' cannot be used: %s; name the folder of a run",
                            model->recording, failed > 0 ? text_view(&said) : error_text(failed));
                failed = PROVIDER_WRONG;
        }
        if (!failed)
                failed = read_calls(replay);
        if (failed)
                close_replay(replay);
        else
                *ret_self = replay;
        return failed;
}

/* ---- Finding an answer -------------------------------------------------------------------- */

static bool is_same_prompt(const struct call *call, const char *prompt)
{
        return call->result && strcmp(call->prompt, prompt) == 0;
}

static struct call *find_by_prompt(struct replay *replay, const struct provider_question *question,
                                   const char *prompt)
{
        struct call *used = NULL, *elsewhere = NULL;

        for (size_t i = 0; i < replay->count; i++) {
                struct call *call = &replay->calls[i];

                if (!is_same_prompt(call, prompt))
                        continue;
                if (call->slot == question->slot && !call->is_used)
                        return call;
                if (call->slot == question->slot && !used)
                        used = call;
                if (call->slot != question->slot && !call->is_used && !elsewhere)
                        elsewhere = call;
        }
        return used ? used : elsewhere; /* who asks for a slot again gets what it had */
}

static struct call *find_in_order(struct replay *replay, const struct provider_question *question)
{
        for (size_t i = 0; i < replay->count; i++) {
                struct call *call = &replay->calls[i];

                if (call->result && !call->is_used && strcmp(call->stage, question->stage) == 0)
                        return call;
        }
        return NULL;
}

static const struct call *find_slot(const struct replay *replay, uint64_t slot)
{
        for (size_t i = replay->count; i-- > 0;)
                if (replay->calls[i].slot == slot)
                        return &replay->calls[i];
        return NULL;
}

/* ---- Saying that there is none ------------------------------------------------------------ */

/* The first line in which they differ, and where it begins in each. */
static unsigned find_difference(const char **left, const char **right)
{
        const char *left_line = *left, *right_line = *right;
        unsigned line = 1;

        for (size_t i = 0; (*left)[i] && (*left)[i] == (*right)[i]; i++)
                if ((*left)[i] == '\n') {
                        left_line = *left + i + 1;
                        right_line = *right + i + 1;
                        line++;
                }
        *left = left_line;
        *right = right_line;
        return line;
}

static int quoted_length(const char *line)
{
        const size_t length = strcspn(line, "\n");

        return (int)(length < quoted_bytes_max ? length : quoted_bytes_max);
}

static int tell_nearest(const struct replay *replay, const struct provider_question *question,
                        const struct text *prompt, struct text *why)
{
        BASE_SCOPE(text_fini) struct text recorded = TEXT_INIT(ledger_blob_bytes_max);
        const struct call *nearest = find_slot(replay, question->slot);
        const char *theirs, *ours = text_view(prompt);
        unsigned line;

        text_append(why, "the recording has no answer to this prompt");
        if (!nearest) {
                text_printf(why, "; it has no call %" PRIu64 " (%s) at all", question->slot,
                            question->stage);
        } else if (ledger_fetch(replay->ledger, nearest->prompt, &recorded)) {
                text_printf(why,
                            "; its call %" PRIu64 " (%s) had another, which is not kept in blobs/",
                            nearest->slot, nearest->stage);
        } else {
                theirs = text_view(&recorded);
                line = find_difference(&theirs, &ours);
                if (*theirs || *ours)
                        text_printf(why,
                                    "; its call %" PRIu64 " (%s) differs from line %u on: '%.*s' "
                                    "instead of '%.*s'",
                                    nearest->slot, nearest->stage, line, quoted_length(theirs),
                                    theirs, quoted_length(ours), ours);
                else
                        text_printf(why, "; its call %" PRIu64 " (%s) was never answered",
                                    nearest->slot, nearest->stage);
        }
        text_append(why, "; replay with the contract, the templates and the seed of that run, or "
                         "write match: order");
        return PROVIDER_BROKEN;
}

static int tell_end(const struct provider_question *question, struct text *why)
{
        text_printf(why,
                    "the recording has no answer of stage %s left; record a run that goes on for "
                    "longer",
                    question->stage);
        return PROVIDER_BROKEN;
}

/* ---- Giving it ---------------------------------------------------------------------------- */

static void take_usage(const json_t *usage, struct money_usage *into)
{
        if (!json_is_object(usage))
                return;
        *into = (struct money_usage){
                .is_known = true,
                .input = number_of(usage, "input"),
                .cached = number_of(usage, "cached"),
                .output = number_of(usage, "output"),
                .reasoning = number_of(usage, "reasoning"),
        };
}

static enum provider_finish finish_of(const char *name)
{
        for (enum provider_finish finish = PROVIDER_FINISH_LENGTH;
             finish <= PROVIDER_FINISH_TOO_LONG; finish++)
                if (strcmp(name, provider_finish_name(finish)) == 0)
                        return finish;
        return PROVIDER_FINISH_STOP;
}

static int give(const struct replay *replay, const struct call *call,
                struct provider_answer *answer, struct text *why)
{
        const char *blob = string_of(call->result, "answer");
        int failed = ledger_fetch(replay->ledger, blob, &answer->bytes);

        if (failed == -ENOMEM)
                return failed;
        if (failed) {
                text_printf(why,
                            "the answer of call %" PRIu64
                            " of the recording cannot be read from blobs/ (%s); copy the whole "
                            "folder of that run",
                            call->slot, error_text(failed));
                return PROVIDER_BROKEN;
        }
        answer->finish = finish_of(string_of(call->result, "finish"));
        take_usage(json_object_get(call->result, "usage"), &answer->usage);
        provider_copy_name(string_of(call->result, "model"), answer->model);
        return 0;
}

static int ask(void *self, const struct provider_question *question, struct provider_answer *answer,
               struct text *why)
{
        struct replay *replay = self;
        BASE_SCOPE(text_fini) struct text prompt = TEXT_INIT(TEXT_LENGTH_LIMIT);
        char hash[digest_hex_size];
        struct call *call;
        int failed = provider_render_plain(replay->model, question, &prompt);

        if (!failed)
                failed = digest_of(text_view(&prompt), prompt.length, hash);
        if (failed)
                return failed;
        if (replay->model->match == MODELS_MATCH_ORDER) {
                call = find_in_order(replay, question);
                if (!call)
                        return tell_end(question, why);
                answer->differs = strcmp(call->prompt, hash) != 0;
        } else {
                call = find_by_prompt(replay, question, hash);
                if (!call)
                        return tell_nearest(replay, question, &prompt, why);
        }
        call->is_used = true;
        failed = give(replay, call, answer, why);
        if (!failed && question->progress)
                question->progress(question->progress_context, answer->bytes.length);
        return failed;
}

const struct provider_kind provider_replay = {
        .open = open_replay,
        .close = close_replay,
        .ask = ask,
        .render = provider_render_plain,
};
