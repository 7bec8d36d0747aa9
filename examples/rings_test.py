#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small examples ring for the trouble that their rules are for, and for nothing else.

Each scenario of a driver is run under `tocsin run --events`, all of them at once, because some
must last as long as the rule they are for. What rang must be just what is written here.

usage: rings_test.py TOCSIN EXAMPLE DRIVER LOSING_DRIVER     EXAMPLE is pool or rate
Output is TAP.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TIME_MAX_S = 120
# What rings, as probe or probe{label}, and how bad it is.
SCENARIOS = {
    'pool': {
        'calm': set(),
        'refused': {('refused', 'warn')},
        'slow': {('waits', 'warn')},
        'stuck': {('running', 'page'), ('standstills', 'page')},
        'memory': {('log_errors', 'warn')},
        'lost': {('queued', 'page')},
    },
    'rate': {
        'calm': set(),
        'refused': {('refusals', 'warn')},
        'crowded': {('crowded', 'page')},
        'exhausts': {('known', 'warn')},
        'memory': {('log_errors', 'warn')},
    },
}


def rang(tocsin, driver, scenario):
    """What rang, or a text that says what went wrong."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory(dir='/dev/shm') as tmpfs:
        events = pathlib.Path(place, 'events')
        done = subprocess.run(
            [tocsin, 'run', '-q', '--dir', tmpfs, '--events', str(events), '--', driver, scenario],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=TIME_MAX_S, encoding='utf-8', errors='replace',
            env={**os.environ, 'TOCSIN_DIR': tmpfs})
        if done.returncode or 'done' not in done.stdout:
            return f'the driver ended with {done.returncode}: {done.stdout}'
        lines = events.read_text(encoding='utf-8').splitlines() if events.exists() else []
    alerts = [event for event in map(json.loads, lines)
              if event['type'] == 'alert' and event['state'] == 'firing']
    return {(event['probe'] + ''.join(f'{{{label}}}' for label in event['labels'].values()),
             event['severity']) for event in alerts}


def main():
    tocsin, example, driver, losing = sys.argv[1:]
    scenarios = SCENARIOS[example]
    failed = 0
    print(f'TAP version 13\n1..{len(scenarios)}')
    with concurrent.futures.ThreadPoolExecutor(len(scenarios)) as pool:
        results = {name: pool.submit(rang, tocsin, losing if name == 'lost' else driver, name)
                   for name in scenarios}
        for number, (name, expected) in enumerate(scenarios.items(), 1):
            result = results[name].result()
            print(f'{"ok" if result == expected else "not ok"} {number} - {example} {name}', flush=True)
            if result != expected:
                failed += 1
                for line in f'rang: {result}, not {expected}'.splitlines():
                    print('# ' + line)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
