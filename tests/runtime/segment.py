# SPDX-License-Identifier: Apache-2.0
"""A second reader of segments, written from tocsin-segment(5) and not from the C code: what the
runtime wrote is judged by this one."""

import os
import struct

HEADER = struct.Struct("<8s6I6Q2I40s128s")
EXTENT = struct.Struct("<IIQIIQ32x")
ROW_TAIL = struct.Struct("<III")
EVENT = struct.Struct("<Q4IQQIc3xQIc3xII16Q312s")
ROWS, BLOCK, SHARED, EVENTS, FILLER = 1, 2, 3, 4, 5
UNSET = -(1 << 63)


def text(raw):
    return raw.split(b"\0", 1)[0].decode()


class Segment:
    def __init__(self, path):
        fd = os.open(path, os.O_RDONLY)
        try:
            raw = os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)
        (magic, self.version, start, record, row, event, self.state, used, self.attached_ns,
         self.wall_ns, self.namespace, self.dropped, self.private, self.pid, self.uid, boot,
         program) = HEADER.unpack_from(raw)
        assert magic == b"TOCSIN1\n", "no magic"
        assert (record, row, event) == (512, 576, 512)
        assert used <= len(raw), "used_bytes runs past the file"
        self.file_bytes = len(raw)
        self.boot_id, self.program = text(boot), text(program)
        self.rows, self.extents, self.events = [], [], []
        at = start
        while at < used:
            magic, kind, size, number, count, owner = EXTENT.unpack_from(raw, at)
            assert magic == 0x58434F54 and size % 64 == 0 and at + size <= used, hex(at)
            body = raw[at + 64:at + size]
            if kind == ROWS:
                self.rows += [(number, i, body[64 + 576 * i:64 + 576 * (i + 1)]) for i in range(count)]
            elif kind in (BLOCK, SHARED):
                self.extents.append((kind, number, owner, body[:count]))
            elif kind == EVENTS:
                for i in range(count):
                    self.events.append(EVENT.unpack_from(body, 64 + 512 * i))
            at += size
        assert at == used

    def sites(self):
        """[(module, kind, name, total)]; total is signed, over all blocks."""
        found = []
        for number, _, row in self.rows:
            kind = row[2]
            module, name = text(row[8:32]), text(row[32:72])
            offset, size, place = ROW_TAIL.unpack_from(row, 512)
            total = 0
            for cells_kind, owner_object, _, cells in self.extents:
                if cells_kind == place + 1 and owner_object == number:
                    total += struct.unpack_from("<q", cells, offset)[0]
            found.append((module, kind, name, None if place == 3 else total))
        return found

    def cells(self, name, label=""):
        """(kind, words of each block or of the shared cells) of a row."""
        (found,) = [(number, row) for number, _, row in self.rows
                    if text(row[32:72]) == name and text(row[176:208]) == label]
        number, row = found
        offset, size, place = ROW_TAIL.unpack_from(row, 512)
        return row[2], [struct.unpack_from(f"<{size // 8}q", cells, offset)
                        for kind, owner_object, _, cells in self.extents
                        if kind == place + 1 and owner_object == number]

    def words(self, name, label=""):
        """Summed over threads, as one reads them."""
        return [sum(column) for column in zip(*self.cells(name, label)[1])]

    def value(self, name, module=None):
        hits = [t for m, _, n, t in self.sites() if n == name and module in (None, m)]
        assert hits, "no row " + name
        return sum(hits)

    def cells_of(self, number, row):
        """All cells of a row, each summed over all blocks."""
        offset, size, place = ROW_TAIL.unpack_from(row, 512)
        total = [0] * (size // 8)
        for kind, owner, _, cells in self.extents:
            if kind == place + 1 and owner == number:
                for i, n in enumerate(struct.unpack_from(f"<{size // 8}Q", cells, offset)):
                    total[i] = (total[i] + n) % (1 << 64)
        return total

    def all_cells(self):
        """{name, with its label if it has one: cells}"""
        return {" ".join(filter(None, (text(row[32:72]), text(row[176:208])))):
                self.cells_of(number, row) for number, _, row in self.rows}

    def blocks(self):
        return [c for c in self.extents if c[0] == BLOCK]

    def happened(self):
        """[(kind, row name, count, (left, right), text, stack)] in the order of their numbers."""
        found = []
        for e in self.events:
            seq, kind, number, row, thread, count = e[:6]
            if not seq or seq & 1:
                continue
            depth, size = e[12], e[13]
            name = [text(r[32:72]) for o, i, r in self.rows if o == number and i == row][0]
            found.append((seq, kind, name, count, ((e[8], e[7], e[6]), (e[11], e[10], e[9])),
                          e[30][:size].decode(), list(e[14:14 + depth]), thread))
        return [f[1:] for f in sorted(found)]
