/* SPDX-License-Identifier: Apache-2.0 */
/* Looks that find what the test says, looks that never come back, and memory that somebody serves
 * who does not answer. */
#include "watch/leak.h"

#include "base/base.h"
#include "base/clock.h"
#include "watch/errand.h"
#include "watch/picture_fixture.h"
#include "watch/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
        patience_s = 30,
        lost_max = 64,
        site = INSIDE_FIRST_SITE,
        page_bytes = 4096,
        looks_max = 20
};

static struct leak *leak;
static struct insight insight;
static uint32_t lost; /* blocks that a look finds */
static atomic_bool is_free;
static nlink_t others; /* threads of the test's own */

static int find_lost(const struct heapscan_request *request, struct heapscan_result *ret_result)
{
        struct heapscan_block *blocks = calloc(lost_max, sizeof(*blocks));

        if (!blocks)
                return -ENOMEM;
        for (uint32_t i = 0; i < lost; i++)
                blocks[i] = (struct heapscan_block){ .address = 64 + 64 * i,
                                                     .size = 10,
                                                     .epoch = request->epoch - 2 - i % 2,
                                                     .site = site };
        *ret_result = (struct heapscan_result){ .blocks = blocks, .count = lost };
        return 0;
}

static int hang(const struct heapscan_request *request, struct heapscan_result *ret_result)
{
        while (!is_free)
                (void)usleep(1000);
        return find_lost(request, ret_result);
}

/* Of this process, as the kernel counts them: one whose errand is done may not have ended yet. */
static nlink_t count_threads(void)
{
        struct stat tasks;

        assert_int_equal(stat("/proc/self/task", &tasks), 0);
        return tasks.st_nlink - 2;
}

static bool is_alone(void)
{
        for (int i = 0; i < patience_s * 1000; i++) {
                if (!errand_running() && count_threads() == 1 + others)
                        return true;
                (void)usleep(1000);
        }
        return false;
}

static int begin(void **state)
{
        (void)state;
        is_free = false;
        insight = (struct insight){ 0 };
        if (picture_new(getpid(), &picture))
                return -1;
        picture->site_count = site + 1;
        picture->module_count = 1;
        picture->sites[site] = (struct inside_site){ .is_ready = 1, .kind = INSIDE_HEAP };
        picture->at_ns = 1000 * CLOCK_S_NS;
        return 0;
}

static int end(void **state)
{
        (void)state;
        leak_free(&leak);
        picture_free(&picture);
        return !is_alone();
}

/* Seconds in which the site grows. A look that can end does so within its second. */
static void pass(unsigned seconds, bool looks_end)
{
        for (unsigned i = 0; i < seconds; i++) {
                picture->cells[site].live++;
                leak_see(leak, picture, &insight);
                if (looks_end)
                        assert_true(is_alone());
        }
}

static void with(heapscan_look *scan)
{
        assert_int_equal(leak_new(getpid(), scan, &leak), 0);
}

/* ---- How many threads may hide a block ------------------------------------- */

static void threads_that_have_ended_hide_nothing(void **state)
{
        (void)state;
        lost = 2; /* of one thread */
        picture->head.threads_unseen = 1000;
        with(find_lost);
        pass(40, true);
        assert_int_equal(insight.value[0][INSIGHT_leak], 20);
}

static void each_thread_may_hide_one(void **state)
{
        (void)state;
        lost = 2;
        picture->thread_count = 2;
        with(find_lost);
        pass(40, true);
        assert_int_equal(insight.value[0][INSIGHT_leak], 0);
}

static void *wait_for_the_end(void *argument)
{
        (void)argument;
        while (!is_free)
                (void)usleep(1000);
        return NULL;
}

static void a_thread_without_a_page_may_hide_one(void **state)
{
        pthread_t thread;

        (void)state;
        lost = 2;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_the_end, NULL), 0);
        others = 1;
        with(find_lost);
        pass(40, true);
        assert_int_equal(insight.value[0][INSIGHT_leak], 0);
        is_free = true;
        assert_int_equal(pthread_join(thread, NULL), 0);
        others = 0;
}

/* ---- Looks that do not come back ------------------------------------------- */

static void a_look_that_hangs_is_given_up(void **state)
{
        (void)state;
        lost = 2;
        with(hang);
        pass(20 + leak_look_max_s - 10, false);
        assert_int_equal(errand_running(), 1);
        assert_false(leak_gave_up(leak));
        pass(20, false);
        assert_true(leak_gave_up(leak));
        pass(1000, false); /* no second one */
        assert_int_equal(errand_running(), 1);
        is_free = true;
        assert_true(is_alone());
        pass(400, true); /* it came back, and another may look */
        assert_int_equal(insight.value[0][INSIGHT_leak], 20);
}

static void others_are_looked_at_meanwhile(void **state)
{
        struct leak *hanging;

        (void)state;
        lost = 5; /* the one that hangs is a thread of ours */
        with(hang);
        hanging = leak;
        pass(100, false);
        assert_true(leak_gave_up(hanging));
        with(find_lost);
        for (int i = 0; i < 4000 && !insight.value[0][INSIGHT_leak]; i++) {
                pass(1, false);
                (void)usleep(1000);
        }
        assert_int_equal(insight.value[0][INSIGHT_leak], 50);
        leak_free(&hanging);
        is_free = true;
}

