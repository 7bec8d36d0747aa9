/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to tell curl all that it must not do: follow, read files, wait beyond what we allow, send
 * a key over an open line. The multi interface is used for one transfer at a time, because the
 * simple one looks up only once a second while a server thinks.
 */
#include "forge/http.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <strings.h>

enum { place_max = 300, header_max = 8192 };

struct http {
        CURLM *multi;
        CURL *curl;
        CURLU *address;
        char place[place_max + 1];
        /* Of the request that is under way: */
        const struct http_request *request;
        struct http_answer *answer;
        size_t body_count;
        uint64_t news_ns;
        uint64_t last_ns; /* it may end as soon as this is over; 0: it may not */
        bool is_enough;
};

void http_free(struct http **http)
{
        if (!*http)
                return;
        curl_easy_cleanup((*http)->curl);
        (void)curl_multi_cleanup((*http)->multi); /* nothing is under way any more */
        curl_url_cleanup((*http)->address);
        free(*http);
        *http = NULL;
}

const char *http_place(const struct http *http)
{
        return http->place;
}

/* ---- Addresses ---------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
        struct in_addr address;

        if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
                return true;
        return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static int check_scheme(const char *scheme, const char *host, struct text *why)
{
        if (strcmp(scheme, "https") == 0)
                return 0;
        if (strcmp(scheme, "http") != 0) {
                text_append(why, "its url is neither https:// nor http://; write one of them");
                return HTTP_WRONG;
        }
        if (is_loopback(host))
                return 0;
        text_printf(why,
                    "its url sends keys and sources to %s in the open; write https://, or tunnel "
                    "to a port of localhost, where http:// is taken",
                    host);
        return HTTP_WRONG;
}

static int add_path(CURLU *address, const char *path)
{
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(8192);
        char *old = NULL;
        size_t length;

        if (curl_url_get(address, CURLUPART_PATH, &old, 0))
                return -ENOMEM;
        length = strlen(old);
        while (length && old[length - 1] == '/')
                length--;
        text_append_bytes(&whole, old, length);
        text_append(&whole, path);
        curl_free(old);
        if (whole.error)
                return whole.error;
        return curl_url_set(address, CURLUPART_PATH, text_view(&whole), 0) ? -ENOMEM : 0;
}

static int take_address(struct http *http, const char *address, struct text *why)
{
        char *scheme = NULL, *host = NULL, *port = NULL;
        int failed = HTTP_WRONG;

        if (curl_url_set(http->address, CURLUPART_URL, address, 0) ||
            curl_url_get(http->address, CURLUPART_SCHEME, &scheme, 0) ||
            curl_url_get(http->address, CURLUPART_HOST, &host, 0) ||
            curl_url_get(http->address, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
                text_append(why, "its url is no address; one looks like https://host/v1");
        } else {
                (void)snprintf(http->place, sizeof(http->place), "%s:%s", host, port);
                failed = check_scheme(scheme, host, why);
        }
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
        return failed;
}

/* ---- What comes in ------------------------------------------------------------------------ */

static void take_header(struct http_answer *answer, const char *name, const char *value)
{
        static const char *const ids[] = { "x-request-id", "request-id", "x-generation-id" };

        retry_take_header(&answer->hints, name, value, clock_wall_ns());
        for (size_t i = 0; i < BASE_COUNT(ids); i++)
                if (strcasecmp(name, ids[i]) == 0 && !answer->id[0])
                        (void)snprintf(answer->id, sizeof(answer->id), "%s", value);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *self)
{
        struct http *http = self;
        const size_t length = size * count;
        char line[header_max + 1];
        char *value;
        size_t end = length < header_max ? length : header_max;

        memcpy(line, bytes, end);
        line[end] = '\0';
        if (strncmp(line, "HTTP/", 5) == 0) {
                /* Of the last answer only: others are on the way to it, as 100 Continue. */
                http->answer->hints = (struct retry_hints){ .after_ns = 0 };
                http->answer->id[0] = '\0';
                return length;
        }
        while (end && isspace((unsigned char)line[end - 1]))
                line[--end] = '\0';
        value = strchr(line, ':');
        if (!value)
                return length;
        *value++ = '\0';
        take_header(http->answer, line, value + strspn(value, " \t"));
        return length;
}

/* Returning less than was offered ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *self)
{
        struct http *http = self;
        const size_t length = size * count;
        long status = 0;
        enum http_news news;

        if (length > http_body_bytes_max - http->body_count) {
                http->answer->is_too_long = http->is_enough = true;
                return 0;
        }
        http->body_count += length;
        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status); /* known by now */
        news = http->request->take(http->request->context, status, bytes, length);
        if (news == HTTP_NEWS)
                http->news_ns = clock_monotonic_ns();
        if (news == HTTP_LAST && !http->last_ns)
                http->last_ns = clock_monotonic_ns() + http_last_ms * CLOCK_MS_NS;
        http->is_enough = news == HTTP_ENOUGH;
        return http->is_enough ? 0 : length;
}

/* ---- Making it ---------------------------------------------------------------------------- */

