/* SPDX-License-Identifier: Apache-2.0 */
/* fault_spool.c - descriptors that are lost. */
#include "faults.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(spool, "Files that are printed");

static FAULTS_SITE int spool_open(void)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                exit(9);
        return fd;
}

static FAULTS_SITE void spool_print(bool forgets)
{
        TOC_ENTER(spool);
        int fd = spool_open();

        if (!(forgets && faults_has_begun()))
                (void)close(fd); /* nothing was written through it */
}

static void print_all(bool forgets)
{
        for (;;) {
                spool_print(forgets);
                faults_pause_ms(100);
        }
}

/* As most services are started: at ten a second that is a minute and a half. */
static void limit_files(rlim_t most)
{
        const struct rlimit limit = { .rlim_cur = most, .rlim_max = most };

        if (setrlimit(RLIMIT_NOFILE, &limit))
                exit(9);
}

void fd_leak(void)
{
        limit_files(1024);
        print_all(true);
}

void fd_leak_not(void)
{
        limit_files(1024);
        print_all(false);
}

/* Load that comes, and goes all at once. */
void fd_ramp(void)
{
        int open_fds[256];

        limit_files(16384);
        for (unsigned i = 0; i < 256; i++) {
                TOC_ENTER(spool);
                open_fds[i] = spool_open();
                faults_pause_ms(200);
        }
        for (unsigned i = 0; i < 256; i++)
                (void)close(open_fds[i]); /* nothing was written through it */
}

/* ---- Writing ----------------------------------------------------------------------------*/

static FAULTS_SITE void spool_write(int fd)
{
        TOC_ENTER(spool);
        ssize_t written = write(fd, "page", 4);

        (void)written; /* nobody looks: that is the point */
}

static void write_all(const char *path)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                exit(9);
        faults_begin();
        for (;;) {
                spool_write(fd);
                faults_pause_ms(100);
        }
}

void disk_full(void)
{
        write_all("/dev/full");
}

void disk_full_not(void)
{
        write_all("/dev/null");
}
