#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./demo does after the build. usage: demo.py TOCSIN KVD CONTRACT REPORTS"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import webhook  # noqa: E402

TOCSIN, KVD, CONTRACT, REPORTS = sys.argv[1:5]
DEADLINE_S = 20
ARRIVE_S = 1.0  # an alert must be at the webhook that soon after its rule's limit was passed
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def say(text, bold=False):
    print(f"\x1b[1m{text}\x1b[0m" if bold and COLOUR else text, flush=True)


def fail(text, status=1):
    say(f"demo: {text}")
    raise SystemExit(status)


def shorten(text, most=150):
    return text if len(text) <= most else text[:most] + " ..."


def redis(port, *words):
    out = subprocess.run(["redis-cli", "-p", port, *words], capture_output=True, text=True, timeout=DEADLINE_S)
    if out.returncode or out.stdout.startswith("ERR"):
        fail(f"redis-cli {' '.join(words)}: {out.stdout}{out.stderr}", 3)
    return out.stdout.strip()


def wait_for(path, process):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and process.poll() is None:
        if os.path.exists(path) and os.path.getsize(path):
            with open(path) as file:
                return file.read().strip()
        time.sleep(0.02)
    return fail("kvd did not start", 3)


def break_it(port, arrived, command, what, wanted, grace_s):
    """Breaks something; returns a line of the closing table. grace_s: what the rule waits for itself."""
    say(f"\n== {what}", bold=True)
    say(f"$ redis-cli DEBUG TOCSIN {command}")
    begin = time.monotonic()
    redis(port, "DEBUG", "TOCSIN", command)
    while True:
        left = begin + DEADLINE_S - time.monotonic()
        if left <= 0:
            say("   NOT HEARD: no such alert arrived")
            return command, wanted, None, False
        try:
            at, event = arrived.get(timeout=left)
        except queue.Empty:
            continue
        if event["state"] != "firing" or event["kind"] != wanted:
            continue
        took = at - begin
        in_time = took <= grace_s + ARRIVE_S
        name = f"{event['module']}.{event['probe']}"
        say(f"   webhook: {event['severity']} {name}: {event['meaning']}")
        say(f"            {event['signal']} {event['op']} {event['limit']}, value {event['value']},"
            f" {event['file']}:{event['line']}, details"
            f" {shorten(json.dumps(event['details']))}")
        say(f"            {took * 1000:.0f} ms after the command"
            + (f" (the rule itself waits {grace_s * 1000:.0f} ms)" if grace_s else ""))
        return command, name, took, in_time


def judge(candidate, wanted_verdict, wanted_stage):
    """May this code go in? Shows the gate's own lines; its verdict must be the one we know."""
    report = os.path.join(REPORTS, candidate)
    command = [TOCSIN, "gate", "--report", report, CONTRACT, candidate]
    say("$ " + " ".join(command))
    code = subprocess.run(command).returncode
    try:
        with open(os.path.join(report, "verdict.json")) as file:
            verdict = json.load(file)
    except OSError:
        fail(f"tocsin gate left no verdict; exit {code}", 3)
    failed = [stage["name"] for stage in verdict["stages"] if stage["result"] not in ("pass", "skip")]
    if verdict["verdict"] == "unknown":
        fail(f"the gate could not find out: {failed}", 3)
    if verdict["verdict"] != wanted_verdict or failed != wanted_stage:
        fail(f"{candidate} is {verdict['verdict']} by {failed}, not {wanted_verdict} by {wanted_stage}")


def gate():
    say("\n== May this code go in? Two candidates for modules/lru, judged in a sandbox", bold=True)
    judge("reference", "accepted", [])
    judge("leaks_under_eviction", "rejected", ["unit"])


def main():
    gate()
    url, arrived = webhook.start()
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as place:
        port_file, events = os.path.join(place, "port"), os.path.join(place, "events.jsonl")
        command = [TOCSIN, "run", "--webhook", url, "--events", events, "--", KVD, "--port", "0",
                   "--port-file", port_file, "--enable-debug"]
        say("\n== A server under tocsin run", bold=True)
        say("$ " + " ".join(command))
        watched = subprocess.Popen(command, start_new_session=True)
        load = None
        try:
            port = wait_for(port_file, watched)
            load = subprocess.Popen(["redis-benchmark", "-p", port, "-c", "20", "-P", "4", "-l", "-q",
                                     "-t", "set,get,incr"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, start_new_session=True)
            say(f"$ redis-benchmark -p {port} -c 20 -P 4 -l -t set,get,incr   (in the background)")
            time.sleep(3)
            operations = [x for x in redis(port, "INFO").splitlines() if "commands_processed" in x]
            say(f"   after 3 s of load: {', '.join(operations) or 'serving'};"
                f" alerts so far: {arrived.qsize()} (must be 0)")
            if not arrived.empty():
                fail(f"an alert rang although nothing was wrong: {arrived.get()[1]}")
            results = [
                break_it(port, arrived, "break-invariant", "Break an invariant: the store miscounts its keys",
                         "expectation", 0),
                break_it(port, arrived, "stop-flusher", "Stop the flusher thread: it hangs, the server serves on",
                         "heartbeat", 0.7),
            ]
            say("\n$ redis-cli DEBUG TOCSIN start-flusher   (and it beats again)")
            redis(port, "DEBUG", "TOCSIN", "start-flusher")
            resolved = time.monotonic() + DEADLINE_S
            while time.monotonic() < resolved:
                try:
                    event = arrived.get(timeout=max(resolved - time.monotonic(), 0.01))[1]
                except queue.Empty:
                    break
                if event["state"] == "resolved":
                    say(f"   webhook: resolved {event['module']}.{event['probe']}")
                    break
        finally:
            if load:
                os.killpg(load.pid, signal.SIGKILL)
                load.wait()
            if watched.poll() is None:
                watched.send_signal(signal.SIGTERM)
            try:
                watched.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                os.killpg(watched.pid, signal.SIGKILL)
        with open(events) as file:
            said = [json.loads(line)["type"] for line in file]
    say("\n== What rang", bold=True)
    for command, name, took, in_time in results:
        say(f"   {'ok  ' if in_time else 'LATE' if took else 'NO  '} {command:16} -> {name:28}"
            + (f" {took * 1000:6.0f} ms to the webhook" if took else ""))
    say(f"   events written: " + ", ".join(f"{said.count(t)} {t}" for t in dict.fromkeys(said)))
    if not all(in_time for _, _, _, in_time in results):
        fail("not every fault was heard in time")
    say("Both faults were heard. The rules stand in the source: build/src/cli/tocsin rules build/examples/kvd/kvd")
    say(f"What the gate saw, as pages: {REPORTS}/reference/index.html, {REPORTS}/leaks_under_eviction/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
