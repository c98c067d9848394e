/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: Prometheus text, version 0.0.4. A counter is
 * darkport_NAME_total, a gauge darkport_NAME. No label ever holds an
 * address: strangers would choose how many series there are.
 */
#include <inttypes.h>
#include <string.h>

#include "api/service.h"

#define GAUGE_MARK "gauge: " /* how a gauge's help text starts */
#define US_PER_S   1e6

/* The HELP and TYPE lines; after them come the values. */
static void
put_head(struct buffer *b, const char *name, const char *suffix,
    const char *type, const char *help)
{
	buffer_printf(b, "# HELP darkport_%s%s %s\n# TYPE darkport_%s%s %s\n",
	    name, suffix, help, name, suffix, type);
}

/* A metric with one value. */
static void
put_metric(struct buffer *b, const char *name, const char *type,
    const char *help, uint64_t value)
{
	const char *suffix = strcmp(type, "counter") == 0 ? "_total" : "";

	put_head(b, name, suffix, type, help);
	buffer_printf(b, "darkport_%s%s %" PRIu64 "\n", name, suffix, value);
}

static void
put_counters(struct buffer *b, const struct counters *counters)
{
	for (int i = 0; i < COUNTER_COUNT; i++) {
		enum counter which = (enum counter)i;
		const char *help = counter_help(which);
		size_t mark = strlen(GAUGE_MARK);
		bool gauge = strncmp(help, GAUGE_MARK, mark) == 0;

		put_metric(b, counter_name(which), gauge ? "gauge" : "counter",
		    gauge ? help + mark : help, counter_get(counters, which));
	}
}

/* Durations, in seconds: ranges that each hold all below their end. */
static void
put_histogram(struct buffer *b, const char *name, const char *help,
    const struct histogram *h)
{
	uint64_t count = 0;

	put_head(b, name, "", "histogram", help);
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += histogram_count(h, i);
		buffer_printf(b, "darkport_%s_bucket{le=\"%g\"} %" PRIu64 "\n",
		    name, (double)histogram_bounds_us[i] / US_PER_S, count);
	}
	count += histogram_count(h, HISTOGRAM_BOUNDS);
	buffer_printf(b,
	    "darkport_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	    "darkport_%s_sum %.6f\ndarkport_%s_count %" PRIu64 "\n",
	    name, count, name, (double)histogram_sum_us(h) / US_PER_S, name,
	    count);
}

static void
put_totals(struct buffer *b, const struct query_totals *t)
{
	put_metric(b, "stored_hosts", "gauge", "populated hosts in the store",
	    t->hosts);
	put_head(b, "stored_exposures", "", "gauge",
	    "exposures in the store by state");
	buffer_printf(b,
	    "darkport_stored_exposures{state=\"open\"} %" PRIu64 "\n"
	    "darkport_stored_exposures{state=\"stale\"} %" PRIu64 "\n"
	    "darkport_stored_exposures{state=\"closed\"} %" PRIu64 "\n",
	    t->exposures_open, t->exposures_stale, t->exposures_closed);
	put_head(b, "stored_trans_darkports", "", "gauge",
	    "trans-darkports in the store by state");
	buffer_printf(b,
	    "darkport_stored_trans_darkports{state=\"new\"} %" PRIu64 "\n",
	    t->trans_darkports_new);
	put_metric(b, "stored_scan_events", "gauge", "scan events in the store",
	    t->scan_events);
}

/* The store may be away: the other metrics are still worth having. */
static void
put_store(struct buffer *b, struct service *s)
{
	struct query_totals totals;
	uint64_t generation = 0;
	struct query *q;
	int err = service_query(s, &q);

	if (err == ERR_OK)
		err = query_totals(q, &totals);
	if (err == ERR_OK)
		err = query_generation(q, &generation);
	put_metric(b, "store_up", "gauge", "1: the store can be read",
	    err == ERR_OK);
	if (err != ERR_OK)
		return;
	put_metric(b, "store_generation", "gauge",
	    "sequence of the last batch committed", generation);
	put_totals(b, &totals);
}

static void
put_http(struct buffer *b, const struct http_stats *http)
{
	put_head(b, "http_requests", "_total", "counter",
	    "requests answered, by the class of the status");
	for (int i = 2; i <= 5; i++)
		buffer_printf(b,
		    "darkport_http_requests_total{class=\"%dxx\"} %" PRIu64
		    "\n",
		    i, http->requests[i]);
	put_metric(b, "http_connections_timed_out", "counter",
	    "connections closed for being slow", http->timed_out);
	put_metric(b, "http_connections", "gauge", "connections open now",
	    http->connections);
}

void
handle_metrics(struct call *call)
{
	const struct api_config *config = call->service->config;
	struct buffer *b = &call->response->body;

	call->response->content_type =
	    "text/plain; version=0.0.4; charset=utf-8";
	put_head(b, "build_info", "", "gauge", "the program's version");
	buffer_printf(b, "darkport_build_info{version=\"%s\"} 1\n",
	    config->version);
	put_metric(b, "start_time_seconds", "gauge",
	    "start of the daemon, Unix time", (uint64_t)config->started_s);
	if (config->counters != NULL) {
		put_counters(b, config->counters);
		put_histogram(b, "store_commit_seconds",
		    "how long the commit of a batch took",
		    &config->counters->commits);
	}
	put_store(b, call->service);
	put_http(b, call->service->http);
}
