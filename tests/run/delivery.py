#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who is told, and that nothing said is lost: webhooks, commands and files that fail.
usage: delivery.py TOCSIN"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from harness import (DEADLINE_S, Run, Skip, Webhook, has, lacks, run_tests, same,  # noqa: E402
                     until)


class Erring(Run):
    """A program that reports an error, and ends when its input does. So: one alert, and at its end one
    that it resolved."""

    def __init__(self, *options, **more):
        super().__init__("sh", "-c", "echo error: x >&2; while read x; do echo $x >&2; done; exit 0",
                         options=options, stdin=subprocess.PIPE, **more)

    def write(self, line):
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        return self.status()


def a_webhook_gets_the_same_event():
    with Webhook() as hook, Erring("--webhook", hook.url) as run:
        until(lambda: hook.bodies)
        same(hook.bodies[0], run.until_alert("log_errors"))
        same(run.end(), 0)
        same([b["state"] for b in hook.bodies], ["firing", "resolved"])
        same(hook.bodies, run.alerts())
        same(run.run_dirs(), [])


def only_alerts_go_to_a_webhook():
    with Webhook() as hook, Erring("--webhook", hook.url) as run:
        same(run.end(), 0)
        same({b["type"] for b in hook.bodies}, {"alert"})
        same({e["type"] for e in run.events()}, {"start", "log", "alert", "exit"})


def a_request_is_as_promised():
    seen = {}

    def answer(handler, _, hook):
        seen.update(handler.headers)
        seen["path"] = handler.path
        hook.accept(handler)
    with Webhook(answer) as hook, Erring("--webhook", hook.url + "?key=1") as run:
        same(run.end(), 0)
        same((seen["path"], seen["Content-Type"]), ("/hook?key=1", "application/json"))
        assert "Expect" not in seen


def two_webhooks_of_one_host_both_get_all():
    paths = []

    def answer(handler, _, hook):
        paths.append(handler.path)
        hook.accept(handler)
    with Webhook(answer) as hook, \
            Erring("--webhook", hook.url + "1", "--webhook", hook.url + "2") as run:
        same(run.end(), 0)
        same(sorted(paths), ["/hook1", "/hook1", "/hook2", "/hook2"])


def a_failing_webhook_is_tried_again():
    for status in 500, 503, 429:
        def answer(handler, count, hook, status=status):
            hook.accept(handler) if count > 2 else hook.refuse(handler, status)
        with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
            until(lambda: hook.bodies)
            run.until_said(f"takes no alerts: it answers {status}; trying on")
            run.until_said(f"webhook http://127.0.0.1:{hook.port} is back, 1 alert delivered")
            same(run.end(), 0)
            same([b["state"] for b in hook.bodies], ["firing", "resolved"])
            same(len([x for x in run.own_lines() if "takes no" in x]), 1)


def an_alert_that_is_refused_is_given_up():
    def answer(handler, count, hook):
        hook.refuse(handler, 400) if count == 1 else hook.accept(handler)
    with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
        run.until_said("refused an alert, which is given up: it answers 400")
        same(run.end(), 0)
        same([b["state"] for b in hook.bodies], ["resolved"])
        has(run.errors(), ": 1 given up")


def redirects_are_not_followed():
    def answer(handler, _, hook):
        handler.send_response(307)
        handler.send_header("Location", "file:///etc/passwd")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
        run.until_said("it answers 307")
        same(run.end(), 0)


def a_webhook_that_comes_late_gets_everything():
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    with Erring("--webhook", f"http://127.0.0.1:{port}/hook") as run:
        run.until_said("takes no alerts")
        with Webhook(port=port) as hook:
            until(lambda: hook.bodies)
            run.until_said("is back, 1 alert delivered")
            same(run.end(), 0)
            same([b["state"] for b in hook.bodies], ["firing", "resolved"])


def garbage_and_endless_answers():
    def garbage(handler, count, hook):
        if count > 1:
            hook.accept(handler)
        else:
            handler.wfile.write(b"\x00\xffnothing that is HTTP\r\n\r\n")
            handler.close_connection = True
    with Webhook(garbage) as hook, Erring("--webhook", hook.url) as run:
        until(lambda: hook.bodies)
        same(run.end(), 0)

    def endless(handler, _, hook):
        hook.bodies.append(json.loads(handler.body))
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            handler.close_connection = True
    with Webhook(endless) as hook, Erring("--webhook", hook.url) as run:
        until(lambda: hook.bodies)
        same(run.end(), 0)
        same([b["state"] for b in hook.bodies], ["firing", "resolved"])


