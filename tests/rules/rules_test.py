#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin rules` lists the probes that were written down, however a program was built.

The sources beside this file are built in every way that people build: each time the list must be
what expected_of() says, which was written by hand. Then come files that are none of that, and how
the list looks. Nothing that is built here is run, so the names of libtocsin come from a stub.

usage: rules_test.py TOCSIN INCLUDE_DIR [WORD...]     only the tests whose names contain all WORDs
Output is TAP.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

HERE = pathlib.Path(__file__).resolve().parent
TIME_MAX_S = 300  # promtool, on a busy machine
STUB = ''.join(f'void {name}(void) {{}}\n' for name in (
    'toc_register_', 'toc_unregister_', 'toc_attach_thread_', 'toc_attach_shared_', 'toc_miss_',
    'toc_report_'))
SOURCES = ('lru.c', 'lru_part.c', 'net.c', 'main.c')


# ---- What is in the sources ---------------------------------------------------

def rule(text, window_s, severity, meaning, clear_at=None, hold_s=0, keep_s=0):
    signal, op, limit = text.split()
    return {'signal': signal, 'op': op, 'limit': int(limit), 'clear_at': clear_at,
            'hold_s': hold_s, 'keep_s': keep_s, 'window_s': window_s, 'volume_min': 0,
            'capacity': 0, 'objective_permille': 0, 'severity': severity, 'meaning': meaning}


def line_of(compiler, file, words):
    """Where what begins with the words stands: gcc takes its first line, clang its last."""
    lines = (HERE / file).read_text(encoding='utf-8').splitlines()
    first = [number for number, line in enumerate(lines, 1) if words in line][0]
    if compiler == 'gcc':
        return first
    depth = 0
    rest = '\n'.join(lines[first - 1:])
    for at, letter in enumerate(rest[rest.index(words):], rest.index(words)):
        depth += {'(': 1, ')': -1}.get(letter, 0)
        if letter == ')' and not depth:
            return first + rest[:at].count('\n')
    raise ValueError(words)


