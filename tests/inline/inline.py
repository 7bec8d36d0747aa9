#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that judge themselves with libtocsin-inline. TAP.
usage: inline.py TOCSIN SUBJECT SUBJECT_STATIC PLUGIN LIBRARY"""

import fcntl
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
from harness import DEADLINE_S, Run, Skip, has, lacks, run_tests, same, until  # noqa: E402

SUBJECT, STATIC, PLUGIN, LIBRARY = [os.path.abspath(p) for p in sys.argv[2:6]]
FIELDS = ("context", "state", "severity", "module", "probe", "label", "kind", "signal", "op",
          "limit", "value", "has_value", "meaning", "runbook", "file", "line")
NOTE, WARN, PAGE = 1, 2, 3


def alert_of(line):
    """What the callback printed, or None."""
    if not line.startswith("alert|"):
        return None
    alert = dict(zip(FIELDS, line.split("|")[1:]))
    for field in ("severity", "limit", "value", "has_value", "line"):
        alert[field] = int(alert[field])
    return alert


class Subject:
    """One program. Its lines come in as they are read; errors are kept in a file."""

    def __init__(self, *actions, program=SUBJECT, env=None, stderr=None, **more):
        self.place = tempfile.mkdtemp(prefix="tocsin-inline-test-", dir="/dev/shm")
        self.error_path = os.path.join(self.place, "stderr")
        environment = {**os.environ, "TOCSIN_DIR": self.place, "PLUGIN": PLUGIN, **(env or {})}
        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen([program, *actions], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=stderr or errors,
                                            env=environment, **more)
        self.lines = []
        self.rest = b""

    def read(self):
        """What is there now."""
        out = self.process.stdout
        while select.select([out], [], [], 0.02)[0]:
            data = os.read(out.fileno(), 65536)
            if not data:
                break
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.lines += [line.decode() for line in lines]
        return self.lines

    def alerts(self, probe=None, state=None):
        found = [a for a in map(alert_of, self.read()) if a]
        return [a for a in found if probe in (None, a["probe"]) and state in (None, a["state"])]

    def until_alert(self, probe, state="firing"):
        return until(lambda: self.alerts(probe, state),
                     lambda: f"no alert {probe} {state}: {self.lines} {self.errors()}")[0]

    def until_line(self, line, count=1):
        until(lambda: self.read().count(line) >= count,
              lambda: f"no line {line!r}: {self.lines} {self.errors()}")

    def errors(self):
        with open(self.error_path, encoding="utf-8") as file:
            return file.read()

    def go(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self, status=0):
        """Until the program has ended, whatever it says on the way."""
        until(lambda: self.read() is None or self.process.poll() is not None,
              lambda: f"it does not end: {self.lines} {self.errors()}")
        self.read()
        same(self.process.returncode, status, "its status")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.place, ignore_errors=True)


def an_expectation_rings(program=SUBJECT):
    with Subject("start", "miss", "wait_for_alert", "stop", program=program) as run:
        run.end()
        fired = run.alerts(state="firing")
        same(len(fired), 1, fired)
        alert = fired[0]
        same((alert["context"], alert["severity"], alert["module"], alert["label"], alert["kind"],
              alert["signal"], alert["op"], alert["limit"], alert["value"], alert["meaning"],
              alert["file"]),
             ("it", PAGE, "subject", "", "expectation", "total", ">", 0, 1,
              "left and right differ", "subject.c"))
        line = (f"tocsin: PAGE {os.path.basename(program)[:63]}[{run.process.pid}] subject."
                f"{alert['probe']}: left and right differ (subject.c:{alert['line']}; expected alerts == -1; "
                f"see {alert['runbook']})\n")
        same(run.errors(), line, "standard error")
        same([a["state"] for a in run.alerts()], ["firing", "ended"])


def it_does_in_a_static_program():
    an_expectation_rings(STATIC)


def every_kind_rings():
    with Subject("start", "strike", "request", "report", "weigh", "crowd", "wait", "stop") as run:
        wanted = {
            "strokes": (WARN, "counter", "per_minute", 1000, 1001, "", "wiki/subject"),
            "requests": (NOTE, "counter", "total", 2, 3, "failed", "wiki/requests"),
            "log_errors": (WARN, "logs", "per_minute", 0, 1, "", "wiki/subject"),
            "weight": (NOTE, "gauge", "value", 10, 11, "", "wiki/subject"),
            "ringers": (PAGE, "level", "value", 3, 4, "", "wiki/subject"),
        }
        for probe, want in wanted.items():
            a = run.until_alert(probe)
            same((a["severity"], a["kind"], a["signal"], a["limit"], a["value"], a["label"],
                  a["runbook"]), want, probe)
        silent = run.until_alert("swing")
        assert silent["value"] > 1500, silent
        run.go()
        run.end()
        has(run.errors(), "subject.requests{failed}: too much was asked in vain (subject.c:")
        has(run.errors(), "; per_minute 1001 > 1000; see wiki/subject)")
        same(len(run.alerts(state="firing")), 6)
        same(sorted(a["probe"] for a in run.alerts(state="ended")), sorted([*wanted, "swing"]))


def what_is_over_is_resolved():
    with Subject("beat", "weigh", "start", "wait", "lighten", "wait", "stop") as run:
        run.until_alert("weight")
        run.go()
        same(run.until_alert("weight", "resolved")["value"], 1)
        run.go()
        run.end()
        said = [x for x in run.errors().splitlines() if "weight" in x]
        same(len(said), 2, said)
        assert re.fullmatch(r"tocsin: ok   inline-subject\[\d+\] subject\.weight: "
                            r"resolved after \d+ (ms|s) \(.+\)", said[1]), said


def a_silent_one_says_nothing():
    with Subject("start_silent", "miss", "wait_for_alert", "stop") as run:
        run.end()
        same(run.errors(), "")
        same(len(run.alerts(state="firing")), 1)


def without_options_it_has_a_voice():
    with Subject("start_plain", "miss", "stop") as run:
        run.end()
        has(run.errors(), "left and right differ")
        same(run.alerts(), [])


def the_last_moment_is_looked_at():
    """Nobody waits for a tick between the miss and the end."""
    with Subject("start", "wait", "miss", "stop") as run:
        run.until_line("ready")
        run.go()
        run.end()
        same([a["state"] for a in run.alerts() if a["kind"] == "expectation"], ["firing", "ended"])


def what_was_counted_long_before_does_not_ring():
    with Subject("strike", "age", "start", "weigh", "wait", "strike", "wait", "stop") as run:
        run.until_alert("weight")
        same(run.alerts("strokes"), [])
        run.go()
        same(run.until_alert("strokes")["value"], 1001)
        run.go()
        run.until_line("ready", 2)
        run.end()


def a_hundred_times():
    with Subject("wait", "often", "wait", "miss") as run:
        run.until_line("ready")
        process = f"/proc/{run.process.pid}"
        before = len(os.listdir(process + "/fd"))
        run.go()
        run.until_line("ready", 2)
        same(len(os.listdir(process + "/fd")), before, "descriptors")
        until(lambda: len(os.listdir(process + "/task")) == 1, "threads are left")
        run.go()
        run.end()
        same(run.errors(), "")


def a_second_start_is_refused():
    with Subject("start", "start", "stop", "stop", "start", "stop") as run:
        run.end()
        same([x for x in run.lines if x.startswith(("start", "stop"))],
             ["start 0", "start -114", "stopped", "stopped", "start 0", "stopped"])


def options_of_other_versions():
    with Subject("start_oddly", "stop") as run:
        run.end()
        same(run.lines, ["start -22", "start -22", "start 0", "stopped"])


def it_may_be_stopped_in_its_callback():
    with Subject("stop_in_callback", "start", "miss", "wait_for_alert", "wait", "start", "stop",
                 "stop") as run:
        run.until_line("start in callback -35")
        process = f"/proc/{run.process.pid}/task"
        until(lambda: len(os.listdir(process)) == 1, "the thread does not end")
        same([a["state"] for a in run.alerts()], ["firing", "ended"])
        run.go()
        run.end()
        same(run.lines.count("start 0"), 2, run.lines)


def a_child_of_fork_starts_its_own():
    with open(SUBJECT, "rb") as file:
        if b"__asan_init" in file.read():
            raise Skip("the address sanitizer's allocator is locked for ever in such a child")
    with Subject("start", "fork", "weigh", "wait", "stop") as run:
        run.until_line("child 0")
        same(run.lines.count("start 0"), 2, run.lines)
        same([a["state"] for a in run.alerts() if a["context"] == "child"], ["firing", "ended"])
        same(run.until_alert("weight")["context"], "it") # the parent's goes on
        same([a for a in run.alerts() if a["context"] == "it" and a["kind"] == "expectation"], [])
        run.go()
        run.end()


def a_child_that_may_write_no_file():
    """There the plug-in counts before the program does, whose probes came first."""
    no_files = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # noqa: E731
    with Subject("plugin", "fork", preexec_fn=no_files, stderr=subprocess.DEVNULL) as run:
        run.end()
        has(run.lines, "child 0")
        same([n for n in os.listdir(run.place) if n.endswith(".seg")], [])
        same([(a["probe"] == "height", a["state"]) for a in run.alerts()][:2],
             [(True, "firing"), (False, "firing")])


def a_child_that_leaves_the_callback_tells_nobody():
    # The child forgets what its parent's evaluator holds, and must: to a leak sanitizer that leaks.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with Subject("fork_in_callback", "request", "weigh", "start", "stop",
                 env={"ASAN_OPTIONS": options}) as run:
        run.end()
        has(run.lines, "child of callback 0")
        same(sorted((a["probe"], a["state"]) for a in run.alerts()),
             [(probe, state) for probe in ("requests", "weight") for state in ("ended", "firing")])
        same(run.errors().count("\n"), 2, run.errors())


def forks_during_the_first_start():
    with open(SUBJECT, "rb") as file:
        if b"__asan_init" in file.read():
            raise Skip("the address sanitizer's allocator is locked for ever in such a child")
    with Subject("fork_first") as run:
        run.end()


def forks_at_any_moment():
    with open(SUBJECT, "rb") as file:
        if b"__asan_init" in file.read():
            raise Skip("the address sanitizer's allocator is locked for ever in such a child")
    with Subject("fork_busy", "start", "weigh", "wait", "stop") as run:
        run.until_alert("weight")
        run.go()
        run.end()


def a_plug_in_that_comes_later(program=SUBJECT):
    with Subject("start", "weigh", "wait", "plugin", "wait", "stop", program=program) as run:
        run.until_alert("weight")
        run.go()
        alert = run.until_alert("height")
        same((alert["module"], alert["value"], alert["runbook"]), ("late", 8, ""))
        run.go()
        run.end()


def a_plug_in_of_a_static_program():
    a_plug_in_that_comes_later(STATIC)


def where_no_file_may_be_written():
    no_files = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # noqa: E731
    reader, writer = os.pipe()
    with Subject("start", "strike", "miss", "crowd", "plugin", "wait", "unload", "weigh", "wait",
                 "stop", preexec_fn=no_files, stderr=writer) as run:
        os.close(writer)
        same([n for n in os.listdir(run.place) if n.endswith(".seg")], [])
        same(run.until_alert("strokes")["value"], 1001)
        same(run.until_alert("ringers")["value"], 4, "counted by threads that have ended")
        same(run.until_alert("height")["value"], 8, "set in a plug-in")
        until(lambda: [a for a in run.alerts() if a["kind"] == "expectation"])
        run.go()
        run.until_alert("weight")
        run.go()
        run.end()
        same([a["state"] for a in run.alerts("height")], ["firing", "ended"], "of the unloaded one")
        with open(reader, encoding="utf-8") as errors:
            has(errors.read(), "left and right differ")


def where_no_directory_is():
    with Subject("start", "miss", "wait_for_alert", "stop", env={"TOCSIN_DIR": "/nowhere"}) as run:
        run.end()
        same(len(run.alerts(state="firing")), 1)


def no_signal_comes_to_its_thread_but_faults():
    """With the main thread blocking it, the signal waits: nobody else takes it."""
    with Subject("start", "block_signal", "weigh", "wait", "unblock_signal", "wait", "stop") as run:
        run.until_alert("weight")
        run.until_line("ready")
        tasks = f"/proc/{run.process.pid}/task"
        names = {}
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/status") as file:
                status = dict(line.split(":\t") for line in file if ":\t" in line)
            names[status["Name"].strip()] = int(status["SigBlk"], 16)
        blocked = names["tocsin-inline"]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM,
                       signal.SIGPIPE, signal.SIGCHLD):
            assert blocked >> (number - 1) & 1, f"{number!r} is not blocked"
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
                       signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS):
            assert not blocked >> (number - 1) & 1, f"{number!r} is blocked"
        run.go()
        run.until_line("signal here")
        run.go()
        run.end()
        lacks(run.lines, "signal elsewhere")


def a_fault_in_the_callback_is_the_programs_own():
    with Subject("fault_in_callback", "weigh", "start", "stop") as run:
        run.end(3)
        has(run.lines, "fault here")


def nobody_reads_its_lines():
    """The pipe is full and stays so; the program ends all the same."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    with Subject("miss", "request", "weigh", "start", "wait_for_alert", "stop",
                 stderr=writer) as run:
        run.end()
        has(run.lines, "stopped")
    os.close(reader)
    os.close(writer)


