#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links a harness program as the workshop does: the candidate's object joined with --wrap, then the
# cases, then the libraries.
#
#   build.sh OUTPUT WRAP.DEF INCLUDE CASE-LIBRARY LIBRARY CANDIDATE.c CASES.c -- FLAGS...
set -eu -o pipefail

output=$1 wraps=$2 include=$3 case_library=$4 library=$5 candidate=$6 cases=$7
shift 8
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mapfile -t wrap < <(sed -nE 's/^X\((\w+)\)$/--wrap=\1/p' "$wraps")

gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I"$include" "$@" -c "$candidate" -o "$scratch/candidate.o"
gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I"$include" "$@" -c "$cases" -o "$scratch/cases.o"
ld -r "${wrap[@]}" "$scratch/candidate.o" -o "$scratch/wrapped.o"
gcc "$@" "$scratch/wrapped.o" "$scratch/cases.o" -Wl,--whole-archive "$case_library" \
        -Wl,--no-whole-archive "$library" -pthread -o "$output"
