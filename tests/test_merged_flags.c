/* SPDX-License-Identifier: Apache-2.0 */
/* Exporters whose tcpControlBits are the OR of both directions. */
#include "exposure/trace.h"
#include "tests/test.h"
#include "tests/world.h"

#define CLIENT "203.0.113.10:43000"
#define SERVER "10.0.0.5:50123"

struct last {
	struct engine_trace trace;
	int count;
};

static void
keep(const struct engine_trace *t, void *arg)
{
	struct last *last = arg;

	if (t->kind != TRACE_VERDICT)
		return;
	last->trace = *t;
	last->count++;
}

static struct world *
merged_world(struct last *last)
{
	struct feed_profile merged = { .merged_flags = true };
	struct world *w = world_new(0);

	engine_set_profile(w->engine, 0, &merged);
	engine_set_trace(w->engine, keep, last);
	return w;
}

/* One such record, as its two halves; forward is the first two packets'. */
static void
take(struct world *w, const char *forward, const char *reverse)
{
	world_flow(w, 0, forward);
	world_flow(w, 0, reverse);
	world_drain(w);
}

static void
says(const struct last *last, enum outcome outcome, enum rule rule)
{
	assert_string_equal(outcome_name(last->trace.outcome),
	    outcome_name(outcome));
	assert_string_equal(rule_name(last->trace.rule), rule_name(rule));
}

static void
one_packet_each_way_with_a_reset_among_them_is_refused(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x16 pkts=1 octets=44",
	    SERVER ">" CLIENT " proto=6 flags=0x16 pkts=1 octets=40 reverse=1");
	says(&last, OUTCOME_REFUSED, RULE_MF1);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

static void
as_many_bare_headers_back_as_packets_sent_are_refusals(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x16 pkts=3 octets=156",
	    SERVER ">" CLIENT
		   " proto=6 flags=0x16 pkts=3 octets=120 reverse=1");
	says(&last, OUTCOME_REFUSED, RULE_MF1);
	assert_int_equal(last.trace.confidence, CONFIDENCE_LOW);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

static void
two_packets_out_and_one_back_with_a_reset_are_half_open(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x16 pkts=2 octets=84",
	    SERVER ">" CLIENT " proto=6 flags=0x16 pkts=1 octets=44 reverse=1");
	says(&last, OUTCOME_ACCEPTED_HALF_OPEN, RULE_MF2);
	assert_non_null(world_exposure(w, "10.0.0.5", 50123));
	world_free(w);
}

static void
data_in_the_merged_flags_is_accepted_by_who_comes_first(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x1b pkts=5 octets=400",
	    SERVER ">" CLIENT
		   " proto=6 flags=0x1b pkts=5 octets=900 reverse=1");
	says(&last, OUTCOME_ACCEPTED, RULE_MF3);
	assert_int_equal(last.trace.confidence, CONFIDENCE_MED);
	world_free(w);
}

/* Ports say the opposite: the record's direction counts. */
static void
record_that_names_the_inside_first_is_outbound(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, "10.0.0.5:80>" CLIENT " proto=6 flags=0x1b pkts=5 octets=400",
	    CLIENT ">10.0.0.5:80"
		   " proto=6 flags=0x1b pkts=5 octets=900 reverse=1");
	says(&last, OUTCOME_OUTBOUND, RULE_D4);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

/* Where nothing came back the flags are one end's, and exact. */
static void
syn_with_no_packet_back_is_silent(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x02 pkts=2 octets=88",
	    SERVER ">" CLIENT " proto=6 flags=0x02 pkts=0 octets=0 reverse=1");
	says(&last, OUTCOME_SILENT, RULE_S1);
	world_free(w);
}

static void
merged_flags_without_syn_say_nothing(void **state)
{
	struct last last = { 0 };
	struct world *w = merged_world(&last);

	(void)state;
	take(w, CLIENT ">" SERVER " proto=6 flags=0x18 pkts=5 octets=400",
	    SERVER ">" CLIENT
		   " proto=6 flags=0x18 pkts=5 octets=900 reverse=1");
	says(&last, OUTCOME_MIDSTREAM, RULE_M_D9);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

/* Before the feed is known: 0x16 in one packet is no SYN-ACK. */
static void
packet_with_syn_ack_and_reset_proves_no_acceptance(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take(w, CLIENT ">10.0.0.5:80 proto=6 flags=0x16 pkts=1 octets=44",
	    "10.0.0.5:80>" CLIENT
	    " proto=6 flags=0x16 pkts=1 octets=40 reverse=1");
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

/* An old nProbe tells the client's flags alone: sizes tell of the server. */
static void
answer_without_flags_to_a_syn_is_read_by_its_size(void **state)
{
	struct last last = { 0 };
	struct world *w = world_new(0);

	(void)state;
	engine_set_trace(w->engine, keep, &last);
	take(w, CLIENT ">10.0.0.5:81 proto=6 flags=0x02 pkts=2 octets=88",
	    "10.0.0.5:81>" CLIENT " proto=6 pkts=2 octets=80 reverse=1");
	says(&last, OUTCOME_REFUSED, RULE_Z2);
	take(w, CLIENT ">10.0.0.5:82 proto=6 flags=0x02 pkts=1 octets=44",
	    "10.0.0.5:82>" CLIENT " proto=6 pkts=1 octets=44 reverse=1");
	says(&last, OUTCOME_ACCEPTED, RULE_Z3);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_packet_each_way_with_a_reset_among_them_is_refused),
		TEST(as_many_bare_headers_back_as_packets_sent_are_refusals),
		TEST(two_packets_out_and_one_back_with_a_reset_are_half_open),
		TEST(data_in_the_merged_flags_is_accepted_by_who_comes_first),
		TEST(record_that_names_the_inside_first_is_outbound),
		TEST(syn_with_no_packet_back_is_silent),
		TEST(merged_flags_without_syn_say_nothing),
		TEST(packet_with_syn_ack_and_reset_proves_no_acceptance),
		TEST(answer_without_flags_to_a_syn_is_read_by_its_size),
	};

	return RUN_TESTS(tests);
}
