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
UID_FIRST, UID_COUNT = 61184, 4000  # of sandboxes, when root judges: by the gate's process number
DISCARD = 7  # the port that candidate `network` knocks at


def rows():
    for line in (HERE / "hostile/expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            row = line.split("\t")
            if not ONLY or row[0] in ONLY:
                yield row


def leftovers(gates):
    """What those gates must not leave: groups, scratch folders, processes of their sandboxes' users."""
    found = []
    for top, names, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(top, name) for name in names]
    found += [str(path) for path in pathlib.Path(tempfile.gettempdir()).glob("*")]
    left = [path for path in found if any(f"/tocsin-gate-{gate}-" in path for gate in gates)]
    users = {UID_FIRST + gate % UID_COUNT for gate in gates}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid in users:
                    left.append(f"process {entry.name} of user {entry.stat().st_uid}")
            except FileNotFoundError:
                pass
    return left


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


def judge(contract, candidate, directory, gates):
    report = os.path.join(directory, f"{contract}-{candidate}")
    gate = subprocess.Popen(
        [TOCSIN, "gate", "--report", report, HERE / contract, HERE / "hostile/candidates" / candidate],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "XDG_CACHE_HOME": os.path.join(directory, "cache"), "SECRET": "hunter2"})
    gates.append(gate.pid)
    said, _ = gate.communicate(timeout=300)
    try:
        with open(os.path.join(report, "verdict.json")) as file:
            return gate.returncode, said, json.load(file)
    except OSError:
        return gate.returncode, said, None


def complain(code, said, verdict, stage, rule):
    """What is wrong with a verdict; "" if nothing is."""
    if verdict is None:
        return f"no verdict; exit {code}: {said}"
    failed = [row for row in verdict["stages"] if row["result"] not in ("pass", "skip")]
    if stage == "accepted":
        good = verdict["verdict"] == "accepted" and code == 0
        return "" if good else f"{verdict['verdict']}, exit {code}: {failed}"
    if verdict["verdict"] != "rejected" or code != 1:
        return f"{verdict['verdict']}, exit {code}: {failed}"
    found = {finding["rule"] for row in failed for finding in row["findings"]}
    if failed[0]["name"] != stage or rule not in found:
        return f"rejected by {failed[0]['name']} with {sorted(found)}, not by {stage} with {rule}"
    return ""


def main():
    table = list(rows())
    count = len(table) * 2 + 2
    number = 0
    listener = Listener()
    gates = []
    free = os.statvfs(tempfile.gettempdir()).f_bavail * os.statvfs(tempfile.gettempdir()).f_frsize
    print(f"1..{count}")
    with tempfile.TemporaryDirectory(prefix="hostile-") as directory:
        for name, stage, rule, strict_stage, strict_rule in table:
            for contract, at, why in (("hostile", stage, rule), ("hostile_strict", strict_stage, strict_rule)):
                number += 1
                wrong = complain(*judge(contract, name, directory, gates), at, why)
                print(f"{'not ok' if wrong else 'ok'} {number} - {name} by {contract}", flush=True)
                if wrong:
                    print("# " + wrong.replace("\n", "\n# "), flush=True)
    left = leftovers(gates)
    lost = free - os.statvfs(tempfile.gettempdir()).f_bavail * os.statvfs(tempfile.gettempdir()).f_frsize
    print(f"{'not ok' if left else 'ok'} {number + 1} - nothing is left on the host")
    if left:
        print(f"# {left}")
    touched = listener.heard or lost > 1 << 30
    print(f"{'not ok' if touched else 'ok'} {number + 2} - nobody was reached and no disk was filled")
    if touched:
        print(f"# {listener.heard} connections, {lost} bytes of disk")


main()
