/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors for HTTP clients: application/problem+json (RFC 9457). The kinds
 * are one list; each is also a short text under /problems/NAME.
 * Texts in a problem are ours or made printable; never SQL, never a path.
 */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/request.h"

/* X(enumerator, status, name, title, what it means) */
#define PROBLEM_LIST(X)                                                        \
	X(INVALID_PARAMETER, 400, "invalid-parameter", "Invalid parameter",    \
	    "A parameter has a value this resource cannot take.")              \
	X(UNKNOWN_PARAMETER, 400, "unknown-parameter", "Unknown parameter",    \
	    "This resource has no parameter of that name.")                    \
	X(INVALID_CURSOR, 400, "invalid-cursor", "Invalid cursor",             \
	    "The cursor is not one that this list gave out as \"next\".")      \
	X(INVALID_REQUEST, 400, "invalid-request", "Invalid request",          \
	    "The request breaks the rules of HTTP or of URIs.")                \
	X(HOST_NOT_ALLOWED, 403, "host-not-allowed", "Host not allowed",       \
	    "The Host header names none of the server's own addresses.")       \
	X(NOT_FOUND, 404, "not-found", "Not found",                            \
	    "There is no such resource; GET /api/v1 lists them.")              \
	X(NOT_INTERNAL, 404, "not-internal", "Not an internal address",        \
	    "The address is outside the configured networks.")                 \
	X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "Method not allowed", \
	    "The resource does not take this method; Allow lists those "       \
	    "it takes.")                                                       \
	X(INTERNAL, 500, "internal", "Internal error",                         \
	    "The server failed. Its log names the request_id.")                \
	X(STARTING, 503, "starting", "Starting",                               \
	    "The store is not there yet. Try again in a moment.")              \
	X(STORE_BUSY, 503, "store-busy", "Store busy",                         \
	    "The store cannot be read now. Try again in a moment.")            \
	X(QUERY_TIMEOUT, 503, "query-timeout", "Query timeout",                \
	    "The question took too long. Ask for less.")

enum problem_kind {
#define PROBLEM_ENUM(id, status, name, title, text) PROBLEM_##id,
	PROBLEM_LIST(PROBLEM_ENUM)
#undef PROBLEM_ENUM
	    PROBLEM_COUNT
};

struct problem {
	enum problem_kind kind;
	char detail[160];   /* "": none */
	char parameter[32]; /* "": not about one */
	char value[64];	    /* of the parameter */
};

/* Sets kind and detail; no parameter. */
void problem_set(struct problem *p, enum problem_kind kind, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Answers with it: status, content type, body, Retry-After of a 503. */
void problem_answer(const struct problem *p, const struct request *request,
    struct response *response);

/* What the problem named so means, or NULL. static. */
const char *problem_text(const char *name);

#endif
