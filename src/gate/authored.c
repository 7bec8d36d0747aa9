/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a candidate's tokens as one who expects to be fooled. A preprocessor that may choose, paste
 * or include at will can write any program; so there is no choosing (#if), no pasting (##, names of
 * libc's own macros), and includes are those that the contract lists.
 */
#include "gate/authored.h"

enum { include_max = 256 };

enum word_kind { KIND_word, KIND_attribute, KIND_macro, KIND_tocsin };

static const struct {
        enum word_kind kind;
        const char *words;
} lists[] = {
#define X(kind, words) { KIND_##kind, words },
#include "gate/authored.def"
#undef X
};

struct reader {
        const struct contract *contract;
        const struct candidate *candidate;
        const struct lens_file *file;
        struct stage_result *result;
        size_t at;
        unsigned findings;
        bool is_header;
        bool in_directive; /* of a #define: '#' means a text there */
        size_t guard_end;  /* the #endif of the include guard; 0: none */
};

static bool is_listed(enum word_kind kind, const char *word, size_t length)
{
        for (size_t i = 0; i < BASE_COUNT(lists); i++) {
                const char *at = lists[i].words;

                while (lists[i].kind == kind && *at) {
                        size_t span = strcspn(at, " ");

                        if (span == length && strncmp(at, word, length) == 0)
                                return true;
                        at += span + (at[span] == ' ');
                }
        }
        return false;
}

static bool is_word_of(enum word_kind kind, const char *word)
{
        return is_listed(kind, word, strlen(word));
}

static void object_to(struct reader *reader, const char *rule, const struct lens_token *token,
                      const char *sentence)
{
        struct finding *finding;

        if (reader->findings++ >= authored_findings_max)
                return;
        finding = finding_add(reader->result, rule, "'%.60s': %s", token->text, sentence);
        finding_at(finding, reader->file->name, token->line);
}

/* The token n further on in the same directive or anywhere; NULL at the end. */
static const struct lens_token *ahead(const struct reader *reader, size_t n)
{
        return n < reader->file->token_count - reader->at ? &reader->file->tokens[reader->at + n]
                                                          : NULL;
}

static bool is_text(const struct lens_token *token, const char *text)
{
        return token && strcmp(token->text, text) == 0;
}

/* The same within one line. */
static bool follows(const struct lens_token *token, const char *text)
{
        return is_text(token, text) && !token->begins_line;
}

static bool in_list(const struct contract_list *list, const char *name)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i], name) == 0)
                        return true;
        return false;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static bool is_reserved(const char *word)
{
        return word[0] == '_' && (word[1] == '_' || (word[1] >= 'A' && word[1] <= 'Z'));
}

static void judge_word(struct reader *reader, const struct lens_token *token)
{
        const char *word = token->text;

        if (strcmp(word, "NDEBUG") == 0 || strcmp(word, "TOCSIN_OFF") == 0 ||
            strcmp(word, "TOC_COUNT_PASSES") == 0 || strcmp(word, "TOC_TESTING") == 0)
                object_to(reader, "interface.token", token,
                          "tells one build from another; code must be the same in all");
        else if (strcmp(word, "asm") == 0)
                object_to(reader, "interface.token", token,
                          "assembly can do what no rule here sees; write C");
        else if (is_reserved(word) && !is_word_of(KIND_word, word))
                object_to(reader, "interface.token", token,
                          "a reserved name of compiler or libc that candidates may not use");
        else if ((strncmp(word, "toc_", 4) == 0 || strncmp(word, "TOC_", 4) == 0) &&
                 !is_word_of(KIND_tocsin, word))
                object_to(reader, "interface.token", token,
                          "not a name that tocsin.h offers; toc_ and TOC_ are its own");
}

static bool is_attribute(const char *word)
{
        size_t length = strlen(word);

        if (is_listed(KIND_attribute, word, length))
                return true;
        return length > 4 && strncmp(word, "__", 2) == 0 && strcmp(word + length - 2, "__") == 0 &&
               is_listed(KIND_attribute, word + 2, length - 4);
}

