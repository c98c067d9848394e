/* SPDX-License-Identifier: Apache-2.0 */
/* TCP by its flags: the outcome matrix, one function a row group. */
#include "exposure/verdict_rules.h"

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
		if (is_visible(in))
			return backscatter(one_packet ? RULE_U2 : RULE_U2M,
			    CONFIDENCE_MED);
		if (one_packet) /* what it answers could not be seen */
			return say(OUTCOME_OUTBOUND, RULE_D2, CONFIDENCE_MED,
			    SIDE_INNER);
		return say(OUTCOME_UNRESOLVED, RULE_A4B, CONFIDENCE_NONE,
		    SIDE_NONE);
	}
	if (has_only(i, EV_RST1))
		return backscatter(RULE_U1, CONFIDENCE_HIGH);
	if (has_only(i, EV_RST_ANY)) {
		if (one_packet || direction_of_tcp(in).initiator == SIDE_INNER)
			return backscatter(RULE_U1, CONFIDENCE_MED);
		return attempt(OUTCOME_ACCEPTED, RULE_A6, CONFIDENCE_LOW);
	}
	return verdict_by_direction(in);
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
			return verdict_midstream(in);
		return backscatter(RULE_U4, CONFIDENCE_MED);
	}
	if (has_only(i, EV_SYNACK1))
		return say(OUTCOME_OUT_PROBE, RULE_U3, CONFIDENCE_MED,
		    SIDE_INNER);
	if (has(i, EV_MIX) && direction_by_history(in).initiator == SIDE_INNER)
		return verdict_by_direction(in);
	return verdict_midstream(in);
}

/* It acknowledged in no record but those that bear SYN as well: a SYN-ACK, and
 * no sign that it ever came to be the client of a connection. */
static bool
acked_with_syn_alone(const struct half *h)
{
	return (h->flags & ~(TCP_SYN | TCP_ACK)) == 0 &&
	       has(h, EV_SYNACK1 | EV_MIX) && !has(h, EV_ACKED);
}

/* SYN from outside, nothing from inside. */
static struct verdict
outer_syn_alone(const struct verdict_input *in)
{
	const struct half *o = in->outer;

	if (!in->final)
		return wait_for_more();
	if (acked_with_syn_alone(o))
		return attempt(OUTCOME_UNRESOLVED, RULE_A4B, CONFIDENCE_NONE);
	if ((o->flags & TCP_ACK) != 0)
		return verdict_by_direction_of_one(in);
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

/* Simultaneous open, split handshake, or a SYN that somebody made up. */
static struct verdict
both_opened(const struct verdict_input *in)
{
	struct verdict v = verdict_by_direction(in);

	if (v.outcome == OUTCOME_ACCEPTED)
		v.outcome = (uint8_t)accepted_outcome(in);
	return v;
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
	if (i->no_flags) /* the exporter tells the opener's alone */
		return verdict_by_sizes(in, CONFIDENCE_MED);
	if (i->packets > 1) /* the flags of this direction are missing */
		return attempt(OUTCOME_ACCEPTED, RULE_A2, CONFIDENCE_LOW);
	return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
}

/* SYN, ACK and RST, but nothing that a connection's data or end has. */
static bool
sent_no_data(const struct half *h)
{
	return (h->flags & TCP_RST) != 0 &&
	       (h->flags & (TCP_PSH | TCP_FIN | TCP_URG)) == 0;
}

/* Row: SYN and ACK and more, over several packets. */
static struct verdict
outer_mix(const struct verdict_input *in)
{
	const struct half *i = in->inner;

	if (!i->present)
		return in->final ? verdict_by_direction_of_one(in)
				 : wait_for_more();
	if (has_only(i, EV_RST_ANY)) {
		if (direction_of_tcp(in).initiator == SIDE_INNER)
			return verdict_by_direction(in);
		if (has_only(i, EV_RST1) && sent_no_data(in->outer))
			/* SYN-ACK and RST in one record, each disowned */
			return backscatter(RULE_U1, CONFIDENCE_MED);
		return attempt(OUTCOME_ACCEPTED, RULE_A6, CONFIDENCE_LOW);
	}
	return verdict_by_direction(in);
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
		return verdict_by_direction(in);
	}
	return verdict_midstream(in);
}

/* Row: one packet FIN-ACK or ACK. */
static struct verdict
outer_one_ack(const struct verdict_input *in)
{
	if (!in->inner->present)
		return in->final ? verdict_midstream(in) : wait_for_more();
	if (has_only(in->inner, EV_RST1) && !in->tombstone)
		return say_technique(attempt(OUTCOME_STEALTH_UNFILTERED,
					 RULE_N3, CONFIDENCE_MED),
		    has(in->outer, EV_MAIMON1) ? TECHNIQUE_MAIMON
					       : TECHNIQUE_ACK);
	if (has(in->inner, EV_SYNACK1 | EV_MIX))
		return verdict_by_direction(in);
	return verdict_midstream(in);
}

/* Row: SYN and RST in one packet. */
static struct verdict
outer_bad_syn(const struct verdict_input *in)
{
	if (!in->inner->present && !in->final)
		return wait_for_more();
	if (has(in->inner, EV_SYNACK1 | EV_MIX))
		return attempt(OUTCOME_ACCEPTED, RULE_A1_D2, CONFIDENCE_HIGH);
	if (!in->inner->present && !is_visible(in))
		return say_technique(attempt(OUTCOME_UNRESOLVED, RULE_S2,
					 CONFIDENCE_NONE),
		    TECHNIQUE_OTHER);
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
		return verdict_by_direction_of_one(in);
	if (has_only(i, EV_RSTACK1) && i->packets == 1 && !in->tombstone &&
	    !in->feed.sampled) /* else the rest was not looked at */
		return attempt(OUTCOME_REFUSED, RULE_R4, CONFIDENCE_LOW);
	return verdict_midstream(in);
}

struct verdict
verdict_tcp(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (!o->present)
		return inner_alone(in);
	if ((has(o, EV_SYN) && has(i, EV_SYN)) || syn_is_contradicted(o, i))
		return both_opened(in);
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
		return verdict_by_direction(in);
	if (!i->present && !in->final)
		return wait_for_more();
	return verdict_midstream(in);
}
