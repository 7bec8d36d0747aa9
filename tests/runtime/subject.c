/* SPDX-License-Identifier: Apache-2.0 */
/* subject.c - a program that does one thing to its probes, so that runtime.py can look at the
 * segment from outside. Prints the path of its segment first, then "ready" where it waits for a
 * line on standard input.
 * house: long file because those who build it in other ways name one file. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(subject, "The program that the runtime tests look at");
TOC_COUNTER(events, "Whatever is counted", TOC_QUIET("the test reads it from outside"));
TOC_COUNTER(other, "Counted by the other side", TOC_QUIET("the test reads it from outside"));
TOC_GAUGE(height, "Whatever is set",
          TOC_ALERT(value, >, 100, TOC_WARN, "it is higher than it should be"));
TOC_GAUGE(never, "Never set", TOC_ALERT(value, <, 0, TOC_WARN, "it is lower than it should be"));
TOC_LEVEL(depth, "Raised and lowered by several threads",
          TOC_ALERT(value, >, 100, TOC_WARN, "deeper than it should be"));
TOC_HEARTBEAT(pulse, "The main thread", TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "main is stuck"));
TOC_TIMER(step, "One step", TOC_ALERT(p99_us, >, 50, TOC_NOTE, "steps are slow"),
          TOC_ALERT(max_us, >=, 100, TOC_NOTE, "a step is slow"));
TOC_SIZES(size, "Sizes of something", TOC_ALERT(max, >, 1000, TOC_NOTE, "something is large"));
TOC_SHARE(failed, "Steps that failed",
          TOC_ALERT(permille, >, 500, TOC_NOTE, "half of the steps fail"));
TOC_OPERATION(job, "A job of a thread", TOC_ALERT(in_flight, >, 100, TOC_NOTE, "jobs pile up"));
TOC_FLOW(queue, "Through the queue", TOC_ALERT(lost, !=, 0, TOC_NOTE, "something vanished"));
TOC_COUNTER_BY(ended, "How steps ended", (good, bad),
               TOC_ALERT_ON(bad, per_minute, >, 10, TOC_NOTE, "steps end badly"));

static volatile int depth_is_odd = 1;

TOC_TIMER(latency, "How long something took",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "it takes too long"));
TOC_SIZES(lengths, "How long something is", TOC_ALERT(p99, >=, 10, TOC_NOTE, "they are long"),
          TOC_ALERT(max, >, 999, TOC_WARN, "one is too long"));
TOC_SHARE(failures, "What failed", TOC_ALERT(permille, >, 10, TOC_WARN, "too many fail"));
TOC_OPERATION(request, "What is asked", TOC_ALERT(oldest_ms, >, 1000, TOC_PAGE, "it is stuck"));
TOC_FLOW(pipe, "What is queued", TOC_ALERT(lost, !=, 0, TOC_PAGE, "the queue loses something"));
TOC_COUNTER_BY(asked, "What was asked", (good, failed), TOC_QUIET("the test reads it"));

static unsigned long number(const char *text)
{
        return strtoul(text ? text : "1", NULL, 10);
}

static volatile sig_atomic_t signals_seen;

static void ready(void)
{
        char line[8];

        puts("ready");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
                exit(9);
}

static void *count_some(void *n)
{
        for (unsigned long i = 0; i < *(unsigned long *)n; i++)
                toc_count(events);
        return NULL;
}

static int all_kinds(const char *unused)
{
        (void)unused;
        toc_count(events);
        toc_add(events, 41);
        toc_set(height, -7);
        toc_raise(depth, 10);
        toc_lower(depth, 13);
        toc_beat(pulse);
        toc_beat(pulse);
        for (int i = 0; i < 3; i++)
                (void)TOC_EXPECT(i < 2, TOC_PAGE, "i is smaller than two");
        for (int i = 0; i < 5; i++)
                (void)TOC_ERROR(0, TOC_USUAL, "cannot open %s number %d", "index", i);
        (void)TOC_WARNING(0, TOC_QUIET("it is only a test"), "a warning without arguments");
        ready();
        return 0;
}

static int cells_of_all_kinds(const char *unused)
{
        static const int64_t lengths_seen[] = { -1, 0, 1, 2, 3, 9, 10, 15, 999, 1000, INT64_MAX };

        (void)unused;
        toc_observe(latency, 50000);
        toc_observe(latency, 50001);
        for (size_t i = 0; i < sizeof lengths_seen / sizeof *lengths_seen; i++)
                toc_observe(lengths, lengths_seen[i]);
        for (int i = 0; i < 5; i++)
                toc_share(failures, i < 2);
        toc_in(pipe, 10);
        toc_out(pipe, 4);
        toc_dropped(pipe, 1);
        toc_held(pipe, 5);
        toc_held(pipe, -7);
        toc_add_by(asked, good, 2);
        toc_count_by(asked, failed);
        for (int i = 0; i < 5; i++) {
                (void)TOC_SOMETIMES(i > 2, TOC_NOTE, "it is never above two");
                TOC_REACHED(TOC_NOTE, "nobody ever comes here");
        }
        if (signals_seen > 1)
                TOC_REACHED(TOC_NOTE, "somebody should, but nobody does");
        ready();
        return 0;
}

static struct toc_open going[21];

static void *end_the_third(void *unused)
{
        toc_end(request, going[2]);
        return unused;
}

/* Twenty begin, of which sixteen have a slot; another thread ends one, and the next takes its slot.
 * Then they end, all but two. */
