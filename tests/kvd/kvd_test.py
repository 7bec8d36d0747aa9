#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kvd from outside: what clients see, good ones and bad ones, and what its probes say. TAP.

usage: kvd_test.py KVD README"""

import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from server import (DEADLINE_S, HEARTBEAT, LEVEL, COUNTER, GAUGE, Server, Skip,  # noqa: E402
                    die_with_parent, request, run_cases, same, says, until)

KVD, README = [os.path.abspath(path) for path in sys.argv[1:3]]
MIB = 1 << 20
DEBUG = "--enable-debug"


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} is missing; it is in redis-tools")
    return path


def run(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=DEADLINE_S,
                          preexec_fn=die_with_parent, **options)


def cli(server, *words, **options):
    done = run(tool("redis-cli"), "-p", str(server.port), *words, **options)
    same(done.returncode, 0)
    return done.stdout.decode().rstrip("\n")


# ---- The real clients

def redis_cli():
    with Server(KVD) as server:
        same(cli(server, "ping"), "PONG")
        same(cli(server, "set", "key", "some value", "EX", "10000"), "OK")
        same(cli(server, "get", "key"), "some value")
        assert 9000 < int(cli(server, "ttl", "key")) <= 10000  # however slow the machine is
        same(cli(server, "incr", "n"), "1")
        same(cli(server, "dbsize"), "2")
        same(cli(server, "exists", "key", "n", "x"), "2")
        same(cli(server, "del", "key", "n"), "2")
        same(cli(server, "get", "key"), "")
        same(cli(server, "nonsense").strip(), "ERR unknown command 'nonsense'")
        same(cli(server, "config", "get", "save"), "save")
        assert "db0:keys=0" in cli(server, "info")
        same(server.ringing(), [])
        server.end()


def redis_cli_interactive():
    """At a terminal redis-cli first asks for COMMAND DOCS, to help with typing."""
    with Server(KVD) as server:
        ours, theirs = pty.openpty()
        child = subprocess.Popen([tool("redis-cli"), "-p", str(server.port)], stdin=theirs,
                                 stdout=theirs, stderr=theirs, preexec_fn=die_with_parent,
                                 env={**os.environ, "HOME": server.place, "TERM": "dumb"})
        os.close(theirs)
        try:
            os.write(ours, b"echo h1llo\nhelp get\nquit\n")
            seen = b""
            while True:
                try:
                    piece = os.read(ours, 4096)
                except OSError:
                    break
                if not piece:
                    break
                seen += piece
            same(child.wait(DEADLINE_S), 0)
        finally:
            child.kill()
            child.wait()
            os.close(ours)
        assert b'"h1llo"' in seen and b"The value of a key." in seen, seen
        server.end()


def redis_cli_pipe():
    with Server(KVD) as server:
        many = b"".join(request("SET", f"key {i}", i) for i in range(10000))
        assert "replies: 10000" in cli(server, "--pipe", input=many)
        same(server.ask("DBSIZE"), 10000)
        same(server.ask("GET", "key 9999"), b"9999")
        server.end()


def redis_benchmark():
    """Under normal load every command succeeds, both loops beat on, and no rule would ring."""
    with Server(KVD, "--save", "snap") as server:
        for more in (["-P", "4"], ["-P", "16", "-r", "5000"], ["-d", "10000"]):
            done = run(tool("redis-benchmark"), "-p", str(server.port), "-n", "4000", "-c", "20",
                       "-t", "ping,set,get,incr", "--csv", *more)
            same((done.returncode, done.stderr), (0, b""))
            rows = [line.split(b",")[0].strip(b'"') for line in done.stdout.splitlines()[1:]]
            same(rows, [b"PING_INLINE", b"PING_MBULK", b"SET", b"GET", b"INCR"])
        beats = [server.probe("kvd", "event_loop"), server.probe("flusher", "flusher")]
        until(lambda: server.probe("kvd", "event_loop") > beats[0] and
              server.probe("flusher", "flusher") > beats[1], "both loops beat")
        assert server.probe("command", "commands") >= 3 * 5 * 4000
        until(lambda: server.info("connected_clients") == 1, "all clients are gone")
        same([str(probe) for probe in server.ringing()], [])
        server.end()


# ---- The protocol

def pipelined():
    with Server(KVD) as server, server.connect() as connection:
        count = 5000
        connection.send(b"".join(request("INCR", "n") + b"PING\r\n" for _ in range(count)))
        for i in range(count):
            same(connection.reply(), i + 1)
            same(connection.reply(), "PONG")
        server.end()


def split_at_every_byte():
    with Server(KVD) as server, server.connect() as connection:
        stream = request("SET", "k\r\n", b"v\r\n*1\r\n") + b"get  nothing\r\n" + request("GET", "k\r\n")
        for i in range(len(stream)):
            connection.send(stream[i:i + 1])
        same([connection.reply() for _ in range(3)], ["OK", None, b"v\r\n*1\r\n"])
        for i in range(1, len(stream)):
            connection.send(stream[:i])
            connection.send(stream[i:])
            same([connection.reply() for _ in range(3)], ["OK", None, b"v\r\n*1\r\n"])
        connection.send(b"\r\n*0\r\n*-1\r\nPING\r\n")  # nothing to answer but the last
        same(connection.reply(), "PONG")
        server.end()


def malformed():
    bad = [b"*x\r\n", b"*1025\r\n", b"*1\r\n:1\r\n", b"*1\r\n$-5\r\n", b"*1\r\n$1048577\r\n",
           b"*1\r\n$4\r\nPINGxx\r\n", b"x" * 20000, b"*" + b"1" * 50, b"*2\r\n$3\r\nGET\r\nk\r\n",
           b"a " * 1025 + b"\n"]
    with Server(KVD) as server, server.connect() as bystander:
        for raw in bad:
            with server.connect() as connection:
                connection.send(b"PING\r\n" + raw)
                same(connection.reply(), "PONG")
                says(connection.reply(), b"ERR Protocol error")
                assert connection.ended()
            same(bystander.ask("PING"), "PONG")
        same(server.probe("resp", "protocol_errors"), len(bad))
        until(lambda: server.info("connected_clients") == 2, "bad clients are forgotten")
        server.end()


def error_is_heard():
    """The error is heard although much more was sent than kvd reads."""
    with Server(KVD) as server, server.connect() as connection:
        connection.send(b"*x\r\n")
        for _ in range(64):
            try:
                connection.send(b"y" * 65536)
            except OSError:
                break
        says(connection.reply(), b"ERR Protocol error")
        server.end()


def big_values():
    with Server(KVD) as server, server.connect() as connection:
        value = os.urandom(MIB)
        same(connection.ask("SET", "k", value), "OK")
        same(connection.ask("GET", "k"), value)
        same(connection.ask("ECHO", value), value)
        connection.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (MIB + 1))
        says(connection.reply(), b"invalid bulk length")
        assert connection.ended()
        server.end()
    with Server(KVD, "--max-bulk", "64") as server, server.connect() as connection:
        same(connection.ask("ECHO", b"z" * 64), b"z" * 64)
        connection.send(b"*2\r\n$4\r\nECHO\r\n$65\r\n")
        says(connection.reply(), b"invalid bulk length")
        server.end()
    with Server(KVD, "--max-bulk", "64") as server, server.connect() as connection:
        connection.send(request("DEL", *["k" * 64] * 100))
        says(connection.reply(), b"too big request")
        server.end()


def many_arguments():
    with Server(KVD) as server, server.connect() as connection:
        same(connection.ask("DEL", *range(1023)), 0)
        connection.send(request("DEL", *range(1024)))
        says(connection.reply(), b"invalid multibulk length")
        server.end()


def half_closed():
    with Server(KVD) as server:
        with server.connect() as connection:
            connection.send(request("SET", "k", b"v" * 100000) + request("GET", "k") * 50)
            connection.half_close()
            same(connection.reply(), "OK")
            for _ in range(50):
                same(connection.reply(), b"v" * 100000)
            assert connection.ended()
        with server.connect() as connection:
            connection.send(b"*1\r\n$4\r\nPI")
            connection.half_close()
            assert connection.ended()
        with server.connect() as connection:
            connection.half_close()
            assert connection.ended()
        with server.connect() as connection:
            connection.send(b"QUIT\r\nPING\r\n")
            same(connection.reply(), "OK")
            assert connection.ended()
        until(lambda: server.info("connected_clients") == 1, "all clients are gone")
        same(server.ringing(), [])
        server.end()


# ---- Limits

def connection_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2100:
        raise Skip(f"no more than {hard} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2100), hard))
    with Server(KVD, "--max-clients", "1000") as server:
        connections = []
        try:
            for _ in range(1000):
                connections.append(server.connect())
            for connection in connections:
                connection.send(b"PING\r\n")
            for connection in connections:
                same(connection.reply(), "PONG")
            same(server.probe("kvd", "open_connections"), 1000)
            with server.connect() as refused:
                says(refused.reply(), b"max number of clients")
                assert refused.ended()
            rung = {probe.name for probe in server.ringing()}
            same(rung, {"clients_percent", "turned_away"})
            connections.pop().__exit__()
            until(lambda: server.probe("kvd", "open_connections") == 999, "one place is free")
            connections.append(server.connect())
            same(connections[-1].ask("PING"), "PONG")
        finally:
            for connection in connections:
                connection.__exit__()
        until(lambda: server.info("connected_clients") == 1, "all clients are gone")
        until(lambda: server.probe("kvd", "clients_percent") == 0, "the gauge follows")
        server.end()


def slow_reader():
    """Who asks and does not read is not read from either, and gets all replies when it does."""
    with Server(KVD) as server, server.connect() as slow:
        count, value = 2000, b"v" * 100000
        same(slow.ask("SET", "k", value), "OK")
        slow.send(request("GET", "k") * count)
        seen = [0]

        def pauses():
            """Five looks in a row, none but their own commands run in between."""
            now = server.info("total_commands_processed")
            seen.append(now)
            assert server.info("client_buffer_bytes") < 4 * MIB
            return len(seen) > 5 and seen[-1] - seen[-5] == 4 * 2

        until(pauses, "kvd stops running what this client asks for")
        assert seen[-1] < count
        for _ in range(count):
            same(slow.reply(), value)
        same(server.ringing(), [])
        server.end()


def stalled_clients():
    with Server(KVD, "--stall-ms", "50") as server:
        with server.connect() as idle, server.connect() as reader, server.connect() as writer:
            same(reader.ask("SET", "k", b"v" * MIB), "OK")
            reader.send(request("GET", "k") * 50)
            writer.send(b"*1\r\n$4\r\nPI")
            until(lambda: server.probe("kvd", "stalled") == 2, "both are closed")
            assert writer.ended()
            same(idle.ask("PING"), "PONG")  # owes nothing, so it may stay
        server.end()


def buffer_limit():
    """One client's greed ends at the purse of all; the others live on."""
    with Server(KVD, "--max-buffers", "256K") as server, server.connect() as bystander:
        with server.connect() as greedy:
            greedy.send(b"*2\r\n$4\r\nECHO\r\n$1000000\r\n" + b"x" * 500000)
            says(greedy.reply(), b"no buffer memory")
            assert greedy.ended()
        same(bystander.ask("ECHO", b"y" * 50000), b"y" * 50000)
        rung = {probe.name for probe in server.ringing()}
        assert {"refusals", "cut_off"} <= rung, rung
        until(lambda: server.info("connected_clients") == 2, "the greedy one is forgotten")
        same(server.ask("PING"), "PONG")
        server.end()


