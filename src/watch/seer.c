/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to turn what analysers conclude into probes like all others, each of a module, each with a
 * rule that the one engine judges.
 */
#include "watch/seer.h"

#include "watch/blocked.h"
#include "watch/census.h"
#include "watch/growth.h"
#include "watch/idle.h"
#include "watch/leak.h"
#include "watch/locks.h"
#include "watch/procfs.h"
#include "watch/relock.h"
#include "watch/spin.h"

#include <errno.h>

enum {
        rate_s = 10,
        row_max = INSIDE_MODULES * (INSIGHT_PROBES + 1),
        horizon_s = 3600,  /* a budget that lasts that long is no news yet */
        budget_ticks = 10, /* in which a module that is new may say what its budget is */
};

/* A second ago, two seconds ago ... however often somebody looks. */
struct past {
        uint64_t at_ns; /* of the newest */
        uint64_t io_bytes[rate_s + 1][INSIDE_MODULES];
        uint64_t io_errors[61][INSIDE_MODULES];
        uint64_t ticks;
};

struct seer {
        struct picture *picture;
        struct insight insight;
        struct rule_set *rules;
        uint32_t known_modules; /* those with a row */
        bool knows_others;      /* INSIDE_OTHER_MODULES too */
        struct rule_sample samples[row_max];
        uint32_t row_of[INSIDE_MODULES][INSIGHT_PROBES];
        uint64_t began_ns;
        bool has_ticked;
        uint64_t given[INSIDE_MODULES][RULE_MODULE_WORDS];
        struct past past;
        struct relock relock;
        struct locks locks;
        struct spin spin;
        struct blocked blocked;
        struct growth growth;
        struct leak *leak;
        struct idle idle;
        struct census census;
        seer_budget *budget;
        void *budget_context;
        uint32_t asked[INSIDE_MODULES]; /* how often for its budget; budget_ticks: no more */
};

static const struct {
        const char *name;
        uint8_t signal;
        int64_t limit;
        uint8_t severity;
        uint32_t hold_s;
        const char *meaning;
        const char *help;
} probes[] = {
#define X(name, signal, limit, severity, hold_s, meaning, help) \
        { #name, toc_signal_##signal, limit, severity, hold_s, meaning, help },
#include "watch/insight.def"
#undef X
};

int seer_new(pid_t pid, uint64_t began_ns, seer_budget *budget, void *context,
             struct seer **ret_seer)
{
        struct seer *seer = calloc(1, sizeof(*seer));
        int failed;

        if (!seer)
                return -ENOMEM;
        seer->began_ns = began_ns;
        seer->budget = budget;
        seer->budget_context = context;
        failed = picture_new(pid, &seer->picture);
        if (!failed)
                failed = rule_set_new(&seer->rules, began_ns);
        if (!failed)
                failed = leak_new(pid, heapscan_run, &seer->leak);
        if (failed) {
                seer_free(&seer);
                return failed;
        }
        *ret_seer = seer;
        return 0;
}

void seer_free(struct seer **address)
{
        struct seer *seer = *address;

        if (!seer)
                return;
        leak_free(&seer->leak);
        rule_set_free(&seer->rules);
        picture_free(&seer->picture);
        free(seer);
        *address = NULL;
}

void seer_hear(struct seer *seer, uint64_t beats)
{
        seer->spin.beats = beats;
}

const struct rule_set *seer_rules(const struct seer *seer)
{
        return seer->rules;
}

/* ---- Rows ----------------------------------------------------------------- */

static int add_row(struct seer *seer, uint32_t module, enum insight_probe probe)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_gauge,
                .rule[0] = { .limit = probes[probe].limit,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .hold_s = probes[probe].hold_s,
                             .signal = probes[probe].signal,
                             .op = TOC_ABOVE_,
                             .severity = probes[probe].severity },
        };
        uint32_t row = 0;
        int failed;

        if (!probes[probe].severity)
                record.rule[0] = (struct toc_rule){ 0 };
        (void)snprintf(record.module, sizeof(record.module), "%s",
                       picture_module(seer->picture, module));
        (void)snprintf(record.name, sizeof(record.name), "%s", probes[probe].name);
        (void)snprintf(record.help, sizeof(record.help), "%s", probes[probe].help);
        (void)snprintf(record.rule[0].meaning, sizeof(record.rule[0].meaning), "%s",
                       probes[probe].meaning);
        failed = rule_set_add(seer->rules, &record, seer->began_ns, true, &row);
        if (failed || row >= row_max)
                return failed ? failed : -EINVAL;
        seer->row_of[module][probe] = row;
        seer->samples[row].cells = (const uint64_t *)&seer->insight.value[module][probe];
        return 0;
}

