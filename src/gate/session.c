/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to hold the conversation with one harness program: what it is started with, whose turn it
 * is, and how long anybody waits. What its words mean is talk.c's.
 */
#include "gate/session.h"
#include "base/error.h"
#include "gate/segments.h"
#include "gate/session_tool.h"
#include "gate/talk.h"
#include "tocsin/case.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        list_max = 512,
        word_max = 24,
        info_words = 8,
        settle_us = 50000,
};

struct session {
        struct sandbox *sandbox;
        struct session_plan plan;
        struct sandbox_job *job; /* NULL once it has ended */
        struct sandbox_end end;
        int failed; /* of sandbox_finish */
        struct text output;
        int reports_fd; /* folder that a tool writes to; -1 */
        struct segments *segments;
        pid_t harness;
        bool has_listed, is_broken;
        struct session_case *cases;
        size_t case_count;
};

const char *session_state_name(enum session_state state)
{
        static const char *const names[] = {
                [SESSION_PASSED] = "passed",   [SESSION_FAILED] = "failed",
                [SESSION_CRASHED] = "crashed", [SESSION_SILENT] = "silent",
                [SESSION_LATE] = "late",       [SESSION_LEFT] = "left",
                [SESSION_BROKEN] = "broken",   [SESSION_LOST] = "lost",
        };

        return state < BASE_COUNT(names) ? names[state] : "?";
}

void session_verdict_fini(struct session_verdict *verdict)
{
        text_fini(&verdict->output);
        free(verdict->samples);
        free(verdict->rang);
        for (size_t i = 0; i < verdict->seen_count; i++)
                free(verdict->seen[i].details);
        free(verdict->seen);
        free(verdict->probes);
        free(verdict->moved);
        *verdict = (struct session_verdict)SESSION_VERDICT_NULL;
}

/* ---- Beginning ------------------------------------------------------------ */

/* The contract's limits where they are less than the gate's. */
static void lower(struct sandbox_request *request, const struct contract_limits *limits)
{
        if (limits->memory_bytes &&
            (!request->memory_max_bytes || limits->memory_bytes < request->memory_max_bytes))
                request->memory_max_bytes = limits->memory_bytes;
        if (limits->pids && limits->pids < request->process_max)
                request->process_max = limits->pids;
        request->cpu_max_permille = limits->cpu_permille;
        request->descriptor_max = limits->files;
}

static int start(struct session *session, const char *reports)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        const struct session_plan *plan = &session->plan;
        const bool is_sanitized = plan->build == BUILD_ASAN || plan->build == BUILD_TSAN;
        const char *inside = plan->sees_inside ? parts_find(&why)->inside : NULL;
        struct sandbox_bind binds[3] = { { .host = plan->program,
                                           .inside = SESSION_TOOL_PROGRAM } };
        size_t bind_count = 1;
        struct sandbox_request request = {
                .argv = session_tool_arguments(plan),
                .environment = session_tool_environment(plan),
                .binds = binds,
                .wall_max_ns = plan->wall_max_ns ? plan->wall_max_ns : 10 * CLOCK_MIN_NS,
                .memory_max_bytes = plan->memory_max_bytes,
                .process_max = 128,
                .is_sanitized = is_sanitized || session_tool_is_valgrind(plan),
                .lets_ptrace = plan->build == BUILD_ASAN,
                .lets_perf = !is_sanitized && plan->tool == SESSION_PLAIN,
                .fixes_addresses = plan->build == BUILD_TSAN,
                .has_segments = true,
                .has_socket = true,
                .output = &session->output,
        };

        if (reports)
                binds[bind_count++] = (struct sandbox_bind){ reports, SESSION_TOOL_REPORTS, true };
        if (plan->sees_inside)
                binds[bind_count++] = (struct sandbox_bind){ inside, SESSION_TOOL_INSIDE, false };
        request.bind_count = bind_count;
        if (plan->limits)
                lower(&request, plan->limits);
        return sandbox_start(session->sandbox, &request, &session->job);
}

