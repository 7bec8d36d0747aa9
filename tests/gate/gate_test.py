#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin gate as its users see it: what it says, writes, exits with, and leaves behind. TAP.
usage: gate_test.py TOCSIN BOX_CONTRACT [TEST]..."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TOCSIN, BOX = (os.path.abspath(argument) for argument in sys.argv[1:3])
ONLY = sys.argv[3:]
TIME_MAX_S = 300


class Place:
    """A working directory with a copy of the contract, and a cache of its own."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder)
        self.contract = self.path / "box"
        shutil.copytree(BOX, self.contract)
        self.source = (self.contract / "candidates/reference/box.c").read_text()
        self.env = {**os.environ, "XDG_CACHE_HOME": str(self.path / "cache"), "NO_COLOR": "1"}

    def candidate(self, name, change=lambda source: source):
        folder = self.contract / "candidates" / name
        folder.mkdir()
        (folder / "box.c").write_text(change(self.source))
        return folder

    def no_reference(self):
        """What a test does not need is left out, for time."""
        yaml = self.contract / "contract.yaml"
        yaml.write_text(yaml.read_text().replace("reference: candidates/reference\n", ""))

    def gate(self, *arguments, before=()):
        return subprocess.run([*before, TOCSIN, "gate", *map(str, arguments)], cwd=self.path,
                              env=self.env, capture_output=True, text=True, timeout=TIME_MAX_S,
                              check=False)

    def leftovers(self, pid):
        mine = f"tocsin-gate-{pid}-"
        found = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(mine)]
        for top, names, _ in os.walk("/sys/fs/cgroup"):
            found += [os.path.join(top, name) for name in names if name.startswith(mine)]
        return found + [str(path) for path in self.path.rglob("*.draft-*")]


def same(got, wanted, what="it"):
    if got != wanted:
        raise AssertionError(f"{what} is {got!r}, not {wanted!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"there is no {part!r} in {text!r}")


def wrong_sum(source):
    return source.replace("return box->sum;", "return box->sum + 1;")


def spins(source):
    return source.replace("box->sum += value;", "for (;;)\n                box->sum += value;")


def embedded(page):
    found = re.search(r'<script type="application/json" id="verdict">(.*?)</script>', page, re.S)
    return found.group(1)


def results(verdict):
    return {stage["name"]: stage["result"] for stage in verdict["stages"]}


# ---- Tests ----------------------------------------------------------------------------------


def accepts_and_remembers(place):
    """A good candidate is accepted; the second time everything comes from the cache."""
    first = place.gate("box", "reference", "--json")
    same(first.returncode, 0, first.stderr)
    verdict = json.loads(first.stdout)
    same(verdict["verdict"], "accepted")
    same(verdict["score"], 1.0)
    same(set(results(verdict).values()), {"pass"})
    same(len(verdict["candidate"]["files"][0]["sha256"]), 64)
    written = json.loads((place.path / "tocsin-report/box/reference/verdict.json").read_text())
    same(written, verdict, "what was written")
    again = json.loads(place.gate("box", "reference", "--json").stdout)
    same(all(stage["cached"] for stage in again["stages"]), True, "cached")
    same(again["verdict"], "accepted")
    for entry in (place.path / "cache/tocsin/gate").iterdir():
        entry.write_bytes(entry.read_bytes().replace(b'"pass"', b'"fail"')[:-3])
    spoilt = json.loads(place.gate("box", "reference", "--json", "--stage", "interface").stdout)
    same([stage["cached"] for stage in spoilt["stages"] if stage["name"] == "interface"], [False])
    same(results(spoilt)["interface"], "pass")


def rejects_with_evidence(place):
    """A wrong candidate is rejected; each finding is repeated by its command, pasted."""
    place.no_reference()
    name = "it's $(touch pwned) </script>"
    yaml = place.contract / "contract.yaml"
    yaml.write_text(yaml.read_text().replace("Keeps a sum", "<!--<script> Keeps & a sum"))
    os.rename(place.candidate("bad", wrong_sum), place.contract / "candidates" / name.replace("/", "_"))
    name = name.replace("/", "_")
    done = place.gate("box", name)
    same(done.returncode, 1, done.stdout + done.stderr)
    has(done.stdout, "rejected: unit found")
    has(done.stdout, "skip")
    report = place.path / "tocsin-report/box" / name
    verdict = json.loads((report / "verdict.json").read_text())
    same((verdict["verdict"], results(verdict)["unit"], results(verdict)["bench"]),
         ("rejected", "fail", "skip"))
    page = (report / "index.html").read_text()
    inside = embedded(page)
    same([mark for mark in "<>&\u2028" if mark in inside], [], "marks in the page's JSON")
    same(json.loads(inside)["candidate"]["name"], name)
    same(re.findall(r'(?:src|href)="(?!data:)[^"]*//', page), [], "what the page loads")
    finding = next(stage for stage in verdict["stages"] if stage["name"] == "unit")["findings"][0]
    if finding["evidence"]:
        has(os.listdir(report / "evidence"), os.path.basename(finding["evidence"]["path"]))
    again = subprocess.run(["sh", "-c", finding["repeat"] + " --json"], cwd=place.path,
                           env=place.env, capture_output=True, text=True, timeout=TIME_MAX_S,
                           check=False)
    same(again.returncode, 1, finding["repeat"] + again.stderr)
    repeated = json.loads(again.stdout)
    same((repeated["verdict"], repeated["partial"]), ("unknown", True))
    has([found["rule"] for stage in repeated["stages"] for found in stage["findings"]],
        finding["rule"])
    same((place.path / "pwned").exists(), False, "pwned")
    same(json.loads((report / "verdict.json").read_text()), verdict, "the whole report afterwards")


def several_at_once(place):
    """Two candidates, two reports below one folder, the worse exit status, a line each as JSON."""
    place.no_reference()
    place.candidate("extra", lambda source: source + "\nint box_more(void);\n"
                    "int box_more(void)\n{\n        return 1;\n}\n")
    done = place.gate("box", "extra", "reference", "--until", "build", "--report", "out", "--json")
    same(done.returncode, 1, done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    same([line["candidate"]["name"] for line in lines], ["extra", "reference"])
    same([results(line)["interface"] for line in lines], ["fail", "pass"])
    same(sorted(os.listdir(place.path / "out")), ["extra", "reference"])
    has(done.stderr, "not a verdict")


def guards_before_it_runs(place):
    """A stage that is asked for alone never runs code that stage interface refuses."""
    place.no_reference()
    place.candidate("runs", lambda source: source +
                    "\n__attribute__((constructor)) static void early(void)\n{\n}\n")
    done = place.gate("box", "runs", "--stage", "unit", "--json")
    verdict = json.loads(done.stdout)
    same((done.returncode, results(verdict)["interface"], results(verdict)["unit"]),
         (1, "fail", "skip"))


def wrong_requests(place):
    """Each is refused with status 2 and a sentence that helps."""
    (place.path / "mine").mkdir()
    (place.path / "mine/letter").write_text("dear")
    for arguments, part in [
            (("box", "--stage", "bnech"), "did you mean bench"),
            (("box", "--until", "x"), "there is no stage 'x'"),
            (("box", "--fault", "0"), "--fault"),
            (("box", "--fault", "3-"), "--fault"),
            (("box", "--seed", "many"), "--seed"),
            (("box", "--build", "relaese"), "did you mean release"),
            (("box", "--stage", "unit", "--until", "unit"), "exclude"),
            (("nowhere",), "nowhere"),
            (("box", "nobody"), "nobody"),
            (("box", "reference", "--report", "mine"), "is no report"),
            ((), "CONTRACT")]:
        done = place.gate(*arguments)
        same((done.returncode, done.stdout), (2, ""), f"{arguments}: {done.stderr}")
        has(done.stderr, part)
    same((place.path / "mine/letter").read_text(), "dear")


def unsound_contracts(place):
    """A reference that fails is the contract's fault: status 2, and the reference's own command."""
    (place.contract / "candidates/reference/box.c").write_text(wrong_sum(place.source))
    done = place.gate("box", "reference", "--json")
    same(done.returncode, 2, done.stderr)
    verdict = json.loads(done.stdout)
    same(verdict["verdict"], "unknown")
    finding = verdict["stages"][0]["findings"][0]
    same(finding["rule"], "contract.reference")
    has(finding["repeat"], "candidates/reference --stage unit")


def stops_when_asked(place):
    """Ctrl-C in the middle: dead of the signal, and nothing is left."""
    place.no_reference()
    place.candidate("spins", spins)
    with subprocess.Popen([TOCSIN, "gate", "box", "spins", "--stage", "unit"], cwd=place.path,
                          env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as gate:
        mine = f"tocsin-gate-{gate.pid}-"
        end = time.monotonic() + 60
        while time.monotonic() < end and not any(
                name.startswith(mine) for name in os.listdir(tempfile.gettempdir())):
            time.sleep(0.05)
        time.sleep(4)
        gate.send_signal(signal.SIGINT)
        _, errors = gate.communicate(timeout=60)
        same(gate.returncode, -signal.SIGINT, errors)
        same(place.leftovers(gate.pid), [], "what is left")
    same((place.path / "tocsin-report").exists(), False, "a report")


def full_disk(place):
    """No room for the report: status 3, said, nothing half-written."""
    if os.geteuid():
        return "needs root to mount"
    room = place.path / "room"
    room.mkdir()
    script = ('mount -t tmpfs -o size=24k tmpfs room && "$@"; status=$?; ls -A room >&2; '
              'exit $status')
    done = place.gate("box", "reference", "--stage", "interface", "--report", "room/report",
                      before=("unshare", "-m", "sh", "-c", script, "sh"))
    same(done.returncode, 3, done.stderr)
    has(done.stderr, "No space left")
    same(done.stderr.strip().splitlines()[-1].startswith("tocsin: error"), True, done.stderr)
    return None


def missing_tools(place):
    """A tool that is not there: status 3 and the package, but only if it is needed."""
    if os.geteuid():
        return "needs root to mount"
    hide = ("unshare", "-m", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"')
    for path, stage, package in [("/usr/bin/valgrind", "unit", "valgrind"),
                                 ("/usr/bin/bwrap", "interface", "bubblewrap")]:
        done = place.gate("box", "reference", "--stage", stage, before=(*hide, path))
        same(done.returncode, 3, done.stderr)
        has(done.stderr, package)
    done = place.gate("box", "reference", "--stage", "interface",
                      before=(*hide, "/usr/bin/valgrind"))
    same(done.returncode, 0, done.stderr)
    return None


def nothing_run_is_not_passed(place):
    """What was asked for and is not there is unknown, not passed."""
    for arguments, part in [(("--case", "ads"), "did you mean adds"),
                            (("--fault", "1", "--build", "release"), "FAULT")]:
        done = place.gate("box", "reference", "--stage", "unit", *arguments)
        same(done.returncode, 3, f"{arguments}: {done.stdout}{done.stderr}")
        has(done.stdout, part)


def parts_that_are_missing(place):
    """A program without its parts says which, and does not fall over."""
    shutil.copy(TOCSIN, place.path / "tocsin")
    done = subprocess.run([place.path / "tocsin", "gate", "box"], cwd=place.path, env=place.env,
                          capture_output=True, text=True, timeout=TIME_MAX_S, check=False)
    same(done.returncode, 3, done.stderr)
    has(done.stderr, "tocsin-lens is missing")


def quick_is_no_verdict(place):
    """--quick says what it left out, and that it is no verdict."""
    done = place.gate("box", "reference", "--quick", "--json")
    verdict = json.loads(done.stdout)
    same((verdict["verdict"], verdict["partial"]), ("unknown", True))
    has(done.stderr, "not a verdict")
    for stage in verdict["stages"]:
        if stage["result"] in ("skip", "unknown"):
            has(stage, "why")


TESTS = [wrong_requests, guards_before_it_runs, several_at_once, missing_tools, full_disk,
         stops_when_asked, quick_is_no_verdict, nothing_run_is_not_passed, parts_that_are_missing, rejects_with_evidence, unsound_contracts,
         accepts_and_remembers]


def main():
    tests = [test for test in TESTS if not ONLY or test.__name__ in ONLY]
    failed = False
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        line = f"{number} - {test.__doc__.splitlines()[0]}"
        with tempfile.TemporaryDirectory(prefix="tocsin-gate-test-") as folder:
            try:
                skipped = test(Place(folder))
                print(f"ok {line}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
            except (AssertionError, LookupError, OSError, ValueError,
                    subprocess.SubprocessError):
                failed = True
                print(f"not ok {line}\n# " + traceback.format_exc().replace("\n", "\n# "),
                      flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
