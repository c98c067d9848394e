/* SPDX-License-Identifier: Apache-2.0 */
/* The client: tables of JSON rows, and asking over HTTP. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/fetch.h"
#include "client/rows.h"
#include "tests/test.h"

/* Prints rows into text the caller frees. */
static char *
print(const char *json, const char *const *columns, const char *prefix)
{
	json_t *rows = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(rows);
	assert_non_null(out);
	rows_print(rows, columns, prefix, out);
	fclose(out);
	json_decref(rows);
	return text;
}

static void
rows_line_up_under_their_heading(void **state)
{
	static const char *const columns[] = { "host", "port", NULL };
	char *text = print("[{\"port\":80,\"host\":\"192.0.2.1\",\"x\":1},"
			   "{\"host\":\"a\",\"port\":65535}]",
	    columns, "  ");

	(void)state;
	assert_string_equal(text, "  host       port\n"
				  "  192.0.2.1  80\n"
				  "  a          65535\n");
	free(text);
	text = print("[{\"b\":true,\"a\":[1,\"x\"],\"c\":null}]", NULL, "");
	assert_string_equal(text, "b    a    c\nyes  1,x  -\n");
	free(text);
	text = print("[]", NULL, "");
	assert_string_equal(text, "");
	free(text);
}

static void
rows_let_no_value_move_the_cursor(void **state)
{
	json_t *value = json_string("a\x1b[2Jb\nc\x7f");
	char text[ROWS_CELL_MAX];

	(void)state;
	assert_string_equal(rows_cell(value, text), "a?[2Jb?c?");
	json_decref(value);
	assert_string_equal(rows_cell(NULL, text), "-");
}

static void
rows_cut_what_is_longer_than_a_cell(void **state)
{
	char longer[2 * ROWS_CELL_MAX];
	char text[ROWS_CELL_MAX];
	json_t *value;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	value = json_string(longer);
	assert_int_equal(strlen(rows_cell(value, text)), ROWS_CELL_MAX - 1);
	json_decref(value);
}

static void
fetch_refuses_what_is_no_url(void **state)
{
	static const char *const wrong[] = { "", "localhost:80", "https://x",
		"http://", "http:///path", "http://:80", "http://[::1",
		"http://h:123456789", "http://[::1]x" };
	char message[FETCH_MESSAGE_MAX];
	struct fetched f;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (fetch(wrong[i], "/", &f, message) == ERR_OK)
			fail_msg("accepted: %s", wrong[i]);
}

/* A server of one answer; remembers what it was asked. */
struct server {
	int fd;
	const char *answer;
	char asked[1024];
	char url[64];
	pthread_t thread;
};

static void *
serve_once(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	ssize_t got = recv(fd, s->asked, sizeof(s->asked) - 1, 0);

	s->asked[got > 0 ? got : 0] = '\0';
	if (send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0)
		s->asked[0] = '\0';
	close(fd);
	return NULL;
}

static void
start_server(struct server *s, const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);

	s->answer = answer;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &length),
	    0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/base/",
	    ntohs(at.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve_once, s), 0);
}

static void
stop_server(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void
fetch_gives_status_and_body(void **state)
{
	char message[FETCH_MESSAGE_MAX];
	struct server s;
	struct fetched f;

	(void)state;
	start_server(&s, "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n{\"x\":1}");
	assert_ok(fetch(s.url, "/api/v1/x?y=1", &f, message));
	stop_server(&s);
	assert_int_equal(f.status, 404);
	assert_string_equal(f.body, "{\"x\":1}");
	assert_non_null(strstr(s.asked, "GET /base/api/v1/x?y=1 HTTP/1.0\r\n"));
	assert_non_null(strstr(s.asked, "\r\nHost: 127.0.0.1:"));
	free(f.answer);
}

static void
fetch_refuses_an_answer_that_is_no_http(void **state)
{
	char message[FETCH_MESSAGE_MAX];
	struct server s;
	struct fetched f;

	(void)state;
	start_server(&s, "SSH-2.0-x\r\n\r\n");
	assert_int_equal(fetch(s.url, "/", &f, message), ERR_FORMAT);
	stop_server(&s);
	assert_non_null(strstr(message, "no HTTP"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(rows_line_up_under_their_heading),
		TEST(rows_let_no_value_move_the_cursor),
		TEST(rows_cut_what_is_longer_than_a_cell),
		TEST(fetch_refuses_what_is_no_url),
		TEST(fetch_gives_status_and_body),
		TEST(fetch_refuses_an_answer_that_is_no_http),
	};

	return RUN_TESTS(tests);
}
