/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a circle that leads through a condition's mutex is as dead as any other. */
#include "watch/relock.h"

#include "watch/procfs.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <sys/syscall.h>

/* Above all numbers that a thread gives to its waits. */
#define ANOTHER_WAIT (UINT64_C(1) << 63)

static bool waits_for_condition(const struct picture_thread *thread)
{
        return (thread->wait_number & 1) && thread->wait_kind == INSIDE_CONDITION &&
               thread->wait_mutex;
}

static bool is_held(const struct picture *picture, uint64_t mutex)
{
        for (uint32_t i = 0; i < picture->thread_count; i++)
                for (uint32_t k = 0; k < picture->threads[i].held_count; k++)
                        if (picture->threads[i].held[k].lock == mutex)
                                return true;
        return false;
}

static bool is_wait(uint64_t operation)
{
        switch ((int)operation & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
        case FUTEX_LOCK_PI:
        case FUTEX_LOCK_PI2:
                return true;
        default:
                return false;
        }
}

/* The futex of glibc's mutexes is their first word. */
static bool sleeps_at(pid_t pid, uint32_t thread, uint64_t mutex)
{
        char name[64], text[256];
        uint64_t address, operation;
        long number;

        (void)snprintf(name, sizeof(name), "task/%" PRIu32 "/syscall", thread);
        if (procfs_read(pid, name, text, sizeof(text)) <= 0)
                return false;
        return sscanf(text, "%ld %" SCNx64 " %" SCNx64, &number, &address, &operation) == 3 &&
               number == SYS_futex && address == mutex && is_wait(operation);
}

static void show(struct picture_thread *thread)
{
        thread->wait_condition = thread->wait_lock;
        thread->wait_lock = thread->wait_mutex;
        thread->wait_kind = INSIDE_MUTEX;
        thread->wait_number |= ANOTHER_WAIT;
}

void relock_glance(struct relock *relock, struct picture *picture)
{
        uint32_t count = picture->thread_count, asks = 0, first = relock->next;

        for (uint32_t i = 0; i < count; i++) {
                uint32_t at = (first + i) % count;
                struct picture_thread *thread = &picture->threads[at];
                uint32_t n = thread->number;

                if (!waits_for_condition(thread))
                        continue;
                if (relock->waits[n].number != thread->wait_number) {
                        relock->waits[n].number = thread->wait_number;
                        relock->waits[n].is_woken = false;
                }
                if (!relock->waits[n].is_woken && asks < relock_asks_max && picture->pid) {
                        asks++;
                        relock->next = at + 1;
                        relock->waits[n].is_woken =
                                is_held(picture, thread->wait_mutex) &&
                                sleeps_at(picture->pid, thread->id, thread->wait_mutex);
                }
                if (relock->waits[n].is_woken)
                        show(thread);
        }
}
