/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of modules, from what libtocsin-inside has published: a segment written by hand. */
#include "watch/inside_fixture.h"
#include "watch/seer.h"

static struct seer *seer;

static int begin_seer(void **state)
{
        return begin(state) || seer_new(0, now_s * CLOCK_S_NS, NULL, NULL, &seer);
}

static int end_seer(void **state)
{
        seer_free(&seer);
        return end(state);
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin_seer, end_seer)

/* How many rules began to ring; the last of them. */
static size_t tick(uint64_t number, const struct rule_change **ret_last)
{
        const struct rule_change *changes = NULL;
        const char *why = NULL;
        size_t count = 0, ringing = 0;

        look_well();
        assert_int_equal(
                seer_tick(seer, view, (now_s + number) * CLOCK_S_NS, &changes, &count, &why), 0);
        for (size_t i = 0; i < count; i++)
                if (changes[i].now.state == RULE_FIRING) {
                        *ret_last = &changes[i];
                        ringing++;
                }
        return ringing;
}

/* ---- Budgets that will be used up ---- */

enum { MB = 1 << 20 };

static struct toc_rule budget = { .signal = toc_signal_live_bytes };

static const struct toc_rule *budget_of(void *context, pid_t pid, const char *module)
{
        (void)context;
        (void)pid;
        return strcmp(module, "lru") == 0 ? &budget : NULL;
}

/* Two MiB a minute for half an hour; when `exhaustion` rang, in seconds; 0: it did not. */
static uint64_t rings_at(int64_t limit)
{
        const struct rule_change *last = NULL;
        uint64_t at = 0;

        seer_free(&seer);
        budget.limit = limit;
        assert_int_equal(seer_new(0, now_s * CLOCK_S_NS, budget_of, NULL, &seer), 0);
        for (uint64_t second = 1; second <= 1800 && !at; second++) {
                page(0)->cells[INSIDE_FIRST_SITE].live = INSIDE_ONE + second * MB / 30;
                if (tick(second, &last) && strcmp(last->now.record->name, "exhaustion") == 0)
                        at = second;
        }
        return at;
}

/* With 100 MiB the line is an hour away after 200 s, but it takes three windows of 300 s to be one
 * that rises. With 200 MiB it is after 2400 s. */
static void a_budget_that_lasts_for_less_than_an_hour_rings(void **state)
{
        (void)state;
        add_site(INSIDE_HEAP, 1);
        add_page(7);
        assert_in_range(rings_at(100 * MB), 900, 1210);
        assert_int_equal(rings_at(200 * MB), 0);
}

static uint64_t given(const char *module, enum toc_signal signal)
{
        return seer_module(seer, module)[signal - toc_signal_live_bytes];
}

static void modules_are_given_what_their_budgets_ask_for(void **state)
{
        const struct rule_change *last;

        (void)state;
        add_site(INSIDE_HEAP, 1);
        add_site(INSIDE_DESCRIPTOR, 1);
        add_site(INSIDE_THREAD_KIND, 1);
        add_site(INSIDE_HEAP, 0);
        add_page(7);
        page(0)->cells[INSIDE_FIRST_SITE].live = 3 * INSIDE_ONE + 300;
        page(0)->cells[INSIDE_MODULES * 0 + 1].live = INSIDE_ONE + 11; /* of places beyond room */
        page(0)->cells[INSIDE_FIRST_SITE + 1].live = 5 * INSIDE_ONE;
        page(0)->cells[INSIDE_FIRST_SITE + 2].live = 2 * INSIDE_ONE;
        page(0)->cells[INSIDE_FIRST_SITE + 3].live = INSIDE_ONE + 9999;
        assert_null(seer_module(seer, "lru")); /* not known before the first tick */
        (void)tick(1, &last);
        assert_int_equal(given("lru", toc_signal_live_bytes), 311);
        assert_int_equal(given("lru", toc_signal_allocations), 4);
        assert_int_equal(given("lru", toc_signal_descriptors), 5);
        assert_int_equal(given("lru", toc_signal_threads), 2);
        assert_int_equal(given("never_entered", toc_signal_live_bytes), 0);
        page(0)->io[1].read_bytes = 700;
        page(0)->io[1].written_bytes = 300;
        (void)tick(2, &last);
        assert_int_equal(given("lru", toc_signal_io_bytes_per_second), 100); /* 1000 in 10 s */
        for (uint64_t i = 3; i < 15; i++)
                (void)tick(i, &last);
        assert_int_equal(given("lru", toc_signal_io_bytes_per_second), 0);
}

