#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin ledger: lists, tells and verifies runs that this test wrote by itself, byte by byte. TAP.

usage: ledger_test.py TOCSIN"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOCSIN = os.path.abspath(sys.argv[1])
HOSTILE = "</script><!--\x1b]0;owned\x07\r\n\t\u2028\u202e\x7f\u009b31m\"'&"
PRICE = {"input": 150000, "cached": 75000, "output": 600000}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Run:
    """A ledger as its header describes it, written without the code that is tested."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = []
        self.second = 0
        os.makedirs(folder)

    def add(self, record_type, **fields):
        previous = sha256(self.lines[-1] if self.lines else b"")
        t = f"2026-01-31T12:{self.second // 60:02}:{self.second % 60:02}.250Z"
        self.second += 10
        record = {"n": len(self.lines), "prev": previous, "t": t, "type": record_type, **fields}
        self.lines.append(json.dumps(record, separators=(",", ":")).encode())

    def keep(self, data):
        name = sha256(data)
        os.makedirs(os.path.join(self.folder, "blobs", name[:2]), exist_ok=True)
        with open(os.path.join(self.folder, "blobs", name[:2], name[2:]), "wb") as file:
            file.write(data)
        return name

    def write(self):
        with open(os.path.join(self.folder, "ledger.jsonl"), "wb") as file:
            file.write(b"".join(line + b"\n" for line in self.lines))
        return self

    def start(self, module="lru", is_decided=True):
        self.add("run.start", tocsin="0.1.0", module=module, run=1, seed="7",
                 contract={"path": f"modules/{module}", "sha256": "c" * 64},
                 tiers=[{"name": "small", "provider": "openai", "model": "coder-32b",
                         "price": PRICE, "calls_max": 12},
                        {"name": "local", "provider": "exec", "model": "ask", "price": "free",
                         "calls_max": 4}],
                 limits={"calls": 20, "cost_microusd": 2000000, "seconds": 3600}, prompts="d" * 64)
        if is_decided:
            self.add("decision", action="preflight")
            self.add("preflight", result="sound", why="", ms=1500)

    def ask(self, slot, stage, tier, answer, **more):
        self.add("decision", action="call", stage=stage, tier=tier, lineage=more.get("lineage", 1),
                 parent=more.get("parent"), slot=slot, reason=more.get("reason", "as planned"))
        self.add("call.intent", slot=slot, attempt=1, stage=stage, tier=tier, model="coder-32b",
                 prompt=self.keep(b"prompt %d" % slot), reserve_microusd=9000)
        self.add("call.result", slot=slot, attempt=1, answer=self.keep(answer), finish="stop",
                 usage={"input": 1000, "cached": 0, "output": 500, "reasoning": 0},
                 cost_microusd=450, estimated=False, model="coder-32b", request_id="r", ms=3200,
                 differs=False)

    def candidate(self, slot, name, verdict, **more):
        source = self.keep(b"int x%d;\n" % slot)
        self.add("reply", slot=slot, result="files", why="", ignored="", candidate=name,
                 files=[{"path": "lru.c", "sha256": source}], sha256="e" * 64)
        self.add("decision", action="gate", candidate=name, reason="a new candidate")
        self.add("verdict", candidate=name, verdict=verdict, score_permille=more.get("score", 1000),
                 stage=more.get("stage", ""), signature="f" * 64, keys=more.get("keys", []),
                 packet=self.keep(b"packet %d" % slot), headline=more.get("headline", ""),
                 report=f"candidates/{name}/report", ms=12000)
        return source


def accepted_run(folder):
    run = Run(folder)
    run.start()
    run.ask(1, "write", 0, b"first answer")
    run.candidate(1, 1, "rejected", score=640, stage="unit", keys=["unit.leak evicts"],
                  headline="unit.leak: 64 bytes are lost")
    run.ask(2, "repair", 1, b"second answer", parent=1, reason="one repair for each lineage")
    source = run.candidate(2, 2, "accepted")
    run.add("decision", action="stop", outcome="accepted", why="candidate 2 passed every stage",
            evidence={"candidate": 2})
    run.add("accept", candidate=2, files=[{"path": "lru.c", "sha256": source}])
    return run.write()


def begun_run(folder):
    """Without decisions: whether those follow is for the forge's own tests, which really decide."""
    run = Run(folder)
    run.start(is_decided=False)
    run.keep(b"an answer that was kept, and not recorded before the crash")
    run.add("interrupt")
    run.add("interrupt")
    return run.write()