def expected_of(compiler):
    """The modules of the program, and of each object."""
    def probe(kind, name, file, words, help_text, rules=(), **more):
        line = line_of(compiler, file, words) if words else 0
        return {'name': name, 'kind': kind, 'help': help_text, 'file': file, 'line': line,
                'quiet': None, 'usual': False, 'default': False, 'stop': None, 'labels': {},
                'rules': list(rules), 'runbook': None, **more}

    budget = 'Budget of the module'
    logs = ' of all sites that say TOC_USUAL'
    lru_c = [
        probe('module', 'live_bytes', 'lru.c', 'TOC_MODULE(', budget, [
            rule('live_bytes > 67108864', 0, 'warn', 'cache outgrew its share of memory',
                 hold_s=10)]),
        probe('module', 'threads', 'lru.c', 'TOC_MODULE(', budget, [
            rule('threads > 1', 0, 'note', 'a cache needs no threads')]),
        probe('logs', 'log_errors', 'lru.c', 'TOC_MODULE(', 'Errors' + logs, [
            rule('per_minute > 10', 60, 'warn', 'the cache reports errors')]),
        probe('counter', 'evictions', 'lru.c', 'TOC_COUNTER(evictions',
              'Entries pushed out to make room', [
                  rule('per_minute > 1000', 60, 'warn', 'working set outgrew the cache',
                       hold_s=300),
                  rule('per_second >= 500', 120, 'page', 'the cache does not help at all',
                       clear_at=100, keep_s=60)],
              runbook='https://wiki.example.com/lru'),
        probe('counter', 'hits', 'lru.c', 'TOC_COUNTER(hits', 'Lookups answered from memory',
              quiet='only feeds the hit-ratio chart'),
        probe('gauge', 'used', 'lru.c', 'TOC_GAUGE(used', 'Slots in use', [
            rule('value >= 3600', 0, 'note', 'cache is nearly full', clear_at=3200)]),
        probe('gauge', 'credit', 'lru.c', 'TOC_GAUGE(credit', 'What is left to spend', [
            rule('value < -5', 0, 'warn', 'we owe them')]),
        probe('level', 'open_files', 'lru.c', 'TOC_LEVEL(', 'Files that are open now', [
            rule('value != 0', 0, 'note', 'somebody has a file open')]),
        probe('heartbeat', 'flusher', 'lru.c', 'TOC_HEARTBEAT(', 'Background writer loop', [
            rule('silent_ms > 5000', 0, 'page', 'flusher is stuck: data stays in memory')]),
        probe('expectation', 'expect_keys_are_positive', 'lru.c', 'TOC_EXPECT(', 'key > 0', [
            rule('total > 0', 60, 'page', 'keys are positive')]),
        probe('error', 'error_cannot_find_key', 'lru.c', 'TOC_ERROR(-1',
              'cannot find key %d', usual=True),
        probe('expectation', 'expect_keys_are_small', 'lru.c', 'TOC_EXPECT_CMP(', 'key < 4096', [
            rule('total > 0', 60, 'warn', 'keys are small')]),
        probe('error', 'error_made_up', 'lru.c', 'TOC_ERROR(-2', 'made up: %d\n', [
            rule('total > 3', 0, 'page', 'keys are made up')]),
        probe('warning', 'warning_seven_again', 'lru.c', 'TOC_WARNING(',
              'seven again', quiet='seven is usual'),
    ]
    lru_part_c = [
        probe('counter', 'misses', 'lru_part.c', 'TOC_COUNTER(', 'Lookups that found nothing', [
            rule('per_hour > 100000', 3600, 'note', 'nobody asks for what is there')]),
        probe('warning', 'warning_eight_is_odd', 'lru_part.c', 'TOC_WARNING(',
              'eight is odd', usual=True),
    ]
    # Only TOC_LOGS of errors can be declared, so warnings have the default.
    lru_default = [
        probe('logs', 'log_warnings', '', None, 'Warnings' + logs, [
            rule('per_minute > 10', 60, 'note', 'the module reports many warnings')], default=True),
    ]
    net_c = [
        probe('logs', 'log_errors', '', None, 'Errors' + logs, [
            rule('per_minute > 0', 60, 'warn', 'the module reports errors')], default=True),
        probe('logs', 'log_warnings', '', None, 'Warnings' + logs, [
            rule('per_minute > 10', 60, 'note', 'the module reports many warnings')], default=True),
        probe('counter', 'sent', 'net.c', 'TOC_COUNTER(', 'Messages that left', [
            rule('total == 0', 0, 'note', 'nothing ever left')]),
        probe('error', 'error_nothing_to_send', 'net.c', 'TOC_ERROR(',
              'nothing to send', usual=True),
        probe('warning', 'warning_too_much_to_send', 'net.c', 'TOC_WARNING(',
              'too much to send: %d', usual=True),
        probe('expectation', 'expect_five_is_not_possible', 'net.c', 'TOC_UNREACHABLE(',
              'not reached', [
            rule('total > 0', 60, 'page', 'five is not possible')]),
    ]
    lru_help = 'Fixed-capacity least-recently-used cache'
    net_help = 'Sends what the cache gives away'
    modules = [
        {'name': 'lru', 'help': lru_help,
         'probes': lru_c[:3] + lru_default + lru_c[3:] + lru_part_c},
        {'name': 'net', 'help': net_help, 'probes': net_c},
    ]
    objects = {
        'lru.o': [{'name': 'lru', 'help': lru_help, 'probes': lru_c}],
        # Whether the module says TOC_LOGS, only its other file knows.
        'lru_part.o': [{'name': 'lru', 'help': None, 'probes': lru_part_c}],
        'net.o': [{'name': 'net', 'help': net_help, 'probes': net_c}],
    }
    return modules, objects


