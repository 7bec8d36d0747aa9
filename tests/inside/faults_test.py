#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeded faults under `tocsin run --inside`: each rings, with the right module and place, and their
harmless twins do not. Most of the time is spent waiting for windows, so all run at once.

usage: faults_test.py TOCSIN FAULTS [--table FILE] [--only NAME]...
--table writes what rang and after how long, as Markdown. Output is TAP."""

import bisect
import contextlib
import datetime
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "run"))
import harness  # noqa: E402
from harness import Run, run_tests, same  # noqa: E402
from pace import Pace  # noqa: E402

FAULTS = os.path.abspath(sys.argv[2])
AT_ONCE = 64
TRIES = 3  # of what the machine itself has disturbed
PACE = Pace()


@dataclass
class Fault:
    """What must ring within `seconds` of the start: each of `rings`, for `module`, with all of `words`
    in the details of the first of them; and what else may."""
    name: str
    seconds: int
    rings: tuple
    module: str
    words: tuple = ()
    may: tuple = ()


@dataclass
class Twin:
    name: str
    seconds: int


# The longest first: then all are over when these are.
ROWS = [
    Fault("fd_leak", 52, ("descriptors",), "spool", ("spool_open",)),
    Fault("thread_leak", 52, ("threads",), "staff", ("staff_hire",)),
    Fault("leak_slow", 45, ("leak",), "ledger", ("ledger_line_new", "ledger_post")),
    Fault("leak_error", 45, ("leak",), "desk", ("request_body_new", "request_serve")),
    Fault("thread_unjoined", 52, ("threads",), "staff", ("staff_hire", "running")),
    Twin("fd_ramp", 52),
    Twin("fd_leak_not", 45),
    Twin("thread_leak_not", 45),
    Twin("thread_unjoined_not", 45),
    Twin("leak_slow_not", 45),
    Twin("leak_error_not", 45),
    Twin("cache_full", 45),
    Twin("load_ramp", 35),
    Twin("load_rising", 35),
    Fault("cache_unbounded", 20, ("live_bytes",), "cache"),
    Fault("convoy", 25, ("lock_waiters",), "bank", ("counter_serve", "savings")),
    Twin("convoy_not", 18),
    Fault("disk_full", 12, ("io_errors",), "spool"),
    Twin("disk_full_not", 8),
    Fault("left_behind", 15, ("idle_bytes",), "session", ("session_open", "session_burst")),
    Twin("left_behind_not", 15),
    Fault("double_free", 8, ("heap_damage",), "label", ("label_drop",)),
    Twin("double_free_not", 8),
    Fault("overflow_by_one", 8, ("heap_damage",), "label", ("label_new", "label_drop")),
    Twin("overflow_by_one_not", 8),
    Fault("deadlock_abba", 8, ("deadlock", "lock_order"), "bank",
          ("checking", "savings", "transfer_save", "transfer_spend")),
    Twin("deadlock_abba_not", 8),
    Fault("deadlock_three", 8, ("deadlock", "lock_order"), "bank",
          ("checking", "savings", "credit", "transfer_save", "transfer_borrow", "transfer_repay")),
    Twin("deadlock_three_not", 8),
    Fault("deadlock_join", 8, ("deadlock",), "bank", ("checking", "close_branch", "deposit", "waits_for_end_of")),
    Twin("deadlock_join_not", 8),
    Fault("deadlock_woken", 8, ("deadlock", "lock_order"), "bank",
          ("checking", "savings", "await_money", "bring_money", "woken_from", "has_money")),
    Twin("deadlock_woken_not", 8),
    Fault("order_only", 8, ("lock_order",), "bank",
          ("checking", "savings", "transfer_save", "transfer_spend")),
    Twin("order_only_not", 8),
    Twin("order_gate", 8),
    Fault("self_deadlock", 8, ("deadlock",), "bank", ("checking", "report_line", "report_all")),
    Twin("self_deadlock_not", 8),
    Fault("lock_held", 8, ("lock_wait_ms",), "bank", ("checking", "audit", "deposit")),
    Twin("lock_held_not", 12),
    Fault("lock_left", 12, ("lock_wait_ms",), "bank", ("leave_vault", "open_vault", "which has ended")),
    Twin("lock_left_not", 8),
    Fault("lost_wakeup", 12, ("letters",), "mail"),
    Twin("lost_wakeup_not", 12),
    Fault("livelock", 12, ("bars",), "duet"),
    Twin("livelock_not", 12),
    Fault("spin", 20, ("spin_ms",), "mill", ("mill_grind",)),
    Fault("spin_plain", 45, ("spin_ms",), "process", ("mill_grind",)),
    Twin("beating", 6),
    Twin("compress", 6),
    Twin("compress_calls", 10),
    Twin("compress_stdio", 12),
]


# Who needs a CPU for itself: one of them after the other.
CPU = threading.Lock()
HUNGRY = {"spin", "beating", "compress", "compress_calls", "compress_stdio"}


def symbols():
    """(address, name) of FAULTS, in order."""
    said = subprocess.run(["nm", "--numeric-sort", FAULTS], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout
    return [(int(words[0], 16), words[2]) for words in map(str.split, said.splitlines())
            if len(words) == 3]


def with_names(text):
    """On a busy machine an alert comes without the names of its addresses: it does not wait."""
    def named(found):
        table = symbols()
        at = bisect.bisect([address for address, _ in table], int(found.group(1), 16))
        return f"{found.group(0)} {table[at - 1][1] if at else '?'}"
    return re.sub(r"\bfaults\+(0x[0-9a-f]+)", named, text)


def brief(alert):
    return f"{alert['probe']} of {alert['module']} = {alert.get('value')}: {alert.get('details')}"


def complaints(row, alerts):
    """What is wrong with these alerts, in sentences."""
    firing = [alert for alert in alerts if alert["state"] == "firing"]
    if isinstance(row, Twin):
        return [f"rang although nothing is wrong: {brief(alert)}" for alert in firing]
    wrong = [f"{alert['probe']} rang, which has nothing to do with it: {brief(alert)}"
             for alert in firing if alert["probe"] not in row.rings + row.may]
    for place, probe in enumerate(row.rings):
        rang = [alert for alert in firing if alert["probe"] == probe]
        if not rang:
            wrong.append(f"{probe} did not ring; what did: {[brief(alert) for alert in firing]}")
            continue
        if all(alert["module"] != row.module for alert in rang):
            wrong.append(f"{probe} rang for {rang[0]['module']}, not for {row.module}")
        details = with_names(str([alert.get("details") for alert in rang]))
        wrong += [f"'{word}' is not in the details of {probe}: {details}"
                  for word in (row.words if place == 0 else ())
                  if not re.search(rf"\b{word}\b", details)]
    return wrong


def has_rung(row, run):
    probes = {alert["probe"] for alert in run.alerts(state="firing")}
    return set(row.rings) <= probes


def seconds_between(began_ns, alert):
    """The program said CLOCK_MONOTONIC, the alert the time of day."""
    at = datetime.datetime.fromisoformat(alert["time"].replace("Z", "+00:00")).timestamp()
    return at - (time.time() - time.monotonic()) - began_ns / 1e9


class Begin(threading.Thread):
    """Reads what the program says while the test looks for alerts."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.began_ns = stream, None
        self.start()

    def run(self):
        for line in self.stream:
            if line.startswith(b"FAULT "):
                self.began_ns = int(line.split()[1])


