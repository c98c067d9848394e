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
is_opener(const struct engine *e, const struct look *look)
{
	const struct exposure *x = look->x;

	return x != NULL && x->opener == pairs_slot(e->pairs, look->pair) &&
	       pair_is_counted_in(e, look->pair, x) &&
	       x->finding.tier != TIER_HINT;
}

/* The interval that counted the attempt is over, and another may be there:
 * what was said of its opening stands. */
static bool
is_of_past(const struct engine *e, const struct look *look)
{
	return look->pair->counted &&
	       !pair_is_counted_in(e, look->pair, look->x);
}

/* The source of a pair, joined to it or not; NULL: none is remembered. */
static struct source *
source_of(const struct engine *e, const struct look *look)
{
	const struct attempt *attempt = pairs_attempt(e->pairs, look->pair);

	if (attempt == NULL)
		return sources_find(e->sources, &look->key.outer);
	return attempt->source == TABLE_NONE
		   ? NULL
		   : sources_at(e->sources, attempt->source);
}

static bool
is_scanners(const struct engine *e, const struct look *look)
{
	const struct source *source;

	if (!sources_may_scan(e->sources, &look->key.outer))
		return false;
	source = source_of(e, look);
	return source != NULL && source->events != 0;
}

static enum pair_event
event_of(const struct attempt *attempt)
{
	return attempt == NULL ? PAIR_EVENT_NONE
			       : (enum pair_event)attempt->event;
}

static enum pair_event
wanted_event(const struct engine *e, const struct look *look)
{
	const struct pair *pair = look->pair;
	int64_t ts_ms = pair_ts_ms(pair);
	bool at_nem;

	if (pair->internal || pair->initiator != SIDE_OUTER ||
	    pair_outcome(pair) == OUTCOME_NONE ||
	    pair_outcome(pair) == OUTCOME_MIDSTREAM_REFRESH)
		return PAIR_EVENT_NONE;
	if (outcome_is_accepted(pair_outcome(pair))) {
		enum pair_event before =
		    event_of(pairs_attempt(e->pairs, pair));

		if (is_opener(e, look) && phase_at(e, ts_ms) == PHASE_OPERATION)
			return PAIR_EVENT_DARK;
		if (before == PAIR_EVENT_DARK && is_of_past(e, look))
			return PAIR_EVENT_DARK;
		/* or a guess, which makes no scanner; no port was taken in
		 * where the host's map is frozen, or there is no room. An
		 * echo has no port to take in */
		at_nem = look->x != NULL ||
			 pair_outcome(pair) == OUTCOME_ECHO_ANSWERED;
	} else if (pair->rule == RULE_R4) {
		return PAIR_EVENT_NONE; /* may be the abort of a connection */
	} else {
		at_nem = exposure_holds(look->x, ts_ms) &&
			 !is_stealth(pair_outcome(pair));
	}
	if (!at_nem)
		return PAIR_EVENT_DARK;
	return is_scanners(e, look) ? PAIR_EVENT_NEM : PAIR_EVENT_NONE;
}

static enum place
place_of(const struct engine *e, const struct look *look, enum pair_event event)
{
	if (event == PAIR_EVENT_NEM)
		return PLACE_NEM;
	if (!is_opener(e, look) &&
	    exposure_holds(look->x, pair_ts_ms(look->pair)))
		return PLACE_NEM; /* a stealth probe of an open port */
	return nem_is_populated(e->nem, &look->key.inner) ? PLACE_DARKPORT
							  : PLACE_DARKSPACE;
}

static void
describe(const struct engine *e, const struct look *look, enum pair_event kind,
    struct finding_scan_event *out)
{
	const struct pair_key *key = &look->key;
	const struct pair *pair = look->pair;

	out->id = pairs_attempt(e->pairs, pair)->event_id;
	out->src = key->outer;
	out->dst = key->inner;
	out->ts_ms = pair_ts_ms(pair);
	out->exporter = pair_exporter(pair);
	out->src_port = key->outer_port;
	out->port = pair_port(key);
	out->proto = key->proto;
	out->technique = pair->technique;
	out->answer = (uint8_t)outcome_answer(pair_outcome(pair));
	out->place = (uint8_t)place_of(e, look, kind);
	out->phase = (uint8_t)phase_at(e, out->ts_ms);
	out->rule = pair->rule;
	out->confidence = pair->confidence;
	out->reason = pair_reason(pair);
	out->last_ms = pair_last_ms(pair);
	out->outer = shown_half_of(&pair->outer, key->proto);
	out->inner = shown_half_of(&pair->inner, key->proto);
}

_Static_assert(TECHNIQUE_COUNT <= 16 && ANSWER_COUNT <= 8 && PLACE_COUNT <= 4 &&
		   PHASE_COUNT <= 2 && RULE_COUNT <= 256 &&
		   CONFIDENCE_COUNT <= 4 && REASON_COUNT <= 8,
    "a mark has bits for every event");

/* All that an event says, but for its key and its time. */
static uint32_t
mark_of(const struct finding_scan_event *event)
{
	uint32_t mark = 1; /* never 0 */

	mark = mark << 3 | event->reason;
	mark = mark << 4 | event->technique;
	mark = mark << 2 | event->place;
	mark = mark << 1 | event->phase;
	mark = mark << 8 | event->rule;
	mark = mark << 2 | event->confidence;
	return mark << 3 | event->answer;
}

static uint8_t
answer_in(uint32_t mark)
{
	return mark & 7;
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
	const struct attempt *attempt = sources_first_attempt(source, e->pairs);

	while (attempt != NULL && looked++ < REVIEW_MAX && e->steps != 0) {
		e->steps--;
		if (attempt->event != PAIR_EVENT_DARK) {
			struct look look =
			    engine_look(e, pairs_at(e->pairs, attempt->pair));

			scan_reconcile(e, &look);
		}
		attempt = sources_next_attempt(e->pairs, attempt);
	}
}