EXPECTED = {compiler: expected_of(compiler)[0] for compiler in ('gcc', 'clang')}
EXPECTED_OF_OBJECT = {compiler: expected_of(compiler)[1] for compiler in ('gcc', 'clang')}


# ---- Tools --------------------------------------------------------------------

class Skip(Exception):
    """The test cannot be made here, because."""


class Bench:
    """A directory to build in, and the program that is tested."""

    def __init__(self, tocsin, include, directory):
        self.tocsin = os.path.abspath(tocsin)
        self.include = os.path.abspath(include)
        self.directory = pathlib.Path(directory)
        self.write('stub.c', STUB)

    def path(self, name):
        return self.directory / name

    def write(self, name, text):
        self.path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def run(self, *command, **more):
        """Exit status, standard output, standard error; both as bytes."""
        done = subprocess.run(command, cwd=self.directory, timeout=TIME_MAX_S, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              env={**os.environ, 'LC_ALL': 'C.UTF-8', **more})
        return done.returncode, done.stdout, done.stderr

    def need(self, *command):
        """Runs a tool; a linker that is not installed is a reason to skip."""
        if not shutil.which(command[0]):
            raise Skip(command[0] + ' is not installed')
        status, _, said = self.run(*map(str, command))
        if status:
            said = said.decode(errors='replace')
            if re.search(r'invalid linker name|cannot find ld|LLVMgold|cannot find.*\.a\b', said):
                raise Skip(f'{command[0]} cannot link like that here')
            raise AssertionError(f'{" ".join(map(str, command))}: {said}')

    def compile(self, compiler, source, output, *flags):
        self.need(compiler, '-std=gnu11', '-isystem', self.include, *flags, '-c', '-o', output,
                  source)

    def build(self, compiler, flags, link_flags=(), sources=SOURCES):
        """The objects of the sources and of the stub."""
        if compiler == 'clang' and '-flto' in flags and not shutil.which('ld.lld'):
            raise Skip('ld.lld is not installed')
        objects = []
        for source in sources:
            objects.append(source.replace('.c', '.o'))
            self.compile(compiler, HERE / source, objects[-1], *flags)
        self.compile(compiler, 'stub.c', 'stub.o', '-fPIC')
        self.need(compiler, *flags, *link_flags, '-o', 'program', *objects, 'stub.o')

    def rules(self, *arguments, **more):
        return self.run(self.tocsin, 'rules', *map(str, arguments), **more)

    def modules(self, name):
        """What the JSON says of one file that is in order."""
        status, out, said = self.rules('--json', name)
        same((status, said), (0, b''), name)
        whole = json.loads(out)
        same(whole['tocsin'], '1', 'version')
        same(whole['files'][0]['problem'], None, 'problem')
        same(whole['files'][0]['refused'], [], 'refused')
        return whole['files'][0]['modules']

    def says(self, status, pattern, *arguments):
        """One line on standard error, and nothing on standard output."""
        got, out, said = self.rules(*arguments)
        same((got, out), (status, b''), (arguments, said))
        if not re.fullmatch(b'tocsin: (error: )?' + pattern.encode() + b'\n', said):
            raise AssertionError(f'{arguments}: {said!r} is not {pattern!r}')


def same(got, expected, what=''):
    if got != expected:
        raise AssertionError(f'{what}: {got!r} is not {expected!r}')


def same_modules(got, expected):
    """Names the first difference."""
    same([module['name'] for module in got], [module['name'] for module in expected], 'modules')
    for mine, theirs in zip(got, expected):
        same(mine['help'], theirs['help'], 'help of ' + mine['name'])
        for left, right in zip(mine['probes'], theirs['probes']):
            same(left, right, 'probe')
        same(len(mine['probes']), len(theirs['probes']), 'number of probes')


# ---- Ways to build ------------------------------------------------------------

