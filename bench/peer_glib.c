/* SPDX-License-Identifier: Apache-2.0 */
/* peer_glib.c - GLib's structured log, with a writer that does nothing: what is left is making the
 * message and its fields. */
#include "peer.h"

#define G_LOG_DOMAIN "tocsin-bench"
#include <glib.h>

static GLogWriterOutput drop(GLogLevelFlags level, const GLogField *fields, gsize count,
                             gpointer data)
{
        (void)level;
        (void)fields;
        (void)count;
        (void)data;
        return G_LOG_WRITER_HANDLED;
}

int peer_glib_open(const char *directory)
{
        (void)directory;
        g_log_set_writer_func(drop, NULL, NULL);
        return 0;
}

void peer_glib_close(void)
{
}

void peer_glib_log(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "CODE", "-5", "MESSAGE",
                                 "code %d msg %s", (int)i, "cannot open index");
}