def full_store():
    with Server(KVD, "--max-keys", "3") as server, server.connect() as connection:
        for key in "abc":
            same(connection.ask("SET", key, key), "OK")
        says(connection.ask("SET", "d", "d"), b"OOM")
        same(connection.ask("SET", "a", "other"), "OK")
        same({probe.name for probe in server.ringing()}, {"full", "keys_percent"})
        same(connection.ask("DEL", "a", "b"), 2)
        same(server.probe("store", "keys_percent"), 33)
        server.end()
    with Server(KVD, "--max-memory", "4K") as server, server.connect() as connection:
        says(connection.ask("SET", "k", b"v" * 4096), b"OOM")
        same(connection.ask("SET", "k", b"v" * 4000), "OK")
        same({probe.name for probe in server.ringing()}, {"full", "memory_percent"})
        server.end()


def out_of_descriptors():
    """accept() fails: those who are in are served, the next come in when there is room again."""
    with Server(KVD) as server, server.connect() as early:
        same(early.ask("PING"), "PONG")
        pid = server.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, usual[1]))
        with server.connect() as late:  # the kernel connects it; kvd cannot take it
            late.send(b"PING\r\n")
            until(lambda: [p for p in server.ringing() if p.file == "server.c"], "the error counts")
            same(early.ask("PING"), "PONG")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
            same(late.reply(), "PONG")
        server.end()