VARIANTS = {
    'not optimised': (['-O0'], []),
    'optimised': (['-O2', '-g'], []),
    'optimised hard': (['-O3', '-funroll-loops'], []),
    'for size': (['-Os'], []),
    'position independent': (['-O2', '-fPIE'], ['-pie']),
    'not position independent': (['-O2', '-fno-pie'], ['-no-pie']),
    'static': (['-O2'], ['-static']),
    'static, position independent': (['-O2', '-fPIE'], ['-static-pie']),
    'shared library': (['-O2', '-fPIC'], ['-shared']),
    'hidden shared library': (['-O2', '-fPIC', '-fvisibility=hidden'], ['-shared']),
    'link-time optimised': (['-O2', '-flto'], []),
    'garbage collected': (['-O2', '-ffunction-sections', '-fdata-sections'],
                          ['-Wl,--gc-sections']),
    'garbage collected by lld': (['-O2', '-ffunction-sections', '-fdata-sections'],
                                 ['-Wl,--gc-sections', '-fuse-ld=lld']),
    'linked by gold': (['-O2'], ['-fuse-ld=gold']),
    'address sanitizer': (['-O1', '-fsanitize=address,undefined'], []),
    'coverage': (['-O0', '--coverage'], []),
    'compressed debug information': (['-O0', '-g3', '-gz'], ['-Wl,--build-id']),
    'passes counted': (['-O2', '-DTOC_COUNT_PASSES'], []),
    'common page size': (['-O2'], ['-Wl,-z,max-page-size=65536', '-Wl,-z,separate-code']),
}


def variant_test(compiler, flags, link_flags):
    def test(bench):
        if compiler == 'clang' and '-flto' in flags:
            link_flags_here = [*link_flags, '-fuse-ld=lld']
        else:
            link_flags_here = link_flags
        bench.build(compiler, flags, link_flags_here)
        same_modules(bench.modules('program'), EXPECTED[compiler])
    return test


def objects_test(compiler, flags):
    def test(bench):
        bench.build(compiler, flags)
        for name, expected in EXPECTED_OF_OBJECT[compiler].items():
            same_modules(bench.modules(name), expected)
        bench.says(1, r'main\.o: no probes \(it was not compiled with tocsin\.h\)', 'main.o')
    return test


def archive_test(compiler):
    def test(bench):
        bench.build(compiler, ['-O2'])
        bench.write('a note.txt', 'odd')
        bench.write('a_member_whose_name_does_not_fit.c', 'int unused_here;\n')
        bench.compile(compiler, 'a_member_whose_name_does_not_fit.c',
                      'a_member_whose_name_does_not_fit.o')
        bench.need('ar', 'rcs', 'all.a', 'lru.o', 'a note.txt',
                   'a_member_whose_name_does_not_fit.o', 'lru_part.o', 'net.o', 'main.o')
        same_modules(bench.modules('all.a'), EXPECTED[compiler])
        bench.need('ar', 'rcsT', 'thin.a', 'lru.o')
        bench.says(3, r'error: thin\.a: is a thin archive; give the objects it points to', 'thin.a')
    return test


def this_test_can_fail(bench):
    """A list that lacks a probe, a rule, or says another number, is not what was expected."""
    bench.build('gcc', ['-O2'])
    modules = bench.modules('net.o')
    same_modules(modules, EXPECTED_OF_OBJECT['gcc']['net.o'])
    for spoil in (lambda probes: probes.pop(), lambda probes: probes[2]['rules'].clear(),
                  lambda probes: probes[2].update(line=1), lambda probes: probes.reverse()):
        spoilt = json.loads(json.dumps(modules))
        spoil(spoilt[0]['probes'])
        try:
            same_modules(spoilt, EXPECTED_OF_OBJECT['gcc']['net.o'])
        except AssertionError:
            continue
        raise AssertionError('a wrong list passes')