def both_ring_where_a_watcher_is_too():
    """And at each rule they say the same, in the same order."""
    actions = ("beat", "start", "strike", "request", "miss", "report", "weigh", "crowd", "wait",
               "lighten", "beat", "wait", "stop", "wait")
    with Run(SUBJECT, *actions, stdin=subprocess.PIPE, env={"PLUGIN": PLUGIN}) as run:
        here = []

        def read_until(done):
            until(lambda: done(here.append(run.process.stdout.readline().decode().strip())),
                  lambda: f"{here} {run.errors()}")

        def go():
            run.process.stdin.write(b"\n")
            run.process.stdin.flush()

        def told(probe, state):
            return [a for a in map(alert_of, here) if a and (a["probe"], a["state"]) == (probe, state)]

        read_until(lambda _: told("swing", "firing") and told("ringers", "firing"))
        run.until_alert("swing")
        go()
        read_until(lambda _: told("weight", "resolved") and told("swing", "resolved"))
        run.until_alert("weight", "resolved")
        run.until_alert("swing", "resolved")
        go()
        read_until(lambda _: "stopped" in here)
        inside, outside = {}, {}
        for alert in filter(None, map(alert_of, here)):
            if alert["state"] != "ended":
                inside.setdefault((alert["probe"], alert["label"]), []).append(alert)
        for alert in run.alerts():
            key = (alert["probe"], alert["labels"].get("label", ""))
            outside.setdefault(key, []).append(alert)
        same(sorted(inside), sorted(outside), "rules that rang")
        same(len(inside), 7)
        for key, alerts in inside.items():
            same([a["state"] for a in alerts], [a["state"] for a in outside[key]], key)
            for mine, theirs in zip(alerts, outside[key]):
                same(("note", "warn", "page")[mine["severity"] - 1], theirs["severity"], key)
                for field in ("module", "kind", "signal", "op", "limit", "meaning", "runbook",
                              "file", "line"):
                    same(mine[field], theirs[field], (key, field))
                if mine["probe"] != "swing":
                    same(mine["value"], theirs["value"], key)
        for line in (x for x in run.errors().splitlines() if "weight" in x):
            same(run.errors().count(re.sub(r"after .*", "after", line)), 2, line)
        go()
        same(run.wait(), 0)


