/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the stages, and when a batch goes to the store. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/guard_log.h"
#include "daemon/pipeline.h"
#include "daemon/registry.h"
#include "daemon/watch.h"

#define MODULE		 "pipeline"
#define MS_PER_S	 1000
#define EXPORTERS_LOGGED 64 /* then one a LOG_INTERVAL_S */
#define LOG_INTERVAL_S	 60
#define FINDINGS_MAX	 50000 /* what the engine may put into one commit */
#define EXPORTERS_ROOM	 1024  /* exporters in one commit; more in the next */
#define FLOWS_DUE	 50000 /* make a commit of news, in a replay of any */

/* Parts of the largest memory of the decoder; all in one batch. */
#define MEMORY_PARTS_MAX                                                       \
	((MEMORY_OCTETS_MAX + TEMPLATE_PART_OCTETS - 1) / TEMPLATE_PART_OCTETS)

/* So many parts go into one batch; the others into the next. */
#define MEMORY_PARTS_BATCH 2048

#define BATCH_MAX                                                              \
	(FINDINGS_MAX + MEMORY_PARTS_BATCH +                                   \
	    REGISTRY_FINDINGS_EACH * EXPORTERS_ROOM + COUNTER_COUNT)

/* A replay waits so long for a store that cannot be written. */
#define REPLAY_WAIT_MS 30000

/* Ticks of a replay that jump further are one jump. */
#define REPLAY_STEP_MAX_MS (2LL * 3600 * MS_PER_S)

struct pipeline {
	struct decoders *decoders;
	struct engine *engine;
	struct registry *registry;
	struct watch *watch;
	struct guard_log guard_log;
	struct feed_list feeds;
	struct routing_domain_list routing_domains;
	struct counters *counters;
	struct writer *writer;		/* borrowed; NULL: keeps nothing */
	struct flow_batch *flows;	/* decoded, not judged */
	struct finding_batch *findings; /* the writer's while it is busy */
	uint64_t sequence;		/* of the last batch handed over */
	uint64_t flows_since;		/* judged since then */
	uint64_t restore_lost;
	int64_t replay_ms; /* the replay's clock: latest tick */
	int64_t exporter_log_s;
	int64_t refused_log_s;
	uint64_t watched; /* datagrams decoded when the watch last looked */
	uint32_t exporters_met;	      /* by the decoders, in this life */
	struct decoder_memory memory; /* being put together, or taken apart */
	uint16_t memory_parts;	      /* of it, at hand */
	int64_t newest_ms;	      /* when the store's exporters last sent */
	uint64_t counters_written[COUNTER_COUNT];
	bool replaying;
	bool waiting; /* the last batch could not hold everything */
	bool failed;  /* a replay could not be written */
};

struct pipeline *
pipeline_new(const struct engine_config *engine,
    const struct decoder_config *decoder, uint32_t threads,
    struct counters *counters)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->counters = counters;
	p->decoders = decoders_new(decoder, threads, counters);
	p->engine = engine_new(engine, counters);
	p->flows = malloc(sizeof(*p->flows));
	p->findings = finding_batch_new(BATCH_MAX);
	if (p->decoders != NULL) {
		p->registry = registry_new(p->decoders);
		p->watch = watch_new(p->decoders);
	}
	if (p->decoders == NULL || p->engine == NULL || p->flows == NULL ||
	    p->findings == NULL || p->registry == NULL || p->watch == NULL) {
		pipeline_free(p);
		return NULL;
	}
	p->flows->count = 0;
	/* the store has the counters of another life: write each once */
	memset(p->counters_written, 0xff, sizeof(p->counters_written));
	return p;
}

void
pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	watch_free(p->watch);
	registry_free(p->registry);
	free(p->findings);
	free(p->flows);
	engine_free(p->engine);
	decoders_free(p->decoders);
	free(p);
}

