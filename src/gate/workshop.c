/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compilers are large programs that are fed foreign text, so each runs in the sandbox, sees only
 * what it needs, and what it leaves behind is checked before it is used: a regular file of bounded
 * size, opened without following links. Candidate and cases never meet before the link, so that
 * neither can read the other.
 */
#include "gate/workshop.h"
#include "gate/job.h"
#include "gate/stock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define WALL_MAX_NS      (120 * CLOCK_S_NS) /* the limit that counts is that of CPU time */
#define MEMORY_MAX_BYTES (UINT64_C(1) << 30)

enum {
        cpu_max_s = 10, /* a module takes one; an endless compilation is not worth more */
        word_max = 512,
        why_max = 512,
        compiler_processes_max = 24,
};

#define X(id, compiler_, name_, flags_, roles_) \
        [BUILD_##id] = {                        \
                .name = (name_),                \
                .compiler = (compiler_),        \
                .flags = (flags_),              \
                .roles = (roles_),              \
        },
const struct build builds[BUILD_COUNT] = {
#include "gate/builds.def"
};
#undef X

/* What both compilers know and what a careful house asks. */
static const char warnings[] =
        "-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes "
        "-Wold-style-definition -Wformat=2 -Wvla -Wundef -Wpointer-arith -Wwrite-strings "
        "-Wcast-qual -Wimplicit-fallthrough -Wdouble-promotion";
static const char warnings_gcc[] = "-Wlogical-op -Wduplicated-cond -Walloca -fmax-errors=50";
static const char warnings_clang[] = "-Walloca -ferror-limit=50";

/* Calls of the candidate that pass through the harness: src/case/wrap.def names them. */
#define X(name) "-Wl,--wrap=" #name,
static const char *const wraps[] = {
#include "case/wrap.def"
};
#undef X

enum product_kind { PRODUCT_OBJECT, PRODUCT_CASES, PRODUCT_PROGRAM, PRODUCT_COUNT };
enum slot_state { SLOT_NEW, SLOT_BUSY, SLOT_DONE };

struct slot {
        enum slot_state state;
        int outcome;
        struct workshop_product product;
        struct text path, output, why;
        struct text folder; /* of path */
};

struct workshop {
        struct sandbox *sandbox;
        const struct contract *contract;
        const struct candidate *candidate;
        struct stock stock;
        pthread_mutex_t lock;
        pthread_cond_t done;
        struct slot slots[BUILD_COUNT][PRODUCT_COUNT];
};

const char *workshop_why(void)
{
        return sandbox_why();
}

/* ---- Command lines -------------------------------------------------------------------------- */

struct line {
        char *words[word_max + 1];
        size_t count;
        int error;
};

static void line_add_bytes(struct line *line, const char *word, size_t length)
{
        if (line->count == word_max)
                line->error = -E2BIG;
        if (line->error)
                return;
        line->words[line->count] = strndup(word, length);
        if (line->words[line->count])
                line->count++;
        else
                line->error = -ENOMEM;
}

static void line_add(struct line *line, const char *word)
{
        line_add_bytes(line, word, strlen(word));
}

static void line_add_words(struct line *line, const char *words)
{
        while (*words) {
                size_t length = strcspn(words, " ");

                if (length)
                        line_add_bytes(line, words, length);
                words += length + (words[length] == ' ');
        }
}

static void line_fini(struct line *line)
{
        for (size_t i = 0; i < line->count; i++)
                free(line->words[i]);
        line->count = 0;
}

