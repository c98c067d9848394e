/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's way in and out: records, time, findings, restored state. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/protocol.h"
#include "exposure/state.h"

/* Flow times are believed from this on: the exporter's clock was set. */
#define TIME_MIN_MS INT64_C(946684800000) /* 2000-01-01 */
/* ... and until so long after the datagram that tells them. */
#define TIME_FUTURE_MS 600000

/* From the commonest exporter defaults, 15 s idle and 1800 s active:
 * W1 = idle + 64 s of SYN-ACK retries + 30 s; W2 = active + idle + 30 s. */
#define DEFAULT_WAIT_MS	  120000
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
		.wait_ms = DEFAULT_WAIT_MS,
		.revoke_ms = DEFAULT_REVOKE_MS,
		.host_ttl_ms = INT64_C(30) * 86400 * 1000,
		.stale_ms = INT64_C(7) * 86400 * 1000,
	};
}

uint64_t
engine_bytes(const struct engine_config *config)
{
	return sizeof(struct engine) + pairs_bytes(config->max_pairs) +
	       sources_bytes(config->max_sources) + nem_bytes(config) +
	       outcomes_bytes() + pinholes_bytes() +
	       events_bytes(config->max_events) +
	       ICMP_ERRORS_MAX * sizeof(struct icmp_error_record) +
	       profiles_bytes() + fan_ins_bytes() + borders_bytes() +
	       listeners_bytes();
}

static void
set_operation_from(struct engine *e)
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

struct engine *
engine_new(const struct engine_config *config, struct counters *counters)
{
	struct engine *e = calloc(1, sizeof(*e));

	assert(config->internal.count >= 1);
	if (e == NULL)
		return NULL;
	e->config = *config;
	e->counters = counters;
	e->pairs = pairs_new(&(struct pairs_config){ .max = config->max_pairs,
	    .wait_ms = config->wait_ms,
	    .revoke_ms = config->revoke_ms,
	    .key = config->key });
	e->sources = sources_new(config->max_sources, &config->key);
	e->nem = nem_new(config, counters);
	e->errors = icmp_errors_new();
	e->pinholes = pinholes_new(&config->key);
	e->outcomes = outcomes_new(&config->key);
	e->events = events_new(config->max_events, counters);
	e->profiles = profiles_new();
	e->fan_ins = fan_ins_new(&config->key);
	e->borders = borders_new(&config->external);
	e->listeners = listeners_new(&config->key);
	if (e->pairs == NULL || e->sources == NULL || e->nem == NULL ||
	    e->errors == NULL || e->pinholes == NULL || e->outcomes == NULL ||
	    e->events == NULL || e->profiles == NULL || e->fan_ins == NULL ||
	    e->borders == NULL || e->listeners == NULL) {
		engine_free(e);
		return NULL;
	}
	e->next_event_id = 1;
	e->steps = STEPS_MAX;
	set_operation_from(e);
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
	outcomes_free(e->outcomes);
	events_free(e->events);
	profiles_free(e->profiles);
	fan_ins_free(e->fan_ins);
	borders_free(e->borders);
	listeners_free(e->listeners);
	free(e);
}

void
engine_set_profile(struct engine *e, uint32_t exporter,
    const struct feed_profile *profile)
{
	profiles_configure(e->profiles, exporter, profile);
}

