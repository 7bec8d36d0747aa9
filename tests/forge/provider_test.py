#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Providers against servers that misbehave, commands of all kinds, and recordings. TAP.

usage: provider_test.py ASK [NAME]..."""

import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server as bad  # noqa: E402

ASK = os.path.abspath(sys.argv[1])
KEY = "sk-" + "Zq7/+=x" * 6
ANSWER = "FILE: a.c\n```c\nint a = '\u00e9';\n```\n"
PROMPT = "You write C.\n\nWrite it."


class Skip(Exception):
    """This test cannot be done here, and why."""


def same(got, wanted, what="it"):
    assert got == wanted, f"{what} is {got!r}, should be {wanted!r}"


def has(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


class Place:
    """A folder, the servers in it, and ways to ask them."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tocsin-provider-test-")
        self.server = bad.Server(answers=[ANSWER])

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def ask_file(self, path, *questions, env=None, timeout=120):
        done = subprocess.run([ASK, path, "t"], input=json.dumps(questions or [{}]), text=True,
                              capture_output=True, timeout=timeout, check=False,
                              env={**os.environ, "TEST_KEY": KEY, **(env or {})})
        assert KEY not in done.stdout + done.stderr, "the key was seen"
        same(done.returncode, 0, "exit status: " + done.stderr)
        return json.loads(done.stdout)

    def ask(self, keys, *questions, **more):
        """A tier of these keys; price: free and a name are added."""
        lines = ["name: t", "price: free", *keys]
        text = "tocsin: 1\ntiers:\n  - " + "\n    ".join(lines) + "\n"
        return self.ask_file(self.write("models.yaml", text), *questions, **more)

    def openai(self, behaviour, *questions, keys=(), key=True, url=None, **more):
        lines = ["provider: openai", f"url: {url or self.server.url + '/v1'}",
                 f"model: {behaviour}", *keys]
        if key:
            lines.append("key_env: TEST_KEY")
        return self.ask(lines, *questions, **more)

    def one(self, behaviour, **question):
        more = {name: question.pop(name) for name in ("keys", "key", "url", "env")
                if name in question}
        return self.openai(behaviour, question, **more)[0]

    def exec(self, command, *questions, keys=(), **more):
        self.write("command.sh", command)
        return self.ask(["provider: exec", f"command: exec /bin/sh {self.path('command.sh')}",
                         *keys], *questions, **more)

    def requests(self, behaviour):
        return self.server.count.view()["requests"].get(behaviour, 0)


# ---- Good answers -------------------------------------------------------------------------

def good_answers_are_the_same_in_any_form(place):
    for form in ("good", "whole", "bytes", "crlf", "cr", "comments", "reasoning", "no_usage",
                 "usage_always", "no_done", "no_end", "parts", "choices"):
        got = place.one(form)
        same(got["outcome"], "ok", f"{form}: {got['why']}")
        same(got["answer"], ANSWER, form)
        same(got["finish"], "stop", form)
        same(got["why"], "", form)
        same(place.requests(form), 1, form)
        assert got["elapsed_ms"] < 20000, form
        if form not in ("whole", ):
            same(got["progress"], len(ANSWER.encode()), form)


def figures_are_taken(place):
    got = place.one("good")
    same(got["usage"], {"input": 1000, "cached": 500, "output": len(ANSWER) // 4 + 1,
                        "reasoning": 1})
    same(got["model"], bad.MODEL)
    same(got["request_id"], "req-42")
    assert "usage" not in place.one("no_usage")
    same(place.one("usage_always")["usage"]["input"], 1000)
    same(place.one("hidden_reasoning")["usage"]["output"], 500)
    same(place.one("reasoning")["reasoning_bytes"], 12)
    same(place.one("whole")["request_id"], "req-43")
    same(place.one("no_end")["request_id"], "chatcmpl-7")


