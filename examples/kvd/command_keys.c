/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because these are the commands that touch keys: what Redis does, on our store. They change
 * it through hot.h only, or what is held in front of it would be wrong.
 */
#include "command_call.h"

#include <errno.h>
#include <stdio.h>

#include <tocsin.h>

#include "clock.h"

TOC_MODULE_PART(command);

/* Times further away than this, 146 million years, are refused rather than wrapped. */
#define EXPIRY_MS_MAX (INT64_MAX / 2)

enum { NUMBER_MAX = 24 }; /* characters of a 64-bit number, and a NUL */

static struct store_text text_of(struct resp_view view)
{
        return (struct store_text){ view.bytes, view.length };
}

static struct store_text key_of(const struct command_call *call)
{
        return text_of(call->request->args[1]);
}

static bool is_there(struct command_call *call, struct store_text key, struct store_item *ret_item)
{
        return store_get(call->store, key, call->now_ms, ret_item) == 0;
}

/* The reply to a write that the store refused. */
static void put_refusal(struct command_call *call, int result)
{
        if (result == STORE_FULL)
                resp_put_error(call->reply, "OOM command not allowed: the store is full");
        else if (result == -ENOMEM)
                resp_put_error(call->reply, "OOM command not allowed: no memory");
        else if (result == -EUCLEAN)
                resp_put_error(call->reply, "ERR the store is damaged, writes are refused");
        else if (!TOC_UNREACHABLE(TOC_WARN, "the store refuses for a reason unknown to commands"))
                resp_put_error(call->reply, "ERR the store refused (%d)", -result);
}

void command_get(struct command_call *call)
{
        struct store_item item;

        if (hot_get(call->host->hot, call->store, key_of(call), call->now_ms, &item) == 0)
                resp_put_bulk(call->reply,
                              (struct resp_view){ item.value.bytes, item.value.length });
        else
                resp_put_nil(call->reply);
}

/* The options of SET, as far as they have been read. */
struct set_options {
        uint64_t expires_ms;
        bool has_expiry;
        bool only_new;      /* NX */
        bool only_existing; /* XX */
};

enum set_outcome { SET_SYNTAX = 1, SET_TIME = 2 };

/* EX, PX or PXAT with its number. */
static int read_expiry(struct command_call *call, struct resp_view unit, struct resp_view text,
                       struct set_options *options)
{
        uint64_t wall_ms = clock_wall_ms();
        int64_t number;

        if (options->has_expiry)
                return SET_SYNTAX;
        if (resp_number(text, &number) || number <= 0 || number > EXPIRY_MS_MAX / 1000)
                return SET_TIME;
        options->has_expiry = true;
        if (resp_is(unit, "EX"))
                options->expires_ms = call->now_ms + (uint64_t)number * 1000;
        else if (resp_is(unit, "PX"))
                options->expires_ms = call->now_ms + (uint64_t)number;
        else if ((uint64_t)number > wall_ms)
                options->expires_ms = call->now_ms + ((uint64_t)number - wall_ms);
        else
                options->expires_ms = call->now_ms; /* over already */
        return 0;
}

static int read_set_options(struct command_call *call, struct set_options *ret_options)
{
        const struct resp_request *request = call->request;
        struct set_options options = { .expires_ms = 0 };

        for (size_t i = 3; i < request->count; i++) {
                struct resp_view word = request->args[i];
                int result;

                if (resp_is(word, "NX") && !options.only_existing) {
                        options.only_new = true;
                } else if (resp_is(word, "XX") && !options.only_new) {
                        options.only_existing = true;
                } else if (i + 1 < request->count &&
                           (resp_is(word, "EX") || resp_is(word, "PX") || resp_is(word, "PXAT"))) {
                        result = read_expiry(call, word, request->args[++i], &options);
                        if (result)
                                return result;
                } else {
                        return SET_SYNTAX;
                }
        }
        *ret_options = options;
        return 0;
}

void command_set(struct command_call *call)
{
        struct set_options options;
        struct store_item item, before;
        bool existed;
        int result = read_set_options(call, &options);

        if (result == SET_SYNTAX) {
                command_put_syntax_error(call);
                return;
        }
        if (result == SET_TIME) {
                resp_put_error(call->reply, "ERR invalid expire time in 'set' command");
                return;
        }
        if (options.only_new || options.only_existing) {
                existed = is_there(call, key_of(call), &before);
                if (existed ? options.only_new : options.only_existing) {
                        resp_put_nil(call->reply);
                        return;
                }
        }
        item = (struct store_item){ key_of(call), text_of(call->request->args[2]),
                                    options.expires_ms };
        result = hot_set(call->host->hot, call->store, &item, call->now_ms);
        if (result)
                put_refusal(call, result);
        else
                resp_put_status(call->reply, "OK");
}

static void add(struct command_call *call, int64_t by)
{
        struct store_item item = { .expires_ms = 0 };
        struct store_item next;
        char digits[NUMBER_MAX];
        int64_t number = 0;
        int length, result;

        if (is_there(call, key_of(call), &item) &&
            resp_number((struct resp_view){ item.value.bytes, item.value.length }, &number)) {
                resp_put_error(call->reply, "ERR value is not an integer or out of range");
                return;
        }
        if (__builtin_add_overflow(number, by, &number)) {
                resp_put_error(call->reply, "ERR increment or decrement would overflow");
                return;
        }
        length = snprintf(digits, sizeof(digits), "%lld", (long long)number);
        next = (struct store_item){ key_of(call), { digits, (size_t)length }, item.expires_ms };
        result = hot_change(call->host->hot, call->store, &next, call->now_ms);
        if (result)
                put_refusal(call, result);
        else
                resp_put_number(call->reply, number);
}

void command_incr(struct command_call *call)
{
        add(call, 1);
}

void command_decr(struct command_call *call)
{
        add(call, -1);
}

void command_del(struct command_call *call)
{
        int64_t removed = 0;

        for (size_t i = 1; i < call->request->count; i++) {
                int result = hot_remove(call->host->hot, call->store,
                                        text_of(call->request->args[i]), call->now_ms);

                if (result < 0) {
                        put_refusal(call, result);
                        return;
                }
                if (result == 0)
                        removed++;
        }
        resp_put_number(call->reply, removed);
}

void command_exists(struct command_call *call)
{
        struct store_item item;
        int64_t found = 0;

        for (size_t i = 1; i < call->request->count; i++) {
                if (is_there(call, text_of(call->request->args[i]), &item))
                        found++;
        }
        resp_put_number(call->reply, found);
}

/* -2: no such key; -1: it never expires. */
static int64_t remaining_ms(struct command_call *call)
{
        struct store_item item;

        if (!is_there(call, key_of(call), &item))
                return -2;
        if (item.expires_ms == 0)
                return -1;
        if (!TOC_EXPECT_CMP(item.expires_ms, >, call->now_ms, TOC_WARN,
                            "the store served a key whose time was over"))
                return -2;
        return (int64_t)(item.expires_ms - call->now_ms);
}

void command_ttl(struct command_call *call)
{
        int64_t left_ms = remaining_ms(call);

        resp_put_number(call->reply, left_ms < 0 ? left_ms : (left_ms + 500) / 1000);
}

void command_pttl(struct command_call *call)
{
        resp_put_number(call->reply, remaining_ms(call));
}

void command_dbsize(struct command_call *call)
{
        resp_put_number(call->reply, (int64_t)store_stats(call->store).keys);
}

void command_flushall(struct command_call *call)
{
        hot_clear(call->host->hot, call->store);
        resp_put_status(call->reply, "OK");
}
