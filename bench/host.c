/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a figure without its machine is worth nothing. */
#include "host.h"

#include "base/file.h"

#include <gnu/libc-version.h>
#include <sched.h>
#include <sys/utsname.h>

enum { cpuinfo_max = 1 << 20 };

#ifdef __clang__
#define COMPILER "" /* its version begins with its name */
#else
#define COMPILER "gcc "
#endif

/* Seen by everybody who looks at such figures and wonders. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED " with a sanitizer"
#else
#define SANITIZED ""
#endif

/* The value of the first line "key : value". */
static void find_value(const char *lines, const char *key, char ret_value[HOST_TEXT_MAX])
{
        const char *at = strstr(lines, key);
        const char *value = at ? strchr(at, ':') : NULL;

        if (!value)
                return;
        value += 1 + strspn(value + 1, " \t");
        (void)snprintf(ret_value, HOST_TEXT_MAX, "%.*s", (int)strcspn(value, "\n"), value);
}

static void describe_cpu(char ret_cpu[HOST_TEXT_MAX])
{
        struct text lines BASE_SCOPE(text_fini) = TEXT_INIT(cpuinfo_max);

        if (file_read(AT_FDCWD, "/proc/cpuinfo", &lines) == 0)
                find_value(text_view(&lines), "model name", ret_cpu);
}

static unsigned count_cpus(void)
{
        cpu_set_t allowed;

        return sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : (unsigned)CPU_COUNT(&allowed);
}

void host_describe(struct host *ret_host)
{
        struct host host = { "unknown", "unknown", "unknown", "unknown", "", count_cpus() };
        struct utsname name;

        describe_cpu(host.cpu);
        if (uname(&name) == 0)
                (void)snprintf(host.kernel, sizeof host.kernel, "%s %s %s", name.sysname,
                               name.release, name.machine);
        (void)snprintf(host.compiler, sizeof host.compiler, "%s%s%s", COMPILER, __VERSION__,
                       SANITIZED);
        (void)snprintf(host.libc, sizeof host.libc, "glibc %s", gnu_get_libc_version());
        clock_text(clock_wall_ns(), host.time);
        *ret_host = host;
}
