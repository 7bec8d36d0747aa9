/* SPDX-License-Identifier: Apache-2.0 */
/* real.h - the functions that stand behind ours: libc's, or those of an allocator that the program
 * brought along. Errors: NULL if there is none; the caller then does what the function would say of
 * a system without it. Needs: INSIDE_STARTING, because dlsym may allocate. */
#ifndef INSIDE_REAL_H
#define INSIDE_REAL_H

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* ISO C has no conversion from object to function pointers; POSIX says the bytes are the same.
 * Builtin: a sanitizer's memcpy() may not be ready. */
#define INSIDE_REAL(pointer, name)                                      \
        do {                                                            \
                void *found_ = dlsym(RTLD_NEXT, name);                  \
                __builtin_memcpy(&(pointer), &found_, sizeof(pointer)); \
        } while (0)

/* The same of a version, if that is there. */
#define INSIDE_REAL_OF(pointer, name, version)                                  \
        do {                                                                    \
                void *found_ = dlvsym(RTLD_NEXT, name, version);                \
                if (found_)                                                     \
                        __builtin_memcpy(&(pointer), &found_, sizeof(pointer)); \
        } while (0)

/* NULL is of none. */
static inline bool inside_is_of_one_object(const void *one, const void *other)
{
        Dl_info first, second;

        return dladdr(one, &first) && dladdr(other, &second) && first.dli_fbase == second.dli_fbase;
}

#endif
