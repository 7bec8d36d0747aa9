/* SPDX-License-Identifier: Apache-2.0 */
/* The answer comes from a process that has read hostile text: every value is looked at before it is
 * believed, and one that does not fit makes the whole answer worthless. */
#include "gate/lens_read.h"
#include "base/file.h"
#include "gate/stock.h"
#include "gate/workshop.h"

#include <errno.h>

enum { lens_status_refused = 3, lens_processes_max = 16, lens_wall_s = 30, lens_words_max = 300 };

/* ---- Form ------------------------------------------------------------------------------------ */

static bool is_name(const char *text)
{
        size_t length = text ? strlen(text) : 0;

        return length > 0 && length <= lens_name_max &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
                       length &&
               (text[0] < '0' || text[0] > '9');
}

/* 0: not a line. */
static unsigned line_of(const json_t *value)
{
        json_int_t line = json_integer_value(value);

        return json_is_integer(value) && line > 0 && line <= INT32_MAX ? (unsigned)line : 0;
}

static int parse_token(const json_t *row, struct lens_token *token)
{
        const char *kind = json_string_value(json_array_get(row, 2));
        json_int_t flags = json_integer_value(json_array_get(row, 1));

        token->text = json_string_value(json_array_get(row, 3));
        token->line = line_of(json_array_get(row, 0));
        if (json_array_size(row) != 4 || !kind || !token->text || !token->line || flags < 0 ||
            flags > 3)
                return -EPROTO;
        token->begins_line = flags & 1;
        token->is_spliced = flags & 2;
        if (strcmp(kind, "word") == 0)
                token->kind = LENS_WORD;
        else if (strcmp(kind, "literal") == 0)
                token->kind = LENS_LITERAL;
        else if (strcmp(kind, "mark") == 0)
                token->kind = LENS_MARK;
        else
                return -EPROTO;
        return 0;
}

static int parse_tokens(const json_t *entry, struct lens_file *file)
{
        const json_t *rows = json_object_get(entry, "tokens");
        size_t count = json_array_size(rows);

        if (!json_is_array(rows) || json_is_true(json_object_get(entry, "is_cut")))
                return -EPROTO;
        file->tokens = calloc(count + 1, sizeof(*file->tokens));
        if (!file->tokens)
                return -ENOMEM;
        for (; file->token_count < count; file->token_count++)
                if (parse_token(json_array_get(rows, file->token_count),
                                &file->tokens[file->token_count]))
                        return -EPROTO;
        return 0;
}

static int parse_function(const json_t *row, struct lens_function *function)
{
        const json_t *parameters = json_object_get(row, "parameters");
        size_t count = json_array_size(parameters);

        function->name = json_string_value(json_object_get(row, "name"));
        function->result = json_string_value(json_object_get(row, "result"));
        function->line = line_of(json_object_get(row, "line"));
        function->is_variadic = json_is_true(json_object_get(row, "is_variadic"));
        if (!is_name(function->name) || !function->result || !function->line ||
            !json_is_array(parameters))
                return -EPROTO;
        function->parameters = calloc(count + 1, sizeof(*function->parameters));
        if (!function->parameters)
                return -ENOMEM;
        for (; function->parameter_count < count; function->parameter_count++) {
                const char *type =
                        json_string_value(json_array_get(parameters, function->parameter_count));

                if (!type)
                        return -EPROTO;
                function->parameters[function->parameter_count] = type;
        }
        return 0;
}

