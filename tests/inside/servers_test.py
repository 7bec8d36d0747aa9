#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody here wrote, under load with everything on: same answers, no alert, the same end.
All at once, on a machine that is too small for them: what is too slow is not for this test to say.

usage: servers_test.py TOCSIN [SECONDS]
Output is TAP."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "run"))
import harness  # noqa: E402
import servers  # noqa: E402
import servers_run  # noqa: E402

SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
SLICES_S = (2, 5)


def test_of(kind):
    def test():
        try:
            result = servers_run.compare(kind, harness.TOCSIN, SECONDS, SLICES_S)
        except servers.Missing as missing:
            raise harness.Skip(str(missing)) from None
        assert result.rates, "there was no load"
        assert not result.complaints(), "\n".join(result.complaints())
    test.__name__ = f"{kind.name} is the same and silent"
    return test


class Fickle(servers.Sqlite):
    """Each of its answers is a new one, and it is not what it says that it is."""
    count = 0

    def answer(self):
        Fickle.count += 1
        return str(Fickle.count)

    def tree(self):
        return [1, *super().tree()]


def what_is_wrong_is_complained_about():
    try:
        said = servers_run.compare(Fickle, harness.TOCSIN, 1, (1, 1)).complaints()
    except servers.Missing as missing:
        raise harness.Skip(str(missing)) from None
    for words in ("gave another answer", "after the load", "nobody sees inside"):
        assert any(words in line for line in said), (words, said)
    result = servers_run.Result("x", alerts=[{"probe": "leak"}])
    assert len(result.complaints()) == 1, result


def ratios_are_those_of_pairs():
    """By hand: 9/10, 11/10, 20/20 and 6/5 have 1.05 in the middle."""
    middle, low, high = servers_run.spread([(10, 9), (10, 11), (20, 20), (5, 6)])
    for got, wanted in ((middle, 1.05), (low, 0.975), (high, 1.125)):
        assert abs(got - wanted) < 1e-9, (got, wanted)
    assert servers_run.spread([(0, 1)]) is None


if __name__ == "__main__":
    sys.exit(harness.run_tests([*map(test_of, servers.SERVERS), what_is_wrong_is_complained_about,
                                ratios_are_those_of_pairs], at_once=8))
