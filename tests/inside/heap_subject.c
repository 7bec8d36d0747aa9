/* SPDX-License-Identifier: Apache-2.0 */
/* heap_subject.c - programs whose heap is not only malloc and free: libraries that fork, plug-ins,
 * other allocators. heap_subject NAME [PLUGIN]; some print what must be true, and wait for a
 * line. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(mine, "What is counted by hand beside it");

#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif

/* jemalloc's, if it is there. */
extern void *mallocx(size_t size, int flags) __attribute__((weak));
extern void dallocx(void *memory, int flags) __attribute__((weak));
extern void sdallocx(void *memory, size_t size, int flags) __attribute__((weak));
extern void *rallocx(void *memory, size_t size, int flags) __attribute__((weak));
extern size_t xallocx(void *memory, size_t size, size_t extra, int flags) __attribute__((weak));
extern size_t sallocx(const void *memory, int flags) __attribute__((weak));
extern size_t nallocx(size_t size, int flags) __attribute__((weak));

static const char *plugin;

static void must(int is_true)
{
        if (!is_true)
                exit(9);
}

static void say_and_wait(long bytes, long blocks)
{
        char byte;

        printf("bytes %ld blocks %ld pid %d\n", bytes, blocks, (int)getpid());
        (void)fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
                ;
}

/* ---- Call paths: a wrapper's callers are told apart -----------------------------------------*/

APART static void *wrapper(size_t size)
{
        void *volatile memory = malloc(size);

        return memory;
}

APART static void shallow(void)
{
        for (int i = 0; i < 7; i++)
                must(wrapper(10) != NULL);
}

APART static void deep(void)
{
        volatile char frame[512];

        frame[0] = 0;
        for (int i = 0; i < 11; i++)
                must(wrapper(20) != NULL);
        frame[1] = frame[0];
}

static void paths(void)
{
        TOC_ENTER(mine);
        shallow();
        deep();
        say_and_wait(7 * 10 + 11 * 20, 7 + 11);
}

/* ---- Children -------------------------------------------------------------------------------*/

static void allocate_much(void)
{
        TOC_ENTER(mine);
        for (int i = 0; i < 1000; i++)
                must(malloc(1000) != NULL);
}

/* The plug-in is a library that was linked or preloaded: its handler is older than ours. */
static void child_of_a_library(void)
{
        pid_t child = fork();

        if (child == 0)
                _exit(0);
        must(waitpid(child, NULL, 0) == child);
        {
                TOC_ENTER(mine);
                must(malloc(10) != NULL);
        }
        say_and_wait(10, 1);
}

static void child_without_handlers(void)
{
        pid_t child = _Fork();

        if (child == 0) {
                allocate_much();
                _exit(0);
        }
        must(waitpid(child, NULL, 0) == child);
        TOC_ENTER(mine);
        must(malloc(10) != NULL);
        say_and_wait(10, 1);
}

/* ---- Plug-ins -------------------------------------------------------------------------------*/

static void deepbind(void)
{
        void *handle = dlopen(plugin, RTLD_NOW | RTLD_DEEPBIND);
        void *(*make)(size_t);
        void (*end)(void *);
        void *found;

        must(handle != NULL);
        found = dlsym(handle, "plugin_make");
        memcpy(&make, &found, sizeof(make));
        found = dlsym(handle, "plugin_end");
        memcpy(&end, &found, sizeof(end));
        for (size_t i = 1; i < 1000; i++) {
                end(malloc(i));
                free(make(i));
        }
        puts("ok");
}

/* ---- The last and the first -----------------------------------------------------------------*/

static pthread_key_t key;
static void *before_main;

__attribute__((constructor)) static void at_start(void)
{
        before_main = malloc(100);
}

static void at_end(void)
{
        free(realloc(malloc(10), 5000));
}

static void end_of_thread(void *memory)
{
        free(memory);
        free(malloc(100));
}

static void *short_life(void *unused)
{
        (void)unused;
        must(pthread_setspecific(key, malloc(50)) == 0);
        return NULL;
}

static void ends_of_life(void)
{
        pthread_t thread;

        must(atexit(at_end) == 0 && pthread_key_create(&key, end_of_thread) == 0);
        before_main = realloc(before_main, 1000);
        free(before_main);
        for (int i = 0; i < 200; i++) {
                must(pthread_create(&thread, NULL, short_life, NULL) == 0);
                must(pthread_join(thread, NULL) == 0);
        }
        puts("ok");
}

