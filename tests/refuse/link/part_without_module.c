/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the module of a part exists under another name only */
/* refuse: undefined reference to | one_file_must_have_TOC_MODULE_lru */
#include <tocsin.h>

#if FILE_NUMBER == 1
TOC_MODULE_PART(lru);

void evict(void);
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void evict(void)
{
        toc_count(evictions);
}
#else
#ifdef CORRECT
TOC_MODULE(lru, "Fixed-capacity least-recently-used cache");
#else
TOC_MODULE(lri, "Fixed-capacity least-recently-used cache");
#endif

void evict(void);

int main(void)
{
        evict();
        return 0;
}
#endif
