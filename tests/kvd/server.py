# SPDX-License-Identifier: Apache-2.0
"""A living kvd for tests: started, spoken to, watched through its segment, and always ended."""

import ctypes
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runtime"))
from segment import Segment, UNSET, text  # noqa: E402

DEADLINE_S = 60
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

RULE = struct.Struct("<qqqIIIIHBBB3x72s")
COUNTER, GAUGE, LEVEL, HEARTBEAT, EXPECTATION, ERROR, MODULE, LOGS = 1, 2, 3, 7, 10, 12, 14, 15
PER_SECOND = 2
IS_USUAL = 1


class Skip(Exception):
    """The case cannot be tried here; says why."""


def until(what, why):
    """Polls: a condition that never comes is a failure, a slow machine is not."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError("never came: " + why)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Rule:
    def __init__(self, raw):
        (self.limit, self.clear_at, _, self.hold_s, self.keep_s, self.window_s, _, _, self.signal,
         self.op, self.severity, meaning) = RULE.unpack(raw)
        self.meaning = text(meaning)

    def holds(self, value):
        above, equal, below = self.op & 4, self.op & 2, self.op & 1
        return bool(above if value > self.limit else below if value < self.limit else equal)


class Probe:
    def __init__(self, row, total):
        self.kind, self.flags = row[2], row[3]
        self.module, self.name, self.file = text(row[8:32]), text(row[32:72]), text(row[144:176])
        self.runbook = text(row[208:272])
        self.total = total
        self.rules = [r for r in (Rule(row[272:392]), Rule(row[392:512])) if r.severity]

    def __str__(self):
        return f"{self.module}.{self.name} = {self.total}"


class Server:
    """with Server(KVD, "--max-keys", "3") as server: ... Ends kvd, whatever happens. With `tocsin`,
    that program runs kvd, and events() tells what rang."""

    def __init__(self, kvd, *options, place=None, tocsin=None, run=()):
        self.own = None if place else tempfile.TemporaryDirectory(prefix="kvd-test-")
        self.place = place or self.own.name
        self.tmpfs = tempfile.TemporaryDirectory(prefix="kvd-test-", dir="/dev/shm")
        self.segments = self.tmpfs.name
        self.port_file = os.path.join(self.place, "port")
        if os.path.exists(self.port_file):
            os.unlink(self.port_file)
        self.stderr = open(os.path.join(self.place, "stderr"), "w+b")
        self.event_file = os.path.join(self.place, "events")
        under = [tocsin, "run", "-q", "--dir", self.segments, "--events", self.event_file, *run, "--"]
        self.process = subprocess.Popen(
            [*(under if tocsin else []), kvd, "--port", "0", "--port-file", self.port_file,
             "--dir", self.place, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.stderr,
            env={**os.environ, "TOCSIN_DIR": self.segments}, preexec_fn=die_with_parent)
        self.port = self.pid = None

    def __enter__(self):
        try:
            until(lambda: os.path.exists(self.port_file) or self.process.poll() is not None,
                  "kvd is ready")
            if self.process.poll() is not None:
                raise AssertionError(f"kvd ended with {self.process.returncode}: {self.said()}")
        except BaseException:
            self.__exit__()
            raise
        with open(self.port_file) as file:
            self.port = int(file.read())
        self.pid = self.info("process_id")
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            if self.pid and self.pid != self.process.pid:
                os.kill(self.pid, signal.SIGKILL)  # alive as long as its parent has not ended
            self.process.kill()
        self.process.wait()
        self.stderr.close()
        self.tmpfs.cleanup()
        if self.own:
            self.own.cleanup()

    def said(self):
        self.stderr.seek(0)
        return self.stderr.read().decode(errors="replace")

    def end(self, by=signal.SIGTERM):
        """Ends kvd the civil way: status 0, and no sanitizer has anything to say."""
        self.process.send_signal(by)
        status = self.process.wait(DEADLINE_S)
        assert (status, self.said()) == (0, ""), f"status {status}, standard error: {self.said()}"

    def events(self, kind="alert"):
        if not os.path.exists(self.event_file):
            return []
        with open(self.event_file) as file:
            lines = file.read().split("\n")[:-1]  # what follows the last line end is being written
        return [event for event in map(json.loads, lines) if event["type"] == kind]

    def connect(self):
        return Connection(self.port)

    def ask(self, *words):
        with self.connect() as connection:
            return connection.ask(*words)

    def info(self, name):
        return int(re.search(rb"\r\n%s:(\d+)" % name.encode(), self.ask("INFO")).group(1))

    def probes(self):
        """As they stand in the segment now."""
        paths = glob.glob(os.path.join(self.segments, f"{self.process.pid}-*.seg"))
        assert len(paths) == 1, f"segments: {paths}"
        segment = Segment(paths[0])
        return [Probe(row[2], site[3]) for row, site in zip(segment.rows, segment.sites())]

    def probe(self, module, name):
        return next(p.total for p in self.probes()
                    if (p.module, p.name) == (module, name) and p.kind != MODULE)

    def ringing(self):
        """Rules whose condition may hold, heartbeats aside: a sum since the start stands for each
        of its windows, so this rings no later than the watcher."""
        probes, found = self.probes(), []
        for probe in probes:
            if probe.kind == EXPECTATION and probe.total:
                found.append(probe)
            if probe.kind in (HEARTBEAT, EXPECTATION) or probe.total == UNSET:
                continue
            total = probe.total
            if probe.kind == LOGS:
                total = sum(p.total for p in probes if p.module == probe.module and
                            p.kind == ERROR and p.flags & IS_USUAL)
            for rule in probe.rules:
                if rule.holds(total // 10 if rule.signal == PER_SECOND else total):
                    found.append(probe)
        return found


class Reply(bytes):
    """An error reply."""


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.file.close()
        self.socket.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reply(self):
        line = self.file.readline()
        assert line.endswith(b"\r\n"), f"not a reply: {line!r}"
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Reply(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self.bulk(int(rest))
        assert kind == b"*", f"not a reply: {line!r}"
        return [self.reply() for _ in range(int(rest))]

    def bulk(self, length):
        if length < 0:
            return None
        body = self.file.read(length + 2)
        assert body.endswith(b"\r\n") and len(body) == length + 2
        return body[:-2]

    def ended(self):
        return self.file.read(1) == b""

    def ask(self, *words):
        self.send(request(*words))
        return self.reply()


def request(*words):
    raw = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in raw)


def says(reply, expected):
    assert isinstance(reply, Reply) and expected in reply, f"{reply!r} is not the error {expected!r}"


def same(found, expected):
    assert found == expected, f"{found!r:.300} is not {expected!r:.300}"


def run_cases(cases):
    """TAP, a line a function; the exit status."""
    failed = 0
    print(f"1..{len(cases)}")
    for number, case in enumerate(cases, 1):
        name = case.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            case()
            print(f"ok {number} - {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as why:  # whatever it is, the other cases have their turn
            failed += 1
            print(f"not ok {number} - {name}")
            where = why.__traceback__
            while where.tb_next and where.tb_next.tb_frame.f_code.co_filename != __file__:
                where = where.tb_next
            lines = str(why).splitlines()[:40]
            print(f"# line {where.tb_lineno}: {type(why).__name__}")
            print("\n".join("# " + line for line in lines), flush=True)
    return 1 if failed else 0
