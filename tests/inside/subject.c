/* SPDX-License-Identifier: Apache-2.0 */
/* subject.c - does what programs do to the libraries in front of them. subject NAME; most of
 * them print what must be true then and wait for a line, so that somebody can look. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(mine, "What is counted by hand beside it");

extern char **environ;

static long live_bytes, live_blocks;

static void wait_for_line(void)
{
        char byte;

        (void)fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
                ;
}

static void say_live(void)
{
        printf("bytes %ld blocks %ld pid %d\n", live_bytes, live_blocks, (int)getpid());
        wait_for_line();
}

static void *counted(void *memory, size_t size)
{
        if (!memory)
                exit(9);
        live_bytes += (long)size;
        live_blocks++;
        memset(memory, 0x5a, size);
        return memory;
}

static void uncount(size_t size)
{
        live_bytes -= (long)size;
        live_blocks--;
}

/* ---- The heap
 * --------------------------------------------------------------------------------- */

static void *free_it(void *memory)
{
        free(memory);
        return NULL;
}

static void in_another_thread(void *(*run)(void *), void *argument)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, run, argument) || pthread_join(thread, NULL))
                exit(9);
}

/* All of malloc's family, and sizes around what libc rounds to. */
static void fill(void)
{
        volatile size_t most = SIZE_MAX / 2; /* or the compiler refuses to ask */
        void *memory = NULL;

        for (size_t size = 1; size < 3000; size += 7) {
                char *block = counted(malloc(size), size);

                if (size % 3 == 0) {
                        uncount(size);
                        block = counted(realloc(block, size * 2), size * 2);
                }
                if (size % 5 == 0) {
                        uncount(size % 3 == 0 ? size * 2 : size);
                        free(block);
                }
        }
        (void)counted(calloc(7, 11), 77);
        (void)counted(reallocarray(NULL, 13, 10), 130);
        (void)counted(aligned_alloc(64, 640), 640);
        (void)counted(memalign(4096, 100), 100);
        (void)counted(valloc(5000), 5000);
        if (posix_memalign(&memory, 256, 333))
                exit(9);
        (void)counted(memory, 333);
        memory = counted(memalign(1 << 16, 1000), 1000);
        uncount(1000);
        memory = counted(realloc(memory, 70000), 70000); /* an aligned one moves */
        (void)counted(malloc(1 << 20), 1 << 20);
        live_bytes += 6 + 4, live_blocks += 2;
        if (strlen(strdup("seven")) != 5 || strlen(strndup("seven", 3)) != 3)
                exit(9);
        memory = counted(malloc(100), 100);
        uncount(100);
        in_another_thread(free_it, memory);
        free(malloc(0));
        free(NULL);
        if (malloc(most) || errno != ENOMEM || calloc(most, 4) || reallocarray(NULL, most, 4))
                exit(9);
}

/* What libc needs once is not counted: a thread's vector of TLS, a buffer. */
static void settle(void)
{
        static char buffer[BUFSIZ];

        (void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
        in_another_thread(free_it, NULL);
}

static void heap(void)
{
        settle();
        TOC_ENTER(mine);
        fill();
        say_live();
}

static jmp_buf back;

static void leap(void)
{
        TOC_ENTER(mine);
        longjmp(back, 1);
}

static void leap_and_return(void)
{
        if (!setjmp(back))
                leap();
}

static void leap_within(void)
{
        TOC_ENTER(mine);
        leap_and_return();
        (void)counted(malloc(10), 10);
}

/* Where a TOC_ENTER stands around the setjmp, its end is the end; else there is none. */
static void leaps(void)
{
        settle();
        leap_within();
        if (!malloc(20)) /* the program's */
                exit(9);
        leap_and_return();
        (void)counted(malloc(30), 30);
        say_live();
}

static void usable(void)
{
        char *block = malloc(100);
        size_t size = malloc_usable_size(block);

        memset(block, 1, size); /* all that it says may be used */
        free(block);
        puts(size >= 100 ? "ok" : "too small");
}

/* What the child inherited is its own, and can be freed there. */
static void heap_after_fork(void)
{
        settle();
        TOC_ENTER(mine);
        char *before = counted(malloc(1234), 1234);

        fill();
        if (fork() == 0) {
                free(before);
                uncount(1234);
                for (int i = 0; i < 200; i++) /* it has shown that it stays */
                        (void)counted(malloc(10), 10);
                say_live();
                _exit(0);
        }
        (void)wait(NULL);
        say_live();
}

static void *allocate_for_a_while(void *unused)
{
        for (int i = 0; i < 20000; i++)
                free(malloc((size_t)(i % 500)));
        return unused;
}

static void *fork_often(void *unused)
{
        for (int i = 0; i < 25; i++) {
                pid_t child = fork();

                if (child == 0) {
                        allocate_for_a_while(NULL);
                        _exit(0);
                }
                if (child > 0 && waitpid(child, NULL, 0) != child)
                        exit(9);
        }
        return unused;
}

static void together(void *(*run)(void *), int count)
{
        pthread_t threads[1024];

        for (int i = 0; i < count; i++)
                if (pthread_create(&threads[i], NULL, i % 2 ? run : allocate_for_a_while, NULL))
                        exit(9);
        for (int i = 0; i < count; i++)
                (void)pthread_join(threads[i], NULL);
}

static void forks(void)
{
        together(fork_often, 8);
        puts("ok");
}

/* What a child that does nothing faults in. */
static void faults(void)
{
        enum { children = 20 };
        struct rusage usage;

        for (int i = 0; i < children; i++)
                if (fork() == 0)
                        _exit(0);
        while (wait(NULL) > 0)
                ;
        if (getrusage(RUSAGE_CHILDREN, &usage))
                exit(9);
        printf("faults %ld\n", usage.ru_minflt / children);
}

static void allocate_at_fork(void)
{
        free(malloc(100));
}

static void handlers_at_fork(void)
{
        if (pthread_atfork(allocate_at_fork, allocate_at_fork, allocate_at_fork))
                exit(9);
        forks();
}

static void children(void)
{
        char *arguments[] = { (char *)"true", NULL };
        pid_t child;
        int status = 0;

        for (volatile int i = 0; i < 20; i++) {
                child = vfork();
                if (child == 0) {
                        (void)close(0);
                        (void)execve("/bin/true", arguments, environ);
                        _exit(1);
                }
                if (waitpid(child, &status, 0) != child || status)
                        exit(9);
                if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) ||
                    waitpid(child, &status, 0) != child || status || system("true"))
                        exit(9);
        }
        puts(fcntl(0, F_GETFD) >= 0 ? "ok" : "descriptor 0 is gone");
}

