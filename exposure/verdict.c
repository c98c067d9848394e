/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision procedure: direction rules D1 to D9, first match wins, and
 * the outcome matrix, one function a row group. Evidence is ordered by how
 * hard it is to produce by accident: exact single packets, flags consistent
 * with a handshake, the exporter's claim, own history, statistics, ports.
 */
#include <assert.h>
#include <stdlib.h>

#include "exposure/verdict.h"

#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_ICMP6 58

/* IANA's system ports, and where ephemeral ports begin on common systems. */
#define PORT_SYSTEM    1024
#define PORT_EPHEMERAL 32768

/* D5: less is within the meters' rounding, more is no handshake. */
#define D5_MIN_MS 1
#define D5_MAX_MS 10000

/* What RFC 9293 resets carry, and other unsolicited answers. */
#define EV_RST_ANY (EV_RSTACK1 | EV_RST1)
#define EV_SYN_ANY (EV_SYN | EV_SYNACK1 | EV_MIX)

/* Z rules: no probe has more packets, nor more octets in each. */
#define Z_PROBE_PACKETS 6
#define Z_PROBE_OCTETS	64

struct direction {
	enum side initiator;
	int number; /* of the D rule */
	enum confidence confidence;
};

static const uint8_t accepted_rules[] = { RULE_NONE, RULE_A1_D1, RULE_A1_D2,
	RULE_A1_D2, RULE_A1_D4, RULE_A1_D5, RULE_A1_D6, RULE_A1_D7,
	RULE_A1_D8 };
static const uint8_t one_half_rules[] = { RULE_NONE, RULE_A4_D1, RULE_A4_D1,
	RULE_A4_D1, RULE_A4_D4, RULE_A4_D8, RULE_A4_D6, RULE_A4_D7,
	RULE_A4_D8 };
static const uint8_t udp_rules[] = { RULE_NONE, RULE_NONE, RULE_NONE, RULE_NONE,
	RULE_W_D5, RULE_W_D5, RULE_W_D6, RULE_W_D7, RULE_W_D8 };
static const uint8_t direction_rules[] = { RULE_NONE, RULE_D1, RULE_D2, RULE_D3,
	RULE_D4, RULE_D5, RULE_D6, RULE_D7, RULE_D8, RULE_D9 };

static struct verdict
say(enum outcome outcome, enum rule rule, enum confidence confidence,
    enum side initiator)
{
	return (struct verdict){ .outcome = (uint8_t)outcome,
		.rule = (uint8_t)rule,
		.confidence = (uint8_t)confidence,
		.initiator = (uint8_t)initiator,
		.technique = TECHNIQUE_SYN };
}

static struct verdict
say_technique(struct verdict v, enum technique technique)
{
	v.technique = (uint8_t)technique;
	return v;
}

static struct verdict
wait_for_more(void)
{
	return say(OUTCOME_NONE, RULE_NONE, CONFIDENCE_NONE, SIDE_NONE);
}

static struct verdict
attempt(enum outcome outcome, enum rule rule, enum confidence confidence)
{
	return say(outcome, rule, confidence, SIDE_OUTER);
}

/* An answer would have been seen, had there been one. */
static bool
is_visible(const struct verdict_input *in)
{
	return !in->feed.one_sided && !in->feed.sampled;
}

static bool
has(const struct half *h, unsigned evidence)
{
	return h->present && (h->evidence & evidence) != 0;
}

/* The half shows this evidence and none besides. */
static bool
has_only(const struct half *h, unsigned evidence)
{
	return h->present && (h->evidence & evidence) != 0 &&
	       (h->evidence & ~(evidence | EV_ZERO)) == 0;
}

/* --- direction ---------------------------------------------------------- */

