/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - a program with probes of the kinds that have several cells. It does what its standard
 * input says: a line is "WHAT N", and is answered by "done" on standard output. With -i it judges
 * itself as well, and each alert is a line there. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tocsin-inline.h>
#include <tocsin.h>

TOC_MODULE(kinds, "The program that tests rules over several cells", TOC_RUNBOOK("wiki/kinds"));
TOC_GAUGE(mark, "What was done before this was set has been judged",
          TOC_ALERT(value, >, 0, TOC_NOTE, "this is where the test looks"));

TOC_TIMER(lookup, "One lookup", TOC_ALERT(p99_us, >, 1000, TOC_WARN, "lookups are slow"));
TOC_SIZES(packet, "Bytes of a packet", TOC_ALERT(max, >=, 4096, TOC_NOTE, "a packet is too long"),
          TOC_RUNBOOK("wiki/packets"));
TOC_SHARE(refused, "Requests refused, of all",
          TOC_ALERT(permille, >, 100, TOC_PAGE, "callers are being refused"));
TOC_SHARE(broken, "Requests broken, of all",
          TOC_ALERT(burn_fast, >, 14, TOC_PAGE, "the budget burns fast", .objective_permille = 990),
          TOC_ALERT(burn_slow, >=, 3, TOC_WARN, "the budget burns", .objective_permille = 990));
TOC_OPERATION(request, "A request",
              TOC_ALERT(in_flight, >, 2, TOC_WARN, "too many requests at once"),
              TOC_ALERT(oldest_ms, >, 3000, TOC_PAGE, "a request is stuck"));
TOC_FLOW(queue, "Items through the queue",
         TOC_ALERT(lost, !=, 0, TOC_PAGE, "the queue does not add up"),
         TOC_ALERT(backlog, >, 100, TOC_WARN, "the queue is long"));
TOC_FLOW(pipe, "Items through the pipe",
         TOC_ALERT(stalled_ms, >, 1500, TOC_PAGE, "nothing comes out"));
TOC_COUNTER_BY(asked, "What was asked", (good, failed),
               TOC_ALERT_ON(failed, total, >, 1, TOC_WARN, "too much is asked in vain"));
TOC_GAUGE(is_leader, "Whether this one leads", TOC_QUIET("only says when others matter"));

/* Those that climb do so by themselves. */
TOC_GAUGE(steep, "Grows by 20 a second",
          TOC_ALERT(growth, >, 40, TOC_WARN, "it grows", .window_s = 4));
TOC_GAUGE(flat, "Grows by 5 a second",
          TOC_ALERT(growth, >, 40, TOC_WARN, "it grows", .window_s = 4));
TOC_GAUGE(near, "Grows by 20 a second, to 800",
          TOC_ALERT(exhausts_s, <, 60, TOC_PAGE, "it is full soon", .capacity = 800,
                    .window_s = 4));
TOC_GAUGE(far, "Grows by 5 a second, to 8000",
          TOC_ALERT(exhausts_s, <, 60, TOC_PAGE, "it is full soon", .capacity = 8000,
                    .window_s = 4));

static struct toc_open open_ones[16];
static int open_count;
static atomic_bool must_reach;

static void do_mark(long n)
{
        toc_set(mark, n);
}

static void do_quick(long n)
{
        while (n-- > 0)
                toc_observe(lookup, 1000000); /* the limit itself, which is not above it */
}

static void do_slow(long n)
{
        while (n-- > 0)
                toc_observe(lookup, 1000001);
}

static void do_packet(long n)
{
        toc_observe(packet, n);
}

static void do_refuse(long n)
{
        while (n-- > 0)
                toc_share(refused, true);
}

static void do_serve(long n)
{
        while (n-- > 0)
                toc_share(refused, false);
}

static void do_break(long n)
{
        while (n-- > 0)
                toc_share(broken, true);
}

static void do_mend(long n)
{
        while (n-- > 0)
                toc_share(broken, false);
}

