/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to bring the parts of a run up in the one order that leaves nothing behind when a part is
 * missing: whatever can fail, fails before the program is started.
 */
#include "watch/supervisor.h"
#include "watch/command.h"
#include "watch/elf.h"
#include "watch/procfs.h"

#include "base/error.h"
#include "base/say.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void close_end(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* timers, events, pipes: nothing can be lost */
        *fd = -1;
}

/* ---- Delivery ------------------------------------------------------------- */

static int subscribe_all(const struct supervisor_request *request, struct outbox *outbox)
{
        int failed = 0;

        for (size_t i = 0; i < request->receiver_count && !failed; i++)
                failed = receiver_subscribe(request->receivers[i], outbox);
        return failed;
}

/* In the run's directory, or in memory if that cannot be. */
static int open_outbox(struct supervisor *supervisor)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        bool is_needed = supervisor->request->receiver_count > 0;
        int failed;

        text_printf(&path, "%s/outbox.db", text_view(&supervisor->dir.path));
        failed = outbox_new(is_needed ? text_view(&path) : NULL, supervisor->acknowledged_fd,
                            &supervisor->outbox);
        if (!failed)
                failed = subscribe_all(supervisor->request, supervisor->outbox);
        if (!failed || !is_needed)
                return failed;
        outbox_free(&supervisor->outbox);
        say_warning("cannot write the outbox %s: %s; events wait in memory", text_view(&path),
                    error_text(failed));
        failed = outbox_new(NULL, supervisor->acknowledged_fd, &supervisor->outbox);
        return failed ? failed : subscribe_all(supervisor->request, supervisor->outbox);
}

static int start_receivers(struct supervisor *supervisor)
{
        int failed = 0;

        /* Whatever a receiver starts inherits this; the program does not. */
        if (setenv(COMMAND_VARIABLE, "1", 1))
                return error_last();
        for (size_t i = 0; i < supervisor->request->receiver_count && !failed; i++)
                failed = receiver_start(supervisor->request->receivers[i], supervisor->voice);
        return failed;
}

/* ---- Up ------------------------------------------------------------------- */

static int open_descriptors(struct supervisor *supervisor)
{
        supervisor->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        supervisor->acknowledged_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        supervisor->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (supervisor->wake_fd < 0 || supervisor->acknowledged_fd < 0 || supervisor->timer_fd < 0)
                return error_last();
        return signals_open(&supervisor->signals);
}

static int open_parts(struct supervisor *supervisor)
{
        int failed = voice_new(say_wants_colour(STDERR_FILENO), &supervisor->voice);

        if (!failed)
                failed = open_outbox(supervisor);
        if (failed)
                return failed;
        supervisor->began_ns = clock_monotonic_ns();
        report_init(&supervisor->report, rundir_name(&supervisor->dir));
        supervisor->report.outbox = supervisor->outbox;
        supervisor->report.voice = supervisor->voice;
        supervisor->report.is_quiet = supervisor->request->is_quiet;
        failed = roster_init(&supervisor->roster, supervisor->dir.fd, &supervisor->report,
                             supervisor->began_ns);
        if (!failed)
                failed = vitals_new(supervisor->began_ns, &supervisor->vitals);
        if (!failed)
                failed = start_receivers(supervisor);
        if (!failed && stack_reader_new(&supervisor->stacks))
                supervisor->stacks = NULL; /* stacks without names are better than no run */
        supervisor->report.stacks = supervisor->stacks;
        return failed;
}

/* The pump, and the end of its pipe that the program gets; -1: it keeps ours. */
static int open_pump(struct supervisor *supervisor, int *ret_error_fd)
{
        int ends[2] = { -1, -1 };
        int failed = 0;

        if (supervisor->request->reads_logs && pipe2(ends, O_CLOEXEC))
                failed = error_last();
        if (!failed)
                failed = pump_new(ends[0], supervisor->voice, supervisor->wake_fd,
                                  &supervisor->pump);
        if (failed) {
                close_end(&ends[0]);
                close_end(&ends[1]);
                return failed;
        }
        *ret_error_fd = ends[1];
        return 0;
}

