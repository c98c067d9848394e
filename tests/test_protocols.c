/* SPDX-License-Identifier: Apache-2.0 */
/* What is no TCP and no plain UDP: GRE, ESP, AH, SCTP, ICMP's questions. */
#include <stdio.h>

#include "tests/test.h"
#include "tests/world.h"

#define PEER  "203.0.113.10"
#define HOST  "10.0.0.5"
#define PEER6 "[2001:db8:f::10]"
#define HOST6 "[2001:db8:a::5]"

#define GRE  47
#define AH   51
#define SCTP 132

static const struct finding_exposure *
only_exposure(const struct world *w)
{
	assert_int_equal(w->exposure_count, 1);
	return &w->exposures[0];
}

static void
answered_protocol_without_ports_is_one_exposure_of_the_host(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_flow(w, 0,
	    PEER ":0>" HOST ":0 proto=47 pkts=3 octets=300 start_ms=1000");
	world_flow(w, 0,
	    HOST ":0>" PEER ":0 proto=47 pkts=3 octets=300 start_ms=1004");
	world_drain(w);
	x = only_exposure(w);
	assert_int_equal(x->proto, GRE);
	assert_int_equal(x->port, 0);
	assert_int_equal(x->tier, TIER_PROBABLE);
	assert_string_equal(rule_name(x->rule), "P:D5");
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

/* AH over IPv6, five peers: no coincidence any more. */
static void
protocol_that_answers_five_peers_is_confirmed(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 1; i <= 5; i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    "[2001:db8:f::%d]:0>" HOST6
		    ":0 proto=51 pkts=3 octets=300 start_ms=%d",
		    i, i * 1000);
		world_flow(w, i * 1000, text);
		snprintf(text, sizeof(text),
		    HOST6 ":0>[2001:db8:f::%d]:0 proto=51 pkts=3 octets=300 "
			  "start_ms=%d",
		    i, i * 1000 + 4);
		world_flow(w, i * 1000, text);
	}
	world_drain(w);
	assert_int_equal(only_exposure(w)->proto, AH);
	assert_int_equal(only_exposure(w)->tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

static void
tunnel_opened_from_inside_exposes_nothing(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    HOST ":0>" PEER ":0 proto=50 pkts=3 octets=300 start_ms=1000");
	world_flow(w, 0,
	    PEER ":0>" HOST ":0 proto=50 pkts=3 octets=300 start_ms=1004");
	/* another peer, by the same opening */
	world_flow(w, 100,
	    "203.0.113.11:0>" HOST
	    ":0 proto=50 pkts=3 octets=300 start_ms=2000");
	world_flow(w, 100,
	    HOST ":0>203.0.113.11:0 proto=50 pkts=3 octets=300 start_ms=2004");
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 2);
	world_free(w);
}

static void
tunnel_whose_halves_tell_no_order_is_of_unknown_direction(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    HOST ":0>" PEER ":0 proto=50 pkts=3 octets=300 start_ms=1000");
	world_flow(w, 0,
	    PEER ":0>" HOST ":0 proto=50 pkts=3 octets=300 start_ms=1000");
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 1);
	world_free(w);
}

static void
protocol_nobody_answers_is_a_scan_event(void **state)
{
	struct world *w = world_new(0);
	const struct finding_scan_event *event;

	(void)state;
	world_show_both(w);
	world_flow(w, 0, PEER ":0>" HOST ":0 proto=47 pkts=1 octets=20");
	world_drain(w);
	event = world_event(w, PEER, HOST, 0);
	assert_non_null(event);
	assert_string_equal(technique_name(event->technique), "protocol");
	assert_int_equal(event->answer, ANSWER_SILENT);
	world_free(w);
}

static void
protocol_unreachable_from_the_host_refuses_the_protocol(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0, PEER ":0>" HOST ":0 proto=47 pkts=1 octets=20");
	world_flow(w, 0, HOST ":0>" PEER ":0 proto=1 pkts=1 icmp=3/2");
	world_flow(w, 0, PEER6 ":0>" HOST6 ":0 proto=47 pkts=1 octets=40");
	world_flow(w, 0, HOST6 ":0>" PEER6 ":0 proto=58 pkts=1 icmp=4/1");
	world_drain(w);
	assert_int_equal(world_event(w, PEER, HOST, 0)->answer, ANSWER_REFUSED);
	assert_int_equal(
	    world_event(w, "2001:db8:f::10", "2001:db8:a::5", 0)->answer,
	    ANSWER_REFUSED);
	world_free(w);
}

