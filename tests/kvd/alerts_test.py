#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kvd under `tocsin run`: what is broken on purpose rings, and nothing else does. TAP.

usage: alerts_test.py KVD TOCSIN

Not here, because they want half a minute or more: unsaved_s, connections (held for 60 s)."""

import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from server import (DEADLINE_S, Server, Skip, die_with_parent, request, run_cases,  # noqa: E402
                    same, says, until)

KVD, TOCSIN = [os.path.abspath(path) for path in sys.argv[1:3]]


def watched(*options, run=()):
    return Server(KVD, "--enable-debug", *options, tocsin=TOCSIN, run=run)


def ringing(server):
    """{(module, probe, severity)} of all that has rung so far."""
    return {(event["module"], event["probe"], event["severity"]) for event in server.events()
            if event["state"] == "firing"}


def rings(server, *expected):
    """All of these ring, and nothing but these."""
    until(lambda: set(expected) <= ringing(server), f"{expected}, but {ringing(server)}")
    same(ringing(server), set(expected))


def resolved(server, probe):
    until(lambda: [e for e in server.events() if (e["probe"], e["state"]) == (probe, "resolved")],
          probe + " is resolved")


def symbols():
    """Their addresses, counted from the beginning of the program, as nm(1) sees it."""
    lines = subprocess.run(["nm", KVD], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[-1]: f"{int('0' + line[:16].strip(), 16):#x}" for line in lines}


def broken_invariant():
    with watched() as server:
        same(server.ask("SET", "k", "v"), "OK")
        same(server.ask("DEBUG", "TOCSIN", "break-invariant"), "OK")
        until(lambda: ringing(server), "something rings")
        (module, probe, severity), = ringing(server)
        same((module, probe[:7], severity), ("store", "expect_", "page"))
        same(server.ask("DEBUG", "TOCSIN", "fix-invariant"), "OK")
        server.end()


def stopped_flusher():
    with watched() as server:
        same(server.ask("DEBUG", "TOCSIN", "stop-flusher"), "OK")
        rings(server, ("flusher", "flusher", "page"))
        same(server.ask("DEBUG", "TOCSIN", "start-flusher"), "OK")
        resolved(server, "flusher")
        same(len(server.events()), 2)
        server.end()


def hanging_loop():
    with watched() as server, server.connect() as connection:
        connection.send(request("DEBUG", "TOCSIN", "hang"))
        rings(server, ("kvd", "event_loop", "page"))


def many_errors():
    with watched() as server:
        same(server.ask("DEBUG", "TOCSIN", "error", 11), "OK")
        rings(server, ("command", "log_errors", "warn"))
        server.end()


def crash():
    with watched() as server, server.connect() as connection:
        connection.send(request("DEBUG", "TOCSIN", "crash"))
        rings(server, ("process", "crash", "page"))
        same(server.process.wait(DEADLINE_S), 128 + signal.SIGABRT)


def deadlocked():
    """Two threads of which kvd says nothing: they are seen from inside, with their locks by name."""
    there = symbols()
    if "__asan_init" in there:
        raise Skip("a program with a sanitizer is not looked into")
    with watched(run=["--inside"]) as server:
        same(server.ask("DEBUG", "TOCSIN", "deadlock"), "OK")
        rings(server, ("command", "deadlock", "page"), ("command", "lock_order", "warn"))
        same(server.ask("DEBUG", "TOCSIN", "deadlock")[:4], b"ERR ")
        circle = next(event["details"]["cycle"] for event in server.events() if event["probe"] == "deadlock")
        # Where they lie is known at once; what they are called may come too late for an alert.
        same({thread["waits_for"]["name"].split()[0] for thread in circle},
             {"kvd+" + there["hammer"], "kvd+" + there["nails"]})
        server.end()
        same([event["details"] for event in server.events() if event["state"] == "resolved"],
             [{"reason": "ended"}] * 2)


def full_store():
    with watched("--max-keys", "100") as server, server.connect() as connection:
        for i in range(80):
            same(connection.ask("SET", i, i), "OK")
        rings(server, ("store", "keys_percent", "warn"))
        for i in range(80, 101):
            connection.ask("SET", i, i)
        rings(server, ("store", "keys_percent", "warn"), ("store", "keys_percent", "page"),
              ("store", "full", "page"))
        same(connection.ask("DEL", *range(50)), 50)
        resolved(server, "keys_percent")
        server.end()
    with watched("--max-memory", "10K") as server:
        same(server.ask("SET", "k", b"v" * 10000), "OK")
        rings(server, ("store", "memory_percent", "warn"), ("store", "memory_percent", "page"))
        server.end()


def too_many_clients():
    with watched("--max-clients", "20") as server:
        connections = [server.connect() for _ in range(19)]
        try:
            rings(server, ("kvd", "clients_percent", "warn"), ("kvd", "clients_percent", "page"))
            connections += [server.connect() for _ in range(5)]
            rings(server, ("kvd", "clients_percent", "warn"), ("kvd", "clients_percent", "page"),
                  ("kvd", "turned_away", "page"))
        finally:
            for connection in connections:
                connection.__exit__()
        resolved(server, "clients_percent")
        server.end()


def strangers():
    """Just as many in a minute as are allowed, and one more."""
    with watched() as server:
        def call():
            with server.connect() as connection:
                connection.send(b"*GET / HTTP/1.1\r\n\r\n")
                says(connection.reply(), b"Protocol error")

        for _ in range(601):
            call()
        rings(server, ("resp", "protocol_errors", "warn"))
        server.end()
    with watched() as server, server.connect() as connection:
        for _ in range(601):
            connection.ask("LPUSH", "k", "v")
        rings(server, ("command", "unknown_commands", "note"))
        server.end()


def stalled_clients():
    with watched("--stall-ms", "10") as server:
        connections = [server.connect() for _ in range(61)]
        try:
            for connection in connections:
                connection.send(b"*1\r\n")
            rings(server, ("kvd", "stalled", "warn"))
        finally:
            for connection in connections:
                connection.__exit__()
        server.end()


def full_buffers():
    with watched("--max-buffers", "128K") as server, server.connect() as greedy:
        greedy.send(b"*2\r\n$4\r\nECHO\r\n$1000000\r\n" + b"x" * 100000)
        rings(server, ("buffer", "held_percent", "warn"), ("buffer", "held_percent", "page"))
        greedy.send(b"x" * 100000)
        rings(server, ("buffer", "held_percent", "warn"), ("buffer", "held_percent", "page"),
              ("buffer", "refusals", "warn"), ("kvd", "cut_off", "warn"))
        server.end()


def failing_saves():
    with watched("--save", "snap") as server:
        os.mkdir(os.path.join(server.place, "snap"))
        same(server.ask("SET", "k", "v"), "OK")
        until(lambda: ringing(server), "something rings")
        (module, probe, severity), = ringing(server)
        same((module, probe[:6], severity), ("flusher", "error_", "page"))


def load(server, *options):
    benchmark = shutil.which("redis-benchmark")
    if not benchmark:
        raise Skip("redis-benchmark is missing; it is in redis-tools")
    done = subprocess.run([benchmark, "-p", str(server.port), "-q", *options], capture_output=True,
                          timeout=DEADLINE_S, preexec_fn=die_with_parent)
    same((done.returncode, done.stderr), (0, b""))


def hot_values_fit():
    """Load on fewer keys than are held, and a burst of as many pushed out as lru.h forgives."""
    with watched("--hot", "1000") as server, server.connect() as connection:
        load(server, "-n", "100000", "-c", "20", "-P", "4", "-r", "500", "-t", "set,get,incr")
        same(server.info("hot_entries"), 500)
        assert server.info("hot_hits") > 50000, server.info("hot_hits")
        connection.send(b"".join(request("SET", f"more {i}", i) for i in range(2500)))
        same([connection.reply() for _ in range(2500)], ["OK"] * 2500)
        server.end()
        same(server.events(), [])


def hot_values_pushed_out():
    """The rule is the module's own: kvd has none about it."""
    with watched("--hot", "1000") as server:
        load(server, "-n", "50000", "-c", "20", "-P", "4", "-r", "1000000", "-t", "set,get")
        rings(server, ("lru", "evictions", "warn"))
        same(server.info("hot_entries"), 1000)
        server.end()


def calm():
    """Normal load, and a start and an end with a large snapshot: nothing rings."""
    with watched("--save", "snap") as server:
        for more in (["-n", "200000", "-c", "50", "-P", "16", "-r", "100000"],
                     ["-n", "20000", "-c", "50"], ["-n", "2000", "-c", "20", "-d", "100000"]):
            load(server, "-t", "ping,set,get,incr", *more)
        server.end()
        same(server.events(), [])


if __name__ == "__main__":
    sys.exit(run_cases([
        broken_invariant, stopped_flusher, hanging_loop, many_errors, crash, deadlocked, full_store,
        too_many_clients, strangers, stalled_clients, full_buffers, failing_saves,
        hot_values_fit, hot_values_pushed_out, calm,
    ]))
