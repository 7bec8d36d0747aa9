/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside_fixture.h - a segment of libtocsin-inside written by hand, for tests; included by one file
 * each.
 */
#ifndef WATCH_INSIDE_FIXTURE_H
#define WATCH_INSIDE_FIXTURE_H

#include "base/base.h"
#include "watch/fixture.h"
#include "watch/picture.h"

enum { page_max = 4, now_s = 1000 };

static int dir_fd;
static struct fixture fixture;
static struct segment_view *view;
static struct picture *picture;
static size_t at_head, at_modules, at_sites, at_nodes, at_findings, at_page[page_max];
static unsigned pages;

static inline void *at(size_t offset)
{
        return fixture.bytes + offset;
}

static inline struct inside_head *head(void)
{
        return at(at_head);
}

static inline struct inside_thread *page(unsigned number)
{
        return at(at_page[number]);
}

static inline void name_module(uint32_t number, const char *name)
{
        struct inside_module module = { .is_ready = 1 };

        (void)snprintf(module.name, sizeof(module.name), "%s", name);
        memcpy(at(at_modules + number * sizeof(module)), &module, sizeof(module));
        if (number < INSIDE_OTHER_MODULES)
                head()->modules = number + 1;
}

static inline void add_site(enum inside_kind kind, uint32_t module)
{
        const struct inside_site site = {
                .is_ready = 1, .kind = kind, .module = module, .depth = 1, .stack = { 0x1000 }
        };

        memcpy(at(at_sites + head()->sites++ * sizeof(site)), &site, sizeof(site));
}

/* Its thread has that id; 0: it has ended. */
static inline void add_page(uint64_t owner)
{
        size_t payload =
                fixture_extend(&fixture, SEGMENT_INSIDE_THREAD, 0, 1, sizeof(struct inside_thread));
        struct segment_extent *extent = at(payload - sizeof(*extent));

        extent->owner = owner;
        at_page[pages++] = payload;
}

static inline int begin(void **state)
{
        (void)state;
        pages = 0;
        view = NULL;
        fixture_header(&fixture);
        at_head = fixture_extend(&fixture, SEGMENT_INSIDE, 0, 1, sizeof(struct inside_head));
        at_modules = fixture_extend(&fixture, SEGMENT_INSIDE_MODULES, 0, INSIDE_MODULES,
                                    INSIDE_MODULES * sizeof(struct inside_module));
        at_sites = fixture_extend(&fixture, SEGMENT_INSIDE_SITES, 0, INSIDE_SITES,
                                  INSIDE_SITES * sizeof(struct inside_site));
        at_nodes = fixture_extend(&fixture, SEGMENT_INSIDE_NODES, 0, INSIDE_NODES,
                                  INSIDE_NODES * sizeof(struct inside_node));
        at_findings = fixture_extend(&fixture, SEGMENT_INSIDE_FINDINGS, 0, INSIDE_FINDINGS,
                                     INSIDE_FINDINGS * sizeof(struct inside_finding));
        *head() = (struct inside_head){
                .version = INSIDE_VERSION, .modules = 1, .sites = INSIDE_FIRST_SITE, .nodes = 1
        };
        name_module(1, "lru");
        return picture_new(0, &picture);
}

static inline int end(void **state)
{
        (void)state;
        segment_close(&view);
        picture_free(&picture);
        fixture_fini(&fixture);
        return unlinkat(dir_fd, "x.seg", 0);
}

static inline void write_all(void)
{
        fixture_write(&fixture, dir_fd, "x.seg", fixture.length);
}

/* The first step that does not say 0. */
static inline int look(const char **ret_why)
{
        const uid_t owners[] = { geteuid() };
        int outcome = 0;

        if (!view)
                outcome = segment_open(dir_fd, "x.seg", owners, 1, &view, ret_why);
        if (!outcome)
                outcome = segment_refresh(view, ret_why);
        return outcome ? outcome : picture_read(picture, view, now_s * CLOCK_S_NS, ret_why);
}

static inline void look_well(void)
{
        const char *why = NULL;

        write_all();
        assert_int_equal(look(&why), 0);
}

/* Tests with a directory of their own; what main() returns. */
static inline int run_in_directory(int (*run_all)(void))
{
        char place[32];
        int failed;

        dir_fd = fixture_directory(place);
        failed = run_all();
        (void)close(dir_fd);
        return rmdir(place) || failed;
}

#endif
