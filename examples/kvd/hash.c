/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because with a hash that anybody can compute, one client turns the table into a list.
 * SipHash-2-4 as published by Aumasson and Bernstein; checked against their test vectors.
 */
#include "hash.h"

#include <endian.h>
#include <string.h>

struct state {
        uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
        return x << by | x >> (64 - by);
}

static void mix(struct state *s)
{
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word)
{
        s->v3 ^= word;
        mix(s);
        mix(s);
        s->v0 ^= word;
}

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t length)
{
        struct state s = { seed->low ^ 0x736f6d6570736575, seed->high ^ 0x646f72616e646f6d,
                           seed->low ^ 0x6c7967656e657261, seed->high ^ 0x7465646279746573 };
        const unsigned char *at = bytes;
        size_t left = length;
        uint64_t word;

        for (; left >= 8; left -= 8, at += 8) {
                memcpy(&word, at, 8);
                absorb(&s, le64toh(word));
        }
        word = (uint64_t)length << 56;
        for (size_t i = 0; i < left; i++)
                word |= (uint64_t)at[i] << (8 * i);
        absorb(&s, word);
        s.v2 ^= 0xff;
        for (int i = 0; i < 4; i++)
                mix(&s);
        return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