results = {}


def look(row):
    """Until all has rung that must, or the program has come to its end."""
    with Run(FAULTS, row.name, str(row.seconds), options=["--inside"]) as run:
        begin = Begin(run.process.stdout)
        is_over = False
        while not is_over:
            is_over = run.process.poll() is not None
            if isinstance(row, Fault) and has_rung(row, run):
                break
            time.sleep(0.05)
        alerts = run.alerts()
        if isinstance(row, Fault) and begin.began_ns:
            results[row.name] = [(alert, seconds_between(begin.began_ns, alert))
                                 for alert in alerts if alert["state"] == "firing"]
        if is_over:
            same(run.process.returncode, 0, f"the status ({run.errors()})")
        else:
            run.process.terminate()
            run.process.wait(timeout=harness.DEADLINE_S)
        wrong = complaints(row, alerts)
        assert not wrong, "\n".join([*wrong, run.errors()])
        if isinstance(row, Fault):
            assert begin.began_ns, "it never said that it begins"
            early = [brief(alert) for alert, seconds in results[row.name] if seconds < -0.5]
            assert not early, f"rang before it began: {early}"


def look_again(row):
    """Nothing is excused by a machine that stood still; it is looked at once more."""
    for left in reversed(range(TRIES)):
        began = time.monotonic()
        try:
            return look(row)
        except AssertionError as wrong:
            gap_s = PACE.longest_since(began)
            if not left or not gap_s:
                raise
            print(f"# {row.name}: once more, since the machine stood still for {gap_s:.2f} s:"
                  f" {str(wrong).splitlines()[0]}", flush=True)


