/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - runs a program of which we believe nothing.
 *
 *         struct sandbox *sandbox = NULL;
 *         int outcome = sandbox_new(&settings, &sandbox, &why);
 *         struct sandbox_request request = { .argv = argv, .wall_max_ns = 10 * CLOCK_S_NS, ... };
 *         struct sandbox_end end;
 *         outcome = sandbox_run(sandbox, &request, &end);
 *
 * Layers, from outside: an unprivileged uid of its own (root only), a cgroup for memory and
 * processes (root, or a delegated v2 tree), rlimits, namespaces without network by bubblewrap, a
 * seccomp filter, a wall deadline and a limit on output that the gate keeps itself. Nothing of the
 * environment is inherited. When it ends, whatever it started is dead.
 *
 * Units:     nanoseconds, bytes, seconds of CPU. Ownership: requests are the caller's; a job is
 *            the sandbox's until sandbox_finish().
 * Errors:    0: it ran, and how it ended is in `end`, whatever that was. -errno, with a sentence in
 *            `why` of the sandbox (sandbox_why): it could not be run, so nobody knows.
 *            -ECANCELED: stopped, or not begun, because somebody asked for it (stop_fd).
 * Threads:   a sandbox may be used by many threads; a job by one, from start to finish: when the
 *            thread that started it ends, the job is killed.
 * Process:   sandbox_new() makes it a subreaper: orphans of its children become its own.
 * Limits:    sandbox_bind_max binds; output beyond output_max_bytes ends the job (SANDBOX_FLOODED).
 */
#ifndef GATE_SANDBOX_H
#define GATE_SANDBOX_H

#include "base/clock.h"
#include "base/text.h"

#include <sys/types.h>

enum { sandbox_bind_max = 24 };

struct sandbox;
struct sandbox_job;

struct sandbox_settings {
        int stop_fd;       /* readable (and left unread) once everything has to stop; -1: never */
        bool needs_layers; /* --require-sandbox: a missing layer is an error of sandbox_new */
};

/* What this host gives, for the verdict. Constant words: "bubblewrap", "cgroup v1"; NULL: not had,
 * and then `missing` says in one sentence each what and why. */
struct sandbox_layers {
        const char *uid;
        const char *cgroup;
        const char *namespaces;
        const char *seccomp;
        const char *rlimits;
        struct text missing; /* sentences joined by "; ", empty: none is missing */
};

/* 0; -ENOENT: bubblewrap is not installed (why names the package); -EPERM and others: why says. */
int sandbox_new(const struct sandbox_settings *settings, struct sandbox **ret_sandbox,
                struct text *why);
void sandbox_free(struct sandbox **sandbox); /* removes groups and folders that it made */
const struct sandbox_layers *sandbox_layers(const struct sandbox *sandbox);

/* A folder below the sandbox's scratch that the sandboxed uid may write to, 0700, and that is
 * removed with the sandbox at the latest. A descriptor, and its path for binds. */
int sandbox_folder(struct sandbox *sandbox, const char *stem, int *ret_fd, struct text *ret_path);
/* Makes files in it readable for the sandboxed uid and nobody else. */
int sandbox_hand_over(struct sandbox *sandbox, int dir_fd, const char *name);

struct sandbox_bind {
        const char *host;
        const char *inside;
        bool is_writable;
};

struct sandbox_request {
        const char *const *argv;        /* argv[0] a path inside; ends with NULL */
        const char *const *environment; /* "NAME=VALUE"...; NULL: PATH, HOME, LC_ALL only */
        const char *directory;          /* inside; NULL: /tmp */
        const struct sandbox_bind *binds;
        size_t bind_count;
        uint64_t wall_max_ns;      /* 0: 60 s */
        uint64_t cpu_max_s;        /* 0: twice the wall */
        uint64_t memory_max_bytes; /* of the cgroup; without one RLIMIT_AS, unless is_sanitized;
                                      0: 1 GiB */
        uint64_t file_max_bytes;   /* 0: 256 MiB; also the size of /tmp */
        uint64_t output_max_bytes; /* 0: 1 MiB */
        uint64_t process_max;      /* processes and threads; 0: 64 */
        uint64_t cpu_max_permille; /* of one core, where a cgroup can; 0: all */
        uint64_t descriptor_max;   /* 0: 1024 */
        bool is_sanitized;         /* no RLIMIT_AS, which ASan and TSan cannot bear */
        bool lets_ptrace;          /* LeakSanitizer dies without it */
        bool lets_perf;            /* perf_event_open for instruction counts */
        bool fixes_addresses;      /* ADDR_NO_RANDOMIZE: TSan */
        bool has_segments;         /* a private tmpfs of 64 MiB at /run/tocsin and $TOCSIN_DIR */
        bool has_socket;     /* a SOCK_SEQPACKET pair: descriptor 3 inside, job socket outside */
        struct text *output; /* standard output and error together; NULL: dropped (still capped) */
};

enum sandbox_how {
        SANDBOX_EXITED,        /* code is the status */
        SANDBOX_KILLED,        /* code is the signal */
        SANDBOX_LATE,          /* wall_max_ns */
        SANDBOX_FLOODED,       /* output_max_bytes */
        SANDBOX_OUT_OF_MEMORY, /* the cgroup killed it */
};

struct sandbox_end {
        enum sandbox_how how;
        int code;
        uint64_t wall_ns;
        uint64_t memory_peak_bytes; /* 0: not known */
        bool was_refused_processes; /* the limit on processes was met */
        bool left_processes;        /* something still ran when its first process had ended */
};

int sandbox_run(struct sandbox *sandbox, const struct sandbox_request *request,
                struct sandbox_end *ret_end);

/* The same in two steps, for those who talk to it meanwhile. */
int sandbox_start(struct sandbox *sandbox, const struct sandbox_request *request,
                  struct sandbox_job **ret_job);
int sandbox_socket(const struct sandbox_job *job);
/* A descriptor of /run/tocsin inside, for segment_open(); opened without following links, or
 * -errno. The caller closes it. owners[0] is the uid its files belong to. */
int sandbox_segments(struct sandbox_job *job, int *ret_dir_fd, uid_t *ret_owner);
void sandbox_kill(struct sandbox_job *job);
/* Waits for its end (the deadline counts from the start); frees the job. */
int sandbox_finish(struct sandbox_job **job, struct sandbox_end *ret_end);

/* The sentence to the last -errno of this thread; "" if none. */
const char *sandbox_why(void);

/* "exit status 3", "killed by SIGSEGV", "did not end within 10s", ... */
void sandbox_append_end(const struct sandbox_end *end, struct text *into);

#endif