/* A line through what lives, and where it meets the budget that the module declares (RULES 2.2:
 * EXHAUST, which asks for a ratchet, too). */
static int add_exhaustion(struct seer *seer, uint32_t module, const struct toc_rule *budget)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_gauge,
                .name = "exhaustion",
                .help = "Bytes allocated and not freed, on their way to the budget",
                .rule[0] = { .limit = horizon_s,
                             .capacity = budget->limit,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .signal = toc_signal_exhausts_s,
                             .op = TOC_BELOW_,
                             .severity = TOC_NOTE, /* a cache may stop just short of it */
                             .meaning = "its budget of memory will be used up, if it goes on so" },
        };
        uint32_t row = 0;
        int failed;

        (void)snprintf(record.module, sizeof(record.module), "%s",
                       picture_module(seer->picture, module));
        failed = rule_set_add(seer->rules, &record, seer->began_ns, true, &row);
        if (failed || row >= row_max)
                return failed ? failed : -EINVAL;
        seer->samples[row].cells =
                (const uint64_t *)&seer->insight.value[module][INSIGHT_live_bytes];
        return 0;
}

static int ask_budgets(struct seer *seer)
{
        int failed = 0;

        for (uint32_t m = 1; m < seer->known_modules && seer->budget && !failed; m++) {
                const struct toc_rule *budget;

                if (seer->asked[m] == budget_ticks)
                        continue;
                seer->asked[m]++;
                budget = seer->budget(seer->budget_context, seer->picture->pid,
                                      picture_module(seer->picture, m));
                if (!budget || budget->limit <= 0)
                        continue;
                seer->asked[m] = budget_ticks;
                failed = add_exhaustion(seer, m, budget);
        }
        return failed;
}

static int add_rows(struct seer *seer, uint32_t module)
{
        int failed = 0;

        for (unsigned probe = 0; probe < INSIGHT_PROBES && !failed; probe++)
                failed = add_row(seer, module, (enum insight_probe)probe);
        return failed;
}

static int add_modules(struct seer *seer)
{
        int failed = 0;

        while (seer->known_modules < seer->picture->module_count && !failed) {
                failed = add_rows(seer, seer->known_modules);
                seer->known_modules += !failed;
        }
        if (!failed && seer->picture->has_other_modules && !seer->knows_others) {
                failed = add_rows(seer, INSIDE_OTHER_MODULES);
                seer->knows_others = !failed;
        }
        return failed;
}

/* ---- Numbers -------------------------------------------------------------- */

static void see_findings(struct seer *seer)
{
        const struct picture *picture = seer->picture;
        struct insight *insight = &seer->insight;

        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_heap_damage] = insight->value[m][INSIGHT_lock_order] = 0;
        for (uint32_t i = 0; i < picture->finding_count; i++) {
                const struct inside_finding *finding = &picture->findings[i];

                if (finding->kind == INSIDE_OVERFLOW || finding->kind == INSIDE_DOUBLE_FREE)
                        insight->value[finding->module][INSIGHT_heap_damage]++;
                if (finding->kind == INSIDE_LOCK_ORDER)
                        insight->value[finding->module][INSIGHT_lock_order]++;
        }
}

