#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows tools/house.sh the tree, which it must pass, and for each rule a small tree that breaks it.
#
# Usage: house_test.sh ROOT. Speaks TAP. A case is a function that breaks the good tree in one
# place; exactly the expected line must come out, and exit status 1.
set -u

root=$(cd -- "$1" && pwd)
house=$root/tools/house.sh
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
number=0
failed=0

result()
{
        local verdict=$1 title=$2 output=$3

        number=$((number + 1))
        if [[ $verdict == yes ]]; then
                printf 'ok %d - %s\n' "$number" "$title"
                return
        fi
        failed=$((failed + 1))
        printf 'not ok %d - %s\n' "$number" "$title"
        head -n 40 <<<"$output" | sed 's/^/# /'
}

# Not written out, or the checker would find them in here.
work=work home=home users=Users

licence='/* SPDX-License-Identifier: Apache-2.0 */'

# write FILE: licence, a purpose, then standard input.
write()
{
        mkdir -p "$(dirname "$1")"
        {
                printf '%s\n/* Exists to show the rules to the checker. */\n' "$licence"
                cat
        } >"$1"
}

lines()
{
        local i

        for ((i = 0; i < $1; i++)); do
                printf '%s\n' "$2"
        done
}

# long_function LINES between and with its braces
long_function()
{
        printf 'int f(int x)\n{\n'
        lines $(($1 - 3)) '        x++;'
        printf '        return x;\n}\n'
}

good_tree()
{
        mkdir -p "$1" && cd "$1" || exit 1
        cp "$root/.clang-format" .
        write include/tocsin.h <<<'#define TOC_WIDE(a,b)       a ## b'
        write src/base/word.h <<<'int word(void);'
        write src/base/word.c <<<'#include "base/word.h"

#include <sys/stat.h>'
        write src/base/word_test.c <<<'#include "base/word.h"'
        write src/probe/cell.h <<<'#include <tocsin.h>'
        write src/probe/cell.c <<<'#include "probe/cell.h"
#include "tocsin.h"'
        write src/inside/heap.c <<<'#include "probe/cell.h"'
        write src/rule/rule.def <<<'X(    wide,   table)'
        write src/rule/rule.h <<<'#include "base/word.h"
#include "rule/rule.def"
#include "tocsin.h"'
        write src/watch/loop.c <<<'#include "base/word.h"
#include "probe/cell.h"
#include "rule/rule.h"'
        write src/cli/main.c <<<'#include "watch/loop.h"'
        write examples/x/main.c <<<'#include "own.h"
#include <tocsin.h>
#include <tocsin/case.h>'
        write tests/free.c <<<'#include "watch/loop.h"
#include "base/word.h"'
        write src/base/full.c < <(lines 598 '')
        write src/base/long.c < <(printf '/* house: long file because of the table. */\n'
                lines 598 'int f(void);')
        write src/base/function80.c < <(long_function 80)
        write src/base/function81.c < <(printf '/* house: long function because of a switch. */\n'
                long_function 81)
        write src/base/edge.c < <(printf '/* %094d */\n/* %s */\n' 0 "$(lines 94 'ü' | tr -d '\n')")
        # clang-format leaves comments alone, but not rows of empty lines.
        write src/base/full.c < <(lines 598 'int f(void);')
        printf '%s\n#ifndef G_H\n#define G_H\n/* Why it is here: to be seen. */\n#endif\n' \
                "$licence" >src/base/guard.h
        printf '/* SPDX-License-Identifier: Apache-2.0\n * Copyright us\n */\n%s\n' \
                '/* Two lines of licence are allowed. */' >src/base/two.c
        mkdir -p modules/lru/candidates/bad build/meson-private
        echo 'int  x ;goto bad;' >modules/lru/candidates/bad/bad.c
        echo 'int  x ;goto bad;' >build/generated.c
        echo "Not /${work}er, not a/$work/b, not https://x.org/$home/page." >README.md
}

# breaks TITLE EXPECTED FUNCTION: EXPECTED is an extended regular expression for the whole line.
breaks()
{
        local title=$1 expected=$2 output status

        rm -rf "$place/tree"
        output=$(good_tree "$place/tree" && "$3" && "$house" "$place/tree" 2>&1)
        status=$?
        if [[ $status == 1 && $output =~ ^${expected}$ && $output != *$'\n'* ]]; then
                result yes "refuses $title" ''
        else
                result no "refuses $title" "exit status $status:"$'\n'"$output"
        fi
}

the_tree()
{
        local output status

        output=$("$house" "$root" 2>&1)
        status=$?
        [[ $status == 0 && -z $output ]] && status=yes
        result "$status" 'the tree keeps the rules' "$output"
}

the_good_tree()
{
        local output status

        output=$(good_tree "$place/tree" && "$house" "$place/tree" 2>&1)
        status=$?
        [[ $status == 0 && -z $output ]] && status=yes
        result "$status" 'a tree that keeps the rules passes' "$output"
}

