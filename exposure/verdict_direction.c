/* SPDX-License-Identifier: Apache-2.0 */
/* Who opened it: direction rules D1 to D9, the first match wins. */
#include <stdlib.h>

#include "exposure/protocol.h"
#include "exposure/verdict_rules.h"

/* D5: less is within the meters' rounding, more is no handshake. */
#define D5_MIN_MS 1
#define D5_MAX_MS 10000

/* What v5 and v9 make of an uptime is off by up to a second (PAM 2011). */
#define BASE_ERROR_MS 2000

/* RFC 959, 5.2: the server opens from here, nobody listens. */
#define PORT_FTP_DATA 20

static const uint8_t accepted_rules[] = { RULE_NONE, RULE_A1_D1, RULE_A1_D2,
	RULE_A1_D2, RULE_A1_D4, RULE_A1_D5, RULE_A1_D6, RULE_A1_D7,
	RULE_A1_D8 };
static const uint8_t one_half_rules[] = { RULE_NONE, RULE_A4_D1, RULE_A4_D1,
	RULE_A4_D1, RULE_A4_D4, RULE_A4_D8, RULE_A4_D6, RULE_A4_D7,
	RULE_A4_D8 };
static const uint8_t direction_rules[] = { RULE_NONE, RULE_D1, RULE_D2, RULE_D3,
	RULE_D4, RULE_D5, RULE_D6, RULE_D7, RULE_D8, RULE_D9 };

enum rule
direction_rule(struct direction d)
{
	return (enum rule)direction_rules[d.number];
}

/* Whole seconds: IE 150, or a meter that rounds. They hide what D5 needs. */
static bool
is_rounded(int64_t a_ms, int64_t b_ms)
{
	return a_ms % 1000 == 0 && b_ms % 1000 == 0;
}

/* Both uptimes count from one boot: the halves' bases differ by errors only. */
static bool
is_one_boot(const struct half *a, const struct half *b)
{
	int32_t uptimes = (int32_t)(b->syn_uptime_ms - a->syn_uptime_ms);

	if (a->syn_after_ms == HALF_SYN_FAR || b->syn_after_ms == HALF_SYN_FAR)
		return false;
	return llabs(half_syn_ms(b) - half_syn_ms(a) - uptimes) <=
	       BASE_ERROR_MS;
}

/*
 * Not of sampled feeds: what shows first of an end is not what it sent first,
 * and of a SYN repeated it may be the second.
 */
struct direction
direction_by_time(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;
	struct direction none = { SIDE_NONE, 9, CONFIDENCE_NONE };
	int64_t delta;

	if (!o->has_syn_time || !i->has_syn_time || in->feed.shared_times ||
	    in->feed.sampled || o->syn_exporter != i->syn_exporter)
		return none;
	if (o->has_syn_uptime && i->has_syn_uptime) {
		if (!is_one_boot(o, i))
			return none;
		/* raw uptimes: the base's errors cancel inside one boot */
		delta = (int32_t)(i->syn_uptime_ms - o->syn_uptime_ms);
		if (is_rounded(o->syn_uptime_ms, i->syn_uptime_ms))
			return none;
	} else if (o->syn_after_ms != HALF_SYN_FAR &&
		   i->syn_after_ms != HALF_SYN_FAR) {
		delta = half_syn_ms(i) - half_syn_ms(o);
		if (is_rounded(half_syn_ms(o), half_syn_ms(i)))
			return none;
	} else {
		return none;
	}
	if (llabs(delta) < D5_MIN_MS || llabs(delta) > D5_MAX_MS)
		return none;
	return (struct direction){ delta > 0 ? SIDE_OUTER : SIDE_INNER, 5,
		CONFIDENCE_MED };
}

/* D8: never "the lower port", which is wrong whenever both are high. */
static struct direction
direction_by_ports(const struct verdict_input *in)
{
	struct direction d = { SIDE_NONE, 9, CONFIDENCE_NONE };
	bool outer = in->outer_port < PORT_SYSTEM;
	bool inner = in->inner_port < PORT_SYSTEM;

	d.confidence = CONFIDENCE_MED;
	if (outer == inner) {
		outer = in->outer_port < PORT_EPHEMERAL;
		inner = in->inner_port < PORT_EPHEMERAL;
		d.confidence = CONFIDENCE_LOW;
	}
	if (outer == inner) {
		d.confidence = CONFIDENCE_NONE;
		return d;
	}
	d.number = 8;
	d.initiator = inner ? SIDE_OUTER : SIDE_INNER;
	return d;
}

/* D7 and D8: who meets there, and the ports. */
static struct direction
direction_by_guess(const struct verdict_input *in)
{
	if (in->fan_in == FAN_IN_RESPONDER)
		return (struct direction){ SIDE_OUTER, 7, CONFIDENCE_MED };
	if (in->fan_in == FAN_IN_CLIENT)
		return (struct direction){ SIDE_INNER, 7, CONFIDENCE_MED };
	return direction_by_ports(in);
}

/* The inside serves FTP: many peers meet where it opens from, too. */
static bool
serves_ftp_data(const struct verdict_input *in)
{
	return in->proto == PROTOCOL_TCP && in->inner_port == PORT_FTP_DATA &&
	       in->outer_port >= PORT_SYSTEM;
}

