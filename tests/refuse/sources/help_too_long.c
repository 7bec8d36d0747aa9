/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the help is longer than a record holds, by one character */
/* refuse: the help of level used must have 8 to 71 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_LEVEL(used, "Slots in use, which are those that hold an entry that nobody evicted ye",
          TOC_QUIET("only feeds a chart"));
#else
TOC_LEVEL(used, "Slots in use, which are those that hold an entry that nobody evicted yet",
          TOC_QUIET("only feeds a chart"));
#endif
