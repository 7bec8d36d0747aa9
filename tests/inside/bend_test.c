/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bend_test.c - what a program published of its inside, with bytes bent at random, thousands of
 * times, and the same ones each time: it is refused, or all numbers that are indices are in range,
 * and every analyser bears it.
 * usage: bend_test LIBTOCSIN_INSIDE PROGRAM ARGUMENT...; it is to end with status 7
 */
#include "watch/picture.h"
#include "watch/seer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { rounds = 3000, bends_max = 12, ticks = 4 };

static const char *library;
static char **command;
static char place[] = "/dev/shm/tocsin-bend-XXXXXX";
static int dir_fd, file;
static unsigned char *good, *bent;
static size_t length;
static size_t tables[6]; /* where they begin; at the end the pages of threads */
static uint64_t random_state = 7;
static uint64_t held_seen, findings_seen; /* so that what is checked is there */

static uint64_t random_word(void)
{
        random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
        return random_state >> 16;
}

/* ---- The segment ---------------------------------------------------------- */

/* Runs the program, which ends with its input. */
static void run_program(void)
{
        int status = 0, null;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                null = open("/dev/null", O_RDWR);
                (void)dup2(null, 0);
                (void)dup2(null, 1);
                (void)setenv("LD_PRELOAD", library, 1);
                (void)setenv("TOCSIN_DIR", place, 1);
                (void)execv(command[0], command);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 7);
}

/* The program has ended, so its threads are made to live again, each waiting for what the next one
 * holds, and it has found one of all that can be found. */
static void revive(const struct segment_view *view)
{
        struct inside_head *head = (void *)(good + tables[0]);
        struct inside_finding *findings = (void *)(good + tables[4]);

        for (uint32_t i = 0; i < view->inside.page_count; i++) {
                struct segment_extent *extent = (void *)(good + view->inside.pages[i]);
                struct inside_thread *page = (void *)(extent + 1);

                extent->owner = i + 1;
                page->wait_number = page->call_number = 1;
                page->wait_lock = (i + 1) % view->inside.page_count + 1;
                page->wait_kind = INSIDE_MUTEX;
                page->locks = INSIDE_TAKEN + 1;
                page->held[0] = (struct inside_held){ .lock = i + 1, .kind = INSIDE_MUTEX };
        }
        head->findings_made = INSIDE_UNLOCK;
        for (uint32_t i = 0; i < INSIDE_UNLOCK; i++)
                findings[i] = (struct inside_finding){ .is_ready = 1, .kind = i + 1 };
}