/* ---- Signals
 * ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t ticks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_tick(int number)
{
        int saved = errno;

        (void)number;
        free(malloc(64)); /* whoever it interrupts is not in malloc here */
        ticks++;
        errno = saved;
}

static void signals(void)
{
        struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
        struct itimerval each = { { 0, 1000 }, { 0, 1000 } };
        char byte;
        int fd = open("/dev/zero", O_RDONLY);

        (void)sigaction(SIGALRM, &action, NULL);
        (void)setitimer(ITIMER_REAL, &each, NULL);
        while (ticks < 300) {
                TOC_ENTER(mine);
                (void)pthread_mutex_lock(&lock);
                if (read(fd, &byte, 1) != 1)
                        exit(9);
                (void)pthread_mutex_unlock(&lock);
        }
        puts("ok");
}

static sigjmp_buf out;

static void on_alarm(int number)
{
        (void)number;
        siglongjmp(out, 1);
}

/* Out of a call that blocks, as timeouts were once made. */
static void jumps(void)
{
        int ends[2];
        char byte;

        if (pipe(ends))
                exit(9);
        (void)signal(SIGALRM, on_alarm);
        for (volatile int i = 0; i < 3; i++) {
                if (sigsetjmp(out, 1))
                        continue;
                (void)ualarm(20000, 0);
                (void)!read(ends[0], &byte, 1);
        }
        (void)!write(ends[1], "x", 1);
        (void)!read(ends[0], &byte, 1);
        printf("pid %d\n", (int)getpid());
        (void)fflush(stdout);
        for (;;)
                (void)pause();
}

/* ---- Threads
 * ---------------------------------------------------------------------------------- */

static void *keep_one(void *unused)
{
        TOC_ENTER(mine);
        (void)unused;
        return malloc(100);
}

/* More at once than have a page: the heap stays exact. */
static void *wait_with_one(void *ends)
{
        TOC_ENTER(mine);
        char byte;
        void *kept = malloc(100);

        (void)!read(((int *)ends)[0], &byte, 1);
        free(kept);
        return malloc(10);
}

static void crowd(void)
{
        static pthread_t threads[900];
        pthread_attr_t attributes;
        int ends[2];

        if (pipe(ends) || pthread_attr_init(&attributes) ||
            pthread_attr_setstacksize(&attributes, 128 << 10))
                exit(9);
        for (int i = 0; i < 900; i++)
                if (pthread_create(&threads[i], &attributes, wait_with_one, ends))
                        exit(9);
        for (int i = 0; i < 900; i++)
                (void)!write(ends[1], "x", 1);
        for (int i = 0; i < 900; i++)
                (void)pthread_join(threads[i], NULL);
        live_bytes = 900 * 10;
        live_blocks = 900;
        say_live();
}

static void many(void)
{
        for (int i = 0; i < 3000; i++)
                in_another_thread(keep_one, NULL);
        live_bytes = 3000 * 100;
        live_blocks = 3000;
        say_live();
}

/* ---- Locks: what each call says
 * --------------------------------------------------------------- */