def request_is_as_it_should_be(place):
    place.openai("good", {"seed": 7, "system": "S\u00e9", "user": "U\"\n", "output_tokens": 321},
                 {"seed": 8, "repair": True}, {}, keys=["temperature: 0.8", "output_tokens: 4000"])
    first, second, third = place.server.count.bodies
    same(list(first["body"].items()), [
        ("model", "good"),
        ("messages", [{"role": "system", "content": "S\u00e9"},
                      {"role": "user", "content": "U\"\n"}]),
        ("stream", True), ("stream_options", {"include_usage": True}), ("max_tokens", 321),
        ("temperature", 0.8), ("seed", 7)])
    has(first["raw"], '"temperature":0.8,')
    same(second["body"]["temperature"], 0.2)
    assert "seed" not in third["body"]
    headers = {name.lower(): value for name, value in first["headers"].items()}
    same(headers["authorization"], "Bearer " + KEY)
    same(headers["content-type"], "application/json")
    same(headers["accept"], "text/event-stream")
    has(headers["user-agent"], "tocsin/")
    assert "expect" not in headers
    same(first["path"], "/v1/chat/completions")
    place.openai("good", {"seed": 7}, keys=["seed: none"], key=False)
    last = place.server.count.bodies[-1]
    assert "seed" not in last["body"] and "temperature" not in last["body"]
    assert "Authorization" not in last["headers"]


def one_question_follows_another(place):
    got = place.openai("good", {}, {}, {})
    same([answer["outcome"] for answer in got], ["ok"] * 3)


def ends_of_other_kinds(place):
    same(place.one("length")["finish"], "length")
    same(place.one("filter")["finish"], "filtered")
    got = place.one("refusal")
    same((got["outcome"], got["finish"], got["answer"]), ("ok", "filtered", "I would rather not."))
    got = place.one("null_content")
    same((got["outcome"], got["finish"], got["answer"]), ("ok", "stop", ""))


