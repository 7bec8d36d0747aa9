/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a report is never half there. Its page is a constant with one hole (embed.h): what
 * a candidate wrote cannot become markup.
 */
#include "gate/report.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/digest.h"
#include "gate/embed.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { report_path_max = 4096 };

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* of a folder: nothing can be lost */
}

/* ---- Where it goes ----------------------------------------------------------------------- */

static bool is_empty(int fd)
{
        int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = own < 0 ? NULL : fdopendir(own);
        const struct dirent *entry;
        size_t count = 0;

        if (!dir) {
                close_fd(&own);
                return false;
        }
        while ((entry = readdir(dir)) && count < 3)
                count++;
        (void)closedir(dir);
        return count <= 2; /* . and .. */
}

int report_may_stand(const char *path, struct text *why)
{
        BASE_SCOPE(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat is;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd >= 0 && (is_empty(fd) || (!fstatat(fd, "verdict.json", &is, AT_SYMLINK_NOFOLLOW) &&
                                         !fstatat(fd, "index.html", &is, AT_SYMLINK_NOFOLLOW))))
                return 0;
        text_printf(why,
                    "'%s' is there and is no report of tocsin; give another folder to --report",
                    path);
        return -EEXIST;
}

/* The folders above it. */
static int make_parents(const char *path)
{
        char part[report_path_max];
        size_t length = strlen(path);

        if (length >= sizeof(part))
                return -ENAMETOOLONG;
        for (size_t i = 1; i < length; i++) {
                if (path[i] != '/')
                        continue;
                memcpy(part, path, i);
                part[i] = '\0';
                if (mkdir(part, 0777) && errno != EEXIST)
                        return error_last();
        }
        return 0;
}

/* ---- What goes in ------------------------------------------------------------------------ */

static int write_evidence(int fd, const struct verdict *verdict)
{
        int failed = 0;

        if (mkdirat(fd, "evidence", 0777))
                return error_last();
        for (size_t i = 0; i < STAGE_COUNT; i++) {
                const struct stage_result *result = verdict->results[i];

                for (size_t j = 0; result && j < result->finding_count && !failed; j++) {
                        const struct finding *finding = &result->findings[j];
                        char sha256[digest_hex_size];
                        char name[digest_hex_size + 16];

                        if (!finding->evidence)
                                continue;
                        failed = digest_of(finding->evidence, finding->evidence_length, sha256);
                        if (failed)
                                return failed;
                        (void)snprintf(name, sizeof(name), "evidence/%s.txt", sha256); /* fits */
                        failed = file_replace(fd, name, finding->evidence, finding->evidence_length,
                                              0666);
                }
        }
        return failed;
}

static int write_verdict(int fd, const struct verdict *verdict)
{
        json_t *json = verdict_json(verdict, false);
        char *dump = json ? json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
        int failed = dump ? file_replace(fd, "verdict.json", dump, strlen(dump), 0666) : -ENOMEM;

        free(dump);
        json_decref(json);
        return failed;
}

static int write_page(int fd, const struct verdict *verdict, const char *page)
{
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(embed_page_max);
        json_t *json = verdict_json(verdict, true);
        int failed = embed_json(page, "@VERDICT@", json, &whole);

        json_decref(json);
        return failed ? failed : file_replace(fd, "index.html", whole.bytes, whole.length, 0666);
}

/* ---- Into place -------------------------------------------------------------------------- */

static int move_into_place(const char *draft, const char *path)
{
        if (!renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE))
                return 0;
        if (errno != EEXIST)
                return error_last();
        if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_EXCHANGE))
                return error_last();
        return file_remove_tree(AT_FDCWD, draft);
}

static int fill(const struct verdict *verdict, const char *page, const char *draft)
{
        BASE_SCOPE(close_fd) int fd = open(draft, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        mode_t mask;
        int failed;

        if (fd < 0)
                return error_last();
        mask = umask(0);
        (void)umask(mask);
        failed = write_evidence(fd, verdict);
        if (!failed)
                failed = write_verdict(fd, verdict);
        if (!failed)
                failed = write_page(fd, verdict, page);
        if (!failed && fchmod(fd, 0777 & ~mask)) /* mkdtemp() made it for us alone */
                failed = error_last();
        return failed;
}

int report_write(const struct verdict *verdict, const char *page, const char *path,
                 struct text *why)
{
        BASE_SCOPE(text_fini) struct text draft = TEXT_INIT(report_path_max);
        int failed = report_may_stand(path, why);

        if (failed)
                return failed;
        text_printf(&draft, "%s.draft-XXXXXX", path);
        failed = draft.error ? draft.error : make_parents(path);
        if (!failed && !mkdtemp(draft.bytes))
                failed = error_last();
        if (!failed) {
                failed = fill(verdict, page, text_view(&draft));
                if (!failed)
                        failed = move_into_place(text_view(&draft), path);
                if (failed)
                        /* What is wrong is said below; a rest would be the smaller evil. */
                        (void)file_remove_tree(AT_FDCWD, text_view(&draft));
        }
        if (failed)
                text_printf(why, "cannot write the report '%s': %s", path, error_text(failed));
        return failed;
}