/* ---- What a thread keeps of what it freed, and gives back when it ends ---------------------*/

enum { kept_blocks = 8, kept_sizes = 8 };

static void *free_much(void *unused)
{
        void *memory[kept_blocks];

        (void)unused;
        for (size_t size = 20; size < 1000; size += 1000 / kept_sizes) {
                for (int i = 0; i < kept_blocks; i++)
                        must((memory[i] = malloc(size)) != NULL);
                for (int i = 0; i < kept_blocks; i++)
                        free(memory[i]);
        }
        return NULL;
}

static void *make_one(void *size)
{
        return malloc((size_t)size);
}

/* What libc says that is in use grows by nothing, however many threads there have been. Its own
 * cache, which counts as in use, has to be off. */
static void threads_that_end(void)
{
        size_t before = 0;
        pthread_t thread;

        for (int i = 0; i < 100; i++) {
                must(pthread_create(&thread, NULL, free_much, NULL) == 0);
                must(pthread_join(thread, NULL) == 0);
                if (i == 10)
                        before = mallinfo2().uordblks;
        }
        if (mallinfo2().uordblks > before + 1000)
                printf("%zu bytes more\n", mallinfo2().uordblks - before);
        else
                puts("ok");
}

static void *use_little(void *unused)
{
        static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

        (void)unused;
        free(malloc(100));
        must(pthread_mutex_lock(&outer) == 0 && pthread_mutex_lock(&inner) == 0);
        must(pthread_mutex_unlock(&inner) == 0 && pthread_mutex_unlock(&outer) == 0);
        return NULL;
}

