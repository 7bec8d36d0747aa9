#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One object, in which the names of our files are nobody else's, as an archive. An archive of many
# would hand rule_set_new, row_init and the like to every program that links it.
#
# usage: archive.sh OUT OBJECT...
set -eu
out=$1
shift
rm -f "$out"
ld -r -o "$out.o" "$@"
objcopy --localize-hidden "$out.o"
ar rcs "$out" "$out.o"
rm "$out.o"