static int set_up(struct http *http)
{
        CURL *curl = http->curl;
        char *scheme = NULL;

        if (curl_easy_setopt(curl, CURLOPT_CURLU, http->address) ||
            curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") ||
            curl_easy_setopt(curl, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION) ||
            curl_url_get(http->address, CURLUPART_SCHEME, &scheme, 0))
                return -ENOMEM;
        /* An open line ends in this machine: it must not lead over a proxy instead. */
        if (strcmp(scheme, "http") == 0 && curl_easy_setopt(curl, CURLOPT_PROXY, "")) {
                curl_free(scheme);
                return -ENOMEM;
        }
        curl_free(scheme);
        /* These cannot fail: no memory is taken. */
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)http_connect_max_ms);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        /* On one that was kept curl sends all of it again when nothing comes back: an answer that
         * is paid twice, and that we know nothing of. */
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
        /* Being stopped while a name is looked up must not wait for that to end. */
        curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
        return 0;
}

int http_new(const char *address, const char *path, struct http **ret_http, struct text *why)
{
        struct http *http;
        int failed;

        if (curl_global_init(CURL_GLOBAL_DEFAULT))
                return -ENOMEM;
        http = calloc(1, sizeof(*http));
        if (!http)
                return -ENOMEM;
        http->multi = curl_multi_init();
        http->curl = curl_easy_init();
        http->address = curl_url();
        failed = http->multi && http->curl && http->address ? 0 : -ENOMEM;
        if (!failed)
                failed = take_address(http, address, why);
        if (!failed)
                failed = add_path(http->address, path);
        if (!failed)
                failed = set_up(http);
        if (failed)
                http_free(&http);
        else
                *ret_http = http;
        return failed;
}

/* ---- Sending it --------------------------------------------------------------------------- */

static void free_headers(struct curl_slist **headers)
{
        curl_slist_free_all(*headers);
}

static int make_headers(const char *key, struct curl_slist **ret_headers)
{
        BASE_SCOPE(text_fini) struct text bearer = TEXT_INIT(8192);
        const char *lines[] = { "Content-Type: application/json", "Accept: text/event-stream",
                                "Expect:", NULL };

        if (key && key[0]) {
                text_printf(&bearer, "Authorization: Bearer %s", key);
                lines[3] = text_view(&bearer);
        }
        for (size_t i = 0; i < BASE_COUNT(lines) && lines[i]; i++) {
                struct curl_slist *longer = curl_slist_append(*ret_headers, lines[i]);

                if (!longer)
                        return -ENOMEM;
                *ret_headers = longer;
        }
        if (bearer.bytes)
                explicit_bzero(bearer.bytes, bearer.size);
        return bearer.error;
}

static bool is_stopped(int stop_fd)
{
        struct pollfd polled = { .fd = stop_fd, .events = POLLIN };

        return stop_fd >= 0 && poll(&polled, 1, 0) > 0;
}

/* Whether it has to end now, for a reason of ours. */
static bool must_end(struct http *http)
{
        const struct http_request *request = http->request;
        const uint64_t now_ns = clock_monotonic_ns();

        if (is_stopped(request->stop_fd))
                http->answer->end = HTTP_END_STOPPED;
        else if (http->last_ns && now_ns >= http->last_ns)
                http->answer->end = HTTP_END_ENOUGH;
        else if (now_ns >= request->deadline_ns)
                http->answer->end = HTTP_END_LATE;
        else if (now_ns - http->news_ns >= request->silence_ns)
                http->answer->end = HTTP_END_SILENT;
        else
                return false;
        return true;
}

static void take_result(struct http *http)
{
        const CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(http->multi, &left)))
                if (message->msg == CURLMSG_DONE)
                        http->answer->code = message->data.result;
        if (http->is_enough)
                http->answer->end = HTTP_END_ENOUGH;
        else
                http->answer->end = http->answer->code ? HTTP_END_BROKEN : HTTP_END_WHOLE;
}

static int transfer(struct http *http)
{
        struct curl_waitfd stop = { .fd = http->request->stop_fd, .events = CURL_WAIT_POLLIN };
        int running = 1;

        while (!must_end(http)) {
                if (curl_multi_perform(http->multi, &running))
                        return -EIO;
                if (!running) {
                        take_result(http);
                        return 0;
                }
                if (curl_multi_poll(http->multi, &stop, stop.fd >= 0, http_turn_ms, NULL))
                        return -EIO;
                if (http->request->turn)
                        http->request->turn(http->request->context);
        }
        return 0;
}

static bool has_sent(const struct http *http)
{
        curl_off_t count = 0;

        (void)curl_easy_getinfo(http->curl, CURLINFO_SIZE_UPLOAD_T, &count); /* 0: not known */
        return (size_t)count >= http->request->body_length;
}

int http_post(struct http *http, const struct http_request *request, struct http_answer *ret_answer)
{
        BASE_SCOPE(free_headers) struct curl_slist *headers = NULL;
        struct http_answer answer = { .end = HTTP_END_BROKEN };
        int failed = make_headers(request->key, &headers);

        if (failed)
                return failed;
        http->request = request;
        http->answer = &answer;
        http->body_count = 0;
        http->is_enough = false;
        http->last_ns = 0;
        http->news_ns = clock_monotonic_ns();
        curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, answer.message);
        if (curl_multi_add_handle(http->multi, http->curl))
                return -ENOMEM;
        failed = transfer(http);
        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer.status); /* 0: none */
        answer.is_sent = has_sent(http);
        /* It is in there. What was under way is cut off. */
        (void)curl_multi_remove_handle(http->multi, http->curl);
        curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, NULL);
        curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
        if (!failed)
                *ret_answer = answer;
        return failed;
}
