/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a fraction of a byte is observed */
/* refuse: conversion from 'double' to 'int64_t' */
/* flags: -Werror=float-conversion */
/* only: gcc */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request, n);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request, ratio);
}
#endif
