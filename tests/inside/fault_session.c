/* SPDX-License-Identifier: Apache-2.0 */
/* fault_session.c - work that comes in bursts, and what it leaves where it is over. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

enum { AT_ONCE = 64, SESSION_BYTES = 1 << 10, REST_MS = 2500, BURSTS_MS = 400 };

/* A burst holds four times as much. */
TOC_MODULE(session, "Sessions, of which many come at once and then none",
           TOC_BUDGET(idle_bytes, 16 << 10, TOC_WARN,
                      "sessions are over, and their memory is kept"));

struct session {
        struct session *next;
        char body[SESSION_BYTES];
};

static struct session *open_sessions, *over;

static FAULTS_SITE void session_open(void)
{
        struct session *session = calloc(1, sizeof(*session));

        if (!session)
                exit(9);
        session->next = open_sessions;
        open_sessions = session;
}

static FAULTS_SITE void session_close_all(bool keeps)
{
        while (open_sessions) {
                struct session *session = open_sessions;

                open_sessions = session->next;
                session->next = over;
                if (keeps)
                        over = session; /* and nobody ever asks for it again */
                else
                        free(session);
        }
}

static FAULTS_SITE void session_burst(bool keeps)
{
        TOC_ENTER(session);

        for (unsigned i = 0; i < AT_ONCE; i++)
                session_open();
        faults_pause_ms(BURSTS_MS);
        session_close_all(keeps && faults_has_begun());
}

static void serve_bursts(bool keeps)
{
        for (;;) {
                session_burst(keeps);
                faults_pause_ms(REST_MS);
        }
}

void left_behind(void)
{
        serve_bursts(true);
}

void left_behind_not(void)
{
        serve_bursts(false);
}