/* D5: SYN precedes SYN-ACK, told by one exporter's clock for both. */
static struct direction
direction_by_time(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;
	struct direction none = { SIDE_NONE, 9, CONFIDENCE_NONE };
	int64_t delta;

	if (!o->has_syn_time || !i->has_syn_time || in->feed.shared_times ||
	    o->syn_exporter != i->syn_exporter)
		return none;
	if (o->has_syn_uptime && i->has_syn_uptime)
		/* raw uptimes: the base's errors cancel inside one boot */
		delta = (int32_t)(i->syn_uptime_ms - o->syn_uptime_ms);
	else
		delta = i->syn_ms - o->syn_ms;
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

/* D6 to D9: what needs no evidence in the halves. */
static struct direction
direction_by_history(const struct verdict_input *in)
{
	if (in->known_service)
		return (struct direction){ SIDE_OUTER, 6, CONFIDENCE_MED };
	if (in->fan_in == FAN_IN_RESPONDER)
		return (struct direction){ SIDE_OUTER, 7, CONFIDENCE_MED };
	if (in->fan_in == FAN_IN_CLIENT)
		return (struct direction){ SIDE_INNER, 7, CONFIDENCE_MED };
	return direction_by_ports(in);
}

static enum side
other_side(enum side side)
{
	return side == SIDE_OUTER ? SIDE_INNER : SIDE_OUTER;
}

/* D1 to D3: what only an opener, or only an acceptor, sends. */
static struct direction
direction_by_flags(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (has(o, EV_SYN) != has(i, EV_SYN))
		return (
		    struct direction){ has(o, EV_SYN) ? SIDE_OUTER : SIDE_INNER,
			1, CONFIDENCE_HIGH };
	if (!has(o, EV_SYN) && in->prior != SIDE_NONE)
		/* the same 5-tuple again: its ends keep their roles */
		return (struct direction){ in->prior, 1, CONFIDENCE_HIGH };
	if (has(o, EV_SYNACK1) != has(i, EV_SYNACK1))
		return (struct direction){ other_side(has(o, EV_SYNACK1)
							  ? SIDE_OUTER
							  : SIDE_INNER),
			2, CONFIDENCE_HIGH };
	if (has_only(i, EV_RSTACK1) && o->present && !has(o, EV_SYN_ANY))
		return (struct direction){ SIDE_OUTER, 3, CONFIDENCE_HIGH };
	if (has_only(o, EV_RSTACK1) && i->present && !has(i, EV_SYN_ANY))
		return (struct direction){ SIDE_INNER, 3, CONFIDENCE_HIGH };
	return (struct direction){ SIDE_NONE, 9, CONFIDENCE_NONE };
}

static struct direction
tcp_direction(const struct verdict_input *in)
{
	struct direction d = direction_by_flags(in);

	if (d.initiator != SIDE_NONE)
		return d;
	if (in->claimed != SIDE_NONE)
		return (struct direction){ in->claimed, 4, CONFIDENCE_HIGH };
	d = direction_by_time(in);
	if (d.initiator != SIDE_NONE)
		return d;
	return direction_by_history(in);
}

/* Both halves are those of a connection: only its direction is open. */
static struct verdict
by_direction(const struct verdict_input *in)
{
	struct direction d = tcp_direction(in);

	switch (d.initiator) {
	case SIDE_OUTER:
		return attempt(OUTCOME_ACCEPTED, accepted_rules[d.number],
		    d.confidence);
	case SIDE_INNER:
		return say(OUTCOME_OUTBOUND, direction_rules[d.number],
		    d.confidence, SIDE_INNER);
	case SIDE_NONE:
		break;
	}
	return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE, SIDE_NONE);
}

/* A connection of which one half is missing (rule A4). */
static struct verdict
by_direction_of_one(const struct verdict_input *in)
{
	struct verdict v = by_direction(in);
	struct direction d = tcp_direction(in);

	if (v.outcome != OUTCOME_ACCEPTED)
		return v;
	return attempt(OUTCOME_ACCEPTED, one_half_rules[d.number],
	    in->feed.one_sided && d.confidence > CONFIDENCE_LOW
		? CONFIDENCE_MED
		: CONFIDENCE_LOW);
}