/* Since the tick that many seconds ago, or since the first one. */
static uint64_t risen(uint64_t now, uint64_t (*past)[INSIDE_MODULES], uint32_t module,
                      uint64_t ticks, uint32_t seconds)
{
        uint64_t then = past[(ticks >= seconds ? ticks - seconds : 0) % (seconds + 1)][module];

        return now > then ? now - then : 0;
}

static void see_io(struct seer *seer, uint32_t module)
{
        struct past *past = &seer->past;
        const struct inside_io *io = &seer->picture->io[module];
        uint64_t bytes = io->read_bytes + io->written_bytes;

        past->io_bytes[past->ticks % (rate_s + 1)][module] = bytes;
        past->io_errors[past->ticks % 61][module] = io->errors;
        seer->given[module][toc_signal_io_bytes_per_second - toc_signal_live_bytes] =
                risen(bytes, past->io_bytes, module, past->ticks, rate_s) / rate_s;
        seer->insight.value[module][INSIGHT_io_errors] =
                (int64_t)risen(io->errors, past->io_errors, module, past->ticks, 60);
}

static void give(struct seer *seer, uint32_t module, unsigned signal, uint64_t value)
{
        seer->given[module][signal - toc_signal_live_bytes] = value;
}

static void see_modules(struct seer *seer)
{
        const struct picture *picture = seer->picture;
        uint64_t bytes[INSIDE_MODULES] = { 0 };
        uint64_t live[INSIDE_MODULES][INSIDE_KINDS + 1] = { 0 };

        for (uint32_t i = 0; i < picture->site_count; i++) {
                const struct inside_site *site = &picture->sites[i];

                if (!site->is_ready)
                        continue;
                if (site->kind == INSIDE_HEAP)
                        bytes[site->module] += picture->cells[i].bytes;
                live[site->module][site->kind] += picture->cells[i].live;
        }
        for (uint32_t m = 0; m < INSIDE_MODULES; m++) {
                const int64_t *value = seer->insight.value[m];

                see_io(seer, m);
                seer->insight.value[m][INSIGHT_live_bytes] = (int64_t)bytes[m];
                give(seer, m, toc_signal_live_bytes, bytes[m]);
                give(seer, m, toc_signal_allocations, live[m][INSIDE_HEAP]);
                give(seer, m, toc_signal_descriptors, live[m][INSIDE_DESCRIPTOR]);
                give(seer, m, toc_signal_threads, live[m][INSIDE_THREAD_KIND]);
                give(seer, m, toc_signal_cpu_permille, (uint64_t)value[INSIGHT_cpu_permille]);
                give(seer, m, toc_signal_leak, (uint64_t)value[INSIGHT_leak]);
                give(seer, m, toc_signal_deadlock, (uint64_t)value[INSIGHT_deadlock]);
                give(seer, m, toc_signal_lock_wait_ms, (uint64_t)value[INSIGHT_lock_wait_ms]);
                give(seer, m, toc_signal_idle_bytes, (uint64_t)value[INSIGHT_idle_bytes]);
        }
        /* A tick may come a little early. */
        if (picture->at_ns - seer->past.at_ns >= CLOCK_S_NS / 2) {
                seer->past.at_ns = picture->at_ns;
                seer->past.ticks++;
        }
}

static bool has_deadlock(const struct insight *insight)
{
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                if (insight->value[m][INSIGHT_deadlock])
                        return true;
        return false;
}

/* Who is stuck in a process that is killed ends like all others; that is no way out. */
static void glance_at_locks(struct seer *seer)
{
        pid_t pid = seer->picture->pid;

        if (!pid || !has_deadlock(&seer->insight) || procfs_lives(pid))
                locks_glance(&seer->locks, seer->picture, &seer->insight);
}

