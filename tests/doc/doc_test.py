#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the pages say in C compiles: each block that begins with ```c, of README.md, doc, examples and
modules, and each between .EX and .EE of a manual page in section 3.

A block with an #include is whole and is compiled as it is. Any other is a fragment: it is put
behind NAME.h of this folder, where doc/NAME.md has one, and must compile as one of

    declarations   as it is, at file scope
    body           of a function
    head           of a function, which gets an empty body
    comment        lines that begin with *

A block in which something is left out, a line that is only ... or an argument ..., is passed over
and named. Compilers are gcc and clang, with -std=c11 -Wall -Wextra -Werror.

doc/instrumenting.md is put into prompts, so it must suffice alone: it has at most CHARACTERS_MAX
characters and no link, every block of it is whole, tocsin can judge its probes, and what it says
that compilers say, they say.

A probe that tocsin itself adds rings in front of somebody who never declared it: the page of its
place names it.

usage: doc_test.py SOURCE_ROOT TOCSIN. Output is TAP.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT, TOCSIN = pathlib.Path(sys.argv[1]).resolve(), os.path.abspath(sys.argv[2])
COMPILERS = [name for name in ('gcc', 'clang') if shutil.which(name)]
STRICT = ['-std=c11', '-Wall', '-Wextra', '-Werror']
CHARACTERS_MAX = 6000
SAID_LINES_MAX = 8
TIME_MAX_S = 60

# Where tocsin's own probes are declared, how their names look there, and the page that explains them.
OWN_PROBES = (
    ('src/watch/vitals.c', r'FILL\(record\.name, "(?!error_lines|warning_lines)(\w+)"', 'doc/man/tocsin-run.1'),
    ('src/watch/insight.def', r'^X\((\w+),', 'doc/inside.md'),
    ('src/watch/fence_watch.c', r'^ +\[\w+\] = \{ "(\w+)"', 'doc/fence.md'),
)

ROFF = {r'\(dq': '"', r'\(aq': "'", r'\-': '-', r'\e': '\\'}

FORMS = {
    'declarations': '{}',
    'body': 'void body(void);\nvoid body(void)\n{{\n{}\n}}',
    'head': '{}\n{{\n}}',
    'comment': '/*\n{}\n*/\nextern int something;',
}

# Of doc/instrumenting.md: a mistake, and the message in its table.
MODULE = '#include <tocsin.h>\nTOC_MODULE(jobs, "Bounded queue of jobs");\n'
QUIET = 'TOC_COUNTER(x, "Jobs refused", TOC_QUIET("a chart only"));\n'
MISTAKES = {
    'has no alert rule': MODULE + 'TOC_COUNTER(x, "Jobs refused");\n',
    'has no signal value':
        MODULE + 'TOC_COUNTER(x, "Jobs refused", TOC_ALERT(value, >, 1, TOC_WARN, "too many"));\n',
    'this_file_has_no_TOC_MODULE': '#include <tocsin.h>\n' + QUIET,
    'toc_counter_x': MODULE + 'void f(void);\nvoid f(void) { toc_count(x); }\n' + QUIET,
    'must have 8 to 71 characters': MODULE + QUIET.replace('a chart only', 'chart'),
    'the limit must be a constant':
        MODULE + 'extern int most;\n'
        'TOC_COUNTER(x, "Jobs refused", TOC_ALERT(total, >, most, TOC_WARN, "too many"));\n',
}


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env=dict(os.environ, LC_ALL='C'), timeout=TIME_MAX_S,
                          encoding='utf-8', errors='replace')
    return done.returncode, done.stdout


def compile_source(compiler, source, place):
    """What the compiler says; '' and an object at place/page.o if all is well."""
    path = pathlib.Path(place, 'page.c')
    path.write_text('#line 1 "block"\n' + source + '\n', encoding='utf-8')
    status, said = run([compiler, *STRICT, '-I', str(ROOT / 'include'), '-I', str(HERE), '-c',
                        '-o', str(pathlib.Path(place, 'page.o')), str(path)])
    return said or ('it failed' if status else '')