def a_slow_webhook_holds_neither_program_nor_events():
    release = threading.Event()

    def answer(handler, _, hook):
        release.wait(DEADLINE_S)
        hook.accept(handler)
    with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
        until(lambda: hook.requests)
        run.until_alert("log_errors")  # in the file, while the webhook has not answered
        run.write(b"more\n")
        run.until_said("more")
        release.set()
        same(run.end(), 0)


def what_is_not_delivered_is_kept():
    def answer(handler, _, hook):
        hook.refuse(handler, 500)
    with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
        run.until_said("takes no alerts")
        run.process.stdin.close()
        same(run.status(), 0)  # within a bounded time, and still the program's
        has(run.errors(), ": 2 not delivered; kept in ")
        same(len(run.run_dirs()), 1)
        outbox = os.path.join(run.base, run.run_dirs()[0], "outbox.db")
        has(run.errors(), outbox)
        import sqlite3  # pylint: disable=import-outside-toplevel
        with sqlite3.connect(outbox) as db:
            bodies = [json.loads(b) for (b,) in db.execute("SELECT body FROM events WHERE type = 1")]
        same([b["state"] for b in bodies], ["firing", "resolved"])


def an_interrupt_skips_the_wait():
    release = threading.Event()

    def answer(handler, _, hook):
        release.wait(DEADLINE_S)
        hook.refuse(handler, 500)
    with Webhook(answer) as hook, Erring("--webhook", hook.url) as run:
        until(lambda: hook.requests)
        run.process.stdin.close()
        until(lambda: run.events("exit"))  # from here on it only delivers
        run.process.send_signal(signal.SIGINT)
        same(run.status(), 0)
        has(run.errors(), "not delivered")
        release.set()


def a_command_gets_the_event_on_its_input():
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "got")
        with Erring("--on-alert", f"cat >> {path}", "--on-alert",
                    f"env | grep -c TOCSIN_DIR >> {path}.env; true") as run:
            same(run.end(), 0)
            with open(path) as file:
                got = [json.loads(line) for line in file]
            same(got, run.alerts())
            same([g["state"] for g in got], ["firing", "resolved"])
            with open(path + ".env") as file:
                same(file.read(), "0\n0\n")


def a_failing_command_is_tried_again_and_then_given_up():
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "tries")
        with Erring("--on-alert", f"echo x >> {path}; echo no luck >&2; exit 3") as run:
            run.until_said("takes no alerts: exit status 3: no luck; trying on")
            run.until_said("refused an alert, which is given up: exit status 3: no luck")
            with open(path) as file:
                same(len(file.read()), 10, "five tries")
            same(run.end(), 0)
            same(len([x for x in run.own_lines() if "takes no" in x]), 1)


def a_command_that_is_not_there_is_given_up_at_once():
    with Erring("--on-alert", "no-such-command-here") as run:
        run.until_said("exit status 127")
        same(run.end(), 0)
        has(run.errors(), ": 2 given up")


def a_command_that_does_not_read_or_leaves_children():
    with Erring("--on-alert", "sleep 1000 & exit 0") as run:
        same(run.end(), 0)
        same(run.alerts("log_errors", "resolved")[0]["details"], {"reason": "ended"})
        lacks(run.errors(), "takes no")


def a_hanging_command_is_left_behind_dead():
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "pid")
        with Erring("--on-alert", f"sh -c 'echo $$ > {path}.new; mv {path}.new {path}; sleep 1000; true'; true") as run:
            until(lambda: os.path.exists(path))
            with open(path) as file:
                pid = int(file.read())
            run.process.stdin.close()
            until(lambda: run.events("exit"))
            run.process.send_signal(signal.SIGINT)
            same(run.status(), 0)
            has(run.errors(), "not delivered")
            until(lambda: not os.path.exists(f"/proc/{pid}") or " Z " in open(f"/proc/{pid}/stat").read(),
                  "the command outlived us")


def the_event_file_is_private_and_appended():
    with Run("true") as run:
        run.wait()
        same(oct(os.stat(run.event_path).st_mode & 0o777), "0o600")
        with Run("true", place=run.place) as again:
            again.wait()
            same([e["type"] for e in again.events()], ["start", "exit"] * 2)
            same(len({e["id"] for e in again.events()}), 4, "ids")
            os.makedirs(run.place, exist_ok=True)


