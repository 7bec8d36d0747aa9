#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows that no banned function of base/base.h compiles, and that the compiler says what to use.
#
# Usage: ban_test.sh ROOT COMPILER... Speaks TAP.
set -u

root=$1
shift
compile=("$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I "$root/src" -x c -fsyntax-only -)
number=0
failed=0

# try TITLE EXPECTED BODY: EXPECTED is part of what the compiler says, or "" if it must compile.
try()
{
        local title=$1 expected=$2 output status verdict='not ok'

        output=$("${compile[@]}" 2>&1 <<SOURCE
#include "base/base.h"
char buffer[64];
const char *text;
va_list arguments;
time_t now;
struct tm day;
void *result;
int number;
void body(void);
void body(void)
{
        $3;
}
SOURCE
)
        status=$?
        if [[ -z $expected && $status == 0 ]]; then
                verdict=ok
        elif [[ -n $expected && $status != 0 && $output == *"$expected"* ]]; then
                verdict=ok
        else
                failed=$((failed + 1))
        fi
        number=$((number + 1))
        printf '%s %d - %s\n' "$verdict" "$number" "$title"
        [[ $verdict == ok ]] || head -n 20 <<<"$output" | sed 's/^/# /'
}

# banned NAME ADVICE CALL
banned()
{
        try "$1 is refused" "$1_$2" "$3"
}

try 'what is not banned compiles' '' \
        'result = memcpy(buffer, "x", 2); (void)snprintf(buffer, sizeof(buffer), "%d", number)'
banned strcpy has_no_limit_use_text_append 'strcpy(buffer, text)'
banned stpcpy has_no_limit_use_text_append 'stpcpy(buffer, text)'
banned strcat has_no_limit_use_text_append 'strcat(buffer, text)'
banned sprintf has_no_limit_use_text_printf 'sprintf(buffer, "x")'
banned vsprintf has_no_limit_use_text_vprintf 'vsprintf(buffer, "x", arguments)'
banned gets has_no_limit_use_file_read 'gets(buffer)'
banned alloca has_no_limit_use_an_array_or_text 'result = alloca(9)'
banned strncpy may_not_end_its_result_use_text_append_bytes 'strncpy(buffer, text, 3)'
banned strncat takes_the_wrong_limit_use_text_append_bytes 'strncat(buffer, text, 3)'
banned atoi cannot_report_errors_use_text_parse_u64 'number = atoi(text)'
banned atol cannot_report_errors_use_text_parse_u64 'number = (int)atol(text)'
banned atoll cannot_report_errors_use_text_parse_u64 'number = (int)atoll(text)'
banned atof cannot_report_errors_use_text_parse_u64 'number = (int)atof(text)'
banned strtok keeps_hidden_state_use_strsep 'result = strtok(buffer, " ")'
banned strerror keeps_hidden_state_use_error_text 'text = strerror(number)'
banned gmtime keeps_hidden_state_use_clock_text 'result = gmtime(&now)'
banned localtime keeps_hidden_state_use_clock_text 'result = localtime(&now)'
banned ctime keeps_hidden_state_use_clock_text 'text = ctime(&now)'
banned asctime keeps_hidden_state_use_clock_text 'text = asctime(&day)'
banned system waits_forever_use_child_run 'number = system(text)'
banned popen waits_forever_use_child_run 'result = popen(text, "r")'
banned mktemp races_use_mkdtemp_or_file_replace 'text = mktemp(buffer)'
banned tmpnam races_use_mkdtemp_or_file_replace 'text = tmpnam(buffer)'
banned tempnam races_use_mkdtemp_or_file_replace 'text = tempnam(text, text)'
try 'BASE_COUNT counts an array' '' '_Static_assert(BASE_COUNT(buffer) == 64, "")'
try 'BASE_COUNT refuses a pointer' an_array_is_wanted_here 'number = (int)BASE_COUNT(text)'

# A ban that nobody tries here would be a ban that nobody has seen work.
listed=$(grep -c '^#define [a-z]* [a-z_0-9]*_use_' "$root/src/base/base.h")
number=$((number + 1))
if [[ $listed == $((number - 4)) ]]; then
        printf 'ok %d - every ban of base.h is tried\n' "$number"
else
        failed=$((failed + 1))
        printf 'not ok %d - every ban of base.h is tried\n' "$number"
        printf '# base.h has %d bans, this test %d\n' "$listed" $((number - 4))
fi
printf '1..%d\n' "$number"
[[ $failed == 0 ]]
