/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another way than the reference's: an automaton. Each byte is of one of twelve kinds, and a state
 * and a kind give the next state. A state is how many bytes are still wanted, and from which
 * range the next must come; so one loop serves all four functions, and no byte is looked at twice.
 */
#include "utf8.h"

#include <stdbool.h>
#include <tocsin.h>

TOC_MODULE(utf8, "Validator and decoder of UTF-8, by an automaton");

TOC_COUNTER(texts, "Texts looked at", TOC_QUIET("feeds the chart of the load"));
TOC_COUNTER(foreign, "Texts with a sequence that is not UTF-8",
            TOC_ALERT(per_second, >, 10, TOC_WARN, "much text comes in another encoding",
                      .hold_s = 10));
TOC_COUNTER(impossible, "Calls of utf8_encode with what is no scalar value",
            TOC_ALERT(per_second, >, 10, TOC_PAGE, "somebody computes wrong code points",
                      .hold_s = 10));

enum state {
        DONE,     /* between two characters */
        ONE,      /* 80..BF, and it is over */
        TWO,      /* 80..BF, then ONE */
        THREE,    /* 80..BF, then TWO */
        AFTER_E0, /* A0..BF, then ONE */
        AFTER_ED, /* 80..9F, then ONE */
        AFTER_F0, /* 90..BF, then TWO */
        AFTER_F4, /* 80..8F, then TWO */
        BAD,
        STATES = BAD,
};

enum kind {
        ASCII,
        LOW,    /* 80..8F */
        MIDDLE, /* 90..9F */
        HIGH,   /* A0..BF */
        LEAD_2,
        LEAD_E0,
        LEAD_3,
        LEAD_ED,
        LEAD_F0,
        LEAD_4,
        LEAD_F4,
        NEVER,
        KINDS,
};

static const unsigned char next_state[STATES][KINDS] = {
        [DONE] = { DONE, BAD, BAD, BAD, ONE, AFTER_E0, TWO, AFTER_ED, AFTER_F0, THREE, AFTER_F4,
                   BAD },
        [ONE] = { BAD, DONE, DONE, DONE, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [TWO] = { BAD, ONE, ONE, ONE, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [THREE] = { BAD, TWO, TWO, TWO, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [AFTER_E0] = { BAD, BAD, BAD, ONE, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [AFTER_ED] = { BAD, ONE, ONE, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [AFTER_F0] = { BAD, BAD, TWO, TWO, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
        [AFTER_F4] = { BAD, TWO, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
};

/* Of the bytes E0..FF; below, the upper bits are enough. */
static const unsigned char lead_kind[32] = {
        LEAD_E0, LEAD_3, LEAD_3,  LEAD_3, LEAD_3, LEAD_3,  LEAD_3, LEAD_3, LEAD_3, LEAD_3,  LEAD_3,
        LEAD_3,  LEAD_3, LEAD_ED, LEAD_3, LEAD_3, LEAD_F0, LEAD_4, LEAD_4, LEAD_4, LEAD_F4, NEVER,
        NEVER,   NEVER,  NEVER,   NEVER,  NEVER,  NEVER,   NEVER,  NEVER,  NEVER,  NEVER,
};

/* What of a first byte belongs to the point, by kind. */
static const unsigned char lead_mask[KINDS] = {
        [ASCII] = 0x7f,   [LEAD_2] = 0x1f,  [LEAD_E0] = 0x0f, [LEAD_3] = 0x0f,
        [LEAD_ED] = 0x0f, [LEAD_F0] = 0x07, [LEAD_4] = 0x07,  [LEAD_F4] = 0x07,
};

static enum kind kind_of(unsigned char byte)
{
        if (byte < 0x80)
                return ASCII;
        if (byte >= 0xe0)
                return lead_kind[byte - 0xe0];
        if (byte >= 0xc0)
                return byte < 0xc2 ? NEVER : LEAD_2;
        return byte < 0x90 ? LOW : byte < 0xa0 ? MIDDLE : HIGH;
}

struct walk {
        enum state state;
        uint32_t point;
        size_t taken; /* bytes that fit: of the character, or of its maximal subpart */
};

/* Up to the end of the first character, or to where it goes wrong. */
static struct walk walk_over(const unsigned char *bytes, size_t length)
{
        struct walk walk = { DONE, 0, 0 };

        do {
                const unsigned char byte = bytes[walk.taken];
                const enum kind kind = kind_of(byte);
                const enum state next = next_state[walk.state][kind];

                if (next == BAD) {
                        walk.state = BAD;
                        break;
                }
                walk.point = walk.taken ? walk.point << 6 | (byte & 0x3fU)
                                        : byte & (uint32_t)lead_mask[kind];
                walk.state = next;
                walk.taken++;
        } while (walk.state != DONE && walk.taken < length);
        return walk;
}

size_t utf8_check(const void *bytes, size_t length)
{
        const unsigned char *from = bytes;
        enum state state = DONE;
        size_t good = 0;

        toc_count(texts);
        for (size_t at = 0; at < length && state != BAD; at++) {
                state = next_state[state][kind_of(from[at])];
                if (state == DONE)
                        good = at + 1;
        }
        if (good < length)
                toc_count(foreign);
        return good;
}

int utf8_decode(const void *bytes, size_t length, uint32_t *ret_point)
{
        struct walk walk;

        if (!length)
                return UTF8_CUT;
        walk = walk_over(bytes, length);
        if (walk.state != DONE)
                return walk.state == BAD ? UTF8_WRONG : UTF8_CUT;
        *ret_point = walk.point;
        return (int)walk.taken;
}

int utf8_encode(uint32_t point, unsigned char ret_bytes[UTF8_SIZE_MAX])
{
        if (point < 0x80) {
                ret_bytes[0] = (unsigned char)point;
                return 1;
        }
        if (point < 0x800) {
                ret_bytes[0] = (unsigned char)(0xc0 | point >> 6);
                ret_bytes[1] = (unsigned char)(0x80 | (point & 0x3f));
                return 2;
        }
        if (point > 0x10ffff || point >> 11 == 0x1b) {
                toc_count(impossible);
                return UTF8_WRONG;
        }
        if (point < 0x10000) {
                ret_bytes[0] = (unsigned char)(0xe0 | point >> 12);
                ret_bytes[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
                ret_bytes[2] = (unsigned char)(0x80 | (point & 0x3f));
                return 3;
        }
        ret_bytes[0] = (unsigned char)(0xf0 | point >> 18);
        ret_bytes[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
        ret_bytes[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
        ret_bytes[3] = (unsigned char)(0x80 | (point & 0x3f));
        return 4;
}

size_t utf8_repair(const void *bytes, size_t length, unsigned char *into, size_t size)
{
        const unsigned char *from = bytes;
        size_t needed = 0;
        bool is_full = false;

        for (size_t at = 0; at < length;) {
                const struct walk walk = walk_over(from + at, length - at);
                unsigned char spelt[UTF8_SIZE_MAX];
                const uint32_t point = walk.state == DONE ? walk.point : 0xfffd;
                const size_t count = (size_t)utf8_encode(point, spelt);

                is_full |= needed + count > size;
                for (size_t i = 0; i < count && !is_full; i++)
                        into[needed + i] = spelt[i];
                needed += count;
                at += walk.taken ? walk.taken : 1;
        }
        return needed;
}
