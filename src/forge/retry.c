/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because libcurl reads Retry-After wrong: a date in the past is negative, "1.5" is 1, and
 * retry-after-ms is not known to it.
 */
#include "forge/retry.h"
#include "base/text.h"

#include <strings.h>

/* "12", "1.5", ".25": in units of `unit_ns`. False: no such number. */
static bool parse_number(const char *value, uint64_t unit_ns, uint64_t *ret_ns)
{
        const size_t whole = strspn(value, "0123456789");
        const size_t fraction = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") : 0;
        uint64_t ns = 0, digit_ns = unit_ns;

        if (!whole && !fraction)
                return false;
        if (value[whole + (value[whole] == '.') + fraction])
                return false;
        for (size_t i = 0; i < whole && ns < RETRY_AFTER_MAX_NS; i++)
                ns = ns * 10 + (uint64_t)(value[i] - '0') * unit_ns;
        for (size_t i = 0; i < fraction && digit_ns; i++) {
                digit_ns /= 10;
                ns += (uint64_t)(value[whole + 1 + i] - '0') * digit_ns;
        }
        *ret_ns = ns < RETRY_AFTER_MAX_NS ? ns : RETRY_AFTER_MAX_NS;
        return true;
}

static bool parse_date(const char *value, uint64_t wall_ns, uint64_t *ret_ns)
{
        const time_t date_s = curl_getdate(value, NULL);
        uint64_t then_ns;

        if (date_s < 0)
                return false;
        /* Far enough beyond any clock, and small enough to be counted. */
        then_ns = (uint64_t)date_s < UINT64_MAX / CLOCK_S_NS ? (uint64_t)date_s * CLOCK_S_NS
                                                             : UINT64_MAX;
        *ret_ns = then_ns > wall_ns ? then_ns - wall_ns : 0;
        if (*ret_ns > RETRY_AFTER_MAX_NS)
                *ret_ns = RETRY_AFTER_MAX_NS;
        return true;
}

void retry_take_header(struct retry_hints *hints, const char *name, const char *value,
                       uint64_t wall_ns)
{
        uint64_t ns;

        if (strcasecmp(name, "x-should-retry") == 0) {
                if (strcasecmp(value, "true") == 0)
                        hints->wish = RETRY_WANTED;
                else if (strcasecmp(value, "false") == 0)
                        hints->wish = RETRY_UNWANTED;
        } else if (strcasecmp(name, "retry-after-ms") == 0) {
                if (parse_number(value, CLOCK_MS_NS, &ns)) {
                        hints->after_ns = ns;
                        hints->has_ms = true;
                }
        } else if (strcasecmp(name, "retry-after") == 0 && !hints->has_ms) {
                if (parse_number(value, CLOCK_S_NS, &ns) || parse_date(value, wall_ns, &ns))
                        hints->after_ns = ns;
        }
}

bool retry_is_worth_status(long status, const struct retry_hints *hints)
{
        if (hints->wish != RETRY_UNSAID)
                return hints->wish == RETRY_WANTED;
        return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* Only what asking again cannot mend is listed: a name that cannot be looked up, a connection that
 * breaks and a handshake that fails half-way may all be the network's mood. */
bool retry_is_worth_code(CURLcode code)
{
        switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_NOT_BUILT_IN:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ENGINE_NOTFOUND:
        case CURLE_SSL_ENGINE_SETFAILED:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_LOGIN_DENIED:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_UNKNOWN_OPTION:
                return false;
        default:
                return true;
        }
}

uint64_t retry_backoff_ns(unsigned n, uint64_t random)
{
        const uint64_t whole_ns = n < 4 ? RETRY_BASE_NS << n : RETRY_MAX_NS;

        /* Whole numbers: a part in 2^16 is fine enough for a wait. */
        return whole_ns - ((whole_ns / 4) * (random >> 48) >> 16);
}
