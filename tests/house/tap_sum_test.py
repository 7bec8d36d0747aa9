#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows tools/tap_sum.py one log of each kind that it must not call a success.

Usage: tap_sum_test.py TAP_SUM. Speaks TAP itself.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

CASES = []


def case(title, last, programs, extra=(), shown=(), intro=True, raw=None):
    """programs: (name, protocol, result, status, standard output). last: the last line."""
    CASES.append((title, last, programs, extra, shown, intro, raw))


case("passes are summed over programs", "4 passed, 0 failed", [
    ("a", "tap", "OK", 0, "1..2\nok 1 - x\nok 2 - y\n"),
    ("b", "tap", "OK", 0, "ok 1 - x\n1..1\n"),
    ("c", "exitcode", "OK", 0, "ok 1\nok 2\nok 3\n")])
case("a failed test is counted and shown with its output", "1 passed, 1 failed", [
    ("a b", "tap", "ERROR", 1, "1..2\nok 1 - x\nnot ok 2 - y\n# 3 != 4\n")],
     shown=["FAILED a b", "# 3 != 4", "--verbose 'a b'"])
case("a failure before many passes is still shown", "100 passed, 1 failed", [
    ("a", "tap", "ERROR", 1, "1..101\nnot ok 1 - first\n" +
     "".join(f"ok {i} - x\n" for i in range(2, 102)))], shown=["not ok 1 - first"])
case("failures are not hidden by passes elsewhere", "1 passed, 2 failed", [
    ("a", "tap", "OK", 0, "1..1\nok 1\n"), ("b", "tap", "FAIL", 0, "1..2\nnot ok 1\nnot ok 2\n")])
case("a crash counts although all tests before it passed", "2 passed, 1 failed", [
    ("a", "tap", "ERROR", -11, "1..2\nok 1\nok 2\n")], shown=["killed by signal 11"])
case("a crash half way counts once", "1 passed, 1 failed", [
    ("a", "tap", "ERROR", -6, "1..9\nok 1\n")], shown=["signal 6", "planned 9 tests, ran 1"])
case("a leak found at exit counts", "1 passed, 1 failed", [
    ("a", "tap", "ERROR", 23, "1..1\nok 1\n")], shown=["exit status 23"])
case("a plan that is not kept counts", "2 passed, 1 failed", [
    ("a", "tap", "ERROR", 0, "1..3\nok 1\nok 2\n")], shown=["planned 3 tests, ran 2"])
case("more tests than planned count", "2 passed, 1 failed", [
    ("a", "tap", "ERROR", 0, "1..1\nok 1\nok 2\n")], shown=["planned 1 tests, ran 2"])
case("no plan counts, whatever meson thinks", "2 passed, 1 failed", [
    ("a", "tap", "OK", 0, "ok 1\nok 2\n")], shown=["no plan"])
case("silence counts, whatever meson thinks", "0 passed, 1 failed", [
    ("a", "tap", "SKIP", 0, "")])
case("two plans count", "2 passed, 1 failed", [
    ("a", "tap", "OK", 0, "1..2\nok 1\nok 2\n1..2\n")], shown=["more than one plan"])
case("a test that runs twice counts", "2 passed, 1 failed", [
    ("a", "tap", "OK", 0, "1..2\nok 1\nok 1\n")], shown=["test 2 calls itself 1"])
case("a bail-out counts", "1 passed, 1 failed", [
    ("a", "tap", "ERROR", 0, "1..1\nok 1\nBail out! no disk\n")], shown=["no disk"])
case("a late program counts", "1 passed, 1 failed", [
    ("a", "tap", "TIMEOUT", -15, "1..1\nok 1\n")], shown=["did not end in time"])
case("a late program counts beside its failures", "0 passed, 2 failed", [
    ("a", "tap", "TIMEOUT", -15, "1..1\nnot ok 1\n")])
case("programs without TAP count once each", "1 passed, 3 failed", [
    ("a", "exitcode", "OK", 0, ""), ("b", "exitcode", "FAIL", 1, ""),
    ("c", "exitcode", "TIMEOUT", -15, ""), ("d", "exitcode", "UNEXPECTEDPASS", 0, "")])
case("a failure that was expected is a success", "2 passed, 0 failed", [
    ("a", "exitcode", "EXPECTEDFAIL", 1, ""), ("b", "tap", "EXPECTEDFAIL", 1, "1..1\nnot ok 1\n")])
