/* SPDX-License-Identifier: Apache-2.0 */
/* Learning what a feed can show. */
#include <stdlib.h>
#include <string.h>

#include "exposure/feed_learners.h"
#include "exposure/profiles.h"
#include "exposure/protocol.h"

/* So many records of one kind, and none of another, make a habit. */
#define NONE_RECORDS	 200
#define CONSTANT_RECORDS 500
#define CONSTANT_SINGLES 50 /* of them, records of one packet */
#define NO_SYN_RECORDS	 2000
#define RICH_PACKETS	 3 /* a record of a connection, not of a probe */

/* Biflows whose flags cannot be one direction's; one could be a stray. */
#define MERGED_RECORDS 3
#define MERGED_PERCENT 91

/* Of the halves that carry ACK and this many packets an answer exists. */
#define VISIBLE_PACKETS	  3
#define VISIBLE_SAMPLES	  100
#define VISIBLE_PERCENT	  90 /* at least: both directions are metered */
#define ONE_SIDED_PERCENT 50 /* at most: one is not */

/* Where answers are seen, so many in a row without one come once in 10^4. */
#define BLIND_SAMPLES 4

#define TIME_PACKETS 2
#define TIME_SAMPLES 20
#define TIME_PERCENT 91 /* the meter stamps both halves alike */

/* Biflows in a row with the lower address first: by chance, one in 2^64. */
#define ORDER_RUN 64

/* Contradicted claims, above which none is believed. */
#define CLAIM_SAMPLES 20
#define CLAIM_PERCENT 6

/* Timeouts: the commonest defaults, and what makes another one sure. */
#define DEFAULT_IDLE_S	 15
#define DEFAULT_ACTIVE_S 1800
#define TIMEOUT_SAMPLES	 50
#define TIMEOUT_PERCENT	 95
#define TIMEOUT_REVIEW	 64 /* looked at once in so many samples */
#define END_ACTIVE	 2  /* IE 136 flowEndReason: active timeout */

/* A rate that was not told again for so many records is no longer meant. */
#define SAMPLING_RECORDS 4096

/* SYN-ACK retries, and what waits in an exporter's queue. */
#define RETRIES_S  64
#define BATCHING_S 30
#define WAIT_MIN_S 60
#define WAIT_MAX_S 600

/* How often unchanged properties are stored for their samples. */
#define STORE_INTERVAL_MS 60000

/* A property as it was last reported. */
struct known {
	int64_t value;
	int64_t changed_ms;
	uint64_t event_id;
	uint8_t source; /* enum feed_source */
};

struct profile {
	struct feed_profile assumed; /* by what is known: assume() */
	struct feed_override given;
	bool is_forced;
	bool is_dirty; /* a property changed */
	bool has_news; /* samples came */
	uint8_t value; /* of the flags, as long as there is only one */
	bool several_values;
	bool data_seen; /* PSH or FIN */
	bool syn_seen;
	bool forward; /* the record before was one packet with flags */
	uint8_t forward_flags;
	uint32_t exporter;
	uint32_t records; /* TCP, with flags */
	uint32_t singles; /* of one packet */
	uint32_t rich;	  /* of RICH_PACKETS and more */
	struct feed_share merged;
	struct feed_share visible;
	struct feed_share times;
	struct feed_share claims; /* some: contradicted */
	uint32_t order_run;	  /* biflows with the lower address first */
	uint32_t biflows;
	struct feed_percentile idle;
	struct feed_percentile active;
	uint32_t prior_idle_s; /* learned in an earlier life, of */
	uint32_t prior_active_s;
	uint32_t prior_idle_samples; /* so many */
	uint32_t prior_active_samples;
	uint32_t told_idle_s;
	uint32_t told_active_s;
	uint32_t sampling; /* 1 of so many; 0: unknown */
	uint32_t sampling_quiet;
	uint32_t sampling_records;
	struct feed_clock clock;
	struct feed_losses losses;
	bool answered;	      /* an answer from inside to outside was seen */
	bool answered_inside; /* one between two inner ends was */
	uint32_t networks;    /* where its networks are in the pool; 0: none */
	int64_t stored_ms;
	struct known known[FEED_PROPERTY_COUNT];
};

/* Visibility of one network in one feed. */
struct place_seen {
	struct feed_share visible;
	struct known known;
	bool is_dirty;
};

struct profiles {
	const struct prefix_set *networks;
	struct counters *counters;
	struct profile *last; /* of the record before */
	uint32_t count;	      /* of of[], with the first, which is nobody's */
	uint32_t pool_used;
	uint32_t event_first, event_count;
	uint64_t next_event_id;
	bool first_answers;	      /* profiles_take_first_answers() */
	uint16_t slots[PROFILES_MAX]; /* 0: none yet */
	struct profile of[FEEDS_MAX + 1];
	struct place_seen pool[FEED_NETWORKS_MAX + 1];
	struct finding_feed_event events[FEED_EVENTS_MAX];
};

struct profiles *
profiles_new(const struct prefix_set *networks, struct counters *counters)
{
	struct profiles *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->networks = networks;
	p->counters = counters;
	p->count = 1;
	p->pool_used = 1;
	p->next_event_id = 1;
	return p;
}

