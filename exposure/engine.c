/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's way in and out: records, time, findings, restored state. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/protocol.h"
#include "exposure/state.h"

/* A clock that goes back by more than this was set; by less, several things
 * that are received took turns. */
#define CLOCK_BACK_MS 60000

/* From the commonest exporter defaults, 15 s idle and 1800 s active:
 * W1 = idle + 64 s of SYN-ACK retries + 30 s; W2 = active + idle + 30 s. */
#define DEFAULT_REVOKE_MS 1845000

struct engine_config
engine_config_default(void)
{
	return (struct engine_config){
		.training_ms = INT64_C(24) * 3600 * 1000,
		.vet_baseline = true,
		.max_pairs = 524288,
		.max_sources = 262144,
		.max_hosts = 65536,
		.max_exposures = 65536,
		.max_events = 131072,
		.host_ttl_ms = INT64_C(30) * 86400 * 1000,
		.stale_ms = INT64_C(7) * 86400 * 1000,
	};
}

void
engine_set_operation_from(struct engine *e)
{
	if (e->config.training_ms == 0)
		e->operation_from_ms = INT64_MIN;
	else if (e->training_from_ms == 0)
		e->operation_from_ms = INT64_MAX;
	else
		e->operation_from_ms =
		    e->training_from_ms + e->config.training_ms;
	nem_set_operation_from(e->nem, e->operation_from_ms);
}

/* W2, by the timeouts of the feed that showed it; never below W1. */
static int64_t
revoke_ms(const void *engine, uint32_t exporter)
{
	const struct engine *e = engine;
	int64_t known_ms = profiles_revoke_ms(e->profiles, exporter);

	if (known_ms == 0 || known_ms > e->config.wait_ms)
		return known_ms;
	return e->config.wait_ms;
}

struct engine *
engine_new(const struct engine_config *config, struct counters *counters)
{
	struct engine *e = calloc(1, sizeof(*e));

	assert(config->internal.count >= 1);
	if (e == NULL)
		return NULL;
	e->config = *config;
	scope_init(&e->internal, &config->internal);
	e->counters = counters;
	e->pairs = pairs_new(&(struct pairs_config){ .max = config->max_pairs,
	    .wait_ms = config->wait_ms != 0 ? config->wait_ms : DEFAULT_WAIT_MS,
	    .revoke_ms =
		config->revoke_ms != 0 ? config->revoke_ms : DEFAULT_REVOKE_MS,
	    .key = config->key,
	    .revoke_of = config->revoke_ms != 0 ? NULL : revoke_ms,
	    .revoke_arg = e });
	e->sources = sources_new(config->max_sources, &config->key);
	e->nem = nem_new(config, counters);
	e->errors = icmp_errors_new();
	e->pinholes = pinholes_new(&config->key);
	e->openers = pinholes_new(&config->key);
	e->outcomes = outcomes_new(&config->key);
	e->events = events_new(config->max_events, counters);
	e->profiles = profiles_new(&e->config.internal, counters);
	e->fan_ins = fan_ins_new(&config->key);
	e->witnesses = witnesses_new(config->max_exposures, counters);
	e->borders = borders_new(&config->external);
	e->listeners = listeners_new(&config->key);
	if (config->routing.count != 0)
		e->routing = routing_new(&config->routing);
	if (e->pairs == NULL || e->sources == NULL || e->nem == NULL ||
	    e->errors == NULL || e->pinholes == NULL || e->openers == NULL ||
	    e->outcomes == NULL || e->events == NULL || e->profiles == NULL ||
	    e->fan_ins == NULL || e->witnesses == NULL || e->borders == NULL ||
	    e->listeners == NULL ||
	    (config->routing.count != 0 && e->routing == NULL)) {
		engine_free(e);
		return NULL;
	}
	e->next_event_id = 1;
	e->steps = STEPS_MAX;
	engine_set_operation_from(e);
	return e;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	pairs_free(e->pairs);
	sources_free(e->sources);
	nem_free(e->nem);
	icmp_errors_free(e->errors);
	pinholes_free(e->pinholes);
	pinholes_free(e->openers);
	outcomes_free(e->outcomes);
	events_free(e->events);
	profiles_free(e->profiles);
	fan_ins_free(e->fan_ins);
	witnesses_free(e->witnesses);
	borders_free(e->borders);
	listeners_free(e->listeners);
	routing_free(e->routing);
	free(e);
}

void
engine_set_profile(struct engine *e, uint32_t exporter,
    const struct feed_profile *profile)
{
	profiles_force(e->profiles, exporter, profile);
}

void
engine_override_feed(struct engine *e, uint32_t exporter,
    const struct feed_override *given)
{
	profiles_configure(e->profiles, exporter, given);
}

void
engine_tell_timeouts(struct engine *e, uint32_t exporter, uint32_t active_s,
    uint32_t idle_s)
{
	profiles_tell_timeouts(e->profiles, exporter, active_s, idle_s,
	    e->clock_ms);
}

void
engine_name_exporter(struct engine *e, uint32_t exporter,
    const struct addr *address)
{
	borders_name_exporter(e->borders, exporter, address);
}

