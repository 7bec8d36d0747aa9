/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - the error law of this house, and the words for what went wrong.
 *
 *   0          success.
 *   negative   -errno. Goes up unchanged until somebody can answer it or tell a person.
 *   positive   a named outcome of that one function, listed in its header as an enum. Its caller
 *              handles it and never passes it on: one room's number means nothing in the next.
 *
 * A function that can fail returns int and hands its result back through a parameter named ret_,
 * written only on success. Library code prints nothing; the program says what failed, once.
 *
 * Ownership: the texts are constants. Threads: every function is safe from any of them. Errors:
 * none; an unknown number still gets a text. Limits: none.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

/* How a program of this house ends; `tocsin run` passes on its program's own status instead. */
enum error_exit {
        ERROR_EXIT_YES = 0,
        ERROR_EXIT_NO = 1,            /* rejected, not proved, alerts fired */
        ERROR_EXIT_USAGE = 2,         /* the request is wrong */
        ERROR_EXIT_UNKNOWN = 3,       /* could not find out; never mistaken for yes */
        ERROR_EXIT_RUN = 125,         /* tocsin run itself failed, */
        ERROR_EXIT_RUN_DENIED = 126,  /* its program cannot be executed, */
        ERROR_EXIT_RUN_MISSING = 127, /* or is not there */
};

/* -errno of the library call that failed just before. Never 0: a call that failed without saying
 * why counts as -EIO, so that no failure is mistaken for success. */
int error_last(void);

/* "No such file or directory"; takes the number with either sign. */
const char *error_text(int error);

/* "ENOENT"; takes the number with either sign. */
const char *error_name(int error);

#endif
