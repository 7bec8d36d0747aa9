/* SPDX-License-Identifier: Apache-2.0 */
/* fault_desk.c - memory that is forgotten where something else went wrong. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(desk, "Requests, of which one in a hundred is refused");

/* 500 requests a second, 5 of them refused. */
static FAULTS_SITE char *request_body_new(size_t size)
{
        char *body = calloc(1, size);

        if (!body)
                exit(9);
        return faults_unknown(body);
}

static FAULTS_SITE int request_serve(unsigned number, bool forgets)
{
        TOC_ENTER(desk);
        char *body = request_body_new(512);

        if (number % 100 == 99) {
                if (!(forgets && faults_has_begun()))
                        free(body);
                return -1;
        }
        free(body);
        return 0;
}

static void serve_all(bool forgets)
{
        for (unsigned number = 0;; number++) {
                (void)request_serve(number, forgets); /* refusals are part of it */
                if (number % 10 == 9)
                        faults_pause_ms(20);
        }
}

void leak_error(void)
{
        serve_all(true);
}

void leak_error_not(void)
{
        serve_all(false);
}
