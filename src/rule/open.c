/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because an operation that hangs says nothing: it is known by its number, which is there
 * tick after tick. */
#include "rule/open.h"

#include <stdlib.h>

struct open *open_new(void)
{
        return calloc(1, sizeof(struct open));
}

void open_free(struct open *open)
{
        free(open);
}

/* Forgets those that ended. Returns how many of the numbers are not known. */
static uint32_t forget(struct open *open, const uint64_t *numbers, uint32_t count)
{
        uint32_t kept = 0;
        uint32_t at = 0;

        for (uint32_t i = 0; i < open->count; i++) {
                while (at < count && numbers[at] < open->one[i].number)
                        at++;
                if (at < count && numbers[at] == open->one[i].number)
                        open->one[kept++] = open->one[i];
        }
        open->count = kept;
        return count - kept;
}

/* Both lists are merged from their ends, so that none is overwritten before it was moved. Of the
 * `fresh` numbers that are not known, the last are left out if there is no room. */
void open_see(struct open *open, uint64_t t_ns, const uint64_t *numbers, uint32_t count)
{
        uint32_t fresh = forget(open, numbers, count);
        uint32_t room = OPEN_MAX - open->count;
        uint32_t known = open->count;
        uint32_t end;

        if (fresh > room)
                end = open->count + room;
        else
                end = open->count + fresh;
        open->count = end;
        for (uint32_t at = count; at-- > 0 && end > known;) {
                while (known && open->one[known - 1].number > numbers[at])
                        open->one[--end] = open->one[--known];
                if (known && open->one[known - 1].number == numbers[at])
                        continue;
                if (fresh-- > room)
                        continue;
                open->one[--end] = (struct open_one){ numbers[at], t_ns };
        }
}

uint64_t open_oldest(const struct open *open, uint64_t t_ns)
{
        uint64_t oldest = t_ns;

        for (uint32_t i = 0; i < open->count; i++)
                if (open->one[i].seen_ns < oldest)
                        oldest = open->one[i].seen_ns;
        return oldest;
}
