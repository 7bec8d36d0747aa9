/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that those who make groups and those who only look read the same files alike. */
#include "watch/cgroup_read.h"

#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/sysmacros.h>

enum { small_file_max = 65536 };

const struct cgroup_kind cgroup_kinds[CGROUP_KINDS] = {
        { "memory", "memory", CGROUP_MEMORY },
        { "pids", "pids", CGROUP_PIDS },
        { "cpu", "cpu", CGROUP_CPU },
        { "io", "blkio", CGROUP_IO },
};

void cgroup_path_of(const char *pid, const char *controller, struct text *into)
{
        struct text all BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        char file[64];
        char *line, *rest;

        (void)snprintf(file, sizeof(file), "/proc/%s/cgroup", pid);
        if (file_read(AT_FDCWD, file, &all) || !all.bytes)
                return;
        rest = all.bytes;
        while ((line = strsep(&rest, "\n"))) {
                char *number = strsep(&line, ":");
                char *names = line ? strsep(&line, ":") : NULL;

                if (!names || !line)
                        continue;
                if (!controller && strcmp(number, "0") == 0 && !*names)
                        text_append(into, line);
                for (char *name; controller && (name = strsep(&names, ","));)
                        if (strcmp(name, controller) == 0)
                                text_append(into, line);
        }
}

static bool has_word(int dir_fd, const char *file, const char *word)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        char *rest, *part;

        if (file_read(dir_fd, file, &text) || !text.bytes)
                return false;
        rest = text.bytes;
        while ((part = strsep(&rest, " \n")))
                if (strcmp(part, word) == 0)
                        return true;
        return false;
}

unsigned cgroup_roles_in(int fd, const char *file)
{
        unsigned roles = 0;

        for (size_t i = 0; i < BASE_COUNT(cgroup_kinds); i++)
                if (has_word(fd, file, cgroup_kinds[i].name))
                        roles |= cgroup_kinds[i].role;
        return roles;
}

uint64_t cgroup_keyed(int dir_fd, const char *file, const char *key)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        char *rest, *line;
        uint64_t value = 0;

        if (dir_fd < 0 || file_read(dir_fd, file, &text))
                return 0;
        rest = text.bytes;
        while (rest && (line = strsep(&rest, "\n"))) {
                char *word = strsep(&line, " ");

                if (line && strcmp(word, key) == 0 && text_parse_u64(line, 0, UINT64_MAX, &value))
                        return 0;
        }
        return value;
}

uint64_t cgroup_stalled(int dir_fd, const char *file)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        unsigned percent, hundredths;

        if (dir_fd < 0 || file_read(dir_fd, file, &text) ||
            sscanf(text_view(&text), "some avg10=%u.%2u", &percent, &hundredths) != 2)
                return 0;
        return percent <= 100 ? (uint64_t)percent * 10 + hundredths / 10 : 0;
}

/* Version 2: "254:0 rbytes=1 wbytes=2 rios=3 ..."; version 1: "254:0 Read 1", "254:0 Write 2". */
void cgroup_transferred(int dir_fd, bool is_v2, dev_t device, struct cgroup_counts *counts)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        const char *file = is_v2 ? "io.stat" : "blkio.throttle.io_service_bytes";
        char name[32], *rest, *line;

        if (file_read(dir_fd, file, &text) || !text.bytes)
                return;
        (void)snprintf(name, sizeof(name), "%u:%u", major(device), minor(device));
        rest = text.bytes;
        while ((line = strsep(&rest, "\n"))) {
                if (strcmp(strsep(&line, " "), name) != 0 || !line)
                        continue;
                (void)sscanf(line, is_v2 ? "rbytes=%" SCNu64 : "Read %" SCNu64,
                             &counts->io_read_bytes);
                (void)sscanf(line, is_v2 ? "%*s wbytes=%" SCNu64 : "Write %" SCNu64,
                             &counts->io_written_bytes);
        }
}

uint64_t cgroup_number(int dir_fd, const char *file)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(64);
        uint64_t value = 0;

        if (file_read(dir_fd, file, &text))
                return 0;
        if (text.bytes && text.length && text.bytes[text.length - 1] == '\n')
                text.bytes[text.length - 1] = '\0';
        return text_parse_u64(text_view(&text), 0, UINT64_MAX, &value) ? 0 : value;
}
