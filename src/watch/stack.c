/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because an address helps nobody, and a watcher that reads a gigabyte of debug data to name
 * it would miss the next alert.
 */
#include "watch/stack.h"

#include "base/clock.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#define JOIN_MAX_NS  (200 * CLOCK_MS_NS)
#define CACHE_MAX_NS (20 * CLOCK_S_NS)

enum { name_bytes = 120, known_bits = 10, known_max = 1 << known_bits };

/* What is asked and what is answered. The thread works on a copy. */
struct task {
        uint64_t ticket;
        bool is_final;  /* no more names will come */
        bool is_object; /* it is no return address */
        size_t count;
        uint64_t addresses[SEGMENT_STACK_MAX];
        char *maps;
        size_t maps_bytes;
        char names[SEGMENT_STACK_MAX][name_bytes];
};

struct stack_reader {
        pthread_mutex_t lock;
        pthread_cond_t asked;
        pthread_cond_t answered;
        pthread_t thread;
        bool is_stopped;
        bool is_busy;
        struct task question; /* ticket 0: none */
        struct task answer;
        uint64_t next_ticket;
};

/* ---- Names, in the thread ------------------------------------------------- */

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* Hands over what is known so far. */
static void publish(struct stack_reader *reader, struct task *task, bool is_final)
{
        task->is_final = is_final;
        (void)pthread_mutex_lock(&reader->lock); /* neither call can fail */
        reader->answer = *task;
        reader->is_busy = !is_final;
        (void)pthread_cond_signal(&reader->answered);
        (void)pthread_mutex_unlock(&reader->lock);
}

/* An object by itself, for of what lies behind it nothing is known. */
static void name_object(Dwfl *dwfl, uint64_t address, char name[name_bytes])
{
        Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
        GElf_Off offset = 0;
        GElf_Sym symbol;
        const char *text = NULL;

        if (module)
                text = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
        if (!text || offset >= symbol.st_size)
                return;
        if (offset)
                (void)snprintf(name, name_bytes, " %.80s+0x%" PRIx64, text, (uint64_t)offset);
        else
                (void)snprintf(name, name_bytes, " %.80s", text);
}

/* A return address belongs to the call before it. */
static void name_function(Dwfl *dwfl, uint64_t address, char name[name_bytes])
{
        Dwfl_Module *module = dwfl_addrmodule(dwfl, address - 1);
        GElf_Off offset = 0;
        GElf_Sym symbol;
        const char *text = NULL;

        if (module)
                text = dwfl_module_addrinfo(module, address - 1, &offset, &symbol, NULL, NULL,
                                            NULL);
        if (text)
                (void)snprintf(name, name_bytes, " %.80s+0x%" PRIx64, text, (uint64_t)offset + 1);
}

static void name_line(Dwfl *dwfl, uint64_t address, char name[name_bytes])
{
        Dwfl_Module *module = dwfl_addrmodule(dwfl, address - 1);
        Dwfl_Line *line = module ? dwfl_module_getsrc(module, address - 1) : NULL;
        size_t used = strlen(name);
        int number = 0;
        const char *text = NULL;

        if (line && used)
                text = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
        if (text)
                (void)snprintf(name + used, name_bytes - used, " (%s:%d)", base_name(text),
                               number); /* cut is good enough */
}

/* What is mapped where; kept until somebody asks about another map. */
static Dwfl *open_map(const struct task *task)
{
        static char *no_other_place;
        static const Dwfl_Callbacks callbacks = {
                .find_elf = dwfl_linux_proc_find_elf,
                .find_debuginfo = dwfl_standard_find_debuginfo,
                .debuginfo_path = &no_other_place,
        };
        FILE *maps = task->maps_bytes ? fmemopen(task->maps, task->maps_bytes, "r") : NULL;
        Dwfl *dwfl = maps ? dwfl_begin(&callbacks) : NULL;

        if (dwfl) {
                dwfl_report_begin(dwfl);
                if (dwfl_linux_proc_maps_report(dwfl, maps) || dwfl_report_end(dwfl, NULL, NULL)) {
                        dwfl_end(dwfl);
                        dwfl = NULL;
                }
        }
        if (maps)
                (void)fclose(maps); /* memory */
        return dwfl;
}