def what_is_huge_is_cut(place):
    limit = 1 << 20
    got = place.one("huge")
    same((got["outcome"], got["finish"]), ("ok", "too-long"), got["why"])
    # Nine bytes a time, and no character is cut.
    whole = ("0123456\u00e9" * (limit // 9 + 1)).encode()
    wanted = whole[:limit].decode("utf-8", "ignore").encode()
    same(got["length"], len(wanted))
    same(got["sha256"], hashlib.sha256(wanted).hexdigest())
    got = place.one("huge_whole")
    same((got["outcome"], got["finish"], got["length"]), ("ok", "too-long", limit), got["why"])
    got = place.one("huge_line")
    same((got["outcome"], got["finish"], got["answer"]), ("ok", "too-long", "before"), got["why"])
    got = place.one("huge_thought")
    same((got["outcome"], got["finish"], got["answer"]), ("ok", "too-long", ""), got["why"])


def truncated_context_is_noticed(place):
    got = place.one("truncated_context", user="x" * 2000)
    same(got["outcome"], "broken")
    has(got["why"], "larger context")
    same(place.one("truncated_context", user="x" * 200)["outcome"], "ok")


def what_does_not_fit_is_not_sent(place):
    keys = ["context_tokens: 300"]
    fits = {"system": "S" * 99, "user": "U" * 301, "output_tokens": 200}  # 100 and 200 tokens
    over = {**fits, "user": "U" * 302}
    same(place.one("good", keys=keys, **fits)["outcome"], "ok")
    got = place.one("good", keys=keys, **over)
    same((got["outcome"], got["was_billed"], got["why"]), (
        "broken", False, "tier t: a prompt of about 101 tokens and an answer of 200 do not fit "
        "into its context_tokens (300); lower output_tokens, or take another model"))
    same(place.requests("good"), 1)
    command = "echo >>" + place.path("ran") + "; echo x"
    same(place.exec(command, over, keys=keys)[0]["outcome"], "broken")
    assert not os.path.exists(place.path("ran"))
    same(place.exec(command, fits, keys=keys)[0]["outcome"], "ok")
    run = Recording(place, "run")
    run.call(1, "A", b"one")
    asked = {"user": "A", "output_tokens": 300}
    same(replay(place, "run", asked)[0]["outcome"], "ok")
    same(replay(place, "run", asked, keys=keys)[0]["outcome"], "broken")


# ---- Broken transfers ---------------------------------------------------------------------

def half_answers_are_no_answers(place):
    for form in ("no_finish", "cut", "cut_open", "not_json", "gave_up", "error_late"):
        got = place.one(form)
        same(got["outcome"], "retry", f"{form}: {got['why']}")
        same(got["was_billed"], True, form)
        same(got["answer"], "", form)
        assert got["why"].startswith("tier t: ") and got["elapsed_ms"] < 20000, form
    for form, outcome in (("nothing", "retry"), ("error_whole", "retry"), ("html_200", "broken")):
        got = place.one(form)
        same((got["outcome"], got["was_billed"]), (outcome, True), form)


def what_was_sent_whole_may_be_billed(place):
    for more in ({"keys": ["silence: 1s"]}, {"deadline_ms": 700}):
        got = place.one("slow_whole", **more)
        same((got["outcome"], got["was_billed"]), ("retry", True), str(more))
    same(place.server.count.view()["billed_total"], 2)
    # Nobody reads it: more than lies on the way between two sockets of one machine.
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        got = place.one("good", url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
                        user="x" * (24 << 20), keys=["silence: 1s"])
    same((got["outcome"], got["was_billed"]), ("retry", False), got["why"])


def nothing_is_sent_twice_behind_our_back(place):
    first, second = place.openai("good_then_nothing", {}, {})
    same((first["outcome"], second["outcome"], second["was_billed"]), ("ok", "retry", True))
    same(place.requests("good_then_nothing"), 2)


def what_was_refused_is_not_billed(place):
    for form in ("429", "500", "503", "400", "401", "402", "404", "413", "html_502", "redirect",
                 "error_200", "error_200_key"):
        same(place.one(form)["was_billed"], False, form)


def refused_connection_is_said_with_its_place(place):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        got = place.one("good", url=f"http://localhost:{port}/v1")
    same(got["outcome"], "retry")
    has(got["why"], f"no connection to localhost:{port} (")
    same(got["was_billed"], False)


def silence_has_a_limit(place):
    for form in ("silence", "silent_comments", "mute"):
        got = place.one(form, keys=["silence: 1s"])
        same(got["outcome"], "retry", form)
        has(got["why"], "said nothing for 1s")
        assert 900 < got["elapsed_ms"] < 10000, got["elapsed_ms"]
        same(got["was_billed"], True, form)
    same(place.one("slow", keys=["silence: 1s"])["outcome"], "ok")


def deadline_is_kept(place):
    got = place.one("drip", deadline_ms=700)
    same((got["outcome"], got["was_billed"]), ("retry", True))
    has(got["why"], "in time")
    assert 600 < got["elapsed_ms"] < 5000, got["elapsed_ms"]
    same(place.one("good", deadline_ms=0)["outcome"], "retry")


def waiting_is_shown(place):
    for form in ("mute", "silence", "silent_comments"):
        got = place.one(form, keys=["silence: 2s"])
        assert got["progress_count"] >= 3 and got["progress"] == 0, (form, got["progress_count"])
    got = place.exec("sleep 1.5; echo answer")[0]
    assert got["progress_count"] >= 3 and got["progress"] == 7, got
    got = place.exec("echo half; sleep 2", {"deadline_ms": 1500})[0]
    assert got["progress_count"] >= 2 and got["progress"] == 5, got
    # Of what is known by then less may be left.
    got = place.exec("printf '{\"text\":'; sleep 1; printf '\"x\"}'")[0]
    assert got["progress_count"] >= 2 and got["progress"] == 1, got
    got = place.exec("head -c 3000000 /dev/zero; sleep 1")[0]
    same((got["outcome"], got["length"]), ("ok", 1 << 20))


def stop_is_heard(place):
    for form in ("silence", "drip", "mute"):
        got = place.one(form, stop_ms=300)
        same(got["outcome"], "stopped", form)
        assert 250 < got["elapsed_ms"] < 3000, got["elapsed_ms"]


# ---- Errors -------------------------------------------------------------------------------

def waits_are_as_the_server_asks(place):
    for form, least, most in (("429", 0, 0), ("429_seconds", 2000, 2000),
                              ("429_fraction", 1500, 1500), ("429_date", 25000, 30000),
                              ("429_past", 0, 0), ("429_ms", 250, 250), ("500", 0, 0)):
        got, then = place.openai(form, {}, {})
        same((got["outcome"], got["was_billed"]), ("retry", False), form)
        assert least <= got["retry_ms"] <= most, (form, got["retry_ms"])
        same((then["outcome"], then["retry_ms"]), ("ok", 0), form)
    got = place.one("503")
    same(got["outcome"], "retry")
    has(got["why"], "answers 503: 'Loading model'")
    same(place.one("429_never")["outcome"], "broken")


def errors_say_what_to_do(place):
    for form, outcome, part in (
            ("400", "broken", "answers 400: 'Invalid value'"),
            ("string_error", "broken", "'model is not \\x1b[31mloaded'"),
            ("detail", "broken", "'Unprocessable'"),
            ("401", "broken", "the key was refused (401): 'Incorrect API key provided: [key]. "),
            ("401_page", "broken", "x[key]</ht'; see what stands in TEST_KEY"),
            ("402", "broken", "billing"),
            ("quota", "broken", "billing"),
            ("404", "broken", "whether it has a model '404'"),
            ("413", "broken", "larger context"),
            ("html_200", "broken", "a page, not with a completion: '<html><body>Welcome to the \\x1b[31mportal</body></html>'"),
            ("html_502", "retry", "answers 502: '<html><h1>502 Bad Gateway"),
            ("error_whole", "retry", "reports an error: 'no capacity'; it may"),
            ("error_200", "retry", "answers 503: 'overloaded'"),
            ("error_200_key", "broken", "the key was refused (401): 'bad key [key]'"),
            ("redirect", "broken", "write that one as url"),
            ("204", "broken", "answers 204"),
            ("nobody", "broken", "answers 404")):
        got = place.one(form)
        same(got["outcome"], outcome, f"{form}: {got['why']}")
        has(got["why"], part)
        same(place.requests(form), 1, form)
        assert len(got["why"]) < 500 and "\n" not in got["why"], got["why"]
    same(place.one("401")["request_id"], "req-[key]")
    has(place.one("401", key=False)["why"], "wants a key")


def quirks_are_mended_once_and_remembered(place):
    got = place.openai("no_max_tokens", {}, {})
    same([answer["outcome"] for answer in got], ["ok", "ok"])
    same(place.requests("no_max_tokens"), 3)
    same(place.server.count.bodies[-1]["body"]["max_completion_tokens"], 1000)
    got = place.openai("picky", {"seed": 1}, {"seed": 2}, keys=["temperature: 1"])
    same([answer["outcome"] for answer in got], ["ok", "ok"])
    same(place.requests("picky"), 4 + 1 + 1)
    same(sorted(place.server.count.bodies[-1]["body"]),
         ["max_completion_tokens", "messages", "model", "stream"])
    got = place.one("no_limit")
    same(got["outcome"], "broken", "a call without a limit")
    same(place.requests("no_limit"), 2)


# ---- Keys and addresses -------------------------------------------------------------------

def key_is_taken_out_of_what_comes_back(place):
    got = place.one("tells_key")
    same(got["answer"], "int a; /* [key] */ [key]")
    same((got["model"], got["request_id"]), ("m-[key]", "req-[key]"))
    got = place.one("tells_key_at_limit")
    same((got["outcome"], got["finish"]), ("ok", "too-long"), got["why"])
    same(got["sha256"], hashlib.sha256(b"x" * ((1 << 20) - 5) + b"[key]").hexdigest())


def short_key_is_no_secret(place):
    same(place.openai("good", env={"TEST_KEY": "int"})[0]["answer"], ANSWER)


def keys_come_from_where_they_are_said_to(place):
    keys = [f"key_command: printf '%s\\n%s' '{KEY}' second"]
    got = place.openai("good", keys=keys, key=False)
    same(got[0]["outcome"], "ok")
    same(place.server.count.bodies[-1]["headers"]["Authorization"], "Bearer " + KEY)
    for keys, env, part in (
            (["key_env: TEST_KEY"], {"TEST_KEY": ""},
             "tier t: the environment variable TEST_KEY is not set; export it, or name another "
             "with key_env"),
            (["key_env: TOCSIN_NOT_THERE"], {}, "TOCSIN_NOT_THERE is not set"),
            (["key_env: TEST_KEY"], {"TEST_KEY": "abc\r\nX-Evil: 1"}, "control characters"),
            (["key_env: TEST_KEY"], {"TEST_KEY": "k" * 4097}, "more than 4096 bytes"),
            (["key_command: exit 3"], {}, "key_command failed (exit status 3)"),
            (["key_command: 'true'"], {}, "is empty")):
        got = place.openai("good", keys=keys, key=False, env=env)
        same(got[0].get("new"), "wrong", str(keys))
        has(got[0]["why"], part)
    same(place.openai("good", env={"TEST_KEY": "k" * 4096})[0]["outcome"], "ok")


def key_command_can_be_stopped(place):
    path = place.write("models.yaml", "tocsin: 1\ntiers:\n  - {name: t, provider: openai, url: "
                       f"'{place.server.url}/v1', model: good, price: free, key_command: "
                       f"'echo $$ >{place.path('began')}; exec sleep 100'}}\n")
    start = time.monotonic()
    with subprocess.Popen([ASK, path, "t"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as asking:
        asking.stdin.write("[{}]")
        asking.stdin.close()
        while not os.path.exists(place.path("began")) and time.monotonic() < start + 20:
            time.sleep(0.01)
        asking.send_signal(signal.SIGINT)
        got = json.loads(asking.stdout.read())
    same(got, [{"new": "stopped", "why": "tier t: stopped while key_command ran"}])
    assert time.monotonic() - start < 20


def plain_http_stays_in_this_machine(place):
    for url in ("http://example.com/v1", "http://127.0.0.1.example.com/v1", "http://10.0.0.1:8/v1",
                "http://[::2]/v1", "http://0.0.0.0/v1", "http://128.0.0.1/v1"):
        got = place.openai("good", url=url)
        same(got[0].get("new"), "wrong", url)
        has(got[0]["why"], "https://")
    for url in ("http://127.0.0.1:1/v1", "http://127.9.9.9:1/v1", "http://[::1]:1/v1",
                "http://LOCALHOST:1/v1"):
        same(place.openai("good", url=url)[0].get("outcome"), "retry", url)
    # Nor over a proxy, which would be another machine.
    port = place.server.server_address[1]
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        got = place.openai("good", env={name: "http://127.0.0.1:1"},
                           url=f"http://localhost:{port}/v1")
        same(got[0]["outcome"], "ok", name)


def certificate_is_checked(place):
    if not shutil.which("openssl"):
        raise Skip("openssl is not there to make a certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", place.path("key.pem"), "-out", place.path("cert.pem")],
                   check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.path("cert.pem"), place.path("key.pem"))
    plain = bad.Server(answers=[ANSWER])
    port = plain.server_address[1]
    plain.socket = context.wrap_socket(plain.socket, server_side=True)
    with plain:
        got = place.openai("good", url=f"https://localhost:{port}/v1")[0]
        same(got["outcome"], "broken")
        has(got["why"], "can be trusted")
        same(got["was_billed"], False)
        same(plain.count.view()["total"], 0)
    got = place.openai("good", url=place.server.url.replace("http:", "https:") + "/v1")[0]
    same(got["outcome"], "retry", "TLS with somebody who does not speak it")


def paths_are_joined(place):
    for end in ("/good/v1", "/good/v1/", "/good/v1//"):
        same(place.openai("other", url=place.server.url + end)[0]["outcome"], "ok")
        same(place.server.count.bodies[-1]["path"], "/good/v1/chat/completions")


# ---- Commands -----------------------------------------------------------------------------

def command_reads_the_prompt_and_prints_the_answer(place):
    got = place.exec("cat")[0]
    same((got["outcome"], got["answer"], got["finish"]), ("ok", PROMPT, "stop"), got["why"])
    assert "usage" not in got
    same(place.exec("cat; printf 'x\\377'")[0]["length"], len(PROMPT) + 2)
    same(place.exec("true")[0]["answer"], "")


def command_may_answer_in_json(place):
    value = {"text": "int a;\n", "finish": "length", "model": "m\u00e9",
             "usage": {"input": 10, "output": 20, "cached": 3, "reasoning": 4}}
    place.write("answer", json.dumps(value))
    got = place.exec(f"/bin/cat {place.path('answer')}")[0]
    same((got["answer"], got["finish"], got["model"], got["usage"]),
         (value["text"], "length", "m\u00e9", value["usage"]))
    for text in ('{"text": 7}', '["text"]', '{"text": "a"} b', '{"other": "text"}'):
        place.write("answer", text)
        same(place.exec(f"/bin/cat {place.path('answer')}")[0]["answer"], text)


def command_that_miscounts_has_counted_nothing(place):
    good = {"input": 10, "output": 20}
    for wrong in ({"output": -3}, {"input": -1}, {"output": 2.5}, {"input": 10.0},
                  {"output": "20"}, {"output": None}, {"cached": -1}, {"reasoning": 0.5}):
        place.write("answer", json.dumps({"text": "x", "usage": {**good, **wrong}}))
        got = place.exec(f"/bin/cat {place.path('answer')}")[0]
        assert "usage" not in got, (wrong, got["usage"])
    for right, wanted in (({}, 0), ({"cached": None}, 0), ({"cached": 0}, 0), ({"cached": 3}, 3)):
        place.write("answer", json.dumps({"text": "x", "usage": {**good, **right}}))
        got = place.exec(f"/bin/cat {place.path('answer')}")[0]
        same(got["usage"], {**good, "cached": wanted, "reasoning": 0})


def command_sees_nothing_of_ours(place):
    got = place.exec("ls -A; env | sort; pwd", env={"SECRET": "1"})[0]
    lines = got["answer"].splitlines()
    folder = lines.pop()
    assert folder.startswith(("/tmp/tocsin-ask-", os.environ.get("TMPDIR", "/tmp"))), folder
    assert not os.path.exists(folder), "it was left behind"
    # What the shell makes up itself.
    same([line for line in lines if line.split("=")[0] not in ("PWD", "OLDPWD", "_", "SHLVL")], [])
    got = place.exec("echo $A $SECRET $B $TOCSIN_MODEL.", env={"SECRET": "1"},
                     keys=["environment: [A=2 3, SECRET, B, TOCSIN_NOT_SET]", "model: m-1"])[0]
    same(got["answer"], "2 3 1 m-1.\n")
    got = place.exec("mkdir -p a/b; echo x >a/b/c; chmod 0 a/b/c; pwd")[0]
    assert not os.path.exists(got["answer"].strip()), "it was left behind"
    got = place.exec("pwd", env={"TMPDIR": place.folder})[0]
    has(got["answer"], place.folder + "/tocsin-ask-")


def command_does_not_tell_the_keys_it_was_handed(place):
    keys = ["environment: [TEST_KEY, A_TOKEN, PLAIN=plain-words]"]
    got = place.exec("echo $TEST_KEY $A_TOKEN $PLAIN", keys=keys, env={"A_TOKEN": "secret-token"})[0]
    same(got["answer"], "[key] [key] plain-words\n")
    got = place.exec("printf '{\"text\":\"%s\",\"model\":\"%s\"}' $TEST_KEY $TEST_KEY",
                     keys=keys)[0]
    same((got["answer"], got["model"]), ("[key]", "[key]"))
    got = place.exec("echo no: $TEST_KEY >&2; exit 1", keys=keys)[0]
    has(got["why"], "'no: [key]'")
    # A line that is cut within the key is not shown at all.
    got = place.exec(f"{{ head -c {(1 << 20) - 20} /dev/zero; printf '\\n%s' $TEST_KEY; }} >&2; "
                     "exit 1", keys=keys)[0]
    assert KEY[:8] not in got["why"], got["why"]


def command_that_fails_is_told_apart(place):
    for command, outcome, was_billed, part in (
            ("echo no >&2; echo 'try \033[31mlater' >&2; echo >&2; exit 75", "retry", False,
             "exit status 75: 'try \\x1b[31mlater'"),
            ("echo half; exit 75", "retry", True, "exit status 75"),
            ("exit 1", "broken", True, "exit status 1; run it"),
            ("kill -SEGV $$", "broken", True, "killed by SIGSEGV"),
            ("exec /tocsin-no-such-command", "wrong", False, "whole path"),
            ("tocsin-no-such-command", "wrong", False, "whole path"),
            ("exec /etc/passwd", "wrong", False, "whole path")):
        got = place.exec(command)[0]
        same((got["outcome"], got["was_billed"]), (outcome, was_billed), command)
        has(got["why"], part)
        same(got["answer"], "")


def command_is_ended(place):
    got = place.exec("echo $$ >" + place.path("pid") + "; sleep 100 & sleep 100",
                     {"deadline_ms": 500})[0]
    same((got["outcome"], got["was_billed"]), ("retry", True))
    has(got["why"], "in time")
    assert got["elapsed_ms"] < 20000
    got = place.exec("echo >" + place.path("begun"), {"deadline_ms": 0})[0]
    same((got["outcome"], got["was_billed"]), ("retry", False))
    assert not os.path.exists(place.path("begun"))
    got = place.exec("sleep 100", {"stop_ms": 300})[0]
    same(got["outcome"], "stopped")
    assert got["elapsed_ms"] < 20000


def command_that_floods_is_cut(place):
    got = place.exec("head -c 3000000 /dev/zero")[0]
    same((got["outcome"], got["finish"], got["length"]), ("ok", "too-long", 1 << 20))
    got = place.exec("head -c 1048576 /dev/zero")[0]
    same((got["outcome"], got["finish"], got["length"]), ("ok", "stop", 1 << 20))
    got = place.exec("head -c 40000000 /dev/zero >&2; exit 1")[0]
    same(got["outcome"], "broken")


# ---- Recordings ---------------------------------------------------------------------------

class Recording:
    """A run, as ledger.h describes it."""

    def __init__(self, place, name):
        self.folder = place.path(name)
        os.mkdir(self.folder)
        self.lines = []

    def keep(self, data):
        name = hashlib.sha256(data).hexdigest()
        os.makedirs(os.path.join(self.folder, "blobs", name[:2]), exist_ok=True)
        with open(os.path.join(self.folder, "blobs", name[:2], name[2:]), "wb") as file:
            file.write(data)
        return name

    def add(self, kind, **fields):
        before = self.lines[-1].encode() if self.lines else b""
        record = {"n": len(self.lines), "prev": hashlib.sha256(before).hexdigest(),
                  "t": "2026-01-31T23:59:59.999Z", "type": kind, **fields}
        self.lines.append(json.dumps(record, separators=(",", ":")))
        with open(os.path.join(self.folder, "ledger.jsonl"), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in self.lines))

    def intent(self, slot, user, stage="write", attempt=1, keep=True):
        prompt = ("You write C.\n\n" + user).encode()
        name = self.keep(prompt) if keep else hashlib.sha256(prompt).hexdigest()
        self.add("call.intent", slot=slot, attempt=attempt, stage=stage, tier="x", prompt=name)

    def result(self, slot, answer, attempt=1, **more):
        fields = {"finish": "stop", "usage": None, "model": "old", **more}
        self.add("call.result", slot=slot, attempt=attempt, answer=self.keep(answer), **fields)

    def call(self, slot, user, answer, stage="write", **more):
        self.intent(slot, user, stage)
        self.result(slot, answer, **more)


def replay(place, name, *questions, match=None, keys=()):
    lines = ["provider: replay", f"recording: {name}", *keys]
    if match:
        lines.append(f"match: {match}")
    return place.ask(lines, *questions, env={"TEST_KEY": KEY})


def recording_answers_by_prompt(place):
    run = Recording(place, "run")
    used = {"input": 5, "cached": 1, "output": 2, "reasoning": 0}
    run.call(1, "A", b"one", usage=used, finish="length")
    run.intent(2, "A")
    run.add("call.fail", slot=2, attempt=1, why="broken")
    run.intent(2, "A", attempt=2)
    run.result(2, b"two\xff\x00\r\n", attempt=2)
    run.call(3, "B", b"three", stage="repair", finish="too-long")
    got = replay(place, "run", {"user": "A", "slot": 2}, {"user": "A", "slot": 1},
                 {"user": "B", "slot": 9}, {"user": "B", "slot": 8}, {"user": "A", "slot": 1})
    same([answer["outcome"] for answer in got], ["ok", "ok", "ok", "broken", "ok"])
    same(got[0]["sha256"], hashlib.sha256(b"two\xff\x00\r\n").hexdigest())
    same((got[1]["answer"], got[1]["usage"], got[1]["finish"], got[1]["model"]),
         ("one", used, "length", "old"))
    same((got[2]["answer"], got[2]["differs"], got[2]["finish"]), ("three", False, "too-long"))
    has(got[3]["why"], "no answer to this prompt; it has no call 8 (write) at all")
    same(got[4]["answer"], "one", "who asks for a slot again")


def recording_names_the_line_that_differs(place):
    run = Recording(place, "run")
    run.call(1, "same\nold \033[31mline\nmore", b"one")
    run.intent(2, "lost", keep=False)
    run.result(2, b"two")
    got = replay(place, "run", {"user": "same\nnew line\nmore"}, {"user": "x", "slot": 2})
    same([answer["outcome"] for answer in got], ["broken", "broken"])
    has(got[0]["why"], "its call 1 (write) differs from line 4 on: 'old \\x1b[31mline' instead of "
                       "'new line'; ")
    has(got[1]["why"], "its call 2 (write) had another, which is not kept in blobs/")


def recording_answers_in_order(place):
    run = Recording(place, "run")
    run.call(1, "A", b"one")
    run.call(2, "D", b"two", stage="diagnose")
    run.call(3, "B", b"three")
    got = replay(place, "run", {"user": "A"}, {"user": "changed"}, {"user": "B"},
                 {"user": "D", "stage": "diagnose"}, match="order")
    same([answer["outcome"] for answer in got], ["ok", "ok", "broken", "ok"])
    same([(answer["answer"], answer["differs"]) for answer in got],
         [("one", False), ("three", True), ("", False), ("two", False)])
    has(got[2]["why"], "no answer of stage write left")


def recording_that_is_not_there_is_said(place):
    os.mkdir(place.path("empty"))
    for name in ("nowhere", "empty", "models.yaml"):
        got = replay(place, name)
        same(got[0].get("new"), "wrong", name)
        has(got[0]["why"], "name the folder of a run")
    run = Recording(place, "run")
    run.call(1, "A", b"one")
    run.lines[0] = run.lines[0].replace("write", "wrote")
    run.add("stop")
    same(replay(place, "run")[0].get("new"), "wrong")
    shutil.rmtree(run.folder)
    run = Recording(place, "run")
    run.call(1, "A", b"one")
    name = hashlib.sha256(b"one").hexdigest()
    with open(os.path.join(run.folder, "blobs", name[:2], name[2:]), "wb") as file:
        file.write(b"two")
    got = replay(place, "run", {"user": "A"})
    same(got[0]["outcome"], "broken")
    has(got[0]["why"], "copy the whole folder")


# ---- All ----------------------------------------------------------------------------------

TESTS = [
    good_answers_are_the_same_in_any_form, figures_are_taken, request_is_as_it_should_be,
    one_question_follows_another, ends_of_other_kinds, what_is_huge_is_cut, truncated_context_is_noticed,
    what_does_not_fit_is_not_sent,
    half_answers_are_no_answers, what_was_sent_whole_may_be_billed,
    nothing_is_sent_twice_behind_our_back,
    what_was_refused_is_not_billed, refused_connection_is_said_with_its_place, silence_has_a_limit,
    deadline_is_kept, waiting_is_shown, stop_is_heard, waits_are_as_the_server_asks, errors_say_what_to_do,
    quirks_are_mended_once_and_remembered, key_is_taken_out_of_what_comes_back,
    short_key_is_no_secret, keys_come_from_where_they_are_said_to,
    key_command_can_be_stopped, plain_http_stays_in_this_machine, certificate_is_checked, paths_are_joined,
    command_reads_the_prompt_and_prints_the_answer, command_may_answer_in_json,
    command_that_miscounts_has_counted_nothing,
    command_sees_nothing_of_ours, command_does_not_tell_the_keys_it_was_handed,
    command_that_fails_is_told_apart, command_is_ended,
    command_that_floods_is_cut, recording_answers_by_prompt, recording_names_the_line_that_differs,
    recording_answers_in_order, recording_that_is_not_there_is_said,
]


def main():
    wanted = sys.argv[2:]
    tests = [test for test in TESTS if not wanted or test.__name__ in wanted]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        start = time.monotonic()
        try:
            with Place() as place:
                test(place)
            print(f"ok {number} - {test.__name__}", flush=True)
        except Skip as why:
            print(f"ok {number} - {test.__name__} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
        print(f"# {time.monotonic() - start:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