size_t
pipeline_bytes(uint32_t threads)
{
	return sizeof(struct pipeline) + sizeof(struct flow_batch) +
	       sizeof(struct finding_batch) +
	       BATCH_MAX * sizeof(struct finding) + registry_bytes(threads) +
	       watch_bytes(threads);
}

struct decoders *
pipeline_decoders(struct pipeline *p)
{
	return p->decoders;
}

const struct engine *
pipeline_engine(const struct pipeline *p)
{
	return p->engine;
}

void
pipeline_set_feeds(struct pipeline *p, const struct feed_list *feeds)
{
	p->feeds = *feeds;
}

void
pipeline_set_routing_domains(struct pipeline *p,
    const struct routing_domain_list *domains)
{
	p->routing_domains = *domains;
}

/* Whose memory it is; false: nobody we know, or it is too old. */
static bool
begin_memory(struct pipeline *p, const struct finding_template *t)
{
	const struct finding_exporter *e =
	    registry_at(p->registry, t->exporter);

	p->memory_parts = 0;
	if (e == NULL || t->learned_ms < p->newest_ms - MEMORY_AGE_MAX_MS)
		return false;
	p->memory = (struct decoder_memory){ .address = e->address,
		.domain = e->domain,
		.protocol = e->protocol,
		.kind = t->kind,
		.source_port = t->source_port,
		.id = t->id,
		.learned_ms = t->learned_ms };
	return true;
}

/* The part goes on where the one before it ended. */
static bool
is_next_part(const struct pipeline *p, const struct finding_template *t)
{
	const struct decoder_memory *m = &p->memory;

	return t->part == p->memory_parts && t->kind == m->kind &&
	       t->id == m->id && t->source_port == m->source_port &&
	       m->length + (unsigned)t->length <= MEMORY_OCTETS_MAX;
}

/* ERR_NOTFOUND: of no use any more, whatever the parts behind it say. */
static int
restore_template(struct pipeline *p, const struct finding_template *t)
{
	struct decoder_memory *m = &p->memory;

	if (t->part == 0 && !begin_memory(p, t))
		return ERR_NOTFOUND;
	if (!is_next_part(p, t))
		return ERR_NOTFOUND;
	memcpy(&m->octets[m->length], t->octets, t->length);
	m->length = (uint16_t)(m->length + t->length);
	p->memory_parts++;
	if (p->memory_parts < t->parts)
		return ERR_OK;
	p->memory_parts = 0;
	return decoders_remember(p->decoders, m) == ERR_OK ? ERR_OK
							   : ERR_NOTFOUND;
}

/* Tells the engine who they are, and what is configured of them, from a
 * decoder's first on. */
static void
name_exporters(struct pipeline *p, uint32_t thread, uint32_t first)
{
	uint32_t count = registry_met(p->registry, thread);

	p->exporters_met += count - first;
	for (uint32_t i = first; i < count; i++) {
		struct exporter_info info =
		    decoders_exporter(p->decoders, thread, i);
		uint32_t number = registry_number(p->registry, thread, i);
		struct feed_override given;
		struct routing_match match;

		engine_name_exporter(p->engine, number, &info.address);
		if (feed_list_find(&p->feeds, &info.address, info.name,
			info.domain, &given))
			engine_override_feed(p->engine, number, &given);
		routing_domains_match(&p->routing_domains, &info.address,
		    info.name, info.domain, &match);
		engine_route_exporter(p->engine, number, &match);
	}
}

/* Numbers whom the decoders know, whether or not the engine has had something
 * of theirs. */
static void
number_all(struct pipeline *p)
{
	uint32_t first;

	for (uint32_t t = 0; t < p->decoders->count; t++)
		if (registry_update(p->registry, t,
			decoders_exporter_count(p->decoders, t), &first))
			name_exporters(p, t, first);
}

