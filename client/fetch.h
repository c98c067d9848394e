/* SPDX-License-Identifier: Apache-2.0 */
/* One GET over HTTP, by a plain socket, to its end. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include <stddef.h>

#include "common/err.h"

#define FETCH_MESSAGE_MAX 512
#define FETCH_ANSWER_MAX  (64U << 20) /* more is refused */
#define FETCH_TIMEOUT_S	  15

struct fetched {
	int status;	  /* 200, 404, ... */
	char *answer;	  /* owned: free(); headers and body, NUL at the end */
	const char *body; /* in answer */
};

/*
 * base: "http://HOST:PORT", the port 80 when left out, an IPv6 address in
 * brackets; a path behind it is put before `path`. path begins with "/" and
 * is encoded already. message is a sentence for the user.
 * Errors: ERR_FORMAT (base is no such URL, or the answer is no HTTP),
 * ERR_IO (no connection, or it broke), ERR_RANGE (too long), ERR_NOMEM.
 */
int fetch(const char *base, const char *path, struct fetched *out,
    char message[FETCH_MESSAGE_MAX]) MUST_CHECK;

#endif
