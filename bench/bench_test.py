#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tocsin-bench measures every row, says the same in JSON and in the table, and disturbs nobody.

Nothing here depends on how long anything took: the machine that runs the tests may be busy.

usage: bench_test.py TOCSIN_BENCH
Output is TAP.
"""

import glob
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

TIME_MAX_S = 120
ROWS = ['empty', 'increment', 'increment-at', 'increments', 'increment-two', 'store', 'branch',
        'locked-add', 'values', 'clocks', 'write', 'fprintf', 'counter', 'counters', 'counter-by',
        'level', 'heartbeat', 'gauge', 'timer', 'sizes', 'time-scope', 'share', 'operation',
        'operation-scope', 'flow', 'sometimes', 'reached', 'expect', 'expect-cmp', 'error',
        'error-report', 'miss', 'malloc', 'churn', 'grow', 'lock',
        'lock-two', 'read', 'miss-alone', 'miss-heard', 'doorbell']
PEERS = ['mmv-inc', 'mmv-set', 'hdr', 'prometheus-inc', 'prometheus-set', 'prometheus-obs',
         'lttng', 'g-log', 'jemalloc', 'jemalloc-churn', 'enter', 'malloc-inside', 'churn-inside',
         'grow-inside', 'lock-inside', 'lock-two-inside', 'read-inside'] # of libraries that may not be here
SINGLE = {'miss-alone', 'miss-heard', 'doorbell'} # one thread only
JUDGED = {'counter', 'counters', 'counter-by', 'level', 'heartbeat', 'gauge', 'sometimes',
          'reached', 'expect', 'expect-cmp', 'error', 'error-report', 'malloc-inside',
          'churn-inside', 'grow-inside', 'lock-inside', 'lock-two-inside'}
GROWTH_ONLY = {'time-scope', 'share', 'operation', 'operation-scope', 'flow', 'enter',
               'read-inside'} # judged with two threads
PEER_GROWTH = {'timer', 'sizes'} # and beside a library that may not be here
SHELTERS = [os.path.join(parent, 'tocsin-bench-*')
            for parent in (os.environ.get('XDG_RUNTIME_DIR'), '/dev/shm', '/run') if parent]

count = 0
failed = 0


def check(holds, what, detail=''):
    global count, failed
    count += 1
    failed += not holds
    print(f'{"ok" if holds else "not ok"} {count} - {what}', flush=True)
    if not holds:
        for line in str(detail).splitlines():
            print('# ' + line)


def run(*arguments, **environment):
    return subprocess.run([sys.argv[1], *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, encoding='utf-8',
                          timeout=TIME_MAX_S, env=dict(os.environ, **environment))


def shelters():
    return {path for pattern in SHELTERS for path in glob.glob(pattern)}


def permille(part, whole):
    return (part * 1000 + whole // 2) // whole if whole else 0


def check_row(row, by_name, rounds):
    """What does not fit together in a row of the JSON."""
    wrong = []
    if len(row['rounds_ps']) != rounds:
        wrong.append('rounds')
    if not row['min_ps'] <= row['quarter_ps'] <= row['median_ps'] <= row['three_quarters_ps'] \
            <= row['max_ps'] or sorted(row['rounds_ps'])[rounds // 2] != row['median_ps']:
        wrong.append('quartiles')
    against = by_name.get((row['against'], row['threads']))
    if against and (row['ratio_permille'] or 0) != permille(row['median_ps'],
                                                            against['median_ps']):
        wrong.append('ratio')
    over = any(row[f'{key}_permille'] and row[f'{key}_max_permille'] and
               row[f'{key}_permille'] > row[f'{key}_max_permille'] for key in ('ratio', 'growth'))
    if row['verdict'] is not None and (row['verdict'] == 'over') != over:
        wrong.append('verdict')
    judged = row['name'] in JUDGED or \
        row['name'] in GROWTH_ONLY | PEER_GROWTH and row['threads'] == 2 or \
        row['name'] in PEER_GROWTH and row['against'] is not None
    if (row['verdict'] is not None) != judged:
        wrong.append('judged')
    return [f'{row["name"]}/{row["threads"]}: {what}' for what in wrong]


def test_json():
    done = run('--rounds', '1', '--json', '--check')
    try:
        said = json.loads(done.stdout)
    except ValueError:
        said = None
    check(said is not None, 'JSON comes out', done.stdout[:400] + done.stderr)
    if said is None:
        return
    threads_max = said['run']['threads_max']
    by_name = {(row['name'], row['threads']): row for row in said['rows']}
    here = [name for name in PEERS if name not in said['not_here']]
    wanted = {(name, threads) for name in ROWS + here for threads in range(1, threads_max + 1)
              if threads == 1 or name not in SINGLE}
    check(set(by_name) == wanted, 'every row is there, with every number of threads',
          sorted(set(by_name) ^ wanted))
    wrong = [text for row in said['rows'] for text in check_row(row, by_name, 1)]
    check(not wrong, 'the numbers of a row fit together', '\n'.join(wrong))
    check(all(row['median_ps'] > 0 for row in said['rows']), 'nothing takes no time',
          [row['name'] for row in said['rows'] if row['median_ps'] <= 0])
    check(all(isinstance(said['host'][key], str) and said['host'][key]
              for key in ('cpu', 'kernel', 'compiler', 'libc')) and said['host']['cpus'] >= 1,
          'the host is described', said['host'])
    check(said['run']['rounds'] == 1 and said['run']['samples'] > 0, 'the run is described',
          said['run'])
    over = any(row['verdict'] == 'over' for row in said['rows'])
    check(done.returncode == (1 if over else 0), '--check ends with 1 if a budget is exceeded',
          f'status {done.returncode}, over: {over}')


def test_selection():
    done = run('--rounds', '3', '--json', '--only', 'error', '--seed', '7')
    said = json.loads(done.stdout)
    check(done.returncode == 0 and {row['name'] for row in said['rows']} ==
          {'error', 'counter', 'increment-at'}, '--only takes along what a row is compared with',
          done.stdout)
    check(said['run']['seed'] == 7 and all(len(row['rounds_ps']) == 3 for row in said['rows']),
          '--rounds and --seed are heeded', said['run'])
    done = run('--rounds', '1', '--json', '--only', 'memory/counter')
    check({row['name'] for row in json.loads(done.stdout)['rows']} ==
          {'memory/counter', 'memory/alone'}, 'work can be asked for by name', done.stdout)
    done = run('--rounds', '1', '--only', 'gauge')
    check(done.returncode == 0 and all(word in done.stdout for word in
                                       ('Probes', 'gauge', 'store', 'threads', 'ratio')),
          'the table is printed', done.stdout + done.stderr)
    check(not [line for line in done.stdout.splitlines()[1:] if len(line) > 100 or
               line != line.rstrip()], 'the table is at most 100 columns wide', done.stdout)


def test_wrong_requests():
    done = run('--only', 'conter')
    check(done.returncode == 2 and "did you mean 'counter'" in done.stderr,
          'a row that does not exist is refused with a guess', done.stderr)
    check(run('--rounds', '0').returncode == 2, 'no rounds at all are refused')
    check(run('counter').returncode == 2, 'operands are refused')
    done = run('--help')
    check(done.returncode == 0 and 'tocsin-bench --only counter' in done.stdout,
          '--help has examples', done.stdout)
    with open('/dev/full', 'w', encoding='utf-8') as full:
        done = subprocess.run([sys.argv[1], '--rounds', '1', '--only', 'empty'], stdout=full,
                              stderr=subprocess.DEVNULL, check=False, timeout=TIME_MAX_S)
    check(done.returncode == 3, 'results that cannot be written are no success', done.returncode)


def test_quiet():
    """Somebody who watches TOCSIN_DIR hears nothing of all the misses."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as directory:
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.bind(os.path.join(directory, 'bell'))
        bell.setblocking(False)
        done = run('--rounds', '1', '--only', 'miss', '--only', 'miss-heard', TOCSIN_DIR=directory)
        try:
            heard = bell.recv(8)
        except BlockingIOError:
            heard = None
        bell.close()
    check(done.returncode == 0 and heard is None, 'no watcher is disturbed', (heard, done.stderr))


def test_cleanliness(before):
    check(shelters() <= before, 'nothing is left behind', shelters() - before)
    process = subprocess.Popen([sys.argv[1]], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + TIME_MAX_S
    while shelters() <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    status = process.wait(timeout=TIME_MAX_S)
    check(status == 128 + signal.SIGTERM and shelters() <= before,
          'nothing is left behind by a run that is ended', (status, shelters() - before))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())
    before = shelters()
    test_json()
    test_selection()
    test_wrong_requests()
    test_quiet()
    test_cleanliness(before)
    print(f'1..{count}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
