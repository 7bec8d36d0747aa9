/* SPDX-License-Identifier: Apache-2.0 */
/* Places of receivers, restarts, and what happens when the file or the memory is full. */
#include "watch/outbox.h"
#include "watch/fixture.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <pthread.h>

static char place[32];
static char path[64];

static int set_up(void **state)
{
        int fd = fixture_directory(place);

        (void)state;
        (void)close(fd);
        (void)snprintf(path, sizeof(path), "%s/outbox.db", place);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        return file_remove_tree(AT_FDCWD, place);
}

static struct outbox *open_at(const char *where)
{
        struct outbox *outbox = NULL;

        assert_int_equal(outbox_new(where, -1, &outbox), 0);
        return outbox;
}

static unsigned subscribe(struct outbox *outbox, const char *name, enum outbox_type types)
{
        unsigned number = 99;

        assert_int_equal(outbox_subscribe(outbox, name, types, &number), 0);
        return number;
}

static void append(struct outbox *outbox, enum outbox_type type, const char *body)
{
        assert_int_equal(outbox_append(outbox, type, body, strlen(body)), 0);
}

/* Takes one event, which must be this one; returns its sequence. */
static uint64_t expect(struct outbox *outbox, unsigned number, const char *body)
{
        BASE_SCOPE(text_fini) struct text got = TEXT_INIT(outbox_body_bytes_max);
        uint64_t sequence = 0;

        assert_int_equal(outbox_take(outbox, number, &sequence, &got), 0);
        assert_string_equal(text_view(&got), body);
        return sequence;
}

static void each_receiver_has_its_place(const char *where)
{
        struct outbox *outbox = open_at(where);
        unsigned fast = subscribe(outbox, "fast", OUTBOX_ALL);
        unsigned slow = subscribe(outbox, "slow", OUTBOX_ALERT);
        uint64_t first;

        append(outbox, OUTBOX_ALERT, "one");
        append(outbox, OUTBOX_OTHER, "two");
        append(outbox, OUTBOX_ALERT, "three");
        assert_int_equal(outbox_pending(outbox, fast), 3);
        assert_int_equal(outbox_pending(outbox, slow), 2);
        first = expect(outbox, fast, "one");
        assert_int_equal(expect(outbox, fast, "one"), first); /* until it is acknowledged */
        outbox_acknowledge(outbox, fast, first);
        outbox_acknowledge(outbox, fast, expect(outbox, fast, "two"));
        outbox_acknowledge(outbox, slow, expect(outbox, slow, "one"));
        outbox_acknowledge(outbox, slow, expect(outbox, slow, "three"));
        assert_int_equal(outbox_pending(outbox, slow), 0);
        assert_int_equal(outbox_pending(outbox, fast), 1);
        outbox_acknowledge(outbox, fast, expect(outbox, fast, "three"));
        outbox_stop(outbox);
        outbox_free(&outbox);
        assert_null(outbox);
}

static void places_in_the_file(void **state)
{
        (void)state;
        each_receiver_has_its_place(path);
        assert_int_equal(unlink(path), 0);
}

static void places_in_memory(void **state)
{
        (void)state;
        each_receiver_has_its_place(NULL);
}

static void a_restart_goes_on_where_it_was(void **state)
{
        struct outbox *outbox = open_at(path);
        unsigned number = subscribe(outbox, "webhook", OUTBOX_ALERT);
        uint64_t last;

        (void)state;
        append(outbox, OUTBOX_ALERT, "delivered");
        append(outbox, OUTBOX_ALERT, "taken, but the watcher was killed");
        append(outbox, OUTBOX_ALERT, "not yet");
        outbox_acknowledge(outbox, number, expect(outbox, number, "delivered"));
        last = expect(outbox, number, "taken, but the watcher was killed");
        outbox_free(&outbox);

        outbox = open_at(path);
        number = subscribe(outbox, "webhook", OUTBOX_ALERT);
        assert_int_equal(outbox_pending(outbox, number), 2);
        assert_int_equal(expect(outbox, number, "taken, but the watcher was killed"), last);
        outbox_acknowledge(outbox, number, last);
        outbox_acknowledge(outbox, number, expect(outbox, number, "not yet"));
        append(outbox, OUTBOX_ALERT, "new");
        assert_true(expect(outbox, number, "new") > last + 1);
        outbox_free(&outbox);
        assert_int_equal(unlink(path), 0);
}

static void two_receivers_of_one_name_are_two(void **state)
{
        struct outbox *outbox = open_at(path);
        unsigned left = subscribe(outbox, "webhook http://host:80", OUTBOX_ALERT);
        unsigned right = subscribe(outbox, "webhook http://host:80", OUTBOX_ALERT);

        (void)state;
        assert_int_not_equal(left, right);
        for (int i = 0; i < 100; i++) { /* enough for the file to be pruned on the way */
                append(outbox, OUTBOX_ALERT, "x");
                outbox_acknowledge(outbox, left, expect(outbox, left, "x"));
        }
        assert_int_equal(outbox_pending(outbox, right), 100);
        outbox_free(&outbox);
        assert_int_equal(unlink(path), 0);
}

static void what_nobody_wants_is_not_kept(void **state)
{
        struct outbox *outbox = open_at(NULL);
        unsigned number;

        (void)state;
        for (int i = 0; i < 2 * outbox_memory_max; i++)
                append(outbox, OUTBOX_ALERT, "x");
        number = subscribe(outbox, "late", OUTBOX_ALERT);
        for (int i = 0; i < 2 * outbox_memory_max; i++)
                append(outbox, OUTBOX_OTHER, "x");
        assert_int_equal(outbox_pending(outbox, number), 0);
        assert_int_equal(outbox_lost(outbox), 0);
        outbox_free(&outbox);
}

