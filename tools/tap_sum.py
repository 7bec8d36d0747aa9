#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums the tests of one or more meson builds and says how they went.

Exists because `meson test` counts programs, not the tests inside them, and because "it crashed",
"it stopped half way" and "it never ran" must count as failures and not be lost in an exit status.

    tap_sum.py [--broken TEXT]... BUILD...

Reads BUILD/meson-logs/testlog.json (what ran) and BUILD/meson-info/intro-tests.json (which of it
speaks TAP). A TAP program counts once per test line, and once more if it crashed, was late, bailed
out or did not keep its plan. Any other program counts once. --broken counts one failure for
something that could not even be tried, such as a build. The last line is "N passed, N failed",
with ", N skipped" if there are any. Exit status 0 only if nothing failed and something passed.
"""

import argparse
import json
import pathlib
import re
import shlex
import sys

SHOWN_TESTS_MAX = 20
SHOWN_LINES_MAX = 60
SHOWN_COLUMNS_MAX = 300

TEST_LINE = re.compile(r"(not )?ok\b *(\d+)? *(.*)")
PLAN_LINE = re.compile(r"1\.\.(\d+)\s*(?:#\s*(.*))?$")
DIRECTIVE = re.compile(r"(?:^|\s)#\s*(skip|todo)\b", re.IGNORECASE)


class Sum:
    """What one program's output amounts to."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = []  # what was skipped, one text each
        self.problems = []  # why the program as a whole failed


def read_tap(stdout):
    """Counts test lines. Everything that is no test line, plan or bail-out is commentary."""
    tap = Sum()
    plan = None
    seen = 0
    refused_skips = 0  # cmocka writes "not ok 3 # SKIP": meson takes that for a failure
    for line in stdout.split("\n"):
        if line.startswith("Bail out!"):
            tap.problems.append(line)
            continue
        plan_line = PLAN_LINE.match(line)
        if plan_line:
            if plan is not None:
                tap.problems.append("more than one plan")
            plan = int(plan_line[1])
            if plan == 0:
                tap.skipped.append(plan_line[2] or "everything")
            continue
        test = TEST_LINE.match(line)
        if not test:
            continue
        seen += 1
        if test[2] and int(test[2]) != seen:
            tap.problems.append(f"test {seen} calls itself {test[2]}")
        directive = DIRECTIVE.search(test[3])
        kind = directive[1].lower() if directive else ""
        if kind == "skip":
            tap.skipped.append(test[3])
            refused_skips += bool(test[1])
        elif kind == "todo" and test[1]:
            tap.skipped.append(test[3])
        elif kind == "todo":
            tap.failed += 1  # a waiver that is not needed any more
        elif test[1]:
            tap.failed += 1
        else:
            tap.passed += 1
    if plan is None:
        tap.problems.append("no plan")
    elif plan != seen:
        tap.problems.append(f"planned {plan} tests, ran {seen}")
    return tap, refused_skips


def how_it_ended(result, status):
    """A sentence for what meson says about a program, None if it ended well."""
    if result == "TIMEOUT":
        return "did not end in time"
    if result == "INTERRUPT":
        return "was interrupted"
    if status < 0:
        return f"was killed by signal {-status}"
    if status:
        return f"ended with exit status {status}"
    return None if result in ("OK", "SKIP", "EXPECTEDFAIL") else f"ended as {result}"


def judge(entry, is_tap):
    result, status = entry["result"], entry["returncode"]
    ended = how_it_ended(result, status)
    if not is_tap:
        total = Sum()
        if result in ("OK", "EXPECTEDFAIL"):
            total.passed = 1
        elif result == "SKIP":
            total.skipped.append("the whole program")
        else:
            total.problems.append(ended or result)
        return total

    if result == "EXPECTEDFAIL":
        total = Sum()
        total.passed = 1
        return total
    total, refused_skips = read_tap(entry.get("stdout", ""))
    explained = total.failed or total.problems or (status == 0 and refused_skips)
    if ended and (not explained or status < 0 or result in ("TIMEOUT", "INTERRUPT")):
        total.problems.insert(0, ended)
    return total


def printable(text):
    """Output of tests is foreign: nothing in it may drive the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


def show_output(title, text):
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    if len(lines) > SHOWN_LINES_MAX:
        print(f"  {title} (the last {SHOWN_LINES_MAX} of {len(lines)} lines):")
    elif lines:
        print(f"  {title}:")
    for line in lines[-SHOWN_LINES_MAX:]:
        cut = "..." if len(line) > SHOWN_COLUMNS_MAX else ""
        print(f"    {printable(line[:SHOWN_COLUMNS_MAX])}{cut}")


def without_passes(stdout):
    return "\n".join(line for line in stdout.split("\n") if not re.match(r"ok\b", line))


def show(build, name, total, entry, is_tap):
    stdout = entry.get("stdout", "")
    count = total.failed + bool(total.problems)
    print(f"\nFAILED {name} ({build}): {count} failed" if total.failed else
          f"\nFAILED {name} ({build})")
    for problem in total.problems:
        print(f"  {printable(problem)}")
    show_output("standard output", without_passes(stdout) if is_tap else stdout)
    show_output("standard error", entry.get("stderr", ""))
    print(f"  repeat: meson test -C {shlex.quote(str(build))} --verbose {shlex.quote(name)}")


def tap_names(build):
    """The commands that speak TAP, by what testlog.json knows of them."""
    try:
        tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    except (OSError, ValueError):
        return set()
    return {(test["name"], tuple(test["cmd"])) for test in tests if test["protocol"] == "tap"}


def read_log(build):
    """Yields (name, is_tap, entry) for what ran; None as name if the log is damaged."""
    try:
        text = (build / "meson-logs" / "testlog.json").read_text(errors="replace")
    except OSError:
        return
    tap = tap_names(build)
    for line in filter(None, text.split("\n")):
        try:
            entry = json.loads(line)
            name, command = entry["name"].split(" / ", 1)[-1], tuple(entry["command"])
            _ = entry["result"], entry["returncode"] < 0
        except (ValueError, KeyError, TypeError):
            yield None, False, {}
            continue
        # Without the list of tests a plan tells.
        is_tap = (name, command) in tap or (not tap and re.search(
            r"^1\.\.\d", entry.get("stdout", ""), re.MULTILINE) is not None)
        yield name, is_tap, entry


def main():
    parser = argparse.ArgumentParser(usage="tap_sum.py [--broken TEXT]... BUILD...")
    parser.add_argument("--broken", action="append", default=[])
    parser.add_argument("builds", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()

    passed = failed = shown = 0
    skipped = []
    for build in arguments.builds:
        for name, is_tap, entry in read_log(build):
            if name is None:
                print(f"\nFAILED: {build}/meson-logs/testlog.json is damaged")
                failed += 1
                continue
            total = judge(entry, is_tap)
            passed += total.passed
            failed += total.failed + bool(total.problems)
            skipped += [f"{name} ({build}): {what}" for what in total.skipped]
            if total.failed or total.problems:
                shown += 1
                if shown <= SHOWN_TESTS_MAX:
                    show(build, name, total, entry, is_tap)
    if shown > SHOWN_TESTS_MAX:
        print(f"\n{shown - SHOWN_TESTS_MAX} more programs failed and are not shown")
    for what in arguments.broken:
        print(f"\nFAILED: {printable(what)}")
        failed += 1
    if skipped:
        print("\nSkipped:")
        for what in skipped[:SHOWN_LINES_MAX]:
            print(f"  {printable(what)}")
    if not passed and not failed:
        print("\nNo test ran.")
    print(f"\n{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