/* From __attribute__ to its last parenthesis; what stands at depth 2 has to be listed. */
static void judge_attribute(struct reader *reader)
{
        const struct lens_token *token;
        size_t depth = 0;

        if (!is_text(ahead(reader, 1), "(") || !is_text(ahead(reader, 2), "(")) {
                object_to(reader, "interface.token", ahead(reader, 0),
                          "an attribute is written __attribute__((NAME)), and not by a macro");
                return;
        }
        for (reader->at++; (token = ahead(reader, 0)); reader->at++) {
                if (is_text(token, "("))
                        depth++;
                else if (is_text(token, ")") && --depth == 0)
                        return;
                else if (token->kind == LENS_WORD && depth == 2 && !is_attribute(token->text))
                        object_to(reader, "interface.token", token,
                                  "an attribute that candidates may not use");
                else if (token->kind == LENS_WORD && depth != 2)
                        judge_word(reader, token);
        }
}

/* ---- Directives ------------------------------------------------------------------------------ */

/* Moves to the last token of the directive, so that the next begins a line. */
static void skip_line(struct reader *reader)
{
        while (ahead(reader, 1) && !ahead(reader, 1)->begins_line)
                reader->at++;
}

static void judge_include(struct reader *reader)
{
        const struct lens_token *token = ahead(reader, 2);
        const struct lens_token *hash = ahead(reader, 0);
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(include_max);
        bool is_computed = !token || token->begins_line;
        bool is_quoted = !is_computed && token->text[0] == '"';

        if (is_quoted && strlen(token->text) > 2) {
                text_append_bytes(&name, token->text + 1, strlen(token->text) - 2);
        } else if (!is_computed && is_text(token, "<")) {
                for (size_t i = 3; (token = ahead(reader, i)) && !token->begins_line; i++) {
                        if (is_text(token, ">"))
                                break;
                        text_append(&name, token->text);
                }
        } else {
                is_computed = true;
        }
        if (is_computed)
                object_to(reader, "interface.include", hash,
                          "an include names its file, in quotes or angles");
        else if (strcmp(text_view(&name), reader->contract->header) != 0 &&
                 !in_list(&reader->contract->headers, text_view(&name)) &&
                 !in_list(&reader->contract->supplies, text_view(&name))) {
                struct finding *finding =
                        finding_add(reader->result, "interface.include",
                                    "includes '%.80s', which is not among the contract's headers",
                                    text_view(&name));

                reader->findings++;
                finding_at(finding, reader->file->name, hash->line);
        }
        skip_line(reader);
}

static void judge_define(struct reader *reader, bool is_define)
{
        const struct lens_token *name = ahead(reader, 2);

        if (!name || name->begins_line || name->kind != LENS_WORD)
                return; /* the compiler says it better */
        if (strncmp(name->text, "toc_", 4) == 0 || strncmp(name->text, "TOC_", 4) == 0)
                object_to(reader, "interface.token", name,
                          "names of tocsin.h cannot be defined anew or undefined");
        else if (is_reserved(name->text) && !is_word_of(KIND_macro, name->text))
                object_to(reader, "interface.token", name,
                          "a reserved name cannot be defined anew or undefined");
        else if (is_attribute(name->text))
                object_to(reader, "interface.token", name,
                          "a macro of that name would change what attributes mean");
        else if (in_list(&reader->contract->symbols, name->text))
                object_to(reader, "interface.token", name,
                          "a macro of that name would hide a function that the contract lists");
        reader->at += 2;
        reader->in_directive = is_define;
}

/* The two shapes of an include guard: #ifndef NAME, #define NAME first; #endif last. */
static void find_guard(struct reader *reader)
{
        const struct lens_token *tokens = reader->file->tokens;
        size_t count = reader->file->token_count;

        reader->guard_end = 0;
        if (!reader->is_header || count < 8)
                return;
        if (is_text(&tokens[0], "#") && follows(&tokens[1], "ifndef") && is_text(&tokens[3], "#") &&
            tokens[3].begins_line && follows(&tokens[4], "define") &&
            strcmp(tokens[2].text, tokens[5].text) == 0 && tokens[6].begins_line &&
            is_text(&tokens[count - 2], "#") && tokens[count - 2].begins_line &&
            follows(&tokens[count - 1], "endif"))
                reader->guard_end = count - 2;
}

