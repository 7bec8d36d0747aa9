/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because what grows slowly is found by whoever looks for long, and nobody does. */
#include "watch/growth.h"

enum { details_max = 5 };

static bool is_heap(const struct inside_site *site)
{
        return site->kind == INSIDE_HEAP;
}

static uint64_t stands_at(const struct picture *picture, uint32_t site)
{
        return is_heap(&picture->sites[site]) ? picture->cells[site].bytes
                                              : picture->cells[site].live;
}

static uint32_t window_s(const struct growth *growth, const struct inside_site *site)
{
        uint32_t heap_s = growth->heap_s ? growth->heap_s : growth_heap_s;

        return is_heap(site) ? heap_s : growth_count_s;
}

static uint64_t least_rise(const struct inside_site *site, uint64_t floor)
{
        if (!is_heap(site))
                return 1;
        return floor / 100 > growth_heap_least ? floor / 100 : growth_heap_least;
}

static bool only_grows(const struct growth *growth, const struct inside_site *site, uint32_t number)
{
        return growth->site[number].risen >=
               (uint32_t)(is_heap(site) ? growth_heap_windows : growth_count_windows);
}

/* A window is over. */
static void close_window(struct growth *growth, const struct inside_site *site, uint32_t number)
{
        uint64_t floor = growth->site[number].floor, last = growth->site[number].last;
        bool has_last = growth->ticks > window_s(growth, site);

        if (has_last && floor >= last + least_rise(site, last)) {
                growth->site[number].risen++;
                growth->site[number].rose += floor - last;
        } else {
                growth->site[number].risen = 0;
                growth->site[number].rose = 0;
        }
        growth->site[number].last = floor;
        growth->site[number].floor = UINT64_MAX;
}

static enum insight_probe probe_of(const struct inside_site *site)
{
        if (is_heap(site))
                return INSIGHT_growth;
        return site->kind == INSIDE_DESCRIPTOR ? INSIGHT_descriptors : INSIGHT_threads;
}

void growth_see(struct growth *growth, const struct picture *picture, struct insight *insight)
{
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_growth] = insight->value[m][INSIGHT_descriptors] =
                        insight->value[m][INSIGHT_threads] = 0;
        growth->ticks++;
        for (uint32_t i = 0; i < picture->site_count; i++) {
                const struct inside_site *site = &picture->sites[i];
                uint64_t now = stands_at(picture, i);

                if (!site->is_ready)
                        continue;
                if (growth->ticks == 1 || now < growth->site[i].floor)
                        growth->site[i].floor = now;
                if (growth->ticks % window_s(growth, site) == 0)
                        close_window(growth, site, i);
                if (only_grows(growth, site, i))
                        insight->value[site->module][probe_of(site)] +=
                                (int64_t)(is_heap(site) ? growth->site[i].rose : now);
        }
}

json_t *growth_details(const struct growth *growth, const struct picture *picture,
                       const struct namer *namer, uint32_t module, unsigned probe)
{
        json_t *sites = json_array();

        for (uint32_t i = 0; i < picture->site_count && json_array_size(sites) < details_max; i++) {
                const struct inside_site *site = &picture->sites[i];
                json_t *one;

                if (!site->is_ready || site->module != module || probe_of(site) != probe ||
                    !only_grows(growth, site, i))
                        continue;
                one = json_pack("{s:o, s:I, s:I}", "site", namer_site(namer, picture, i), "live",
                                (json_int_t)picture->cells[i].live, "bytes",
                                (json_int_t)picture->cells[i].bytes);
                (void)json_array_append_new(sites, one);
        }
        return json_pack("{s:o}", "sites", sites);
}