static bool is_source(const char *name)
{
        size_t length = strlen(name);

        return length > 2 && strcmp(name + length - 2, ".c") == 0;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void slot_init(struct slot *slot)
{
        text_init(&slot->path, 8192);
        text_init(&slot->folder, 8192);
        text_init(&slot->output, workshop_output_max);
        text_init(&slot->why, why_max);
}

static void slot_fini(struct slot *slot)
{
        text_fini(&slot->path);
        text_fini(&slot->folder);
        text_fini(&slot->output);
        text_fini(&slot->why);
}

int workshop_new(struct sandbox *sandbox, const struct contract *contract,
                 const struct candidate *candidate, struct workshop **ret_workshop)
{
        struct workshop *workshop = calloc(1, sizeof(*workshop));
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(why_max);
        int outcome;

        if (!workshop)
                return -ENOMEM;
        workshop->sandbox = sandbox;
        workshop->contract = contract;
        workshop->candidate = candidate;
        (void)pthread_mutex_init(&workshop->lock, NULL); /* cannot fail for default ones */
        (void)pthread_cond_init(&workshop->done, NULL);
        for (unsigned i = 0; i < BUILD_COUNT; i++)
                for (unsigned k = 0; k < PRODUCT_COUNT; k++)
                        slot_init(&workshop->slots[i][k]);
        outcome = stock_fill(&workshop->stock, sandbox, contract, candidate, &why);
        if (!outcome) {
                *ret_workshop = workshop;
                return 0;
        }
        if (why.length)
                (void)sandbox_fail(outcome, "%s", text_view(&why));
        workshop_free(&workshop);
        return outcome;
}

void workshop_free(struct workshop **at)
{
        struct workshop *workshop = *at;

        *at = NULL;
        if (!workshop)
                return;
        for (unsigned i = 0; i < BUILD_COUNT; i++)
                for (unsigned k = 0; k < PRODUCT_COUNT; k++)
                        slot_fini(&workshop->slots[i][k]);
        stock_fini(&workshop->stock);
        (void)pthread_cond_destroy(&workshop->done);
        (void)pthread_mutex_destroy(&workshop->lock);
        free(workshop);
}

const char *workshop_sources(const struct workshop *workshop)
{
        return text_view(&workshop->stock.sources.path);
}

const char *workshop_header(const struct workshop *workshop)
{
        return text_view(&workshop->stock.header.path);
}

const char *workshop_include(const struct workshop *workshop)
{
        return text_view(&workshop->stock.include.path);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* Said by gcc's driver when RLIMIT_CPU ended its compiler. */
static bool ran_out_of_time(const struct text *output)
{
        return strstr(text_view(output), "CPU time limit exceeded signal terminated program");
}

/* A compiler that is not there is no verdict about a candidate. */
static int tool_missing(const char *program, const char *package)
{
        if (access(program, X_OK) == 0)
                return 0;
        return sandbox_fail(-ENOENT, "%s is missing; install package %s", program, package);
}

/* The product, if the job left a regular file of that name. */
static int take(const struct folder *out, const char *name, struct slot *slot)
{
        struct stat info;
        int fd = openat(out->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        bool is_good = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                       info.st_size > 0 && info.st_size <= stock_file_bytes_max;

        if (fd >= 0)
                (void)close(fd); /* only looked at */
        if (!is_good) {
                text_printf(&slot->output, "the compiler left no usable %s\n", name);
                return WORKSHOP_REJECTED;
        }
        text_printf(&slot->folder, "%s", text_view(&out->path));
        text_printf(&slot->path, "%s/%s", text_view(&out->path), name);
        return slot->path.error ? slot->path.error : slot->folder.error;
}

/* 0, REJECTED, or cannot know. The output of earlier jobs of the slot stays before this one's. */
static int run(struct workshop *workshop, const struct line *line, const char *directory,
               const struct sandbox_bind *binds, size_t bind_count, struct slot *slot)
{
        struct sandbox_end end;
        struct sandbox_request request = {
                .argv = (const char *const *)line->words,
                .directory = directory,
                .binds = binds,
                .bind_count = bind_count,
                .wall_max_ns = WALL_MAX_NS,
                .cpu_max_s = cpu_max_s,
                .memory_max_bytes = MEMORY_MAX_BYTES,
                .file_max_bytes = stock_file_bytes_max,
                .output_max_bytes = workshop_output_max,
                .process_max = compiler_processes_max,
                .output = &slot->output,
        };
        int outcome = line->error ? line->error : sandbox_run(workshop->sandbox, &request, &end);

        if (outcome)
                return outcome;
        slot->product.seconds += (double)end.wall_ns / (double)CLOCK_S_NS;
        slot->product.was_flooded = end.how == SANDBOX_FLOODED;
        slot->product.was_late =
                end.how == SANDBOX_LATE ||
                (end.how == SANDBOX_EXITED && end.code != 0 && ran_out_of_time(&slot->output));
        if (end.how == SANDBOX_EXITED && end.code == 0)
                return 0;
        if (end.how != SANDBOX_EXITED) {
                text_append(&slot->output, "compiler: ");
                sandbox_append_end(&end, &slot->output);
                text_append(&slot->output, "\n");
        }
        return WORKSHOP_REJECTED;
}

static void add_compiler(struct line *line, const struct build *build)
{
        line_add(line, strcmp(build->compiler, "clang") == 0 ? "/usr/bin/clang" : "/usr/bin/gcc");
        line_add_words(line, "-fdiagnostics-color=never");
        line_add_words(line, build->flags);
}

static void add_warnings(struct line *line, const struct build *build)
{
        if (!(build->roles & BUILD_JUDGED)) {
                line_add(line, "-w");
                return;
        }
        line_add_words(line, warnings);
        line_add_words(line, strcmp(build->compiler, "clang") == 0 ? warnings_clang : warnings_gcc);
}

static int make_object(struct workshop *workshop, const struct build *build,
                       const struct folder *out, struct slot *slot)
{
        struct line line BASE_SCOPE(line_fini) = { .count = 0 };
        const struct sandbox_bind binds[] = {
                { text_view(&workshop->stock.sources.path), "/src", false },
                { text_view(&workshop->stock.header.path), "/contract", false },
                { text_view(&workshop->stock.include.path), "/include", false },
                { text_view(&out->path), "/out", true },
        };
        char standard[32];
        int outcome;

        (void)snprintf(standard, sizeof(standard), "-std=%s", workshop->contract->standard);
        add_compiler(&line, build);
        add_warnings(&line, build);
        line_add(&line, standard);
        line_add_words(&line, "-pthread -DTOC_TESTING -I/contract -isystem /include");
        line_add_words(&line, "-r -nostdlib -o /out/candidate.o");
        for (size_t i = 0; i < workshop->candidate->file_count; i++)
                if (is_source(workshop->candidate->files[i].name))
                        line_add(&line, workshop->candidate->files[i].name);
        outcome = run(workshop, &line, "/src", binds, BASE_COUNT(binds), slot);
        return outcome ? outcome : take(out, "candidate.o", slot);
}

static int make_cases(struct workshop *workshop, const struct build *build,
                      const struct folder *out, struct slot *slot)
{
        struct line line BASE_SCOPE(line_fini) = { .count = 0 };
        const struct sandbox_bind binds[] = {
                { text_view(&workshop->stock.cases.path), "/cases", false },
                { text_view(&workshop->stock.header.path), "/contract", false },
                { text_view(&workshop->stock.include.path), "/include", false },
                { text_view(&workshop->stock.case_include.path), "/case-include/tocsin", false },
                { text_view(&out->path), "/out", true },
        };
        int outcome;

        add_compiler(&line, build);
        line_add_words(&line, "-Wall -std=gnu17 -D_GNU_SOURCE -pthread -I/contract");
        line_add_words(&line, "-isystem /include -isystem /case-include");
        line_add_words(&line, "-r -nostdlib -o /out/cases.o cases/toc_glue.c");
        for (size_t i = 0; i < workshop->contract->cases.count; i++) {
                struct text path BASE_SCOPE(text_fini) = TEXT_INIT(8192);

                if (!is_source(workshop->contract->cases.items[i]))
                        continue;
                text_printf(&path, "cases/%s", workshop->contract->cases.items[i]);
                line_add(&line, text_view(&path));
        }
        outcome = run(workshop, &line, "/", binds, BASE_COUNT(binds), slot);
        if (!outcome)
                outcome = take(out, "cases.o", slot);
        return outcome == WORKSHOP_REJECTED ? WORKSHOP_UNSOUND : outcome;
}

static int link_program(struct workshop *workshop, const struct build *build,
                        const struct slot *object, const struct slot *cases,
                        const struct folder *out, struct slot *slot)
{
        struct line wrap BASE_SCOPE(line_fini) = { .count = 0 };
        struct line hide BASE_SCOPE(line_fini) = { .count = 0 };
        struct line line BASE_SCOPE(line_fini) = { .count = 0 };
        const struct sandbox_bind binds[] = {
                { text_view(&object->folder), "/object", false },
                { text_view(&cases->folder), "/case-object", false },
                { text_view(&workshop->stock.kit.path), "/kit", false },
                { text_view(&out->path), "/out", true },
        };
        int outcome;

        line_add_words(&wrap, "/usr/bin/gcc -r -nostdlib -o /out/wrapped.o /object/candidate.o");
        for (size_t i = 0; i < BASE_COUNT(wraps); i++)
                line_add(&wrap, wraps[i]);
        /* What files of a candidate share between them must not answer for cases or harness. */
        line_add_words(&hide, "/usr/bin/objcopy --localize-hidden /out/wrapped.o");
        outcome = tool_missing("/usr/bin/objcopy", "binutils");
        if (!outcome)
                outcome = run(workshop, &wrap, "/out", binds, BASE_COUNT(binds), slot);
        if (!outcome)
                outcome = run(workshop, &hide, "/out", binds, BASE_COUNT(binds), slot);
        if (outcome)
                return outcome;
        add_compiler(&line, build);
        line_add_words(&line, "-pthread -Wl,-z,relro,-z,now -o /out/program /case-object/cases.o");
        line_add_words(&line, "/out/wrapped.o /kit/case.a /kit/tocsin.a -lpthread -lm");
        outcome = run(workshop, &line, "/out", binds, BASE_COUNT(binds), slot);
        return outcome ? outcome : take(out, "program", slot);
}

/* ---- Products ------------------------------------------------------------------------------- */

static int slot_get(struct workshop *workshop, enum build_id build, enum product_kind kind,
                    struct slot **ret_slot);

/* The program of a build; what its parts said stands in the slot if they failed. */
static int make_program(struct workshop *workshop, enum build_id build, const struct folder *out,
                        struct slot *slot)
{
        struct slot *parts[2] = { NULL, NULL };
        const enum product_kind kinds[2] = { PRODUCT_OBJECT, PRODUCT_CASES };

        for (unsigned i = 0; i < 2; i++) {
                int outcome = slot_get(workshop, build, kinds[i], &parts[i]);

                if (outcome < 0)
                        return outcome;
                slot->product.seconds += parts[i]->product.seconds;
                if (outcome == 0)
                        continue;
                text_append_bytes(&slot->output, text_view(&parts[i]->output),
                                  parts[i]->output.length);
                slot->product.was_late = parts[i]->product.was_late;
                slot->product.was_flooded = parts[i]->product.was_flooded;
                return outcome;
        }
        return link_program(workshop, &builds[build], parts[0], parts[1], out, slot);
}

static int make(struct workshop *workshop, enum build_id id, enum product_kind kind,
                struct slot *slot)
{
        static const char *const stems[] = { "object", "cases", "program" };
        const struct build *build = &builds[id];
        struct folder out BASE_SCOPE(folder_close) = { .fd = -1, .path = TEXT_INIT(8192) };
        bool is_clang = strcmp(build->compiler, "clang") == 0;
        int outcome = is_clang ? tool_missing("/usr/bin/clang", "clang") : 0;

        if (!outcome)
                outcome = tool_missing("/usr/bin/gcc", "gcc"); /* also wraps */
        if (!outcome)
                outcome = folder_open(workshop->sandbox, stems[kind], &out);
        if (outcome)
                return outcome;
        if (kind == PRODUCT_OBJECT)
                return make_object(workshop, build, &out, slot);
        if (kind == PRODUCT_CASES)
                return make_cases(workshop, build, &out, slot);
        return make_program(workshop, id, &out, slot);
}

static int slot_get(struct workshop *workshop, enum build_id build, enum product_kind kind,
                    struct slot **ret_slot)
{
        struct slot *slot = &workshop->slots[build][kind];
        int outcome;

        (void)pthread_mutex_lock(&workshop->lock);
        while (slot->state == SLOT_BUSY)
                (void)pthread_cond_wait(&workshop->done, &workshop->lock);
        if (slot->state == SLOT_NEW) {
                slot->state = SLOT_BUSY;
                (void)pthread_mutex_unlock(&workshop->lock);
                outcome = make(workshop, build, kind, slot);
                if (outcome < 0)
                        text_append(&slot->why, sandbox_why());
                slot->product.path = outcome == 0 ? text_view(&slot->path) : NULL;
                slot->product.output = text_view(&slot->output);
                slot->product.output_length = slot->output.length;
                (void)pthread_mutex_lock(&workshop->lock);
                slot->outcome = outcome;
                slot->state = SLOT_DONE;
                (void)pthread_cond_broadcast(&workshop->done);
        }
        outcome = slot->outcome;
        (void)pthread_mutex_unlock(&workshop->lock);
        if (outcome < 0)
                (void)sandbox_fail(outcome, "%s", text_view(&slot->why));
        else
                *ret_slot = slot;
        return outcome;
}

static int product_get(struct workshop *workshop, enum build_id build, enum product_kind kind,
                       const struct workshop_product **ret_product)
{
        struct slot *slot = NULL;
        int outcome = slot_get(workshop, build, kind, &slot);

        if (outcome >= 0)
                *ret_product = &slot->product;
        return outcome;
}

int workshop_object(struct workshop *workshop, enum build_id build,
                    const struct workshop_product **ret_product)
{
        return product_get(workshop, build, PRODUCT_OBJECT, ret_product);
}

int workshop_program(struct workshop *workshop, enum build_id build,
                     const struct workshop_product **ret_product)
{
        return product_get(workshop, build, PRODUCT_PROGRAM, ret_product);
}