# ---- Time and disk

def expiry():
    with Server(KVD, "--max-keys", "1000") as server, server.connect() as connection:
        same(connection.ask("SET", "long", "v", "EX", 1000), "OK")
        same(connection.ask("SET", "short", "v", "PX", 20), "OK")
        until(lambda: connection.ask("DBSIZE") == 1, "the flusher removes it, unasked")
        same(connection.ask("TTL", "short"), -2)
        assert 990 <= connection.ask("TTL", "long") <= 1000
        server.end()


def restart():
    with tempfile.TemporaryDirectory(prefix="kvd-test-") as place:
        with Server(KVD, "--save", "snap", "--save-ms", "3600000", place=place) as server:
            same(server.ask("SET", "k", b"\r\n\0"), "OK")
            same(server.ask("SET", "t", "v", "EX", 1000), "OK")
            server.end()
        with Server(KVD, "--save", "snap", "--save-ms", "1", place=place) as server:
            same(server.ask("GET", "k"), b"\r\n\0")
            assert 900 <= server.ask("TTL", "t") <= 1000
            same(server.ask("SET", "k", "2"), "OK")
            same(server.ask("SET", "more", "3"), "OK")
            saves = server.info("saves")
            until(lambda: server.info("saves") > saves + 1 or b"more" in open(
                os.path.join(place, "snap"), "rb").read(), "it is saved")
            server.process.kill()  # a crash: what was saved is there
            server.process.wait()
        with Server(KVD, "--save", "snap", place=place) as server:
            same(server.ask("GET", "k"), b"2")
            same(server.ask("GET", "more"), b"3")
            server.end()


