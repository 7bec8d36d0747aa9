/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a C++ file includes the header */
/* refuse: C only for now; put the probes into a C file of your module */
/* place: the header, because it is the one that refuses */
#ifdef CORRECT
extern "C" void evict(void); /* defined in a C file with probes */
#else
#include <tocsin.h>
#endif
