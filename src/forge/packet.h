/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - what the gate found, made small and plain enough to be sent to whoever wrote it.
 *
 * From the folder of a report (verdict.json, evidence/): one finding in full, the others by a line,
 * up to packet_lines_max. In full means: its message, the lines of its evidence that speak of the
 * candidate's files, and the source of the case that failed. The same failure gives the same
 * bytes: addresses, process numbers, temporary paths, times and fractions of seconds are taken out
 * (whole seconds stay: they are those of rules). All of it is data from a candidate: printable
 * ASCII only, within a fence whose mark nobody can guess, and at most packet_bytes_max in all:
 *
 *         === data 0123456789abcdef ===
 *         ...
 *         === end 0123456789abcdef ===
 *
 * Units:     bytes; a score in permille. Ownership: the struct's until packet_fini().
 * Errors:    0; -errno; PACKET_WRONG: no verdict that can be read, with a sentence in `why`.
 * Threads:   any. Limits: below.
 */
#ifndef FORGE_PACKET_H
#define FORGE_PACKET_H

#include "gate/candidate.h"

#include <jansson.h>

enum {
        packet_bytes_max = 6 << 10,
        packet_evidence_max = 2 << 10, /* of the candidate's own text in it */
        packet_lines_max = 10,
        packet_keys_max = 64,
        packet_verdict_bytes_max = 16 << 20,
};
enum packet_outcome { PACKET_WRONG = 1 };
enum packet_verdict { PACKET_ACCEPTED, PACKET_REJECTED, PACKET_UNKNOWN };

struct packet {
        enum packet_verdict verdict;
        unsigned score_permille;
        char stage[24];    /* the first that did not pass; "" if accepted */
        char contract[65]; /* whose verdict it is: the digests that stand in it, or "" */
        char candidate[65];
        char signature[65];   /* SHA-256 of stage and keys: the same failure again? */
        json_t *keys;         /* array of "unit.leak put": rule and case, sorted, each once */
        struct text headline; /* one line for people: the first finding, or why it is unknown */
        struct text text;     /* for the model; empty unless rejected */
        struct text why;      /* of unknown */
};

/* report: the folder. mark: of the fence, 16 hex digits. candidate: to quote its lines; NULL. */
int packet_read(const char *report, const struct contract *contract,
                const struct candidate *candidate, const char *mark, struct packet *ret_packet,
                struct text *why);
void packet_fini(struct packet *packet);

#endif
