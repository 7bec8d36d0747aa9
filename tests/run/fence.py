#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fence of `tocsin run`: limits hold, what comes near or hits them is heard, groups are gone at the
end. usage: fence.py TOCSIN. Output is TAP."""

import errno
import glob
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from harness import Skip, run_tests  # noqa: E402

WAIT_S = 60
NOBODY = 65534
MEMORY = "b = []\nimport time\nfor i in range(%d): b.append(bytearray(b'x') * (1 << 20)); time.sleep(%g)\n%s"
FORKS = "import os, time\nfor i in range(30):\n  try:\n    if os.fork() == 0: time.sleep(2); os._exit(0)\n" \
        "  except BlockingIOError: pass\ntime.sleep(2.5)\n[os.wait() for i in range(%d)]\n"
FILES = "import os, time\nf = [os.open('/dev/null', 0) for i in range(120)]\ntime.sleep(2.5)\n"
SPIN = "import time\nt = time.monotonic()\nn = time.process_time()\nwhile time.monotonic() - t < 2: pass\n" \
       "print(time.process_time() - n)\n"


def run(*arguments, code=None, argv=None):
    """(what it did, firing alerts, all events). Its groups must be gone."""
    with tempfile.TemporaryDirectory(prefix="tocsin-fence-") as place:
        events = f"{place}/events"
        process = subprocess.Popen([harness.TOCSIN, "run", "--events", events, *arguments, "--",
                                    *(argv or ["/usr/bin/python3", "-c", code])], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with process:
            out, err = process.communicate(timeout=WAIT_S)
        lines = [harness.json.loads(line) for line in open(events, encoding="utf-8")] \
            if os.path.exists(events) else []
    left = glob.glob(f"/sys/fs/cgroup/**/tocsin-run-{process.pid}-*", recursive=True)
    assert not left, left
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return done, [line for line in lines if line["type"] == "alert" and line["state"] == "firing"], lines


def needs_groups(done, what):
    if "not enforced" in done.stderr and what in done.stderr.split("not enforced")[1]:
        raise Skip(f"no group with {what} can be made here")


def names(alerts):
    return sorted(f"{alert['module']}.{alert['probe']}" for alert in alerts)


def too_much_memory_is_a_kill_that_says_so():
    done, alerts, lines = run("--memory", "48M", code=MEMORY % (200, 0.02, ""))
    needs_groups(done, "memory")
    assert done.returncode == 137, done
    assert "process.oom" in names(alerts), names(alerts)
    assert lines[0]["fence"]["limits"] == "memory 48 MiB", lines[0]
    oom = next(alert for alert in alerts if alert["probe"] == "oom")
    assert oom["severity"] == "page" and oom["details"]["memory_peak_bytes"] > 40 << 20, oom


def near_the_limit_is_heard_before():
    done, alerts, _ = run("--memory", "100M", code=MEMORY % (88, 0.002, "time.sleep(5)"))
    needs_groups(done, "memory")
    assert done.returncode == 0, done
    assert names(alerts) == ["process.memory_permille"], (names(alerts), done)


def refused_processes_are_heard():
    done, alerts, _ = run("--pids", "12", code=FORKS % 11)
    needs_groups(done, "pids")
    assert done.returncode == 0, done
    assert names(alerts) == ["process.limit_hit", "process.pids_permille"], names(alerts)


# Three children and no more: ends at once, with 2 if one was refused.
THREE = """
import os, signal, sys
children, status = [], 0
try:
    for _ in range(3):
        children.append(os.fork())
        if not children[-1]:
            signal.pause()
