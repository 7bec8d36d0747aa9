#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./demo does after the build. usage: demo.py TOCSIN BUILD PLACE

A recorded model writes modules/lru until the gate accepts it; what was accepted is linked into a
server; the server runs under tocsin run --inside, and four faults must be heard."""

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

TOCSIN, BUILD, PLACE = sys.argv[1:4]
CONTRACT, MODELS = "modules/lru", "examples/forge/recorded.yaml"
FORGE, KVD = os.path.join(PLACE, "forge"), os.path.join(PLACE, "kvd")
HOT = "1000"  # entries of the cache in front of the store
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


def hear(arrived, begin, wanted, grace_s):
    """Waits at the webhook for an alert; returns a line of the closing table."""
    module, kind = wanted
    while True:
        left = begin + DEADLINE_S - time.monotonic()
        if left <= 0:
            say("   NOT HEARD: no such alert arrived")
            return f"{module} {kind}", None, False
        try:
            at, event = arrived.get(timeout=left)
        except queue.Empty:
            continue
        if event["state"] != "firing" or event["kind"] != kind or event["module"] != module:
            continue
        took = at - begin
        name = f"{event['module']}.{event['probe']}"
        say(f"   webhook: {event['severity']} {name}: {event['meaning']}")
        place = f"{event['file']}:{event['line']}" if event["file"] else "a rule of Tocsin's own"
        say(f"            {event['signal']} {event['op']} {event['limit']}, value {event['value']}, {place}, details"
            f" {shorten(json.dumps(event['details']))}")
        say(f"            {took * 1000:.0f} ms after it began"
            + (f" (the rule itself waits {grace_s * 1000:.0f} ms)" if kind == "heartbeat" else ""))
        return name, took, took <= grace_s + ARRIVE_S


def break_it(port, arrived, command, what, wanted, grace_s):
    say(f"\n== {what}", bold=True)
    say(f"$ redis-cli DEBUG TOCSIN {command}")
    begin = time.monotonic()
    redis(port, "DEBUG", "TOCSIN", command)
    return (command, *hear(arrived, begin, wanted, grace_s))


def benchmark(port, keys, *words):
    command = ["redis-benchmark", "-p", port, "-c", "20", "-P", "4", "-q", "-r", str(keys),
               "-t", "set,get", *words]
    say("$ " + " ".join(command))
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def widen(port, arrived):
    """Many more keys than the cache holds: the module's own rule has to say so."""
    say("\n== The clients change: 100 000 keys where a cache of 1000 was enough", bold=True)
    begin = time.monotonic()
    load = benchmark(port, 100000, "-n", "2000000")
    try:
        # Its rule counts to 6000 first, which takes a second or two on a slow machine.
        return ("wider work", *hear(arrived, begin, ("lru", "counter"), 5))
    finally:
        os.killpg(load.pid, signal.SIGKILL)
        load.wait()


WANTED = [("rejected", "unit.leak"), ("rejected", "bench.growth"), ("accepted", None)]


def forge():
    """A recorded model, the real gate. Returns the accepted file and the run's folder."""
    say("\n== A model writes, the gate judges, until it accepts (the model is a RECORDING)", bold=True)
    command = [TOCSIN, "forge", CONTRACT, "--models", MODELS, "--output", FORGE]
    say("$ " + " ".join(command))
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode == 3:
        fail("tocsin forge could not find out", 3)
    listed = subprocess.run([TOCSIN, "ledger", "--json", "--output", FORGE, "last"],
                            stdout=subprocess.PIPE, text=True)
    if listed.returncode:
        fail("tocsin ledger cannot read the run", 3)
    run = json.loads(listed.stdout)
    found = [(candidate["verdict"], candidate["keys"][0].split()[0] if candidate["keys"] else None)
             for candidate in run["candidates"]]
    if done.returncode or found != WANTED:
        fail(f"the run ended with {done.returncode}, and its candidates are {found}, not {WANTED}")
    accepted = done.stdout.strip()
    say(f"\n$ tocsin ledger --output {FORGE} last")
    subprocess.run([TOCSIN, "ledger", "--output", FORGE, "last"])
    return accepted, os.path.dirname(os.path.dirname(accepted))


def link(accepted):
    """The file that was accepted goes into the server, as its README says."""
    say("\n== What was accepted goes into a server", bold=True)
    command = ["cc", "-std=gnu11", "-O2", "-g", "-fno-omit-frame-pointer", "-Iinclude", f"-I{CONTRACT}",
               "-o", KVD, "examples/kvd/kvd.c", accepted, f"{BUILD}/examples/kvd/libkvd-parts.a",
               f"{BUILD}/src/probe/libtocsin.a", "-pthread"]
    say("$ " + " ".join(command))
    if subprocess.run(command).returncode:
        fail("the server cannot be linked", 3)


def main():
    accepted, run = forge()
    link(accepted)
    url, arrived = webhook.start()
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as place:
        port_file, events = os.path.join(place, "port"), os.path.join(place, "events.jsonl")
        command = [TOCSIN, "run", "--inside", "--webhook", url, "--events", events, "--", KVD, "--port", "0",
                   "--port-file", port_file, "--enable-debug", "--hot", HOT]
        say("\n== It serves real clients under tocsin run", bold=True)
        say("$ " + " ".join(command))
        watched = subprocess.Popen(command, start_new_session=True)
        load = None
        try:
            port = wait_for(port_file, watched)
            load = benchmark(port, 500, "-l")
            time.sleep(3)
            operations = [x for x in redis(port, "INFO").splitlines() if "commands_processed" in x]
            say(f"   after 3 s of load: {', '.join(operations) or 'serving'};"
                f" alerts so far: {arrived.qsize()} (must be 0)")
            if not arrived.empty():
                fail(f"an alert rang although nothing was wrong: {arrived.get()[1]}")
            results = [
                widen(port, arrived),
                break_it(port, arrived, "break-invariant",
                         "Break an invariant: the store miscounts its keys", ("store", "expectation"), 0),
                break_it(port, arrived, "stop-flusher",
                         "Stop the flusher thread: it hangs, the server serves on",
                         ("flusher", "heartbeat"), 0.7),
                break_it(port, arrived, "deadlock",
                         "Two threads wait for each other's locks: no probe says so, it is seen from inside",
                         ("command", "gauge"), 0),
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
    say(f"All {len(results)} were heard, the first by a rule that the recorded model wrote: tocsin rules {KVD}")
    say(f"The whole story as a page: {run}/index.html; the gate's: {run}/reports/3/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
