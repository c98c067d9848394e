/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the decision trace, from the engine's state. */
#include "exposure/state.h"
#include "exposure/tracer.h"

static struct engine_trace
step_of(const struct engine *e, enum trace_kind kind, const struct pair *pair)
{
	struct pair_key key = pairs_key(e->pairs, pair);

	return (struct engine_trace){
		.kind = kind,
		.clock_ms = e->clock_ms,
		.outer = key.outer,
		.inner = key.inner,
		.outer_port = key.outer_port,
		.inner_port = key.inner_port,
		.proto = key.proto,
		.generation = key.generation,
		.internal = key.scope == SCOPE_INTERNAL,
		.ended = kind == TRACE_OVER,
		.outcome = pair_outcome(pair),
		.reason = pair_reason(pair),
		.rule = pair->rule,
		.confidence = pair->confidence,
		.initiator = pair->initiator,
		.technique = pair->technique,
	};
}

static void
tell(const struct engine *e, const struct engine_trace *t)
{
	e->trace(t, e->trace_arg);
}

void
tracer_skipped(const struct engine *e, const struct flow_record *f,
    enum trace_fate fate)
{
	static const struct half none;
	struct engine_trace t = {
		.kind = TRACE_RECORD,
		.clock_ms = e->clock_ms,
		.outer = f->src,
		.inner = f->dst,
		.outer_port = f->src_port,
		.inner_port = f->dst_port,
		.proto = f->protocol,
		.internal = fate == TRACE_INTERNAL,
		.record = { .flow = f,
		    .before = &none,
		    .after = &none,
		    .other = &none,
		    .fate = fate,
		    .side = SIDE_NONE },
	};

	tell(e, &t);
	if (fate != TRACE_TRANSIT)
		return;
	t.kind = TRACE_VERDICT;
	t.ended = true;
	t.outcome = OUTCOME_TRANSIT;
	t.rule = RULE_SCOPE;
	t.initiator = SIDE_NONE;
	tell(e, &t);
}

void
tracer_record(const struct engine *e, const struct flow_record *f,
    const struct pair *pair, bool outer, int64_t start_ms)
{
	struct engine_trace t = step_of(e, TRACE_RECORD, pair);
	struct half alone = { 0 };
	struct half after = outer ? pair->outer : pair->inner;
	struct trace_record *r = &t.record;

	*r = (struct trace_record){
		.flow = f,
		.before = outer ? &pair->outer : &pair->inner,
		.after = &after,
		.other = outer ? &pair->inner : &pair->outer,
		.fate = pair->outer.present || pair->inner.present
			    ? TRACE_JOINED
			    : TRACE_BEGAN,
		.side = outer ? SIDE_OUTER : SIDE_INNER,
		.time_replaced =
		    (f->has & FLOW_HAS_TIMES) != 0 && start_ms != f->start_ms,
	};
	half_add(&alone, f, start_ms);
	r->evidence = alone.evidence;
	r->told_new = half_add(&after, f, start_ms) == HALF_NEWS;
	tell(e, &t);
}

void
tracer_judged(const struct engine *e, const struct pair *pair,
    const struct verdict_input *in, const struct feed_profile *in_the_end,
    const struct verdict *v)
{
	struct engine_trace t = step_of(e, TRACE_JUDGED, pair);

	t.judged =
	    (struct trace_judged){ in, in_the_end, pair_verdict(pair), *v };
	tell(e, &t);
}

void
tracer_verdict(const struct engine *e, const struct pair *pair)
{
	struct engine_trace t = step_of(e, TRACE_VERDICT, pair);

	tell(e, &t);
}

static const struct exposure *
exposure_of(const struct engine *e, const struct pair *pair)
{
	struct pair_key key = pairs_key(e->pairs, pair);
	struct exposure *x;

	if (key.scope != SCOPE_EXTERNAL)
		return NULL;
	x = nem_find(e->nem, &key.inner, key.proto, pair_port(&key));
	if (x != NULL)
		nem_estimate_clients(x);
	return x;
}

void
tracer_before_maps(struct engine *e, const struct pair *pair)
{
	const struct exposure *x = exposure_of(e, pair);

	e->traced_before = x != NULL;
	if (x != NULL)
		e->traced = x->finding;
}

void
tracer_after_maps(struct engine *e, const struct pair *pair)
{
	const struct exposure *x = exposure_of(e, pair);
	struct engine_trace t = step_of(e, TRACE_MAP, pair);

	if (!e->traced_before && x == NULL &&
	    !outcome_is_accepted(pair_outcome(pair)))
		return;
	t.map.before = e->traced_before ? &e->traced : NULL;
	t.map.after = x != NULL ? &x->finding : NULL;
	t.map.counted = pair_is_counted_in(e, pair, x);
	tell(e, &t);
}

void
tracer_aged(struct exposure *x, void *engine)
{
	const struct engine *e = engine;
	struct engine_trace t = {
		.kind = TRACE_MAP,
		.clock_ms = e->clock_ms,
		.inner = x->finding.host,
		.inner_port = x->finding.port,
		.proto = x->finding.proto,
		.map = { .after = &x->finding, .aged = true },
	};

	if (TRACED(e))
		tell(e, &t);
}

void
tracer_event(const struct engine *e, const struct pair *pair,
    const struct finding_scan_event *event, bool revised)
{
	struct engine_trace t = step_of(e, TRACE_EVENT, pair);

	t.event = (struct trace_event){ event,
		pairs_attempt(e->pairs, pair)->event_id, revised };
	tell(e, &t);
}

void
tracer_icmp(const struct engine *e, const struct pair *pair,
    enum icmp_error found, bool ambiguous)
{
	struct engine_trace t = step_of(e, TRACE_ICMP, pair);

	t.icmp = (struct trace_icmp){ found, ambiguous };
	tell(e, &t);
}

void
tracer_timer(const struct engine *e, const struct pair *pair)
{
	struct engine_trace t = step_of(e, TRACE_TIMER, pair);

	t.timer.until_ms = pairs_until_ms(e->pairs, pair);
	if (pair->class == PAIR_UNANSWERED || pair->class == PAIR_ANSWERED)
		t.timer.state = TRACE_WAITS;
	else if (pair->class == PAIR_SILENT)
		t.timer.state = TRACE_REVOCABLE;
	else
		t.timer.state = TRACE_REMEMBERED;
	tell(e, &t);
}

void
tracer_end(const struct engine *e, const struct pair *pair,
    enum trace_kind kind)
{
	struct engine_trace t = step_of(e, kind, pair);

	tell(e, &t);
}