def damaged_snapshot():
    """Is refused, and not overwritten."""
    with tempfile.TemporaryDirectory(prefix="kvd-test-") as place:
        path = os.path.join(place, "snap")
        for raw, word in ((b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n", "damaged"),
                          (request("SET", "a", 1) + request("SET", "b", 2), "--max-keys")):
            with open(path, "wb") as file:
                file.write(raw)
            done = run(KVD, "--port", "0", "--dir", place, "--save", "snap", "--max-keys", "1",
                       env={**os.environ, "TOCSIN_DIR": place})
            same(done.returncode, 1)
            assert word in done.stderr.decode(), done.stderr
            with open(path, "rb") as file:
                same(file.read(), raw)


def failing_saves():
    """Each failure counts and rings; kvd serves on, and says so at the end."""
    with Server(KVD, "--save", "snap", "--save-ms", "1") as server:
        os.mkdir(os.path.join(server.place, "snap"))
        same(server.ask("SET", "k", "v"), "OK")
        until(lambda: server.info("saves_failed") > 0, "a save fails")
        until(lambda: [p for p in server.ringing() if p.file == "flusher.c"], "and rings")
        same(server.ask("GET", "k"), b"v")
        server.process.terminate()
        same(server.process.wait(DEADLINE_S), 1)
        assert "the last snapshot failed" in server.said()


# ---- Drills

def drills_are_off():
    with Server(KVD) as server:
        says(server.ask("DEBUG", "TOCSIN", "crash"), b"ERR DEBUG is off")
        server.end()


def misses(server, module):
    return sum(p.total for p in server.probes()
               if p.module == module and p.name.startswith("expect_"))


def drill_invariant():
    with Server(KVD, DEBUG, "--save", "snap", "--save-ms", "1") as server:
        same(server.ask("SET", "k", "v"), "OK")
        until(lambda: server.info("saves") > 0, "it is saved")
        same(misses(server, "store"), 0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.bind(os.path.join(server.segments, "bell"))
            bell.settimeout(DEADLINE_S)
            same(server.ask("DEBUG", "TOCSIN", "break-invariant"), "OK")
            bell.recv(4096)  # the flusher's sweep noticed, and called the watcher
        until(lambda: misses(server, "store") > 0, "the flusher's sweep notices, unasked")
        says(server.ask("SET", "k", "w"), b"the store is damaged")
        same(server.ask("GET", "k"), b"v")
        same(server.ask("DEBUG", "TOCSIN", "fix-invariant"), "OK")
        same(server.ask("SET", "k", "w"), "OK")
        before = misses(server, "store")
        ticks = server.info("flusher_ticks")
        until(lambda: server.info("flusher_ticks") > ticks + 2, "the flusher has swept again")
        same(misses(server, "store"), before)
        server.end()


def drill_flusher():
    with Server(KVD, DEBUG, "--flush-ms", "1") as server:
        until(lambda: server.probe("flusher", "flusher") > 2, "the flusher beats")
        same(server.ask("DEBUG", "TOCSIN", "stop-flusher"), "OK")

        def stands_still():
            flusher, loop = server.probe("flusher", "flusher"), server.probe("kvd", "event_loop")
            until(lambda: server.probe("kvd", "event_loop") > loop + 5, "the event loop beats on")
            return server.probe("flusher", "flusher") == flusher

        until(stands_still, "the flusher stands still")
        still = server.probe("flusher", "flusher")
        same(server.ask("DEBUG", "TOCSIN", "start-flusher"), "OK")
        until(lambda: server.probe("flusher", "flusher") > still, "the flusher beats again")
        same(server.ask("DEBUG", "TOCSIN", "stop-flusher"), "OK")
        server.end()  # also while it stands still


def drill_errors():
    with Server(KVD, DEBUG) as server:
        same(server.ask("DEBUG", "TOCSIN", "error", 10), "OK")
        same(server.ringing(), [])  # as many as the module may have in a minute
        same(server.ask("DEBUG", "TOCSIN", "error", 1), "OK")
        same([probe.name for probe in server.ringing()], ["log_errors"])
        server.end()


def drill_hang():
    with Server(KVD, DEBUG) as server:
        same(server.ask("DEBUG", "TOCSIN", "hang", 50), "OK")
        with server.connect() as connection:
            connection.send(request("DEBUG", "TOCSIN", "hang"))

            def stands_still():
                loop, flusher = server.probe("kvd", "event_loop"), server.probe("flusher", "flusher")
                until(lambda: server.probe("flusher", "flusher") > flusher + 3, "the flusher goes on")
                return server.probe("kvd", "event_loop") == loop

            until(stands_still, "the event loop stands still")


def drill_crash():
    with Server(KVD, DEBUG) as server, server.connect() as connection:
        connection.send(request("DEBUG", "TOCSIN", "crash"))
        same(server.process.wait(DEADLINE_S), -signal.SIGABRT)
        same(server.probe("kvd", "connections"), 2)  # the segment outlives it


# ---- The program

def signals_end_it():
    for by in (signal.SIGTERM, signal.SIGINT):
        with Server(KVD) as server:
            with server.connect() as idle, server.connect() as busy:
                same(idle.ask("PING"), "PONG")
                busy.send(b"*1\r\n$4\r\nPI")
                server.end(by)
                assert idle.ended()


def command_line():
    done = run(KVD, "--help")
    same((done.returncode, done.stderr), (0, b""))
    assert b"Examples:" in done.stdout and b"--max-clients N" in done.stdout
    for wrong in (["--port", "65536"], ["--port", "-1"], ["--port", ""], ["--port", "1x"],
                  ["--max-bulk", "63"], ["--max-bulk", "1T"], ["--max-keys", "0"], ["--flush-ms", "0"],
                  ["--flush-ms", "501"], ["--max-memory", "99999999999999999999"], ["--port"],
                  ["--save", "a/b"], ["--save", ""], ["--nonsense"], ["operand"]):
        done = run(KVD, *wrong)
        same((wrong, done.returncode, done.stdout), (wrong, 2, b""))
        assert done.stderr.startswith(b"kvd: ") or KVD.encode() in done.stderr, done.stderr


def cannot_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(KVD, "--port", str(taken.getsockname()[1]))
        same(done.returncode, 1)
        assert b"Address already in use" in done.stderr, done.stderr
    for wrong, word in ((["--bind", "example"], b"Invalid argument"),
                        (["--dir", "/no/such/place"], b"No such file"),
                        (["--port", "0", "--port-file", "/no/such/place"], b"No such file"),
                        (["--max-clients", "100000"], b"ulimit")):
        few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))}
        done = subprocess.run([KVD, *wrong], capture_output=True, timeout=DEADLINE_S,
                              **(few if word == b"ulimit" else {}))
        same((wrong, done.returncode), (wrong, 1))
        assert word in done.stderr, done.stderr


