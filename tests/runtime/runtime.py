#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libtocsin from outside: programs count, this reads. TAP.

usage: runtime.py SUBJECT SUBJECT_STATIC PLUGIN PLUGIN_ALONE PLUGIN_ARCHIVED HOST STOPS STOPS_TESTING
STOPS_VERSION_7 [TEST...]"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import kinds  # noqa: E402
from segment import Segment, UNSET  # noqa: E402

SUBJECT, STATIC, PLUGIN, ALONE, ARCHIVED, HOST = [os.path.abspath(p) for p in sys.argv[1:7]]
STOPS, STOPS_TESTING, STOPS_VERSION_7 = [os.path.abspath(p) for p in sys.argv[7:10]]
DEADLINE_S = 60
COUNT = int(os.environ.get("TOCSIN_TEST_COUNT", "20000000"))  # fewer where each takes longer


class Skip(Exception):
    pass


class Run:
    """A subject that has got to where it waits, or has ended."""

    def __init__(self, place, *args, program=SUBJECT, env=None, wait=True, **options):
        environment = {**os.environ, "TOCSIN_DIR": place, **(env or {})}
        for name in [n for n, v in environment.items() if v is None]:
            del environment[name]
        self.process = subprocess.Popen([program, *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment, text=True, **options)
        self.lines = []
        while wait:
            line = self.process.stdout.readline()
            if not line or line == "ready\n":
                break
            self.lines.append(line.strip())

    def paths(self, word="segment"):
        return [line.split()[1] for line in self.lines if line.startswith(word + " ")]

    def segment(self, word="segment"):
        return Segment(self.paths(word)[-1])

    def end(self):
        out, _ = self.process.communicate("\n", timeout=DEADLINE_S)
        self.lines += out.splitlines()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def until(what):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.01)
    return False


def same(got, wanted, what=""):
    assert got == wanted, f"{what} is {got!r}, should be {wanted!r}"


def all_kinds(place):
    with Run(place, "all_kinds") as run:
        s = run.segment()
        same(s.value("events"), 42)
        same(s.value("height"), -7)
        same(s.value("never"), UNSET)
        same(s.value("depth"), -3)
        same(s.value("pulse"), 2)
        misses = [t for _, k, _, t in s.sites() if k == 10 and t]
        same(misses, [1], "misses")
        same([t for _, k, _, t in s.sites() if k == 12 and t], [5], "errors")
        events = s.happened()
        same([e[0] for e in events], [1, 2, 2, 2, 3], "kinds of events")
        same([e[4] for e in events], ["", "cannot open index number 0", "cannot open index number 1",
                                      "cannot open index number 3", "a warning without arguments"])
        same([e[2] for e in events], [1, 1, 2, 4, 1], "counts of events")
        assert events[0][5], "no stack"
        same(events[0][6], run.process.pid, "thread")
        same(s.pid, run.process.pid)
        same(s.state, 1)
        same(s.boot_id, open("/proc/sys/kernel/random/boot_id").read().strip())
        same(s.namespace, os.stat("/proc/self/ns/pid").st_ino)
        same(os.stat(run.paths()[0]).st_mode & 0o777, 0o600)
        same(run.end(), 0)
        same(run.segment().state, 2, "state after exit()")


# tocsin-segment(5): words of a row's cells, by kind.
WORDS = {1: 1, 2: 1, 3: 1, 4: 508, 5: 508, 6: 2, 7: 1, 8: 18, 9: 4, 10: 2, 11: 1, 12: 1, 13: 1}


def bucket(value):
    """Eight an octave: by hand, for a value of at least 1."""
    octave = value.bit_length() - 1
    return 8 * octave + ((value << 3) >> octave) - 8