/* Reads the file, if it is of libtocsin-inside; its copy is what is bent. */
static bool take(const char *name)
{
        const uid_t owners[] = { geteuid() };
        struct segment_view *view = NULL;
        const char *why = NULL;
        bool is_inside;
        int from;

        assert_int_equal(segment_open(dir_fd, name, owners, 1, &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        is_inside = segment_has_inside(view);
        if (is_inside) {
                length = (size_t)view->header.used_bytes;
                for (int i = 0; i < 5; i++)
                        tables[i] = (size_t)view->inside.table[i];
                tables[5] = (size_t)view->inside.pages[0] + sizeof(struct segment_extent);
                good = malloc(length);
                bent = malloc(length);
                from = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
                assert_true(good && bent && from >= 0);
                assert_int_equal(read(from, good, length), length);
                (void)close(from);
                revive(view);
                file = openat(dir_fd, "x.seg", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                assert_true(file >= 0);
                assert_int_equal(ftruncate(file, (off_t)length), 0);
        }
        segment_close(&view);
        return is_inside;
}

static int begin(void **state)
{
        struct dirent *entry;
        DIR *dir;

        (void)state;
        assert_non_null(mkdtemp(place));
        dir_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        run_program();
        dir = opendir(place);
        assert_non_null(dir);
        while (!good && (entry = readdir(dir)))
                if (strstr(entry->d_name, ".seg"))
                        (void)take(entry->d_name);
        (void)closedir(dir);
        assert_non_null(good);
        return 0;
}

static int end(void **state)
{
        struct dirent *entry;
        DIR *dir = opendir(place);

        (void)state;
        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        (void)unlinkat(dir_fd, entry->d_name, 0);
        (void)closedir(dir);
        (void)close(file);
        (void)close(dir_fd);
        free(good);
        free(bent);
        return rmdir(place);
}

/* ---- Bending -------------------------------------------------------------- */

/* Anywhere, or where something stands: near the beginning of a table or of the pages. */
static size_t somewhere(void)
{
        size_t from = random_word() % 8 ? tables[random_word() % 6] : 0;
        size_t room = from ? 4096 : length;

        if (random_word() % 64 == 0)
                from -= from ? sizeof(struct segment_extent) : 0;
        if (from + room > length)
                room = length - from;
        return from + random_word() % (room - 8);
}

static void bend(void)
{
        static const uint64_t words[] = {
                0, 1, UINT64_MAX, INT64_MAX, 63, 64, 1023, 1024, 1 << 16
        };
        size_t at = somewhere() & ~(size_t)3;
        uint64_t word = random_word() % 2 ? words[random_word() % 9] : random_word();

        memcpy(bent + at, &word, random_word() % 2 ? 4 : 8);
}

static void write_bent(void)
{
        memcpy(bent, good, length);
        for (uint64_t n = 1 + random_word() % bends_max; n; n--)
                bend();
        assert_int_equal(pwrite(file, bent, length, 0), length);
}

/* ---- What must hold ------------------------------------------------------- */

static void check(const struct picture *picture)
{
        assert_true(picture->module_count <= INSIDE_MODULES);
        assert_true(picture->site_count <= INSIDE_SITES && picture->node_count <= INSIDE_NODES);
        assert_true(picture->finding_count <= INSIDE_FINDINGS);
        assert_true(picture->thread_count <= INSIDE_THREADS_MAX);
        for (uint32_t i = 0; i < INSIDE_MODULES; i++)
                for (const char *c = picture_module(picture, i); *c; c++)
                        assert_in_range(*c, 0x20, 0x7e);
        for (uint32_t i = 0; i < picture->site_count; i++) {
                assert_true(picture->sites[i].module < INSIDE_MODULES);
                assert_true(picture->sites[i].depth <= INSIDE_STACK);
                assert_true(picture->sites[i].kind <= INSIDE_KINDS);
        }
        findings_seen += picture->finding_count;
        for (uint32_t i = 0; i < picture->finding_count; i++) {
                const struct inside_finding *finding = &picture->findings[i];

                assert_true(finding->module < INSIDE_MODULES && finding->site < INSIDE_SITES);
                for (int k = 0; k < 2; k++)
                        assert_true(finding->depth[k] <= INSIDE_STACK &&
                                    finding->node[k] < INSIDE_NODES);
        }
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                assert_true(thread->module < INSIDE_MODULES && thread->made_site < INSIDE_SITES);
                assert_true(thread->wait_node < INSIDE_NODES && thread->held_count <= INSIDE_HELD);
                held_seen += thread->held_count;
                for (uint32_t k = 0; k < INSIDE_HELD; k++)
                        assert_true(thread->held[k].node < INSIDE_NODES);
        }
}

/* All that could be told of it, whether it rings or not. */
static void tell(struct seer *seer, const struct segment_view *view)
{
        static const char *const names[] = {
#define X(name, signal, limit, severity, hold_s, meaning, help) #name,
#include "watch/insight.def"
#undef X
        };
        static const char *const modules[] = { "process", "barn", "others" };
        struct text nothing = { 0 };
        const struct namer namer = { .maps = &nothing };

        for (size_t i = 0; i < BASE_COUNT(names) * BASE_COUNT(modules); i++) {
                struct toc_record record = { .kind = toc_kind_gauge };
                const struct rule_view rule = { .record = &record, .rule = &record.rule[0] };

                (void)snprintf(record.name, sizeof(record.name), "%s",
                               names[i / BASE_COUNT(modules)]);
                (void)snprintf(record.module, sizeof(record.module), "%s",
                               modules[i % BASE_COUNT(modules)]);
                json_decref(seer_details(seer, &namer, &rule));
        }
        json_decref(seer_waiters(seer, &namer, "barn"));
        json_decref(seer_census(seer, view, &namer));
}

/* 0: it was borne; else it was refused. */
static int see(struct seer *seer, struct segment_view *view, struct picture *picture)
{
        const struct rule_change *changes;
        const char *why = NULL;
        size_t count;
        int outcome = 0;

        for (uint64_t i = 1; i <= ticks && !outcome; i++) {
                outcome = segment_refresh(view, &why);
                if (!outcome)
                        outcome = picture_read(picture, view, i * CLOCK_S_NS, &why);
                if (!outcome)
                        check(picture);
                if (!outcome)
                        outcome = seer_tick(seer, view, i * CLOCK_S_NS, &changes, &count, &why);
                if (!outcome)
                        outcome = seer_glance(seer, view, i * CLOCK_S_NS + CLOCK_MS_NS, &changes,
                                              &count, &why);
        }
        if (outcome)
                assert_non_null(why); /* no error of ours */
        else
                tell(seer, view);
        return outcome;
}

static void bytes_that_are_bent_harm_nobody(void **state)
{
        const uid_t owners[] = { geteuid() };
        unsigned borne = 0, refused = 0;

        (void)state;
        for (int i = 0; i < rounds; i++) {
                struct segment_view *view = NULL;
                struct picture *picture = NULL;
                struct seer *seer = NULL;
                const char *why = NULL;
                int outcome;

                write_bent();
                outcome = segment_open(dir_fd, "x.seg", owners, 1, &view, &why);
                if (!outcome)
                        outcome = segment_refresh(view, &why);
                if (!outcome && segment_has_inside(view)) {
                        assert_int_equal(picture_new(0, &picture), 0);
                        assert_int_equal(seer_new(0, 1, NULL, NULL, &seer), 0);
                        outcome = see(seer, view, picture);
                }
                borne += !outcome;
                refused += outcome != 0;
                seer_free(&seer);
                picture_free(&picture);
                segment_close(&view);
        }
        assert_true(borne > rounds / 2);
        assert_true(refused > rounds / 100); /* both were tried */
        assert_true(held_seen && findings_seen);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(bytes_that_are_bent_harm_nobody) };

        if (argc < 3)
                return 2;
        library = argv[1];
        command = &argv[2];
        return cmocka_run_group_tests(tests, begin, end);
}
