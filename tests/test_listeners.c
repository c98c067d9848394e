/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that listen because of another conversation, and hosts on which
 * everything answers. */
#include <stdio.h>

#include "exposure/guards.h"
#include "tests/test.h"
#include "tests/world.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define CLIENT "203.0.113.10"
#define OTHER  "203.0.113.11"
#define HOST   "10.0.0.5"

/* A finished connection: from its opener, to its acceptor. */
static void
connect_to(struct world *w, int64_t at_ms, const char *from, const char *to)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x02 pkts=1 octets=60 exporter=r1", from, to);
	world_flow(w, at_ms, text);
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x1b pkts=4 octets=600 exporter=r1", to, from);
	world_flow(w, at_ms, text);
}

/* A SYN-ACK and no more. */
static void
half_open(struct world *w, int64_t at_ms, int client_port, const char *host,
    int port)
{
	char text[200];

	snprintf(text, sizeof(text),
	    CLIENT ":%d>%s:%d proto=6 flags=0x06 pkts=2 octets=84 exporter=r1",
	    client_port, host, port);
	world_flow(w, at_ms, text);
	snprintf(text, sizeof(text),
	    "%s:%d>" CLIENT ":%d proto=6 flags=0x12 pkts=1 octets=44 "
	    "exporter=r1",
	    host, port, client_port);
	world_flow(w, at_ms, text);
}

/* --- FTP ------------------------------------------------------------------ */

static void
passive_ftp_data_is_transient_and_raises_no_alert(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, CLIENT ":40000", HOST ":21");
	connect_to(w, 1000, CLIENT ":40001", HOST ":2200");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 2200)->tier, TIER_TRANSIENT);
	assert_string_equal(listener_name(
				world_exposure(w, HOST, 2200)->listener),
	    "ftp");
	assert_null(world_alert(w, HOST, 2200));
	assert_int_equal(world_exposure(w, HOST, 21)->tier, TIER_CONFIRMED);
	assert_non_null(world_alert(w, HOST, 21));
	world_free(w);
}

/* A long control connection is exported when it ends. */
static void
control_connection_told_later_takes_the_alert_back(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 2000, CLIENT ":40001", HOST ":2200");
	world_collect(w);
	assert_non_null(world_alert(w, HOST, 2200));
	world_flow(w, 60000,
	    CLIENT ":40000>" HOST ":21 proto=6 flags=0x02 pkts=1 octets=60 "
		   "exporter=r1 start_ms=0");
	world_flow(w, 60000,
	    HOST ":21>" CLIENT ":40000 proto=6 flags=0x1b pkts=9 octets=900 "
		 "exporter=r1 start_ms=0");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 2200)->tier, TIER_TRANSIENT);
	assert_null(world_alert(w, HOST, 2200));
	world_free(w);
}

static void
ftp_data_port_that_a_second_client_meets_is_an_ordinary_one(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, CLIENT ":40000", HOST ":21");
	connect_to(w, 1000, CLIENT ":40001", HOST ":2200");
	world_flow(w, 2000,
	    OTHER ":40000>" HOST ":2200 proto=6 flags=0x1a pkts=4 octets=200");
	world_flow(w, 2000,
	    HOST ":2200>" OTHER ":40000 proto=6 flags=0x12 pkts=1 octets=60");
	world_flow(w, 2000,
	    CLIENT ":40002>" HOST ":2200 proto=6 flags=0x1a pkts=4 octets=200");
	world_flow(w, 2000,
	    HOST ":2200>" CLIENT ":40002 proto=6 flags=0x12 pkts=1 octets=60");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 2200)->tier, TIER_CONFIRMED);
	assert_non_null(world_alert(w, HOST, 2200));
	world_free(w);
}

static void
control_of_another_client_explains_nothing(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, OTHER ":40000", HOST ":21");
	connect_to(w, 1000, CLIENT ":40001", HOST ":2200");
	connect_to(w, 2 * HOUR + MINUTE, OTHER ":40001", HOST ":2201");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 2200)->tier, TIER_CONFIRMED);
	assert_int_equal(world_exposure(w, HOST, 2201)->tier, TIER_CONFIRMED);
	world_free(w);
}