void
profiles_free(struct profiles *p)
{
	free(p);
}

size_t
profiles_bytes(void)
{
	return sizeof(struct profiles);
}

/* NULL: nothing is kept of it. */
static const struct profile *
find(const struct profiles *p, uint32_t exporter)
{
	uint16_t slot = exporter < PROFILES_MAX ? p->slots[exporter] : 0;

	return slot != 0 ? &p->of[slot] : NULL;
}

static const struct known unknown[FEED_PROPERTY_COUNT] = {
	[FEED_IDLE_TIMEOUT].value = DEFAULT_IDLE_S,
	[FEED_ACTIVE_TIMEOUT].value = DEFAULT_ACTIVE_S,
	[FEED_SAMPLING].value = 1,
};

/* The same, made when there is room. */
static struct profile *
take(struct profiles *p, uint32_t exporter)
{
	struct profile *profile;

	if (p->last != NULL && p->last->exporter == exporter)
		return p->last;
	if (exporter >= PROFILES_MAX)
		return NULL;
	if (p->slots[exporter] == 0) {
		if (p->count > FEEDS_MAX)
			return NULL;
		profile = &p->of[p->count];
		p->slots[exporter] = (uint16_t)p->count++;
		profile->exporter = exporter;
		profile->sampling = 1;
		memcpy(profile->known, unknown, sizeof(unknown));
		profile->is_dirty = true;
	}
	p->last = &p->of[p->slots[exporter]];
	return p->last;
}

/* --- what is known -------------------------------------------------------- */

/* No packet carries two of SYN, FIN and RST, nor SYN with data. */
static bool
is_one_packets(uint8_t flags)
{
	int ends = ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0) +
		   ((flags & TCP_RST) != 0);

	return ends < 2 && (flags & (TCP_SYN | TCP_PSH)) != (TCP_SYN | TCP_PSH);
}

static enum feed_flags
flags_of(const struct profile *f)
{
	if (!f->several_values) {
		if (f->value == 0 && f->records >= NONE_RECORDS)
			return FEED_FLAGS_NONE;
		if (f->records >= CONSTANT_RECORDS &&
		    f->singles >= CONSTANT_SINGLES && !is_one_packets(f->value))
			return FEED_FLAGS_CONSTANT;
	}
	if (feed_share_is(&f->merged, MERGED_RECORDS, MERGED_PERCENT))
		return FEED_FLAGS_MERGED;
	if (f->rich >= NO_SYN_RECORDS && f->data_seen && !f->syn_seen)
		return FEED_FLAGS_NO_SYN;
	return FEED_FLAGS_OK;
}

static enum feed_visibility
visibility_of(const struct feed_share *s)
{
	if (s->all < VISIBLE_SAMPLES)
		return s->all >= BLIND_SAMPLES && s->some == 0
			   ? FEED_VISIBILITY_PARTLY
			   : FEED_VISIBILITY_UNKNOWN;
	if (s->some * 100 >= s->all * VISIBLE_PERCENT)
		return FEED_VISIBILITY_BOTH;
	if (s->some * 100 <= s->all * ONE_SIDED_PERCENT)
		return FEED_VISIBILITY_ONE_SIDED;
	return FEED_VISIBILITY_PARTLY;
}

/* A timeout: as told, as learned now, or in an earlier life. */
static int64_t
timeout_of(const struct feed_percentile *p, uint32_t told_s, uint32_t prior_s,
    uint32_t default_s, uint8_t *source)
{
	*source = FEED_SOURCE_TOLD;
	if (told_s != 0)
		return told_s;
	*source = FEED_SOURCE_LEARNED;
	if (p->samples >= TIMEOUT_SAMPLES)
		return feed_percentile_s(p, TIMEOUT_PERCENT) + 1;
	if (prior_s != 0)
		return prior_s;
	*source = FEED_SOURCE_DEFAULT;
	return default_s;
}

static struct feed_loss
recent_loss(const struct profile *f)
{
	return feed_losses_since(&f->losses, INT64_MIN);
}

static uint8_t
learned_if(bool is_known)
{
	return is_known ? FEED_SOURCE_LEARNED : FEED_SOURCE_DEFAULT;
}