/* --- the middle of a connection ------------------------------------------- */

static struct verdict
midstream(const struct verdict_input *in)
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

static struct verdict
backscatter(enum rule rule, enum confidence confidence)
{
	return say(OUTCOME_BACKSCATTER, rule, confidence, SIDE_NONE);
}

/* --- TCP, row by row ------------------------------------------------------ */

/* The external end showed a SYN-ACK and nothing else. */
static bool
is_bare_synack(const struct half *h)
{
	return h->flags == (TCP_SYN | TCP_ACK) &&
	       has_only(h, EV_SYNACK1 | EV_MIX);
}

/* Row: bare SYN-ACK from outside. */
static struct verdict
outer_bare_synack(const struct verdict_input *in)
{
	const struct half *i = in->inner;
	bool one_packet = has_only(in->outer, EV_SYNACK1);

	if (!i->present) {
		if (!in->final)
			return wait_for_more();
		if (one_packet)
			return backscatter(RULE_U2, CONFIDENCE_MED);
		if (is_visible(in))
			return backscatter(RULE_U2M, CONFIDENCE_MED);
		return say(OUTCOME_UNRESOLVED, RULE_A4B, CONFIDENCE_NONE,
		    SIDE_NONE);
	}
	if (has_only(i, EV_RST1))
		return backscatter(RULE_U1, CONFIDENCE_HIGH);
	if (has_only(i, EV_RST_ANY)) {
		if (one_packet || tcp_direction(in).initiator == SIDE_INNER)
			return backscatter(RULE_U1, CONFIDENCE_MED);
		return attempt(OUTCOME_ACCEPTED, RULE_A6, CONFIDENCE_LOW);
	}
	return by_direction(in);
}

/* Row: RST or RST-ACK only from outside. */
static struct verdict
outer_reset(const struct verdict_input *in)
{
	const struct half *i = in->inner;

	if (!i->present) {
		if (!in->final)
			return wait_for_more();
		if (in->tombstone)
			return midstream(in);
		return backscatter(RULE_U4, CONFIDENCE_MED);
	}
	if (has_only(i, EV_SYNACK1))
		return say(OUTCOME_OUT_PROBE, RULE_U3, CONFIDENCE_MED,
		    SIDE_INNER);
	if (has(i, EV_MIX) && direction_by_history(in).initiator == SIDE_INNER)
		return by_direction(in);
	return midstream(in);
}

/* SYN from outside, nothing from inside. */
static struct verdict
outer_syn_alone(const struct verdict_input *in)
{
	const struct half *o = in->outer;

	if (!in->final)
		return wait_for_more();
	if ((o->flags & TCP_ACK) != 0)
		return by_direction_of_one(in);
	if (in->icmp == ICMP_ERROR_CLOSED)
		return attempt(OUTCOME_REFUSED, RULE_ICMP, CONFIDENCE_MED);
	if (in->icmp == ICMP_ERROR_UNREACHABLE)
		return attempt(OUTCOME_UNREACH, RULE_ICMP, CONFIDENCE_MED);
	if ((o->flags & TCP_RST) != 0) {
		if (in->feed.one_sided) /* nobody resets silence */
			return attempt(OUTCOME_ACCEPTED_HALF_OPEN, RULE_A5,
			    CONFIDENCE_LOW);
		return attempt(OUTCOME_UNRESOLVED, RULE_A5V, CONFIDENCE_LOW);
	}
	if (is_visible(in))
		return attempt(OUTCOME_SILENT, RULE_S1, CONFIDENCE_HIGH);
	return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
}

/* How far a connection that the inside accepted got. */
static enum outcome
accepted_outcome(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;
	bool bare = (i->flags & ~(TCP_SYN | TCP_ACK)) == 0;

	if ((o->flags & TCP_ACK) != 0 || !bare)
		return OUTCOME_ACCEPTED;
	return (o->flags & TCP_RST) != 0 ? OUTCOME_ACCEPTED_HALF_OPEN
					 : OUTCOME_ACCEPTED_NO_ACK;
}

