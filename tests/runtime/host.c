/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - knows nothing of Tocsin and loads a plug-in that does: the runtime itself comes by
 * dlopen then, with its thread-local variables. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
        void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
        void (*count)(void);
        char line[8];

        if (!handle) {
                fprintf(stderr, "host: %s\n", argc > 1 ? dlerror() : "usage: host PLUGIN");
                return 1;
        }
        *(void **)&count = dlsym(handle, "plugin_count");
        count();
        puts("ready");
        fflush(stdout);
        (void)!fgets(line, sizeof line, stdin);
        return dlclose(handle);
}
