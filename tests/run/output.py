#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program's error output under `tocsin run`: every byte of it, counted, and our lines between.
usage: output.py TOCSIN"""

import os
import pty
import random
import re
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
from harness import DEADLINE_S, PYTHON, TOCSIN, Run, has, lacks, run_tests, same  # noqa: E402


def write_file(run_place, data):
    path = os.path.join(run_place, "data")
    with open(path, "wb") as file:
        file.write(data)
    return path


def passes(data, **more):
    """What comes out of standard error when these bytes go in."""
    with Run("true") as other:
        other.wait()
        path = write_file(other.place, data)
        with Run("sh", "-c", f"cat {path} >&2", options=["--quiet"], **more) as run:
            same(run.wait(), 0)
            return run.error_bytes()


def binary_passes_unchanged():
    data = random.Random(1).randbytes(3_000_000) + bytes(range(256))
    assert passes(data) == data, "bytes were changed"


def partial_lines_pass_unchanged():
    for data in b"no newline", b"\n", b"\n\n\n", b"a\nb", b"\0", b"x" * 100_000, b"a\r\nb\r":
        assert passes(data) == data, data[:50]


def nothing_is_held_back():
    script = ("import os, sys\n"
              "os.write(2, b'prompt> ')\n"
              "sys.stdin.readline()\n"
              "os.write(2, b'done')\n")
    reader, writer = os.pipe()
    with Run(PYTHON, "-c", script, options=["--quiet"], stdin=subprocess.PIPE, stderr=writer) as run:
        os.close(writer)
        same(os.read(reader, 100), b"prompt> ")  # before the program goes on
        run.process.stdin.write(b"\n")
        run.process.stdin.flush()
        same(os.read(reader, 100), b"done")
        same(run.wait(), 0)
        same(os.read(reader, 100), b"")
    os.close(reader)


FLOOD = ("import sys\n"
         "lines = [b'%06d all is well here\\n', b'%06d ERROR disk %%d is gone\\n', b'%06d warning: slow\\n']\n"
         "out = b''.join((lines[1 if i % 10 == 3 else 2 if i % 10 == 7 else 0] % i) for i in range(200000))\n"
         "sys.stderr.buffer.write(out)\n")


def a_flood_is_exact_and_counted():
    wanted = subprocess.run([PYTHON, "-c", FLOOD], stderr=subprocess.PIPE, timeout=DEADLINE_S,
                            check=True).stderr
    same(wanted.count(b"\n"), 200000)
    with Run(PYTHON, "-c", FLOOD, options=["--quiet"]) as run:
        same(run.wait(), 0)
        assert run.error_bytes() == wanted, "bytes were changed"
        same(run.until_alert("log_warnings")["severity"], "note")
        values = [a["value"] for a in run.alerts("log_errors") + run.alerts("log_warnings")]
        assert max(values) <= 20000, values
        logs = run.events("log")
        assert 1 <= len(logs) <= 100, len(logs)
        total = sum(1 + log["details"]["withheld"] for log in logs)
        assert total <= 40000, total


def every_line_is_counted_once():
    """The alert resolves at the end with what was counted to the last."""
    script = "i=0; while [ $i -lt 25 ]; do echo \"error: disk $i\" >&2; i=$((i+1)); done"
    with Run("sh", "-c", script) as run:
        same(run.wait(), 0)
        same(run.alerts("log_errors", "resolved")[0]["value"], 25)


def errors_alert_without_probes():
    with Run("sh", "-c", "echo fine >&2; echo 'ERROR: disk \033[31mgone' >&2; read x; exit 0",
             stdin=subprocess.PIPE) as run:
        alert = run.until_alert("log_errors")
        same((alert["module"], alert["severity"], alert["kind"], alert["signal"]),
             ("process", "warn", "logs", "per_minute"))
        same((alert["program"], alert["pid"]), ("sh", run.pid()))
        same(alert["details"], {"message": "ERROR: disk \\x1b[31mgone"})
        log = run.events("log")[0]
        same((log["severity"], log["message"]), ("error", "ERROR: disk \\x1b[31mgone"))
        run.until_said("WARN sh[")
        for line in run.own_lines():
            lacks(line, "\x1b")
        run.process.stdin.close()
        same(run.status(), 0)
        ended = run.until_alert("log_errors", "resolved")
        same((ended["id"], ended["details"]), (alert["id"], {"reason": "ended"}))


def harmless_lines_do_not_alert():
    with Run("sh", "-c", "echo '0 errors, no error, error=0' >&2") as run:
        same(run.wait(), 0)
        same((run.alerts(), run.events("log")), ([], []))


def our_lines_stand_alone():
    script = ("import os, sys\n"
              "for i in range(20000):\n"
              "    os.write(2, b'ERROR first half ')\n"
              "    os.write(2, b'and second half\\n')\n")
    with Run(PYTHON, "-c", script) as run:
        same(run.wait(), 0)
        has(run.errors(), "tocsin: WARN")
        for line in run.error_bytes().split(b"\n")[:-1]:
            assert line == b"ERROR first half and second half" or line.startswith(b"tocsin: "), line


def our_line_does_not_wait_for_ever_for_the_end_of_a_line():
    script = "printf 'error: x\\nprompt> ' >&2; read x; echo rest >&2"
    with Run("sh", "-c", script, stdin=subprocess.PIPE) as run:
        run.until_said("tocsin: WARN")
        run.process.stdin.close()
        same(run.status(), 0)
        same(re.sub(r"(?m)^tocsin: .*\n", "", run.errors()), "error: x\nprompt> \nrest\n")


def quiet_says_no_alerts():
    with Run("sh", "-c", "echo error: x >&2", options=["-q"]) as run:
        same(run.wait(), 0)
        same(run.errors(), "error: x\n")
        same(len(run.alerts("log_errors", "firing")), 1)


def without_logs_the_output_is_left_alone():
    with Run("sh", "-c", "readlink /proc/self/fd/2; echo error: x >&2", options=["--no-logs"]) as run:
        same(run.wait(), 0)
        same(run.out.decode().strip(), run.error_path)
        same(run.alerts(), [])
        has(run.errors(), "sh carries no probes; watching its exit only")


def a_program_without_probes_is_told_once():
    with Run("sh", "-c", "exit 0") as run:
        run.wait()
        same(run.own_lines(), ["tocsin: sh carries no probes; watching its exit and its error "
                               "output only"])
    with Run("sh", "-c", "read x", stdin=subprocess.PIPE) as run:
        run.until_said("carries no probes")
        same(run.process.poll(), None)
        run.process.stdin.close()
        run.status()
        same(len(run.own_lines()), 1)


def an_error_output_that_is_closed_reaches_the_program():
    script = ("import os, signal, sys\n"
              "signal.signal(signal.SIGPIPE, signal.SIG_IGN)\n"
              "sys.stdin.readline()\n"
              "try:\n"
              "    while True:\n"
              "        os.write(2, b'x' * 1000)\n"
              "except BrokenPipeError:\n"
              "    os._exit(8)\n")
    reader, writer = os.pipe()
    with Run(PYTHON, "-c", script, stdin=subprocess.PIPE, stderr=writer) as run:
        os.close(writer)
        os.close(reader)
        run.process.stdin.write(b"\n")
        run.process.stdin.close()
        same(run.status(), 8)


def a_blocked_error_output_holds_neither_alerts_nor_ticks():
    reader, writer = os.pipe()
    script = "import os\nos.write(2, b'error: x\\n')\nwhile True:\n    os.write(2, b'y' * 65536)\n"
    with Run(PYTHON, "-c", script, stderr=writer) as run:
        os.close(writer)
        run.until_alert("log_errors")  # nobody reads
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reader, 65536), b"")])
        drain.start()
        run.process.terminate()
        same(run.status(), 143)
    drain.join(DEADLINE_S)
    os.close(reader)


def a_blocked_error_output_does_not_hold_back_a_crash():
    """The pipe is full before the program starts, and nobody reads it until all has been said."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    with Run("sh", "-c", "echo ERROR >&2; kill -SEGV $$", stderr=writer) as run:
        os.close(writer)
        run.until_alert("log_errors")
        run.until_alert("crash")
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reader, 65536), b"")])
        drain.start()
        same(run.status(), 139)
    drain.join(DEADLINE_S)
    os.close(reader)


