#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process with a segment of its own making: what the runtime writes, and what it never would.

usage: fake.py MODE..., one after the other; each waits where it says so for a line on standard input.
It knows the format from tocsin-segment(5)."""

import mmap
import os
import signal
import socket
import struct
import sys
import time

HEADER = struct.Struct("<8s6I6Q2I40s128s")
EXTENT = struct.Struct("<IIQIIQ32x")
RULE = struct.Struct("<qqqIIIIHBBB3x72s")
RECORD = struct.Struct("<HBBI24s40s72s32s32s64s")
ROW = struct.Struct("<III52x")
RING = struct.Struct("<3Q40x")
EVENT = struct.Struct("<Q4IQQIc3xQIc3xII16Q312s")
ROWS, BLOCK, SHARED, EVENTS, FILLER = 1, 2, 3, 4, 5
COUNTER, GAUGE, EXPECTATION, ERROR = 1, 2, 10, 12
UNSET = -(1 << 63)
SLOTS = 16
PLACE = os.environ["TOCSIN_DIR"]


def record(kind, name, signal_number, limit, severity=3, module=b"store", version=1, hold_s=0):
    rule = RULE.pack(limit, UNSET, 0, hold_s, 0, 0, 0, 0, signal_number, 4, severity,
                     b"index and table disagree")
    return (RECORD.pack(version, kind, 0, 41, module, name, b"what it counts", b"store.c", b"",
                        b"doc/runbook") + rule + bytes(120))


def row(rec, offset, size=8, place=1):
    return rec + ROW.pack(offset, size, place)


class Segment:
    """hits (counter > 100 a minute warns), expect_41 (misses page), error_50, used (gauge)."""

    def __init__(self, pid=None, name=None, program=b"/usr/bin/fake", version=1, module=b"store",
                 extra_rows=()):
        self.used = 4096
        self.slot = 0
        rows = [row(record(COUNTER, b"hits", 3, 100, 2), 0),
                row(record(EXPECTATION, b"expect_41", 1, 0, 3, module), 8, 16),
                row(record(ERROR, b"error_50", 3, 10000, 1), 24),
                row(record(GAUGE, b"used", 5, 10, 2), 0, 8, 2), *extra_rows]
        self.path = os.path.join(PLACE, name or f"{os.getpid()}-{os.urandom(4).hex()}.seg")
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(fd, 1 << 18)
        self.map = mmap.mmap(fd, 1 << 18)
        os.close(fd)
        namespace = os.stat("/proc/self/ns/pid").st_ino
        self.map[:HEADER.size] = HEADER.pack(b"", version, 4096, 512, 576, 512, 1, self.used,
                                             time.monotonic_ns(), time.time_ns(), namespace, 0, 0,
                                             pid or os.getpid(), os.geteuid(), b"", program)
        self.extend(ROWS, len(rows), bytes(64) + b"".join(rows))
        self.shared = self.extend(SHARED, 8, struct.pack("<q", UNSET))
        self.ring = self.extend(EVENTS, SLOTS, RING.pack(SLOTS // 2, 0, 0) + bytes(512 * SLOTS))
        self.block = self.extend(BLOCK, 32, bytes(32))
        self.map[0:8] = b"TOCSIN1\n"

    def extend(self, kind, count, payload):
        size = 64 + (len(payload) + 63) // 64 * 64
        at = self.used
        self.map[at:at + 64] = EXTENT.pack(0x58434F54, kind, size, 0, count, 0)
        self.map[at + 64:at + 64 + len(payload)] = payload
        self.used += size
        self.put(32, self.used)
        return at + 64

    def put(self, at, value):
        self.map[at:at + 8] = struct.pack("<Q", value & (1 << 64) - 1)

    def get(self, at):
        return struct.unpack_from("<Q", self.map, at)[0]

    def add(self, offset, n=1):
        self.put(self.block + offset, self.get(self.block + offset) + n)

    def event(self, kind, number, values=((0, b"\0"), (0, b"\0")), text=b"", stack=()):
        n = self.slot
        at = self.ring + 64 + 512 * (n % SLOTS)
        (a, a_class), (b, b_class) = values
        fields = EVENT.pack(2 * n + 1, kind, 0, number, os.getpid(), 1, a, 8 if a else 0, a_class, b,
                            8 if b else 0, b_class, len(stack), len(text),
                            *stack, *[0] * (16 - len(stack)), text)
        self.map[at:at + 512] = fields
        self.put(at, 2 * n + 2)
        self.slot += 1
        self.put(self.ring + 16, self.slot)

    def miss(self, left=3, right=4):
        self.add(8)
        self.event(1, 1, ((left, b"i"), (right, b"i")), stack=(0x1234,))

    def error(self, text):
        self.add(24)
        self.event(2, 2, text=text)

    def end(self):
        self.map[28:32] = struct.pack("<I", 2)


def ring_bell():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell:
        try:
            bell.sendto(b"!", os.path.join(PLACE, "bell"))
        except BlockingIOError:
            pass  # it is ringing


def wait():
    print("ready", flush=True)
    sys.stdin.readline()


def mode_good(segment):
    segment.miss()
    ring_bell()
    wait()


def mode_hits(segment):
    segment.add(0, 101)
    ring_bell()
    wait()


def mode_gauge(segment):
    segment.put(segment.shared, 11)
    ring_bell()
    wait()
    segment.put(segment.shared, 10)
    ring_bell()
    wait()


def mode_error(segment):
    segment.error(b"cannot open \x1b[31mindex\xff\n")
    ring_bell()
    wait()


def mode_silent_miss(segment):
    """Without the doorbell: the next tick finds it."""
    segment.miss()
    wait()


def mode_truncate(segment):
    wait()
    os.truncate(segment.path, 5000)
    ring_bell()
    wait()


def mode_version(_):
    Segment(name="other.seg", version=2)
    wait()


def mode_zero(_):
    """Never finished."""
    with open(os.path.join(PLACE, "zero.seg"), "wb") as file:
        file.truncate(100000)
    wait()


def mode_garbage(_):
    with open(os.path.join(PLACE, "garbage.seg"), "wb") as file:
        file.write(os.urandom(100000))
    wait()


def mode_strange(_):
    """Things that only have the name of a segment."""
    os.mkdir(os.path.join(PLACE, "dir.seg"))
    os.mkfifo(os.path.join(PLACE, "fifo.seg"))
    os.symlink("/etc/passwd", os.path.join(PLACE, "link.seg"))
    with open(os.path.join(PLACE, "bad\x1b[2Jname.seg"), "w"):
        pass
    ring_bell()
    wait()


def mode_records(_):
    """Rows that cannot be judged beside one that can."""
    rows = [row(record(COUNTER, b"esc\x1b[2J", 3, 1), 0), row(record(99, b"kind", 3, 1), 0),
            row(record(COUNTER, b"outside", 1, 1), 1 << 30), row(record(COUNTER, b"v", 3, 1, version=9), 0)]
    segment = Segment(program=b"/bin/\x1b]0;evil\x07name", extra_rows=rows)
    segment.miss()
    ring_bell()
    wait()


def mode_flood(segment):
    for _ in range(20000):
        ring_bell()
    segment.miss()
    ring_bell()
    wait()


def mode_errors(segment):
    for i in range(2000):
        segment.error(b"error number %d" % i)
        ring_bell()
    wait()


def mode_child(_):
    """A process of its own that dies without a word."""
    child = os.fork()
    if not child:
        segment = Segment()  # mapped as long as there is a name for it
        segment.miss()
        ring_bell()
        time.sleep(100)
    print(child, flush=True)
    wait()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    wait()


def mode_exec(segment):
    """The same pid, another program: the old segment is nobody's any more."""
    segment.miss()
    ring_bell()
    wait()
    os.execv("/bin/sh", ["sh", "-c", "echo ready; read line; exit 0"])


def mode_end(segment):
    segment.miss()
    ring_bell()
    wait()
    segment.end()
    ring_bell()
    wait()


def mode_scribble(segment):
    """Somebody writes all over it, for as long as the test wants."""
    fd = os.open(segment.path, os.O_RDWR)
    os.set_blocking(0, False)
    print("ready", flush=True)
    state = 1
    while not sys.stdin.read(1):
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        os.pwrite(fd, struct.pack("<Q", state), (state >> 40) % segment.used)
        if state >> 58 == 0:
            os.ftruncate(fd, (state >> 30) % (1 << 18))
            ring_bell()


def main():
    modes = sys.argv[1:]
    segment = None if modes[0] == "none" else Segment()
    for name in modes:
        if name != "none":
            globals()["mode_" + name](segment)


if __name__ == "__main__":
    main()
