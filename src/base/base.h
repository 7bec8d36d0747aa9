/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - what every header of this room starts with: four macros and the banned functions.
 *
 * A banned function becomes a name that nobody declared and that says what to use instead, so the
 * compiler's message is the advice. Banned is what cannot be given a limit, what cannot report an
 * error, and what shares hidden state between threads.
 *
 * To ban one more, add a row below and a line to tests/house/ban_test.sh.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

/* Included here so that the bans below do not reach into the declarations. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A scope guard on the line that acquires: struct text line BASE_SCOPE(text_fini) = ... */
#define BASE_SCOPE(release) __attribute__((cleanup(release)))

/* Lets the compiler check a format: its position among the parameters and that of its first
 * argument (0: they come as a va_list). */
#define BASE_PRINTF(position, first) __attribute__((format(printf, position, first)))

/* Elements of an array. A pointer gets a negative bit-field and does not compile. */
#define BASE_IS_POINTER(array) \
        __builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0]))
#define BASE_COUNT(array)                     \
        (sizeof(array) / sizeof((array)[0]) + \
         0 * sizeof(struct { int an_array_is_wanted_here : 1 - 2 * BASE_IS_POINTER(array); }))

/* No limit on the bytes written. */
#undef strcpy
#define strcpy strcpy_has_no_limit_use_text_append
#undef stpcpy
#define stpcpy stpcpy_has_no_limit_use_text_append
#undef strcat
#define strcat strcat_has_no_limit_use_text_append
#undef sprintf
#define sprintf sprintf_has_no_limit_use_text_printf
#undef vsprintf
#define vsprintf vsprintf_has_no_limit_use_text_vprintf
#undef gets
#define gets gets_has_no_limit_use_file_read
#undef alloca
#define alloca alloca_has_no_limit_use_an_array_or_text

/* A limit, but the result may lack its end. */
#undef strncpy
#define strncpy strncpy_may_not_end_its_result_use_text_append_bytes
#undef strncat
#define strncat strncat_takes_the_wrong_limit_use_text_append_bytes

/* No way to report an error. */
#undef atoi
#define atoi atoi_cannot_report_errors_use_text_parse_u64
#undef atol
#define atol atol_cannot_report_errors_use_text_parse_u64
#undef atoll
#define atoll atoll_cannot_report_errors_use_text_parse_u64
#undef atof
#define atof atof_cannot_report_errors_use_text_parse_u64

/* Hidden state shared by all threads. */
#undef strtok
#define strtok strtok_keeps_hidden_state_use_strsep
#undef strerror
#define strerror strerror_keeps_hidden_state_use_error_text
#undef gmtime
#define gmtime gmtime_keeps_hidden_state_use_clock_text
#undef localtime
#define localtime localtime_keeps_hidden_state_use_clock_text
#undef ctime
#define ctime ctime_keeps_hidden_state_use_clock_text
#undef asctime
#define asctime asctime_keeps_hidden_state_use_clock_text

/* Children without a deadline, names without a file. */
#undef system
#define system system_waits_forever_use_child_run
#undef popen
#define popen popen_waits_forever_use_child_run
#undef mktemp
#define mktemp mktemp_races_use_mkdtemp_or_file_replace
#undef tmpnam
#define tmpnam tmpnam_races_use_mkdtemp_or_file_replace
#undef tempnam
#define tempnam tempnam_races_use_mkdtemp_or_file_replace

#endif
