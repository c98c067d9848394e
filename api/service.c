/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its handler: routes, parameters, store, ETag. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/service.h"
#include "common/log.h"
#include "common/timefmt.h"

#define LOG_INTERVAL_S 10

#define PAGE (PARAM_BIT(LIMIT) | PARAM_BIT(CURSOR) | PARAM_BIT(FORMAT))

/* clang-format off */
#define EXPOSURE_PARAMS (PARAM_BIT(NET) | PARAM_BIT(HOST) | PARAM_BIT(PORT) |  \
	PARAM_BIT(PROTO) | PARAM_BIT(EXPOSURE_STATE) | PAGE)
#define ALERT_PARAMS (PARAM_BIT(NET) | PARAM_BIT(HOST) | PARAM_BIT(PORT) |     \
	PARAM_BIT(PROTO) | PARAM_BIT(FROM) | PARAM_BIT(TO) |                   \
	PARAM_BIT(ALERT_STATE) | PAGE)
#define EVENT_PARAMS (PARAM_BIT(FROM) | PARAM_BIT(TO) | PARAM_BIT(SRC) |       \
	PARAM_BIT(DST) | PARAM_BIT(NET) | PARAM_BIT(PORT) |                    \
	PARAM_BIT(PROTO) | PAGE)
#define EXPORTER_PARAMS (PARAM_BIT(EXPORTER) | PARAM_BIT(DOMAIN) | PAGE)
#define FEED_PARAMS (EXPORTER_PARAMS | PARAM_BIT(FROM) | PARAM_BIT(TO))
#define GUARD_PARAMS (PARAM_BIT(NET) | PARAM_BIT(HOST) | PARAM_BIT(FROM) |     \
	PARAM_BIT(TO) | PARAM_BIT(GUARD_STATE) | PAGE)
#define DARKPORT_PARAMS (PARAM_BIT(TRANSPORT) | PARAM_BIT(FORMAT))

/* Every resource there is: docs/api.md describes each. */
static const struct route routes[] = {
	{ METHOD_GET, "/healthz", NULL, 0, ROUTE_PLAIN, handle_healthz },
	{ METHOD_GET, "/readyz", NULL, 0, ROUTE_PLAIN, handle_readyz },
	{ METHOD_GET, "/metrics", NULL, 0, ROUTE_PLAIN, handle_metrics },
	{ METHOD_GET, "/problems/{name}", NULL, 0, ROUTE_PLAIN,
	    handle_problem },
	{ METHOD_GET, "/api/v1", NULL, PARAM_BIT(FORMAT), ROUTE_PLAIN,
	    handle_links },
	{ METHOD_GET, "/api/v1/status", "status", PARAM_BIT(FORMAT),
	    ROUTE_STORE, handle_status },
	{ METHOD_GET, "/api/v1/exposures", "exposures", EXPOSURE_PARAMS,
	    ROUTE_TAGGED, handle_exposures },
	{ METHOD_GET, "/api/v1/exposures/{id}/evidence", "exposure_evidence",
	    PARAM_BIT(FORMAT), ROUTE_TAGGED, handle_exposure_evidence },
	{ METHOD_GET, "/api/v1/hosts", "hosts", PARAM_BIT(NET) | PAGE,
	    ROUTE_TAGGED, handle_hosts },
	{ METHOD_GET, "/api/v1/hosts/{ip}", "host", PARAM_BIT(FORMAT),
	    ROUTE_TAGGED, handle_host },
	{ METHOD_GET, "/api/v1/hosts/{ip}/darkports", "darkports",
	    DARKPORT_PARAMS, ROUTE_TAGGED, handle_darkports },
	{ METHOD_GET, "/api/v1/trans-darkports", "trans_darkports",
	    ALERT_PARAMS, ROUTE_TAGGED, handle_trans_darkports },
	{ METHOD_GET, "/api/v1/scan-events", "scan_events", EVENT_PARAMS,
	    ROUTE_TAGGED, handle_scan_events },
	{ METHOD_GET, "/api/v1/scan-events/{id}/evidence",
	    "scan_event_evidence", PARAM_BIT(FORMAT), ROUTE_TAGGED,
	    handle_scan_event_evidence },
	{ METHOD_GET, "/api/v1/exporters", "exporters", EXPORTER_PARAMS,
	    ROUTE_TAGGED, handle_exporters },
	{ METHOD_GET, "/api/v1/exporter-events", "exporter_events",
	    FEED_PARAMS, ROUTE_TAGGED, handle_exporter_events },
	{ METHOD_GET, "/api/v1/completeness", "completeness", FEED_PARAMS,
	    ROUTE_TAGGED, handle_completeness },
	{ METHOD_GET, "/api/v1/exporter-hours", "exporter_hours", FEED_PARAMS,
	    ROUTE_TAGGED, handle_exporter_hours },
	{ METHOD_GET, "/api/v1/host-guards", "host_guards", GUARD_PARAMS,
	    ROUTE_TAGGED, handle_host_guards },
};
/* clang-format on */

const struct route *
service_routes(size_t *count)
{
	*count = sizeof(routes) / sizeof(routes[0]);
	return routes;
}

void
service_init(struct service *s, const struct api_config *config,
    const struct http_stats *http)
{
	*s = (struct service){ .config = config,
		.http = http,
		.tag_key = hash_key_random() };
}

void
service_fini(struct service *s)
{
	query_close(s->query);
	s->query = NULL;
}