static int operations(const char *unused)
{
        pthread_t thread;

        (void)unused;
        for (int i = 0; i < 20; i++)
                going[i] = toc_begin(request);
        pthread_create(&thread, NULL, end_the_third, NULL);
        pthread_join(thread, NULL);
        going[20] = toc_begin(request);
        ready();
        for (int i = 0; i < 19; i++)
                if (i != 2)
                        toc_end(request, going[i]);
        ready();
        return 0;
}

/* What began before fork and ends in the child goes on in the parent. */
static int operation_fork(const char *unused)
{
        pid_t child;

        (void)unused;
        going[0] = toc_begin(request);
        going[1] = toc_begin(request);
        child = fork();
        if (child == 0) {
                struct toc_open own = toc_begin(request);

                toc_end(request, going[0]);
                printf("child %s\n", toc_segment_path());
                toc_end(request, own);
                (void)toc_begin(request);
                ready();
                _exit(0);
        }
        waitpid(child, NULL, 0);
        toc_end(request, going[1]);
        ready();
        return 0;
}

static void *operate_some(void *n)
{
        for (unsigned long i = 0; i < *(unsigned long *)n; i++) {
                TOC_OPERATION_SCOPE(request);
                TOC_TIME_SCOPE(latency);

                toc_share(failures, i % 2);
                toc_in(pipe, 2);
                toc_held(pipe, i % 2 ? -1 : 1);
        }
        return NULL;
}

static int operations_of_threads(const char *n)
{
        pthread_t thread[4];
        unsigned long count = number(n);

        for (int i = 0; i < 4; i++)
                pthread_create(&thread[i], NULL, operate_some, &count);
        for (int i = 0; i < 4; i++)
                pthread_join(thread[i], NULL);
        ready();
        return 0;
}

static void operate_on_signal(int number_)
{
        unsigned long one = 1;

        (void)number_;
        signals_seen++;
        operate_some(&one);
}

static int operations_in_handlers(const char *n)
{
        struct sigaction action = { .sa_handler = operate_on_signal, .sa_flags = SA_RESTART };
        struct itimerval every = { { 0, 20 }, { 0, 20 } };
        struct itimerval stop = { { 0, 0 }, { 0, 0 } };
        unsigned long count = number(n);

        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &every, NULL);
        operate_some(&count);
        setitimer(ITIMER_REAL, &stop, NULL);
        printf("signals %d\n", (int)signals_seen);
        ready();
        return 0;
}