except BlockingIOError:
    status = 2
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
sys.exit(status)
"""


def who_ends_for_a_refusal_is_heard():
    """Long before the next tick."""
    done, alerts, _ = run("--pids", "3", code=THREE)
    needs_groups(done, "pids")
    assert done.returncode == 2, done
    hit = [alert for alert in alerts if alert["probe"] == "limit_hit"]
    assert len(hit) == 1 and hit[0]["details"]["limit"] == "pids", alerts
    done, alerts, _ = run("--pids", "4", code=THREE)
    assert done.returncode == 0 and "process.limit_hit" not in names(alerts), (done, alerts)


def descriptors_near_their_limit_are_heard():
    done, alerts, _ = run("--files", "128", code=FILES)
    assert done.returncode == 0, done
    assert names(alerts) == ["process.files_permille"], names(alerts)


def half_a_core_is_half_a_core():
    done, alerts, _ = run("--cpu", "50%", code=SPIN)
    needs_groups(done, "cpu")
    assert 0.5 < float(done.stdout) < 1.5, done.stdout # of two seconds
    assert not alerts, names(alerts)


def there_is_no_network():
    needs_bubblewrap()
    done, _, _ = run("--no-network", argv=["/bin/sh", "-c", "wc -l < /proc/net/dev; exit 7"])
    assert (done.returncode, done.stdout.strip()) == (7, "3"), done # two of heading, and lo


def files_are_read_only_but_those():
    needs_bubblewrap()
    with tempfile.TemporaryDirectory(prefix="tocsin-fence-") as place:
        os.mkdir(f"{place}/a"), os.mkdir(f"{place}/b")
        script = f"echo x > {place}/a/x; echo y > {place}/b/y; echo z > /dev/null"
        done, _, _ = run("--read-only", "--writable", f"{place}/b", argv=["/bin/sh", "-c", script])
        assert done.returncode == 0, done
        assert os.listdir(f"{place}/a") == [] and os.listdir(f"{place}/b") == ["y"], done


def within_all_limits_nothing_is_heard():
    done, alerts, _ = run("--memory", "256M", "--cpu", "200%", "--pids", "64", "--files", "1024",
                          argv=["/bin/sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.returncode, done.stdout) == (3, "out\n"), done
    assert not alerts and "\nerr\n" in "\n" + done.stderr, done


def wrong_requests_are_one_line():
    for arguments, words in ((("--cpu", "50"), "give 50%"), (("--memory", "12"), "--memory"),
                             (("--pids", "0"), "--pids"), (("--writable", "/tmp"), "--read-only"),
                             (("--read-only", "--writable", "x"), "whole path")):
        done, _, lines = run(*arguments, argv=["/bin/true"])
        assert done.returncode == 125 and words in done.stderr, (arguments, done)
        assert len(done.stderr.splitlines()) <= 2 and not lines, done.stderr


def what_does_not_hold_is_said_or_refused():
    """Of memory there is no disk whose speed could be limited."""
    for options, status in (([], 0), (["--require-fence"], 125)):
        done = subprocess.run([harness.TOCSIN, "run", "--io", "5M", *options, "--", "/bin/true"], text=True,
                              cwd="/dev/shm", capture_output=True, timeout=WAIT_S)
        assert done.returncode == status and "not enforced" in done.stderr, done
        assert status or "tocsin: warning: fence: not enforced: io (" in done.stderr, done.stderr


def what_is_not_there_is_127_behind_a_launcher_too():
    needs_bubblewrap()
    done, _, _ = run("--no-network", argv=["./is-not-there"])
    assert done.returncode == 127 and "no such file" in done.stderr, done


def needs_bubblewrap():
    if not os.path.exists("/usr/bin/bwrap"):
        raise Skip("bubblewrap is not installed")


def behind_a_fence_it_is_still_our_child():
    """Its pid, its signal and its end are its own, and nobody's who made the namespaces."""
    needs_bubblewrap()
    done, alerts, lines = run("--no-network", argv=["/bin/sh", "-c", "echo $$; kill -SEGV $$"])
    assert done.returncode == 139 and "process.crash" in names(alerts), (done, names(alerts))
    assert int(done.stdout) == lines[0]["pid"], (done.stdout, lines[0])


def nobody_gets_out_again():
    needs_bubblewrap()
    with tempfile.TemporaryDirectory(prefix="tocsin-fence-") as place:
        script = f"mount -o remount,rw,bind / 2>/dev/null; echo x > {place}/x; nsenter -t 1 -n true"
        done, _, _ = run("--no-network", "--read-only", argv=["/bin/sh", "-c", script])
        assert done.returncode != 0 and os.listdir(place) == [], (done, os.listdir(place))


CALLS = """import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    return 0 if libc.syscall(number, *words) >= 0 else ctypes.get_errno()
def family(number):
    try:
        socket.socket(number, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno
    return 0
def thread(word=[]):
    thread = threading.Thread(target=word.append, args=(1,))
    thread.start(), thread.join()
    return len(word)
def write(path):
    try:
        open(path, 'w').close()
    except OSError as error:
        return error.errno
    return 0
# unshare(0), ptrace of nobody, clone3 without room, keyctl of nothing; netlink, packet, unix
print([call(272, 0), call(101, 16, 0, 0, 0), call(435, 0, 0), call(250, 99), family(16), family(17), family(1),
       thread(), write(f'/proc/{os.getppid()}/root{sys.argv[1]}')])
"""


def calls_that_undo_a_fence_are_refused():
    """Numbers are those of x86-64. What is not refused answers as without a fence."""
    needs_bubblewrap()
    if os.uname().machine != "x86_64" or os.geteuid() != 0:
        raise Skip("numbers of x86-64, and root's rights")
    with tempfile.TemporaryDirectory(prefix="tocsin-fence-") as place:
        seen = [run(*options, argv=["/usr/bin/python3", "-c", CALLS, f"{place}/x"])[0] for options in
                ((), ("--read-only",), ("--no-network", "--read-only"))]
    free, files, both = (eval(done.stdout) for done in seen)  # pylint: disable=eval-used
    assert free == [0, errno.ESRCH, errno.EINVAL, errno.EOPNOTSUPP, 0, 0, 0, 1, 0], free
    assert files == [errno.EPERM, errno.ESRCH, errno.ENOSYS, errno.EPERM, 0, 0, 0, 1, errno.EACCES], files
    assert both == files[:5] + [errno.EAFNOSUPPORT] + files[6:], both
    assert "seccomp" in seen[1].stderr and "seccomp" not in seen[0].stderr, seen


