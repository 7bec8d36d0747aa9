/* SPDX-License-Identifier: Apache-2.0 */
/* fault_mail.c - no lock is wrong, and yet nothing moves on: a wake-up that nobody heard. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(mail, "Letters from one thread to another");
TOC_FLOW(letters, "Letters that were posted",
         TOC_ALERT(stalled_ms, >, 2000, TOC_PAGE, "letters lie there and nobody takes them"));

static struct {
        pthread_mutex_t lock;
        pthread_cond_t posted;
        unsigned waiting;
} box = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void must(int failed)
{
        if (failed)
                exit(9);
}

static FAULTS_SITE void letter_post(void)
{
        TOC_ENTER(mail);

        must(pthread_mutex_lock(&box.lock));
        box.waiting++;
        toc_in(letters, 1);
        toc_held(letters, 1);
        must(pthread_cond_signal(&box.posted));
        must(pthread_mutex_unlock(&box.lock));
}

static void take(void)
{
        box.waiting--;
        toc_held(letters, -1);
        toc_out(letters, 1);
}

static FAULTS_SITE void letter_take(void)
{
        TOC_ENTER(mail);

        must(pthread_mutex_lock(&box.lock));
        while (box.waiting == 0)
                must(pthread_cond_wait(&box.posted, &box.lock));
        take();
        must(pthread_mutex_unlock(&box.lock));
}

/* It looks, and waits without looking again. */
static FAULTS_SITE void letter_take_late(void)
{
        unsigned waiting;
        TOC_ENTER(mail);

        must(pthread_mutex_lock(&box.lock));
        waiting = box.waiting;
        must(pthread_mutex_unlock(&box.lock));
        faults_pause_ms(100);
        must(pthread_mutex_lock(&box.lock));
        if (waiting == 0)
                must(pthread_cond_wait(&box.posted, &box.lock));
        take();
        must(pthread_mutex_unlock(&box.lock));
}

static void *take_all(void *is_late)
{
        while (!is_late || !faults_has_begun())
                letter_take();
        for (;;)
                letter_take_late();
        return NULL;
}

static void post_until_begun(void)
{
        while (!faults_has_begun()) {
                letter_post();
                faults_pause_ms(20);
        }
}

void lost_wakeup(void)
{
        static int yes;

        (void)faults_thread(take_all, &yes);
        post_until_begun();
        letter_post(); /* the last one that letter_take() may wait for */
        faults_pause_ms(50);
        letter_post();
}

void lost_wakeup_not(void)
{
        (void)faults_thread(take_all, NULL);
        post_until_begun();
        faults_pause_ms(50);
        letter_post();
}
