#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The heap behind libtocsin-inside.so where it is not only malloc and free. TAP.
usage: heap_test.py LIBRARY SUBJECT OWN_MALLOC PLUGIN SANITIZED|-"""

import glob
import os
import resource
import struct
import subprocess
import sys

import process_test as base
from process_test import LIBRARY, SITE, SITES, SUBJECT, Inside, Place

PLUGIN = os.path.abspath(sys.argv[4])
SANITIZED = sys.argv[5]
FINDING, FINDINGS, OVERFLOW, DOUBLE_FREE = 288, 64, 3, 4
JEMALLOC = next(iter(glob.glob("/usr/lib/*/libjemalloc.so.2")), None)


def sites_of(inside, module):
    """(first address, second address, blocks, bytes) of each site of the heap that has live blocks."""
    for number in range(192, SITES):
        at = inside.table(18) + number * SITE
        ready, kind, of_module, depth = struct.unpack_from("<IIII", inside.data, at)
        if not ready or (kind, of_module) != (1, module):
            continue
        live = sum(struct.unpack_from("<Q", inside.data, page + inside.cells_at() + number * base.CELL)[0]
                   for found, page, _ in inside.extents if found == 21) % (1 << 64)
        stack = struct.unpack_from("<14Q", inside.data, at + 16)[:depth]
        if live:
            yield *stack[:2], live >> base.LIVE_SHIFT, live & ((1 << base.LIVE_SHIFT) - 1)


def callers_of_a_wrapper_are_told_apart():
    with Place() as place:
        process = place.start(SUBJECT, "paths")
        said = base.says_of_itself(process)
        inside = Inside(place.folder, said["pid"])
        sites = list(sites_of(inside, inside.module("mine")))
        assert sorted(site[2:] for site in sites) == [(7, 70), (11, 220)], sites
        assert sites[0][0] == sites[1][0] and sites[0][1] != sites[1][1], sites
        process.communicate("\n", base.WAIT_S)


def a_library_that_is_older_counts_in_the_child():
    with Place() as place:
        place.env["LD_PRELOAD"] = f"{LIBRARY} {PLUGIN}"
        process = place.start(SUBJECT, "child_of_a_library")
        said = base.says_of_itself(process)
        inside = Inside(place.folder, said["pid"])
        blocks, size = inside.live(0, 1)
        assert blocks < 900 and size < 900_000, (blocks, size)  # the child made 1000 of 1000
        assert inside.live(inside.module("mine"), 1) == (said["blocks"], said["bytes"])
        process.communicate("\n", base.WAIT_S)


def a_plugin_that_binds_to_itself_shares_the_heap():
    with Place() as place:
        assert place.says(SUBJECT, "deepbind", PLUGIN) == (0, "ok\n", "")


def the_caller_of_dlopen_is_who_called():
    """It is reached by a jump, or the folders of the caller would not be searched."""
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--disassemble=dlopen", LIBRARY],
                          capture_output=True, text=True, check=True)
    code = [line.split("\t", 1)[1] for line in done.stdout.splitlines() if "\t" in line]
    calls = [line for line in code if line.startswith(("call", "bl"))]
    assert code and all("inside_start" in line for line in calls), code


def jemalloc_gets_its_own_pointers_only():
    with Place() as place:
        place.env["LD_PRELOAD"] = f"{LIBRARY} {JEMALLOC}"
        assert place.says(SUBJECT, "jemalloc") == (0, "ok\n", "")


def a_thread_that_ends_gives_back_what_it_kept():
    with Place() as place:
        place.env["GLIBC_TUNABLES"] = "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"
        assert place.says(SUBJECT, "threads_that_end") == (0, "ok\n", "")


def findings_of(name):
    """What the subject says of itself, and (kind, block) of what was found in it."""
    with Place() as place:
        place.env["MALLOC_PERTURB_"] = "0"  # libc's would overwrite the mark of what it got back
        process = place.start(SUBJECT, name)
        said = base.says_of_itself(process)
        inside = Inside(place.folder, said["pid"])
        found = [struct.unpack_from("<II32xQ", inside.data, inside.table(20) + FINDING * i)
                 for i in range(FINDINGS)]
        process.communicate("\n", base.WAIT_S)
        return said, [(kind, block) for is_ready, kind, block in found if is_ready]


def a_second_free_is_found_wherever_the_block_is():
    said, found = findings_of("freed_twice")
    assert [kind for kind, _ in found] == [DOUBLE_FREE] * said["blocks"], found
    assert len({block for _, block in found}) == said["blocks"], found
    assert found[0][1] == said["bytes"], found


def a_realloc_finds_what_was_written_past_the_end():
    said, found = findings_of("overrun")
    assert [kind for kind, _ in found] == [OVERFLOW] * said["blocks"], found
    assert found[0][1] == said["bytes"] and found[1][1] != found[0][1], found


def a_sanitizer_keeps_the_heap():
    with Place() as place:
        place.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        assert place.says(os.path.abspath(SANITIZED)) == (0, "ok\n", "")
        assert not os.listdir(place.folder), "something was published"


def without_memory_it_runs():
    for limit in (20 << 20, 40 << 20):
        with Place() as place:
            for argv in ((SUBJECT, "limits"), ("/bin/sh", "-c", "(echo ok)")):
                done = subprocess.run(argv, env=place.env, capture_output=True, text=True, check=False,
                                      timeout=base.WAIT_S, preexec_fn=lambda size=limit:
                                      resource.setrlimit(resource.RLIMIT_AS, (size, size)))
                assert (done.returncode, done.stdout) == (0, "ok\n"), (limit, argv, done)



def unless(reason, test):
    if not reason:
        return test

    def skipped():
        pass
    skipped.__name__ = f"{test.__name__} # SKIP {reason}"
    return skipped


base.TESTS = [callers_of_a_wrapper_are_told_apart, a_library_that_is_older_counts_in_the_child,
              base.exact("child_without_handlers"), a_plugin_that_binds_to_itself_shares_the_heap,
              the_caller_of_dlopen_is_who_called,
              unless(not JEMALLOC and "there is no jemalloc here", jemalloc_gets_its_own_pointers_only),
              unless(SANITIZED == "-" and "the compiler has no sanitizer", a_sanitizer_keeps_the_heap),
              a_thread_that_ends_gives_back_what_it_kept,
              a_second_free_is_found_wherever_the_block_is, a_realloc_finds_what_was_written_past_the_end,
              base.exact("any_order"), base.survives("used_again"), without_memory_it_runs, base.survives("ends_of_life"),
              base.survives("limits"), base.survives("least_stack"), base.a_program_with_an_allocator_of_its_own_runs]

if __name__ == "__main__":
    sys.exit(base.main())
