#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must not compile does not, and the first thing the compiler says helps its author.

Each sources/*.c is one mistake, and must be refused in the same words if it is compiled as C++;
a *.cc is a mistake of C++ alone. Of two files one goes to gcc as C11 and to clang as C2x, the other
the other way round; likewise the standards of C++ for a *.cc, and the compilers of C++ for what is C.
After the licence come directives in comments:

    /* mistake: ... */                  what its author did, for readers
    /* refuse: FRAGMENT | FRAGMENT */   may be repeated: the first error contains all of these
    /* gcc: ... */  /* clang: ... */    the same where the compilers use words of their own
    /* flags: -Werror=conversion */     the author asked for this too
    /* only: gcc */                     the other compiler cannot see this mistake
    /* errors: N */                     up to N errors, where ERRORS_MAX is not enough
    /* later: REASON */                 the fragments may stand in a later error, because
    /* place: REASON */                 the error may stand outside the mistake, because
    /* c: REASON */                     in C++ it is no mistake, or told in other words, because

The mistake stands between #else and #endif of an #ifdef CORRECT: errors must stand there, and not
in the header. With -DCORRECT the file must compile without a warning, so that nothing is refused
for a reason that nobody meant. A directive that no compiler needs is a failure too.

link/*.c are mistakes that only the linker can see: each is compiled twice, with -DFILE_NUMBER=1
and =2, and linked into a program and into a shared object.

usage: refuse_test.py INCLUDE_DIR [--every] [WORD...]
Only the files whose names contain all WORDs. --every: no turns, each file with all compilers and
standards: for whoever changes the header, or gets a new compiler. Output is TAP.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = {'gcc': 'g++', 'clang': 'clang++'}
# However the header was found, errors stand on the author's line.
STANDARDS = {'c11': '-isystem', 'c2x': '-I'}
CXX_STANDARDS = {'c++20': '-isystem', 'c++2b': '-I'}
NEWER = {'c2x', 'c++2b'}
CARET = {'gcc': '-fno-diagnostics-show-caret', 'clang': '-fno-caret-diagnostics'}
AUTHOR = ['-Wall', '-Werror=format']
AUTHOR_OF_C = ['-Werror=incompatible-pointer-types', '-Werror=int-conversion',
               '-Werror=implicit-function-declaration']
STRICT = ['-Wall', '-Wextra', '-Werror']
WAIVERS = {'flags', 'only', 'errors', 'later', 'place', 'c'}
DIRECTIVES = {'mistake', 'refuse', 'gcc', 'clang'} | WAIVERS
ERRORS_MAX = 5
CXX_ERRORS_MAX = 40 # each error of an expression is told for the check and for the record
SAID_LINES_MAX = 6
TIME_MAX_S = 60
ERROR = re.compile(r'^(.+?):(\d+):(?:\d+:)? (?:fatal )?error: (.*)$', re.M)


def run(command):
    """Exit status and everything said, in plain English."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env=dict(os.environ, LC_ALL='C'), timeout=TIME_MAX_S,
                          encoding='utf-8', errors='replace')
    return done.returncode, done.stdout


def brief(said):
    return '\n'.join(said.splitlines()[:SAID_LINES_MAX])


class Mistake:
    """A source file, what it asks for, and what it turned out to need."""

    def __init__(self, path, include, every=False):
        self.path = path
        self.include = include
        self.turn = zlib.crc32(path.name.encode())
        self.every = every
        self.wanted = {}
        self.needed = set()
        lines = path.read_text(encoding='utf-8').splitlines()
        for line in lines[1:]:
            match = re.fullmatch(r'/\* ([a-z]+): (.*) \*/', line)
            if not match:
                break
            self.wanted.setdefault(match[1], []).append(match[2])
        last = len(lines) - lines[::-1].index('#endif')
        first = last - lines[last::-1].index('#else') if '#else' in lines else 1
        self.lines = range(first, last)

    def fragments(self, compiler):
        texts = self.wanted.get(compiler) or self.wanted['refuse']
        return [part.strip() for text in texts for part in text.split(' | ')]

    def compile(self, compiler, standard, *flags):
        if standard in CXX_STANDARDS:
            command = [COMPILERS[compiler], '-x', 'c++', CXX_STANDARDS[standard]]
        else:
            command = [compiler, STANDARDS[standard]]
        # Mistakes are told by syntax and types; what is correct has to survive all of the compiler.
        depth = ['-c', '-o', os.devnull] if '-DCORRECT' in flags else ['-fsyntax-only']
        return run([*command, self.include, '-std=' + standard, CARET[compiler], *flags, *depth,
                    str(self.path)])

    def judge_refusal(self, compiler, said, errors_max):
        """What is wrong with what the compiler said."""
        errors = list(ERROR.finditer(said))
        if not errors:
            return ['it failed without an error line: ' + brief(said)]
        complaints = []
        outside = [error for error in errors
                   if error[1] != str(self.path) or int(error[2]) not in self.lines]
        if outside:
            self.needed.add('place')
            if 'place' not in self.wanted:
                complaints.append('an error is not on the author\'s line: ' + outside[0][0])
        helps = [all(part in error[3] for part in self.fragments(compiler)) for error in errors]
        if not any(helps):
            complaints.append('no error says: ' + ' | '.join(self.fragments(compiler)))
        elif not helps[0]:
            self.needed.add('later')
            if 'later' not in self.wanted:
                complaints.append('the first error does not say it')
        if len(errors) > errors_max:
            self.needed.add('errors')
        if len(errors) > max(errors_max, int(self.wanted.get('errors', [0])[0])):
            complaints.append(f'{len(errors)} errors for one mistake')
        return complaints + (['  ' + error[0] for error in errors[:4]] if complaints else [])

    def judge_with(self, compiler, standard):
        complaints = []
        if standard not in NEWER and self.has_twin(compiler, standard):
            status, said = self.compile(compiler, standard, '-DCORRECT', *STRICT)
            if status or said:
                complaints.append('the correct twin does not compile silently: ' + brief(said))
        flags = self.wanted.get('flags', [''])[0].split()
        author = AUTHOR if standard in CXX_STANDARDS else AUTHOR + AUTHOR_OF_C
        status, said = self.compile(compiler, standard, *author, *flags)
        if status:
            complaints += self.judge_refusal(
                compiler, said, CXX_ERRORS_MAX if standard in CXX_STANDARDS else ERRORS_MAX)
        elif self.wanted.get('only', [compiler])[0] == compiler:
            complaints.append('it compiles')
        else:
            self.needed.add('only')
        if flags and self.compile(compiler, standard, *author)[0] == 0:
            self.needed.add('flags')
        return complaints

    def has_twin(self, compiler, standard):
        """As C++ it is compiled by one of both."""
        return self.every or standard not in CXX_STANDARDS or \
            compiler == list(COMPILERS)[self.turn // 2 % 2]

    def has_all(self):
        """A file that asks for a waiver has to need it."""
        return self.every or bool(WAIVERS & self.wanted.keys())

    def ways(self, compilers):
        """Each compiler and each standard, but not all pairs of them: of two files one has these, one
        those."""
        standards = list(STANDARDS if self.path.suffix == '.c' else CXX_STANDARDS)
        if self.has_all():
            return [(compiler, standard) for compiler in compilers for standard in standards]
        return [(compiler, standards[(self.turn + at) % len(standards)])
                for at, compiler in enumerate(compilers)]

    def judge(self, compilers):
        complaints = [f'there is no directive {name}' for name in self.wanted.keys() - DIRECTIVES]
        if not {'mistake', 'refuse'} <= self.wanted.keys():
            return complaints + ['it lacks its /* mistake: ... */ or its /* refuse: ... */']
        for compiler, standard in self.ways(compilers):
            complaints += [f'{compiler} {standard}: {line}'
                           for line in self.judge_with(compiler, standard)]
        if self.path.suffix == '.c':
            complaints += self.judge_as_cxx(compilers)
        if not complaints and set(compilers) == set(COMPILERS):
            waivers = WAIVERS & self.wanted.keys()
            complaints += [f'its directive {name} is not needed' for name in waivers - self.needed]
        return complaints

    def judge_as_cxx(self, compilers):
        complaints = []
        there = [name for name in compilers if shutil.which(COMPILERS[name])]
        for at, compiler in enumerate(there):
            if self.has_all() or at == self.turn // 2 % len(there):
                complaints += [f'{COMPILERS[compiler]}: {line}'
                               for line in self.judge_with(compiler, 'c++20')]
        # A reason to be C only excuses other words, and no twin that does not compile.
        words = [line for line in complaints if 'correct' not in line]
        if words and 'c' in self.wanted:
            self.needed.add('c')
            complaints = [line for line in complaints if line not in words]
        return complaints

    def link(self, compiler, directory, shape, *flags):
        """Two objects and the stubs; exit status and what was said."""
        common = [compiler, '-std=c11', '-isystem', self.include, *flags]
        objects = [f'{directory}/1.o', f'{directory}/2.o']
        for number, name in enumerate(objects, 1):
            status, said = run([*common, *STRICT, '-fPIC', f'-DFILE_NUMBER={number}', '-c',
                                '-o', name, str(self.path)])
            if status:
                return -1, said
        return run([*common, *shape, '-fPIC', '-o', f'{directory}/linked', *objects,
                    str(HERE / 'stub.c')])

    def judge_link(self, compilers):
        complaints = []
        for compiler in compilers:
            for shape in ([], ['-shared']):
                with tempfile.TemporaryDirectory() as directory:
                    status, said = self.link(compiler, directory, shape, '-DCORRECT')
                    if status or said:
                        complaints.append(f'{compiler}: the correct twin does not link: {said}')
                    status, said = self.link(compiler, directory, shape)
                if status <= 0:
                    complaints.append(f'{compiler}: it links, or does not even compile: {said}')
                elif not all(part in said for part in self.fragments(compiler)):
                    complaints.append(f'{compiler}: the linker says only: {brief(said)}')
        return complaints


# Files that the judge must complain about, and what it must say: a judge who accepts all is none.
GOOD = '/* mistake: none */\n/* refuse: says so */\n#ifndef CORRECT\n#error says so\n#endif\n'
BAD = {
    'compiles': (GOOD.replace('#error', '//'), 'it compiles'),
    'silent': (GOOD.replace('#error says so', '#error says nothing'), 'no error says'),
    'second': (GOOD.replace('#error', '#error first\n#error'), 'the first error does not say it'),
    'elsewhere': (GOOD + '#else\n#endif\n', 'an error is not on the author\'s line'),
    'crowd': (GOOD.replace('#error', '#error says so\n' * ERRORS_MAX + '#error'), '6 errors'),
    'twin': (GOOD + 'int twin = "wrong";\n', 'the correct twin does not compile'),
    'loud': (GOOD + 'static int unused;\n', 'the correct twin does not compile silently'),
    'mute': (GOOD.replace('refuse', 'refuses'), 'there is no directive refuses'),
    'needless': ('/* later: I said so */\n' + GOOD, 'its directive later is not needed'),
}


def judge_the_judge(include, compilers):
    """Complaints about the judge."""
    complaints = []
    with tempfile.TemporaryDirectory() as directory:
        for name, (text, expected) in {'good': (GOOD, ''), **BAD}.items():
            path = pathlib.Path(directory, name + '.c')
            path.write_text('/* SPDX */\n' + text, encoding='utf-8')
            said = '\n'.join(Mistake(path, include).judge(compilers))
            if expected not in said or bool(said) != bool(expected):
                complaints.append(f'of the file {name} it says {said!r}, not {expected!r}')
    return complaints


def judge(path, include, compilers, every):
    mistake = Mistake(path, include, every)
    if path.parent.name == 'link':
        return mistake.judge_link(compilers)
    return mistake.judge([name for name in compilers
                          if path.suffix == '.c' or shutil.which(COMPILERS[name])])


def report(number, name, complaints):
    """A line of TAP; whether it is a failure."""
    print(f'{"not ok" if complaints else "ok"} {number} - {name}')
    for line in '\n'.join(complaints).splitlines():
        print('# ' + line)
    return bool(complaints)


def main():
    include, every = sys.argv[1], '--every' in sys.argv
    words = [word for word in sys.argv[2:] if word != '--every']
    strange = [word for word in words if word.startswith('-')]
    if strange:
        print(f'refuse_test.py: there is no option {strange[0]}, only --every', file=sys.stderr)
        return 2
    compilers = [name for name in COMPILERS if shutil.which(name)]
    sources = sorted(path for path in [*HERE.glob('sources/*.c*'), *HERE.glob('link/*.c')]
                     if all(word in path.stem for word in words))
    if not sources:
        print(f'refuse_test.py: no file has all of {" ".join(words)} in its name', file=sys.stderr)
        return 2
    if not compilers:
        print('1..0 # SKIP neither gcc nor clang is installed')
        return 0
    complaints = judge_the_judge(include, compilers)
    print(f'TAP version 13\n1..{1 + len(sources)}')
    failed = report(1, 'the judge complains when it must', complaints)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda path: judge(path, include, compilers, every), sources)
        for number, (path, complaints) in enumerate(zip(sources, verdicts), 2):
            failed += report(number, path.relative_to(HERE), complaints)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