static int watch_segments(struct session *session)
{
        uid_t owner = 0;
        int fd = -1, failed;

        if (!session->plan.watches_segments || session->segments)
                return 0;
        failed = sandbox_segments(session->job, &fd, &owner);
        if (failed)
                return failed;
        failed = segments_new(fd, owner, session->plan.sees_inside ? session->plan.program : NULL,
                              &session->segments);
        if (failed)
                (void)close(fd); /* read only */
        return failed;
}

int session_open(struct sandbox *sandbox, const struct session_plan *plan,
                 struct session **ret_session)
{
        BASE_SCOPE(text_fini) struct text reports = TEXT_INIT(4096);
        struct session *session = calloc(1, sizeof(*session));
        const int yes = 1;
        int failed = 0;

        if (!session)
                return -ENOMEM;
        *session = (struct session){ .sandbox = sandbox,
                                     .plan = *plan,
                                     .output = TEXT_INIT(SESSION_OUTPUT_MAX),
                                     .reports_fd = -1 };
        if (session_tool_is_valgrind(plan))
                failed = sandbox_folder(sandbox, "reports", &session->reports_fd, &reports);
        if (!failed)
                failed = start(session, session->reports_fd >= 0 ? text_view(&reports) : NULL);
        /* From now on the kernel says with each message who sent it. */
        if (!failed &&
            setsockopt(sandbox_socket(session->job), SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)))
                failed = error_last();
        if (failed) {
                session_close(&session, NULL);
                return failed;
        }
        *ret_session = session;
        return 0;
}

bool session_is_over(const struct session *session)
{
        return !session->job || session->is_broken;
}

static void finish(struct session *session)
{
        if (!session->job)
                return;
        sandbox_kill(session->job);
        session->failed = sandbox_finish(&session->job, &session->end);
}

void session_close(struct session **address, struct text *output)
{
        struct session *session = *address;

        if (!session)
                return;
        if (session->job) {
                /* Its own end says what a tool finds at exit; a harness that stays is killed. */
                (void)shutdown(sandbox_socket(session->job), SHUT_RDWR);
                sandbox_kill(session->job);
                (void)sandbox_finish(&session->job, &session->end);
        }
        if (output)
                text_append_bytes(output, text_view(&session->output), session->output.length);
        segments_free(&session->segments);
        if (session->reports_fd >= 0)
                (void)close(session->reports_fd); /* read only */
        text_fini(&session->output);
        free(session->cases);
        free(session);
        *address = NULL;
}

/* ---- Messages ------------------------------------------------------------- */

static int say(struct session *session, const char *line)
{
        const size_t length = strlen(line);
        ssize_t sent;

        do
                sent = send(sandbox_socket(session->job), line, length, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent == (ssize_t)length ? 0 : -EPIPE;
}

/* > 0 bytes; 0: it is gone, or sent nothing; -ETIMEDOUT; -errno. */
static int hear(struct session *session, uint64_t deadline_ns, char line[static wire_line_max + 1],
                pid_t *ret_sender)
{
        struct pollfd polled = { .fd = sandbox_socket(session->job), .events = POLLIN };
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(16 * sizeof(int))];
        } control;
        struct iovec bytes = { .iov_base = line, .iov_len = wire_line_max };
        struct msghdr message = { .msg_iov = &bytes,
                                  .msg_iovlen = 1,
                                  .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        uint64_t now_ns = clock_monotonic_ns();
        struct ucred sender = { .pid = 0 };
        ssize_t length;
        int ready;

        ready = poll(&polled, 1,
                     now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns) / CLOCK_MS_NS) + 1);
        if (ready < 0)
                return errno == EINTR ? hear(session, deadline_ns, line, ret_sender) : error_last();
        if (!ready)
                return -ETIMEDOUT;
        length = recvmsg(polled.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (length <= 0)
                return 0;
        for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
                int *fds = (int *)(void *)CMSG_DATA(at);
                size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (at->cmsg_level != SOL_SOCKET)
                        continue;
                if (at->cmsg_type == SCM_CREDENTIALS)
                        memcpy(&sender, CMSG_DATA(at), sizeof(sender));
                for (size_t i = 0; at->cmsg_type == SCM_RIGHTS && i < count; i++)
                        (void)close(fds[i]); /* nobody asked for them */
        }
        line[length] = '\0';
        *ret_sender = sender.pid;
        return memchr(line, '\0', (size_t)length) || message.msg_flags & MSG_TRUNC ? 0
                                                                                   : (int)length;
}