void
engine_listen_from(struct engine *e, int64_t from_ms)
{
	e->listen_ms = from_ms;
}

void
engine_route_exporter(struct engine *e, uint32_t exporter,
    const struct routing_match *match)
{
	if (e->routing != NULL)
		routing_name_exporter(e->routing, exporter, match);
}

void
engine_set_trace(struct engine *e, engine_trace_fn fn, void *arg)
{
	e->trace = fn;
	e->trace_arg = arg;
	nem_watch_ageing(e->nem, fn == NULL ? NULL : tracer_aged, e);
}

/* --- sources -------------------------------------------------------------- */

/* Lets go of everything that belongs to a source, and of it. */
static void
forget_source(struct engine *e, struct source *source)
{
	struct attempt *attempt;

	while ((attempt = sources_first_attempt(source, e->pairs)) != NULL)
		sources_unlink(e->sources, e->pairs, attempt);
	icmp_errors_forget(e->errors, source);
	sources_remove(e->sources, source);
}

struct source *
engine_source(struct engine *e, const struct addr *address)
{
	struct source *source = sources_find(e->sources, address);

	if (source != NULL) {
		sources_touch(e->sources, source);
		return source;
	}
	source = sources_add(e->sources, address);
	if (source != NULL)
		return source;
	source = sources_victim(e->sources);
	if (source->events != 0)
		counter_add(e->counters, COUNTER_SHED_SOURCES, 1);
	forget_source(e, source);
	return sources_add(e->sources, address);
}

/* --- time ----------------------------------------------------------------- */

int64_t
engine_wait_ms(const struct engine *e, uint32_t exporter)
{
	int64_t learned_ms;

	if (e->config.wait_ms != 0)
		return e->config.wait_ms;
	learned_ms = profiles_wait_ms(e->profiles, exporter);
	return learned_ms != 0 ? learned_ms : DEFAULT_WAIT_MS;
}

int64_t
engine_timer_ms(const struct engine *e)
{
	return e->clock_ms + e->ahead_ms;
}

/* Silence is found as far as there is room to report it. */
static void
expire(struct engine *e)
{
	struct pair *pair;

	while (!events_crowded(e->events) &&
	       (pair = pairs_due(e->pairs, engine_timer_ms(e))) != NULL)
		judge_due(e, pair);
}

/* Answers are seen: what lacked one may have been silence. What there is no
 * time for now is looked at when it ends. */
static void
review_unresolved(struct engine *e)
{
	for (struct pair *pair = pairs_oldest(e->pairs, PAIR_SILENT);
	     pair != NULL && e->steps != 0 && !events_crowded(e->events);
	     pair = pairs_younger(e->pairs, pair), e->steps--)
		judge_review(e, pair);
}

/* Timers never go back: they run ahead of a clock that was set back. */
void
engine_advance(struct engine *e, int64_t now_ms)
{
	int64_t before_ms = e->clock_ms;

	if (now_ms <= before_ms && now_ms > before_ms - CLOCK_BACK_MS)
		return;
	if (now_ms < before_ms) {
		if (e->listen_ms > now_ms)
			e->listen_ms = now_ms;
		e->ahead_ms += before_ms - now_ms;
		counter_add(e->counters, COUNTER_CLOCK_SET_BACK, 1);
	}
	e->clock_ms = now_ms;
	if (now_ms / 1000 == before_ms / 1000)
		return;
	e->steps = STEPS_MAX;
	if (profiles_take_first_answers(e->profiles))
		review_unresolved(e);
	expire(e);
	nem_age(e->nem, now_ms);
	if (!e->baseline_vetted && e->config.training_ms != 0 &&
	    e->config.vet_baseline && now_ms >= e->operation_from_ms) {
		nem_vet_baseline(e->nem);
		e->baseline_vetted = true;
	}
}

void
engine_tick(struct engine *e, int64_t now_ms)
{
	engine_advance(e, now_ms);
	expire(e);
}

bool
engine_is_crowded(const struct engine *e)
{
	return events_crowded(e->events);
}

bool
engine_has_news(const struct engine *e)
{
	return nem_has_news(e->nem);
}

/* The oldest pair of any of these classes. */
static struct pair *
oldest_of(const struct engine *e, enum pair_class first, enum pair_class last)
{
	struct pair *pair = NULL;

	for (int c = (int)first; pair == NULL && c <= (int)last; c++)
		pair = pairs_oldest(e->pairs, (enum pair_class)c);
	return pair;
}

/*
 * In steps, because one pair tells about another: the feeds are learned from
 * all, all are judged, then the events of all are brought in line with the
 * maps, then all go.
 */
bool
engine_drain(struct engine *e)
{
	struct pair *pair;

	e->steps = STEPS_MAX;
	judge_learn_all(e);
	profiles_settle(e->profiles);
	while ((pair = oldest_of(e, PAIR_UNANSWERED, PAIR_ANSWERED)) != NULL) {
		if (events_crowded(e->events))
			return true;
		judge_final(e, pair);
	}
	while ((pair = oldest_of(e, PAIR_TOMBSTONE, PAIR_SILENT)) != NULL) {
		if (events_crowded(e->events))
			return true;
		judge_last(e, pair);
		pairs_set_ended(e->pairs, pair);
	}
	while ((pair = pairs_victim(e->pairs)) != NULL)
		pair_drop(e, pair);
	return false;
}

