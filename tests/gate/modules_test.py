#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each candidate of a module is accepted, or refused by the stage that should, for the right reason.
TAP. usage: modules_test.py TOCSIN MODULE_DIR [CANDIDATE]...

MODULE_DIR/expected.tsv has a line for each: candidate, verdict, stage, rule of a finding. A candidate
without a line, or a line without a candidate, is a failure: nothing may go unjudged."""

import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
import tempfile

TOCSIN, MODULE = (os.path.abspath(argument) for argument in sys.argv[1:3])
ONLY = sys.argv[3:]
STATUS = {"accepted": 0, "rejected": 1}
TOGETHER = 3  # a judgement waits for half of its time


def rows():
    with open(os.path.join(MODULE, "expected.tsv"), encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    return [line.split("\t") for line in lines]


def judge(candidate, place):
    report = os.path.join(place, candidate)
    done = subprocess.run([TOCSIN, "gate", MODULE, candidate, "--report", report],
                          capture_output=True, text=True, timeout=900, check=False,
                          env={**os.environ, "XDG_CACHE_HOME": os.path.join(place, "cache")})
    try:
        with open(os.path.join(report, "verdict.json"), encoding="utf-8") as file:
            return done, json.load(file)
    except OSError:
        return done, {"verdict": "none", "stages": []}


def complaint(row, done, verdict):
    """None if all is as expected."""
    _, expected, stage, rule = row
    failed = [(entry["name"], [finding["rule"] for finding in entry["findings"]])
              for entry in verdict["stages"] if entry["result"] == "fail"]
    if verdict["verdict"] != expected or done.returncode != STATUS[expected]:
        return f"{verdict['verdict']}, exit status {done.returncode}: {failed}"
    if expected == "accepted":
        return f"accepted with {failed}" if failed else None
    if [name for name, _ in failed] != [stage]:
        return f"failed at {failed}"
    return None if rule in failed[0][1] else f"for another reason: {failed[0][1]}"


def main():
    table = rows()
    known = sorted(os.listdir(os.path.join(MODULE, "candidates")))
    is_whole = sorted(row[0] for row in table) == known
    chosen = [row for row in table if not ONLY or row[0] in ONLY]
    failed = not is_whole
    print(f"1..{len(chosen) + 1}")
    print(f"{'ok' if is_whole else 'not ok'} 1 - every candidate has a line", flush=True)
    with (tempfile.TemporaryDirectory(prefix="tocsin-modules-") as place,
          concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool):
        # The first leaves in the cache what all need to know of the reference.
        first = [judge(row[0], place) for row in chosen[:1]]
        judgements = pool.map(lambda row: judge(row[0], place), chosen[1:])
        for number, (row, (done, verdict)) in enumerate(zip(chosen, itertools.chain(first, judgements)), 2):
            wrong = complaint(row, done, verdict)
            failed |= wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {number} - {row[0]} is {row[1]} "
                  f"({row[2]}, {row[3]})", flush=True)
            if wrong:
                print("# " + (wrong + "\n" + done.stdout + done.stderr).replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