/* ---- LIST ----------------------------------------------------------------- */

static bool take_word(const char *word, char *into, size_t size)
{
        const size_t length = strlen(word);

        if (length >= size)
                return false;
        for (size_t i = 0; i < length; i++)
                if (word[i] < '!' || word[i] > '~')
                        return false;
        memcpy(into, strcmp(word, "-") == 0 ? "" : word, strcmp(word, "-") == 0 ? 1 : length + 1);
        return true;
}

/* "KIND NAME AXIS SECONDS FILE LINE SIZE,SIZE..." */
static bool take_info(char *text, struct session_case *ret_case)
{
        char *words[info_words], *size;
        uint64_t kind, line;
        size_t count = 0;

        while (count < info_words && (words[count] = strsep(&text, " ")))
                count++;
        if (count != 7 || text_parse_u64(words[0], TOC_CASE_TEST_, TOC_CASE_CALM_, &kind) ||
            text_parse_u64(words[5], 0, UINT32_MAX, &line) ||
            text_parse_u64(words[3], 0, UINT64_MAX, &ret_case->seconds) ||
            !take_word(words[1], ret_case->name, sizeof(ret_case->name)) ||
            !take_word(words[2], ret_case->axis, sizeof(ret_case->axis)) ||
            !take_word(words[4], ret_case->file, sizeof(ret_case->file)))
                return false;
        ret_case->kind = (uint32_t)kind;
        ret_case->line = (unsigned)line;
        if (strcmp(words[6], "-") == 0)
                return true;
        while ((size = strsep(&words[6], ",")))
                if (ret_case->size_count == BASE_COUNT(ret_case->sizes) ||
                    text_parse_u64(size, 1, UINT64_MAX, &ret_case->sizes[ret_case->size_count++]))
                        return false;
        return true;
}

static int take_list(struct session *session, uint64_t deadline_ns)
{
        char line[wire_line_max + 1];
        uint64_t count;

        for (;;) {
                pid_t sender = 0;
                int length = hear(session, deadline_ns, line, &sender);

                if (length <= 0)
                        return SESSION_NO_CASES;
                if (session->harness && sender != session->harness)
                        return SESSION_NO_CASES;
                session->harness = sender;
                if (strncmp(line, "DONE ", 5) == 0)
                        return text_parse_u64(line + 5, 0, list_max, &count) ||
                                               count != session->case_count
                                       ? SESSION_NO_CASES
                                       : 0;
                if (strncmp(line, "INFO ", 5) != 0 || session->case_count == list_max ||
                    !take_info(line + 5, &session->cases[session->case_count]))
                        return SESSION_NO_CASES;
                session->case_count++;
        }
}

static int ensure_listed(struct session *session)
{
        const uint64_t wait_ns = (session->plan.tool == SESSION_PLAIN ? 15 : 60) * CLOCK_S_NS;
        int outcome = 0;

        if (session->has_listed)
                return 0;
        if (session_is_over(session))
                return SESSION_NO_CASES;
        session->cases = calloc(list_max, sizeof(*session->cases));
        if (!session->cases)
                return -ENOMEM;
        if (say(session, "LIST") || take_list(session, clock_monotonic_ns() + wait_ns)) {
                session->is_broken = true;
                finish(session);
                return session->failed ? session->failed : SESSION_NO_CASES;
        }
        session->has_listed = true;
        outcome = watch_segments(session);
        return outcome;
}

int session_list(struct session *session, const struct session_case **ret_cases, size_t *ret_count)
{
        int outcome = ensure_listed(session);

        if (outcome)
                return outcome;
        *ret_cases = session->cases;
        *ret_count = session->case_count;
        return 0;
}

/* ---- RUN ------------------------------------------------------------------ */

static int make_nonce(char nonce[static wire_nonce_length + 1])
{
        unsigned char bytes[wire_nonce_length / 2];

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
                return error_last();
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void)snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
        return 0;
}

