/* SPDX-License-Identifier: Apache-2.0 */
/* TCP from exporters without flags: sizes decide. */
#include "exposure/verdict_rules.h"

/* Z rules: no probe has more packets, nor more octets in each. */
#define Z_PROBE_PACKETS 6
#define Z_PROBE_OCTETS	64

/* Z rules: a reset is exactly the header's size, a SYN-ACK carries options. */
struct verdict
verdict_flagless(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;
	bool probe = o->packets <= Z_PROBE_PACKETS &&
		     o->octets <= (uint64_t)Z_PROBE_OCTETS * o->packets;
	struct direction d;

	if (!o->present)
		return in->final ? verdict_midstream(in) : wait_for_more();
	if (!i->present) {
		if (!in->final)
			return wait_for_more();
		if (probe && is_visible(in))
			return attempt(OUTCOME_SILENT, RULE_Z1, CONFIDENCE_LOW);
		return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
	}
	d = direction_of_tcp(in);
	if (d.initiator == SIDE_INNER)
		return say(OUTCOME_OUTBOUND, direction_rule(d), d.confidence,
		    SIDE_INNER);
	if (d.initiator == SIDE_NONE)
		return say(OUTCOME_UNKNOWN_DIR, RULE_D9, CONFIDENCE_NONE,
		    SIDE_NONE);
	if (probe && i->packets <= o->packets &&
	    i->octets == (uint64_t)in->header_octets * i->packets)
		return attempt(OUTCOME_REFUSED, RULE_Z2, CONFIDENCE_LOW);
	return attempt(OUTCOME_ACCEPTED, RULE_Z3,
	    d.confidence > CONFIDENCE_MED ? CONFIDENCE_MED : d.confidence);
}
