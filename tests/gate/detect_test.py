#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`detects`: of candidates that do the same, some are heard whatever happens to them, others are
not. They run at once, because they mostly wait. TAP. usage: detect_test.py TOCSIN CONTRACT"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOCSIN, CONTRACT = (os.path.abspath(argument) for argument in sys.argv[1:3])

# Fault: probe and signal that must hear it. By hand, from the candidate's own rules.
HEARD = {"leak": ("live_bytes", "live_bytes"), "deadlock": ("calls", "oldest_ms"),
         "slow": ("puts", "p90_us"), "alloc_failure": ("log_errors", "per_minute"),
         "descriptor": ("descriptors", "descriptors")}
DEAF_TO = {"leak", "deadlock", "slow", "descriptor"}

# What is different in those that are made from "heard".
MADE = {
    "budgets": [('TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "a call hangs: whoever logs, waits")',
                 'TOC_QUIET("a budget hears of it")'),
                ("TOC_BUDGET(descriptors",
                 'TOC_BUDGET(deadlock, 0, TOC_PAGE, "whoever logs, waits for ever"),\n'
                 "           TOC_BUDGET(descriptors")],
    "outside": [("        TOC_ENTER(spool);\n", "")],
}


def make(name, place):
    """A path that the gate takes for a candidate."""
    if name not in MADE:
        return name
    source = pathlib.Path(CONTRACT, "candidates", "heard", "spool.c").read_text(encoding="utf-8")
    for was, becomes in MADE[name]:
        assert was in source, was
        source = source.replace(was, becomes)
    folder = pathlib.Path(place, name)
    folder.mkdir()
    (folder / "spool.c").write_text(source, encoding="utf-8")
    return str(folder)


def observe(name):
    with tempfile.TemporaryDirectory(prefix="tocsin-detect-") as place:
        done = subprocess.run([TOCSIN, "gate", CONTRACT, make(name, place), "--stage", "observe",
                               "--json", "--report", place + "/report"], capture_output=True,
                              text=True, timeout=200, check=False,
                              env={**os.environ, "XDG_CACHE_HOME": place + "/cache"})
    stage = [one for one in json.loads(done.stdout)["stages"] if one["name"] == "observe"][0]
    found = {(one["rule"], one["message"].split(" ")[0]) for one in stage["findings"]}
    return done.returncode, stage["result"], found, stage["measures"].get("detects", {})


def probes(measures):
    return {fault: (how["probe"], how["signal"]) if isinstance(how, dict) else how
            for fault, how in measures.items()}


def undetected(*faults):
    return 1, "fail", {("observe.undetected", fault) for fault in faults}


def main():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        heard, deaf, budgets, outside = pool.map(observe, ("heard", "deaf", *MADE))
    checks = [("each fault is heard by the rule that is meant for it",
               probes(heard[3]) == HEARD, heard),
              ("and the candidate passes", heard[:3] == (0, "pass", set()), heard),
              ("one without such rules fails for each of them",
               deaf[:3] == undetected(*DEAF_TO), deaf),
              ("but is heard about memory that it does not get",
               probes(deaf[3]).get("alloc_failure", " ")[0] == "log_errors", deaf),
              ("a deadlock is heard by a budget of it",
               budgets[0] == 0
               and probes(budgets[3]) == {**HEARD, "deadlock": ("deadlock", "deadlock")}, budgets),
              ("budgets of a module that is never entered hear nothing, there as in production",
               outside[:3] == undetected("leak", "descriptor"), outside)]
    print(f"1..{len(checks)}")
    for number, (name, holds, seen) in enumerate(checks, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}" + ("" if holds else f"\n# {seen}"))
    return 0 if all(holds for _, holds, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