def it_needs_the_c_library_and_shows_two_names():
    names = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True,
                           check=True).stdout
    functions = [x.split()[2].split("@")[0] for x in names.splitlines() if " A " not in x]
    if any(name.startswith("__asan") or name.startswith("__ubsan") for name in functions):
        raise Skip("sanitizers bring names of their own")
    same(sorted(functions), ["tocsin_inline_start", "tocsin_inline_stop"])
    head = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True,
                          check=True).stdout
    needed = re.findall(r"NEEDED.*\[(.*)\]", head)
    if any("san.so" in name for name in needed):
        raise Skip("sanitizers need libraries of their own")
    # ld-linux is a part of the C library: it finds thread-local variables.
    same({re.sub(r"(-x86-64)?\.so.*", "", name) for name in needed} - {"ld-linux"},
         {"libc", "libtocsin"})


if __name__ == "__main__":
    sys.exit(run_tests([
        an_expectation_rings, it_does_in_a_static_program, every_kind_rings,
        what_is_over_is_resolved, a_silent_one_says_nothing, without_options_it_has_a_voice,
        the_last_moment_is_looked_at, what_was_counted_long_before_does_not_ring, a_hundred_times,
        a_second_start_is_refused, options_of_other_versions, it_may_be_stopped_in_its_callback,
        a_child_of_fork_starts_its_own, a_child_that_may_write_no_file,
        a_child_that_leaves_the_callback_tells_nobody, forks_during_the_first_start,
        forks_at_any_moment,
        a_plug_in_that_comes_later, a_plug_in_of_a_static_program, where_no_file_may_be_written,
        where_no_directory_is,
        no_signal_comes_to_its_thread_but_faults, a_fault_in_the_callback_is_the_programs_own,
        nobody_reads_its_lines, both_ring_where_a_watcher_is_too,
        it_needs_the_c_library_and_shows_two_names,
    ]))
