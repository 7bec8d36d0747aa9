/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a receiver must be able to match "resolved" with its "firing", also when the same
 * rule rings again, and after other runs of the same program.
 */
#include "watch/alert.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>

void alert_book_init(struct alert_book *book, const char *run_name, uint64_t wall_ns)
{
        const char *dash = strrchr(run_name, '-');

        *book = (struct alert_book){ .next_number = 1 };
        (void)snprintf(book->run, sizeof(book->run), "%" PRIx64 "-%.10s", wall_ns / CLOCK_S_NS,
                       dash ? dash + 1 : run_name);
}

void alert_book_fini(struct alert_book *book)
{
        free(book->alerts);
        book->alerts = NULL;
        book->count = book->size = 0;
}

void alert_next_id(struct alert_book *book, char ret_id[static alert_id_bytes])
{
        (void)snprintf(ret_id, alert_id_bytes, "%s-%" PRIu64, book->run, book->next_number++);
}

int alert_open(struct alert_book *book, uint64_t source, const struct rule_view *rule,
               uint64_t now_ns, const struct alert **ret_alert)
{
        struct alert *alert;

        if (book->count == book->size) {
                uint32_t size = book->size ? 2 * book->size : 16;
                struct alert *alerts = reallocarray(book->alerts, size, sizeof(*alerts));

                if (!alerts)
                        return -ENOMEM;
                book->alerts = alerts;
                book->size = size;
        }
        alert = &book->alerts[book->count++];
        *alert = (struct alert){
                .source = source, .row = rule->row, .slot = rule->slot, .began_ns = now_ns
        };
        alert_next_id(book, alert->id);
        if (rule->rule->severity <= TOC_PAGE)
                book->fired[rule->rule->severity]++;
        *ret_alert = alert;
        return 0;
}

int alert_close(struct alert_book *book, uint64_t source, const struct rule_view *rule,
                struct alert *ret_alert)
{
        for (uint32_t i = 0; i < book->count; i++) {
                struct alert *alert = &book->alerts[i];

                if (alert->source != source || alert->row != rule->row || alert->slot != rule->slot)
                        continue;
                *ret_alert = *alert;
                *alert = book->alerts[--book->count];
                return 0;
        }
        return -ENOENT;
}