/* A name that was looked for: libdw goes through all symbols of a file each time. */
struct known {
        uint64_t address; /* 0: none */
        bool is_object;
        bool has_line; /* or it was looked for */
        char name[name_bytes];
};

/* The map that is open, the code that is mapped there, and what was asked about it. */
struct cache {
        Dwfl *dwfl;
        char *code;
        size_t code_bytes;
        struct known known[known_max];
};

static struct known *find_known(struct cache *cache, const struct task *task, size_t number)
{
        uint64_t address = task->addresses[number];
        struct known *known =
                &cache->known[(address * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - known_bits)];

        if (known->address == address && known->is_object == task->is_object)
                return known;
        *known = (struct known){ .address = address, .is_object = task->is_object };
        (task->is_object ? name_object : name_function)(cache->dwfl, address, known->name);
        return known;
}

/* Functions of all frames, then lines of those in the module of the innermost one: it is the one
 * that is to be mended. Lines in libc took 46 ms here, where its debug data is installed. */
static void name_all(struct stack_reader *reader, struct cache *cache, struct task *task)
{
        Dwfl *dwfl = cache->dwfl;
        Dwfl_Module *innermost;

        for (size_t i = 0; dwfl && i < task->count; i++)
                memcpy(task->names[i], find_known(cache, task, i)->name, name_bytes);
        publish(reader, task, false);
        innermost = dwfl && !task->is_object ? dwfl_addrmodule(dwfl, task->addresses[0] - 1) : NULL;
        for (size_t i = 0; innermost && i < task->count; i++) {
                struct known *known = find_known(cache, task, i);

                if (dwfl_addrmodule(dwfl, task->addresses[i] - 1) != innermost)
                        continue;
                if (!known->has_line)
                        name_line(dwfl, task->addresses[i], known->name);
                known->has_line = true;
                memcpy(task->names[i], known->name, name_bytes);
        }
        publish(reader, task, true);
}

static void cache_close(struct cache *cache)
{
        if (cache->dwfl)
                dwfl_end(cache->dwfl);
        free(cache->code);
        *cache = (struct cache){ 0 };
}

/* Moves the lines of code that is mapped to the front, and says how long they are. Where they are
 * the same, names are: what else is mapped is data of the same files, at the same distance. */
static size_t keep_code(char *maps, size_t bytes)
{
        size_t kept = 0;

        for (size_t at = 0; at < bytes;) {
                const char *newline = memchr(maps + at, '\n', bytes - at);
                size_t length = newline ? (size_t)(newline - (maps + at)) + 1 : bytes - at;
                const char *permissions = memchr(maps + at, ' ', length);

                if (permissions && permissions + 3 < maps + at + length && permissions[3] == 'x') {
                        memmove(maps + kept, maps + at, length);
                        kept += length;
                }
                at += length;
        }
        return kept;
}

/* Opens it anew if it is another one. Frees the text. */
static void cache_open(struct cache *cache, struct task *task)
{
        size_t code_bytes = 0;
        char *code = malloc(task->maps_bytes + 1);

        if (code) {
                memcpy(code, task->maps, task->maps_bytes);
                code_bytes = keep_code(code, task->maps_bytes);
        }
        if (!cache->dwfl || !code || cache->code_bytes != code_bytes ||
            memcmp(cache->code, code, code_bytes) != 0) {
                cache_close(cache);
                cache->dwfl = code ? open_map(task) : NULL;
                cache->code = code;
                cache->code_bytes = code_bytes;
                code = NULL;
        }
        free(code);
        free(task->maps);
        task->maps = NULL;
}