static uint64_t wall_of(const struct session *session, const struct session_run *run)
{
        const bool is_slow = session->plan.tool != SESSION_PLAIN ||
                             session->plan.build == BUILD_ASAN || session->plan.build == BUILD_TSAN;

        return run->wall_max_ns ? run->wall_max_ns : run->run_ns + (is_slow ? 60 : 10) * CLOCK_S_NS;
}

static const char *const faults[] = {
        [SESSION_LEAK] = "leak=1",
        [SESSION_DEADLOCK] = "deadlock=100",
        [SESSION_SLOW] = "slow_us=5000",
        [SESSION_DESCRIPTOR] = "descriptor=1",
};

static int ask(struct session *session, const struct session_run *run, const char *nonce)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(wire_line_max);
        const char *counter = "none";

        if (session->plan.tool == SESSION_CALLGRIND)
                counter = "callgrind";
        else if (session->plan.tool == SESSION_PLAIN && run->size)
                counter = "perf";
        text_printf(&line, "RUN %s %s %llu wall_ms=%llu counter=%s", nonce, run->name,
                    (unsigned long long)run->seed,
                    (unsigned long long)(wall_of(session, run) / CLOCK_MS_NS), counter);
        if (run->fail_at)
                text_printf(&line, " fail=%llu sticky=%d", (unsigned long long)run->fail_at,
                            run->is_sticky);
        if (run->size)
                text_printf(&line, " size=%llu", (unsigned long long)run->size);
        if (run->threads)
                text_printf(&line, " threads=%u", run->threads);
        if (run->fault)
                text_printf(&line, " %s", faults[run->fault]);
        if (run->run_ns)
                text_printf(&line, " run_ms=%llu", (unsigned long long)(run->run_ns / CLOCK_MS_NS));
        if (run->sample_ns)
                text_printf(&line, " sample_ms=%llu",
                            (unsigned long long)(run->sample_ns / CLOCK_MS_NS));
        return line.error ? line.error : say(session, text_view(&line));
}

/* The segment is looked at while its process stands still. */
static int look(struct session *session, struct talk *talk, enum talk_wants wants)
{
        const char *why = "";
        int outcome = 0;

        if (session->segments && wants == TALK_GO_TICK)
                outcome = segments_tick(session->segments, talk->tick_s, &why);
        if (session->segments && wants == TALK_GO_LAST)
                outcome = segments_last(session->segments, &why);
        if (outcome == SEGMENTS_BROKEN) {
                talk->lost = why;
                talk->verdict->kind = "segment";
        }
        if (outcome == SEGMENTS_BLIND) {
                talk->lost = why;
                talk->verdict->kind = "tool";
        }
        return outcome;
}

/* As hear(). Meanwhile rule time passes for a case that cannot tick, because it hangs. */
static int hear_and_tick(struct session *session, struct talk *talk, uint64_t deadline_ns,
                         char line[static wire_line_max + 1], pid_t *ret_sender)
{
        const uint64_t second_ns = talk->run->second_ns;

        while (second_ns && session->segments && talk->stage == TALK_BEGUN) {
                uint64_t due_ns = talk->ticked_ns + second_ns;
                int outcome = hear(session, due_ns < deadline_ns ? due_ns : deadline_ns, line,
                                   ret_sender);

                if (outcome != -ETIMEDOUT || due_ns >= deadline_ns)
                        return outcome;
                talk->ticked_ns = due_ns;
                talk->tick_s = 1;
                outcome = look(session, talk, TALK_GO_TICK);
                if (outcome)
                        return outcome < 0 ? outcome : 0;
        }
        return hear(session, deadline_ns, line, ret_sender);
}