static void do_begin(long n)
{
        while (n-- > 0 && open_count < 16)
                open_ones[open_count++] = toc_begin(request);
}

static void do_end(long n)
{
        while (n-- > 0 && open_count > 0)
                toc_end(request, open_ones[--open_count]);
}

/* Longer than the limit in all, but each is short. */
static void do_churn(long n)
{
        while (n-- > 0) {
                TOC_OPERATION_SCOPE(request);

                usleep(50000);
        }
}

static void do_in(long n)
{
        toc_in(queue, (uint64_t)n);
        toc_held(queue, n);
}

static void do_out(long n)
{
        toc_out(queue, (uint64_t)n);
        toc_held(queue, -n);
}

static void do_lose(long n)
{
        toc_held(queue, -n);
}

static void do_stuff(long n)
{
        toc_in(pipe, (uint64_t)n);
        toc_held(pipe, n);
}

static void do_drain(long n)
{
        toc_out(pipe, (uint64_t)n);
        toc_held(pipe, -n);
}

static void do_ask(long n)
{
        toc_add_by(asked, good, 100);
        toc_add_by(asked, failed, (uint64_t)n);
}

static void do_lead(long n)
{
        toc_set(is_leader, n);
}

static void do_reach(long n)
{
        must_reach = n;
}

static void never_come_here(bool there)
{
        if (there)
                TOC_REACHED(TOC_NOTE, "the first was never reached", TOC_UPTIME_S(4));
        if (there)
                TOC_REACHED(TOC_WARN, "a leader never reached it", TOC_UPTIME_S(1),
                            TOC_WHEN(is_leader));
        (void)TOC_SOMETIMES(!there, TOC_PAGE, "it never was elsewhere", TOC_UPTIME_S(1));
}

static void *climb(void *unused)
{
        for (long step = 0;; step++) {
                toc_set(steep, 2 * step);
                toc_set(flat, step / 2);
                toc_set(near, 2 * step);
                toc_set(far, step / 2);
                never_come_here(must_reach);
                usleep(100000);
        }
        return unused;
}

static void do_climb(long unused)
{
        pthread_t thread;

        (void)unused;
        if (pthread_create(&thread, NULL, climb, NULL))
                exit(9);
}

static void on_alert(const struct tocsin_inline_alert *alert, void *unused)
{
        (void)unused;
        printf("alert|%s|%s|%s|%s|%lld\n",
               alert->state == TOCSIN_INLINE_FIRING     ? "firing"
               : alert->state == TOCSIN_INLINE_RESOLVED ? "resolved"
                                                        : "ended",
               alert->probe, alert->label, alert->signal, (long long)alert->value);
        fflush(stdout);
}

static const struct {
        const char *name;
        void (*action)(long n);
} actions[] = {
        { "mark", do_mark },     { "quick", do_quick },   { "slow", do_slow },
        { "packet", do_packet }, { "refuse", do_refuse }, { "serve", do_serve },
        { "break", do_break },   { "mend", do_mend },     { "begin", do_begin },
        { "end", do_end },       { "churn", do_churn },   { "in", do_in },
        { "out", do_out },       { "lose", do_lose },     { "stuff", do_stuff },
        { "drain", do_drain },   { "ask", do_ask },       { "lead", do_lead },
        { "reach", do_reach },   { "climb", do_climb },
};

int main(int argc, char **argv)
{
        struct tocsin_inline options = { .bytes = sizeof(options),
                                         .is_silent = true,
                                         .on_alert = on_alert };
        bool judges = argc > 1 && strcmp(argv[1], "-i") == 0;
        char line[64], name[32];
        long n;

        if (judges && tocsin_inline_start(&options))
                return 9;
        while (fgets(line, sizeof(line), stdin)) {
                if (sscanf(line, "%31s %ld", name, &n) != 2)
                        break;
                for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
                        if (strcmp(name, actions[i].name) == 0)
                                actions[i].action(n);
                puts("done");
                fflush(stdout);
        }
        if (judges)
                tocsin_inline_stop();
        return 0;
}