/* A store_restore_fn. */
static int
restore_finding(const struct finding *f, void *arg)
{
	struct pipeline *p = arg;

	if (f->kind == FINDING_EXPORTER) {
		registry_restore(p->registry, &f->exporter);
		if (f->exporter.last_seen_ms > p->newest_ms)
			p->newest_ms = f->exporter.last_seen_ms;
		return ERR_OK;
	}
	if (f->kind == FINDING_EXPORTER_HOUR) {
		registry_restore_hour(p->registry, &f->exporter_hour);
		return ERR_OK;
	}
	if (f->kind == FINDING_TEMPLATE)
		return restore_template(p, &f->template_part);
	/* a smaller table, or a value that cannot be: not worth a refusal */
	if (f->kind == FINDING_HOST_GUARD)
		guard_log_restore(&p->guard_log, &f->host_guard);
	if (engine_restore(p->engine, f) != ERR_OK)
		p->restore_lost++;
	return ERR_OK;
}

int
pipeline_restore(struct pipeline *p, struct store *s)
{
	int err = store_restore(s, restore_finding, p);

	if (err != ERR_OK)
		return err;
	/* who the decoders were reminded of is not new */
	number_all(p);
	p->sequence = store_sequence(s);
	if (p->restore_lost != 0)
		log_warnx(MODULE,
		    "%llu findings of the store were not "
		    "taken up: tables too small, or values out of range",
		    (unsigned long long)p->restore_lost);
	return ERR_OK;
}

void
pipeline_trace(struct pipeline *p, engine_trace_fn fn, void *arg)
{
	engine_set_trace(p->engine, fn, arg);
}

const struct finding_exporter *
pipeline_exporter(const struct pipeline *p, uint32_t exporter)
{
	return registry_at(p->registry, exporter);
}

void
pipeline_start(struct pipeline *p, struct writer *w)
{
	p->writer = w;
}

void
pipeline_listen_from(struct pipeline *p, int64_t from_ms)
{
	engine_listen_from(p->engine, from_ms);
}

/* --- to the store --------------------------------------------------------- */

/* What the store counts about itself would differ from run to run. */
static bool
is_kept(enum counter which)
{
	return which != COUNTER_STORE_COMMITS && which != COUNTER_STORE_ROWS &&
	       which != COUNTER_STORE_ERRORS &&
	       which != COUNTER_STORE_COMMIT_US &&
	       which != COUNTER_STORE_TEMPLATES_FULL;
}

/* Appends the counters that changed. */
static void
collect_counters(struct pipeline *p)
{
	for (uint32_t i = 0; i < COUNTER_COUNT; i++) {
		uint64_t value = counter_get(p->counters, (enum counter)i);
		struct finding *f;

		if (!is_kept((enum counter)i) ||
		    value == p->counters_written[i])
			continue;
		f = finding_batch_add(p->findings, FINDING_COUNTER);
		if (f == NULL)
			return; /* in the next batch */
		f->counter.which = i;
		f->counter.value = value;
		p->counters_written[i] = value;
	}
}

static void
append_memory(struct pipeline *p, uint32_t exporter)
{
	const struct decoder_memory *m = &p->memory;
	uint16_t parts = (uint16_t)((m->length + TEMPLATE_PART_OCTETS - 1) /
				    TEMPLATE_PART_OCTETS);

	for (uint16_t i = 0; i < parts; i++) {
		struct finding *f =
		    finding_batch_add(p->findings, FINDING_TEMPLATE);
		struct finding_template *t = &f->template_part;
		size_t from = (size_t)i * TEMPLATE_PART_OCTETS;
		size_t length = m->length - from;

		if (length > TEMPLATE_PART_OCTETS)
			length = TEMPLATE_PART_OCTETS;
		t->exporter = exporter;
		t->source_port = m->source_port;
		t->kind = m->kind;
		t->id = m->id;
		t->learned_ms = m->learned_ms;
		t->part = i;
		t->parts = parts;
		t->length = (uint8_t)length;
		memcpy(t->octets, &m->octets[from], length);
	}
}

