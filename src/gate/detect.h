/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h - `detects` of a contract: would anyone notice if the world around the candidate broke?
 *
 * Each fault is injected from outside (src/case/fault.c, allocations by heap.c) while STRESS cases,
 * or for failing allocations FAULT cases, do what they always do; a warn or page rule of the module
 * that is silent without the fault has to ring within detect_seconds_max of rule time. A hundred
 * seconds of rule time pass in a real one, so that a hold or window of a minute costs little; what
 * was heard has to be heard again at a quarter of that speed, and if rules ring without any fault
 * all is tried more slowly, because a machine that stands still for a moment rings too.
 *
 * A fault that never strikes (the module takes no lock) proves nothing and rejects nobody: measures
 * say so. `invariant` is what ALARM cases are for.
 *
 * Errors:    0, with findings observe.undetected in the result; -errno. Ownership: *ret_measures is
 *            a new reference, NULL if the contract detects nothing. Threads: one.
 * Limits:    detect_case_max cases a fault.
 */
#ifndef GATE_DETECT_H
#define GATE_DETECT_H

#include "gate/stage.h"

#include <jansson.h>

enum { detect_seconds_max = 120, detect_case_max = 4 };

int detect_judge(struct stage_context *context, struct stage_result *result, const char *program,
                 json_t **ret_measures);

#endif
