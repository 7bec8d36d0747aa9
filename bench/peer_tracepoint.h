/* SPDX-License-Identifier: Apache-2.0 */
/* peer_tracepoint.h - a tracepoint of LTTng with the fields of our error. LTTng's header includes
 * this one several times, hence the form of the guard. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER tocsin_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./peer_tracepoint.h"

#if !defined(BENCH_PEER_TRACEPOINT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BENCH_PEER_TRACEPOINT_H

#include <lttng/tracepoint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(
        tocsin_bench, error,
        LTTNG_UST_TP_ARGS(int, code, const char *, text),
        LTTNG_UST_TP_FIELDS(
                lttng_ust_field_integer(int, code, code)
                lttng_ust_field_string(text, text)
        )
)
/* clang-format on */

#endif

#include <lttng/tracepoint-event.h>
