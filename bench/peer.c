/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that nobody else has to ask which libraries are here. */
#include "peer.h"

#include "base/base.h"
#include "inside.h"

struct peer {
        const char *library;
        int (*open)(const char *directory); /* NULL: was not there when this was built */
        void (*close)(void);
        bool is_open;
};

static struct peer peers[] = {
        { "mmv", peer_mmv_open, peer_mmv_close, false },
        { "hdr", peer_hdr_open, peer_hdr_close, false },
        { "prometheus", peer_prometheus_open, peer_prometheus_close, false },
        { "lttng", peer_lttng_open, peer_lttng_close, false },
        { "glib", peer_glib_open, peer_glib_close, false },
};

void peer_open(const char *directory)
{
        for (size_t i = 0; i < BASE_COUNT(peers); i++)
                peers[i].is_open = peers[i].open && peers[i].open(directory) == 0;
}

void peer_close(void)
{
        for (size_t i = 0; i < BASE_COUNT(peers); i++) {
                if (peers[i].is_open)
                        peers[i].close();
                peers[i].is_open = false;
        }
}

bool peer_is_here(const char *library)
{
        for (size_t i = 0; i < BASE_COUNT(peers); i++)
                if (strcmp(peers[i].library, library) == 0)
                        return peers[i].is_open;
        if (strcmp(library, "inside") == 0)
                return inside_is_here();
        if (strcmp(library, "jemalloc") == 0)
                return inside_has_jemalloc();
        return true;
}