/* --- findings ------------------------------------------------------------- */

static bool
collect_networks(struct engine *e, struct finding_batch *batch)
{
	if (e->networks_collected)
		return false;
	if (finding_batch_room(batch) < e->config.internal.count)
		return true;
	for (uint32_t i = 0; i < e->config.internal.count; i++)
		finding_batch_add(batch, FINDING_NETWORK)->network =
		    e->config.internal.networks[i];
	e->networks_collected = true;
	return false;
}

static bool
collect_state(struct engine *e, struct finding_batch *batch)
{
	struct finding *f;

	if (!e->state_dirty)
		return false;
	f = finding_batch_add(batch, FINDING_ENGINE);
	if (f == NULL)
		return true;
	f->engine.clock_ms = e->clock_ms;
	f->engine.training_from_ms = e->training_from_ms;
	f->engine.training_length_ms = e->config.training_ms;
	f->engine.next_event_id = e->next_event_id;
	nem_ids(e->nem, &f->engine);
	e->state_dirty = false;
	return false;
}

bool
engine_collect(struct engine *e, struct finding_batch *batch)
{
	return collect_networks(e, batch) || collect_state(e, batch) ||
	       nem_collect(e->nem, batch) || witnesses_collect(e, batch) ||
	       events_collect(e->events, batch) ||
	       outcomes_collect(e->outcomes, batch) ||
	       profiles_collect(e->profiles, batch, e->clock_ms);
}

static bool
can_be(const struct finding_engine *f)
{
	return finding_ms_is_valid(f->clock_ms) &&
	       finding_ms_is_valid(f->training_from_ms) &&
	       finding_ms_is_valid(f->training_length_ms) &&
	       f->next_exposure_id <= FINDING_ID_MAX &&
	       f->next_alert_id <= FINDING_ID_MAX &&
	       f->next_event_id <= FINDING_ID_MAX;
}

static void
restore_state(struct engine *e, const struct finding_engine *f)
{
	int64_t until_ms = f->training_from_ms + f->training_length_ms;

	e->clock_ms = f->clock_ms;
	outcomes_begin(e->outcomes, f->clock_ms);
	e->training_from_ms = f->training_from_ms;
	if (f->training_from_ms != 0 && f->clock_ms >= until_ms)
		/* training is over: another length does not begin it anew */
		e->config.training_ms = f->training_length_ms;
	if (f->next_event_id > e->next_event_id)
		e->next_event_id = f->next_event_id;
	nem_set_ids(e->nem, f);
	engine_set_operation_from(e);
}

int
engine_restore(struct engine *e, const struct finding *f)
{
	switch (f->kind) {
	case FINDING_ENGINE:
		if (!can_be(&f->engine))
			return ERR_RANGE;
		restore_state(e, &f->engine);
		return ERR_OK;
	case FINDING_HOST:
		return nem_restore_host(e->nem, &f->host);
	case FINDING_HOST_GUARD:
		return nem_restore_guard(e->nem, &f->host_guard);
	case FINDING_WITNESS:
	case FINDING_CHANGE:
		return witnesses_restore(e, f);
	case FINDING_EXPOSURE:
		return nem_restore_exposure(e->nem, &f->exposure);
	case FINDING_TRANS_DARKPORT:
		return nem_restore_alert(e->nem, &f->trans_darkport);
	case FINDING_FEED:
		return profiles_restore(e->profiles, &f->feed);
	case FINDING_OUTCOME:
		return outcomes_restore(e->outcomes, &f->outcome);
	case FINDING_NETWORK:
	case FINDING_EXPORTER:
	case FINDING_EXPORTER_HOUR:
	case FINDING_FEED_EVENT:
	case FINDING_TEMPLATE:
	case FINDING_EXPOSURE_RETRACTED:
	case FINDING_TRANS_DARKPORT_RETRACTED:
	case FINDING_SCAN_EVENT:
	case FINDING_SCAN_EVENT_RETRACTED:
	case FINDING_COUNTER:
	case FINDING_KIND_COUNT:
		break; /* nothing the engine remembers */
	}
	return ERR_OK;
}

void
engine_summary(const struct engine *e, struct engine_summary *out)
{
	bool known = e->config.training_ms != 0 && e->training_from_ms != 0;

	*out = (struct engine_summary){
		.clock_ms = e->clock_ms,
		.training_until_ms = known ? e->operation_from_ms : 0,
		.phase = e->clock_ms < e->operation_from_ms ? PHASE_TRAINING
							    : PHASE_OPERATION,
		.hosts = nem_host_count(e->nem),
		.exposures = nem_open_count(e->nem),
		.pairs = pairs_count(e->pairs),
		.sources = sources_count(e->sources),
	};
}