/* The value of a property by what was learned, and how it is known. */
static int64_t
learn_value(const struct profile *f, enum feed_property property,
    uint8_t *source)
{
	struct feed_loss loss;

	*source = FEED_SOURCE_LEARNED;
	switch (property) {
	case FEED_FLAGS:
		*source = learned_if(
		    f->several_values || flags_of(f) != FEED_FLAGS_OK);
		return flags_of(f);
	case FEED_SHARED_TIMES:
		*source = learned_if(f->times.all >= TIME_SAMPLES);
		return feed_share_is(&f->times, TIME_SAMPLES, TIME_PERCENT);
	case FEED_ADDRESS_ORDERED:
		*source = learned_if(f->biflows != 0);
		return f->order_run >= ORDER_RUN;
	case FEED_BIFLOW_DIRECTION:
		*source = learned_if(f->claims.all >= CLAIM_SAMPLES ||
				     f->order_run >= ORDER_RUN);
		return f->order_run >= ORDER_RUN ||
		       feed_share_is(&f->claims, CLAIM_SAMPLES, CLAIM_PERCENT);
	case FEED_IDLE_TIMEOUT:
		return timeout_of(&f->idle, f->told_idle_s, f->prior_idle_s,
		    DEFAULT_IDLE_S, source);
	case FEED_ACTIVE_TIMEOUT:
		return timeout_of(&f->active, f->told_active_s,
		    f->prior_active_s, DEFAULT_ACTIVE_S, source);
	case FEED_SAMPLING:
		*source =
		    f->sampling != 1 ? FEED_SOURCE_TOLD : FEED_SOURCE_DEFAULT;
		return f->sampling;
	case FEED_VISIBILITY:
		*source = learned_if(f->visible.all >= VISIBLE_SAMPLES);
		return visibility_of(&f->visible);
	case FEED_CLOCK_OFFSET:
		*source = learned_if(f->clock.samples != 0);
		return f->clock.applied_ms;
	case FEED_LOSS:
		loss = recent_loss(f);
		*source = learned_if(loss.came != 0);
		return feed_loss_is_high(&loss);
	case FEED_PROPERTY_COUNT:
		break;
	}
	return 0;
}

/* Those of this life; with those of the one before while its value stands. */
static uint64_t
timeout_samples(const struct feed_percentile *p, uint32_t prior_samples)
{
	uint64_t all = p->samples;

	if (all >= TIMEOUT_SAMPLES)
		return all;
	all += prior_samples;
	return all > UINT32_MAX ? UINT32_MAX : all;
}

static int64_t
value_of(const struct profile *f, enum feed_property property, uint8_t *source)
{
	if ((f->given.given & 1U << property) == 0)
		return learn_value(f, property, source);
	*source = FEED_SOURCE_CONFIGURED;
	return f->given.values[property];
}

static uint64_t
samples_of(const struct profile *f, enum feed_property property)
{
	switch (property) {
	case FEED_FLAGS:
		return f->records;
	case FEED_SHARED_TIMES:
		return f->times.all;
	case FEED_ADDRESS_ORDERED:
		return f->biflows;
	case FEED_BIFLOW_DIRECTION:
		return f->claims.all;
	case FEED_IDLE_TIMEOUT:
		return timeout_samples(&f->idle, f->prior_idle_samples);
	case FEED_ACTIVE_TIMEOUT:
		return timeout_samples(&f->active, f->prior_active_samples);
	case FEED_SAMPLING:
		return f->sampling_records;
	case FEED_VISIBILITY:
		return f->visible.all;
	case FEED_CLOCK_OFFSET:
		return f->clock.samples;
	case FEED_LOSS:
		return recent_loss(f).came;
	case FEED_PROPERTY_COUNT:
		break;
	}
	return 0;
}

static uint64_t
agreeing_of(const struct profile *f, enum feed_property property)
{
	switch (property) {
	case FEED_SHARED_TIMES:
		return f->times.some;
	case FEED_ADDRESS_ORDERED:
		return f->order_run;
	case FEED_BIFLOW_DIRECTION:
		return f->claims.all - f->claims.some;
	case FEED_VISIBILITY:
		return f->visible.some;
	case FEED_LOSS:
		return recent_loss(f).lost;
	case FEED_FLAGS:
	case FEED_IDLE_TIMEOUT:
	case FEED_ACTIVE_TIMEOUT:
	case FEED_SAMPLING:
	case FEED_CLOCK_OFFSET:
	case FEED_PROPERTY_COUNT:
		break;
	}
	return samples_of(f, property);
}

static void
set_visibility(struct feed_profile *out, enum feed_visibility visibility)
{
	out->one_sided = visibility == FEED_VISIBILITY_ONE_SIDED;
	out->partly = visibility == FEED_VISIBILITY_PARTLY;
}

static bool
is_given(const struct profile *f, enum feed_property property)
{
	return (f->given.given & 1U << property) != 0;
}

/* To be called when a property changed. */
static void
assume(struct profile *f)
{
	const struct known *k = f->known;
	enum feed_flags flags = (enum feed_flags)k[FEED_FLAGS].value;

	if (f->is_forced)
		return;
	f->assumed = (struct feed_profile){
		.sampled =
		    is_given(f, FEED_SAMPLING) && k[FEED_SAMPLING].value != 1,
		.is_sampling_given = is_given(f, FEED_SAMPLING),
		.no_flags =
		    flags != FEED_FLAGS_OK && flags != FEED_FLAGS_MERGED,
		.merged_flags = flags == FEED_FLAGS_MERGED,
		.shared_times = k[FEED_SHARED_TIMES].value != 0,
		.no_claims = k[FEED_BIFLOW_DIRECTION].value != 0 ||
			     k[FEED_ADDRESS_ORDERED].value != 0,
	};

	set_visibility(&f->assumed,
	    (enum feed_visibility)k[FEED_VISIBILITY].value);
}

/* --- changes -------------------------------------------------------------- */

