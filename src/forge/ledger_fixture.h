/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_fixture.h - an empty folder for each test, in which a run may be made.
 *
 * Ownership: removed by leave(). Threads: one. Errors: the test is not run. Limits: one at a time.
 */
#ifndef FORGE_LEDGER_FIXTURE_H
#define FORGE_LEDGER_FIXTURE_H

#include "base/file.h"

#include <unistd.h>

struct place {
        char path[64];
        int fd;
};

static inline int enter(void **state)
{
        static struct place place;

        (void)snprintf(place.path, sizeof(place.path), "/tmp/tocsin-forge-test-XXXXXX");
        if (!mkdtemp(place.path))
                return -1;
        place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &place;
        return place.fd < 0 ? -1 : 0;
}

static inline int leave(void **state)
{
        struct place *place = *state;

        (void)close(place->fd);
        return file_remove_tree(AT_FDCWD, place->path);
}

#endif
