/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: libevent's, with what it lacks. It takes at most
 * HTTP_CONNECTIONS_MAX connections and listens no more while it has so many;
 * a request must arrive whole within the deadline, counted from the accept or
 * the last answer, and its answer be taken within three times that, so that a
 * client that drips octets is closed too. Requests that are ambiguous (two
 * Host, two Content-Length) or meant for somebody else are refused here.
 *
 * What libevent refuses by itself (a header or body too large, an unknown
 * method, no HTTP at all) it answers with a small page of HTML and a close.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/request.h"
#include "common/err.h"

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_HEADERS_MAX     16384 /* octets, request line included */
#define HTTP_BODY_MAX	     65536
#define HTTP_REQUEST_MS	     10000
#define HTTP_ANSWER_TIMES    3 /* an answer may take so many deadlines */

/* All pointers are borrowed for the life of http_serve(). */
struct http_config {
	int listen_fd;		  /* closed at the end */
	int control_fd;		  /* its end of file ends us; -1: none */
	int deadline_ms;	  /* of a request; 0: HTTP_REQUEST_MS */
	const char *const *hosts; /* as in api_config */
	request_fn answer;
	void *arg;		  /* of answer */
	struct http_stats *stats; /* counted here */
};

/* Serves until SIGTERM or the end of control_fd. Errors: ERR_NOMEM, ERR_IO. */
int http_serve(const struct http_config *config) MUST_CHECK;

#endif
