/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in: flow records.
 *
 * A batch is taken in blocks of a few records, and a block in three passes:
 * what can be said of a record by itself, and the hashes of what it will ask
 * for; the first lines of those; then one record after the other. So the
 * waits for memory overlap. The first two passes change nothing, and how
 * records are cut into blocks makes no difference.
 */
#include <assert.h>
#include <string.h>

#include "exposure/flow_times.h"
#include "exposure/protocol.h"
#include "exposure/state.h"

#define BLOCK 16

/* A record, and what is known of it before it is its turn. */
struct arrival {
	const struct flow_record *flow; /* with the tags of routing domains */
	bool src_inside;
	bool dst_inside;
	bool outer;	      /* it is the outer half of its pair */
	bool turns;	      /* the record before is the other half */
	enum trace_fate fate; /* TRACE_JOINED: it has a pair, key and hashes;
			       * else why not */
	struct pair_key key;
	uint64_t hash;	    /* of the key */
	uint64_t map_hash;  /* of its inner end */
	uint64_t host_hash; /* of src, when that is inside */
};

/* A pair that one record joined, when the next is its other half: where that
 * changes nothing, it is given a timer only once. */
struct half_way {
	struct pair *pair;  /* NULL: none */
	struct exposure *x; /* the map's at its inner end */
};

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
	struct pair *pair = pairs_add(e->pairs, key, hash, engine_timer_ms(e));

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

/* So much of the table is undecided. Decided ones are no reason to refuse a
 * place: they are given up first, and nothing is lost with them. */
static bool
is_pressed(const struct engine *e, unsigned percent)
{
	return (uint64_t)pairs_undecided(e->pairs) * 100 >=
	       (uint64_t)e->config.max_pairs * percent;
}