int seer_tick(struct seer *seer, const struct segment_view *view, uint64_t now_ns,
              const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why)
{
        int outcome = picture_read(seer->picture, view, now_ns, ret_why);

        if (!outcome)
                outcome = add_modules(seer);
        if (!outcome)
                outcome = ask_budgets(seer);
        if (outcome)
                return outcome;
        see_findings(seer);
        relock_glance(&seer->relock, seer->picture);
        glance_at_locks(seer);
        spin_glance(&seer->spin, seer->picture, &seer->insight);
        blocked_glance(&seer->blocked, seer->picture, &seer->insight);
        idle_glance(&seer->idle, seer->picture);
        spin_see(&seer->spin, seer->picture, &seer->insight);
        growth_see(&seer->growth, seer->picture, &seer->insight);
        leak_see(seer->leak, seer->picture, &seer->insight);
        idle_see(&seer->idle, seer->picture, &seer->insight);
        census_see(&seer->census, seer->picture);
        see_modules(seer);
        seer->has_ticked = true;
        return rule_set_tick(seer->rules, now_ns, seer->samples, rule_set_rows(seer->rules),
                             ret_changes, ret_count);
}

int seer_glance(struct seer *seer, const struct segment_view *view, uint64_t now_ns,
                const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why)
{
        int outcome;

        *ret_count = 0;
        if (!seer->has_ticked)
                return 0;
        outcome = picture_read_threads(seer->picture, view, now_ns, ret_why);
        if (!outcome)
                outcome = add_modules(
                        seer); /* one may be in a deadlock the first time it is entered */
        if (outcome)
                return outcome;
        relock_glance(&seer->relock, seer->picture);
        glance_at_locks(seer);
        spin_glance(&seer->spin, seer->picture, &seer->insight);
        blocked_glance(&seer->blocked, seer->picture, &seer->insight);
        idle_glance(&seer->idle, seer->picture);
        return rule_set_peek(seer->rules, now_ns, seer->samples, rule_set_rows(seer->rules),
                             ret_changes, ret_count);
}

const uint64_t *seer_module(void *context, const char *module)
{
        static const uint64_t nothing[RULE_MODULE_WORDS];
        struct seer *seer = context;

        if (!seer->has_ticked)
                return NULL;
        for (uint32_t m = 1; m < seer->known_modules; m++)
                if (strcmp(picture_module(seer->picture, m), module) == 0)
                        return seer->given[m];
        return nothing; /* nobody has entered it yet */
}

void seer_append_biggest(const struct seer *seer, struct text *into)
{
        uint32_t biggest = 0;

        for (uint32_t m = 1; m < INSIDE_MODULES; m++)
                if (seer->insight.value[m][INSIGHT_live_bytes] >
                    seer->insight.value[biggest][INSIGHT_live_bytes])
                        biggest = m;
        text_printf(into, "%s with %lld bytes", picture_module(seer->picture, biggest),
                    (long long)seer->insight.value[biggest][INSIGHT_live_bytes]);
}

/* ---- Details -------------------------------------------------------------- */

static json_t *finding_details(const struct picture *picture, const struct namer *namer,
                               const struct inside_finding *finding)
{
        json_t *details = json_object();

        (void)json_object_set_new(details, "thread", json_integer(finding->thread));
        if (finding->kind == INSIDE_LOCK_ORDER) {
                (void)json_object_set_new(
                        details, "holds",
                        namer_lock(namer, picture, finding->lock[0], finding->node[0]));
                (void)json_object_set_new(
                        details, "takes",
                        namer_lock(namer, picture, finding->lock[1], finding->node[1]));
                (void)json_object_set_new(details, "stack",
                                          namer_stack(namer, finding->stack[0], finding->depth[0]));
                (void)json_object_set_new(details, "other_way_round",
                                          namer_stack(namer, finding->stack[1], finding->depth[1]));
                return details;
        }
        (void)json_object_set_new(details, "what",
                                  json_string(finding->kind == INSIDE_DOUBLE_FREE
                                                      ? "freed twice"
                                                      : "written past its end"));
        (void)json_object_set_new(details, "freed_at",
                                  namer_stack(namer, finding->stack[0], finding->depth[0]));
        if (finding->site) {
                (void)json_object_set_new(details, "size", json_integer((json_int_t)finding->size));
                (void)json_object_set_new(details, "made_at",
                                          namer_site(namer, picture, finding->site));
        }
        return details;
}

