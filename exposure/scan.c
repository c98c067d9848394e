/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan events (C18 to C21). One attempt at what is not in the NEM is enough:
 * no threshold, no window. What makes an event is worked out anew whenever
 * a pair's verdict or the map around it changes, and the difference to what
 * was written before is written: so the order of records makes none.
 *
 * A source with an event at a dark target is a scanner: its attempts at NEM
 * members are events too, those before and those after, as far as their
 * pairs are still remembered.
 */
#include <assert.h>

#include "exposure/state.h"

/* Attempts looked through when a source becomes a scanner, or ceases; what
 * is beyond them, or beyond the engine's steps, waits for its own end. */
#define REVIEW_MAX 16384

static bool
is_stealth(unsigned outcome)
{
	return outcome == OUTCOME_STEALTH_CLOSED ||
	       outcome == OUTCOME_STEALTH_OPEN_FILTERED ||
	       outcome == OUTCOME_STEALTH_UNFILTERED ||
	       outcome == OUTCOME_STEALTH_OTHER;
}

static enum phase
phase_at(const struct engine *e, int64_t ts_ms)
{
	return ts_ms < e->operation_from_ms ? PHASE_TRAINING : PHASE_OPERATION;
}

/* The attempt opened the exposure, after training: C19. */
static bool
is_opener(const struct engine *e, const struct pair *pair,
    const struct exposure *x)
{
	return x != NULL && x->opener == pairs_slot(e->pairs, pair) &&
	       pair->exposure_id == x->finding.id &&
	       x->finding.tier != TIER_HINT;
}

/* The interval that counted the attempt is over, and another may be there:
 * what was said of its opening stands. */
static bool
is_of_past(const struct pair *pair, const struct exposure *x)
{
	return pair->exposure_id != 0 &&
	       (x == NULL || pair->exposure_id != x->finding.id);
}

static enum pair_event
wanted_event(const struct engine *e, const struct pair *pair,
    const struct exposure *x)
{
	const struct verdict *v = &pair->verdict;
	int64_t ts_ms = pair_ts_ms(pair);
	bool holds = exposure_holds(x, ts_ms);
	bool at_nem;

	if (pairs_key(e->pairs, pair)->scope != SCOPE_EXTERNAL ||
	    v->initiator != SIDE_OUTER || v->outcome == OUTCOME_NONE ||
	    v->outcome == OUTCOME_MIDSTREAM_REFRESH)
		return PAIR_EVENT_NONE;
	if (outcome_is_accepted(v->outcome)) {
		if (is_opener(e, pair, x) &&
		    phase_at(e, ts_ms) == PHASE_OPERATION)
			return PAIR_EVENT_DARK;
		if (pair->event == PAIR_EVENT_DARK && is_of_past(pair, x))
			return PAIR_EVENT_DARK;
		/* or a guess, which makes no scanner; no port was taken in
		 * where the host's map is frozen, or there is no room */
		at_nem = x != NULL;
	} else if (v->rule == RULE_R4) {
		return PAIR_EVENT_NONE; /* may be the abort of a connection */
	} else {
		at_nem = holds && !is_stealth(v->outcome);
	}
	if (!at_nem)
		return PAIR_EVENT_DARK;
	if (pair->source == TABLE_NONE ||
	    sources_at(e->sources, pair->source)->events == 0)
		return PAIR_EVENT_NONE;
	return PAIR_EVENT_NEM;
}

static enum place
place_of(const struct engine *e, const struct pair *pair,
    const struct exposure *x, enum pair_event event)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);

	if (event == PAIR_EVENT_NEM)
		return PLACE_NEM;
	if (!is_opener(e, pair, x) && exposure_holds(x, pair_ts_ms(pair)))
		return PLACE_NEM; /* a stealth probe of an open port */
	return nem_is_populated(e->nem, &key->inner) ? PLACE_DARKPORT
						     : PLACE_DARKSPACE;
}

static void
describe(const struct engine *e, const struct pair *pair,
    const struct exposure *x, enum pair_event kind,
    struct finding_scan_event *out)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);

	out->id = pair->event_id;
	out->src = key->outer;
	out->dst = key->inner;
	out->ts_ms = pair_ts_ms(pair);
	out->exporter =
	    pair->outer.present ? pair->outer.exporter : pair->inner.exporter;
	out->src_port = key->outer_port;
	out->port = pair_port(key);
	out->proto = key->proto;
	out->technique = pair->verdict.technique;
	out->answer = (uint8_t)outcome_answer(pair->verdict.outcome);
	out->place = (uint8_t)place_of(e, pair, x, kind);
	out->phase = (uint8_t)phase_at(e, out->ts_ms);
	out->rule = pair->verdict.rule;
	out->confidence = pair->verdict.confidence;
}

