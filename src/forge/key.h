/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - the key of an endpoint: read once, sent in one header, and never seen anywhere else.
 *
 * Units:     bytes. Ownership: key_fini() overwrites the bytes before it frees them.
 * Errors:    0; -errno; enum key_outcome with one sentence in `why`, in which the key does not
 *            stand.
 * Threads:   one key, one thread; reading waits up to key_command_max_s for a command, or
 *            until stop_descriptor() is readable.
 * Limits:    key_bytes_min, below which it is a stand-in ("none", "ollama") that servers without
 *            keys are given, and is not taken out of texts in which it may well be a word.
 */
#ifndef FORGE_KEY_H
#define FORGE_KEY_H

#include "forge/models.h"

enum { key_bytes_min = 8, key_bytes_max = 4096, key_command_max_s = 30 };
enum key_outcome {
        KEY_WRONG = 1,
        KEY_STOPPED, /* gate/stop.h: while its command ran */
};

struct key {
        struct text bytes; /* empty: none is configured */
};

/* Whether a variable, "NAME" or "NAME=VALUE", is called like one that holds a key. */
bool key_is_named(const char *variable);

int key_read(const struct model *model, struct key *ret_key, struct text *why);
void key_fini(struct key *key);

/* [key] wherever it stands. The text does not grow. */
void key_redact(const struct key *key, struct text *text);
/* The same for an array that ends with a NUL. */
void key_redact_string(const struct key *key, char *string);

#endif
