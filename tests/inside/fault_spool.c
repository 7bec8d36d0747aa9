/* SPDX-License-Identifier: Apache-2.0 */
/* fault_spool.c - descriptors that are lost. */
#include "faults.h"

#include <fcntl.h>
#include <stdlib.h>
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

void fd_leak(void)
{
        print_all(true);
}

void fd_leak_not(void)
{
        print_all(false);
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
