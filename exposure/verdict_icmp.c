/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP queries and their replies. */
#include "exposure/verdict_rules.h"

struct verdict
verdict_icmp(const struct verdict_input *in)
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
