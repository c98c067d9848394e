/* SPDX-License-Identifier: Apache-2.0 */
/* Firewalls' own records of what they did (IE 233). */
#include "exposure/verdict_rules.h"

/* The firewall let the inside open it; what it then denies are leftovers. */
static bool
firewall_let_out(const struct verdict_input *in)
{
	unsigned inner = in->inner->firewall_event;

	return in->outer->firewall_event == 0 ||
	       (in->outer->firewall_event == FIREWALL_DENIED && inner != 0 &&
		   inner != FIREWALL_DENIED);
}

/* The source is the initiator. */
struct verdict
verdict_firewall(const struct verdict_input *in)
{
	bool ended = in->outer->firewall_event == FIREWALL_DELETED ||
		     in->outer->firewall_event == FIREWALL_UPDATED;

	if (firewall_let_out(in))
		return say(OUTCOME_OUTBOUND, RULE_D4, CONFIDENCE_HIGH,
		    SIDE_INNER);
	if (in->outer->firewall_event == FIREWALL_DENIED)
		return attempt(OUTCOME_DENIED, RULE_FW_DENIED, CONFIDENCE_HIGH);
	/* one packet without octets may be a SYN-ACK, or a RST */
	if (ended && in->inner->present &&
	    (in->inner->octets > 0 || in->inner->packets >= 2))
		return attempt(OUTCOME_ACCEPTED, RULE_FW_BYTES,
		    CONFIDENCE_HIGH);
	if (!in->final)
		return wait_for_more();
	return attempt(OUTCOME_UNRESOLVED, RULE_FW_NOBYTES, CONFIDENCE_LOW);
}