static void
push_event(struct profiles *p, const struct finding_feed_event *event)
{
	if (p->event_count == FEED_EVENTS_MAX) {
		counter_add(p->counters, COUNTER_SHED_FEED_EVENTS, 1);
		return;
	}
	p->events[(p->event_first + p->event_count++) % FEED_EVENTS_MAX] =
	    *event;
}

/* Reports a value when it is another one than was reported. */
static void
report(struct profiles *p, struct known *k, struct finding_feed_event event,
    int64_t value, uint8_t source)
{
	k->source = source;
	if (k->value == value)
		return;
	event.id = p->next_event_id++;
	event.from = k->value;
	event.to = value;
	event.source = source;
	k->value = value;
	k->changed_ms = event.ts_ms;
	k->event_id = event.id;
	counter_add(p->counters, COUNTER_FEED_CHANGES, 1);
	if (event.property == FEED_FLAGS)
		counter_add(p->counters, COUNTER_FLAGS_PROFILE_CHANGES, 1);
	push_event(p, &event);
}

static void
review(struct profiles *p, struct profile *f, enum feed_property property,
    int64_t now_ms)
{
	uint8_t source;
	int64_t value = value_of(f, property, &source);
	struct known *k = &f->known[property];

	if (k->value == value && k->source == source)
		return;
	f->is_dirty = true;
	report(p, k,
	    (struct finding_feed_event){ .ts_ms = now_ms,
		.samples = samples_of(f, property),
		.exporter = f->exporter,
		.property = (uint8_t)property },
	    value, source);
	assume(f);
}

void
profiles_configure(struct profiles *p, uint32_t exporter,
    const struct feed_override *given)
{
	struct profile *f = take(p, exporter);

	if (f == NULL)
		return;
	f->given = *given;
	for (unsigned i = 0; i < FEED_PROPERTY_COUNT; i++) {
		if ((given->given & 1U << i) == 0)
			continue;
		f->known[i].value = given->values[i];
		f->known[i].source = FEED_SOURCE_CONFIGURED;
		f->is_dirty = true;
	}
	assume(f);
}

void
profiles_force(struct profiles *p, uint32_t exporter,
    const struct feed_profile *profile)
{
	struct profile *f = take(p, exporter);

	if (f == NULL)
		return;
	f->assumed = *profile;
	f->is_forced = true;
}

void
profiles_tell_timeouts(struct profiles *p, uint32_t exporter, uint32_t active_s,
    uint32_t idle_s, int64_t now_ms)
{
	struct profile *f = take(p, exporter);

	if (f == NULL ||
	    (f->told_idle_s == idle_s && f->told_active_s == active_s))
		return;
	f->told_idle_s = idle_s;
	f->told_active_s = active_s;
	review(p, f, FEED_IDLE_TIMEOUT, now_ms);
	review(p, f, FEED_ACTIVE_TIMEOUT, now_ms);
}

/* --- from records --------------------------------------------------------- */

static uint32_t
add_one(uint32_t n)
{
	return n == UINT32_MAX ? n : n + 1;
}

/*
 * A biflow of which one half has a packet and the other has no flags of its
 * own: nProbe tells the flags of both in IE 6. Then some cannot be of one
 * packet, and an answer's ACK is always among them; where it is not, the
 * flags are the forward half's alone.
 */
static void
take_merged(struct profile *f, const struct flow_record *r)
{
	bool is_reverse = (r->has & FLOW_IS_REVERSE) != 0;
	bool has_flags = (r->has & FLOW_HAS_TCP_FLAGS) != 0;
	uint8_t flags = f->forward_flags;

	if (is_reverse && f->forward && !has_flags && r->packets != 0 &&
	    (!is_one_packets(flags) || (flags & TCP_ACK) == 0))
		feed_share_add(&f->merged,
		    !is_one_packets(flags) && (flags & TCP_ACK) != 0);
	f->forward = !is_reverse && has_flags && r->packets == 1;
	f->forward_flags = r->tcp_flags & TCP_CLASSIC;
}

static void
take_flags(struct profiles *p, struct profile *f, const struct flow_record *r)
{
	uint8_t flags = r->tcp_flags & TCP_CLASSIC;

	take_merged(f, r);
	if ((r->has & FLOW_HAS_TCP_FLAGS) != 0 && r->packets != 0) {
		if (f->records != 0 && flags != f->value)
			f->several_values = true;
		f->value = flags;
		f->records = add_one(f->records);
		if (r->packets == 1)
			f->singles = add_one(f->singles);
		if (r->packets >= RICH_PACKETS)
			f->rich = add_one(f->rich);
		if ((flags & (TCP_PSH | TCP_FIN)) != 0)
			f->data_seen = true;
		if ((flags & TCP_SYN) != 0)
			f->syn_seen = true;
	}
	if (flags_of(f) != f->known[FEED_FLAGS].value)
		review(p, f, FEED_FLAGS, r->received_ms);
}