# Replaces a file's content after licence and purpose.
base_sees_rule() { write src/base/word.c <<<'#include "rule/rule.h"'; }
base_sees_record() { write src/base/word.c <<<'#include <tocsin.h>'; }
base_sees_probe() { write src/base/word.c <<<'#include "probe/cell.h"'; }
probe_sees_base() { write src/probe/cell.c <<<'#include "base/word.h"'; }
inside_sees_base() { write src/inside/heap.c <<<'#include "base/word.h"'; }
rule_sees_runtime() { write src/rule/rule.h <<<'#include "probe/cell.h"'; }
rule_sees_watch() { write src/rule/rule.h <<<'#include <watch/loop.h>'; }
inline_sees_base() { mkdir -p src/inline && write src/inline/self.c <<<'#include "base/word.h"'; }
watch_sees_inside() { write src/watch/loop.c <<<'#include "inside/heap.h"'; }
watch_sees_cli() { write src/watch/loop.c <<<'#include "cli/main.h"'; }
test_sees_right() { write src/base/word_test.c <<<'#include "watch/loop.h"'; }
header_sees_probe() { write include/tocsin.h <<<'#include "probe/cell.h"'; }
example_sees_base() { write examples/x/main.c <<<'#include "base/word.h"'; }
room_not_named() { write src/base/word.c <<<'#include "word.h"'; }
path_goes_up() { write src/probe/cell.c <<<'#include "../include/tocsin.h"'; }
source_included() { write tests/free.c <<<'#include "base/word.c"'; }
no_licence() { printf '/* Exists to have no licence at all. */\n' >src/base/word.c; }
other_licence() { sed -i '1s/Apache-2.0/GPL-2.0/' src/base/word.c; }
no_purpose() { printf '%s\n#include <stdio.h>\n' "$licence" >src/base/word.c; }
late_purpose() { printf '%s\nint x;\n/* This comes too late to count. */\n' "$licence" >src/base/word.c; }
short_purpose() { printf '%s\n/* word.c */\n' "$licence" >src/base/word.c; }
wide_line() { write src/base/edge.c < <(printf '/* %095d */\n' 0); }
wide_line_utf8() { write src/base/edge.c < <(printf '/* %s */\n' "$(lines 95 'ü' | tr -d '\n')"); }
file_too_long() { write src/base/full.c < <(lines 599 'int f(void);'); }
file_waiver_bare() { sed -i 's/ because of the table//' src/base/long.c; }
file_waiver_idle() { write src/base/word.c <<<'/* house: long file because I like it. */'; }
function_too_long() { write src/base/function80.c < <(long_function 81); }
function_waiver_idle() { sed -i '0,/x++;/{/x++;/d}' src/base/function81.c; }
function_waiver_used_up() { long_function 81 | sed 's/ f(/ g(/' >>src/base/function81.c; }
has_goto() { write src/base/word.c < <(printf 'int f(void)\n{\n        goto out;\nout:\n        return 0;\n}\n'); }
has_typedef() { write src/base/word.h <<<'typedef struct word word_t;'; }
has_work_path() { echo "see /$work/main for more" >>README.md; }
has_home_path() { echo "HOME=/$home/jane" >>README.md; }
has_users_path() { echo "'/$users/Jane'" >>README.md; }
badly_laid_out() { write src/base/word.c <<<'int  x ;'; }
has_tab() { write src/base/word.c < <(printf 'int f(void)\n{\n\treturn 0;\n}\n'); }
brace_misplaced() { write src/base/word.c < <(printf 'int f(void) {\n        return 0;\n}\n'); }

sees() { printf '%s:3: %s includes %s; it sees only: .*' "$1" "$2" "$3"; }
not_laid_out='not laid out as .clang-format says; run: clang-format -i \./src/base/word\.c'

the_tree
the_good_tree
breaks 'base including rule' "$(sees src/base/word.c base rule/rule.h)" base_sees_rule
breaks 'base including the record' "$(sees src/base/word.c base tocsin.h)" base_sees_record
breaks 'base including probe' "$(sees src/base/word.c base probe/cell.h)" base_sees_probe
breaks 'probe including base' "$(sees src/probe/cell.c probe base/word.h)" probe_sees_base
breaks 'inside including base' "$(sees src/inside/heap.c inside base/word.h)" inside_sees_base
breaks 'rule including the runtime' "$(sees src/rule/rule.h rule probe/cell.h)" rule_sees_runtime
breaks 'rule including watch' "$(sees src/rule/rule.h rule watch/loop.h)" rule_sees_watch
breaks 'inline including base' "$(sees src/inline/self.c inline base/word.h)" inline_sees_base
breaks 'watch including inside' "$(sees src/watch/loop.c watch inside/heap.h)" watch_sees_inside
breaks 'watch including cli' "$(sees src/watch/loop.c watch cli/main.h)" watch_sees_cli
breaks 'a test including to the right' "$(sees src/base/word_test.c base watch/loop.h)" \
        test_sees_right
