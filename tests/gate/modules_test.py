#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each candidate of a contract gets the verdict that its expected.tsv says, by the stage that it
says, for the reason that it says. usage: modules_test.py TOCSIN CONTRACT [CANDIDATE]...

A row is candidate, verdict, stage, rule of one of the findings; "-" where there is none.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOCSIN = os.path.abspath(sys.argv[1])
CONTRACT = pathlib.Path(sys.argv[2])
ONLY = sys.argv[3:]
STATUS = {"accepted": 0, "rejected": 1}
WALL_S = 600


def rows():
    for line in (CONTRACT / "expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def judge(name, folder):
    """Exit status and verdict.json of one candidate."""
    report = os.path.join(folder, name)
    run = subprocess.run(
        [TOCSIN, "gate", str(CONTRACT), name, "--report", report],
        env={**os.environ, "XDG_CACHE_HOME": os.path.join(folder, "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=WALL_S,
        check=False,
        text=True,
        errors="replace",
    )
    try:
        with open(os.path.join(report, "verdict.json"), encoding="utf-8") as file:
            return run.returncode, json.load(file), run.stdout
    except (FileNotFoundError, ValueError):
        return run.returncode, {"verdict": "none", "stages": []}, run.stdout


def compare(row, status, verdict):
    """What differs from the row, one sentence each."""
    _, wanted, stage, rule = row
    wrong = [one for one in verdict["stages"] if one["result"] in ("fail", "unknown")]
    if verdict["verdict"] != wanted or status != STATUS[wanted]:
        yield f"{verdict['verdict']} with exit status {status} instead of {wanted}"
    if [one["name"] for one in wrong] != ([] if stage == "-" else [stage]):
        yield f"by {[one['name'] for one in wrong]} instead of {stage}"
    rules = {finding["rule"] for one in wrong for finding in one.get("findings", [])}
    if rule != "-" and rule not in rules:
        yield f"for {sorted(rules)} instead of {rule}"


def main():
    table = [row for row in rows() if not ONLY or row[0] in ONLY]
    print(f"1..{len(table) + 1}")
    there = {path.name for path in (CONTRACT / "candidates").iterdir()}
    named = {row[0] for row in rows()}
    print("ok 1" if there == named else "not ok 1", "- every candidate has a row, and every row one")
    if there != named:
        print(f"# {sorted(there ^ named)}")
    passed = there == named
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(table, 2):
            try:
                status, verdict, output = judge(row[0], folder)
                differences = list(compare(row, status, verdict))
            except subprocess.TimeoutExpired:
                differences, output = [f"no verdict within {WALL_S} s"], ""
            print("not ok" if differences else "ok", number, "-", row[0], row[1], row[3], flush=True)
            for line in differences + (output.splitlines()[-20:] if differences else []):
                print("#", line)
            passed = passed and not differences
    return 0 if passed else 1


sys.exit(main())
