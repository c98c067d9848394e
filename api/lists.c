/* SPDX-License-Identifier: Apache-2.0 */
/* What the store knows: lists of rows, and the things of one host. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"
#include "api/service.h"

struct sink {
	struct buffer *body;
	uint32_t rows;
	bool full;
};

#define ID_DIGITS 18 /* of the longest id: below 2^62 */

/* Room kept for what comes behind the rows. */
#define TAIL_MAX 1024

/* A query_row_fn. Stops the list when the body is full. */
static int
put_row(const char *json, void *arg)
{
	struct sink *sink = arg;
	size_t length = strlen(json);

	if (sink->body->length + length + TAIL_MAX > BUFFER_MAX) {
		sink->full = true;
		return ERR_FULL;
	}
	if (sink->rows++ > 0)
		buffer_puts(sink->body, ",");
	buffer_add(sink->body, json, length);
	return ERR_OK;
}

/* {"data":[...],"next":...,"meta":{...}}; a cursor needs no escape. */
static void
answer_list(struct call *call, enum query_list list)
{
	struct buffer *body = &call->response->body;
	struct sink sink = { .body = body };
	char next[QUERY_CURSOR_MAX] = "";
	char cursor[PARAM_CURSOR_MAX];
	int err;

	buffer_puts(body, "{\"data\":[");
	err = query_list(call->query, list, &call->params->filter, put_row,
	    &sink, next);
	if (err != ERR_OK && !sink.full) {
		service_query_failed(call, err);
		return;
	}
	params_format_cursor(call->params, next, cursor);
	if (sink.full || next[0] == '\0')
		buffer_puts(body, "],\"next\":null,");
	else
		buffer_printf(body, "],\"next\":\"%s\",", cursor);
	service_put_meta(call, sink.full);
	buffer_puts(body, "}\n");
}

/* {"data":{...},"meta":{...}}, of which the row is there unless err says. */
static void
finish_object(struct call *call, int err)
{
	struct buffer *body = &call->response->body;

	if (err != ERR_OK) {
		service_query_failed(call, err);
		return;
	}
	buffer_puts(body, ",");
	service_put_meta(call, false);
	buffer_puts(body, "}\n");
}

/* The {id} of the path. False: the response says it is none. */
static bool
take_id(struct call *call, uint64_t *out)
{
	const char *text = call->match->captures[0];
	size_t length = strlen(text);
	struct problem why;

	if (length < 1 || length > ID_DIGITS ||
	    strspn(text, "0123456789") != length) {
		problem_set(&why, PROBLEM_INVALID_PARAMETER,
		    "id, in the path, must be a number");
		snprintf(why.parameter, sizeof(why.parameter), "id");
		percent_printable(text, length, why.value, sizeof(why.value));
		problem_answer(&why, call->request, call->response);
		return false;
	}
	*out = strtoull(text, NULL, 10);
	return true;
}

/* The {ip} of the path. False: the response says it is none. */
static bool
take_host(struct call *call, struct addr *out)
{
	const char *text = call->match->captures[0];
	struct problem why;

	if (addr_parse(text, out) == ERR_OK)
		return true;
	problem_set(&why, PROBLEM_INVALID_PARAMETER,
	    "ip, in the path, must be an IPv4 or IPv6 address (the %% of a "
	    "tag is written %%25)");
	snprintf(why.parameter, sizeof(why.parameter), "ip");
	percent_printable(text, strlen(text), why.value, sizeof(why.value));
	problem_answer(&why, call->request, call->response);
	return false;
}

void
handle_exposures(struct call *call)
{
	answer_list(call, QUERY_EXPOSURES);
}

void
handle_hosts(struct call *call)
{
	answer_list(call, QUERY_HOSTS);
}

void
handle_trans_darkports(struct call *call)
{
	answer_list(call, QUERY_TRANS_DARKPORTS);
}

void
handle_scan_events(struct call *call)
{
	answer_list(call, QUERY_SCAN_EVENTS);
}

void
handle_exporter_events(struct call *call)
{
	answer_list(call, QUERY_EXPORTER_EVENTS);
}

void
handle_completeness(struct call *call)
{
	answer_list(call, QUERY_COMPLETENESS);
}

void
handle_exporter_hours(struct call *call)
{
	answer_list(call, QUERY_EXPORTER_HOURS);
}

void
handle_host_guards(struct call *call)
{
	answer_list(call, QUERY_HOST_GUARDS);
}

/* What the kernel dropped is nobody's in particular: meta tells it. */
void
handle_exporters(struct call *call)
{
	const struct counters *counters = call->service->config->counters;
	char meta[64];

	if (counters != NULL) {
		snprintf(meta, sizeof(meta), ",\"kernel_drops\":%" PRIu64,
		    counter_get(counters, COUNTER_DATAGRAMS_LOST_KERNEL));
		call->meta = meta;
	}
	answer_list(call, QUERY_EXPORTERS);
	call->meta = NULL;
}

void
handle_host(struct call *call)
{
	struct sink sink = { .body = &call->response->body };
	struct addr host;

	if (!take_host(call, &host))
		return;
	buffer_puts(sink.body, "{\"data\":");
	finish_object(call, query_host(call->query, &host, put_row, &sink));
}

void
handle_darkports(struct call *call)
{
	struct sink sink = { .body = &call->response->body };
	int proto = call->params->filter.proto;
	struct addr host;

	if (!take_host(call, &host))
		return;
	if (proto == QUERY_PROTO_ANY)
		proto = 6; /* TCP */
	buffer_puts(sink.body, "{\"data\":");
	finish_object(call,
	    query_darkports(call->query, &host, proto, put_row, &sink));
}

typedef int (
    *evidence_fn)(struct query *q, uint64_t id, query_row_fn fn, void *arg);

static void
answer_evidence(struct call *call, evidence_fn ask, const char *what)
{
	struct sink sink = { .body = &call->response->body };
	uint64_t id;
	int err;

	if (!take_id(call, &id))
		return;
	buffer_puts(sink.body, "{\"data\":");
	err = ask(call->query, id, put_row, &sink);
	if (err == ERR_NOTFOUND)
		service_refuse(call, PROBLEM_NOT_FOUND,
		    "there is no %s %" PRIu64, what, id);
	else
		finish_object(call, err);
}

void
handle_exposure_evidence(struct call *call)
{
	answer_evidence(call, query_exposure_evidence, "exposure");
}

void
handle_scan_event_evidence(struct call *call)
{
	answer_evidence(call, query_scan_event_evidence, "scan event");
}