def calls_that_are_too_young_are_not_there():
    """mseal(2) is in Linux since 6.10 and in no libseccomp of Debian 12; of nothing it says 0."""
    needs_bubblewrap()
    if os.uname().machine != "x86_64":
        raise Skip("numbers of x86-64")
    asked = ["/usr/bin/python3", "-c", "import ctypes; c = ctypes.CDLL(None, use_errno=True);"
             "print(c.syscall(462, 0, 0, 0), ctypes.get_errno(), c.syscall(39) > 0)"]
    said = [run(*options, argv=asked)[0].stdout for options in ((), ("--read-only",))]
    assert said[0] in ("0 0 True\n", f"-1 {errno.ENOSYS} True\n"), said
    assert said[1] == f"-1 {errno.ENOSYS} True\n", said


def calls_of_another_abi_kill():
    """getpid(2) of x32."""
    needs_bubblewrap()
    if os.uname().machine != "x86_64":
        raise Skip("x32 is of x86-64")
    asked = ["/usr/bin/python3", "-c", "import ctypes; print(ctypes.CDLL(None).syscall((1 << 30) + 39))"]
    free, fenced = (run(*options, argv=asked)[0] for options in ((), ("--read-only",)))
    assert free.returncode == 0, free
    assert (fenced.returncode, fenced.stdout) == (128 + signal.SIGSYS, ""), fenced


def disks_are_not_there():
    needs_bubblewrap()
    there = ("for i in $(find /dev -xdev -type b); do test -b $i && echo $i; done | wc -l;"
             "test -c /dev/null && echo x > /dev/null && echo null")
    free, fenced = (run(*options, argv=["/bin/sh", "-c", there])[0].stdout.split()
                    for options in ((), ("--read-only",)))
    if free[0] == "0":
        raise Skip("there is no disk in /dev")
    assert int(free[0]) > 0 and fenced == ["0", "null"], (free, fenced)


def setuid_programs_gain_rights_but_in_namespaces():
    """Whoever may not do more by himself starts a copy of id(1) that is root's and setuid."""
    if os.geteuid() != 0:
        raise Skip("only root can make a program that is root's")
    with tempfile.TemporaryDirectory(prefix="tocsin-fence-") as place:
        os.chmod(place, 0o755)
        os.mkdir(f"{place}/run")
        os.chown(f"{place}/run", NOBODY, NOBODY)
        shutil.copyfile("/usr/bin/id", f"{place}/id")
        os.chmod(f"{place}/id", 0o4755)
        become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        plain = subprocess.run([*become, f"{place}/id", "-u"], text=True, capture_output=True, timeout=WAIT_S)
        if plain.stdout != "0\n":
            raise Skip(f"setuid programs gain nothing here: {plain}")
        for options, user in ((("--memory", "256M", "--files", "64"), "0"), (("--no-network",), str(NOBODY)),
                              (("--read-only",), str(NOBODY))):
            done = subprocess.run([*become, harness.TOCSIN, "run", "--dir", f"{place}/run", *options, "--",
                                   f"{place}/id", "-u"], text=True, capture_output=True, timeout=WAIT_S)
            if "makes no namespaces here" in done.stderr or "need bubblewrap" in done.stderr:
                raise Skip("an ordinary user gets no namespaces here")
            assert (done.returncode, done.stdout) == (0, f"{user}\n"), (options, done)


if __name__ == "__main__":
    sys.exit(run_tests([too_much_memory_is_a_kill_that_says_so, near_the_limit_is_heard_before,
                        refused_processes_are_heard, who_ends_for_a_refusal_is_heard,
         descriptors_near_their_limit_are_heard,
                        half_a_core_is_half_a_core, there_is_no_network, files_are_read_only_but_those,
                        within_all_limits_nothing_is_heard, wrong_requests_are_one_line,
                        what_does_not_hold_is_said_or_refused,
                        what_is_not_there_is_127_behind_a_launcher_too,
                        behind_a_fence_it_is_still_our_child, nobody_gets_out_again,
                        calls_that_undo_a_fence_are_refused,
                        calls_that_are_too_young_are_not_there, calls_of_another_abi_kill, disks_are_not_there,
                        setuid_programs_gain_rights_but_in_namespaces], at_once=4))
