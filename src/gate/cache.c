/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file a result, KEY.json, and one a piece of evidence, SHA256.txt, whose name is checked
 * against its bytes when it comes back.
 */
#include "gate/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/digest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { entry_bytes_max = 8 << 20, entry_name_max = 80, cache_format = 1 };

struct cache {
        int fd;
};

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* of a folder: nothing can be lost */
}

/* Folder by folder, so that none is used that somebody else could put things into. */
static int enter(int from, const char *name)
{
        struct stat is;
        int fd;

        if (mkdirat(from, name, 0700) && errno != EEXIST)
                return error_last();
        fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_last();
        if (!fstat(fd, &is) && is.st_uid == geteuid() && !(is.st_mode & (S_IWGRP | S_IWOTH)))
                return fd;
        close_fd(&fd);
        return -EPERM;
}

static int enter_base(void)
{
        const char *base = getenv("XDG_CACHE_HOME");
        const char *home = getenv("HOME");
        BASE_SCOPE(close_fd) int home_fd = -1;

        if (base && *base == '/') {
                (void)mkdir(base, 0700); /* enter() sees whether it is there */
                return enter(AT_FDCWD, base);
        }
        if (!home || *home != '/')
                return -ENOENT;
        home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return home_fd < 0 ? error_last() : enter(home_fd, ".cache");
}

struct cache *cache_open(void)
{
        BASE_SCOPE(close_fd) int base_fd = enter_base();
        BASE_SCOPE(close_fd) int ours_fd = base_fd < 0 ? -1 : enter(base_fd, "tocsin");
        int fd = ours_fd < 0 ? -1 : enter(ours_fd, "gate");
        struct cache *cache = fd < 0 ? NULL : calloc(1, sizeof(*cache));

        if (!cache) {
                close_fd(&fd);
                return NULL;
        }
        cache->fd = fd;
        return cache;
}

/* ---- Not more than so many --------------------------------------------------------------- */

struct entry {
        struct timespec at;
        char name[entry_name_max];
};

static int compare_age(const void *left, const void *right)
{
        const struct entry *a = left;
        const struct entry *b = right;

        if (a->at.tv_sec != b->at.tv_sec)
                return a->at.tv_sec < b->at.tv_sec ? -1 : 1;
        return (a->at.tv_nsec > b->at.tv_nsec) - (a->at.tv_nsec < b->at.tv_nsec);
}

static bool read_entry(int fd, const char *name, struct entry *ret_entry)
{
        struct stat is;

        if (strlen(name) >= entry_name_max || fstatat(fd, name, &is, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(is.st_mode))
                return false;
        ret_entry->at = is.st_mtim;
        memcpy(ret_entry->name, name, strlen(name) + 1);
        return true;
}

static void prune(struct cache *cache)
{
        struct entry *entries = calloc(2 * cache_entries_max, sizeof(*entries));
        int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *found;
        size_t count = 0;

        while (entries && dir && count < 2 * cache_entries_max && (found = readdir(dir)))
                count += read_entry(cache->fd, found->d_name, &entries[count]);
        if (count > cache_entries_max) {
                qsort(entries, count, sizeof(*entries), compare_age);
                for (size_t i = 0; i < count - cache_entries_max / 2; i++)
                        (void)unlinkat(cache->fd, entries[i].name, 0); /* the next run sees */
        }
        if (dir)
                (void)closedir(dir);
        else
                close_fd(&fd);
        free(entries);
}

void cache_close(struct cache **cache)
{
        if (!*cache)
                return;
        prune(*cache);
        close_fd(&(*cache)->fd);
        free(*cache);
        *cache = NULL;
}

/* ---- Out --------------------------------------------------------------------------------- */

static bool find_evidence(struct cache *cache, const char *sha256, struct finding *finding)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(finding_evidence_max);
        char name[entry_name_max];
        char is[digest_hex_size];

        if (strlen(sha256) != digest_hex_size - 1 || strchr(sha256, '/'))
                return false;
        (void)snprintf(name, sizeof(name), "%s.txt", sha256); /* fits, by the check above */
        if (file_read(cache->fd, name, &bytes) || digest_of(bytes.bytes, bytes.length, is) ||
            strcmp(is, sha256) != 0)
                return false;
        finding_evidence(finding, bytes.bytes, bytes.length);
        return finding->evidence;
}

