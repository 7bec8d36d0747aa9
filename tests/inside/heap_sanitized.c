/* SPDX-License-Identifier: Apache-2.0 */
/* heap_sanitized.c - built with the address sanitizer, which wants the heap for itself. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
        void *memory = NULL;

        free(strdup("text"));
        if (posix_memalign(&memory, 64, 100))
                return 1;
        free(realloc(memory, 200));
        free(valloc(10));
        return puts("ok") < 0;
}