/* Rows: SYN without ACK from outside, exact. */
static struct verdict
outer_syn(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (!i->present)
		return outer_syn_alone(in);
	if (has(i, EV_SYNACK1 | EV_MIX))
		return attempt(accepted_outcome(in), RULE_A1_D1,
		    CONFIDENCE_HIGH);
	if (has_only(i, EV_RST_ANY)) {
		if ((o->flags & TCP_ACK) != 0)
			/* it acknowledged: so there was a SYN-ACK */
			return attempt(OUTCOME_ACCEPTED, RULE_A6,
			    CONFIDENCE_LOW);
		return attempt(OUTCOME_REFUSED, RULE_R1, CONFIDENCE_HIGH);
	}
	if (has(i, EV_ACKED | EV_OTHER))
		return attempt(OUTCOME_ACCEPTED, RULE_A2, CONFIDENCE_MED);
	if (i->packets > 1) /* the flags of this direction are missing */
		return attempt(OUTCOME_ACCEPTED, RULE_A2, CONFIDENCE_LOW);
	return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
}

/* Row: SYN and ACK and more, over several packets. */
static struct verdict
outer_mix(const struct verdict_input *in)
{
	const struct half *i = in->inner;

	if (!i->present)
		return in->final ? by_direction_of_one(in) : wait_for_more();
	if (has_only(i, EV_RST_ANY)) {
		if (tcp_direction(in).initiator == SIDE_INNER)
			return by_direction(in);
		return attempt(OUTCOME_ACCEPTED, RULE_A6, CONFIDENCE_LOW);
	}
	return by_direction(in);
}

/* Rows: no flag, FIN alone, FIN-PSH-URG. */
static struct verdict
outer_stealth(const struct verdict_input *in)
{
	const struct half *i = in->inner;
	enum technique technique = TECHNIQUE_FIN;

	if (has(in->outer, EV_NULL))
		technique = TECHNIQUE_NULL;
	else if (has(in->outer, EV_XMAS))
		technique = TECHNIQUE_XMAS;
	if (!i->present) {
		if (!in->final)
			return wait_for_more();
		if (!is_visible(in))
			return say_technique(attempt(OUTCOME_UNRESOLVED,
						 RULE_S2, CONFIDENCE_NONE),
			    technique);
		return say_technique(attempt(OUTCOME_STEALTH_OPEN_FILTERED,
					 RULE_N2, CONFIDENCE_MED),
		    technique);
	}
	if (has_only(i, EV_RST_ANY))
		return say_technique(attempt(OUTCOME_STEALTH_CLOSED, RULE_N1,
					 has(i, EV_RSTACK1) ? CONFIDENCE_HIGH
							    : CONFIDENCE_MED),
		    technique);
	if (technique == TECHNIQUE_NULL &&
	    has(i, EV_MIX | EV_SYNACK1 | EV_DATA)) {
		/* this direction lost its flags: only D2, D5 to D8 remain */
		return by_direction(in);
	}
	return midstream(in);
}

/* Row: one packet FIN-ACK or ACK. */
static struct verdict
outer_one_ack(const struct verdict_input *in)
{
	if (!in->inner->present)
		return in->final ? midstream(in) : wait_for_more();
	if (has_only(in->inner, EV_RST1) && !in->tombstone)
		return say_technique(attempt(OUTCOME_STEALTH_UNFILTERED,
					 RULE_N3, CONFIDENCE_MED),
		    has(in->outer, EV_MAIMON1) ? TECHNIQUE_MAIMON
					       : TECHNIQUE_ACK);
	if (has(in->inner, EV_SYNACK1 | EV_MIX))
		return by_direction(in);
	return midstream(in);
}

