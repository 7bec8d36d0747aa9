# SPDX-License-Identifier: Apache-2.0
"""What the tests of `tocsin run` share: a run that is looked at from all sides, and TAP.

Nothing here waits a fixed time: conditions are polled until they hold or DEADLINE_S is over."""

import concurrent.futures
import http.server
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

DEADLINE_S = 60
PYTHON = sys.executable

# Ignored signals are inherited, also by programs that want to catch them; runners in the background
# ignore this one.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Programs crash here on purpose; nobody wants to look at them.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


class Skip(Exception):
    """This test cannot be done here, and why."""


def until(what, message="it did not happen"):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(message() if callable(message) else message)


def same(got, wanted, what="it"):
    assert got == wanted, f"{what} is {got!r}, should be {wanted!r}"


def has(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def lacks(text, part):
    assert part not in text, f"{part!r} is in {text!r}"


class Run:
    """One `tocsin run`. Its directory, events and error output are kept by the test."""

    def __init__(self, *command, options=(), env=None, stdin=subprocess.DEVNULL, stderr=None,
                 place=None, events=True, **more):
        self.place = place or tempfile.mkdtemp(prefix="tocsin-run-test-", dir="/dev/shm")
        self.event_path = os.path.join(self.place, "events.jsonl")
        self.error_path = os.path.join(self.place, "stderr")
        self.base = os.path.join(self.place, "base")
        os.makedirs(self.base, mode=0o700, exist_ok=True)
        arguments = [TOCSIN, "run", "--dir", self.base]
        if events:
            arguments += ["--events", self.event_path]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
        error_file = stderr if stderr is not None else open(self.error_path, "wb")
        self.process = subprocess.Popen([*arguments, *options, "--", *command], stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=error_file,
                                        env=environment, **more)
        if stderr is None:
            error_file.close()

    def wait(self):
        """Its status; everything it wrote can be asked for then."""
        self.out, _ = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode

    def status(self):
        """Its status, also while somebody else holds its standard output open."""
        return self.process.wait(timeout=DEADLINE_S)

    def error_bytes(self):
        """Empty also where the test reads the error output by itself."""
        if not os.path.exists(self.error_path):
            return b""
        with open(self.error_path, "rb") as file:
            return file.read()

    def errors(self):
        return self.error_bytes().decode("utf-8", "backslashreplace")

    def own_lines(self):
        return [line for line in self.errors().splitlines() if line.startswith("tocsin: ")]

    def events(self, kind=None):
        """Complete lines only; a line that is being written has no end yet."""
        try:
            with open(self.event_path, encoding="utf-8") as file:
                lines = file.read().split("\n")[:-1]
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines if line]
        return [e for e in found if kind in (None, e["type"])]

    def alerts(self, probe=None, state=None):
        return [e for e in self.events("alert")
                if probe in (None, e["probe"]) and state in (None, e["state"])]

    def until_alert(self, probe, state="firing"):
        return until(lambda: self.alerts(probe, state),
                     lambda: f"no alert {probe} {state}: {self.events()} {self.errors()}")[0]

    def until_said(self, part):
        return until(lambda: part in self.errors(),
                     lambda: f"{part!r} was not said: {self.errors()!r}")

    def run_dirs(self):
        return [name for name in os.listdir(self.base) if name.startswith("run-")]

    def directory(self):
        return os.path.join(self.base, until(self.run_dirs)[0])

    def pid(self):
        """Of the program."""
        return until(lambda: self.events("start"))[0]["pid"]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.place, ignore_errors=True)


class Webhook:
    """An endpoint whose answers the test chooses: answer(handler, count) for each request."""

    def __init__(self, answer=None, port=0):
        self.bodies = []
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests += 1
                self.body = body
                if answer:
                    answer(self, outer.requests, outer)
                else:
                    outer.accept(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that hangs up is what some tests are about

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()

    def accept(self, handler, status=204):
        self.bodies.append(json.loads(handler.body))
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    @staticmethod
    def refuse(handler, status):
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def outcome(test):
    """What TAP says of a test after its number and name, and what it has to complain about."""
    try:
        test()
        return "ok", "", ""
    except Skip as why:
        return "ok", f" # SKIP {why}", ""
    except Exception:  # pylint: disable=broad-except
        return "not ok", "", traceback.format_exc()


def run_tests(tests, at_once=1):
    """TAP. Each test is a function; its name in words is its name. Some wait most of their time, for a
    rule to see its window through: of those several may run at once."""
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        # One at a time stays in the main thread, where alone signals can be handled.
        outcomes = (pool.map if at_once > 1 else map)(outcome, tests)
        for number, (test, said) in enumerate(zip(tests, outcomes), 1):
            word, remark, complaint = said
            failed += word != "ok"
            print(f"{word} {number} - {test.__name__.replace('_', ' ')}{remark}", flush=True)
            for line in complaint.splitlines():
                print(f"# {line}", flush=True)
    return 1 if failed else 0


TOCSIN = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
