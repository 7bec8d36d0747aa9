/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.h - from what a contract allows, in words of the source, to what an object may refer to.
 *
 *         symbols: [heap, memory, errno, clock_gettime]
 *
 *         symbols_allows(contract, "__errno_location")    true: that is what errno becomes
 *
 * A contract names presets (rows of symbols.def) or single functions. What a compiler emits of its
 * own accord is allowed always; what the macros of tocsin.h need, if the contract has that header.
 *
 * Units: none. Ownership: presets are constant; symbols_source_of() returns its argument, or a view
 * that is valid until the thread's next call. Errors: none. Threads: any.
 * Limits: names as C has them, at most symbols_name_max characters.
 */
#ifndef GATE_SYMBOLS_H
#define GATE_SYMBOLS_H

#include "gate/contract.h"

enum { symbols_name_max = 63 };

/* Whether that can stand in a contract: a preset, or any C name. */
bool symbols_known(const char *name);

bool symbols_is_preset(const char *name);
bool symbols_has_function(const char *name); /* in one of the presets */

/* The preset that was probably meant; NULL: none is near. */
const char *symbols_nearest_preset(const char *name);

/* What an author may write for a word of the contract, parted by spaces: the names in a preset, or
 * the word itself. */
void symbols_append_names(const char *word, struct text *into);

/* Whether an object of a candidate may refer to this symbol without defining it. */
bool symbols_allows(const struct contract *contract, const char *link_symbol);

/* What the author wrote to get it: "errno" for "__errno_location"; itself when nobody knows. */
const char *symbols_source_of(const char *link_symbol);

#endif
