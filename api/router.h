/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to the function that answers it: a static table of routes,
 * matched segment by segment. The path is split as it was sent and each
 * segment decoded alone, so an encoded "/" never makes a segment.
 */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "api/request.h"

#define ROUTER_SEGMENTS_MAX 8
#define ROUTER_SEGMENT_MAX  128 /* octets decoded, NUL included */
#define ROUTER_CAPTURES_MAX 2

struct call; /* what a handler works on: service.h */

enum route_kind {
	ROUTE_PLAIN,  /* answers without the store */
	ROUTE_STORE,  /* needs the store, and more than it */
	ROUTE_TAGGED, /* depends on the store alone: gets an ETag */
};

struct route {
	enum method method;  /* GET answers HEAD too */
	const char *pattern; /* "/api/v1/hosts/{ip}": {..} takes a segment */
	const char *name;    /* of a collection in GET /api/v1; NULL: none */
	uint32_t params;     /* PARAM_BITs it takes */
	enum route_kind kind;
	void (*handle)(struct call *call);
};

struct router_match {
	const struct route *route;
	uint32_t capture_count;
	char captures[ROUTER_CAPTURES_MAX][ROUTER_SEGMENT_MAX];
	char allow[RESPONSE_ALLOW_MAX]; /* of ROUTER_NOT_ALLOWED */
};

enum router_result {
	ROUTER_FOUND,
	ROUTER_NOT_FOUND,
	ROUTER_BAD_PATH, /* a bad escape, or a NUL */
	ROUTER_NOT_ALLOWED,
};

/*
 * routes is borrowed by out->route. Shape: patterns have at most
 * ROUTER_SEGMENTS_MAX segments and ROUTER_CAPTURES_MAX captures.
 */
enum router_result router_find(const struct route *routes, size_t count,
    enum method method, const char *path, struct router_match *out);

/* "GET". static. */
const char *method_name(enum method method);

#endif
