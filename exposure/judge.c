/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a pair to a verdict, and from a verdict to what follows: the maps,
 * the counts, the scan events, and how long the pair is remembered.
 */
#include <assert.h>

#include "exposure/protocol.h"
#include "exposure/state.h"

#define PROTO_TCP 6

/* Smallest TCP over IP packet: RFC 9293 and RFC 791, RFC 8200. */
#define HEADER_V4 40
#define HEADER_V6 60

/* An answer in the next datagram is waited for, however old the records. */
#define GRACE_MS 5000

static int64_t
max_ms(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t
pair_ts_ms(const struct pair *pair)
{
	return pair->outer.present ? pair->outer.first_ms
				   : pair->inner.first_ms;
}

static int64_t
last_ms(const struct pair *pair)
{
	return max_ms(pair->outer.present ? pair->outer.last_ms : 0,
	    pair->inner.present ? pair->inner.last_ms : 0);
}

uint16_t
pair_port(const struct pair_key *key)
{
	return protocol_is_icmp(key->proto) ? 0 : key->inner_port;
}

/* --- the verdict ---------------------------------------------------------- */

/* What has no flags can only tell by who spoke first. */
static bool
has_pinholes(uint8_t proto)
{
	return proto != PROTOCOL_TCP && !protocol_is_icmp(proto);
}

static struct feed_profile
profile_of(const struct engine *e, const struct half *h)
{
	return profiles_get(e->profiles,
	    h->present ? h->exporter : PROFILES_MAX);
}

/* What the feeds of both halves can show together. */
static struct feed_profile
joint_profile(const struct engine *e, const struct pair *pair)
{
	struct feed_profile a = profile_of(e, &pair->outer);
	struct feed_profile b = profile_of(e, &pair->inner);

	return (struct feed_profile){
		.one_sided = a.one_sided || b.one_sided,
		.sampled = a.sampled || b.sampled,
		.partly = a.partly || b.partly,
		.lossy = a.lossy || b.lossy,
		.unheard = a.unheard || b.unheard,
		.no_flags = a.no_flags || b.no_flags,
		.merged_flags = a.merged_flags || b.merged_flags,
		.shared_times = a.shared_times || b.shared_times,
		.no_claims = a.no_claims || b.no_claims,
	};
}

static enum icmp_error
icmp_of(struct engine *e, struct pair *pair)
{
	struct source *source;
	enum icmp_error found;
	bool ambiguous;

	if (pair->icmp != ICMP_ERROR_NONE || pair->source == TABLE_NONE)
		return (enum icmp_error)pair->icmp;
	source = sources_at(e->sources, pair->source);
	found = icmp_errors_match(e->errors, source, e->pairs, pair, &e->steps,
	    &ambiguous);
	if (found == ICMP_ERROR_NONE && ambiguous)
		counter_add(e->counters, COUNTER_ICMP_AMBIGUOUS, 1);
	pair->icmp = (uint8_t)found;
	if (TRACED(e))
		tracer_icmp(e, pair, found, ambiguous);
	return found;
}

/* Nobody but this conversation showed the service: it proves nothing of it. */
static bool
rests_on(const struct exposure *x, const struct pair *pair)
{
	return pair->exposure_id == x->finding.id && x->finding.accepted <= 1;
}

static struct verdict
judge(struct engine *e, struct pair *pair, bool final)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	const struct exposure *x = NULL;
	struct verdict v;
	bool turned = false;
	struct verdict_input in = {
		.outer = &pair->outer,
		.inner = &pair->inner,
		.feed = joint_profile(e, pair),
		.outer_port = key->outer_port,
		.inner_port = key->inner_port,
		.proto = key->proto,
		.header_octets =
		    addr_is_v4(&key->inner) ? HEADER_V4 : HEADER_V6,
		.final = final,
		.claimed = pair->claimed == PAIR_CLAIMS_DIFFER
			       ? SIDE_NONE
			       : (enum side)pair->claimed,
		.prior = (enum side)pair->prior,
		.fan_in = FAN_IN_UNKNOWN,
	};

	if (key->scope == SCOPE_EXTERNAL) {
		x = nem_find(e->nem, &key->inner, key->proto, pair_port(key));
		in.known_service =
		    x != NULL && exposure_is_confirmed(x) && !rests_on(x, pair);
		in.pinhole = has_pinholes(key->proto) &&
			     pinholes_has(e->pinholes, &key->inner, key->proto,
				 key->inner_port, pair_ts_ms(pair));
		in.related = key->proto == PROTOCOL_UDP &&
			     listener_transfer(e, pair) != NULL;
		if (!in.known_service)
			in.fan_in = fan_ins_get(e->fan_ins, &key->inner,
			    key->proto, key->inner_port);
		if (final && !pair->inner.present)
			in.icmp = icmp_of(e, pair);
	} else if ((pair->inner.evidence & EV_SYN) != 0 &&
		   (pair->outer.evidence & EV_SYN) == 0) {
		/* both ends are internal: the opener takes the outer place */
		in.outer = &pair->inner;
		in.inner = &pair->outer;
		in.outer_port = key->inner_port;
		in.inner_port = key->outer_port;
		turned = true;
	}
	v = verdict_of(&in);
	if (turned && v.initiator != SIDE_NONE)
		v.initiator =
		    v.initiator == SIDE_OUTER ? SIDE_INNER : SIDE_OUTER;
	if (TRACED(e))
		tracer_judged(e, pair, &in, &v);
	return v;
}