void
engine_name_exporter(struct engine *e, uint32_t exporter,
    const struct addr *address)
{
	borders_name_exporter(e->borders, exporter, address);
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

/* Silence is found as far as there is room to report it. */
static void
expire(struct engine *e)
{
	struct pair *pair;

	while (!events_crowded(e->events) &&
	       (pair = pairs_due(e->pairs, e->clock_ms)) != NULL)
		judge_due(e, pair);
}

static void
advance(struct engine *e, int64_t now_ms)
{
	bool new_second = now_ms / 1000 != e->clock_ms / 1000;

	if (now_ms <= e->clock_ms)
		return;
	e->clock_ms = now_ms;
	if (!new_second)
		return;
	e->steps = STEPS_MAX;
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
	advance(e, now_ms);
	expire(e);
}

bool
engine_is_crowded(const struct engine *e)
{
	return events_crowded(e->events);
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
	while ((pair = oldest_of(e, PAIR_UNANSWERED, PAIR_ANSWERED)) != NULL) {
		if (events_crowded(e->events))
			return true;
		judge_final(e, pair);
	}
	while ((pair = oldest_of(e, PAIR_TOMBSTONE, PAIR_SILENT)) != NULL) {
		struct look look = engine_look(e, pair);

		if (events_crowded(e->events))
			return true;
		scan_reconcile(e, &look);
		pairs_set_ended(e->pairs, pair);
	}
	while ((pair = pairs_victim(e->pairs)) != NULL)
		pair_drop(e, pair);
	return false;
}

/* --- records -------------------------------------------------------------- */

/* The flow's times; false: they cannot be, the time received stands for them.
 */
static bool
flow_times(const struct flow_record *f, int64_t *start_ms, int64_t *end_ms)
{
	*start_ms = *end_ms = f->received_ms;
	if ((f->has & FLOW_HAS_TIMES) == 0)
		return true;
	if (f->start_ms < TIME_MIN_MS ||
	    f->start_ms > f->received_ms + TIME_FUTURE_MS ||
	    f->end_ms > f->received_ms + TIME_FUTURE_MS)
		return false;
	*start_ms = f->start_ms;
	*end_ms = f->end_ms > f->start_ms ? f->end_ms : f->start_ms;
	return true;
}

static bool
has_sent(const struct flow_record *f)
{
	return (f->has & FLOW_HAS_PACKETS) == 0 || f->packets != 0;
}

static bool
is_usable(const struct flow_record *f)
{
	uint8_t query;

	if (protocol_is_icmp(f->protocol))
		return (f->has & FLOW_HAS_ICMP) != 0 &&
		       icmp_part_of(f->protocol, f->icmp_type, &query) !=
			   ICMP_PART_NONE;
	if (protocol_has_ports(f->protocol))
		/* both 0: a fragment, or an exporter without ports */
		return (f->has & FLOW_HAS_PORTS) != 0 &&
		       (f->src_port != 0 || f->dst_port != 0);
	return !protocol_is_extension(f->protocol);
}

/* The record's place in its pair; true when it is the outer half. */
static bool
make_key(const struct flow_record *f, bool internal, bool src_internal,
    struct pair_key *key)
{
	bool outer =
	    internal ? addr_compare(&f->src, &f->dst) < 0 : !src_internal;
	uint8_t query = 0;

	memset(key, 0, sizeof(*key));
	key->outer = outer ? f->src : f->dst;
	key->inner = outer ? f->dst : f->src;
	key->proto = f->protocol;
	key->scope = internal ? SCOPE_INTERNAL : SCOPE_EXTERNAL;
	if (protocol_is_icmp(f->protocol)) {
		/* no port: it keeps one kind of question from another */
		icmp_part_of(f->protocol, f->icmp_type, &query);
		key->inner_port = query;
	} else if (protocol_has_ports(f->protocol)) {
		key->outer_port = outer ? f->src_port : f->dst_port;
		key->inner_port = outer ? f->dst_port : f->src_port;
	}
	return outer;
}

/* Before: there is room. */
static struct pair *
add_pair(struct engine *e, const struct pair_key *key, uint64_t hash,
    enum side prior)
{
	struct pair *pair = pairs_add(e->pairs, key, hash, e->clock_ms);

	assert(pair != NULL);
	if (key->generation != 0)
		counter_add(e->counters, COUNTER_GENERATION_SPLITS, 1);
	pair->prior = (unsigned)prior & 3U;
	return pair;
}

/* A generation more than are kept: the oldest ends, or one before it. */
static void
end_generation(struct engine *e, struct pair *oldest)
{
	struct pair *other = pairs_other_generation(e->pairs, oldest);

	if (other != NULL)
		oldest = other;
	judge_final(e, oldest);
	pair_drop(e, oldest);
}

static struct pair *
find_pair(struct engine *e, struct pair_key *key, const struct flow_record *f,
    int64_t start_ms, int64_t end_ms)
{
	bool bears_syn = flow_bears_syn(f);
	uint64_t hash = pairs_hash(e->pairs, key);
	enum side prior;
	struct pair *reuse;

	for (;;) {
		struct pair *pair = pairs_find(e->pairs, key, hash, bears_syn,
		    start_ms, end_ms, &prior, &reuse);

		if (pair != NULL)
			return pair;
		if (reuse != NULL)
			end_generation(e, reuse);
		else if (pairs_count(e->pairs) == e->config.max_pairs)
			judge_shed(e, pairs_victim(e->pairs));
		else
			return add_pair(e, key, hash, prior);
	}
}

/*
 * IE 239 biflowDirection: 1 the source is the initiator, 2 the other end.
 * A record from the middle says only who spoke next. Claims that contradict
 * each other, as of meters that always say 1, are none.
 */
static void
note_claim(struct pair *pair, const struct flow_record *f, bool outer)
{
	bool by_source = f->biflow_direction == 1;
	enum side side = by_source == outer ? SIDE_OUTER : SIDE_INNER;

	if ((f->has & FLOW_HAS_BIFLOW_DIRECTION) == 0 ||
	    (f->biflow_direction != 1 && f->biflow_direction != 2) ||
	    (f->has & FLOW_IS_REVERSE) != 0)
		return;
	if (flow_has_flags(f) && !flow_bears_syn(f))
		return;
	if (pair->claimed == SIDE_NONE)
		pair->claimed = (unsigned)side & 3U;
	else if (pair->claimed != side)
		pair->claimed = PAIR_CLAIMS_DIFFER;
}

/* A record that says an attempt did not arrive: kept for its addressee. */
static void
take_icmp_error(struct engine *e, const struct flow_record *f, int64_t start_ms,
    int64_t end_ms)
{
	struct source *source = engine_source(e, &f->dst);

	if (source == NULL || !icmp_errors_add(e->errors, e->sources, source, f,
				  start_ms, end_ms))
		counter_add(e->counters, COUNTER_ICMP_AMBIGUOUS, 1);
}

static void
take_transit(struct engine *e, const struct flow_record *f)
{
	counter_add(e->counters, COUNTER_FLOWS_TRANSIT, 1);
	if (TRACED(e))
		tracer_skipped(e, f, TRACE_TRANSIT);
}

/* Adds a record to its half, and judges the pair. */
static void
take_half(struct engine *e, struct pair *pair, struct half *half,
    const struct flow_record *f, int64_t start_ms, int64_t end_ms)
{
	bool is_first = !pair->outer.present && !pair->inner.present;
	bool same_end = !half->present && pair_last_ms(pair) == end_ms;
	int64_t before_ms = pair_ts_ms(pair);
	uint16_t before_exporter = pair_exporter(pair);

	if (half_add(half, f, start_ms) != HALF_NEWS)
		counter_add(e->counters, COUNTER_DUP_HALVES, 1);
	if (is_first || end_ms > pair_last_ms(pair))
		pair_set_last_ms(pair, end_ms);
	judge_count_anew(e, pair, before_ms, before_exporter);
	judge_record(e, pair, same_end);
}

static void
take_record(struct engine *e, const struct flow_record *f)
{
	bool src = prefix_set_find(&e->config.internal, &f->src) != NULL;
	bool dst = prefix_set_find(&e->config.internal, &f->dst) != NULL;
	int64_t start_ms, end_ms;
	struct pair_key key;
	struct pair *pair;
	bool outer;

	counter_add(e->counters, COUNTER_FLOWS, 1);
	if (src && borders_is_outside(e->borders, f->exporter, f->ingress_if)) {
		counter_add(e->counters, COUNTER_SPOOFED_INTERNAL_SRC, 1);
		if (TRACED(e))
			tracer_skipped(e, f, TRACE_SPOOFED);
		return;
	}
	if (profiles_take(e->profiles, f))
		counter_add(e->counters, COUNTER_FLAGS_PROFILE_CHANGES, 1);
	if (!flow_times(f, &start_ms, &end_ms))
		counter_add(e->counters, COUNTER_TIME_REPLACED, 1);
	if (src && has_sent(f))
		nem_host_seen(e->nem, &f->src, start_ms, end_ms);
	if (!dst && flow_is_icmp_error(f)) {
		if (TRACED(e))
			tracer_skipped(e, f, TRACE_ICMP_ERROR);
		take_icmp_error(e, f, start_ms, end_ms);
		return;
	}
	if (!src && !dst) {
		take_transit(e, f);
		return;
	}
	if (src && dst) {
		counter_add(e->counters, COUNTER_FLOWS_INTERNAL, 1);
		if (!e->config.internal_scope) {
			if (TRACED(e))
				tracer_skipped(e, f, TRACE_INTERNAL);
			return;
		}
	}
	if (!is_usable(f)) {
		counter_add(e->counters, COUNTER_FLOWS_UNUSABLE, 1);
		if (TRACED(e))
			tracer_skipped(e, f, TRACE_UNUSABLE);
		return;
	}
	if (!has_sent(f)) {
		/* the half of a biflow that says: nothing came */
		if (TRACED(e))
			tracer_skipped(e, f, TRACE_EMPTY);
		return;
	}
	outer = make_key(f, src && dst, src, &key);
	pair = find_pair(e, &key, f, start_ms, end_ms);
	note_claim(pair, f, outer);
	if (TRACED(e))
		tracer_record(e, f, pair, outer, start_ms);
	take_half(e, pair, outer ? &pair->outer : &pair->inner, f, start_ms,
	    end_ms);
}

/* Training begins with the earliest flow of the first datagram. */
static void
begin_training(struct engine *e, const struct flow_batch *batch)
{
	int64_t from_ms = INT64_MAX;

	for (uint32_t i = 0; i < batch->count; i++) {
		const struct flow_record *f = &batch->records[i];
		int64_t start_ms, end_ms;

		if (f->received_ms != batch->records[0].received_ms ||
		    f->exporter != batch->records[0].exporter)
			break;
		flow_times(f, &start_ms, &end_ms);
		if (start_ms < from_ms)
			from_ms = start_ms;
	}
	e->training_from_ms = from_ms;
	set_operation_from(e);
	e->state_dirty = true;
}

void
engine_take(struct engine *e, const struct flow_batch *batch)
{
	if (e->training_from_ms == 0 && batch->count != 0)
		begin_training(e, batch);
	for (uint32_t i = 0; i < batch->count; i++) {
		advance(e, batch->records[i].received_ms);
		take_record(e, &batch->records[i]);
	}
	counter_set(e->counters, COUNTER_PAIRS, pairs_count(e->pairs));
	counter_set(e->counters, COUNTER_SOURCES, sources_count(e->sources));
	counter_set(e->counters, COUNTER_HOSTS, nem_host_count(e->nem));
	counter_set(e->counters, COUNTER_EXPOSURES, nem_open_count(e->nem));
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
	       nem_collect(e->nem, batch) || events_collect(e->events, batch) ||
	       outcomes_collect(e->outcomes, batch);
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
	set_operation_from(e);
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
	case FINDING_EXPOSURE:
		return nem_restore_exposure(e->nem, &f->exposure);
	case FINDING_TRANS_DARKPORT:
		return nem_restore_alert(e->nem, &f->trans_darkport);
	case FINDING_OUTCOME:
		return outcomes_restore(e->outcomes, &f->outcome);
	case FINDING_NETWORK:
	case FINDING_EXPORTER:
	case FINDING_EXPORTER_HOUR:
	case FINDING_FEED:
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
