/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - knows nothing of Tocsin and loads a plug-in that does: the runtime itself comes by
 * dlopen then, with its thread-local variables. With a second argument a thread of its own counts
 * too, and ends only after the plug-in was unloaded. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static void (*count)(void);
static pthread_barrier_t barrier;

static void *count_and_outlive(void *unused)
{
        count();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        return unused;
}

int main(int argc, char **argv)
{
        void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
        pthread_t thread;
        char line[8];
        int failed;

        if (!handle) {
                fprintf(stderr, "host: %s\n", argc > 1 ? dlerror() : "usage: host PLUGIN [thread]");
                return 1;
        }
        *(void **)&count = dlsym(handle, "plugin_count");
        count();
        if (argc > 2) {
                pthread_barrier_init(&barrier, NULL, 2);
                if (pthread_create(&thread, NULL, count_and_outlive, NULL))
                        return 1;
                pthread_barrier_wait(&barrier);
        }
        puts("ready");
        fflush(stdout);
        (void)!fgets(line, sizeof line, stdin);
        failed = dlclose(handle);
        if (argc > 2) {
                pthread_barrier_wait(&barrier);
                pthread_join(thread, NULL);
        }
        return failed;
}
