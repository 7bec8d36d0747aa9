/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to keep SQL and SQLite's result codes in one file.
 */
#include "watch/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { page_bytes = 4096, busy_max_ms = 50 };

enum statement {
        LAST,
        ROWS,
        SUBSCRIBE,
        INSERT,
        NEXT,
        MOVE,
        COUNT,
        PRUNE,
        STATEMENT_COUNT,
};

static const char *const statements[STATEMENT_COUNT] = {
        [LAST] = "SELECT max(ifnull((SELECT max(sequence) FROM events), 0),"
                 " ifnull((SELECT max(place) FROM receivers), 0))",
        [ROWS] = "SELECT count(*) FROM events",
        [SUBSCRIBE] = "INSERT INTO receivers(name, number, types, place) VALUES(?1, ?2, ?3, 0)"
                      " ON CONFLICT(name) DO UPDATE SET number = ?2, types = ?3 RETURNING place",
        [INSERT] = "INSERT INTO events(sequence, type, body) VALUES(?1, ?2, ?3)",
        [NEXT] = "SELECT sequence, body FROM events WHERE sequence > ?1 AND (type & ?2) != 0"
                 " ORDER BY sequence LIMIT 1",
        [MOVE] = "UPDATE receivers SET place = ?2 WHERE number = ?1",
        [COUNT] = "SELECT count(*) FROM events WHERE sequence > ?1 AND (type & ?2) != 0",
        [PRUNE] = "DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM receivers"
                  " WHERE events.sequence > place AND (events.type & types) != 0)",
};

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS events(sequence INTEGER PRIMARY KEY, type INTEGER NOT NULL,"
        " body BLOB NOT NULL);"
        "CREATE TABLE IF NOT EXISTS receivers(name TEXT PRIMARY KEY, number INTEGER NOT NULL,"
        " types INTEGER NOT NULL, place INTEGER NOT NULL);";

struct store {
        sqlite3 *db;
        sqlite3_stmt *prepared[STATEMENT_COUNT];
        uint64_t rows;
};

/* What SQLite means, in the words of the house. */
static int errno_of(int code)
{
        switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_PERM:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
                return -EACCES;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
                return -EILSEQ;
        default:
                return -EIO;
        }
}

static sqlite3_stmt *bind(struct store *store, enum statement statement, uint64_t first,
                          uint64_t second)
{
        sqlite3_stmt *prepared = store->prepared[statement];

        /* Numbers always bind; a wrong index would be a programming error, and SQLITE_RANGE. */
        (void)sqlite3_bind_int64(prepared, 1, (sqlite3_int64)first);
        (void)sqlite3_bind_int64(prepared, 2, (sqlite3_int64)second);
        return prepared;
}

/* One step of a statement that has at most one row; then it is ready for the next use. */
static int run(sqlite3_stmt *prepared, uint64_t *ret_number)
{
        int code = sqlite3_step(prepared);

        if (code == SQLITE_ROW && ret_number)
                *ret_number = (uint64_t)sqlite3_column_int64(prepared, 0);
        (void)sqlite3_reset(prepared); /* repeats the code of the step */
        return errno_of(code);
}

static int prepare(struct store *store, uint64_t file_bytes_max)
{
        char limit[64];
        int code;

        (void)snprintf(limit, sizeof(limit), "PRAGMA max_page_count = %llu",
                       (unsigned long long)(file_bytes_max / page_bytes));
        code = sqlite3_busy_timeout(store->db, busy_max_ms);
        if (code == SQLITE_OK)
                code = sqlite3_exec(store->db, "PRAGMA page_size = 4096", NULL, NULL, NULL);
        /* Readers do not block the watcher, and no event waits for a disk to spin. */
        if (code == SQLITE_OK)
                code = sqlite3_exec(store->db,
                                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL,
                                    NULL, NULL);
        if (code == SQLITE_OK)
                code = sqlite3_exec(store->db, limit, NULL, NULL, NULL);
        if (code == SQLITE_OK)
                code = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
        for (int i = 0; i < STATEMENT_COUNT && code == SQLITE_OK; i++)
                code = sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                          &store->prepared[i], NULL);
        return errno_of(code);
}

