#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recording that ./demo replays is one of the prompts that are sent today. TAP.
usage: recording_test.py TOCSIN SOURCE_ROOT"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

TOCSIN, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
RECORDING = ROOT / "examples/forge/recording"


def tocsin(*arguments):
    return subprocess.run([TOCSIN, *arguments], cwd=ROOT, capture_output=True, timeout=60,
                          check=False)


def main():
    print("1..3")
    shown = tocsin("forge", "modules/lru", "--models", "examples/forge/recorded.yaml", "--prompt",
                   "write")
    records = [json.loads(line) for line in (RECORDING / "ledger.jsonl").read_text().splitlines()]
    first = next(record for record in records if record["type"] == "call.intent")
    is_fresh = first["prompt"] == hashlib.sha256(shown.stdout).hexdigest()
    print("ok 1 - its first prompt is what would be sent" if is_fresh else
          "not ok 1 - its first prompt is what would be sent\n"
          "# prompts, contract or instrumenting.md have changed; run examples/forge/record")
    verified = tocsin("ledger", "--verify", str(RECORDING))
    holds = verified.returncode == 0
    print(("ok" if holds else "not ok") + " 2 - its ledger holds")
    if not holds:
        print("# " + (verified.stdout + verified.stderr).decode().replace("\n", "\n# "))
    found = [(record["verdict"], record["stage"]) for record in records
             if record["type"] == "verdict"]
    tells = found == [("rejected", "unit"), ("rejected", "bench"), ("accepted", "")]
    print(("ok" if tells else "not ok") + f" 3 - its story is the demonstration's: {found}")
    return 0 if is_fresh and holds and tells else 1


if __name__ == "__main__":
    sys.exit(main())
