#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same program, built in every way that people build: it must count the same. TAP.

usage: variants.py SOURCE_ROOT"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import kinds  # noqa: E402
from segment import Segment  # noqa: E402

ROOT = os.path.abspath(sys.argv[1])
SUBJECT = os.path.join(ROOT, "tests/runtime/subject.c")
RUNTIME = [os.path.join(ROOT, "src/probe", f) for f in sorted(os.listdir(os.path.join(ROOT, "src/probe")))
           if f.endswith(".c") and not f.endswith("_test.c")]
COMMON = ["-std=gnu11", "-D_GNU_SOURCE", "-pthread", "-isystem", os.path.join(ROOT, "include"),
          "-I", os.path.join(ROOT, "src")]

THREADS = 200

# name, flags for everything, tools that must be there
VARIANTS = [
    ("plain, not optimised", ["-O0"]),
    ("-O1, C11", ["-O1", "-std=c11"]),
    ("-O2, C17", ["-O2", "-std=c17"]),
    ("-O3, C23", ["-O3", "-std=c2x"]),
    ("-O3, native", ["-O3", "-march=native"]),
    ("-Os, garbage collected", ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]),
    ("link-time optimised", ["-O2", "-flto"]),
    ("link-time optimised and garbage collected",
     ["-O3", "-flto", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]),
    ("no position independence", ["-O2", "-fno-pie", "-no-pie"]),
    ("static", ["-O2", "-static"]),
    ("static, position independent", ["-O2", "-static-pie", "-fPIE"]),
    ("no frame pointers, hardened", ["-O2", "-fomit-frame-pointer", "-D_FORTIFY_SOURCE=2",
                                     "-fstack-protector-strong", "-Wl,-z,relro,-z,now"]),
    ("address sanitizer", ["-O1", "-fsanitize=address,undefined"]),
    ("thread sanitizer", ["-O1", "-fsanitize=thread"]),
    ("switched off", ["-O2", "-DTOCSIN_OFF"]),
]


def check(compiler, flags, place):
    program = os.path.join(place, "subject")
    built = subprocess.run([compiler, *COMMON, *flags, SUBJECT, *RUNTIME, "-o", program, "-ldl"],
                           capture_output=True, text=True)
    if built.returncode:
        if "cannot find" in built.stderr and ("lto" in built.stderr or "LLVMgold" in built.stderr):
            return "SKIP", f"{compiler} has no linker plug-in here"
        return "not ok", built.stderr[-600:]
    wanted = {"threads": ("events", 400000), "handler": ("other", None), "all_kinds": ("depth", -3),
              "operations_of_threads": ("request", 400000), "every_kind": ("events", THREADS)}
    for mode, (name, total) in wanted.items():
        where = os.path.join(place, mode)
        os.mkdir(where, 0o700)
        # The thread sanitizer of these compilers cannot live with much address randomisation.
        run = subprocess.run(["setarch", "-R", program, mode,
                              str(THREADS if mode == "every_kind" else 100000)], input="\n", text=True,
                             capture_output=True, timeout=120,
                             env=dict(os.environ, TOCSIN_DIR=where))
        if run.returncode or "WARNING: ThreadSanitizer" in run.stderr:
            return "not ok", f"{mode}: status {run.returncode}: {run.stderr[-800:]}"
        if "-DTOCSIN_OFF" in flags:
            if os.listdir(where):
                return "not ok", "there is a segment although everything is off"
            continue
        segment = Segment(os.path.join(where, os.listdir(where)[0]))
        if mode == "handler":
            total = int(run.stdout.split("signals ")[1].split()[0])
        if segment.value(name) != total:
            return "not ok", f"{mode}: {name} is {segment.value(name)}, should be {total}"
        if mode == "every_kind" and kinds.complaints(segment, THREADS):
            return "not ok", "; ".join(kinds.complaints(segment, THREADS))
        misses = [t for _, kind, _, t in segment.sites() if kind == 10 and t]
        if mode == "all_kinds" and misses != [1]:
            return "not ok", f"misses are {misses}"
    return "ok", ""


def main():
    failed = number = 0
    print(f"1..{len(VARIANTS) * 2}", flush=True)
    for compiler in ("gcc", "clang"):
        for name, flags in VARIANTS:
            number += 1
            place = tempfile.mkdtemp(dir="/dev/shm", prefix="tocsin-test-")
            try:
                result, why = check(compiler, flags, place)
            except Exception as error:  # a test that falls over has failed
                result, why = "not ok", f"{type(error).__name__}: {error}"
            finally:
                shutil.rmtree(place, ignore_errors=True)
            if result == "SKIP":
                print(f"ok {number} - {compiler}: {name} # SKIP {why}", flush=True)
            else:
                print(f"{result} {number} - {compiler}: {name}", flush=True)
            if result == "not ok":
                failed += 1
                print("\n".join("# " + line for line in why.splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
