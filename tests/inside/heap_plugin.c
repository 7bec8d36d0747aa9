/* SPDX-License-Identifier: Apache-2.0 */
/* heap_plugin.c - a library whose constructor registers a handler of fork that allocates, and
 * which frees what others made. */
#include <pthread.h>
#include <stdlib.h>

void *plugin_make(size_t size);
void plugin_end(void *memory);

void *plugin_make(size_t size)
{
        return malloc(size);
}

void plugin_end(void *memory)
{
        free(memory);
}

static void in_child(void)
{
        for (int i = 0; i < 1000; i++)
                if (!malloc(1000))
                        abort();
}

__attribute__((constructor)) static void at_start(void)
{
        if (pthread_atfork(NULL, NULL, in_child))
                abort();
}
