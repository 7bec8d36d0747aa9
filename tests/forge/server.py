#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that speaks OpenAI's chat completions badly, on purpose.

usage: server.py [--port N] [--count FILE] [--answer FILE]...

It listens on 127.0.0.1, says where on its first line of output, and behaves as the first part of
the path tells it, or else the name of the model: http://127.0.0.1:PORT/no_finish/v1 or
`model: no_finish`. Each method below whose name begins with do_as_ is a behaviour; its first line
says what it does.

The Nth answer is the content of the Nth --answer (the last of them goes on), "ANSWER" without any.
GET /count, and the file, say how often each behaviour was asked for, and what would have been
billed: how many answers each prompt got, by the SHA-256 of system + "\\n\\n" + user.

To add a behaviour: a method here, and a row in provider_test.py."""

import argparse
import collections
import email.utils
import hashlib
import http.server
import json
import os
import socket
import sys
import tempfile
import threading
import time

PROMPT_TOKENS = 1000
MODEL = "the-model-2026-01-31"


class Count:
    """What was asked for and what it would have cost; also kept in a file, if there is one."""

    def __init__(self, path=None):
        self.lock = threading.Lock()
        self.path = path
        self.requests = collections.Counter()
        self.billed = collections.Counter()
        self.bodies = []

    def note(self, behaviour, body):
        with self.lock:
            self.requests[behaviour] += 1
            self.bodies.append(body)
            self.write()
            return self.requests[behaviour]

    def bill(self, prompt):
        with self.lock:
            self.billed[prompt] += 1
            self.write()

    def view(self):
        return {"requests": dict(self.requests), "billed": dict(self.billed),
                "total": sum(self.requests.values()), "billed_total": sum(self.billed.values())}

    def write(self):
        if not self.path:
            return
        folder = os.path.dirname(os.path.abspath(self.path))
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            json.dump(self.view(), file)
        os.replace(file.name, self.path)


def chunk(content=None, finish=None, **more):
    """One data: event of a stream."""
    delta = {} if content is None else {"content": content}
    delta.update(more.pop("delta", {}))
    return {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None,
            **more}


def usage(answer, prompt=None):
    output = len(answer) // 4 + 1
    prompt = prompt or PROMPT_TOKENS  # others may have changed it
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
            "completion_tokens_details": {"reasoning_tokens": 1}}


def usage_chunk(answer, prompt=None):
    return {**chunk(), "choices": [], "usage": usage(answer, prompt)}


def whole(answer, finish="stop", **more):
    message = {"role": "assistant", "content": answer, **more}
    return {"id": "chatcmpl-8", "object": "chat.completion", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": usage(answer or "")}


def error(message, kind="invalid_request_error", param=None, code=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    # ---- Means ------------------------------------------------------------------------------

    def head(self, status=200, kind="text/event-stream", chunked=True, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def piece(self, data):
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def last(self):
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def event(self, value, end="\n"):
        self.piece(f"data: {json.dumps(value)}{end}{end}".encode())

    def body(self, status, value, kind="application/json", **headers):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.head(status, kind, chunked=False, Content_Length=str(len(data)), **headers)
        self.wfile.write(data)

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was first

    def bill(self):
        self.server.count.bill(self.prompt)

    def wait(self, seconds):
        """Until so much time is over, or the server is."""
        self.server.is_over.wait(seconds)

    def stream(self, answer=None, finish="stop", end="\n", with_usage=True):
        answer = self.answer if answer is None else answer
        half = len(answer) // 2
        self.bill()
        self.head(x_request_id="req-42")
        self.event(chunk("", delta={"role": "assistant"}), end)
        for part in (answer[:half], answer[half:]):
            self.event(chunk(part), end)
        self.event(chunk(finish=finish), end)
        if with_usage:
            self.event(usage_chunk(answer), end)
        self.piece(b"data: [DONE]" + end.encode() * 2)
        self.last()

    def raw_stream(self):
        """The bytes of a good stream, for those who cut them."""
        self.bill()
        events = [chunk("", delta={"role": "assistant"}), chunk(self.answer), chunk(finish="stop"),
                  usage_chunk(self.answer)]
        return "".join(f"data: {json.dumps(event)}\r\n\r\n" for event in events) + \
            "data: [DONE]\r\n\r\n"

    # ---- The protocol -----------------------------------------------------------------------

    def do_GET(self):
        if self.path == "/count":
            self.body(200, self.server.count.view())
        else:
            self.body(404, error("no such page"))

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.request_body = json.loads(data)
            messages = self.request_body["messages"]
            prompt = "\n\n".join(message["content"] for message in messages)
        except (ValueError, KeyError, TypeError):
            self.body(400, error("this is no chat completion"))
            return
        self.prompt = hashlib.sha256(prompt.encode()).hexdigest()
        first = self.path.split("/")[1]
        name = first if hasattr(self, "do_as_" + first) else self.request_body.get("model", "")
        act = getattr(self, "do_as_" + name, None)
        self.nth = self.server.count.note(name, {
            "path": self.path, "headers": dict(self.headers), "body": self.request_body,
            "raw": data.decode()})
        self.answer = self.server.next_answer(self.request_body)
        if not self.path.endswith("/v1/chat/completions") or not act:
            self.body(404, error(f"The model '{name}' does not exist", code="model_not_found"))
            return
        try:
            act()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # ---- Good, in many forms ----------------------------------------------------------------

    def do_as_good(self):
        """A stream as it should be."""
        self.stream()

    def do_as_whole(self):
        """Does not stream: one object, whatever was asked for."""
        self.bill()
        self.body(200, whole(self.answer), x_request_id="req-43")

    def do_as_bytes(self):
        """A chunk for each byte."""
        self.head()
        for byte in self.raw_stream().encode():
            self.piece(bytes([byte]))
        self.last()

    def do_as_crlf(self):
        """CRLF, cut between the two."""
        self.head()
        for line in self.raw_stream().split("\n"):
            self.piece(line.encode())
            self.piece(b"\n")
        self.last()

    def do_as_cr(self):
        """Lines end with CR alone."""
        self.stream(end="\r")

    def do_as_comments(self):
        """A byte-order mark, comments, fields that nobody wants, data that is no data."""
        self.head()
        self.piece(b"\xef\xbb\xbf: OPENROUTER PROCESSING\n\nevent: x\nid: 1\nretry: 5\n\n")
        self.piece(b"data: : keep-alive\n\ndata:\n\ndata:   \n\ndata\n\n")
        self.piece(self.raw_stream().encode())
        self.last()

    def do_as_reasoning(self):
        """Thinks aloud under two names at once."""
        self.head()
        for _ in range(3):
            self.event(chunk(delta={"reasoning": "hmm.", "reasoning_content": "hmm.",
                                    "content": None}))
        self.piece(self.raw_stream().encode())
        self.last()

    def do_as_parts(self):
        """Content is a list of parts, the thinking one of them."""
        self.bill()
        self.head()
        self.event(chunk(delta={"content": [{"type": "thinking", "thinking": []},
                                            {"type": "text", "text": self.answer}]}))
        self.event(chunk(finish="stop"))
        self.last()

    def do_as_no_usage(self):
        """Never says what it cost."""
        self.stream(with_usage=False)

    def do_as_usage_always(self):
        """Says with each chunk what it cost up to there."""
        self.bill()
        self.head()
        for i, part in enumerate((self.answer[:3], self.answer[3:])):
            self.event(chunk(part, usage={"prompt_tokens": 900, "completion_tokens": i}))
        self.event(chunk(finish="stop", usage=usage(self.answer)))
        self.last()

    def do_as_no_done(self):
        """Ends without [DONE] and without a last empty line."""
        self.head()
        self.piece(self.raw_stream().replace("data: [DONE]\r\n\r\n", "").rstrip().encode())
        self.last()

    def do_as_no_end(self):
        """Has said all, and does not hang up."""
        self.head()
        self.piece(self.raw_stream().encode())
        self.wait(60)

    def do_as_choices(self):
        """Several answers, mixed."""
        self.bill()
        self.head()
        for part in (self.answer[:2], self.answer[2:]):
            value = chunk(part)
            value["choices"].insert(0, {"index": 1, "delta": {"content": "WRONG"},
                                        "finish_reason": None})
            self.event(value)
        self.event(chunk(finish="stop"))
        self.last()

    def do_as_hidden_reasoning(self):
        """Bills reasoning that stands in no count but the total."""
        self.bill()
        self.head()
        self.event(chunk(self.answer, finish="stop", usage={
            "prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1500}))
        self.last()

    def do_as_slow(self):
        """A piece every 100 ms, for two seconds."""
        self.bill()
        self.head()
        for _ in range(20):
            self.event(chunk("x"))
            self.wait(0.1)
        self.event(chunk(finish="stop"))
        self.last()

    # ---- Ends of another kind ---------------------------------------------------------------

    def do_as_length(self):
        """Its tokens run out."""
        self.stream(finish="length")

    def do_as_filter(self):
        """A filter cuts in."""
        self.stream(finish="content_filter")

    def do_as_refusal(self):
        """Does not want to, in a field of its own."""
        self.bill()
        self.head()
        self.event(chunk(delta={"content": None, "refusal": "I would rather not."}))
        self.event(chunk(finish="stop"))
        self.last()

    def do_as_null_content(self):
        """Does not stream, and has nothing to say."""
        self.bill()
        self.body(200, whole(None))

    def do_as_huge(self):
        """Ten megabytes of an answer."""
        self.bill()
        self.head()
        for _ in range(1280):
            self.event(chunk("0123456\u00e9" * 1024))
        self.event(chunk(finish="stop"))
        self.last()

    def do_as_huge_whole(self):
        """Ten megabytes in one piece."""
        self.bill()
        self.body(200, whole("01234567" * (10 << 17)))

    def do_as_huge_line(self):
        """One event of twelve megabytes."""
        self.bill()
        self.head()
        self.event(chunk("before"))
        self.event(chunk("x" * (12 << 20)))
        self.last()

    def do_as_huge_thought(self):
        """Thinks without end."""
        self.bill()
        self.head()
        while True:
            self.event(chunk(delta={"reasoning": "hm" * 30000}))

    def do_as_truncated_context(self):
        """Reads only the end of the prompt."""
        self.bill()
        self.head()
        self.event(chunk(self.answer, finish="stop"))
        self.event(usage_chunk(self.answer, 40))
        self.last()

    # ---- Broken -----------------------------------------------------------------------------

    def do_as_no_finish(self):
        """Ends without saying why, properly otherwise."""
        self.bill()
        self.head()
        self.event(chunk(self.answer))
        self.piece(b"data: [DONE]\n\n")
        self.last()

    def do_as_cut(self):
        """Hangs up within a chunk."""
        self.bill()
        self.head()
        self.event(chunk(self.answer))
        self.wfile.write(b"400\r\ndata: {\"choices\"")
        self.wfile.flush()
        self.hang_up()

    def do_as_cut_open(self):
        """Its body ends with the connection, in the middle."""
        self.bill()
        self.head(chunked=False, Connection="close")
        self.wfile.write(f"data: {json.dumps(chunk(self.answer))}\n\ndata: {{\"cho".encode())
        self.hang_up()

    def do_as_nothing(self):
        """Hangs up before a word."""
        self.hang_up()

    def do_as_not_json(self):
        """An event in the middle that cannot be read."""
        self.bill()
        self.head()
        self.event(chunk(self.answer))
        self.piece(b"data: {\"choices\": [\n\n")
        self.event(chunk(finish="stop"))
        self.last()

    def do_as_gave_up(self):
        """Says itself that it failed."""
        self.stream(finish="error")

    def do_as_silence(self):
        """Headers, and then nothing."""
        self.head()
        self.wait(60)

    def do_as_silent_comments(self):
        """Comments for ever."""
        self.head()
        while not self.server.is_over.is_set():
            self.piece(b": still here\n\n")
            self.wait(0.1)

    def do_as_drip(self):
        """A letter every 100 ms, for ever."""
        self.bill()
        self.head()
        while not self.server.is_over.is_set():
            self.event(chunk("x"))
            self.wait(0.1)

    def do_as_mute(self):
        """Not even headers."""
        self.wait(60)

    def do_as_good_then_nothing(self):
        """Good the first time; then it writes an answer and hangs up before a word of it."""
        if self.nth == 1:
            self.stream()
        else:
            self.bill()
            self.hang_up()

    def do_as_slow_whole(self):
        """Writes for a minute, and sends it in one piece."""
        self.bill()
        self.wait(60)
        self.body(200, whole(self.answer))

    # ---- Errors -----------------------------------------------------------------------------

    def once(self, status, value, **headers):
        """That, the first time; then good."""
        if self.nth == 1:
            self.body(status, value, **headers)
        else:
            self.stream()

    def busy(self, **headers):
        self.once(429, error("Rate limit reached", "requests", code="rate_limit_exceeded"),
                  **headers)

    def do_as_429(self):
        """Too many, without a word on when; then good."""
        self.busy()

    def do_as_429_seconds(self):
        """Retry-After: 2"""
        self.busy(Retry_After="2")

    def do_as_429_fraction(self):
        """Retry-After: 1.5"""
        self.busy(Retry_After="1.5")

    def do_as_429_date(self):
        """Retry-After: a date in 30 s"""
        self.busy(Retry_After=email.utils.formatdate(time.time() + 30, usegmt=True))

    def do_as_429_past(self):
        """Retry-After: a date long ago"""
        self.busy(Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")

    def do_as_429_ms(self):
        """Retry-After-Ms: 250, and a Retry-After that says otherwise"""
        self.busy(Retry_After_Ms="250", Retry_After="7")

    def do_as_429_never(self):
        """X-Should-Retry: false"""
        self.busy(X_Should_Retry="false")

    def do_as_500(self):
        """Fails once, then good."""
        self.once(500, error("The server had an error", "server_error"))

    def do_as_503(self):
        """Loads its model for ever; the code is a number."""
        self.body(503, error("Loading model", "unavailable_error", code=503))

    def refuse(self, name):
        if name not in self.request_body:
            return False
        self.body(400, error(f"Unsupported parameter: '{name}'", param=name,
                             code="unsupported_parameter"))
        return True

    def do_as_no_max_tokens(self):
        """Knows max_completion_tokens only."""
        if not self.refuse("max_tokens"):
            self.stream()

    def do_as_picky(self):
        """Refuses one parameter after the other."""
        if not any(self.refuse(name) for name in ("max_tokens", "temperature", "seed",
                                                  "stream_options")):
            self.stream(with_usage=False)

    def do_as_no_limit(self):
        """Takes a limit under neither name."""
        if not any(self.refuse(name) for name in ("max_tokens", "max_completion_tokens")):
            self.stream()

    def do_as_400(self):
        """Does not like the request, and names nothing that can be mended."""
        self.body(400, error("Invalid value", param="messages"))

    def do_as_string_error(self):
        """An error that is a bare string."""
        self.body(400, {"error": "model is not \u001b[31mloaded"})

    def do_as_detail(self):
        """An error as a framework words it."""
        self.body(422, {"detail": "Unprocessable"})

    def do_as_401(self):
        """Refuses the key, and repeats it."""
        text = f"Incorrect API key provided: {self.key()}. Get one."
        self.body(401, error(text, code="invalid_api_key"), x_request_id=f"req-{self.key()}")

    def do_as_401_page(self):
        """Refuses the key on a page, where it stands at the edge of what is quoted."""
        self.body(401, b"<html>" + b"x" * 185 + self.key().encode() + b"</html>", kind="text/html")

    def do_as_402(self):
        """Wants money."""
        self.body(402, error("Insufficient credits", code=402))

    def do_as_quota(self):
        """Wants money, under the status of a limit."""
        self.body(429, error("You exceeded your current quota", "insufficient_quota",
                             code="insufficient_quota"))

    def do_as_404(self):
        """Has no such model."""
        self.body(404, error("The model does not exist", code="model_not_found"))

    def do_as_413(self):
        """Cannot read that much."""
        self.body(413, error("Request too large"))

    def do_as_html_200(self):
        """A page of somebody's portal, under 200."""
        self.body(200, b"<html><body>Welcome to the \x1b[31mportal</body></html>", "text/html")

    def do_as_html_502(self):
        """A proxy's page."""
        self.body(502, b"<html><h1>502 Bad Gateway</h1>" + b"<!-- pad -->" * 1000 + b"</html>",
                  "text/html")

    def do_as_error_200(self):
        """An error as the only event of a stream."""
        self.head()
        self.event(error("overloaded", "server_error", code=503))
        self.last()

    def do_as_error_200_key(self):
        """A key that is refused in a stream."""
        self.head()
        self.event(error(f"bad key {self.key()}", "authentication_error"))
        self.last()

    def do_as_error_late(self):
        """An error after half an answer."""
        self.bill()
        self.head()
        self.event(chunk(self.answer))
        self.event({"error": "the engine died"})
        self.wait(60)

    def do_as_error_whole(self):
        """An error in one piece under 200."""
        self.body(200, error("no capacity", "server_error", code="busy"))

    def do_as_redirect(self):
        """Sends us somewhere else."""
        self.body(307, b"", Location="/good/v1/chat/completions")

    def do_as_204(self):
        """Nothing, and content with it."""
        self.send_response(204)
        self.end_headers()

    def key(self):
        return self.headers.get("Authorization", "").replace("Bearer ", "")

    def do_as_tells_key(self):
        """Repeats the key in an answer, cut into two, in the model's name and in the request's."""
        key = self.key()
        self.bill()
        self.head(x_request_id=f"req-{key}")
        for part in ("int a; /* " + key[:5], key[5:] + " */ " + key):
            self.event({**chunk(part), "model": "m-" + key})
        self.event({**chunk(finish="stop"), "model": "m-" + key})
        self.last()

    def do_as_tells_key_at_limit(self):
        """Repeats the key where an answer is cut."""
        key = self.key()
        self.bill()
        self.head()
        self.event(chunk("x" * ((1 << 20) - 5)))
        for letter in key:
            self.event(chunk(letter))
        self.event(chunk("y" * 10))
        self.event(chunk(finish="stop"))
        self.last()


class Server(http.server.ThreadingHTTPServer):
    """With Server() as server: server.url; server.count"""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port=0, answers=(), count=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.is_over = threading.Event()
        self.count = Count(count)
        self.answers = list(answers) or ["ANSWER"]
        self.given = 0
        self.lock = threading.Lock()

    def next_answer(self, _body):
        """To be replaced by those who want to look at the question first."""
        with self.lock:
            answer = self.answers[min(self.given, len(self.answers) - 1)]
            self.given += 1
            return answer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.shutdown()
        self.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--count")
    parser.add_argument("--answer", action="append", default=[])
    given = parser.parse_args()
    answers = []
    for path in given.answer:
        with open(path, encoding="utf-8") as file:
            answers.append(file.read())
    with Server(given.port, answers, given.count) as server:
        print(server.url, flush=True)
        try:
            server.is_over.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