def the_output_goes_on_without_the_watcher():
    """Nothing that watches may harm what it watches by dying: the next line would be a SIGPIPE."""
    script = "echo one >&2; read x; echo two >&2; echo three >&2"
    with Run("sh", "-c", script, stdin=subprocess.PIPE) as run:
        run.until_said("one")
        run.process.kill()
        run.process.wait()
        run.process.stdin.close()
        run.until_said("two\nthree\n")


def on_terminal(env):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(TOCSIN, [TOCSIN, "run", "--", "sh", "-c", "echo error: x >&2"],
                  {**os.environ, "TERM": "xterm", **env})
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:
        pass  # the end of a terminal
    os.waitpid(child, 0)
    os.close(terminal)
    return seen


def colour_is_for_terminals_that_want_it():
    has(on_terminal({"NO_COLOR": ""}), b"\x1b[1;33mWARN \x1b[0m")
    lacks(on_terminal({"NO_COLOR": "1"}), b"\x1b")
    lacks(on_terminal({"TERM": "dumb"}), b"\x1b")


if __name__ == "__main__":
    sys.exit(run_tests([
        binary_passes_unchanged, partial_lines_pass_unchanged, nothing_is_held_back,
        a_flood_is_exact_and_counted, every_line_is_counted_once, errors_alert_without_probes,
        harmless_lines_do_not_alert, our_lines_stand_alone,
        our_line_does_not_wait_for_ever_for_the_end_of_a_line, quiet_says_no_alerts,
        without_logs_the_output_is_left_alone, a_program_without_probes_is_told_once,
        an_error_output_that_is_closed_reaches_the_program,
        a_blocked_error_output_holds_neither_alerts_nor_ticks,
        a_blocked_error_output_does_not_hold_back_a_crash,
        the_output_goes_on_without_the_watcher, colour_is_for_terminals_that_want_it,
    ]))
