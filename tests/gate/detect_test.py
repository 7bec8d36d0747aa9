#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`detects`: of two candidates that do the same, one is heard whatever happens to it, the other is
not. Both run at once, because they mostly wait. TAP. usage: detect_test.py TOCSIN CONTRACT"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

TOCSIN, CONTRACT = (os.path.abspath(argument) for argument in sys.argv[1:3])

# Fault: probe and signal that must hear it. By hand, from the candidate's own rules.
HEARD = {"leak": ("live_bytes", "live_bytes"), "deadlock": ("calls", "oldest_ms"),
         "slow": ("puts", "p90_us"), "alloc_failure": ("log_errors", "per_minute"),
         "descriptor": ("descriptors", "descriptors")}
DEAF_TO = {"leak", "deadlock", "slow", "descriptor"}


def observe(candidate):
    with tempfile.TemporaryDirectory(prefix="tocsin-detect-") as place:
        done = subprocess.run([TOCSIN, "gate", CONTRACT, candidate, "--stage", "observe", "--json",
                               "--report", place + "/report"], capture_output=True, text=True,
                              timeout=200, check=False,
                              env={**os.environ, "XDG_CACHE_HOME": place + "/cache"})
    stage = [one for one in json.loads(done.stdout)["stages"] if one["name"] == "observe"][0]
    found = {(one["rule"], one["message"].split(" ")[0]) for one in stage["findings"]}
    return done.returncode, stage["result"], found, stage["measures"].get("detects", {})


def main():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        (status, result, found, measures), deaf = pool.map(observe, ("heard", "deaf"))
    heard = {fault: (how["probe"], how["signal"]) if isinstance(how, dict) else how
             for fault, how in measures.items()}
    checks = [("each fault is heard by the rule that is meant for it", heard == HEARD, heard),
              ("and the candidate passes", (status, result, found) == (0, "pass", set()), found),
              ("one without such rules fails for each of them",
               deaf[:3] == (1, "fail", {("observe.undetected", fault) for fault in DEAF_TO}), deaf),
              ("but is heard about memory that it does not get",
               deaf[3].get("alloc_failure", {}) != "not heard"
               and deaf[3]["alloc_failure"]["probe"] == "log_errors", deaf[3])]
    print(f"1..{len(checks)}")
    for number, (name, holds, seen) in enumerate(checks, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}" + ("" if holds else f"\n# {seen}"))
    return 0 if all(holds for _, holds, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