/* The second half of a biflow; the first one's source is its destination. */
static void
take_order(struct profiles *p, struct profile *f, const struct flow_record *r)
{
	bool ordered = addr_compare(&r->dst, &r->src) < 0;
	bool was = f->order_run >= ORDER_RUN;

	f->biflows = add_one(f->biflows);
	f->order_run = ordered ? add_one(f->order_run) : 0;
	if (was == (f->order_run >= ORDER_RUN))
		return;
	review(p, f, FEED_ADDRESS_ORDERED, r->received_ms);
	review(p, f, FEED_BIFLOW_DIRECTION, r->received_ms);
}

/* A record of one packet waits for T_idle before it is exported. */
static void
take_times(struct profiles *p, struct profile *f, const struct flow_record *r)
{
	if ((r->has & FLOW_HAS_TIMES) == 0 || r->export_ms == 0)
		return;
	if ((r->has & FLOW_HAS_END_REASON) != 0 &&
	    r->end_reason == END_ACTIVE) {
		feed_percentile_add(&f->active, r->end_ms - r->start_ms);
		if (f->active.samples % TIMEOUT_REVIEW == TIMEOUT_SAMPLES)
			review(p, f, FEED_ACTIVE_TIMEOUT, r->received_ms);
	} else if (r->packets == 1 && (r->protocol == PROTOCOL_TCP ||
					  r->protocol == PROTOCOL_UDP)) {
		feed_percentile_add(&f->idle, r->export_ms - r->end_ms);
		if (f->idle.samples % TIMEOUT_REVIEW == TIMEOUT_SAMPLES)
			review(p, f, FEED_IDLE_TIMEOUT, r->received_ms);
	}
}

/* 0, not told how, is more than any rate. */
static bool
is_sparser(uint32_t rate, uint32_t than)
{
	return rate - 1 > than - 1;
}

/* An exporter may have several samplers: the sparsest counts, while it is
 * used. */
static void
take_sampling(struct profiles *p, struct profile *f,
    const struct flow_record *r)
{
	f->sampling_records = add_one(f->sampling_records);
	if (r->sampling == f->sampling) {
		f->sampling_quiet = 0;
		return;
	}
	if (!is_sparser(r->sampling, f->sampling) &&
	    ++f->sampling_quiet < SAMPLING_RECORDS)
		return;
	f->sampling = r->sampling;
	f->sampling_quiet = 0;
	review(p, f, FEED_SAMPLING, r->received_ms);
}

static void
take_loss(struct profiles *p, struct profile *f, const struct flow_record *r)
{
	int64_t slot = f->losses.slot;

	if ((r->has & FLOW_IS_REVERSE) != 0)
		return; /* part of the one before */
	feed_losses_add(&f->losses, r->received_ms, r->lost);
	if (r->lost != 0 || f->losses.slot != slot)
		review(p, f, FEED_LOSS, r->received_ms);
}

int64_t
profiles_take(struct profiles *p, const struct flow_record *r)
{
	struct profile *f = take(p, r->exporter);

	if (f == NULL)
		return 0;
	f->has_news = true;
	if (feed_clock_add(&f->clock, r->received_ms, r->export_ms))
		review(p, f, FEED_CLOCK_OFFSET, r->received_ms);
	take_loss(p, f, r);
	take_sampling(p, f, r);
	if ((r->has & FLOW_IS_REVERSE) != 0)
		take_order(p, f, r);
	if (r->protocol == PROTOCOL_TCP)
		take_flags(p, f, r);
	take_times(p, f, r);
	return f->known[FEED_CLOCK_OFFSET].value;
}

/* --- from conversations --------------------------------------------------- */

/* NULL: no network, or no room for it. */
static struct place_seen *
place_of(struct profiles *p, struct profile *f, const struct network *network)
{
	uint32_t count = p->networks == NULL ? 0 : p->networks->count;

	if (network == NULL || count == 0)
		return NULL;
	if (f->networks == 0 && p->pool_used + count <= FEED_NETWORKS_MAX + 1) {
		f->networks = p->pool_used;
		p->pool_used += count;
	}
	return f->networks == 0
		   ? NULL
		   : &p->pool[f->networks +
			      (uint32_t)(network - p->networks->networks)];
}

static void
take_visible(struct profiles *p, struct profile *f, bool is_found,
    const struct network *network, int64_t now_ms)
{
	struct place_seen *place = place_of(p, f, network);
	enum feed_visibility now;
	uint8_t source;

	feed_share_add(&f->visible, is_found);
	if (visibility_of(&f->visible) != f->known[FEED_VISIBILITY].value ||
	    f->known[FEED_VISIBILITY].source != FEED_SOURCE_LEARNED)
		review(p, f, FEED_VISIBILITY, now_ms);
	if (place == NULL)
		return;
	feed_share_add(&place->visible, is_found);
	place->is_dirty = true;
	now = visibility_of(&place->visible);
	source = learned_if(place->visible.all >= VISIBLE_SAMPLES);
	if (place->known.value == now && place->known.source == source)
		return;
	report(p, &place->known,
	    (struct finding_feed_event){ .ts_ms = now_ms,
		.samples = place->visible.all,
		.network = network->prefix,
		.has_network = true,
		.exporter = f->exporter,
		.property = FEED_VISIBILITY },
	    now, source);
}

