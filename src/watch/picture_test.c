/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of libtocsin-inside as it writes them, and as nobody should: numbers are written by hand
 * into the file, and what a picture says of them is compared with what was written. */
#include "watch/picture.h"

#include "base/base.h"
#include "watch/fixture.h"
#include "watch/seer.h"

#include <sys/syscall.h>

enum { page_max = 4, now_s = 1000 };

static int dir_fd;
static struct fixture fixture;
static struct segment_view *view;
static struct picture *picture;
static size_t at_head, at_modules, at_sites, at_nodes, at_findings, at_page[page_max];
static unsigned pages;

static void *at(size_t offset)
{
        return fixture.bytes + offset;
}

static struct inside_head *head(void)
{
        return at(at_head);
}

static struct inside_thread *page(unsigned number)
{
        return at(at_page[number]);
}

static void name_module(uint32_t number, const char *name)
{
        struct inside_module module = { .is_ready = 1 };

        (void)snprintf(module.name, sizeof(module.name), "%s", name);
        memcpy(at(at_modules + number * sizeof(module)), &module, sizeof(module));
        if (number < INSIDE_OTHER_MODULES)
                head()->modules = number + 1;
}

static void add_site(enum inside_kind kind, uint32_t module)
{
        const struct inside_site site = {
                .is_ready = 1, .kind = kind, .module = module, .depth = 1, .stack = { 0x1000 }
        };

        memcpy(at(at_sites + head()->sites++ * sizeof(site)), &site, sizeof(site));
}

/* Its thread has that id; 0: it has ended. */
static void add_page(uint64_t owner)
{
        size_t payload =
                fixture_extend(&fixture, SEGMENT_INSIDE_THREAD, 0, 1, sizeof(struct inside_thread));
        struct segment_extent *extent = at(payload - sizeof(*extent));

        extent->owner = owner;
        at_page[pages++] = payload;
}

static int begin(void **state)
{
        (void)state;
        pages = 0;
        view = NULL;
        fixture_header(&fixture);
        at_head = fixture_extend(&fixture, SEGMENT_INSIDE, 0, 1, sizeof(struct inside_head));
        at_modules = fixture_extend(&fixture, SEGMENT_INSIDE_MODULES, 0, INSIDE_MODULES,
                                    INSIDE_MODULES * sizeof(struct inside_module));
        at_sites = fixture_extend(&fixture, SEGMENT_INSIDE_SITES, 0, INSIDE_SITES,
                                  INSIDE_SITES * sizeof(struct inside_site));
        at_nodes = fixture_extend(&fixture, SEGMENT_INSIDE_NODES, 0, INSIDE_NODES,
                                  INSIDE_NODES * sizeof(struct inside_node));
        at_findings = fixture_extend(&fixture, SEGMENT_INSIDE_FINDINGS, 0, INSIDE_FINDINGS,
                                     INSIDE_FINDINGS * sizeof(struct inside_finding));
        *head() = (struct inside_head){
                .version = INSIDE_VERSION, .modules = 1, .sites = INSIDE_FIRST_SITE, .nodes = 1
        };
        name_module(1, "lru");
        return picture_new(0, &picture);
}