static void
active_ftp_data_comes_from_port_20_of_a_server_asked(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, HOST ":50000", CLIENT ":21");
	connect_to(w, 1000, CLIENT ":20", HOST ":5001");
	connect_to(w, 1000, CLIENT ":50020", HOST ":5002");
	world_drain(w);
	assert_string_equal(listener_name(
				world_exposure(w, HOST, 5001)->listener),
	    "ftp-active");
	assert_int_equal(world_exposure(w, HOST, 5001)->tier, TIER_TRANSIENT);
	assert_int_equal(world_exposure(w, HOST, 5002)->tier, TIER_CONFIRMED);
	world_free(w);
}

/* Both halves of a finished connection, of a meter that stamps them alike. */
static void
meet_at_once(struct world *w, int64_t at_ms, int64_t start_ms, const char *one,
    const char *other)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x1b pkts=5 octets=300 exporter=r1 "
	    "start_ms=%lld",
	    one, other, (long long)start_ms);
	world_flow(w, at_ms, text);
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x1b pkts=5 octets=300 exporter=r1 "
	    "start_ms=%lld",
	    other, one, (long long)start_ms);
	world_flow(w, at_ms, text);
}

/* A control connection is exported when it ends, behind its data. */
static void
control_connection_told_later_says_who_opened_active_ftp_data(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	meet_at_once(w, 2000, 1000, CLIENT ":20", HOST ":45000");
	meet_at_once(w, 2000, 1500, CLIENT ":20", HOST ":45001");
	meet_at_once(w, 2000, 1500, OTHER ":20", HOST ":45002");
	world_collect(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 3);
	meet_at_once(w, MINUTE, 0, HOST ":50000", CLIENT ":21");
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	for (uint16_t port = 45000; port <= 45001; port++) {
		const struct finding_exposure *x =
		    world_exposure(w, HOST, port);

		assert_int_equal(x->tier, TIER_TRANSIENT);
		assert_int_equal(x->listener, LISTENER_FTP_ACTIVE);
		assert_int_equal(x->accepted, 1);
	}
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 2);
	world_free(w);
}

/* What was opened from port 20 had been taken for asked there. */
static void
data_connections_told_before_their_control_leave_port_20(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	/* something did listen there once */
	connect_to(w, 0, OTHER ":40000", HOST ":20");
	meet_at_once(w, 2000, 1000, CLIENT ":45000", HOST ":20");
	world_collect(w);
	assert_int_equal(world_exposure(w, HOST, 20)->accepted, 2);
	meet_at_once(w, MINUTE, 500, CLIENT ":44000", HOST ":21");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 20)->accepted, 1);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 1);
	world_free(w);
}

static void
transient_port_is_gone_after_an_hour(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, CLIENT ":40000", HOST ":21");
	connect_to(w, 1000, CLIENT ":40001", HOST ":2200");
	world_tick(w, 2 * HOUR);
	assert_int_equal(world_exposure(w, HOST, 2200)->state, EXPOSURE_CLOSED);
	assert_int_equal(world_exposure(w, HOST, 21)->state, EXPOSURE_OPEN);
	world_free(w);
}

/* --- P2P ------------------------------------------------------------------ */

static void
meet_peers(struct world *w, int count, bool opens)
{
	for (int i = 1; i <= count; i++) {
		char peer[64];

		snprintf(peer, sizeof(peer), "203.0.113.%d:6881", i);
		if (opens)
			connect_to(w, i * 1000, HOST ":6881", peer);
		else
			connect_to(w, i * 1000, peer, HOST ":6881");
	}
}

static void
port_that_accepts_from_and_opens_to_eight_peers_is_p2p(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	meet_peers(w, 8, false);
	world_collect(w);
	assert_int_equal(world_exposure(w, HOST, 6881)->tier, TIER_CONFIRMED);
	for (int i = 101; i <= 108; i++) {
		char peer[64];

		assert_int_equal(world_exposure(w, HOST, 6881)->listener,
		    LISTENER_ORDINARY);
		snprintf(peer, sizeof(peer), "203.0.113.%d:6881", i);
		connect_to(w, i * 1000, HOST ":6881", peer);
		world_collect(w);
	}
	assert_int_equal(world_exposure(w, HOST, 6881)->listener, LISTENER_P2P);
	assert_int_equal(world_exposure(w, HOST, 6881)->tier, TIER_PROBABLE);
	world_free(w);
}

