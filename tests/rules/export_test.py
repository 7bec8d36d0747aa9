#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others make of `tocsin rules --prometheus`, `--grafana` and `--markdown`.

every.c has each kind, each signal and texts that want to be YAML, templates or Markdown. That its
rules ring when they should is shown elsewhere, by conformance and rings_test.py; here they must be
accepted, bear the right names, and say what the source says. The judge is promtool.

usage: export_test.py TOCSIN INCLUDE_DIR KVD [WORD...]     only tests whose names contain all WORDs
Output is TAP.
"""

import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
from rules_test import HERE, Skip, line_of, run_tests, same  # noqa: E402

# Each rule of every.c, in the order of the file; the names are what people silence.
ALERTS = '''
live_bytes lock_wait_ms log_errors log_warnings count count_2 hourly odd requests_failed null_null used
used_2 depth lookup lookup_2 insert insert_2 flush batch batch_2 reply reply_2 tail errors errors_2 misses
worker worker_absent call call_2 queue queue_2 pipe expect_numbers_are_positive
expect_numbers_are_positive_2 sometimes_seven_never_comes reached_nobody_ever_comes_here
error_this_is_the_end
'''.split()
PANELS = 34  # probes of every.c: those without a rule too, and the default rules


def every(bench):
    bench.compile('gcc', HERE / 'every.c', 'every.o')
    return 'every.o'


def export(bench, form, *files):
    status, out, said = bench.rules(form, *files)
    same((status, said), (0, b''), form)
    return out.decode()


def promtool(bench, *arguments):
    """Exit status and all it said."""
    if not shutil.which('promtool'):
        raise Skip('promtool is not installed')
    status, out, said = bench.run('promtool', *arguments)
    return status, (out + said).decode()


def accepted(bench, text, count):
    bench.write('rules.yaml', text)
    status, said = promtool(bench, 'check', 'rules', 'rules.yaml')
    same((status, f'SUCCESS: {count} rules found' in said), (0, True), said)


# ---- Prometheus ---------------------------------------------------------------

def prometheus_accepts_every_kind(bench):
    for seconds in (1, 7, 15, 120):
        text = export(bench, '--prometheus', f'--scrape-interval={seconds}', every(bench))
        accepted(bench, text, len(ALERTS))
        same(f'\n  interval: {seconds}s\n' in text, True, text)


def prometheus_accepts_kvd(bench):
    text = export(bench, '--prometheus', bench.kvd)
    _, listed, _ = bench.rules('--json', bench.kvd)
    probes = [probe for module in json.loads(listed)['files'][0]['modules']
              for probe in module['probes']]
    rules = sum(len(probe['rules']) for probe in probes)
    beats = sum(probe['kind'] == 'heartbeat' and bool(probe['rules']) for probe in probes)
    accepted(bench, text, rules + beats)


def names_are_never_something_else(bench):
    """null is no label to Prometheus, and no name of a group."""
    source = (HERE / 'every.c').read_text(encoding='utf-8')
    bench.write('null.c', source.replace('TOC_MODULE(every', 'TOC_MODULE(null'))
    bench.compile('gcc', 'null.c', 'null.o')
    text = export(bench, '--prometheus', 'null.o')
    same(text.count('- name: "null"\n'), 1, text)
    for label in ('module', 'probe', 'label'):
        names = re.findall(f'^      {label}: (.*)$', text, re.M)
        same((len(names) > 0, [name for name in names if name[0] != '"']), (True, []), label)
    accepted(bench, text, len(ALERTS))


SHARED = {
    'a': '''
TOC_MODULE(a, "The name of another begins like this");
TOC_COUNTER(b_c, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"));
TOC_COUNTER(hits, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"));
TOC_GAUGE(hits_total, "Hits until now", TOC_QUIET("only a chart"));
TOC_COUNTER_BY(by, "Things by kind", (x, y),
               TOC_ALERT_ON(x, total, >, 1, TOC_WARN, "more than one"));
''',
    'a_b': '''
TOC_MODULE(a_b, "Begins like another");
TOC_COUNTER(c, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"));
''',
    'a_by': '''
TOC_MODULE(a_by, "Begins like another");
TOC_GAUGE(total, "What selects all labels", TOC_ALERT(value, >, 1, TOC_WARN, "more than one"));
'''}


def two_probes_of_one_series_are_told(bench):
    for name, text in SHARED.items():
        bench.write(name + '.c', '#include <tocsin.h>\n' + text)
        bench.compile('gcc', name + '.c', name + '.o')
    shared = [f'Two probes have this series: {words}' for words in (
        'a_b_c_total: a.b_c (counter) and a_b.c (counter)',
        'a_by_total: a_by.total (gauge) and a.by{x} (counter)',
        'a_hits_total: a.hits (counter) and a.hits_total (gauge)')]
    for files, expected in ((('a.o', 'a_b.o', 'a_by.o'), shared), (('a.o',), shared[2:]),
                            (('a_b.o', 'a_by.o'), [])):
        status, out, said = bench.rules('--prometheus', *files)
        same((status, said.decode().splitlines()),
             (0, ['tocsin: warning: ' + line for line in expected]), files)
        heading = out.decode().split('\ngroups:')[0].splitlines()
        same([line for line in heading if 'Two probes' in line],
             ['# ' + line for line in expected], heading)


def this_test_can_fail(bench):
    """promtool refuses what is spoilt."""
    text = export(bench, '--prometheus', every(bench))
    for old, new in (('expr: every_depth != -1', 'expr: every_depth != '),
                     ('{{`{`}}', '{{'), ('for: 7200s', 'for: ever')):
        same(old in text, True, old)
        bench.write('rules.yaml', text.replace(old, new, 1))
        status, said = promtool(bench, 'check', 'rules', 'rules.yaml')
        same(status != 0, True, said)


def alerts_have_stable_and_distinct_names(bench):
    text = export(bench, '--prometheus', every(bench))
    same(re.findall('- alert: (.*)', text), ['every_' + name for name in ALERTS])
    same(len(set(ALERTS)), len(ALERTS))
    # What several files have in common is there once.
    shutil.copy(bench.path('every.o'), bench.path('copy.o'))
    same(export(bench, '--prometheus', 'every.o', 'copy.o'), text)


TEST = r'''
rule_files: [rules.yaml]
evaluation_interval: 15s
tests:
- interval: 15s
  input_series:
  - {series: 'every_depth{job="j",instance="i"}', values: '7x4'}
  - {series: 'every_count_total{job="j",instance="i"}', values: '9007199254741000x4'}
  - {series: 'every_requests_total{label="failed",job="j",instance="i"}', values: '11x4'}
  - {series: 'every_null_total{label="null",job="j",instance="i"}', values: '11x4'}
  - {series: 'process_start_time_seconds{job="j",instance="i"}', values: '0x4'}
  alert_rule_test:
  - alertname: every_depth
    eval_time: 15s
    exp_alerts:
    - exp_labels: {severity: note, module: every, probe: depth, kind: level, signal: value,
                   job: j, instance: i}
      exp_annotations:
        summary: "as ever as can be"
        description: "Items in it. Rings at: its value is anything but -1. Now 7. (every.c:@depth@)"
        runbook_url: "https://wiki.example.com/every"
  - alertname: every_count
    eval_time: 15s
    exp_alerts:
    - exp_labels: {severity: note, module: every, probe: count, kind: counter, signal: total,
                   job: j, instance: i}
      exp_annotations:
        summary: "more than {{ can }} be counted"
        description: "Things {{ that }} happen: all. Rings at: more than 9007199254740993 since the start. Now 9.007199254741e+15. (every.c:@count@)"
        note: "The limit is beyond 2^53, where Prometheus rounds."
        runbook_url: "https://wiki.example.com/every"
  - alertname: every_count_2
    eval_time: 15s
    exp_alerts:
    - exp_labels: {severity: page, module: every, probe: count, kind: counter, signal: per_second,
                   job: j, instance: i}
      exp_annotations:
        summary: "`a` \"b\" 'c' \\ %d {{ $labels.x }}"
        description: "Things {{ that }} happen: all. Rings at: at least 5 a second, over 10 seconds; until it is back at 2; and for 90 seconds more. (every.c:@count@)"
        note: "Looks back 15 s and not 10 s, a whole number of scrapes, for the same count: lower rates ring, too."
        runbook_url: "https://wiki.example.com/every"
  - alertname: every_requests_failed
    eval_time: 15s
    exp_alerts:
    - exp_labels: {severity: page, module: every, probe: requests, kind: counter,
                   signal: per_minute, label: failed, job: j, instance: i}
      exp_annotations:
        summary: "requests fail"
        description: "Requests by outcome. Rings at: more than 10 a minute; until it is back at 5. Now 11. (every.c:@requests@)"
        runbook_url: "https://wiki.example.com/every"
  - alertname: every_null_null
    eval_time: 15s
    exp_alerts:
    - exp_labels: {severity: note, module: every, probe: "null", kind: counter,
                   signal: per_minute, label: "null", job: j, instance: i}
      exp_annotations:
        summary: "nothing is counted"
        description: "What YAML takes for something else. Rings at: more than 10 a minute. Now 11. (every.c:@null@)"
        runbook_url: "https://wiki.example.com/every"
  - alertname: every_worker_absent
    eval_time: 15s
    exp_alerts: []
  - alertname: every_worker_absent
    eval_time: 30s
    exp_alerts:
    - exp_labels: {severity: page, module: every, probe: worker, kind: heartbeat,
                   signal: silent_ms}
      exp_annotations:
        summary: "no program shows this heartbeat any more"
        description: "The worker's loop. Rings when no target has the series: the program, its watcher or the way to it is down. (every.c:@worker@)"
        runbook_url: "https://wiki.example.com/every"
'''


def what_rings_says_what_the_source_says(bench):
    bench.write('rules.yaml', export(bench, '--prometheus', every(bench)))
    test = TEST
    for name, words in (('depth', 'TOC_LEVEL(depth'), ('count', 'TOC_COUNTER(count'),
                        ('requests', 'TOC_COUNTER_BY(requests'), ('null', 'TOC_COUNTER_BY(null'),
                        ('worker', 'TOC_HEARTBEAT(')):
        test = test.replace(f'@{name}@', str(line_of('gcc', 'every.c', words)))
    bench.write('test.yaml', test)
    status, said = promtool(bench, 'test', 'rules', 'test.yaml')
    same((status, 'SUCCESS' in said), (0, True), said)
    bench.write('test.yaml', test.replace('be counted', 'be told'))
    same(promtool(bench, 'test', 'rules', 'test.yaml')[0], 1, 'promtool compares annotations')


# ---- Grafana ------------------------------------------------------------------

def grafana_has_a_row_a_module_and_a_panel_a_probe(bench):
    board = json.loads(export(bench, '--grafana', every(bench)))
    rows = [panel for panel in board['panels'] if panel['type'] == 'row']
    panels = [panel for panel in board['panels'] if panel['type'] != 'row']
    same([row['title'] for row in rows], ['every'])
    same(len(panels), PANELS)
    same(re.fullmatch(r'[a-zA-Z0-9_-]{1,40}', board['uid']) is not None, True, board['uid'])
    same(board['schemaVersion'] >= 36, True)
    same([(variable['name'], variable['type'], variable['query'])
          for variable in board['templating']['list']], [('datasource', 'datasource', 'prometheus')])
    same(len({panel['id'] for panel in board['panels']}), 1 + PANELS, 'ids')
    taken = set()
    for panel in board['panels']:
        place = panel['gridPos']
        cells = {(x, y) for x in range(place['x'], place['x'] + place['w'])
                 for y in range(place['y'], place['y'] + place['h'])}
        same((place['x'] + place['w'] <= 24, len(cells & taken)), (True, 0), panel['title'])
        taken |= cells
    for panel in panels:
        refs = [target['refId'] for target in panel['targets']]
        same((len(refs) > 0, len(set(refs))), (True, len(refs)), panel['title'])
        same(panel['datasource'], {'type': 'prometheus', 'uid': '${datasource}'})


def steps_of(panel):
    return [(step['color'], step['value'])
            for step in panel['fieldConfig']['defaults']['thresholds']['steps']]


def grafana_draws_limits_in_the_unit_that_is_shown(bench):
    board = json.loads(export(bench, '--grafana', every(bench)))
    panels = {panel['title']: panel for panel in board['panels'] if panel['type'] != 'row'}
    for title, unit, steps, words in (
            ('lookup', 's', [('green', None), ('orange', 0.0015), ('red', 2)],
             'histogram_quantile(0.99, sum by (instance, le) '
             '(rate(every_lookup_seconds_bucket[$__rate_interval])))'),
            ('hourly', 'suffix: /h', [('orange', None), ('green', 1)], '* 3600'),
            ('used', 'short', [('green', None), ('red', 4096)], 'every_used'),
            ('live_bytes', 'bytes', [('green', None), ('orange', 1 << 20)], 'every_live_bytes'),
            ('errors', 'suffix: of 1000', [('green', None), ('red', 14), ('orange', 20)],
             'every_errors_part_total'),
            ('call', 'ms', [('green', None), ('orange', 30000)], 'oldest_start_timestamp'),
            ('worker', 'ms', [('green', None), ('red', 5000)], 'every_worker_beat_timestamp'),
            ('pipe', 'short', [('green', None), ('orange', 500)], 'every_pipe_out_total'),
            ('requests{failed}', 'suffix: /min', [('green', None), ('red', 10)],
             'every_requests_total{label="failed"}'),
            ('mode', 'short', [('green', None)], 'every_mode')):
        panel = panels[title]
        same(panel['fieldConfig']['defaults']['unit'], unit, title)
        same(steps_of(panel), steps, title)
        exprs = [target['expr'] for target in panel['targets']]
        same(any(words in expr for expr in exprs), True, exprs)
    same('\\<b>' in panels['used']['description'], True, 'HTML is escaped')


def every_query_of_the_dashboard_is_promql(bench):
    board = json.loads(export(bench, '--grafana', every(bench)))
    exprs = [target['expr'] for panel in board['panels'] for target in panel.get('targets', ())]
    same(len(exprs) > PANELS, True)
    rules = [{'record': f'query_{number}', 'expr': expr.replace('$__rate_interval', '5m')}
             for number, expr in enumerate(exprs)]
    accepted(bench, json.dumps({'groups': [{'name': 'board', 'rules': rules}]}), len(rules))


# ---- Markdown -----------------------------------------------------------------

def the_sheet_says_when_and_what_to_do(bench):
    sheet = export(bench, '--markdown', every(bench))
    headings = re.findall('^### (page|warn|note): ', sheet, re.M)
    same(headings, sorted(headings, key=('page', 'warn', 'note').index), 'page before warn')
    same(len(headings), len(ALERTS) - 1, 'all but the absent one')
    for words in (
            '### page: \\`a\\` "b" \'c\' \\\\ %d {{ $labels.x }}\n',
            '- Rings at: less than 1 an hour, for 2 hours\n',
            '- Rings at: at least 5 a second, over 10 seconds; until it is back at 2; '
            'and for 90 seconds more\n',
            '- Rings at: one in 100 takes more than 1500 microseconds (over 1 minute), '
            'if there were 50 at least\n',
            '- Rings at: never once, more than 1 day after the start, while mode is set\n',
            '- What to do: <https://wiki.example.com/every>\n',
            '- What to do: doc/page.md# not a comment\n',
            f"- Declared at: every.c:{line_of('gcc', 'every.c', 'TOC_HEARTBEAT(')}\n",
            '- Watches: \\<b>Bytes\\</b> in use, \\*bold\\*\n',
            '### page: full in \\[an\\](hour)\n',
            '- Watches: Bytes of www\\.a.example, http\\://b.example, c`@@`d`@`e.example\n',
            '- `every.requests{ok}`: only failed rings\n',
            '- `every.mode`: only gates "NEVER" | rules\n',
            '- `every.error_number_is_not_positive`: counted by `log_errors`\n'):
        same(words in sheet, True, f'{words!r} in {sheet}')


def only_addresses_become_links(bench):
    bench.write('links.c', r'''
#include <tocsin.h>
TOC_MODULE(links, "Runbooks that are none");
TOC_COUNTER(a, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"),
            TOC_RUNBOOK("javascript:alert(1)"));
TOC_COUNTER(b, "Things that happen", TOC_ALERT(total, >, 1, TOC_WARN, "more than one"),
            TOC_RUNBOOK("https://x.example/> <img src=y>"));
''')
    bench.compile('gcc', 'links.c', 'links.o')
    sheet = export(bench, '--markdown', 'links.o')
    same(re.findall(r'(?<!\\)<', sheet), [], sheet)


# ---- The list -----------------------------------------------------------------

def the_list_has_labels_and_what_stops(bench):
    """TOC_STOP_FROM(9) stops in version 9, TOC_STOP_IN_TESTS in tests."""
    for flags, stops in (((), ['may stop', 'may stop']), (('-DTOC_VERSION=9',), ['stops', 'may stop']),
                         (('-DTOC_TESTING', '-DTOC_VERSION=8'), ['may stop', 'stops'])):
        bench.compile('gcc', HERE / 'every.c', 'every.o', *flags)
        probes = bench.modules('every.o')[0]['probes']
        same([probe['labels'] for probe in probes if probe['name'] == 'requests'],
             [{'label': 'failed'}, {'label': 'ok'}, {'label': 'refused'}])
        same([probe['labels'] for probe in probes if probe['kind'] == 'must_hit'], [{}, {}])
        same([probe['stop'] for probe in probes if probe['kind'] == 'expectation'], stops, flags)
        same({probe['stop'] for probe in probes if probe['kind'] != 'expectation'}, {None})
        status, out, _ = bench.rules('every.o')
        same((status, b' requests{failed}  ' in out, b' requests{ok}  ' in out), (0, True, True))
        same([line.rsplit('", ')[1] for line in out.decode().splitlines() if 'expects' in line],
             [stop + ' the program' for stop in stops])


# ---- The command --------------------------------------------------------------

def wrong_usage(bench):
    every(bench)
    for arguments in (('--json', '--grafana'), ('--prometheus', '--markdown'),
                      ('--prometheus', '--scrape-interval=0'),
                      ('--prometheus', '--scrape-interval=241')):
        status, out, said = bench.rules(*arguments, 'every.o')
        same((status, out, said[:15]), (2, b'', b'tocsin: error: '), said)


def what_cannot_be_read_is_not_mistaken_for_yes(bench):
    every(bench)
    for form in ('--prometheus', '--tests', '--grafana', '--markdown'):
        status, out, said = bench.rules(form, 'every.o', 'missing')
        same((status, b'cannot be read' in said, out), (3, True, b''), said)
        status, _, said = bench.run('sh', '-c', f'exec "$0" rules {form} every.o >/dev/full',
                                    bench.tocsin)
        same((status, b'No space left' in said), (3, True), said)


TESTS = (prometheus_accepts_every_kind, prometheus_accepts_kvd,
         names_are_never_something_else, two_probes_of_one_series_are_told, this_test_can_fail,
         alerts_have_stable_and_distinct_names, what_rings_says_what_the_source_says,
         grafana_has_a_row_a_module_and_a_panel_a_probe,
         grafana_draws_limits_in_the_unit_that_is_shown, every_query_of_the_dashboard_is_promql,
         the_sheet_says_when_and_what_to_do, only_addresses_become_links,
         the_list_has_labels_and_what_stops, wrong_usage,
         what_cannot_be_read_is_not_mistaken_for_yes)


def with_kvd(test):
    def wrapped(bench):
        bench.kvd = os.path.abspath(sys.argv[3])
        test(bench)
    return wrapped


def main(functions):
    return run_tests([(test.__name__.replace('_', ' '), with_kvd(test)) for test in functions],
                     sys.argv[4:])


if __name__ == '__main__':
    sys.exit(main(TESTS))
