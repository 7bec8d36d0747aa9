# SPDX-License-Identifier: Apache-2.0
"""What `subject every_kind N` must have left in its segment: computed from N, not by the runtime."""

UNSET_SLOTS = [0] * 16


def bucket(value):
    """Eight buckets an octave, one a value from 2 to 15; as tocsin-machine.h says."""
    octave = value.bit_length() - 1
    return 8 * octave + ((value << 3 >> octave) - 8)


def complaints(segment, n):
    cells = segment.all_cells()
    wanted = {
        "events": [n], "depth": [(1 << 64) - n], "height": [7], "pulse": [n],
        "failed": [n, 2 * n], "job": [2 * n, 2 * n] + UNSET_SLOTS, "queue": [5 * n, 3 * n, n, n],
        "ended good": [n], "ended bad": [2 * n],
    }
    found = [f"{name} is {cells[name][:4]}, should be {count[:4]}"
             for name, count in wanted.items() if cells[name] != count]
    for name, over, values in (("step", [2 * n, n], (50000, 50001, 100000)),
                               ("size", [n, 0], (1000, 1001))):
        buckets = [0] * 505
        for value in values:
            buckets[bucket(value)] += n
        if cells[name] != over + [n * sum(values)] + buckets:
            found.append(f"{name} is {cells[name][:3]} and {sum(cells[name][3:])} values, should be "
                         f"{over} and {n * sum(values)}")
    sites = sorted((kind, total) for _, kind, _, total in segment.sites()
                   if kind in (10, 11, 13) and total)
    if sites != [(10, n), (11, n), (11, n), (13, n)]:
        found.append(f"sites are {sites}")
    if segment.private:
        found.append(f"{segment.private} blocks found no room")
    return found