/* Row: SYN and RST in one packet. */
static struct verdict
outer_bad_syn(const struct verdict_input *in)
{
	if (!in->inner->present && !in->final)
		return wait_for_more();
	if (has(in->inner, EV_SYNACK1 | EV_MIX))
		return attempt(OUTCOME_ACCEPTED, RULE_A1_D2, CONFIDENCE_HIGH);
	return say_technique(attempt(OUTCOME_STEALTH_OTHER, RULE_N4,
				 CONFIDENCE_MED),
	    TECHNIQUE_OTHER);
}

/* Row: nothing from outside. */
static struct verdict
inner_alone(const struct verdict_input *in)
{
	const struct half *i = in->inner;

	if (has(i, EV_SYN))
		return say(OUTCOME_OUTBOUND, RULE_D1, CONFIDENCE_HIGH,
		    SIDE_INNER);
	if (has(i, EV_SYNACK1))
		return attempt(OUTCOME_ACCEPTED,
		    in->final ? RULE_A1_D2 : RULE_A0, CONFIDENCE_MED);
	if (!in->final)
		return wait_for_more();
	if (has(i, EV_MIX))
		return by_direction_of_one(in);
	if (has_only(i, EV_RSTACK1) && i->packets == 1 && !in->tombstone)
		return attempt(OUTCOME_REFUSED, RULE_R4, CONFIDENCE_LOW);
	return midstream(in);
}

/* --- exporters without flags ---------------------------------------------- */

/* Z rules: a reset is exactly the header's size, a SYN-ACK carries options. */
static struct verdict
without_flags(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;
	bool probe = o->packets <= Z_PROBE_PACKETS &&
		     o->octets <= (uint64_t)Z_PROBE_OCTETS * o->packets;
	struct direction d;

	if (!o->present)
		return in->final ? midstream(in) : wait_for_more();
	if (!i->present) {
		if (!in->final)
			return wait_for_more();
		if (probe && is_visible(in))
			return attempt(OUTCOME_SILENT, RULE_Z1, CONFIDENCE_LOW);
		return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
	}
	d = tcp_direction(in);
	if (d.initiator == SIDE_INNER)
		return say(OUTCOME_OUTBOUND, direction_rules[d.number],
		    d.confidence, SIDE_INNER);
	if (d.initiator == SIDE_NONE)
		return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE,
		    SIDE_NONE);
	if (probe && i->packets <= o->packets &&
	    i->octets == (uint64_t)in->header_octets * i->packets)
		return attempt(OUTCOME_REFUSED, RULE_Z2, CONFIDENCE_LOW);
	return attempt(OUTCOME_ACCEPTED, RULE_Z3,
	    d.confidence > CONFIDENCE_MED ? CONFIDENCE_MED : d.confidence);
}

/* The firewall let the inside open it; what it then denies are leftovers. */
static bool
firewall_let_out(const struct verdict_input *in)
{
	unsigned inner = in->inner->firewall_event;

	return in->outer->firewall_event == 0 ||
	       (in->outer->firewall_event == FIREWALL_DENIED && inner != 0 &&
		   inner != FIREWALL_DENIED);
}

/* Firewalls' own records: the source is the initiator. */
static struct verdict
firewall(const struct verdict_input *in)
{
	bool ended = in->outer->firewall_event == FIREWALL_DELETED ||
		     in->outer->firewall_event == FIREWALL_UPDATED;

	if (firewall_let_out(in))
		return say(OUTCOME_OUTBOUND, RULE_D4, CONFIDENCE_HIGH,
		    SIDE_INNER);
	if (in->outer->firewall_event == FIREWALL_DENIED)
		return attempt(OUTCOME_DENIED, RULE_FW_DENIED, CONFIDENCE_HIGH);
	if (ended && in->inner->present && in->inner->octets > 0)
		return attempt(OUTCOME_ACCEPTED, RULE_FW_BYTES,
		    CONFIDENCE_HIGH);
	if (!in->final)
		return wait_for_more();
	return attempt(OUTCOME_UNRESOLVED, RULE_FW_NOBYTES, CONFIDENCE_LOW);
}

