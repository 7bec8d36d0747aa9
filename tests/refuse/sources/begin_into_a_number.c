/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: what toc_begin gives is kept in a number */
/* refuse: toc_open */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        struct toc_open open = toc_begin(fetch);
        toc_end(fetch, open);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        int open = toc_begin(fetch);
        (void)open;
}
#endif