static void nobody_waits_for_it_at_the_end(void **state)
{
        (void)state;
        with(hang);
        pass(20, false);
        assert_int_equal(errand_running(), 1);
        leak_free(&leak); /* comes back */
        assert_int_equal(errand_running(), 1);
        is_free = true;
}

static void look_once(void *state)
{
        (void)state;
        while (!is_free)
                (void)usleep(1000);
}

static void errands_have_a_limit(void **state)
{
        struct errand *errands[errand_max] = { NULL }, *more = NULL;

        (void)state;
        for (int i = 0; i < errand_max; i++)
                assert_int_equal(errand_new(look_once, malloc(1), free, &errands[i]), 0);
        assert_int_equal(errand_new(look_once, NULL, free, &more), -EBUSY);
        assert_false(errand_wait(errands[0], CLOCK_MS_NS));
        errand_leave(&errands[0]);
        is_free = true;
        assert_true(errand_wait(errands[1], patience_s * CLOCK_S_NS));
        for (int i = 1; i < errand_max; i++)
                errand_leave(&errands[i]);
}

/* ---- Memory that nobody serves --------------------------------------------- */

#if !defined(__SANITIZE_ADDRESS__)

/* Its pages are ours to serve; -1: not on this machine. */
static int claim(void *from, size_t bytes, uint64_t features)
{
        struct uffdio_api api = { .api = UFFD_API, .features = features };
        struct uffdio_register range = { .range = { (uintptr_t)from, bytes },
                                         .mode = UFFDIO_REGISTER_MODE_MISSING |
                                                 (features ? UFFDIO_REGISTER_MODE_WP : 0) };
        int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

        if (fd >= 0 && !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &range))
                return fd;
        if (fd >= 0)
                (void)close(fd);
        return -1;
}

static void lacks_userfaultfd(void)
{
        print_message("# SKIP: userfaultfd is not for us here\n");
}

/* Marked as protected, absent pages look as if they were swapped out, so they are read. */
static void memory_that_is_not_served_is_given_up(void **state)
{
        void *memory =
                mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct uffdio_writeprotect protect = { .range = { (uintptr_t)memory, page_bytes },
                                               .mode = UFFDIO_WRITEPROTECT_MODE_WP };
        struct pollfd served = { .events = POLLIN };

        (void)state;
        assert_true(memory != MAP_FAILED);
        served.fd = claim(memory, page_bytes,
                          UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
        if (served.fd < 0 || ioctl(served.fd, UFFDIO_WRITEPROTECT, &protect)) {
                lacks_userfaultfd();
                return;
        }
        with(heapscan_run);
        pass(20, false);
        assert_int_equal(poll(&served, 1, patience_s * 1000), 1); /* it is in the kernel */
        pass(leak_look_max_s, false);
        assert_true(leak_gave_up(leak));
        leak_free(&leak);
        assert_int_equal(errand_running(), 1);
        (void)close(served.fd); /* what waits for a page is woken */
        assert_true(is_alone());
        (void)munmap(memory, page_bytes);
}

/* Calls itself, until the frames at the beginning lie pages away; tells, and spins. */
static void spin_deep(volatile char *top, int out)
{
        volatile char frame[page_bytes] = { 0 };

        if (top - frame < 8 * page_bytes) {
                spin_deep(top, out);
        } else {
                volatile char *from = (volatile char *)(((uintptr_t)top - 6 * page_bytes) &
                                                        ~(uintptr_t)(page_bytes - 1));
                char said = 'n';

                if (claim((void *)from, 4 * page_bytes, 0) >= 0 &&
                    !madvise((void *)from, 4 * page_bytes, MADV_DONTNEED))
                        said = 'y';
                (void)!write(out, &said, 1);
                while (frame[0] == 0)
                        frame[1]++;
        }
        frame[2]++; /* no tail call */
}

static void a_stack_that_is_not_served_is_left(void **state)
{
        uint64_t stack[INSIDE_STACK];
        int ends[2];
        char said = 0;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                char top = 0;

                (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves it */
                spin_deep(&top, ends[1]);
                _exit(0);
        }
        assert_int_equal(read(ends[0], &said, 1), 1);
        if (said == 'y') {
                uint32_t depth = 1;

                /* Where its time was up in the frames before those pages, it was not there. */
                for (int i = 0; i < looks_max && depth; i++)
                        depth = remote_stack(pid, pid, stack, INSIDE_STACK);
                assert_int_equal(depth, 0);
                assert_int_equal(errand_running(), 1);
                assert_int_equal(remote_stack(pid, pid, stack, INSIDE_STACK), 0); /* at once */
                assert_int_equal(errand_running(), 1);
        }
        (void)kill(pid, SIGKILL);
        assert_true(is_alone());
        (void)waitpid(pid, NULL, 0);
        (void)close(ends[0]);
        (void)close(ends[1]);
        if (said != 'y')
                lacks_userfaultfd();
}

#endif

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(threads_that_have_ended_hide_nothing),
                TRIAL(each_thread_may_hide_one),
                TRIAL(a_thread_without_a_page_may_hide_one),
                TRIAL(a_look_that_hangs_is_given_up),
                TRIAL(others_are_looked_at_meanwhile),
                TRIAL(nobody_waits_for_it_at_the_end),
                TRIAL(errands_have_a_limit),
#if !defined(__SANITIZE_ADDRESS__) /* it has terabytes to look at, and stacks elsewhere */
                TRIAL(memory_that_is_not_served_is_given_up),
                TRIAL(a_stack_that_is_not_served_is_left),
#endif
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