def ledger(place, *arguments, env=None):
    done = subprocess.run([TOCSIN, "ledger", *arguments], cwd=place, capture_output=True,
                          timeout=60, check=False, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def is_plain(text):
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text)


def no_folder(place):
    code, out, err = ledger(place)
    check((code, out) == (0, "") and "there is no run below 'tocsin-forge'" in err, (code, err))
    check(ledger(place, "--json") == (0, "[]\n", ""), "an empty array")
    code, out, err = ledger(place, "last")
    check(code == 2 and out == "" and "there is no run" in err, (code, err))
    for word in ["lru/1", "1", "nowhere", ""]:
        code, out, err = ledger(place, "--verify", word)
        check(code == 2 and out == "" and "no run" in err, (word, code, err))


def empty_folder(place):
    os.makedirs(os.path.join(place, "tocsin-forge/lru/1"))
    code, out, err = ledger(place)
    check((code, out) == (0, "") and "no run" in err, (code, err))
    code, out, err = ledger(place, "lru/1")
    check(code == 2 and "ledger.jsonl" in err, (code, err))


def lists_all(place):
    accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    other = Run(os.path.join(place, "tocsin-forge/utf8/12"))
    other.start("utf8")
    other.write()
    code, out, err = ledger(place)
    lines = out.splitlines()
    check((code, err) == (0, ""), (code, err))
    check(len(lines) == 3 and lines[0].split()[:3] == ["RUN", "MODULE", "OUTCOME"], out)
    check(lines[1].split()[:6] == ["lru/1", "lru", "accepted", "2", "2", "$0.0009"], lines[1])
    check(lines[1].split()[6] == "2m40s", lines[1])
    check(lines[2].split()[:6] == ["utf8/12", "utf8", "interrupted", "0", "0", "$0.00"], lines[2])
    check(is_plain(out), out)
    runs = json.loads(ledger(place, "--json")[1])
    check([run["name"] for run in runs] == ["lru/1", "utf8/12"], runs)
    check([run["outcome"] for run in runs] == ["accepted", "interrupted"], runs)
    os.rename(os.path.join(place, "tocsin-forge"), os.path.join(place, "elsewhere"))
    check(len(ledger(place, "--output", "elsewhere")[1].splitlines()) == 3, "--output")
    check(ledger(place, "-oelsewhere", "utf8/12")[0] == 0, "-o")


def tells_one(place):
    run = accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    told = [ledger(place, word)[1] for word in ["lru/1", "last", "tocsin-forge/lru/1",
                                                os.path.join(place, "tocsin-forge/lru/1")]]
    check(told[0] == told[1] == told[2] and len(told[3].splitlines()) == len(told[0].splitlines()),
          told)
    for wanted in ["accepted", "candidate 2 passed every stage", "coder-32b", "in $0.15 out $0.60",
                   "free", "unit.leak evicts", "unit.leak: 64 bytes are lost", "0.640",
                   "one repair for each lineage", sha256(run.lines[-1]), "2000 tokens in, 1000 out",
                   "3.2s", "$0.00045"]:
        check(wanted in told[0], wanted)
    check(is_plain(told[0]), told[0])


def as_json(place):
    run = accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    code, out, err = ledger(place, "--json", "lru/1")
    story = json.loads(out)
    check((code, err) == (0, ""), err)
    check(story["outcome"] == "accepted" and story["accepted"] == 2, story)
    check(story["contract"] == {"path": "modules/lru", "sha256": "c" * 64}, story["contract"])
    check(story["head"] == sha256(run.lines[-1]) and story["records"] == len(run.lines), "head")
    check(story["totals"] == {"calls": 2, "attempts": 2, "estimated": False, "candidates": 2, "cost_microusd": 900, "input": 2000,
                              "output": 1000, "seconds": 160.0}, story["totals"])
    first, second = story["candidates"]
    check((first["verdict"], first["failed_stage"], first["score_permille"], first["seconds"]) ==
          ("rejected", "unit", 640, 12.0), first)
    check((second["parent"], second["lineage"], second["stage"], second["tier"], second["slot"]) ==
          (1, 1, "repair", "local", 2), second)
    call = story["calls"][0]
    check((call["result"], call["cost_microusd"], call["input"], call["tier"], call["finish"]) ==
          ("answered", 450, 1000, "small", "stop"), call)
    check(call["answer"] == sha256(b"first answer") and call["prompt"] == sha256(b"prompt 1"), call)
    check(story["files"][0]["path"] == "lru.c" and story["evidence"] == {"candidate": 2}, story)


