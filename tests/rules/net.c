/* SPDX-License-Identifier: Apache-2.0 */
/* net.c - a module that says no more than TOC_USUAL: it has the default rules. */
#include <tocsin.h>

#include "lru.h"

TOC_MODULE(net, "Sends what the cache gives away");

TOC_COUNTER(sent, "Messages that left", TOC_ALERT(total, ==, 0, TOC_NOTE, "nothing ever left"));

int net_send(int bytes)
{
        if (!bytes)
                return TOC_ERROR(-1, TOC_USUAL, "nothing to send");
        if (bytes > 9)
                return TOC_WARNING(-1, TOC_USUAL, "too much to send: %d", bytes);
        if (bytes == 5)
                return TOC_UNREACHABLE(TOC_PAGE, "five is not possible") ? 1 : 0;
        toc_count(sent);
        return bytes;
}
