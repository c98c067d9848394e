/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server, and the only file that knows libevent's.
 *
 * Measured of libevent 2.1.12, and answered here: it has no cap on
 * connections; its timeout is one of inactivity only, so one octet now and
 * then keeps a connection for ever; it does not say when a connection that
 * never made a request is gone. So each connection has a slot that holds a
 * reference to its bufferevent, made when libevent asks for one; a sweep
 * looks for slots that libevent has let go of (it takes the callbacks away)
 * and shuts down the sockets that are past their deadline, which libevent
 * then sees as an end of file.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "api/api.h"
#include "api/hostname.h"
#include "api/http.h"
#include "api/problem.h"
#include "common/log.h"

#define SWEEP_MS       250L
#define LISTEN_BACKLOG 128
#define TIMEOUT_S      30 /* of libevent: inactivity, a second fence */
#define READ_AHEAD_MAX 65536
#define LOG_INTERVAL_S 10

struct server;

struct connection {
	struct server *server;
	struct bufferevent *bev; /* a reference of ours; NULL: free slot */
	long waited_ms;		 /* in this phase, counted in sweeps: a slow
				  * query must not look like a slow client */
	bool answering;
};

struct server {
	const struct http_config *config;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener; /* borrowed from http */
	struct event *sweep;
	struct event *control;
	struct event *term;
	uint32_t boot; /* random: makes request ids our own */
	uint64_t requests;
	struct connection slots[HTTP_CONNECTIONS_MAX];
};

/* --- the listening socket --------------------------------------------- */

static socklen_t
fill_sockaddr(const struct addr *addr, uint16_t port,
    struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (addr_is_v4(addr)) {
		struct sockaddr_in sin = { .sin_family = AF_INET,
			.sin_port = htons(port) };

		memcpy(&sin.sin_addr, addr->octets + 12, 4);
		memcpy(out, &sin, sizeof(sin));
		return sizeof(sin);
	}
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	memcpy(&sin6.sin6_addr, addr->octets, 16);
	memcpy(out, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

/* The address and port fd is bound to. Errors: ERR_IO. */
static int
local_name(int fd, struct addr *addr, uint16_t *port)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(name);
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
		return ERR_IO;
	if (name.ss_family == AF_INET) {
		memcpy(&sin, &name, sizeof(sin));
		*addr = addr_from_v4((const uint8_t *)&sin.sin_addr);
		*port = ntohs(sin.sin_port);
		return ERR_OK;
	}
	if (name.ss_family != AF_INET6)
		return ERR_IO;
	memcpy(&sin6, &name, sizeof(sin6));
	*addr = addr_from_v6((const uint8_t *)&sin6.sin6_addr);
	*port = ntohs(sin6.sin6_port);
	return ERR_OK;
}

int
api_listen(const struct addr *addr, uint16_t port, int *fd_out,
    uint16_t *port_out)
{
	struct sockaddr_storage name;
	socklen_t length = fill_sockaddr(addr, port, &name);
	struct addr bound;
	int on = 1;
	int saved;
	int fd;

	fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd < 0)
		return ERR_IO;
	/* accepted sockets inherit TCP_NODELAY */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    (name.ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) !=
		    0) ||
	    bind(fd, (struct sockaddr *)&name, length) != 0 ||
	    listen(fd, LISTEN_BACKLOG) != 0 ||
	    local_name(fd, &bound, &port) != ERR_OK)
		goto fail;
	*fd_out = fd;
	*port_out = port;
	return ERR_OK;

fail:
	saved = errno;
	close(fd);
	errno = saved;
	return ERR_IO;
}

/* --- connections: cap and deadline ------------------------------------ */

/* Frees the slot, and listens again. */
static void
release(struct connection *c)
{
	struct server *s = c->server;

	bufferevent_decref(c->bev);
	c->bev = NULL;
	s->config->stats->connections--;
	if (s->listener != NULL)
		evconnlistener_enable(s->listener);
}