static const char *text_or_null(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

static bool find_finding(struct cache *cache, const json_t *kept, struct stage_result *result)
{
        const char *rule = text_or_null(kept, "rule");
        const char *message = text_or_null(kept, "message");
        const char *sha256 = text_or_null(kept, "evidence");
        struct finding *finding;

        if (!rule || !message)
                return false;
        finding = finding_add(result, rule, "%s", message);
        if (!finding)
                return false;
        finding_at(finding, text_or_null(kept, "file"),
                   (unsigned)json_integer_value(json_object_get(kept, "line")));
        finding_case(finding, text_or_null(kept, "case"), text_or_null(kept, "build"));
        finding_other_cases(finding, text_or_null(kept, "others"));
        finding->fail_at = (uint64_t)json_integer_value(json_object_get(kept, "fault"));
        finding->is_sticky = json_is_true(json_object_get(kept, "sticky"));
        return !sha256 || find_evidence(cache, sha256, finding);
}

static bool find_all(struct cache *cache, const json_t *kept, const char *key,
                     struct stage_result *result)
{
        const char *is_for = text_or_null(kept, "key");
        const char *verdict = text_or_null(kept, "result");
        json_t *findings = json_object_get(kept, "findings");

        if (!is_for || strcmp(is_for, key) != 0 || !verdict || !json_is_array(findings) ||
            json_integer_value(json_object_get(kept, "format")) != cache_format)
                return false;
        result->verdict = strcmp(verdict, "pass") == 0 ? STAGE_PASS : STAGE_FAIL;
        if (result->verdict == STAGE_FAIL && strcmp(verdict, "fail") != 0)
                return false;
        for (size_t i = 0; i < json_array_size(findings); i++)
                if (!find_finding(cache, json_array_get(findings, i), result))
                        return false;
        result->is_unsound = json_is_true(json_object_get(kept, "unsound"));
        result->findings_dropped = (size_t)json_integer_value(json_object_get(kept, "dropped"));
        if ((result->verdict == STAGE_PASS) != (!result->finding_count && !result->is_unsound))
                return false;
        result->seconds = json_number_value(json_object_get(kept, "seconds"));
        if (json_is_object(json_object_get(kept, "measures")))
                result->measures = json_incref(json_object_get(kept, "measures"));
        result->was_cached = true;
        return true;
}

bool cache_find(struct cache *cache, const char *key, struct stage_result *result)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(entry_bytes_max);
        char name[entry_name_max];

        if (!cache)
                return false;
        (void)snprintf(name, sizeof(name), "%.64s.json", key); /* fits */
        if (file_read(cache->fd, name, &bytes))
                return false;
        result->kept = json_loadb(text_view(&bytes), bytes.length, 0, NULL);
        if (result->kept && find_all(cache, result->kept, key, result))
                return true;
        stage_result_fini(result);
        stage_result_init(result);
        return false;
}

/* ---- In ---------------------------------------------------------------------------------- */

static bool keep_evidence(struct cache *cache, const struct finding *finding,
                          char ret_sha256[digest_hex_size])
{
        char name[entry_name_max];

        if (digest_of(finding->evidence, finding->evidence_length, ret_sha256))
                return false;
        (void)snprintf(name, sizeof(name), "%s.txt", ret_sha256); /* fits */
        return !file_replace(cache->fd, name, finding->evidence, finding->evidence_length, 0600);
}

static json_t *text_json(const char *text)
{
        return text ? json_string(text) : json_null();
}

/* NULL when it cannot be kept as it is: a name that is no UTF-8, for one. */
static json_t *keep_finding(struct cache *cache, const struct finding *finding)
{
        char sha256[digest_hex_size];

        if (finding->evidence && !keep_evidence(cache, finding, sha256))
                return NULL;
        return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:b}", "rule",
                         finding->rule, "message", text_json(finding->message), "file",
                         text_json(finding->file), "line", (json_int_t)finding->line, "evidence",
                         text_json(finding->evidence ? sha256 : NULL), "case",
                         text_json(finding->test_case), "others", text_json(finding->other_cases),
                         "build", text_json(finding->build), "fault", (json_int_t)finding->fail_at,
                         "sticky", (int)finding->is_sticky);
}

static void keep_object(struct cache *cache, const char *key, const json_t *object)
{
        char *dump = object ? json_dumps(object, JSON_COMPACT) : NULL;
        char name[entry_name_max];

        (void)snprintf(name, sizeof(name), "%.64s.json", key); /* fits */
        if (dump)
                /* Without a cache the next run takes longer, that is all. */
                (void)file_replace(cache->fd, name, dump, strlen(dump), 0600);
        free(dump);
}

void cache_keep(struct cache *cache, const char *key, const struct stage_result *result)
{
        json_t *findings;
        json_t *object;
        bool is_whole = true;

        if (!cache || (result->verdict != STAGE_PASS && result->verdict != STAGE_FAIL) ||
            result->is_unknown)
                return;
        findings = json_array();
        for (size_t i = 0; i < result->finding_count && is_whole; i++)
                is_whole =
                        !json_array_append_new(findings, keep_finding(cache, &result->findings[i]));
        object = json_pack("{s:i, s:s, s:s, s:b, s:I, s:f, s:o, s:O?}", "format", cache_format,
                           "key", key, "result", stage_verdict_name(result->verdict), "unsound",
                           (int)result->is_unsound, "dropped", (json_int_t)result->findings_dropped,
                           "seconds", result->seconds, "findings", findings, "measures",
                           result->measures);
        if (is_whole)
                keep_object(cache, key, object);
        json_decref(object);
}