def cells_of_all_kinds(place):
    with Run(place, "cells_of_all_kinds") as run:
        s = run.segment()
        seen = {}
        for _, _, row in s.rows:
            kind, size = row[2], int.from_bytes(row[516:520], "little")
            seen[kind] = size
            if kind not in (14, 15):
                same(size, 8 * WORDS[kind], f"bytes of a row of kind {kind}")
        for kind in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14):
            assert kind in seen, f"no row of kind {kind}"
        latency = s.words("latency")
        same(latency[:3], [1, 0, 100001], "over, over, sum of latency")
        same(sum(latency[3:]), 2)
        lengths = s.words("lengths")
        values = [1, 1, 1, 2, 3, 9, 10, 15, 999, 1000, 2**63 - 1]
        same(lengths[:2], [5, 2], "over 10 and over 999")
        same(lengths[2], sum(values) - 2 - 2**64, "sum of lengths, in 64 bits")
        wanted = [0] * 505
        for value in values:
            wanted[bucket(value)] += 1
        same(bucket(15), 31)
        # The largest is rounded to a double: 2^63, the first of the last octave.
        wanted[bucket(2**63 - 1)] -= 1
        wanted[504] += 1
        same(lengths[3:], wanted, "buckets")
        same(s.words("failures"), [2, 5])
        same(s.words("pipe"), [10, 4, 1, -2])
        same((s.words("asked", "good"), s.words("asked", "failed")), ([2], [1]))
        hits = {name.split("_")[0]: total for _, kind, name, total in s.sites()
                if kind == 11 and total}
        same(hits, {"sometimes": 2, "reached": 5})
        same({t for _, kind, name, t in s.sites() if kind == 11} - {2, 5}, {0})


def slots(segment):
    """The slots of the blocks in which an operation goes on."""
    return [block[2:] for block in segment.cells("request")[1] if any(block[2:])]


def operations(place):
    with Run(place, "operations") as run:
        s = run.segment()
        same(s.words("request")[:2], [21, 1], "begun and ended")
        # The n-th begins at slot n % 16; the 21st finds but the third's place free.
        same(slots(s), [(16, 1, 2, 21, *range(4, 16))])
        run.process.stdin.write("\n")
        run.process.stdin.flush()
        same(run.process.stdout.readline(), "ready\n")
        s = run.segment()
        same(s.words("request")[:2], [21, 19])
        same(slots(s), [(0, 0, 0, 21) + (0,) * 12])
        same(run.end(), 0)


def an_operation_ends_in_a_child(place):
    with Run(place, "operation_fork") as run:
        mine, theirs = run.segment(), run.segment("child")
        assert mine.pid != theirs.pid
        same(mine.words("request")[:2], [2, 0])
        same(slots(mine), [(0, 1, 2) + (0,) * 13], "the parent's slots")
        same(theirs.words("request")[:2], [2, 2])
        same(slots(theirs), [(0, 0, 2) + (0,) * 13], "the child's")
        run.process.stdin.write("\n")
        run.process.stdin.flush()
        same(run.process.stdout.readline(), "ready\n")
        same(run.segment().words("request")[:2], [2, 1])
        same(slots(run.segment()), [(0, 1) + (0,) * 14])
        same(run.end(), 0)


def check_operations(segment, count, parts):
    same(segment.words("request")[:2], [count, count])
    same(slots(segment), [])
    same(sum(segment.words("latency")[3:]), count)
    same(segment.words("failures"), [parts, count])
    same(segment.words("pipe"), [2 * count, 0, 0, count - 2 * parts])


def operations_of_threads(place):
    with Run(place, "operations_of_threads", "100001") as run:
        check_operations(run.segment(), 400004, 200000)


def operations_in_handlers(place):
    with Run(place, "operations_in_handlers", "2000000") as run:
        seen = int([x for x in run.lines if x.startswith("signals")][0].split()[1])
        assert seen > 100, f"only {seen} signals: this test shows nothing"
        check_operations(run.segment(), 2000000 + seen, 1000000)


