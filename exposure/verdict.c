/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision procedure's way in: which theme judges a conversation.
 * Evidence is ordered by how hard it is to produce by accident: exact single
 * packets, flags consistent with a handshake, the exporter's claim, own
 * history, statistics, ports.
 */
#include <assert.h>

#include "exposure/protocol.h"
#include "exposure/verdict_rules.h"

#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_ICMP6 58

/* What the feed can show of flags says by which theme they are read. */
static struct verdict
tcp(const struct verdict_input *in)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (in->feed.no_flags ||
	    ((!o->present || o->no_flags) && (!i->present || i->no_flags)))
		return verdict_flagless(in);
	/* where one end sent nothing the flags are the other's: exact */
	if (in->feed.merged_flags && o->present && i->present)
		return verdict_merged(in);
	return verdict_tcp(in);
}

static struct verdict
by_theme(const struct verdict_input *in)
{
	bool by_firewall =
	    in->outer->firewall_event != 0 || in->inner->firewall_event != 0;

	switch (in->proto) {
	case PROTO_TCP:
		return by_firewall ? verdict_firewall(in) : tcp(in);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return say_technique(by_firewall ? verdict_firewall(in)
						 : verdict_icmp(in),
		    TECHNIQUE_ICMP);
	default:
		return say_technique(by_firewall ? verdict_firewall(in)
						 : verdict_udp(in),
		    protocol_has_ports(in->proto) ? TECHNIQUE_UDP
						  : TECHNIQUE_PROTOCOL);
	}
}

enum reason
verdict_reason(const struct feed_profile *feed)
{
	if (feed->one_sided)
		return REASON_ONE_SIDED;
	if (feed->sampled)
		return REASON_SAMPLED;
	if (feed->lossy)
		return REASON_LOSS;
	if (feed->partly)
		return REASON_PARTLY;
	return feed->unheard ? REASON_WINDOW : REASON_EVIDENCE;
}

/* Of a feed that is not known well yet, silence is said less surely. */
static void
degrade(struct verdict *v)
{
	if (outcome_answer(v->outcome) == ANSWER_SILENT &&
	    v->confidence > CONFIDENCE_LOW)
		v->confidence--;
}

struct verdict
verdict_of(const struct verdict_input *in)
{
	struct verdict_input now;
	struct verdict v;

	assert(in->outer != NULL && in->inner != NULL);
	if (in->feed.one_sided && !in->final) {
		/* the other half cannot come: nothing is gained by waiting */
		now = *in;
		now.final = true;
		v = by_theme(&now);
	} else {
		v = by_theme(in);
	}
	if (in->feed.unsure)
		degrade(&v);
	if (v.outcome == OUTCOME_UNRESOLVED)
		v.reason = (uint8_t)(in->outer->present && in->inner->present
					 ? REASON_EVIDENCE
					 : verdict_reason(&in->feed));
	return v;
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