def the_page(place):
    run = accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    code, out, err = ledger(place, "--page", "last")
    check((code, out, err) == (0, "tocsin-forge/lru/1/index.html\n", ""), (code, out, err))
    with open(os.path.join(run.folder, "index.html"), encoding="utf-8") as file:
        page = file.read()
    story = re.search('<script type="application/json" id="story">(.*?)</script>', page).group(1)
    check(json.loads(story)["head"] == sha256(run.lines[-1]), story)
    for words in [["--page"], ["--page", "--json", "last"], ["--page", "--verify", "last"]]:
        check(ledger(place, *words)[0] == 2, words)


def calls_that_did_not_end(place):
    run = Run(os.path.join(place, "tocsin-forge/lru/1"))
    run.start()
    run.add("decision", action="call", stage="write", tier=0, lineage=1, parent=None, slot=1,
            reason="first")
    run.add("call.intent", slot=1, attempt=1, stage="write", tier=0, model="m", prompt=None,
            reserve_microusd=7000)
    run.add("call.fail", slot=1, attempt=1, kind="retry", cost_microusd=5, why="HTTP 503",
            wait_ms=2000, ms=10)
    run.add("call.intent", slot=1, attempt=2, stage="write", tier=0, model="m", prompt=None,
            reserve_microusd=7000)
    run.add("interrupt")
    run.second += 3600
    run.add("resume", limits={"calls": 50})
    run.add("limit", kind="cost", why="the next call could cost more than is left")
    run.write()
    story = json.loads(ledger(place, "--json", "last")[1])
    check([call["result"] for call in story["calls"]] == ["failed", "unfinished"], story["calls"])
    check(story["calls"][0]["why"] == "HTTP 503", story["calls"])
    check(story["totals"]["cost_microusd"] == 7005 and story["calls"][1]["estimated"], story)
    check(story["totals"]["seconds"] == 80.0, story["totals"])  # without the hour between
    check(story["outcome"] == "interrupted" and story["limits"] == {"calls": 50}, story)
    check([note["type"] for note in story["notes"]] == ["interrupt", "resume", "limit"], story)
    out = ledger(place, "last")[1]
    check("HTTP 503" in out and "~$0.007" in out and "unfinished" in out, out)