/* libevent wants a bufferevent for a connection it accepted. */
static struct bufferevent *
make_bufferevent(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct connection *c = s->slots;
	struct http_stats *stats = s->config->stats;

	while (c < s->slots + HTTP_CONNECTIONS_MAX && c->bev != NULL)
		c++;
	if (c == s->slots + HTTP_CONNECTIONS_MAX)
		return NULL; /* the listener was disabled: cannot be */
	c->bev = bufferevent_socket_new(base, -1, 0);
	if (c->bev == NULL)
		return NULL;
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD_MAX);
	bufferevent_incref(c->bev);
	c->server = s;
	c->waited_ms = 0;
	c->answering = false;
	if (++stats->connections == HTTP_CONNECTIONS_MAX)
		evconnlistener_disable(s->listener);
	return c->bev;
}

static bool
is_let_go(const struct connection *c)
{
	bufferevent_data_cb read_cb;
	bufferevent_event_cb event_cb;

	bufferevent_getcb(c->bev, &read_cb, NULL, &event_cb, NULL);
	return read_cb == NULL && event_cb == NULL;
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	int deadline_ms = s->config->deadline_ms;

	(void)fd;
	(void)what;
	if (deadline_ms == 0)
		deadline_ms = HTTP_REQUEST_MS;
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *c = &s->slots[i];

		if (c->bev == NULL)
			continue;
		if (is_let_go(c)) {
			release(c);
			continue;
		}
		c->waited_ms += SWEEP_MS;
		if (c->waited_ms <=
		    deadline_ms * (c->answering ? HTTP_ANSWER_TIMES : 1))
			continue;
		s->config->stats->timed_out++;
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
	}
}

static void
on_connection_closed(struct evhttp_connection *connection, void *arg)
{
	struct connection *c = arg;

	(void)connection;
	if (c->bev != NULL)
		release(c);
}

static void
on_answered(struct evhttp_request *rq, void *arg)
{
	struct connection *c = arg;

	(void)rq;
	c->answering = false;
	c->waited_ms = 0;
}

/* The connection of rq: from now on its answer is awaited. NULL: cannot be. */
static struct connection *
start_answering(struct server *s, struct evhttp_request *rq)
{
	struct evhttp_connection *ec = evhttp_request_get_connection(rq);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(ec);

	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *c = &s->slots[i];

		if (c->bev != bev)
			continue;
		c->answering = true;
		c->waited_ms = 0;
		evhttp_connection_set_closecb(ec, on_connection_closed, c);
		evhttp_request_set_on_complete_cb(rq, on_answered, c);
		return c;
	}
	return NULL;
}

/* --- one request ------------------------------------------------------ */

/* RFC 9110, 5.6.2: what a field name is made of. "Host " is none. */
static bool
is_token(const char *text)
{
	const char *c = text;

	while (isalnum((unsigned char)*c) ||
	       (*c != '\0' && strchr("!#$%&'*+-.^_`|~", *c) != NULL))
		c++;
	return c != text && *c == '\0';
}

/*
 * Refuses what two readers could read in two ways, and what is meant for
 * somebody else. True: why says so.
 */
static bool
is_refused(const struct server *s, struct evhttp_request *rq, int fd,
    struct problem *why)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(rq);
	const char *host = NULL;
	const struct evkeyval *h;
	unsigned hosts = 0, lengths = 0;
	struct addr local;
	uint16_t port;
	bool known = local_name(fd, &local, &port) == ERR_OK;

	TAILQ_FOREACH(h, headers, next)
	{
		if (!is_token(h->key)) {
			problem_set(why, PROBLEM_INVALID_REQUEST,
			    "a header's name is no token");
			return true;
		}
		if (strcasecmp(h->key, "Host") == 0) {
			host = h->value;
			hosts++;
		}
		lengths += strcasecmp(h->key, "Content-Length") == 0;
	}
	if (hosts != 1 || lengths > 1) {
		problem_set(why, PROBLEM_INVALID_REQUEST,
		    "the request must have %s",
		    hosts != 1 ? "one Host header"
			       : "no more than one Content-Length header");
		return true;
	}
	if (!hostname_allowed(host, known ? &local : NULL, s->config->hosts)) {
		problem_set(why, PROBLEM_HOST_NOT_ALLOWED, "%s", "");
		return true;
	}
	return false;
}