static void memory_is_bounded_and_loss_is_told(void **state)
{
        struct outbox *outbox = open_at(NULL);
        unsigned number = subscribe(outbox, "slow", OUTBOX_ALERT);

        (void)state;
        for (int i = 0; i < outbox_memory_max; i++)
                append(outbox, OUTBOX_ALERT, "x");
        assert_int_equal(outbox_append(outbox, OUTBOX_ALERT, "y", 1), OUTBOX_LOST);
        assert_int_equal(outbox_lost(outbox), 1);
        assert_int_equal(outbox_pending(outbox, number), outbox_memory_max);
        outbox_acknowledge(outbox, number, expect(outbox, number, "x"));
        append(outbox, OUTBOX_ALERT, "z"); /* there is room again */
        outbox_free(&outbox);
}

static void a_body_has_a_limit(void **state)
{
        struct outbox *outbox = open_at(NULL);
        char *body = calloc(1, outbox_body_bytes_max + 1);

        (void)state;
        (void)subscribe(outbox, "x", OUTBOX_ALL);
        assert_non_null(body);
        assert_int_equal(outbox_append(outbox, OUTBOX_ALERT, body, outbox_body_bytes_max), 0);
        assert_int_equal(outbox_append(outbox, OUTBOX_ALERT, body, outbox_body_bytes_max + 1),
                         -E2BIG);
        free(body);
        outbox_free(&outbox);
}

/* Bodies so large that the file reaches its limit: then memory takes over, in order. */
static void a_full_file_falls_back_to_memory(void **state)
{
        enum { big = 250 << 10 };
        struct outbox *outbox = open_at(path);
        unsigned number = subscribe(outbox, "down", OUTBOX_ALERT);
        BASE_SCOPE(text_fini) struct text got = TEXT_INIT(outbox_body_bytes_max);
        char *body = malloc(big);
        uint64_t sequence = 0, last = 0;
        int outcome = 0, count = 0;

        (void)state;
        assert_non_null(body);
        memset(body, 'x', big);
        while (!outcome && count++ < 1000)
                outcome = outbox_append(outbox, OUTBOX_ALERT, body, big);
        assert_int_equal(outcome, OUTBOX_IN_MEMORY);
        append(outbox, OUTBOX_OTHER, "nobody wants this");
        assert_int_equal(outbox_append(outbox, OUTBOX_ALERT, "last", 4), OUTBOX_IN_MEMORY);
        assert_true(outbox_flush(outbox) >= 1);
        for (int i = 0; i < count + 1; i++) {
                assert_int_equal(outbox_take(outbox, number, &sequence, &got), 0);
                assert_true(sequence > last);
                last = sequence;
                outbox_acknowledge(outbox, number, sequence);
        }
        assert_string_equal(text_view(&got), "last");
        assert_int_equal(outbox_pending(outbox, number), 0);
        assert_int_equal(outbox_append(outbox, OUTBOX_ALERT, "on file again", 13), 0);
        free(body);
        outbox_free(&outbox);
        assert_int_equal(unlink(path), 0);
}

static void a_file_that_is_no_outbox_is_refused(void **state)
{
        struct outbox *outbox = NULL;
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        (void)state;
        assert_true(fd >= 0);
        for (int i = 0; i < 100; i++)
                assert_int_equal(write(fd, "this is not a database\n", 23), 23);
        assert_int_equal(close(fd), 0);
        assert_true(outbox_new(path, -1, &outbox) < 0);
        assert_null(outbox);
        assert_int_equal(unlink(path), 0);
        assert_true(outbox_new("/nonexistent/outbox.db", -1, &outbox) < 0);
}

static void *take_until_stopped(void *argument)
{
        BASE_SCOPE(text_fini) struct text got = TEXT_INIT(outbox_body_bytes_max);
        uint64_t sequence;
        uintptr_t count = 0;

        while (!outbox_take(argument, 0, &sequence, &got)) {
                outbox_acknowledge(argument, 0, sequence);
                count++;
        }
        return (void *)count;
}

static void waiting_ends_with_an_event_or_the_end(void **state)
{
        struct outbox *outbox = open_at(path);
        void *count = NULL;
        pthread_t thread;

        (void)state;
        assert_int_equal(subscribe(outbox, "thread", OUTBOX_ALL), 0);
        assert_int_equal(pthread_create(&thread, NULL, take_until_stopped, outbox), 0);
        for (int i = 0; i < 500; i++)
                append(outbox, OUTBOX_ALERT, "x");
        while (outbox_pending(outbox, 0))
                (void)sched_yield();
        outbox_stop(outbox);
        assert_int_equal(pthread_join(thread, &count), 0);
        assert_int_equal((uintptr_t)count, 500);
        assert_int_equal(outbox_pause(outbox, 3600 * CLOCK_S_NS), OUTBOX_STOPPED);
        outbox_free(&outbox);
        assert_int_equal(unlink(path), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(places_in_the_file),
                cmocka_unit_test(places_in_memory),
                cmocka_unit_test(a_restart_goes_on_where_it_was),
                cmocka_unit_test(two_receivers_of_one_name_are_two),
                cmocka_unit_test(what_nobody_wants_is_not_kept),
                cmocka_unit_test(memory_is_bounded_and_loss_is_told),
                cmocka_unit_test(a_body_has_a_limit),
                cmocka_unit_test(a_full_file_falls_back_to_memory),
                cmocka_unit_test(a_file_that_is_no_outbox_is_refused),
                cmocka_unit_test(waiting_ends_with_an_event_or_the_end),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
