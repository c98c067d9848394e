/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP client of raw sockets for tests. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/http_client.h"

#define READ_SECONDS 20
#define REPLY_MAX    (16U << 20)

int
http_connect(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct timeval patience = { READ_SECONDS, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool
http_send(int fd, const void *octets, size_t length)
{
	const char *at = octets;

	while (length > 0) {
		ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		length -= (size_t)sent;
	}
	return true;
}

bool
http_puts(int fd, const char *text)
{
	return http_send(fd, text, strlen(text));
}

/* Appends what comes next; 0: the end, or too long, or no patience left. */
static size_t
read_more(int fd, char **text, size_t *length)
{
	char *grown = realloc(*text, *length + 65536 + 1);
	ssize_t got;

	if (grown == NULL)
		abort();
	*text = grown;
	got = recv(fd, *text + *length, 65536, 0);
	if (got < 0 || *length > REPLY_MAX)
		got = 0;
	*length += (size_t)got;
	(*text)[*length] = '\0';
	return (size_t)got;
}

char *
http_header(const struct http_reply *reply, const char *name, char *out,
    size_t size)
{
	const char *line = reply->head;

	out[0] = '\0';
	while (line != NULL && (line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, strlen(name)) == 0 &&
		    line[strlen(name)] == ':') {
			line += strlen(name) + 1;
			line += strspn(line, " ");
			snprintf(out, size, "%.*s", (int)strcspn(line, "\r"),
			    line);
			return out;
		}
	}
	return out;
}

struct http_reply
http_receive(int fd, bool no_body)
{
	struct http_reply reply = { 0 };
	char *text = NULL;
	char *end = NULL;
	char number[32];
	size_t length = 0;
	size_t wanted;

	while (end == NULL && read_more(fd, &text, &length) > 0)
		end = strstr(text, "\r\n\r\n");
	if (end != NULL && strncmp(text, "HTTP/1.", 7) == 0)
		reply.status =
		    (int)strtol(text + strlen("HTTP/1.x "), NULL, 10);
	if (reply.status == 0) {
		free(text);
		reply.head = strdup("");
		reply.body = strdup("");
		reply.closed = true;
		return reply;
	}
	reply.head = strndup(text, (size_t)(end + 2 - text));
	length -= (size_t)(end + 4 - text);
	memmove(text, end + 4, length + 1);
	reply.body = text;
	http_header(&reply, "Content-Length", number, sizeof(number));
	wanted = number[0] != '\0' ? strtoul(number, NULL, 10) : REPLY_MAX;
	if (no_body || reply.status == 304)
		wanted = 0;
	while (length < wanted)
		if (read_more(fd, &reply.body, &length) == 0) {
			reply.closed = true;
			break;
		}
	reply.length = length;
	return reply;
}

struct http_reply
http_ask(uint16_t port, const char *method, const char *target,
    const char *headers)
{
	int fd = http_connect(port);
	struct http_reply reply;
	char *text;

	if (fd < 0 ||
	    asprintf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n",
		method, target, port, headers != NULL ? headers : "") < 0)
		abort();
	http_puts(fd, text);
	free(text);
	reply = http_receive(fd, strcmp(method, "HEAD") == 0);
	close(fd);
	return reply;
}

struct http_reply
http_get(uint16_t port, const char *target)
{
	return http_ask(port, "GET", target, NULL);
}

struct http_reply
http_raw(uint16_t port, const void *octets, size_t length)
{
	int fd = http_connect(port);
	struct http_reply reply;

	if (fd < 0)
		abort();
	http_send(fd, octets, length);
	shutdown(fd, SHUT_WR);
	reply = http_receive(fd, false);
	close(fd);
	return reply;
}

void
http_reply_free(struct http_reply *reply)
{
	free(reply->head);
	free(reply->body);
	*reply = (struct http_reply){ 0 };
}
