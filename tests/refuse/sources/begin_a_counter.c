/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter does not begin */
/* refuse: toc_operation_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        struct toc_open open = toc_begin(fetch);
        toc_count(evictions);
        toc_end(fetch, open);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        struct toc_open open = toc_begin(evictions);
        toc_end(fetch, open);
}
#endif
