/* SPDX-License-Identifier: Apache-2.0 */
/* A candidate that does what its name says, good or bad; for session_test.c. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stddef.h>

struct subject;

struct subject *subject_new(size_t bytes); /* two allocations; NULL without memory */
void subject_free(struct subject *subject);
int subject_check(const struct subject *subject);
void subject_break(struct subject *subject);
void subject_forget(struct subject *subject); /* loses its second allocation */

void *subject_take(size_t bytes); /* one allocation */
void subject_return(void *memory);
char *subject_copy(const char *text); /* for the caller to free */
int subject_careless(void);           /* crashes when its second allocation fails */
int subject_leaks_on_error(void);     /* loses the first when the second fails */

int subject_each_way(void); /* eleven requests, each in another way */
int subject_add(int a, int b);
void subject_race(void); /* from several threads */
void subject_count(unsigned events);
void subject_fill(long to);
int subject_expect(int value);

#endif
