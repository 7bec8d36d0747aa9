/* SPDX-License-Identifier: Apache-2.0 */
/* lru.h - two modules, one of them in two files: enough to have something to list. */
#ifndef TESTS_RULES_LRU_H
#define TESTS_RULES_LRU_H

int lru_get(int key);
int lru_part(int key);
int net_send(int bytes);

#endif
