#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kvd --hot from outside: it says what a kvd without it says. TAP.

usage: hot_test.py KVD README BUILD"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from server import (DEADLINE_S, Server, Skip, die_with_parent, request, run_cases,  # noqa: E402
                    same, says, until)

KVD, README, BUILD = [os.path.abspath(path) for path in sys.argv[1:4]]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(README)))
MIB = 1 << 20  # the longest value that is held
HOT, BATCHES, BATCH, SEEDS = 8, 60, 100, 3

# More keys than are held, and those that never are: empty, too long, with a NUL in them.
KEYS = [b"k%d" % i for i in range(16)] + [b"k", b"k\0x", b"", b"K" * 255, b"K" * 256]


def any_command(dice):
    """What it asks is known before it is asked: no time but what is over, or far away."""
    key = dice.choice(KEYS)
    value = dice.choice([b"", b"v", b"w" * dice.randrange(2000), b"%d" % dice.randrange(-9, 9)])
    if dice.randrange(300) == 0:
        value = b"x" * (MIB + dice.randrange(2))
    past, future = ["PXAT", 1], ["PXAT", 1 << 50]
    what = dice.randrange(100)
    if what < 50:
        return "GET", key
    if what < 62:
        return "SET", key, value
    if what < 72:
        more = dice.choice([[], ["NX"], ["XX"]]) + dice.choice([[], past, future, ["EX", 0]])
        return "SET", key, value, *more
    if what < 84:
        return dice.choice(["INCR", "DECR"]), key
    if what < 92:
        return "DEL", *dice.sample(KEYS, dice.randrange(1, 4))
    if what < 97:
        return dice.choice([("EXISTS", key, key), ("DBSIZE",)])
    if what < 99:
        return "DEBUG", "TOCSIN", dice.choice(["break-invariant"] + ["fix-invariant"] * 4)
    return ("FLUSHALL",)


def said(connection, commands):
    connection.send(b"".join(request(*command) for command in commands))
    return [connection.reply() for _ in commands]


def compare(hot, plain, dice):
    """The same commands to both. The flusher stands still: when it removes what has expired is its
    own affair, and DBSIZE would tell."""
    with hot.connect() as one, plain.connect() as other:
        same(said(one, [("DEBUG", "TOCSIN", "stop-flusher")]),
             said(other, [("DEBUG", "TOCSIN", "stop-flusher")]))
        for _ in range(BATCHES):
            commands = [any_command(dice) for _ in range(BATCH)]
            for command, found, expected in zip(commands, said(one, commands), said(other, commands)):
                assert found == expected, f"{command!r:.100}: {found!r:.100}, not {expected!r:.100}"
            assert hot.info("hot_entries") <= HOT
            plain.info("hot_entries")  # INFO counts as a command


def says_what_a_plain_one_says():
    for seed in range(SEEDS):
        options = ["--enable-debug", "--max-keys", "18", "--max-bulk", "2M"]
        with Server(KVD, "--hot", str(HOT), *options) as hot, Server(KVD, *options) as plain:
            try:
                compare(hot, plain, random.Random(seed))
            except AssertionError as why:
                raise AssertionError(f"seed {seed}: {why}") from why
            for name in ("keyspace_hits", "keyspace_misses", "expired_keys", "used_memory"):
                same((name, hot.info(name)), (name, plain.info(name)))
            same((hot.probe("store", "hits"), hot.probe("store", "misses")),
                 (plain.probe("store", "hits"), plain.probe("store", "misses")))
            assert hot.info("hot_hits") > BATCHES, hot.info("hot_hits")
            same(plain.info("hot_hits") + plain.info("hot_misses"), 0)
            same([p.total for p in hot.probes() if (p.module, p.name[:7]) == ("hot", "expect_")], [0, 0])
            hot.end()
            plain.end()


def expiry_is_kept():
    with Server(KVD, "--hot", "10") as server, server.connect() as connection:
        same(connection.ask("SET", "k", "v"), "OK")
        same(connection.ask("GET", "k"), b"v")
        same(connection.ask("SET", "k", "w", "PX", 20), "OK")
        until(lambda: connection.ask("GET", "k") is None, "it expires although it was held")
        same(connection.ask("SET", "k", "x"), "OK")
        same([connection.ask("GET", "k") for _ in range(3)], [b"x"] * 3)
        same(server.info("hot_entries"), 1)
        server.end()


