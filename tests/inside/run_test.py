#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin run --inside`: budgets of modules ring for the right one, the program's output and status stay
its own, and what the library cannot be put in front of is refused before it starts. TAP.
usage: run_test.py TOCSIN HOARD HOARD_LINKED STATIC|- SANITIZED|-"""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "run"))
import harness  # noqa: E402
from harness import Run, Skip, has, lacks, run_tests, same, until  # noqa: E402

HOARD, LINKED, STATIC, SANITIZED = (os.path.abspath(word) if word != "-" else None
                                    for word in sys.argv[2:6])
SEEN = "tocsin: inside: heap, locks, descriptors, calls and threads of {} are seen"
TRUE = shutil.which("true")
LIBC = ctypes.CDLL(None)


class Inside(Run):
    def __init__(self, *command, inside=True, **more):
        super().__init__(*command, options=["--inside"] if inside else [], stdin=subprocess.PIPE,
                         **more)

    def end(self, status=7):
        same(self.wait(), status, f"the status ({self.errors()})")


# ---- Budgets ------------------------------------------------------------------------------

def budget_rings(what, probe, least, severity, words):
    def test():
        with Inside(HOARD, what) as run:
            alert = run.until_alert(probe)
            assert alert["value"] >= least, alert
            same((alert["module"], alert["severity"], alert["program"], alert["pid"]),
                 ("barn", severity, "hoard", run.pid()))
            run.end()
            has(run.errors(), words)
            same([(e["module"], e["probe"]) for e in run.alerts(state="firing")], [("barn", probe)],
                 "what rang")
    test.__name__ = f"a budget of {what} rings for its module"
    return test


def without_the_library_budgets_are_silent():
    with Inside(HOARD, "memory", inside=False) as run:
        same(run.process.stdout.readline(), b"kept\n")
        until(lambda: len(run.run_dirs()) == 1)
        run.end()
        same(run.alerts(), [])
        lacks(run.errors(), "inside:")
        same("inside" in run.events("start")[0], False, "whether it says inside")


# ---- What is said -------------------------------------------------------------------------

def it_says_that_it_sees():
    with Inside(HOARD, "nothing") as run:
        run.until_said(SEEN.format("hoard"))
        same(run.events("start")[0]["inside"], True)
        run.end()
        same(run.alerts(), [])
        same(run.run_dirs(), [], "what is left")


def it_says_that_nobody_sees():
    with Inside("/usr/bin/env", "-i", HOARD, "nothing") as run:
        run.until_said("inside: nobody sees")
        run.end()
        lacks(run.errors(), "are seen")


def a_program_without_probes_is_module_process():
    """It takes a lock twice, which rings soon; a leak would need its windows."""
    code = ("import ctypes, sys\n"
            "libc = ctypes.CDLL(None)\n"
            "lock = ctypes.create_string_buffer(64)\n"
            "libc.pthread_mutex_lock(lock)\n"
            "libc.pthread_mutex_lock(lock)\n")
    with Inside(harness.PYTHON, "-c", code) as run:
        alert = run.until_alert("deadlock")
        same((alert["module"], alert["severity"]), ("process", "page"))
        cycle = alert["details"]["cycle"]
        same(len(cycle), 1)
        same((cycle[0]["held_by"], cycle[0]["module"]), (cycle[0]["thread"], "process"))
        run.process.terminate()
        run.wait()


# ---- The program's own --------------------------------------------------------------------

CODE = ("import os, sys\n"
        "sys.stdout.write('out' * 10000)\n"
        "sys.stderr.write('err\\n')\n"
        "print(sorted(sys.stdin.read()), len(sys.argv))\n"
        "sys.exit(int(sys.argv[1]))\n")


def output_and_status_are_the_programs():
    said = []
    for inside in (False, True):
        with Inside(harness.PYTHON, "-c", CODE, "41", inside=inside) as run:
            run.process.stdin.write(b"some words")
            run.end(41)
            said.append((run.out, [line for line in run.errors().splitlines()
                                   if not line.startswith("tocsin: ")]))
    same(said[1], said[0])
    has(said[0][0].decode(), "outout")


def a_signal_stays_the_reason():
    with Inside("/bin/sh", "-c", "kill -9 $$") as run:
        same(run.wait(), 128 + 9)


def what_was_preloaded_stays():
    with Inside("/bin/sh", "-c", "echo $LD_PRELOAD", env={"LD_PRELOAD": "libm.so.6"}) as run:
        run.end(0)
        first, second = run.out.decode().split(":")
        has(first, "libtocsin-inside.so")
        same(second, "libm.so.6\n")


def a_script_is_its_interpreter():
    with Place() as place:
        script = place.write("script", b"#!/bin/sh\necho done; sleep 2\n")
        with Inside(script) as run:
            run.until_said(SEEN.format("script"))
            run.end(0)
            same(run.out, b"done\n")


# ---- Refusals -----------------------------------------------------------------------------

class Place:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="tocsin-inside-")
        os.chmod(self.path, 0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def write(self, name, data, mode=0o755):
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    def copy(self, source, name):
        with open(source, "rb") as file:
            return self.write(name, file.read())


def is_refused(program, words, env=None):
    with Inside(program, "x", env=env) as run:
        same(run.wait(), 125, f"the status ({run.errors()})")
        lines = run.errors().splitlines()
        same(len(lines), 1, f"how many lines there are in {lines}")
        has(lines[0], "--inside: ")
        has(lines[0], words)
        same((run.out, run.events("start")), (b"", []), "what the program did")


def needs(path, why):
    if not path:
        raise Skip(why)
    return path


def a_static_program_is_refused():
    is_refused(needs(STATIC, "nothing static can be linked here"), "is static")


def a_script_of_a_static_interpreter_is_refused():
    static = needs(STATIC, "nothing static can be linked here")
    with Place() as place:
        is_refused(place.write("script", f"#! {static} -x\n".encode()), "is static")


def what_a_sanitizer_is_in_is_refused():
    is_refused(needs(SANITIZED, "there is no address sanitizer here"), "sanitizer")


def who_gains_rights_is_refused():
    if os.geteuid():
        raise Skip("only root can give a file away")
    with Place() as place:
        program = place.copy(TRUE, "rights")
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o4755)
        is_refused(program, "gains rights")
        os.chown(program, os.geteuid(), 65534)
        os.chmod(program, 0o2755)
        is_refused(program, "gains rights")
        os.chown(program, os.geteuid(), os.getegid())
        os.chmod(program, 0o6755)  # no rights that it does not have
        with Inside(program) as run:
            run.end(0)


def another_machine_is_refused():
    with Place() as place:
        program = place.copy(TRUE, "machine")
        with open(program, "r+b") as file:
            file.seek(18)
            file.write(b"\x08\x00")  # MIPS
        is_refused(program, "another machine")


def a_library_that_is_not_there_is_refused():
    is_refused(TRUE, "TOCSIN_INSIDE", env={"TOCSIN_INSIDE": "/nonexistent/libtocsin-inside.so"})
    is_refused(TRUE, "TOCSIN_INSIDE", env={"TOCSIN_INSIDE": "libtocsin-inside.so"})


def what_cannot_be_read_is_left_to_exec():
    with Place() as place:
        with Inside(place.write("empty", b"")) as run:
            assert run.wait() in (0, 126), run.errors()
            lacks(run.errors(), "--inside: ")
        with Inside(os.path.join(place.path, "missing")) as run:
            same(run.wait(), 127)


def who_is_linked_with_it_needs_no_option():
    with Inside(LINKED, "memory", inside=False) as run:
        alert = run.until_alert("live_bytes")
        same((alert["module"], alert["program"]), ("barn", "hoard_linked"))
        run.end()


# ---- Files that nobody serves ---------------------------------------------------------------

def die_with_parent():
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; of who is stopped, too


class Mirror:
    """A file system, of FUSE, that can be made to hang."""

    def __init__(self, real, seen):
        bindfs = shutil.which("bindfs")
        if not bindfs:
            raise Skip("there is no bindfs")
        os.mkdir(seen)
        self.process = subprocess.Popen([bindfs, "-f", real, seen], stderr=subprocess.PIPE, text=True,
                                        preexec_fn=die_with_parent)
        until(lambda: os.path.ismount(seen) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise Skip("FUSE cannot be had: " + self.process.stderr.read().strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()  # it unmounts
        self.process.communicate(timeout=harness.DEADLINE_S)


def a_file_system_that_hangs_is_heard_and_does_not_hang_the_watcher():
    """The program and what it reads both lie there; whoever asks how they are waits, too."""
    with Place() as place:
        folder = os.path.realpath(place.path)
        real, seen = os.path.join(folder, "real"), os.path.join(folder, "seen")
        os.mkdir(real)
        place.copy(shutil.which("dd"), "real/dd")
        os.truncate(place.write("real/zeros", b""), 1 << 40)
        with (Mirror(real, seen) as mirror,
              Inside(seen + "/dd", f"if={seen}/zeros", "of=/dev/null", "bs=4k") as run):
            run.until_said(SEEN.format("dd"))
            mirror.process.send_signal(signal.SIGSTOP)
            alert = run.until_alert("blocked_ms")
            same((alert["module"], alert["details"]["call"], alert["details"]["file"]),
                 ("process", "read", seen + "/zeros"))
            mirror.process.send_signal(signal.SIGCONT)
            run.until_alert("blocked_ms", "resolved")
            run.process.terminate()
            run.end(128 + signal.SIGTERM)


TESTS = [it_says_that_nobody_sees,
         budget_rings("memory", "live_bytes", 3 << 20, "warn", "the barn is full"),
         budget_rings("descriptors", "descriptors", 20, "note", "the barn has too many doors"),
         without_the_library_budgets_are_silent, it_says_that_it_sees,
         a_program_without_probes_is_module_process, output_and_status_are_the_programs,
         a_signal_stays_the_reason, what_was_preloaded_stays, a_script_is_its_interpreter,
         a_static_program_is_refused, a_script_of_a_static_interpreter_is_refused,
         what_a_sanitizer_is_in_is_refused, who_gains_rights_is_refused, another_machine_is_refused,
         a_library_that_is_not_there_is_refused, what_cannot_be_read_is_left_to_exec,
         who_is_linked_with_it_needs_no_option,
         a_file_system_that_hangs_is_heard_and_does_not_hang_the_watcher]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS, at_once=8))