/* All that an event says, but for its key and its time. */
static uint64_t
mark_of(const struct finding_scan_event *event)
{
	uint64_t mark = 1; /* never 0 */

	mark = mark << 8 | event->technique;
	mark = mark << 8 | event->answer;
	mark = mark << 8 | event->place;
	mark = mark << 8 | event->phase;
	mark = mark << 8 | event->rule;
	return mark << 8 | event->confidence;
}

static uint8_t
answer_in(uint64_t mark)
{
	return (uint8_t)(mark >> 32);
}

static void
review_alert(struct exposure *x, void *arg)
{
	scan_review_opener(arg, x);
}

/* The source's standing as a scanner changed: its attempts at the NEM too. */
static void
review_pairs(struct engine *e, struct source *source)
{
	uint32_t looked = 0;
	struct pair *pair = sources_first_pair(source, e->pairs);

	while (pair != NULL && looked++ < REVIEW_MAX && e->steps != 0) {
		e->steps--;
		if (pair->event != PAIR_EVENT_DARK)
			scan_reconcile(e, pair);
		pair = sources_next_pair(source, e->pairs, pair);
	}
}

/* An event at a dark target that drew no acceptance: the source probed. */
static bool
is_probe(enum pair_event kind, uint8_t answer)
{
	return kind == PAIR_EVENT_DARK && answer != ANSWER_ACCEPTED;
}

static void
count_probe(struct source *source, int64_t ts_ms, bool before, bool after)
{
	if (after && (source->probes == 0 || ts_ms < source->first_probe_ms))
		source->first_probe_ms = ts_ms;
	if (after && !before)
		source->probes++;
	else if (before && !after && source->probes > 0)
		source->probes--;
}

static int64_t
first_probe_ms(const struct source *source)
{
	return source->probes != 0 ? source->first_probe_ms : INT64_MAX;
}

/* The source's account, when its pair's event became another. */
static void
count_event(struct engine *e, struct pair *pair, enum pair_event before,
    uint8_t answer_before, uint8_t answer)
{
	enum pair_event after = (enum pair_event)pair->event;
	struct source *source;
	bool was_scanner;
	int64_t probed_ms;

	if (pair->source == TABLE_NONE ||
	    (before != PAIR_EVENT_DARK && after != PAIR_EVENT_DARK))
		return;
	source = sources_at(e->sources, pair->source);
	was_scanner = source->events != 0;
	probed_ms = first_probe_ms(source);
	count_probe(source, pair_ts_ms(pair), is_probe(before, answer_before),
	    is_probe(after, answer));
	if (before != PAIR_EVENT_DARK)
		source->events++;
	else if (after != PAIR_EVENT_DARK && source->events > 0)
		source->events--;
	sources_touch(e->sources, source);
	if (was_scanner != (source->events != 0))
		review_pairs(e, source);
	if (source->opened && first_probe_ms(source) != probed_ms)
		nem_each_opened_by(e->nem, &pairs_key(e->pairs, pair)->outer,
		    &e->steps, review_alert, e);
}

void
scan_review_opener(struct engine *e, struct exposure *x)
{
	struct source *source =
	    sources_find(e->sources, &x->finding.first_client);
	bool had_probed;

	if (source == NULL)
		return;
	source->opened = true;
	had_probed = first_probe_ms(source) < x->finding.first_ms;
	/* what was known before a restart, or of a forgotten source, stands */
	if (had_probed || x->opener != TABLE_NONE)
		nem_set_had_probed(e->nem, x, had_probed);
}

void
scan_reconcile(struct engine *e, struct pair *pair)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	struct exposure *x =
	    nem_find(e->nem, &key->inner, key->proto, pair_port(key));
	enum pair_event before = (enum pair_event)pair->event;
	enum pair_event after = wanted_event(e, pair, x);
	uint8_t answer_before = answer_in(pair->event_mark);
	struct finding_scan_event event = { 0 };
	uint64_t mark;

	if (after == PAIR_EVENT_NONE) {
		if (before == PAIR_EVENT_NONE)
			return;
		events_retract(e->events, pair->event_id);
		if (TRACED(e))
			tracer_event(e, pair, NULL, true);
		pair->event = PAIR_EVENT_NONE;
		pair->event_id = pair->event_mark = 0;
		count_event(e, pair, before, answer_before, 0);
		return;
	}
	if (before == PAIR_EVENT_NONE) {
		pair->event_id = e->next_event_id++;
		e->state_dirty = true;
		counter_add(e->counters, COUNTER_SCAN_EVENTS, 1);
	}
	pair->event = (uint8_t)after;
	describe(e, pair, x, after, &event);
	mark = mark_of(&event);
	if (mark != pair->event_mark || event.ts_ms != pair->event_ts_ms) {
		pair->event_mark = mark;
		pair->event_ts_ms = event.ts_ms;
		events_put(e->events, &event);
		if (TRACED(e))
			tracer_event(e, pair, &event,
			    before != PAIR_EVENT_NONE);
		count_event(e, pair, before, answer_before, event.answer);
	}
	if (is_opener(e, pair, x))
		nem_set_event(e->nem, x, pair->event_id);
}
