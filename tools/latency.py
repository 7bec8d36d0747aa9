#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long from a failed expectation to its alert at a webhook? Prints median and spread.

usage: latency.py BUILD_DIR [ROUNDS]     (the build directory of the whole tree)"""

import os
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import webhook  # noqa: E402

BUILD, ROUNDS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 21


def once(url, arrived):
    run = subprocess.Popen([os.path.join(BUILD, "src/cli/tocsin"), "run", "--quiet", "--webhook", url, "--",
                            os.path.join(BUILD, "tests/runtime/subject"), "miss_when_told"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        while run.stdout.readline() != "ready\n":
            pass
        time.sleep(1.5)  # the watcher has found the segment, as it would have in production
        begin = time.monotonic()
        run.stdin.write("\n")
        at, event = arrived.get(timeout=30)
        assert event["state"] == "firing", event
        run.stdin.write("\n")
        assert run.wait(30) == 0
        assert arrived.get(timeout=30)[1]["state"] == "resolved"
        return (at - begin) * 1000
    finally:
        run.kill()
        run.communicate()


def main():
    url, arrived = webhook.start()
    took = []
    for _ in range(ROUNDS):
        took.append(once(url, arrived))
        print(".", end="", file=sys.stderr, flush=True)
    took.sort()
    print(f"\nfailed expectation to webhook, {ROUNDS} rounds: median {statistics.median(took):.1f} ms, "
          f"{took[0]:.1f} to {took[-1]:.1f} ms")


if __name__ == "__main__":
    main()
