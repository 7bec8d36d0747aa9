#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libtocsin, the header and the rules on arm64: built by Debian's cross compiler, run by qemu, and
judged by the tests of x86-64. TAP.

usage: arm64_test.py SOURCE_ROOT"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(ROOT, "tests/cxx"))
import cxx_test  # noqa: E402

PREFIX, SYSROOT = "aarch64-linux-gnu-", "/usr/aarch64-linux-gnu"
DEADLINE_S = 300  # qemu translates, and machines are busy
QEMU = ["qemu-aarch64", "-L", SYSROOT]
PACKAGES = {PREFIX + "gcc": "gcc-aarch64-linux-gnu", PREFIX + "g++": "g++-aarch64-linux-gnu",
            "qemu-aarch64": "qemu-user"}
# What a compiler may do differently shows in the counts; the rest is the same in each way.
COUNTS = ["all_kinds", "threads", "forked"]
# Nothing of it runs an arm64 program from within one, for which binfmt_misc would be needed; nor does
# it fork while other threads come and go: then the child now and then hangs in qemu 7.2.
ALL = ["the_bell_rings_for_each_news", "plugin_with_the_archive", "ten_thousand_threads", "crowd", "spinning",
       "first_probe_in_handler", "plugin",
       "plugin_of_static_host", "plugin_brings_the_runtime", "static_program", "killed", "crashed",
       "closes_everything", "errno_stays", "odd_stacks", "no_file_may_grow", "no_file_at_all",
       "relative_directory", "nobody_asked", "cells_of_all_kinds", "operations",
       "an_operation_ends_in_a_child", "operations_of_threads",
       "a_miss_stops_only_where_it_was_asked_to", "a_miss_stops_a_test",
       "a_miss_stops_from_a_version_on", *COUNTS]
WAYS = [("-O2", ["-O2"], ALL), ("-O0", ["-O0"], COUNTS),
        ("-O2 for armv8.1", ["-O2", "-march=armv8.1-a"], COUNTS)]
COMMON = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fno-omit-frame-pointer",
          "-fPIC", "-pthread", "-ftls-model=initial-exec", "-isystem", os.path.join(ROOT, "include"),
          "-I", os.path.join(ROOT, "src")]
results = []


def tell(is_good, name, why=""):
    results.append(is_good)
    print(f"{'ok' if is_good else 'not ok'} {len(results)} - {name}", flush=True)
    if not is_good:
        print("\n".join("# " + line for line in why[-1500:].splitlines()), flush=True)


def build(output, *words):
    done = subprocess.run([PREFIX + "gcc", *COMMON, *words, "-o", output], capture_output=True,
                          text=True, timeout=DEADLINE_S)
    if done.returncode:
        raise AssertionError("does not build: " + done.stderr[-900:])
    return output


def sources(room, without=r"_(test|bench)\.c$"):
    return [path for path in sorted(glob.glob(os.path.join(ROOT, "src", room, "*.c")))
            if not re.search(without, path)]


def libtocsin(place, flags):
    return build(os.path.join(place, "libtocsin.so.0"), *flags, "-shared", *sources("probe"),
                 "-Wl,-soname,libtocsin.so.0", "-Wl,-z,nodelete",
                 "-Wl,--version-script=" + os.path.join(ROOT, "src/probe/tocsin.map"))


def runs_in_qemu(program, *options):
    """A script that runs it: the tests start programs by their name."""
    script = program + "".join(options) + ".sh"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {" ".join([*QEMU, *options])} {program} "$@"\n')
    os.chmod(script, 0o755)
    return script