/* 0: it ended as talk says, or is lost. */
static int converse(struct session *session, struct talk *talk, uint64_t deadline_ns)
{
        char line[wire_line_max + 1];

        for (;;) {
                enum talk_stage before = talk->stage;
                pid_t sender = 0;
                int length = hear_and_tick(session, talk, deadline_ns, line, &sender);
                enum talk_wants wants;
                int outcome;

                if (length < 0 && length != -ETIMEDOUT)
                        return length;
                if (length == 0 && talk->lost)
                        return 0;
                if (length == -ETIMEDOUT) {
                        talk->lost = "neither the case nor the harness ended in time";
                        return 0;
                }
                if (length <= 0) {
                        talk->lost = "the harness itself ended";
                        return 0;
                }
                wants = talk_take(talk, line, sender);
                if (wants == TALK_LOST || wants == TALK_END)
                        return 0;
                if (session->segments && before == TALK_ASKED && talk->stage == TALK_BEGUN) {
                        segments_begin(session->segments, talk->child_inside, talk->child);
                        talk->ticked_ns = clock_monotonic_ns();
                }
                outcome = look(session, talk, wants);
                if (outcome)
                        return outcome < 0 ? outcome : 0;
                if ((wants == TALK_GO_TICK || wants == TALK_GO_LAST) && say(session, "GO")) {
                        talk->lost = "the harness itself ended";
                        return 0;
                }
        }
}

/* Nothing that comes from there can be believed any more. */
static int conclude_lost(struct session *session, struct session_verdict *verdict, const char *why)
{
        BASE_SCOPE(text_fini) struct text end = TEXT_INIT(400);
        BASE_SCOPE(text_fini) struct text escaped = TEXT_INIT(500);
        const bool was_running = session->job != NULL;

        session->is_broken = true;
        (void)usleep(settle_us); /* if it is ending, let it end as it does */
        finish(session);
        if (session->failed)
                return session->failed;
        verdict->state = SESSION_LOST;
        if (!*verdict->kind && session->end.how == SANDBOX_FLOODED)
                verdict->kind = "flood";
        if (!*verdict->kind && session->end.how == SANDBOX_OUT_OF_MEMORY)
                verdict->kind = "memory";
        sandbox_append_end(&session->end, &end);
        text_append_escaped(&escaped, why, strlen(why));
        (void)snprintf(verdict->message, sizeof(verdict->message), "%s%s%s%s", text_view(&escaped),
                       was_running ? " (" : ": ", text_view(&end), was_running ? ")" : "");
        text_append_bytes(&verdict->output, text_view(&session->output), session->output.length);
        return 0;
}

int session_run(struct session *session, const struct session_run *run,
                struct session_verdict *ret_verdict)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        struct talk talk = { .run = run, .verdict = &verdict };
        int outcome = ensure_listed(session);

        if (!outcome)
                outcome = make_nonce(talk.nonce);
        if (outcome < 0)
                return outcome;
        talk.harness = session->harness;
        if (session->segments)
                segments_begin(session->segments, 0, 0);
        if (outcome > 0 || session_is_over(session) || ask(session, run, talk.nonce))
                talk.lost = "the harness does not answer as it should";
        else
                outcome = converse(session, &talk,
                                   clock_monotonic_ns() + wall_of(session, run) + 15 * CLOCK_S_NS);
        if (outcome >= 0)
                outcome = 0;
        if (!outcome && session->segments)
                outcome = segments_collect(session->segments, &verdict);
        if (!outcome && talk.lost) {
                outcome = conclude_lost(session, &verdict, talk.lost);
        } else if (!outcome) {
                session_tool_report(session->plan.tool, session->reports_fd, talk.child_inside,
                                    &verdict);
                talk_conclude(&talk);
        }
        if (outcome) {
                session_verdict_fini(&verdict);
                return outcome;
        }
        *ret_verdict = verdict;
        return 0;
}

/* ---- Many ----------------------------------------------------------------- */

static int run_one(struct session *session, const struct session_run *run, session_each *each,
                   void *context)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        int outcome = session_run(session, run, &verdict);

        if (!outcome)
                outcome = each(context, run, &verdict);
        session_verdict_fini(&verdict);
        return outcome;
}

int session_run_all(struct sandbox *sandbox, const struct session_plan *plan,
                    const struct session_run *runs, size_t run_count, session_each *each,
                    void *context)
{
        struct session *session = NULL;
        int outcome = 0;

        for (size_t i = 0; i < run_count && !outcome; i++) {
                if (session && session_is_over(session))
                        session_close(&session, NULL);
                if (!session)
                        outcome = session_open(sandbox, plan, &session);
                if (!outcome)
                        outcome = run_one(session, &runs[i], each, context);
        }
        session_close(&session, NULL);
        return outcome;
}