void
profiles_take_answer(struct profiles *p, uint32_t exporter, bool is_inside)
{
	struct profile *f = take(p, exporter);
	bool *answered;

	if (f == NULL)
		return;
	answered = is_inside ? &f->answered_inside : &f->answered;
	p->first_answers |= !*answered;
	*answered = true;
}

bool
profiles_take_first_answers(struct profiles *p)
{
	bool were_there = p->first_answers;

	p->first_answers = false;
	return were_there;
}

/* Its sender heard an answer, or nobody acknowledges, nor resets. */
static bool
had_answer(const struct half *h)
{
	uint8_t flags = h->flags & (TCP_SYN | TCP_RST | TCP_ACK);

	if ((h->flags & TCP_ACK) != 0)
		return h->packets >= VISIBLE_PACKETS;
	return flags == (TCP_SYN | TCP_RST) && h->packets > 1;
}

void
profiles_take_half(struct profiles *p, const struct half *half,
    const struct half *other, bool same_end, const struct network *network,
    int64_t now_ms)
{
	struct profile *f = half->present ? take(p, half->exporter) : NULL;

	if (f == NULL)
		return;
	if (network != NULL && had_answer(half))
		take_visible(p, f, other->present, network, now_ms);
	if (other->present && half->exporter == other->exporter &&
	    half->packets >= TIME_PACKETS && other->packets >= TIME_PACKETS) {
		feed_share_add(&f->times,
		    same_end && half_first_ms(half) == half_first_ms(other));
		if (f->known[FEED_SHARED_TIMES].source != FEED_SOURCE_LEARNED ||
		    feed_share_is(&f->times, TIME_SAMPLES, TIME_PERCENT) !=
			f->known[FEED_SHARED_TIMES].value)
			review(p, f, FEED_SHARED_TIMES, now_ms);
	}
}

void
profiles_take_claim(struct profiles *p, uint32_t exporter, bool is_contradicted,
    int64_t now_ms)
{
	struct profile *f = take(p, exporter);

	if (f == NULL)
		return;
	if (is_contradicted)
		counter_add(p->counters, COUNTER_DIR_CONFLICT, 1);
	feed_share_add(&f->claims, is_contradicted);
	review(p, f, FEED_BIFLOW_DIRECTION, now_ms);
}

/* --- what verdicts are to assume ------------------------------------------ */

struct feed_profile
profiles_get(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f = find(p, exporter);

	if (f == NULL)
		return (struct feed_profile){ .one_sided = false };
	return f->assumed;
}

/* NULL: nothing of it was learned in this feed. */
static const struct place_seen *
find_place(const struct profiles *p, const struct profile *f,
    const struct network *network)
{
	if (f->networks == 0)
		return NULL;
	return &p->pool[f->networks +
			(uint32_t)(network - p->networks->networks)];
}

/* Of a network by its own samples, and while they are few by the feed's. */
static enum feed_visibility
visibility_there(const struct profiles *p, const struct profile *f,
    const struct network *network)
{
	const struct place_seen *place = find_place(p, f, network);
	const struct feed_share *seen;
	enum feed_visibility all =
	    (enum feed_visibility)f->known[FEED_VISIBILITY].value;

	if (place == NULL)
		return all;
	seen = &place->visible;
	if (seen->all >= VISIBLE_SAMPLES)
		return (enum feed_visibility)place->known.value;
	if (all == FEED_VISIBILITY_ONE_SIDED && seen->some == 0)
		return all;
	if (place->known.value != FEED_VISIBILITY_UNKNOWN)
		return (enum feed_visibility)place->known.value;
	return seen->some != 0 ? FEED_VISIBILITY_UNKNOWN : all;
}

/* What is to be assumed of answers that did not come. */
static void
assume_answers(struct feed_profile *out, enum feed_visibility visibility,
    bool answered)
{
	set_visibility(out, visibility);
	if (visibility != FEED_VISIBILITY_UNKNOWN)
		return;
	/* it may be that it never shows any */
	out->partly = !answered;
	out->unsure = true;
}

struct feed_profile
profiles_missing(const struct profiles *p, uint32_t exporter,
    const struct network *network, int64_t from_ms)
{
	const struct profile *f = find(p, exporter);
	struct feed_profile out = profiles_get(p, exporter);
	struct feed_loss loss;

	if (f == NULL)
		/* nothing will ever tell */
		assume_answers(&out, FEED_VISIBILITY_UNKNOWN, false);
	if (f == NULL || f->is_forced)
		return out;
	if (!is_given(f, FEED_VISIBILITY)) {
		if (network == NULL)
			assume_answers(&out, FEED_VISIBILITY_UNKNOWN,
			    f->answered_inside);
		else
			assume_answers(&out, visibility_there(p, f, network),
			    f->answered);
	}
	loss = feed_losses_since(&f->losses, from_ms);
	out.lossy = is_given(f, FEED_LOSS) ? f->given.values[FEED_LOSS] != 0
					   : feed_loss_is_high(&loss);
	return out;
}

