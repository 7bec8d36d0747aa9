/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the value of a statement is used */
/* refuse: void value not ignored */
/* clang: used type 'void' */
/* c: the compilers say it in other words */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
TOC_GAUGE(used, "Slots in use", TOC_ALERT(value, >, 1000, TOC_WARN, "cache is nearly full"));
TOC_LEVEL(open_files, "Files that are open now",
          TOC_ALERT(value, >, 1000, TOC_WARN, "files are not closed"));
TOC_HEARTBEAT(flusher, "Background writer loop",
              TOC_ALERT(silent_ms, >, 5000, TOC_PAGE, "flusher is stuck"));

void use(const char *text, int n, double ratio);

#ifdef CORRECT
void use(const char *text, int n, double ratio)
{
        (void)text, (void)n, (void)ratio;
        toc_count(evictions);
}
#else
void use(const char *text, int n, double ratio)
{
        (void)text, (void)n, (void)ratio;
        n += toc_count(evictions) ? 1 : 0;
}
#endif