static struct verdict
tcp_verdict(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (in->feed.no_flags ||
	    ((!o->present || o->no_flags) && (!i->present || i->no_flags)))
		return without_flags(in);
	if (!o->present)
		return inner_alone(in);
	if (has(o, EV_SYN) && has(i, EV_SYN))
		return by_direction(in); /* simultaneous open */
	if (has(i, EV_SYN))
		return say(OUTCOME_OUTBOUND, RULE_D1, CONFIDENCE_HIGH,
		    SIDE_INNER);
	if (has(o, EV_SYN)) {
		struct verdict v = outer_syn(in);

		return o->flags == (TCP_SYN | TCP_FIN)
			   ? say_technique(v, TECHNIQUE_SYNFIN)
			   : v;
	}
	if (is_bare_synack(o))
		return outer_bare_synack(in);
	if (has(o, EV_MIX | EV_SYNACK1))
		return outer_mix(in);
	if (has_only(o, EV_RST_ANY))
		return outer_reset(in);
	if (has_only(o, EV_NULL) || has_only(o, EV_FIN) || has_only(o, EV_XMAS))
		return outer_stealth(in);
	if (has_only(o, EV_BADSYN1))
		return outer_bad_syn(in);
	if (has_only(o, EV_ACK1) || has_only(o, EV_MAIMON1))
		return outer_one_ack(in);
	if (has(i, EV_SYNACK1 | EV_MIX))
		return by_direction(in);
	if (!i->present && !in->final)
		return wait_for_more();
	return midstream(in);
}

/* --- UDP and ICMP --------------------------------------------------------- */

static struct verdict
udp_outer_alone(const struct verdict_input *in)
{
	if (!in->final)
		return wait_for_more();
	if (in->icmp == ICMP_ERROR_CLOSED)
		return attempt(OUTCOME_REFUSED, RULE_ICMP, CONFIDENCE_MED);
	if (in->icmp == ICMP_ERROR_UNREACHABLE)
		return attempt(OUTCOME_UNREACH, RULE_ICMP, CONFIDENCE_MED);
	if (in->outer_port < PORT_SYSTEM && in->inner_port >= PORT_SYSTEM)
		/* a service's late or reflected answer */
		return backscatter(RULE_V2, CONFIDENCE_LOW);
	if (is_visible(in))
		return attempt(OUTCOME_SILENT, RULE_V1, CONFIDENCE_MED);
	return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
}

static struct verdict
udp_inner_alone(const struct verdict_input *in)
{
	struct direction d = direction_by_history(in);

	if (!in->final)
		return wait_for_more();
	if (d.initiator == SIDE_OUTER) /* an answer to what was not seen */
		return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE,
		    SIDE_NONE);
	return say(OUTCOME_OUTBOUND, direction_rules[d.number],
	    d.number == 9 ? CONFIDENCE_LOW : d.confidence, SIDE_INNER);
}

static struct verdict
udp_verdict(const struct verdict_input *in)
{
	bool both_known =
	    in->outer_port < PORT_SYSTEM && in->inner_port < PORT_SYSTEM;
	struct direction d;

	if (!in->inner->present)
		return udp_outer_alone(in);
	if (!in->outer->present)
		return udp_inner_alone(in);
	if (in->pinhole && !in->known_service)
		return say(OUTCOME_OUTBOUND, RULE_DP, CONFIDENCE_MED,
		    SIDE_INNER);
	d = direction_by_time(in);
	if (d.initiator == SIDE_NONE)
		d = direction_by_history(in);
	if (d.number >= 7 && (in->outer_port == in->inner_port || both_known))
		d.initiator = SIDE_NONE;
	switch (d.initiator) {
	case SIDE_OUTER:
		return attempt(OUTCOME_ACCEPTED, udp_rules[d.number],
		    d.confidence);
	case SIDE_INNER:
		return say(OUTCOME_OUTBOUND, direction_rules[d.number],
		    d.confidence, SIDE_INNER);
	case SIDE_NONE:
		break;
	}
	return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE, SIDE_NONE);
}

