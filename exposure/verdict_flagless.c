/* SPDX-License-Identifier: Apache-2.0 */
/* TCP from exporters without flags: sizes decide. */
#include "exposure/verdict_rules.h"

/* Z rules: no probe has more packets, nor more octets in each. */
#define Z_PROBE_PACKETS 6
#define Z_PROBE_OCTETS	64

static bool
is_probe(const struct half *h)
{
	return h->packets <= Z_PROBE_PACKETS &&
	       h->octets <= (uint64_t)Z_PROBE_OCTETS * h->packets;
}

/* A reset is exactly the header's size, a SYN-ACK carries options. */
struct verdict
verdict_by_sizes(const struct verdict_input *in, enum confidence confidence)
{
	const struct half *i = in->inner;

	if (is_probe(in->outer) && i->packets <= in->outer->packets &&
	    i->octets == (uint64_t)in->header_octets * i->packets)
		return attempt(OUTCOME_REFUSED, RULE_Z2, CONFIDENCE_LOW);
	return attempt(OUTCOME_ACCEPTED, RULE_Z3, confidence);
}

struct verdict
verdict_flagless(const struct verdict_input *in)
{
	struct direction d;

	if (!in->outer->present)
		return in->final ? verdict_midstream(in) : wait_for_more();
	if (!in->inner->present) {
		if (!in->final)
			return wait_for_more();
		if (is_probe(in->outer) && is_visible(in))
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
	return verdict_by_sizes(in,
	    d.confidence > CONFIDENCE_MED ? CONFIDENCE_MED : d.confidence);
}