static void
server_that_opens_to_few_is_no_p2p(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	meet_peers(w, 20, false);
	connect_to(w, 60000, HOST ":6881", "203.0.113.99:6881");
	world_drain(w);
	assert_int_equal(world_exposure(w, HOST, 6881)->listener,
	    LISTENER_ORDINARY);
	world_free(w);
}

/* --- TFTP ----------------------------------------------------------------- */

static void
tftp_is_asked_at_69_and_answers_from_another_port(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":69 proto=17 pkts=1 octets=60 start_ms=1000");
	world_flow(w, 0,
	    HOST ":50123>" CLIENT
		 ":40000 proto=17 pkts=9 octets=5000 start_ms=1010");
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":50123 proto=17 pkts=9 octets=300 start_ms=1010");
	world_drain(w);
	assert_string_equal(rule_name(world_exposure(w, HOST, 69)->rule),
	    "W:69");
	assert_int_equal(world_exposure(w, HOST, 69)->tier, TIER_PROBABLE);
	assert_string_equal(listener_name(
				world_exposure(w, HOST, 50123)->listener),
	    "tftp");
	assert_int_equal(world_exposure(w, HOST, 50123)->tier, TIER_TRANSIENT);
	world_free(w);
}

/* The transfer may be told of before the question. */
static void
tftp_is_found_in_either_order(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    HOST ":5123>" CLIENT
		 ":40000 proto=17 pkts=9 octets=5000 start_ms=1010");
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":5123 proto=17 pkts=9 octets=300 start_ms=1010");
	world_flow(w, 15000,
	    CLIENT ":40000>" HOST
		   ":69 proto=17 pkts=1 octets=60 start_ms=1000");
	world_drain(w);
	assert_non_null(world_exposure(w, HOST, 69));
	assert_string_equal(listener_name(
				world_exposure(w, HOST, 5123)->listener),
	    "tftp");
	world_free(w);
}

static void
datagrams_long_after_the_question_answer_no_tftp(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    CLIENT ":40000>" HOST
		   ":69 proto=17 pkts=1 octets=60 start_ms=1000");
	world_flow(w, 10000,
	    HOST ":50123>" CLIENT
		 ":40000 proto=17 pkts=9 octets=5000 start_ms=9000");
	world_drain(w);
	assert_null(world_exposure(w, HOST, 69));
	world_free(w);
}

/* --- hosts on which everything answers ------------------------------------ */

static void
host_whose_every_port_answers_is_frozen_with_one_alert(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, OTHER ":40000", "10.0.0.9:80");
	for (int port = 1000; port < 1400; port++)
		half_open(w, 1000 + port, 40000, "10.0.0.9", port);
	world_drain(w);
	assert_int_equal(w->guard_count, 1);
	assert_int_equal(w->guards[0].until_ms, 0);
	assert_int_equal(w->guards[0].turned_away, 399 - GUARD_PORTS);
	/* what was there before, and is used, stays */
	assert_int_equal(world_exposure(w, "10.0.0.9", 80)->tier,
	    TIER_CONFIRMED);
	assert_int_equal(world_exposure(w, "10.0.0.9", 1000)->tier, TIER_HINT);
	assert_null(world_exposure(w, "10.0.0.9", 1399));
	assert_int_equal(w->alert_count, 1);
	/* the attempts are a scan all the same */
	assert_non_null(world_event(w, CLIENT, "10.0.0.9", 1000));
	assert_int_equal(world_event(w, CLIENT, "10.0.0.9", 1399)->answer,
	    ANSWER_ACCEPTED);
	world_free(w);
}