/* count N M: M threads at once, each N. */
static int threads(const char *n)
{
        pthread_t thread[4];
        unsigned long count = number(n);

        for (int i = 0; i < 4; i++)
                pthread_create(&thread[i], NULL, count_some, &count);
        for (int i = 0; i < 4; i++)
                pthread_join(thread[i], NULL);
        ready();
        return 0;
}

/* N threads, one after the other, each counts once: blocks must be used again. */
static int churn(const char *n)
{
        unsigned long one = 1;

        for (unsigned long i = 0; i < number(n); i++) {
                pthread_t thread;

                if (pthread_create(&thread, NULL, count_some, &one))
                        return 1;
                pthread_join(thread, NULL);
        }
        ready();
        return 0;
}

/* Each kind, once; the sizes and the times that are told are right at their limits. */
static void *every_kind_once(void *unused)
{
        struct toc_open open = toc_begin(job);

        {
                TOC_OPERATION_SCOPE(job);
                toc_observe(step, 50000);
                toc_observe(step, 50001);
                toc_observe(step, 100000);
        }
        toc_observe(size, 1000);
        toc_observe(size, 1001);
        toc_share(failed, true);
        toc_share(failed, false);
        toc_in(queue, 5);
        toc_out(queue, 3);
        toc_dropped(queue, 1);
        toc_held(queue, 2);
        toc_held(queue, -1);
        toc_count_by(ended, good);
        toc_add_by(ended, bad, 2);
        toc_count(events);
        toc_raise(depth, 2);
        toc_lower(depth, 3);
        toc_set(height, 7);
        toc_beat(pulse);
        TOC_REACHED(TOC_NOTE, "no thread ever came here");
        (void)TOC_SOMETIMES(depth_is_odd, TOC_NOTE, "the depth was never odd");
        (void)TOC_EXPECT(depth_is_odd > 1, TOC_NOTE, "each thread misses once");
        (void)TOC_WARNING(0, TOC_USUAL, "each thread warns once");
        toc_end(job, open);
        return unused;
}

/* N threads, eight at a time. */
static int every_kind(const char *n)
{
        for (unsigned long left = number(n); left;) {
                pthread_t thread[8];
                unsigned many = left < 8 ? (unsigned)left : 8;

                for (unsigned i = 0; i < many; i++)
                        if (pthread_create(&thread[i], NULL, every_kind_once, NULL))
                                return 1;
                for (unsigned i = 0; i < many; i++)
                        pthread_join(thread[i], NULL);
                left -= many;
        }
        ready();
        return 0;
}

/* The compiler may keep a plain counter in a register for all of this loop. */
static void count_for_ever(void)
{
        for (;;)
                toc_count(events);
}

static int spin(const char *unused)
{
        (void)unused;
        puts("ready");
        fflush(stdout);
        count_for_ever();
        return 0;
}

static void on_signal(int number_)
{
        (void)number_;
        signals_seen++;
        toc_count(events);
        toc_count(other);
}

/* A handler interrupts the loop, on the same thread, on the same cell. */
static int handler(const char *n)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        struct itimerval once = { { 0, 0 }, { 0, 20 } };
        struct itimerval stop = { { 0, 0 }, { 0, 0 } };
        int seen = -1;

        sigaction(SIGALRM, &action, NULL);
        for (unsigned long i = 0; i < number(n); i++) {
                /* One at a time: a slow machine would handle nothing but signals. */
                if (seen != signals_seen) {
                        seen = signals_seen;
                        setitimer(ITIMER_REAL, &once, NULL);
                }
                toc_count(events);
        }
        setitimer(ITIMER_REAL, &stop, NULL);
        printf("signals %d\n", (int)signals_seen);
        ready();
        return 0;
}

/* The first probe of the thread is met in a handler. */
static void *handler_first(void *unused)
{
        raise(SIGUSR1);
        return unused;
}