/* Whose memory it is. With threads it may be of a datagram that is not taken
 * yet, the first of its exporter. */
static uint32_t
owner_of(struct pipeline *p, const struct decoder_memory *m)
{
	uint32_t exporter =
	    registry_find(p->registry, &m->address, m->domain, m->protocol);

	if (exporter != REGISTRY_UNKNOWN || p->decoders->count == 1)
		return exporter;
	number_all(p);
	return registry_find(p->registry, &m->address, m->domain, m->protocol);
}

/* Appends what the decoders want to know again at the next start. */
static void
collect_memories(struct pipeline *p)
{
	uint32_t least = finding_batch_room(p->findings);

	least = least > MEMORY_PARTS_BATCH ? least - MEMORY_PARTS_BATCH : 0;
	while (finding_batch_room(p->findings) >= least + MEMORY_PARTS_MAX &&
	       decoders_memory_next(p->decoders, &p->memory)) {
		uint32_t exporter = owner_of(p, &p->memory);

		if (exporter != REGISTRY_UNKNOWN)
			append_memory(p, exporter);
	}
}

static bool
is_idle(const struct pipeline *p)
{
	return p->writer == NULL || writer_idle(p->writer);
}

static bool
wait_idle(struct pipeline *p, int timeout_ms)
{
	return p->writer == NULL || writer_wait(p->writer, timeout_ms);
}

/* What changed of an exporter's feed; of a network alone it is no line. */
static void
log_feed_event(const struct pipeline *p, const struct finding_feed_event *d)
{
	const struct finding_exporter *e =
	    registry_at(p->registry, d->exporter);
	char address[ADDR_TEXT_MAX];
	char from[FEED_VALUE_MAX], to[FEED_VALUE_MAX];

	if (d->has_network || e == NULL)
		return;
	log_info(MODULE,
	    "exporter %s domain %u: %s was %s, is %s (%s, %llu samples)",
	    addr_format(&e->address, address), e->domain,
	    feed_property_name(d->property),
	    feed_value_format((enum feed_property)d->property, d->from, from),
	    feed_value_format((enum feed_property)d->property, d->to, to),
	    feed_source_name(d->source), (unsigned long long)d->samples);
}

/* What of a batch is worth a line. */
static void
log_changes(struct pipeline *p)
{
	struct engine_summary s;

	engine_summary(p->engine, &s);
	for (uint32_t i = 0; i < p->findings->count; i++) {
		const struct finding *f = &p->findings->findings[i];

		if (f->kind == FINDING_FEED_EVENT)
			log_feed_event(p, &f->feed_event);
		else if (f->kind == FINDING_HOST_GUARD)
			guard_log_take(&p->guard_log, &f->host_guard,
			    s.clock_ms / MS_PER_S);
	}
}

/*
 * Hands one batch over; the writer is idle. Exporters come first: the
 * findings behind them name them. True when more is waiting.
 */
static bool
hand_over(struct pipeline *p)
{
	assert(is_idle(p));
	p->findings->count = 0;
	decoders_sum(p->decoders);
	registry_collect(p->registry, p->findings);
	collect_memories(p);
	collect_counters(p);
	p->waiting = engine_collect(p->engine, p->findings);
	log_changes(p);
	p->flows_since = 0;
	if (p->findings->count == 0)
		return false;
	p->findings->sequence = ++p->sequence;
	if (p->writer != NULL && !writer_submit(p->writer, p->findings))
		assert(false && "an idle writer takes a batch");
	return p->waiting;
}

/* Hands over until nothing is waiting, and waits for the writer. */
static int
hand_over_all(struct pipeline *p, int timeout_ms)
{
	bool more;

	do {
		if (!wait_idle(p, timeout_ms))
			return ERR_IO;
		more = hand_over(p);
	} while (more);
	return wait_idle(p, timeout_ms) ? ERR_OK : ERR_IO;
}