def running(place):
    run = Run(os.path.join(place, "tocsin-forge/lru/1"))
    run.start()
    run.write()
    with open(os.path.join(run.folder, "ledger.jsonl"), "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        check("running" in ledger(place)[1], "while somebody holds the lock")
    check("interrupted" in ledger(place)[1], "afterwards")


def verifies(place):
    run = begun_run(os.path.join(place, "tocsin-forge/lru/1"))
    code, out, err = ledger(place, "--verify", "lru/1")
    check(code == 0 and "holds" in out and sha256(run.lines[-1]) in out and err == "", (out, err))
    code, out, err = ledger(place, "--verify", "--json", "lru/1")
    check(code == 0 and json.loads(out)["holds"] is True, out)
    check(ledger(place, "--verify")[0] == 2, "which?")


def damage_is_found(place):
    count = len(accepted_run(os.path.join(place, "counted")).lines)
    for number in range(count - 1):
        for change in ["bit", "gone", "twice"]:
            run = accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
            line = run.lines[number]
            if change == "bit":
                run.lines[number] = line.replace(b"Z\"", b"Y\"", 1)
            elif change == "gone":
                del run.lines[number]
            else:
                run.lines.insert(number, line)
            run.write()
            code, out, err = ledger(place, "--verify", "lru/1")
            check(code == 1 and out == "", (number, change, code, out))
            found = re.search(r"ledger\.jsonl:(\d+): ", err)
            check(found and int(found.group(1)) in (number + 1, number + 2), (number, change, err))
            shutil.rmtree(os.path.join(place, "tocsin-forge"))


def blobs_are_checked(place):
    folder = os.path.join(place, "tocsin-forge/lru/1")
    accepted_run(folder)
    blobs = [os.path.join(at, name) for at, _, names in os.walk(os.path.join(folder, "blobs"))
             for name in names]
    check(len(blobs) == 8, blobs)
    for blob in blobs:
        with open(blob, "r+b") as file:
            was = file.read()
            file.seek(0)
            file.write(bytes([was[0] ^ 1]))
        code, _, err = ledger(place, "--verify", "lru/1")
        check(code == 1 and "was changed" in err and "ledger.jsonl:" in err, (code, err))
        os.unlink(blob)
        code, _, err = ledger(place, "--verify", "lru/1")
        check(code == 1 and "is gone" in err and "ledger.jsonl:" in err, (code, err))
        with open(blob, "wb") as file:
            file.write(was)
    check("blob" not in ledger(place, "--verify", "lru/1")[2], "as it was")
    with open(os.path.join(folder, "blobs", "stray"), "wb") as file:
        file.write(b"x")
    code, _, err = ledger(place, "--verify", "lru/1")
    check(code == 1 and "blobs/stray" in err, (code, err))
    os.unlink(os.path.join(folder, "blobs", "stray"))
    os.mkdir(os.path.join(folder, "blobs", "00"))
    with open(os.path.join(folder, "blobs", "00", "1" * 62), "wb") as file:
        file.write(b"named by no record")
    code, _, err = ledger(place, "--verify", "lru/1")
    check(code == 1 and "is not what its name says" in err, (code, err))


def a_torn_line_is_no_damage(place):
    run = begun_run(os.path.join(place, "tocsin-forge/lru/1"))
    path = os.path.join(run.folder, "ledger.jsonl")
    os.truncate(path, os.path.getsize(path) - 5)
    code, out, err = ledger(place, "--verify", "lru/1")
    check(code == 0 and "torn" in err and sha256(run.lines[-2]) in out, (code, out, err))
    shutil.rmtree(run.folder)
    run = accepted_run(run.folder)
    os.truncate(path, os.path.getsize(path) - 5)
    story = json.loads(ledger(place, "--json", "lru/1")[1])
    check(story["torn"] is True and story["accepted"] is None, story)


def what_cannot_be_read(place):
    run = accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    good = accepted_run(os.path.join(place, "tocsin-forge/lru/2"))
    path = os.path.join(run.folder, "ledger.jsonl")
    os.unlink(path)
    with open(path, "wb") as file:
        file.truncate(65 << 20)
    for words in [["lru/1"], ["--verify", "lru/1"], ["--json", "lru/1"]]:
        code, out, err = ledger(place, *words)
        check(code == 3 and out == "" and "File too large" in err, (code, err))
    code, out, err = ledger(place)
    check(code == 3 and "unknown" in out and "lru/2" in out and "File too large" in err, (out, err))
    good.lines[1] = good.lines[1].replace(b"preflight", b"postflight")
    good.write()
    code, out, err = ledger(place)
    check(code == 3 and "changed" in out and "ledger.jsonl:3" in err, (out, err))
    check(ledger(place, "lru/2")[0] == 1, "one run that was changed")
    with open(os.path.join(place, "file"), "wb"):
        pass
    check(ledger(place, "--output", "file")[0] == 3, "no folder")


def hostile_words(place):
    run = Run(os.path.join(place, "tocsin-forge", "lru", "1"))
    run.add("run.start", tocsin=HOSTILE, module=HOSTILE, run=HOSTILE, seed=HOSTILE,
            contract={"path": HOSTILE, "sha256": HOSTILE},
            tiers=[{"name": HOSTILE, "provider": HOSTILE, "model": HOSTILE, "price": HOSTILE}],
            limits={HOSTILE: HOSTILE})
    run.add("decision", action="call", stage=HOSTILE, tier=0, lineage=HOSTILE, parent=HOSTILE,
            slot=HOSTILE, reason=HOSTILE)
    run.add("call.intent", slot=HOSTILE, attempt=HOSTILE, stage=HOSTILE, tier=0, model=HOSTILE)
    run.add("call.fail", slot=HOSTILE, attempt=HOSTILE, why=HOSTILE)
    run.add("verdict", candidate=HOSTILE, verdict=HOSTILE, stage=HOSTILE, keys=[HOSTILE],
            headline=HOSTILE, report=HOSTILE)
    run.add("limit", kind=HOSTILE, why=HOSTILE)
    run.add("decision", action="stop", outcome=HOSTILE, why=HOSTILE, evidence={HOSTILE: [HOSTILE]})
    run.add("accept", candidate=HOSTILE, files=[{"path": HOSTILE, "sha256": HOSTILE}])
    run.write()
    os.makedirs(os.path.join(place, "tocsin-forge", "\x1b[31m"))
    os.rename(run.folder, os.path.join(place, "tocsin-forge", "\x1b[31m", "1"))
    for words in [[], ["last"]]:
        code, out, err = ledger(place, *words)
        check(code == 0 and is_plain(out) and is_plain(err), (code, out, err))
        check("</script>" in out, out)
    story = json.loads(ledger(place, "--json", "last")[1])
    check(story["module"] == HOSTILE and story["why"] == HOSTILE, story)
    code, out, err = ledger(place, "--verify", "\x1b[31m/1")
    check(code == 1 and out == "" and is_plain(err), (code, out, err))


def records_of_any_form(place):
    """Every field of every record once with every kind of value."""
    types = {
        "run.start": ["tocsin", "module", "run", "contract", "seed", "tiers", "limits"],
        "resume": ["limits"], "preflight": ["result", "why", "ms"], "interrupt": [], "change": ["sha256"],
        "decision": ["action", "stage", "tier", "lineage", "parent", "slot", "reason", "candidate",
                     "outcome", "why", "evidence"],
        "call.intent": ["slot", "attempt", "stage", "tier", "model", "prompt", "reserve_microusd"],
        "call.result": ["slot", "attempt", "answer", "finish", "usage", "cost_microusd",
                        "estimated", "model", "ms"],
        "call.fail": ["slot", "attempt", "kind", "cost_microusd", "why", "ms"],
        "reply": ["slot", "result", "why", "ignored", "candidate", "files", "sha256"],
        "verdict": ["candidate", "verdict", "score_permille", "stage", "keys", "packet", "headline",
                    "report", "ms"],
        "limit": ["kind", "why"], "accept": ["candidate", "files"], "unheard.of": ["x"],
    }
    values = [None, True, 0, -1, 2 ** 62, 0.5, "", "call", "stop", [], [[]], [None, 1, {}], {}, {"a": []},
              "x" * 300]
    run = Run(os.path.join(place, "tocsin-forge/lru/1"))
    for value in values:
        for record_type, fields in types.items():
            run.add(record_type, **{field: value for field in fields})
            for left_out in fields:
                run.add(record_type, **{field: 1 if field != left_out else value
                                        for field in fields})
    run.write()
    for words in [[], ["last"], ["--json"], ["--json", "last"]]:
        code, out, err = ledger(place, *words)
        check(code == 0 and out and err == "", (words, code, err[-300:]))
    check(ledger(place, "--verify", "last")[0] in (0, 1), "verify")


def colour_on_a_terminal_only(place):
    accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    check("\x1b" not in ledger(place)[1] + ledger(place, "last")[1], "a pipe")
    script = shutil.which("script")
    if not script:
        return
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    env["TERM"] = "xterm"
    command = [script, "-qec", f"{TOCSIN} ledger", "/dev/null"]
    done = subprocess.run(command, cwd=place, capture_output=True, timeout=60, check=False, env=env,
                          stdin=subprocess.DEVNULL)
    check(b"\x1b[32maccepted\x1b[0m" in done.stdout, done.stdout)
    env["NO_COLOR"] = "1"
    done = subprocess.run(command, cwd=place, capture_output=True, timeout=60, check=False, env=env,
                          stdin=subprocess.DEVNULL)
    check(b"accepted" in done.stdout and b"\x1b[32m" not in done.stdout, done.stdout)


def requests_that_are_wrong(place):
    for words in [["a", "b"], ["--color"], ["--output", ""], ["--verify"]]:
        code, out, err = ledger(place, *words)
        check(code == 2 and out == "" and err, (words, code, err))
    code, out, _ = ledger(place, "--help")
    check(code == 0 and "--verify" in out and "tocsin ledger last" in out, out)


def a_reader_that_leaves(place):
    accepted_run(os.path.join(place, "tocsin-forge/lru/1"))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOCSIN, "ledger"], cwd=place, stdout=full, stderr=subprocess.PIPE,
                              timeout=60, check=False)
    check(done.returncode == 3 and b"cannot write" in done.stderr, done)


TESTS = [no_folder, empty_folder, lists_all, tells_one, as_json, the_page, calls_that_did_not_end, running,
         verifies, damage_is_found, blobs_are_checked, a_torn_line_is_no_damage,
         what_cannot_be_read, hostile_words, records_of_any_form, colour_on_a_terminal_only,
         requests_that_are_wrong, a_reader_that_leaves]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        place = tempfile.mkdtemp(prefix="tocsin-ledger-")
        try:
            test(place)
            print(f"ok {number} {test.__name__}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} {test.__name__}")
            print("# " + repr(error)[:3000].replace("\n", "\n# "), flush=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