def a_line_that_somebody_left_open_is_ended_first():
    with Run("true") as run:
        run.wait()
        with open(run.event_path, "w") as file:
            file.write('{"half":')
        with Run("true", place=run.place) as again:
            again.wait()
            with open(run.event_path) as file:
                lines = file.read().split("\n")
            same((lines[0], json.loads(lines[1])["type"]), ('{"half":', "start"))
            os.makedirs(run.place, exist_ok=True)


def a_moved_event_file_is_made_anew():
    with Erring() as run:
        run.until_alert("log_errors")
        os.rename(run.event_path, run.event_path + ".1")
        same(run.end(), 0)
        same([e["type"] for e in run.events()], ["alert", "exit"])


def a_full_disk_is_said_once_and_counted():
    with Run("sh", "-c", "echo error: x >&2; exit 3", events=False, options=["--events", "/dev/full"]) as run:
        same(run.wait(), 3)
        same(len([x for x in run.own_lines() if "event file /dev/full takes no events: No space left" in x]), 1)
        has(run.errors(), "event file /dev/full: 5 not delivered; kept in ")


def a_disk_that_has_room_again_gets_everything():
    if os.geteuid():
        raise Skip("only root can mount a small disk")
    with tempfile.TemporaryDirectory() as place:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tocsin-test", place],
                          capture_output=True, check=False).returncode:
            raise Skip("mounting is not allowed here")
        try:
            filler = os.path.join(place, "filler")
            events = os.path.join(place, "events.jsonl")
            with Erring("--events", events, events=False) as run:
                run.event_path = events
                run.until_alert("log_errors")
                with open(filler, "wb", buffering=0) as file:
                    try:
                        while True:
                            file.write(b"x" * 512)
                    except OSError:
                        pass  # full
                size = os.path.getsize(events)
                end = time.monotonic() + DEADLINE_S
                while "takes no events" not in run.errors() and time.monotonic() < end:
                    run.write(b"error: more\n")
                    time.sleep(0.02)
                run.until_said("takes no events: No space left on device")
                os.unlink(filler)
                run.until_said("is back")
                assert os.path.getsize(events) > size
                same(run.end(), 0)
                same(run.events()[-1]["type"], "exit")  # and every line before it is whole
                same(len({e["id"] for e in run.events("log")}), len(run.events("log")))
        finally:
            subprocess.run(["umount", place], check=True)


def a_run_on_a_full_tmpfs_still_alerts():
    """Neither outbox nor anything else can be written where the run's directory is."""
    if os.geteuid():
        raise Skip("only root can mount a small disk")
    with tempfile.TemporaryDirectory() as place:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "tocsin-test", place],
                          capture_output=True, check=False).returncode:
            raise Skip("mounting is not allowed here")
        try:
            with Webhook() as hook, Erring("--webhook", hook.url, "--dir", place) as run:
                until(lambda: hook.bodies)
                same(run.end(), 0)
                same([b["state"] for b in hook.bodies], ["firing", "resolved"])
                has(run.errors(), "wait in memory")
                same(os.listdir(place), [])
        finally:
            subprocess.run(["umount", place], check=True)


if __name__ == "__main__":
    sys.exit(run_tests([
        a_webhook_gets_the_same_event, only_alerts_go_to_a_webhook, a_request_is_as_promised,
        two_webhooks_of_one_host_both_get_all, a_failing_webhook_is_tried_again,
        an_alert_that_is_refused_is_given_up, redirects_are_not_followed,
        a_webhook_that_comes_late_gets_everything, garbage_and_endless_answers,
        a_slow_webhook_holds_neither_program_nor_events, what_is_not_delivered_is_kept,
        an_interrupt_skips_the_wait, a_command_gets_the_event_on_its_input,
        a_failing_command_is_tried_again_and_then_given_up,
        a_command_that_is_not_there_is_given_up_at_once,
        a_command_that_does_not_read_or_leaves_children, a_hanging_command_is_left_behind_dead,
        the_event_file_is_private_and_appended, a_line_that_somebody_left_open_is_ended_first,
        a_moved_event_file_is_made_anew, a_full_disk_is_said_once_and_counted,
        a_disk_that_has_room_again_gets_everything, a_run_on_a_full_tmpfs_still_alerts,
    ]))
