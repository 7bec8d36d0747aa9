/* SPDX-License-Identifier: Apache-2.0 */
/* heap_aligned.c - malloc's relatives that are told an alignment. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "inside/heap.h"
#include "inside/inside.h"

enum { PAGE = 4096 };

#define AT __builtin_return_address(0)
#define SP inside_sp()

INSIDE_PUBLIC void *memalign(size_t alignment, size_t size)
{
        return heap_allocate_aligned(alignment, size, AT, SP);
}

INSIDE_PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
        return heap_allocate_aligned(alignment, size, AT, SP);
}

INSIDE_PUBLIC void *valloc(size_t size)
{
        return heap_allocate_aligned(PAGE, size, AT, SP);
}

INSIDE_PUBLIC void *pvalloc(size_t size)
{
        if (size > SIZE_MAX - PAGE) {
                errno = ENOMEM;
                return NULL;
        }
        return heap_allocate_aligned(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1), AT, SP);
}

INSIDE_PUBLIC int posix_memalign(void **memory, size_t alignment, size_t size)
{
        int saved = errno;
        void *made;

        if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
                return EINVAL;
        made = heap_allocate_aligned(alignment, size, AT, SP);
        errno = saved;
        if (!made)
                return ENOMEM;
        *memory = made;
        return 0;
}