int store_open(const char *path, uint64_t file_bytes_max, struct store **ret_store)
{
        struct store *store = calloc(1, sizeof(*store));
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_NOFOLLOW;
        int failed, fd;

        if (!store)
                return -ENOMEM;
        /* SQLite would make it readable for everybody; its journals take over this mode. */
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0)
                (void)close(fd); /* nothing was written; if it cannot be opened SQLite says why */
        failed = errno_of(sqlite3_open_v2(path, &store->db, flags, NULL));
        if (!failed)
                failed = prepare(store, file_bytes_max);
        if (!failed)
                failed = run(store->prepared[ROWS], &store->rows);
        if (failed) {
                store_close(&store);
                return failed;
        }
        *ret_store = store;
        return 0;
}

void store_close(struct store **address)
{
        struct store *store = *address;

        if (!store)
                return;
        for (int i = 0; i < STATEMENT_COUNT; i++)
                (void)sqlite3_finalize(store->prepared[i]); /* repeats an old error */
        (void)sqlite3_close_v2(store->db);
        free(store);
        *address = NULL;
}

uint64_t store_last(struct store *store)
{
        uint64_t last = 0;

        (void)run(store->prepared[LAST], &last); /* on an error inserting tells */
        return last;
}

uint64_t store_rows(const struct store *store)
{
        return store->rows;
}

int store_subscribe(struct store *store, unsigned number, const char *name, unsigned types,
                    uint64_t *ret_place)
{
        sqlite3_stmt *prepared = store->prepared[SUBSCRIBE];
        int code = sqlite3_bind_text(prepared, 1, name, -1, SQLITE_TRANSIENT);

        if (code != SQLITE_OK)
                return errno_of(code);
        (void)sqlite3_bind_int64(prepared, 2, number); /* as in bind() */
        (void)sqlite3_bind_int64(prepared, 3, types);
        return run(prepared, ret_place);
}

int store_insert(struct store *store, uint64_t sequence, unsigned type, const void *body,
                 size_t length)
{
        sqlite3_stmt *prepared = bind(store, INSERT, sequence, (uint64_t)type);
        int code = sqlite3_bind_blob64(prepared, 3, body, length, SQLITE_STATIC);
        int failed = code == SQLITE_OK ? run(prepared, NULL) : errno_of(code);

        (void)sqlite3_clear_bindings(prepared); /* the body is the caller's */
        store->rows += !failed;
        return failed;
}

int store_next(struct store *store, uint64_t place, unsigned types, uint64_t *ret_sequence,
               struct text *body)
{
        sqlite3_stmt *prepared = bind(store, NEXT, place, (uint64_t)types);
        int code = sqlite3_step(prepared);
        int failed = errno_of(code);

        if (code == SQLITE_DONE)
                failed = -ENOENT;
        if (code == SQLITE_ROW) {
                const void *bytes = sqlite3_column_blob(prepared, 1);
                int length = sqlite3_column_bytes(prepared, 1);

                text_clear(body);
                if (bytes && length > 0)
                        text_append_bytes(body, bytes, (size_t)length);
                *ret_sequence = (uint64_t)sqlite3_column_int64(prepared, 0);
                failed = body->error;
        }
        (void)sqlite3_reset(prepared); /* repeats the code of the step */
        return failed;
}

int store_move(struct store *store, unsigned number, uint64_t place)
{
        return run(bind(store, MOVE, number, place), NULL);
}

uint64_t store_count(struct store *store, uint64_t place, unsigned types)
{
        uint64_t count = 0;

        (void)run(bind(store, COUNT, place, (uint64_t)types), &count); /* 0 on an error */
        return count;
}

void store_prune(struct store *store)
{
        if (run(store->prepared[PRUNE], NULL))
                return; /* later, then */
        store->rows -= (uint64_t)sqlite3_changes(store->db);
}
