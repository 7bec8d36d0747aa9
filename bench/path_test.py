#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the compiler made of the measured loops is what loop.c says: no call, no lock, few steps.

A benchmark whose loops were optimised away, or whose probe became a call, would still print
figures. So each loop is read with objdump, in the program and in a shared object, where the same
path goes through the global offset table.

usage: path_test.py OBJDUMP PROGRAM LIBRARY
Output is TAP. x86-64 only.
"""

import collections
import re
import subprocess
import sys

EIGHT = 8
TURN = 4 # what a turn of the loop itself may have: add, cmp, jb; clang keeps a copy now and then
TIME_MAX_S = 60

Step = collections.namedtuple('Step', 'address name operands')
LINE = re.compile(r'^\s*([0-9a-f]+):\s+(\S+)\s*([^#]*)')
PREFIXES = {'rep', 'repz', 'data16', 'cs', 'notrack', 'bnd', 'rex.W'} # lock is kept


def disassemble(objdump, path):
    """{function: [Step]} of every function named loop_... or kind_..."""
    said = subprocess.run([objdump, '-d', '--no-show-raw-insn', path], check=True,
                          stdout=subprocess.PIPE, timeout=TIME_MAX_S, encoding='utf-8').stdout
    functions, steps = {}, None
    for line in said.splitlines():
        start = re.match(r'^[0-9a-f]+ <(\w+)>:$', line)
        if start:
            steps = functions.setdefault(start[1], [])
        elif steps is not None:
            match = LINE.match(line)
            if match:
                name, operands = match[2], match[3].strip()
                while name in PREFIXES and ' ' in operands:
                    name, operands = operands.split(None, 1)
                steps.append(Step(int(match[1], 16), name, operands))
            else:
                steps = None # the end of the function, or of its part that runs often
    return {name: steps for name, steps in functions.items() if name.startswith(('loop_', 'kind_'))}


def target(step):
    match = re.match(r'^([0-9a-f]+) ', step.operands + ' ')
    return int(match[1], 16) if step.name.startswith('j') and match else None


def hot_loop(steps):
    """The steps from where the first conditional jump back goes to that jump."""
    for at in range(len(steps)):
        to = target(steps[at])
        if to and steps[at].name != 'jmp' and steps[0].address <= to <= steps[at].address:
            return [step for step in steps[:at + 1] if step.address >= to]
    return []


def last_operand(step):
    """Where an instruction writes to: "(%rbx,%rax,1)" of "%rcx,(%rbx,%rax,1)"."""
    return re.sub(r'^.*,(?![^(]*\))', '', step.operands)


def is_memory(operand):
    return operand.endswith(')') or 'fs:' in operand


def adds_to_memory(step):
    return step.name in ('addq', 'add', 'incq', 'inc') and is_memory(last_operand(step))


def stores(step):
    return step.name in ('mov', 'movq') and is_memory(last_operand(step))


class Report:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, holds, what, detail=''):
        self.count += 1
        self.failed += not holds
        print(f'{"ok" if holds else "not ok"} {self.count} - {what}')
        if not holds:
            for line in detail.splitlines():
                print('# ' + line)


def show(loop):
    return '\n'.join(f'{step.address:x}: {step.name} {step.operands}' for step in loop)


def counts(loop):
    """What matters of a loop."""
    return {
        'calls': sum(step.name.startswith('call') for step in loop),
        'locked': sum(step.name == 'lock' or step.name.startswith(('xchg', 'cmpxchg'))
                      for step in loop),
        'additions': sum(adds_to_memory(step) for step in loop),
        'stores': sum(stores(step) for step in loop),
        'conditions': sum(step.name.startswith('j') and step.name != 'jmp' for step in loop) - 1,
        'steps': len(loop),
    }


# loop: what it must have for one operation, and how many steps at most. A counter's address may
# be summed by a step of its own.
EXPECTED = {
    'loop_increment': ({'additions': 1, 'stores': 0, 'conditions': 0}, 1),
    'loop_increments': ({'additions': 1, 'stores': 0, 'conditions': 0}, 1),
    'loop_store': ({'additions': 0, 'stores': 1, 'conditions': 0}, 1),
    'loop_branch': ({'additions': 0, 'stores': 0, 'conditions': 1}, 3),
    'loop_counter': ({'additions': 1, 'stores': 0, 'conditions': 1}, 5),
    'loop_counters': ({'additions': 1, 'stores': 0, 'conditions': 1}, 6),
    'loop_level': ({'additions': 1, 'stores': 0, 'conditions': 1}, 5),
    'loop_heartbeat': ({'additions': 1, 'stores': 0, 'conditions': 1}, 5),
    'loop_gauge': ({'additions': 0, 'stores': 1, 'conditions': 1}, 5),
    'loop_expect': ({'additions': 0, 'stores': 0, 'conditions': 1}, 3),
    'loop_expect_cmp': ({'additions': 0, 'stores': 0, 'conditions': 1}, 3),
    'loop_increment_at': ({'additions': 1, 'stores': 0, 'conditions': 0}, 1),
    'kind_counter_by': ({'additions': 1, 'stores': 0, 'conditions': 1}, 5),
    'kind_timer': ({'additions': 2, 'stores': 0, 'conditions': 2}, 24),
    'kind_flow': ({'additions': 2, 'stores': 0, 'conditions': 2}, 11),
    'kind_reached': ({'additions': 1, 'stores': 0, 'conditions': 1}, 5),
    'loop_error_suppressed': ({'additions': 1, 'stores': 0, 'conditions': 2}, 10),
}


# In a shared object a plain __thread variable is found by calling __tls_get_addr(), which a probe
# does not.
NOT_SHARED = {'loop_increment', 'loop_increment_at', 'loop_increments'}


def check_file(report, objdump, path, where, without=frozenset()):
    functions = disassemble(objdump, path)
    for name, (wanted, steps_max) in EXPECTED.items():
        if name in without:
            continue
        loop = hot_loop(functions.get(name, []))
        found = counts(loop)
        problems = [f'{found[key]} {key}, not {EIGHT * number}' for key, number in wanted.items()
                    if found[key] != EIGHT * number]
        problems += [f'{found[key]} {key}' for key in ('calls', 'locked') if found[key]]
        if found['steps'] > EIGHT * steps_max + TURN:
            problems.append(f'{found["steps"]} steps, more than {EIGHT * steps_max + TURN}')
        report.check(not problems, f'{where}: {name} is what loop.c says',
                     '\n'.join(problems) + '\n' + show(loop))


def check_reader(report):
    """That the reader sees a call, a lock and a loop that was optimised away."""
    good = [Step(16, 'addq', '$0x1,%fs:0xfffffffffffffff8'), Step(32, 'add', '$0x8,%rax'),
            Step(36, 'cmp', '%rdi,%rax'), Step(40, 'jb', '10 <loop_x+0x10>'), Step(44, 'ret', '')]
    report.check(counts(hot_loop(good)) == {'calls': 0, 'locked': 0, 'additions': 1, 'stores': 0,
                                            'conditions': 0, 'steps': 4},
                 'the reader finds the loop and what is in it', show(hot_loop(good)))
    bad = good[:1] + [Step(20, 'lock', 'addq $0x1,(%rax)'), Step(24, 'call', '40 <f>')] + good[1:]
    report.check(counts(hot_loop(bad))['calls'] == 1 and counts(hot_loop(bad))['locked'] == 1,
                 'the reader sees calls and locks', show(hot_loop(bad)))
    report.check(hot_loop(good[-1:]) == [], 'the reader sees that a loop is gone')


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    objdump, program, library = sys.argv[1:]
    report = Report()
    print(f'1..{3 + 2 * len(EXPECTED) - len(NOT_SHARED)}')
    check_reader(report)
    check_file(report, objdump, program, 'program')
    check_file(report, objdump, library, 'shared object', NOT_SHARED)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
