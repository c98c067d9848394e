/* SPDX-License-Identifier: Apache-2.0 */
/* Start, replay, serve, end. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include "collector/capture.h"
#include "common/timefmt.h"
#include "daemon/clock.h"
#include "daemon/ingest.h"
#include "daemon/life.h"
#include "daemon/memory.h"
#include "daemon/pipeline.h"
#include "daemon/summary.h"
#include "daemon/supervise.h"
#include "daemon/trace.h"
#include "daemon/verdicts.h"

#define MODULE	       "daemon"
#define MS_PER_S       1000
#define FINISH_WAIT_MS 20000 /* for the last commit; systemd gives 90 s */

struct life {
	const struct config *config;
	struct supervise *supervise;
	struct counters *counters; /* the supervise page's */
	struct pipeline *pipeline;
	struct store *store;
	struct writer *writer;
	struct event_base *base;
	struct event *timer;
	struct event *signals[3];
	struct ingest *ingest;
	struct endpoint bound[CONFIG_LISTEN_MAX];
	uint32_t socket_count;
	int64_t listen_ms; /* when they were opened */
	struct endpoint http;
	enum phase phase; /* as last logged */
	struct trace_printer tracer;
	bool traced;
	bool serving;
	bool failed;   /* an ingest thread has */
	bool verdicts; /* a replay prints them */
};

static const int stop_signals[3] = { SIGTERM, SIGINT, SIGHUP };

/* Set by the handler until the event loop takes the signals over. */
static volatile sig_atomic_t stop_wanted;

static void
want_stop(int signal_number)
{
	(void)signal_number;
	stop_wanted = 1;
}

void
life_catch_signals(void)
{
	struct sigaction stop = { .sa_handler = want_stop };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < 3; i++)
		sigaction(stop_signals[i], &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* a reader that left */
	sigaction(SIGXFSZ, &ignore, NULL); /* a write then fails instead */
}

