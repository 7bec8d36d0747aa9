/* SPDX-License-Identifier: Apache-2.0 */
/* How near a program is to its fence, from folders that look like the kernel's. */
#include "watch/fence_watch.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#define ALL (CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU | CGROUP_IO)

struct group {
        char path[64];
        struct cgroup_home home;
        struct fence fence;
        struct fence_watch *watch;
        uint64_t second;
};

static void put(const struct group *group, const char *name, const char *text)
{
        int fd = openat(group->fence.group.folders[0], name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        assert_int_equal(close(fd), 0);
}

static void set_up(struct group *group, bool is_v2)
{
        *group = (struct group){ .path = "/tmp/tocsin-fence-watch-XXXXXX",
                                 .home = { .tree_count = 1, .name = "a folder" },
                                 .fence = FENCE_NULL };
        assert_non_null(mkdtemp(group->path));
        group->home.trees[0] = (struct cgroup_tree){ .fd = -1, .roles = ALL, .is_v2 = is_v2 };
        group->fence.limits = (struct fence_limits){
                .memory_bytes = 64 << 20, .cpu_permille = 500, .io_bytes = 1000000, .processes = 10
        };
        group->fence.counted = ALL;
        group->fence.name = group->home.name;
        group->fence.group = (struct cgroup){ .home = &group->home, .io_device = makedev(254, 16) };
        group->fence.group.folders[0] = open(group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(group->fence.group.folders[0] >= 0);
        if (is_v2)
                put(group, "memory.pressure", "");
}

static void begin(struct group *group)
{
        assert_int_equal(fence_watch_new(&group->fence, CLOCK_S_NS, &group->watch), 0);
}

static void tear_down(struct group *group)
{
        static const char *const names[] = { "io.stat", "memory.pressure", "io.pressure",
                                             "blkio.throttle.io_service_bytes" };

        for (size_t i = 0; i < BASE_COUNT(names); i++)
                (void)unlinkat(group->fence.group.folders[0], names[i], 0);
        assert_int_equal(close(group->fence.group.folders[0]), 0);
        assert_int_equal(rmdir(group->path), 0);
        fence_watch_free(&group->watch);
        text_fini(&group->fence.kept);
        text_fini(&group->fence.missing);
}

/* One second more; the name of what rings now, "" if nothing does. */
static const char *tick(struct group *group)
{
        const struct rule_change *changes = NULL;
        const char *name = "";
        size_t count = 0;

        group->second++;
        assert_int_equal(fence_watch_judge(group->watch, &group->fence, getpid(),
                                           (1 + group->second) * CLOCK_S_NS, true, &changes,
                                           &count),
                         0);
        for (size_t i = 0; i < count; i++)
                if (changes[i].now.state == RULE_FIRING)
                        name = changes[i].now.record->name;
        return name;
}

/* The second in which it rings, and nothing did before; 0: never. */
static uint64_t rings(struct group *group, const char *wanted, uint64_t seconds)
{
        for (uint64_t i = 0; i < seconds; i++) {
                const char *name = tick(group);

                if (name[0]) {
                        assert_string_equal(name, wanted);
                        return group->second;
                }
        }
        return 0;
}

/* On its disk, and much more on another. */
static void put_transferred(const struct group *group, unsigned read, unsigned written)
{
        char text[300];

        if (group->home.trees[0].is_v2) {
                (void)snprintf(text, sizeof(text),
                               "254:1 rbytes=900000000 wbytes=900000000 rios=1 wios=1\n"
                               "254:16 rbytes=%u wbytes=%u rios=9 wios=9 dbytes=0 dios=0\n",
                               read, written);
                put(group, "io.stat", text);
        } else {
                (void)snprintf(text, sizeof(text),
                               "254:1 Read 900000000\n254:1 Write 900000000\n254:16 Read %u\n"
                               "254:16 Write %u\n254:16 Sync 7\n254:16 Total 7\nTotal 8\n",
                               read, written);
                put(group, "blkio.throttle.io_service_bytes", text);
        }
}

/* The second in which it rings if it reads and writes that many bytes a second; 0: not in 60. */
static uint64_t rings_at(bool is_v2, unsigned read, unsigned written)
{
        struct group group;
        uint64_t at = 0;

        set_up(&group, is_v2);
        begin(&group);
        for (unsigned i = 1; i <= 60 && !at; i++) {
                put_transferred(&group, i * read, i * written);
                at = rings(&group, "io_permille", 1);
        }
        tear_down(&group);
        return at;
}

/* Of 950000 a second nine seconds are 855 permille of ten times the limit, ten are 950; from the
 * tenth or, as the first second has no base, the eleventh on it is above 900, and 30 s later it
 * rings. */
static void at_its_limit_of_the_disk_it_rings(void **state)
{
        (void)state;
        for (int is_v2 = 0; is_v2 < 2; is_v2++) {
                assert_in_range(rings_at(is_v2, 950000, 3), 40, 41);
                assert_in_range(rings_at(is_v2, 3, 950000), 40, 41);
                assert_int_equal(rings_at(is_v2, 880000, 880000), 0);
        }
}

static void waiting_for_memory_rings(void **state)
{
        struct group group;

        (void)state;
        set_up(&group, true);
        begin(&group);
        put(&group, "memory.pressure", "some avg10=10.00 avg60=90.00 avg300=90.00 total=1\n");
        assert_int_equal(rings(&group, "", 20), 0); /* 100 is not above 100 */
        put(&group, "memory.pressure", "some avg10=10.10 avg60=0.00 avg300=0.00 total=1\n");
        assert_in_range(rings(&group, "memory_stalled_permille", 20), 30, 31);
        tear_down(&group);
}

static void waiting_for_the_disk_rings(void **state)
{
        struct group group;

        (void)state;
        set_up(&group, true);
        begin(&group);
        put(&group, "io.pressure", "some avg10=50.10 avg60=0.00 avg300=0.00 total=1\n");
        assert_in_range(rings(&group, "io_stalled_permille", 40), 31, 32);
        tear_down(&group);
}

static void has_rows(struct group *group, const char *const *names)
{
        struct rule_view view;
        uint32_t row = UINT32_MAX;
        size_t count = 0;

        begin(group);
        for (size_t n = 0; !rule_set_view(fence_watch_rules(group->watch), n, &view); n++) {
                if (view.row == row)
                        continue;
                row = view.row;
                assert_non_null(names[count]);
                assert_string_equal(view.record->name, names[count]);
                count++;
        }
        assert_null(names[count]);
        tear_down(group);
}

/* One that stood at 0 would say that all is well. */
static void what_nobody_counts_has_no_row(void **state)
{
        static const char *const none[] = { "files_permille", NULL };
        static const char *const memory[] = { "memory_permille", "files_permille", "limit_hit",
                                              "oom", NULL };
        static const char *const disk[] = { "files_permille", "io_permille", "io_stalled_permille",
                                            NULL };
        struct group group;

        (void)state;
        set_up(&group, true);
        group.fence.counted = 0;
        has_rows(&group, none);
        set_up(&group, false);
        group.fence.counted = CGROUP_MEMORY;
        has_rows(&group, memory);
        set_up(&group, true);
        group.fence.counted = CGROUP_IO;
        has_rows(&group, disk);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(at_its_limit_of_the_disk_it_rings),
                cmocka_unit_test(waiting_for_memory_rings),
                cmocka_unit_test(waiting_for_the_disk_rings),
                cmocka_unit_test(what_nobody_counts_has_no_row),
        };

        return cmocka_run_group_tests_name("fence_watch", tests, NULL, NULL);
}