def partly_linked(bench):
    bench.build('gcc', ['-O2', '-ffunction-sections'])
    bench.need('ld', '-r', '-o', 'all.o', 'lru.o', 'lru_part.o', 'net.o')
    same_modules(bench.modules('all.o'), EXPECTED['gcc'])


def stripped(bench):
    bench.build('clang', ['-O2', '-g', '-fPIC'], ['-shared'])
    bench.need('strip', '-s', '-o', 'bare', 'program')
    same_modules(bench.modules('bare'), EXPECTED['clang'])
    bench.need('strip', '--strip-unneeded', '-o', 'bare.o', 'lru.o')
    same_modules(bench.modules('bare.o'), EXPECTED_OF_OBJECT['clang']['lru.o'])
    bench.need('objcopy', '--only-keep-debug', 'program', 'program.debug')
    bench.says(3, r'program\.debug: holds debug information only; give the program itself',
               'program.debug')
    bench.need('objcopy', '--compress-debug-sections', 'program', 'program.z')
    same_modules(bench.modules('program.z'), EXPECTED['clang'])


def without_section_headers(bench):
    bench.build('gcc', ['-O2'])
    image = bytearray(bench.path('program').read_bytes())
    image[0x28:0x30] = bytes(8)
    image[0x3c:0x40] = bytes(4)
    bench.write('program', bytes(image))
    bench.says(3, r'program: has no section headers, so that nobody can say .*', 'program')


def switched_off(bench):
    for compiler in ('gcc', 'clang'):
        bench.build(compiler, ['-O2', '-DTOCSIN_OFF'])
        bench.says(1, r'program: no probes \(it was not compiled with tocsin\.h\)', 'program')


def waiting_for_the_linker(bench):
    """Neither gcc's nor clang's objects hold code before they are linked."""
    line = 'holds objects for link-time optimisation, whose probes appear when it is linked; .*'
    for compiler in ('gcc', 'clang'):
        bench.build(compiler, ['-O2', '-flto'], ['-fuse-ld=lld'] if compiler == 'clang' else [])
        bench.says(3, r'lru\.o: ' + line, 'lru.o')
        bench.need('ar', 'rcS', compiler + '.a', 'lru.o', 'net.o')
        bench.says(3, compiler + r'\.a: ' + line, compiler + '.a')
    bench.build('gcc', ['-O2', '-flto', '-ffat-lto-objects'])
    same_modules(bench.modules('lru.o'), EXPECTED_OF_OBJECT['gcc']['lru.o'])


def another_machine(bench):
    flags = ['-O1', '-ffreestanding', '--target=aarch64-linux-gnu']
    for name in ('lru', 'lru_part', 'net'):
        bench.compile('clang', HERE / (name + '.c'), name + '.o', *flags)
        same_modules(bench.modules(name + '.o'), EXPECTED_OF_OBJECT['clang'][name + '.o'])


def machines_without_probes(bench):
    bench.write('plain.c', 'int plain;\n')
    for target in ('i686-linux-gnu', 'powerpc64-linux-gnu', 'armv7-linux-gnueabi'):
        bench.need('clang', '--target=' + target, '-c', '-o', 'plain.o', 'plain.c')
        bench.says(3, r'plain\.o: is for a machine of 32 bits or big-endian, .*', 'plain.o')


# ---- Files that are none, and files of somebody else ---------------------------

def wrong_usage(bench):
    for arguments in ([], ['--jsn', 'x'], ['--json']):
        status, out, said = bench.rules(*arguments)
        same((status, out), (2, b''), arguments)
        same(said.count(b'\n'), 1, said)


def not_there(bench):
    bench.says(3, r'missing: cannot be read: No such file or directory', 'missing')
    bench.says(3, r'\.: cannot be read: Is a directory', '.')
    bench.says(3, r'x/y: cannot be read: No such file or directory', 'x/y')
    os.symlink('itself', bench.path('itself'))
    bench.says(3, r'itself: cannot be read: Too many levels of symbolic links', 'itself')
    if os.geteuid():
        bench.write('secret', '')
        os.chmod(bench.path('secret'), 0)
        bench.says(3, r'secret: cannot be read: Permission denied', 'secret')


