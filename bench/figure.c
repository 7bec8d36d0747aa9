/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that the arithmetic of verdicts stands in one place, in integers. */
#include "figure.h"

#include <stdlib.h>
#include <string.h>

enum { one = 1000 }; /* permille */

static int compare(const void *left, const void *right)
{
        uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

        return (a > b) - (a < b);
}

uint64_t figure_median(uint64_t *numbers, size_t count)
{
        qsort(numbers, count, sizeof *numbers, compare);
        return numbers[count / 2];
}

static void summarise(struct figure *figure)
{
        uint64_t sorted[FIGURE_ROUND_MAX];
        size_t count = figure->round_count;

        memcpy(sorted, figure->round_ps, count * sizeof *sorted);
        figure->median_ps = figure_median(sorted, count);
        figure->min_ps = sorted[0];
        figure->quarter_ps = sorted[count / 4];
        figure->three_quarters_ps = sorted[count - 1 - count / 4];
        figure->max_ps = sorted[count - 1];
}

static const struct figure *find(const struct figure *figures, size_t count, const char *name,
                                 unsigned threads)
{
        for (size_t i = 0; i < count; i++)
                if (figures[i].threads == threads && strcmp(figures[i].row->name, name) == 0)
                        return &figures[i];
        return NULL;
}

static uint64_t permille(uint64_t part, uint64_t whole)
{
        return whole ? (part * one + whole / 2) / whole : 0;
}

static uint64_t ratio_max(const struct row *row, uint64_t against_ps)
{
        if (!row->added_max_ps || !against_ps)
                return row->ratio_max_permille;
        return permille(against_ps + row->added_max_ps, against_ps);
}

/* Once all are summarised. */
static void relate(struct figure *figures, size_t count, struct figure *figure)
{
        const struct figure *single;

        figure->against = find(figures, count, figure->row->against, figure->threads);
        if (figure->against) {
                figure->ratio_permille = permille(figure->median_ps, figure->against->median_ps);
                figure->ratio_max_permille = ratio_max(figure->row, figure->against->median_ps);
        }
        if (figure->threads == 1)
                return;
        figure->single = find(figures, count, figure->row->name, 1);
        if (!figure->single)
                return;
        figure->growth_permille = permille(figure->median_ps, figure->single->median_ps);
        single = find(figures, count, figure->row->against, 1);
        if (figure->against && single && figure->against->median_ps > single->median_ps)
                figure->growth_permille =
                        permille(figure->growth_permille,
                                 permille(figure->against->median_ps, single->median_ps));
}

static void decide(struct figure *figure)
{
        uint32_t growth_max = figure->row->growth_max_permille;

        if (figure->ratio_max_permille)
                figure->verdict = figure->ratio_permille <= figure->ratio_max_permille
                                          ? FIGURE_OK
                                          : FIGURE_OVER;
        if (!growth_max || !figure->single)
                return;
        if (figure->growth_permille > growth_max)
                figure->verdict = FIGURE_OVER;
        else if (figure->verdict == FIGURE_UNJUDGED)
                figure->verdict = FIGURE_OK;
}

void figure_judge(struct figure *figures, size_t count)
{
        for (size_t i = 0; i < count; i++)
                summarise(&figures[i]);
        for (size_t i = 0; i < count; i++) {
                relate(figures, count, &figures[i]);
                decide(&figures[i]);
        }
}
