#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How `tocsin run` starts, ends and passes signals. usage: status.py TOCSIN"""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from harness import DEADLINE_S, PYTHON, TOCSIN, Run, has, lacks, run_tests, same, until  # noqa: E402

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever starts us may ignore it, as nohup does


def the_status_is_the_programs():
    for status in 0, 1, 2, 77, 125, 255:
        with Run("sh", "-c", f"exit {status}") as run:
            same(run.wait(), status)
            same(run.events("exit")[0]["status"], status)
            same(run.run_dirs(), [], "what is left")


def a_signal_is_128_and_its_number():
    for number in signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1:
        with Run("sh", "-c", f"kill -{int(number)} $$") as run:
            same(run.wait(), 128 + number)
            same(run.events("exit")[0]["signal"], number.name)


def a_crash_is_an_alert_and_stays():
    with Run("sh", "-c", "ulimit -c 0; kill -SEGV $$") as run:
        run.wait()
        crash = run.events("crash")[0]
        same((crash["signal"], crash["number"], crash["core_dumped"]), ("SIGSEGV", 11, False))
        alert = run.alerts("crash")
        same([a["state"] for a in alert], ["firing"])
        same((alert[0]["module"], alert[0]["severity"]), ("process", "page"))
        has(run.errors(), "process.crash: the program crashed (SIGSEGV)")
        same([e["type"] for e in run.events()], ["start", "crash", "alert", "exit"])


def an_end_that_was_asked_for_is_no_crash():
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE:
        with Run("sh", "-c", f"kill -{int(number)} $$") as run:
            same(run.wait(), 128 + number)
            same(run.events("crash"), [])


def a_missing_program_is_127():
    with tempfile.TemporaryDirectory() as place:
        script = os.path.join(place, "script")
        with open(script, "w") as file:
            file.write("#!/nonexistent/interpreter\n")
        os.chmod(script, 0o700)
        for command, words in ((["no-such-program-here"], "no program 'no-such-program-here'"),
                               (["/no/such/file"], "there is no such file"),
                               ([script], "the interpreter")):
            with Run(*command) as run:
                same(run.wait(), 127)
                same(len(run.errors().splitlines()), 1, "lines")
                has(run.errors(), words)
                same(run.run_dirs(), [])
                same(run.events(), [])


def a_program_that_cannot_be_executed_is_126():
    with tempfile.TemporaryDirectory() as place:
        plain = os.path.join(place, "plain")
        with open(plain, "w") as file:
            file.write("x")
        for command, words in ((plain, "chmod +x"), (place, "is a directory")):
            with Run(command) as run:
                same(run.wait(), 126)
                has(run.errors(), words)
                same(len(run.errors().splitlines()), 1, "lines")


def path_is_searched_as_a_shell_does():
    """A file that is not executable denies; a directory that is not for us does not."""
    with tempfile.TemporaryDirectory() as place:
        closed = os.path.join(place, "closed")
        os.mkdir(closed, 0o000)
        plain = os.path.join(place, "plain")
        with open(plain, "w") as file:
            file.write("x")
        path = f"{closed}:{place}:{os.environ['PATH']}"
        with Run("plain", env={"PATH": path}) as run:
            same(run.wait(), 126)
            has(run.errors(), f"chmod +x '{plain}'")
        with Run("no-such-program-here", env={"PATH": path}) as run:
            same(run.wait(), 127)


def refused(*arguments, env=None):
    done = subprocess.run([TOCSIN, "run", *arguments], capture_output=True, text=True,
                          timeout=DEADLINE_S, env={**os.environ, **(env or {})}, check=False)
    same((done.returncode, done.stdout), (125, ""))
    same(len(done.stderr.splitlines()), 1, f"lines of {done.stderr!r}")
    return done.stderr


def our_own_failures_are_125():
    has(refused("--nonsense", "--", "true"), "--nonsense")
    has(refused(), "is missing")
    has(refused("--webhook", "ftp://x/", "--", "true"), "no address of a webhook")
    has(refused("--webhook", "file:///etc/passwd", "--", "true"), "no address of a webhook")
    has(refused("--events", "/nonexistent/x", "--", "true"), "a file that you may write")
    has(refused("--events", "/", "--", "true"), "a file that you may write")
    has(refused("--dir", "/proc", "--", "true"), "with --dir")
    has(refused("--dir", "/nonexistent/x", "--", "true"), "--dir")
    has(refused("--", "true", env={"TOCSIN_DIR": "/proc/self"}), "--dir")
    has(refused("--", "true", env={"TOCSIN_DIR": "relative"}), "absolute")


