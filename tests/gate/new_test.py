#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin new: what it writes compiles, what it must refuse leaves nothing. TAP.

usage: new_test.py TOCSIN INCLUDE_DIR"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TOCSIN, INCLUDE = (os.path.abspath(argument) for argument in sys.argv[1:3])
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def new(place, *arguments):
    done = subprocess.run([TOCSIN, "new", *arguments], cwd=place, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def tree(place):
    return sorted(os.path.relpath(os.path.join(folder, name), place)
                  for folder, _, names in os.walk(place) for name in names)


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def compile_c(folder, name, *flags):
    done = subprocess.run(["cc", *flags, "-fsyntax-only", "-x", "c", name, "-I.", "-I" + INCLUDE],
                          cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stderr)


def writes_all_that_a_contract_needs(place):
    code, out, err = new(place, "ring")
    check((code, err) == (0, ""), (code, err))
    check(tree(place) == ["ring/README.md", "ring/candidates/first/ring.c", "ring/cases/ring.c",
                          "ring/contract.yaml", "ring/ring.h"], tree(place))
    check("tocsin gate ring" in out, out)
    for name in tree(place):
        check(not re.search("@name@", read(place, name), re.IGNORECASE), name)
    check("module: ring\n" in read(place, "ring/contract.yaml"), "module")
    for kind in ["TEST", "FAULT", "BENCH", "STRESS", "ALARM", "CALM"]:
        check(re.search(rf"^{kind}\(", read(place, "ring/cases/ring.c"), re.MULTILINE), kind)


def what_it_writes_compiles_clean(place):
    check(new(place, "Ring_2")[0] == 0, "new")
    folder = os.path.join(place, "Ring_2")
    compile_c(folder, "Ring_2.h", *STRICT)
    compile_c(folder, "cases/Ring_2.c", *STRICT)
    compile_c(folder, "candidates/first/Ring_2.c", *STRICT)


def folders_can_be_entered_by_others(place):
    check(new(place, "ring")[0] == 0, "new")
    mask = os.umask(0)
    os.umask(mask)
    for name in ["ring", "ring/cases", "ring/candidates/first"]:
        check(os.stat(os.path.join(place, name)).st_mode & 0o777 == 0o777 & ~mask, name)


def elsewhere(place):
    os.mkdir(os.path.join(place, "modules"))
    code, out, err = new(place, "ring", "--directory", "modules/")
    check((code, err) == (0, ""), (code, err))
    check("tocsin gate modules/ring\n" in out, out)
    check(os.path.exists(os.path.join(place, "modules/ring/ring.h")), "there")


def never_touches_what_exists(place):
    os.mkdir(os.path.join(place, "folder"))
    with open(os.path.join(place, "file"), "w", encoding="utf-8") as file:
        file.write("mine\n")
    os.symlink("nowhere", os.path.join(place, "link"))
    before = os.listdir(place)
    for name in ["folder", "file", "link"]:
        code, out, err = new(place, name)
        check(code == 2 and out == "" and "is there already" in err, (name, code, err))
    check(sorted(os.listdir(place)) == sorted(before), os.listdir(place))
    check(read(place, "file") == "mine\n", "file")
    check(os.listdir(os.path.join(place, "folder")) == [], "folder")


def names_that_c_cannot_have(place):
    for name in ["", "3d", "a-b", "../x", "a/b", "caf\u00e9", "a b", "_x", "int", "while", "toc_x",
                 "x" * 24, "a\nb", "\x1b[31m"]:
        code, out, err = new(place, "--", name)
        check(code == 2 and out == "", (name, code, err))
        check("\x1b" not in err and err.count("\n") == 1, err)
    check(os.listdir(place) == [], os.listdir(place))
    check(new(place, "x" * 23)[0] == 0, "23 characters are taken")


def requests_that_are_wrong(place):
    for arguments in [[], ["a", "b"], ["a", "--directory", "none"], ["a", "--color"]]:
        code, out, err = new(place, *arguments)
        check(code == 2 and out == "" and err, (arguments, code, err))
    check(os.listdir(place) == [], os.listdir(place))


def help_has_an_example(place):
    code, out, _ = new(place, "--help")
    check(code == 0 and "tocsin new queue" in out and "--directory" in out, out)


def a_place_that_cannot_be_written(place):
    code, out, err = new(place, "ring", "--directory", "/proc")
    check(code == 3 and out == "" and "cannot create" in err, (code, err))


TESTS = [writes_all_that_a_contract_needs, what_it_writes_compiles_clean,
         folders_can_be_entered_by_others, elsewhere, never_touches_what_exists,
         names_that_c_cannot_have, requests_that_are_wrong, help_has_an_example,
         a_place_that_cannot_be_written]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        place = tempfile.mkdtemp(prefix="tocsin-new-")
        try:
            test(place)
            print(f"ok {number} - {test.__name__}")
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + str(error).replace("\n", "\n# "))
        finally:
            shutil.rmtree(place)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
