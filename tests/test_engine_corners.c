/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that are wrong, evidence that contradicts itself, what was believed
 * and taken back, and what is forgotten for lack of room. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"
#include "tests/world.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define DAY    (24 * INT64_C(3600000))
#define CLIENT "203.0.113.10"
#define OTHER  "203.0.113.11"
#define HOST   "10.0.0.5"

/* --- clocks ----------------------------------------------------------------
 */

/* A record told by a clock that is off by off_ms. */
static void
flow_by_clock(struct world *w, int64_t at_ms, int64_t off_ms, const char *text)
{
	char timed[256];

	snprintf(timed, sizeof(timed),
	    "%s export_ms=%" PRId64 " start_ms=%" PRId64, text, at_ms + off_ms,
	    at_ms + off_ms);
	world_flow(w, at_ms, timed);
}

static void
exporter_whose_clock_is_behind_training_does_not_hush_alerts(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 3 * DAY, CLIENT ":40000", HOST ":25", 'a');
	world_tick(w, 3 * DAY + 2 * HOUR);
	flow_by_clock(w, 3 * DAY + 2 * HOUR, -3 * DAY,
	    CLIENT ":40000>" HOST ":443 proto=6 flags=0x02 pkts=1 octets=60");
	flow_by_clock(w, 3 * DAY + 2 * HOUR, -3 * DAY,
	    HOST ":443>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=60");
	world_collect(w);
	assert_non_null(world_alert(w, HOST, 443));
	assert_in_range(world_exposure(w, HOST, 443)->first_ms,
	    WORLD_MS + 3 * DAY + 2 * HOUR - MINUTE,
	    WORLD_MS + 3 * DAY + 2 * HOUR + MINUTE);
	assert_int_equal(counter_get(&w->counters, COUNTER_TIME_SHIFTED), 2);
	world_free(w);
}

/* Five minutes are drift: the running median of its datagrams corrects it, so
 * that comparisons of its own times are left alone. */
static void
clock_that_is_minutes_off_is_corrected_as_learned(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	flow_by_clock(w, HOUR, -5 * MINUTE,
	    CLIENT ":40000>" HOST ":443 proto=6 flags=0x02 pkts=1 octets=60");
	flow_by_clock(w, HOUR, -5 * MINUTE,
	    HOST ":443>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=60");
	world_collect(w);
	assert_int_equal(world_exposure(w, HOST, 443)->first_ms,
	    WORLD_MS + HOUR);
	assert_int_equal(counter_get(&w->counters, COUNTER_TIME_SHIFTED), 0);
	world_free(w);
}

static void
silence_is_found_after_the_clock_was_set_back(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 30 * DAY, CLIENT ":40000", HOST ":80", 'a');
	/* the mistake is seen, and the clock set */
	world_attempt(w, HOUR, CLIENT ":40001", HOST ":81", 's');
	world_tick(w, HOUR + MINUTE);
	assert_null(world_event(w, CLIENT, HOST, 81));
	world_tick(w, HOUR + 3 * MINUTE);
	assert_non_null(world_event(w, CLIENT, HOST, 81));
	assert_int_equal(world_event(w, CLIENT, HOST, 81)->answer,
	    ANSWER_SILENT);
	assert_int_equal(counter_get(&w->counters, COUNTER_CLOCK_SET_BACK), 1);
	world_free(w);
}

/* --- contradictions --------------------------------------------------------
 */

/* The outside server of a connection sends a SYN behind its end. */
static void
syn_of_an_outside_server_on_our_clients_port_exposes_nothing(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 1000,
	    HOST ":50123>" CLIENT ":443 proto=6 flags=0x1b pkts=6 octets=600 "
		 "start_ms=1000 exporter=r1");
	world_flow(w, 1000,
	    CLIENT ":443>" HOST ":50123 proto=6 flags=0x1b pkts=6 octets=600 "
		   "start_ms=1000 exporter=r1");
	world_flow(w, 1400,
	    CLIENT ":443>" HOST ":50123 proto=6 flags=0x02 pkts=1 octets=60 "
		   "start_ms=1400 exporter=r1");
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

/* An exact SYN-ACK from inside outweighs whatever the outside did. */
static void
exact_syn_ack_from_inside_settles_a_contradiction(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    CLIENT ":40000>" HOST ":50123 proto=6 flags=0x02 pkts=1 octets=60");
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":50123 proto=6 flags=0x1a pkts=4 octets=400");
	world_flow(w, 0,
	    HOST ":50123>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=60");
	world_drain(w);
	assert_string_equal(rule_name(world_exposure(w, HOST, 50123)->rule),
	    "A1:D1");
	world_free(w);
}

