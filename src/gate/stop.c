/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals are caught and not blocked, because blocked ones would be inherited by what we start.
 */
#include "gate/stop.h"
#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static int stop_fd = -1;
static volatile sig_atomic_t asked;   /* the signal, 0: none */
static volatile sig_atomic_t is_late; /* the time is over */

static void on_signal(int number)
{
        const int saved = errno;
        const uint64_t one = 1;

        if (number == SIGALRM)
                is_late = 1;
        else if (!asked)
                asked = number;
        if (write(stop_fd, &one, sizeof(one)) < 0)
                errno = saved; /* it is full, hence readable */
        errno = saved;
}

int stop_listen(void)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        struct sigaction old;

        stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (stop_fd < 0)
                return error_last();
        /* None of these can fail: the numbers are valid. */
        (void)signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of writing */
        (void)sigaction(SIGALRM, &action, NULL);
        for (size_t i = 0; i < BASE_COUNT(signals); i++) {
                (void)sigaction(signals[i], NULL, &old);
                if (old.sa_handler != SIG_IGN) /* nohup */
                        (void)sigaction(signals[i], &action, NULL);
        }
        return 0;
}

int stop_descriptor(void)
{
        return stop_fd;
}

bool stop_is_asked(void)
{
        return asked;
}

int stop_signal(void)
{
        return asked;
}

void stop_at(uint64_t in_ns)
{
        const struct itimerval timer = { .it_value = { .tv_sec = (time_t)(in_ns / CLOCK_S_NS) } };
        uint64_t count;

        if (is_late && !asked) {
                is_late = 0;
                if (read(stop_fd, &count, sizeof(count)) < 0)
                        is_late = 0; /* it was empty already */
                if (asked)
                        on_signal(asked); /* what came meanwhile was read with it */
        }
        (void)setitimer(ITIMER_REAL, &timer, NULL); /* cannot fail with such a time */
}

void stop_die(void)
{
        (void)signal(asked, SIG_DFL); /* both: the number is valid */
        (void)raise(asked);
}
