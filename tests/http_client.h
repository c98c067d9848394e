/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP client of raw sockets for tests: it sends whatever octets it
 * is given, right or wrong, and reads one answer. Loopback only.
 */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_reply {
	int status; /* 0: the connection ended without an answer */
	char *head; /* owned, NUL-terminated: status line and headers */
	char *body; /* owned, NUL-terminated; "" when there is none */
	size_t length;
	bool closed; /* the server closed the connection after it */
};

/* A socket connected to 127.0.0.1:port, or -1. Reads give up after 20 s. */
int http_connect(uint16_t port);

/* True: all was sent. */
bool http_send(int fd, const void *octets, size_t length);
bool http_puts(int fd, const char *text);

/* One answer; its body is Content-Length octets, or all until the end, or
 * none when no_body. */
struct http_reply http_receive(int fd, bool no_body);

/*
 * A whole exchange: METHOD TARGET with a good Host and the header lines in
 * headers, each ended by CR LF, or NULL.
 */
struct http_reply http_ask(uint16_t port, const char *method,
    const char *target, const char *headers);
struct http_reply http_get(uint16_t port, const char *target);

/* Sends octets as they are, and ends the sending side. */
struct http_reply http_raw(uint16_t port, const void *octets, size_t length);

/* The value of a header copied into out, "" when it is not there. */
char *http_header(const struct http_reply *reply, const char *name, char *out,
    size_t size);

void http_reply_free(struct http_reply *reply);

#endif
