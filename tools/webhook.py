# SPDX-License-Identifier: Apache-2.0
"""A webhook on this machine that takes alerts as anybody's endpoint would, and notes when."""

import http.server
import json
import queue
import threading
import time


def start():
    """Returns its URL and a queue of (monotonic seconds of arrival, event)."""
    arrived = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            now = time.monotonic()
            self.send_response(204)
            self.end_headers()
            arrived.put((now, json.loads(body)))

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/alerts", arrived
