/* SPDX-License-Identifier: Apache-2.0 */
/* fault_label.c - blocks that are freed twice or overrun. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(label, "Small blocks");

static FAULTS_SITE char *label_new(void)
{
        char *label = malloc(24);

        if (!label)
                exit(9);
        memset(label, 'l', 24);
        return faults_unknown(label);
}

static FAULTS_SITE void label_drop(char *label)
{
        free(faults_unknown(label));
        (void)faults_unknown(label); /* no tail call: it would not be on the stack */
}

static FAULTS_SITE void label_write(char *label, size_t length)
{
        char *at = faults_unknown(label);

        for (size_t i = 0; i < length; i++)
                at[i] = 'x';
}

void double_free(void)
{
        TOC_ENTER(label);
        char *label = label_new();

        faults_begin();
        label_drop(label);
        label_drop(label);
}

void double_free_not(void)
{
        TOC_ENTER(label);

        for (;;) {
                for (unsigned i = 0; i < 100; i++)
                        label_drop(label_new());
                faults_pause_ms(10);
        }
}

static void write_all(size_t length)
{
        TOC_ENTER(label);
        char *label = label_new();

        faults_begin();
        label_write(label, length);
        label_drop(label);
}

void overflow_by_one(void)
{
        write_all(25);
}

void overflow_by_one_not(void)
{
        write_all(24);
}