/* --- from the datagrams --------------------------------------------------- */

/* The first ones singly; a flood of them, which anybody can send, not. */
static void
log_new_exporters(struct pipeline *p, uint32_t thread, uint32_t first,
    int64_t now_ms)
{
	struct exporter_info info =
	    decoders_exporter(p->decoders, thread, first);
	char address[ADDR_TEXT_MAX];

	if (p->exporters_met > EXPORTERS_LOGGED &&
	    !log_limited(&p->exporter_log_s, now_ms / MS_PER_S, LOG_INTERVAL_S))
		return;
	log_info(MODULE, "exporter new: %s domain %u version %u, %u in all",
	    addr_format(&info.address, address), info.domain,
	    (unsigned)info.protocol, p->exporters_met);
}

/* Anybody can send, so one line a minute. */
static void
log_refused(struct pipeline *p, const struct decoded *d)
{
	char address[ADDR_TEXT_MAX];
	bool limit = d->status != DECODE_NOT_ALLOWED;

	if (!log_limited(&p->refused_log_s, d->received_ms / MS_PER_S,
		LOG_INTERVAL_S))
		return;
	log_warnx(MODULE, "exporter refused: %s %s",
	    addr_format(&d->source, address),
	    !limit ? "may not send: see exporter and accept_any in "
		     "darkportd.conf(5)"
	    : d->status == DECODE_EXPORTER_LIMIT
		? "is one more than max_exporters"
		: "has more domains than max_domains");
}

/* What a datagram became: its records are the last in the flow batch. */
static void
take_up(struct pipeline *p, const struct decoded *d)
{
	uint32_t first;

	if (d->status == DECODE_NOT_ALLOWED ||
	    d->status == DECODE_EXPORTER_LIMIT ||
	    d->status == DECODE_DOMAIN_LIMIT)
		log_refused(p, d);
	if (registry_update(p->registry, d->thread, d->exporters, &first)) {
		name_exporters(p, d->thread, first);
		log_new_exporters(p, d->thread, first, d->received_ms);
	}
	for (uint32_t i = p->flows->count - d->count; i < p->flows->count;
	     i++) {
		struct flow_record *f = &p->flows->records[i];

		f->exporter =
		    registry_number(p->registry, d->thread, f->exporter);
	}
}

/* Decodes one datagram behind what is in the flow batch already. */
static void
decode(struct pipeline *p, const struct datagram *d)
{
	struct decoded decoded;

	registry_turn(p->registry, d->received_ms);
	decoded = decoders_decode(p->decoders, d, p->flows);
	take_up(p, &decoded);
}

static void
judge(struct pipeline *p)
{
	if (p->flows->count == 0)
		return;
	engine_take(p->engine, p->flows);
	p->flows_since += p->flows->count;
	p->flows->count = 0;
}

static void
tell_timeouts_of(struct pipeline *p, uint32_t thread)
{
	uint32_t count = registry_met(p->registry, thread);

	for (uint32_t i = 0; i < count; i++) {
		struct exporter_info info =
		    decoders_exporter(p->decoders, thread, i);

		if (info.active_timeout_s != 0 || info.idle_timeout_s != 0)
			engine_tell_timeouts(p->engine,
			    registry_number(p->registry, thread, i),
			    info.active_timeout_s, info.idle_timeout_s);
	}
}

/* What exporters told of their timeouts, to the engine. */
static void
tell_timeouts(struct pipeline *p)
{
	for (uint32_t t = 0; t < p->decoders->count; t++)
		tell_timeouts_of(p, t);
}

/* Looks at the exporters, once a second, when something came. */
static void
watch(struct pipeline *p, int64_t now_ms)
{
	uint64_t decoded;

	decoders_sum(p->decoders);
	decoded = counter_get(p->counters, COUNTER_DATAGRAMS_DECODED);
	if (decoded == p->watched)
		return;
	p->watched = decoded;
	tell_timeouts(p);
	watch_tick(p->watch, now_ms);
}

