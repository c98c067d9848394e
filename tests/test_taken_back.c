/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exposure rests on when a record takes back what others had shown of
 * it. All that is found is what was found had that record come first.
 */
#include "tests/test.h"
#include "tests/world.h"

#define CLIENT "203.0.113.10"
#define OTHER  "203.0.113.11"
#define HOUR   INT64_C(3600000)

/* A SYN and its SYN-ACK; a SYN from inside makes both ends openers. */
static const char *const handshake[] = {
	CLIENT ":43000>10.0.0.5:80 proto=6 flags=0x02 pkts=1 octets=60 "
	       "start_ms=1000 exporter=r1",
	"10.0.0.5:80>" CLIENT ":43000 proto=6 flags=0x12 pkts=1 octets=60 "
	"start_ms=1000 exporter=r1",
	"10.0.0.5:80>" CLIENT ":43000 proto=6 flags=0x02 pkts=1 octets=60 "
	"start_ms=1000 exporter=r1",
};

/* A connection that only its ports give a direction. */
static const char *const connection[] = {
	OTHER ":43000>10.0.0.5:80 proto=6 flags=0x1b pkts=5 octets=600 "
	      "start_ms=900 exporter=r1",
	"10.0.0.5:80>" OTHER ":43000 proto=6 flags=0x1b pkts=5 octets=600 "
	"start_ms=900 exporter=r1",
};

static void
alert_goes_with_the_evidence_that_confirmed_it(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 2000, handshake[0]);
	world_flow(w, 2000, handshake[1]);
	world_collect(w);
	assert_int_equal(world_exposure(w, "10.0.0.5", 80)->tier,
	    TIER_CONFIRMED);
	assert_non_null(world_alert(w, "10.0.0.5", 80));
	world_flow(w, 2000, handshake[2]);
	world_collect(w);
	assert_int_equal(world_exposure(w, "10.0.0.5", 80)->tier,
	    TIER_PROBABLE);
	assert_int_equal(world_exposure(w, "10.0.0.5", 80)->rule, RULE_A1_D8);
	assert_null(world_alert(w, "10.0.0.5", 80));
	world_free(w);
}

static void
other_attempts_of_an_exposure_keep_what_they_show(void **state)
{
	static const uint8_t orders[][5] = { { 0, 1, 2, 3, 4 },
		{ 3, 4, 0, 1, 2 }, { 1, 3, 0, 4, 2 }, { 2, 1, 3, 0, 4 } };

	(void)state;
	for (int o = 0; o < 4; o++) {
		struct world *w = world_new(0);
		const struct finding_exposure *x;

		for (int i = 0; i < 5; i++) {
			uint8_t at = orders[o][i];

			world_flow(w, 2000,
			    at < 3 ? handshake[at] : connection[at - 3]);
			world_collect(w);
		}
		world_drain(w);
		x = world_exposure(w, "10.0.0.5", 80);
		assert_int_equal(x->tier, TIER_PROBABLE);
		assert_int_equal(x->accepted, 2);
		assert_int_equal(x->clients, 1);
		assert_int_equal(x->first_ms, WORLD_MS + 900);
		assert_int_equal(w->alert_count, 0);
		world_free(w);
	}
}

static void
attempt_that_was_none_takes_its_client_and_its_times_along(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 5000, CLIENT ":40000", "10.0.0.5:80", 'a');
	world_flow(w, 9000, connection[0]);
	world_flow(w, 9000, connection[1]);
	world_flow(w, 9000,
	    OTHER ":43000>10.0.0.5:80 proto=6 flags=0x18 pkts=5 octets=600 "
		  "start_ms=8000 exporter=r1");
	world_collect(w);
	x = world_exposure(w, "10.0.0.5", 80);
	assert_int_equal(x->accepted, 2);
	assert_int_equal(x->first_ms, WORLD_MS + 900);
	assert_int_equal(x->last_ms, WORLD_MS + 8000);
	/* the inside opened it */
	world_flow(w, 9000,
	    "10.0.0.5:80>" OTHER ":43000 proto=6 flags=0x02 pkts=1 octets=60 "
	    "start_ms=900 exporter=r1");
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 80);
	assert_int_equal(x->accepted, 1);
	assert_int_equal(x->clients, 1);
	assert_int_equal(x->first_ms, WORLD_MS + 5000);
	assert_true(x->last_ms < WORLD_MS + 6000);
	assert_int_equal(x->rule, RULE_A1_D2);
	world_free(w);
}

static void
attempts_that_are_forgotten_keep_their_evidence_and_the_opening(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, OTHER ":40000", "10.0.0.5:80", 'a');
	world_tick(w, HOUR);
	world_flow(w, HOUR, handshake[0]);
	world_flow(w, HOUR, handshake[1]);
	world_flow(w, HOUR, handshake[2]);
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 80);
	assert_int_equal(x->accepted, 2);
	assert_int_equal(x->tier, TIER_CONFIRMED);
	assert_int_equal(x->first_ms, WORLD_MS);
	world_free(w);
}

/* D6 relied on a service that is none any more: it was one then. */
static void
service_that_closed_keeps_what_it_said_of_others(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:9000", 'a');
	world_flow(w, 0,
	    OTHER ":9001>10.0.0.5:9000 proto=6 flags=0x1b pkts=5 octets=600 "
		  "start_ms=0 exporter=r1");
	world_flow(w, 0,
	    "10.0.0.5:9000>" OTHER ":9001 proto=6 flags=0x1b pkts=5 octets=600 "
	    "start_ms=0 exporter=r1");
	world_attempt(w, 10000, CLIENT ":40001", "10.0.0.5:9000", 'r');
	world_attempt(w, 80000, CLIENT ":40002", "10.0.0.5:9000", 'r');
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	assert_int_equal(w->exposures[0].accepted, 2);
	world_drain(w);
	assert_int_equal(w->exposures[0].accepted, 2);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(alert_goes_with_the_evidence_that_confirmed_it),
		TEST(other_attempts_of_an_exposure_keep_what_they_show),
		TEST(
		    attempt_that_was_none_takes_its_client_and_its_times_along),
		TEST(
		    attempts_that_are_forgotten_keep_their_evidence_and_the_opening),
		TEST(service_that_closed_keeps_what_it_said_of_others),
	};

	return RUN_TESTS(tests);
}