def long_values():
    """One byte beyond what is held: the short one before must not be served."""
    with Server(KVD, "--hot", "10", "--max-bulk", "2M") as server, server.connect() as connection:
        for length, hits in ((MIB, 2), (MIB + 1, 0)):
            before = server.info("hot_hits")
            same(connection.ask("SET", "k", "short"), "OK")
            same(connection.ask("SET", "k", b"v" * length), "OK")
            same([connection.ask("GET", "k") for _ in range(2)], [b"v" * length] * 2)
            same(server.info("hot_hits") - before, hits)
        server.end()


def restart():
    with tempfile.TemporaryDirectory(prefix="kvd-test-") as place:
        for value in (None, b"0", b"1"):
            with Server(KVD, "--save", "snap", "--hot", "1", place=place) as server:
                same([server.ask("GET", "k"), server.ask("GET", "k")], [value, value])
                same(server.ask("SET", "k", int(value) + 1 if value else 0), "OK")
                server.end()


def at_the_limits():
    for number in (0, 1, MIB):
        with Server(KVD, "--hot", str(number)) as server, server.connect() as connection:
            for i in range(3):
                same(connection.ask("SET", i, i), "OK")
            same([connection.ask("GET", i) for i in range(3)], [b"0", b"1", b"2"])
            same(server.info("hot_entries"), min(number, 3))
            server.end()
    for wrong in ("-1", str(MIB + 1), "", "1K"):
        done = subprocess.run([KVD, "--hot", wrong], capture_output=True, timeout=DEADLINE_S,
                              preexec_fn=die_with_parent)
        same((wrong, done.returncode), (wrong, 2))
        assert b"--hot wants a number from 0 to 1048576" in done.stderr, done.stderr


def damage_is_noticed():
    """An answer from the cache looks at the store's books as one from the store does."""
    with Server(KVD, "--hot", "10", "--enable-debug") as server, server.connect() as connection:
        same(connection.ask("SET", "k", "v"), "OK")
        same(connection.ask("DEBUG", "TOCSIN", "stop-flusher"), "OK")
        same(connection.ask("DEBUG", "TOCSIN", "break-invariant"), "OK")
        same(connection.ask("GET", "k"), b"v")
        same(server.info("hot_hits"), 1)
        until(lambda: [p for p in server.ringing() if p.module == "store"], "the check rings")
        says(connection.ask("SET", "k", "w"), b"the store is damaged")
        same(connection.ask("GET", "k"), b"v")
        server.end()


def linked_by_hand():
    """Another accepted lru.c, with the command as README.md has it."""
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json")) as file:
        if any(row["name"] == "b_sanitize" and row["value"] != "none" for row in json.load(file)):
            raise Skip("a library with sanitizers is not for strangers")
    if not shutil.which("cc"):
        raise Skip("cc is missing")
    with open(README) as file:
        command, = re.findall(r"^    (cc .*ACCEPTED/lru\.c.*)$", file.read(), re.MULTILINE)
    with tempfile.TemporaryDirectory(prefix="kvd-test-") as place:
        kvd = os.path.join(place, "kvd")
        command = command.replace("/tmp/kvd", kvd).replace("ACCEPTED", "modules/lru/candidates/slots")
        words = [re.sub("^build/", BUILD + "/", word) for word in command.split()]
        done = subprocess.run(words, cwd=SOURCE, capture_output=True, timeout=DEADLINE_S,
                              preexec_fn=die_with_parent)
        same((done.returncode, done.stderr), (0, b""))
        with Server(kvd, "--hot", "2") as server, server.connect() as connection:
            for i in range(5):
                same(connection.ask("SET", i, i), "OK")
            same([connection.ask("GET", i) for i in (4, 3, 0)], [b"4", b"3", b"0"])
            same(server.probe("lru", "pushed_out"), 4)  # the probe of that one, not the reference's
            same(server.info("hot_hits"), 2)
            server.end()


if __name__ == "__main__":
    sys.exit(run_cases([
        says_what_a_plain_one_says, expiry_is_kept, long_values, restart, at_the_limits,
        damage_is_noticed, linked_by_hand,
    ]))
