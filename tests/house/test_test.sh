#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows ./test on small projects of its own: its last line, its exit status, and that it cannot say
# yes when something did not build, did not run, or ran another time.
#
# Usage: test_test.sh ROOT. Speaks TAP.
set -u

root=$(cd -- "$1" && pwd)
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
number=0
failed=0

# A copy of ./test with a project of one source, and packages that are all there.
fresh_project()
{
        rm -rf "$place/project"
        mkdir -p "$place/project/tools" "$place/project/.ci"
        cp "$root/test" "$place/project/"
        cp "$root/.ci/run" "$place/project/.ci/"
        cp "$root/tools/tap_sum.py" "$place/project/tools/"
        echo 'packages_install() { return 0; }
packages_promtool() { return 0; }' >"$place/project/tools/packages.sh"
        cat >"$place/project/meson.build" <<'MESON'
project('p', 'c')
exe = executable('a', 'a.c')
test('one', exe, args: ['1'], protocol: 'tap', suite: 'base')
test('slowly', exe, args: ['2'], protocol: 'tap', suite: ['run', 'slow'])
test('plainly', exe, args: ['3'], protocol: 'tap', suite: ['run', 'no-asan'])
MESON
        cat >"$place/project/a.c" <<'C'
#include <stdio.h>
int main(void)
{
        puts("1..2\nok 1\nok 2");
        return 0;
}
C
}

# run ARGUMENT...: output, last line and exit status of ./test, called from elsewhere without input.
run()
{
        output=$(cd / && "$place/project/test" "$@" 2>&1 <&-)
        status=$?
        last=${output##*$'\n'}
}

check()
{
        local title=$1 verdict='not ok'
        shift

        "$@" && verdict=ok
        [[ $verdict == ok ]] || failed=$((failed + 1))
        number=$((number + 1))
        printf '%s %d - %s\n' "$verdict" "$number" "$title"
        [[ $verdict == ok ]] || printf 'status %s\n%s\n' "$status" "$output" | tail -n 40 |
                sed 's/^/# /'
}

is() { [[ $1 == "$2" ]]; }
has() { [[ $1 == *"$2"* ]]; }

fresh_project
run
# one: three builds; slowly: two; plainly: one; two tests each.
check 'all builds are summed' is "$status|$last" '0|12 passed, 0 failed'
run --quick
check '--quick runs one build without slow tests' is "$status|$last" '0|4 passed, 0 failed'
run --quick slowly one
check 'names choose tests' is "$status|$last" '0|2 passed, 0 failed'
run one
check 'names run in two builds' is "$status|$last" '0|4 passed, 0 failed'
run --quick nonesuch
check 'a name without a test is no success' is "$status|$last" '1|0 passed, 0 failed'

output=$("$place/project/.ci/run" --quick 2>&1)
status=$?
check '.ci/run is the same' is "$status|${output##*$'\n'}" '0|4 passed, 0 failed'

sed -i 's/ok 2"/not ok 2"/' "$place/project/a.c"
run --quick
check 'a failed test fails the run' is "$status|$last" '1|2 passed, 2 failed'
check 'and is shown with a way to repeat it' has "$output" 'repeat: meson test -C build --verbose one'

sed -i 's/return 0;/return 0/' "$place/project/a.c"
run --quick
check 'what does not compile fails, and old results do not count' is "$status|$last" \
        '1|0 passed, 1 failed'
check 'the compiler is heard' has "$output" "expected ‘;’"

fresh_project
cat >"$place/project/a.c" <<'C'
#include <stdio.h>
static volatile int size = 2;
int main(void)
{
        volatile int row[2] = { 0, 0 };
        puts("1..2\nok 1\nok 2");
        fflush(stdout);
        row[size] = 1; /* one beyond */
        return 0;
}
C
run one
check 'the sanitizers see what passes without them' is "$status|$last" '1|4 passed, 1 failed'

fresh_project
echo 'this is no meson' >>"$place/project/meson.build"
run --quick
check 'what cannot be configured fails' is "$status|$last" '1|0 passed, 1 failed'

fresh_project
echo '#ifdef __clang__
#error only gcc
#endif' >>"$place/project/a.c"
run
check 'what clang cannot compile fails' is "$status|$last" '1|10 passed, 1 failed'

fresh_project
run --quick
mv "$place/project" "$place/moved"
mv "$place/moved" "$place/elsewhere"
output=$("$place/elsewhere/test" --quick 2>&1)
status=$?
check 'a tree that was moved still builds' is "$status|${output##*$'\n'}" '0|4 passed, 0 failed'
rm -rf "$place/elsewhere"

fresh_project
echo 'packages_install() { return 1; }' >>"$place/project/tools/packages.sh"
run --quick
check 'packages that cannot be had fail' is "$status|$last" '1|0 passed, 1 failed'

run --help
check '--help explains' is "$status|${output%%$'\n'*}" '0|Usage: ./test [--quick] [NAME]...'
run --nonsense
check 'an unknown option is wrong usage' is "$status|$last" \
        "2|test: there is no option '--nonsense'; see ./test --help"

printf '1..%d\n' "$number"
[[ $failed == 0 ]]
