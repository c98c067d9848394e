/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handlers share: the configuration, the connection to the store,
 * and the table of routes. One object a process, one thread.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "api/api.h"
#include "api/params.h"
#include "api/request.h"
#include "api/router.h"
#include "common/hash.h"
#include "store/query.h"

struct service {
	const struct api_config *config; /* borrowed */
	const struct http_stats *http;	 /* borrowed */
	struct query *query;		 /* owned; NULL: not open */
	struct hash_key tag_key;	 /* makes ETags this process's own */
	int64_t warned_s;		 /* when we last logged a bad store */
};

/* One request on its way through a handler. All borrowed. */
struct call {
	struct service *service;
	const struct request *request;
	const struct router_match *match;
	const struct params *params;
	struct response *response; /* status 200 until a handler refuses */
	int64_t started_us;	   /* steady clock */
	/* of ROUTE_STORE and ROUTE_TAGGED: */
	struct query *query; /* never NULL */
	uint64_t generation;
	const char *meta; /* further members of meta, ",\"name\":1"; or NULL */
};

void service_init(struct service *s, const struct api_config *config,
    const struct http_stats *http);
void service_fini(struct service *s);

/* A request_fn; arg is the service. */
void service_answer(const struct request *request, struct response *response,
    void *arg);

/*
 * The connection to the store, opened when need be. Errors: those of
 * query_open(); *out is NULL then.
 */
int service_query(struct service *s, struct query **out) MUST_CHECK;

/*
 * Turns the error of a query_ function into a response. Closes a connection
 * that is broken, so that the next request opens another.
 */
void service_query_failed(const struct call *call, int err);

/* Answers with a problem. */
void service_refuse(const struct call *call, enum problem_kind kind,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Appends "meta":{...}, what every answer of JSON says of itself. */
void service_put_meta(const struct call *call, bool truncated);

/* The routes. static. */
const struct route *service_routes(size_t *count);

/* --- handlers: each makes call->response ------------------------------ */

/* lists.c */
void handle_exposures(struct call *call);
void handle_hosts(struct call *call);
void handle_host(struct call *call);
void handle_darkports(struct call *call);
void handle_trans_darkports(struct call *call);
void handle_scan_events(struct call *call);
void handle_exporters(struct call *call);
void handle_exporter_events(struct call *call);
void handle_completeness(struct call *call);
void handle_exporter_hours(struct call *call);
void handle_host_guards(struct call *call);
void handle_exposure_evidence(struct call *call);
void handle_scan_event_evidence(struct call *call);

/* status.c */
void handle_healthz(struct call *call);
void handle_readyz(struct call *call);
void handle_links(struct call *call);
void handle_status(struct call *call);
void handle_problem(struct call *call);

/* metrics.c */
void handle_metrics(struct call *call);

#endif
