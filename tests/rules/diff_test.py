#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tocsin diff` finds what became of the rules, and says which way each went.

CASES are two versions of a declaration and what must be said of them, written by hand. Each is
compared both ways: what was loosened one way was tightened the other.

usage: diff_test.py TOCSIN INCLUDE_DIR [WORD...]     only tests whose names contain all WORDs
Output is TAP.
"""

import json
import shutil
import sys

sys.dont_write_bytecode = True
from rules_test import on_a_terminal, run_tests, same  # noqa: E402

BACK = {'loosened': 'tightened', 'tightened': 'loosened', 'removed': 'added', 'added': 'removed',
        'changed': 'changed'}


def alert(options='', signal='per_minute', op='>', limit=100, severity='TOC_WARN',
          meaning='it means something'):
    return f'TOC_ALERT({signal}, {op}, {limit}, {severity}, "{meaning}"{options})'


def counter(*rules, name='evictions', help_text='Entries pushed out'):
    return f'TOC_COUNTER({name}, "{help_text}", {", ".join(rules)});'


def gauge(*rules):
    return f'TOC_GAUGE(used, "Slots in use", {", ".join(rules)});'


def value(options='', **more):
    return alert(options, **{'signal': 'value', **more})


def site(text):
    return f'int f(int n); int f(int n) {{ {text} return n; }}'


QUIET = 'TOC_QUIET("only a chart")'

# name, old, new, and each change: what, and its fields with their way.
CASES = (
    ('limit of >', counter(alert()), counter(alert(limit=200)),
     [('loosened', {'limit': 'loosened'})]),
    ('limit of <=', counter(alert(op='<=')), counter(alert(op='<=', limit=200)),
     [('tightened', {'limit': 'tightened'})]),
    ('limit of ==', counter(alert(op='==')), counter(alert(op='==', limit=200)),
     [('changed', {'limit': 'changed'})]),
    ('negative limit of <', gauge(value(op='<', limit=-5)), gauge(value(op='<', limit=-9)),
     [('loosened', {'limit': 'loosened'})]),
    ('> to >=', counter(alert()), counter(alert(op='>=')), [('tightened', {'op': 'tightened'})]),
    ('> to <', counter(alert()), counter(alert(op='<')), [('changed', {'op': 'changed'})]),
    ('> to !=', counter(alert()), counter(alert(op='!=')), [('tightened', {'op': 'tightened'})]),
    ('hold', counter(alert()), counter(alert(', .hold_s = 60')),
     [('loosened', {'hold_s': 'loosened'})]),
    ('keep', counter(alert()), counter(alert(', .keep_s = 60')),
     [('tightened', {'keep_s': 'tightened'})]),
    ('window of a rate', counter(alert()), counter(alert(', .window_s = 120')),
     [('changed', {'window_s': 'changed'})]),
    ('the own window, written down', counter(alert()), counter(alert(', .window_s = 60')), []),
    ('a clear level', counter(alert()), counter(alert(', .clear_at = 50')),
     [('tightened', {'clear_at': 'tightened'})]),
    ('clear level of >', counter(alert(', .clear_at = 50')), counter(alert(', .clear_at = 20')),
     [('tightened', {'clear_at': 'tightened'})]),
    ('clear level of <', gauge(value(', .clear_at = 150', op='<')),
     gauge(value(', .clear_at = 120', op='<')), [('loosened', {'clear_at': 'loosened'})]),
    ('severity', counter(alert()), counter(alert(severity='TOC_PAGE')),
     [('tightened', {'severity': 'tightened'})]),
    ('two ways at once', counter(alert()), counter(alert(', .hold_s = 60', limit=50)),
     [('changed', {'limit': 'tightened', 'hold_s': 'loosened'})]),
    ('a limit and the words', counter(alert()), counter(alert(limit=200, meaning='other words')),
     [('loosened', {'limit': 'loosened', 'meaning': 'changed'})]),
    ('words alone', counter(alert()), counter(alert(meaning='other words')),
     [('changed', {'meaning': 'changed'})]),
    ('help', counter(alert()), counter(alert(), help_text='Other entries'),
     [('changed', {'help': 'changed'})]),
    ('runbook', counter(alert()), counter(alert(), 'TOC_RUNBOOK("doc/page")'),
     [('changed', {'runbook': 'changed'})]),
    ('signal', counter(alert()), counter(alert(signal='per_hour', limit=900)),
     [('changed', {'signal': 'changed', 'limit': 'changed'})]),
    ('rule to quiet', counter(alert()), counter(QUIET), [('removed', {})]),
    ('reason', counter(QUIET), counter('TOC_QUIET("another reason")'),
     [('changed', {'reason': 'changed'})]),
    ('a second rule', counter(alert()), counter(alert(), alert(limit=500, severity='TOC_PAGE')),
     [('added', {})]),
    ('the first of two rules', counter(alert(), alert(limit=500, severity='TOC_PAGE')),
     counter(alert(limit=500, severity='TOC_PAGE')), [('removed', {})]),
    ('two rules change places', counter(alert(), alert(limit=500, severity='TOC_PAGE')),
     counter(alert(limit=500, severity='TOC_PAGE'), alert()), []),
    ('two rules change places, and one its limit',
     counter(alert(), alert(limit=500, severity='TOC_PAGE')),
     counter(alert(limit=600, severity='TOC_PAGE'), alert()),
     [('loosened', {'limit': 'loosened'})]),
    ('another name', counter(alert()), counter(alert(), name='pushed'),
     [('removed', {}), ('added', {})]),
    ('another kind', gauge(value()), 'TOC_LEVEL(used, "Slots in use", ' + value() + ');',
     [('removed', {}), ('added', {})]),
    ('volume', 'TOC_SHARE(bad, "Bad requests", ' + alert(signal='permille') + ');',
     'TOC_SHARE(bad, "Bad requests", ' + alert(', .volume_min = 10', signal='permille') + ');',
     [('tightened', {'volume_min': 'tightened'})]),
    ('the own volume, written down', 'TOC_SHARE(bad, "Bad requests", ' + alert(signal='permille')
     + ');', 'TOC_SHARE(bad, "Bad requests", ' + alert(', .volume_min = 20', signal='permille')
     + ');', []),
    ('objective', 'TOC_SHARE(bad, "Bad requests", ' + alert(', .objective_permille = 990',
                                                           signal='burn_fast') + ');',
     'TOC_SHARE(bad, "Bad requests", ' + alert(', .objective_permille = 999', signal='burn_fast')
     + ');', [('tightened', {'objective_permille': 'tightened'})]),
    ('capacity', gauge(alert(', .capacity = 10', signal='exhausts_s', op='<')),
     gauge(alert(', .capacity = 20', signal='exhausts_s', op='<')),
     [('loosened', {'capacity': 'loosened'})]),
    ('label', 'TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed), TOC_ALERT_ON(failed, '
     'per_minute, >, 10, TOC_PAGE, "requests fail"));',
     'TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed), TOC_ALERT_ON(failed, '
     'per_minute, >, 20, TOC_PAGE, "requests fail"));', [('loosened', {'limit': 'loosened'})]),
    ('a line more above a site', site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive");'),
     '\n\n' + site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive");'), []),
    ('the condition of a site', site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive");'),
     site('TOC_EXPECT(n > -9, TOC_PAGE, "n is positive");'), [('changed', {'help': 'changed'})]),
    ('the meaning of a site', site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive");'),
     site('TOC_EXPECT(n > 0, TOC_PAGE, "n is a number");'), [('removed', {}), ('added', {})]),
    ('stops', site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive");'),
     site('TOC_EXPECT(n > 0, TOC_PAGE, "n is positive", TOC_STOP_FROM(7));'),
     [('changed', {'stop': 'changed'})]),
    ('a gate', 'TOC_GAUGE(mode, "Whether it is on", TOC_QUIET("only a gate"));' + site(
        'TOC_REACHED(TOC_NOTE, "never comes here");'),
     'TOC_GAUGE(mode, "Whether it is on", TOC_QUIET("only a gate"));' + site(
         'TOC_REACHED(TOC_NOTE, "never comes here", TOC_WHEN(mode));'),
     [('loosened', {'when': 'loosened'})]),
    ('a site no longer usual', site('TOC_ERROR(0, TOC_USUAL, "it went wrong");'),
     site('TOC_ERROR(0, TOC_QUIET("nobody cares"), "it went wrong");'),
     # The sum that it was alone in goes with it.
     [('removed', {}), ('changed', {'usual': 'loosened', 'reason': 'changed'})]),
    ('a rule of its own to the usual one',
     site(f'TOC_ERROR(0, {alert(limit=0, severity="TOC_PAGE")}, "it went wrong");'),
     site('TOC_ERROR(0, TOC_USUAL, "it went wrong");'),
     [('removed', {}), ('changed', {'usual': 'changed'}), ('added', {})]),
    ('one more that says the same',
     site('TOC_EXPECT(n > 0, TOC_PAGE, "n is wrong"); TOC_EXPECT(n < 9, TOC_WARN, "n is wrong");'),
     site('TOC_EXPECT(n != 5, TOC_NOTE, "n is wrong"); TOC_EXPECT(n > 0, TOC_PAGE, "n is wrong");'
          ' TOC_EXPECT(n < 9, TOC_WARN, "n is wrong");'),
     [('added', {})]),
)


def build(bench, name, text):
    bench.write(f'{name}.c', '#include <tocsin.h>\nTOC_MODULE(store, "Keeps things");\n' + text)
    bench.compile('gcc', f'{name}.c', f'{name}.o')
    return f'{name}.o'


def diff(bench, *arguments):
    return bench.run(bench.tocsin, 'diff', *arguments)


def found(bench, old, new):
    status, out, said = diff(bench, '--json', old, new)
    changes = json.loads(out)['changes']
    same((status, said), (1 if changes else 0, b''))
    return [(change['change'], {field['field']: field['way'] for field in change['fields']})
            for change in changes]


def case_test(old, new, expected):
    def test(bench):
        build(bench, 'old', old)
        build(bench, 'new', new)
        same(found(bench, 'old.o', 'new.o'), expected)
        back = [(BACK[what], {name: BACK[way] for name, way in fields.items()})
                for what, fields in expected]
        same(sorted(found(bench, 'new.o', 'old.o'), key=str), sorted(back, key=str), 'back')
        for name in ('old.o', 'new.o'):
            same(diff(bench, name, name), (0, b'', b''), name)
    return test


OLD = '\n'.join((
    counter(alert(), alert(limit=500, severity='TOC_PAGE', meaning='it is on fire')),
    gauge(value(', .hold_s = 60', limit=80)),
    counter(QUIET, name='hits'), counter(alert(severity='TOC_PAGE'), name='drops'),
    counter(alert(), name='stays')))
NEW = '\n'.join((
    counter(alert(limit=300), QUIET.replace('QUIET', 'RUNBOOK')),
    gauge(value(', .hold_s = 30', limit=90)),
    counter(alert(limit=7), name='hits'), counter(QUIET, name='drops'),
    counter(alert(), name='stays'), counter(QUIET, name='extra')))
TABLE = '''\
removed    page  store.drops      per_minute > 100 "it means something"; it is quiet: "only a chart"
removed    page  store.evictions  per_minute > 500 "it is on fire"
loosened   warn  store.evictions  per_minute > 100: limit 100 -> 300
changed    page  store.evictions  runbook "none" -> "only a chart"
changed    warn  store.used       value > 80 for 60 s: limit 80 -> 90 (loosened), hold_s 60 -> 30 (tightened)
added      warn  store.hits       per_minute > 7 "it means something"; it was quiet: "only a chart"
added            store.extra      quiet "only a chart"
'''


def the_worst_comes_first(bench):
    build(bench, 'old', OLD)
    build(bench, 'new', NEW)
    status, out, said = diff(bench, 'old.o', 'new.o')
    same((status, out.decode(), said), (1, TABLE, b''))


def colour_is_for_terminals(bench):
    build(bench, 'old', OLD)
    build(bench, 'new', NEW)
    coloured = on_a_terminal(bench, 200, 'old.o', 'new.o', command='diff', NO_COLOR='')
    same(coloured.startswith('\033[31mremoved'), True, coloured)
    same(on_a_terminal(bench, 200, 'old.o', 'new.o', command='diff', NO_COLOR='1'), TABLE)


def json_has_both_sides(bench):
    build(bench, 'old', OLD)
    build(bench, 'new', NEW)
    _, out, _ = diff(bench, '--json', 'old.o', 'new.o')
    whole = json.loads(out)
    same((whole['tocsin'], whole['old'], whole['new']), ('1', 'old.o', 'new.o'))
    loosened = [change for change in whole['changes'] if change['change'] == 'loosened'][0]
    same((loosened['module'], loosened['probe'], loosened['kind'], loosened['severity'],
          loosened['labels'], loosened['old']['limit'], loosened['new']['limit']),
         ('store', 'evictions', 'counter', 'warn', {}, 100, 300))
    same(loosened['fields'],
         [{'field': 'limit', 'old': '100', 'new': '300', 'way': 'loosened'}])
    removed = whole['changes'][0]
    same((removed['old']['severity'], removed['new']), ('page', None))


def hostile_texts_stay_texts(bench):
    build(bench, 'old', counter(alert(meaning='plain words')))
    build(bench, 'new', counter(alert(meaning='more \\u202e words'))
          + counter(alert(), name='bad').replace('Entries', 'red \\033[31m'))
    status, out, said = diff(bench, 'old.o', 'new.o')
    # One record cannot be judged, so nobody can say what differs.
    same((status, out, b'help is not a printable text' in said), (3, b'', True), said)
    build(bench, 'new', counter(alert(meaning='more \\u202e words')))
    status, out, _ = diff(bench, 'old.o', 'new.o')
    same((status, b'\\xe2\\x80\\xae' in out, '\u202e' in out.decode()), (1, True, False), out)


def what_cannot_be_read_is_not_the_same(bench):
    build(bench, 'old', OLD)
    for arguments in (('old.o', 'missing'), ('missing', 'old.o'), ('missing', 'missing')):
        status, out, said = diff(bench, *arguments)
        same((status, out, b'cannot be read' in said), (3, b'', True), said)
    status, _, said = bench.run('sh', '-c', 'exec "$0" diff old.o new.o >/dev/full', bench.tocsin)
    same(status, 3, said)


def a_file_without_probes_lost_them_all(bench):
    build(bench, 'old', counter(alert()))
    bench.write('none.c', 'int nothing_here;\n')
    bench.compile('gcc', 'none.c', 'none.o')
    status, out, said = diff(bench, 'old.o', 'none.o')
    same((status, out.decode().split('\n')[0].split(), b'no probes' in said),
         (1, ['removed', 'warn', 'store.evictions', 'per_minute', '>', '100', '"it', 'means',
              'something";', 'the', 'probe', 'is', 'gone'], True), said)


def wrong_usage(bench):
    build(bench, 'old', counter(alert()))
    for arguments in ((), ('old.o',), ('old.o', 'old.o', 'old.o'), ('--what', 'old.o', 'old.o')):
        status, out, _ = diff(bench, *arguments)
        same((status, out), (2, b''), arguments)
    status, out, _ = diff(bench, '--help')
    same((status, b'Usage: tocsin diff' in out, b'Examples:' in out), (0, True, True))


def everything_is_the_same_in_a_copy(bench):
    build(bench, 'old', OLD)
    shutil.copy(bench.path('old.o'), bench.path('copy.o'))
    same(diff(bench, 'old.o', 'copy.o'), (0, b'', b''))


def tests():
    for name, old, new, expected in CASES:
        yield name, case_test(old, new, expected)
    for test in (the_worst_comes_first, colour_is_for_terminals, json_has_both_sides,
                 hostile_texts_stay_texts, what_cannot_be_read_is_not_the_same,
                 a_file_without_probes_lost_them_all, wrong_usage,
                 everything_is_the_same_in_a_copy):
        yield test.__name__.replace('_', ' '), test


if __name__ == '__main__':
    sys.exit(run_tests(tests(), sys.argv[3:]))