static void judge_directive(struct reader *reader)
{
        const struct lens_token *hash = ahead(reader, 0);
        const struct lens_token *word = ahead(reader, 1);

        if (!word || word->begins_line)
                return; /* a null directive */
        if (is_text(word, "include")) {
                judge_include(reader);
        } else if (is_text(word, "define") || is_text(word, "undef")) {
                judge_define(reader, is_text(word, "define"));
        } else if (reader->guard_end && (reader->at == 0 || reader->at == reader->guard_end)) {
                skip_line(reader);
        } else {
                object_to(reader,
                          word->text[0] == 'i' || word->text[0] == 'e' ? "interface.conditional"
                                                                       : "interface.token",
                          word->is_spliced ? hash : word,
                          "of directives a candidate has #include, #define, #undef and an include "
                          "guard");
                skip_line(reader);
        }
}

/* ---- Marks ----------------------------------------------------------------------------------- */

static void judge_mark(struct reader *reader, const struct lens_token *token)
{
        static const char *const digraphs[] = { "%:", "%:%:", "<:", ":>", "<%", "%>" };

        if (is_text(token, "##"))
                object_to(reader, "interface.token", token,
                          "pasting makes names that nobody can read here");
        else if (is_text(token, "#"))
                object_to(reader, "interface.token", token,
                          reader->in_directive
                                  ? "a macro that reads its own text can tell builds apart"
                                  : "stands where no directive begins");
        else if (is_text(token, "[") && is_text(ahead(reader, 1), "["))
                object_to(reader, "interface.token", token,
                          "attributes are written __attribute__((NAME))");
        else if (token->text[0] == '\\')
                object_to(reader, "interface.token", token, "a backslash outside of texts");
        for (size_t i = 0; i < BASE_COUNT(digraphs); i++)
                if (is_text(token, digraphs[i]))
                        object_to(reader, "interface.token", token,
                                  "digraphs hide what is written; use the plain mark");
}

static void judge_token(struct reader *reader)
{
        const struct lens_token *token = ahead(reader, 0);

        if (token->begins_line)
                reader->in_directive = false;
        if (token->is_spliced)
                object_to(reader, "interface.token", token,
                          "a backslash at the end of a line cuts it in two; write it whole");
        if (token->begins_line && is_text(token, "#"))
                judge_directive(reader);
        else if (token->kind == LENS_WORD && strncmp(token->text, "__attribute", 11) == 0)
                judge_attribute(reader);
        else if (token->kind == LENS_WORD)
                judge_word(reader, token);
        else if (token->kind == LENS_MARK)
                judge_mark(reader, token);
}

/* Trigraphs are replaced before anything else, in texts and comments too. */
static void judge_trigraphs(struct reader *reader)
{
        for (size_t i = 0; i < reader->candidate->file_count; i++) {
                const struct candidate_file *file = &reader->candidate->files[i];
                unsigned line = 1;

                if (strcmp(file->name, reader->file->name) != 0)
                        continue;
                for (size_t k = 0; k + 2 < file->length; k++) {
                        line += file->bytes[k] == '\n';
                        if (file->bytes[k] == '?' && file->bytes[k + 1] == '?' &&
                            strchr("=/'()!<>-", file->bytes[k + 2]) && file->bytes[k + 2]) {
                                const struct lens_token here = { .line = line, .text = "??" };

                                object_to(reader, "interface.token", &here,
                                          "trigraphs hide what is written");
                        }
                }
        }
}

void authored_judge(const struct contract *contract, const struct candidate *candidate,
                    const struct lens *lens, struct stage_result *result)
{
        for (size_t i = 0; i < lens->file_count; i++) {
                size_t length = strlen(lens->files[i].name);
                struct reader reader = {
                        .contract = contract,
                        .candidate = candidate,
                        .file = &lens->files[i],
                        .result = result,
                        .is_header =
                                length > 2 && strcmp(lens->files[i].name + length - 2, ".h") == 0,
                };

                find_guard(&reader);
                judge_trigraphs(&reader);
                for (; reader.at < reader.file->token_count; reader.at++)
                        judge_token(&reader);
        }
}