int64_t
profiles_wait_ms(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f = find(p, exporter);
	int64_t wait_s;

	if (f == NULL ||
	    f->known[FEED_IDLE_TIMEOUT].source == FEED_SOURCE_DEFAULT)
		return 0;
	wait_s = f->known[FEED_IDLE_TIMEOUT].value + RETRIES_S + BATCHING_S;
	if (wait_s < WAIT_MIN_S)
		wait_s = WAIT_MIN_S;
	return (wait_s > WAIT_MAX_S ? WAIT_MAX_S : wait_s) * 1000;
}

int64_t
profiles_revoke_ms(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f = find(p, exporter);
	int64_t wait_ms = profiles_wait_ms(p, exporter);
	int64_t revoke_ms;

	if (f == NULL ||
	    f->known[FEED_ACTIVE_TIMEOUT].source == FEED_SOURCE_DEFAULT)
		return 0;
	revoke_ms = (f->known[FEED_ACTIVE_TIMEOUT].value +
			f->known[FEED_IDLE_TIMEOUT].value + BATCHING_S) *
		    1000;
	return revoke_ms > wait_ms ? revoke_ms : wait_ms;
}

struct feed_learned
profiles_learned(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f = find(p, exporter);

	if (f == NULL)
		return (struct feed_learned){ .flags = FEED_FLAGS_OK };
	return (struct feed_learned){
		.flags = flags_of(f),
		.visibility = visibility_of(&f->visible),
		.shared_times =
		    feed_share_is(&f->times, TIME_SAMPLES, TIME_PERCENT),
		.flag_records = f->records,
		.visibility_halves = f->visible.all,
		.visibility_found = f->visible.some,
		.time_pairs = f->times.all,
		.time_equal = f->times.some,
	};
}

/* --- to the store and back ------------------------------------------------ */

/* What is needed of the flags to go on: 16 bits each of two counts. */
static uint64_t
flags_state(const struct profile *f)
{
	uint32_t rich = f->rich > UINT16_MAX ? UINT16_MAX : f->rich;
	uint32_t singles = f->singles > UINT16_MAX ? UINT16_MAX : f->singles;

	return f->value | (uint64_t)f->several_values << 8 |
	       (uint64_t)f->data_seen << 9 | (uint64_t)f->syn_seen << 10 |
	       (uint64_t)(flags_of(f) == FEED_FLAGS_MERGED) << 11 |
	       (uint64_t)rich << 16 | (uint64_t)singles << 32;
}

static void
restore_flags(struct profile *f, const struct finding_feed *d)
{
	f->value = (uint8_t)d->state;
	f->several_values = (d->state & 1U << 8) != 0;
	f->data_seen = (d->state & 1U << 9) != 0;
	f->syn_seen = (d->state & 1U << 10) != 0;
	if ((d->state & 1U << 11) != 0)
		f->merged =
		    (struct feed_share){ MERGED_RECORDS, MERGED_RECORDS };
	f->rich = (uint16_t)(d->state >> 16);
	f->singles = (uint16_t)(d->state >> 32);
	f->records = (uint32_t)d->samples;
}

enum { STATE_ANSWERED = 1, STATE_ANSWERED_INSIDE = 2 };

static uint64_t
state_of(const struct profile *f, enum feed_property property)
{
	if (property == FEED_FLAGS)
		return flags_state(f);
	if (property == FEED_VISIBILITY)
		return (f->answered ? STATE_ANSWERED : 0U) |
		       (f->answered_inside ? STATE_ANSWERED_INSIDE : 0U);
	return 0;
}

/* False: the batch is full. */
static bool
collect_one(struct finding_batch *batch, const struct profile *f,
    enum feed_property property)
{
	const struct known *k = &f->known[property];
	struct finding *out = finding_batch_add(batch, FINDING_FEED);
	uint8_t source;

	if (out == NULL)
		return false;
	/* known since a value stayed as it is, which is no change */
	if (value_of(f, property, &source) != k->value)
		source = k->source;
	out->feed = (struct finding_feed){ .value = k->value,
		.changed_ms = k->changed_ms,
		.samples = samples_of(f, property),
		.agreeing = agreeing_of(f, property),
		.state = state_of(f, property),
		.event_id = k->event_id,
		.exporter = f->exporter,
		.property = (uint8_t)property,
		.source = source };
	return true;
}

static void
collect_places(struct profiles *p, const struct profile *f,
    struct finding_batch *batch)
{
	for (uint32_t i = 0; f->networks != 0 && i < p->networks->count; i++) {
		struct place_seen *place = &p->pool[f->networks + i];
		struct finding *out;

		if (!place->is_dirty)
			continue;
		out = finding_batch_add(batch, FINDING_FEED);
		place->is_dirty = false;
		out->feed = (struct finding_feed){ .value = place->known.value,
			.changed_ms = place->known.changed_ms,
			.samples = place->visible.all,
			.agreeing = place->visible.some,
			.event_id = place->known.event_id,
			.network = p->networks->networks[i].prefix,
			.exporter = f->exporter,
			.property = FEED_VISIBILITY,
			.source = place->known.source,
			.has_network = true };
	}
}