/* --- what follows --------------------------------------------------------- */

static void
count_first(struct engine *e, const struct verdict *v)
{
	switch ((enum outcome)v->outcome) {
	case OUTCOME_OUTBOUND:
	case OUTCOME_OUT_PROBE:
		counter_add(e->counters, COUNTER_OUTBOUND, 1);
		break;
	case OUTCOME_UNKNOWN_DIR:
		counter_add(e->counters, COUNTER_UNKNOWN_DIR, 1);
		break;
	case OUTCOME_MIDSTREAM:
	case OUTCOME_MIDSTREAM_REFRESH:
		counter_add(e->counters, COUNTER_MIDSTREAM, 1);
		break;
	case OUTCOME_BACKSCATTER:
		counter_add(e->counters, COUNTER_BACKSCATTER, 1);
		break;
	case OUTCOME_NONE:
	case OUTCOME_TRANSIT:
	case OUTCOME_COUNT:
		break;
	case OUTCOME_ACCEPTED:
	case OUTCOME_ACCEPTED_HALF_OPEN:
	case OUTCOME_ACCEPTED_NO_ACK:
	case OUTCOME_REFUSED:
	case OUTCOME_SILENT:
	case OUTCOME_UNREACH:
	case OUTCOME_UNRESOLVED:
	case OUTCOME_DENIED:
	case OUTCOME_STEALTH_CLOSED:
	case OUTCOME_STEALTH_OPEN_FILTERED:
	case OUTCOME_STEALTH_UNFILTERED:
	case OUTCOME_STEALTH_OTHER:
	case OUTCOME_ECHO_ANSWERED:
	case OUTCOME_ECHO_SILENT:
		counter_add(e->counters, COUNTER_ATTEMPTS, 1);
		break;
	}
}

static void
count_outcome(struct engine *e, struct pair *pair, const struct verdict *v)
{
	const struct verdict *before = &pair->verdict;

	if (before->outcome == v->outcome && before->rule == v->rule)
		return;
	if (before->outcome == OUTCOME_NONE)
		count_first(e, v);
	else
		outcomes_take_back(e->outcomes, pair->hour_ms, before->outcome,
		    before->rule);
	if (before->outcome == OUTCOME_SILENT &&
	    outcome_is_accepted(v->outcome))
		counter_add(e->counters, COUNTER_LATE_ANSWERS, 1);
	pair->hour_ms =
	    outcomes_add(e->outcomes, pair_ts_ms(pair), v->outcome, v->rule);
}

static bool
is_client(const struct pair *pair, uint8_t proto)
{
	if (!pair->outer.present)
		return false;
	/* only who acknowledged is no spoofed source */
	return proto != PROTO_TCP || (pair->outer.flags & TCP_ACK) != 0 ||
	       pair->outer.no_flags;
}

/* The host answered, and sent nothing but SYN-ACKs and resets. */
static bool
is_bare(const struct pair *pair, uint8_t proto)
{
	const struct half *i = &pair->inner;

	return proto == PROTO_TCP && i->present &&
	       (i->evidence & (EV_SYNACK1 | EV_MIX)) != 0 &&
	       (i->evidence & EV_DATA) == 0 &&
	       (i->flags & (TCP_PSH | TCP_FIN)) == 0;
}

