/* SPDX-License-Identifier: Apache-2.0 */
/* Learning what a feed can show. */
#include <stdlib.h>

#include "exposure/profiles.h"

#define PROTO_TCP 6

/* So many records of one kind, and none of another, make a habit. */
#define NONE_RECORDS	 200
#define CONSTANT_RECORDS 500
#define CONSTANT_SINGLES 50 /* of them, records of one packet */
#define NO_SYN_RECORDS	 2000
#define RICH_PACKETS	 3 /* a record of a connection, not of a probe */

/* Biflows whose flags cannot be one direction's; one could be a stray. */
#define MERGED_RECORDS 3
#define MERGED_PERCENT 90

/* Of the halves that carry ACK and this many packets an answer exists. */
#define VISIBLE_PACKETS	  3
#define VISIBLE_SAMPLES	  100
#define VISIBLE_PERCENT	  90 /* at least: both directions are metered */
#define ONE_SIDED_PERCENT 50 /* at most: one is not */

#define TIME_PACKETS 2
#define TIME_SAMPLES 20
#define TIME_PERCENT 90 /* more: the meter stamps both halves alike */

/* Counts are halved here: the last few thousand samples decide. */
#define WINDOW 4096

struct profile {
	struct feed_profile configured;
	bool is_configured;
	uint8_t value; /* of the flags, as long as there is only one */
	bool several_values;
	bool data_seen; /* PSH or FIN */
	bool syn_seen;
	uint32_t records; /* TCP, with flags */
	uint32_t singles; /* of one packet */
	uint32_t rich;	  /* of RICH_PACKETS and more */
	uint32_t halves, found;
	uint32_t pairs, equal;
	uint32_t biflows, merged; /* merged: of these, for sure */
	/* of the record before, when it was one packet with flags */
	bool forward;
	uint8_t forward_flags;
};

struct profiles {
	struct profile of[PROFILES_MAX];
};

struct profiles *
profiles_new(void)
{
	return calloc(1, sizeof(struct profiles));
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

void
profiles_configure(struct profiles *p, uint32_t exporter,
    const struct feed_profile *profile)
{
	if (exporter >= PROFILES_MAX)
		return;
	p->of[exporter].configured = *profile;
	p->of[exporter].is_configured = true;
}

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
	if (f->biflows >= MERGED_RECORDS &&
	    f->merged * 100 > f->biflows * MERGED_PERCENT)
		return FEED_FLAGS_MERGED;
	if (f->rich >= NO_SYN_RECORDS && f->data_seen && !f->syn_seen)
		return FEED_FLAGS_NO_SYN;
	return FEED_FLAGS_OK;
}

static uint32_t
add_one(uint32_t n)
{
	return n == UINT32_MAX ? n : n + 1;
}

static void
count(uint32_t *all, uint32_t *some, bool is_some)
{
	if (*all == WINDOW) {
		*all /= 2;
		*some /= 2;
	}
	(*all)++;
	*some += is_some;
}

/*
 * A biflow of which one half has a packet and the other has no flags of its
 * own: nProbe tells the flags of both in IE 6. Then some cannot be of one
 * packet, and an answer's ACK is always among them; where it is not, the
 * flags are the forward half's alone.
 */
static void
take_biflow(struct profile *profile, const struct flow_record *f)
{
	bool is_reverse = (f->has & FLOW_IS_REVERSE) != 0;
	bool has_flags = (f->has & FLOW_HAS_TCP_FLAGS) != 0;
	uint8_t flags = profile->forward_flags;

	if (is_reverse && profile->forward && !has_flags && f->packets != 0 &&
	    (!is_one_packets(flags) || (flags & TCP_ACK) == 0))
		count(&profile->biflows, &profile->merged,
		    !is_one_packets(flags) && (flags & TCP_ACK) != 0);
	profile->forward = !is_reverse && has_flags && f->packets == 1;
	profile->forward_flags = f->tcp_flags & TCP_CLASSIC;
}

bool
profiles_take(struct profiles *p, const struct flow_record *f)
{
	struct profile *profile;
	enum feed_flags before;
	uint8_t flags = f->tcp_flags & TCP_CLASSIC;

	if (f->protocol != PROTO_TCP || f->exporter >= PROFILES_MAX)
		return false;
	profile = &p->of[f->exporter];
	before = flags_of(profile);
	take_biflow(profile, f);
	if ((f->has & FLOW_HAS_TCP_FLAGS) == 0 || f->packets == 0)
		return flags_of(profile) != before;
	if (profile->records != 0 && flags != profile->value)
		profile->several_values = true;
	profile->value = flags;
	profile->records = add_one(profile->records);
	if (f->packets == 1)
		profile->singles = add_one(profile->singles);
	if (f->packets >= RICH_PACKETS)
		profile->rich = add_one(profile->rich);
	if ((flags & (TCP_PSH | TCP_FIN)) != 0)
		profile->data_seen = true;
	if ((flags & TCP_SYN) != 0)
		profile->syn_seen = true;
	return flags_of(profile) != before;
}

void
profiles_take_half(struct profiles *p, const struct half *half,
    const struct half *other, bool same_end)
{
	struct profile *profile;

	if (!half->present)
		return;
	profile = &p->of[half->exporter];
	if ((half->flags & TCP_ACK) != 0 && half->packets >= VISIBLE_PACKETS)
		count(&profile->halves, &profile->found, other->present);
	if (other->present && half->exporter == other->exporter &&
	    half->packets >= TIME_PACKETS && other->packets >= TIME_PACKETS)
		count(&profile->pairs, &profile->equal,
		    same_end && half_first_ms(half) == half_first_ms(other));
}

static enum feed_visibility
visibility_of(const struct profile *f)
{
	if (f->halves < VISIBLE_SAMPLES)
		return FEED_VISIBILITY_UNKNOWN;
	if (f->found * 100 >= f->halves * VISIBLE_PERCENT)
		return FEED_VISIBILITY_BOTH;
	if (f->found * 100 <= f->halves * ONE_SIDED_PERCENT)
		return FEED_VISIBILITY_ONE_SIDED;
	return FEED_VISIBILITY_PARTLY;
}

static bool
shares_times(const struct profile *f)
{
	return f->pairs >= TIME_SAMPLES &&
	       f->equal * 100 > f->pairs * TIME_PERCENT;
}

struct feed_learned
profiles_learned(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f;

	if (exporter >= PROFILES_MAX)
		return (struct feed_learned){ .flags = FEED_FLAGS_OK };
	f = &p->of[exporter];
	return (struct feed_learned){
		.flags = flags_of(f),
		.visibility = visibility_of(f),
		.shared_times = shares_times(f),
		.flag_records = f->records,
		.visibility_halves = f->halves,
		.visibility_found = f->found,
		.time_pairs = f->pairs,
		.time_equal = f->equal,
	};
}

struct feed_profile
profiles_get(const struct profiles *p, uint32_t exporter)
{
	const struct profile *f;

	if (exporter >= PROFILES_MAX)
		return (struct feed_profile){ .one_sided = false };
	f = &p->of[exporter];
	if (f->is_configured)
		return f->configured;
	return (struct feed_profile){
		.one_sided = visibility_of(f) == FEED_VISIBILITY_ONE_SIDED,
		.partly = visibility_of(f) == FEED_VISIBILITY_PARTLY,
		.no_flags = flags_of(f) != FEED_FLAGS_OK &&
			    flags_of(f) != FEED_FLAGS_MERGED,
		.merged_flags = flags_of(f) == FEED_FLAGS_MERGED,
		.shared_times = shares_times(f),
	};
}
