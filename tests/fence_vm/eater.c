/* SPDX-License-Identifier: Apache-2.0 */
/* eater.c - comes near a limit, or beyond it. usage: eater memory|nearly|fork
 *
 * memory: a MiB each 20 ms, for ever; nearly: 60 MiB, and rests for 8 s; fork: 100 children. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(barn, "Keeps everything");

enum { MIB = 1 << 20, NEARLY_MIB = 60, CHILDREN = 100 };

static char *volatile kept;

static void keep(void)
{
        TOC_ENTER(barn);

        kept = malloc(MIB);
        if (kept)
                memset(kept, 1, MIB);
}

static void start_children(void)
{
        for (int i = 0; i < CHILDREN; i++)
                if (fork() == 0) {
                        (void)sleep(20);
                        _exit(0);
                }
        (void)sleep(8);
}

int main(int argc, char **argv)
{
        const char *what = argc == 2 ? argv[1] : "";
        int count = strcmp(what, "nearly") == 0 ? NEARLY_MIB : -1;

        if (strcmp(what, "fork") == 0) {
                start_children();
                return 0;
        }
        for (int i = 0; i != count; i++) {
                keep();
                (void)usleep(20000);
        }
        (void)sleep(8);
        return 0;
}
