/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to do everything that happens during a run in one thread, in the order in which it comes:
 * signals, ticks, the doorbell, lines of the program.
 */
#include "watch/supervisor.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { bell_max = 4096 }; /* datagrams taken at once; the socket holds fewer */

/* ---- Looking -------------------------------------------------------------- */

/* "kvd carries no probes", once, when it had time to show some. */
static void say_probes(struct supervisor *supervisor)
{
        const char *what = supervisor->request->reads_logs ? "its exit and its error output only"
                                                           : "its exit only";

        if (supervisor->has_said_probes || supervisor->request->is_quiet)
                return;
        supervisor->has_said_probes = true;
        if (supervisor->roster.ready_count || supervisor->dir.is_slow)
                return;
        if (supervisor->probes > 0 && supervisor->program.has_ended &&
            program_status(&supervisor->program) == ERROR_EXIT_RUN_MISSING)
                voice_say(supervisor->voice, VOICE_WARNING,
                          "%s ended before its first probe; could the loader not find a library "
                          "(ldd %s)?",
                          supervisor->program.name, supervisor->program.name);
        else if (supervisor->probes > 0)
                voice_say(supervisor->voice, VOICE_WARNING,
                          "%s carries %" PRId64 " probes but made no segment in %s; is that tmpfs "
                          "full, is its file-size limit (ulimit -f) low, or has it changed its "
                          "user or its environment? Watching %s",
                          supervisor->program.name, supervisor->probes,
                          text_view(&supervisor->dir.path), what);
        else
                voice_say(supervisor->voice, VOICE_PLAIN, "%s carries no probes; watching %s",
                          supervisor->program.name, what);
}

static void take_lines(struct supervisor *supervisor)
{
        struct pump_line line;

        while (pump_take(supervisor->pump, &line))
                report_line(&supervisor->report, &line);
}

static void judge_vitals(struct supervisor *supervisor, uint64_t now_ns, bool is_tick)
{
        const struct report_source source = { .program = supervisor->program.name,
                                              .pid = supervisor->program.pid };
        const struct rule_change *changes = NULL;
        size_t count = 0;

        /* Counts first: whatever line they count can be taken then. */
        if (is_tick)
                vitals_see_clock(&supervisor->clock, clock_wall_ns(), now_ns, &supervisor->counts);
        supervisor->counts.errors = pump_errors(supervisor->pump);
        supervisor->counts.warnings = pump_warnings(supervisor->pump);
        take_lines(supervisor);
        if (vitals_judge(supervisor->vitals, now_ns, is_tick, &supervisor->counts, &changes,
                         &count))
                return; /* no state has changed; the next tick judges again */
        report_changes(&supervisor->report, &source, now_ns, changes, count);
}

static void judge_fence(struct supervisor *supervisor, uint64_t now_ns, bool is_tick)
{
        BASE_SCOPE(text_fini) struct text biggest = TEXT_INIT(200);
        struct report_source source = { .number = supervisor->fence_number,
                                        .program = supervisor->program.name,
                                        .pid = supervisor->program.pid,
                                        .fence = supervisor->fence_watch };
        const struct rule_change *changes = NULL;
        size_t count = 0;

        if (!supervisor->fence_watch ||
            fence_watch_judge(supervisor->fence_watch, &supervisor->fence, supervisor->program.pid,
                              now_ns, is_tick, &changes, &count))
                return;
        if (count)
                roster_append_biggest(&supervisor->roster, supervisor->program.pid, &biggest);
        source.biggest = text_view(&biggest);
        report_changes(&supervisor->report, &source, now_ns, changes, count);
}

/* Processes that were left to us and that a signal has ended, as a crash of the program would. */
static void report_losses(struct supervisor *supervisor)
{
        struct program *program = &supervisor->program;

        for (size_t i = 0; i < program->loss_count; i++) {
                const struct program_loss *loss = &program->losses[i];

                if (supervisor_is_asked_for(supervisor, WTERMSIG(loss->wait_status)))
                        continue;
                supervisor->counts.crashes++;
                report_crash(&supervisor->report, loss->pid, WTERMSIG(loss->wait_status),
                             WCOREDUMP(loss->wait_status));
        }
        program->loss_count = 0;
}

