/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query strings: names, types and refusals of every parameter in one list.
 * A resource says which ones it takes (a set of PARAM_BIT); any other, and
 * any given twice, is refused by name. There are no silent defaults: an
 * empty or half-understood value is an error.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/problem.h"
#include "common/addr.h"
#include "store/query.h"

/* X(enumerator, name in the query string, reader); names may come twice when
 * no resource takes both. */
#define PARAM_LIST(X)                                                          \
	X(NET, "net", read_net)                                                \
	X(HOST, "host", read_host)                                             \
	X(EXPORTER, "exporter", read_host)                                     \
	X(DOMAIN, "domain", read_domain)                                       \
	X(SRC, "src", read_src)                                                \
	X(DST, "dst", read_dst)                                                \
	X(PORT, "port", read_ports)                                            \
	X(PROTO, "proto", read_proto)                                          \
	X(TRANSPORT, "proto", read_transport)                                  \
	X(EXPOSURE_STATE, "state", read_exposure_state)                        \
	X(ALERT_STATE, "state", read_alert_state)                              \
	X(GUARD_STATE, "state", read_guard_state)                              \
	X(FROM, "from", read_from)                                             \
	X(TO, "to", read_to)                                                   \
	X(LIMIT, "limit", read_limit)                                          \
	X(CURSOR, "cursor", read_cursor)                                       \
	X(FORMAT, "format", read_format)

enum param {
#define PARAM_ENUM(id, name, reader) PARAM_##id,
	PARAM_LIST(PARAM_ENUM)
#undef PARAM_ENUM
	    PARAM_COUNT
};

#define PARAM_BIT(id)	 (1U << PARAM_##id)
#define PARAM_CURSOR_MAX QUERY_CURSOR_MAX
#define PARAM_VALUE_MAX	 1024 /* octets of a decoded value, NUL included */

/* What readers may ask: nothing else reaches them. */
struct params_context {
	int64_t now_s;			   /* what "now" and "-24h" mean */
	const struct prefix_set *networks; /* labels for net; NULL: none */
};

struct params {
	struct query_filter filter;
	uint32_t given; /* PARAM_BITs */
	bool relative;	/* from or to counts from now */
};

/*
 * Reads a query string, NULL for none. Errors: ERR_FORMAT, and why says
 * what is wrong with which parameter; out is unchanged then.
 */
int params_parse(const char *query, uint32_t allowed,
    const struct params_context *context, struct params *out,
    struct problem *why) MUST_CHECK;

/*
 * The "next" of a page asked for with p, whose cursor in the store is next.
 * Relative times travel in it, so that the next page means the same ones.
 */
void params_format_cursor(const struct params *p, const char *next,
    char out[PARAM_CURSOR_MAX]);

/* The name in the query string, static. which < PARAM_COUNT. */
const char *params_name(enum param which);

/* The words a state parameter takes; NULL ends them. static. */
const char *const *params_states(enum param which);

#endif