def a_miss_stops_only_where_it_was_asked_to(place):
    goes_on = {STOPS: ("plain", "in_tests", "from_7", "from_8", "both"),
               STOPS_TESTING: ("plain", "from_7", "from_8", "both"),
               STOPS_VERSION_7: ("plain", "in_tests", "from_8", "both")}
    for program, modes in goes_on.items():
        for mode in modes:
            where = os.path.join(place, os.path.basename(program) + "-" + mode)
            os.mkdir(where, 0o700)
            with Run(where, mode, program=program, wait=False, stderr=subprocess.PIPE) as run:
                out, err = run.process.communicate(timeout=DEADLINE_S)
                same((run.process.returncode, out, err), (0, "ready\n", ""), f"{program} {mode}")
                events = Segment(os.path.join(where, os.listdir(where)[0])).happened()
                same(len(events), 0 if mode == "both" else 1, f"misses of {mode}")


def check_stop(place, program, mode, line):
    """It has gone by abort(), and what happened is in its segment."""
    with Run(place, mode, program=program, wait=False, stderr=subprocess.PIPE) as run:
        out, err = run.process.communicate(timeout=DEADLINE_S)
        same((run.process.returncode, out), (-signal.SIGABRT, ""))
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stops.c")) as file:
            at = [n for n, text in enumerate(file, 1) if f'"{mode}"' in text][0] + 1
        same(err.splitlines()[0], line.replace("LINE", str(at)))
        s = Segment(os.path.join(place, os.listdir(place)[0]))
        same(s.state, 1, "its state: it did not leave through exit()")
        (event,) = s.happened()
        same((event[0], event[1], event[2]), (1, f"expect_{at}", 1))
        return event


def a_miss_stops_a_test(place):
    check_stop(place, STOPS_TESTING, "in_tests",
               "tocsin: stops.c:LINE: argc < 1 does not hold: missed as tests do; "
               "stopping here, as its TOC_STOP says")


def a_miss_stops_from_a_version_on(place):
    event = check_stop(place, STOPS_VERSION_7, "from_7",
                       "tocsin: stops.c:LINE: argc < 2 does not hold: too many arguments; "
                       "stopping here, as its TOC_STOP says")
    same([value[2] for value in event[3]], [2, 2], "values kept")


def threads(place):
    with Run(place, "threads", "1000000") as run:
        same(run.segment().value("events"), 4000000)


def churn(place):
    with Run(place, "churn", "5000") as run:
        s = run.segment()
        same(s.value("events"), 5000)
        assert len(s.blocks()) <= 3, f"{len(s.blocks())} blocks for threads that never met"


def ten_thousand_threads(place):
    """Blocks go from hand to hand: the segment is as large as for eight threads."""
    with Run(place, "every_kind", "10000") as run:
        s = run.segment()
        same(kinds.complaints(s, 10000), [])
        assert len(s.blocks()) <= 10, f"{len(s.blocks())} blocks for eight threads at a time"
        assert s.file_bytes <= 1 << 20, f"{s.file_bytes} bytes"


def crowd(place):
    with Run(place, "crowd", "600") as run:
        s = run.segment()
        same(s.value("events"), 600000)
        same(s.private, 0)
        assert s.file_bytes > 131072, "it did not grow, so this test shows nothing"


def spinning(place):
    with Run(place, "spin") as run:
        seen = run.segment().value("events")
        assert until(lambda: run.segment().value("events") > seen), "the counter stands still"


def signal_handlers(place):
    with Run(place, "handler", str(COUNT)) as run:
        seen = int([x for x in run.lines if x.startswith("signals")][0].split()[1])
        assert seen > 100, f"only {seen} signals: this test shows nothing"
        s = run.segment()
        same(s.value("other"), seen)
        same(s.value("events"), COUNT + seen)


def first_probe_in_handler(place):
    with Run(place, "attach_in_handler") as run:
        same(run.segment().value("events"), 1)


def has_begun(path):
    """The magic comes last: a file may be there before it."""
    with open(path, "rb") as file:
        return file.read(8) == b"TOCSIN1\n"


