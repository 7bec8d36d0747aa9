/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because what grows slowly is found by whoever looks for long, and nobody does. */
#include "watch/growth.h"

#include <sys/resource.h>

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

static uint64_t least_heap_rise(uint64_t floor)
{
        return floor / 100 > growth_heap_least ? floor / 100 : growth_heap_least;
}

static uint64_t least_rise(const struct inside_site *site, uint64_t floor)
{
        if (is_heap(site))
                return least_heap_rise(floor);
        return floor / 20 > 1 ? floor / 20 : 1;
}

/* ---- Ratchets ------------------------------------------------------------- */

/* A window is over. */
static void click(struct growth_ratchet *ratchet, uint64_t least_rise, bool has_last)
{
        uint64_t rise = ratchet->floor - ratchet->last;

        if (has_last && ratchet->floor >= ratchet->last + least_rise) {
                ratchet->least = !ratchet->risen || rise < ratchet->least ? rise : ratchet->least;
                ratchet->risen++;
                ratchet->rose += rise;
        } else {
                ratchet->risen = 0;
                ratchet->rose = 0;
        }
        ratchet->last = ratchet->floor;
        ratchet->floor = UINT64_MAX;
}

/* At second `tick` of all. */
static void turn(struct growth_ratchet *ratchet, uint64_t now, uint64_t tick, uint32_t window_s,
                 const struct inside_site *site)
{
        if (tick == 1 || now < ratchet->floor)
                ratchet->floor = now;
        if (tick % window_s == 0)
                click(ratchet, least_rise(site, ratchet->last), tick > window_s);
}

/* At the least pace of the last windows. */
static bool ends_soon(const struct growth *growth, const struct inside_site *site, uint32_t number)
{
        const struct growth_ratchet *pace = &growth->pace[number];
        bool is_file = site->kind == INSIDE_DESCRIPTOR;
        uint64_t limit = is_file ? growth->files_limit : INSIDE_THREADS_MAX;
        uint64_t now = is_file ? growth->files : growth->tasks;
        uint64_t left = limit > now ? limit - now : 0;

        return !is_heap(site) && limit && pace->risen >= growth_pace_windows &&
               left / (growth_soon_s / growth_pace_s) < pace->least;
}

static bool only_grows(const struct growth *growth, const struct inside_site *site, uint32_t number)
{
        return growth->site[number].risen >= growth_windows || ends_soon(growth, site, number);
}

static enum insight_probe probe_of(const struct inside_site *site)
{
        if (is_heap(site))
                return INSIGHT_growth;
        return site->kind == INSIDE_DESCRIPTOR ? INSIGHT_descriptors : INSIGHT_threads;
}

/* ---- Modules at rest ------------------------------------------------------ */

/* It has worked since the last one. */
static void rest(struct growth_module *module)
{
        if (module->rests && module->made == module->made_at_rest)
                return;
        module->made_at_rest = module->made;
        if (module->rests &&
            module->bytes >= module->most_at_rest + least_heap_rise(module->most_at_rest)) {
                module->risen++;
                module->rose += module->bytes - module->most_at_rest;
        } else {
                module->risen = 0;
                module->rose = 0;
        }
        module->rests++;
        if (module->bytes > module->most_at_rest)
                module->most_at_rest = module->bytes;
}

static void add_up(struct growth *growth, const struct picture *picture)
{
        for (uint32_t m = 0; m < INSIDE_MODULES; m++) {
                growth->module[m].made_before = growth->module[m].made;
                growth->module[m].bytes = growth->module[m].made = 0;
        }
        for (uint32_t i = 0; i < picture->site_count; i++) {
                struct growth_module *module = &growth->module[picture->sites[i].module];

                if (!picture->sites[i].is_ready || !is_heap(&picture->sites[i]))
                        continue;
                module->bytes += picture->cells[i].bytes;
                module->made += picture->cells[i].made;
        }
}

static void see_modules(struct growth *growth, const struct picture *picture)
{
        uint64_t around = 0;

        add_up(growth, picture);
        for (uint32_t i = 0; i < picture->thread_count; i++)
                around |= picture->threads[i].around;
        for (uint32_t m = 1; m < INSIDE_MODULES; m++) {
                struct growth_module *module = &growth->module[m];
                bool is_quiet = !(around >> m & 1) && module->made == module->made_before;

                module->quiet_s = is_quiet ? module->quiet_s + 1 : 0;
                if (module->quiet_s == growth_rest_s)
                        rest(module);
        }
}

/* ---- Numbers -------------------------------------------------------------- */

