#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A few streams of every kind and signal, and what tocsin-conform does when it cannot agree.

    conform_test.py TOCSIN_CONFORM STREAMS_OF_EACH_SIGNAL
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

STREAMS = 37 * int(sys.argv[2])


def run(*arguments, **more):
    return subprocess.run([sys.argv[1], *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, **more)


def fake_promtool(folder, script):
    path = os.path.join(folder, "promtool")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    return {**os.environ, "PATH": folder + ":" + os.environ["PATH"]}


def streams_agree():
    done = run("--streams", str(STREAMS), "--json")
    print("# " + done.stdout.strip())
    summary = json.loads(done.stdout)
    assert done.returncode == 0, done.returncode
    assert summary["streams"] == STREAMS and summary["disagreements"] == 0
    assert len(summary["kinds"]) == 14, summary["kinds"]
    # Streams in which nothing happens would agree with anything.
    assert summary["rang"] > summary["rules"] / 2


def a_seed_is_a_stream():
    first, second = run("--seed", "7"), run("--seed", "7")
    assert first.returncode == 0, first.stdout
    assert first.stdout.splitlines()[:-1] == second.stdout.splitlines()[:-1]
    assert first.stdout.startswith("seed 7: "), first.stdout


def a_disagreement_is_found():
    """One step at which the judge says that nothing rings, where stream 7 does."""
    lines = run("--seed", "7").stdout.splitlines()
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    step = next(number for number, row in enumerate(rows) if row[1:3] == ["F", "F"])
    answer = f'    expr: "ALERTS{{instance=\\"s7\\"}} # {step}", time: 0s,'
    with tempfile.TemporaryDirectory() as folder:
        lying = fake_promtool(folder, f"printf '%s\\n' '{answer}' '        exp: ' "
                                      "'        got: nil'; exit 1")
        done = run("--first", "7", "--streams", "1", env=lying)
        assert done.returncode == 1, done.stdout
        assert "seed 7 " in done.stdout and "1 disagree" in done.stdout, done.stdout
        assert "see --seed 7" in done.stdout, done.stdout
        shown = run("--seed", "7", env=lying)
        assert sum(line.endswith("<") for line in shown.stdout.splitlines()) == 1, shown.stdout


def without_a_judge_nothing_is_said():
    with tempfile.TemporaryDirectory() as folder:
        for script in ("exit 1", "echo '  err: no such rule'; exit 1", "kill -9 $$",
                       "echo 'expr: \"ALERTS{instance'; exit 1"):
            done = run("--streams", "2", env=fake_promtool(folder, script))
            assert done.returncode == 3, (script, done.stdout)
        os.unlink(os.path.join(folder, "promtool"))
        done = run("--streams", "2", env={"PATH": folder})
        assert done.returncode == 3, done.stdout


def wrong_requests_are_refused():
    for arguments in (["--kind", "nonsense"], ["--kind", "timer", "--signal", "lost"],
                      ["--streams", "0"], ["--nonsense"], ["operand"]):
        assert run(*arguments).returncode == 2, arguments
    assert run("--help").returncode == 0


def main():
    judged = [streams_agree, a_seed_is_a_stream, a_disagreement_is_found]
    tests = [without_a_judge_nothing_is_said, wrong_requests_are_refused, *judged]
    print(f"1..{len(tests)}", flush=True)
    failed = False
    for number, test in enumerate(tests, 1):
        if test in judged and not shutil.which("promtool"):
            print(f"ok {number} - {test.__name__} # SKIP promtool is not installed", flush=True)
            continue
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except AssertionError as error:
            failed = True
            print("# " + str(error).replace("\n", "\n# "))
            print(f"not ok {number} - {test.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
