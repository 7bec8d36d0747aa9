#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`meson install` gives a prefix that a stranger can use: pkg-config, header, libraries, manual
pages, the program. TAP. usage: install.py BUILD_DIR"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])

PROGRAM = r"""
#include <stdio.h>
#include <tocsin.h>
TOC_MODULE(stranger, "A program of somebody who only read the README");
TOC_COUNTER(lines, "Lines read from standard input",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "more lines than anybody can read"));
int main(void)
{
        toc_count(lines);
        puts(toc_segment_path() ? "has a segment" : "has none");
        return !TOC_EXPECT(1 + 1 == 2, TOC_PAGE, "arithmetic is broken");
}
"""


JUDGE = r"""
#include <stdio.h>
#include <tocsin-inline.h>
#include <tocsin.h>
TOC_MODULE(judge, "A program that judges itself");
TOC_GAUGE(level, "Whatever is set here", TOC_ALERT(value, >, 1, TOC_WARN, "it is above one"));
static void on_alert(const struct tocsin_inline_alert *alert, void *unused)
{
        (void)unused;
        printf("%d %s.%s\n", alert->state, alert->module, alert->probe);
}
int main(void)
{
        struct tocsin_inline options = {.bytes = sizeof options, .is_silent = true, .on_alert = on_alert};
        if (tocsin_inline_start(&options))
                return 1;
        toc_set(level, 2);
        tocsin_inline_stop();
        return 0;
}
"""

STANDS_IN = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
        Dl_info info;
        return !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) || puts(info.dli_fname) < 0;
}
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done.stdout


def main():
    place = tempfile.mkdtemp(prefix="tocsin-install-")
    segments = tempfile.mkdtemp(dir="/dev/shm", prefix="tocsin-test-")
    number = failed = 0
    source = os.path.join(place, "stranger.c")
    with open(source, "w") as file:
        file.write(PROGRAM)
    env = dict(os.environ)
    libdir = []

    def installs():
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", place)
        found = subprocess.run(["find", place, "-name", "tocsin.pc"], capture_output=True, text=True).stdout.split()
        assert len(found) == 1, found
        libdir.append(os.path.dirname(os.path.dirname(found[0])))
        env["PKG_CONFIG_PATH"] = os.path.dirname(found[0])
        env["PKG_CONFIG_SYSROOT_DIR"] = place
        env["LD_LIBRARY_PATH"] = libdir[0]
        env["TOCSIN_DIR"] = segments

    def flags(*extra):
        return run("pkg-config", "--cflags", "--libs", *extra, "tocsin", env=env).split()

    def shared():
        run("cc", "-Wall", "-Wextra", "-Werror", source, "-o", os.path.join(place, "shared"), *flags())
        assert run(os.path.join(place, "shared"), env=env) == "has a segment\n"

    def static():
        archive = os.path.join(libdir[0], "libtocsin.a")
        rest = [f for f in flags() if f != "-ltocsin"]
        run("cc", source, "-o", os.path.join(place, "static"), *rest, archive, "-pthread")
        without = {k: v for k, v in env.items() if k != "LD_LIBRARY_PATH"}
        assert run(os.path.join(place, "static"), env=without) == "has a segment\n"

    def judges_itself():
        """With the shared libraries, and with the archives."""
        judge = os.path.join(place, "judge.c")
        with open(judge, "w") as file:
            file.write(JUDGE)
        both = run("pkg-config", "--cflags", "--libs", "tocsin-inline", env=env).split()
        assert "-ltocsin-inline" in both and "-ltocsin" in both, both
        run("cc", "-Wall", "-Wextra", "-Werror", judge, "-o", os.path.join(place, "judge"), *both)
        wanted = "1 judge.level\n3 judge.level\n"
        assert run(os.path.join(place, "judge"), env=env) == wanted
        rest = [f for f in both if not f.startswith("-l")]
        archives = [os.path.join(libdir[0], f"lib{name}.a") for name in ("tocsin-inline", "tocsin")]
        run("cc", judge, "-o", os.path.join(place, "judge-static"), *rest, *archives, "-pthread")
        without = {k: v for k, v in env.items() if k != "LD_LIBRARY_PATH"}
        assert run(os.path.join(place, "judge-static"), env=without) == wanted

    def sees_inside():
        """Linked, though nothing of it is named; a program that is not linked with it has libc's malloc."""
        source = os.path.join(place, "inside.c")
        with open(source, "w") as file:
            file.write(STANDS_IN)
        linked = run("pkg-config", "--cflags", "--libs", "tocsin-inside", env=env).split()
        for flags, is_inside in ((linked, True), ([], False)):
            run("cc", "-Wl,--as-needed", source, "-o", os.path.join(place, "inside"), *flags)
            said = run(os.path.join(place, "inside"), env=env)
            assert ("libtocsin-inside.so" in said) == is_inside, (flags, said)

    def program():
        tocsin = subprocess.run(["find", place, "-path", "*/bin/tocsin"], capture_output=True, text=True).stdout.split()
        assert len(tocsin) == 1, tocsin
        listing = run(tocsin[0], "rules", os.path.join(place, "shared"), env=env)
        assert "lines" in listing and "more lines than anybody can read" in listing, listing

    def manual():
        pages = subprocess.run(["find", place, "-path", "*/man/*"], capture_output=True, text=True).stdout
        for page in ("tocsin.1", "tocsin-run.1", "tocsin-rules.1", "tocsin-diff.1", "tocsin-gate.1", "tocsin-ledger.1", "tocsin-new.1", "tocsin-bench.1", "tocsin.h.3", "tocsin-inline.h.3", "tocsin-segment.5"):
            assert page in pages, f"{page} is missing"

    def prompts():
        """What a model is told; read where the program looks for it."""
        tocsin = subprocess.run(["find", place, "-path", "*/bin/tocsin"], capture_output=True, text=True).stdout.split()
        share = os.path.join(os.path.dirname(os.path.dirname(tocsin[0])), "share", "tocsin")
        for name in ("system", "contract", "write", "diagnose", "repair", "README"):
            assert os.path.getsize(os.path.join(share, "prompts", name + ".md")) > 100, name
        assert os.path.getsize(os.path.join(share, "instrumenting.md")) > 100

    tests = [installs, shared, static, judges_itself, sees_inside, program, manual, prompts]
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json")) as file:
        sanitized = any(row["name"] == "b_sanitize" and row["value"] != "none" for row in json.load(file))
    print(f"1..{len(tests)}")
    for test in tests:
        number += 1
        if sanitized and test in (shared, static, judges_itself, sees_inside, program):
            print(f"ok {number} - {test.__name__} # SKIP a library with sanitizers is not for strangers")
            continue
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception as why:
            failed += 1
            print(f"not ok {number} - {test.__name__}\n# {type(why).__name__}: {why}".replace("\n", "\n# "), flush=True)
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(segments, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
