/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c - who called, from frame pointers, at the price of a few loads (backtrace() costs 6 us).
 *
 * A caller built without frame pointers leaves anything in the register, and the thread may run
 * on a stack of its own making. So no address is followed before the kernel has said that it
 * can be read: rt_sigprocmask with an impossible `how` copies the set in first, and answers
 * EFAULT or EINVAL without doing anything (the trick is Abseil's address_is_readable.cc). */
#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe/runtime.h"

enum { PAGE = 4096, FRAME_BYTES_MAX = 1 << 20 };

static bool is_readable(uintptr_t address)
{
        return syscall(SYS_rt_sigprocmask, ~0, address, NULL, 8) == -1 && errno == EINVAL;
}

/* On arm64 a return address may carry a signature, which this instruction takes off; where there is
 * none, or where the processor knows of none, it does nothing. */
static uintptr_t plain_address(uintptr_t back)
{
#ifdef __aarch64__
        register uintptr_t x30 __asm__("x30") = back;

        __asm__("hint #7" : "+r"(x30)); /* xpaclri */
        back = x30;
#endif
        return back;
}

__attribute__((no_sanitize("address"))) uint32_t toc_stack_walk_(const void *frame, uint64_t *out,
                                                                 uint32_t max)
{
        int saved = errno;
        uintptr_t at = (uintptr_t)frame;
        uintptr_t known = 0; /* the page last found readable */
        uint32_t depth = 0;

        while (depth < max && at % sizeof(uintptr_t) == 0) {
                uintptr_t last = at + 2 * sizeof(uintptr_t) - 1;

                if (at / PAGE != known && !is_readable(at))
                        break;
                if (last / PAGE != at / PAGE && !is_readable(last - 7))
                        break;
                known = last / PAGE;

                uintptr_t next = ((const uintptr_t *)at)[0];
                uintptr_t back = ((const uintptr_t *)at)[1];

                if (!back)
                        break;
                out[depth++] = plain_address(back);
                if (next <= at || next - at > FRAME_BYTES_MAX)
                        break;
                at = next;
        }
        errno = saved;
        return depth;
}