static struct verdict
icmp_verdict(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (has(i, EV_REPLY) && (has(o, EV_REQUEST) || in->final))
		return attempt(OUTCOME_ECHO_ANSWERED, RULE_I1,
		    has(o, EV_REQUEST) ? CONFIDENCE_HIGH : CONFIDENCE_MED);
	if (has(i, EV_REQUEST))
		return say(OUTCOME_OUTBOUND, RULE_I3, CONFIDENCE_HIGH,
		    SIDE_INNER);
	if (!in->final)
		return wait_for_more();
	if (has(o, EV_REQUEST)) {
		if (in->icmp != ICMP_ERROR_NONE)
			return attempt(OUTCOME_UNREACH, RULE_ICMP,
			    CONFIDENCE_MED);
		if (is_visible(in))
			return attempt(OUTCOME_ECHO_SILENT, RULE_I2,
			    CONFIDENCE_MED);
		return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
	}
	if (has(o, EV_REPLY))
		return backscatter(RULE_I4, CONFIDENCE_MED);
	return say(OUTCOME_MIDSTREAM, RULE_M_D9, CONFIDENCE_NONE, SIDE_NONE);
}

struct verdict
verdict_of(const struct verdict_input *in)
{
	struct verdict_input now = *in;
	bool by_firewall;

	assert(in->outer != NULL && in->inner != NULL);
	/* where the other half cannot come, nothing is gained by waiting */
	now.final = in->final || in->feed.one_sided;
	by_firewall =
	    in->outer->firewall_event != 0 || in->inner->firewall_event != 0;
	switch (in->proto) {
	case PROTO_TCP:
		return by_firewall ? firewall(&now) : tcp_verdict(&now);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return say_technique(by_firewall ? firewall(&now)
						 : icmp_verdict(&now),
		    TECHNIQUE_ICMP);
	default:
		return say_technique(by_firewall ? firewall(&now)
						 : udp_verdict(&now),
		    TECHNIQUE_UDP);
	}
}

bool
outcome_is_accepted(unsigned outcome)
{
	return outcome == OUTCOME_ACCEPTED ||
	       outcome == OUTCOME_ACCEPTED_HALF_OPEN ||
	       outcome == OUTCOME_ACCEPTED_NO_ACK ||
	       outcome == OUTCOME_ECHO_ANSWERED;
}

enum answer
outcome_answer(unsigned outcome)
{
	switch ((enum outcome)outcome) {
	case OUTCOME_ACCEPTED:
	case OUTCOME_ACCEPTED_HALF_OPEN:
	case OUTCOME_ACCEPTED_NO_ACK:
	case OUTCOME_ECHO_ANSWERED:
		return ANSWER_ACCEPTED;
	case OUTCOME_REFUSED:
	case OUTCOME_STEALTH_CLOSED:
	case OUTCOME_STEALTH_UNFILTERED:
		return ANSWER_REFUSED;
	case OUTCOME_UNREACH:
		return ANSWER_UNREACHABLE;
	case OUTCOME_DENIED:
		return ANSWER_DENIED;
	case OUTCOME_SILENT:
	case OUTCOME_STEALTH_OPEN_FILTERED:
	case OUTCOME_STEALTH_OTHER:
	case OUTCOME_ECHO_SILENT:
		return ANSWER_SILENT;
	case OUTCOME_NONE:
	case OUTCOME_UNRESOLVED:
	case OUTCOME_OUTBOUND:
	case OUTCOME_OUT_PROBE:
	case OUTCOME_UNKNOWN_DIR:
	case OUTCOME_MIDSTREAM:
	case OUTCOME_MIDSTREAM_REFRESH:
	case OUTCOME_BACKSCATTER:
	case OUTCOME_TRANSIT:
	case OUTCOME_COUNT:
		break;
	}
	return ANSWER_UNRESOLVED;
}
