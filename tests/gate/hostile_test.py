#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Candidates that want something else than to be right. usage: hostile_test.py TOCSIN [NAME]...

Each is judged twice: under a contract that lists the calls it makes, so that it gets to run and the
sandbox must hold, and under one that lists none. Most return the right sum only if their attack
succeeded, so that accepting one would mean that it did. Afterwards the host must be as it was.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TOCSIN = os.path.abspath(sys.argv[1])
ONLY = sys.argv[2:]
TOGETHER = 3  # a judgement waits for half of its time
PORT = "htons(7)"  # where candidate `network` knocks, as it says; we put our own port there


def rows():
    for line in (HERE / "hostile/expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            row = line.split("\t")
            if not ONLY or row[0] in ONLY:
                yield row


GATE_MAX_S = 400
DISK_MAX = 4 << 30  # candidate `disk_fill` wants 8 GiB; others may work here too
FIRST_UID, UIDS = 61184, 4000  # as sandbox.c says: the uid of a gate's jobs, if it is root


def leftovers(pid):
    """What the gate of that number must not leave: groups, folders, processes of its jobs' user."""
    found = []
    mine = f"tocsin-gate-{pid}-"
    for top, names, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(top, name) for name in names if name.startswith(mine)]
    found += [str(path) for path in pathlib.Path(tempfile.gettempdir()).glob(mine + "*")]
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == FIRST_UID + pid % UIDS:
                found.append(f"process {entry.name}")
        except FileNotFoundError:
            pass
    return found


class Listener:
    """Hears whether anybody reaches the host's loopback."""

    def __init__(self):
        self.heard = 0
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.socket.listen()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.socket.accept()[0].close()
            self.heard += 1

    def hears(self):
        before = self.heard
        socket.create_connection(("127.0.0.1", self.port)).close()
        deadline = time.monotonic() + 10
        while self.heard == before and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard > before


def knocks_at(port, folder):
    """The candidate that knocks, made to knock at this port."""
    source = folder / "hostile.c"
    text = source.read_text()
    assert PORT in text
    source.write_text(text.replace(PORT, f"htons({port})"))


def judge(contract, candidate, directory):
    """Exit status with what was said, the verdict, and what the gate left on the host."""
    report = os.path.join(directory, f"{contract}-{candidate}")
    gate = subprocess.Popen(
        [TOCSIN, "gate", "--report", report, HERE / contract,
         os.path.join(directory, "candidates", candidate)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "XDG_CACHE_HOME": os.path.join(directory, "cache"), "SECRET": "hunter2"})
    try:
        said, _ = gate.communicate(timeout=GATE_MAX_S)
    except subprocess.TimeoutExpired:
        gate.kill()
        said = gate.communicate()[0] + f"killed after {GATE_MAX_S} s"
    left = leftovers(gate.pid)
    try:
        with open(os.path.join(report, "verdict.json")) as file:
            return gate.returncode, said, json.load(file), left
    except OSError:
        return gate.returncode, said, None, left


def complain(status, said, verdict, stage, rule):
    """What is wrong with a verdict; "" if nothing is."""
    if verdict is None:
        return f"no verdict; exit {status}: {said}"
    failed = [row for row in verdict["stages"] if row["result"] not in ("pass", "skip")]
    if stage == "accepted":
        good = verdict["verdict"] == "accepted" and status == 0
        return "" if good else f"{verdict['verdict']}, exit {status}: {failed}"
    if verdict["verdict"] != "rejected" or status != 1:
        return f"{verdict['verdict']}, exit {status}: {failed}"
    found = {finding["rule"] for row in failed for finding in row["findings"]}
    if failed[0]["name"] != stage or rule not in found:
        return f"rejected by {failed[0]['name']} with {sorted(found)}, not by {stage} with {rule}"
    return ""


class Tap:
    def __init__(self, count):
        self.number = 0
        print(f"1..{count}", flush=True)

    def say(self, name, wrong):
        self.number += 1
        print(f"{'not ok' if wrong else 'ok'} {self.number} - {name}", flush=True)
        if wrong:
            print("# " + str(wrong).replace("\n", "\n# "), flush=True)


def free_bytes():
    status = os.statvfs(tempfile.gettempdir())
    return status.f_bavail * status.f_frsize


def main():
    table = list(rows())
    tap = Tap(len(table) * 2 + 2)
    listener = Listener()
    free = free_bytes()
    everything_left = []
    with tempfile.TemporaryDirectory(prefix="hostile-") as directory:
        candidates = pathlib.Path(directory) / "candidates"
        shutil.copytree(HERE / "hostile/candidates", candidates)
        knocks_at(listener.port, candidates / "network")
        asked = [(contract, name, at, why)
                 for name, stage, rule, strict_stage, strict_rule in table
                 for contract, at, why in (("hostile", stage, rule),
                                           ("hostile_strict", strict_stage, strict_rule))]
        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            judged = pool.map(lambda one: judge(one[0], one[1], directory), asked)
            for (contract, name, at, why), (status, said, verdict, left) in zip(asked, judged):
                tap.say(f"{name} by {contract}", complain(status, said, verdict, at, why))
                everything_left += left
    tap.say("nothing is left on the host", everything_left)
    touched = []
    if listener.heard:
        touched.append(f"{listener.heard} connections")
    if free - free_bytes() > DISK_MAX:
        touched.append("the disk was filled")
    if not listener.hears():
        touched.append("the listener hears nobody, so it proves nothing")
    tap.say("nobody was reached and no disk was filled", touched)


main()
