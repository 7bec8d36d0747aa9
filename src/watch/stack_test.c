/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of this very process: with a map and without, with names and when there is no time. */
#include "watch/stack.h"
#include "watch/fixture.h"
#include "watch/insight.h"
#include "watch/procfs.h"

#include "base/clock.h"

#include <inttypes.h>
#include <sys/mman.h>

/* The map of this process, taken as the watcher takes it: by a file that is mapped here. */
static void take_map(struct text *maps)
{
        char place[32];
        int dir_fd = fixture_directory(place);
        int fd = openat(dir_fd, "mapped", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat status;
        void *mapping;

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, 4096), 0);
        assert_int_equal(fstat(fd, &status), 0);
        mapping = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        assert_true(mapping != MAP_FAILED);
        assert_int_equal(procfs_maps(getpid(), status.st_ino, maps), PROCFS_MAPPED);
        assert_int_equal(munmap(mapping, 4096), 0);
        assert_int_equal(procfs_maps(getpid(), status.st_ino, maps), PROCFS_NOT_MAPPED);
        (void)close(fd);
        assert_int_equal(unlinkat(dir_fd, "mapped", 0), 0);
        (void)close(dir_fd);
        assert_int_equal(rmdir(place), 0);
}

static void an_address_without_map_stands_for_itself(void **state)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];
        const uint64_t addresses[] = { 0x1234, UINT64_MAX, 0 };

        (void)state;
        stack_describe(NULL, &maps, addresses, 3, 0, lines);
        assert_string_equal(lines[0], "0x1234");
        assert_string_equal(lines[1], "0xffffffffffffffff");
        assert_string_equal(lines[2], "0x0");
}

static void a_map_gives_the_module(void **state)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];
        const uint64_t addresses[] = { (uint64_t)(uintptr_t)a_map_gives_the_module + 4 };

        (void)state;
        take_map(&maps);
        stack_describe(NULL, &maps, addresses, 1, 0, lines);
        assert_memory_equal(lines[0], "stack_test+0x", strlen("stack_test+0x"));
}

static void names_come_if_there_is_time(void **state)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];
        const uint64_t addresses[] = { (uint64_t)(uintptr_t)names_come_if_there_is_time + 4, 0x10 };
        struct stack_reader *reader = NULL;

        (void)state;
        take_map(&maps);
        assert_int_equal(stack_reader_new(&reader), 0);
        for (int round = 0; round < 3; round++) { /* the second time from what is kept */
                stack_describe(reader, &maps, addresses, 2, 60 * CLOCK_S_NS, lines);
                assert_non_null(strstr(lines[0], " names_come_if_there_is_time+0x4"));
                assert_string_equal(lines[1], "0x10");
        }
        stack_describe(reader, &maps, addresses, 2, 0, lines); /* no time at all */
        assert_memory_equal(lines[0], "stack_test+0x", strlen("stack_test+0x"));
        stack_reader_free(&reader);
        assert_null(reader);
}

/* Its zeros take no bytes in the file: they are mapped behind its data, without a name. */
static char zeros[256 << 10];
static uint64_t number = 77;

static void describe_object(struct stack_reader *reader, const void *object, char *line)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);

        take_map(&maps);
        stack_describe_object(reader, &maps, (uint64_t)(uintptr_t)object, 60 * CLOCK_S_NS, line);
}

static void an_object_has_its_name(void **state)
{
        struct stack_reader *reader = NULL;
        char line[stack_line_bytes], wanted[stack_line_bytes];
        void *heap = malloc(4 << 20);

        (void)state;
        assert_int_equal(stack_reader_new(&reader), 0);
        describe_object(reader, &number, line);
        assert_memory_equal(line, "stack_test+0x", strlen("stack_test+0x"));
        assert_string_equal(strchr(line, ' '), " number");
        describe_object(reader, zeros, line);
        assert_string_equal(strchr(line, ' '), " zeros");
        describe_object(reader, zeros + (200 << 10), line);
        assert_memory_equal(line, "stack_test+0x", strlen("stack_test+0x"));
        assert_string_equal(strchr(line, ' '), " zeros+0x32000");
        describe_object(reader, heap, line);
        (void)snprintf(wanted, sizeof(wanted), "0x%" PRIx64, (uint64_t)(uintptr_t)heap);
        assert_string_equal(line, wanted);
        stack_reader_free(&reader);
        free(heap);
}

/* One name, or a number only. */
static bool is_named(const struct namer *namer)
{
        json_t *line = namer_place(namer, (uint64_t)(uintptr_t)names_come_if_there_is_time + 4);
        bool is_there = strstr(json_string_value(line), " names_come_if_there_is_time") != NULL;

        assert_memory_equal(json_string_value(line), "stack_test+0x", strlen("stack_test+0x"));
        json_decref(line);
        return is_there;
}