breaks 'the public header including a room' "$(sees include/tocsin.h include probe/cell.h)" \
        header_sees_probe
breaks 'an example including a room' "$(sees examples/x/main.c examples base/word.h)" \
        example_sees_base
breaks 'an include without its room' \
        'src/base/word.c:3: includes "word.h"; name the room: "base/word.h"' room_not_named
breaks 'an include that goes up' \
        'src/probe/cell.c:3: includes ../include/tocsin.h; write the path .*' path_goes_up
breaks 'an included source' 'tests/free.c:3: includes base/word.c; compile it.*' source_included
breaks 'a file without licence' 'src/base/word.c:1: no licence; start with .*' no_licence
breaks 'another licence' 'src/base/word.c:1: no licence; start with .*' other_licence
breaks 'a file without purpose' 'src/base/word.c:1: no comment says why .*' no_purpose
breaks 'a purpose after code' 'src/base/word.c:1: no comment says why .*' late_purpose
breaks 'a purpose that only names the file' 'src/base/word.c:1: no comment says why .*' \
        short_purpose
breaks 'a line of 101 columns' 'src/base/edge.c:3: the line has 101 columns, .*' wide_line
breaks 'a line of 101 characters beyond ASCII' 'src/base/edge.c:3: the line has 101 columns, .*' \
        wide_line_utf8
breaks 'a file of 601 lines' 'src/base/full.c:601: the file has 601 lines, .*' file_too_long
breaks 'a waiver without reason' 'src/base/long.c:601: the file has 601 lines, .*' file_waiver_bare
breaks 'a waiver for a file that is short' 'src/base/word.c:3: the waiver for a long file is .*' \
        file_waiver_idle
breaks 'a function of 81 lines' 'src/base/function80.c:4: f\(\) has 81 lines, .*' function_too_long
breaks 'a waiver for a function that is short' \
        'src/base/function81.c:3: the waiver for a long function is .*' function_waiver_idle
breaks 'a second function under one waiver' \
        'src/base/function81.c:87: g\(\) has 81 lines, .*' function_waiver_used_up
breaks 'goto' 'src/base/word.c:5: goto; use .*' has_goto
breaks 'a typedef of a struct' 'src/base/word.h:3: typedef of a struct, .*' has_typedef
breaks 'a path of this machine' 'README.md:2: names a path of one machine.*' has_work_path
breaks 'a home directory' 'README.md:2: names a path of one machine.*' has_home_path
breaks 'a home directory elsewhere' 'README.md:2: names a path of one machine.*' has_users_path
breaks 'a bad layout' "src/base/word.c:3: $not_laid_out" badly_laid_out
breaks 'a tab' "src/base/word.c:4: $not_laid_out" has_tab
breaks 'a misplaced brace' "src/base/word.c:3: $not_laid_out" brace_misplaced

singles()
{
        local build=$place/build output status source

        mkdir -p "$build/src/watch/a.p" "$build/src/watch/a_test.p" "$build/src/probe/b.p"
        printf 'int used(void);\nint used(void) { return 0; }\nint idle(void);\n%s\n' \
                'int idle(void) { return 0; }' >"$place/word.c"
        printf 'int idle(void);\nint main(void) { return idle(); }\n' >"$place/word_test.c"
        printf 'int used(void);\nint toc_x(void);\nint toc_x(void) { return used(); }\n' \
                >"$place/cell.c"
        for source in watch/a.p/word.c watch/a_test.p/word_test.c probe/b.p/cell.c; do
                cc -c -o "$build/src/$source.o" "$place/${source##*/}" || return
        done
        output=$("$house" --singles "$build" "$root" 2>&1)
        status=$?
        [[ $status == 1 && $output == \
                'src/watch/word.c:1: no other file uses idle(), tests aside; make it static or remove it' ]] &&
                status=yes
        result "$status" 'refuses a function that only its own file and its test use' "$output"
}

# cannot_look TITLE STATUS ARGUMENT...: what is no answer must not look like "no violation".
cannot_look()
{
        local title=$1 expected=$2 output status
        shift 2

        output=$("$house" "$@" 2>&1)
        status=$?
        [[ $status == "$expected" && -n $output ]] && status=yes
        result "$status" "$title" "exit status $status: $output"
}

unreadable_layout()
{
        good_tree "$place/tree"
        echo 'NoSuchKey: 1' >"$place/tree/.clang-format"
        cannot_look 'a layout that cannot be checked is no success' 3 "$place/tree"
}

singles
cannot_look 'a directory that is not there is no success' 2 "$place/missing"
cannot_look 'an unknown option is no success' 2 --nonsense
cannot_look 'a build that is not there is no success' 2 --singles "$place/missing"
unreadable_layout
printf '1..%d\n' "$number"
[[ $failed == 0 ]]