static enum method
method_of(struct evhttp_request *rq)
{
	switch (evhttp_request_get_command(rq)) {
	case EVHTTP_REQ_GET:
		return METHOD_GET;
	case EVHTTP_REQ_HEAD:
		return METHOD_HEAD;
	case EVHTTP_REQ_POST:
		return METHOD_POST;
	case EVHTTP_REQ_PUT:
		return METHOD_PUT;
	case EVHTTP_REQ_DELETE:
		return METHOD_DELETE;
	case EVHTTP_REQ_OPTIONS:
		return METHOD_OPTIONS;
	case EVHTTP_REQ_TRACE:
		return METHOD_TRACE;
	case EVHTTP_REQ_CONNECT:
		return METHOD_CONNECT;
	case EVHTTP_REQ_PATCH:
		return METHOD_PATCH;
	}
	return METHOD_CONNECT; /* libevent passes on no other */
}

/*
 * The path and the query in a request's target, as sent. Of the absolute
 * form the authority is left out: Host said it, and was checked.
 */
static void
split_target(char *uri, const char **path, const char **query)
{
	char *scheme_end = strstr(uri, "://");
	char *mark;

	uri[strcspn(uri, "#")] = '\0';
	if (uri[0] != '/' && scheme_end != NULL) {
		uri = scheme_end + 3;
		uri += strcspn(uri, "/?");
	}
	mark = strchr(uri, '?');
	if (mark != NULL)
		*mark = '\0';
	*path = uri;
	*query = mark != NULL ? mark + 1 : NULL;
}

static void
free_body(const void *data, size_t length, void *arg)
{
	(void)data;
	(void)length;
	free(arg);
}

/* The body as libevent wants it. NULL: no memory, or an empty body. */
static struct evbuffer *
take_body(struct response *response)
{
	struct evbuffer *out = evbuffer_new();
	size_t length;
	char *text = buffer_take(&response->body, &length);

	if (out == NULL || text == NULL ||
	    evbuffer_add_reference(out, text, length, free_body, text) != 0) {
		free(text);
		if (out != NULL)
			evbuffer_free(out);
		return NULL;
	}
	return out;
}

static void
add_headers(const struct server *s, struct evkeyvalq *headers,
    const struct response *response, bool head)
{
	char number[24];

	/* of these none can fail but for memory, and an answer without one is
	 * better than none */
	if (response->status != 304)
		evhttp_add_header(headers, "Content-Type",
		    response->content_type);
	if (head) {
		snprintf(number, sizeof(number), "%zu", response->body.length);
		evhttp_add_header(headers, "Content-Length", number);
	}
	evhttp_add_header(headers, "Cache-Control", "private, no-cache");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (response->etag[0] != '\0')
		evhttp_add_header(headers, "ETag", response->etag);
	if (response->allow[0] != '\0')
		evhttp_add_header(headers, "Allow", response->allow);
	if (response->retry_after_s != 0) {
		snprintf(number, sizeof(number), "%d", response->retry_after_s);
		evhttp_add_header(headers, "Retry-After", number);
	}
	/* with all slots taken, each answer makes room for somebody else */
	if (response->status == 400 ||
	    s->config->stats->connections == HTTP_CONNECTIONS_MAX)
		evhttp_add_header(headers, "Connection", "close");
}

static void
send_response(const struct server *s, struct evhttp_request *rq,
    struct response *response, bool head)
{
	struct evbuffer *body = NULL;

