/* SPDX-License-Identifier: Apache-2.0 */
/* hostile.c - macros that an author may well have must not reach into the header's. */
#define ALERT        1
#define QUIET        1
#define RUNBOOK      1
#define BUDGET       1
#define LOGS         1
#define USUAL        1
#define NOTE         1
#define WARN         1
#define PAGE         1
#define COUNTER      1
#define ERROR        1
#define WARNING      1
#define MODULE       1
#define RECORD       1
#define TEXT         1
#define CAT(a, b)    a b
#define STR(x)       x
#define error(...)   whoops
#define warning(...) whoops
#define counter(...) whoops
#define value(...)   whoops
#define total(...)   whoops
#define count(...)   whoops
#define site(...)    whoops

#include <tocsin.h>

TOC_MODULE(hostile, "Macros that an author may well have",
           TOC_BUDGET(threads, 8, TOC_WARN, "it outgrew its share of threads"),
           TOC_LOGS(TOC_QUIET("its errors are expected")));
TOC_COUNTER(count, "Things that were counted", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"),
            TOC_RUNBOOK("wiki"));
TOC_GAUGE(level, "How high it stands", TOC_QUIET("only feeds a chart"));

int hostile(int code);

int hostile(int code)
{
        toc_count(count);
        toc_set(level, code);
        if (!TOC_EXPECT(code != 3, TOC_NOTE, "three is not expected"))
                return TOC_WARNING(code, TOC_USUAL, "failed with code %d", code);
        return TOC_ERROR(code, TOC_USUAL, "failed with code %d", code);
}
