/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload.h - puts libtocsin-inside.so in front of a program's libraries, or says why it cannot be.
 *
 * The loader says nothing when it leaves a library out, so what cannot work is refused beforehand:
 * static programs, those that change their user, those of a sanitizer, those of another machine. Of
 * a script the interpreter is looked at.
 *
 * Errors:    0; PRELOAD_REFUSED with one sentence in `why`; -errno. Ownership: texts are the
 *            caller's. Threads: one. Limits: PATH_MAX.
 */
#ifndef WATCH_PRELOAD_H
#define WATCH_PRELOAD_H

#include "base/text.h"

enum preload_outcome { PRELOAD_REFUSED = 1 };

/* The library: $TOCSIN_INSIDE, else beside this program, in a build tree or installed. */
int preload_find(struct text *ret_path, struct text *why);

/* program: as execvp() takes it. One that is not there is nobody's to refuse here. */
int preload_check(const char *program, struct text *why);

#endif
