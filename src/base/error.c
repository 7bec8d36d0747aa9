/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because strerror() shares a buffer between threads and errno may be 0 after a failure.
 */
#include "base/error.h"

#include <errno.h>
#include <limits.h>

static int magnitude(int error)
{
        if (error == INT_MIN)
                return INT_MAX;
        return error < 0 ? -error : error;
}

int error_last(void)
{
        return errno > 0 ? -errno : -EIO;
}

const char *error_text(int error)
{
        const char *text = strerrordesc_np(magnitude(error));

        return text ? text : "Unknown error";
}

const char *error_name(int error)
{
        const char *name = strerrorname_np(magnitude(error));

        return name ? name : "E?";
}
