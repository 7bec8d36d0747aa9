/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that one file knows where keys come from and how they are kept out of what is shown,
 * written down and sent on: a server may well repeat the key that it refuses.
 */
#include "forge/key.h"
#include "base/child.h"
#include "base/error.h"
#include "gate/stop.h"

#include <errno.h>

static const char stand_in[] = "[key]";

/* What can stand in a header, and nothing that could begin another one. */
static bool is_fit(const char *bytes, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if (bytes[i] <= ' ' || bytes[i] > '~')
                        return false;
        return true;
}

static int take(struct text *key, const char *bytes, size_t length, const char *where,
                struct text *why)
{
        if (!is_fit(bytes, length)) {
                text_printf(why,
                            "%s holds control characters, spaces or letters that no key has; it "
                            "must hold the key alone",
                            where);
                return KEY_WRONG;
        }
        text_append_bytes(key, bytes, length);
        if (key->error == -EOVERFLOW) {
                text_printf(why, "%s has more than %d bytes, which no key has", where,
                            key_bytes_max);
                return KEY_WRONG;
        }
        return key->error;
}

static int read_variable(const struct model *model, struct text *key, struct text *why)
{
        BASE_SCOPE(text_fini) struct text where = TEXT_INIT(1000);
        const char *value = getenv(model->key_env);

        if (!value || !value[0]) {
                text_printf(why,
                            "the environment variable %s is not set; export it, or name another "
                            "with key_env",
                            model->key_env);
                return KEY_WRONG;
        }
        text_printf(&where, "the environment variable %s", model->key_env);
        return take(key, value, strlen(value), text_view(&where), why);
}

/* What it says on standard error is for the person who is asked for a passphrase. */
static int read_command(const struct model *model, struct text *key, struct text *why)
{
        BASE_SCOPE(text_fini) struct text output = TEXT_INIT(2 * key_bytes_max);
        BASE_SCOPE(text_fini) struct text where = TEXT_INIT(1000);
        const int stop_fd = stop_descriptor(); /* -1: nobody listens */
        struct child_request request = {
                .command = model->key_command,
                .output = &output,
                .time_max_ns = key_command_max_s * CLOCK_S_NS,
                .shows_errors = true,
                .stop_fd = &stop_fd,
        };
        struct child_result result;
        size_t length;
        int failed = child_run(&request, &result);

        if (failed)
                return failed;
        text_append(&where, "the first line that key_command prints");
        length = strcspn(text_view(&output), "\r\n");
        if (result.end == CHILD_STOPPED) {
                text_append(why, "stopped while key_command ran");
                failed = KEY_STOPPED;
        } else if (!child_succeeded(&result)) {
                text_append(why, "key_command failed (");
                child_append_end(&result, why);
                text_append(why, "); try it in a shell, it must print the key");
                failed = KEY_WRONG;
        } else if (!length) {
                text_printf(why, "%s is empty; it must be the key", text_view(&where));
                failed = KEY_WRONG;
        } else {
                failed = take(key, text_view(&output), length, text_view(&where), why);
        }
        if (output.bytes)
                explicit_bzero(output.bytes, output.size);
        return failed;
}

bool key_is_named(const char *variable)
{
        static const char *const parts[] = { "KEY", "TOKEN", "SECRET", "PASSW" };

        for (size_t i = 0; i < BASE_COUNT(parts); i++) {
                const char *found = strcasestr(variable, parts[i]);

                if (found && (size_t)(found - variable) < strcspn(variable, "="))
                        return true;
        }
        return false;
}

int key_read(const struct model *model, struct key *ret_key, struct text *why)
{
        struct key key = { TEXT_INIT(key_bytes_max) };
        int failed = 0;

        if (model->key_env)
                failed = read_variable(model, &key.bytes, why);
        else if (model->key_command)
                failed = read_command(model, &key.bytes, why);
        if (failed)
                key_fini(&key);
        else
                *ret_key = key;
        return failed;
}

void key_fini(struct key *key)
{
        if (key->bytes.bytes)
                explicit_bzero(key->bytes.bytes, key->bytes.size);
        text_fini(&key->bytes);
}

/* Length afterwards. */
static size_t redact(const struct key *key, char *bytes, size_t length)
{
        const size_t key_length = key->bytes.length;
        size_t from = 0, to = 0;

        if (key_length < key_bytes_min)
                return length;
        while (from < length) {
                const char *found =
                        memmem(bytes + from, length - from, key->bytes.bytes, key_length);
                const size_t kept = (found ? (size_t)(found - bytes) : length) - from;

                memmove(bytes + to, bytes + from, kept);
                to += kept;
                from += kept;
                if (found) {
                        memcpy(bytes + to, stand_in, sizeof(stand_in) - 1);
                        to += sizeof(stand_in) - 1;
                        from += key_length;
                }
        }
        return to;
}

void key_redact(const struct key *key, struct text *text)
{
        if (!text->length)
                return;
        text->length = redact(key, text->bytes, text->length);
        text->bytes[text->length] = '\0';
}

void key_redact_string(const struct key *key, char *string)
{
        string[redact(key, string, strlen(string))] = '\0';
}
