/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - the memory of a run: ledger.jsonl, to which records are only added, and blobs/.
 *
 *         {"n":3,"prev":"9f86d0...","t":"2026-01-31T23:59:59.999Z","type":"call.intent", ...}
 *
 * One JSON object a line; prev is the SHA-256 of the bytes of the line before, without its newline
 * (of no bytes at all for the first). A record is on the disk (one write, fdatasync) when
 * ledger_append() returns, and stands before the act that it announces. A last line that was torn
 * by a crash is dropped when the ledger is opened for writing; anything else that does not fit is
 * LEDGER_BROKEN, with the line that was changed. What is big lies in blobs/ab/cdef..., named by its
 * SHA-256, and is there before a record names it.
 *
 * Units:     bytes. Ownership: records belong to the ledger; views until ledger_close().
 * Threads:   one. One writer a run, among all processes: an flock() on ledger.jsonl.
 * Errors:    0; -errno, and the file is as it was before the call (-ENOSPC: a disk that is full
 *            leaves no half line); LEDGER_x with one sentence in `why`.
 * Limits:    ledger_bytes_max, ledger_line_bytes_max, ledger_blob_bytes_max.
 */
#ifndef FORGE_LEDGER_H
#define FORGE_LEDGER_H

#include "base/text.h"

#include <jansson.h>

enum {
        ledger_line_bytes_max = 256 << 10,
        ledger_bytes_max = 64 << 20,
        ledger_blob_bytes_max = 4 << 20,
};

enum ledger_outcome {
        LEDGER_NONE = 1, /* there is no run in that folder */
        LEDGER_BUSY,     /* another process writes to it */
        LEDGER_BROKEN,   /* somebody changed it */
};

enum ledger_mode { LEDGER_READ, LEDGER_WRITE };

struct ledger;

/* The folder exists and has no ledger yet. */
int ledger_create(const char *folder, struct ledger **ret_ledger, struct text *why);
/* LEDGER_READ takes no lock and changes nothing; a torn last line is passed over. */
int ledger_open(const char *folder, enum ledger_mode mode, struct ledger **ret_ledger,
                struct text *why);
void ledger_close(struct ledger **ledger);

const char *ledger_folder(const struct ledger *ledger);
int ledger_folder_fd(const struct ledger *ledger);
size_t ledger_count(const struct ledger *ledger);
const json_t *ledger_record(const struct ledger *ledger, size_t index);
bool ledger_was_torn(const struct ledger *ledger);
/* Whether another process writes to it at this moment, as far as the kernel tells. */
bool ledger_is_busy(const struct ledger *ledger);
/* SHA-256 of the last line: what vouches for all of it. */
const char *ledger_head(const struct ledger *ledger);

/* Takes the fields (an object) in any case; n, prev, t and type are added before them. The new
 * record is the last. */
int ledger_append(struct ledger *ledger, const char *type, json_t *fields);

/* Takes room on the disk, so that what a paid answer becomes can be kept: one blob of up to `bytes`
 * and the records after it. -ENOSPC before anything is paid, not afterwards. */
int ledger_reserve(struct ledger *ledger, size_t bytes);

int ledger_keep(struct ledger *ledger, const void *bytes, size_t length, char ret_hex[65]);
/* -EBADMSG: the blob is not what its name says. */
int ledger_fetch(const struct ledger *ledger, const char *hex, struct text *into);

#endif
