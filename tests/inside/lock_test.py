#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libtocsin-inside.so in front of every function that locks: the program notices nothing, an order
that can end in a deadlock is found, once, with both stacks, and others are not; and what is held and
waited for stands in the segment. TAP.
usage: lock_test.py TOCSIN LIBRARY CONFORM LOCKS"""

import contextlib
import glob
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "run"))
from harness import run_tests, same, until  # noqa: E402

LIBRARY, CONFORM, LOCKS = (os.path.abspath(argument) for argument in sys.argv[2:5])
DEADLINE_S = 60

# As src/probe/inside.h has them.
FINDING, STACK, HELD = 288, 14, 16
ORDER, ITSELF = 1, 2
MUTEX, RECURSIVE, READ, WRITE, CONDITION, SEMAPHORE = 1, 2, 3, 4, 6, 8


# ---- What is published -------------------------------------------------------------------

class Page:
    """Of a thread."""

    def __init__(self, data, at):
        words = struct.unpack_from("<QIIQQQQII", data, at)
        self.is_waiting, self.wait_lock = words[4] % 2 == 1, words[5]
        self.wait_kind = words[7]
        self.wait_mutex = struct.unpack_from("<Q", data, at + 104)[0]
        self.count = struct.unpack_from("<Q", data, at + 80)[0] & 0xff
        self.held = [struct.unpack_from("<Q", data, at + 128 + 24 * i)[0]
                     for i in range(min(self.count, HELD))]
        self.kinds = [struct.unpack_from("<H", data, at + 128 + 24 * i + 22)[0]
                      for i in range(min(self.count, HELD))]


class Finding:
    def __init__(self, data, at):
        words = struct.unpack_from("<10I2QQ", data, at)
        self.is_ready, self.kind = words[0], words[1]
        self.locks = words[10:12]
        self.stacks = [struct.unpack_from(f"<{min(depth, STACK)}Q", data, at + 64 + 8 * STACK * i)
                       for i, depth in enumerate(words[7:9])]


class Segment:
    def __init__(self, folder, pid):
        self.findings, self.pages, self.made = [], {}, 0
        for path in glob.glob(f"{folder}/{pid}-*.seg"):
            with open(path, "rb") as file:
                self.read(file.read())
        same(len(self.findings), self.made, "how many findings can be read")

    def read(self, data):
        at, used = 4096, struct.unpack_from("<Q", data, 32)[0]
        while at < used:
            magic, kind, size, _, count, owner = struct.unpack_from("<IIQIIQ", data, at)
            same(magic, 0x58434f54, "the magic of an extent")
            if kind == 16:
                self.made += struct.unpack_from("<Q", data, at + 64 + 32)[0]
            if kind == 20:
                found = [Finding(data, at + 64 + FINDING * i) for i in range(count)]
                self.findings += [finding for finding in found if finding.is_ready]
            if kind == 21:
                self.pages[owner] = Page(data, at + 64)
            at += size


# ---- The program -------------------------------------------------------------------------

def symbols():
    """(address, name) of the functions of the program, in order."""
    listed = subprocess.run(["nm", LOCKS], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    return sorted((int(line.split()[0], 16), line.split()[2]) for line in listed.splitlines()
                  if re.match(r"[0-9a-f]+ [tT] ", line))


class Program:
    """Runs a scenario until it says a word, then more."""

    def __init__(self, folder, scenario):
        self.folder = folder
        self.process = subprocess.Popen(
            [LOCKS, scenario], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            env={**os.environ, "TOCSIN_DIR": folder, "LD_PRELOAD": LIBRARY})
        self.said = {}

    def until(self, word):
        for line in self.process.stdout:
            name, value = line.split()
            self.said[name] = int(value)
            if name == word:
                return self
        raise AssertionError(f"it never said {word}, but {self.said}; it ended with "
                             f"{self.process.wait(DEADLINE_S)}")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def segment(self, pid=None):
        return Segment(self.folder, pid or self.process.pid)

    def page(self):
        return self.segment().pages[self.said["thread"]]

    def names(self, stack):
        """Of the functions of the program that are in it."""
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as maps:
            base = next(int(line.split("-")[0], 16) for line in maps if LOCKS in line)
        named = []
        for address in stack:
            before = [name for at, name in SYMBOLS if at < address - base]
            if before and address - base < SYMBOLS[-1][0]:
                named.append(before[-1])
        return named


@contextlib.contextmanager
def program(scenario, word="done"):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        it = Program(folder, scenario)
        try:
            yield it.until(word)
            it.process.stdin.close()
            same(it.process.wait(DEADLINE_S), 0, "the status")
        finally:
            it.process.kill()
            it.process.wait()
            it.process.stdout.close()


# ---- Orders ------------------------------------------------------------------------------

# Each with the functions that must be in the first stack and in the second, or () if all is well.
ORDERS = {
    "abba": ("take_ba", "take_ab"),
    "abab": (),
    "three_way": ("take_ca", "take_ab"),
    "gated": (),
    "gated_not_always": ("take_ba", "take_ab"),
    "gated_by_readers": ("take_ba", "take_ab"),
    "one_thread": (),
    "one_thread_then_another": ("take_ab", "take_ba"),
    "before_threads": (),
    "class_by_place": ("a_then_two", "one_then_a"),
    "instances": ("take_two_one", "take_one_two"),
    "instances_in_order": (),
    "philosophers": ("take_three_one", "take_one_two"),
    "gated_instances": (),
    "instances_renewed": (),
    "instances_forgotten": (),
    "other_place": (),
    "remade": ("a_then_one", "one_then_a_remade"),
    "not_initialised": (),
    "many": (),
    "tried": (),
    "from_tried": ("take_ba", "tried_a_then_b"),
    "readers_and_writers": ("a_then_write", "read_then_a"),
    "reads_again": (),
    "spins": ("spin_right_left", "spin_left_right"),
    "c11": ("c11_there_here", "c11_here_there"),
    "any_order": (),
    "taken_after_waiting": ("take_ab", "wait_with_b"),
}


def complaints(wanted, findings, names):
    """What is wrong with these findings, in sentences."""
    wrong = [f"of another kind: {finding.kind}" for finding in findings if finding.kind != ORDER]
    if len(findings) != (1 if wanted else 0):
        wrong.append(f"{len(findings)} were found: {[[names(s) for s in f.stacks] for f in findings]}")
    for finding in findings[:1]:
        wrong += [f"{name} is not in {names(stack)}" for name, stack in zip(wanted, finding.stacks)
                  if name not in names(stack)]
    return wrong


def order_of(scenario, wanted):
    def test():
        with program(scenario) as it:
            wrong = complaints(wanted, it.segment().findings, it.names)
            assert not wrong, "\n".join(wrong)
    test.__name__ = f"{scenario} {'is found once' if wanted else 'is silent'}"
    return test


def what_is_wrong_is_complained_about():
    """The checker is shown what it must refuse."""
    class Fake:
        kind, stacks = ORDER, (("take_ba",), ("take_ab",))
    same(complaints(("take_ba", "take_ab"), [Fake], list), [], "what is right")
    same(len(complaints(("take_ba", "take_ab"), [], list)), 1, "what is missing")
    same(len(complaints(("take_ba", "take_ab"), [Fake, Fake], list)), 1, "what is said twice")
    same(len(complaints(("take_ab", "take_ba"), [Fake], list)), 2, "what is the wrong way round")
    same(len(complaints((), [Fake], list)), 1, "what should be silent")


def every_scenario_is_tried():
    listed = subprocess.run([LOCKS], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    same(set(listed.split()), {*ORDERS, *HELDS}, "what is there")


def two_circles_are_found():
    with program("two_circles") as it:
        same([[it.names(stack)[0] for stack in finding.stacks] for finding in it.segment().findings],
             [["take_ca", "take_ab"], ["take_ba", "take_ab"]], "what is found")


def locks_are_named():
    with program("abba") as it:
        same(it.segment().findings[0].locks, (it.said["b"], it.said["a"]), "the locks")


# ---- Holding and waiting -----------------------------------------------------------------

def waits_are_seen_while_they_last():
    with program("waits", "waiting") as it:
        a, b = it.said["a"], it.said["b"]
        until(lambda: it.page().is_waiting)
        page = it.page()
        same((page.wait_lock, page.wait_kind, page.held), (a, MUTEX, [b]), "what it waits for")
        same(it.segment().pages[it.said["main"]].held, [a], "what its owner holds")
        same([finding.kind for finding in it.segment().findings], [ORDER], "what is found already")
        it.go()
        it.until("done")
        same((it.page().is_waiting, it.page().held), (False, []), "what is left")


def who_waits_for_itself_is_found():
    with program("itself") as it:
        until(lambda: it.page().is_waiting)
        finding, = it.segment().findings
        same((finding.kind, finding.locks[0]), (ITSELF, it.said["a"]), "what is found")
        same([("lock_twice" in it.names(stack), "locks_lock" in it.names(stack))
              for stack in finding.stacks], [(True, True), (False, True)], "where")
        same(it.page().held, [it.said["a"]], "what it holds")


def who_reads_and_wants_to_write_is_found():
    with program("itself_for_writing") as it:
        until(lambda: it.page().is_waiting)
        finding, = it.segment().findings
        same((finding.kind, finding.locks[0]), (ITSELF, it.said["table"]), "what is found")
        same((it.page().kinds, it.page().wait_kind), ([READ], WRITE), "how")


def recursive_ones_are_held_once():
    with program("recursive", "waiting") as it:
        same((it.page().held, it.page().kinds), ([it.said["again"]], [RECURSIVE]), "what it holds")
        it.go()
        it.until("done")
        same((it.page().held, it.segment().findings), ([], []), "what is left")


def who_is_alone_holds_the_same():
    with program("alone", "waiting") as it:
        page = it.segment().pages[it.said["main"]]
        same((page.held, page.kinds), ([it.said["again"], it.said["a"]], [RECURSIVE, MUTEX]), "what it holds")
        it.go()
        it.until("done")
        same(it.segment().pages[it.said["main"]].held, [it.said["a"]], "what is left")


def who_is_alone_and_waits_for_itself_is_found():
    with program("itself_alone", "waiting") as it:
        until(lambda: it.segment().pages[it.said["main"]].is_waiting)
        finding, = it.segment().findings
        same((finding.kind, finding.locks[0]), (ITSELF, it.said["a"]), "what is found")
        same([("itself_alone" in it.names(stack)) for stack in finding.stacks], [True, False], "where")
        assert "locks_lock" in it.names(finding.stacks[1]), "where it was taken"
        it.process.terminate() # it waits for ever


def who_is_refused_gave_nothing_back():
    with program("refused") as it:
        same(it.segment().pages[it.said["main"]].held, [it.said["mine"]], "what it holds")


def more_than_there_is_room_for_leaves_nothing():
    with program("sixteen_and_more") as it:
        same((it.page().held, it.segment().findings), ([it.said["a"]], []), "what it holds")


def handed_over_leaves_nothing():
    with program("handed_over") as it:
        same([lock for lock in it.page().held if lock], [it.said["b"]], "what it holds")
        same(it.segment().findings, [], "what is found")


def a_cancelled_wait_holds_and_gives_back():
    with program("cancelled", "waiting") as it:
        page = it.page()
        same((page.is_waiting, page.wait_lock, page.wait_kind, page.held),
             (True, it.said["condition"], CONDITION, []), "while it waits")
        same(page.wait_mutex, it.said["a"], "what it is going to hold again")
        it.go()
        it.until("done")
        same((it.page().is_waiting, it.page().held, it.segment().findings), (False, [], []), "after")


def a_semaphore_is_waited_for():
    with program("semaphore", "waiting") as it:
        until(lambda: it.page().is_waiting)
        same((it.page().wait_lock, it.page().wait_kind), (it.said["tickets"], SEMAPHORE), "the wait")
        it.go()
        it.until("done")
        same(it.page().is_waiting, False, "whether it still waits")


def a_child_gives_back_what_its_parent_held():
    with program("forked", "child") as it:
        child = it.segment(it.said["child"])
        same([page.held for page in child.pages.values()], [[]] * len(child.pages), "of the child")
        same([finding.kind for finding in child.findings], [ORDER], "what is found there")
        it.go()
        it.until("done")
        same(it.segment().pages[it.said["main"]].held, [it.said["a"], it.said["b"]], "of its parent")
        same(it.segment().findings, [], "what is found in its parent")


def a_storm_leaves_nothing():
    with program("storm") as it:
        same(it.said["difference"], 0, "what the locks did not protect")
        pages = it.segment().pages
        same([[lock for lock in page.held if lock] for page in pages.values()], [[]] * len(pages),
             "what is held")
        same(it.segment().findings, [], "what is found")


def who_is_interrupted_holds_what_it_holds():
    with program("interrupted") as it:
        same(it.page().held, [it.said["b"]], "what it holds")


HELDS = ["two_circles", "interrupted", "waits", "itself", "itself_for_writing", "recursive", "alone",
         "itself_alone", "refused",
         "sixteen_and_more", "handed_over", "cancelled", "semaphore", "forked", "storm", "counting"]


# ---- The program notices nothing ----------------------------------------------------------

def every_function_does_what_libc_does():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        alone, seen = (subprocess.run([CONFORM], stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S,
                                      encoding="utf-8", env={**os.environ, **more}).stdout.splitlines()
                       for more in ({}, {"TOCSIN_DIR": folder, "LD_PRELOAD": LIBRARY}))
        assert len(alone) > 900, len(alone)
        different = [(place, one, other) for place, (one, other) in enumerate(zip(alone, seen))
                     if one != other]
        same((different[:3], len(seen)), ([], len(alone)), "what they answer alone and here")


def helgrind_knows_of_every_lock():
    """It complains of ours, which reads and writes without locks, but not of the program."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        done = subprocess.run(["valgrind", "--tool=helgrind", LOCKS, "counting"], stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=DEADLINE_S, check=True,
                              env={**os.environ, "TOCSIN_DIR": folder, "LD_PRELOAD": LIBRARY})
    assert "ERROR SUMMARY" in done.stderr, done.stderr
    accused = [line for line in done.stderr.splitlines() if "under_lock" in line]
    same(accused, [], "what it says of what the lock protects")


SYMBOLS = symbols()
sys.exit(run_tests([
    every_function_does_what_libc_does,
    every_scenario_is_tried,
    what_is_wrong_is_complained_about,
    a_storm_leaves_nothing,
    who_is_interrupted_holds_what_it_holds,
    *[order_of(scenario, wanted) for scenario, wanted in ORDERS.items()],
    two_circles_are_found,
    locks_are_named,
    waits_are_seen_while_they_last,
    who_waits_for_itself_is_found,
    who_reads_and_wants_to_write_is_found,
    recursive_ones_are_held_once,
    who_is_alone_holds_the_same,
    who_is_alone_and_waits_for_itself_is_found,
    who_is_refused_gave_nothing_back,
    more_than_there_is_room_for_leaves_nothing,
    handed_over_leaves_nothing,
    a_cancelled_wait_holds_and_gives_back,
    a_semaphore_is_waited_for,
    a_child_gives_back_what_its_parent_held,
    helgrind_knows_of_every_lock,
], at_once=4))
