/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to tell curl all that it must not do: wait, follow, read files, keep what a server sends.
 */
#include "watch/webhook.h"

#include <curl/curl.h>
#include <errno.h>

enum { connect_max_ms = 2000, request_max_ms = 5000, answer_bytes_max = 64 << 10 };

struct webhook {
        CURL *curl;
        struct curl_slist *headers;
        char message[CURL_ERROR_SIZE];
        struct outbox *outbox;
        size_t answer_bytes;
};

static void webhook_free(void *self)
{
        struct webhook *webhook = self;

        curl_easy_cleanup(webhook->curl);
        curl_slist_free_all(webhook->headers);
        free(webhook);
}

/* Returning less than was offered ends the transfer. */
static size_t drop_answer(char *bytes, size_t size, size_t count, void *self)
{
        struct webhook *webhook = self;

        (void)bytes;
        webhook->answer_bytes += size * count;
        return webhook->answer_bytes > answer_bytes_max ? 0 : size * count;
}

static int watch_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        struct webhook *webhook = self;

        (void)a, (void)b, (void)c, (void)d;
        return outbox_is_stopped(webhook->outbox);
}

static int set_up(struct webhook *webhook, const char *url)
{
        CURL *curl = webhook->curl;
        CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);

        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, webhook->headers);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_max_ms);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request_max_ms);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, webhook->message);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_answer);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, webhook);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, webhook);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        return code == CURLE_OK ? 0 : -ENOMEM; /* the address is copied; the others cannot fail */
}

/* What an answer means. A transfer that broke off after the status line has been answered. */
static int judge(long status, CURLcode code, const struct webhook *webhook, struct text *why)
{
        if (status >= 200 && status < 300)
                return 0;
        if (status) {
                text_printf(why, "it answers %ld", status);
                return status == 429 || status >= 500 ? -EAGAIN : RECEIVER_REFUSED;
        }
        text_append(why, webhook->message[0] ? webhook->message : curl_easy_strerror(code));
        return -EIO;
}

static int deliver(void *self, struct outbox *outbox, const char *body, size_t length,
                   struct text *why)
{
        struct webhook *webhook = self;
        long status = 0;
        CURLcode code;

        webhook->outbox = outbox;
        webhook->answer_bytes = 0;
        webhook->message[0] = '\0';
        curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
        code = curl_easy_perform(webhook->curl);
        (void)curl_easy_getinfo(webhook->curl, CURLINFO_RESPONSE_CODE, &status); /* 0: none */
        return judge(status, code, webhook, why);
}

static const struct receiver_kind kind = {
        .noun = "webhook",
        .types = OUTBOX_ALERT,
        .deliver = deliver,
        .free = webhook_free,
};

/* Scheme, host and port: the rest of an address is often a password. */
static int name_of(const char *url, struct text *name, struct text *why)
{
        CURLU *parts = curl_url();
        char *scheme = NULL, *host = NULL, *port = NULL;
        int failed = -EINVAL;

        if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
            !curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) &&
            !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
            !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
            (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)) {
                text_printf(name, "%s://%s:%s", scheme, host, port);
                failed = 0;
        }
        if (failed)
                text_printf(why,
                            "'%s' is no address of a webhook; one looks like "
                            "https://host/path",
                            url);
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
        curl_url_cleanup(parts);
        return failed;
}

int webhook_new(const char *url, struct receiver **ret_receiver, struct text *why)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(128);
        struct webhook *webhook;
        int failed = name_of(url, &name, why);

        if (failed)
                return failed;
        if (curl_global_init(CURL_GLOBAL_DEFAULT))
                return -ENOMEM;
        webhook = calloc(1, sizeof(*webhook));
        if (!webhook)
                return -ENOMEM;
        webhook->curl = curl_easy_init();
        webhook->headers = curl_slist_append(NULL, "Content-Type: application/json");
        if (webhook->headers) /* the others go if there is no memory for them */
                (void)(curl_slist_append(webhook->headers, "User-Agent: tocsin/0.1") &&
                       curl_slist_append(webhook->headers, "Expect:"));
        if (!webhook->curl || !webhook->headers || set_up(webhook, url)) {
                webhook_free(webhook);
                return -ENOMEM;
        }
        return receiver_new(&kind, text_view(&name), webhook, ret_receiver);
}