static int64_t count_records(const char *path)
{
        struct elf_records found = ELF_RECORDS_NULL;
        const char *why = NULL;
        int64_t count;

        if (elf_read_records(path, &found, &why))
                return -1;
        count = (int64_t)(found.count + found.refused_count);
        elf_records_fini(&found);
        return count;
}

/* How many probes stand in the file that is being run; -1: not known. If the program has ended
 * already, only its name is left to go by. */
static int64_t count_probes(const struct program *program)
{
        char path[32];
        int64_t count;

        (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)program->pid); /* ten digits fit */
        count = count_records(path);
        if (count < 0 && strchr(program->argv[0], '/'))
                count = count_records(program->argv[0]);
        return count;
}

static void note_start(struct supervisor *supervisor)
{
        const struct itimerspec each = {
                .it_interval = { .tv_sec = SUPERVISOR_TICK_NS / CLOCK_S_NS },
                .it_value = { .tv_sec = SUPERVISOR_TICK_NS / CLOCK_S_NS }
        };
        uid_t user = procfs_user(supervisor->program.pid);

        (void)timerfd_settime(supervisor->timer_fd, 0, &each, NULL); /* valid by construction */
        supervisor->report.program = supervisor->program.name;
        supervisor->report.pid = supervisor->program.pid;
        if (user != supervisor->roster.owners[0])
                supervisor->roster.owners[supervisor->roster.owner_count++] = user;
        supervisor->probes = count_probes(&supervisor->program);
        report_start(&supervisor->report, supervisor->request->argv,
                     supervisor->probes < 0 ? NULL : &supervisor->probes,
                     supervisor->request->preload != NULL,
                     supervisor->fence_watch ? fence_json(&supervisor->fence) : NULL);
}

/* 0, or the exit status that says why there is no program. */
static int start_program(struct supervisor *supervisor)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(2000);
        int error_fd = -1;
        int failed = open_pump(supervisor, &error_fd);

        if (!failed)
                failed = program_start(&supervisor->program,
                                       &(const struct program_order){
                                               .argv = supervisor->fence.argv,
                                               .name = supervisor->request->argv[0],
                                               .enter = fence_enter,
                                               .context = &supervisor->fence,
                                               .directory = text_view(&supervisor->dir.path),
                                               .preload = supervisor->request->preload,
                                               .error_fd = error_fd,
                                               .signals = &supervisor->signals },
                                       &why);
        close_end(&error_fd);
        if (!failed) {
                note_start(supervisor);
                return 0;
        }
        if (failed < 0)
                text_printf(&why, "cannot start a program: %s", error_text(failed));
        say_error("%s", text_view(&why));
        if (failed == PROGRAM_MISSING)
                return ERROR_EXIT_RUN_MISSING;
        return failed == PROGRAM_DENIED ? ERROR_EXIT_RUN_DENIED : ERROR_EXIT_RUN;
}

static void say_fence(const struct supervisor *supervisor)
{
        const struct fence *fence = &supervisor->fence;
        bool has_kept = fence->kept.length > 0, has_missing = fence->missing.length > 0;

        if (!supervisor->request->is_quiet || has_missing)
                voice_say(supervisor->voice, has_missing ? VOICE_WARNING : VOICE_PLAIN,
                          "fence: %s%s%s%s%s%s", has_kept && fence->name ? fence->name : "",
                          has_kept && fence->name ? ": " : "", text_view(&fence->kept),
                          has_kept && has_missing ? "; " : "", has_missing ? "not enforced: " : "",
                          text_view(&fence->missing));
}

/* Before the program: what cannot be had must be known by then. */
static int open_fence(struct supervisor *supervisor, struct text *why)
{
        const struct supervisor_request *request = supervisor->request;
        int outcome = fence_open(&supervisor->fence, &request->limits, request->argv,
                                 text_view(&supervisor->dir.path), why);

        if (outcome || !fence_is_wanted(&request->limits))
                return outcome;
        supervisor->fence_number = supervisor->roster.next_number++;
        outcome =
                fence_watch_new(&supervisor->fence, supervisor->began_ns, &supervisor->fence_watch);
        if (!outcome)
                say_fence(supervisor);
        return outcome;
}

