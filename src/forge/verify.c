/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a chain of records vouches only for the names of what is too big for it: what was
 * asked, what was answered, and the files that were made of it.
 */
#include "forge/verify.h"
#include "base/error.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

struct check {
        const struct ledger *ledger;
        struct text *why;
        struct text blob;
};

static void close_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir); /* only read from */
}

static void fini(struct check *check)
{
        text_fini(&check->blob);
}

/* ---- What records name ------------------------------------------------------------------- */

static int check_name(struct check *check, size_t line, const char *what, const json_t *name)
{
        const char *hex = json_string_value(name);
        int failed;

        if (!hex || !*hex)
                return 0; /* there was none: an answer without files, a verdict without findings */
        text_clear(&check->blob);
        failed = ledger_fetch(check->ledger, hex, &check->blob);
        if (failed == -EINVAL)
                text_printf(check->why, "ledger.jsonl:%zu: '%s' is no name of a blob", line, what);
        else if (failed == -ENOENT || failed == -ENOTDIR)
                text_printf(check->why, "ledger.jsonl:%zu: the blob of its '%s' is gone: %s", line,
                            what, hex);
        else if (failed == -EBADMSG)
                text_printf(check->why, "ledger.jsonl:%zu: the blob of its '%s' was changed: %s",
                            line, what, hex);
        else
                return failed; /* 0: as it should be */
        return VERIFY_FAILS;
}

static int check_files(struct check *check, size_t line, const json_t *files)
{
        int outcome = 0;

        for (size_t i = 0; i < json_array_size(files) && !outcome; i++)
                outcome = check_name(check, line, "files",
                                     json_object_get(json_array_get(files, i), "sha256"));
        return outcome;
}

static int check_record(struct check *check, size_t line, const json_t *record)
{
        /* Fields that name a blob. */
        static const struct {
                const char *type;
                const char *field;
        } names[] = {
                { "call.intent", "prompt" },
                { "call.result", "answer" },
                { "reply", "prose" },
                { "verdict", "packet" },
        };
        const char *type = json_string_value(json_object_get(record, "type"));
        int outcome = 0;

        for (size_t i = 0; i < BASE_COUNT(names) && !outcome; i++)
                if (strcmp(type, names[i].type) == 0)
                        outcome = check_name(check, line, names[i].field,
                                             json_object_get(record, names[i].field));
        if (!outcome && (strcmp(type, "reply") == 0 || strcmp(type, "accept") == 0))
                outcome = check_files(check, line, json_object_get(record, "files"));
        return outcome;
}

/* ---- What lies there --------------------------------------------------------------------- */

static bool is_hidden(const char *name)
{
        return name[0] == '.'; /* also a draft that a crash left behind */
}

static int check_shelf(struct check *check, int blobs_fd, const char *shelf)
{
        int fd = openat(blobs_fd, shelf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        BASE_SCOPE(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                int failed = error_last();

                if (fd >= 0)
                        (void)close(fd); /* of a folder */
                if (failed != -ENOTDIR && failed != -ELOOP)
                        return failed;
                text_printf(check->why, "blobs/%s: is no folder of blobs", shelf);
                return VERIFY_FAILS;
        }
        while ((entry = readdir(dir))) {
                BASE_SCOPE(text_fini) struct text hex = TEXT_INIT(1024);
                int failed;

                if (is_hidden(entry->d_name))
                        continue;
                text_printf(&hex, "%s%s", shelf, entry->d_name);
                text_clear(&check->blob);
                failed = ledger_fetch(check->ledger, text_view(&hex), &check->blob);
                if (failed == -EBADMSG || failed == -EINVAL) {
                        text_printf(check->why, "blobs/%s/%s: is not what its name says", shelf,
                                    entry->d_name);
                        return VERIFY_FAILS;
                }
                if (failed)
                        return failed;
        }
        return 0;
}

static int check_shelves(struct check *check)
{
        int fd = openat(ledger_folder_fd(check->ledger), "blobs",
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        BASE_SCOPE(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        int outcome = 0;

        if (!dir) {
                outcome = error_last();
                if (fd >= 0)
                        (void)close(fd);                 /* of a folder */
                return outcome == -ENOENT ? 0 : outcome; /* nothing was kept yet */
        }
        while (!outcome && (entry = readdir(dir)))
                if (!is_hidden(entry->d_name))
                        outcome = check_shelf(check, dirfd(dir), entry->d_name);
        return outcome;
}

/* ---- Decisions --------------------------------------------------------------------------- */

/*
 * THE REPLAY GOES HERE: `return replay_check(ledger, why);` of forge/replay.h, its outcomes above 0
 * made VERIFY_FAILS. It asks whether each decision follows from the records before it.
 */
static int check_decisions(const struct ledger *ledger, struct text *why)
{
        (void)ledger;
        (void)why;
        return 0;
}

int verify_run(const struct ledger *ledger, struct text *why)
{
        BASE_SCOPE(fini)
        struct check check = {
                .ledger = ledger,
                .why = why,
                .blob = TEXT_INIT(ledger_blob_bytes_max),
        };
        int outcome = 0;

        for (size_t i = 0; i < ledger_count(ledger) && !outcome; i++)
                outcome = check_record(&check, i + 1, ledger_record(ledger, i));
        if (!outcome)
                outcome = check_shelves(&check);
        return outcome ? outcome : check_decisions(ledger, why);
}
