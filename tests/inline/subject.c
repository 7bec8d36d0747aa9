/* SPDX-License-Identifier: Apache-2.0 */
/* subject.c - a program that judges itself and does what its arguments say, one after the other.
 * Each alert that its callback gets is a line on standard output; "wait" waits for a line on
 * standard input, after "ready". */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tocsin-inline.h>
#include <tocsin.h>

TOC_MODULE(subject, "The program that the tests of libtocsin-inline look at",
           TOC_RUNBOOK("wiki/subject"));
TOC_COUNTER(strokes, "How often it was struck",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "it is struck too often"));
TOC_COUNTER_BY(requests, "What was asked", (good, failed),
               TOC_ALERT_ON(failed, total, >, 2, TOC_NOTE, "too much was asked in vain"),
               TOC_RUNBOOK("wiki/requests"));
TOC_GAUGE(weight, "What it weighs", TOC_ALERT(value, >, 10, TOC_NOTE, "it is too heavy"));
TOC_LEVEL(ringers, "Who pulls at it", TOC_ALERT(value, >, 3, TOC_PAGE, "too many pull at it"));
TOC_HEARTBEAT(swing, "That it swings", TOC_ALERT(silent_ms, >, 1500, TOC_PAGE, "it hangs still"));

/* Names that our files use inside the library: here they are the program's own. */
int rule_set_new(void);
int row_init(void);

int rule_set_new(void)
{
        return 7;
}

int row_init(void)
{
        return 8;
}

static atomic_int alerts;
static char in_parent[] = "it", in_child[] = "child";
static bool stops_in_callback, faults_in_callback, forks_in_callback;
static void (*ring)(void); /* of the plug-in; NULL until it is loaded */

/* The child goes back to where it came from, which is told nothing any more. */
static void fork_here(void)
{
        pid_t child;
        int status = 1;

        forks_in_callback = false;
        child = fork();
        if (!child)
                return;
        waitpid(child, &status, 0);
        printf("child of callback %d\n", status);
        fflush(stdout);
}

static void on_alert(const struct tocsin_inline_alert *alert, void *context)
{
        static const char *const states[] = { "?", "firing", "resolved", "ended" };

        printf("alert|%s|%s|%u|%s|%s|%s|%s|%s|%s|%lld|%lld|%d|%s|%s|%s|%u\n", (char *)context,
               states[alert->state], alert->severity, alert->module, alert->probe, alert->label,
               alert->kind, alert->signal, alert->op, (long long)alert->limit,
               (long long)alert->value, alert->has_value, alert->meaning, alert->runbook,
               alert->file, alert->line);
        fflush(stdout);
        if (stops_in_callback && alert->state == TOCSIN_INLINE_FIRING) {
                printf("start in callback %d\n", tocsin_inline_start(NULL));
                tocsin_inline_stop();
        }
        if (faults_in_callback)
                *(volatile char *)mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
        if (forks_in_callback)
                fork_here();
        alerts++;
}

static void say_start(const struct tocsin_inline *options)
{
        printf("start %d\n", tocsin_inline_start(options));
        fflush(stdout);
}

static void start(void)
{
        const struct tocsin_inline options = { .bytes = sizeof(options),
                                               .on_alert = on_alert,
                                               .context = in_parent };

        say_start(&options);
}

static void start_silent(void)
{
        const struct tocsin_inline options = { .bytes = sizeof(options),
                                               .is_silent = true,
                                               .on_alert = on_alert,
                                               .context = in_parent };

        say_start(&options);
}

static void start_plain(void)
{
        say_start(NULL);
}

/* Options of an older header, of a newer one that asks for nothing new, and of one that does. */
static void start_oddly(void)
{
        struct {
                struct tocsin_inline options;
                char more[8];
        } later = { .options = { .bytes = sizeof(later) } };
        const struct tocsin_inline earlier = { .bytes = sizeof(earlier) - 1 };

        say_start(&earlier);
        later.more[7] = 1;
        say_start(&later.options);
        later.more[7] = 0;
        say_start(&later.options);
}

static void stop(void)
{
        tocsin_inline_stop();
        puts("stopped");
        fflush(stdout);
}

static void often(void)
{
        for (int i = 0; i < 100; i++) {
                if (tocsin_inline_start(NULL))
                        exit(9);
                tocsin_inline_stop();
        }
}

static void wait_for_line(void)
{
        char line[8];

        puts("ready");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                exit(9);
}

static void wait_for_alert(void)
{
        while (!alerts)
                usleep(1000);
}

static void strike(void)
{
        for (int i = 0; i < 1001; i++)
                toc_count(strokes);
}

static void request(void)
{
        toc_add_by(requests, good, 5);
        toc_add_by(requests, failed, 3);
}

static void miss(void)
{
        (void)TOC_EXPECT_CMP(alerts, ==, -1, TOC_PAGE, "left and right differ");
}

static void report(void)
{
        (void)TOC_ERROR(-EIO, TOC_USUAL, "cannot ring '%s'", "the bell");
}

static void weigh(void)
{
        toc_set(weight, 11);
}

static void lighten(void)
{
        toc_set(weight, 1);
}

static void beat(void)
{
        toc_beat(swing);
}

static void *pull(void *unused)
{
        toc_raise(ringers, 1);
        return unused;
}

static void crowd(void)
{
        pthread_t threads[4];

        for (int i = 0; i < 4; i++)
                if (pthread_create(&threads[i], NULL, pull, NULL))
                        exit(9);
        for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
}