static int64_t
steady_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int
service_query(struct service *s, struct query **out)
{
	int err = ERR_OK;

	if (s->query == NULL)
		err = query_open(s->config->store, &s->query);
	if (err != ERR_OK)
		s->query = NULL;
	*out = s->query;
	return err;
}

void
service_refuse(const struct call *call, enum problem_kind kind,
    const char *format, ...)
{
	struct problem p;
	char detail[sizeof(p.detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem_set(&p, kind, "%s", detail);
	problem_answer(&p, call->request, call->response);
}

void
service_query_failed(const struct call *call, int err)
{
	struct service *s = call->service;

	if (err == ERR_BUSY) {
		service_refuse(call, PROBLEM_QUERY_TIMEOUT, "%s", "");
		return;
	}
	if (err == ERR_NOTFOUND) {
		service_refuse(call, PROBLEM_NOT_INTERNAL, "%s", "");
		return;
	}
	if (err == ERR_FORMAT && call->params->filter.cursor[0] != '\0') {
		service_refuse(call, PROBLEM_INVALID_CURSOR, "%s", "");
		return;
	}
	if (log_limited(&s->warned_s, call->started_us / 1000000,
		LOG_INTERVAL_S))
		log_warnx("api", "request %s: the store cannot be read: %s",
		    call->request->id, err_name(err));
	query_close(s->query);
	s->query = NULL;
	service_refuse(call, PROBLEM_STORE_BUSY, "%s", "");
}

void
service_put_meta(const struct call *call, bool truncated)
{
	int64_t took_us = steady_us() - call->started_us;
	char now[TIME_TEXT_MAX];

	buffer_printf(&call->response->body,
	    "\"meta\":{\"generated_at\":\"%s\",\"generation\":%" PRIu64
	    ",\"truncated\":%s,\"query_ms\":%" PRId64 ".%" PRId64 "%s}",
	    time_format(call->request->now_s, now), call->generation,
	    truncated ? "true" : "false", took_us / 1000, took_us / 100 % 10,
	    call->meta != NULL ? call->meta : "");
}

/* The tag of this resource at this generation. */
static void
make_tag(struct call *call)
{
	const struct request *rq = call->request;
	const struct hash_key *key = &call->service->tag_key;
	const char *query = rq->query != NULL ? rq->query : "";
	uint64_t hashes[2] = { hash_octets(key, rq->path, strlen(rq->path)),
		hash_octets(key, query, strlen(query)) };

	snprintf(call->response->etag, sizeof(call->response->etag),
	    "W/\"%" PRIu64 "-%016" PRIx64 "\"", call->generation,
	    hash_octets(key, hashes, sizeof(hashes)));
}

/* Weak comparison (RFC 9110, 13.1.2): W/ does not count. */
static bool
has_tag(const char *if_none_match, const char *etag)
{
	return if_none_match != NULL &&
	       (strcmp(if_none_match, "*") == 0 ||
		   strstr(if_none_match, etag + strlen("W/")) != NULL);
}

/* Gets the store, and the tag. False: the response is complete. */
static bool
prepare_store(struct call *call)
{
	int err = service_query(call->service, &call->query);

	if (err == ERR_IO) {
		service_refuse(call, PROBLEM_STARTING, "%s", "");
		return false;
	}
	if (err == ERR_OK)
		err = query_generation(call->query, &call->generation);
	if (err != ERR_OK) {
		service_query_failed(call, err);
		return false;
	}
	if (call->match->route->kind != ROUTE_TAGGED || call->params->relative)
		return true;
	make_tag(call);
	if (!has_tag(call->request->if_none_match, call->response->etag))
		return true;
	call->response->status = 304;
	return false;
}

/* The route and its parameters are known. */
static void
handle(struct call *call)
{
	struct response *response = call->response;

	response->status = 200;
	response->content_type = "application/json";
	if (call->match->route->kind != ROUTE_PLAIN && !prepare_store(call))
		return;
	call->match->route->handle(call);
	if (response->body.failed)
		service_refuse(call, PROBLEM_INTERNAL,
		    "no memory for the answer");
}

void
service_answer(const struct request *request, struct response *response,
    void *arg)
{
	struct service *s = arg;
	struct router_match match;
	struct params params;
	struct problem why;
	struct call call = { .service = s,
		.request = request,
		.match = &match,
		.params = &params,
		.response = response,
		.started_us = steady_us() };
	struct params_context context = { .now_s = request->now_s,
		.networks = s->config->networks };

	switch (router_find(routes, sizeof(routes) / sizeof(routes[0]),
	    request->method, request->path, &match)) {
	case ROUTER_NOT_FOUND:
		service_refuse(&call, PROBLEM_NOT_FOUND, "%s", "");
		return;
	case ROUTER_BAD_PATH:
		service_refuse(&call, PROBLEM_INVALID_REQUEST,
		    "the path has a bad percent escape or a NUL");
		return;
	case ROUTER_NOT_ALLOWED:
		service_refuse(&call, PROBLEM_METHOD_NOT_ALLOWED,
		    "this resource takes %s", match.allow);
		memcpy(response->allow, match.allow, sizeof(response->allow));
		return;
	case ROUTER_FOUND:
		break;
	}
	if (params_parse(request->query, match.route->params, &context, &params,
		&why) != ERR_OK)
		problem_answer(&why, request, response);
	else
		handle(&call);
}
