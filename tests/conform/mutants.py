#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks src/rule in many ways, and shows that tocsin-conform disagrees with each.

    mutants.py SOURCE_ROOT [--all] [NAME]...

A mutant is one line of a copy of src/rule, changed. What is compared is compiled here, once, and
again only the file that is changed. The unchanged copy must agree on the stream that shows the
change. A mutant whose text does not stand in the source exactly once fails: it tests nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

STREAMS = 40  # a mutant; the first that shows it ends the matter

# name, file of src/rule, what stands there, what it becomes, kind, signal. Without --all only the
# first FEW are run. What is only shown to people (buckets.c) has no mutant: it decides nothing.
FEW = 13
MUTANTS = [
    ("a comparison lets the limit pass", "signal.h",
     "if (reading->whole > limit ||", "if (reading->whole >= limit ||", "must_hit", "unreached_s"),
    ("a window is closed at both ends", "history.c",
     ">= history->window_ns", "> history->window_ns", "counter", "per_minute"),
    ("a reset is not seen", "series.h",
     "sample >= series->last ? sample - series->last : sample", "sample - series->last",
     "error", "per_minute"),
    ("hold takes one instant more", "state.c",
     ">= state->hold_ns", "> state->hold_ns", "level", "value"),
    ("keep is forgotten", "state.c",
     "state->is_kept = t_ns - state->missing_ns < state->keep_ns",
     "state->is_kept = false", "level", "value"),
    ("too little is one more", "tally.c",
     "if (counts[TALLY_WHOLE] < signal_volume(", "if (counts[TALLY_WHOLE] <= signal_volume(",
     "share", "permille"),
    ("a tenth above is enough, and more need not be", "tally.c",
     "over * signal->count > counts[TALLY_VALUES]", "over * signal->count >= counts[TALLY_VALUES]",
     "timer", "p90_us"),
    ("one floor that rises is enough", "trend.c",
     "if (n == 1 || by < *ret_rise)", "if (n == 1 || by > *ret_rise)", "gauge", "growth"),
    ("a line that touches is beyond", "trend.c",
     "is > 0 || (is == 0 && (op & TOC_EQUAL_))", "is >= 0", "level", "exhausts_s"),
    ("the latest operation is the oldest", "open.c",
     "oldest = open->one[i].seen_ns;", "oldest = open->one[open->count - 1].seen_ns;",
     "operation", "oldest_ms"),
    ("a flow that stands still is as one that moves", "flow.c",
     "flow->is_still = memcmp(&flow->now, &flow->past, sizeof(flow->now)) == 0;",
     "flow->is_still = false;", "flow", "lost"),
    ("a gate does not shut", "rule.c",
     "row->is_shut = is_shut(set, row, samples);", "row->is_shut = false;", "must_hit",
     "unreached_s"),
    ("a sum leaves out a site", "row.c",
     "sum->series.now.since = series_add(sum->series.now.since, row->series.now.since);",
     "sum->series.now.since = row->series.now.since;", "logs", "per_minute"),
    ("a rest is lost", "signal.h",
     "(reading->whole == limit && reading->rest > 0)", "false", "counter", "per_minute"),
    ("above is at least", "row.c",
     "if (holds(row, slot, reading, judge->op, judge->limit, t_ns))",
     "if (holds(row, slot, reading, judge->op | TOC_EQUAL_, judge->limit, t_ns))",
     "counter", "per_second"),
    ("keep lasts one instant more", "state.c",
     "state->missing_ns < state->keep_ns", "state->missing_ns <= state->keep_ns", "level", "value"),
    ("a pending alert remembers a miss", "state.c",
     "{ to_undef,       to_ok,        ripen }", "{ to_undef,       ripen,        ripen }", "level",
     "value"),
    ("hysteresis is forgotten", "row.c",
     "if (judge->state.is == RULE_FIRING &&", "if (false &&", "level", "value"),
    ("hysteresis lasts at the clear level", "signal.c",
     "(TOC_ABOVE_ | TOC_BELOW_) ? 0 : side;", "(TOC_ABOVE_ | TOC_BELOW_) ? 0 : side | TOC_EQUAL_;",
     "level", "value"),
    ("beats are not heard", "row.c",
     "if (row->series.sample != row->series.last)", "if (!row->series.last)",
     "heartbeat", "silent_ms"),
    ("a late start counts from 0", "row.c",
     "bool is_base = !row->is_sampled && !row->from_start;", "bool is_base = false;",
     "counter", "per_second"),
    ("too few values are one more", "tally.c",
     "if (counts[TALLY_VALUES] < signal_volume(", "if (counts[TALLY_VALUES] <= signal_volume(",
     "sizes", "p99"),
    ("the largest may be above", "tally.c",
     ": over > 0;", ": over > 1;", "timer", "max_us"),
    ("the faster window decides", "tally.c",
     "(signal_sum)far[TALLY_PART] * brief[TALLY_WHOLE] <",
     "(signal_sum)far[TALLY_PART] * brief[TALLY_WHOLE] >", "share", "burn_fast"),
    ("the short window is a tenth", "tally.c",
     "brief_part = 12", "brief_part = 6", "share", "burn_slow"),
    ("the windows of a floor touch", "track.c",
     ">= k * spans->window_ns", "> k * spans->window_ns", "level", "growth"),
    ("the line goes through four windows", "trend.c",
     "line_windows = 3", "line_windows = 4", "gauge", "exhausts_s"),
    ("what is lost is the most there was", "flow.c",
     "return range.min;", "return range.max;", "flow", "lost"),
    ("an empty flow stands", "flow.c",
     "flow_backlog(flow) <= 0", "flow_backlog(flow) < 0", "flow", "stalled_ms"),
    ("what was dropped waits on", "flow.c",
     "return (int64_t)(flow->now.in - flow->now.out - flow->now.dropped);",
     "return (int64_t)(flow->now.in - flow->now.out);", "flow", "backlog"),
    ("an end does not count", "row.c",
     "row->series.sample = (int64_t)(cells[0] - cells[1]) > 0 ? cells[0] - cells[1] : 0;",
     "row->series.sample = cells[0];", "operation", "in_flight"),
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
        for room, names in (("src/base", None), ("tests/conform", None)):
            where = os.path.join(root, room)
            for name in sorted(os.listdir(where)):
                if name.endswith(".c") and not name.endswith("_test.c"):
                    self.compile(os.path.join(where, name), room.replace("/", "-") + name)
        for name in sorted(os.listdir(self.rule)):
            if name.endswith(".c") and not name.endswith(("_test.c", "_bench.c")):
                self.compile(os.path.join(self.rule, name), "rule-" + name)
        self.program = self.link("conform")

    def compile_rule(self, file):
        """The file, or whatever may include it."""
        for key in [key for key in self.objects if key.startswith("rule-")]:
            if file.endswith(".h") or key == "rule-" + file:
                self.compile(os.path.join(self.rule, key[len("rule-"):]), key)

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

    def disagreement(self, program, kind, signal):
        """What is wrong if there is none, else None."""
        done = run([program, "--streams", str(STREAMS), "--stop", "--kind", kind,
                    "--signal", signal])
        seed = re.search(r"see --seed (\d+)", done.stdout)
        if done.returncode != 1 or not seed:
            return f"status {done.returncode}, not 1:\n{done.stdout}"
        done = run([self.program, "--seed", seed[1]])
        return None if done.returncode == 0 else "the source as it is disagrees:\n" + done.stdout

    def try_mutant(self, file, old, new, kind, signal):
        """None if the comparison disagrees with the mutant, else what is wrong."""
        path = os.path.join(self.rule, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(old) != 1:
            return f"{file}: stands there {text.count(old)} times, not once: {old!r}"
        try:
            with open(path, "w", encoding="utf-8") as source:
                source.write(text.replace(old, new))
            self.compile_rule(file)
            return self.disagreement(self.link("mutant"), kind, signal)
        finally:
            with open(path, "w", encoding="utf-8") as source:
                source.write(text)
            self.compile_rule(file)

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
