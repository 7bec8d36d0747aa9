#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whole.py compares like with like: what prints something else, or fails, is no measurement.

usage: whole_test.py TOCSIN
Output is TAP."""

import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "run"))
import harness  # noqa: E402
import whole  # noqa: E402


def raised(what, *arguments):
    try:
        what(*arguments)
    except SystemExit as end:
        return str(end)
    return ""


def echo(place):
    return whole.Program(place, "echo", ["echo", "word"])


def a_program_is_measured_with_the_library_and_without():
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory(dir="/dev/shm") as base:
        program = whole.Program(place, "two threads", ["whole", "2"], source=str(whole.HERE / "whole.c"))
        program.command, program.base = program.compiled(), base
        all_ways = whole.ways(harness.TOCSIN)
        wanted = {name: all_ways[name] for name in ("plain", "tocsin run", "tocsin run --inside")}
        ratios, plain_s = whole.measure(program, wanted, 2)
        harness.same({name: len(values) for name, values in ratios.items()},
                     {name: 2 for name in wanted})
        assert plain_s > 0 and min(ratios["tocsin run --inside"]) > 0, ratios
        harness.same(os.listdir(base), [], "what is left")


def who_prints_something_else_is_refused():
    with tempfile.TemporaryDirectory() as place:
        ways = {"plain": lambda p: (p.command, {}), "liar": lambda p: (["echo", "other"], {})}
        harness.has(raised(whole.measure, echo(place), ways, 1), "liar made echo print something else")


def who_fails_is_refused():
    with tempfile.TemporaryDirectory() as place:
        harness.has(raised(whole.measure, echo(place), {"plain": lambda p: (["false"], {})}, 1),
                    "ended with 1")


def what_is_not_here_is_said():
    with tempfile.TemporaryDirectory() as place:
        ways = {"plain": lambda p: (p.command, {}),
                "x": lambda p: ([whole.need("there-is-no-such-tool")], {}),
                "y": lambda p: (p.compiled("-fsanitize=address"), {})}
        measured = {"echo": whole.measure(echo(place), ways, 2)}
    text = whole.table(measured, ways)
    harness.has(text, "| x | not here |")
    harness.has(text, "| y | would have to be compiled anew |")


def medians_are_printed():
    harness.same((whole.cell([1.5, 1.1, 1.25]), whole.cell([20.0, 30.0])),
                 ("1.25 (1.10 .. 1.50)", "25.0 (20.0 .. 30.0)"))


if __name__ == "__main__":
    sys.exit(harness.run_tests([a_program_is_measured_with_the_library_and_without,
                                who_prints_something_else_is_refused, who_fails_is_refused,
                                what_is_not_here_is_said, medians_are_printed]))