case("skips are counted apart and named", "1 passed, 0 failed, 4 skipped", [
    ("a", "tap", "OK", 0, "1..3\nok 1\nok 2 - mount # SKIP not root\nok 3 # skip\n"),
    ("b", "tap", "SKIP", 0, "1..0 # SKIP no kernel\n"), ("c", "exitcode", "SKIP", 77, "")],
     shown=["mount # SKIP not root", "SKIP no kernel", "c ("])
case("cmocka's way to skip is a skip", "1 passed, 0 failed, 1 skipped", [
    ("a", "tap", "FAIL", 0, "1..2\nok 1 - x\nnot ok 2 # SKIP y\n")])
case("cmocka's skip hides no exit status", "1 passed, 1 failed, 1 skipped", [
    ("a", "tap", "ERROR", 1, "1..2\nok 1 - x\nnot ok 2 # SKIP y\n")])
case("only skips are no success", "0 passed, 0 failed, 1 skipped", [
    ("a", "tap", "SKIP", 0, "1..0 # SKIP nothing here\n")])
case("a waiver is no failure, a stale one is", "0 passed, 1 failed, 1 skipped", [
    ("a", "tap", "FAIL", 0, "1..2\nnot ok 1 # TODO later\nok 2 # TODO done\n")])
case("commentary and sub-tests are not counted", "1 passed, 0 failed", [
    ("a", "tap", "OK", 0, "TAP version 13\n1..1\n    not ok 1 - inner\nokay\n# not ok\nok 1 - a\n")])
case("no test at all is no success", "0 passed, 0 failed", [], shown=["No test ran."])
case("what could not be built counts", "1 passed, 1 failed", [
    ("a", "exitcode", "OK", 0, "")], extra=["--broken", "build-clang does not compile"],
     shown=["build-clang does not compile"])
case("a damaged log counts", "1 passed, 1 failed", [
    ("a", "exitcode", "OK", 0, "")], raw='{"name": "b", "resu', shown=["is damaged"])
case("without a list of tests a plan tells", "2 passed, 1 failed", [
    ("a", "tap", "FAIL", 0, "1..3\nok 1\nok 2\nnot ok 3\n")], intro=False)
case("output cannot drive the terminal", "0 passed, 1 failed", [
    ("a", "exitcode", "FAIL", 1, "\033[2Jgone\r\n")], shown=["\\x1b[2Jgone"])
case("long output is cut at its start", "0 passed, 1 failed", [
    ("a", "exitcode", "FAIL", 1, "".join(f"line {i}\n" for i in range(1000)))],
     shown=["line 999", "the last 60 of 1000 lines"])


def write_build(build, programs, intro, raw):
    (build / "meson-logs").mkdir(parents=True)
    (build / "meson-info").mkdir()
    lines = [json.dumps({"name": f"tocsin:room+slow / {name}", "stdout": stdout, "result": result,
                         "returncode": status, "command": ["/bin/" + name]})
             for name, _, result, status, stdout in programs]
    lines += [raw] if raw else []
    (build / "meson-logs" / "testlog.json").write_text("".join(line + "\n" for line in lines))
    if intro:
        (build / "meson-info" / "intro-tests.json").write_text(json.dumps(
            [{"name": name, "protocol": protocol, "cmd": ["/bin/" + name]}
             for name, protocol, _, _, _ in programs]))


def check(tap_sum, last, programs, extra, shown, intro, raw):
    """Returns what is wrong, or an empty text."""
    with tempfile.TemporaryDirectory() as place:
        build = pathlib.Path(place) / "build"
        write_build(build, programs, intro, raw)
        run = subprocess.run([sys.executable, tap_sum, *extra, str(build)], text=True,
                             capture_output=True, timeout=60, check=False)
    lines = run.stdout.splitlines()
    succeeds = ", 0 failed" in last and not last.startswith("0 ")
    if run.stderr:
        return run.stderr
    if not lines or lines[-1] != last:
        return f"the last line should be '{last}':\n{run.stdout}"
    if run.returncode != (0 if succeeds else 1):
        return f"exit status {run.returncode} with '{last}'"
    missing = [text for text in shown if text not in run.stdout]
    return f"not shown: {missing}\n{run.stdout}" if missing else ""


def main():
    print(f"1..{len(CASES)}")
    failed = 0
    for number, (title, *rest) in enumerate(CASES, 1):
        wrong = check(sys.argv[1], *rest)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {title}")
        for line in wrong.splitlines():
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
