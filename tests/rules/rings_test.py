#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the rules of `tocsin rules --prometheus` ring as its `--tests` say, and no others? The judge is
promtool, which takes a minute.

usage: rings_test.py TOCSIN INCLUDE_DIR KVD [WORD...]     only tests whose names contain all WORDs
Output is TAP.
"""

import re
import sys

sys.dont_write_bytecode = True
from export_test import ALERTS, HERE, export, main, promtool, same  # noqa: E402


def tested(bench, rules, tests):
    """What promtool says to such tests of such rules."""
    bench.write('rules.yml', rules)
    bench.write('tests.yaml', tests)
    return promtool(bench, 'test', 'rules', 'tests.yaml')


def only(tests, alert):
    """Those of one alert: promtool takes half a minute for all."""
    head, *groups = re.split(r'^(?=- name: )', tests, flags=re.M)
    return head + ''.join(group for group in groups if group.startswith(f'- name: "{alert} '))


def brief(bench):
    """every.c, without the windows of a day, which take promtool minutes."""
    text = (HERE / 'every.c').read_text(encoding='utf-8')
    for old, new in (('objective_permille = 990', 'objective_permille = 990, .window_s = 1200'),
                     ('objective_permille = 999', 'objective_permille = 999, .window_s = 1200'),
                     ('hold_s = 7200', 'hold_s = 600'), ('UPTIME_S(86400)', 'UPTIME_S(900)')):
        same(text.count(old), 1, old)
        text = text.replace(old, new)
    bench.write('every.c', text)
    bench.compile('gcc', 'every.c', 'every.o')
    return 'every.o'


def every_alert_rings_and_just_does_not(bench):
    """But for the count whose limit no double holds, and the absent one, which has no limit."""
    brief(bench)
    rules = export(bench, '--prometheus', '--scrape-interval=60', 'every.o')
    tests = export(bench, '--tests', '--scrape-interval=60', 'every.o')
    same(re.findall('^- name: "(.*)"$', tests, re.M),
         [f'every_{name} {run}' for name in ALERTS if name not in ('count', 'worker_absent')
          for run in ('rings', 'stays silent')])
    same(re.findall('^# Left out, that (.*?):', tests, re.M),
         ['every_count rings', 'every_count stays silent'])
    status, said = tested(bench, rules, tests)
    same((status, 'SUCCESS' in said), (0, True), said)


def kvd_rings_as_tested_and_another_limit_fails(bench):
    rules = export(bench, '--prometheus', bench.kvd)
    tests = export(bench, '--tests', '--rules-file=rules.yml', bench.kvd)
    status, said = tested(bench, rules, tests)
    same((status, 'SUCCESS' in said), (0, True), said)
    limit = re.search(r'^    expr: .* > ([1-9][0-9]*)$', rules, re.M)
    name = re.findall(r'^  - alert: (.*)$', rules[:limit.start()], re.M)[-1]
    few = only(tests, name)
    same((tested(bench, rules, few)[0], few.count('\n- name: ')), (0, 2), few)
    for by in (1, -1):
        spoilt = rules[:limit.start(1)] + str(int(limit[1]) + by) + rules[limit.end(1):]
        same(tested(bench, spoilt, few)[0], 1, limit[0])


if __name__ == '__main__':
    sys.exit(main((every_alert_rings_and_just_does_not, kvd_rings_as_tested_and_another_limit_fails)))