def no_elf(bench):
    bench.write('empty', '')
    bench.says(3, r'empty: is empty', 'empty')
    bench.write('script', '#!/bin/sh\necho tocsin\n')
    bench.says(3, r'script: is neither an ELF file nor an archive of them', 'script')
    os.mkfifo(bench.path('fifo'))
    bench.says(3, r'fifo: is not a regular file', 'fifo')
    bench.says(3, r'/dev/zero: is not a regular file', '/dev/zero')
    bench.write('cut', b'\x7fELF\x02\x01\x01')
    bench.says(3, r'cut: is damaged or cut off', 'cut')
    bench.write('odd.a', b'!<arch>\nthis is no member')
    bench.says(3, r'odd\.a: is damaged or cut off', 'odd.a')


def cut_off(bench):
    bench.build('gcc', ['-O2'])
    whole = bench.path('program').read_bytes()
    for length in (16, 63, 64, 100, 4096, len(whole) // 2, len(whole) - 1):
        bench.write('cut', whole[:length])
        bench.says(3, r'cut: is damaged or cut off', 'cut')


def huge(bench):
    with open(bench.path('huge'), 'wb') as file:
        file.write(b'!<arch>\n')
        file.truncate(1 << 40)
    bench.says(3, r'huge: is damaged or cut off', 'huge')


def foreign_records(bench):
    """Records that nobody can judge are named; the others are listed."""
    bench.write('foreign.c', r'''
#include <tocsin.h>
TOC_MODULE(foreign, "Texts and numbers that nobody wants");
TOC_COUNTER(escape, "red \033[31m alert", TOC_QUIET("only feeds a chart"));
TOC_COUNTER(bell, "Things that happen", TOC_QUIET("ding \a dong ding"));
TOC_COUNTER(hold, "Things that happen",
            TOC_ALERT(total, >, 1, TOC_WARN, "more than one", .hold_s = -1));
TOC_COUNTER(window, "Things that happen",
            TOC_ALERT(per_minute, >, 1, TOC_WARN, "more than one", .window_s = 3));
TOC_COUNTER(clear, "Things that happen",
            TOC_ALERT(per_minute, >, 1, TOC_WARN, "more than one", .clear_at = 2));
TOC_COUNTER(good, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"));
TOC_COUNTER(reversed, "Things that happen",
            TOC_ALERT(total, >, 1, TOC_WARN, "more \u202e than one \u00fc"));
''')
    bench.compile('gcc', 'foreign.c', 'foreign.o')
    status, out, said = bench.rules('foreign.o')
    same(status, 1, said)
    same(said.count(b'\n'), 5, said)
    for name in ('escape', 'bell', 'hold', 'window', 'clear'):
        if not re.search(rf"foreign\.o: record \d+, '{name}': ".encode(), said):
            raise AssertionError(f'{name} is not named: {said!r}')
    for text in (out, said):
        same([byte for byte in (b'\033', b'\a', '\u202e'.encode()) if byte in text], [], text)
    same(b'more \\xe2\\x80\\xae than one \xc3\xbc' in out, True, out)
    status, out, _ = bench.rules('--json', 'foreign.o')
    same(status, 1, out)
    same([byte for byte in out if byte > 126 or byte < 10], [], 'bytes that are not ASCII')
    whole = json.loads(out)['files'][0]
    same([probe['name'] for probe in whole['modules'][0]['probes']], ['good', 'reversed'])
    same(len(whole['refused']), 5)
    same(sorted(whole['refused'][0]), ['record', 'why'])


def other_version(bench):
    bench.build('gcc', ['-O2'])
    bench.need('objcopy', '--rename-section', 'toc_records_1=toc_records_2', 'lru.o', 'new.o')
    bench.says(3, r'new\.o: carries probes of another version of Tocsin', 'new.o')


def odd_section(bench):
    bench.build('gcc', ['-O2'])
    bench.write('seven', b'1234567')
    bench.need('objcopy', '--update-section', 'toc_records_1=seven', 'lru.o', 'odd.o')
    bench.says(3, r'odd\.o: has a section toc_records_1 that is no whole number of records',
               'odd.o')


def odd_paths(bench):
    bench.build('gcc', ['-O2'])
    for name in ('a\nline', 'a \033[31mred one', 'caf\u00e9', '-dash'):
        shutil.copy(bench.path('net.o'), bench.path(name))
        _, out, _ = bench.rules('--', name, 'net.o')
        heading = out.split(b'\n')[0]
        if name.isprintable():
            same(heading, name.encode() + b':')
        else:
            same((b'\\x0a' in heading or b'\\x1b' in heading, b'\033' in out), (True, False), out)
        _, out, _ = bench.rules('--json', '--', name)
        same_modules(json.loads(out)['files'][0]['modules'], EXPECTED['gcc'][1:])
    latin = os.fsencode(bench.directory) + b'/caf\xe9'
    shutil.copy(bench.path('net.o'), latin)
    _, out, _ = bench.run(bench.tocsin, 'rules', '--json', latin)
    same(json.loads(out)['files'][0]['path'].endswith('caf\\xe9'), True, out)


# ---- How it looks ---------------------------------------------------------------

TABLE = '''net  Sends what the cache gives away
  log_errors                   logs         (default)  per_minute > 0 -> warn "the module reports errors"
  log_warnings                 logs         (default)  per_minute > 10 -> note "the module reports many warnings"
  sent                         counter      net.c:L1   total == 0 -> note "nothing ever left"
  error_nothing_to_send        error        net.c:L2   as log_errors
                                                       says "nothing to send"
  warning_too_much_to_send     warning      net.c:L3   as log_warnings
                                                       says "too much to send: %d"
  expect_five_is_not_possible  expectation  net.c:L4   expects not reached -> page "five is not possible"
'''


def table(bench):
    bench.build('gcc', ['-O2'])
    expected = TABLE
    for number, words in enumerate(('TOC_COUNTER', 'TOC_ERROR', 'TOC_WARNING', 'TOC_UNREACH'), 1):
        place = f"net.c:{line_of('gcc', 'net.c', words)}"
        expected = expected.replace(f'net.c:L{number}', place.ljust(8))
    same(bench.rules('net.o'), (0, expected.encode(), b''))
    status, out, _ = bench.rules('lru.o')
    same(status, 0)
    for line in ('live_bytes > 67108864 for 10 s -> warn "cache outgrew its share of memory"',
                 'per_minute > 1000 for 300 s -> warn "working set outgrew the cache"',
                 'per_second >= 500, window 120 s, clear at 100, keep 60 s -> page "the cache does',
                 'see https://wiki.example.com/lru', 'quiet "only feeds the hit-ratio chart"',
                 'expects key < 4096 -> warn "keys are small"', r'says "made up: %d\x0a"'):
        same(line in out.decode(), True, f'{line!r} in {out.decode()}')
    status, out, _ = bench.rules('lru_part.o')
    same(out.decode().split('\n')[0], 'lru  (its TOC_MODULE is in another file)')


def several_files(bench):
    bench.build('gcc', ['-O2'])
    status, out, said = bench.rules('net.o', 'main.o', 'lru.o')
    same((status, said.count(b'\n')), (1, 1), said)
    headings = [line for line in out.decode().split('\n') if line.endswith(':')]
    same(headings, ['net.o:', 'lru.o:'])
    status, out, said = bench.rules('--json', 'net.o', 'missing', 'main.o')
    same(status, 3, 'the worst counts')
    files = json.loads(out)['files']
    same([file['path'] for file in files], ['net.o', 'missing', 'main.o'])
    same([file['problem'] for file in files],
         [None, 'cannot be read: No such file or directory',
          'no probes (it was not compiled with tocsin.h)'])


def on_a_terminal(bench, columns, *arguments, command='rules', **more):
    """What stands on a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack('4H', 24, columns, 0, 0))
    with subprocess.Popen([bench.tocsin, command, *arguments], cwd=bench.directory,
                          stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL,
                          env={**os.environ, 'TERM': 'xterm', **more}) as child:
        os.close(follower)
        out = b''
        try:
            while block := os.read(leader, 65536):
                out += block
        except OSError:
            pass  # a terminal without a child
        child.wait(TIME_MAX_S)
    os.close(leader)
    return out.decode().replace('\r\n', '\n')


def terminal(bench):
    bench.build('gcc', ['-O2'])
    _, plain, _ = bench.rules('program')
    same(b'\033' in plain, False, 'no colour in a pipe')
    for columns in (50, 80, 100, 132, 400):
        coloured = on_a_terminal(bench, columns, 'program', NO_COLOR='')
        same('\033[31m' in coloured, True, 'page is red')
        out = re.sub('\033\\[[0-9]*m', '', coloured)
        same([line for line in out.split('\n') if len(line) > columns], [], columns)
        same(out.split(), plain.decode().split(), 'no word is lost')
        without = on_a_terminal(bench, columns, 'program', NO_COLOR='1')
        same(without, out, 'NO_COLOR changes nothing else')
    same(on_a_terminal(bench, 400, 'program', NO_COLOR='1'), plain.decode())


def help_page(bench):
    status, out, said = bench.rules('--help')
    same((status, said), (0, b''))
    for words in (b'Usage: tocsin rules', b'--json', b'Examples:'):
        same(words in out, True, words)


def nobody_listens(bench):
    bench.build('gcc', ['-O2'])
    for arguments in ('net.o', '--json net.o'):
        status, _, said = bench.run('sh', '-c',
                                    f'exec "$0" rules {arguments} >/dev/full', bench.tocsin)
        same(status, 3, said)
        same(b'cannot write the list: No space left on device' in said, True, said)


def tests():
    """Names and functions, in order."""
    for name, (flags, link_flags) in VARIANTS.items():
        for compiler in ('gcc', 'clang'):
            yield f'{compiler}: {name}', variant_test(compiler, flags, link_flags)
    for compiler in ('gcc', 'clang'):
        for flags in (['-O0'], ['-O2'], ['-O2', '-ffunction-sections', '-fdata-sections']):
            yield f'{compiler}: objects {" ".join(flags)}', objects_test(compiler, flags)
        yield f'{compiler}: archive', archive_test(compiler)
    for test in (this_test_can_fail, partly_linked, stripped, without_section_headers, switched_off,
                 waiting_for_the_linker, another_machine, machines_without_probes, wrong_usage,
                 not_there, no_elf, cut_off, huge, foreign_records, other_version, odd_section,
                 odd_paths, table, several_files, terminal, help_page, nobody_listens):
        yield test.__name__.replace('_', ' '), test


def run_tests(named, words):
    """TAP of the tests whose names contain all words; each has a directory of its own."""
    chosen = [(name, test) for name, test in named if all(word in name for word in words)]
    failed = 0
    print(f'TAP version 13\n1..{len(chosen)}', flush=True)
    for number, (name, test) in enumerate(chosen, 1):
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(Bench(sys.argv[1], sys.argv[2], directory))
                print(f'ok {number} - {name}', flush=True)
            except Skip as reason:
                print(f'ok {number} - {name} # SKIP {reason}', flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as problem:
                failed += 1
                print(f'not ok {number} - {name}', flush=True)
                print('\n'.join('# ' + line for line in str(problem).splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(run_tests(tests(), sys.argv[3:]))
