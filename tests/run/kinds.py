#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin run` with rules over several cells: each rings at the right moment, and not before.

"Not before" is shown without a clock: a gauge is set after what must not ring, and when it rings, all
rules have been judged with what came before it.
usage: kinds.py TOCSIN KINDS"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
from harness import Run, has, run_tests, same, until  # noqa: E402

KINDS = os.path.abspath(sys.argv[2])


class Kinds(Run):
    def __init__(self, *arguments, **more):
        super().__init__(KINDS, *arguments, stdin=subprocess.PIPE, **more)
        self.heard = []
        self.marks = 0

    def listen(self):
        line = self.process.stdout.readline().decode().strip()
        assert line, f"it has ended: {self.errors()}"
        self.heard.append(line)
        return line

    def do(self, *orders):
        for order in orders:
            self.process.stdin.write(order.encode() + b"\n")
            self.process.stdin.flush()
            while self.listen() != "done":
                pass

    def of(self, probe, signal, state=None):
        return [a for a in self.alerts(probe, state) if a["signal"] == signal]

    def until_of(self, probe, signal, state="firing", count=1):
        return until(lambda: len(self.of(probe, signal, state)) >= count and
                     self.of(probe, signal, state),
                     lambda: f"no {count} {state} {probe}: {self.events()} {self.errors()}")[-1]

    def calm(self, *probes):
        """Nothing of them rings in two looks that begin now: some rules compare two."""
        self.marks += 1
        self.do("mark 1")
        self.until_of("mark", "value", "firing", self.marks)
        self.do("mark 0")
        self.until_of("mark", "value", "resolved", self.marks)
        for probe in probes:
            same(self.alerts(probe), [], probe)

    def end(self):
        self.process.stdin.close()
        self.process.stdin = None
        same(self.wait(), 0)


def a_timer_rings_when_more_than_one_in_a_hundred_is_slow():
    with Kinds() as run:
        run.do("quick 97", "slow 2")
        run.calm("lookup")  # 2 of 99: fewer than it takes
        run.do("quick 101")
        run.calm("lookup")  # 2 of 200 are not more than one of a hundred
        run.do("slow 1")
        alert = run.until_of("lookup", "p99_us")
        same((alert["kind"], alert["limit"], alert["severity"], alert["window_s"],
              alert["runbook"]), ("timer", 1000, "warn", 60, "wiki/kinds"))
        assert alert["value"] > 1000, alert
        run.end()


def sizes_ring_at_the_first_that_is_too_long():
    with Kinds() as run:
        run.do("packet 4095")
        run.calm("packet")
        run.do("packet 4096")
        alert = run.until_of("packet", "max")
        same((alert["kind"], alert["runbook"], alert["labels"]), ("sizes", "wiki/packets", {}))
        assert alert["value"] >= 4096, alert
        run.end()


def a_share_rings_when_there_are_enough():
    with Kinds() as run:
        run.do("refuse 19")
        run.calm("refused")  # all of 19 are fewer than 20
        run.do("serve 1")
        alert = run.until_of("refused", "permille")
        same((alert["value"], alert["details"]), (950, {"part": 19, "whole": 20}))
        run.do("serve 170")  # 19 of 190 are not more than a tenth
        same(run.until_of("refused", "permille", "resolved")["value"], 100)
        run.end()


def an_error_budget_burns():
    with Kinds() as run:
        run.do("break 2", "mend 97")
        run.calm("broken")  # 2 of 99: twice the budget, and fewer than 100
        run.do("mend 21")
        run.calm("broken")  # 2 of 120
        run.do("break 2")   # 4 of 122 is 3.27 times
        same(run.until_of("broken", "burn_slow")["value"], 3)
        run.do("mend 3", "break 15")  # 19 of 140 is 13.57 times
        run.calm()
        same(run.of("broken", "burn_fast"), [])
        run.do("break 1")   # 20 of 141 is 14.18 times
        alert = run.until_of("broken", "burn_fast")
        same((alert["value"], alert["severity"], alert["window_s"]), (14, "page", 3600))
        run.end()


def operations_in_flight_and_stuck():
    with Kinds() as run:
        run.do("begin 2")
        run.calm()
        same(run.of("request", "in_flight"), [])
        run.do("begin 1")
        same(run.until_of("request", "in_flight")["value"], 3)
        run.do("end 1")
        same(run.until_of("request", "in_flight", "resolved")["value"], 2)
        alert = run.until_of("request", "oldest_ms")
        assert alert["value"] > 3000, alert
        same((alert["kind"], alert["severity"]), ("operation", "page"))
        run.do("end 2")
        run.until_of("request", "oldest_ms", "resolved")
        run.end()


def many_short_operations_are_not_a_long_one():
    with Kinds() as run:
        run.do("churn 100")
        run.calm("request")
        run.end()


