/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c - plug-ins that want to bind to what they bring along (RTLD_DEEPBIND) would get libc's
 * free for blocks of our malloc, so they bind as others do.
 *
 * dlopen() looks at its return address for the folders to search: it has to be called as the last
 * thing, by a jump, so that it sees our caller's. */
#include <dlfcn.h>

#include "inside/inside.h"
#include "inside/real.h"

static void *(*real_dlopen)(const char *, int);

void inside_plugin_start(void)
{
        INSIDE_REAL(real_dlopen, "dlopen");
}

INSIDE_PUBLIC void *dlopen(const char *path, int flags)
{
        if (inside_.state == INSIDE_ASLEEP)
                inside_start();
        return real_dlopen(path, flags & ~RTLD_DEEPBIND);
}