def directories_of_others_and_links_are_refused():
    with tempfile.TemporaryDirectory() as place:
        open_to_all = os.path.join(place, "open")
        os.mkdir(open_to_all)
        os.chmod(open_to_all, 0o777)
        has(refused("--dir", open_to_all, "--", "true"), "chmod 700")
        os.symlink(open_to_all, os.path.join(place, "link"))
        has(refused("--dir", os.path.join(place, "link"), "--", "true"), "symbolic link")
        long_path = os.path.join(place, "x" * 100)
        has(refused("--dir", long_path, "--", "true"), "too long")
        if os.geteuid() == 0:
            theirs = os.path.join(place, "theirs")
            os.mkdir(theirs, 0o700)
            os.chown(theirs, 4242, 4242)
            has(refused("--dir", theirs, "--", "true"), "belongs to user 4242")


def a_fifo_as_event_file_is_refused_and_not_waited_for():
    with tempfile.TemporaryDirectory() as place:
        os.mkfifo(os.path.join(place, "fifo"))
        has(refused("--events", os.path.join(place, "fifo"), "--", "true"), "fifo")


def help_has_examples():
    done = subprocess.run([TOCSIN, "run", "--help"], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=True)
    same(done.stderr, "")
    for part in "Usage: tocsin run", "Examples:", "--on-alert", "--fail-on-alert", "127":
        has(done.stdout, part)


def the_program_gets_a_directory_of_its_own():
    script = "echo $TOCSIN_DIR; stat -c '%a %F' $TOCSIN_DIR $TOCSIN_DIR/bell; env | grep -c RECEIVER"
    with Run("sh", "-c", script) as run:
        run.wait()
        lines = run.out.decode().split("\n")
        same(lines[0].rsplit("/", 1)[0], run.base)
        same(lines[1:4], ["700 directory", "600 socket", "0"])
        same(run.run_dirs(), [], "what is left")


def the_program_inherits_nothing_of_ours():
    listing = ("import os; print(sorted(int(x) for x in os.listdir('/proc/self/fd'))[:-1]);"
               "s = open('/proc/self/status').read();"
               "print([l for l in s.split('\\n') if l[:6] in ('SigBlk', 'SigIgn')])")
    bare = subprocess.run([PYTHON, "-c", listing], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=True).stdout
    with Run(PYTHON, "-c", listing) as run:
        run.wait()
        same(run.out.decode(), bare)


def sigterm_and_others_are_forwarded():
    script = "trap 'echo usr1' USR1; trap 'echo term; exit 9' TERM; echo up; while :; do sleep 0.02; done"
    with Run("sh", "-c", script) as run:
        same(run.process.stdout.readline(), b"up\n")
        run.process.send_signal(signal.SIGUSR1)
        same(run.process.stdout.readline(), b"usr1\n")
        run.process.send_signal(signal.SIGTERM)
        same(run.wait(), 9)
        same(run.out, b"term\n")


def what_was_forwarded_is_no_crash():
    with Run("sh", "-c", "echo up; exec sleep 100") as run:
        same(run.process.stdout.readline(), b"up\n")
        run.process.send_signal(signal.SIGUSR2)
        same(run.wait(), 128 + signal.SIGUSR2)
        same(run.events("crash"), [])


class Terminal:
    """tocsin as a shell starts it: a process group in the foreground of a terminal."""

    leader = ("import os, sys, signal, subprocess\n"
              "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
              "def front():\n"
              "    os.setpgid(0, 0)\n"
              "    os.tcsetpgrp(0, os.getpid())\n"
              "    signal.signal(signal.SIGTTOU, signal.SIG_DFL)\n"
              "p = subprocess.Popen(sys.argv[1:], preexec_fn=front)\n"
              "print('TOCSIN', p.pid, flush=True)\n"
              "s = p.wait()\n"
              "os.tcsetpgrp(0, os.getpgrp())\n"
              "print('STATUS', s, flush=True)\n")

    def __init__(self, *command, options=()):
        self.seen = b""
        self.shell, self.terminal = pty.fork()
        if self.shell == 0:
            os.execv(PYTHON, [PYTHON, "-c", self.leader, TOCSIN, "run", *options, "--", *command])

    def read(self):
        if select.select([self.terminal], [], [], 0)[0]:
            try:
                self.seen += os.read(self.terminal, 4096)
            except OSError:
                pass  # the other side is closed
        return self.seen

    def until(self, part, count=1):
        until(lambda: self.read().count(part) >= count,
              lambda: f"{part!r} did not come {count} times: {self.seen!r}")

    def pid(self):
        self.until(b"TOCSIN ")
        return int(self.seen.split(b"TOCSIN ")[1].split()[0])

    def status(self):
        self.until(b"STATUS ")
        until(lambda: b"\n" in self.read().split(b"STATUS ")[1])
        return int(self.seen.split(b"STATUS ")[1].split()[0])

    def press_until(self, part):
        def press():
            count = self.seen.count(b"^C")
            self.type(b"\x03")
            self.until(b"^C", count + 1)
            return part in self.read()
        until(press, lambda: f"{part!r} did not come: {self.seen!r}")

    def type(self, text):
        os.write(self.terminal, text)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.close(self.terminal)
        try:
            os.kill(self.shell, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.shell, 0)


