#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of doc/pictures anew: what ./demo shows, and the pages that it leaves.

usage: tools/pictures.py   (from the root, after ./demo; needs chromium and aha, packages of Debian)

Nothing in the tests needs it: pictures are for people, and change only when somebody takes them."""

import os
import pty
import re
import subprocess
import sys
import tempfile

OUT = "doc/pictures"
COLUMNS = 116
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #16181d; color: #d8dbe2; }}
pre {{ margin: 0; padding: 18px 22px; font: 13.5px/1.42 "DejaVu Sans Mono", monospace; }}
</style><pre>{}</pre>"""


def record(command):
    """Its output on a terminal of COLUMNS, without what was erased again."""
    seen = bytearray()

    def read(fd):
        data = os.read(fd, 65536)
        seen.extend(data)
        return data

    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    os.environ.clear()
    os.environ.update(environment)
    pty.spawn(["sh", "-c", f"stty cols {COLUMNS} rows 50; exec {command}"], read)
    lines = seen.decode(errors="replace").replace("\r\n", "\n").split("\n")
    return [line.rsplit("\r\x1b[K", 1)[-1].rsplit("\r", 1)[-1] for line in lines]


def fold(line):
    """As a terminal breaks a line; colours take no room."""
    out, column = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            out.append(part)
            continue
        for character in part:
            if column == COLUMNS:
                out.append("\n")
                column = 0
            out.append(character)
            column += 1
    return "".join(out)


def shoot(url, name, width, height):
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update",
                        "--disable-sync", f"--user-data-dir={profile}", "--hide-scrollbars",
                        "--force-device-scale-factor=1.5", f"--window-size={width},{height}",
                        f"--screenshot={OUT}/{name}", url], check=True, capture_output=True)


def terminal(name, lines):
    text = "\n".join(fold(line) for line in lines).strip("\n")
    done = subprocess.run(["aha", "--no-header", "--black"], input=text, capture_output=True,
                          text=True, check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".html") as file:
        file.write(PAGE.format(done.stdout))
        file.flush()
        shoot("file://" + file.name, name, 8 * COLUMNS + 70, 20 * (text.count("\n") + 1) + 40)


def main():
    tocsin = "build/src/cli/tocsin"
    with tempfile.TemporaryDirectory() as runs:
        os.environ["XDG_CACHE_HOME"] = runs  # or everything would be said to come from the cache
        said = record(f"{tocsin} forge modules/lru --models examples/forge/recorded.yaml -o {runs}")
        said = [line.replace(runs, "tocsin-forge").replace(tocsin, "tocsin") for line in said]
        said = ["$ tocsin forge modules/lru --models examples/forge/recorded.yaml", *said]
        terminal("forge.png", [line for line in said if "repeat:" not in line
                               and not re.search(r"(bench|stress|observe)\W.*skip", line)])
        shoot(f"file://{os.path.abspath(runs)}/lru/1/index.html", "run.png", 1100, 1680)
        shoot(f"file://{os.path.abspath(runs)}/lru/1/reports/2/index.html", "report.png", 1100, 1500)
        listed = record(f"{tocsin} ledger {runs}/lru/1")
    said = record("./demo")
    start = next(i for i, line in enumerate(said) if "What was accepted goes into a server" in line)
    terminal("alerts.png", [re.sub(r"/tmp/tocsin-demo-\w+", "/tmp/demo", line)
                            for line in said[start:]])
    terminal("ledger.png", ["$ tocsin ledger last", *listed])
    return 0


if __name__ == "__main__":
    sys.exit(main())