/* An event at a dark target that drew no acceptance: the source probed. */
static bool
is_probe(enum pair_event kind, uint8_t answer)
{
	return kind == PAIR_EVENT_DARK && answer != ANSWER_ACCEPTED;
}

/* The earliest probe turned out to be none: looks for the next one. What is
 * not remembered any more may have been earlier: then the time stands. */
static void
find_first_probe(struct engine *e, struct source *source)
{
	int64_t first_ms = INT64_MAX;
	uint32_t found = 0;
	const struct attempt *attempt = sources_first_attempt(source, e->pairs);

	for (; attempt != NULL && e->steps != 0; e->steps--) {
		const struct pair *pair = pairs_at(e->pairs, attempt->pair);

		if (is_probe(event_of(attempt),
			answer_in(attempt->event_mark))) {
			found++;
			if (pair_ts_ms(pair) < first_ms)
				first_ms = pair_ts_ms(pair);
		}
		attempt = sources_next_attempt(e->pairs, attempt);
	}
	if (found != 0 && found == source->probes)
		source->first_probe_ms = first_ms;
}

static void
count_probe(struct engine *e, struct source *source, int64_t ts_ms, bool before,
    bool after)
{
	if (after && (source->probes == 0 || ts_ms < source->first_probe_ms))
		source->first_probe_ms = ts_ms;
	if (after && !before)
		source->probes++;
	else if (before && !after && source->probes > 0)
		source->probes--;
	if (before && !after && source->probes != 0 &&
	    ts_ms <= source->first_probe_ms)
		find_first_probe(e, source);
}

static int64_t
first_probe_ms(const struct source *source)
{
	return source->probes != 0 ? source->first_probe_ms : INT64_MAX;
}

/* The source's account, when its pair's event became another. */
static void
count_event(struct engine *e, const struct look *look,
    const struct attempt *attempt, enum pair_event before,
    uint8_t answer_before)
{
	enum pair_event after = (enum pair_event)attempt->event;
	uint8_t answer = answer_in(attempt->event_mark);
	struct source *source;
	bool was_scanner;
	int64_t probed_ms;

	if (attempt->source == TABLE_NONE ||
	    (before != PAIR_EVENT_DARK && after != PAIR_EVENT_DARK))
		return;
	source = sources_at(e->sources, attempt->source);
	was_scanner = source->events != 0;
	probed_ms = first_probe_ms(source);
	count_probe(e, source, pair_ts_ms(look->pair),
	    is_probe(before, answer_before), is_probe(after, answer));
	if (before != PAIR_EVENT_DARK)
		source->events++;
	else if (after != PAIR_EVENT_DARK && source->events > 0)
		source->events--;
	sources_touch(e->sources, source);
	if (was_scanner != (source->events != 0))
		review_pairs(e, source);
	if (source->opened && first_probe_ms(source) != probed_ms)
		nem_each_opened_by(e->nem, &look->key.outer, &e->steps,
		    review_alert, e);
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

static void
withdraw(struct engine *e, const struct look *look, struct attempt *attempt)
{
	enum pair_event before = event_of(attempt);
	uint8_t answer_before;

	if (before == PAIR_EVENT_NONE)
		return;
	answer_before = answer_in(attempt->event_mark);
	events_retract(e->events, attempt->event_id);
	if (TRACED(e))
		tracer_event(e, look->pair, NULL, true);
	attempt->event = PAIR_EVENT_NONE;
	attempt->event_id = attempt->event_mark = 0;
	count_event(e, look, attempt, before, answer_before);
}

/* An event is its source's: from now on the pair is joined to it. */
static struct attempt *
join(struct engine *e, const struct look *look)
{
	struct attempt *attempt = pairs_attempt(e->pairs, look->pair);
	struct source *source;

	if (attempt != NULL)
		return attempt;
	attempt = pairs_make_attempt(e->pairs, look->pair);
	source = engine_source(e, &look->key.outer);
	if (source != NULL)
		sources_link(e->sources, source, e->pairs, attempt);
	return attempt;
}

void
scan_reconcile(struct engine *e, const struct look *look)
{
	enum pair_event after = wanted_event(e, look);
	struct finding_scan_event event = { 0 };
	struct attempt *attempt;
	enum pair_event before;
	uint8_t answer_before;
	uint32_t mark;

	if (after == PAIR_EVENT_NONE) {
		withdraw(e, look, pairs_attempt(e->pairs, look->pair));
		return;
	}
	attempt = join(e, look);
	before = event_of(attempt);
	answer_before = answer_in(attempt->event_mark);
	if (before == PAIR_EVENT_NONE) {
		attempt->event_id = e->next_event_id++;
		e->state_dirty = true;
		counter_add(e->counters, COUNTER_SCAN_EVENTS, 1);
	}
	attempt->event = (uint8_t)after;
	describe(e, look, after, &event);
	mark = mark_of(&event);
	if (mark != attempt->event_mark ||
	    (uint32_t)event.ts_ms != attempt->event_ts) {
		attempt->event_mark = mark;
		attempt->event_ts = (uint32_t)event.ts_ms;
		events_put(e->events, &event);
		if (TRACED(e))
			tracer_event(e, look->pair, &event,
			    before != PAIR_EVENT_NONE);
		count_event(e, look, attempt, before, answer_before);
	}
	if (is_opener(e, look))
		nem_set_event(e->nem, look->x, attempt->event_id);
}
