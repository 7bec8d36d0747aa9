/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because the end is where alerts get lost: the last counts are to be read, the last words
 * passed on, and receivers get a fair but bounded time.
 */
#include "watch/supervisor.h"
#include "watch/procfs.h"

#include "base/error.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the rest of the program's output may hold up what is to be said of its end. */
#define OUTPUT_FIRST_NS CLOCK_S_NS

bool supervisor_is_asked_for(const struct supervisor *supervisor, int number)
{
        switch (number) {
        case SIGTERM:
        case SIGINT:
        case SIGHUP:
        case SIGPIPE: /* its reader has left, as in `program | head` */
                return true;
        case SIGQUIT:
                return supervisor->has_seen_quit;
        case SIGKILL:
                return supervisor->has_killed;
        default:
                return supervisor->forwarded & (UINT64_C(1) << (number & 63));
        }
}

/* Waits for one of two descriptors; signals are taken. False: the user does not want to wait, or
 * the time is over. */
static bool wait_for(struct supervisor *supervisor, int fd, uint64_t until_ns)
{
        struct pollfd polled[] = { { .fd = supervisor->signals.fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN } };
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t count;
        int time_ms = -1;

        if (now_ns >= until_ns || supervisor->is_hurried)
                return false;
        if (until_ns != UINT64_MAX)
                time_ms = (int)((until_ns - now_ns) / CLOCK_MS_NS) + 1;
        if (poll(polled, BASE_COUNT(polled), time_ms) < 0)
                return true; /* EINTR after a stop */
        if (polled[0].revents)
                supervisor_take_signals(supervisor);
        if (polled[1].revents)
                (void)!read(fd, &count, sizeof(count)); /* emptied; the caller looks for itself */
        return !supervisor->is_hurried;
}

/* False: it is not all passed on yet, because its reader takes its time. */
static bool finish_output(struct supervisor *supervisor, uint64_t until_ns)
{
        pump_finish(supervisor->pump);
        while (!pump_is_finished(supervisor->pump))
                if (!wait_for(supervisor, supervisor->wake_fd, until_ns))
                        return false;
        return true;
}

static void fill_end(struct supervisor *supervisor)
{
        struct event_end *end = &supervisor->report.end;
        int status = supervisor->program.wait_status;

        end->status = program_status(&supervisor->program);
        end->signal = program_signal(&supervisor->program);
        end->has_core = WIFSIGNALED(status) && WCOREDUMP(status);
        end->lasted_ns = clock_monotonic_ns() - supervisor->began_ns;
}

static void say_last_words(struct supervisor *supervisor)
{
        const struct report_source source = { .program = supervisor->program.name,
                                              .pid = supervisor->program.pid };
        int number = program_signal(&supervisor->program);

        fill_end(supervisor);
        supervisor_look(supervisor, false); /* events before the crash are part of its report */
        if (number && !supervisor_is_asked_for(supervisor, number)) {
                supervisor->counts.crashes++;
                report_crash(&supervisor->report, supervisor->program.pid, number,
                             supervisor->report.end.has_core);
                supervisor_look(supervisor, false);
        }
        roster_retire(&supervisor->roster, clock_monotonic_ns());
        report_ended(&supervisor->report, &source, clock_monotonic_ns(),
                     vitals_rules(supervisor->vitals), vitals_outlives);
        if (supervisor->fence_watch) {
                const struct report_source fence = { .number = supervisor->fence_number,
                                                     .program = supervisor->program.name,
                                                     .pid = supervisor->program.pid };

                report_ended(&supervisor->report, &fence, clock_monotonic_ns(),
                             fence_watch_rules(supervisor->fence_watch), fence_watch_outlives);
        }
        report_exit(&supervisor->report);
}

/* ---- Delivery ------------------------------------------------------------- */

static uint64_t pending(const struct supervisor *supervisor)
{
        uint64_t count = 0;

        for (size_t i = 0; i < supervisor->request->receiver_count; i++)
                count += receiver_pending(supervisor->request->receivers[i]);
        return count;
}

static void deliver(struct supervisor *supervisor)
{
        uint64_t until_ns = clock_monotonic_ns() + SUPERVISOR_DELIVER_NS;

        outbox_hurry(supervisor->outbox);
        while (pending(supervisor))
                if (!wait_for(supervisor, supervisor->acknowledged_fd, until_ns))
                        break;
        outbox_stop(supervisor->outbox);
}

/* Commands still running lead groups of their own, which would outlive us. */
static void kill_commands(void)
{
        DIR *dir = opendir("/proc/self/task");
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                pid_t pids[program_left_max];
                uint64_t thread;
                size_t count;

                if (text_parse_u64(entry->d_name, 1, INT32_MAX, &thread) ||
                    (pid_t)thread == getpid())
                        continue;
                count = procfs_children((pid_t)thread, pids, program_left_max);
                for (size_t i = 0; i < count; i++)
                        (void)kill(-pids[i], SIGKILL); /* ended meanwhile is as good */
        }
        if (dir)
                (void)closedir(dir); /* read only */
}

static void join_receivers(struct supervisor *supervisor)
{
        bool is_busy = false;

        for (size_t i = 0; i < supervisor->request->receiver_count; i++)
                is_busy |= receiver_join(supervisor->request->receivers[i], 50 * CLOCK_MS_NS) != 0;
        if (is_busy)
                kill_commands(); /* the supervisor joins them once more */
}

static void say_undelivered(struct supervisor *supervisor)
{
        uint64_t unsaved = outbox_flush(supervisor->outbox);

        for (size_t i = 0; i < supervisor->request->receiver_count; i++) {
                const struct receiver *receiver = supervisor->request->receivers[i];
                uint64_t left = receiver_pending(receiver);
                uint64_t refused = receiver_given_up(receiver);

                supervisor->is_kept |= left > 0;
                if (left)
                        voice_say(supervisor->voice, VOICE_WARNING,
                                  "%s: %" PRIu64 " not delivered; kept in %s/outbox.db",
                                  receiver_name(receiver), left, text_view(&supervisor->dir.path));
                if (refused)
                        voice_say(supervisor->voice, VOICE_WARNING, "%s: %" PRIu64 " given up",
                                  receiver_name(receiver), refused);
        }
        if (unsaved)
                voice_say(supervisor->voice, VOICE_ERROR,
                          "%" PRIu64 " of them could not be written to the outbox and are lost",
                          unsaved);
        if (outbox_lost(supervisor->outbox))
                voice_say(supervisor->voice, VOICE_ERROR,
                          "%" PRIu64 " events were lost because the outbox was full",
                          outbox_lost(supervisor->outbox));
}

void supervisor_finish(struct supervisor *supervisor)
{
        bool is_passed_on;

        supervisor->is_over = true;
        is_passed_on = finish_output(supervisor, clock_monotonic_ns() + OUTPUT_FIRST_NS);
        say_last_words(supervisor);
        /* However long its reader takes, as it would be without us; but a crash is told before. */
        if (!is_passed_on)
                (void)finish_output(supervisor, UINT64_MAX);
        deliver(supervisor);
        join_receivers(supervisor);
        say_undelivered(supervisor);
}
