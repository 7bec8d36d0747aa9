/* SPDX-License-Identifier: Apache-2.0 */
/* watch_bench.c - what watching 10 000 rules costs: `meson test --benchmark -C build watch`.
 *
 * Starts 200 processes (crowd.c) and visits their segments once a second, as `tocsin run` does and
 * with its code: finds files, reads, judges, looks whether the processes are still there. Printed
 * is this process's CPU time a tick, user and system, and its memory: the most that was resident,
 * and what is taken of it in the end. Nothing is asserted: a time is not a test.
 *
 * usage: tocsin-bench-watch CROWD [PROCESSES [THREADS [TICKS]]] */
#include "base/base.h"
#include "base/clock.h"
#include "watch/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { process_max = roster_entry_max, tick_max = 600, start_max_s = 60 };

extern char **environ;

struct crowd {
        pid_t pid[process_max];
        size_t count;
};

static uint64_t cpu_ns(void)
{
        struct timespec used;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used); /* cannot fail: the clock exists */
        return (uint64_t)used.tv_sec * CLOCK_S_NS + (uint64_t)used.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return (left > right) - (left < right);
}

static int crowd_start(struct crowd *crowd, size_t count, char *program, char *threads)
{
        char *argv[] = { program, threads, NULL };

        while (crowd->count < count) {
                int failed =
                        posix_spawn(&crowd->pid[crowd->count], program, NULL, NULL, argv, environ);

                if (failed)
                        return -failed;
                crowd->count++;
        }
        return 0;
}

static void crowd_end(struct crowd *crowd)
{
        for (size_t i = 0; i < crowd->count; i++)
                (void)kill(crowd->pid[i], SIGKILL); /* it is our child until it is waited for */
        for (size_t i = 0; i < crowd->count; i++)
                (void)waitpid(crowd->pid[i], NULL, 0); /* killed: it comes */
        crowd->count = 0;
}

/* The children are watched only as what they are to anyone: by their files and pids. */
static uint64_t wait_for_all(struct roster *roster, size_t count)
{
        uint64_t start_ns = clock_monotonic_ns(), now_ns = start_ns;

        while (roster->ready_count < count && now_ns - start_ns < start_max_s * CLOCK_S_NS) {
                now_ns = clock_monotonic_ns();
                roster_visit(roster, now_ns, true);
                (void)usleep(100000); /* early is as good */
        }
        return roster->ready_count;
}

static void take_ticks(struct roster *roster, uint64_t *ret_ns, size_t ticks)
{
        uint64_t next_ns = clock_monotonic_ns();

        for (size_t i = 0; i < ticks; i++) {
                struct timespec at;
                uint64_t before_ns;

                next_ns += CLOCK_S_NS;
                at = (struct timespec){ .tv_sec = (time_t)(next_ns / CLOCK_S_NS),
                                        .tv_nsec = (long)(next_ns % CLOCK_S_NS) };
                while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
                        ;
                before_ns = cpu_ns();
                roster_visit(roster, clock_monotonic_ns(), true);
                ret_ns[i] = cpu_ns() - before_ns;
        }
}

static void print(const struct roster *roster, uint64_t *tick_ns, size_t ticks)
{
        struct mallinfo2 heap = mallinfo2();
        struct rusage usage;
        uint64_t rules = 0, cells_bytes = 0, total_ns = 0;

        for (size_t i = 0; i < roster->count; i++) {
                const struct target *target = roster->entries[i].target;

                rules += target->sample_count;
                for (uint32_t k = 0; k < target->view->block_count; k++)
                        cells_bytes +=
                                target->view->objects[target->view->blocks[k].object].block_bytes;
        }
        for (size_t i = 0; i < ticks; i++)
                total_ns += tick_ns[i];
        qsort(tick_ns, ticks, sizeof(*tick_ns), by_size);
        (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
        printf("%zu processes, %" PRIu64
               " rules, %.1f MiB of cells: a tick takes %.3f ms of CPU in "
               "the middle (quartiles %.3f to %.3f, mean %.3f, worst %.3f), "
               "%.2f %% of a core at 1 s (mean %.2f); %.1f MiB, %.1f of them taken\n",
               roster->count, rules, (double)cells_bytes / (1 << 20),
               (double)tick_ns[ticks / 2] / 1e6, (double)tick_ns[ticks / 4] / 1e6,
               (double)tick_ns[ticks - 1 - ticks / 4] / 1e6, (double)total_ns / 1e6 / (double)ticks,
               (double)tick_ns[ticks - 1] / 1e6, (double)tick_ns[ticks / 2] / 1e7,
               (double)total_ns / 1e7 / (double)ticks, (double)usage.ru_maxrss / 1024,
               (double)(heap.uordblks + heap.hblkhd) / (1 << 20));
}

static int measure(int dir_fd, const struct crowd *crowd, size_t ticks)
{
        static uint64_t tick_ns[tick_max];
        struct voice *voice = NULL;
        struct outbox *outbox = NULL;
        struct report report;
        struct roster roster;
        int failed = voice_new(false, &voice);

        if (!failed)
                failed = outbox_new(NULL, -1, &outbox);
        report_init(&report, "bench");
        report.voice = voice;
        report.outbox = outbox;
        if (!failed)
                failed = roster_init(&roster, dir_fd, &report, clock_monotonic_ns());
        if (!failed) {
                if (wait_for_all(&roster, crowd->count) < crowd->count) {
                        failed = -ETIMEDOUT;
                } else {
                        take_ticks(&roster, tick_ns, ticks);
                        print(&roster, tick_ns, ticks);
                }
                roster_fini(&roster);
        }
        report_fini(&report);
        outbox_free(&outbox);
        voice_free(&voice);
        return failed;
}

static void remove_all(const char *directory)
{
        char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, (char[]){ "--" },
                               (char *)(uintptr_t)directory, NULL };
        pid_t pid;

        if (!posix_spawnp(&pid, "rm", NULL, NULL, argv, environ))
                (void)waitpid(pid, NULL, 0); /* what it could not remove stays */
}

int main(int argc, char **argv)
{
        static struct crowd crowd;
        char directory[] = "/dev/shm/tocsin-bench-XXXXXX";
        uint64_t processes = 200, ticks = 30;
        int dir_fd, failed;

        if (argc < 2 || (argc > 2 && text_parse_u64(argv[2], 1, process_max, &processes)) ||
            (argc > 4 && text_parse_u64(argv[4], 4, tick_max, &ticks))) {
                (void)fputs("usage: tocsin-bench-watch CROWD [PROCESSES [THREADS [TICKS]]]\n",
                            stderr);
                return 2;
        }
        if (!mkdtemp(directory) || setenv("TOCSIN_DIR", directory, 1))
                return 3;
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        failed = crowd_start(&crowd, (size_t)processes, argv[1],
                             argc > 3 ? argv[3] : (char[]){ "4" });
        if (!failed)
                failed = measure(dir_fd, &crowd, (size_t)ticks);
        crowd_end(&crowd);
        remove_all(directory);
        (void)close(dir_fd); /* read only */
        if (failed)
                (void)fprintf(stderr, "cannot measure: error %d\n", -failed);
        return failed ? 3 : 0;
}