/* The host speaks UDP, or it would say nothing of ports. */
static void
protocol_unreachable_does_not_answer_a_datagram(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0, PEER ":40000>" HOST ":99 proto=17 pkts=1 octets=40");
	world_flow(w, 0, HOST ":0>" PEER ":0 proto=1 pkts=1 icmp=3/2");
	world_drain(w);
	assert_int_equal(world_event(w, PEER, HOST, 99)->answer, ANSWER_SILENT);
	world_free(w);
}

static void
sctp_is_judged_as_udp_is(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    PEER ":40000>" HOST
		 ":2905 proto=132 pkts=3 octets=300 start_ms=1000");
	world_flow(w, 0,
	    HOST ":2905>" PEER
		 ":40000 proto=132 pkts=3 octets=300 start_ms=1004");
	world_drain(w);
	assert_int_equal(only_exposure(w)->proto, SCTP);
	assert_string_equal(rule_name(only_exposure(w)->rule), "W:D5");
	world_free(w);
}

/* The endpoint opened an association itself: what comes is its answer. */
static void
sctp_has_pinholes_of_its_own(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    HOST ":40000>203.0.113.11:2905 proto=132 pkts=1 octets=90 "
		 "start_ms=1000");
	world_flow(w, 0,
	    "203.0.113.11:2905>" HOST
	    ":40000 proto=132 pkts=1 octets=90 start_ms=1004");
	world_flow(w, 100,
	    PEER ":2905>" HOST
		 ":40000 proto=132 pkts=1 octets=90 start_ms=2000");
	world_flow(w, 100,
	    HOST ":40000>" PEER
		 ":2905 proto=132 pkts=1 octets=90 start_ms=2004");
	/* the same number in UDP is another endpoint */
	world_flow(w, 200,
	    PEER ":2905>" HOST
		 ":40000 proto=17 pkts=1 octets=90 start_ms=3000");
	world_flow(w, 200,
	    HOST ":40000>" PEER
		 ":2905 proto=17 pkts=1 octets=90 start_ms=3004");
	world_drain(w);
	assert_int_equal(only_exposure(w)->proto, 17);
	world_free(w);
}

static void
icmp_timestamp_and_mask_are_questions_as_echo_is(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0, PEER ":0>" HOST ":0 proto=1 pkts=1 icmp=13/0");
	world_flow(w, 0, HOST ":0>" PEER ":0 proto=1 pkts=1 icmp=14/0");
	world_flow(w, 0, PEER ":0>" HOST ":0 proto=1 pkts=1 icmp=17/0");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_ECHO_ANSWERED), 1);
	assert_int_equal(world_outcomes(w, OUTCOME_ECHO_SILENT), 1);
	assert_int_equal(w->host_count, 1);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

static void
answer_to_one_icmp_question_is_none_to_another(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0, PEER ":0>" HOST ":0 proto=1 pkts=1 icmp=8/0");
	world_flow(w, 0, HOST ":0>" PEER ":0 proto=1 pkts=1 icmp=14/0");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_ECHO_SILENT), 1);
	world_free(w);
}

static void
extension_header_in_place_of_a_protocol_is_not_judged(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0, PEER6 ":0>" HOST6 ":0 proto=44 pkts=1 octets=40");
	world_drain(w);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(counter_get(&w->counters, COUNTER_FLOWS_UNUSABLE), 1);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(
		    answered_protocol_without_ports_is_one_exposure_of_the_host),
		TEST(protocol_that_answers_five_peers_is_confirmed),
		TEST(tunnel_opened_from_inside_exposes_nothing),
		TEST(tunnel_whose_halves_tell_no_order_is_of_unknown_direction),
		TEST(protocol_nobody_answers_is_a_scan_event),
		TEST(protocol_unreachable_from_the_host_refuses_the_protocol),
		TEST(protocol_unreachable_does_not_answer_a_datagram),
		TEST(sctp_is_judged_as_udp_is),
		TEST(sctp_has_pinholes_of_its_own),
		TEST(icmp_timestamp_and_mask_are_questions_as_echo_is),
		TEST(answer_to_one_icmp_question_is_none_to_another),
		TEST(extension_header_in_place_of_a_protocol_is_not_judged),
	};

	return RUN_TESTS(tests);
}