def forked(place):
    with Run(place, "fork") as run:
        until(lambda: len(os.listdir(place)) == 2)
        child = [f for f in os.listdir(place) if os.path.join(place, f) != run.paths()[0]]
        same(len(child), 1)
        until(lambda: has_begun(os.path.join(place, child[0])))
        mine = run.segment()
        assert until(lambda: Segment(os.path.join(place, child[0])).value("events") == 1000000)
        same((mine.value("events"), mine.value("other"), mine.value("height")), (100, 1000000, 5))
        theirs = Segment(os.path.join(place, child[0]))
        same((theirs.value("other"), theirs.value("height")), (0, UNSET))
        assert theirs.pid != mine.pid


def forks_while_threads_come_and_go(place):
    with Run(place, "fork_busy", "2000") as run:
        same(run.segment().value("events"), 2000)
        same(run.end(), 0)


def execed(place):
    with Run(place, "exec") as run:
        first, second = [Segment(p) for p in run.paths()]
        same((first.value("events"), second.value("events")), (3, 42))
        same(first.pid, second.pid)
        assert first.attached_ns < second.attached_ns


def plugin(place, program=SUBJECT):
    with Run(place, "plugin", PLUGIN, program=program) as run:
        s = run.segment()
        same(len(os.listdir(place)), 1, "number of segments")
        same((s.value("calls"), s.value("last"), s.value("events")), (5, 11, 5))
        same(len([r for r in s.sites() if r[2] == "calls"]), 1, "rows of a plug-in loaded 5 times")


def plugin_of_static_host(place):
    plugin(place, program=STATIC)


def plugin_brings_the_runtime(place):
    with Run(place, ALONE, program=HOST) as run:
        s = Segment(os.path.join(place, os.listdir(place)[0]))
        same(s.value("calls"), 1)
        same(run.end(), 0)


def static_program(place):
    with Run(place, "threads", "1000", program=STATIC) as run:
        same(run.segment().value("events"), 4000)


def killed(place):
    with Run(place, "hang") as run:
        os.kill(run.process.pid, signal.SIGSTOP)
        same(run.segment().value("events"), 17, "while stopped")
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait(DEADLINE_S)
        same(run.segment().value("events"), 17, "after SIGKILL")
        same(run.segment().state, 1)


def crashed(place):
    with Run(place, "crash", wait=False) as run:
        run.process.wait(DEADLINE_S)
        assert run.process.returncode != 0
        path = os.path.join(place, os.listdir(place)[0])
        s = Segment(path)
        same(s.value("events"), 17)
        kind, _, count, (left, right), _, stack, _ = s.happened()[-1]
        same((kind, count), (1, 1))
        same((left[0], left[1], right[1], right[2]), (b"i", 4, 4, 41), "values kept")
        assert len(stack) >= 2, "no stack"


def closes_everything(place):
    with tempfile.TemporaryDirectory() as other:
        with Run(place, "close_all", os.path.join(other, "file")) as run:
            same(run.segment().value("events"), 2000)
            same(run.end(), 0, "status: 1 says that something was written into the program's file")


def the_bell_rings_for_each_news(place):
    import socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(os.path.join(place, "bell"))
        with Run(place, "two_misses") as run:
            same(run.end(), 0)
        bell.setblocking(False)
        rings = 0
        try:
            while bell.recv(16):
                rings += 1
        except BlockingIOError:
            pass
    # One for each of two misses and for the first of the storm, however close; the socket's queue
    # (net.unix.max_dgram_qlen) takes about ten, and not a thousand are tried.
    assert 3 <= rings < 200, f"{rings} rings"


def plugin_with_the_archive(place):
    """The runtime goes with the plug-in, while a thread that counted there lives on."""
    with Run(place, ARCHIVED, "thread", program=HOST) as run:
        same(run.end(), 0, "status of a host whose thread outlives the plug-in")


def errno_stays(place):
    with Run(place, "errno") as run:
        same(run.end(), 0)
        same(run.segment().happened()[-1][4], "errno is 18, Invalid cross-device link")