def runtime(name, flags, tests, place):
    """The tests of the runtime, with programs of the other processor."""
    def path(word):
        return os.path.join(place, word)

    def source(word):
        return os.path.join(ROOT, "tests/runtime", word)
    library = libtocsin(place, flags)
    beside = [library, "-Wl,-rpath," + place]
    inside = [*sources("probe"), "-Wl,-z,nodelete"]
    subject = build(path("subject"), *flags, source("subject.c"), *beside, "-ldl")
    static = build(path("subject-static"), *flags, source("subject.c"), *sources("probe"),
                   "-rdynamic", "-ldl")
    plugin = build(path("plugin.so"), *flags, "-shared", source("plugin.c"))
    alone = build(path("plugin-alone.so"), *flags, "-shared", source("plugin.c"), *beside)
    archived = build(path("plugin-archived.so"), *flags, "-shared", source("plugin.c"), *inside[:-1])
    host = build(path("host"), *flags, source("host.c"), "-ldl")
    stops = [build(path("stops" + "".join(define)), *flags, *define, source("stops.c"), *beside)
             for define in ([], ["-DTOC_TESTING"], ["-DTOC_VERSION=7"])]
    others = [runs_in_qemu(static), plugin, alone, archived, runs_in_qemu(host),
              *map(runs_in_qemu, stops)]
    judge(name, [runs_in_qemu(subject), *others], tests)
    # qemu translates blocks, and lets no signal in but between two of them: so, instructions.
    judge(name, [runs_in_qemu(subject, "-singlestep"), *others], ["signal_handlers"])


def judge(name, programs, tests):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/runtime/runtime.py"), *programs, *tests],
        capture_output=True, text=True, timeout=DEADLINE_S, env=dict(os.environ, TOCSIN_TEST_COUNT="100000"))
    results = list(re.finditer(r"^(not ok|ok) \d+ - (.*)\n((?:#.*\n)*)", done.stdout, re.M))
    for line in results:
        tell(line[1] == "ok", f"{name}: {line[2]}", line[3])
    if len(results) != len(tests) or done.returncode != any(line[1] != "ok" for line in results):
        tell(False, f"{name}: the tests of the runtime", done.stdout + done.stderr)


def rules(place):
    """The unit tests of src/rule; those that wrap malloc or look at PromQL are not for here."""
    evaluator = build(os.path.join(place, "librule.so"), "-O2", "-shared",
                      *sources("rule", r"_(test|bench)\.c$|/(promql|metric|scenario|scenario_cells)\.c$"))
    for test in sorted(glob.glob(os.path.join(ROOT, "src/rule/*_test.c"))):
        name = os.path.basename(test)
        if name in ("add_test.c", "promql_test.c", "promtool_test.c", "scenario_test.c"):
            continue
        try:
            program = build(os.path.join(place, name[:-2]), "-O2", "-Wno-error", "-I",
                            os.path.join(ROOT, "tests/arm64"), test, evaluator,
                            "-Wl,-rpath," + place)
            done = subprocess.run([*QEMU, program], capture_output=True, text=True, timeout=DEADLINE_S)
            tell(done.returncode == 0 and " tests\n" in done.stdout, "rule: " + name,
                 done.stdout + done.stderr)
        except (AssertionError, subprocess.TimeoutExpired) as why:
            tell(False, "rule: " + name, str(why))


def main():
    missing = [package for tool, package in PACKAGES.items() if not shutil.which(tool)]
    if missing or not os.path.isdir(SYSROOT + "/lib"):
        print("1..0 # SKIP to build and run for arm64, install", *missing, "libc6-dev-arm64-cross")
        return 0
    for name, flags, tests in WAYS:
        place = tempfile.mkdtemp(dir="/dev/shm", prefix="tocsin-test-")
        try:
            runtime(name, flags, tests, place)
            for cxx in (["-O2"], ["-O2", "-flto"]) if name == "-O2" else ():
                cxx_test.check(PREFIX + "g++", cxx, place, libtocsin(place, flags), QEMU)
                tell(True, "C++, " + " ".join(cxx))
            if name == "-O2":
                rules(place)
        except Exception as why:  # a test that falls over has failed, whatever it fell over
            tell(False, f"{name}: {type(why).__name__}", str(why))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
