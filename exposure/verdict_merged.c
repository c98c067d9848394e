/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP from exporters whose tcpControlBits are the OR of both directions, as
 * nProbe's IE 6 beside counters for each. Only what the flags of both ends
 * together and the counts allow is said, and nothing of it is exact.
 */
#include "exposure/verdict_rules.h"

/* The record names the initiator first: the exporter saw the first packet. */
static enum side
forward_side(const struct verdict_input *in)
{
	if (in->outer->reverse == in->inner->reverse)
		return direction_by_history(in).initiator;
	return in->inner->reverse ? SIDE_OUTER : SIDE_INNER;
}

/* All that came back were resets: they are headers and nothing more. */
static bool
answers_are_bare(const struct verdict_input *in)
{
	const struct half *i = in->inner;

	return i->packets == in->outer->packets &&
	       i->octets == (uint64_t)in->header_octets * i->packets;
}

/* SYN, an ACK and a RST are in it, and no sign of data. */
static struct verdict
with_reset(const struct verdict_input *in)
{
	uint32_t sent = in->outer->packets;
	uint32_t answered = in->inner->packets;

	if (sent == 1 && answered == 1) /* SYN, RST-ACK */
		return attempt(OUTCOME_REFUSED, RULE_MF1, CONFIDENCE_MED);
	if (answers_are_bare(in)) /* the same, with SYNs repeated */
		return attempt(OUTCOME_REFUSED, RULE_MF1, CONFIDENCE_LOW);
	if (sent >= 2) /* SYN, SYN-ACK, RST */
		return attempt(OUTCOME_ACCEPTED_HALF_OPEN, RULE_MF2,
		    CONFIDENCE_MED);
	return attempt(OUTCOME_UNRESOLVED, RULE_MF4, CONFIDENCE_LOW);
}

struct verdict
verdict_merged(const struct verdict_input *in)
{
	unsigned flags = in->outer->flags | in->inner->flags;
	enum side forward = forward_side(in);

	if ((flags & TCP_SYN) == 0)
		return verdict_midstream(in);
	if (forward == SIDE_INNER)
		return say(OUTCOME_OUTBOUND, RULE_D4, CONFIDENCE_MED,
		    SIDE_INNER);
	if (forward == SIDE_NONE)
		return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE,
		    SIDE_NONE);
	if ((flags & TCP_ACK) == 0) {
		if ((flags & TCP_RST) != 0 && answers_are_bare(in))
			return attempt(OUTCOME_REFUSED, RULE_MF1,
			    CONFIDENCE_LOW);
		return attempt(OUTCOME_UNRESOLVED, RULE_MF4, CONFIDENCE_LOW);
	}
	if ((flags & (TCP_PSH | TCP_FIN)) != 0)
		return attempt(OUTCOME_ACCEPTED, RULE_MF3, CONFIDENCE_MED);
	if ((flags & TCP_RST) != 0)
		return with_reset(in);
	/* SYN and SYN-ACK; a second packet of the opener acknowledged it, or
	 * is its SYN again */
	return attempt(OUTCOME_ACCEPTED_NO_ACK, RULE_MF3, CONFIDENCE_MED);
}
