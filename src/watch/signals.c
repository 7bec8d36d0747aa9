/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a handler can do next to nothing, and because Ctrl-C reaches the program by itself
 * while kill(1) does not: only the signal's origin tells.
 */
#include "watch/signals.h"

#include "base/base.h"
#include "base/error.h"

#include <sys/signalfd.h>
#include <unistd.h>

static const int taken[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };

/* A write that fails tells of it. Blocked and not ignored, because the program would inherit
 * that. */
static const int unwanted[] = { SIGPIPE, SIGXFSZ };

int signals_open(struct signals *signals)
{
        /* Ignored, it would take the status of the program away. */
        struct sigaction usual = { .sa_handler = SIG_DFL };
        sigset_t set, blocked;

        sigemptyset(&set);
        for (size_t i = 0; i < BASE_COUNT(taken); i++)
                sigaddset(&set, taken[i]);
        blocked = set;
        for (size_t i = 0; i < BASE_COUNT(unwanted); i++)
                sigaddset(&blocked, unwanted[i]);
        signals->fd = -1;
        if (sigaction(SIGCHLD, &usual, &signals->child_action) ||
            sigprocmask(SIG_BLOCK, &blocked, &signals->inherited))
                return error_last();
        signals->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        return signals->fd < 0 ? error_last() : 0;
}

void signals_close(struct signals *signals)
{
        if (signals->fd >= 0)
                (void)close(signals->fd); /* read only */
        signals->fd = -1;
}

bool signals_take(struct signals *signals, struct signals_one *ret_signal)
{
        struct signalfd_siginfo info;

        if (read(signals->fd, &info, sizeof(info)) != sizeof(info))
                return false;
        ret_signal->number = (int)info.ssi_signo;
        ret_signal->is_from_terminal = info.ssi_code == SI_KERNEL;
        return true;
}

void signals_restore(const struct signals *signals)
{
        /* Both were valid when they were taken. */
        (void)sigaction(SIGCHLD, &signals->child_action, NULL);
        (void)sigprocmask(SIG_SETMASK, &signals->inherited, NULL);
}
