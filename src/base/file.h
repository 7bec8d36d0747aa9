/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - whole files in, whole files out, and a tree that we made away again.
 *
 * Paths are taken relative to dir_fd, as openat() does: AT_FDCWD for the working directory.
 *
 * Units:     bytes. Ownership: the caller owns every text and descriptor; none is kept.
 * Threads:   any; two writers of one path leave one of the two contents, never a mixture.
 * Errors:    -errno of the call that failed; what else is said at each function.
 * Limits:    reading stops at the maximum of the text it reads into; trees at file_depth_max.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/text.h"

#include <fcntl.h>
#include <sys/types.h>

enum { file_depth_max = 64 };

/*
 * Appends the whole file to `into`, whose maximum is the limit. Regular files only (those of /proc
 * count), so that no device, pipe or socket can block or answer for ever.
 * -EFBIG: more than the text may hold; -EISDIR; -EINVAL: neither file nor directory.
 * On an error the text holds what it held before, and remembers nothing.
 */
int file_read(int dir_fd, const char *path, struct text *into);

/* The same of an open file, from where it stands. */
int file_read_open(int fd, struct text *into);

/*
 * Opens, for reading, what is below the directory and nowhere else: no link is followed, no mount
 * entered, ".." does not lead out. -ELOOP, -EXDEV: that is where it would have led. A pipe does not
 * block. The caller closes it.
 */
int file_open_beneath(int dir_fd, const char *path, int *ret_fd);

/*
 * Replaces or creates a file at once: readers see the old content or the new one, also after a
 * power cut. What stands there must be a regular file: a link, device or directory is -EINVAL and
 * stays. `mode` passes through the umask. On an error before the rename nothing has changed.
 */
int file_replace(int dir_fd, const char *path, const void *bytes, size_t length, mode_t mode);

/*
 * Removes a directory that we made, with all that is in it. Follows no link and enters nothing that
 * is mounted inside. -EINVAL: the last part of the path is no name ("", "..", "a/");
 * -EPERM: it belongs to somebody else; -EXDEV: something is mounted inside; -EOVERFLOW: deeper than
 * file_depth_max. On an error some of it may be gone.
 */
int file_remove_tree(int dir_fd, const char *path);

#endif