static void *handle;

static void plugin(void)
{
        handle = dlopen(getenv("PLUGIN"), RTLD_NOW);
        if (!handle) {
                fprintf(stderr, "%s\n", dlerror());
                exit(9);
        }
        *(void **)&ring = dlsym(handle, "plugin_ring");
        ring();
}

static void unload(void)
{
        if (dlclose(handle))
                exit(9);
}

/* The child rings by itself, with an evaluator of its own; the plug-in first, if there is one. */
static void fork_child(void)
{
        pid_t child = fork();
        int status = 1;

        if (!child) {
                const struct tocsin_inline options = { .bytes = sizeof(options),
                                                       .on_alert = on_alert,
                                                       .context = in_child };

                alerts = 0;
                say_start(&options);
                if (ring) {
                        ring();
                        wait_for_alert();
                }
                miss();
                wait_for_alert();
                tocsin_inline_stop();
                _exit(0);
        }
        waitpid(child, &status, 0);
        printf("child %d\n", status);
        fflush(stdout);
}

static void start_and_end(void)
{
        if (tocsin_inline_start(NULL))
                _exit(9);
        tocsin_inline_stop();
}

static void *fork_often(void *unused)
{
        for (int i = 0; i < 50; i++) {
                pid_t child = fork();
                int status = 1;

                if (!child) {
                        toc_count(strokes);
                        start_and_end();
                        _exit(0);
                }
                waitpid(child, &status, 0);
                if (status)
                        exit(9);
        }
        return unused;
}

/* Whatever the evaluator and who starts it are doing, the child finds no lock held. */
static void fork_busy(void)
{
        pthread_t threads[2];

        for (int i = 0; i < 2; i++)
                if (pthread_create(&threads[i], NULL, fork_often, NULL))
                        exit(9);
        often();
        for (int i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
}

static atomic_bool is_ready;

static void *fork_once(void *unused)
{
        int status = 1;
        pid_t child;

        is_ready = true;
        child = fork();
        if (!child) {
                alarm(30); /* only a lock that is held for ever lasts as long */
                start_and_end();
                _exit(0);
        }
        waitpid(child, &status, 0);
        if (status)
                _exit(9);
        return unused;
}

/* The first start of a process falls a little later into the fork of another thread each time. */
static void fork_first(void)
{
        for (int i = 0; i < 300; i++) {
                pid_t child = fork();
                int status = 1;

                if (!child) {
                        pthread_t forker;

                        if (pthread_create(&forker, NULL, fork_once, NULL))
                                _exit(9);
                        while (!is_ready)
                                ;
                        for (volatile int n = 0; n < 200 * i; n++)
                                ;
                        start_and_end();
                        pthread_join(forker, NULL);
                        _exit(0);
                }
                waitpid(child, &status, 0);
                if (status)
                        exit(9);
        }
}

static void stop_in_callback(void)
{
        stops_in_callback = true;
}

static void fork_in_callback(void)
{
        forks_in_callback = true;
}

static void on_fault(int unused)
{
        (void)unused;
        (void)!write(STDOUT_FILENO, "fault here\n", 11);
        _exit(3);
}

static void fault_in_callback(void)
{
        signal(SIGSEGV, on_fault);
        faults_in_callback = true;
}

static void on_signal(int unused)
{
        static const char line[] = "signal here\n";

        (void)unused;
        if (gettid() != getpid())
                (void)!write(STDOUT_FILENO, "signal elsewhere\n", 17);
        (void)!write(STDOUT_FILENO, line, sizeof(line) - 1);
}

/* The main thread does not take it: whoever can must be nobody. */
static void block_signal(void)
{
        sigset_t one;

        signal(SIGUSR1, on_signal);
        sigemptyset(&one);
        sigaddset(&one, SIGUSR1);
        sigprocmask(SIG_BLOCK, &one, NULL);
        kill(getpid(), SIGUSR1);
}

static void unblock_signal(void)
{
        sigset_t one;

        sigemptyset(&one);
        sigaddset(&one, SIGUSR1);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static void age(void)
{
        sleep(5); /* longer than the shortest window: what was counted is of the past */
}

static const struct {
        const char *name;
        void (*action)(void);
} actions[] = {
        { "start", start },
        { "start_silent", start_silent },
        { "start_plain", start_plain },
        { "start_oddly", start_oddly },
        { "stop", stop },
        { "often", often },
        { "wait", wait_for_line },
        { "strike", strike },
        { "request", request },
        { "miss", miss },
        { "report", report },
        { "weigh", weigh },
        { "lighten", lighten },
        { "beat", beat },
        { "crowd", crowd },
        { "plugin", plugin },
        { "unload", unload },
        { "fork", fork_child },
        { "fork_busy", fork_busy },
        { "stop_in_callback", stop_in_callback },
        { "fork_first", fork_first },
        { "fork_in_callback", fork_in_callback },
        { "fault_in_callback", fault_in_callback },
        { "wait_for_alert", wait_for_alert },
        { "block_signal", block_signal },
        { "unblock_signal", unblock_signal },
        { "age", age },
};

int main(int argc, char **argv)
{
        if (rule_set_new() != 7 || row_init() != 8)
                return 9;
        for (int i = 1; i < argc; i++)
                for (size_t n = 0; n < sizeof(actions) / sizeof(actions[0]); n++)
                        if (strcmp(argv[i], actions[n].name) == 0)
                                actions[n].action();
        return 0;
}