struct direction
direction_by_history(const struct verdict_input *in)
{
	struct direction ftp = { SIDE_OUTER, 8, CONFIDENCE_MED };
	struct direction d;

	if (in->inner_port == PORT_FTP_DATA)
		ftp.initiator = SIDE_INNER;
	if (in->ftp_data)
		return ftp;
	if (in->known_service)
		return (struct direction){ SIDE_OUTER, 6, CONFIDENCE_MED };
	if (serves_ftp_data(in))
		return ftp;
	if (in->asks_fan_in != NULL)
		*in->asks_fan_in = true;
	d = direction_by_guess(in);
	if (d.initiator == SIDE_OUTER && in->was_client)
		/* only flags, times or a claim make a client a service */
		d = (struct direction){ SIDE_NONE, 9, CONFIDENCE_NONE };
	return d;
}

/* Who also opened is no acceptor: a split handshake, or crafted. */
static bool
accepts(const struct half *h)
{
	return has(h, EV_SYNACK1) && !has(h, EV_SYN);
}

bool
syn_is_contradicted(const struct half *h, const struct half *other)
{
	return has(h, EV_SYN) && has(h, EV_SYNACK1 | EV_MIX) &&
	       other->present && !has(other, EV_SYNACK1);
}

/* D1: exactly one end sent what only an opener sends. */
static enum side
only_opener(const struct half *o, const struct half *i)
{
	if (has(o, EV_SYN) == has(i, EV_SYN))
		return SIDE_NONE;
	if (has(o, EV_SYN))
		return syn_is_contradicted(o, i) ? SIDE_NONE : SIDE_OUTER;
	return syn_is_contradicted(i, o) ? SIDE_NONE : SIDE_INNER;
}

/* D1 to D3: what only an opener, or only an acceptor, sends. */
static struct direction
direction_by_flags(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (only_opener(o, i) != SIDE_NONE)
		return (
		    struct direction){ only_opener(o, i), 1, CONFIDENCE_HIGH };
	if (!has(o, EV_SYN) && in->prior != SIDE_NONE)
		/* the same 5-tuple again: its ends keep their roles */
		return (struct direction){ in->prior, 1, CONFIDENCE_HIGH };
	if (accepts(o) != accepts(i))
		return (struct direction){ accepts(o) ? SIDE_INNER : SIDE_OUTER,
			2, CONFIDENCE_HIGH };
	if (has_only(i, EV_RSTACK1) && o->present && !has(o, EV_SYN_ANY))
		return (struct direction){ SIDE_OUTER, 3, CONFIDENCE_HIGH };
	if (has_only(o, EV_RSTACK1) && i->present && !has(i, EV_SYN_ANY))
		return (struct direction){ SIDE_INNER, 3, CONFIDENCE_HIGH };
	return (struct direction){ SIDE_NONE, 9, CONFIDENCE_NONE };
}

struct direction
direction_of_tcp(const struct verdict_input *in)
{
	struct direction d = direction_by_flags(in);

	if (d.initiator != SIDE_NONE)
		return d;
	if (in->claimed != SIDE_NONE && !in->feed.no_claims)
		return (struct direction){ in->claimed, 4, CONFIDENCE_HIGH };
	d = direction_by_time(in);
	if (d.initiator != SIDE_NONE)
		return d;
	return direction_by_history(in);
}

struct verdict
verdict_by_direction(const struct verdict_input *in)
{
	struct direction d = direction_of_tcp(in);

	switch (d.initiator) {
	case SIDE_OUTER:
		return attempt(OUTCOME_ACCEPTED, accepted_rules[d.number],
		    d.confidence);
	case SIDE_INNER:
		return say(OUTCOME_OUTBOUND, direction_rule(d), d.confidence,
		    SIDE_INNER);
	case SIDE_NONE:
		break;
	}
	return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE, SIDE_NONE);
}

struct verdict
verdict_by_direction_of_one(const struct verdict_input *in)
{
	struct verdict v = verdict_by_direction(in);
	struct direction d = direction_of_tcp(in);

	if (v.outcome != OUTCOME_ACCEPTED)
		return v;
	return attempt(OUTCOME_ACCEPTED, one_half_rules[d.number],
	    in->feed.one_sided && d.confidence > CONFIDENCE_LOW
		? CONFIDENCE_MED
		: CONFIDENCE_LOW);
}

struct verdict
verdict_midstream(const struct verdict_input *in)
{
	struct direction d = direction_by_history(in);

	switch (d.number) {
	case 6:
		/* a reset is no sign of life */
		if (in->inner->present && !has_only(in->inner, EV_RST_ANY))
			return say(OUTCOME_MIDSTREAM_REFRESH, RULE_M_D6,
			    CONFIDENCE_MED, SIDE_OUTER);
		return say(OUTCOME_MIDSTREAM, RULE_M_D6, CONFIDENCE_NONE,
		    SIDE_NONE);
	case 7:
		return say(OUTCOME_MIDSTREAM, RULE_M_D7, CONFIDENCE_NONE,
		    SIDE_NONE);
	case 8:
		return say(OUTCOME_MIDSTREAM, RULE_M_D8, CONFIDENCE_NONE,
		    SIDE_NONE);
	default:
		return say(OUTCOME_MIDSTREAM, RULE_M_D9, CONFIDENCE_NONE,
		    SIDE_NONE);
	}
}