static int parse_declarations(const json_t *entry, struct lens *lens)
{
        const json_t *functions = json_object_get(entry, "functions");
        const json_t *objects = json_object_get(entry, "objects");
        int outcome = 0;

        if (!json_is_array(functions) || !json_is_array(objects))
                return -EPROTO;
        lens->functions = calloc(json_array_size(functions) + 1, sizeof(*lens->functions));
        lens->objects = calloc(json_array_size(objects) + 1, sizeof(*lens->objects));
        if (!lens->functions || !lens->objects)
                return -ENOMEM;
        for (size_t i = 0; i < json_array_size(functions) && !outcome; i++) {
                const json_t *row = json_array_get(functions, i);

                /* A header may declare twice; the first stands. */
                if (lens_function_of(lens, json_string_value(json_object_get(row, "name"))))
                        continue;
                outcome = parse_function(row, &lens->functions[lens->function_count++]);
        }
        for (size_t i = 0; i < json_array_size(objects) && !outcome; i++) {
                const json_t *row = json_array_get(objects, i);
                struct lens_object *object = &lens->objects[lens->object_count++];

                object->name = json_string_value(json_object_get(row, "name"));
                object->type = json_string_value(json_object_get(row, "type"));
                object->line = line_of(json_object_get(row, "line"));
                if (!is_name(object->name) || !object->type || !object->line)
                        outcome = -EPROTO;
        }
        return outcome;
}

static int parse(struct lens *lens)
{
        const json_t *files = json_object_get(lens->root, "files");
        size_t count = json_array_size(files);
        int outcome = 0;

        if (!json_is_object(lens->root) || !json_is_array(files) ||
            json_integer_value(json_object_get(lens->root, "lens")) != 1)
                return -EPROTO;
        lens->files = calloc(count + 1, sizeof(*lens->files));
        if (!lens->files)
                return -ENOMEM;
        for (size_t i = 0; i < count && !outcome; i++) {
                const json_t *entry = json_array_get(files, i);
                struct lens_file *file = &lens->files[lens->file_count++];

                file->name = json_string_value(json_object_get(entry, "file"));
                if (!file->name)
                        outcome = -EPROTO;
                else if (json_object_get(entry, "tokens"))
                        outcome = parse_tokens(entry, file);
                else if (!lens->functions)
                        outcome = parse_declarations(entry, lens);
                else
                        outcome = -EPROTO; /* a contract has one header */
        }
        return outcome;
}

int lens_parse(const char *bytes, size_t length, struct lens *ret_lens)
{
        struct lens lens = { .root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL) };
        int outcome = lens.root ? parse(&lens) : -EPROTO;

        if (outcome)
                lens_fini(&lens);
        else
                *ret_lens = lens;
        return outcome;
}

void lens_fini(struct lens *lens)
{
        for (size_t i = 0; i < lens->file_count; i++)
                free(lens->files[i].tokens);
        for (size_t i = 0; i < lens->function_count; i++)
                free(lens->functions[i].parameters);
        free(lens->files);
        free(lens->functions);
        free(lens->objects);
        json_decref(lens->root);
        *lens = (struct lens)LENS_NULL;
}

const struct lens_function *lens_function_of(const struct lens *lens, const char *name)
{
        for (size_t i = 0; name && i < lens->function_count; i++)
                if (strcmp(lens->functions[i].name, name) == 0)
                        return &lens->functions[i];
        return NULL;
}

const struct lens_object *lens_object_of(const struct lens *lens, const char *name)
{
        for (size_t i = 0; name && i < lens->object_count; i++)
                if (strcmp(lens->objects[i].name, name) == 0)
                        return &lens->objects[i];
        return NULL;
}

/* ---- Job ------------------------------------------------------------------------------------- */

struct job {
        struct sandbox *sandbox;
        const char *mode;
        const char *const *names;
        size_t count;
        const char *standard;
};

/* What came back, in the words of the three outcomes. */
static int judge(const struct sandbox_end *end, const struct text *output, struct lens *ret_lens,
                 struct text *why)
{
        bool has_answer = end->how == SANDBOX_EXITED && end->code == 0;

        if (has_answer && lens_parse(text_view(output), output->length, ret_lens) == 0)
                return 0;
        text_append(why, "tocsin-lens: ");
        if (has_answer)
                text_append(why, "an answer that has not its form");
        else
                sandbox_append_end(end, why);
        if (!has_answer && output->length) {
                text_append(why, ": ");
                text_append_escaped(why, text_view(output),
                                    output->length < 300 ? output->length : 300);
        }
        if (end->how == SANDBOX_EXITED && !has_answer && end->code != lens_status_refused)
                return -EIO;
        return LENS_REFUSED;
}

