# SPDX-License-Identifier: Apache-2.0
"""Whether the machine itself stood still, for tests of what must not take long.

A processor of a virtual machine can be gone for a second while the others go on: whoever holds a
lock there holds it for a second, and a watcher is right to ring. On each processor a process sleeps
for a moment, again and again, and says when a moment was too long.

usage: pace.py PROCESSOR    says "WHEN SECONDS" of each gap there, for ever, and first of none"""

import os
import subprocess
import sys
import threading
import time

STEP_S = 0.02
GAP_S = 0.25


class Pace:
    """Looks until it is ended, or the program is."""

    def __init__(self):
        self.gaps = []  # appended to by threads
        self.lookers = [subprocess.Popen([sys.executable, __file__, str(processor)],
                                         stdout=subprocess.PIPE, encoding="ascii")
                        for processor in os.sched_getaffinity(0)]
        for looker in self.lookers:
            threading.Thread(target=self.read, args=(looker,), daemon=True).start()

    def read(self, looker):
        for line in looker.stdout:
            when, seconds = map(float, line.split())
            self.gaps.append((when, seconds))

    def longest_since(self, began):
        """Seconds; 0: every processor was there all the time since time.monotonic() was `began`."""
        return max((gap for at, gap in list(self.gaps) if at > began), default=0)

    def end(self):
        for looker in self.lookers:
            looker.kill()
            looker.wait()


def main():
    os.sched_setaffinity(0, {int(sys.argv[1])})
    parent = os.getppid()
    last = time.monotonic()
    print(last, 0, flush=True)  # it is there
    while os.getppid() == parent:
        time.sleep(STEP_S)
        now = time.monotonic()
        if now - last > GAP_S:
            print(now, now - last, flush=True)
        last = now


if __name__ == "__main__":
    main()
