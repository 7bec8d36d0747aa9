#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `tocsin run` makes of segments, good and bad ones; fake.py writes them.
usage: segments.py TOCSIN"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
from harness import PYTHON, Run, has, lacks, run_tests, same, until  # noqa: E402

FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake.py")
MISS = "expect_index_and_table_disagree"
KEYS = ["id", "time", "type", "state", "severity", "program", "pid", "module", "probe", "labels", "kind",
        "signal", "op", "limit", "value", "window_s", "hold_s", "meaning", "runbook", "file", "line",
        "details"]


class Fake(Run):
    def __init__(self, *modes, **more):
        super().__init__(PYTHON, FAKE, *modes, stdin=subprocess.PIPE, **more)

    def ready(self):
        lines = []
        while (line := self.process.stdout.readline()) != b"ready\n":
            assert line, f"it ended: {self.errors()}"
            lines.append(line.decode().strip())
        return lines

    def go(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        same(self.status(), 0)
        same(self.run_dirs(), [], "what is left")

    def segment_files(self):
        return [n for n in os.listdir(self.directory()) if n.endswith(".seg")]


def an_expectation_rings_with_its_values():
    with Fake("good") as run:
        run.ready()
        alert = run.until_alert(MISS)
        same(list(alert), KEYS, "keys")
        same((alert["severity"], alert["module"], alert["kind"], alert["signal"], alert["op"],
              alert["limit"], alert["value"], alert["window_s"], alert["file"], alert["line"],
              alert["runbook"]),
             ("page", "store", "expectation", "total", ">", 0, 1, 60, "store.c", 41, "doc/runbook"))
        details = alert["details"]
        same((details["left"], details["right"], details["count"]), (3, 4, 1))
        same(len(details["stack"]), 1)
        run.until_said("PAGE fake[")
        has(run.errors(), "store." + MISS + ": index and table disagree (store.c:41; expected what it counts; left 3; right 4; see doc/runbook)")
        run.end()
        ended = run.alerts(MISS, "resolved")[0]
        same((ended["id"], ended["details"]), (alert["id"], {"reason": "ended"}))
        lacks(run.errors(), "carries no probes")
        lacks(run.errors(), "tocsin: ok")


def without_the_doorbell_the_tick_finds_it():
    with Fake("silent_miss") as run:
        run.ready()
        run.until_alert(MISS)
        run.end()


def a_threshold_fires():
    with Fake("hits") as run:
        run.ready()
        alert = run.until_alert("hits")
        same((alert["severity"], alert["value"], alert["limit"]), ("warn", 101, 100))
        run.until_said("per_minute 101 > 100")
        run.end()


def a_gauge_fires_and_resolves():
    with Fake("gauge") as run:
        run.ready()
        alert = run.until_alert("used")
        run.go()
        run.ready()
        ended = run.until_alert("used", "resolved")
        same((ended["id"], ended["value"], ended["details"]), (alert["id"], 10, {}))
        run.until_said("tocsin: ok   fake[")
        run.end()


def an_error_is_logged_escaped():
    with Fake("error") as run:
        run.ready()
        log = until(lambda: run.events("log"))[0]
        same((log["severity"], log["module"], log["probe"], log["file"], log["line"], log["message"]),
             ("error", "store", "error_what_it_counts", "store.c", 41, "cannot open \\x1b[31mindex\\xff\\x0a"))
        run.until_said("log  fake[")
        lacks(run.errors(), "\x1b")
        run.end()


def many_errors_do_not_flood():
    with Fake("errors") as run:
        run.ready()
        run.until_said("more errors were reported")
        run.end()
        assert len([x for x in run.own_lines() if " log  fake" in x]) < 200, len(run.own_lines())


def a_truncated_segment_is_said_once_and_the_others_go_on():
    with Fake("truncate", "child") as run:
        run.ready()
        until(run.segment_files)
        run.go()
        run.ready()
        run.until_said("the file")
        run.go()
        run.ready()
        run.until_alert(MISS)
        run.go()
        run.ready()
        run.end()
        same(len([x for x in run.own_lines() if "warning: segment" in x]), 1, run.own_lines())


def bad_files_are_said_once_each():
    with Fake("version", "garbage", "strange", "good") as run:
        for _ in range(3):
            run.ready()
            run.go()
        run.ready()
        run.until_alert(MISS)
        run.end()
        lines = [x for x in run.own_lines() if "warning: segment" in x]
        for name, why in (("other.seg", "another version"), ("garbage.seg", "does not begin"),
                          ("dir.seg", "not a regular file"), ("fifo.seg", "not a regular file"),
                          ("link.seg", "symbolic link")):
            same(len([x for x in lines if f"segment {name}: " in x and why in x]), 1, f"{name} in {lines}")
        lacks(run.errors(), "\x1b")


def an_unfinished_segment_harms_nobody():
    with Fake("zero", "good") as run:
        run.ready()
        run.go()
        run.ready()
        run.until_alert(MISS)
        run.end()


def bad_records_are_ignored_alone():
    with Fake("none", "records") as run:
        run.ready()
        alert = run.until_alert(MISS)
        same(alert["program"], "\\x1b]0;evil\\x07name")
        run.until_said("4 of its probes cannot be judged")
        run.end()
        lacks(run.errors(), "\x1b")
        lacks(run.errors(), "\x07")


def a_ringing_bell_does_not_deafen():
    with Fake("flood") as run:
        run.ready()
        run.until_alert(MISS)
        run.end()


def a_dead_process_resolves_and_leaves_no_file():
    with Fake("none", "child") as run:
        run.ready()
        alert = run.until_alert(MISS)
        assert alert["pid"] != run.pid()
        same(len(run.segment_files()), 1)
        run.go()
        run.ready()
        ended = run.until_alert(MISS, "resolved")
        same((ended["id"], ended["details"]), (alert["id"], {"reason": "ended"}))
        until(lambda: not run.segment_files(), "the segment stays")
        run.end()


def exec_ends_the_old_segment():
    with Fake("exec") as run:
        run.ready()
        run.until_alert(MISS)
        run.go()
        run.ready()
        run.until_alert(MISS, "resolved")
        same(run.process.poll(), None)
        run.end()


def an_ended_segment_is_retired():
    with Fake("end") as run:
        run.ready()
        run.until_alert(MISS)
        run.go()
        run.ready()
        run.until_alert(MISS, "resolved")
        until(lambda: not run.segment_files(), "the segment stays")
        run.end()


def scribbling_all_over_a_segment_does_not_bring_us_down():
    for _ in range(5):
        with Fake("scribble") as run:
            run.ready()
            until(lambda: "it is not read any more" in run.errors() or run.process.poll() is not None)
            same(run.process.poll(), None, "status")
            run.go()
            run.process.stdin.close()
            same(run.status(), 0)


if __name__ == "__main__":
    sys.exit(run_tests([
        an_expectation_rings_with_its_values, without_the_doorbell_the_tick_finds_it,
        a_threshold_fires, a_gauge_fires_and_resolves, an_error_is_logged_escaped,
        many_errors_do_not_flood, a_truncated_segment_is_said_once_and_the_others_go_on,
        bad_files_are_said_once_each, an_unfinished_segment_harms_nobody,
        bad_records_are_ignored_alone, a_ringing_bell_does_not_deafen,
        a_dead_process_resolves_and_leaves_no_file, exec_ends_the_old_segment,
        an_ended_segment_is_retired, scribbling_all_over_a_segment_does_not_bring_us_down,
    ]))
