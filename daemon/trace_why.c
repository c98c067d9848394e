/* SPDX-License-Identifier: Apache-2.0 */
/* Facts and their absence, each list in one place. */
#include "daemon/trace_why.h"
#include "daemon/trace_text.h"

static bool
is_told_sampled(const struct verdict_input *in)
{
	return in->outer->sampled || in->inner->sampled;
}

static bool
is_limited(const struct feed_profile *feed)
{
	return feed->one_sided || feed->sampled || feed->partly ||
	       feed->lossy || feed->unheard || feed->unsure;
}

/*
 * X(text, when it holds), of `in`. docs/trace.md tells each. The order stays:
 * a new one goes at the end.
 */
/* clang-format off */
#define FACT_LIST(X) \
	X("feed one-sided", in->feed.one_sided) \
	X("feed sampled", in->feed.sampled) \
	X("feed without flags", in->feed.no_flags) \
	X("feed merges flags", in->feed.merged_flags) \
	X("feed shares times", in->feed.shared_times) \
	X("service in the map", in->known_service) \
	X("the inner end sent first", in->pinhole) \
	X("exporter says outer opened", in->claimed == SIDE_OUTER) \
	X("exporter says inner opened", in->claimed == SIDE_INNER) \
	X("outer opened before", in->prior == SIDE_OUTER) \
	X("inner opened before", in->prior == SIDE_INNER) \
	X("many peers meet there", in->fan_in == FAN_IN_RESPONDER) \
	X("few peers meet there", in->fan_in == FAN_IN_CLIENT) \
	X("ICMP says closed", in->icmp == ICMP_ERROR_CLOSED) \
	X("ICMP says unreachable", in->icmp == ICMP_ERROR_UNREACHABLE) \
	X("nothing more is waited for", in->final) \
	X("feed shows answers partly", in->feed.partly) \
	X("feed lossy since it began", in->feed.lossy) \
	X("nobody listened when it began", in->feed.unheard) \
	X("exporter's word not believed", \
	    in->feed.no_claims && in->claimed != SIDE_NONE) \
	X("sampled by the configuration alone", \
	    in->feed.sampled && !is_told_sampled(in)) \
	X("not sampled by the configuration alone", \
	    !in->feed.sampled && is_told_sampled(in)) \
	X("a transfer was asked for", in->related) \
	X("the ports were a connection just before", in->tombstone) \
	X("FTP asked for it", in->ftp_data) \
	X("the inner end opened to others", in->was_client) \
	X("feed seen for a short while", in->feed.unsure)

/* X(condition, when to try it, what is changed in `other`). */
#define ELSE_LIST(X) \
	X("if nothing more comes", !in->final, \
	    (other.final = true, other.feed = *in_the_end)) \
	X("without the map", in->known_service, other.known_service = false) \
	X("without the exporter's word", in->claimed != SIDE_NONE, \
	    other.claimed = SIDE_NONE) \
	X("without the attempt before", in->prior != SIDE_NONE, \
	    other.prior = SIDE_NONE) \
	X("without the other peers", in->fan_in != FAN_IN_UNKNOWN, \
	    other.fan_in = FAN_IN_UNKNOWN) \
	X("if the feed showed every answer", is_limited(&in->feed), \
	    show_every_answer(&other.feed)) \
	X("if the flags were believed", in->feed.no_flags, \
	    other.feed.no_flags = false) \
	X("if the flags were one end's", in->feed.merged_flags, \
	    other.feed.merged_flags = false) \
	X("if the times were compared", in->feed.shared_times, \
	    other.feed.shared_times = false) \
	X("if the exporter's word were believed", \
	    in->feed.no_claims && in->claimed != SIDE_NONE, \
	    other.feed.no_claims = false) \
	X("without the packet from inside", in->pinhole, \
	    other.pinhole = false) \
	X("without the transfer", in->related, other.related = false) \
	X("without the ICMP error", in->icmp != ICMP_ERROR_NONE, \
	    other.icmp = ICMP_ERROR_NONE) \
	X("without FTP's control connection", in->ftp_data, \
	    other.ftp_data = false) \
	X("if the inner end had not opened", in->was_client, \
	    other.was_client = false)
/* clang-format on */

const char *
trace_fact(unsigned which)
{
	static const char *const texts[] = {
#define FACT_TEXT(text, holds) text,
		FACT_LIST(FACT_TEXT)
#undef FACT_TEXT
	};

	return which < sizeof(texts) / sizeof(texts[0]) ? texts[which] : NULL;
}

void
trace_print_given(const struct verdict_input *in, FILE *out)
{
	const bool holds[] = {
#define FACT_HOLDS(text, holds) holds,
		FACT_LIST(FACT_HOLDS)
#undef FACT_HOLDS
	};
	bool first = true;

	for (unsigned i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		if (!holds[i])
			continue;
		if (first)
			trace_begin_line(out, "given");
		fprintf(out, "%s%s", first ? "" : ", ", trace_fact(i));
		first = false;
	}
	if (!first)
		fputc('\n', out);
}

bool
trace_is_same(const struct verdict *a, const struct verdict *b)
{
	return a->outcome == b->outcome && a->rule == b->rule &&
	       a->confidence == b->confidence;
}

static void
show_every_answer(struct feed_profile *feed)
{
	feed->one_sided = feed->sampled = feed->partly = false;
	feed->lossy = feed->unheard = feed->unsure = false;
}

/* What it would be if one thing were otherwise; said when that matters. */
static void
print_candidate(const struct verdict_input *in, const struct verdict *now,
    const char *condition, FILE *out)
{
	struct verdict v = verdict_of(in);

	if (trace_is_same(&v, now))
		return;
	trace_begin_line(out, "else");
	fprintf(out, "%s: ", condition);
	trace_print_verdict(&v, out);
	if (v.outcome != OUTCOME_NONE)
		fprintf(out, ": %s", rule_why(v.rule));
	fputc('\n', out);
}

void
trace_print_else(const struct verdict_input *in,
    const struct feed_profile *in_the_end, const struct verdict *now, FILE *out)
{
	struct verdict_input other;

#define TRY(condition, when, change)                                           \
	if (when) {                                                            \
		other = *in;                                                   \
		change;                                                        \
		print_candidate(&other, now, condition, out);                  \
	}
	ELSE_LIST(TRY)
#undef TRY
}
