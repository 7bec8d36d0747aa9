/* SPDX-License-Identifier: Apache-2.0 */
/* hoard.c - a module that keeps what it is asked to keep, beside hoard_shed.c with equal budgets.
 * usage: hoard memory|descriptors|nothing; ends at the end of its standard input with status 7. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(barn, "Keeps everything", TOC_BUDGET(live_bytes, 1 << 20, TOC_WARN, "the barn is full"),
           TOC_BUDGET(descriptors, 8, TOC_NOTE, "the barn has too many doors"));
static void *kept;

static void keep_memory(void)
{
        TOC_ENTER(barn);

        kept = malloc(3 << 20);
        if (!kept)
                exit(9);
        memset(kept, 1, 3 << 20);
}

static void keep_descriptors(void)
{
        TOC_ENTER(barn);

        for (int i = 0; i < 20; i++)
                if (open("/dev/null", O_RDONLY) < 0)
                        exit(9);
}

int main(int argc, char **argv)
{
        void *outside = malloc(5 << 20); /* of no module */

        if (!outside || argc != 2)
                return 9;
        memset(outside, 1, 5 << 20);
        if (strcmp(argv[1], "memory") == 0)
                keep_memory();
        if (strcmp(argv[1], "descriptors") == 0)
                keep_descriptors();
        puts("kept");
        (void)fflush(stdout); /* who reads it notices */
        while (getchar() != EOF)
                ;
        free(outside);
        free(kept);
        return 7;
}