	add_headers(s, evhttp_request_get_output_headers(rq), response, head);
	s->config->stats->requests[response->status / 100]++;
	if (!head && response->status != 304)
		body = take_body(response);
	evhttp_send_reply(rq, response->status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
	buffer_fini(&response->body);
}

static void
on_request(struct evhttp_request *rq, void *arg)
{
	struct server *s = arg;
	struct connection *c = start_answering(s, rq);
	struct response response = { .status = 0 };
	struct request request = { .method = method_of(rq),
		.path = "/",
		.now_s = (int64_t)time(NULL) };
	const char *target = evhttp_request_get_uri(rq);
	char *uri = strdup(target != NULL ? target : "");
	struct problem why;

	snprintf(request.id, sizeof(request.id), "%08x-%llx", s->boot,
	    (unsigned long long)++s->requests);
	if (uri != NULL)
		split_target(uri, &request.path, &request.query);
	request.if_none_match =
	    evhttp_find_header(evhttp_request_get_input_headers(rq),
		"If-None-Match");
	if (uri == NULL || c == NULL) {
		problem_set(&why, PROBLEM_INTERNAL, "no memory for a request");
		problem_answer(&why, &request, &response);
	} else if (is_refused(s, rq, bufferevent_getfd(c->bev), &why)) {
		problem_answer(&why, &request, &response);
	} else {
		s->config->answer(&request, &response, s->config->arg);
	}
	send_response(s, rq, &response, request.method == METHOD_HEAD);
	free(uri);
}

/* --- start and end ---------------------------------------------------- */

static void
on_control(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	char octets[256];
	ssize_t got = read(fd, octets, sizeof(octets));

	(void)what;
	/* what the daemon may say later is not for this version */
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		event_base_loopexit(s->base, NULL);
}

static void
on_term(evutil_socket_t number, short what, void *arg)
{
	struct server *s = arg;

	(void)number;
	(void)what;
	event_base_loopexit(s->base, NULL);
}

/* libevent's warnings, which strangers can provoke. */
static void
log_libevent(int severity, const char *text)
{
	static int64_t last_s;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (severity >= EVENT_LOG_WARN &&
	    log_limited(&last_s, now.tv_sec, LOG_INTERVAL_S))
		log_warnx("api", "libevent: %s", text);
}

/* The daemon may have blocked or ignored what we need. */
static int
take_signals(struct server *s)
{
	sigset_t set;

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGINT, SIG_IGN) == SIG_ERR ||
	    signal(SIGHUP, SIG_IGN) == SIG_ERR)
		return ERR_IO;
	s->term = evsignal_new(s->base, SIGTERM, on_term, s);
	if (s->term == NULL || event_add(s->term, NULL) != 0)
		return ERR_NOMEM;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return ERR_OK;
}

static int
start_events(struct server *s)
{
	static const struct timeval interval = { 0, SWEEP_MS * 1000 };
	int err = take_signals(s);

	if (err != ERR_OK)
		return err;
	s->sweep = event_new(s->base, -1, EV_PERSIST, on_sweep, s);
	if (s->sweep == NULL || event_add(s->sweep, &interval) != 0)
		return ERR_NOMEM;
	if (s->config->control_fd < 0)
		return ERR_OK;
	s->control = event_new(s->base, s->config->control_fd,
	    EV_READ | EV_PERSIST, on_control, s);
	if (s->control == NULL || event_add(s->control, NULL) != 0)
		return ERR_NOMEM;
	return ERR_OK;
}

static int
start_http(struct server *s)
{
	struct evhttp_bound_socket *bound;

	s->http = evhttp_new(s->base);
	if (s->http == NULL)
		return ERR_NOMEM;
	/* all of them, so that we say 405 and not libevent 501 */
	evhttp_set_allowed_methods(s->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
		EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
		EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(s->http, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(s->http, HTTP_BODY_MAX);
	evhttp_set_timeout(s->http, TIMEOUT_S);
	evhttp_set_default_content_type(s->http, NULL);
	evhttp_set_bevcb(s->http, make_bufferevent, s);
	evhttp_set_gencb(s->http, on_request, s);
	bound = evhttp_accept_socket_with_handle(s->http, s->config->listen_fd);
	if (bound == NULL)
		return ERR_IO;
	s->listener = evhttp_bound_socket_get_listener(bound);
	return ERR_OK;
}

static void
stop(struct server *s)
{
	s->listener = NULL; /* it goes before the connections do */
	if (s->http != NULL)
		evhttp_free(s->http); /* connections and listener too */
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (s->slots[i].bev != NULL)
			bufferevent_decref(s->slots[i].bev);
	if (s->sweep != NULL)
		event_free(s->sweep);
	if (s->control != NULL)
		event_free(s->control);
	if (s->term != NULL)
		event_free(s->term);
	if (s->base != NULL)
		event_base_free(s->base);
	free(s);
}

int
http_serve(const struct http_config *config)
{
	struct server *s = calloc(1, sizeof(*s));
	int err = ERR_NOMEM;

	if (s == NULL)
		return ERR_NOMEM;
	s->config = config;
	evutil_secure_rng_get_bytes(&s->boot, sizeof(s->boot));
	event_set_log_callback(log_libevent);
	s->base = event_base_new();
	if (s->base != NULL)
		err = start_events(s);
	if (err == ERR_OK)
		err = start_http(s);
	if (err == ERR_OK && event_base_dispatch(s->base) != 0)
		err = ERR_IO;
	stop(s);
	return err;
}
