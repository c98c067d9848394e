/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a pair to a verdict, and from a verdict to what follows: the maps,
 * the counts, the scan events, and how long the pair is remembered.
 */
#include <assert.h>
#include <string.h>

#include "exposure/protocol.h"
#include "exposure/state.h"

/* Smallest TCP over IP packet: RFC 9293 and RFC 791, RFC 8200. */
#define HEADER_V4 40
#define HEADER_V6 60

/* Below are services; what is related to another conversation is above. */
#define PORT_USER 1024

/* An answer in the next datagram is waited for, however old the records. */
#define GRACE_MS 5000

static int64_t
max_ms(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

uint16_t
pair_port(const struct pair_key *key)
{
	return protocol_is_icmp(key->proto) ? 0 : key->inner_port;
}

/* Looks it up anew: what was there may be gone. */
static void
look_in_map(const struct engine *e, struct look *look)
{
	const struct pair_key *key = &look->key;

	look->x = key->scope == SCOPE_EXTERNAL ? nem_find(e->nem, &key->inner,
						     key->proto, pair_port(key))
					       : NULL;
}

struct look
engine_look(const struct engine *e, struct pair *pair)
{
	struct look look = { .pair = pair, .key = pairs_key(e->pairs, pair) };

	look_in_map(e, &look);
	return look;
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

/* What tells whether its answers are seen; NULL: both ends are inside. */
static const struct network *
network_of(const struct engine *e, const struct addr *inner, bool is_internal)
{
	return is_internal
		   ? NULL
		   : prefix_set_find_internal(&e->config.internal, inner);
}

/*
 * What the feed of a half can show of the other one, which did not come. It
 * may have been exported before the half was.
 */
static struct feed_profile
profile_without(const struct engine *e, const struct look *look,
    const struct half *h)
{
	int64_t since_ms = (int64_t)look->pair->since_s * 1000;
	int64_t from_ms = half_first_ms(h);
	struct feed_profile feed = profiles_missing(e->profiles, h->exporter,
	    network_of(e, &look->key.inner, look->pair->internal),
	    from_ms < since_ms ? from_ms : since_ms);

	feed.unheard |= h->unheard;
	return feed;
}

/* Sampling is told by each record, if not by the configuration. */
static bool
is_sampled(const struct half *h, const struct feed_profile *feed)
{
	return feed->sampled || (h->sampled && !feed->is_sampling_given);
}

/* What the feeds of both halves can show together. */
static struct feed_profile
joint_profile(const struct engine *e, const struct look *look, bool final)
{
	const struct half *o = &look->pair->outer;
	const struct half *i = &look->pair->inner;
	bool lacks_one = final && o->present != i->present;
	struct feed_profile a, b;

	if (!lacks_one &&
	    (!i->present || !o->present || o->exporter == i->exporter)) {
		/* the common case: one feed shows all there is */
		a = profile_of(e, o->present ? o : i);
		a.sampled = is_sampled(o, &a) || is_sampled(i, &a);
		a.is_sampling_given = false;
		return a;
	}
	a = lacks_one && o->present ? profile_without(e, look, o)
				    : profile_of(e, o);
	b = lacks_one && i->present ? profile_without(e, look, i)
				    : profile_of(e, i);
	return (struct feed_profile){
		.one_sided = a.one_sided || b.one_sided,
		.sampled = is_sampled(o, &a) || is_sampled(i, &b),
		.partly = a.partly || b.partly,
		.lossy = a.lossy || b.lossy,
		.unheard = a.unheard || b.unheard,
		.unsure = a.unsure || b.unsure,
		.no_flags = a.no_flags || b.no_flags,
		.merged_flags = a.merged_flags || b.merged_flags,
		.shared_times = a.shared_times || b.shared_times,
		.no_claims = a.no_claims || b.no_claims,
	};
}

/* Joins it to its source, when that is known or is to be made. */
static void
join_source(struct engine *e, const struct look *look, bool make)
{
	struct source *source;

	if (look->pair->noted || look->key.scope != SCOPE_EXTERNAL)
		return;
	source = make ? engine_source(e, &look->key.outer)
		      : sources_find(e->sources, &look->key.outer);
	if (source != NULL)
		sources_link(e->sources, source, e->pairs,
		    pairs_make_attempt(e->pairs, look->pair));
}

static enum icmp_error
icmp_of(struct engine *e, const struct look *look)
{
	struct attempt *attempt;
	enum icmp_error found;
	bool ambiguous;

	join_source(e, look, false);
	attempt = pairs_attempt(e->pairs, look->pair);
	if (attempt == NULL || attempt->source == TABLE_NONE)
		return ICMP_ERROR_NONE;
	if (attempt->icmp != ICMP_ERROR_NONE)
		return (enum icmp_error)attempt->icmp;
	found = icmp_errors_match(e->errors,
	    sources_at(e->sources, attempt->source), e->pairs, look->pair,
	    &e->steps, &ambiguous);
	if (found == ICMP_ERROR_NONE && ambiguous)
		counter_add(e->counters, COUNTER_ICMP_AMBIGUOUS, 1);
	attempt->icmp = (uint8_t)found;
	if (TRACED(e))
		tracer_icmp(e, look->pair, found, ambiguous);
	return found;
}

/* By other conversations: what this one showed proves nothing of it. */
static bool
is_known_service(const struct engine *e, const struct look *look)
{
	bool is_own = pair_is_counted_in(e, look->pair, look->x);

	if (is_own && look->x->finding.accepted <= 1)
		return false;
	return exposure_is_confirmed(look->x, is_own && look->pair->timed);
}

/* At this time the inner end had opened to somebody, within W2; the same
 * millisecond is no order. */
static bool
has_opened(const struct engine *e, const struct look *look, int64_t ts_ms)
{
	return pinholes_has(e->openers, &look->key.inner, look->key.proto,
	    look->key.inner_port, ts_ms + 1,
	    pairs_revoke_ms(e->pairs, look->pair) + 1);
}

/* With what others tell of the inner end, where a rule asks for it: many
 * peers, or that it was a client. */
static struct verdict
verdict_by_peers(const struct engine *e, const struct look *look,
    struct verdict_input *in)
{
	bool asks = false;
	struct verdict v;

	in->asks_fan_in = &asks;
	v = verdict_of(in);
	in->asks_fan_in = NULL;
	if (!asks || look->key.scope != SCOPE_EXTERNAL)
		return v;
	in->fan_in = fan_ins_get(e->fan_ins, &look->key.inner, look->key.proto,
	    look->key.inner_port);
	if (in->fan_in != FAN_IN_UNKNOWN)
		v = verdict_of(in);
	/* its own SYN, where there is one, has been looked at */
	if (v.initiator != SIDE_OUTER || look->key.proto != PROTOCOL_TCP ||
	    (look->pair->inner.evidence & EV_SYN) != 0 ||
	    !has_opened(e, look, pair_ts_ms(look->pair)))
		return v;
	in->was_client = true;
	return verdict_of(in);
}

/* What the tables know; each is asked only where a rule may ask for it. */
static void
ask_history(struct engine *e, const struct look *look, struct verdict_input *in)
{
	const struct pair_key *key = &look->key;
	bool both = in->outer->present && in->inner->present;

	in->known_service = look->x != NULL && is_known_service(e, look);
	in->pinhole = both && !in->known_service && has_pinholes(key->proto) &&
		      pinholes_has(e->pinholes, &key->inner, key->proto,
			  key->inner_port, pair_ts_ms(look->pair), PINHOLE_MS);
	in->related =
	    key->proto == PROTOCOL_UDP && listener_transfer(e, look) != NULL;
	in->ftp_data = listener_may_be_data(key) && listener_is_data(e, look);
	if (in->final && !look->pair->inner.present)
		in->icmp = icmp_of(e, look);
}

/* With what the feed would be taken for if the other half never came. */
static void
trace_judged(const struct engine *e, const struct look *look,
    const struct verdict_input *in, const struct verdict *v)
{
	const struct pair *pair = look->pair;
	const struct half *h =
	    pair->outer.present ? &pair->outer : &pair->inner;
	struct feed_profile in_the_end = in->feed;

	if (!in->final && pair->outer.present != pair->inner.present) {
		in_the_end = profile_without(e, look, h);
		in_the_end.sampled = is_sampled(h, &in_the_end);
	}
	tracer_judged(e, pair, in, &in_the_end, v);
}

static struct verdict
judge(struct engine *e, const struct look *look, bool final)
{
	const struct pair_key *key = &look->key;
	struct pair *pair = look->pair;
	struct verdict v;
	bool turned = false;
	struct verdict_input in = {
		.outer = &pair->outer,
		.inner = &pair->inner,
		.feed = joint_profile(e, look, final),
		.outer_port = key->outer_port,
		.inner_port = key->inner_port,
		.proto = key->proto,
		.header_octets = pair->is_ipv6 ? HEADER_V6 : HEADER_V4,
		.final = final,
		.claimed = pair->claimed == PAIR_CLAIMS_DIFFER
			       ? SIDE_NONE
			       : (enum side)pair->claimed,
		.prior = (enum side)pair->prior,
		.fan_in = FAN_IN_UNKNOWN,
	};

	if (key->scope == SCOPE_EXTERNAL) {
		ask_history(e, look, &in);
	} else if ((pair->inner.evidence & EV_SYN) != 0 &&
		   (pair->outer.evidence & EV_SYN) == 0) {
		/* both ends are internal: the opener takes the outer place */
		in.outer = &pair->inner;
		in.inner = &pair->outer;
		in.outer_port = key->inner_port;
		in.inner_port = key->outer_port;
		turned = true;
	}
	v = verdict_by_peers(e, look, &in);
	if (turned && v.initiator != SIDE_NONE)
		v.initiator =
		    v.initiator == SIDE_OUTER ? SIDE_INNER : SIDE_OUTER;
	if (TRACED(e))
		trace_judged(e, look, &in, &v);
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
	case OUTCOME_DENIED:
		counter_add(e->counters, COUNTER_DENIED, 1);
		counter_add(e->counters, COUNTER_ATTEMPTS, 1);
		break;
	case OUTCOME_ACCEPTED:
	case OUTCOME_ACCEPTED_HALF_OPEN:
	case OUTCOME_ACCEPTED_NO_ACK:
	case OUTCOME_REFUSED:
	case OUTCOME_SILENT:
	case OUTCOME_UNREACH:
	case OUTCOME_UNRESOLVED:
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

static struct outcome_kind
kind_of(const struct verdict *v, uint16_t exporter)
{
	return (struct outcome_kind){ outcomes_exporter(exporter), v->outcome,
		v->rule, v->reason };
}

static enum counter
counter_of_reason(uint8_t reason)
{
	static const uint16_t counters[REASON_COUNT] = {
		[REASON_ONE_SIDED] = COUNTER_UNRESOLVED_ONE_SIDED,
		[REASON_SAMPLED] = COUNTER_UNRESOLVED_SAMPLED,
		[REASON_PARTLY] = COUNTER_UNRESOLVED_PARTLY,
		[REASON_LOSS] = COUNTER_UNRESOLVED_LOSS,
		[REASON_SHED] = COUNTER_UNRESOLVED_SHED,
		[REASON_WINDOW] = COUNTER_UNRESOLVED_WINDOW,
		[REASON_EVIDENCE] = COUNTER_UNRESOLVED_EVIDENCE,
	};

	return (enum counter)counters[reason];
}

static void
count_outcome(struct engine *e, const struct pair *pair,
    const struct verdict *v)
{
	struct verdict before = pair_verdict(pair);
	uint16_t exporter = pair_exporter(pair);
	int64_t ts_ms = pair_ts_ms(pair);

	if (before.outcome == v->outcome && before.rule == v->rule &&
	    before.reason == v->reason)
		return;
	if (before.outcome == OUTCOME_NONE)
		count_first(e, v);
	else
		outcomes_take_back(e->outcomes, ts_ms,
		    kind_of(&before, exporter));
	if (v->reason != REASON_NONE && v->reason != before.reason)
		counter_add(e->counters, counter_of_reason(v->reason), 1);
	if (before.outcome == OUTCOME_SILENT && outcome_is_accepted(v->outcome))
		counter_add(e->counters, COUNTER_LATE_ANSWERS, 1);
	outcomes_add(e->outcomes, ts_ms, kind_of(v, exporter));
}

void
judge_count_anew(struct engine *e, const struct pair *pair, int64_t before_ms,
    uint16_t before_exporter)
{
	struct verdict v = pair_verdict(pair);
	uint16_t exporter = pair_exporter(pair);
	int64_t ts_ms = pair_ts_ms(pair);

	if (v.outcome == OUTCOME_NONE ||
	    (exporter == before_exporter && !outcomes_moves(before_ms, ts_ms)))
		return;
	outcomes_take_back(e->outcomes, before_ms,
	    kind_of(&v, before_exporter));
	outcomes_add(e->outcomes, ts_ms, kind_of(&v, exporter));
}

static bool
is_client(const struct pair *pair, uint8_t proto)
{
	if (!pair->outer.present)
		return false;
	/* only who acknowledged is no spoofed source */
	return proto != PROTOCOL_TCP || (pair->outer.flags & TCP_ACK) != 0 ||
	       pair->outer.no_flags;
}

/* The host answered, and sent nothing but SYN-ACKs and resets. */
static bool
is_bare(const struct pair *pair)
{
	const struct half *i = &pair->inner;

	return pair->proto == PROTOCOL_TCP && i->present &&
	       (i->evidence & (EV_SYNACK1 | EV_MIX)) != 0 &&
	       (i->evidence & EV_DATA) == 0 &&
	       (i->flags & (TCP_PSH | TCP_FIN)) == 0;
}

/* The exposure that counted the pair last: the lower bits of its id, which
 * are told apart as long as pairs live. */
static uint32_t
mark_of(const struct exposure *x)
{
	return (uint32_t)x->finding.id;
}

static uint32_t
counted_last(const struct engine *e, const struct pair *pair)
{
	const struct attempt *attempt = pairs_attempt(e->pairs, pair);

	return attempt != NULL ? attempt->exposure : pair->aside;
}

bool
pair_is_counted_in(const struct engine *e, const struct pair *pair,
    const struct exposure *x)
{
	return pair->counted && x != NULL &&
	       counted_last(e, pair) == mark_of(x);
}

/* What pair and exposure know of each other, after an acceptance. */
static void
note_counted(const struct engine *e, struct pair *pair,
    const struct acceptance *a, const struct exposure *x)
{
	struct attempt *attempt = pairs_attempt(e->pairs, pair);

	if (counted_last(e, pair) != mark_of(x))
		pair->client_counted = false;
	if (attempt != NULL)
		attempt->exposure = mark_of(x);
	else
		pair->aside = mark_of(x);
	pair->counted = true;
	pair->timed = rule_is_timed(a->rule);
	pair->client_counted |= a->is_client;
}

/* The acceptor's own SYN-ACK told it, and no guess at what is missing. */
static bool
is_synack(unsigned rule)
{
	return rule == RULE_A0 || rule == RULE_A1_D2;
}

/* What the map is told of an accepted attempt. */
static struct acceptance
acceptance_of(const struct engine *e, const struct look *look,
    const struct verdict *v)
{
	const struct pair *pair = look->pair;
	bool known =
	    look->x != NULL && counted_last(e, pair) == mark_of(look->x);

	return (struct acceptance){
		.host = look->key.inner,
		.client = look->key.outer,
		.ts_ms = pair_ts_ms(pair),
		.last_ms = pair_last_ms(pair),
		.exporter = pair_exporter(pair),
		.pair = pairs_slot(e->pairs, pair),
		.port = pair_port(&look->key),
		.client_port = look->key.outer_port,
		.proto = pair->proto,
		.rule = v->rule,
		.confidence = v->confidence,
		.is_client = is_client(pair, pair->proto) &&
			     !(known && pair->client_counted),
		.is_bare = is_bare(pair),
		.listener = (uint8_t)listener_of(e, look, v),
		.one_sided = !pair->outer.present && is_synack(v->rule) &&
			     profile_of(e, &pair->inner).one_sided,
		.again = known && pair->counted,
		.timed = known && pair->timed,
	};
}

/* Another attempt opened it than was thought. */
static void
set_opener(struct engine *e, struct exposure *x, struct pair *pair)
{
	struct look look = engine_look(e, pair);
	struct verdict v = pair_verdict(pair);
	struct acceptance a = acceptance_of(e, &look, &v);

	nem_reopen_by(e->nem, x, &a);
	join_source(e, &look, true);
	scan_review_opener(e, x);
	scan_reconcile(e, &look);
}

/* All that one attempt shows, as if it were counted for the first time. */
static struct acceptance
acceptance_alone(const struct engine *e, struct exposure *x, struct pair *pair,
    const struct verdict *v)
{
	struct look look = { .pair = pair,
		.key = pairs_key(e->pairs, pair),
		.x = x };
	struct acceptance a = acceptance_of(e, &look, v);

	a.is_client = pair->client_counted;
	a.timed = false;
	return a;
}

/*
 * Adds up the attempts still remembered that the exposure has counted, until
 * all are found. v is the new verdict of changed. The earliest; NULL: none.
 */
static struct pair *
add_up(struct engine *e, struct exposure *x, struct pair *changed,
    const struct verdict *v, struct finding_exposure *sum)
{
	struct acceptance a = acceptance_alone(e, x, changed, v);
	struct pair *first = NULL;

	if (changed->counted && nem_add_up(sum, &a))
		first = changed;
	for (int c = 0; c < PAIR_CLASS_COUNT; c++)
		for (struct pair *pair =
			 pairs_oldest(e->pairs, (enum pair_class)c);
		     pair != NULL && e->steps != 0 &&
		     sum->accepted < x->finding.accepted;
		     pair = pairs_younger(e->pairs, pair), e->steps--) {
			struct verdict own = pair_verdict(pair);

			if (pair == changed || !pair_is_counted_in(e, pair, x))
				continue;
			a = acceptance_alone(e, x, pair, &own);
			if (nem_add_up(sum, &a))
				first = pair;
		}
	return first;
}

/*
 * An attempt of the exposure was none, began later, or shows less than was
 * taken from it: what it rests on is found anew, so that the order of the
 * records makes no difference. What forgotten attempts showed cannot be told
 * apart, and stays; who opened it is looked for among the others when that
 * was the one: opener_is_gone.
 */
static void
recount(struct engine *e, struct exposure *x, struct pair *changed,
    const struct verdict *v, bool opener_is_gone)
{
	struct finding_exposure sum = { 0 };
	struct pair *first = add_up(e, x, changed, v, &sum);
	bool is_all = sum.accepted == x->finding.accepted;

	if (first != NULL && (is_all || opener_is_gone) &&
	    x->opener != pairs_slot(e->pairs, first))
		set_opener(e, x, first);
	if (!is_all)
		return;
	if (!changed->counted && x->finding.last_ms == pair_last_ms(changed))
		x->finding.last_ms = sum.last_ms;
	nem_rest_on(e->nem, x, &sum);
}

/* What the attempt a showed before, it shows still, and began no earlier. */
static bool
shows_as_much(const struct engine *e, const struct exposure *x,
    const struct pair *pair, const struct acceptance *a)
{
	struct acceptance before = *a;

	if (x->opener == a->pair && a->ts_ms > x->finding.first_ms)
		return false;
	if (pair->rule == a->rule && pair->confidence == a->confidence)
		return true;
	before.rule = pair->rule;
	before.confidence = pair->confidence;
	before.one_sided =
	    is_synack(pair->rule) && profile_of(e, &pair->inner).one_sided;
	return nem_shows_as_much(a, &before);
}

static void
accept(struct engine *e, struct look *look, const struct verdict *v)
{
	struct pair *pair = look->pair;
	struct exposure *x = look->x;
	uint32_t opener = x == NULL ? TABLE_NONE : x->opener;
	bool was_hint = x != NULL && x->finding.tier == TIER_HINT;
	struct witness_before before = witness_before(x);
	enum acceptance_effect effect;
	struct acceptance a = acceptance_of(e, look, v);

	effect = nem_accept(e->nem, &a, &x);
	if (x == NULL)
		return;
	look->x = x;
	note_counted(e, pair, &a, x);
	if (a.again && !shows_as_much(e, x, pair, &a))
		recount(e, x, pair, v, false);
	if (!a.again || before.tier != x->finding.tier ||
	    pair_outcome(pair) != v->outcome || pair->rule != v->rule ||
	    pair->confidence != v->confidence)
		witness_accepted(e, look, v, &before, effect);
	listener_accepted(e, look);
	if (effect != ACCEPTANCE_COUNTED) {
		join_source(e, look, true);
		scan_review_opener(e, x);
	}
	if (opener == TABLE_NONE)
		return;
	if (effect == ACCEPTANCE_DISPLACED ||
	    (was_hint && x->finding.tier != TIER_HINT)) {
		struct look other = { .pair = pairs_at(e->pairs, opener) };

		other.key = pairs_key(e->pairs, other.pair);
		other.x = x;
		scan_reconcile(e, &other);
	}
}

/* The pair had been counted as accepted, wrongly. */
static void
take_back(struct engine *e, struct look *look, const struct verdict *v)
{
	struct exposure *x = look->x;
	bool is_counted = pair_is_counted_in(e, look->pair, x);
	bool timed = look->pair->timed;
	bool is_opener;

	look->pair->counted = look->pair->timed = false;
	if (!is_counted)
		return;
	is_opener = x->opener == pairs_slot(e->pairs, look->pair);
	if (is_opener) {
		x->opener = TABLE_NONE;
		nem_set_event(e->nem, x, 0);
	}
	witness_taken_back(e, look);
	nem_unaccept(e->nem, x, timed);
	look_in_map(e, look);
	if (look->x != NULL)
		recount(e, look->x, look->pair, v, is_opener);
}

static void
follow_in_maps(struct engine *e, struct look *look, const struct verdict *v)
{
	const struct pair_key *key = &look->key;
	struct pair *pair = look->pair;

	if (key->scope != SCOPE_EXTERNAL)
		return;
	if (v->outcome == OUTCOME_ECHO_ANSWERED)
		return; /* no port: it makes the host populated, no more */
	if (outcome_is_accepted(v->outcome)) {
		accept(e, look, v);
		return;
	}
	if (pair->counted) {
		take_back(e, look, v);
	} else if (look->x != NULL && !pair->refused_counted &&
		   (v->outcome == OUTCOME_REFUSED ||
		       v->outcome == OUTCOME_STEALTH_CLOSED)) {
		struct witness_before before = witness_before(look->x);

		pair->refused_counted = true;
		nem_refuse(e->nem, look->x, pair_ts_ms(pair));
		witness_refused(e, look, v, &before);
	} else if (look->x != NULL && v->outcome == OUTCOME_MIDSTREAM_REFRESH) {
		nem_refresh(e->nem, look->x, pair_last_ms(pair));
	}
	if (v->outcome == OUTCOME_OUTBOUND &&
	    pair_outcome(pair) != OUTCOME_OUTBOUND)
		listener_opened(e, look);
	/* what comes through a pinhole does not keep it open */
	if (v->outcome == OUTCOME_OUTBOUND && has_pinholes(key->proto) &&
	    v->rule != RULE_DP)
		pinholes_note(e->pinholes, &key->inner, key->proto,
		    key->inner_port, pair_ts_ms(pair), pair_ts_ms(pair));
}

/* Its inner end sent the SYN itself. */
static bool
is_opening(const struct pair *pair, const struct verdict *v)
{
	return v->rule == RULE_D1 && pair->proto == PROTOCOL_TCP &&
	       !pair->internal && (pair->inner.evidence & EV_SYN) != 0;
}

/*
 * A client's port, from now on. What a guess has made of it before its SYN was
 * told is judged again, the first acceptance and those that take its place;
 * what rests on conversations that are remembered no more is a hint at most.
 */
static void
note_opener(struct engine *e, struct look *look)
{
	const struct pair_key *key = &look->key;
	uint32_t before = TABLE_NONE;

	pinholes_note(e->openers, &key->inner, key->proto, key->inner_port,
	    half_first_ms(&look->pair->inner), pair_last_ms(look->pair));
	while (look->x != NULL && exposure_is_guess(look->x) &&
	       look->x->opener != TABLE_NONE && look->x->opener != before) {
		before = look->x->opener;
		judge_again(e, pairs_at(e->pairs, before));
		look_in_map(e, look);
	}
	if (look->x != NULL && has_opened(e, look, look->x->finding.first_ms))
		nem_doubt(e->nem, look->x);
}

static bool
is_settled(const struct verdict *v)
{
	/* A0 waits for the SYN, or for the reset that takes it back */
	return v->outcome != OUTCOME_NONE && v->rule != RULE_A0;
}

static void
follow(struct engine *e, struct look *look, struct verdict v)
{
	struct pair *pair = look->pair;
	bool changed =
	    pair_outcome(pair) != v.outcome || pair->rule != v.rule ||
	    pair->confidence != v.confidence || pair_reason(pair) != v.reason;

	count_outcome(e, pair, &v);
	if (TRACED(e))
		tracer_before_maps(e, pair);
	follow_in_maps(e, look, &v);
	pair_set_verdict(pair, &v);
	if (TRACED(e) && changed)
		tracer_verdict(e, pair);
	if (TRACED(e))
		tracer_after_maps(e, pair);
	scan_reconcile(e, look);
	e->state_dirty = true;
	if (e->control_is_news)
		listener_review_data(e, look);
	if (is_opening(pair, &v))
		note_opener(e, look);
}

static void
set_timer(struct engine *e, struct pair *pair, bool final)
{
	struct verdict v = pair_verdict(pair);

	if (!is_settled(&v)) {
		enum pair_class class =
		    pair->inner.present ? PAIR_ANSWERED : PAIR_UNANSWERED;

		if (!pairs_is_waiting(pair) || pair->class != class)
			pairs_await(e->pairs, pair, class,
			    max_ms(pair_last_ms(pair) + e->ahead_ms +
				       engine_wait_ms(e, pair_exporter(pair)),
				engine_timer_ms(e) + GRACE_MS));
		return;
	}
	if (final && !pair->inner.present &&
	    pairs_is_revocable(e->pairs, pair, engine_timer_ms(e))) {
		pairs_set_silent(e->pairs, pair);
		return;
	}
	pairs_set_tombstone(e->pairs, pair, engine_timer_ms(e));
}

/* What a biflow says of its opener, beside what SYN and SYN-ACK say. */
static void
learn_claim(struct engine *e, const struct pair *pair)
{
	unsigned opens = EV_SYN;
	bool outer, inner;

	if (pair->claimed != SIDE_OUTER && pair->claimed != SIDE_INNER)
		return;
	outer = (pair->outer.evidence & opens) != 0;
	inner = (pair->inner.evidence & opens) != 0;
	if (outer == inner) {
		/* who accepts did not open */
		opens = EV_SYNACK1;
		outer = (pair->inner.evidence & opens) != 0;
		inner = (pair->outer.evidence & opens) != 0;
	}
	if (outer != inner)
		profiles_take_claim(e->profiles, pair_exporter(pair),
		    outer != (pair->claimed == SIDE_OUTER), e->clock_ms);
}

/*
 * A pair with both halves, or whose other half will not come, teaches.
 * same_end: both halves ended at the same time.
 */
static void
learn(struct engine *e, struct pair *pair, const struct addr *inner,
    bool same_end)
{
	bool both = pair->outer.present && pair->inner.present;
	const struct network *network;

	if (pair->learned || (!both && !pair->settled))
		return;
	pair->learned = true;
	if (both)
		profiles_take_answer(e->profiles, pair->outer.exporter,
		    pair->internal);
	if (pair->proto != PROTOCOL_TCP)
		return;
	network = network_of(e, inner, pair->internal);
	profiles_take_half(e->profiles, &pair->outer, &pair->inner, same_end,
	    network, e->clock_ms);
	profiles_take_half(e->profiles, &pair->inner, &pair->outer, same_end,
	    network, e->clock_ms);
	learn_claim(e, pair);
}

/* Who met at an endpoint in conversations nothing else gives a direction. */
static void
count_fan_in(struct engine *e, const struct look *look)
{
	const struct pair_key *key = &look->key;
	struct pair *pair = look->pair;

	if (pair->fanned_in || !protocol_has_ports(key->proto) ||
	    key->scope != SCOPE_EXTERNAL || !pair->inner.present ||
	    (pair_outcome(pair) != OUTCOME_UNKNOWN_DIR &&
		pair_outcome(pair) != OUTCOME_MIDSTREAM))
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
			struct pair_key key = pairs_key(e->pairs, pair);

			pair->settled = true;
			learn(e, pair, &key.inner, false);
		}
}

/* Unanswered, where no service is known: what ICMP errors are matched with,
 * and most likely a scan. Or what another conversation may have asked for. */
static bool
concerns_source(const struct look *look)
{
	if (listener_may_be_data(&look->key))
		return true;
	if (!look->pair->outer.present)
		return listener_may_transfer(&look->key);
	return !look->pair->inner.present &&
	       !exposure_holds(look->x, pair_ts_ms(look->pair));
}

/* Ports of services proper: why they listen, no other port tells. */
static bool
is_plain_service(const struct pair_key *key)
{
	return key->inner_port < PORT_USER && key->inner_port != FTP_PORT &&
	       key->inner_port != TFTP_PORT;
}

/*
 * The record told nothing but that a decided, accepted conversation goes on:
 * following its verdict again would move one time in the map, and change
 * nothing else. What could: an earlier attempt, a client or a rule D5 not
 * counted yet, an interval that is over, a scanner, a scan event.
 */
static bool
only_goes_on(const struct engine *e, const struct look *look,
    const struct verdict *v)
{
	const struct pair *pair = look->pair;
	const struct attempt *attempt = pairs_attempt(e->pairs, pair);
	struct verdict before = pair_verdict(pair);

	return pair->class == PAIR_TOMBSTONE && pair->counted &&
	       (attempt == NULL || attempt->event == PAIR_EVENT_NONE) &&
	       pair->outer.present && outcome_is_accepted(v->outcome) &&
	       memcmp(&before, v, sizeof(before)) == 0 &&
	       pair_is_counted_in(e, pair, look->x) &&
	       look->x->opener != pairs_slot(e->pairs, pair) &&
	       look->x->finding.state == EXPOSURE_OPEN &&
	       pair_ts_ms(pair) > look->x->finding.first_ms &&
	       (pair->client_counted || !is_client(pair, pair->proto)) &&
	       (pair->timed || !rule_is_timed(v->rule)) &&
	       is_plain_service(&look->key) &&
	       !sources_may_scan(e->sources, &look->key.outer) && !TRACED(e);
}

/* The short way of the common record. False: it must go the long one. */
static bool
take_short_way(struct engine *e, struct look *look, const struct verdict *v)
{
	if (e->no_short_way || !only_goes_on(e, look, v))
		return false;
	nem_accept_again(e->nem, look->x, pair_ts_ms(look->pair),
	    pair_last_ms(look->pair));
	pairs_set_tombstone(e->pairs, look->pair, engine_timer_ms(e));
	e->state_dirty = true;
	e->short_ways++;
	return true;
}

/*
 * The verdict on one half that may be followed by the other is to wait: see
 * the rules of verdict_tcp.c, verdict_flagless.c and verdict_udp.c. A SYN or
 * a SYN-ACK of the inner end decides by itself.
 */
static bool
is_waiting(struct engine *e, const struct look *look)
{
	const struct pair *pair = look->pair;
	const struct half *h =
	    pair->outer.present ? &pair->outer : &pair->inner;

	if (pair->outer.present == pair->inner.present || pair->settled ||
	    pair->internal || h->firewall_event != 0 ||
	    pair_outcome(pair) != OUTCOME_NONE ||
	    profiles_get(e->profiles, h->exporter).one_sided || TRACED(e) ||
	    e->no_short_way)
		return false;
	if (pair->proto == PROTOCOL_TCP)
		return h == &pair->outer ||
		       (h->evidence & (EV_SYN | EV_SYNACK1)) == 0;
	return pair->proto == PROTOCOL_UDP &&
	       listener_transfer(e, look) == NULL;
}

bool
judge_half_way(struct engine *e, const struct look *look)
{
	if (concerns_source(look))
		join_source(e, look, true);
	return is_waiting(e, look);
}

static void
judge_look(struct engine *e, struct look *look, bool news)
{
	struct pair *pair = look->pair;
	struct verdict v;

	if (judge_half_way(e, look)) {
		set_timer(e, pair, false);
		return;
	}
	v = judge(e, look, pair->settled);
	assert(!pair->settled || v.outcome != OUTCOME_NONE);
	if (!news && take_short_way(e, look, &v))
		return;
	if (v.outcome != OUTCOME_NONE)
		follow(e, look, v);
	if (v.rule == RULE_W_69)
		listener_review_transfer(e, look);
	count_fan_in(e, look);
	set_timer(e, pair, pair->settled);
	if (TRACED(e))
		tracer_timer(e, pair);
}

void
judge_record(struct engine *e, struct look *look, bool news, bool same_end)
{
	learn(e, look->pair, &look->key.inner, same_end);
	judge_look(e, look, news);
}

void
judge_again(struct engine *e, struct pair *pair)
{
	struct look look = engine_look(e, pair);

	judge_record(e, &look, true, false);
}

void
judge_final(struct engine *e, struct pair *pair)
{
	struct look look = engine_look(e, pair);

	pair->settled = true;
	learn(e, pair, &look.key.inner, false);
	judge_look(e, &look, true);
}

/* What was said of an outer half alone, where its feed may not have shown the
 * answer: nothing, or of whom it is one. */
static bool
lacks_answer(const struct pair *pair)
{
	return pair_reason(pair) == REASON_PARTLY ||
	       pair_reason(pair) == REASON_ONE_SIDED ||
	       (pair_outcome(pair) == OUTCOME_OUTBOUND &&
		   pair->rule == RULE_D2);
}

/* One half of a connection is worth more where the other is never shown. */
static bool
is_half_connection(const struct pair *pair)
{
	return pair->proto == PROTOCOL_TCP &&
	       pair_outcome(pair) == OUTCOME_ACCEPTED &&
	       pair->confidence == CONFIDENCE_LOW;
}

void
judge_review(struct engine *e, struct pair *pair)
{
	bool is_half = is_half_connection(pair);
	struct look look;
	struct verdict v;

	if (!pair->outer.present || pair->inner.present ||
	    (!is_half && !lacks_answer(pair)))
		return;
	look = engine_look(e, pair);
	v = judge(e, &look, true);
	if (is_half ? outcome_is_accepted(v.outcome) &&
			  v.confidence > pair->confidence
		    : v.outcome != pair_outcome(pair))
		follow(e, &look, v);
}

void
pair_drop(struct engine *e, struct pair *pair)
{
	struct look look = { .pair = pair };
	struct attempt *attempt = pairs_attempt(e->pairs, pair);
	struct source *source = NULL;

	if (TRACED(e))
		tracer_end(e, pair, TRACE_OVER);
	if (attempt != NULL) {
		/* who opened an exposure is joined to its source */
		look.key = pairs_key(e->pairs, pair);
		look_in_map(e, &look);
		if (look.x != NULL &&
		    look.x->opener == pairs_slot(e->pairs, pair))
			look.x->opener = TABLE_NONE;
		if (attempt->source != TABLE_NONE)
			source = sources_at(e->sources, attempt->source);
		sources_unlink(e->sources, e->pairs, attempt);
	}
	pairs_remove(e->pairs, pair);
	if (source != NULL)
		sources_release(e->sources, source);
}

/* Its direction is that of a known service: rule D6. */
static bool
rests_on_service(unsigned rule)
{
	return rule == RULE_A1_D6 || rule == RULE_A4_D6 || rule == RULE_W_D6 ||
	       rule == RULE_P_D6 || rule == RULE_M_D6;
}

/*
 * Another verdict would be given now: what D6 and D7 ask for came later, or
 * was taken back.
 */
static bool
is_outdated(const struct engine *e, const struct look *look)
{
	const struct pair *pair = look->pair;
	bool known = look->x != NULL && is_known_service(e, look);

	if (look->key.scope != SCOPE_EXTERNAL)
		return false;
	if (rests_on_service(pair->rule))
		/* one that was closed since was a service then */
		return look->x != NULL && !known &&
		       look->x->finding.state != EXPOSURE_CLOSED;
	switch (pair_outcome(pair)) {
	case OUTCOME_UNKNOWN_DIR:
		return true;
	case OUTCOME_MIDSTREAM:
		return known;
	case OUTCOME_OUTBOUND:
		return known &&
		       (pair->rule == RULE_D7 || pair->rule == RULE_D8 ||
			   pair->rule == RULE_DP);
	default:
		return false;
	}
}

void
judge_last(struct engine *e, struct pair *pair)
{
	struct look look;

	judge_review(e, pair);
	look = engine_look(e, pair);
	if (is_outdated(e, &look))
		follow(e, &look, judge(e, &look, true));
	else
		scan_reconcile(e, &look);
}

void
judge_due(struct engine *e, struct pair *pair)
{
	if (TRACED(e))
		tracer_end(e, pair, TRACE_DUE);
	if (pair->class == PAIR_UNANSWERED || pair->class == PAIR_ANSWERED) {
		/* it stays for a while: what still comes is no new attempt */
		judge_final(e, pair);
	} else if (pairs_other_generation(e->pairs, pair) != NULL) {
		pairs_keep(e->pairs, pair, engine_timer_ms(e));
	} else {
		judge_last(e, pair);
		pair_drop(e, pair);
	}
}

void
judge_shed(struct engine *e, struct pair *pair)
{
	if (TRACED(e))
		tracer_end(e, pair, TRACE_SHED);
	if (pair->class == PAIR_UNANSWERED || pair->class == PAIR_ANSWERED) {
		struct look look = engine_look(e, pair);
		struct verdict v = judge(e, &look, true);

		counter_add(e->counters, COUNTER_SHED_PAIRS, 1);
		if (outcome_answer(v.outcome) == ANSWER_SILENT) {
			/* it was not waited for long enough to say so */
			v.outcome = OUTCOME_UNRESOLVED;
			v.rule = RULE_SHED;
			v.reason = REASON_SHED;
			v.confidence = CONFIDENCE_NONE;
		}
		follow(e, &look, v);
		/* who met there still counts for the endpoint */
		count_fan_in(e, &look);
	} else if (pair->class == PAIR_SILENT) {
		counter_add(e->counters, COUNTER_SHED_SILENCES, 1);
	}
	pair_drop(e, pair);
}