static void a_finding_rings_for_its_module(void **state)
{
        struct inside_finding *findings = at(at_findings);
        const struct namer namer = { .maps = NULL };
        const struct rule_change *last = NULL;
        json_t *details;

        (void)state;
        assert_int_equal(tick(1, &last), 0);
        findings[0] = (struct inside_finding){
                .is_ready = 1, .kind = INSIDE_DOUBLE_FREE, .module = 1, .thread = 77
        };
        head()->findings_made = 1;
        assert_int_equal(tick(2, &last), 1);
        assert_string_equal(last->now.record->module, "lru");
        assert_string_equal(last->now.record->name, "heap_damage");
        details = seer_details(seer, &namer, &last->now);
        assert_int_equal(json_integer_value(json_object_get(details, "thread")), 77);
        json_decref(details);
}

static void modules_that_found_no_room_ring_together(void **state)
{
        struct inside_finding *findings = at(at_findings);
        const struct rule_change *last = NULL;

        (void)state;
        assert_int_equal(tick(1, &last), 0);
        name_module(INSIDE_OTHER_MODULES, "");
        findings[0] = (struct inside_finding){ .is_ready = 1,
                                               .kind = INSIDE_LOCK_ORDER,
                                               .module = INSIDE_OTHER_MODULES };
        head()->findings_made = 1;
        assert_int_equal(tick(2, &last), 1);
        assert_string_equal(last->now.record->module, "others");
        assert_string_equal(last->now.record->name, "lock_order");
}

static void modules_of_one_name_do_not_stop_the_rest(void **state)
{
        const struct rule_change *last;

        (void)state;
        name_module(2, "lru");
        name_module(3, "process");
        name_module(4, "wal");
        add_site(INSIDE_DESCRIPTOR, 4);
        add_page(7);
        page(0)->cells[INSIDE_FIRST_SITE].live = INSIDE_ONE;
        (void)tick(1, &last);
        assert_int_equal(given("wal", toc_signal_descriptors), 1);
}

static void hangs(uint32_t number, uint32_t module, uint64_t holds, uint64_t wants)
{
        struct inside_thread *own = page(number);

        own->here.module = module;
        own->locks = INSIDE_TAKEN + 1;
        own->held[0].lock = holds;
        own->wait_kind = INSIDE_MUTEX;
        own->wait_lock = wants;
        own->wait_number = 1;
}

static void a_module_that_hangs_when_it_is_first_entered_rings_between_ticks(void **state)
{
        const struct rule_change *changes = NULL, *last = NULL;
        const char *why = NULL, *rang = "";
        size_t count = 0;

        (void)state;
        add_page(7);
        add_page(8);
        assert_int_equal(tick(1, &last), 0);
        name_module(2, "wal");
        hangs(0, 2, 0x1000, 0x2000);
        hangs(1, 2, 0x2000, 0x1000);
        look_well();
        for (uint64_t ms = 100; ms < 1000; ms += 100) {
                assert_int_equal(seer_glance(seer, view,
                                             (now_s + 1) * CLOCK_S_NS + ms * CLOCK_MS_NS, &changes,
                                             &count, &why),
                                 0);
                for (size_t i = 0; i < count; i++)
                        if (changes[i].now.state == RULE_FIRING)
                                rang = changes[i].now.record->name;
        }
        assert_string_equal(rang, "deadlock");
}

static int run_all(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(a_module_that_hangs_when_it_is_first_entered_rings_between_ticks),
                TRIAL(a_budget_that_lasts_for_less_than_an_hour_rings),
                TRIAL(modules_are_given_what_their_budgets_ask_for),
                TRIAL(a_finding_rings_for_its_module),
                TRIAL(modules_that_found_no_room_ring_together),
                TRIAL(modules_of_one_name_do_not_stop_the_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
        return run_in_directory(run_all);
}
