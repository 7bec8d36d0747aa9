#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the house that a script can check; see CONTRIBUTING.md for the others.
#
#   tools/house.sh [DIR]                  the tree, or the one in DIR
#   tools/house.sh --singles BUILD [DIR]  instead: functions of a finished build that one file uses
#
# One line a violation, "file:line: what, how to mend"; exit status 0 none, 1 some, 2 wrong usage,
# 3 could not find out. What each C file must be is in house.awk.
#
# To add a rule: a check here or there, and a row in tests/house/house_test.sh that breaks it.
set -u -o pipefail
export LC_ALL=C

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# Somebody else's code, judged by the gate and not by us.
not_foreign=(! -path '*/candidates/*')

# Not laid out by clang-format: tables, and columns of macros that read like a form.
to_lay_out=(! -name '*.def' ! -path ./include/tocsin.h ! -path ./include/tocsin-machine.h ! -path ./include/tocsin/case.h)

# Names of the machine on which somebody happened to write, with brackets so as not to find
# themselves.
machine_paths='(^|[^A-Za-z0-9_./-])/(wor[k]|hom[e]/[a-z]+|User[s]/[A-Za-z]+)(/|$|[^A-Za-z0-9_-])'

# Files below the working directory, sorted, NUL-separated; neither history nor builds.
files()
{
        find . \( -name .git -o -name __pycache__ -o -type d -exec test -d '{}/meson-private' \; \) -prune \
                -o -type f "$@" -print0 | sort -z
}

c_files()
{
        files \( -name '*.c' -o -name '*.h' -o -name '*.def' \) "${not_foreign[@]}" "$@"
}

# The checks: each prints its violations and fails only if it could not look.

check_c_files()
{
        c_files | xargs -0 -r awk -f "$here/house.awk"
}

check_paths()
{
        # shellcheck disable=SC2016 # expanded by the inner shell
        files | xargs -0 -r sh -c 'grep -InE -e "$0" /dev/null "$@"; test $? -le 1' \
                "$machine_paths" |
                sed -E 's/^([^:]+:[0-9]+):.*/\1: names a path of one machine; write it without/'
}

check_layout()
{
        local output

        output=$(c_files "${to_lay_out[@]}" | xargs -0 -r clang-format --dry-run 2>&1) || {
                printf '%s\n' "$output" >&2
                return 1
        }
        sed -nE 's/^([^:]+):([0-9]+):[0-9]+: (warning|error): .*/\1 \2/p' <<<"$output" |
                awk '!seen[$1]++ { printf "%s:%s: not laid out as .clang-format says; run: " \
                        "clang-format -i %s\n", $1, $2, $1 }'
}

# Functions with external linkage that no other object uses, tests aside. Names of the public
# library are used by programs we do not see, names that begin with __ by the linker or a sanitizer.
# base is a vocabulary: its words are tested there, and need not all be in use at once. A part of a
# file that a test calls by itself is a seam, if the file calls it too.
check_singles()
{
        (cd -- "$1" && find src -name '*.c.o' ! -path 'src/inside/*' ! -path 'src/base/*' -print0 |
                xargs -0 -r nm -A -g) |
                sed -E 's/^([^:]+):[0-9a-f ]* ([A-Za-z]) /\1 \2 /' |
                awk '
                        function calls(file, name, line, count)
                        {
                                while ((getline line < file) > 0)
                                        count += index(line, name "(") > 0
                                close(file)
                                return count
                        }

                        $1 ~ /_test\.p\// { if ($2 == "U") tested[$3] = 1; next }
                        $2 == "T" && $3 != "main" && $3 !~ /^(toc_|tocsin_inline_|__)/ { home[$3] = $1 }
                        $2 == "U" { used[$3] = 1 }
                        END {
                                for (name in home) {
                                        file = home[name]
                                        sub(/[^\/]*\.p\//, "", file)
                                        sub(/\.o$/, "", file)
                                        if (name in used || tested[name] && calls(file, name) > 1)
                                                continue
                                        printf "%s:1: no other file uses %s(), tests aside; " \
                                                "make it static or remove it\n", file, name
                                }
                        }' | sort
}

# run CHECK [ARGUMENT]...: shows what it found and remembers whether there was anything.
violated=no

run()
{
        local lines

        if ! lines=$("$@"); then
                printf 'house.sh: %s could not look\n' "$1" >&2
                exit 3
        fi
        [[ -n $lines ]] || return 0
        violated=yes
        sed 's/^\.\///' <<<"$lines"
}

main()
{
        local build=
        local tool

        if [[ ${1-} == --singles ]]; then
                build=$(realpath -e -- "${2-}") || exit 2
                shift 2
        fi
        if [[ $# -gt 1 || ${1-} == -* ]]; then
                printf 'usage: tools/house.sh [--singles BUILD] [DIR]\n' >&2
                exit 2
        fi
        cd -- "${1-$here/..}" || exit 2
        for tool in awk clang-format nm xargs; do
                if ! command -v "$tool" >/dev/null; then
                        printf 'house.sh: %s is missing; ./test installs it\n' "$tool" >&2
                        exit 3
                fi
        done
        if [[ -n $build ]]; then
                run check_singles "$build"
        else
                run check_c_files
                run check_paths
                run check_layout
        fi
        [[ $violated == no ]]
}

main "$@"
