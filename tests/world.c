/* SPDX-License-Identifier: Apache-2.0 */
/* A store of arrays around an engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define BATCH_MAX 512

struct engine_config
world_config(int64_t training_ms)
{
	struct engine_config config = engine_config_default();
	struct network network;

	assert_ok(network_parse("10.0.0.0/8=inside", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	assert_ok(network_parse("2001:db8:a::/48", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	config.training_ms = training_ms;
	config.max_pairs = 4096;
	config.max_sources = 4096;
	config.max_hosts = 1024;
	config.max_exposures = 1024;
	config.max_events = 4096;
	return config;
}

struct world *
world_new_with(const struct engine_config *config)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->config = *config;
	w->engine = engine_new(config, &w->counters);
	w->flows = calloc(1, sizeof(*w->flows));
	w->batch = finding_batch_new(BATCH_MAX);
	assert_non_null(w->engine);
	assert_non_null(w->flows);
	assert_non_null(w->batch);
	return w;
}

struct world *
world_new(int64_t training_ms)
{
	struct engine_config config = world_config(training_ms);

	return world_new_with(&config);
}

void
world_show_both(struct world *w)
{
	struct feed_override given = { .given = 1U << FEED_VISIBILITY };

	given.values[FEED_VISIBILITY] = FEED_VISIBILITY_BOTH;
	for (uint32_t exporter = 0; exporter < 4; exporter++)
		engine_override_feed(w->engine, exporter, &given);
}

void
world_free(struct world *w)
{
	engine_free(w->engine);
	free(w->flows);
	free(w->batch);
	free(w);
}

/*
 * Puts *f where its key is, or behind the last; the id is the first member
 * of all that have one.
 */
static void
put(void *array, uint32_t *count, size_t size, const void *f, size_t key_size)
{
	uint8_t *at = array;
	uint32_t i;

	for (i = 0; i < *count; i++)
		if (memcmp(at + i * size, f, key_size) == 0)
			break;
	assert_true(i < WORLD_MAX);
	memcpy(at + i * size, f, size);
	if (i == *count)
		(*count)++;
}

static void
take_out(void *array, uint32_t *count, size_t size, uint64_t id)
{
	uint8_t *at = array;

	for (uint32_t i = 0; i < *count; i++) {
		if (memcmp(at + i * size, &id, sizeof(id)) != 0)
			continue;
		memmove(at + i * size, at + (i + 1) * size,
		    (*count - i - 1) * size);
		(*count)--;
		return;
	}
}

static void
put_outcome(struct world *w, const struct finding_outcome *f)
{
	uint32_t i;

	for (i = 0; i < w->outcome_count; i++)
		if (w->outcomes[i].hour_ms == f->hour_ms &&
		    w->outcomes[i].outcome == f->outcome &&
		    w->outcomes[i].rule == f->rule &&
		    w->outcomes[i].reason == f->reason &&
		    w->outcomes[i].exporter == f->exporter)
			break;
	assert_true(i < WORLD_MAX);
	w->outcomes[i] = *f;
	if (i == w->outcome_count)
		w->outcome_count++;
}

/* One with no role, or a change of no kind, is none: it stays and says so. */
static void
put_witness(struct world *w, const struct finding_witness *f)
{
	uint32_t i;

	for (i = 0; i < w->witness_count; i++)
		if (w->witnesses[i].exposure_id == f->exposure_id &&
		    w->witnesses[i].index == f->index)
			break;
	assert_true(i < WORLD_MAX);
	w->witnesses[i] = *f;
	w->witness_count += i == w->witness_count;
}

static void
put_change(struct world *w, const struct finding_change *f)
{
	uint32_t i;

	for (i = 0; i < w->change_count; i++)
		if (w->changes[i].exposure_id == f->exposure_id &&
		    w->changes[i].index == f->index)
			break;
	assert_true(i < WORLD_MAX);
	w->changes[i] = *f;
	w->change_count += i == w->change_count;
}

/* All that was said of an exposure goes with it. */
static void
forget_evidence(struct world *w, uint64_t exposure_id)
{
	for (uint32_t i = 0; i < w->witness_count; i++)
		if (w->witnesses[i].exposure_id == exposure_id)
			w->witnesses[i].witness.roles = 0;
	for (uint32_t i = 0; i < w->change_count; i++)
		if (w->changes[i].exposure_id == exposure_id)
			w->changes[i].change.kind = CHANGE_NONE;
}

static void
put_feed(struct world *w, const struct finding_feed *f)
{
	uint32_t i;

	for (i = 0; i < w->feed_count; i++)
		if (w->feeds[i].exporter == f->exporter &&
		    w->feeds[i].property == f->property &&
		    memcmp(&w->feeds[i].network, &f->network,
			sizeof(f->network)) == 0)
			break;
	assert_true(i < WORLD_MAX);
	w->feeds[i] = *f;
	if (i == w->feed_count)
		w->feed_count++;
}