def a_flow_that_loses_something():
    with Kinds() as run:
        run.do("in 100", "out 10", "in 5")
        run.calm("queue")
        run.do("in 6")
        same(run.until_of("queue", "backlog")["value"], 101)
        run.do("out 1")
        run.until_of("queue", "backlog", "resolved")
        same(run.of("queue", "lost"), [])
        run.do("lose 1")
        alert = run.until_of("queue", "lost")
        same((alert["value"], alert["op"], alert["kind"]), (1, "!=", "flow"))
        same(alert["details"], {"in": 111, "out": 11, "dropped": 0, "held": 99})
        run.do("lose -1")
        run.until_of("queue", "lost", "resolved")
        run.end()


def a_flow_that_stalls():
    with Kinds() as run:
        run.do("stuff 5", "drain 5")
        run.calm("pipe")
        run.do("stuff 1")
        alert = run.until_of("pipe", "stalled_ms")
        assert alert["value"] > 1500, alert
        run.do("drain 1")
        run.until_of("pipe", "stalled_ms", "resolved")
        run.end()


def a_label_is_in_the_event_and_in_the_line():
    with Kinds() as run:
        run.do("ask 1")
        run.calm("asked")
        run.do("ask 1")
        alert = run.until_of("asked", "total")
        same((alert["labels"], alert["value"], alert["runbook"]),
             ({"label": "failed"}, 2, "wiki/kinds"))
        run.until_said("kinds.asked{failed}: too much is asked in vain (kinds.c:")
        run.end()


def what_must_be_reached():
    with Kinds() as run:
        run.do("climb 0")
        first = until(lambda: [a for a in run.alerts(state="firing")
                               if a["meaning"] == "the first was never reached"])[0]
        same((first["kind"], first["signal"], first["limit"], first["labels"]),
             ("must_hit", "unreached_s", 4, {}))
        assert first["value"] >= 4, first  # rounded down
        # The second is older than its limit by now, but nobody leads.
        same([a for a in run.alerts() if a["meaning"] == "a leader never reached it"], [])
        run.do("lead 1")
        until(lambda: [a for a in run.alerts(state="firing")
                       if a["meaning"] == "a leader never reached it"])
        run.do("reach 1")
        until(lambda: len([a for a in run.alerts(state="resolved") if a["kind"] == "must_hit"]) == 2)
        same([a for a in run.alerts() if a["meaning"] == "it never was elsewhere"], [])
        run.end()


def what_grows_and_what_will_be_full():
    with Kinds() as run:
        run.do("climb 0", "reach 1")
        steep = run.until_of("steep", "growth")
        assert steep["value"] > 40, steep
        near = run.until_of("near", "exhausts_s")
        assert 0 <= near["value"] < 60, near
        same((near["limit"], near["op"], near["severity"]), (60, "<", "page"))
        run.calm("flat", "far")
        run.end()


def a_program_that_judges_itself_says_the_same():
    """For every rule of these, in the same order."""
    with Kinds("-i") as run:
        run.do("quick 97", "slow 3", "packet 4096", "refuse 20", "break 20", "mend 80", "in 101",
               "lose 2", "stuff 1", "ask 2", "begin 3")
        for probe, signal in (("request", "oldest_ms"), ("pipe", "stalled_ms"), ("queue", "lost")):
            run.until_of(probe, signal)
        while not any("|request||oldest_ms|" in line for line in run.heard):
            run.listen()
        run.do("end 3", "drain 1", "lose -2", "out 50", "serve 180")
        for probe, signal in (("request", "oldest_ms"), ("pipe", "stalled_ms"), ("queue", "lost"),
                              ("queue", "backlog"), ("refused", "permille")):
            run.until_of(probe, signal, "resolved")
        run.calm()
        outside = {}
        for alert in run.alerts():
            key = (alert["probe"], alert["labels"].get("label", ""), alert["signal"])
            outside.setdefault(key, []).append(alert["state"])
        run.process.stdin.close()
        run.process.stdin = None
        same(run.wait(), 0)
        inside = {}
        for line in run.heard + run.out.decode().splitlines():
            if line.startswith("alert|"):
                _, state, probe, label, signal, _ = line.split("|")
                if state != "ended":
                    inside.setdefault((probe, label, signal), []).append(state)
        for them in inside, outside:
            them.pop(("mark", "", "value"), None)  # it is on for one look, which may be the other's
            for key in [k for k in them if k[2] == "unreached_s"]:
                them.pop(key)
        same(inside, outside)
        assert len(inside) >= 10, inside


if __name__ == "__main__":
    sys.exit(run_tests([
        a_timer_rings_when_more_than_one_in_a_hundred_is_slow,
        sizes_ring_at_the_first_that_is_too_long, a_share_rings_when_there_are_enough,
        an_error_budget_burns, operations_in_flight_and_stuck,
        many_short_operations_are_not_a_long_one, a_flow_that_loses_something, a_flow_that_stalls,
        a_label_is_in_the_event_and_in_the_line, what_must_be_reached,
        what_grows_and_what_will_be_full, a_program_that_judges_itself_says_the_same,
    ], at_once=6))
