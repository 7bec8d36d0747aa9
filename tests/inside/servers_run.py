#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody here wrote, with everything on, beside the same servers without: same answers,
no alert, and what it costs.

usage: servers_run.py TOCSIN [--seconds N] [--slice N] [--rounds N] [--only NAME]... [--at-once]
                      [--table FILE]

Two of each server live side by side; the load goes to one and to the other in turn, a slice at a time,
until the one with everything on has had N seconds of it. A pair of slices gives a ratio; what is
reported is the median of the ratios, and between which the middle half of them lies.

How the memory of a process happens to lie makes it faster or slower for as long as it lives: to compare
speeds, give rounds. In each the servers are started anew, and have their share of the seconds."""

import argparse
import os
import statistics
import subprocess
import sys
import time
from concurrent import futures
from dataclasses import dataclass, field

sys.dont_write_bytecode = True
import servers  # noqa: E402


@dataclass
class Result:
    name: str
    loaded_s: float = 0
    lived_s: float = 0
    rates: list = field(default_factory=list)  # (plain, inside) operations a second
    costs: list = field(default_factory=list)  # (plain, inside) CPU seconds an operation
    watcher_cpu_s: float = 0
    alerts: list = field(default_factory=list)
    wrong: list = field(default_factory=list)

    def complaints(self):
        """In sentences; none if all is as it should be."""
        return self.wrong + [f"an alert: {alert}" for alert in self.alerts]


def ratios(pairs):
    return [inside / plain for plain, inside in pairs if plain > 0]


def spread(pairs):
    """Median, and first and third quartile, of inside over plain; None without pairs."""
    values = ratios(pairs)
    if not values:
        return None
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def one_slice(server, seconds):
    """Operations a second, CPU seconds an operation."""
    cpu_s = server.cpu_seconds()
    count, took_s = server.load(seconds)
    return count / took_s, (server.cpu_seconds() - cpu_s) / count


def watcher_cpu_s(server):
    """Of `tocsin run`; setpriv has become it."""
    with open(f"/proc/{server.process.pid}/stat", encoding="utf-8", errors="replace") as file:
        return sum(int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13]) \
            / os.sysconf("SC_CLK_TCK")


def unseen(server):
    """Processes of it that have no segment of libtocsin-inside although they did something: one that
    only waits has nothing to show, and makes none."""
    there = {name.split("-")[0] for _, _, names in os.walk(server.base) for name in names
             if name.endswith(".seg")}
    first, *others = server.tree()
    return [pid for pid in [first, *(pid for pid in others if server.cpu_seconds_of(pid) > 0.3)]
            if str(pid) not in there]


def pairs_of(plain, inside, seconds, slices_s, result):
    """The order changes with each pair: ABBA, so that what drifts hits both."""
    turn, end_s = 0, result.loaded_s + seconds
    while result.loaded_s < end_s:
        measured = {}
        for server in ((plain, inside) if turn % 2 == 0 else (inside, plain)):
            begin = time.monotonic()
            measured[server] = one_slice(server, slices_s[server is inside])
            if server is inside:
                result.loaded_s += time.monotonic() - begin
        result.rates.append((measured[plain][0], measured[inside][0]))
        result.costs.append((measured[plain][1], measured[inside][1]))
        turn += 1


def compare_once(kind, tocsin, seconds, slices_s, result):
    with kind() as plain, kind(tocsin) as inside:
        begin = time.monotonic()
        wanted = plain.answer()
        if inside.answer() != wanted:
            result.wrong.append("it gave another answer")
        pairs_of(plain, inside, seconds, slices_s, result)
        missing = unseen(inside)
        if missing:
            result.wrong.append(f"nobody sees inside {missing}")
        if inside.answer() != wanted or plain.answer() != wanted:
            result.wrong.append("it gave another answer after the load")
        result.lived_s += time.monotonic() - begin
        result.watcher_cpu_s += watcher_cpu_s(inside)
        status = (plain.stop(), inside.stop())
        if status[0] != status[1] and status != (-15, 143):
            result.wrong.append(f"ended with {status[1]}, and without us with {status[0]}")
        result.alerts += inside.alerts()
        said = [line for line in inside.errors().splitlines() if line.startswith("tocsin: ")
                and "warning" in line]
        result.wrong += said


def compare(kind, tocsin, seconds, slices_s, rounds=1):
    """slices_s: without us, with us. Raises servers.Missing where it is not here."""
    result = Result(kind.name)
    for _ in range(rounds):
        compare_once(kind, tocsin, seconds / rounds, slices_s, result)
    return result


def percent(value):
    return f"{100 * (value - 1):+.1f} %"


def row_of(result):
    rate, cost = spread(result.rates), spread(result.costs)
    alerts = ", ".join(sorted({alert.get("probe", alert["type"]) for alert in result.alerts}))
    return (f"| {result.name} | {result.loaded_s:.0f} s | {len(result.rates)} | {percent(rate[0])} "
            f"({percent(rate[1])} .. {percent(rate[2])}) | "
            + (f"{percent(cost[0])} ({percent(cost[1])} .. {percent(cost[2])})" if cost else "-")
            + f" | {100 * result.watcher_cpu_s / result.lived_s:.1f} % | {'; '.join(result.wrong) or 'same'} | "
            f"{alerts or 'none'} |")


HEAD = """| program | under load | pairs | throughput | CPU an operation | watcher, of a core | answers | alerts |
|---|---|---|---|---|---|---|---|
"""


def row(kind, options):
    """The row, and whether all is well."""
    try:
        result = compare(kind, os.path.abspath(options.tocsin), options.seconds,
                         (options.slice, options.slice), options.rounds)
    except servers.Missing as missing:
        return f"| {kind.name} | not here: {missing} | | | | | | |", True
    for complaint in result.complaints():
        print(f"{kind.name}: {complaint}", file=sys.stderr, flush=True)
    print(row_of(result), flush=True)
    return row_of(result), not result.complaints()


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def options_of(arguments):
    names = [kind.name for kind in servers.SERVERS]
    parser = argparse.ArgumentParser(description="Servers with everything on, beside those without.")
    parser.add_argument("tocsin", metavar="TOCSIN", help="the program")
    parser.add_argument("--seconds", type=positive, default=20, help="of load with everything on")
    parser.add_argument("--slice", type=positive, default=5, help="seconds of load, to one and to the other")
    parser.add_argument("--rounds", type=positive, default=1, help="start them anew so often")
    parser.add_argument("--only", action="append", choices=names, help="may be given again")
    parser.add_argument("--at-once", action="store_true",
                        help="all servers together; then speeds say nothing")
    parser.add_argument("--table", help="writes it to this file")
    return parser.parse_args(arguments)


def main():
    options = options_of(sys.argv[1:])
    kinds = [kind for kind in servers.SERVERS if not options.only or kind.name in options.only]
    with futures.ThreadPoolExecutor(len(kinds) if options.at_once else 1) as pool:
        rows = list(pool.map(lambda kind: row(kind, options), kinds))
    if options.table:
        with open(options.table, "w", encoding="utf-8") as file:
            file.write(HEAD + "\n".join(line for line, _ in rows) + "\n")
    return 0 if all(is_well for _, is_well in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
