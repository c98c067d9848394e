/* SPDX-License-Identifier: Apache-2.0 */
/* GET: connect, ask, read until the server closes (HTTP/1.0, RFC 1945). */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "client/fetch.h"

#define SCHEME	      "http://"
#define HOST_MAX      256
#define PORT_TEXT_MAX 8
#define PATH_MAX_TEXT 4096
#define CHUNK	      ((size_t)16384)

/* A base URL taken apart. */
struct base {
	char authority[HOST_MAX + PORT_TEXT_MAX]; /* for Host */
	char host[HOST_MAX];
	char port[PORT_TEXT_MAX];
	char prefix[HOST_MAX]; /* of the path; "" or "/..." */
};

static int
split_base(const char *text, struct base *out)
{
	const char *slash;
	const char *colon;
	const char *host;
	size_t length;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return ERR_FORMAT;
	text += strlen(SCHEME);
	slash = text + strcspn(text, "/");
	length = (size_t)(slash - text);
	if (length == 0 || length >= sizeof(out->authority) ||
	    strlen(slash) >= sizeof(out->prefix))
		return ERR_FORMAT;
	memcpy(out->authority, text, length);
	memcpy(out->prefix, slash, strlen(slash));
	while (out->prefix[0] != '\0' &&
	       out->prefix[strlen(out->prefix) - 1] == '/')
		out->prefix[strlen(out->prefix) - 1] = '\0';
	host = out->authority;
	if (host[0] == '[') {
		host++;
		length = strcspn(host, "]");
		colon = host + length;
		colon += *colon == ']';
	} else {
		length = strcspn(host, ":");
		colon = host + length;
	}
	if (length == 0 || length >= sizeof(out->host) ||
	    (*colon != '\0' && *colon != ':') ||
	    (*colon == ':' && strlen(colon + 1) >= sizeof(out->port)))
		return ERR_FORMAT;
	memcpy(out->host, host, length);
	snprintf(out->port, sizeof(out->port), "%s",
	    *colon == ':' && colon[1] != '\0' ? colon + 1 : "80");
	return ERR_OK;
}

static int
connect_to(const struct base *base, char message[FETCH_MESSAGE_MAX])
{
	const struct addrinfo want = { .ai_socktype = SOCK_STREAM };
	const struct timeval timeout = { FETCH_TIMEOUT_S, 0 };
	struct addrinfo *found;
	int fd = -1;
	int code = getaddrinfo(base->host, base->port, &want, &found);

	if (code != 0) {
		snprintf(message, FETCH_MESSAGE_MAX, "%s: %s", base->authority,
		    gai_strerror(code));
		return -1;
	}
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC,
		    a->ai_protocol);
		if (fd < 0)
			continue;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			sizeof(timeout)) != 0 ||
		    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			sizeof(timeout)) != 0 ||
		    connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			int saved = errno;

			close(fd);
			errno = saved;
			fd = -1;
		}
	}
	if (fd < 0)
		snprintf(message, FETCH_MESSAGE_MAX, "cannot connect to %s: %s",
		    base->authority, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

static int
send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0)
			return ERR_IO;
		text += sent;
		length -= (size_t)sent;
	}
	return ERR_OK;
}

/* Everything until the end. owned: free(). */
static int
receive_all(int fd, char **out)
{
	size_t size = 0;
	size_t used = 0;
	char *answer = NULL;
	ssize_t got;
	int err = ERR_OK;

	do {
		if (size - used <= CHUNK) {
			char *larger = realloc(answer, 2 * size + 2 * CHUNK);

			if (larger == NULL) {
				err = ERR_NOMEM;
				break;
			}
			answer = larger;
			size = 2 * size + 2 * CHUNK;
		}
		got = recv(fd, answer + used, CHUNK, 0);
		if (got < 0)
			err = ERR_IO;
		else
			used += (size_t)got;
		if (used > FETCH_ANSWER_MAX)
			err = ERR_RANGE;
	} while (err == ERR_OK && got != 0);
	if (err != ERR_OK) {
		free(answer);
		return err;
	}
	answer[used] = '\0';
	*out = answer;
	return ERR_OK;
}

/* The status line, and where the body begins. */
static int
take_apart(struct fetched *f)
{
	char *body = strstr(f->answer, "\r\n\r\n");
	const char *at = f->answer;

	if (strncmp(at, "HTTP/1.", strlen("HTTP/1.")) != 0 || body == NULL)
		return ERR_FORMAT;
	at += strcspn(at, " ");
	while (*at == ' ')
		at++;
	if (!isdigit((unsigned char)at[0]) || !isdigit((unsigned char)at[1]) ||
	    !isdigit((unsigned char)at[2]))
		return ERR_FORMAT;
	f->status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	f->body = body + 4;
	return ERR_OK;
}

int
fetch(const char *base_text, const char *path, struct fetched *out,
    char message[FETCH_MESSAGE_MAX])
{
	char request[PATH_MAX_TEXT + 3 * HOST_MAX];
	struct fetched f = { 0 };
	struct base base;
	int used;
	int err;
	int fd;

	if (split_base(base_text, &base) != ERR_OK) {
		snprintf(message, FETCH_MESSAGE_MAX,
		    "'%.256s' is no URL: write http://HOST:PORT", base_text);
		return ERR_FORMAT;
	}
	used = snprintf(request, sizeof(request),
	    "GET %s%s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\n\r\n",
	    base.prefix, path, base.authority);
	if (used < 0 || (size_t)used >= sizeof(request)) {
		snprintf(message, FETCH_MESSAGE_MAX, "the request is too long");
		return ERR_RANGE;
	}
	fd = connect_to(&base, message);
	if (fd < 0)
		return ERR_IO;
	err = send_all(fd, request, (size_t)used);
	if (err == ERR_OK)
		err = receive_all(fd, &f.answer);
	if (err == ERR_OK)
		err = take_apart(&f);
	if (err != ERR_OK) {
		snprintf(message, FETCH_MESSAGE_MAX, "%s: %s", base.authority,
		    err == ERR_FORMAT  ? "the answer is no HTTP"
		    : err == ERR_RANGE ? "the answer is too long"
		    : errno == EAGAIN  ? "no answer in time"
		    : err == ERR_NOMEM ? "no memory"
				       : strerror(errno));
		free(f.answer);
	} else {
		*out = f;
	}
	close(fd);
	return err;
}
