/* SPDX-License-Identifier: Apache-2.0 */
/* TCP from exporters without flags: sizes decide. */
#include "exposure/verdict_rules.h"

/* Z rules: no probe has more packets, nor more octets of options in each. */
#define Z_PROBE_PACKETS 6
#define Z_PROBE_OPTIONS 24

/* Bare headers may be resets; so many are the ACKs of a connection. */
#define Z_ANSWER_PACKETS 3

static bool
is_probe(const struct verdict_input *in)
{
	const struct half *h = in->outer;
	uint64_t each = (uint64_t)in->header_octets + Z_PROBE_OPTIONS;

	return h->packets <= Z_PROBE_PACKETS && h->octets <= each * h->packets;
}

/* A reset is exactly the header's size, a SYN-ACK carries options. */
struct verdict
verdict_by_sizes(const struct verdict_input *in, enum confidence confidence)
{
	const struct half *i = in->inner;
	bool bare = i->octets == (uint64_t)in->header_octets * i->packets;

	if (bare && is_probe(in) && i->packets <= in->outer->packets)
		return attempt(OUTCOME_REFUSED, RULE_Z2, CONFIDENCE_LOW);
	if (bare && i->packets < Z_ANSWER_PACKETS)
		return attempt(OUTCOME_UNRESOLVED, RULE_S2, CONFIDENCE_NONE);
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
		if (is_probe(in) && is_visible(in))
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