static void
apply(struct world *w, const struct finding *f)
{
	switch (f->kind) {
	case FINDING_ENGINE:
		w->state = f->engine;
		break;
	case FINDING_HOST:
		put(w->hosts, &w->host_count, sizeof(f->host), &f->host,
		    sizeof(f->host.address));
		break;
	case FINDING_HOST_GUARD:
		put(w->guards, &w->guard_count, sizeof(f->host_guard),
		    &f->host_guard,
		    offsetof(struct finding_host_guard, until_ms));
		break;
	case FINDING_EXPOSURE:
		put(w->exposures, &w->exposure_count, sizeof(f->exposure),
		    &f->exposure, sizeof(f->exposure.id));
		break;
	case FINDING_EXPOSURE_RETRACTED:
		take_out(w->exposures, &w->exposure_count, sizeof(f->exposure),
		    f->retracted_id);
		forget_evidence(w, f->retracted_id);
		break;
	case FINDING_WITNESS:
		put_witness(w, &f->witness);
		break;
	case FINDING_CHANGE:
		put_change(w, &f->change);
		break;
	case FINDING_TRANS_DARKPORT:
		put(w->alerts, &w->alert_count, sizeof(f->trans_darkport),
		    &f->trans_darkport, sizeof(f->trans_darkport.id));
		break;
	case FINDING_TRANS_DARKPORT_RETRACTED:
		take_out(w->alerts, &w->alert_count, sizeof(f->trans_darkport),
		    f->retracted_id);
		break;
	case FINDING_SCAN_EVENT:
		if (w->without_events)
			break;
		put(w->events, &w->event_count, sizeof(f->scan_event),
		    &f->scan_event, sizeof(f->scan_event.id));
		break;
	case FINDING_SCAN_EVENT_RETRACTED:
		take_out(w->events, &w->event_count, sizeof(f->scan_event),
		    f->retracted_id);
		break;
	case FINDING_OUTCOME:
		put_outcome(w, &f->outcome);
		break;
	case FINDING_FEED:
		put_feed(w, &f->feed);
		break;
	case FINDING_FEED_EVENT:
		put(w->feed_events, &w->feed_event_count, sizeof(f->feed_event),
		    &f->feed_event, sizeof(f->feed_event.id));
		break;
	case FINDING_NETWORK:
	case FINDING_EXPORTER:
	case FINDING_EXPORTER_HOUR:
	case FINDING_TEMPLATE:
	case FINDING_COUNTER:
	case FINDING_KIND_COUNT:
		break;
	}
}

void
world_collect(struct world *w)
{
	bool more;

	do {
		w->batch->count = 0;
		more = engine_collect(w->engine, w->batch);
		for (uint32_t i = 0; i < w->batch->count; i++)
			apply(w, &w->batch->findings[i]);
	} while (more);
}

void
world_flow(struct world *w, int64_t at_ms, const char *text)
{
	struct flow_record *f = &w->flows->records[0];

	assert_true(case_parse_record(text, f));
	if (f->export_ms == f->received_ms) /* not told */
		f->export_ms = WORLD_MS + at_ms;
	f->received_ms = WORLD_MS + at_ms;
	if ((f->has & FLOW_HAS_TIMES) == 0) {
		f->has |= FLOW_HAS_TIMES;
		f->start_ms = f->end_ms = f->received_ms;
	}
	w->flows->count = 1;
	engine_take(w->engine, w->flows);
}

void
world_attempt(struct world *w, int64_t at_ms, const char *client,
    const char *server, char answer)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x%s pkts=%d octets=60 exporter=r1", client,
	    server, answer == 'a' ? "1a" : "02", answer == 'a' ? 4 : 1);
	world_flow(w, at_ms, text);
	if (answer == 's')
		return;
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x%s pkts=1 octets=60 exporter=r1", server,
	    client, answer == 'a' ? "12" : "14");
	world_flow(w, at_ms, text);
}

void
world_tick(struct world *w, int64_t at_ms)
{
	engine_tick(w->engine, WORLD_MS + at_ms);
	world_collect(w);
}

void
world_drain(struct world *w)
{
	while (engine_drain(w->engine))
		world_collect(w);
	world_collect(w);
}

static void
restore(struct world *w, struct finding *f)
{
	assert_ok(engine_restore(w->engine, f));
}

static bool
is_open(const struct world *w, const struct finding_exposure *closed)
{
	for (uint32_t i = 0; i < w->exposure_count; i++) {
		const struct finding_exposure *x = &w->exposures[i];

		if (x->state != EXPOSURE_CLOSED && x->port == closed->port &&
		    x->proto == closed->proto &&
		    addr_equal(&x->host, &closed->host))
			return true;
	}
	return false;
}

