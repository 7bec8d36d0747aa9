/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that "too much memory" comes with the places that have it. */
#include "watch/census.h"

static const char *const kinds[] = {
        [INSIDE_HEAP] = "heap", [INSIDE_DESCRIPTOR] = "descriptor", [INSIDE_THREAD_KIND] = "thread"
};

void census_see(struct census *census, const struct picture *picture)
{
        uint64_t *now;

        census->ticks++;
        now = census->made[census->ticks % (census_s + 1)];
        for (uint32_t i = 0; i < picture->site_count; i++)
                now[i] = picture->cells[i].made;
}

/* In the last ten seconds, or since the first tick. */
static uint64_t per_second(const struct census *census, uint32_t site)
{
        uint64_t seconds = census->ticks > census_s ? census_s : census->ticks - 1;
        uint64_t now, then;

        if (census->ticks < 2)
                return 0;
        now = census->made[census->ticks % (census_s + 1)][site];
        then = census->made[(census->ticks - seconds) % (census_s + 1)][site];
        return now > then ? (now - then) / seconds : 0;
}

static void put(json_t *into, const char *name, uint64_t value)
{
        (void)json_object_set_new(into, name, json_integer((json_int_t)value));
}

static bool is_of(const struct picture *picture, uint32_t site, uint32_t module)
{
        return picture->sites[site].is_ready && picture->sites[site].module == module &&
               picture->cells[site].made;
}

/* ---- Places --------------------------------------------------------------- */

static bool is_larger(const struct picture_cells *one, const struct picture_cells *other)
{
        return one->bytes != other->bytes ? one->bytes > other->bytes : one->live > other->live;
}

/* Of those that are not said; -1: none. */
static int largest(const struct picture *picture, uint32_t module, const bool *is_said)
{
        int found = -1;

        for (uint32_t i = 0; i < picture->site_count; i++)
                if (is_of(picture, i, module) && !is_said[i] && picture->cells[i].live &&
                    (found < 0 || is_larger(&picture->cells[i], &picture->cells[found])))
                        found = (int)i;
        return found;
}

static json_t *site_of(const struct census *census, const struct picture *picture,
                       const struct namer *namer, uint32_t number)
{
        const struct inside_site *site = &picture->sites[number];
        const struct picture_cells *cells = &picture->cells[number];
        json_t *one = json_object();

        (void)json_object_set_new(one, "kind", json_string(kinds[site->kind]));
        (void)json_object_set_new(one, "stack", namer_stack(namer, site->stack, site->depth));
        if (site->kind == INSIDE_HEAP)
                put(one, "bytes", cells->bytes);
        put(one, "live", cells->live);
        put(one, "made", cells->made);
        put(one, "per_second", per_second(census, number));
        return one;
}

static json_t *sites_of(const struct census *census, const struct picture *picture,
                        const struct namer *namer, uint32_t module)
{
        bool is_said[INSIDE_SITES] = { false };
        json_t *sites = json_array();
        int i;

        while (json_array_size(sites) < census_sites &&
               (i = largest(picture, module, is_said)) >= 0) {
                is_said[i] = true;
                if (json_array_append_new(sites, site_of(census, picture, namer, (uint32_t)i)))
                        break; /* without memory there is less */
        }
        return sites;
}

/* ---- Modules -------------------------------------------------------------- */

static json_t *calls_of(const struct inside_io *io)
{
        json_t *calls = json_object();

        put(calls, "reads", io->reads);
        put(calls, "read_bytes", io->read_bytes);
        put(calls, "writes", io->writes);
        put(calls, "written_bytes", io->written_bytes);
        put(calls, "errors", io->errors);
        put(calls, "short_writes", io->shorts);
        if (io->timed)
                (void)json_object_set_new(
                        calls, "mean_us",
                        json_real((double)io->timed_ns / (double)io->timed / 1000));
        return calls;
}

static bool has_calls(const struct picture *picture, uint32_t module)
{
        return picture->io[module].reads || picture->io[module].writes;
}

bool census_has(const struct picture *picture, uint32_t module)
{
        for (uint32_t i = 0; i < picture->site_count; i++)
                if (is_of(picture, i, module))
                        return true;
        return has_calls(picture, module);
}

json_t *census_module(const struct census *census, const struct picture *picture,
                      const struct namer *namer, uint32_t module)
{
        uint64_t live[INSIDE_KINDS + 1] = { 0 };
        uint64_t bytes = 0, made = 0, rate = 0;
        json_t *all = json_object();

        for (uint32_t i = 0; i < picture->site_count; i++) {
                if (!is_of(picture, i, module))
                        continue;
                live[picture->sites[i].kind] += picture->cells[i].live;
                if (picture->sites[i].kind != INSIDE_HEAP)
                        continue;
                bytes += picture->cells[i].bytes;
                made += picture->cells[i].made;
                rate += per_second(census, i);
        }
        put(all, "live_bytes", bytes);
        put(all, "blocks", live[INSIDE_HEAP]);
        put(all, "blocks_made", made);
        put(all, "blocks_per_second", rate);
        put(all, "descriptors", live[INSIDE_DESCRIPTOR]);
        put(all, "threads", live[INSIDE_THREAD_KIND]);
        if (has_calls(picture, module))
                (void)json_object_set_new(all, "calls", calls_of(&picture->io[module]));
        (void)json_object_set_new(all, "sites", sites_of(census, picture, namer, module));
        return all;
}
