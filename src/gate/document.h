/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h - a YAML file as mappings and lists of plain words, nothing else, with line numbers.
 *
 * libyaml reads it; what our files do not need is refused: anchors, aliases, tags, several
 * documents, keys that are not words, the same key twice.
 *
 *         static const struct document_key keys[] = {
 *                 { .name = "module", .is_required = true, .set = set_name,
 *                   .offset = offsetof(struct contract, module), .wants = "a C name" },
 *         };
 *
 *         document_read(&document, node, &scope, &contract);
 *
 * Setters of words, choices and numbers are here; a file's own stand beside its table of keys.
 *
 * Units:     lines from 1. Ownership: nodes and words belong to the document until
 *            document_fini(); setters copy what they keep.
 * Errors:    what is wrong with the file is a whole line "FILE:LINE: what; remedy" in why, escaped,
 *            and counts in wrong_count; many can be told in one go. Of our own: error, -errno.
 * Threads:   one document, one thread.
 * Limits:    document_depth_max, document_wrong_max lines, document_shown_max bytes of a word.
 */
#ifndef GATE_DOCUMENT_H
#define GATE_DOCUMENT_H

#include "base/text.h"

#include <yaml.h>

enum { document_depth_max = 8, document_wrong_max = 20, document_shown_max = 60 };

struct document {
        const char *file; /* as shown in messages */
        struct text *why;
        size_t wrong_count;
        int error;
        bool is_loaded;
        yaml_document_t yaml;
};

/* Reads and checks the form; false: something was wrong, or error is set. */
bool document_load(struct document *document, const char *file, const char *bytes, size_t length,
                   struct text *why);
void document_fini(struct document *document);

/* NULL: the file is empty. */
yaml_node_t *document_root(struct document *document);
unsigned document_line(const yaml_node_t *node);

/* The word, or NULL when the node is a list or a mapping. Never empty of meaning: may be "". */
const char *document_word(const yaml_node_t *node);

/* Whether it is a name as C has them, of at most so many characters. */
bool document_is_c_name(const char *word, size_t length_max);

/* One more thing that is wrong, at that line. Words of the file as "%.*s" via DOCUMENT_SHOWN. */
void document_wrong(struct document *document, unsigned line, const char *format, ...)
        BASE_PRINTF(3, 4);
#define DOCUMENT_SHOWN(word) (int)document_shown_max, (word)

struct document_key {
        const char *name;
        bool is_required;
        const char *wants; /* "a C name": for messages */
        /* Stores the value at `field`; tells what is wrong by document_wrong(). */
        void (*set)(struct document *document, const struct document_key *key,
                    const yaml_node_t *value, void *field);
        size_t offset;      /* of the field in the target */
        const void *detail; /* the setter's */
};

struct document_scope {
        const char *what; /* "a contract" */
        const char *page; /* where its keys are explained: "doc/contracts.md" */
        const struct document_key *keys;
        size_t key_count;
};

/* Every pair of the mapping goes to its key's setter; unknown, repeated and missing keys are
 * wrong. */
void document_read(struct document *document, const yaml_node_t *mapping,
                   const struct document_scope *scope, void *target);

/* The value if it is one word that is not empty; else that is said, and NULL. */
const char *document_value(struct document *document, const struct document_key *key,
                           const yaml_node_t *value);

/* A char *, copied. detail: what the word may be; its `wants` completes "is not ...". */
struct document_word_kind {
        bool (*holds)(const char *word);
};
void document_set_word(struct document *document, const struct document_key *key,
                       const yaml_node_t *value, void *field);

/* An enum, of int's size. detail: at most document_choices_max words. */
enum { document_choices_max = 8 };
struct document_choice {
        const char *word;
        int value;
};
struct document_choices {
        const struct document_choice *items;
        size_t count;
        const char *said;
};
void document_set_choice(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field);

/* A uint64_t; no detail. */
void document_set_number(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field);

/* The items of a list, in order: false when the node is no list or has too many, which is said. */
bool document_items(struct document *document, const struct document_key *key,
                    const yaml_node_t *list, size_t count_max);
size_t document_item_count(const yaml_node_t *list);
const yaml_node_t *document_item(struct document *document, const yaml_node_t *list, size_t index);

#endif