/* The latest of the module. */
static json_t *latest_finding(const struct seer *seer, const struct namer *namer, uint32_t module,
                              bool is_order)
{
        for (uint32_t i = seer->picture->finding_count; i-- > 0;) {
                const struct inside_finding *finding = &seer->picture->findings[i];
                bool is_damage =
                        finding->kind == INSIDE_OVERFLOW || finding->kind == INSIDE_DOUBLE_FREE;

                if (finding->module == module &&
                    (is_order ? finding->kind == INSIDE_LOCK_ORDER : is_damage))
                        return finding_details(seer->picture, namer, finding);
        }
        return NULL;
}

static json_t *probe_details(const struct seer *seer, const struct namer *namer, uint32_t module,
                             unsigned probe)
{
        switch (probe) {
        case INSIGHT_heap_damage:
                return latest_finding(seer, namer, module, false);
        case INSIGHT_lock_order:
                return latest_finding(seer, namer, module, true);
        case INSIGHT_deadlock:
        case INSIGHT_lock_wait_ms:
        case INSIGHT_lock_waiters:
                return locks_details(&seer->locks, seer->picture, namer, module, probe);
        case INSIGHT_spin_ms:
                return spin_details(&seer->spin, seer->picture, namer, module);
        case INSIGHT_blocked_ms:
                return blocked_details(&seer->blocked, seer->picture, namer, module);
        case INSIGHT_growth:
        case INSIGHT_descriptors:
        case INSIGHT_threads:
                return growth_details(&seer->growth, seer->picture, namer, module, probe);
        case INSIGHT_leak:
                return leak_details(seer->leak, seer->picture, namer, module);
        default:
                return census_module(&seer->census, seer->picture, namer, module);
        }
}

/* Of a budget: those of the probe that shows the same, but whoever has too many of something wants
 * to know where they are, and not where they grow. */
static unsigned probe_of(const struct rule_view *rule)
{
        bool is_budget = rule->record->kind == toc_kind_module;
        const char *name = is_budget ? rule_signal_name(rule->rule->signal) : rule->record->name;
        unsigned probe = 0;

        while (probe < INSIGHT_PROBES && strcmp(probes[probe].name, name) != 0)
                probe++;
        return is_budget && (probe == INSIGHT_descriptors || probe == INSIGHT_threads)
                       ? (unsigned)INSIGHT_PROBES
                       : probe;
}

json_t *seer_details(const struct seer *seer, const struct namer *namer,
                     const struct rule_view *rule)
{
        uint32_t module = 0;

        while (module < INSIDE_MODULES &&
               strcmp(picture_module(seer->picture, module), rule->record->module) != 0)
                module++;
        return module < INSIDE_MODULES ? probe_details(seer, namer, module, probe_of(rule)) : NULL;
}

bool seer_has_lasted(const struct seer *seer)
{
        return seer->past.ticks >= 3;
}

bool seer_gave_up(const struct seer *seer)
{
        return leak_gave_up(seer->leak);
}

json_t *seer_census(struct seer *seer, const struct segment_view *view, const struct namer *namer)
{
        const char *why = NULL;
        json_t *modules = json_object();

        /* What it left behind, where that can still be read; else what the last tick saw. */
        (void)picture_read(seer->picture, view, seer->picture->at_ns, &why);
        for (uint32_t m = 0; m < seer->known_modules; m++)
                if (census_has(seer->picture, m))
                        (void)json_object_set_new(
                                modules, picture_module(seer->picture, m),
                                census_module(&seer->census, seer->picture, namer, m));
        return modules;
}

json_t *seer_waiters(const struct seer *seer, const struct namer *namer, const char *module)
{
        for (uint32_t m = 0; m < seer->known_modules; m++)
                if (strcmp(picture_module(seer->picture, m), module) == 0)
                        return locks_waiters(&seer->locks, seer->picture, namer, m);
        return locks_waiters(&seer->locks, seer->picture, namer, INSIDE_PROGRAM);
}
