/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - what people see while a candidate is judged, and what it came to.
 *
 * A line a stage, findings below it, one line at the end. On a terminal the stage that runs has a
 * line of its own, which is replaced as it goes on.
 *
 * Ownership: everything is borrowed. Threads: terminal_progress() from any; the rest from one.
 * Errors:    terminal_close() says whether all could be written: 0 or -errno.
 * Limits:    terminal_findings_max findings a stage; the report has all.
 */
#ifndef GATE_TERMINAL_H
#define GATE_TERMINAL_H

#include "gate/verdict.h"

enum { terminal_findings_max = 10 };

struct terminal;

/* is_json: lines go to standard error. */
int terminal_open(bool is_json, struct terminal **ret_terminal);
int terminal_close(struct terminal **terminal);

/* While brief, stages that passed before and come from the cache get no line, and a title none
 * until something below it has one. */
void terminal_brief(struct terminal *terminal, bool is_brief);
void terminal_title(struct terminal *terminal, const char *module, const char *what);
void terminal_begin(struct terminal *terminal, const char *stage);
void terminal_progress(void *terminal, const char *text); /* a stage_context's progress */
void terminal_stage(struct terminal *terminal, const struct verdict *verdict, size_t stage);
/* report: where it is; NULL: none was written. */
void terminal_verdict(struct terminal *terminal, const struct verdict *verdict, const char *report);
/* Standard output, one line. */
void terminal_json(struct terminal *terminal, const struct verdict *verdict);

#endif