/* What libraries keep of a thread's own lies on its stack, and there may be little of that. */
static void least_stack(void)
{
        pthread_attr_t attributes;
        pthread_t thread;

        must(pthread_attr_init(&attributes) == 0);
        must(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
        must(pthread_create(&thread, &attributes, use_little, NULL) == 0);
        must(pthread_join(thread, NULL) == 0);
        puts("ok");
}

static void *free_it(void *memory)
{
        free(memory);
        return NULL;
}

/* One that is kept, one for which there was no room, one that is too large, and one of a thread
 * that has ended. */
static void freed_twice(void)
{
        void *volatile memory[kept_blocks];
        void *volatile large = malloc(2000), *volatile small = malloc(200);
        pthread_t thread;

        for (int i = 0; i < kept_blocks; i++)
                must((memory[i] = make_one((void *)100)) != NULL);
        must(pthread_create(&thread, NULL, free_it, small) == 0 && pthread_join(thread, NULL) == 0);
        for (int i = 0; i < kept_blocks; i++)
                free(memory[i]);
        free(large);
        free(large); /* at once: what says so allocates, and may get it */
        free(memory[0]);
        free(memory[kept_blocks - 1]);
        free(small);
        say_and_wait((long)(uintptr_t)large, 4);
}

/* ---- What was freed is used again, by whoever asks ------------------------------------------*/

enum { slots = 64, turns = 200000, most_bytes = 1100 };

static struct slot {
        unsigned char *memory;
        size_t size;
        unsigned char filler;
} table[slots];

static unsigned next(unsigned below)
{
        static unsigned long state = 1;

        state = state * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(state >> 33) % below;
}

static void is_all(const unsigned char *memory, size_t size, unsigned char byte)
{
        must(memory != NULL);
        for (size_t i = 0; i < size; i++)
                must(memory[i] == byte);
}

static void fill(struct slot *slot, unsigned char *memory, size_t size)
{
        static unsigned char filler;

        *slot = (struct slot){ memory, size, (unsigned char)(++filler | 1) };
        memset(memory, slot->filler, size);
        must(malloc_usable_size(memory) == size);
}

static void turn(struct slot *slot, size_t size)
{
        char text[most_bytes + 1];
        unsigned char *memory;

        is_all(slot->memory ? slot->memory : (unsigned char *)"", slot->size, slot->filler);
        if (slot->memory && next(2)) {
                memory = realloc(slot->memory, size);
                is_all(memory, size < slot->size ? size : slot->size, slot->filler);
        } else {
                free(slot->memory);
                switch (next(3)) {
                case 0:
                        memory = malloc(size);
                        break;
                case 1:
                        memory = calloc(size, 1);
                        is_all(memory, size, 0);
                        break;
                default:
                        memset(text, 'x', size - 1);
                        text[size - 1] = '\0';
                        memory = (unsigned char *)strdup(text);
                        is_all(memory, size - 1, 'x');
                        must(memory[size - 1] == '\0');
                }
        }
        fill(slot, memory, size);
}

/* Sizes are small more often than not, so that they meet. */
static void any_order(void)
{
        long bytes = 0;

        TOC_ENTER(mine);
        for (int i = 0; i < turns; i++)
                turn(&table[next(slots)], 1 + next(1 + next(most_bytes)));
        for (int i = 0; i < slots; i++)
                bytes += (long)table[i].size;
        say_and_wait(bytes, slots);
}

/* By address, which is all that can be seen of it. */
static void used_again(void)
{
        void *volatile small = malloc(24), *volatile large = malloc(100), *volatile other;
        char text[100] = "";

        free(large);
        must(calloc(4, 25) == large);
        free(large);
        must((other = realloc(small, 30)) == small); /* it fits */
        must((other = realloc(other, 99)) == large);
        must((other = malloc(30)) == small);
        free(large);
        memset(text, 'x', sizeof text - 1);
        must(strdup(text) == large);
        puts("ok");
}

/* Written past its end, and found by the realloc() that moves it, or need not. */
static void overrun(void)
{
        char *volatile moved = malloc(24), *volatile stays = malloc(24);

        free(make_one((void *)100));
        moved[24] = 0;
        stays[24] = 0;
        must(realloc(moved, 100) && realloc(stays, 25) == stays);
        say_and_wait((long)(uintptr_t)moved, 2);
}

/* ---- What it says of nonsense ---------------------------------------------------------------*/

static void limits(void)
{
        volatile size_t most = SIZE_MAX - 5; /* or the compiler refuses to ask */
        void *memory = malloc(40);

        must(!pvalloc(most) && errno == ENOMEM);
        must(!malloc(most) && !calloc(1, most) && !memalign(64, most) && !valloc(most));
        memset(memory, 7, 40);
        must(!realloc(memory, most) && ((char *)memory)[39] == 7);
        free(memory);
        errno = 77;
        free(malloc(100));
        must(errno == 77);
        puts("ok");
}

/* ---- jemalloc -------------------------------------------------------------------------------*/

static void *filled(size_t size)
{
        void *memory = malloc(size);

        must(memory != NULL);
        memset(memory, 3, size);
        return memory;
}

static void mixed(size_t size)
{
        char *memory = filled(size);
        size_t got;

        must(sallocx(memory, 0) >= size);
        dallocx(memory, 0);
        sdallocx(filled(size), size, 0);
        memory = rallocx(filled(size), size * 2, 0x40 | 8); /* zero behind it, 256 bytes aligned */
        must(memory[size - 1] == 3 && memory[size] == 0 && memory[size * 2 - 1] == 0);
        must((uintptr_t)memory % 256 == 0);
        memory = rallocx(memory, size, 0);
        got = xallocx(memory, size, 100, 0);
        must(got >= size);
        memset(memory, 4, got);
        free(memory);
        memory = malloc(size);
        memset(memory, 5, nallocx(size, 0));
        free(memory);
        memory = mallocx(size, 0);
        memset(memory, 2, size);
        memory = realloc(memory, size + 5);
        must(memory[size - 1] == 2 && malloc_usable_size(memory) >= size + 5);
        dallocx(memory, 0);
        free(mallocx(size, 0));
}

static void jemalloc(void)
{
        if (!mallocx) {
                puts("not here");
                return;
        }
        for (size_t size = 1; size < 70000; size += size / 16 + 1)
                mixed(size);
        puts("ok");
}

static const struct {
        const char *name;
        void (*run)(void);
} subjects[] = {
        { "paths", paths },
        { "child_of_a_library", child_of_a_library },
        { "child_without_handlers", child_without_handlers },
        { "deepbind", deepbind },
        { "ends_of_life", ends_of_life },
        { "threads_that_end", threads_that_end },
        { "freed_twice", freed_twice },
        { "any_order", any_order },
        { "used_again", used_again },
        { "overrun", overrun },
        { "least_stack", least_stack },
        { "limits", limits },
        { "jemalloc", jemalloc },
};

int main(int argc, char **argv)
{
        static char buffer[BUFSIZ]; /* or stdio makes one on the heap */

        (void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
        plugin = argc > 2 ? argv[2] : NULL;
        for (size_t i = 0; argc > 1 && i < sizeof(subjects) / sizeof(subjects[0]); i++) {
                if (strcmp(subjects[i].name, argv[1]) != 0)
                        continue;
                subjects[i].run();
                return 0;
        }
        return 2;
}