def runbooks():
    """Every rule that may wake somebody says where to read on, and there is something to read."""
    with open(README) as file:
        headings = re.findall(r"^#+ (.*)$", file.read(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    with Server(KVD) as server:
        probes = [probe for probe in server.probes() if probe.module != "lru"]  # knows no kvd
        for probe in probes:
            if probe.rules and probe.kind in (COUNTER, GAUGE, LEVEL, HEARTBEAT):
                page, _, anchor = probe.runbook.partition("#")
                same((str(probe), page), (str(probe), "examples/kvd/README.md"))
                assert anchor in anchors, f"{probe}: {anchor} is not a heading"
        used = {probe.runbook.partition("#")[2] for probe in probes}
        same(len(used & anchors), len(used - {""}))
        server.end()


CASES = [
    redis_cli, redis_cli_interactive, redis_cli_pipe, redis_benchmark,
    pipelined, split_at_every_byte, malformed, error_is_heard, big_values, many_arguments,
    half_closed, connection_limit, slow_reader, stalled_clients, buffer_limit, full_store,
    out_of_descriptors, expiry, restart, damaged_snapshot, failing_saves, drills_are_off,
    drill_invariant, drill_flusher, drill_errors, drill_hang, drill_crash, signals_end_it,
    command_line, cannot_start, runbooks,
]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