static int run(const struct job *job, const struct sandbox_bind *binds, size_t bind_count,
               struct lens *ret_lens, struct text *why)
{
        const char *words[lens_words_max];
        char standard[32];
        size_t count = 0;
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(lens_answer_bytes_max);
        struct sandbox_end end;
        struct sandbox_request request = {
                .argv = words,
                .directory = "/src",
                .binds = binds,
                .bind_count = bind_count,
                .wall_max_ns = lens_wall_s * CLOCK_S_NS,
                .output_max_bytes = lens_answer_bytes_max - 1,
                .process_max = lens_processes_max,
                .output = &output,
        };
        int outcome;

        if (job->count > lens_words_max - 16)
                return -E2BIG;
        (void)snprintf(standard, sizeof(standard), "-std=%s", job->standard);
        words[count++] = "/lens/tocsin-lens";
        words[count++] = job->mode;
        for (size_t i = 0; i < job->count; i++)
                words[count++] = job->names[i];
        words[count++] = "--";
        words[count++] = "-xc";
        words[count++] = standard;
        words[count++] = "-isystem";
        words[count++] = "/include";
        words[count] = NULL;
        outcome = sandbox_run(job->sandbox, &request, &end);
        if (outcome) {
                text_append(why, sandbox_why());
                return outcome;
        }
        return judge(&end, &output, ret_lens, why);
}

/* Folders with the program and tocsin.h, then the run. */
static int look(const struct job *job, const char *sources, struct lens *ret_lens, struct text *why)
{
        struct folder lens BASE_SCOPE(folder_close) = { .fd = -1, .path = TEXT_INIT(8192) };
        struct folder include BASE_SCOPE(folder_close) = { .fd = -1, .path = TEXT_INIT(8192) };
        struct text header BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct text machine BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct text missing BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        const struct parts *parts = parts_find(&missing);
        int outcome;

        if (!parts->lens || !parts->include) {
                text_printf(why, "%s; build or install Tocsin whole", text_view(&missing));
                return -ENOENT;
        }
        text_printf(&header, "%s/tocsin.h", parts->include);
        text_printf(&machine, "%s/tocsin-machine.h", parts->include);
        outcome = folder_open(job->sandbox, "lens", &lens);
        if (!outcome)
                outcome = folder_open(job->sandbox, "include", &include);
        if (!outcome)
                outcome = folder_copy(job->sandbox, &lens, "tocsin-lens", AT_FDCWD, parts->lens,
                                      0700);
        if (!outcome)
                outcome = folder_copy(job->sandbox, &include, "tocsin.h", AT_FDCWD,
                                      text_view(&header), 0600);
        if (!outcome)
                outcome = folder_copy(job->sandbox, &include, "tocsin-machine.h", AT_FDCWD,
                                      text_view(&machine), 0600);
        if (!outcome) {
                const struct sandbox_bind binds[] = {
                        { sources, "/src", false },
                        { text_view(&lens.path), "/lens", false },
                        { text_view(&include.path), "/include", false },
                };

                outcome = run(job, binds, BASE_COUNT(binds), ret_lens, why);
        }
        return outcome;
}

int lens_tokens(struct sandbox *sandbox, const char *folder, const char *const *names, size_t count,
                const char *standard, struct lens *ret_lens, struct text *why)
{
        struct job job = {
                .sandbox = sandbox,
                .mode = "tokens",
                .names = names,
                .count = count,
                .standard = standard,
        };

        return look(&job, folder, ret_lens, why);
}

int lens_declarations(struct sandbox *sandbox, const struct contract *contract,
                      struct lens *ret_lens, struct text *why)
{
        struct folder header BASE_SCOPE(folder_close) = { .fd = -1, .path = TEXT_INIT(8192) };
        const char *const names[] = { contract->header };
        struct job job = {
                .sandbox = sandbox,
                .mode = "declarations",
                .names = names,
                .count = 1,
                .standard = contract->standard,
        };
        int outcome = folder_open(sandbox, "header", &header);

        if (!outcome)
                outcome = folder_copy(sandbox, &header, contract->header, contract->dir_fd,
                                      contract->header, 0600);
        return outcome ? outcome : look(&job, text_view(&header.path), ret_lens, why);
}
