#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows tools/packages.sh on machines that we only pretend to have: stubs of dpkg-query, apt-get,
# sudo and id stand in its PATH and write down what they are asked.
#
# Usage: packages_test.sh ROOT. Speaks TAP.
set -u

root=$(cd -- "$1" && pwd)
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
number=0
failed=0

# stub NAME: a program that runs standard input.
stub()
{
        {
                echo '#!/bin/bash'
                cat
        } >"$place/bin/$1"
        chmod +x "$place/bin/$1"
}

# A Debian with everything installed, where we are root.
fresh_machine()
{
        local tool

        rm -rf "${place:?}/bin" "$place/asked" "$place/tools"
        mkdir "$place/bin"
        : >"$place/asked"
        for tool in bash cut env mkdir mktemp mv paste rm tail touch; do
                ln -s "$(command -v "$tool")" "$place/bin/$tool"
        done
        stub id <<<'echo 0'
        stub dpkg-query <<<"case \" \$MISSING \" in *\" \${!#} \"*) exit 1 ;; esac; printf installed"
        stub apt-get <<<"echo \"apt-get \$*\" >>$place/asked; exit \${APT_STATUS-0}"
        stub sudo <<<"echo sudo >>$place/asked; exec \"\$@\""
}

# on_machine [NAME=VALUE]... FUNCTION ARGUMENT...: output and exit status of the function there.
on_machine()
{
        local settings=()

        while [[ $1 == *=* ]]; do
                settings+=("$1")
                shift
        done
        # shellcheck disable=SC2016 # expanded by the inner shell
        output=$(env -i PATH="$place/bin" MISSING= "${settings[@]}" bash -c \
                'source "$0" && "$@"' "$root/tools/packages.sh" "$@" 2>&1)
        status=$?
        asked=$(<"$place/asked")
}

# check TITLE COMMAND...: a test that passes if the command does.
check()
{
        local title=$1 verdict='not ok'
        shift

        "$@" && verdict=ok
        [[ $verdict == ok ]] || failed=$((failed + 1))
        number=$((number + 1))
        printf '%s %d - %s\n' "$verdict" "$number" "$title"
        [[ $verdict == ok ]] || printf 'status %s\noutput: %s\nasked: %s\n' "$status" "$output" \
                "$asked" | sed 's/^/# /'
}

is() { [[ $1 == "$2" ]]; }
has() { [[ $1 == *"$2"* ]]; }
lacks() { [[ $1 != *"$2"* ]]; }

fresh_machine
on_machine packages_install build test
check 'nothing is done when nothing is missing' is "$status|$output|$asked" '0||'

fresh_machine
on_machine 'MISSING=meson libelf-dev redis-tools' packages_install build
check 'only what is missing is installed, and only of the groups' has "$asked" \
        '--no-install-recommends meson libelf-dev'
check 'other groups are left alone' lacks "$asked" redis
check 'lists are fetched first' has "${asked%%install*}" ' update'
check 'what and why is said' has "$output" 'meson                 describes the build'
check 'it succeeds' is "$status" 0
check 'root needs no sudo' lacks "$asked" sudo

fresh_machine
stub id <<<'echo 1000'
on_machine 'MISSING=meson' packages_install build
check 'others use sudo' has "$asked" sudo
check 'and are told so' has "$output" 'as root by sudo'

fresh_machine
stub id <<<'echo 1000'
rm "$place/bin/sudo"
on_machine 'MISSING=meson clang' packages_install build test
check 'without root and sudo it fails' is "$status" 1
check 'and says what to run' has "$output" \
        'as root, run: apt-get install --no-install-recommends meson clang'
check 'and tries nothing' is "$asked" ''

fresh_machine
on_machine 'MISSING=meson' APT_STATUS=100 packages_install build
check 'a failure of apt-get is one' is "$status" 1
check 'and named' has "$output" 'error: could not install meson'

fresh_machine
rm "$place/bin/dpkg-query"
on_machine packages_install build
check 'elsewhere than on Debian the build decides' is "$status" 0
check 'and the needed packages are named' has "$output" 'gcc meson ninja-build'

# A package may have two groups but is one package.
fresh_machine
on_machine packages_of build test demo
check 'no package is listed twice' is "$(cut -d ' ' -f 1 <<<"$output" | sort | uniq -d)" ''
check 'every package has a reason' is "$(grep -vcE '^[a-z0-9.+-]+ [A-Za-z].{8,}' <<<"$output")" 0

fresh_machine
stub promtool <<<'exit 0'
on_machine packages_promtool "$place/tools"
check 'a promtool that is there is enough' is "$status|$asked" '0|'

fresh_machine
stub apt-get <<<"echo \"apt-get \$*\" >>$place/asked; touch prometheus_1_amd64.deb"
stub dpkg-deb <<<'mkdir -p usr/bin; echo tool >usr/bin/promtool'
on_machine packages_promtool "$place/tools"
check 'promtool is taken out of its package' is "$(cat "$place/tools/promtool")" tool
check 'which is not installed' lacks "$asked" install
check 'and nothing else is left' is "$(ls "$place/tools")" promtool

fresh_machine
on_machine APT_STATUS=100 packages_promtool "$place/tools"
check 'without it we go on' is "$status" 0
check 'and say so' has "$output" 'warning: promtool cannot be fetched'

printf '1..%d\n' "$number"
[[ $failed == 0 ]]
