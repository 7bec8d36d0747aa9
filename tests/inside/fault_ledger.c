/* SPDX-License-Identifier: Apache-2.0 */
/* fault_ledger.c - memory that is forgotten now and then, among much that is not. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(ledger, "Lines that are written down and thrown away");

/* 2000 operations a second. */
enum { late_max = 16 }; /* at 2 a second: each lives for 8 s */

static FAULTS_SITE char *ledger_line_new(unsigned number)
{
        size_t size = 200 + number % 100;
        char *line = malloc(size);

        if (!line)
                exit(9);
        memset(line, 'a', size);
        return faults_unknown(line);
}

static FAULTS_SITE void ledger_post(unsigned number, bool forgets)
{
        static char *late[late_max];
        static unsigned turn;
        TOC_ENTER(ledger);
        char *line = ledger_line_new(number);

        if (number % 1000 != 999) {
                free(line);
                return;
        }
        if (forgets && faults_has_begun())
                return;
        free(late[turn % late_max]);
        late[turn++ % late_max] = line;
}

static void post_all(bool forgets)
{
        for (unsigned number = 0;; number++) {
                ledger_post(number, forgets);
                if (number % 20 == 19)
                        faults_pause_ms(10);
        }
}

void leak_slow(void)
{
        post_all(true);
}

void leak_slow_not(void)
{
        post_all(false);
}