def ctrl_c_reaches_the_program_once():
    script = "trap 'n=$((n+1)); echo got $n' INT; echo up; while [ -z \"$n\" ]; do sleep 0.02; done; sleep 0.2; exit $n"
    with Terminal("sh", "-c", script, options=["--quiet"]) as terminal:
        terminal.until(b"up")
        terminal.type(b"\x03")
        same(terminal.status(), 1, "how often it got SIGINT")


def ctrl_c_ends_a_program_that_lets_it():
    with Terminal("sh", "-c", "echo up; exec sleep 100") as terminal:
        terminal.until(b"up")
        terminal.type(b"\x03")
        same(terminal.status(), 130)
        lacks(terminal.seen, b"PAGE")


def the_third_ctrl_c_kills():
    """Two that come before the first was taken are one, so it is pressed until it is heard."""
    with Terminal("sh", "-c", "trap '' INT; echo up; while :; do sleep 0.02; done") as terminal:
        terminal.until(b"up")
        terminal.press_until(b"once more within 3 s kills it")
        terminal.press_until(b"killing sh")
        same(terminal.status(), 137)
        lacks(terminal.seen, b"PAGE")


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def ctrl_z_stops_both_and_continues():
    with Terminal("sh", "-c", "echo up $$; read line; exit 5") as terminal:
        terminal.until(b"up ")
        program = int(until(lambda: terminal.read().split(b"up ")[1].split())[0])
        tocsin = terminal.pid()
        terminal.type(b"\x1a")
        until(lambda: state_of(program) == "T" and state_of(tocsin) == "T", "they did not stop")
        os.killpg(tocsin, signal.SIGCONT)
        until(lambda: state_of(program) != "T" and state_of(tocsin) != "T", "they did not go on")
        terminal.type(b"\n")
        same(terminal.status(), 5)


def an_interrupt_by_kill_is_forwarded():
    with Run("sh", "-c", "trap 'echo int; exit 4' INT; echo up; while :; do sleep 0.02; done") as run:
        same(run.process.stdout.readline(), b"up\n")
        run.process.send_signal(signal.SIGINT)
        same(run.wait(), 4)


FORKS_AWAY = ("import os, sys, time\n"
              "if os.fork():\n"
              "    os._exit(int(sys.argv[1]))\n"
              "os.setsid()\n"
              "end = time.monotonic() + 600\n"
              "while os.path.exists(sys.argv[2]) and time.monotonic() < end:\n"
              "    time.sleep(0.01)\n"
              "os.write(2, b'error: from the daemon\\n')\n")


class Leash:
    """A file: the daemon runs as long as it is there."""

    def __enter__(self):
        self.place = tempfile.mkdtemp()
        self.path = os.path.join(self.place, "leash")
        with open(self.path, "w"):
            return self

    def cut(self):
        os.unlink(self.path)

    def __exit__(self, *unused):
        shutil.rmtree(self.place)


def a_program_that_forks_away_is_watched_on():
    with Leash() as leash, Run(PYTHON, "-c", FORKS_AWAY, "0", leash.path) as run:
        run.until_said("left 1 process running; watching on")
        same(run.process.poll(), None)
        leash.cut()
        same(run.wait(), 0)
        has(run.errors(), "error: from the daemon")
        same(len(run.alerts("log_errors", "firing")), 1)


def an_interrupt_ends_watching_what_was_left():
    with Leash() as leash, Run(PYTHON, "-c", FORKS_AWAY, "0", leash.path) as run:
        run.until_said("watching on")
        run.process.send_signal(signal.SIGINT)
        same(run.status(), 0)  # and not when the daemon ends


def leftovers_of_a_failure_are_not_waited_for():
    with Leash() as leash, Run(PYTHON, "-c", FORKS_AWAY, "3", leash.path) as run:
        same(run.status(), 3)
        has(run.errors(), "left 1 process running, which nobody watches any more")


