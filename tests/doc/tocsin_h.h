/* SPDX-License-Identifier: Apache-2.0 */
/* What fragments of tocsin.h(3) take for granted. */
#ifndef DOC_TOCSIN_H_H
#define DOC_TOCSIN_H_H

#include <errno.h>
#include <stddef.h>
#include <tocsin.h>

TOC_MODULE(manual, "Fragments of tocsin.h(3)");

#endif
