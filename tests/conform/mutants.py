#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks src/rule in many ways, and shows that tocsin-conform disagrees with each.

    mutants.py SOURCE_ROOT [--all] [NAME]...

A mutant is one line of a copy of src/rule, changed. What is compared is compiled here, once, and
again only the file that is changed. First the unchanged copy must agree on the same streams; a
mutant whose text does not stand in the source exactly once fails, because it tests nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile

STREAMS = 24  # a mutant; the first that shows it ends the matter for us

# name, file of src/rule, what stands there, what it becomes, kind, signal. The order is that of
# importance: without --all only the first FEW are run.
FEW = 14
MUTANTS = [
    ("above is at least", "signal.c",
     "if (reading->n > right)", "if (reading->n >= right)", "counter", "per_second"),
    ("a window is closed at both ends", "history.c",
     ">= history->window_ns", "> history->window_ns", "counter", "per_minute"),
    ("a reset is not seen", "row.c",
     "if (row->sample >= row->last)", "if (true)", "counter", "per_minute"),
    ("hold takes one instant more", "state.c",
     ">= state->hold_ns", "> state->hold_ns", "level", "value"),
    ("keep is forgotten", "state.c",
     "state->is_kept = t_ns - state->missing_ns < state->keep_ns",
     "state->is_kept = false", "level", "value"),
    ("keep lasts one instant more", "state.c",
     "state->missing_ns < state->keep_ns", "state->missing_ns <= state->keep_ns", "level", "value"),
    ("a pending alert remembers a miss", "state.c",
     "{ to_undef,       to_ok,        ripen }", "{ to_undef,       ripen,        ripen }", "level",
     "value"),
    ("hysteresis is forgotten", "signal.c",
     "return reading_holds(reading, side, clear_at);", "return false;", "level", "value"),
    ("hysteresis clears one later", "signal.c",
     "return reading_holds(reading, side, clear_at);",
     "return reading_holds(reading, side | TOC_EQUAL_, clear_at);", "level", "value"),
    ("beats are not heard", "row.c",
     "if (row->sample != row->last)", "if (!row->last)", "heartbeat", "silent_ms"),
    ("a sum leaves out a site", "row.c",
     "sum->now.since = add(sum->now.since, row->now.since);",
     "sum->now.since = row->now.since;", "logs", "per_minute"),
    ("a late start counts from 0", "row.c",
     "if (!row->is_sampled && !row->from_start) {", "if (false) {", "expectation", "total"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, **more)


class Bench:
    """A folder in which the program is built from objects."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.rule = os.path.join(folder, "src", "rule")
        shutil.copytree(os.path.join(root, "src", "rule"), self.rule)
        self.objects = {}
        self.agreed = {}
        for room, names in (("src/base", None), ("tests/conform", None)):
            where = os.path.join(root, room)
            for name in sorted(os.listdir(where)):
                if name.endswith(".c") and not name.endswith("_test.c"):
                    self.compile(os.path.join(where, name), room.replace("/", "-") + name)
        for name in sorted(os.listdir(self.rule)):
            if name.endswith(".c") and not name.endswith(("_test.c", "_bench.c")):
                self.compile(os.path.join(self.rule, name), "rule-" + name)
        self.program = self.link("conform")

    def compile(self, source, key):
        target = os.path.join(self.folder, key + ".o")
        done = run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-w", "-D_GNU_SOURCE",
                    "-I" + os.path.join(self.folder, "src"), "-I" + os.path.join(self.root, "src"),
                    "-I" + os.path.join(self.root, "include"), "-c", source, "-o", target])
        if done.returncode:
            raise RuntimeError(done.stdout)
        self.objects[key] = target

    def link(self, name):
        target = os.path.join(self.folder, name)
        done = run([os.environ.get("CC", "cc"), "-o", target, *self.objects.values(), "-lpthread",
                    "-lm"])
        if done.returncode:
            raise RuntimeError(done.stdout)
        return target

    def judge(self, program, kind, signal):
        """The exit status of the comparison, and what it said."""
        done = run([program, "--streams", str(STREAMS), "--kind", kind, "--signal", signal])
        return done.returncode, done.stdout

    def agrees(self, kind, signal):
        if (kind, signal) not in self.agreed:
            status, said = self.judge(self.program, kind, signal)
            self.agreed[kind, signal] = (status == 0, said)
        return self.agreed[kind, signal]

    def try_mutant(self, file, old, new, kind, signal):
        """None if the comparison disagrees with the mutant, else what is wrong."""
        path = os.path.join(self.rule, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(old) != 1:
            return f"{file}: stands there {text.count(old)} times, not once: {old!r}"
        fine, said = self.agrees(kind, signal)
        if not fine:
            return "the source as it is disagrees, too:\n" + said
        try:
            with open(path, "w", encoding="utf-8") as source:
                source.write(text.replace(old, new))
            self.compile(path, "rule-" + file)
            status, said = self.judge(self.link("mutant"), kind, signal)
        finally:
            with open(path, "w", encoding="utf-8") as source:
                source.write(text)
            self.compile(path, "rule-" + file)
        return None if status == 1 else f"status {status}, not 1:\n{said}"


def main():
    root = os.path.abspath(sys.argv[1])
    names = [word for word in sys.argv[2:] if word != "--all"]
    mutants = MUTANTS if "--all" in sys.argv else MUTANTS[:FEW]
    if names:
        mutants = [mutant for mutant in MUTANTS if mutant[0] in names]
    if run(["sh", "-c", "promtool --version"]).returncode:
        print("1..0 # SKIP there is no promtool")
        return 0
    print(f"1..{len(mutants)}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(root, folder)
        for number, (name, *mutant) in enumerate(mutants, 1):
            why = bench.try_mutant(*mutant)
            for line in (why or "").splitlines():
                print("# " + line)
            print(f"{'not ok' if why else 'ok'} {number} - {name}", flush=True)
            failed = failed or bool(why)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
