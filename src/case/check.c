/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a check that does not hold must end the case from wherever it stands, once. */
#include "case/harness.h"
#include "case/wire.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { message_max = 900, shown_max = 120 };

_Noreturn void toc_case_fail_(const char *file, unsigned line, const char *format, ...)
{
        static atomic_flag has_failed = ATOMIC_FLAG_INIT;
        char raw[message_max], message[2 * message_max];
        va_list arguments;

        /* Another thread is about to end the process. */
        while (atomic_flag_test_and_set(&has_failed))
                (void)pause();
        toc_stress_hush_();
        toc_heap_disarm_();
        va_start(arguments, format);
        (void)vsnprintf(raw, sizeof(raw), format, arguments);
        va_end(arguments);
        (void)toc_wire_escape_(message, sizeof(message), raw, strlen(raw));
        (void)toc_wire_send_(toc_harness_run_.wire_fd, "CASE %s %s fail %.200s:%u: %s",
                             toc_harness_run_.nonce, toc_harness_run_.test_case->name,
                             toc_wire_file_(file), line, message);
        (void)toc_wire_send_(toc_harness_run_.wire_fd, "LAST %s", toc_harness_run_.nonce);
        toc_wire_await_go_();
        _exit(1); /* what a case leaves behind that was cut short is no leak */
}

static const char *shown(char into[static shown_max], const char *text)
{
        if (!text)
                return "NULL";
        (void)snprintf(into, shown_max, "\"%.*s\"%s", shown_max - 6, text,
                       strlen(text) > shown_max - 6 ? "..." : "");
        return into;
}

void toc_case_check_text_(const char *left, const char *right, const char *left_source,
                          const char *right_source, const char *file, unsigned line)
{
        char shown_left[shown_max], shown_right[shown_max];

        toc_invariant_after_fault_();
        if (left && right && strcmp(left, right) == 0)
                return;
        toc_case_fail_(file, line, "%s == %s: %s, %s", left_source, right_source,
                       shown(shown_left, left), shown(shown_right, right));
}

void toc_case_check_bytes_(const void *left, const void *right, size_t length,
                           const char *left_source, const char *right_source, const char *file,
                           unsigned line)
{
        const unsigned char *a = left, *b = right;

        toc_invariant_after_fault_();
        if (length && (!left || !right))
                toc_case_fail_(file, line, "%s == %s: %s is NULL", left_source, right_source,
                               left ? right_source : left_source);
        for (size_t i = 0; i < length; i++)
                if (a[i] != b[i])
                        toc_case_fail_(file, line, "%s == %s: byte %zu of %zu is 0x%02x, 0x%02x",
                                       left_source, right_source, i, length, a[i], b[i]);
}
