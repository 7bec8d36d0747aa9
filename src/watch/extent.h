/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extent.h - the part of the segment reader that finds rows, blocks and events in the file.
 *
 * Ownership: what is found is added to the view. Errors, threads, limits: as segment.h says.
 */
#ifndef WATCH_EXTENT_H
#define WATCH_EXTENT_H

#include "watch/segment.h"

/* Looks at the extents between view->walked_bytes and the used bytes of the accepted header. */
int extent_walk(struct segment_view *view, const char **ret_why);

#endif
