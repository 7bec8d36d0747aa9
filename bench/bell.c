/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because what a failed expectation costs cannot be seen in a loop: in a loop its code is
 * warm, its bell is silent, and its report is suppressed. */
#include "bell.h"

#include "base/base.h"
#include "base/clock.h"
#include "base/error.h"
#include "crew.h"
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { pause_ns = 12000000 }; /* 5 ms between two rings, read from a clock that steps by up to 4 */

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener_cpu = -1;

struct listener {
        int fd;
        pthread_t thread;
        sem_t heard;
        uint64_t heard_ns;
};

int bell_place(const char *directory, int cpu)
{
        int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/bell", directory);

        listener_cpu = cpu;
        return length < 0 || (size_t)length >= sizeof address.sun_path ? -ENAMETOOLONG : 0;
}

static void *listen_until_shut(void *argument)
{
        struct listener *listener = argument;
        char ring[8];

        while (recv(listener->fd, ring, sizeof ring, 0) > 0) {
                listener->heard_ns = clock_monotonic_ns();
                (void)sem_post(&listener->heard); /* cannot overflow: one ring a pause */
        }
        return NULL;
}

static int start(struct listener *listener)
{
        int failed = pthread_create(&listener->thread, NULL, listen_until_shut, listener);

        if (!failed && listener_cpu >= 0)
                (void)crew_bind(listener->thread, listener_cpu); /* else it runs where it may */
        return -failed;
}

static int listener_open(struct listener *listener)
{
        int failed;

        *listener = (struct listener){ .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
        if (listener->fd < 0)
                return error_last();
        (void)sem_init(&listener->heard, 0, 0); /* cannot fail: not shared between processes */
        failed = bind(listener->fd, (const struct sockaddr *)&address, sizeof address);
        failed = failed ? error_last() : start(listener);
        if (failed) {
                (void)unlink(address.sun_path); /* may not be there */
                (void)close(listener->fd);      /* nothing was written through it */
        }
        return failed;
}

static void listener_close(struct listener *listener)
{
        (void)shutdown(listener->fd, SHUT_RDWR);    /* ends its recv() */
        (void)pthread_join(listener->thread, NULL); /* it is ours, and joined once */
        (void)unlink(address.sun_path);             /* else the next bind() says so */
        (void)close(listener->fd);                  /* nothing was written through it */
        (void)sem_destroy(&listener->heard);        /* nobody waits */
}

static int wait_until_heard(struct listener *listener)
{
        struct timespec until = { 0 };

        (void)clock_gettime(CLOCK_REALTIME, &until); /* cannot fail */
        until.tv_sec++;
        while (sem_timedwait(&listener->heard, &until))
                if (errno != EINTR)
                        return error_last();
        return 0;
}

static void pause_a_while(void)
{
        const struct timespec rest = { .tv_nsec = pause_ns };

        (void)nanosleep(&rest, NULL); /* cut short by a signal: one figure is a little off */
}

/* The call, and from its start until it was heard. */
static int miss_heard(uint64_t *ret_call_ns, uint64_t *ret_heard_ns)
{
        struct listener listener;
        uint64_t start_ns, end_ns;
        int failed = listener_open(&listener);

        if (failed)
                return failed;
        pause_a_while();
        start_ns = clock_monotonic_ns();
        loop_miss();
        end_ns = clock_monotonic_ns();
        failed = wait_until_heard(&listener);
        listener_close(&listener);
        if (failed)
                return failed;
        *ret_call_ns = end_ns - start_ns;
        *ret_heard_ns = listener.heard_ns - start_ns;
        return 0;
}

int bell_miss_unheard(uint64_t *ret_ns)
{
        uint64_t start_ns;

        pause_a_while();
        start_ns = clock_monotonic_ns();
        loop_miss();
        *ret_ns = clock_monotonic_ns() - start_ns;
        return 0;
}

int bell_miss_heard(uint64_t *ret_ns)
{
        uint64_t unused;

        return miss_heard(ret_ns, &unused);
}

int bell_doorbell(uint64_t *ret_ns)
{
        uint64_t unused;

        return miss_heard(&unused, ret_ns);
}