static void
accept(struct engine *e, struct pair *pair, const struct verdict *v)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	struct exposure *x =
	    nem_find(e->nem, &key->inner, key->proto, pair_port(key));
	uint32_t opener = x == NULL ? TABLE_NONE : x->opener;
	bool was_hint = x != NULL && x->finding.tier == TIER_HINT;
	enum acceptance_effect effect;
	struct acceptance a = {
		.host = key->inner,
		.client = key->outer,
		.ts_ms = pair_ts_ms(pair),
		.last_ms = last_ms(pair),
		.exporter = pair->outer.present ? pair->outer.exporter
						: pair->inner.exporter,
		.pair = pairs_slot(e->pairs, pair),
		.port = pair_port(key),
		.client_port = key->outer_port,
		.proto = key->proto,
		.rule = v->rule,
		.confidence = v->confidence,
		.is_client = is_client(pair, key->proto),
		.is_bare = is_bare(pair, key->proto),
		.listener = (uint8_t)listener_of(e, pair, v),
		.one_sided = !pair->outer.present &&
			     profile_of(e, &pair->inner).one_sided,
		.again = x != NULL && pair->exposure_id == x->finding.id,
		.timed = x != NULL && pair->timed_id == x->finding.id,
	};

	effect = nem_accept(e->nem, &a, &x);
	if (x == NULL)
		return;
	pair->exposure_id = x->finding.id;
	listener_accepted(e, pair, x);
	if (rule_is_timed(v->rule))
		pair->timed_id = x->finding.id;
	if (effect != ACCEPTANCE_COUNTED)
		scan_review_opener(e, x);
	if (opener == TABLE_NONE)
		return;
	if (effect == ACCEPTANCE_DISPLACED ||
	    (was_hint && x->finding.tier != TIER_HINT))
		scan_reconcile(e, pairs_at(e->pairs, opener));
}

/* The pair had been counted as accepted, wrongly. */
static void
take_back(struct engine *e, struct pair *pair, struct exposure *x)
{
	if (x != NULL && x->finding.id == pair->exposure_id) {
		if (x->opener == pairs_slot(e->pairs, pair)) {
			x->opener = TABLE_NONE;
			nem_set_event(e->nem, x, 0);
		}
		nem_unaccept(e->nem, x);
	}
	pair->exposure_id = 0;
}

static void
follow_in_maps(struct engine *e, struct pair *pair, const struct verdict *v)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	struct exposure *x;

	if (key->scope != SCOPE_EXTERNAL)
		return;
	if (v->outcome == OUTCOME_ECHO_ANSWERED)
		return; /* no port: it makes the host populated, no more */
	if (outcome_is_accepted(v->outcome)) {
		accept(e, pair, v);
		return;
	}
	x = nem_find(e->nem, &key->inner, key->proto, pair_port(key));
	if (pair->exposure_id != 0)
		take_back(e, pair, x);
	else if (x != NULL && !pair->refused_counted &&
		 (v->outcome == OUTCOME_REFUSED ||
		     v->outcome == OUTCOME_STEALTH_CLOSED)) {
		pair->refused_counted = true;
		nem_refuse(e->nem, x, pair_ts_ms(pair));
	} else if (x != NULL && v->outcome == OUTCOME_MIDSTREAM_REFRESH) {
		nem_refresh(e->nem, x, last_ms(pair));
	}
	if (v->outcome == OUTCOME_OUTBOUND &&
	    pair->verdict.outcome != OUTCOME_OUTBOUND)
		listener_opened(e, pair, x);
	/* what comes through a pinhole does not keep it open */
	if (v->outcome == OUTCOME_OUTBOUND && has_pinholes(key->proto) &&
	    v->rule != RULE_DP)
		pinholes_note(e->pinholes, &key->inner, key->proto,
		    key->inner_port, pair_ts_ms(pair));
}

static bool
is_settled(const struct verdict *v)
{
	/* A0 waits for the SYN, or for the reset that takes it back */
	return v->outcome != OUTCOME_NONE && v->rule != RULE_A0;
}

static void
follow(struct engine *e, struct pair *pair, struct verdict v)
{
	bool changed = pair->verdict.outcome != v.outcome ||
		       pair->verdict.rule != v.rule ||
		       pair->verdict.confidence != v.confidence;

	count_outcome(e, pair, &v);
	if (TRACED(e))
		tracer_before_maps(e, pair);
	follow_in_maps(e, pair, &v);
	pair->verdict = v;
	if (TRACED(e) && changed)
		tracer_verdict(e, pair);
	if (TRACED(e))
		tracer_after_maps(e, pair);
	scan_reconcile(e, pair);
	e->state_dirty = true;
}

static void
set_timer(struct engine *e, struct pair *pair, bool final)
{
	if (!is_settled(&pair->verdict)) {
		pairs_set_class(e->pairs, pair,
		    pair->inner.present ? PAIR_ANSWERED : PAIR_UNANSWERED);
		if (pair->deadline_ms == 0)
			pairs_set_deadline(e->pairs, pair,
			    max_ms(last_ms(pair) + e->config.wait_ms,
				e->clock_ms + GRACE_MS));
		return;
	}
	if (final && !pair->inner.present &&
	    pair->born_ms + e->config.revoke_ms > e->clock_ms) {
		pairs_set_class(e->pairs, pair, PAIR_SILENT);
		pairs_set_deadline(e->pairs, pair,
		    pair->born_ms + e->config.revoke_ms);
		return;
	}
	pairs_set_class(e->pairs, pair, PAIR_TOMBSTONE);
	pairs_set_deadline(e->pairs, pair, e->clock_ms + e->config.wait_ms);
}