static int end(void **state)
{
        (void)state;
        segment_close(&view);
        picture_free(&picture);
        fixture_fini(&fixture);
        return unlinkat(dir_fd, "x.seg", 0);
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void write_all(void)
{
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
}

/* The first step that does not say 0. */
static int look(const char **ret_why)
{
        const uid_t owners[] = { geteuid() };
        int outcome = 0;

        if (!view)
                outcome = segment_open(dir_fd, "x.seg", owners, 1, &view, ret_why);
        if (!outcome)
                outcome = segment_refresh(view, ret_why);
        return outcome ? outcome : picture_read(picture, view, now_s * CLOCK_S_NS, ret_why);
}

static void look_well(void)
{
        const char *why = NULL;

        write_all();
        assert_int_equal(look(&why), 0);
}

static void is_broken(const char *as)
{
        const char *why = "";

        write_all();
        assert_int_equal(look(&why), SEGMENT_BROKEN);
        assert_non_null(strstr(why, as));
}

/* ---- As it is written ----------------------------------------------------- */

static void cells_are_summed_over_threads(void **state)
{
        (void)state;
        add_site(INSIDE_HEAP, 1);
        add_page(7);
        add_page(0); /* it has ended, and freed what another made */
        page(0)->cells[INSIDE_FIRST_SITE].live = 3 * INSIDE_ONE + 300;
        page(0)->cells[INSIDE_FIRST_SITE].made = 3;
        page(1)->cells[INSIDE_FIRST_SITE].live = -INSIDE_ONE - 100;
        page(1)->cells[INSIDE_FIRST_SITE].made = 2;
        page(0)->io[1] = (struct inside_io){ .reads = 2, .read_bytes = 20 };
        page(1)->io[1] = (struct inside_io){ .reads = 1, .read_bytes = 5, .errors = 1 };
        look_well();
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].live, 2);
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].bytes, 200);
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].made, 5);
        assert_int_equal(picture->io[1].reads, 3);
        assert_int_equal(picture->io[1].read_bytes, 25);
        assert_int_equal(picture->io[1].errors, 1);
        assert_int_equal(picture->thread_count, 1);
        assert_int_equal(picture->threads[0].id, 7);
        look_well(); /* the second time it is not twice as much */
        assert_int_equal(picture->cells[INSIDE_FIRST_SITE].bytes, 200);
}

static void only_threads_of_the_process_live(void **state)
{
        const char *why = NULL;

        (void)state;
        picture->pid = getpid();
        add_page((uint64_t)syscall(SYS_gettid));
        add_page(1); /* no thread of ours, whoever says so */
        add_page(UINT64_MAX);
        look_well();
        assert_int_equal(picture->thread_count, 1);
        assert_int_equal(picture->threads[0].number, 0);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why), 0);
        assert_int_equal(picture->thread_count, 1);
}

static void who_is_joined_is_found_by_its_pthread_t(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                add_page(100 + i);
                page(i)->self = i < 3 ? 0x7000 + i : 0; /* the last one has ended */
                page(i)->wait_kind = INSIDE_JOIN;
        }
        page(0)->wait_number = 1;
        page(0)->wait_lock = 0x7002;
        page(1)->wait_number = 3;
        page(1)->wait_lock = 0x7003; /* nobody's */
        page(2)->wait_number = 2;    /* over */
        page(2)->wait_lock = 0x7000;
        page(3)->wait_number = 1;
        page(3)->wait_lock = 0; /* never */
        look_well();
        assert_int_equal(picture->threads[0].wait_lock, 102);
        assert_int_equal(picture->threads[1].wait_lock, 0);
        assert_int_equal(picture->threads[2].wait_lock, 0x7000);
        assert_int_equal(picture->threads[3].wait_lock, 0);
}

static void modules_come_when_they_are_ready(void **state)
{
        struct inside_module *modules = at(at_modules);

        (void)state;
        name_module(2, "wal");
        name_module(3, "net");
        modules[2].is_ready = 0;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_string_equal(picture_module(picture, 0), "process");
        assert_string_equal(picture_module(picture, 1), "lru");
        assert_string_equal(picture_module(picture, 3), "process");
        modules[2].is_ready = 1;
        look_well();
        assert_int_equal(picture->module_count, 4);
        assert_string_equal(picture_module(picture, 3), "net");
        assert_false(picture->has_other_modules);
        modules[INSIDE_OTHER_MODULES].is_ready = 1;
        look_well();
        assert_true(picture->has_other_modules);
        assert_string_equal(picture_module(picture, INSIDE_OTHER_MODULES), "others");
}