/* One line for the operator, and the code to leave with. */
__attribute__((format(printf, 2, 3))) static int
fail(int code, const char *format, ...)
{
	va_list args;

	fputs("darkportd: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

struct life *
life_new(const struct config *config, enum log_level level)
{
	struct life *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->config = config;
	if (supervise_new(config, clock_now_ms() / MS_PER_S, level,
		&l->supervise) != ERR_OK) {
		free(l);
		return NULL;
	}
	l->counters = supervise_counters(l->supervise);
	return l;
}

void
life_print_verdicts(struct life *l)
{
	l->verdicts = true;
}

void
life_trace(struct life *l, const struct trace_filters *filters)
{
	l->tracer.filters = *filters;
	l->tracer.out = stdout;
	l->traced = true;
}

/* A trace_exporter_fn. */
static const struct finding_exporter *
find_exporter(void *pipeline, uint32_t exporter)
{
	return pipeline_exporter(pipeline, exporter);
}

/* --- start ---------------------------------------------------------------- */

static int
take_http_address(struct life *l)
{
	const struct config *c = l->config;
	char text[ENDPOINT_TEXT_MAX];

	if (!c->http_on)
		return EXIT_NOT_YET;
	if (supervise_listen(l->supervise, &c->http, &l->http) != ERR_OK)
		return fail(EXIT_FAILED, "http %s: %s",
		    endpoint_format(&c->http, text), strerror(errno));
	log_info(MODULE, "http on %s", endpoint_format(&l->http, text));
	if (!endpoint_is_loopback(&l->http))
		log_warnx(MODULE,
		    "http on %s: whoever reaches this address "
		    "can read everything",
		    text);
	return EXIT_NOT_YET;
}

static int
open_store(struct life *l)
{
	char message[STORE_MESSAGE_MAX];

	if (l->config->store[0] == '\0')
		return EXIT_NOT_YET;

	if (store_take_cache(memory_cache_octets(l->config)) != ERR_OK)
		return fail(EXIT_FAILED, "no memory for the store's cache");
	if (store_open(l->config->store, l->counters, &l->store, message) !=
	    ERR_OK)
		return fail(EXIT_FAILED, "store %s: %s", l->config->store,
		    message);
	log_info(MODULE, "store %s opened, batch %" PRIu64, l->config->store,
	    store_sequence(l->store));
	return EXIT_NOT_YET;
}

static void
log_training(const struct life *l)
{
	struct engine_summary s;
	char until[TIME_TEXT_MAX];
	char length[DURATION_TEXT_MAX];

	engine_summary(pipeline_engine(l->pipeline), &s);
	if (s.phase == PHASE_OPERATION)
		log_info(MODULE,
		    "operation: %" PRIu64 " hosts, %" PRIu64
		    " exposures in the map",
		    s.hosts, s.exposures);
	else if (s.training_until_ms != 0)
		log_info(MODULE, "training until %s",
		    time_format(s.training_until_ms / MS_PER_S, until));
	else
		log_info(MODULE, "training for %s from the first flow on",
		    duration_format(l->config->engine.training_ms, length));
}

/* What the store knew, and where findings go. */
static int
attach_store(struct life *l)
{
	int err;

	if (l->store == NULL) {
		pipeline_start(l->pipeline, NULL);
		return EXIT_NOT_YET;
	}
	err = pipeline_restore(l->pipeline, l->store);
	if (err != ERR_OK)
		return fail(EXIT_FAILED, "store %s: cannot be read back: %s",
		    l->config->store, err_name(err));
	if (l->socket_count != 0) {
		memory_log(l->config);
		memory_take(memory_octets(l->config));
	}
	l->writer = writer_start(l->store);
	if (l->writer == NULL)
		return fail(EXIT_FAILED, "cannot start the writer thread");
	pipeline_start(l->pipeline, l->writer);
	return EXIT_NOT_YET;
}

/* The engine and what the store knew. */
static int
make_pipeline(struct life *l)
{
	struct engine_config engine = l->config->engine;
	struct decoder_config decoder = l->config->decoder;
	int code;

	engine.key = hash_key_random();
	decoder.key = hash_key_random();
	l->pipeline = pipeline_new(&engine, &decoder, l->config->ingest_threads,
	    l->counters);
	if (l->pipeline == NULL)
		return fail(EXIT_FAILED,
		    "no memory for %" PRIu64 " octets: set memory_limit",
		    memory_octets(l->config));
	pipeline_set_feeds(l->pipeline, &l->config->feeds);
	pipeline_set_routing_domains(l->pipeline, &l->config->routing_domains);
	if (l->traced) {
		l->tracer.exporter = find_exporter;
		l->tracer.exporter_arg = l->pipeline;
		pipeline_trace(l->pipeline, trace_print, &l->tracer);
	}
	code = attach_store(l);
	if (code != EXIT_NOT_YET)
		return code;
	log_training(l);
	return EXIT_NOT_YET;
}

/* A machine without IPv6 need not have the sockets nobody asked for. */
static bool
may_do_without(const struct life *l, const struct endpoint *e)
{
	return !l->config->listen_given && !addr_is_v4(&e->address) &&
	       (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

static int
open_sockets(struct life *l)
{
	char text[ENDPOINT_TEXT_MAX];

	l->listen_ms = clock_now_ms();
	l->base = event_base_new();
	if (l->base != NULL)
		l->ingest =
		    ingest_new(l->config->ingest_threads, l->base, l->counters);
	if (l->ingest == NULL)
		return fail(EXIT_FAILED, "cannot make an event loop");
	for (uint32_t i = 0; i < l->config->listen_count; i++) {
		const struct endpoint *e = &l->config->listen[i];
		const struct udp_config udp = { .address = e->address,
			.port = e->port,
			.rcvbuf_bytes = l->config->rcvbuf_octets };
		struct endpoint *bound = &l->bound[l->socket_count];

		*bound = *e;
		if (ingest_listen(l->ingest, &udp, &bound->port) != ERR_OK) {
			if (may_do_without(l, e))
				continue;
			return fail(EXIT_FAILED, "listen udp://%s: %s",
			    endpoint_format(e, text), strerror(errno));
		}
		log_info(MODULE, "listening on udp://%s",
		    endpoint_format(bound, text));
		l->socket_count++;
	}
	return EXIT_NOT_YET;
}

/* Addresses first: one that is taken leaves the store as it was. */
int
life_start(struct life *l)
{
	int code = take_http_address(l);

	if (code == EXIT_NOT_YET)
		code = open_sockets(l);
	if (code == EXIT_NOT_YET)
		code = open_store(l);
	if (code == EXIT_NOT_YET)
		code = make_pipeline(l);
	if (code != EXIT_NOT_YET)
		return code;
	if (l->config->http_on && supervise_start(l->supervise) != ERR_OK)
		return fail(EXIT_FAILED, "cannot start the api process: %s",
		    strerror(errno));
	return stop_wanted ? EXIT_DONE : EXIT_NOT_YET;
}

/* --- replay --------------------------------------------------------------- */

/* A datagram_fn: the rest of a capture is skipped once a signal came. */
static void
replay_datagram(const struct datagram *d, void *arg)
{
	if (!stop_wanted)
		pipeline_replay(d, arg);
}

/* What to try next, for who started it by hand. */
static void
print_hints(const struct life *l)
{
	char text[ENDPOINT_TEXT_MAX];

	puts("\nlistening for exporters on:");
	for (uint32_t i = 0; i < l->socket_count; i++)
		printf("  udp://%s\n", endpoint_format(&l->bound[i], text));
	puts("try, in another terminal:");
	if (l->config->http_on) {
		endpoint_format(&l->http, text);
		printf("  curl -s http://%s/api/v1/exposures\n"
		       "  curl -s 'http://%s/api/v1/scan-events?limit=5'\n",
		    text, text);
	}
	printf("  sqlite3 -readonly -header -column %s "
	       "'SELECT host, proto, port, tier, rule FROM exposures'\n",
	    l->config->store);
	puts("SIGINT (Ctrl-C) or SIGTERM ends darkportd.\n");
}

/* What the replay found, unless its verdicts or its trace told. */
static int
print_replay(const struct life *l)
{
	if (l->verdicts || l->traced)
		return fflush(stdout) != 0 || ferror(stdout) != 0
			   ? fail(EXIT_FAILED, "the %s cannot be written",
				 l->traced ? "trace" : "verdicts")
			   : EXIT_NOT_YET;
	if (summary_print(l->config->store, l->counters, stdout) != ERR_OK)
		return fail(EXIT_FAILED, "store %s: cannot be read back",
		    l->config->store);
	if (l->socket_count != 0)
		print_hints(l);
	fflush(stdout);
	return EXIT_NOT_YET;
}

int
life_replay(struct life *l)
{
	const struct config *c = l->config;
	char message[CAPTURE_MESSAGE_MAX];
	int code = EXIT_NOT_YET;

	if (c->read_count == 0)
		return EXIT_NOT_YET;
	if (l->verdicts)
		pipeline_trace(l->pipeline, verdicts_print, stdout);
	for (uint32_t i = 0; i < c->read_count && !stop_wanted; i++) {
		log_info(MODULE, "reading %s", c->read[i]);
		if (capture_read(c->read[i], replay_datagram, l->pipeline,
			l->counters, message) != ERR_OK &&
		    !stop_wanted)
			code = fail(EXIT_FAILED, "%s", message);
	}
	if (pipeline_end_replay(l->pipeline, !stop_wanted) != ERR_OK)
		return fail(EXIT_FAILED, "store %s: cannot be written",
		    c->store);
	pipeline_trace(l->pipeline, NULL, NULL);
	if (stop_wanted)
		return code == EXIT_NOT_YET ? EXIT_DONE : code;
	if (print_replay(l) != EXIT_NOT_YET)
		return EXIT_FAILED;
	if (code == EXIT_NOT_YET && l->socket_count == 0)
		code = EXIT_DONE;
	return code;
}

/* --- serve ---------------------------------------------------------------- */

static void
note_phase(struct life *l)
{
	struct engine_summary s;

	engine_summary(pipeline_engine(l->pipeline), &s);
	if (s.phase != l->phase)
		log_training(l);
	l->phase = s.phase;
}

/* Once a second. */
static void
tick(evutil_socket_t fd, short what, void *arg)
{
	struct life *l = arg;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	if (!ingest_tick(l->ingest)) {
		l->failed = true;
		event_base_loopbreak(l->base);
		return;
	}
	pipeline_tick(l->pipeline, now_ms);
	supervise_tick(l->supervise, now_ms / MS_PER_S);
	note_phase(l);
	sd_notify(0, "WATCHDOG=1");
}

static void
leave_loop(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	event_base_loopexit(arg, NULL);
}

static bool
add_events(struct life *l)
{
	const struct timeval second = { 1, 0 };

	for (size_t i = 0; i < 3; i++) {
		l->signals[i] =
		    evsignal_new(l->base, stop_signals[i], leave_loop, l->base);
		if (l->signals[i] == NULL ||
		    event_add(l->signals[i], NULL) != 0)
			return false;
	}
	l->timer = event_new(l->base, -1, EV_PERSIST, tick, l);
	return l->timer != NULL && event_add(l->timer, &second) == 0;
}

int
life_serve(struct life *l)
{
	const struct ingest_sink sink = { pipeline_take, pipeline_take_decoded,
		pipeline_flush, l->pipeline };
	struct engine_summary s;

	if (!add_events(l))
		return fail(EXIT_FAILED, "cannot add to the event loop");
	engine_summary(pipeline_engine(l->pipeline), &s);
	l->phase = s.phase;
	l->serving = true;
	pipeline_listen_from(l->pipeline, l->listen_ms);
	if (ingest_start(l->ingest, pipeline_decoders(l->pipeline), &sink) !=
	    ERR_OK)
		return fail(EXIT_FAILED, "cannot start the ingest threads");
	sd_notify(0, "READY=1");
	log_info(MODULE, "started, version " DARKPORT_VERSION);
	/* a signal that came before the loop had it */
	if (!stop_wanted && (event_base_dispatch(l->base) < 0 || l->failed))
		return fail(EXIT_FAILED, "the event loop failed");
	return EXIT_DONE;
}

/* --- end ------------------------------------------------------------------ */

static void
log_totals(const struct life *l)
{
	const struct counters *c = l->counters;

	log_info(MODULE,
	    "stopped: %" PRIu64 " datagrams, %" PRIu64 " records, %" PRIu64
	    " attempts, %" PRIu64 " scan events, %" PRIu64
	    " trans-darkports, %" PRIu64 " datagrams lost by the kernel",
	    counter_get(c, COUNTER_DATAGRAMS_RECEIVED),
	    counter_get(c, COUNTER_RECORDS_DELIVERED),
	    counter_get(c, COUNTER_ATTEMPTS),
	    counter_get(c, COUNTER_SCAN_EVENTS),
	    counter_get(c, COUNTER_TRANS_DARKPORTS),
	    counter_get(c, COUNTER_DATAGRAMS_LOST_KERNEL));
}

static void
close_events(struct life *l)
{
	ingest_stop(l->ingest);
	ingest_free(l->ingest);
	for (size_t i = 0; i < 3; i++)
		if (l->signals[i] != NULL)
			event_free(l->signals[i]);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->base != NULL)
		event_base_free(l->base);
	/* the loop gave the signals back; a second one must not kill */
	life_catch_signals();
}

int
life_end(struct life *l, int code)
{
	if (l->serving)
		sd_notify(0, "STOPPING=1");
	close_events(l);
	supervise_stop(l->supervise); /* no reader holds up the checkpoint */
	if (l->serving &&
	    pipeline_finish(l->pipeline, FINISH_WAIT_MS) != ERR_OK)
		code = fail(EXIT_FAILED,
		    "store %s: the last batch is not committed",
		    l->config->store);
	if (l->writer != NULL && !writer_stop(l->writer))
		code = EXIT_FAILED;
	store_close(l->store);
	if (l->pipeline != NULL)
		log_totals(l);
	pipeline_free(l->pipeline);
	supervise_free(l->supervise);
	free(l);
	return code;
}