class Block:
    def __init__(self, page, line, text):
        self.page, self.line, self.text = page, line, text
        self.name = f'{page}:{line}'
        self.is_whole = '#include' in text
        self.has_gaps = re.search(r'^\s*\.\.\.\s*$|[(,]\s*\.\.\.\s*\)', text, re.M) is not None

    def forms(self):
        if self.is_whole:
            return {'whole': self.text}
        prelude = pathlib.Path(HERE, pathlib.Path(self.page).stem.replace('.', '_') + '.h')
        start = f'#include "{prelude.name}"\n' if prelude.exists() else ''
        return {name: start + form.format(self.text) for name, form in FORMS.items()}

    def judge(self):
        """Complaints: what the compilers say of the form that comes nearest."""
        first = None
        for name, source in self.forms().items():
            if name == 'comment' and not all(line.lstrip().startswith('*')
                                             for line in self.text.splitlines()):
                continue
            with tempfile.TemporaryDirectory() as place:
                said = [f'{compiler}, as {name}: {said}' for compiler in COMPILERS
                        if (said := compile_source(compiler, source, place))]
            if not said:
                return []
            first = first or said
        return first


def blocks_of(page, text):
    found, block, begun = [], None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if block is None and line == '```c':
            block, begun = [], number
        elif block is not None and line == '```':
            found.append(Block(page, begun, '\n'.join(block)))
            block = None
        elif block is not None:
            block.append(line)
    return found


def blocks_of_manual(page, text):
    """The examples of a manual page, in the words of the compiler."""
    found, block, begun = [], None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if line == '.EX':
            block, begun = [], number
        elif block is not None and line == '.EE':
            found.append(Block(page, begun, '\n'.join(block)))
            block = None
        elif block is not None:
            for escape, sign in ROFF.items():
                line = line.replace(escape, sign)
            block.append(line)
    return found


def judge_page_for_models(text):
    """What doc/instrumenting.md must be besides."""
    complaints = []
    blocks = blocks_of('doc/instrumenting.md', text)
    if len(text) > CHARACTERS_MAX:
        complaints.append(f'{len(text)} characters, more than {CHARACTERS_MAX}: a prompt pays for each')
    if re.search(r'\]\(', text):
        complaints.append('a link, which a model cannot follow')
    if not blocks:
        complaints.append('no example')
    for block in blocks:
        if not block.is_whole or block.has_gaps:
            complaints.append(f'{block.name}: not whole')
            continue
        with tempfile.TemporaryDirectory() as place:
            if (said := compile_source(COMPILERS[0], block.text, place)):
                complaints.append(said)
                continue
            status, said = run([TOCSIN, 'rules', str(pathlib.Path(place, 'page.o'))])
            if status:
                complaints.append(f'tocsin rules: {said}')
    return complaints


def judge_messages(text):
    table = re.findall(r'^\| `([^`]+)`[^|]*\| [^|]+\|$', text.partition('## What compilers say')[2], re.M)
    complaints = [f'nobody tries: {said}' for said in table if said not in MISTAKES]
    complaints += [f'not in the page: {said}' for said in MISTAKES if said not in table]
    for message, source in MISTAKES.items():
        for compiler in COMPILERS:
            with tempfile.TemporaryDirectory() as place:
                said = compile_source(compiler, source, place)
            if message not in said:
                complaints.append(f'{compiler} does not say {message!r} but: {said}')
    return complaints


GOOD = '```c\n' + MODULE + QUIET + 'void f(void);\nvoid f(void)\n{\n        toc_count(x);\n}\n```\n'
# Pages that must be complained about, and what must be said.
BAD = {
    'does not compile': (GOOD.replace('toc_count(x)', 'toc_count(y)'), 'toc_counter_y'),
    'warns': (GOOD.replace('toc_count(x)', 'int z; toc_count(x)'), 'unused variable'),
    'has no rule': (GOOD.replace(', TOC_QUIET("a chart only")', ''), 'has no alert rule'),
    'is too long': (GOOD + ' ' * (CHARACTERS_MAX + 1 - len(GOOD)), 'more than 6000'),
    'links': (GOOD + '[more](rules.md)', 'a link'),
    'is empty': ('', 'no example'),
    'is a fragment': ('```c\nint x;\n```\n', 'not whole'),
    'leaves out': (GOOD.replace('void f(void);', '...'), 'not whole'),
    'has no probes': ('```c\n#include <tocsin.h>\nint x;\n```\n', 'tocsin rules'),
}
FRAGMENTS = {'int x;': True, 'int x = 1; (void)x;': True, 'int f(void)': False,
             'void f(void)': True, ' * text': True, 'text': False, 'int x = y;': False}