def a_daemon_gets_the_request_to_end():
    script = ("import os, signal, sys, time\n"
              "if os.fork():\n"
              "    os._exit(0)\n"
              "os.setsid()\n"
              "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n"
              "print('up', flush=True)\n"
              "time.sleep(100)\n")
    with Run(PYTHON, "-c", script) as run:
        same(run.process.stdout.readline(), b"up\n")
        run.until_said("watching on")
        run.process.send_signal(signal.SIGTERM)
        same(run.wait(), 0)


def a_daemon_that_crashes_is_an_alert():
    """Also by SIGKILL, as the kernel does when memory is out, once it has been seen."""
    for number in signal.SIGSEGV, signal.SIGKILL:
        with Leash() as leash, Run(PYTHON, "-c", FORKS_AWAY, "0", leash.path) as run:
            run.until_said("watching on")
            with open(f"/proc/{run.process.pid}/task/{run.process.pid}/children") as file:
                daemon = int(file.read().split()[0])
            os.kill(daemon, number)
            same(run.status(), 0)
            crash = run.events("crash")[0]
            same((crash["pid"], crash["signal"]), (daemon, number.name))
            alert = run.alerts("crash")[0]
            same((alert["pid"], alert["details"]["pid"]), (run.pid(), daemon))
            has(run.errors(), f"the program crashed ({number.name}; process {daemon})")


def orphans_are_reported_while_the_program_runs():
    orphan = "import os, signal\nif os.fork():\n    os._exit(0)\nos.setsid()\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    with Run("sh", "-c", '"$0" -c "$1"; read x; exit 0', PYTHON, orphan, stdin=subprocess.PIPE) as run:
        run.until_alert("crash")
        same(run.process.poll(), None)
        run.process.stdin.close()
        same(run.status(), 0)


def a_program_that_closes_everything_goes_on():
    script = ("import os, sys, time\n"
              "os.closerange(0, 1000)\n"
              "fd = os.open('/dev/null', os.O_RDWR)\n"
              "assert fd == 0\n"
              "os._exit(6)\n")
    with Run(PYTHON, "-c", script) as run:
        same(run.wait(), 6)
        same(run.run_dirs(), [])


def closed_standard_descriptors_harm_nobody():
    for closing in "<&-", ">&-", "2>&-", "<&- >&- 2>&-":
        done = subprocess.run(["sh", "-c", f'exec "$0" run --quiet -- sh -c "exit 7" {closing}', TOCSIN],
                              timeout=DEADLINE_S, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        same((done.returncode, done.stdout, done.stderr), (7, b"", b""), closing)


def fail_on_alert_changes_only_success():
    for status, wanted in (0, 1), (3, 3):
        with Run("sh", "-c", f"echo error: x >&2; exit {status}",
                 options=["--fail-on-alert"]) as run:
            same(run.wait(), wanted)
    with Run("sh", "-c", "echo fine >&2", options=["--fail-on-alert"]) as run:
        same(run.wait(), 0)


def tocsin_within_tocsin():
    with Run(TOCSIN, "run", "--", "sh", "-c", "exit 3") as run:
        same(run.wait(), 3)
        same(run.run_dirs(), [])


if __name__ == "__main__":
    sys.exit(run_tests([
        the_status_is_the_programs, a_signal_is_128_and_its_number, a_crash_is_an_alert_and_stays,
        an_end_that_was_asked_for_is_no_crash, a_missing_program_is_127,
        a_program_that_cannot_be_executed_is_126, path_is_searched_as_a_shell_does, our_own_failures_are_125,
        directories_of_others_and_links_are_refused,
        a_fifo_as_event_file_is_refused_and_not_waited_for, help_has_examples,
        the_program_gets_a_directory_of_its_own, the_program_inherits_nothing_of_ours,
        sigterm_and_others_are_forwarded, what_was_forwarded_is_no_crash,
        ctrl_c_reaches_the_program_once, ctrl_c_ends_a_program_that_lets_it, the_third_ctrl_c_kills,
        ctrl_z_stops_both_and_continues, an_interrupt_by_kill_is_forwarded,
        a_program_that_forks_away_is_watched_on, an_interrupt_ends_watching_what_was_left,
        leftovers_of_a_failure_are_not_waited_for, a_daemon_gets_the_request_to_end,
        a_daemon_that_crashes_is_an_alert, orphans_are_reported_while_the_program_runs,
        a_program_that_closes_everything_goes_on, closed_standard_descriptors_harm_nobody,
        fail_on_alert_changes_only_success, tocsin_within_tocsin,
    ]))