/* --- what is taken back ----------------------------------------------------
 */

/* The first acceptance was a probe from inside that the outside reset. */
static void
exposure_is_opened_by_the_next_when_its_opener_is_taken_back(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_flow(w, 0,
	    HOST ":8080>" CLIENT ":80 proto=6 flags=0x12 pkts=1 octets=44");
	world_attempt(w, 2000, OTHER ":40000", HOST ":8080", 'a');
	world_collect(w);
	assert_int_equal(world_exposure(w, HOST, 8080)->first_ms, WORLD_MS);
	world_flow(w, 3000,
	    CLIENT ":80>" HOST ":8080 proto=6 flags=0x04 pkts=1 octets=40 "
		   "start_ms=10");
	world_drain(w);
	x = world_exposure(w, HOST, 8080);
	assert_non_null(x);
	assert_int_equal(x->accepted, 1);
	assert_int_equal(x->first_ms, WORLD_MS + 2000);
	assert_int_equal(x->first_client_port, 40000);
	assert_int_equal(world_alert(w, HOST, 8080)->opened_ms,
	    WORLD_MS + 2000);
	world_free(w);
}

/* What was a probe at first was answered: the next one is the first. */
static void
first_probe_is_found_anew_when_it_was_none(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", HOST ":81", 's');
	world_attempt(w, 10000, CLIENT ":40001", HOST ":82", 'a');
	world_attempt(w, 20000, CLIENT ":40002", HOST ":83", 's');
	/* the opener of 82 is still remembered when silence is found */
	world_flow(w, 2 * MINUTE,
	    CLIENT ":40001>" HOST
		   ":82 proto=6 flags=0x18 pkts=4 octets=400 start_ms=20000");
	world_tick(w, 3 * MINUTE);
	assert_true(world_alert(w, HOST, 82)->first_client_had_probed);
	/* a late answer: 81 was open, and asked as 82 was */
	world_flow(w, 3 * MINUTE,
	    HOST ":81>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=60 "
		 "start_ms=1");
	world_drain(w);
	assert_non_null(world_exposure(w, HOST, 81));
	assert_false(world_alert(w, HOST, 82)->first_client_had_probed);
	world_free(w);
}

static void
port_knows_over_a_restart_since_when_it_is_dark(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", HOST ":443", 'a');
	world_attempt(w, HOUR, CLIENT ":40001", HOST ":443", 'r');
	world_attempt(w, HOUR + MINUTE, CLIENT ":40002", HOST ":443", 'r');
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 443)->state, EXPOSURE_CLOSED);
	world_restart(w);
	world_attempt(w, 5 * HOUR, CLIENT ":40003", HOST ":443", 'a');
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	assert_int_equal(world_alert(w, HOST, 443)->dark_since_ms,
	    WORLD_MS + HOUR);
	world_free(w);
}

/* --- bounds ----------------------------------------------------------------
 */

static void
every_port_unreachable_of_a_horizontal_scan_is_matched(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 1; i <= 200; i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    CLIENT ":40000>10.0.1.%d:161 proto=17 pkts=1 octets=60 "
			   "exporter=r1",
		    i);
		world_flow(w, i, text);
		snprintf(text, sizeof(text),
		    "10.0.1.%d:0>" CLIENT ":0 proto=1 pkts=1 octets=88 "
		    "icmp=3/3 exporter=r1",
		    i);
		world_flow(w, i, text);
	}
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_REFUSED), 200);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	world_free(w);
}

static void
silence_that_can_no_longer_be_revoked_is_counted(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 64;
	w = world_new_with(&config);
	for (int i = 0; i < 32; i++) {
		char client[64];

		snprintf(client, sizeof(client), CLIENT ":%d", 40000 + i);
		world_attempt(w, i, client, HOST ":81", 's');
	}
	world_tick(w, 5 * MINUTE);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_SILENCES), 0);
	for (int i = 0; i < 64; i++) {
		char client[64];

		snprintf(client, sizeof(client), OTHER ":%d", 40000 + i);
		world_attempt(w, 5 * MINUTE + i, client, HOST ":82", 's');
	}
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_SILENCES), 32);
	world_free(w);
}

static void
attempts_a_firewall_denied_are_counted(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":3389 proto=6 pkts=1 octets=60 firewall_event=3");
	world_attempt(w, 10, CLIENT ":40001", HOST ":22", 'r');
	world_drain(w);
	assert_int_equal(counter_get(&w->counters, COUNTER_DENIED), 1);
	assert_int_equal(counter_get(&w->counters, COUNTER_ATTEMPTS), 2);
	world_free(w);
}

