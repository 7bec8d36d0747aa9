/* SPDX-License-Identifier: Apache-2.0 */
/* segment.h - the bytes of a segment, the file in which a process keeps its cells.
 *
 * One file a runtime copy, DIRECTORY/PID-RANDOM.seg, mode 0600, on tmpfs. It is a header and
 * then extents, one behind the other, up to header.used_bytes. Extents are only ever appended
 * and never change size; used_bytes is stored, with release order, after what it covers. magic
 * is stored last of all, so a file without it is not finished (or not ours).
 *
 *     header | rows of object 0 | shared 0 | events | block | block | rows of object 1 | ...
 *
 * To read: copy with pread, check every number of the copy against the copy's size, and sum a
 * row's cell over all blocks of its object. A writer may die at any instruction: nothing here
 * must be waited for. All integers are in host order; a file is read on the host that made it.
 *
 * tocsin-segment(5) documents the same bytes for other readers. */
#ifndef TOCSIN_SEGMENT_H
#define TOCSIN_SEGMENT_H

#include <stdint.h>

#include "tocsin.h"

#define SEGMENT_MAGIC   "TOCSIN1\n" /* eight bytes, no terminator */
#define SEGMENT_VERSION 1u

enum { SEGMENT_RUNNING = 1, SEGMENT_ENDED = 2 };

/* At offset 0, SEGMENT_HEADER_BYTES long; the rest of them is zero. */
struct segment_header {
        char magic[8];
        uint32_t version;
        uint32_t header_bytes; /* SEGMENT_HEADER_BYTES: the first extent starts there */
        uint32_t record_bytes; /* sizeof(struct toc_record) */
        uint32_t row_bytes;    /* sizeof(struct segment_row) */
        uint32_t event_bytes;  /* sizeof(struct segment_event) */
        uint32_t state;        /* SEGMENT_ENDED: left through exit(); a crash leaves RUNNING */
        uint64_t used_bytes;
        uint64_t attached_ns;      /* CLOCK_MONOTONIC; with pid this tells exec apart */
        uint64_t attached_wall_ns; /* CLOCK_REALTIME, since 1970 */
        uint64_t pid_namespace;    /* inode of /proc/self/ns/pid, 0 if not known */
        uint64_t events_dropped;   /* two threads met in one slot */
        uint64_t threads_private;  /* blocks that found no room here and count unseen */
        uint32_t pid;              /* in its own pid namespace */
        uint32_t uid;
        char boot_id[40];  /* text of /proc/sys/kernel/random/boot_id, "" if not known */
        char program[128]; /* /proc/self/exe, its last 127 bytes */
};

#define SEGMENT_HEADER_BYTES 4096u

enum segment_extent_kind {
        SEGMENT_ROWS = 1,   /* struct segment_rows, then count struct segment_row */
        SEGMENT_BLOCK = 2,  /* count bytes of cells, of one thread */
        SEGMENT_SHARED = 3, /* count bytes of cells, of all threads */
        SEGMENT_EVENTS = 4, /* struct segment_ring, then count struct segment_event */
        SEGMENT_FILLER = 5, /* nothing */
};

#define SEGMENT_EXTENT_MAGIC 0x58434f54u /* "TOCX" */

/* In front of each extent, which starts at a multiple of 64. */
struct segment_extent {
        uint32_t magic;
        uint32_t kind;
        uint64_t bytes;  /* with this header; a multiple of 64 */
        uint32_t object; /* which executable or shared object: 0, 1, 2 ... */
        uint32_t count;
        uint64_t owner; /* BLOCK: thread id that counts here now, 0: free to be used again */
        uint64_t reserved[4];
};

struct segment_rows {
        char object_name[64]; /* reserved for the file name of the object, may be "" */
};

enum { SEGMENT_IN_BLOCK = 1, SEGMENT_IN_SHARED = 2, SEGMENT_NO_CELL = 3 };

struct segment_row {
        struct toc_record record;
        uint32_t cell_offset; /* from the first byte of cells in a block or shared extent */
        uint32_t cell_bytes;  /* 8 * toc_words_(kind) */
        uint32_t place;       /* SEGMENT_IN_BLOCK ... */
        uint32_t reserved[13];
};

/* Events: slots 0 .. firsts-1 keep the first report of a site for good, in order of arrival;
 * the others are a ring. A slot is being written while seq is odd; a reader takes seq before
 * and after its copy and drops the copy if they differ. */
struct segment_ring {
        uint64_t firsts;      /* how many slots are of the first sort */
        uint64_t next_first;  /* taken so far; may run past firsts */
        uint64_t next_number; /* of the next event; repeat n: slot firsts + n % (count - firsts) */
        uint64_t reserved[5];
};

enum segment_event_kind {
        SEGMENT_EVENT_MISS = 1,
        SEGMENT_EVENT_ERROR = 2,
        SEGMENT_EVENT_WARNING = 3,
};

enum { SEGMENT_STACK_MAX = 16 };

struct segment_event {
        uint64_t seq;    /* 0 never used; 2n+1 event n is being written; 2n+2 event n is there */
        uint32_t kind;   /* enum segment_event_kind */
        uint32_t object; /* which object's rows ... */
        uint32_t row;    /* ... and which of them */
        uint32_t thread; /* its id */
        uint64_t count;  /* n-th report of this site in this thread */
        struct toc_value_ value[2]; /* of TOC_EXPECT_CMP */
        uint32_t stack_depth;
        uint32_t text_bytes;
        uint64_t stack[SEGMENT_STACK_MAX]; /* return addresses, innermost first */
        char text[312]; /* the message, not terminated; foreign text to any reader */
};

_Static_assert(sizeof(struct segment_header) <= SEGMENT_HEADER_BYTES, "segment format");
_Static_assert(sizeof(struct segment_extent) == 64, "segment format");
_Static_assert(sizeof(struct segment_rows) == 64, "segment format");
_Static_assert(sizeof(struct segment_row) == 576, "segment format");
_Static_assert(sizeof(struct segment_ring) == 64, "segment format");
_Static_assert(sizeof(struct segment_event) == 512, "segment format");

#endif
