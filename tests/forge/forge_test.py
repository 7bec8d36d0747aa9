#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin forge as its users see it, with the real gate and models that are scripts. TAP.
usage: forge_test.py TOCSIN BOX_CONTRACT KILLER_LIBRARY [TEST]..."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
import server  # noqa: E402

server.PROMPT_TOKENS = 4000  # about what our prompts have: fewer would be called cut off

TOCSIN, BOX, KILLER = (os.path.abspath(argument) for argument in sys.argv[1:4])
ONLY = sys.argv[4:]
TIME_MAX_S = 300
KILLS = 50
TOGETHER = 2  # a run waits for most of its time
SEED = int(os.environ.get("TOCSIN_TEST_SEED", random.randrange(1 << 32)))

# What a scripted model does: looks at the prompt, never at how often it was asked, so that the same
# question has the same answer; and notes that it was asked, and that its answer is to be paid.
MODEL = r'''#!/usr/bin/env python3
import hashlib, json, os, sys, time
place = os.environ["PLACE"]
prompt = sys.stdin.read()
mode = os.environ.get("TOCSIN_MODEL", "")
name = hashlib.sha256(prompt.encode()).hexdigest()
def note(kind):
    with open(os.path.join(place, "asked"), "a") as file:
        file.write(f"{kind} {name}\n")
def files(source):
    return f"Here it is.\n\nFILE: box.c\n```c\n{source}```\n"
note("asked")
good = open(os.path.join(place, "good.c")).read()
wrong = good.replace("return box->sum;", "return box->sum + 1;")
worse = good.replace("return box->sum;", "return box->sum + 2;")
left = open(os.path.join(place, "environment"), "w")
left.write("\n".join(sorted(os.environ)) + "\n" + "\n".join(sorted(os.listdir("."))) + "\n")
left.close()
if mode == "always-wrong":      # another one each time, and never right
    answer = files(good.replace("return box->sum;", f"return box->sum + 1 + 0x{name[:4]};"))
elif mode == "stubborn":
    answer = files(wrong)
elif mode == "chatty":
    answer = "I think one should add the numbers.\n"
elif mode == "conflict":
    answer = "CONTRACT-CONFLICT: box.h says 0 vs box.h says -1\n"
elif mode == "changes-contract":
    with open(os.path.join(place, "box/box.h"), "a") as file:
        file.write("/* changed */\n")
    answer = files(good)
elif mode == "slow":
    open(os.path.join(place, "waits"), "w").close()
    time.sleep(600)
elif "box->sum + 2" in prompt:
    answer = files(good)
elif "box->sum + 1" in prompt and "Do not write code" in prompt:
    answer = "The sum is one too large.\n"
elif "box->sum + 1" in prompt:
    answer = files(worse)
else:
    answer = files(wrong)
if mode == "paid":
    answer = json.dumps({"text": answer, "usage": {"input": 1000, "output": 500}})
sys.stdout.write(answer)
sys.stdout.flush()
note("billed")
'''

# 1000 tokens at 1 dollar and 500 at 4 dollars a million.
CALL_COST = 1000 + 2000


class Place:
    """A working directory with a copy of the contract and a script that is the model."""

    cache = None

    def __init__(self, folder):
        self.path = pathlib.Path(folder)
        self.contract = self.path / "box"
        shutil.copytree(BOX, self.contract)
        shutil.copy(self.contract / "candidates/reference/box.c", self.path / "good.c")
        self.model = self.path / "model"
        self.model.write_text(MODEL)
        self.model.chmod(0o755)
        self.env = {**os.environ, "XDG_CACHE_HOME": Place.cache, "NO_COLOR": "1",
                    "HOME": str(self.path)}
        self.models("")

    def models(self, *modes, price="free", more=""):
        lines = "".join(
            f"  - {{name: tier{number}, provider: exec, command: '{self.model}', "
            f"environment: [PATH, 'PLACE={self.path}'], price: {price}{more}"
            + (f", model: {mode}" if mode else "") + "}\n" for number, mode in enumerate(modes, 1))
        (self.path / "models.yaml").write_text("tocsin: 1\ntiers:\n" + lines)

    def forge(self, *arguments, env=None, before=(), command="forge"):
        return subprocess.run([*before, TOCSIN, command, *map(str, arguments)], cwd=self.path,
                              env={**self.env, **(env or {})}, capture_output=True, text=True,
                              timeout=TIME_MAX_S, check=False)

    def start(self, *arguments):
        return subprocess.Popen([TOCSIN, "forge", *map(str, arguments)], cwd=self.path,
                                env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def ledger(self, run="1"):
        path = self.path / "tocsin-forge/box" / run / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def asked(self, kind="asked"):
        path = self.path / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split()[1] for line in lines if line.startswith(kind)]

    def wait_for(self, name):
        end = time.monotonic() + 60
        while not (self.path / name).exists():
            if time.monotonic() > end:
                raise AssertionError(f"{name} did not come")
            time.sleep(0.02)