static bool
is_syn_from_outside(const struct pair_key *key, const struct flow_record *f)
{
	return key->scope == SCOPE_EXTERNAL && key->proto == PROTOCOL_TCP &&
	       (f->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       addr_equal(&f->src, &key->outer);
}

/*
 * One more SYN is not worth a place, and why: from four fifths on, of a source
 * known to scan; from nine tenths on, at an endpoint where FLOOD_MAX wait.
 * Should the port be open, the SYN-ACK lands in the map all the same.
 */
static bool
is_untaken(const struct engine *e, const struct pair_key *key,
    const struct flow_record *f, enum counter *why)
{
	const struct source *source;

	if (!is_pressed(e, 80) || !is_syn_from_outside(key, f))
		return false;
	source = sources_find(e->sources, &key->outer);
	if (source != NULL && source->probes != 0)
		*why = COUNTER_SHED_SCANS;
	else if (is_pressed(e, 90) && pairs_is_flooded(e->pairs, key))
		*why = COUNTER_SHED_FLOODS;
	else
		return false;
	return true;
}

static void
count_untaken(struct engine *e, const struct flow_record *f, int64_t start_ms,
    enum counter why)
{
	struct outcome_kind kind = { outcomes_exporter(f->exporter),
		OUTCOME_UNRESOLVED, RULE_SHED, REASON_SHED };

	counter_add(e->counters, COUNTER_SHED_PAIRS, 1);
	counter_add(e->counters, why, 1);
	counter_add(e->counters, COUNTER_ATTEMPTS, 1);
	counter_add(e->counters, COUNTER_UNRESOLVED_SHED, 1);
	outcomes_add(e->outcomes, start_ms, kind);
	e->state_dirty = true;
}

/*
 * Is there room for one more? Where unanswered attempts are the least there
 * is, they leave a twentieth of the places to what answers.
 */
static bool
has_room(const struct engine *e)
{
	if (pairs_count(e->pairs) == e->config.max_pairs)
		return false;
	return !is_pressed(e, 95) || pairs_least(e->pairs) != PAIR_UNANSWERED;
}

/* Gives up what is worth least, until there is room for one more. True: a
 * generation of this 5-tuple went with it. */
static bool
make_room(struct engine *e, const struct pair_key *key)
{
	bool changed = false;

	while (!has_room(e)) {
		struct pair *victim = pairs_victim(e->pairs);

		changed |= pairs_is_of(e->pairs, victim, key);
		judge_shed(e, victim);
	}
	return changed;
}

/* NULL: it is not worth a place, and was counted. */
static struct pair *
find_pair(struct engine *e, struct pair_key *key, uint64_t hash,
    const struct flow_record *f, int64_t start_ms, int64_t end_ms)
{
	bool bears_syn = flow_bears_syn(f);
	enum side prior;
	enum counter why;
	struct pair *reuse;

	for (;;) {
		struct pair *pair = pairs_find(e->pairs, key, hash, bears_syn,
		    start_ms, end_ms, &prior, &reuse);

		if (pair != NULL)
			return pair;
		if (reuse != NULL) {
			end_generation(e, reuse);
		} else if (is_untaken(e, key, f, &why)) {
			count_untaken(e, f, start_ms, why);
			return NULL;
		} else if (!make_room(e, key)) {
			return add_pair(e, key, hash, prior);
		}
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

/* Adds a record to its half, and judges the pair. before: what the record
 * before left; next: where this one may leave its pair half way, or NULL. */
static void
take_half(struct engine *e, const struct arrival *a,
    const struct flow_record *f, struct pair *pair, int64_t start_ms,
    int64_t end_ms, const struct half_way *before, struct half_way *next)
{
	struct half *half = a->outer ? &pair->outer : &pair->inner;
	bool is_first = !pair->outer.present && !pair->inner.present;
	bool same_end = !half->present && pair_last_ms(pair) == end_ms;
	int64_t before_ms = pair_ts_ms(pair);
	uint16_t before_exporter = pair_exporter(pair);
	struct look look = { .pair = pair, .key = a->key };
	bool news;

	news = half_add(half, f, start_ms) == HALF_NEWS;
	if (!news)
		counter_add(e->counters, COUNTER_DUP_HALVES, 1);
	if (is_first || end_ms > pair_last_ms(pair))
		pair_set_last_ms(pair, end_ms);
	if (pair_outcome(pair) != OUTCOME_NONE)
		judge_count_anew(e, pair, before_ms, before_exporter);
	if (before->pair == pair)
		look.x = before->x;
	else if (!pair->internal)
		look.x = nem_find_hashed(e->nem, &a->key.inner, pair->proto,
		    pair_port(&a->key), a->map_hash);
	if (next != NULL && judge_half_way(e, &look))
		*next = (struct half_way){ pair, look.x };
	else
		judge_record(e, &look, news, same_end);
}

/*
 * A 5-tuple's ends keep their roles: what one generation shows of who opened
 * it holds for the others, whichever came first.
 */
static void
share_initiator(struct engine *e, struct pair *pair)
{
	enum side side;

	if (pair->generation == 0 && !pair->more)
		return;
	side = pairs_exact_initiator(pair);
	if (side == SIDE_NONE)
		return;
	for (unsigned g = 0; g < PAIR_GENERATIONS; g++) {
		struct pair *other = pairs_generation(e->pairs, pair, g);

		if (other == NULL || other->prior != SIDE_NONE)
			continue;
		other->prior = (unsigned)side & 3U;
		judge_again(e, other);
	}
}

/* --- the three passes ----------------------------------------------------- */

/* Why the record is in no pair, by what it tells; TRACE_JOINED: it is. */
static enum trace_fate
fate_of(const struct engine *e, const struct arrival *a)
{
	const struct flow_record *f = a->flow;

	if (a->src_inside &&
	    borders_is_outside(e->borders, f->exporter, f->ingress_if))
		return TRACE_SPOOFED;
	if (!a->dst_inside && flow_is_icmp_error(f))
		return TRACE_ICMP_ERROR;
	if (!a->src_inside && !a->dst_inside)
		return TRACE_TRANSIT;
	if (a->src_inside && a->dst_inside && !e->config.internal_scope)
		return TRACE_INTERNAL;
	if (!is_usable(f))
		return TRACE_UNUSABLE;
	/* the half of a biflow that says: nothing came */
	return has_sent(f) ? TRACE_JOINED : TRACE_EMPTY;
}

/* The halves of a biflow, and of a meter that tells both at once, come one
 * after the other. */
static bool
is_turned(const struct flow_record *f, const struct arrival *before)
{
	const struct flow_record *g = before->flow;

	return before->fate == TRACE_JOINED && f->src_port == g->dst_port &&
	       f->dst_port == g->src_port && f->protocol == g->protocol &&
	       !protocol_is_icmp(f->protocol) && addr_equal(&f->src, &g->dst) &&
	       addr_equal(&f->dst, &g->src);
}

/* What the record before asked for is what this one asks for. */
static void
prepare_turned(const struct engine *e, const struct flow_record *f,
    const struct arrival *before, struct arrival *a)
{
	a->flow = f;
	a->src_inside = before->dst_inside;
	a->dst_inside = before->src_inside;
	a->fate = fate_of(e, a);
	a->turns = a->fate == TRACE_JOINED;
	if (a->src_inside) {
		a->host_hash = hosts_hash(nem_hosts(e->nem), &f->src);
		hosts_prefetch(nem_hosts(e->nem), a->host_hash);
	}
	a->outer = !before->outer;
	a->key = before->key;
	a->hash = before->hash;
	a->map_hash = before->map_hash;
}

/* The ends are looked up in the record as it was told, which has no tags. */
static void
prepare(const struct engine *e, const struct flow_record *told,
    const struct flow_record *f, const struct arrival *before,
    struct arrival *a)
{
	if (before != NULL && is_turned(f, before)) {
		prepare_turned(e, f, before, a);
		return;
	}
	a->flow = f;
	a->src_inside = scope_has(&e->internal, &told->src);
	a->dst_inside = scope_has(&e->internal, &told->dst);
	a->turns = false;
	a->fate = fate_of(e, a);
	if (a->src_inside) {
		a->host_hash = hosts_hash(nem_hosts(e->nem), &f->src);
		hosts_prefetch(nem_hosts(e->nem), a->host_hash);
	}
	if (a->fate != TRACE_JOINED)
		return;
	a->outer =
	    make_key(f, a->src_inside && a->dst_inside, a->src_inside, &a->key);
	a->hash = pairs_hash(e->pairs, &a->key);
	a->map_hash =
	    nem_hash(e->nem, &a->key.inner, a->key.proto, pair_port(&a->key));
	pairs_prefetch(e->pairs, a->hash);
	nem_prefetch(e->nem, a->map_hash);
}

static void
fetch(const struct engine *e, const struct arrival *a)
{
	if (a->src_inside)
		hosts_prefetch_entry(nem_hosts(e->nem), a->host_hash);
	if (a->fate != TRACE_JOINED || a->turns)
		return;
	pairs_prefetch_entry(e->pairs, a->hash);
	nem_prefetch_entry(e->nem, a->map_hash);
}

/* A record without a pair. */
static void
take_aside(struct engine *e, const struct arrival *a, int64_t start_ms,
    int64_t end_ms)
{
	if (TRACED(e))
		tracer_skipped(e, a->flow, a->fate);
	switch (a->fate) {
	case TRACE_SPOOFED:
		counter_add(e->counters, COUNTER_SPOOFED_INTERNAL_SRC, 1);
		break;
	case TRACE_ICMP_ERROR:
		take_icmp_error(e, a->flow, start_ms, end_ms);
		break;
	case TRACE_TRANSIT:
		counter_add(e->counters, COUNTER_FLOWS_TRANSIT, 1);
		break;
	case TRACE_UNUSABLE:
		counter_add(e->counters, COUNTER_FLOWS_UNUSABLE, 1);
		break;
	case TRACE_INTERNAL:
	case TRACE_EMPTY:
	case TRACE_BEGAN:
	case TRACE_JOINED:
		break;
	}
}

static void
count_times(struct engine *e, enum flow_times_kind kind)
{
	if (kind == FLOW_TIMES_SHIFTED)
		counter_add(e->counters, COUNTER_TIME_SHIFTED, 1);
	else if (kind == FLOW_TIMES_REPLACED)
		counter_add(e->counters, COUNTER_TIME_REPLACED, 1);
}

/*
 * It began before anybody listened: an answer may have been exported before.
 * What ended longer ago than W1 waited for somebody to send it, as in a replay,
 * and so did the answer.
 */
static bool
is_unheard(const struct engine *e, const struct flow_record *f,
    int64_t start_ms, int64_t end_ms)
{
	return start_ms < e->listen_ms &&
	       f->received_ms - end_ms <= engine_wait_ms(e, f->exporter);
}

/* told: a's record without tags; before: what the record before left half
 * way; next: as in take_half(). */
static void
take(struct engine *e, const struct flow_record *told, struct arrival *a,
    struct half_way before, struct half_way *next)
{
	const struct flow_record *f = a->flow;
	int64_t clock_off_ms, start_ms, end_ms;
	enum flow_times_kind kind;
	struct flow_record timeless;
	struct pair *pair;

	if (a->fate == TRACE_SPOOFED) {
		take_aside(e, a, 0, 0);
		return;
	}
	clock_off_ms = profiles_take(e->profiles, told);
	kind = flow_times(f, &start_ms, &end_ms);
	count_times(e, kind);
	if (kind == FLOW_TIMES_TOLD) {
		start_ms += clock_off_ms;
		end_ms += clock_off_ms;
	}
	if (a->src_inside && has_sent(f))
		nem_host_seen(e->nem, &f->src, a->host_hash, start_ms, end_ms);
	if (a->src_inside && a->dst_inside)
		counter_add(e->counters, COUNTER_FLOWS_INTERNAL, 1);
	if (a->fate != TRACE_JOINED) {
		take_aside(e, a, start_ms, end_ms);
		return;
	}
	if (before.pair != NULL &&
	    !pairs_takes(before.pair, flow_bears_syn(f), start_ms, end_ms)) {
		judge_again(e, before.pair);
		before.pair = NULL;
	}
	pair = before.pair != NULL
		   ? before.pair
		   : find_pair(e, &a->key, a->hash, f, start_ms, end_ms);
	if (pair == NULL)
		return;
	note_claim(pair, f, a->outer);
	/* shifted times are no times of the receiver's */
	if (kind == FLOW_TIMES_TOLD && is_unheard(e, f, start_ms, end_ms))
		(a->outer ? &pair->outer : &pair->inner)->unheard = true;
	if (TRACED(e))
		tracer_record(e, f, pair, a->outer, start_ms);
	if (kind == FLOW_TIMES_REPLACED) {
		/* when it came says nothing of who spoke first (D5) */
		timeless = *f;
		timeless.has &= (uint16_t)~FLOW_HAS_TIMES;
		f = &timeless;
	}
	take_half(e, a, f, pair, start_ms, end_ms, &before, next);
	share_initiator(e, pair);
}

/* The record with the tags of its routing domains: itself, or out. other is of
 * the same biflow, or NULL. */
static const struct flow_record *
with_tags(const struct engine *e, const struct flow_record *f,
    const struct flow_record *other, struct flow_record *out)
{
	if (e->routing == NULL)
		return f;
	return routing_apply(e->routing, f, other,
	    scope_has(&e->internal, &f->src), scope_has(&e->internal, &f->dst),
	    out);
}

static void
take_moved(struct engine *e, const struct flow_record *f,
    const struct flow_record *other)
{
	struct flow_record tagged;
	struct arrival a;

	prepare(e, f, with_tags(e, f, other, &tagged), NULL, &a);
	take(e, f, &a, (struct half_way){ NULL, NULL }, NULL);
}

/* The other half of a biflow, which stands behind or before it in the same
 * batch; NULL: there is none. */
static const struct flow_record *
other_half(const struct flow_batch *batch, uint32_t i)
{
	const struct flow_record *f = &batch->records[i];

	if ((f->has & FLOW_IS_REVERSE) != 0)
		return i != 0 ? f - 1 : NULL;
	if (i + 1 == batch->count || (f[1].has & FLOW_IS_REVERSE) == 0)
		return NULL;
	return f + 1;
}

/*
 * Where a NAT sent it, when that is inside: what the outside reached there is
 * exposed as well as what it asked for. The answer of a biflow comes from
 * there; answer is NULL when there is none.
 */
static void
take_translated(struct engine *e, const struct flow_record *f,
    const struct flow_record *answer)
{
	struct flow_record there = *f;

	if ((addr_equal(&f->post_dst, &f->dst) &&
		f->post_dst_port == f->dst_port) ||
	    !scope_has(&e->internal, &f->post_dst) ||
	    scope_has(&e->internal, &f->src))
		return;
	there.dst = f->post_dst;
	there.dst_port = f->post_dst_port;
	take_moved(e, &there, answer);
	if (answer == NULL)
		return;
	there = *answer;
	there.src = f->post_dst;
	there.src_port = f->post_dst_port;
	take_moved(e, &there, f);
}

/* The first pass where there are routing domains. */
static void
prepare_tagged(const struct engine *e, const struct flow_batch *batch,
    uint32_t from, uint32_t count, struct arrival block[BLOCK],
    struct flow_record tagged[BLOCK])
{
	for (uint32_t i = 0; i < count; i++) {
		const struct flow_record *f = &batch->records[from + i];

		prepare(e, f,
		    with_tags(e, f, other_half(batch, from + i), &tagged[i]),
		    i == 0 ? NULL : &block[i - 1], &block[i]);
	}
}

/* So many records of the batch, from this one on. */
static void
take_block(struct engine *e, const struct flow_batch *batch, uint32_t from,
    uint32_t count)
{
	const struct flow_record *flows = &batch->records[from];
	struct half_way before = { NULL, NULL };
	struct flow_record tagged[BLOCK];
	struct arrival block[BLOCK];

	if (e->routing != NULL)
		prepare_tagged(e, batch, from, count, block, tagged);
	else
		for (uint32_t i = 0; i < count; i++)
			prepare(e, &flows[i], &flows[i],
			    i == 0 ? NULL : &block[i - 1], &block[i]);
	for (uint32_t i = 0; i < count; i++)
		fetch(e, &block[i]);
	for (uint32_t i = 0; i < count; i++) {
		bool is_nat = (flows[i].has & FLOW_HAS_NAT) != 0;
		bool turns = i + 1 < count && block[i + 1].turns &&
			     flows[i].received_ms == flows[i + 1].received_ms;
		struct half_way left = { NULL, NULL };

		engine_advance(e, flows[i].received_ms);
		take(e, &flows[i], &block[i], before,
		    turns && !is_nat ? &left : NULL);
		before = left;
		if (is_nat)
			take_translated(e, &flows[i],
			    other_half(batch, from + i));
	}
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
	engine_set_operation_from(e);
	e->state_dirty = true;
}

void
engine_take(struct engine *e, const struct flow_batch *batch)
{
	if (e->training_from_ms == 0 && batch->count != 0)
		begin_training(e, batch);
	for (uint32_t i = 0; i < batch->count; i += BLOCK)
		take_block(e, batch, i,
		    batch->count - i < BLOCK ? batch->count - i : BLOCK);
	counter_add(e->counters, COUNTER_FLOWS, batch->count);
	counter_set(e->counters, COUNTER_PAIRS, pairs_count(e->pairs));
	counter_set(e->counters, COUNTER_SOURCES, sources_count(e->sources));
	counter_set(e->counters, COUNTER_HOSTS, nem_host_count(e->nem));
	counter_set(e->counters, COUNTER_EXPOSURES, nem_open_count(e->nem));
}
