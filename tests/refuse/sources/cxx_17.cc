/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a C++17 file includes the header */
/* refuse: in C++ it needs -std=c++20 or later */
/* flags: -std=c++17 */
/* place: the header, because it is the one that refuses */
#ifdef CORRECT
extern "C" void evict(void); /* defined in a C file with probes */
#else
#include <tocsin.h>
#endif