/* Decided ones make room: they are no reason to leave a probe undecided. */
static void
scanner_finds_room_where_conversations_are_decided(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 100;
	w = world_new_with(&config);
	world_attempt(w, 0, CLIENT ":39999", HOST ":80", 'r');
	for (int i = 1; i <= 200; i++) {
		char client[64];

		snprintf(client, sizeof(client), OTHER ":%d", 40000 + i);
		world_attempt(w, i, client, HOST ":22", 'a');
	}
	for (int i = 1; i <= 50; i++) {
		char client[64];

		snprintf(client, sizeof(client), CLIENT ":%d", 40000 + i);
		world_attempt(w, 1000 + i, client, HOST ":81", 's');
	}
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_SCANS), 0);
	world_drain(w);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_PAIRS), 0);
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED), 0);
	world_free(w);
}

/* The one that is given up for it is its own generation before. */
static void
connection_used_anew_finds_room_in_a_full_table(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 1;
	w = world_new_with(&config);
	for (int64_t at_ms = 0; at_ms < 10000; at_ms += 5000) {
		char text[256];

		snprintf(text, sizeof(text),
		    CLIENT ":40000>" HOST ":22 proto=6 flags=0x1b pkts=5 "
			   "octets=400 start_ms=%" PRId64 " end_ms=%" PRId64,
		    at_ms, at_ms + 100);
		world_flow(w, at_ms + 200, text);
		snprintf(text, sizeof(text),
		    HOST ":22>" CLIENT ":40000 proto=6 flags=0x1b pkts=5 "
			 "octets=400 start_ms=%" PRId64 " end_ms=%" PRId64,
		    at_ms + 1, at_ms + 100);
		world_flow(w, at_ms + 200, text);
	}
	world_drain(w);
	assert_non_null(world_exposure(w, HOST, 22));
	assert_int_equal(world_exposure(w, HOST, 22)->accepted, 2);
	world_free(w);
}

/* The table is kept for others; what answers is found all the same. */
static void
scanner_gets_no_more_than_four_fifths_of_the_places(void **state)
{
	struct engine_config config = world_config(0);
	struct engine_summary summary;
	struct world *w;
	uint64_t attempts;

	(void)state;
	config.max_pairs = 100;
	w = world_new_with(&config);
	world_attempt(w, 0, CLIENT ":40000", HOST ":80", 'r');
	for (int i = 1; i <= 200; i++) {
		char client[64];

		snprintf(client, sizeof(client), CLIENT ":%d", 40000 + i);
		world_attempt(w, i, client, HOST ":81", 's');
	}
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.pairs, 81);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_SCANS), 120);
	world_attempt(w, 300, OTHER ":40000", HOST ":82", 's');
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.pairs, 82);
	world_flow(w, 400,
	    CLIENT ":41000>" HOST ":443 proto=6 flags=0x02 pkts=1 octets=60");
	world_flow(w, 400,
	    HOST ":443>" CLIENT ":41000 proto=6 flags=0x12 pkts=1 octets=60");
	world_drain(w);
	assert_non_null(world_exposure(w, HOST, 443));
	attempts = counter_get(&w->counters, COUNTER_ATTEMPTS);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT) +
			     world_outcomes(w, OUTCOME_REFUSED) +
			     world_outcomes(w, OUTCOME_ACCEPTED_NO_ACK) +
			     world_outcomes(w, OUTCOME_ACCEPTED) +
			     world_outcomes(w, OUTCOME_UNRESOLVED),
	    attempts);
	assert_int_equal(world_outcomes(w, OUTCOME_UNRESOLVED), 121);
	world_free(w);
}

/* One SYN each of many sources, to many ports, and no answer. */
static void
flood(struct world *w, int64_t at_ms, int count)
{
	for (int i = 0; i < count; i++) {
		char client[64], server[64];

		snprintf(client, sizeof(client), "203.0.%d.%d:40000", i / 250,
		    1 + i % 250);
		snprintf(server, sizeof(server), HOST ":%d", 1000 + i);
		world_attempt(w, at_ms + i, client, server, 's');
	}
}

static void
unanswered_attempts_leave_a_twentieth_to_what_answers(void **state)
{
	struct engine_config config = world_config(0);
	struct engine_summary summary;
	struct world *w;

	(void)state;
	config.max_pairs = 200;
	w = world_new_with(&config);
	world_show_both(w);
	flood(w, 0, 300);
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.pairs, 190);
	/* the oldest went, and nobody calls them silent */
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED),
	    110);
	world_collect(w);
	assert_int_equal(world_outcomes(w, OUTCOME_UNRESOLVED), 110);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	world_attempt(w, 400, OTHER ":40000", HOST ":1000", 'a');
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED),
	    111);
	world_drain(w);
	assert_non_null(world_exposure(w, HOST, 1000));
	assert_int_equal(world_outcomes(w, OUTCOME_UNRESOLVED), 111);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 189);
	world_free(w);
}