static bool
collect_events(struct profiles *p, struct finding_batch *batch)
{
	while (p->event_count != 0) {
		struct finding *f =
		    finding_batch_add(batch, FINDING_FEED_EVENT);

		if (f == NULL)
			return true;
		f->feed_event = p->events[p->event_first];
		p->event_first = (p->event_first + 1) % FEED_EVENTS_MAX;
		p->event_count--;
	}
	return false;
}

bool
profiles_collect(struct profiles *p, struct finding_batch *batch,
    int64_t now_ms)
{
	uint32_t needed = FEED_PROPERTY_COUNT +
			  (p->networks == NULL ? 0 : p->networks->count);

	if (collect_events(p, batch))
		return true;
	for (uint32_t i = 1; i < p->count; i++) {
		struct profile *f = &p->of[i];

		if (!f->is_dirty && !(f->has_news && now_ms - f->stored_ms >=
							 STORE_INTERVAL_MS))
			continue;
		if (finding_batch_room(batch) < needed)
			return true;
		for (unsigned k = 0; k < FEED_PROPERTY_COUNT; k++)
			(void)collect_one(batch, f, (enum feed_property)k);
		collect_places(p, f, batch);
		f->is_dirty = f->has_news = false;
		f->stored_ms = now_ms;
	}
	return false;
}

void
profiles_settle(struct profiles *p)
{
	for (uint32_t i = 1; i < p->count; i++)
		p->of[i].is_dirty |= p->of[i].has_news;
}

static int
restore_place(struct profiles *p, struct profile *f,
    const struct finding_feed *d)
{
	const struct network *network =
	    p->networks == NULL ? NULL
				: prefix_set_find(p->networks, &d->network.low);
	struct place_seen *place;

	if (network == NULL || network->prefix.length != d->network.length)
		return ERR_OK; /* it is no internal network any more */
	place = place_of(p, f, network);
	if (place == NULL)
		return ERR_FULL;
	place->visible =
	    (struct feed_share){ (uint32_t)d->samples, (uint32_t)d->agreeing };
	place->known =
	    (struct known){ d->value, d->changed_ms, d->event_id, d->source };
	return ERR_OK;
}

static void
restore_value(struct profile *f, const struct finding_feed *d)
{
	struct feed_share share = { (uint32_t)d->samples,
		(uint32_t)d->agreeing };

	switch ((enum feed_property)d->property) {
	case FEED_FLAGS:
		restore_flags(f, d);
		break;
	case FEED_SHARED_TIMES:
		f->times = share;
		break;
	case FEED_ADDRESS_ORDERED:
		f->biflows = share.all;
		f->order_run = share.some;
		break;
	case FEED_BIFLOW_DIRECTION:
		f->claims =
		    (struct feed_share){ share.all, share.all - share.some };
		break;
	case FEED_IDLE_TIMEOUT:
		if (d->source == FEED_SOURCE_LEARNED) {
			f->prior_idle_s = (uint32_t)d->value;
			f->prior_idle_samples = share.all;
		}
		break;
	case FEED_ACTIVE_TIMEOUT:
		if (d->source == FEED_SOURCE_LEARNED) {
			f->prior_active_s = (uint32_t)d->value;
			f->prior_active_samples = share.all;
		}
		break;
	case FEED_SAMPLING:
		if (d->source != FEED_SOURCE_CONFIGURED)
			f->sampling = (uint32_t)d->value;
		f->sampling_records = share.all;
		break;
	case FEED_VISIBILITY:
		f->visible = share;
		f->answered =
		    share.some != 0 || (d->state & STATE_ANSWERED) != 0;
		f->answered_inside = (d->state & STATE_ANSWERED_INSIDE) != 0;
		break;
	case FEED_CLOCK_OFFSET: /* a clock may have been set meanwhile */
	case FEED_LOSS:		/* what was lost then is of no account now */
	case FEED_PROPERTY_COUNT:
		break;
	}
}

/* It may be configured no more: what was learned below it stands, until it is
 * configured again. */
static int
restore_configured(struct profile *f, const struct finding_feed *d)
{
	struct known *k = &f->known[d->property];

	k->value = value_of(f, (enum feed_property)d->property, &k->source);
	k->event_id = d->event_id;
	return ERR_OK;
}

int
profiles_restore(struct profiles *p, const struct finding_feed *d)
{
	struct profile *f;

	if (d->property >= FEED_PROPERTY_COUNT || d->samples > UINT32_MAX ||
	    d->agreeing > UINT32_MAX || d->source >= FEED_SOURCE_COUNT)
		return ERR_RANGE;
	if (d->event_id >= p->next_event_id)
		p->next_event_id = d->event_id + 1;
	f = take(p, d->exporter);
	if (f == NULL)
		return ERR_FULL;
	if (d->has_network)
		return restore_place(p, f, d);
	restore_value(f, d);
	if (d->source == FEED_SOURCE_CONFIGURED)
		return restore_configured(f, d);
	if (d->property != FEED_CLOCK_OFFSET && d->property != FEED_LOSS &&
	    (f->given.given & 1U << d->property) == 0)
		f->known[d->property] = (struct known){ d->value, d->changed_ms,
			d->event_id, d->source };
	assume(f);
	return ERR_OK;
}