static int set_up(struct supervisor *supervisor)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(2000);
        int failed = open_descriptors(supervisor);

        if (!failed)
                failed = rundir_open(&supervisor->dir, supervisor->request->dir, &why);
        if (!failed)
                failed = open_parts(supervisor);
        if (!failed)
                failed = open_fence(supervisor, &why);
        if (failed && why.length) {
                say_error("%s", text_view(&why));
                return ERROR_EXIT_RUN;
        }
        if (failed) {
                say_error("cannot watch: %s", error_text(failed));
                return ERROR_EXIT_RUN;
        }
        if (supervisor->dir.is_slow)
                say_warning("%s is not on tmpfs: programs put no probes there, only their exit and "
                            "error output are watched",
                            text_view(&supervisor->dir.path));
        return start_program(supervisor);
}

/* ---- Down ----------------------------------------------------------------- */

/* A thread that cannot be ended keeps what it uses. */
static void tear_down(struct supervisor *supervisor)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        int failed;

        if (supervisor->pump && pump_stop(supervisor->pump, CLOCK_S_NS))
                supervisor->is_stuck = true;
        if (supervisor->stacks)
                stack_reader_free(&supervisor->stacks);
        if (!supervisor->is_stuck) {
                pump_free(&supervisor->pump);
                for (size_t i = 0; i < supervisor->request->receiver_count; i++)
                        receiver_free(&supervisor->request->receivers[i]);
                outbox_free(&supervisor->outbox);
                voice_free(&supervisor->voice);
                close_end(&supervisor->wake_fd);
                close_end(&supervisor->acknowledged_fd);
        }
        vitals_free(&supervisor->vitals);
        fence_watch_free(&supervisor->fence_watch);
        fence_close(&supervisor->fence);
        if (supervisor->fence.is_left)
                say_warning("processes still run inside the fence, whose group stays; the next run "
                            "removes it when they have ended");
        if (supervisor->roster.entries)
                roster_fini(&supervisor->roster);
        report_fini(&supervisor->report);
        signals_close(&supervisor->signals);
        close_end(&supervisor->timer_fd);
        text_append(&path, text_view(&supervisor->dir.path));
        failed = rundir_close(&supervisor->dir, supervisor->is_kept);
        if (failed)
                say_warning("cannot remove %s: %s", text_view(&path), error_text(failed));
}

/* Before the program was started there is nothing to deliver. */
static void stop_receivers(struct supervisor *supervisor)
{
        if (!supervisor->outbox)
                return;
        outbox_stop(supervisor->outbox);
        for (size_t i = 0; i < supervisor->request->receiver_count; i++)
                if (receiver_join(supervisor->request->receivers[i], CLOCK_S_NS))
                        supervisor->is_stuck = true;
}

static int final_status(const struct supervisor *supervisor)
{
        const uint64_t *fired = supervisor->report.book.fired;
        int status = program_status(&supervisor->program);

        if (!status && supervisor->request->fails_on_alert && fired[TOC_WARN] + fired[TOC_PAGE])
                return ERROR_EXIT_NO;
        return status;
}

int supervisor_run(const struct supervisor_request *request)
{
        struct supervisor supervisor = {
                .request = request,
                .dir = RUNDIR_NULL,
                .fence = FENCE_NULL,
                .signals = { .fd = -1 },
                .probes = -1,
                .timer_fd = -1,
                .wake_fd = -1,
                .acknowledged_fd = -1,
        };
        int status = set_up(&supervisor);

        if (status) {
                stop_receivers(&supervisor);
        } else {
                supervisor_watch(&supervisor);
                supervisor_finish(&supervisor);
                stop_receivers(&supervisor);
                status = final_status(&supervisor);
        }
        tear_down(&supervisor);
        return status;
}