/* As the store does: of exposures that are not closed, with their place. */
static void
restore_evidence(struct world *w)
{
	struct finding f;

	for (uint32_t x = 0; x < w->exposure_count; x++) {
		const struct finding_exposure *e = &w->exposures[x];

		for (uint32_t i = 0; i < w->witness_count; i++) {
			f.kind = FINDING_WITNESS;
			f.witness = w->witnesses[i];
			f.witness.host = e->host;
			f.witness.port = e->port;
			f.witness.proto = e->proto;
			if (f.witness.exposure_id == e->id &&
			    f.witness.witness.roles != 0)
				restore(w, &f);
		}
		for (uint32_t i = 0; i < w->change_count; i++) {
			f.kind = FINDING_CHANGE;
			f.change = w->changes[i];
			f.change.host = e->host;
			f.change.port = e->port;
			f.change.proto = e->proto;
			if (f.change.exposure_id == e->id &&
			    f.change.change.kind != CHANGE_NONE)
				restore(w, &f);
		}
	}
}

void
world_restart(struct world *w)
{
	struct finding f = { .kind = FINDING_ENGINE };

	engine_free(w->engine);
	w->engine = engine_new(&w->config, &w->counters);
	assert_non_null(w->engine);
	f.engine = w->state;
	restore(w, &f);
	for (uint32_t i = 0; i < w->host_count; i++) {
		f.kind = FINDING_HOST;
		f.host = w->hosts[i];
		restore(w, &f);
	}
	for (uint32_t i = 0; i < w->exposure_count; i++) {
		f.kind = FINDING_EXPOSURE;
		f.exposure = w->exposures[i];
		if (f.exposure.state != EXPOSURE_CLOSED)
			restore(w, &f);
	}
	/* each test closes a port once at most before it restarts */
	for (uint32_t i = 0; i < w->exposure_count; i++) {
		f.kind = FINDING_EXPOSURE;
		f.exposure = w->exposures[i];
		if (f.exposure.state == EXPOSURE_CLOSED &&
		    !is_open(w, &f.exposure))
			restore(w, &f);
	}
	for (uint32_t i = 0; i < w->guard_count; i++) {
		f.kind = FINDING_HOST_GUARD;
		f.host_guard = w->guards[i];
		if (f.host_guard.until_ms == 0)
			restore(w, &f);
	}
	restore_evidence(w);
	for (uint32_t i = 0; i < w->alert_count; i++) {
		f.kind = FINDING_TRANS_DARKPORT;
		f.trans_darkport = w->alerts[i];
		restore(w, &f);
	}
	for (uint32_t i = 0; i < w->feed_count; i++) {
		f.kind = FINDING_FEED;
		f.feed = w->feeds[i];
		restore(w, &f);
	}
	for (uint32_t i = 0; i < w->outcome_count; i++) {
		f.kind = FINDING_OUTCOME;
		f.outcome = w->outcomes[i];
		restore(w, &f);
	}
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

const struct finding_exposure *
world_exposure(const struct world *w, const char *host, uint16_t port)
{
	const struct finding_exposure *found = NULL;
	struct addr a = address(host);

	for (uint32_t i = 0; i < w->exposure_count; i++)
		if (addr_equal(&w->exposures[i].host, &a) &&
		    w->exposures[i].port == port)
			found = &w->exposures[i];
	return found;
}

const struct finding_trans_darkport *
world_alert(const struct world *w, const char *host, uint16_t port)
{
	const struct finding_trans_darkport *found = NULL;
	struct addr a = address(host);

	for (uint32_t i = 0; i < w->alert_count; i++)
		if (addr_equal(&w->alerts[i].host, &a) &&
		    w->alerts[i].port == port)
			found = &w->alerts[i];
	return found;
}

const struct finding_scan_event *
world_event(const struct world *w, const char *src, const char *dst,
    uint16_t port)
{
	const struct finding_scan_event *found = NULL;
	struct addr from = address(src);
	struct addr to = address(dst);

	for (uint32_t i = 0; i < w->event_count; i++)
		if (addr_equal(&w->events[i].src, &from) &&
		    addr_equal(&w->events[i].dst, &to) &&
		    w->events[i].port == port)
			found = &w->events[i];
	return found;
}

const struct witness *
world_witness(const struct world *w, uint64_t exposure_id,
    enum witness_role role)
{
	for (uint32_t i = 0; i < w->witness_count; i++)
		if (w->witnesses[i].exposure_id == exposure_id &&
		    (w->witnesses[i].witness.roles & role) != 0)
			return &w->witnesses[i].witness;
	return NULL;
}

const struct change *
world_change(const struct world *w, uint64_t exposure_id, unsigned index)
{
	for (uint32_t i = 0; i < w->change_count; i++)
		if (w->changes[i].exposure_id == exposure_id &&
		    w->changes[i].index == index &&
		    w->changes[i].change.kind != CHANGE_NONE)
			return &w->changes[i].change;
	return NULL;
}

uint64_t
world_outcomes(const struct world *w, enum outcome outcome)
{
	uint64_t attempts = 0;

	for (uint32_t i = 0; i < w->outcome_count; i++)
		if (w->outcomes[i].outcome == outcome)
			attempts += w->outcomes[i].attempts;
	return attempts;
}
