/* SPDX-License-Identifier: Apache-2.0 */
/* Stage stress: what a load shows that no single call does. The candidate of the fixture, spoilt in
 * one place at a time; each fault passes its cases, or hangs in them, and only who looks inside can
 * say why. */
#include "gate/stage_fixture.h"

#include "base/file.h"

#include <fcntl.h>

#define GOOD GATE_SOURCE_ROOT "/tests/gate/fixtures/spool/candidates/heard/spool.c"

static const char lock[] = "        (void)pthread_mutex_lock(&spool->lock);\n        *spool->end";
static const char unlock[] = "(void)pthread_mutex_unlock(&spool->lock);\n        return 0;\n";
static const char made[] = "        spool->end = &spool->first;\n        return spool;\n";
static const char write_locked[] = "        (void)pthread_mutex_lock(&spool->lock);\n"
                                   "        failed = write_locked(spool, fd);\n";
static const char asked[] = "malloc(sizeof(*record) + length)";

#define LOCK(name)   "        (void)pthread_mutex_lock(&" name ");\n"
#define UNLOCK(name) "        (void)pthread_mutex_unlock(&" name ");\n"
#define BOTH         LOCK("spool->lock") LOCK("totals") UNLOCK("totals") UNLOCK("spool->lock")

struct spoil {
        const char *was, *becomes;
};

/* NULL rule: nothing is found but what the case keeps. */
static const struct spoilt {
        const char *name;
        struct spoil spoils[3];
        const char *rule;
        const char *words;       /* of its message */
        const char *evidence[3]; /* names in it */
} table[] = {
        { "is as it was", { { asked, asked } }, NULL, NULL, { NULL } },
        { "could deadlock, and did not",
          { { made, "        spool->end = &spool->first;\n" BOTH "        return spool;\n" },
            { lock, LOCK("totals") LOCK("spool->lock") "        *spool->end" },
            { unlock, "(void)pthread_mutex_unlock(&spool->lock);\n" UNLOCK(
                              "totals") "        return 0;\n" } },
          "stress.lock-order",
          "module spool: locks are taken in both orders",
          { "spool_put+", "spool_new+", "other_way_round" } },
        { "deadlocks",
          { { lock, LOCK("totals") LOCK("spool->lock") "        *spool->end" },
            { unlock, "(void)pthread_mutex_unlock(&spool->lock);\n" UNLOCK(
                              "totals") "        return 0;\n" },
            { write_locked, LOCK("spool->lock") LOCK("totals") UNLOCK(
                                    "totals") "        failed = write_locked(spool, fd);\n" } },
          "stress.deadlock",
          "module spool: threads wait for each other, for ever",
          { "spool_put+", "spool_write+" } },
        { "writes one too far",
          { { asked, "malloc(sizeof(*record) + length - 1)" } },
          "stress.heap-damage",
          "module spool: the heap is damaged",
          { "written past its end", "spool_put+" } },
};

static void replace(struct text *source, const struct spoil *spoil)
{
        struct text spoilt = TEXT_INIT(candidate_file_bytes_max);
        const char *at = strstr(text_view(source), spoil->was);

        if (!at)
                fail_msg("the good candidate has no more: %s", spoil->was);
        text_append_bytes(&spoilt, text_view(source), (size_t)(at - text_view(source)));
        text_append(&spoilt, spoil->becomes);
        text_append(&spoilt, at + strlen(spoil->was));
        text_fini(source);
        *source = spoilt;
}

static void make_source(const struct spoilt *spoilt, struct text *ret_source)
{
        static const struct spoil totals = {
                "struct spool *spool_new(void)\n",
                "static pthread_mutex_t totals = PTHREAD_MUTEX_INITIALIZER;\n\n"
                "struct spool *spool_new(void)\n"
        };

        *ret_source = (struct text)TEXT_INIT(candidate_file_bytes_max);
        assert_int_equal(file_read(AT_FDCWD, GOOD, ret_source), 0);
        if (spoilt->spoils[1].was)
                replace(ret_source, &totals);
        for (size_t i = 0; i < BASE_COUNT(spoilt->spoils) && spoilt->spoils[i].was; i++)
                replace(ret_source, &spoilt->spoils[i]);
}

static void expect_evidence(const struct spoilt *spoilt, const struct finding *finding)
{
        for (size_t i = 0; i < BASE_COUNT(spoilt->evidence) && spoilt->evidence[i]; i++)
                if (!memmem(finding->evidence, finding->evidence_length, spoilt->evidence[i],
                            strlen(spoilt->evidence[i])))
                        fail_msg("%s: no %s in: %.*s", spoilt->name, spoilt->evidence[i],
                                 (int)finding->evidence_length, (const char *)finding->evidence);
}

static void expect(const struct contract *contract, const struct spoilt *spoilt)
{
        struct candidate candidate;
        struct stage_result result;
        const struct finding *finding;
        struct text source;

        make_source(spoilt, &source);
        fixture_candidate(contract, text_view(&source), &candidate);
        assert_int_equal(fixture_run(stage_stress, contract, &candidate, &result), 0);
        if (result.is_unknown)
                fail_msg("%s: %s", spoilt->name, text_view(&result.why));
        for (size_t i = 0; i < result.finding_count; i++)
                if (!spoilt->rule && strcmp(result.findings[i].rule, "stress.left") != 0)
                        fail_msg("%s: %s: %s", spoilt->name, result.findings[i].rule,
                                 result.findings[i].message);
        finding = spoilt->rule ? fixture_finding(&result, spoilt->rule) : NULL;
        if (spoilt->rule && (!finding || !strstr(finding->message, spoilt->words)))
                fail_msg("%s: no %s with: %s", spoilt->name, spoilt->rule, spoilt->words);
        if (finding)
                expect_evidence(spoilt, finding);
        stage_result_fini(&result);
        candidate_fini(&candidate);
        text_fini(&source);
}

static void says_what_only_a_load_shows(void **state)
{
        struct contract contract;

        (void)state;
        fixture_contract("spool", &contract);
        fixture_options.is_quick = true;
        for (size_t i = 0; i < BASE_COUNT(table); i++)
                expect(&contract, &table[i]);
        contract_fini(&contract);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_what_only_a_load_shows),
        };

        return cmocka_run_group_tests_name("stress", tests, fixture_begin, fixture_end);
}