static struct timespec in_future(uint64_t time_ns)
{
        uint64_t until_ns = clock_monotonic_ns() + time_ns;

        return (struct timespec){ .tv_sec = (time_t)(until_ns / CLOCK_S_NS),
                                  .tv_nsec = (long)(until_ns % CLOCK_S_NS) };
}

/* Waits for a question; false: the end. What nobody asks for is not kept. */
static bool next_question(struct stack_reader *reader, struct cache *cache, struct task *ret_task)
{
        struct timespec until = in_future(CACHE_MAX_NS);
        bool is_stopped;

        (void)pthread_mutex_lock(&reader->lock); /* cannot fail */
        while (!reader->is_stopped && !reader->question.ticket) {
                if (!cache->dwfl) {
                        (void)pthread_cond_wait(&reader->asked, &reader->lock); /* likewise */
                } else if (pthread_cond_timedwait(&reader->asked, &reader->lock, &until)) {
                        cache_close(cache);
                }
        }
        is_stopped = reader->is_stopped;
        if (!is_stopped) {
                *ret_task = reader->question;
                reader->question = (struct task){ 0 };
                reader->is_busy = true;
        }
        (void)pthread_mutex_unlock(&reader->lock);
        return !is_stopped;
}

static void *live(void *argument)
{
        struct stack_reader *reader = argument;
        struct cache cache = { 0 };
        struct task task;

        while (next_question(reader, &cache, &task)) {
                cache_open(&cache, &task);
                name_all(reader, &cache, &task);
        }
        cache_close(&cache);
        return NULL;
}

/* ---- Life ----------------------------------------------------------------- */

static int init_conditions(struct stack_reader *reader)
{
        pthread_condattr_t attributes;
        int failed = pthread_condattr_init(&attributes);

        if (!failed)
                failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!failed)
                failed = pthread_cond_init(&reader->asked, &attributes);
        if (!failed)
                failed = pthread_cond_init(&reader->answered, &attributes);
        return failed;
}

int stack_reader_new(struct stack_reader **ret_reader)
{
        struct stack_reader *reader = calloc(1, sizeof(*reader));
        int failed;

        if (!reader)
                return -ENOMEM;
        reader->next_ticket = 1;
        failed = pthread_mutex_init(&reader->lock, NULL);
        if (!failed)
                failed = init_conditions(reader);
        if (!failed)
                failed = pthread_create(&reader->thread, NULL, live, reader);
        if (failed) {
                free(reader);
                return -failed;
        }
        *ret_reader = reader;
        return 0;
}

void stack_reader_free(struct stack_reader **address)
{
        struct stack_reader *reader = *address;
        struct timespec until = in_future(JOIN_MAX_NS);

        if (!reader)
                return;
        *address = NULL;
        (void)pthread_mutex_lock(&reader->lock); /* none of these can fail here */
        reader->is_stopped = true;
        (void)pthread_cond_signal(&reader->asked);
        (void)pthread_mutex_unlock(&reader->lock);
        if (pthread_clockjoin_np(reader->thread, NULL, CLOCK_MONOTONIC, &until))
                return; /* it still uses the memory; the process is about to end */
        free(reader->question.maps);
        (void)pthread_cond_destroy(&reader->asked);
        (void)pthread_cond_destroy(&reader->answered);
        (void)pthread_mutex_destroy(&reader->lock);
        free(reader);
}

/* ---- Asking --------------------------------------------------------------- */

static bool ask(struct stack_reader *reader, const struct text *maps, bool is_object,
                const uint64_t *addresses, size_t count)
{
        struct task *question = &reader->question;

        question->maps = malloc(maps->length ? maps->length : 1);
        if (!question->maps)
                return false;
        memcpy(question->maps, text_view(maps), maps->length);
        question->maps_bytes = maps->length;
        memcpy(question->addresses, addresses, count * sizeof(addresses[0]));
        question->count = count;
        question->is_object = is_object;
        question->ticket = reader->next_ticket++;
        (void)pthread_cond_signal(&reader->asked); /* cannot fail */
        return true;
}