def same(got, wanted, what="it"):
    if got != wanted:
        raise AssertionError(f"{what} is {got!r}, not {wanted!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"there is no {part!r} in {text!r}")


def of_type(records, kind):
    return [record for record in records if record["type"] == kind]


def story(records):
    """The acts and what came of them, without times and money."""
    told = []
    for record in records:
        kind = record["type"]
        if kind == "decision":
            told.append((record["action"], record.get("stage"), record.get("outcome")))
        elif kind in ("verdict", "reply"):
            told.append((kind, record.get("candidate"), record.get("sha256"),
                         record.get("verdict"), record.get("packet")))
    return told


# ---- Tests ----------------------------------------------------------------------------------


def accepts(place):
    """Wrong, wrong again, diagnosed, right: accepted, delivered, and nothing else in the folder."""
    place.models("", "")
    done = place.forge("box")
    same(done.returncode, 0, done.stderr)
    same(done.stdout, "tocsin-forge/box/1/accepted/box.c\n")
    run = place.path / "tocsin-forge/box/1"
    same((run / "accepted/box.c").read_text(), (place.path / "good.c").read_text())
    records = place.ledger()
    same([record["stage"] for record in of_type(records, "call.intent")],
         ["write", "repair", "diagnose", "repair"])
    same([record["tier"] for record in of_type(records, "call.intent")], [0, 0, 1, 0])
    same([record["verdict"] for record in of_type(records, "verdict")],
         ["rejected", "rejected", "accepted"])
    same(records[-1]["type"], "accept")
    digest = hashlib.sha256((run / "accepted/box.c").read_bytes()).hexdigest()
    same(records[-1]["files"], [{"path": "box.c", "sha256": digest}])
    for path in run.rglob("*"):
        if "reports" not in path.parts:
            wanted = 0o700 if path.is_dir() else 0o600
            same(oct(stat.S_IMODE(path.stat().st_mode)), oct(wanted), path)
    # PWD is the shell's own, LC_CTYPE Python's; there is no file in the folder.
    got = set((place.path / "environment").read_text().split()) - {"PWD", "LC_CTYPE"}
    same(got, {"PATH", "PLACE"}, "what the command got")
    has((run / "index.html").read_text(), "<!DOCTYPE html>")
    has(done.stderr, "tocsin-forge/box/1/index.html")
    again = place.forge("box", "--resume", "last")
    same((again.returncode, again.stdout), (0, done.stdout), again.stderr)
    same(len(place.ledger()), len(records), "records of a run that was over")


def tells_as_json(place):
    """--json: one object on standard output, all else on standard error."""
    done = place.forge("box", "--json", "-o", "out")
    same(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    same((told["outcome"], told["totals"]["candidates"], told["accepted"]), ("accepted", 3, 3))
    same(place.forge("--verify", "out/box/1", command="ledger").returncode, 0)


def packet_reaches_the_model(place):
    """What the gate found stands in the next prompt, and the stable part comes first."""
    same(place.forge("box").returncode, 0)
    run = place.path / "tocsin-forge/box/1"
    prompts = []
    for intent in of_type(place.ledger(), "call.intent"):
        name = intent["prompt"]
        prompts.append((run / "blobs" / name[:2] / name[2:]).read_text())
        same(hashlib.sha256(prompts[-1].encode()).hexdigest(), name)
    common = os.path.commonprefix(prompts)
    has(common, "box_put")
    if len(common) < 0.6 * len(prompts[0]):
        raise AssertionError(f"only {len(common)} of {len(prompts[0])} bytes are stable")
    has(prompts[1], "unit.check")
    has(prompts[1], "box->sum + 1")


def prints_what_it_would_send(place):
    """--prompt and --dry-run: the exact bytes, nothing sent, nothing written."""
    shown = place.forge("box", "--prompt", "write", "--seed", "1")
    same((shown.returncode, shown.stderr), (0, ""))
    dry = place.forge("box", "--dry-run")
    same((dry.returncode, dry.stderr), (0, ""))
    has(dry.stdout, "nothing was sent")
    same(place.asked(), [])
    same((place.path / "tocsin-forge").exists(), False, "a run")
    same(place.forge("box", "--seed", "1").returncode, 0)
    same(place.asked()[0], hashlib.sha256(shown.stdout.encode()).hexdigest())
    repair = place.forge("box", "--prompt", "repair", "--resume", "last")
    same(repair.returncode, 0, repair.stderr)
    has(repair.stdout, "FILE: box.c")


def replays_byte_for_byte(place):
    """A run is a recording: the same decisions again, without a model."""
    place.models("", "")
    same(place.forge("box").returncode, 0)
    asked = place.asked()
    (place.path / "models.yaml").write_text(
        "tocsin: 1\ntiers:\n" + "".join(
            f"  - {{name: tier{n}, provider: replay, recording: tocsin-forge/box/1, price: free}}\n"
            for n in (1, 2)))
    done = place.forge("box")
    same(done.returncode, 0, done.stderr)
    same(place.asked(), asked, "what the model was asked")
    same(story(place.ledger("2")), story(place.ledger("1")))
    has(done.stderr, "recording")
    # Asked something that was not recorded, it says so and invents nothing.
    with open(place.contract / "box.h", "a", encoding="ascii") as file:
        file.write("/* other */\n")
    done = place.forge("box")
    same(done.returncode, 3, done.stderr)
    has(done.stderr, "no answer to this prompt")


def names_the_ceiling(place):
    """Never right: a ceiling with its sign, the finding, and the bound, and exit 1."""
    place.models("always-wrong")
    done = place.forge("box", "--json")
    same(done.returncode, 1, done.stderr)
    told = json.loads(done.stdout)
    same(told["outcome"], "ceiling")
    same(told["evidence"]["signal"], "core")
    has(str(told["evidence"]["never_passed"]), "unit.check")
    same([bound["bound_permille"] for bound in told["evidence"]["bounds"]], [632])
    has(done.stderr, "63.2 %")


def other_ends(place):
    """Stubborn, chatty, contradicted, changed: each ends as it should, in one clear line."""
    for mode, outcome, code, part in [("stubborn", "ceiling", 1, "same candidates again"),
                                      ("chatty", "ceiling", 1, "files as asked"),
                                      ("conflict", "contract", 2, "box.h says 0 vs"),
                                      ("changes-contract", "contract", 2, "no longer the one")]:
        place.models(mode)
        done = place.forge("box", "--json")
        same((json.loads(done.stdout)["outcome"], done.returncode), (outcome, code), done.stderr)
        has(done.stderr, part)


def limits_stop_before_the_call(place):
    """--max-calls and --max-cost stop before the call; resumed with more, it goes on."""
    place.models("paid", price="{input: 1, output: 4}", more=", output_tokens: 1000")
    done = place.forge("box", "--max-calls", 1, "--json")
    same((json.loads(done.stdout)["outcome"], done.returncode), ("budget", 1), done.stderr)
    same(len(place.asked()), 1)
    done = place.forge("box", "--resume", "last", "--max-calls", 9, "--max-cost", "0.004", "--json")
    same((json.loads(done.stdout)["outcome"], done.returncode), ("budget", 1), done.stderr)
    has(done.stderr, "--max-cost")
    same(len(place.asked()), 1)
    done = place.forge("box", "--resume", "1", "--max-cost", "0.5", "--json")
    told = json.loads(done.stdout)
    same((told["outcome"], done.returncode), ("accepted", 0), done.stderr)
    same(told["totals"]["cost_microusd"], CALL_COST * len(place.asked("billed")), "the cost")


def wrong_requests(place):
    """Each is refused with status 2 and a sentence that helps, before anything is asked."""
    (place.path / "no-price.yaml").write_text(
        "tocsin: 1\ntiers: [{name: a, provider: exec, command: cat}]\n")
    (place.path / "no-key.yaml").write_text(
        "tocsin: 1\ntiers: [{name: a, provider: openai, url: 'http://127.0.0.1:9', model: m, "
        "key_env: NO_SUCH_KEY, price: free}]\n")
    (place.path / "plain.yaml").write_text(
        "tocsin: 1\ntiers: [{name: a, provider: openai, url: 'http://192.0.2.1/v1', model: m, "
        "price: free}]\n")
    (place.path / "templates").mkdir()
    for name in ("system", "contract", "write", "diagnose", "repair"):
        (place.path / f"templates/{name}.md").write_text("@nonsense@\n")
    for arguments, part in [
            ((), "CONTRACT"),
            (("nowhere",), "nowhere"),
            (("box", "--max-cost", "much"), "--max-cost"),
            (("box", "--max-calls", "0"), "--max-calls"),
            (("box", "--max-seconds", "-1"), "--max-seconds"),
            (("box", "--seed", "x"), "--seed"),
            (("box", "--prompt", "gate"), "write, diagnose and repair"),
            (("box", "--prompt", "repair"), "--resume"),
            (("box", "--dry-run", "--models", "plain.yaml"), "http"),
            (("box", "--dry-run", "--json"), "--json"),
            (("box", "--resume", "last"), "no run"),
            (("box", "--resume", "7"), "7"),
            (("box", "--models", "none.yaml"), "none.yaml"),
            (("box", "--models", "no-price.yaml"), "price"),
            (("box", "--models", "no-key.yaml"), "NO_SUCH_KEY"),
            (("box", "--models", "plain.yaml"), "http"),
            (("box", "--prompts", "templates"), "@nonsense@"),
            (("box", "--prompts", "nowhere"), "nowhere")]:
        done = place.forge(*arguments)
        same((done.returncode, done.stdout), (2, ""), f"{arguments}: {done.stderr}")
        has(done.stderr, part)
    os.unlink(place.path / "models.yaml")
    done = place.forge("box")
    same(done.returncode, 2, done.stderr)
    has(done.stderr, "models.yaml")
    same(place.asked(), [])


def stops_when_asked(place):
    """Ctrl-C while a model thinks: exit 130, the run goes on later, the other call is not repeated."""
    place.models("slow", price="{input: 1, output: 4}", more=", output_tokens: 1000")
    with place.start("box") as forge:
        place.wait_for("waits")
        busy = place.forge("box", "--resume", "last")
        same(busy.returncode, 2, busy.stderr)
        has(busy.stderr, "another tocsin")
        forge.send_signal(signal.SIGINT)
        out, errors = forge.communicate(timeout=60)
        same((forge.returncode, out), (130, ""), errors)
        has(errors, "--resume tocsin-forge/box/1")
    records = place.ledger()
    same([record["type"] for record in records[-2:]], ["call.intent", "interrupt"])
    reserve = records[-2]["reserve_microusd"]
    told = json.loads(place.forge("last", "--json", command="ledger").stdout)
    same(told["totals"]["cost_microusd"], reserve, "what may have been paid")
    # The model is the same by name, and quick now.
    place.model.write_text(MODEL.replace('mode == "slow"', "False"))
    done = place.forge("box", "--resume", "last", "--json")
    same(done.returncode, 0, done.stderr)
    same(json.loads(done.stdout)["outcome"], "accepted")
    same(of_type(place.ledger(), "call.intent")[0]["slot"], 1)
    same([intent["attempt"] for intent in of_type(place.ledger(), "call.intent")][:2], [1, 2])


def stops_before_it_begins(place):
    """Ctrl-C while a command is to print the key: exit 130, and no run was begun."""
    (place.path / "models.yaml").write_text(
        "tocsin: 1\ntiers: [{name: a, provider: openai, url: 'http://127.0.0.1:9/v1', model: m, "
        f"key_command: 'touch {place.path}/waits; sleep 25', price: free}}]\n")
    with place.start("box") as forge:
        place.wait_for("waits")
        forge.send_signal(signal.SIGINT)
        _, errors = forge.communicate(timeout=20)
        same(forge.returncode, 130, errors)
    same((place.path / "tocsin-forge").exists(), False, "a run")


def stops_the_gate(place):
    """Ctrl-C while the gate judges: exit 130, the gate is gone, and the verdict comes later."""
    place.models("")
    shutil.rmtree(Place.cache, ignore_errors=True)
    with place.start("box") as forge:
        end = time.monotonic() + 60
        children = []
        while time.monotonic() < end and not children:
            children = [int(pid) for pid in
                        pathlib.Path(f"/proc/{forge.pid}/task/{forge.pid}/children")
                        .read_text().split()]
            time.sleep(0.05)
        while (not any(name.startswith(f"tocsin-gate-{pid}-") for pid in children
                       for name in os.listdir(tempfile.gettempdir()))
               and time.monotonic() < end):
            time.sleep(0.05)  # until it has begun to judge
        forge.send_signal(signal.SIGINT)
        _, errors = forge.communicate(timeout=60)
        same(forge.returncode, 130, errors)
        for pid in children:
            same(os.path.exists(f"/proc/{pid}"), False, f"the gate {pid}")
            left = [name for name in os.listdir(tempfile.gettempdir())
                    if name.startswith(f"tocsin-gate-{pid}-")]
            same(left, [], "what the gate left")
    done = place.forge("box", "--resume", "last")
    same(done.returncode, 0, done.stderr)


def full_disk(place):
    """No room: status 3, nothing sent that could not be kept; with room it goes on."""
    if os.geteuid():
        return "needs root to mount"
    script = ('mkdir -p room && mount -t tmpfs -o size=900k tmpfs room && "$@" -o room; echo $?; '
              'cat room/box/1/ledger.jsonl | tail -n 1; cat asked 2>/dev/null | wc -l; '
              'mount -o remount,size=64m room && "$@" -o room --resume last; echo $?')
    done = place.forge("box", before=("unshare", "-m", "sh", "-c", script, "sh"))
    lines = done.stdout.splitlines()
    same(lines[0], "3", done.stdout + done.stderr)
    has(done.stderr, "No space left")
    json.loads(lines[1])  # the last record is whole
    same(lines[2], "0", f"calls without room for an answer: {lines}")
    same(lines[-1], "0", done.stdout + done.stderr)
    return None


def torn_and_tampered(place):
    """A torn last line is dropped; a changed one ends it with status 3 and the line's number."""
    place.models("paid", price="{input: 1, output: 4}", more=", output_tokens: 1000")
    same(place.forge("box", "--max-calls", 1).returncode, 1)
    path = place.path / "tocsin-forge/box/1/ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n":99,"prev":"')
    done = place.forge("box", "--resume", "last", "--max-calls", 9)
    same(done.returncode, 0, done.stderr)
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"type":"call.intent"' in line)
    lines[at] = lines[at].replace(b'"attempt":1', b'"attempt":2')
    path.write_bytes(b"".join(lines))
    done = place.forge("box", "--resume", "last")
    same(done.returncode, 3, done.stderr)
    has(done.stderr, "ledger.jsonl:")
    same(place.forge("--verify", "last", command="ledger").returncode, 1)


def decisions_can_be_checked(place):
    """ledger --verify: a chain that is right around a decision that is not is found."""
    same(place.forge("box").returncode, 0)
    same(place.forge("--verify", "last", command="ledger").returncode, 0)
    path = place.path / "tocsin-forge/box/1/ledger.jsonl"
    forged, previous = [], b""
    for line in path.read_bytes().splitlines():
        record = json.loads(line)
        if record["type"] == "decision" and record.get("stage") == "repair":
            record["reason"] = "because I say so"
        record["prev"] = hashlib.sha256(previous).hexdigest()
        previous = json.dumps(record, separators=(",", ":")).encode()
        forged.append(previous + b"\n")
    path.write_bytes(b"".join(forged))
    done = place.forge("--verify", "last", command="ledger")
    same(done.returncode, 1, done.stderr)
    has(done.stdout + done.stderr, "does not follow")


def survives_kill(place):
    """kill -9 at 50 random points: each run ends as one that was never killed, nothing paid twice."""
    rng = random.Random(SEED)
    price = {"price": "{input: 1, output: 4}", "more": ", output_tokens: 1000"}
    env = {"LD_PRELOAD": KILLER, "KILLER_LOG": str(place.path / "calls")}
    place.models("paid", "paid", **price)
    same(place.forge("box", "--seed", 5, env=env).returncode, 0)
    calls = int((place.path / "calls").read_text())
    wanted = story(place.ledger())
    kills = runs = 0
    while kills < KILLS:
        runs += 1
        if (place.path / "asked").exists():
            (place.path / "asked").unlink()
        arguments, mine = ("box", "--seed", 5), 0
        while True:
            at = rng.randrange(1, calls + 1) if kills < KILLS else 0
            done = place.forge(*arguments, env={**env, "KILLER_AT": str(at)})
            where = f"run {runs}, killed at {at} of {calls}, seed {SEED}: {done.stderr}"
            if done.returncode != -signal.SIGKILL:
                break
            kills += 1
            mine += 1
            begun = sorted((place.path / "tocsin-forge/box").glob("*"), key=lambda p: int(p.name))
            ledger = begun[-1] / "ledger.jsonl" if begun else None
            has_begun = (len(begun) > runs and ledger.exists()
                         and b"\n" in ledger.read_bytes())
            if has_begun:
                arguments = ("box", "--resume", "last")
            elif len(begun) > runs:
                shutil.rmtree(begun[-1])
        same(done.returncode, 0, where)
        number = max(int(path.name) for path in (place.path / "tocsin-forge/box").glob("*"))
        if number != runs + 1:
            os.rename(place.path / f"tocsin-forge/box/{number}",
                      place.path / f"tocsin-forge/box/{runs + 1}")
        records = place.ledger(str(runs + 1))
        same(story(records), wanted, where)
        check_money(place, records, mine, where)
        same(place.forge("--verify", f"tocsin-forge/box/{runs + 1}", command="ledger").returncode,
             0, where)
    print(f"# {kills} kills in {runs} runs, seed {SEED}", flush=True)


def check_money(place, records, kills, where):
    """No call with a result is made again, and the ledger never says less than was billed."""
    intents, results = of_type(records, "call.intent"), of_type(records, "call.result")
    same([result["slot"] for result in results], [1, 2, 3, 4], where)
    asked = place.asked()
    for result in results:
        mine = [intent for intent in intents if intent["slot"] == result["slot"]]
        prompt = mine[0]["prompt"]
        if asked.count(prompt) > len(mine):
            raise AssertionError(f"slot {result['slot']} was asked {asked.count(prompt)} times for "
                                 f"{len(mine)} intents: {where}")
    if len(intents) > len(results) + kills:
        raise AssertionError(f"{len(intents)} intents for {kills} kills: {where}")
    ended = {(r["slot"], r["attempt"]) for r in results + of_type(records, "call.fail")}
    lost = sum(i["reserve_microusd"] for i in intents if (i["slot"], i["attempt"]) not in ended)
    spent = lost + sum(r["cost_microusd"] for r in results + of_type(records, "call.fail"))
    billed = CALL_COST * len(place.asked("billed"))
    if spent < billed:
        raise AssertionError(f"{billed} were billed, and the ledger says {spent}: {where}")


def rechain(records):
    """Lines whose chain is right, whatever they say: there is no key in it."""
    lines, previous = [], b""
    for number, record in enumerate(records):
        record.update(n=number, prev=hashlib.sha256(previous).hexdigest())
        previous = json.dumps(record, separators=(",", ":")).encode()
        lines.append(previous + b"\n")
    return b"".join(lines)


def forged_ledgers(place):
    """A ledger whose chain is right may still lie: no file is written outside, nothing believed."""
    same(place.forge("box").returncode, 0)
    path = place.path / "tocsin-forge/box/1/ledger.jsonl"
    whole = path.read_bytes()
    for name in ("../../../../evil.c", "/tmp/evil.c", "other.c", ".box.c", "box.c/", ""):
        records = place.ledger()
        at = next(i for i, record in enumerate(records)
                  if record["type"] == "decision" and record["action"] == "gate")
        next(r for r in records if r["type"] == "reply")["files"][0]["path"] = name
        path.write_bytes(rechain(records[:at + 1]))
        done = place.forge("box", "--resume", "last")
        same(done.returncode, 3, f"{name}: {done.stderr}")
        if name != "other.c":  # which --verify cannot know, without the contract
            same(place.forge("--verify", "last", command="ledger").returncode, 1, name)
        same([str(p) for p in place.path.rglob("*evil*")], [], name)
        path.write_bytes(whole)
    os.chmod(path.parent, 0o777)
    done = place.forge("box", "--resume", "last")
    same(done.returncode, 2, done.stderr)
    has(done.stderr, "others may write")


def another_contract(place):
    """Accepted for one contract is not accepted for another, also when it is changed and back."""
    same(place.forge("box").returncode, 0)
    yaml = place.contract / "contract.yaml"
    strong = yaml.read_text()
    yaml.write_text(strong.replace("Keeps a sum", "Keeps another sum"))
    done = place.forge("box", "--resume", "last")
    same((done.returncode, done.stdout), (2, ""), done.stderr)
    has(done.stderr, "no longer the one")
    yaml.write_text(strong)
    for number in range(2, 5):
        with place.start("box") as forge:
            end = time.monotonic() + 60
            while (not (place.path / f"tocsin-forge/box/{number}/candidates/1/box.c").exists()
                   and time.monotonic() < end):
                time.sleep(0.001)
            yaml.write_text(strong.replace("Keeps a sum", "Keeps another sum"))
            time.sleep(0.1 * (number - 1))
            yaml.write_text(strong)
            forge.communicate(timeout=TIME_MAX_S)
        records = place.ledger(str(number))
        for verdict in of_type(records, "verdict"):
            report = place.path / f"tocsin-forge/box/{number}" / verdict["report"] / "verdict.json"
            same(json.loads(report.read_text())["contract"]["sha256"],
                 records[0]["contract"]["sha256"], "whose verdict is believed")


def goes_on_as_it_says(place):
    """The command that is printed after Ctrl-C works, pasted, in spite of odd names."""
    os.rename(place.path / "models.yaml", place.path / "my models' file.yaml")
    done = place.forge("box", "--models", "my models' file.yaml", "--max-calls", 1)
    same(done.returncode, 1, done.stderr)
    command = next(line.split("go on: ")[1] for line in done.stderr.splitlines() if "go on: " in line)
    done = subprocess.run(["sh", "-c", command.replace("tocsin", TOCSIN, 1) + " --max-calls 9"],
                          cwd=place.path, env=place.env, capture_output=True, text=True,
                          timeout=TIME_MAX_S, check=False)
    same(done.returncode, 0, command + done.stderr)


NETWORK = """tocsin: 1
tiers:
  - {name: small, provider: openai, url: '%s', model: %s, key_env: TEST_KEY,
     price: {input: 1, output: 4}, output_tokens: 1000}
"""
KEY = "sk-a-secret-for-this-test"


def over_the_network(place):
    """An endpoint: what --prompt shows is what is sent; costs are those it counts; no key anywhere."""
    good = (place.path / "good.c").read_text()
    wrong = good.replace("return box->sum;", "return box->sum + 1;")
    answers = [f"FILE: box.c\n```c\n{source}```\n" for source in (wrong, good)]
    env = {"TEST_KEY": KEY}
    with server.Server(answers=answers) as endpoint:
        (place.path / "models.yaml").write_text(NETWORK % (endpoint.url + "/v1", "good"))
        shown = place.forge("box", "--prompt", "write", "--seed", 3)
        same(shown.returncode, 0, shown.stderr)
        done = place.forge("box", "--seed", 3, "--json", env=env)
        same(done.returncode, 0, done.stderr)
        same(endpoint.count.bodies[0]["raw"], shown.stdout, "what was sent")
        told = json.loads(done.stdout)
        usage = [(call["input"], call["output"]) for call in told["calls"]]
        same(told["totals"]["cost_microusd"], sum(i + 4 * o for i, o in usage))
        same(endpoint.count.view()["billed_total"], 2)
    for path in place.path.rglob("*"):
        if path.is_file() and KEY.encode() in path.read_bytes():
            raise AssertionError(f"the key stands in {path}")


def endpoints_that_fail(place):
    """A wrong key, a page instead of JSON, nobody there: status 3, one clear line, resumed later."""
    good = f"FILE: box.c\n```c\n{(place.path / 'good.c').read_text()}```\n"
    env = {"TEST_KEY": KEY}
    with server.Server(answers=[good]) as endpoint:
        for behaviour, part in [("401", "key"), ("402", "credit"), ("404", "model"),
                                ("truncated_context", "context")]:
            (place.path / "models.yaml").write_text(
                NETWORK % (f"{endpoint.url}/{behaviour}/v1", "m"))
            done = place.forge("box", env=env)
            same((done.returncode, done.stdout), (3, ""), f"{behaviour}: {done.stderr}")
            has(done.stderr, part)
            has(done.stderr, "--resume")
            if KEY in done.stderr:
                raise AssertionError(f"{behaviour} says the key: {done.stderr}")
        # The same tier by the same name, at another address: the run goes on.
        (place.path / "models.yaml").write_text(NETWORK % (endpoint.url + "/good/v1", "m"))
        done = place.forge("box", "--resume", "last", env=env)
        same(done.returncode, 0, done.stderr)
    done = place.forge("box", env=env)  # the server is gone
    same(done.returncode, 3, done.stderr)
    has(done.stderr, "attempt 5 failed")
    same([fail["kind"] for fail in of_type(place.ledger("5"), "call.fail")], ["retry"] * 5 + ["final"])
    told = json.loads(place.forge("box/5", "--json", command="ledger").stdout)
    same(told["totals"]["cost_microusd"], 0, "what nobody answered")


def useless_answers(place):
    """What is no candidate: each in one line that says why, and none of it reaches the gate."""
    good = (place.path / "good.c").read_text()
    fence = f"```c\n{good}```\n"
    env = {"TEST_KEY": KEY}
    for answer, behaviour, result, part in [
            ("I shall not.", "good", "no-files", "which begins: 'I shall not.'"),
            (f"FILE: main.c\n{fence}", "good", "no-files", "main.c"),
            (f"FILE: ../box.c\n{fence}", "good", "no-files", "../box.c"),
            (f"FILE: box.c\n```c\n{good}", "good", "cut", "end"),
            ("x", "huge", "cut", "longer than 1 MiB"),
            ("x", "refusal", "refused", "refuse"),
            ("x", "length", "cut", "output_tokens")]:
        with server.Server(answers=[answer]) as endpoint:
            (place.path / "models.yaml").write_text(
                NETWORK % (f"{endpoint.url}/{behaviour}/v1", "m"))
            done = place.forge("box", "--max-calls", 1, "--json", env=env)
        same(done.returncode, 1, done.stderr)
        number = max(int(path.name) for path in (place.path / "tocsin-forge/box").iterdir())
        records = place.ledger(str(number))
        same([reply["result"] for reply in of_type(records, "reply")], [result],
             f"{behaviour} {answer[:30]!r}: {done.stderr}")
        has(of_type(records, "reply")[0]["why"].lower(), part.lower())
        same(of_type(records, "verdict"), [])


# The longest first: the others run beside it.
TESTS = [survives_kill, wrong_requests, prints_what_it_would_send, accepts, tells_as_json,
         packet_reaches_the_model, replays_byte_for_byte, over_the_network,
         endpoints_that_fail, useless_answers, names_the_ceiling, other_ends,
         limits_stop_before_the_call, forged_ledgers, another_contract, goes_on_as_it_says,
         stops_when_asked, stops_before_it_begins, stops_the_gate, full_disk,
         torn_and_tampered, decisions_can_be_checked]


def attempt(test):
    """What it was skipped for, and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="tocsin-forge-test-") as folder:
        try:
            return test(Place(folder)), None
        except (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError):
            return None, traceback.format_exc()


def main():
    tests = [test for test in TESTS if not ONLY or test.__name__ in ONLY]
    failed = False
    print(f"1..{len(tests)}", flush=True)
    with (tempfile.TemporaryDirectory(prefix="tocsin-forge-cache-") as cache,
          concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool):
        Place.cache = cache
        for number, (test, (skipped, wrong)) in enumerate(zip(tests, pool.map(attempt, tests)), 1):
            line = f"{number} - {re.sub(chr(10) + '.*', '', test.__doc__, flags=re.S)}"
            line += f" # SKIP {skipped}" if skipped else ""
            print(f"not ok {line}\n# " + wrong.replace("\n", "\n# ") if wrong else f"ok {line}",
                  flush=True)
            failed |= wrong is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
