#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must compile does, without a warning, wherever the header promises to work.

Each accept/*.c is compiled by each compiler, for each standard, in the first and the last of WAYS,
with the header found as an author's own (-I), and as a system header (-isystem), of which compilers
say less: as C, and the same file as C++. The other WAYS go in turns to the oldest and the newest
standard.

A header found by -I is judged as strictly as its user's code: should it call itself a system
header, then a copy without that line is judged, since the compilers would be silent otherwise.

usage: accept_test.py INCLUDE_DIR
Output is TAP: a line for each file, compiler and standard.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
C_STANDARDS = ('c11', 'gnu11', 'c17', 'c2x')
CXX_STANDARDS = ('c++20', 'c++2b', 'gnu++20')
EDGES = ('c11', 'c2x', 'c++20', 'c++2b') # the header asks for no others
COMPILERS = {'gcc': C_STANDARDS, 'clang': C_STANDARDS, 'g++': CXX_STANDARDS,
             'clang++': CXX_STANDARDS}
WAYS = [
    ['-O0'], ['-O3'], ['-O2', '-flto'], ['-O1', '-fsanitize=address,undefined'],
    ['-O0', '-DTOC_COUNT_PASSES'], ['-O2', '-DTOC_COUNT_PASSES'],
    ['-O0', '-DTOCSIN_OFF'], ['-O2', '-DTOCSIN_OFF'],
]
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Wwrite-strings', '-Wundef',
          '-Wformat=2', '-Werror']
OF_C = ['-Wmissing-prototypes', '-Wstrict-prototypes']
OF_CXX = ['-x', 'c++', '-Wnon-virtual-dtor', '-Woverloaded-virtual']
SAID_LINES_MAX = 6
TIME_MAX_S = 120


def attempt(command):
    """What the compiler said, if it said anything."""
    done = subprocess.run([*command, '-c', '-o', os.devnull], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=TIME_MAX_S,
                          encoding='utf-8', errors='replace', env=dict(os.environ, LC_ALL='C'))
    if done.returncode == 0 and not done.stdout:
        return []
    return [' '.join(command)] + done.stdout.splitlines()[:SAID_LINES_MAX]


def commands(path, compiler, standard, system, own):
    strict = STRICT + (OF_CXX if '++' in compiler else OF_C)
    ends = WAYS[0], WAYS[-1]
    turn = EDGES.index(standard) % 2 if standard in EDGES else 0
    between = WAYS[1 + turn:-1:2] if standard in EDGES else []
    for way in [ends[0], *between, ends[1]]:
        yield [compiler, '-std=' + standard, *way, *strict, '-I', own, str(path)]
    for way in ends:
        yield [compiler, '-std=' + standard, *way, *strict, '-isystem', system, str(path)]


def notices(compiler, header, system):
    """Whether a warning in the header, and in the header alone, is noticed."""
    with tempfile.TemporaryDirectory() as loud:
        pathlib.Path(loud, 'tocsin.h').write_text(header + 'int loud(void) { return 0; }\n',
                                                  encoding='utf-8')
        return attempt([compiler, '-std=' + COMPILERS[compiler][0], *STRICT, '-Wmissing-declarations',
                        '-Wmissing-prototypes', '-I', loud, '-isystem', system,
                        *(OF_CXX if '++' in compiler else OF_C), str(HERE / 'accept/part.c')])


def main():
    system = sys.argv[1]
    compilers = [name for name in COMPILERS if shutil.which(name)]
    cases = [(path, compiler, standard) for path in sorted(HERE.glob('accept/*.c'))
             for compiler in compilers for standard in COMPILERS[compiler]]
    if not compilers:
        print('1..0 # SKIP neither gcc nor clang is installed')
        return 0
    print(f'TAP version 13\n1..{1 + len(cases)}')
    with tempfile.TemporaryDirectory() as own, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path in pathlib.Path(system).glob('*.h'):
            header = path.read_text(encoding='utf-8')
            header = header.replace('#pragma GCC system_header\n', '\n')
            pathlib.Path(own, path.name).write_text(header, encoding='utf-8')
        header = pathlib.Path(own, 'tocsin.h').read_text(encoding='utf-8')
        failed = not all(notices(compiler, header, system) for compiler in compilers)
        print(f'{"not ok" if failed else "ok"} 1 - a warning in the header is noticed')
        for number, (path, compiler, standard) in enumerate(cases, 2):
            said = sum(pool.map(attempt, commands(path, compiler, standard, system, own)), [])
            print(f'{"not ok" if said else "ok"} {number} - {path.name} {compiler} {standard}')
            for line in said[:SAID_LINES_MAX]:
                print('# ' + line)
            failed += bool(said)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