/* Appends the names to the lines, if they come in time. */
static void append_names(struct stack_reader *reader, const struct text *maps, bool is_object,
                         const uint64_t *addresses, size_t count, uint64_t time_max_ns,
                         char lines[][stack_line_bytes])
{
        struct timespec until = in_future(time_max_ns);
        uint64_t ticket = reader->next_ticket;
        int status = 0;

        (void)pthread_mutex_lock(&reader->lock);                        /* cannot fail */
        while ((reader->is_busy || reader->question.ticket) && !status) /* with an older one */
                status = pthread_cond_timedwait(&reader->answered, &reader->lock, &until);
        if (!status && ask(reader, maps, is_object, addresses, count)) {
                while (!(reader->answer.ticket == ticket && reader->answer.is_final) && !status)
                        status = pthread_cond_timedwait(&reader->answered, &reader->lock, &until);
                for (size_t i = 0; i < count && reader->answer.ticket == ticket; i++) {
                        size_t used = strlen(lines[i]);

                        (void)snprintf(lines[i] + used, stack_line_bytes - used, "%s",
                                       reader->answer.names[i]); /* cut is good enough */
                }
        }
        (void)pthread_mutex_unlock(&reader->lock);
}

struct mapping {
        uint64_t from, to;
        char path[128]; /* its last bytes */
};

static bool read_mapping(const char *line, size_t length, struct mapping *mapping)
{
        int at = 0;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &mapping->from, &mapping->to,
                   &at) < 2 ||
            at <= 0 || (size_t)at > length)
                return false;
        line += at;
        length -= (size_t)at;
        if (length >= sizeof(mapping->path)) {
                line += length - (sizeof(mapping->path) - 1);
                length = sizeof(mapping->path) - 1;
        }
        memcpy(mapping->path, line, length);
        mapping->path[length] = '\0';
        return true;
}

/* "kvd+0x1234": counted from where the first part of the file is mapped. */
static void describe_module(const struct text *maps, bool is_object, uint64_t address,
                            char line[stack_line_bytes])
{
        const char *at = text_view(maps), *end = at + maps->length;
        struct mapping mapping = { 0 }, first = { 0 };
        uint64_t inside = address - !is_object;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);

                if (read_mapping(at, length, &mapping)) {
                        if (strcmp(mapping.path, first.path) != 0)
                                first = mapping;
                        if (inside >= mapping.from && inside < mapping.to) {
                                (void)snprintf(line, stack_line_bytes, "%.60s+0x%" PRIx64,
                                               base_name(mapping.path), address - first.from);
                                return;
                        }
                }
                at += length + 1;
        }
        (void)snprintf(line, stack_line_bytes, "0x%" PRIx64, address);
}

void stack_describe(struct stack_reader *reader, const struct text *maps, const uint64_t *addresses,
                    size_t count, uint64_t time_max_ns,
                    char ret_lines[SEGMENT_STACK_MAX][stack_line_bytes])
{
        if (count > SEGMENT_STACK_MAX)
                count = SEGMENT_STACK_MAX;
        for (size_t i = 0; i < count; i++)
                describe_module(maps, false, addresses[i], ret_lines[i]);
        if (reader && count && maps->length)
                append_names(reader, maps, false, addresses, count, time_max_ns, ret_lines);
}

void stack_describe_object(struct stack_reader *reader, const struct text *maps, uint64_t address,
                           uint64_t time_max_ns, char ret_line[stack_line_bytes])
{
        char lines[1][stack_line_bytes];

        describe_module(maps, true, address, lines[0]);
        if (reader && maps->length)
                append_names(reader, maps, true, &address, 1, time_max_ns, lines);
        memcpy(ret_line, lines[0], stack_line_bytes);
}