void supervisor_look(struct supervisor *supervisor, bool is_tick)
{
        uint64_t now_ns = clock_monotonic_ns();

        if (is_tick)
                (void)program_find_left(&supervisor->program); /* to know them when they end */
        report_losses(supervisor);
        judge_vitals(supervisor, now_ns, is_tick);
        judge_fence(supervisor, now_ns, is_tick);
        roster_visit(&supervisor->roster, now_ns, is_tick);
        report_settle(&supervisor->report, now_ns);
        supervisor->looked_ns = now_ns;
}

/* ---- What the program leaves behind --------------------------------------- */

static void say_left(struct supervisor *supervisor, size_t count, bool is_watched)
{
        if (supervisor->has_said_left)
                return;
        supervisor->has_said_left = true;
        voice_say(supervisor->voice, VOICE_PLAIN,
                  "%s[%d] ended with status %d and left %zu process%s "
                  "running%s",
                  supervisor->program.name, (int)supervisor->program.pid,
                  program_status(&supervisor->program), count, count == 1 ? "" : "es",
                  is_watched ? "; watching on until they end (Ctrl-C: no longer)"
                             : ", which nobody watches any more");
}

/* A daemon's parent leaves with status 0, and the daemon is what is to be watched. After any other
 * end what is left is rubble. Either may take a moment to fall. */
static void consider_end(struct supervisor *supervisor)
{
        uint64_t now_ns = clock_monotonic_ns();
        size_t count;

        program_reap(&supervisor->program);
        if (!supervisor->program.has_ended)
                return;
        count = program_find_left(&supervisor->program);
        if (!supervisor->grace_until_ns)
                supervisor->grace_until_ns = now_ns + SUPERVISOR_GRACE_NS;
        if (!count)
                supervisor->is_over = true;
        if (supervisor->is_over || now_ns < supervisor->grace_until_ns)
                return;
        if (program_status(&supervisor->program))
                supervisor->is_over = true;
        say_left(supervisor, count, !supervisor->is_over);
}

/* ---- Signals -------------------------------------------------------------- */

/* The program has got it too. Who presses three times does not want to wait. */
static void note_interrupt(struct supervisor *supervisor)
{
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t *times = supervisor->interrupts_ns;

        for (int i = supervisor_kill_count - 1; i > 0; i--)
                times[i] = times[i - 1];
        times[0] = now_ns;
        if (times[2] && now_ns - times[2] < SUPERVISOR_KILL_NS) {
                voice_say(supervisor->voice, VOICE_PLAIN, "killing %s[%d]",
                          supervisor->program.name, (int)supervisor->program.pid);
                supervisor->has_killed = true;
                (void)kill(supervisor->program.pid, SIGKILL); /* ended meanwhile is as good */
        } else if (times[1] && now_ns - times[1] < SUPERVISOR_KILL_NS) {
                voice_say(supervisor->voice, VOICE_PLAIN,
                          "%s[%d] still runs; once more within 3 s kills it",
                          supervisor->program.name, (int)supervisor->program.pid);
        }
}

static void pass_on(struct supervisor *supervisor, int number)
{
        struct program *program = &supervisor->program;

        supervisor->forwarded |= UINT64_C(1) << number;
        /* Whoever is gone meanwhile needs no signal. */
        if (!program->has_ended)
                (void)kill(program->pid, number);
        else if (program_find_left(program))
                for (size_t i = 0; i < program->left_count; i++)
                        (void)kill(program->left[i], number);
}

/* The program is gone and what it left is being watched: Ctrl-C ends that, as does a second request
 * to end. */
static void take_leave(struct supervisor *supervisor, const struct signals_one *one)
{
        bool asks_to_end = one->number != SIGUSR1 && one->number != SIGUSR2;

        if (one->number != SIGINT && !one->is_from_terminal)
                pass_on(supervisor, one->number);
        supervisor->farewells += asks_to_end;
        if (one->number == SIGINT || supervisor->farewells > 1)
                supervisor->is_over = true;
}

static void take_signal(struct supervisor *supervisor, const struct signals_one *one)
{
        if (one->number == SIGCHLD)
                return; /* looked at after all of them */
        supervisor->has_seen_quit |= one->number == SIGQUIT;
        if (supervisor->is_over)
                supervisor->is_hurried |= one->number != SIGUSR1 && one->number != SIGUSR2;
        else if (supervisor->program.has_ended)
                take_leave(supervisor, one);
        else if (!one->is_from_terminal)
                pass_on(supervisor, one->number);
        else if (one->number == SIGINT)
                note_interrupt(supervisor);
}

