#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libtocsin-inside.so in front of programs that do to it what programs do: what it counts is what was
counted by hand, and the program notices nothing. TAP.
usage: process_test.py LIBRARY SUBJECT OWN_MALLOC PASSED JOINS"""

import concurrent.futures
import glob
import os
import re
import struct
import subprocess
import sys
import tempfile
import traceback

LIBRARY, SUBJECT, OWN_MALLOC, PASSED, JOINS = (os.path.abspath(argument) for argument in sys.argv[1:6])
WAIT_S = 60

# As src/probe/inside.h has them.
MODULES, MODULE, SITES, SITE, CELL, IO, STACK = 64, 32, 1024, 128, 16, 64, 14
LIVE_SHIFT = 38


class Inside:
    """The segment of libtocsin-inside of a process, read as tocsin-segment(5) says."""

    def __init__(self, folder, pid):
        for path in glob.glob(f"{folder}/{pid}-*.seg"):
            with open(path, "rb") as file:
                self.data = file.read()
            self.extents = list(self.walk())
            if any(kind == 16 for kind, _, _ in self.extents):
                return
        raise AssertionError(f"{pid} has no segment of what is inside: {os.listdir(folder)}")

    def walk(self):
        used = struct.unpack_from("<Q", self.data, 32)[0]
        at = 4096
        while at < used:
            magic, kind, size = struct.unpack_from("<IIQ", self.data, at)
            assert magic == 0x58434f54, magic
            yield kind, at + 64, size - 64
            at += size

    def table(self, kind):
        return next(at for found, at, _ in self.extents if found == kind)

    def module(self, name):
        for number in range(1, MODULES):
            at = self.table(17) + number * MODULE
            if self.data[at + 4:at + 28].rstrip(b"\0") == name.encode():
                return number
        raise AssertionError(f"there is no module {name}")

    def live(self, module, kind):
        """(blocks, bytes) of all sites of that module and kind, over all threads."""
        total = 0
        for number in range(SITES):
            ready, of_kind, of_module, _ = struct.unpack_from("<IIII", self.data,
                                                              self.table(18) + number * SITE)
            if number < 3 * MODULES:
                ready, of_kind, of_module = 1, 1 + number // MODULES, number % MODULES
            if not ready or (of_kind, of_module) != (kind, module):
                continue
            for found, at, _ in self.extents:
                if found == 21:
                    cells = at + self.cells_at()
                    total += struct.unpack_from("<Q", self.data, cells + number * CELL)[0]
        total %= 1 << 64
        return total >> LIVE_SHIFT, total & ((1 << LIVE_SHIFT) - 1)

    def cells_at(self):
        # here, wait, call, counts, 16 held of 24 bytes, io, cells
        return self.io_at() + MODULES * IO

    @staticmethod
    def io_at():
        return 24 + 32 + 24 + 16 + 32 + 16 * 24

    def io(self, module):
        sums = [0] * 8
        for found, at, _ in self.extents:
            if found == 21:
                words = struct.unpack_from("<8Q", self.data, at + self.io_at() + module * IO)
                sums = [a + b for a, b in zip(sums, words)]
        return sums

    def thread_words(self, offset):
        return [struct.unpack_from("<Q", self.data, at + offset)[0]
                for found, at, _ in self.extents if found == 21]


class Place:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tocsin-inside-", dir="/dev/shm")
        self.env = {**os.environ, "TOCSIN_DIR": self.folder, "LD_PRELOAD": LIBRARY}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def start(self, *argv):
        return subprocess.Popen(argv, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def says(self, *argv, env=None):
        done = subprocess.run(argv, env=env or self.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=WAIT_S, check=False)
        return done.returncode, done.stdout, done.stderr


def numbers(line):
    return {word: int(value) for word, value in re.findall(r"(\w+) (-?\d+)", line)}


def says_of_itself(process):
    line = process.stdout.readline()
    said = numbers(line)
    assert "pid" in said, f"it says {line!r}, and not who it is"
    return said


def heap_is(place, process):
    said = says_of_itself(process)
    inside = Inside(place.folder, said["pid"])
    got = inside.live(inside.module("mine"), 1)
    assert got == (said["blocks"], said["bytes"]), (got, said)
    process.stdin.write("\n")
    process.stdin.flush()


def ends(process):
    assert process.wait(WAIT_S) == 0, process.returncode


def exact(name, looks=1):
    def test():
        with Place() as place:
            process = place.start(SUBJECT, name)
            for _ in range(looks):
                heap_is(place, process)
            ends(process)
    test.__name__ = f"{name} is exact"
    return test


def survives(name):
    def test():
        with Place() as place:
            said = place.says(SUBJECT, name)
            assert said == (0, "ok\n", ""), said
    test.__name__ = f"{name} goes well"
    return test


def same(*argv):
    def test():
        with Place() as place:
            plain = place.says(*argv, env={**os.environ, "TOCSIN_DIR": place.folder})
            assert place.says(*argv) == plain, (place.says(*argv), plain)
            assert plain[1], plain
    test.__name__ = f"{os.path.basename(argv[0])} {argv[1][:20]} says the same".replace("\n", " ")
    return test


def counted(*argv):
    with Place() as place:
        process = place.start(*argv)
        said = says_of_itself(process)
        inside = Inside(place.folder, said["pid"])
        module = inside.module("mine")
        assert inside.live(module, 2) == (said["open"], 0), inside.live(module, 2)
        _, read, _, written, errors, _, _, _ = inside.io(module)
        assert (read, written, errors) == (said["read"], said["written"], said["errors"]), \
            inside.io(module)
        process.stdin.write("\n")
        process.stdin.close()
        ends(process)


def descriptors_and_calls_are_counted():
    counted(SUBJECT, "descriptors")


def those_that_are_passed_on_too():
    counted(PASSED)


def a_call_that_was_left_by_longjmp_is_over():
    with Place() as place:
        process = place.start(SUBJECT, "jumps")
        said = says_of_itself(process)
        numbers_of_calls = Inside(place.folder, said["pid"]).thread_words(24 + 32)
        process.kill()
        process.wait(WAIT_S)
        assert any(numbers_of_calls) and not any(n & 1 for n in numbers_of_calls), numbers_of_calls


def threads_count_until_they_are_joined():
    with Place() as place:
        process = place.start(JOINS)
        for _ in range(3):
            said = says_of_itself(process)
            inside = Inside(place.folder, said["pid"])
            got = inside.live(inside.module("mine"), 3)
            assert got == (said["threads"], 0), (got, said)
            process.stdin.write("\n")
            process.stdin.flush()
        ends(process)


def a_program_with_an_allocator_of_its_own_runs():
    with Place() as place:
        said = place.says(OWN_MALLOC)
        assert said == (0, "ok\n", ""), said


def without_a_place_for_the_segment_it_runs():
    with Place() as place:
        for folder in ("/", "/nonexistent", "/proc"):
            place.env["TOCSIN_DIR"] = folder
            assert place.says(SUBJECT, "usable") == (0, "ok\n", ""), folder


def the_library_is_in_front():
    """If it were not, all of the above would be easy."""
    with Names() as names:
        for name in ("malloc", "pthread_mutex_lock", "close", "read", "pthread_create"):
            assert name in names, name


class Names:
    def __enter__(self):
        done = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True,
                              check=True)
        lines = [line.split()[-1] for line in done.stdout.splitlines()]
        assert not any("@" in name for name in lines), "names with a version do not bind"
        return set(lines)

    def __exit__(self, *_):
        return False


THREADS = """
import threading, socket, tempfile
out = []
def work(n):
    left, right = socket.socketpair()
    left.sendall(b"x" * 1000)
    out.append(len(right.recv(2000)))
    with tempfile.TemporaryFile() as file:
        file.write(b"y" * 10000)
threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum(out))
"""

def a_child_faults_in_little():
    """A copy of all tables alone is a hundred pages."""
    with Place() as place:
        alone, inside = (numbers(place.says(SUBJECT, "faults", env=env)[1])["faults"]
                         for env in ({**os.environ, "TOCSIN_DIR": place.folder}, place.env))
    assert 0 < inside - alone < 60, (alone, inside)


TESTS = [the_library_is_in_front, a_child_faults_in_little, exact("heap"), exact("heap_after_fork", 2), exact("leaps"),
         exact("crowd"), exact("many"), *map(survives, ("usable", "forks", "handlers_at_fork", "children", "signals")),
         descriptors_and_calls_are_counted, those_that_are_passed_on_too,
         a_call_that_was_left_by_longjmp_is_over, threads_count_until_they_are_joined,
         a_program_with_an_allocator_of_its_own_runs, without_a_place_for_the_segment_it_runs,
         same(SUBJECT, "locks"), same("/usr/bin/python3", "-c", THREADS),
         same("/bin/bash", "-c", "for i in 1 2 3; do (echo $i | tr 1-3 a-c); done"),
         same("/usr/bin/sort", "-r", "/etc/services"), same("/usr/bin/perl", "-e", "print join ',', 1..9"),
         same("/usr/bin/find", "/usr/include", "-name", "s*.h")]


def outcome(test):
    try:
        test()
        return None
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()


def main():
    print(f"1..{len(TESTS)}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(outcome, TESTS))
    for number, (test, failure) in enumerate(zip(TESTS, results), 1):
        name = test.__name__.replace("_", " ")
        print(f"{'not ok' if failure else 'ok'} {number} - {name}")
        for line in (failure or "").splitlines():
            print(f"# {line}")
    return 1 if any(results) else 0


if __name__ == "__main__":
    sys.exit(main())
