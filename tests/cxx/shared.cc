/* SPDX-License-Identifier: Apache-2.0 */
/* shared.cc - the file that makes shared.h a module; the program has one, and the shared object. */
#include <tocsin.h>

TOC_MODULE(shared, "Inline functions of a header");
