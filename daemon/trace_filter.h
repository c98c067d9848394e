/* SPDX-License-Identifier: Apache-2.0 */
/* What --trace asks for: an internal endpoint, or a whole host. */
#ifndef DAEMON_TRACE_FILTER_H
#define DAEMON_TRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "exposure/trace.h"

#define TRACE_FILTERS_MAX 16

struct trace_filter {
	struct addr host;
	uint16_t port;
	uint8_t proto;
	bool has_port;
	bool has_proto;
};

struct trace_filters {
	uint32_t count;
	struct trace_filter filters[TRACE_FILTERS_MAX];
};

/*
 * "192.0.2.20", "192.0.2.20:22", "[2001:db8::1]:53/udp", "192.0.2.20/icmp":
 * HOST, HOST:PORT, either with /PROTO: a name or a number. *why is static.
 * Errors: ERR_FORMAT, ERR_RANGE (no such port).
 */
int trace_filter_parse(const char *text, struct trace_filter *out,
    const char **why) MUST_CHECK;

/* The step touches one of the endpoints. An ICMP error has no port: those a
 * host sends belong to all of its ports. */
bool trace_filters_match(const struct trace_filters *filters,
    const struct engine_trace *t);

#endif
