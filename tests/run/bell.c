/* SPDX-License-Identifier: Apache-2.0 */
/* bell.c - a program with probes of several kinds that does what its arguments say, one after the
 * other; "wait" waits for a line on standard input, after "ready" on standard output. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(bell, "The program that the tests of tocsin run look at");
TOC_COUNTER(strokes, "How often it was struck",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "it is struck too often"));
TOC_GAUGE(weight, "What it weighs", TOC_ALERT(value, >, 10, TOC_NOTE, "it is too heavy"));
TOC_LEVEL(ringers, "Who pulls at it", TOC_ALERT(value, >, 3, TOC_PAGE, "too many pull at it"));
TOC_HEARTBEAT(swing, "That it swings", TOC_ALERT(silent_ms, >, 1500, TOC_PAGE, "it hangs still"));

static void wait_for_line(void)
{
        char line[8];

        puts("ready");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                exit(9);
}

static void strike(void)
{
        for (int i = 0; i < 1001; i++)
                toc_count(strokes);
}

__attribute__((noinline)) static int compare(int left, int right)
{
        return TOC_EXPECT_CMP(left, ==, right, TOC_PAGE, "left and right differ") ? 0 : 1;
}

static void miss(void)
{
        (void)compare(3, 4);
}

static void report(void)
{
        (void)TOC_ERROR(-EIO, TOC_USUAL, "cannot ring '%s'", "the bell");
        (void)TOC_WARNING(0, TOC_QUIET("only a test"), "a crack of %d mm", 7);
}

static void page(void)
{
        (void)TOC_ERROR(0, TOC_ALERT(total, >, 0, TOC_PAGE, "somebody must come"), "come at once");
}

static void weigh(void)
{
        toc_set(weight, 11);
}

static void lighten(void)
{
        toc_set(weight, 1);
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

static void beat(void)
{
        toc_beat(swing);
}

static void crash(void)
{
        signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler of their own */
        raise(SIGSEGV);
}

static void fork_miss(void)
{
        pid_t child = fork();

        if (!child) {
                miss();
                exit(0);
        }
        waitpid(child, NULL, 0);
}

static void become(void)
{
        execl("/proc/self/exe", "bell", "miss", "wait", (char *)NULL);
        exit(9);
}

static const struct {
        const char *name;
        void (*action)(void);
} actions[] = {
        { "wait", wait_for_line }, { "strike", strike },  { "miss", miss },
        { "report", report },      { "page", page },      { "weigh", weigh },
        { "lighten", lighten },    { "crowd", crowd },    { "beat", beat },
        { "crash", crash },        { "fork", fork_miss }, { "become", become },
};

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                for (size_t n = 0; n < sizeof(actions) / sizeof(actions[0]); n++)
                        if (strcmp(argv[i], actions[n].name) == 0)
                                actions[n].action();
        return 0;
}