static int attach_in_handler(const char *unused)
{
        struct sigaction action = { .sa_handler = on_signal };
        pthread_t thread;

        (void)unused;
        sigaction(SIGUSR1, &action, NULL);
        pthread_create(&thread, NULL, handler_first, NULL);
        pthread_join(thread, NULL);
        ready();
        return 0;
}

/* Parent and child count apart; both wait. */
static int fork_(const char *unused)
{
        pid_t child;
        int go[2];
        char byte;

        (void)unused;
        toc_add(events, 100);
        toc_set(height, 5);
        if (pipe(go))
                return 1;
        child = fork();
        if (child == 0) {
                close(go[1]);
                for (int i = 0; i < 1000000; i++)
                        toc_count(events);
                printf("child %s\n", toc_segment_path());
                fflush(stdout);
                byte = (char)read(go[0], &byte, 1);
                _exit(0);
        }
        for (int i = 0; i < 1000000; i++)
                toc_count(other);
        ready();
        close(go[1]);
        waitpid(child, NULL, 0);
        return 0;
}

static void *fork_often(void *unused)
{
        for (int i = 0; i < 100; i++) {
                pid_t child = fork();

                if (child == 0) {
                        toc_count(events);
                        (void)TOC_EXPECT(i < 0, TOC_NOTE, "the child always misses");
                        _exit(toc_segment_path() ? 0 : 1);
                }
                int status = 1;

                waitpid(child, &status, 0);
                if (status)
                        _exit(1);
        }
        return unused;
}

/* Forks in two threads while two others come and go: the child must never find the lock held. */
static int fork_busy(const char *n)
{
        pthread_t thread[2];

        for (int i = 0; i < 2; i++)
                pthread_create(&thread[i], NULL, fork_often, NULL);
        churn(n);
        for (int i = 0; i < 2; i++)
                pthread_join(thread[i], NULL);
        return 0;
}

static int exec_(const char *unused)
{
        (void)unused;
        toc_add(events, 3);
        execl("/proc/self/exe", "subject", "all_kinds", (char *)NULL);
        return 1;
}

/* A plug-in with a module of its own comes and goes; its counts go on. */
static int plugin(const char *path)
{
        for (int i = 0; i < 5; i++) {
                void *handle = dlopen(path, RTLD_NOW);
                void (*count)(void);

                if (!handle) {
                        fprintf(stderr, "%s\n", dlerror());
                        return 1;
                }
                *(void **)&count = dlsym(handle, "plugin_count");
                count();
                toc_count(events);
                dlclose(handle);
        }
        ready();
        return 0;
}

static pthread_barrier_t barrier;

static void *count_together(void *n)
{
        count_some(n);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        return NULL;
}

/* N threads at the same time: the segment has to grow. */
static int crowd(const char *n)
{
        unsigned long many = number(n), thousand = 1000;

        pthread_barrier_init(&barrier, NULL, (unsigned)many + 1);
        for (unsigned long i = 0; i < many; i++) {
                pthread_attr_t small;
                pthread_t thread;

                pthread_attr_init(&small);
                pthread_attr_setstacksize(&small, 65536);
                pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
                if (pthread_create(&thread, &small, count_together, &thousand))
                        return 1;
        }
        pthread_barrier_wait(&barrier);
        ready();
        pthread_barrier_wait(&barrier);
        return 0;
}

/* From here on no file may grow: SIGXFSZ must not come, and the program counts on. */
static int limit(const char *n)
{
        struct rlimit now = { 131072, 131072 };

        if (setrlimit(RLIMIT_FSIZE, &now))
                return 1;
        return crowd(n);
}

/* Whatever the runtime holds open would be lost here, or worse, be the file opened next. */
static int close_all(const char *path)
{
        unsigned long count = 1000;
        pthread_t thread;
        int fd;

        close_range(3, ~0u, 0);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        pthread_create(&thread, NULL, count_some, &count);
        pthread_join(thread, NULL);
        count_some(&count);
        for (unsigned i = 0; i < 100; i++)
                (void)TOC_EXPECT(i > 1000, TOC_PAGE, "the doorbell rings into nothing");
        ready();
        return lseek(fd, 0, SEEK_END) == 0 ? 0 : 1;
}