static void after_the_time_of_an_alert_there_are_numbers(void **state)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        struct stack_reader *reader = NULL;
        struct namer namer = { .maps = &maps };
        uint64_t until_ns = clock_monotonic_ns() + 60 * CLOCK_S_NS;

        (void)state;
        take_map(&maps);
        assert_int_equal(stack_reader_new(&reader), 0);
        namer.stacks = reader;
        namer.until_ns = until_ns;
        while (!is_named(&namer)) /* what it has read is kept: the next time it knows */
                assert_true(clock_monotonic_ns() < until_ns);
        namer.until_ns = 1; /* long ago */
        assert_false(is_named(&namer));
        namer.until_ns = until_ns;
        while (!is_named(&namer))
                assert_true(clock_monotonic_ns() < until_ns);
        stack_reader_free(&reader);
}

/* The lines of a map without those of this program. */
static void leave_out_this(const struct text *maps, struct text *rest)
{
        const char *at = text_view(maps);

        for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
                size_t length = (size_t)(end + 1 - at);

                if (!memmem(at, length, "/stack_test", strlen("/stack_test")))
                        text_append_bytes(rest, at, length);
        }
}

static void what_is_known_goes_with_the_code_that_is_mapped(void **state)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        BASE_SCOPE(text_fini) struct text others = TEXT_INIT(procfs_snapshot_bytes_max);
        BASE_SCOPE(text_fini) struct text more = TEXT_INIT(procfs_snapshot_bytes_max);
        const uint64_t address = (uint64_t)(uintptr_t)a_map_gives_the_module + 4;
        char lines[SEGMENT_STACK_MAX][stack_line_bytes], number_only[24];
        struct stack_reader *reader = NULL;

        (void)state;
        take_map(&maps);
        leave_out_this(&maps, &others);
        assert_true(others.length < maps.length);
        text_append(&more, "10000-11000 rw-s 00000000 00:01 5 /dev/shm/another\n"); /* no code */
        text_append_bytes(&more, text_view(&maps), maps.length);
        (void)snprintf(number_only, sizeof(number_only), "0x%" PRIx64, address);
        assert_int_equal(stack_reader_new(&reader), 0);
        for (int round = 0; round < 2; round++) {
                stack_describe(reader, &maps, &address, 1, 60 * CLOCK_S_NS, lines);
                assert_non_null(strstr(lines[0], " a_map_gives_the_module+0x4"));
                stack_describe(reader, &more, &address, 1, 60 * CLOCK_S_NS, lines);
                assert_non_null(strstr(lines[0], " a_map_gives_the_module+0x4"));
                stack_describe(reader, &others, &address, 1, 60 * CLOCK_S_NS, lines);
                assert_string_equal(lines[0], number_only);
        }
        /* One address, asked as that of a return and as that of an object. */
        stack_describe_object(reader, &maps, address, 60 * CLOCK_S_NS, lines[0]);
        assert_non_null(strstr(lines[0], " a_map_gives_the_module+0x4"));
        stack_describe_object(reader, &maps, address - 4, 60 * CLOCK_S_NS, lines[0]);
        assert_non_null(strstr(lines[0], " a_map_gives_the_module"));
        stack_describe(reader, &maps, &(uint64_t){ address - 4 }, 1, 60 * CLOCK_S_NS, lines);
        assert_null(strstr(lines[0], " a_map_gives_the_module"));
        stack_reader_free(&reader);
}

static void a_map_that_is_nonsense_harms_nobody(void **state)
{
        static const char *const maps_of_others[] = {
                "",
                "\n\n\n",
                "x",
                "0-ffffffffffffffff r-xp 0 0:0 1 /nonexistent\n",
                "zzzz-1 q 9 9 9 9\n",
                "1000-2000 r-xp 00000000 08:01 5 /etc/passwd\n",
                "1000-2000 r-xp 00000000 08:01 5 /proc/self/mem\n",
                "2000-1000 r-xp ffffffffffffffff 08:01 5 /dev/zero\n",
        };
        const uint64_t addresses[] = { 0x1800, 1 };
        struct stack_reader *reader = NULL;

        (void)state;
        assert_int_equal(stack_reader_new(&reader), 0);
        for (size_t i = 0; i < BASE_COUNT(maps_of_others); i++) {
                BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
                char lines[SEGMENT_STACK_MAX][stack_line_bytes];

                text_append(&maps, maps_of_others[i]);
                stack_describe(reader, &maps, addresses, 2, 60 * CLOCK_S_NS, lines);
                assert_true(strlen(lines[0]) > 0);
        }
        stack_reader_free(&reader);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_without_map_stands_for_itself),
                cmocka_unit_test(a_map_gives_the_module),
                cmocka_unit_test(names_come_if_there_is_time),
                cmocka_unit_test(an_object_has_its_name),
                cmocka_unit_test(after_the_time_of_an_alert_there_are_numbers),
                cmocka_unit_test(what_is_known_goes_with_the_code_that_is_mapped),
                cmocka_unit_test(a_map_that_is_nonsense_harms_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
