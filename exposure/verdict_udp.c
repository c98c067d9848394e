/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP, and every protocol without flags: an answer is all there is to see.
 * Those without ports have one exposure a host; who spoke first says who
 * opened, and nothing else does.
 */
#include "exposure/protocol.h"
#include "exposure/verdict_rules.h"

static const uint8_t udp_rules[] = { RULE_NONE, RULE_NONE, RULE_NONE, RULE_NONE,
	RULE_W_D5, RULE_W_D5, RULE_W_D6, RULE_W_D7, RULE_W_D8 };

static enum rule
answered_rule(const struct verdict_input *in, struct direction d)
{
	if (protocol_has_ports(in->proto))
		return (enum rule)udp_rules[d.number];
	return d.number == 6 ? RULE_P_D6 : RULE_P_D5;
}

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
	return say(OUTCOME_OUTBOUND, direction_rule(d),
	    d.number == 9 ? CONFIDENCE_LOW : d.confidence, SIDE_INNER);
}

struct verdict
verdict_udp(const struct verdict_input *in)
{
	bool both_known =
	    in->outer_port < PORT_SYSTEM && in->inner_port < PORT_SYSTEM;
	struct direction d;

	if (in->related)
		return attempt(OUTCOME_ACCEPTED, RULE_W_69, CONFIDENCE_MED);
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
	if (d.number >= 6 && (in->outer_port == in->inner_port || both_known))
		d.initiator = SIDE_NONE;
	switch (d.initiator) {
	case SIDE_OUTER:
		return attempt(OUTCOME_ACCEPTED, answered_rule(in, d),
		    d.confidence);
	case SIDE_INNER:
		return say(OUTCOME_OUTBOUND, direction_rule(d), d.confidence,
		    SIDE_INNER);
	case SIDE_NONE:
		break;
	}
	return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE, SIDE_NONE);
}
