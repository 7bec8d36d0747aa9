#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much slower whole programs are with libtocsin-inside and with what else looks inside programs.

usage: whole.py TOCSIN [--rounds N] [--scale N] [--table FILE]

Two programs: whole.c beside this file (two threads, allocations and locks), and Debian's sqlite3,
which only some can look into without compiling it anew. In each round every tool has its turn, and its
time is divided by that of the plain program in that round. All must print the same."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TIME_MAX_S = 600
SLOW_S = 20    # who takes longer has two rounds
HERE = pathlib.Path(__file__).resolve().parent

SQL = """
create table t(a integer primary key, b integer, c text);
begin;
with recursive s(i) as (select 1 union all select i + 1 from s where i < {rows})
insert into t select i, i * 7919 % 10007, printf('%d is a number', i * 31 % 997) from s;
commit;
create index b on t(b);
create index c on t(c, b);
select c, count(*), max(b) from t group by c order by 2 desc, 1 limit 10;
update t set c = upper(c) || b where a % 7 = 0;
select count(*) from t where c like '%9%' and c glob '*IS*';
delete from t where b % 3 = 0;
select group_concat(c, '-') from (select c from t order by b, a limit 50);
pragma integrity_check;
"""


class Missing(Exception):
    """A tool that is not here."""


def need(name):
    path = shutil.which(name)
    if not path:
        raise Missing("not here")
    return path


def jemalloc():
    """With its profiler, as servers use it."""
    listed = subprocess.run([need("ldconfig"), "-p"], stdout=subprocess.PIPE, check=True,
                            encoding="utf-8").stdout
    if "libjemalloc.so.2" not in listed:
        raise Missing("not here")
    return {"LD_PRELOAD": "libjemalloc.so.2",
            "MALLOC_CONF": "prof:true,lg_prof_sample:19,prof_final:false"}


class Program:
    """A command, or one for each way in which it can be compiled."""

    def __init__(self, place, name, command, stdin=b"", source=None):
        self.place, self.name, self.command, self.stdin, self.source = (place, name, command, stdin,
                                                                        source)

    def compiled(self, *options):
        if not self.source:
            raise Missing("would have to be compiled anew")
        path = os.path.join(self.place, "whole" + "".join(options))
        if not os.path.exists(path):
            done = subprocess.run([need("gcc"), "-O2", "-g", "-pthread", *options, self.source, "-o", path],
                                  stderr=subprocess.PIPE, check=False)
            if done.returncode:
                raise Missing("gcc has no such sanitizer")
        return [path, *self.command[1:]]


def ways(tocsin):
    """Name: what to do with a program; (command, what it needs in its environment)."""
    def valgrind(tool):
        return lambda p: ([need("valgrind"), "-q", f"--tool={tool}", *p.command], {})
    return {
        "plain": lambda p: (p.command, {}),
        "tocsin run": lambda p: ([tocsin, "run", "--quiet", "--dir", p.base, "--", *p.command], {}),
        "tocsin run --inside": lambda p: ([tocsin, "run", "--quiet", "--inside", "--dir", p.base, "--",
                                           *p.command], {}),
        "jemalloc, profiled": lambda p: (p.command, jemalloc()),
        "heaptrack": lambda p: ([need("heaptrack"), "-o", os.path.join(p.place, "heaptrack"),
                                 *p.command], {}),
        "gcc -fsanitize=address": lambda p: (p.compiled("-fsanitize=address"), {}),
        "gcc -fsanitize=thread": lambda p: (p.compiled("-fsanitize=thread"), {}),
        "valgrind memcheck": valgrind("memcheck"),
        "valgrind helgrind": valgrind("helgrind"),
    }


def seconds_of(program, way):
    """And what it printed, without what heaptrack says around it."""
    command, more = way(program)
    begin = time.monotonic()
    done = subprocess.run(command, input=program.stdin, stdout=subprocess.PIPE, timeout=TIME_MAX_S,
                          stderr=subprocess.PIPE, check=False, env={**os.environ, **more})
    took_s = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr[-1000:]}")
    return took_s, done.stdout


def measure(program, all_ways, rounds):
    """Name: ratios to the plain program, or why there are none. And the seconds of the plain one."""
    ratios, plain_s = {}, []
    for turn in range(rounds):
        for name, way in all_ways.items():
            if isinstance(ratios.get(name), str):
                continue
            if name != "plain" and turn >= 2 and ratios[name][0] * plain_s[0] > SLOW_S:
                continue
            try:
                took_s, said = seconds_of(program, way)
            except Missing as missing:
                ratios[name] = str(missing)
                continue
            if name == "plain":
                wanted = said
                plain_s.append(took_s)
            elif wanted not in said:
                raise SystemExit(f"{name} made {program.name} print something else")
            ratios.setdefault(name, []).append(took_s / plain_s[-1])
            print(f"{program.name}, round {turn + 1}: {name} {took_s:.2f} s", file=sys.stderr)
    return ratios, statistics.median(plain_s)


def cell(ratios):
    if isinstance(ratios, str):
        return ratios
    middle = statistics.median(ratios)
    digits = 2 if middle < 3 else 1
    return f"{middle:.{digits}f} ({min(ratios):.{digits}f} .. {max(ratios):.{digits}f})"


def table(measured, all_ways):
    names = list(measured)
    lines = ["| | " + " | ".join(f"{name}, {plain_s:.1f} s plain"
                                 for name, (_, plain_s) in measured.items()) + " |",
             "|---" * (len(names) + 1) + "|"]
    for way in all_ways:
        if way != "plain":
            lines.append(f"| {way} | " + " | ".join(cell(measured[name][0][way]) for name in names)
                         + " |")
    return "\n".join(lines) + "\n"


def main():
    options = {"--rounds": "5", "--scale": "100", "--table": None}
    options.update(zip(sys.argv[2::2], sys.argv[3::2]))
    scale = int(options["--scale"])
    all_ways = ways(os.path.abspath(sys.argv[1]))
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory(dir="/dev/shm") as base:
        whole = Program(place, "two threads", ["whole", str(4 * scale)],
                        source=str(HERE / "whole.c"))
        whole.command = whole.compiled()
        programs = [whole]
        if shutil.which("sqlite3"):
            programs.append(Program(place, "sqlite3", [need("sqlite3"), "-batch", ":memory:"],
                                    SQL.replace("{rows}", str(6000 * scale)).encode()))
        for program in programs:
            program.base = base
        measured = {program.name: measure(program, all_ways, int(options["--rounds"]))
                    for program in programs}
    text = table(measured, all_ways)
    print(text)
    if options["--table"]:
        pathlib.Path(options["--table"]).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
