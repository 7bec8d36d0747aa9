#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A C++ program of several files, a C file and a shared object, built in every way that people
build: counts are exact, and each site is there once. TAP.

usage: cxx_test.py LIBTOCSIN"""

import collections
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/runtime"))
from segment import Segment, text  # noqa: E402

C_OF = {"g++": "gcc", "clang++": "clang"}
COMMON = ["-fPIC", "-pthread", "-Wall", "-Wextra", "-isystem", os.path.join(ROOT, "include")]
VARIANTS = [
    ("-O0", ["-O0"]),
    ("-O2", ["-O2"]),
    ("-O3, C++2b", ["-O3", "-std=c++2b"]),
    ("-O2, link-time optimised", ["-O2", "-flto"]),
    ("-Os, garbage collected", ["-Os", "-ffunction-sections", "-fdata-sections",
                                "-Wl,--gc-sections"]),
    ("-O1, address sanitizer", ["-O1", "-fsanitize=address,undefined"]),
    ("-O2, hidden, no semantic interposition", ["-O2", "-fvisibility=hidden",
                                                "-fvisibility-inlines-hidden",
                                                "-fno-semantic-interposition"]),
]
THREADS, STEPS = 3, 100
PLACES = 3  # main.cc, other.cc and library.cc call all that is in shared.h
N = THREADS * STEPS
ODD = THREADS * STEPS // 2

# The first cell of each probe, or the sum of those with its name: (kind, meaning or name) -> count.
# Of what stands in shared.h, the sum over the objects.
WANTED = {
    "events": 2 * N, "depth": 2 * N, "pulse": N, "calls": N, "calls_of_library": N,
    "calls_of_c": N, "ended good": N, "ended bad": THREADS * 10,
    "an inline function expects even numbers": 3 * ODD * PLACES,  # directly and from two templates
    "an inline function fails": N * PLACES,
    "a lambda expects what is positive": THREADS * PLACES,  # 0 is not
    "nobody ever made a box": N * PLACES,
    "no box was ever full": THREADS * (STEPS - 3) * PLACES,
    "a pointer is compared": N,
    "a C file always misses": N,
    "left a step by an exception": ODD,
}
# All cells of the kinds that have several.
CELLS = {
    "failed": [THREADS * STEPS // 4, N],
    "queue": [5 * N, 3 * N, N, N],
    "job": [N, N] + [0] * 16,
}


def records_of(path):
    """The records in an ELF file, by its section headers."""
    with open(path, "rb") as file:
        raw = file.read()
    at, size, count, names = struct.unpack_from("<Q10xHHH", raw, 40)
    section = [struct.unpack_from("<IIQQQQ", raw, at + i * size) for i in range(count)]
    found = b""
    for name, _, _, _, offset, length in section:
        start = section[names][4] + name
        if raw[start:raw.index(b"\0", start)] == b"toc_records_1":
            found += raw[offset:offset + length]
    assert found and len(found) % 512 == 0, "no records in " + path
    return [found[i:i + 512] for i in range(0, len(found), 512)]


def name_of(row):
    """What WANTED calls it: its name and label, or a site's meaning or format."""
    if row[2] in (10, 11):
        return text(row[272 + 48:272 + 120])
    if row[2] in (12, 13):
        return text(row[272 + 48:272 + 120]) or text(row[72:144])
    return " ".join(filter(None, (text(row[32:72]), text(row[176:208]))))


def run(command, place):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, TOCSIN_DIR=place))
    segment = Segment(process.stdout.readline().strip())
    process.communicate("\n", timeout=120)
    assert process.returncode == 0, f"status {process.returncode}"
    return segment


def judge(segment, files):
    rows = [row for _, _, row in segment.rows]
    many = collections.Counter((number, row[:512]) for number, _, row in segment.rows)
    twice = [name_of(row) for (_, row), n in many.items() if n > 1]
    assert not twice, f"several rows of {twice}"
    published = {row[:512] for row in rows}
    compiled = {record for path in files for record in records_of(path)}
    assert published == compiled, "rows that are not the records of the files: " + repr(
        [name_of(r) for r in published ^ compiled])
    totals = collections.Counter()
    for number, _, row in segment.rows:
        cells = segment.cells_of(number, row)
        name = name_of(row)
        if cells:
            totals[name] += cells[0]
        if name in CELLS:
            assert cells == CELLS[name], f"cells of {name} are {cells}"
        if name in ("step", "size"):
            assert sum(cells[3:]) == N, f"values of {name}: {sum(cells[3:])}"
        if name == "size":
            assert cells[0] == THREADS, f"sizes over the limit: {cells[0]}"
    for name, count in WANTED.items():
        assert totals[name] == count, f"{name} is {totals[name]}, should be {count}"
    for row in rows:
        rule = struct.unpack_from("<qqqIIIIHBBB", row, 272)
        if name_of(row) == "depth":
            assert rule == (60, -(1 << 63), 1 << 30, 7, 0, 8, 0, 0, 7, 1, 1), rule
        if name_of(row) == "height":
            assert rule == (100, 90, 0, 5, 6, 0, 0, 0, 5, 4, 1), rule


def check(compiler, flags, place, library, runner=()):
    def build(output, *command):
        if "-c" in command:
            command = [word for word in command if not word.startswith("-Wl,")]
        done = subprocess.run([*command, "-o", output], capture_output=True, text=True, cwd=HERE,
                              timeout=300)
        if done.returncode or done.stderr:
            raise AssertionError("does not build: " + done.stderr[-900:])
        return output
    path = lambda name: os.path.join(place, name)  # noqa: E731
    cxx = [compiler, "-std=c++20", *COMMON, *flags]
    c_flags = [flag for flag in flags if "c++" not in flag and "inlines" not in flag]
    part = build(path("part.o"), C_OF.get(compiler, compiler.replace("g++", "gcc")), "-std=c11", *COMMON, *c_flags, "-c", "part.c")
    shared = build(path("liblibrary.so"), *cxx, "-shared", "library.cc", "shared.cc", library)
    objects = [build(path(name + ".o"), *cxx, "-c", name + ".cc") for name in ("main", "other", "shared")]
    program = build(path("program"), *cxx, *objects, part, shared, library,
                    "-Wl,-rpath," + place, "-Wl,-rpath," + os.path.dirname(library))
    judge(run([*runner, program], place), [program, shared])


def main():
    library = os.path.abspath(sys.argv[1])
    cases = [(c, *v) for c in C_OF for v in VARIANTS]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, (compiler, name, flags) in enumerate(cases, 1):
        place = tempfile.mkdtemp(dir="/dev/shm", prefix="tocsin-test-")
        title = f"{number} - {compiler}: {name}"
        try:
            if not shutil.which(compiler) or not shutil.which(C_OF[compiler]):
                print(f"ok {title} # SKIP it is not installed", flush=True)
                continue
            check(compiler, flags, place, library)
            print(f"ok {title}", flush=True)
        except Exception as why:  # a test that falls over has failed, whatever it fell over
            if "LLVMgold" in str(why):
                print(f"ok {title} # SKIP {compiler} has no linker plug-in here", flush=True)
                continue
            failed += 1
            print(f"not ok {title}", flush=True)
            print("\n".join("# " + line for line in f"{type(why).__name__}: {why}".splitlines()))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