static void findings_wait_for_the_one_before(void **state)
{
        struct inside_finding *findings = at(at_findings);

        (void)state;
        head()->findings_made = 2;
        findings[1] = (struct inside_finding){ .is_ready = 1, .kind = INSIDE_DOUBLE_FREE };
        look_well();
        assert_int_equal(picture->finding_count, 0);
        findings[0] = (struct inside_finding){ .is_ready = 1, .kind = INSIDE_OVERFLOW };
        look_well();
        assert_int_equal(picture->finding_count, 2);
        assert_int_equal(picture->findings[0].kind, INSIDE_OVERFLOW);
}

/* ---- As nobody should ----------------------------------------------------- */

static void names_that_are_none_are_not_taken(void **state)
{
        static const char *const names[] = { "", "9lives", "a b", "\x1b[31m", "\xc3\xa4", "a/b" };
        struct inside_module *modules = at(at_modules);

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                name_module(2, names[i]);
                look_well();
                assert_int_equal(picture->module_count, 2);
        }
        memset(modules[2].name, 'a', sizeof(modules[2].name)); /* without an end */
        look_well();
        assert_int_equal(picture->module_count, 2);
}

static void a_name_that_was_taken_stays(void **state)
{
        struct inside_module *modules = at(at_modules);

        (void)state;
        look_well();
        memset(&modules[1], 0xff, sizeof(modules[1]));
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_string_equal(picture_module(picture, 1), "lru");
}

static void counts_beyond_the_tables_are_cut(void **state)
{
        const char *why = NULL;

        (void)state;
        head()->modules = head()->sites = head()->nodes = UINT32_MAX;
        head()->findings_made = UINT64_MAX;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_int_equal(picture->site_count, INSIDE_SITES);
        assert_int_equal(picture->node_count, INSIDE_NODES);
        assert_int_equal(picture->finding_count, 0);
        head()->modules = head()->sites = head()->nodes = 0; /* and back */
        head()->findings_made = 0;
        look_well();
        assert_int_equal(picture->module_count, 2);
        assert_int_equal(picture->site_count, INSIDE_SITES);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why), 0);
}

static void numbers_out_of_range_come_into_it(void **state)
{
        (void)state;
        head()->sites = head()->nodes = INSIDE_SITES;
        head()->modules = INSIDE_MODULES;
        head()->findings_made = INSIDE_FINDINGS;
        memset(at(at_sites), 0xff, INSIDE_SITES * sizeof(struct inside_site));
        memset(at(at_nodes), 0xff, INSIDE_NODES * sizeof(struct inside_node));
        memset(at(at_findings), 0xff, INSIDE_FINDINGS * sizeof(struct inside_finding));
        add_page(7);
        memset(page(0), 0xff, sizeof(*page(0)));
        look_well();
        for (uint32_t i = 0; i < INSIDE_SITES; i++) {
                assert_true(picture->sites[i].module < INSIDE_MODULES);
                assert_true(picture->sites[i].depth <= INSIDE_STACK);
                assert_int_equal(picture->sites[i].is_ready, i < INSIDE_FIRST_SITE);
        }
        assert_int_equal(picture->finding_count, INSIDE_FINDINGS);
        for (uint32_t i = 0; i < INSIDE_FINDINGS; i++) {
                assert_true(picture->findings[i].module < INSIDE_MODULES);
                assert_true(picture->findings[i].site < INSIDE_SITES);
                assert_true(picture->findings[i].depth[1] <= INSIDE_STACK);
                assert_true(picture->findings[i].node[1] < INSIDE_NODES);
        }
        assert_int_equal(picture->thread_count, 1);
        assert_true(picture->threads[0].module < INSIDE_MODULES);
        assert_true(picture->threads[0].wait_node < INSIDE_NODES);
        assert_true(picture->threads[0].made_site < INSIDE_SITES);
        assert_int_equal(picture->threads[0].held_count, INSIDE_HELD);
        for (uint32_t i = 0; i < INSIDE_HELD; i++)
                assert_true(picture->threads[0].held[i].node < INSIDE_NODES);
}