MANUAL = '.EX\nchar c = \\(aq\\-\\(aq, *t = \\(dq\\en\\(dq;\n.EE\n.nf\nnot this\n.fi\n'


def names_unsaid(source, pattern, page):
    """Names in a source that a page does not say; None: there are none in the source."""
    names = re.findall(pattern, source, re.MULTILINE)
    words = set(re.findall(r'\w+', page))
    return [name for name in names if name not in words] if names else None


def judge_own_probes():
    complaints = []
    for source, pattern, page in OWN_PROBES:
        unsaid = names_unsaid((ROOT / source).read_text(encoding='utf-8'), pattern,
                              (ROOT / page).read_text(encoding='utf-8'))
        if unsaid is None:
            complaints.append(f'no probe found in {source}: its pattern here is of old')
        else:
            complaints += [f'{page} does not say what {name} is ({source})' for name in unsaid]
    return complaints


def judge_the_judge():
    complaints = [f'it complains about a good page: {said}' for said in judge_page_for_models(GOOD)]
    edge = GOOD + ' ' * (CHARACTERS_MAX - len(GOOD))
    complaints += [f'at the limit: {said}' for said in judge_page_for_models(edge)]
    for name, (text, expected) in BAD.items():
        said = '\n'.join(judge_page_for_models(text))
        if expected not in said:
            complaints.append(f'of a page that {name} it says {said!r}, not {expected!r}')
    for text, is_good in FRAGMENTS.items():
        if bool(Block('page.md', 1, text).judge()) == is_good:
            complaints.append(f'{text!r} is {"refused" if is_good else "taken"}')
    found = [block.text for block in blocks_of_manual('x.3', MANUAL)]
    if found != ['char c = \'-\', *t = "\\n";']:
        complaints.append(f'of a manual page it finds {found}')
    if names_unsaid('X(a,\nX(b,', r'^X\((\w+),', 'a') != ['b'] or names_unsaid('', 'X', 'a') is not None:
        complaints.append('a probe without a word on a page is passed over')
    return complaints


def report(number, name, complaints):
    print(f'{"not ok" if complaints else "ok"} {number} - {name}', flush=True)
    for complaint in complaints:
        for line in complaint.splitlines()[:SAID_LINES_MAX]:
            print('# ' + line)
    return bool(complaints)


def main():
    if not COMPILERS:
        print('1..0 # SKIP neither gcc nor clang is installed')
        return 0
    pages = [*ROOT.glob('*.md'), *ROOT.glob('doc/*.md'), *ROOT.glob('doc/decisions/*.md'),
             *ROOT.glob('examples/*/*.md'), *ROOT.glob('modules/*/*.md')]
    manuals = {str(path.relative_to(ROOT)): path.read_text(encoding='utf-8')
               for path in ROOT.glob('doc/man/*.3')}
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding='utf-8') for path in sorted(pages)}
    blocks = [block for page, text in texts.items() for block in blocks_of(page, text)]
    blocks += [block for page, text in manuals.items() for block in blocks_of_manual(page, text)]
    for_models = texts['doc/instrumenting.md']
    print(f'TAP version 13\n1..{4 + len(blocks)}')
    failed = report(1, 'the judge complains when it must', judge_the_judge())
    failed += report(2, 'doc/instrumenting.md suffices alone', judge_page_for_models(for_models))
    failed += report(3, 'compilers say what it says they say', judge_messages(for_models))
    failed += report(4, 'probes of tocsin itself are on a page', judge_own_probes())
    for number, block in enumerate(blocks, 5):
        if block.has_gaps:
            print(f'ok {number} - {block.name} # SKIP leaves something out')
        else:
            failed += report(number, block.name, block.judge())
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