static void count_all(struct growth *growth, const struct picture *picture)
{
        struct rlimit limit;

        if (picture->pid > 0 && growth->ticks % growth_pace_s == 1)
                growth->files_limit = prlimit(picture->pid, RLIMIT_NOFILE, NULL, &limit) == 0
                                              ? limit.rlim_cur
                                              : 0;
        growth->files = growth->tasks = 0;
        for (uint32_t i = 0; i < picture->site_count; i++) {
                if (picture->sites[i].kind == INSIDE_DESCRIPTOR)
                        growth->files += picture->cells[i].live;
                if (picture->sites[i].kind == INSIDE_THREAD_KIND)
                        growth->tasks += picture->cells[i].live;
        }
}

void growth_see(struct growth *growth, const struct picture *picture, struct insight *insight)
{
        uint32_t window_s = growth->window_s ? growth->window_s : growth_window_s;

        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_growth] = insight->value[m][INSIGHT_descriptors] =
                        insight->value[m][INSIGHT_threads] = 0;
        growth->ticks++;
        count_all(growth, picture);
        for (uint32_t i = 0; i < picture->site_count; i++) {
                const struct inside_site *site = &picture->sites[i];
                uint64_t now = stands_at(picture, i);

                if (!site->is_ready)
                        continue;
                turn(&growth->site[i], now, growth->ticks, window_s, site);
                if (!is_heap(site))
                        turn(&growth->pace[i], now, growth->ticks, growth_pace_s, site);
                if (only_grows(growth, site, i))
                        insight->value[site->module][probe_of(site)] +=
                                (int64_t)(is_heap(site) ? growth->site[i].rose : now);
        }
        see_modules(growth, picture);
        for (uint32_t m = 0; m < INSIDE_MODULES; m++) {
                int64_t *value = &insight->value[m][INSIGHT_growth];

                if (growth->module[m].risen >= growth_rests &&
                    (int64_t)growth->module[m].rose > *value)
                        *value = (int64_t)growth->module[m].rose;
        }
}

/* What a site is in the wrong for. */
static uint64_t weight_of(const struct growth *growth, const struct picture *picture, uint32_t site)
{
        return is_heap(&picture->sites[site]) ? growth->site[site].rose : picture->cells[site].live;
}

/* The heaviest of those that only grow and have not been listed; INSIDE_SITES: there is none. */
static uint32_t next_site(const struct growth *growth, const struct picture *picture,
                          uint32_t module, unsigned probe, const bool *is_listed)
{
        uint32_t found = INSIDE_SITES;

        for (uint32_t i = 0; i < picture->site_count; i++) {
                const struct inside_site *site = &picture->sites[i];

                if (!site->is_ready || is_listed[i] || site->module != module ||
                    probe_of(site) != probe || !only_grows(growth, site, i))
                        continue;
                if (found == INSIDE_SITES ||
                    weight_of(growth, picture, i) > weight_of(growth, picture, found))
                        found = i;
        }
        return found;
}

/* Where it ends, and with how many of them; of threads, those that nobody has joined do not run. */
static void add_end(json_t *details, const struct growth *growth, const struct picture *picture,
                    unsigned probe)
{
        bool is_file = probe == INSIGHT_descriptors;

        if (is_file && !growth->files_limit)
                return;
        (void)json_object_set_new(
                details, "all",
                json_integer((json_int_t)(is_file ? growth->files : growth->tasks)));
        if (is_file)
                (void)json_object_set_new(details, "limit",
                                          json_integer((json_int_t)growth->files_limit));
        else
                (void)json_object_set_new(details, "running", json_integer(picture->thread_count));
}

static void add_rests(json_t *details, const struct growth_module *module)
{
        if (module->risen < growth_rests)
                return;
        (void)json_object_set_new(details, "at_rest",
                                  json_pack("{s:I, s:I}", "bytes", (json_int_t)module->most_at_rest,
                                            "rests", (json_int_t)module->risen));
}

json_t *growth_details(const struct growth *growth, const struct picture *picture,
                       const struct namer *namer, uint32_t module, unsigned probe)
{
        bool is_listed[INSIDE_SITES] = { false };
        json_t *sites = json_array(), *details = json_pack("{s:o}", "sites", sites);

        for (int listed = 0; listed < details_max; listed++) {
                uint32_t i = next_site(growth, picture, module, probe, is_listed);

                if (i == INSIDE_SITES)
                        break;
                is_listed[i] = true;
                (void)json_array_append_new(
                        sites, json_pack("{s:o, s:I, s:I}", "site", namer_site(namer, picture, i),
                                         "live", (json_int_t)picture->cells[i].live, "bytes",
                                         (json_int_t)picture->cells[i].bytes));
        }
        if (probe == INSIGHT_growth)
                add_rests(details, &growth->module[module % INSIDE_MODULES]);
        else
                add_end(details, growth, picture, probe);
        return details;
}
