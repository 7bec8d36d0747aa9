#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./demo builds a part of the tree only: is it all that the gate and the demonstration take along?
TAP. usage: demo_test.py SOURCE_ROOT BUILD_ROOT"""

import pathlib
import re
import subprocess
import sys

ROOT, BUILD = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])


def targets_of(script):
    """What the first ninja in it is asked for."""
    command = re.search(r"^ninja -C build((?:[^|\\]|\\\n)*)", script, re.M)
    return set(command[1].replace("\\\n", " ").split())


def lacking(wanted, targets):
    """A library's name without its version is a link beside it."""
    return sorted(name for name in wanted
                  if not any(target == name or target.startswith(name + ".") for target in targets))


def main():
    targets = targets_of((ROOT / "demo").read_text(encoding="utf-8"))
    parts = re.findall(r'= \{ "([^"]+)",', (ROOT / "src/gate/parts.c").read_text(encoding="utf-8"))
    used = re.findall(r'f"\{BUILD\}/([^"]+)"', (ROOT / "tools/demo.py").read_text(encoding="utf-8"))
    unknown = [name for name in sorted(targets)
               if subprocess.run(["ninja", "-C", BUILD, "-t", "query", name], capture_output=True,
                                 check=False).returncode]
    checks = [("parts of the gate are found in its source", "src/lens/tocsin-lens" in parts, parts),
              ("./demo builds all of them, and all that it uses", not lacking(parts + used, targets),
               lacking(parts + used, targets)),
              ("what is not built is noticed",
               lacking(parts, targets - {"src/lens/tocsin-lens"}) == ["src/lens/tocsin-lens"], parts),
              ("ninja knows all of what it builds", targets and not unknown, unknown)]
    print(f"1..{len(checks)}")
    for number, (name, holds, seen) in enumerate(checks, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}" + ("" if holds else f"\n# {seen}"))
    return 0 if all(holds for _, holds, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