/* For so many records more. */
static bool
has_room(const struct pipeline *p, uint32_t count)
{
	return FLOW_BATCH_MAX - p->flows->count >= count;
}

/* So much has changed that a commit should not wait for the tick. */
static bool
is_due(const struct pipeline *p)
{
	return p->waiting || registry_is_turning(p->registry) ||
	       engine_is_crowded(p->engine);
}

/* Signs of life of what is known wait for the tick: of many records a second
 * they would be written many times. */
static bool
has_news(const struct pipeline *p)
{
	return p->flows_since >= FLOWS_DUE && engine_has_news(p->engine);
}

void
pipeline_take(const struct datagram *d, void *pipeline)
{
	struct pipeline *p = pipeline;

	if (!has_room(p, FLOW_DATAGRAM_MAX))
		judge(p);
	decode(p, d);
}

void
pipeline_take_decoded(const struct decoded *d,
    const struct flow_record *records, void *pipeline)
{
	struct pipeline *p = pipeline;

	if (!has_room(p, d->count))
		judge(p);
	registry_turn(p->registry, d->received_ms);
	memcpy(&p->flows->records[p->flows->count], records,
	    d->count * sizeof(*records));
	p->flows->count += d->count;
	take_up(p, d);
}

void
pipeline_flush(void *pipeline)
{
	struct pipeline *p = pipeline;

	judge(p);
	if ((is_due(p) || has_news(p)) && is_idle(p))
		hand_over(p);
}

void
pipeline_tick(struct pipeline *p, int64_t now_ms)
{
	judge(p);
	engine_tick(p->engine, now_ms);
	watch(p, now_ms);
	registry_turn(p->registry, now_ms);
	if (is_idle(p))
		hand_over(p);
}

/* --- replay --------------------------------------------------------------- */

static void
commit_replay_if_due(struct pipeline *p)
{
	if (!p->failed && (is_due(p) || p->flows_since >= FLOWS_DUE))
		p->failed = hand_over_all(p, REPLAY_WAIT_MS) != ERR_OK;
}

/* A tick for each second of the capture, as a live daemon has them. */
static void
tick_replay(struct pipeline *p, int64_t now_ms)
{
	int64_t due = p->replay_ms + MS_PER_S;

	if (p->replay_ms == 0 || now_ms - p->replay_ms > REPLAY_STEP_MAX_MS)
		due = now_ms;
	if (now_ms < due)
		return;
	judge(p);
	for (; due <= now_ms; due += MS_PER_S) {
		bool crowded;

		do { /* what crowding put off is found at the same second */
			engine_tick(p->engine, due);
			crowded = engine_is_crowded(p->engine);
			commit_replay_if_due(p);
		} while (crowded && !p->failed);
		p->replay_ms = due;
	}
	watch(p, p->replay_ms);
}

void
pipeline_replay(const struct datagram *d, void *pipeline)
{
	struct pipeline *p = pipeline;

	if (p->failed)
		return;
	if (!p->replaying)
		decoders_accept_any(p->decoders, true);
	p->replaying = true;
	tick_replay(p, d->received_ms);
	if (!has_room(p, FLOW_DATAGRAM_MAX))
		judge(p);
	commit_replay_if_due(p);
	decode(p, d);
}

int
pipeline_end_replay(struct pipeline *p, bool complete)
{
	bool more;

	decoders_accept_any(p->decoders, false);
	p->replaying = false;
	if (p->failed)
		return ERR_IO;
	judge(p);
	do {
		more = complete && engine_drain(p->engine);
		if (hand_over_all(p, REPLAY_WAIT_MS) != ERR_OK)
			return ERR_IO;
	} while (more);
	return ERR_OK;
}

int
pipeline_finish(struct pipeline *p, int timeout_ms)
{
	judge(p);
	return hand_over_all(p, timeout_ms);
}
