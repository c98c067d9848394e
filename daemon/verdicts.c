/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as a line of JSON; its words and numbers need no escaping. */
#include "daemon/verdicts.h"
#include "exposure/trace.h"

static const char *
initiator_name(const struct engine_trace *t)
{
	switch ((enum side)t->initiator) {
	case SIDE_OUTER:
		return "outer";
	case SIDE_INNER:
		return "inner";
	case SIDE_NONE:
		break;
	}
	return "unknown";
}

void
verdicts_print(const struct engine_trace *t, void *out)
{
	char outer[ADDR_TEXT_MAX];
	char inner[ADDR_TEXT_MAX];

	if (t->kind != TRACE_VERDICT && t->kind != TRACE_OVER)
		return;
	fprintf(out,
	    "{\"outer\":\"%s\",\"outer_port\":%u,\"inner\":\"%s\","
	    "\"inner_port\":%u,\"proto\":%u,\"generation\":%u,"
	    "\"internal\":%s,\"ended\":%s,\"initiator\":\"%s\",\"outcome\":\"%"
	    "s\","
	    "\"rule\":\"%s\",\"confidence\":\"%s\",\"technique\":\"%s\"}\n",
	    addr_format(&t->outer, outer), t->outer_port,
	    addr_format(&t->inner, inner), t->inner_port, t->proto,
	    t->generation, t->internal ? "true" : "false",
	    t->ended ? "true" : "false", initiator_name(t),
	    outcome_name(t->outcome), rule_name(t->rule),
	    confidence_name(t->confidence), technique_name(t->technique));
}