def odd_stacks(place):
    with Run(place, "odd_stack") as run:
        same(run.segment().happened()[0][0], 1)
        same(run.end(), 0)


def no_file_may_grow(place):
    with Run(place, "limit", "600") as run:
        s = run.segment()
        assert s.private > 0, "it found room, so this test shows nothing"
        assert 0 < s.value("events") < 600000
        same(run.end(), 0)


def no_file_at_all(place):
    import resource
    set_limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # noqa: E731
    with Run(place, "threads", "1000", preexec_fn=set_limit) as run:
        same(run.paths(), ["none"])
        same(run.end(), 0)
        same(os.listdir(place), [])


def full_tmpfs(place):
    small = os.path.join(place, "small")
    os.mkdir(small)
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        raise Skip("cannot mount a tmpfs here")
    try:
        with Run(small, "threads", "1000") as run:
            same(run.paths(), ["none"])
            same(run.end(), 0)
            same(os.listdir(small), [])
    finally:
        subprocess.run(["umount", small], check=True)


def not_tmpfs(place):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as disk:
        kind = subprocess.run(["stat", "-f", "-c", "%T", disk], capture_output=True, text=True).stdout
        if kind.strip() in ("tmpfs", "ramfs"):
            raise Skip("the build folder is on tmpfs")
        with Run(disk, "threads", "1000") as run:
            same(run.paths(), ["none"])
            same(run.end(), 0)
            same(os.listdir(disk), [])


def open_to_others(place):
    os.chmod(place, 0o777)
    with Run(place, "threads", "10") as run:
        same(run.paths(), ["none"], "in a folder where anybody may plant files")
    os.chmod(place, 0o700)
    os.symlink(place, place + "-link")
    with Run(place + "-link", "threads", "10") as run:
        same(run.paths(), ["none"], "through a link")
    os.unlink(place + "-link")


def relative_directory(place):
    with Run(os.path.basename(place), "threads", "10", cwd=os.path.dirname(place)) as run:
        same(run.segment().value("events"), 40)


def nobody_asked(place):
    """Without TOCSIN_DIR: $XDG_RUNTIME_DIR/tocsin, and a clean exit takes the file along."""
    env = {"TOCSIN_DIR": None, "XDG_RUNTIME_DIR": place}
    with Run(place, "threads", "10", env=env) as run:
        same(os.path.dirname(run.paths()[0]), os.path.join(place, "tocsin"))
        same(os.stat(os.path.join(place, "tocsin")).st_mode & 0o777, 0o700)
        same(run.segment().value("events"), 40)
        same(run.end(), 0)
        same(os.listdir(os.path.join(place, "tocsin")), [])


TESTS = [cells_of_all_kinds, operations, an_operation_ends_in_a_child, operations_of_threads,
         operations_in_handlers, a_miss_stops_only_where_it_was_asked_to, a_miss_stops_a_test,
         a_miss_stops_from_a_version_on, the_bell_rings_for_each_news, plugin_with_the_archive, all_kinds,
         threads, churn, ten_thousand_threads, crowd, spinning, signal_handlers, first_probe_in_handler, forked,
         forks_while_threads_come_and_go, execed, plugin, plugin_of_static_host,
         plugin_brings_the_runtime, static_program, killed, crashed, closes_everything, errno_stays,
         odd_stacks, no_file_may_grow, no_file_at_all, full_tmpfs, not_tmpfs, open_to_others,
         relative_directory, nobody_asked]


def main():
    failed = 0
    tests = [test for test in TESTS if test.__name__ in (sys.argv[10:] or [test.__name__])]
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        place = tempfile.mkdtemp(dir="/dev/shm", prefix="tocsin-test-")
        name = test.__name__.replace("_", " ")
        try:
            test(place)
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as why:  # a test that falls over has failed, whatever it fell over
            failed += 1
            print(f"not ok {number} - {name}\n# {type(why).__name__}: {why}", flush=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
