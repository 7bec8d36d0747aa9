#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin run` with a program that carries probes: each kind of rule is seen firing.
usage: probes.py TOCSIN BELL"""

import os
import resource
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from harness import Run, Skip, Webhook, has, lacks, run_tests, same, until  # noqa: E402

BELL = os.path.abspath(sys.argv[2])


class Bell(Run):
    def __init__(self, *actions, **more):
        super().__init__(BELL, *actions, stdin=subprocess.PIPE, **more)

    def ready(self):
        same(self.process.stdout.readline(), b"ready\n", self.errors())

    def go(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        self.go()
        same(self.wait(), 0)
        same(self.run_dirs(), [], "what is left")


def an_expectation_arrives_with_values_and_stack():
    with Webhook() as hook, Bell("miss", "wait", options=["--webhook", hook.url]) as run:
        run.ready()
        alert = until(lambda: hook.bodies)[0]
        same((alert["program"], alert["pid"], alert["module"], alert["kind"], alert["severity"],
              alert["file"]), ("bell", run.pid(), "bell", "expectation", "page", "bell.c"))
        same((alert["details"]["left"], alert["details"]["right"]), (3, 4))
        stack = alert["details"]["stack"]
        has(stack[0], "bell+0x")
        run.end()
        has(run.errors(), "left and right differ (bell.c:")


def the_stack_names_functions():
    """Names come if they come in time, so it is asked until they did."""
    for _ in range(20):
        with Bell("miss", "wait") as run:
            run.ready()
            alert = until(lambda: run.events("alert"))[0]
            run.end()
            if any(" compare" in line or " main+0x" in line for line in alert["details"]["stack"]):
                return
    raise AssertionError(f"no names in {alert['details']}")


def the_start_tells_how_many_probes_there_are():
    with Bell() as run:
        same(run.wait(), 0)
        assert run.events("start")[0]["probes"] >= 8, run.events()
        same(run.errors(), "")


def a_counter_passes_its_limit():
    with Bell("strike", "wait") as run:
        run.ready()
        alert = run.until_alert("strokes")
        same((alert["severity"], alert["value"], alert["limit"], alert["signal"]),
             ("warn", 1001, 1000, "per_minute"))
        run.end()


def a_counter_is_judged_although_the_program_has_ended():
    with Bell("strike") as run:
        same(run.wait(), 0)
        same(len(run.alerts("strokes", "firing")), 1)


def a_gauge_fires_and_resolves():
    with Bell("weigh", "wait", "lighten", "wait") as run:
        run.ready()
        alert = run.until_alert("weight")
        same((alert["severity"], alert["value"]), ("note", 11))
        run.go()
        run.ready()
        ended = run.until_alert("weight", "resolved")
        same((ended["id"], ended["value"], ended["details"]), (alert["id"], 1, {}))
        run.end()


def a_level_is_summed_over_threads_that_have_ended():
    with Bell("crowd", "wait") as run:
        run.ready()
        same(run.until_alert("ringers")["value"], 4)
        run.end()


def a_heartbeat_that_stops():
    with Bell("beat", "wait", "beat", "wait") as run:
        run.ready()
        alert = run.until_alert("swing")
        assert alert["value"] > 1500, alert
        run.go()
        run.ready()
        run.until_alert("swing", "resolved")
        run.end()


def errors_and_warnings_are_logged():
    with Bell("report", "wait") as run:
        run.ready()
        alert = run.until_alert("log_errors")
        same((alert["module"], alert["severity"], alert["details"]["message"]),
             ("bell", "warn", "cannot ring 'the bell'"))
        logs = until(lambda: len(run.events("log")) == 2 and run.events("log"))
        same([(x["severity"], x["message"]) for x in logs],
             [("error", "cannot ring 'the bell'"), ("warning", "a crack of 7 mm")])
        run.until_said("cannot ring 'the bell' (bell.c:")
        lacks(run.errors(), "a crack")
        run.end()


def an_error_with_a_rule_of_its_own():
    with Bell("page", "wait") as run:
        run.ready()
        alert = until(lambda: run.alerts(state="firing"))[0]
        same((alert["severity"], alert["meaning"], alert["details"]["message"]),
             ("page", "somebody must come", "come at once"))
        run.end()


def a_crash_tells_what_came_before():
    with Bell("report", "miss", "crash") as run:
        same(run.wait(), 139)
        crash = run.events("crash")[0]
        same([e["kind"] for e in crash["events"]], ["error", "warning", "miss"])
        same(crash["events"][2]["details"]["left"], 3)
        same(len(run.alerts("crash", "firing")), 1)
        same(run.alerts("crash", "resolved"), [])
        kinds = {a["kind"] for a in run.alerts(state="firing")}
        has(kinds, "expectation")


def a_child_of_fork_is_watched_too():
    with Bell("fork", "wait") as run:
        run.ready()
        alert = until(lambda: run.alerts(state="firing"))[0]
        assert alert["pid"] != run.pid(), alert
        until(lambda: run.alerts(state="resolved"))
        run.end()


def exec_of_the_same_program_is_a_new_segment():
    with Bell("weigh", "wait", "become") as run:
        run.ready()
        run.until_alert("weight")
        run.go()
        run.ready()
        run.until_alert("weight", "resolved")
        until(lambda: [a for a in run.alerts(state="firing") if a["kind"] == "expectation"])
        run.end()


def fail_on_alert_minds_warnings_but_no_notes():
    for action, status in ("weigh", 0), ("strike", 1), ("miss", 1):
        with Bell(action, options=["--fail-on-alert"]) as run:
            same(run.wait(), status, action)


def a_program_with_probes_but_without_segment_is_told():
    """Where no file may grow, libtocsin makes none: files that we write are limited as well."""
    reader, writer = os.pipe()
    with Bell("miss", "wait", events=False, stderr=writer,
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))) as run:
        os.close(writer)
        run.ready()
        with open(reader, encoding="utf-8") as errors:
            has(errors.readline(), "probes but made no segment in")
            run.end()
            same(errors.read(), "")


def a_directory_that_is_no_tmpfs_is_told():
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        if is_tmpfs(place):
            raise Skip("/tmp is tmpfs")
        with Bell("miss", options=["--dir", place]) as run:
            same(run.wait(), 0)
            has(run.errors(), "is not on tmpfs")
            same(run.alerts(), [])
            same(os.listdir(place), [])


def is_tmpfs(path):
    with open("/proc/self/mounts") as file:
        mounts = [line.split() for line in file]
    best = max((m for m in mounts if path.startswith(m[1])), key=lambda m: len(m[1]))
    return best[2] == "tmpfs"


if __name__ == "__main__":
    sys.exit(run_tests([
        an_expectation_arrives_with_values_and_stack, the_stack_names_functions,
        the_start_tells_how_many_probes_there_are, a_counter_passes_its_limit,
        a_counter_is_judged_although_the_program_has_ended, a_gauge_fires_and_resolves,
        a_level_is_summed_over_threads_that_have_ended, a_heartbeat_that_stops,
        errors_and_warnings_are_logged, an_error_with_a_rule_of_its_own,
        a_crash_tells_what_came_before, a_child_of_fork_is_watched_too,
        exec_of_the_same_program_is_a_new_segment, fail_on_alert_minds_warnings_but_no_notes,
        a_program_with_probes_but_without_segment_is_told, a_directory_that_is_no_tmpfs_is_told,
    ]))