static void
port_of_a_frozen_host_that_shows_data_is_taken_in(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int port = 1000; port < 1300; port++)
		half_open(w, 1000 + port, 40000, "10.0.0.9", port);
	connect_to(w, 5000, OTHER ":40000", "10.0.0.9:1000");
	connect_to(w, 5000, OTHER ":40000", "10.0.0.9:1299");
	world_drain(w);
	assert_int_equal(world_exposure(w, "10.0.0.9", 1000)->tier,
	    TIER_CONFIRMED);
	assert_int_equal(world_exposure(w, "10.0.0.9", 1299)->tier,
	    TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 2);
	world_free(w);
}

static void
guard_ends_when_nothing_was_turned_away_for_an_hour(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int port = 1000; port < 1300; port++)
		half_open(w, 1000 + port, 40000, "10.0.0.9", port);
	world_tick(w, HOUR / 2);
	assert_int_equal(w->guards[0].until_ms, 0);
	world_tick(w, HOUR + 2 * MINUTE);
	assert_int_equal(w->guard_count, 1);
	assert_int_equal(w->guards[0].until_ms, WORLD_MS + 2299 + HOUR);
	half_open(w, HOUR + 3 * MINUTE, 40001, "10.0.0.9", 2000);
	world_drain(w);
	assert_int_equal(world_exposure(w, "10.0.0.9", 2000)->tier,
	    TIER_CONFIRMED);
	world_free(w);
}

static void
many_ports_over_a_long_time_are_no_tarpit(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 300; i++)
		half_open(w, i * 10000, 40000, "10.0.0.9", 1000 + i);
	world_drain(w);
	assert_int_equal(w->guard_count, 0);
	assert_int_equal(w->exposure_count, 300);
	world_free(w);
}

static void
frozen_host_stays_frozen_over_a_restart(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int port = 1000; port < 1300; port++)
		half_open(w, 1000 + port, 40000, "10.0.0.9", port);
	world_collect(w);
	world_restart(w);
	half_open(w, 10000, 40001, "10.0.0.9", 2000);
	world_drain(w);
	assert_null(world_exposure(w, "10.0.0.9", 2000));
	assert_int_equal(w->guard_count, 1);
	assert_int_equal(w->guards[0].turned_away, 299 - GUARD_PORTS + 1);
	world_free(w);
}

/* However slowly they come, and whatever they show. */
static void
map_of_one_host_has_room_for_4096_ports(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_exposures = 8192;
	config.max_events = 65536;
	w = world_new_with(&config);
	for (int i = 0; i < GUARD_PORTS_MAX + 100; i++) {
		char server[32];

		snprintf(server, sizeof(server), "10.0.0.9:%d", 1000 + i);
		connect_to(w, i, CLIENT ":40000", server);
		if (i % 500 == 0)
			w->batch->count = 0;
	}
	assert_int_equal(counter_get(&w->counters, COUNTER_PORTS_TURNED_AWAY),
	    100);
	engine_tick(w->engine, WORLD_MS + HOUR);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(passive_ftp_data_is_transient_and_raises_no_alert),
		TEST(control_connection_told_later_takes_the_alert_back),
		TEST(
		    ftp_data_port_that_a_second_client_meets_is_an_ordinary_one),
		TEST(control_of_another_client_explains_nothing),
		TEST(active_ftp_data_comes_from_port_20_of_a_server_asked),
		TEST(
		    control_connection_told_later_says_who_opened_active_ftp_data),
		TEST(data_connections_told_before_their_control_leave_port_20),
		TEST(transient_port_is_gone_after_an_hour),
		TEST(port_that_accepts_from_and_opens_to_eight_peers_is_p2p),
		TEST(server_that_opens_to_few_is_no_p2p),
		TEST(tftp_is_asked_at_69_and_answers_from_another_port),
		TEST(tftp_is_found_in_either_order),
		TEST(datagrams_long_after_the_question_answer_no_tftp),
		TEST(host_whose_every_port_answers_is_frozen_with_one_alert),
		TEST(port_of_a_frozen_host_that_shows_data_is_taken_in),
		TEST(guard_ends_when_nothing_was_turned_away_for_an_hour),
		TEST(many_ports_over_a_long_time_are_no_tarpit),
		TEST(frozen_host_stays_frozen_over_a_restart),
		TEST(map_of_one_host_has_room_for_4096_ports),
	};

	return RUN_TESTS(tests);
}