static void *lock_and_die(void *mutex)
{
        (void)pthread_mutex_lock(mutex);
        return NULL;
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool was_unlocked;

static void unlock_at_cancel(void *mutex)
{
        was_unlocked = pthread_mutex_unlock(mutex) == 0;
}

static void *wait_for_ever(void *mutex)
{
        (void)pthread_mutex_lock(mutex);
        pthread_cleanup_push(unlock_at_cancel, mutex);
        for (;;)
                (void)pthread_cond_wait(&condition, mutex);
        pthread_cleanup_pop(0);
        return NULL;
}

static pthread_mutex_t *mutex_of(int type, bool is_robust)
{
        pthread_mutex_t *mutex = malloc(sizeof(*mutex));
        pthread_mutexattr_t attributes;

        if (!mutex || pthread_mutexattr_init(&attributes) ||
            pthread_mutexattr_settype(&attributes, type) ||
            (is_robust && pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST)) ||
            pthread_mutex_init(mutex, &attributes))
                exit(9);
        return mutex;
}

/* One after the other: arguments of a call come in any order. */
static void say(int outcome)
{
        printf("%d ", outcome);
}

static void mutexes(pthread_mutex_t *mutex)
{
        say(pthread_mutex_lock(mutex));
        say(pthread_mutex_trylock(mutex));
        say(pthread_mutex_unlock(mutex));
        say(pthread_mutex_unlock(mutex));
}

static void locks(void)
{
        pthread_mutex_t *robust = mutex_of(PTHREAD_MUTEX_NORMAL, true);
        pthread_mutex_t *careful = mutex_of(PTHREAD_MUTEX_ERRORCHECK, false);
        pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
        struct timespec past = { 1, 0 };
        pthread_spinlock_t spin;
        pthread_t waiter;
        mtx_t c11;

        mutexes(mutex_of(PTHREAD_MUTEX_RECURSIVE, false));
        mutexes(careful);
        say(pthread_mutex_lock(careful));
        say(pthread_mutex_lock(careful));
        in_another_thread(lock_and_die, robust);
        say(pthread_mutex_lock(robust));
        say(pthread_mutex_consistent(robust));
        say(pthread_mutex_unlock(robust));
        say(pthread_mutex_lock(&lock));
        say(pthread_mutex_timedlock(&lock, &past));
        say(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &past));
        say(pthread_cond_timedwait(&condition, &lock, &past));
        say(pthread_mutex_unlock(&lock));
        say(pthread_rwlock_rdlock(&shared));
        say(pthread_rwlock_tryrdlock(&shared));
        say(pthread_rwlock_trywrlock(&shared));
        say(pthread_rwlock_timedwrlock(&shared, &past));
        say(pthread_rwlock_unlock(&shared));
        say(pthread_rwlock_unlock(&shared));
        say(pthread_rwlock_wrlock(&shared));
        say(pthread_rwlock_timedrdlock(&shared, &past));
        say(pthread_spin_init(&spin, 0));
        say(pthread_spin_lock(&spin));
        say(pthread_spin_trylock(&spin));
        say(mtx_init(&c11, mtx_timed));
        say(mtx_lock(&c11));
        say(mtx_trylock(&c11));
        say(mtx_timedlock(&c11, &past));
        say(mtx_unlock(&c11));
        if (pthread_create(&waiter, NULL, wait_for_ever, &lock))
                exit(9);
        (void)usleep(50000);
        (void)pthread_cancel(waiter);
        (void)pthread_join(waiter, NULL);
        say(was_unlocked);
        say(pthread_mutex_lock(&lock));
        say(pthread_mutex_unlock(&lock));
}

/* ---- Descriptors and calls
 * -------------------------------------------------------------------- */

static void descriptors(void)
{
        TOC_ENTER(mine);
        int ends[2], pair[2];
        char bytes[100] = { 0 };
        FILE *file = fopen("/dev/null", "w");

        if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || !file)
                exit(9);
        (void)dup2(ends[0], 200);
        (void)dup2(1, 1); /* inherited, and stays so */
        (void)close(dup(ends[0]));
        (void)close(pair[1]);
        (void)fclose(file);
        (void)!write(ends[1], bytes, 70);
        (void)!read(ends[0], bytes, 100);
        (void)!write(open("/dev/full", O_WRONLY), bytes, 5); /* ENOSPC */
        (void)!read(-1, bytes, 1);                           /* EBADF */
        printf("open 5 read 70 written 70 errors 2 pid %d\n", (int)getpid());
        wait_for_line();
}

static const struct {
        const char *name;
        void (*run)(void);
} subjects[] = {
        { "heap", heap },
        { "leaps", leaps },
        { "usable", usable },
        { "heap_after_fork", heap_after_fork },
        { "forks", forks },
        { "faults", faults },
        { "handlers_at_fork", handlers_at_fork },
        { "children", children },
        { "signals", signals },
        { "jumps", jumps },
        { "crowd", crowd },
        { "many", many },
        { "locks", locks },
        { "descriptors", descriptors },
};

int main(int argc, char **argv)
{
        for (size_t i = 0; argc == 2 && i < sizeof(subjects) / sizeof(subjects[0]); i++) {
                if (strcmp(subjects[i].name, argv[1]) != 0)
                        continue;
                subjects[i].run();
                return 0;
        }
        return 2;
}
