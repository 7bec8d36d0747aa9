/* SPDX-License-Identifier: Apache-2.0 */
/* What fragments of doc/rules.md take for granted. */
#ifndef DOC_RULES_H
#define DOC_RULES_H

#include <tocsin.h>

TOC_MODULE(rules, "Fragments of doc/rules.md");

#endif