static void another_version_is_not_read(void **state)
{
        (void)state;
        head()->version = INSIDE_VERSION + 1;
        is_broken("another version");
}

static void a_table_is_there_once(void **state)
{
        (void)state;
        (void)fixture_extend(&fixture, SEGMENT_INSIDE_SITES, 0, INSIDE_SITES,
                             INSIDE_SITES * sizeof(struct inside_site));
        is_broken("twice");
}

static void a_table_has_the_size_of_this_version(void **state)
{
        struct segment_extent *extent = at(at_nodes - sizeof(*extent));

        (void)state;
        extent->count = INSIDE_NODES - 1;
        is_broken("another version");
}

static void a_table_lies_within_its_extent(void **state)
{
        struct segment_extent *extent = at(at_findings - sizeof(*extent));

        (void)state;
        extent->count = UINT32_MAX;
        is_broken("more than it has room for");
}

static void a_page_lies_within_its_extent(void **state)
{
        (void)state;
        (void)fixture_extend(&fixture, SEGMENT_INSIDE_THREAD, 0, 1, 64);
        is_broken("more than it has room for");
}

static void without_one_of_the_tables_there_is_no_inside(void **state)
{
        struct segment_extent *extent = at(at_sites - sizeof(*extent));
        const uid_t owners[] = { geteuid() };
        const char *why = NULL;

        (void)state;
        extent->kind = SEGMENT_FILLER;
        write_all();
        assert_int_equal(segment_open(dir_fd, "x.seg", owners, 1, &view, &why), 0);
        assert_int_equal(segment_refresh(view, &why), 0);
        assert_false(segment_has_inside(view));
}

static void a_file_that_becomes_shorter_is_broken(void **state)
{
        const char *why = "";

        (void)state;
        add_page(7);
        look_well();
        fixture_write(&fixture, dir_fd, "x.seg", at_page[0]);
        assert_int_equal(picture_read(picture, view, now_s * CLOCK_S_NS, &why), SEGMENT_BROKEN);
        fixture_write(&fixture, dir_fd, "x.seg", at_sites);
        assert_int_equal(picture_read_threads(picture, view, now_s * CLOCK_S_NS, &why),
                         SEGMENT_BROKEN);
}

/* ---- Probes of modules ---------------------------------------------------- */

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

#define SEER_TRIAL(name) cmocka_unit_test_setup_teardown(name, begin_seer, end_seer)

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
        own->held_count = 1;
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                SEER_TRIAL(a_module_that_hangs_when_it_is_first_entered_rings_between_ticks),
                TRIAL(cells_are_summed_over_threads),
                TRIAL(only_threads_of_the_process_live),
                TRIAL(who_is_joined_is_found_by_its_pthread_t),
                TRIAL(modules_come_when_they_are_ready),
                TRIAL(findings_wait_for_the_one_before),
                TRIAL(names_that_are_none_are_not_taken),
                TRIAL(a_name_that_was_taken_stays),
                TRIAL(counts_beyond_the_tables_are_cut),
                TRIAL(numbers_out_of_range_come_into_it),
                TRIAL(another_version_is_not_read),
                TRIAL(a_table_is_there_once),
                TRIAL(a_table_has_the_size_of_this_version),
                TRIAL(a_table_lies_within_its_extent),
                TRIAL(a_page_lies_within_its_extent),
                TRIAL(without_one_of_the_tables_there_is_no_inside),
                TRIAL(a_file_that_becomes_shorter_is_broken),
                SEER_TRIAL(a_budget_that_lasts_for_less_than_an_hour_rings),
                SEER_TRIAL(modules_are_given_what_their_budgets_ask_for),
                SEER_TRIAL(a_finding_rings_for_its_module),
                SEER_TRIAL(modules_that_found_no_room_ring_together),
                SEER_TRIAL(modules_of_one_name_do_not_stop_the_rest),
        };
        char place[32];
        int failed;

        dir_fd = fixture_directory(place);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        (void)close(dir_fd);
        return rmdir(place) || failed;
}
