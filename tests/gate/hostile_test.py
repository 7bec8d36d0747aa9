#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Candidates that want something else than to be right. usage: hostile_test.py TOCSIN [NAME]...

Each is judged twice: under a contract that lists the calls it makes, so that it gets to run and the
sandbox must hold, and under one that lists none. Most return the right sum only if their attack
succeeded, so that accepting one would mean that it did. Afterwards the host must be as it was.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
TOCSIN = os.path.abspath(sys.argv[1])
ONLY = sys.argv[2:]
DISCARD = 7  # the port that candidate `network` knocks at


def rows():
    for line in (HERE / "hostile/expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            row = line.split("\t")
            if not ONLY or row[0] in ONLY:
                yield row


def leftovers():
    """What a judge must not leave: groups, scratch folders, processes of a sandbox's user."""
    found = []
    for top, names, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(top, name) for name in names if name.startswith("tocsin-gate-")]
    found += [str(path) for path in pathlib.Path(tempfile.gettempdir()).glob("tocsin-gate-*")]
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if 61184 <= entry.stat().st_uid < 65184:
                    found.append(f"process {entry.name} of user {entry.stat().st_uid}")
            except FileNotFoundError:
                pass
    return set(found)


class Listener:
    """Hears whether anybody reaches the host's loopback."""

    def __init__(self):
        self.heard = 0
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind(("127.0.0.1", DISCARD))
        except PermissionError:
            return  # an ordinary user: nobody listens, and nobody can be reached
        self.socket.listen()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.socket.accept()[0].close()
            self.heard += 1


def judge(contract, candidate, directory):
    report = os.path.join(directory, f"{contract}-{candidate}")
    done = subprocess.run(
        [TOCSIN, "gate", "--report", report, HERE / contract, HERE / "hostile/candidates" / candidate],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "XDG_CACHE_HOME": os.path.join(directory, "cache"), "SECRET": "hunter2"})
    try:
        with open(os.path.join(report, "verdict.json")) as file:
            return done, json.load(file)
    except OSError:
        return done, None


def complain(done, verdict, stage, rule):
    """What is wrong with a verdict; "" if nothing is."""
    if verdict is None:
        return f"no verdict; exit {done.returncode}: {done.stdout}{done.stderr}"
    failed = [row for row in verdict["stages"] if row["result"] not in ("pass", "skip")]
    if stage == "accepted":
        good = verdict["verdict"] == "accepted" and done.returncode == 0
        return "" if good else f"{verdict['verdict']}, exit {done.returncode}: {failed}"
    if verdict["verdict"] != "rejected" or done.returncode != 1:
        return f"{verdict['verdict']}, exit {done.returncode}: {failed}"
    found = {finding["rule"] for row in failed for finding in row["findings"]}
    if failed[0]["name"] != stage or rule not in found:
        return f"rejected by {failed[0]['name']} with {sorted(found)}, not by {stage} with {rule}"
    return ""


def main():
    table = list(rows())
    count = len(table) * 2 + 2
    number = 0
    listener = Listener()
    before = leftovers()
    free = os.statvfs(tempfile.gettempdir()).f_bavail * os.statvfs(tempfile.gettempdir()).f_frsize
    print(f"1..{count}")
    with tempfile.TemporaryDirectory(prefix="hostile-") as directory:
        for name, stage, rule, strict_stage, strict_rule in table:
            for contract, at, why in (("hostile", stage, rule), ("hostile_strict", strict_stage, strict_rule)):
                number += 1
                wrong = complain(*judge(contract, name, directory), at, why)
                print(f"{'not ok' if wrong else 'ok'} {number} - {name} by {contract}", flush=True)
                if wrong:
                    print("# " + wrong.replace("\n", "\n# "), flush=True)
    left = leftovers() - before
    lost = free - os.statvfs(tempfile.gettempdir()).f_bavail * os.statvfs(tempfile.gettempdir()).f_frsize
    print(f"{'not ok' if left else 'ok'} {number + 1} - nothing is left on the host")
    if left:
        print(f"# {sorted(left)}")
    touched = listener.heard or lost > 1 << 30
    print(f"{'not ok' if touched else 'ok'} {number + 2} - nobody was reached and no disk was filled")
    if touched:
        print(f"# {listener.heard} connections, {lost} bytes of disk")


main()
