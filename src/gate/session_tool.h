/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_tool.h - how a harness is started under each tool, and what the tool wrote about a case.
 *
 * Ownership: what is returned is constant. Threads: any. Units: none.
 * Errors:    a report that is not there leaves the verdict as it is. Limits: a report is read up to
 *            4 MiB, and bounded by the verdict's output.
 */
#ifndef GATE_SESSION_TOOL_H
#define GATE_SESSION_TOOL_H

#include "gate/session.h"

#define SESSION_TOOL_PROGRAM "/harness" /* inside */
#define SESSION_TOOL_INSIDE  "/libtocsin-inside.so.0"
#define SESSION_TOOL_REPORTS "/reports" /* inside; a folder that valgrind writes to */

bool session_tool_is_valgrind(const struct session_plan *plan);
const char *const *session_tool_arguments(const struct session_plan *plan);
const char *const *session_tool_environment(const struct session_plan *plan);

/* Reads and removes what the tool wrote when the process of that number ended. */
void session_tool_report(enum session_tool tool, int folder_fd, uint64_t pid,
                         struct session_verdict *verdict);

#endif
