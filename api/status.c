/* SPDX-License-Identifier: Apache-2.0 */
/* The service itself: is it alive, is it ready, what is there, how is it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/service.h"
#include "common/timefmt.h"

/* Appends json's text, and lets json go. NULL: no memory. */
static void
put_json(struct buffer *body, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (text == NULL)
		body->failed = true;
	else
		buffer_puts(body, text);
	free(text);
	json_decref(json);
}

void
handle_healthz(struct call *call)
{
	call->response->content_type = "text/plain; charset=utf-8";
	buffer_puts(&call->response->body, "ok\n");
}

void
handle_readyz(struct call *call)
{
	struct query *q;
	uint64_t generation;
	int err = service_query(call->service, &q);

	if (err == ERR_OK)
		err = query_generation(q, &generation);
	if (err != ERR_OK) {
		call->response->status = 503;
		call->response->retry_after_s = 1;
	}
	buffer_printf(&call->response->body,
	    "{\"ready\":%s,\"checks\":{\"store\":\"%s\"}}\n",
	    err == ERR_OK ? "true" : "false",
	    err == ERR_OK ? "ok" : err_name(err));
}

void
handle_links(struct call *call)
{
	size_t count;
	const struct route *routes = service_routes(&count);
	json_t *links = json_object();

	for (size_t i = 0; i < count; i++)
		if (routes[i].name != NULL &&
		    json_object_set_new(links, routes[i].name,
			json_string(routes[i].pattern)) != 0)
			call->response->body.failed = true;
	put_json(&call->response->body,
	    json_pack("{s{ss ss ss so}}", "data", "name", "darkportd",
		"version", call->service->config->version, "api", "v1", "links",
		links));
	buffer_puts(&call->response->body, "\n");
}

/* A query_row_fn: the row as an object. */
static int
load_row(const char *json, void *arg)
{
	json_t **out = arg;

	*out = json_loads(json, 0, NULL);
	return *out != NULL ? ERR_OK : ERR_FORMAT;
}

/* What came in, from the shared page. NULL: no memory. */
static json_t *
ingest_json(const struct counters *c)
{
	/* clang-format off */
	return json_pack("{sI sI sI sI sI}",
	    "datagrams", (json_int_t)counter_get(c, COUNTER_DATAGRAMS_RECEIVED),
	    "records", (json_int_t)counter_get(c, COUNTER_RECORDS_DELIVERED),
	    "flows", (json_int_t)counter_get(c, COUNTER_FLOWS),
	    "lost_kernel",
	    (json_int_t)counter_get(c, COUNTER_DATAGRAMS_LOST_KERNEL),
	    "lost_sequence", (json_int_t)counter_get(c, COUNTER_SEQUENCE_LOST));
	/* clang-format on */
}

void
handle_status(struct call *call)
{
	const struct api_config *config = call->service->config;
	struct buffer *body = &call->response->body;
	char started[TIME_TEXT_MAX];
	json_t *store = NULL;
	json_t *status;
	int err = query_status(call->query, load_row, &store);

	if (err != ERR_OK) {
		json_decref(store);
		service_query_failed(call, err);
		return;
	}
	status = json_pack("{ss ss ss sI}", "name", "darkportd", "version",
	    config->version, "started_at",
	    time_format(config->started_s, started), "uptime_s",
	    (json_int_t)(call->request->now_s - config->started_s));
	if (json_object_update_missing(status, store) != 0 ||
	    (config->counters != NULL &&
		json_object_set_new(status, "ingest",
		    ingest_json(config->counters)) != 0))
		body->failed = true;
	json_decref(store);
	buffer_puts(body, "{\"data\":");
	put_json(body, status);
	buffer_puts(body, ",");
	service_put_meta(call, false);
	buffer_puts(body, "}\n");
}

void
handle_problem(struct call *call)
{
	const char *text = problem_text(call->match->captures[0]);

	if (text == NULL) {
		service_refuse(call, PROBLEM_NOT_FOUND, "%s", "");
		return;
	}
	call->response->content_type = "text/plain; charset=utf-8";
	buffer_puts(&call->response->body, text);
	buffer_puts(&call->response->body, "\n");
}
