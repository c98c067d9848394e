/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP server hands to the rest of the API, and gets back. Nothing
 * here knows the library that speaks HTTP.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "api/buffer.h"

#define METHOD_LIST(X)                                                         \
	X(GET)                                                                 \
	X(HEAD)                                                                \
	X(POST)                                                                \
	X(PUT)                                                                 \
	X(DELETE)                                                              \
	X(OPTIONS)                                                             \
	X(PATCH)                                                               \
	X(TRACE)                                                               \
	X(CONNECT)

enum method {
#define METHOD_ENUM(id) METHOD_##id,
	METHOD_LIST(METHOD_ENUM)
#undef METHOD_ENUM
	    METHOD_COUNT
};

#define REQUEST_ID_MAX	   24
#define RESPONSE_ETAG_MAX  64
#define RESPONSE_ALLOW_MAX 64

/* All texts are borrowed for the call. */
struct request {
	enum method method;
	const char *path;	   /* as sent: not decoded; never NULL */
	const char *query;	   /* as sent, without "?"; NULL: none */
	const char *if_none_match; /* NULL: none */
	int64_t now_s;		   /* Unix time */
	char id[REQUEST_ID_MAX];   /* shown with errors, and logged */
};

/* Zeroed at the start. owned by the server, body included. */
struct response {
	int status;
	const char *content_type; /* static */
	struct buffer body;
	char etag[RESPONSE_ETAG_MAX];	/* "": none */
	char allow[RESPONSE_ALLOW_MAX]; /* "": none; of a 405 */
	int retry_after_s;		/* 0: none */
};

/* What the server counts; the metrics show it. */
struct http_stats {
	uint64_t requests[6]; /* by the first digit of the status */
	uint64_t timed_out;   /* connections closed for being slow */
	uint32_t connections; /* now */
};

/* Makes the response to a request. */
typedef void (*request_fn)(const struct request *request,
    struct response *response, void *arg);

#endif