void supervisor_take_signals(struct supervisor *supervisor)
{
        struct signals_one one;

        while (signals_take(&supervisor->signals, &one))
                take_signal(supervisor, &one);
        program_reap(&supervisor->program);
}

/* ---- The loop ------------------------------------------------------------- */

static bool take_events(int fd)
{
        uint64_t count;

        return read(fd, &count, sizeof(count)) == sizeof(count);
}

static void drain_bell(int bell)
{
        char byte;

        for (int i = 0; i < bell_max; i++)
                if (recv(bell, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) < 0)
                        return;
}

/* -1: for ever; the timer ticks anyway. */
static int wait_ms(const struct supervisor *supervisor, bool is_look_wanted)
{
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t until_ns = UINT64_MAX;

        if (is_look_wanted)
                until_ns = supervisor->looked_ns + SUPERVISOR_LOOK_NS;
        if (supervisor->roster.seer_count && supervisor->glanced_ns + SEER_GLANCE_NS < until_ns)
                until_ns = supervisor->glanced_ns + SEER_GLANCE_NS;
        if (supervisor->grace_until_ns > now_ns && supervisor->grace_until_ns < until_ns)
                until_ns = supervisor->grace_until_ns;
        if (until_ns == UINT64_MAX)
                return -1;
        return until_ns <= now_ns ? 0 : (int)((until_ns - now_ns) / CLOCK_MS_NS) + 1;
}

enum { AT_SIGNALS, AT_TIMER, AT_BELL, AT_WAKE, AT_COUNT };

/* Waits for something to happen; returns whether a tick is due, and adds to *is_look_wanted. */
static bool wait_for_news(struct supervisor *supervisor, bool *is_look_wanted)
{
        struct pollfd polled[AT_COUNT] = {
                [AT_SIGNALS] = { .fd = supervisor->signals.fd, .events = POLLIN },
                [AT_TIMER] = { .fd = supervisor->timer_fd, .events = POLLIN },
                /* A look that is wanted already cannot be wanted more. */
                [AT_BELL] = { .fd = *is_look_wanted ? -1 : supervisor->dir.bell, .events = POLLIN },
                [AT_WAKE] = { .fd = *is_look_wanted ? -1 : supervisor->wake_fd, .events = POLLIN },
        };

        if (poll(polled, AT_COUNT, wait_ms(supervisor, *is_look_wanted)) < 0)
                return false; /* EINTR after a stop, or no memory: once more */
        if (polled[AT_SIGNALS].revents)
                supervisor_take_signals(supervisor);
        if (polled[AT_BELL].revents)
                drain_bell(supervisor->dir.bell);
        if (polled[AT_WAKE].revents)
                (void)take_events(supervisor->wake_fd); /* emptied; what it means is read below */
        *is_look_wanted |= polled[AT_BELL].revents || polled[AT_WAKE].revents ||
                           supervisor->program.loss_count;
        return polled[AT_TIMER].revents && take_events(supervisor->timer_fd);
}

void supervisor_watch(struct supervisor *supervisor)
{
        bool is_look_wanted = false;

        while (!supervisor->is_over) {
                bool is_tick = wait_for_news(supervisor, &is_look_wanted);
                uint64_t now_ns = clock_monotonic_ns();

                if (is_tick ||
                    (is_look_wanted && now_ns - supervisor->looked_ns >= SUPERVISOR_LOOK_NS)) {
                        supervisor_look(supervisor, is_tick);
                        is_look_wanted = false;
                }
                if (is_tick)
                        supervisor->glanced_ns = now_ns; /* a tick sees what a glance does */
                else if (supervisor->roster.seer_count &&
                         now_ns - supervisor->glanced_ns >= SEER_GLANCE_NS) {
                        roster_glance(&supervisor->roster, now_ns);
                        supervisor->glanced_ns = now_ns;
                }
                if (is_tick)
                        say_probes(supervisor);
                consider_end(supervisor);
        }
        if (!supervisor->has_said_probes) {
                supervisor_look(supervisor, false); /* it may have ended before we looked */
                say_probes(supervisor);
        }
}