/* A SYN of one of many sources, none of which is heard twice. */
static void
forged_syn(struct world *w, int64_t at_ms, int i)
{
	char client[64];

	snprintf(client, sizeof(client), "203.1.%d.%d:40000", i / 250,
	    1 + i % 250);
	world_attempt(w, at_ms, client, HOST ":81", 's');
}

static void
flood_of_one_port_leaves_the_others_their_places(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 5000;
	w = world_new_with(&config);
	/* the port is open: no source becomes a scanner */
	world_attempt(w, 0, CLIENT ":40000", HOST ":81", 'a');
	for (int i = 0; i < 4700; i++)
		forged_syn(w, 1, i);
	assert_int_equal(counter_get(&w->counters, COUNTER_PAIRS), 4501);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_FLOODS), 200);
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED),
	    200);
	/* one that has a place keeps it, and other ports have theirs */
	forged_syn(w, 100, 7);
	world_attempt(w, 100, OTHER ":40000", HOST ":82", 's');
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_FLOODS), 200);
	assert_int_equal(counter_get(&w->counters, COUNTER_PAIRS), 4502);
	/* what answers is found without it */
	world_flow(w, 200,
	    OTHER ":41000>" HOST ":81 proto=6 flags=0x02 pkts=1 octets=60");
	world_flow(w, 200,
	    HOST ":81>" OTHER ":41000 proto=6 flags=0x12 pkts=1 octets=60");
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_FLOODS), 201);
	assert_int_equal(counter_get(&w->counters, COUNTER_PAIRS), 4503);
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 81)->accepted, 2);
	world_free(w);
}

static void
tombstones_may_take_every_place_and_go_before_an_attempt(void **state)
{
	struct engine_config config = world_config(0);
	struct engine_summary summary;
	struct world *w;

	(void)state;
	config.max_pairs = 200;
	w = world_new_with(&config);
	for (int i = 0; i < 100; i++) {
		char client[64];

		snprintf(client, sizeof(client), CLIENT ":%d", 40000 + i);
		world_attempt(w, i, client, HOST ":443", 'a');
	}
	flood(w, 200, 100);
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.pairs, 200);
	world_attempt(w, 400, OTHER ":40000", HOST ":443", 'a');
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_PAIRS), 0);
	world_free(w);
}

static void
what_the_inside_sent_is_never_given_up_without_its_verdict(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 64;
	w = world_new_with(&config);
	for (int i = 0; i < 100; i++) {
		char text[160];

		/* a reset that answers what was not seen: it waits */
		snprintf(text, sizeof(text),
		    HOST ":%d>" CLIENT
			 ":40000 proto=6 flags=0x14 pkts=1 octets=40",
		    1000 + i);
		world_flow(w, i, text);
	}
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_PAIRS), 36);
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_REFUSED), 100);
	assert_int_equal(world_outcomes(w, OUTCOME_UNRESOLVED), 0);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(
		    exporter_whose_clock_is_behind_training_does_not_hush_alerts),
		TEST(clock_that_is_minutes_off_is_corrected_as_learned),
		TEST(silence_is_found_after_the_clock_was_set_back),
		TEST(
		    syn_of_an_outside_server_on_our_clients_port_exposes_nothing),
		TEST(exact_syn_ack_from_inside_settles_a_contradiction),
		TEST(
		    exposure_is_opened_by_the_next_when_its_opener_is_taken_back),
		TEST(first_probe_is_found_anew_when_it_was_none),
		TEST(port_knows_over_a_restart_since_when_it_is_dark),
		TEST(every_port_unreachable_of_a_horizontal_scan_is_matched),
		TEST(silence_that_can_no_longer_be_revoked_is_counted),
		TEST(attempts_a_firewall_denied_are_counted),
		TEST(scanner_finds_room_where_conversations_are_decided),
		TEST(connection_used_anew_finds_room_in_a_full_table),
		TEST(scanner_gets_no_more_than_four_fifths_of_the_places),
		TEST(unanswered_attempts_leave_a_twentieth_to_what_answers),
		TEST(flood_of_one_port_leaves_the_others_their_places),
		TEST(tombstones_may_take_every_place_and_go_before_an_attempt),
		TEST(
		    what_the_inside_sent_is_never_given_up_without_its_verdict),
	};

	return RUN_TESTS(tests);
}