def test_of(row):
    def test():
        with CPU if row.name in HUNGRY else contextlib.nullcontext():
            look_again(row)
    word = "rings" if isinstance(row, Fault) else "is silent"
    test.__name__ = f"{row.name} {word}"
    return test


def every_fault_of_the_program_is_in_the_table():
    listed = subprocess.run([FAULTS], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    there = {tuple(line.split("\t")[:2]) for line in listed.splitlines()}
    same(there, {("fault" if isinstance(row, Fault) else "twin", row.name) for row in ROWS},
         "what is there")


def what_is_wrong_is_complained_about():
    """The checker is shown what it must refuse: nothing, the wrong module, place or probe."""
    row = Fault("x", 1, ("leak",), "ledger", ("line_new",))
    right = {"probe": "leak", "state": "firing", "module": "ledger", "details": ["line_new+0x1f"]}
    same(complaints(row, [right]), [], "what is right")
    for alerts, word in (([], "did not ring"),
                         ([{**right, "state": "resolved"}], "did not ring"),
                         ([{**right, "module": "desk"}], "not for ledger"),
                         ([{**right, "details": ["deadline_new"]}], "'line_new' is not"),
                         ([right, {**right, "probe": "crash"}], "nothing to do")):
        said = complaints(row, alerts)
        assert len(said) == 1 and word in said[0], (said, word)
    assert complaints(Twin("x", 1), [right]), "a twin that rings"


def a_machine_that_stands_still_is_noticed():
    began = time.monotonic()
    pace = Pace()
    victim = pace.lookers[-1].pid
    try:
        harness.until(lambda: len(pace.gaps) >= len(pace.lookers))
        os.kill(victim, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(victim, signal.SIGCONT)
        harness.until(lambda: pace.longest_since(began) >= 0.25)
        same(pace.longest_since(time.monotonic() + 3600), 0, "the longest gap of what is to come")
    finally:
        pace.end()


def write_table(path):
    """Of faults: what rang, for whom, and how long after the fault began."""
    help_of = dict(re.findall(r'^FAULT\((\w+), "(.*)"\)$', (pathlib.Path(__file__).parent /
                                                           "faults.def").read_text(), re.M))
    lines = ["| fault | what it does | rang | module | seconds after it began |",
             "|---|---|---|---|---|"]
    for row in ROWS:
        if isinstance(row, Twin):
            continue
        rang = {}
        for alert, seconds in results.get(row.name, []):
            rang.setdefault(alert["probe"], (alert["module"], seconds))
        probes = [probe for probe in row.rings if probe in rang]
        lines.append(f"| {row.name} | {help_of[row.name]} | {', '.join(probes) or '**nothing**'} | "
                     f"{', '.join(sorted({rang[probe][0] for probe in probes}))} | "
                     f"{', '.join(f'{rang[probe][1]:.1f}' for probe in probes)} |")
    twins = sum(isinstance(row, Twin) for row in ROWS)
    lines.append(f"\n{twins} harmless twins ran beside them.")
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    arguments = sys.argv[3:]
    wanted = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--only"]
    table = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--table"]
    # Each spends its time in another process: threads of this one only look.
    failed = run_tests([every_fault_of_the_program_is_in_the_table,
                        what_is_wrong_is_complained_about,
                        a_machine_that_stands_still_is_noticed,
                        *(test_of(row) for row in ROWS if not wanted or row.name in wanted)],
                       at_once=AT_ONCE)
    for path in table:
        write_table(path)
    return failed


if __name__ == "__main__":
    sys.exit(main())