static int crash(const char *unused)
{
        (void)unused;
        toc_add(events, 17);
        (void)TOC_EXPECT_CMP(signals_seen, >, 41, TOC_PAGE, "the last thing that was said");
        *(volatile int *)(uintptr_t)signals_seen = 1;
        return 0;
}

static int hang(const char *unused)
{
        (void)unused;
        toc_add(events, 17);
        puts("ready");
        fflush(stdout);
        (void)pause();
        return 0;
}

static int errno_(const char *unused)
{
        (void)unused;
        errno = EXDEV;
        toc_count(events);
        (void)TOC_EXPECT(signals_seen > 1, TOC_PAGE, "errno stays as it was");
        (void)TOC_ERROR(0, TOC_USUAL, "errno is %d, %m", errno);
        return errno == EXDEV ? 0 : 1;
}

/* Misses when it is told to, so that somebody else can take the time. */
static int miss_when_told(const char *unused)
{
        (void)unused;
        ready();
        (void)TOC_EXPECT(signals_seen > 1, TOC_PAGE, "missed because it was told to");
        ready();
        return 0;
}

static int two_misses(const char *unused)
{
        (void)unused;
        (void)TOC_EXPECT(signals_seen > 1, TOC_PAGE, "the first of two");
        (void)TOC_EXPECT(signals_seen > 2, TOC_PAGE, "the second, at once");
        for (int i = 0; i < 1000; i++)
                (void)TOC_EXPECT(signals_seen > 3, TOC_PAGE,
                                 "a storm, which must not ring 1000 times");
        return 0;
}

/* A handler on a stack of its own misses an expectation, with garbage for a frame pointer. */
static void on_odd_stack(int number_)
{
        (void)TOC_EXPECT(number_ < 0, TOC_PAGE, "missed on an alternate stack");
}

static int odd_stack(const char *unused)
{
        static char room[65536];
        stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
        struct sigaction action = { .sa_handler = on_odd_stack, .sa_flags = SA_ONSTACK };

        (void)unused;
        sigaltstack(&stack, NULL);
        sigaction(SIGUSR1, &action, NULL);
        raise(SIGUSR1);
#ifdef __x86_64__
        __asm__ volatile("push %%rbp\n mov $0x10, %%rbp\n pop %%rbp" ::: "memory");
#endif
        ready();
        return 0;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*run)(const char *);
        } mode[] = {
                { "all_kinds", all_kinds },
                { "cells_of_all_kinds", cells_of_all_kinds },
                { "operations", operations },
                { "operation_fork", operation_fork },
                { "operations_of_threads", operations_of_threads },
                { "operations_in_handlers", operations_in_handlers },
                { "threads", threads },
                { "churn", churn },
                { "every_kind", every_kind },
                { "spin", spin },
                { "handler", handler },
                { "attach_in_handler", attach_in_handler },
                { "fork", fork_ },
                { "exec", exec_ },
                { "plugin", plugin },
                { "limit", limit },
                { "crash", crash },
                { "hang", hang },
                { "crowd", crowd },
                { "close_all", close_all },
                { "errno", errno_ },
                { "odd_stack", odd_stack },
                { "fork_busy", fork_busy },
                { "miss_when_told", miss_when_told },
                { "two_misses", two_misses },
        };

        printf("segment %s\n", toc_segment_path() ? toc_segment_path() : "none");
        fflush(stdout);
        for (size_t i = 0; argc > 1 && i < sizeof mode / sizeof *mode; i++)
                if (!strcmp(argv[1], mode[i].name))
                        return mode[i].run(argv[2]);
        fprintf(stderr, "usage: subject MODE [ARGUMENT]\n");
        return 2;
}