/* A pair with both halves, or whose other half will not come, teaches. */
static void
learn(struct engine *e, struct pair *pair)
{
	bool both = pair->outer.present && pair->inner.present;

	if (pair->learned || (!both && !pair->settled) ||
	    pairs_key(e->pairs, pair)->proto != PROTO_TCP)
		return;
	pair->learned = true;
	profiles_take_half(e->profiles, &pair->outer, &pair->inner);
	profiles_take_half(e->profiles, &pair->inner, &pair->outer);
}

/* Who met at an endpoint in conversations nothing else gives a direction. */
static void
count_fan_in(struct engine *e, struct pair *pair)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);

	if (pair->fanned_in || !protocol_has_ports(key->proto) ||
	    key->scope != SCOPE_EXTERNAL || !pair->inner.present ||
	    (pair->verdict.outcome != OUTCOME_UNKNOWN_DIR &&
		pair->verdict.outcome != OUTCOME_MIDSTREAM))
		return;
	pair->fanned_in = true;
	fan_ins_add(e->fan_ins, &key->inner, key->proto, key->inner_port,
	    &key->outer, key->outer_port, pair_ts_ms(pair));
}

void
judge_learn_all(struct engine *e)
{
	static const enum pair_class open[] = { PAIR_UNANSWERED,
		PAIR_ANSWERED };

	for (int i = 0; i < 2; i++)
		for (struct pair *pair = pairs_oldest(e->pairs, open[i]);
		     pair != NULL; pair = pairs_younger(e->pairs, pair)) {
			pair->settled = true;
			learn(e, pair);
		}
}

void
judge_pair(struct engine *e, struct pair *pair, bool final)
{
	struct verdict v;

	pair->settled = pair->settled || final;
	learn(e, pair);
	v = judge(e, pair, pair->settled);
	assert(!pair->settled || v.outcome != OUTCOME_NONE);
	if (v.outcome != OUTCOME_NONE)
		follow(e, pair, v);
	if (v.rule == RULE_W_69)
		listener_review_transfer(e, pair);
	count_fan_in(e, pair);
	set_timer(e, pair, pair->settled);
	if (TRACED(e))
		tracer_timer(e, pair);
}

void
pair_drop(struct engine *e, struct pair *pair)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	struct exposure *x =
	    nem_find(e->nem, &key->inner, key->proto, pair_port(key));
	struct source *source = pair->source == TABLE_NONE
				    ? NULL
				    : sources_at(e->sources, pair->source);

	if (TRACED(e))
		tracer_end(e, pair, TRACE_OVER);
	if (x != NULL && x->opener == pairs_slot(e->pairs, pair))
		x->opener = TABLE_NONE;
	sources_unlink(e->sources, e->pairs, pair);
	pairs_remove(e->pairs, pair);
	if (source != NULL)
		sources_release(e->sources, source);
}

void
judge_due(struct engine *e, struct pair *pair)
{
	struct pair *other;

	if (TRACED(e))
		tracer_end(e, pair, TRACE_DUE);
	if (pair->class == PAIR_UNANSWERED || pair->class == PAIR_ANSWERED) {
		/* it stays for a while: what still comes is no new attempt */
		judge_pair(e, pair, true);
		return;
	}
	other = pairs_other_generation(e->pairs, pair);
	if (other != NULL) {
		pairs_set_deadline(e->pairs, pair, other->deadline_ms + 1000);
		return;
	}
	/* the maps may have learned since what was there before it */
	scan_reconcile(e, pair);
	pair_drop(e, pair);
}

void
judge_shed(struct engine *e, struct pair *pair)
{
	if (TRACED(e))
		tracer_end(e, pair, TRACE_SHED);
	if (pair->class == PAIR_UNANSWERED || pair->class == PAIR_ANSWERED) {
		struct verdict v = judge(e, pair, true);

		counter_add(e->counters, COUNTER_SHED_PAIRS, 1);
		if (outcome_answer(v.outcome) == ANSWER_SILENT) {
			/* it was not waited for long enough to say so */
			v.outcome = OUTCOME_UNRESOLVED;
			v.rule = RULE_SHED;
			v.confidence = CONFIDENCE_NONE;
		}
		follow(e, pair, v);
	}
	pair_drop(e, pair);
}
