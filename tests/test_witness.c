/* SPDX-License-Identifier: Apache-2.0 */
/* The conversations that explain an exposure, and what changed it. */
#include <stdio.h>

#include "tests/test.h"
#include "tests/world.h"

#define SERVER "10.0.0.5:8080"
#define HOST   "10.0.0.5"

static uint64_t
id_of(const struct world *w, uint16_t port)
{
	const struct finding_exposure *x = world_exposure(w, HOST, port);

	assert_non_null(x);
	return x->id;
}

static void
assert_client(const struct witness *witness, const char *address, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	assert_non_null(witness);
	assert_string_equal(addr_format(&witness->client, text), address);
	assert_int_equal(witness->client_port, port);
}

static uint32_t
witnesses_of(const struct world *w, uint64_t id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < w->witness_count; i++)
		count += w->witnesses[i].exposure_id == id &&
			 w->witnesses[i].witness.roles != 0;
	return count;
}

static void
half_open_scan(struct world *w, int64_t at_ms)
{
	world_flow(w, at_ms,
	    SERVER ">203.0.113.66:41000 proto=6 flags=0x12 pkts=1 octets=44 "
		   "exporter=r1");
	world_flow(w, at_ms,
	    "203.0.113.66:41000>" SERVER
	    " proto=6 flags=0x06 pkts=2 octets=84 exporter=r2");
}

static void
half_open_scan_and_a_client_behind_it_are_both_witnesses(void **state)
{
	struct world *w = world_new(0);
	const struct witness *opener;
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	world_attempt(w, 100000, "198.51.100.7:50000", SERVER, 'a');
	world_collect(w);
	id = id_of(w, 8080);
	opener = world_witness(w, id, WITNESS_OPENER);
	assert_client(opener, "203.0.113.66", 41000);
	assert_int_equal(opener->outcome, OUTCOME_ACCEPTED_HALF_OPEN);
	assert_int_equal(opener->rule, RULE_A1_D1);
	assert_int_equal(opener->confidence, CONFIDENCE_HIGH);
	assert_int_equal(opener->roles,
	    WITNESS_OPENER | WITNESS_BEST | WITNESS_UPGRADED);
	assert_true(opener->outer.shown == SHOWN_HALF &&
		    opener->inner.shown == SHOWN_HALF);
	assert_int_equal(opener->outer.flags, 0x06);
	assert_int_equal(opener->outer.packets, 2);
	assert_int_equal(opener->outer.octets, 84);
	assert_int_equal(opener->outer.exporter, 1);
	assert_int_equal(opener->inner.flags, 0x12);
	assert_int_equal(opener->inner.evidence, 0x0002);
	assert_int_equal(opener->inner.exporter, 0);
	assert_client(world_witness(w, id, WITNESS_LATEST), "198.51.100.7",
	    50000);
	assert_int_equal(witnesses_of(w, id), 2);
	world_free(w);
}

static void
a0_confirmed_by_its_syn_is_one_witness_and_two_changes(void **state)
{
	struct world *w = world_new(0);
	const struct change *change;
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	world_collect(w);
	id = id_of(w, 8080);
	assert_int_equal(witnesses_of(w, id), 1);
	change = world_change(w, id, 0);
	assert_non_null(change);
	assert_int_equal(change->kind, CHANGE_OPENED);
	assert_int_equal(change->tier_to, TIER_PROBABLE);
	assert_int_equal(change->rule, RULE_A0);
	change = world_change(w, id, 1);
	assert_non_null(change);
	assert_int_equal(change->kind, CHANGE_TIER);
	assert_int_equal(change->tier_from, TIER_PROBABLE);
	assert_int_equal(change->tier_to, TIER_CONFIRMED);
	assert_int_equal(change->rule, RULE_A1_D1);
	assert_int_equal(change->client_port, 41000);
	assert_null(world_change(w, id, 2));
	world_free(w);
}

/* A connection of which only the ports tell the direction: D8. */
static void
by_ports(struct world *w, int64_t at_ms, const char *client)
{
	char text[160];

	snprintf(text, sizeof(text),
	    "%s>" HOST ":443 proto=6 flags=0x1b pkts=6 octets=600 exporter=r1",
	    client);
	world_flow(w, at_ms, text);
	snprintf(text, sizeof(text),
	    HOST ":443>%s proto=6 flags=0x1b pkts=6 octets=900 exporter=r1",
	    client);
	world_flow(w, at_ms, text);
}

static void
second_client_by_d8_is_the_one_that_confirmed(void **state)
{
	struct world *w = world_new(0);
	const struct witness *upgraded;
	const struct change *change;
	uint64_t id;

	(void)state;
	by_ports(w, 1000, "203.0.113.1:50001");
	by_ports(w, 2000, "203.0.113.1:50002");
	by_ports(w, 3000, "203.0.113.2:50003");
	world_collect(w);
	id = id_of(w, 443);
	assert_int_equal(world_exposure(w, HOST, 443)->tier, TIER_CONFIRMED);
	upgraded = world_witness(w, id, WITNESS_UPGRADED);
	assert_client(upgraded, "203.0.113.2", 50003);
	assert_int_equal(upgraded->rule, RULE_A1_D8);
	assert_client(world_witness(w, id, WITNESS_OPENER), "203.0.113.1",
	    50001);
	change = world_change(w, id, 1);
	assert_non_null(change);
	assert_int_equal(change->tier_from, TIER_PROBABLE);
	assert_int_equal(change->tier_to, TIER_CONFIRMED);
	assert_int_equal(change->client_port, 50003);
	world_free(w);
}

static void
retracted_exposure_takes_its_witnesses_along(void **state)
{
	struct world *w = world_new(0);
	uint64_t id;

	(void)state;
	world_flow(w, 1000,
	    SERVER ">203.0.113.66:41000 proto=6 flags=0x12 pkts=1 octets=44 "
		   "exporter=r1");
	world_collect(w);
	id = id_of(w, 8080);
	assert_int_equal(witnesses_of(w, id), 1);
	world_flow(w, 2000,
	    "203.0.113.66:41000>" SERVER
	    " proto=6 flags=0x04 pkts=1 octets=40 exporter=r1");
	world_collect(w);
	assert_null(world_exposure(w, HOST, 8080));
	assert_int_equal(witnesses_of(w, id), 0);
	assert_null(world_change(w, id, 0));
	world_free(w);
}

static void
acceptance_taken_back_is_no_witness_any_more(void **state)
{
	struct world *w = world_new(0);
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	world_flow(w, 90000,
	    SERVER ">203.0.113.67:42000 proto=6 flags=0x12 pkts=1 octets=44 "
		   "exporter=r1");
	world_collect(w);
	id = id_of(w, 8080);
	assert_client(world_witness(w, id, WITNESS_LATEST), "203.0.113.67",
	    42000);
	world_flow(w, 91000,
	    "203.0.113.67:42000>" SERVER
	    " proto=6 flags=0x04 pkts=1 octets=40 exporter=r1");
	world_collect(w);
	assert_null(world_witness(w, id, WITNESS_LATEST));
	assert_int_equal(witnesses_of(w, id), 1);
	world_free(w);
}

static void
refusals_that_closed_it_are_told_until_it_accepts_again(void **state)
{
	struct world *w = world_new(0);
	const struct change *change;
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	world_attempt(w, 2000, "203.0.113.1:43001", SERVER, 'r');
	world_collect(w);
	id = id_of(w, 8080);
	change = world_change(w, id, CHANGES_REFUSED);
	assert_non_null(change);
	assert_int_equal(change->kind, CHANGE_REFUSED);
	assert_int_equal(change->client_port, 43001);
	world_attempt(w, 3000, "203.0.113.2:43002", SERVER, 'a');
	world_collect(w);
	assert_null(world_change(w, id, CHANGES_REFUSED));
	world_attempt(w, 10000, "203.0.113.3:43003", SERVER, 'r');
	world_attempt(w, 90000, "203.0.113.4:43004", SERVER, 'r');
	world_collect(w);
	assert_int_equal(world_exposure(w, HOST, 8080)->state, EXPOSURE_CLOSED);
	change = world_change(w, id, CHANGES_CLOSED);
	assert_non_null(change);
	assert_int_equal(change->kind, CHANGE_CLOSED);
	assert_int_equal(change->rule, RULE_R1);
	assert_int_equal(change->client_port, 43004);
	assert_int_equal(world_change(w, id, CHANGES_REFUSED)->client_port,
	    43003);
	world_free(w);
}

static void
two_intervals_of_one_port_keep_their_own_witnesses(void **state)
{
	struct world *w = world_new(0);
	uint64_t first, second;

	(void)state;
	half_open_scan(w, 1000);
	world_attempt(w, 10000, "203.0.113.3:43003", SERVER, 'r');
	world_attempt(w, 90000, "203.0.113.4:43004", SERVER, 'r');
	/* nothing was collected yet: both intervals come at once */
	world_attempt(w, 100000, "203.0.113.5:43005", SERVER, 'a');
	world_collect(w);
	second = id_of(w, 8080);
	first = second - 1;
	assert_client(world_witness(w, first, WITNESS_OPENER), "203.0.113.66",
	    41000);
	assert_int_equal(world_change(w, first, CHANGES_CLOSED)->kind,
	    CHANGE_CLOSED);
	assert_client(world_witness(w, second, WITNESS_OPENER), "203.0.113.5",
	    43005);
	assert_null(world_change(w, second, CHANGES_CLOSED));
	world_free(w);
}

static void
never_more_than_five_and_the_opener_stays(void **state)
{
	struct world *w = world_new(0);
	char client[32];
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	for (int i = 0; i < 40; i++) {
		snprintf(client, sizeof(client), "198.51.100.%d:50000", i + 1);
		world_attempt(w, 100000 * (i + 1), client, SERVER, 'a');
		world_collect(w);
	}
	id = id_of(w, 8080);
	assert_in_range(witnesses_of(w, id), 2, WITNESSES_MAX);
	assert_client(world_witness(w, id, WITNESS_OPENER), "203.0.113.66",
	    41000);
	assert_client(world_witness(w, id, WITNESS_LATEST), "198.51.100.40",
	    50000);
	world_free(w);
}

static void
busy_service_gets_one_latest_witness_a_minute(void **state)
{
	struct world *w = world_new(0);
	char client[32];
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	for (int i = 0; i < 50; i++) {
		snprintf(client, sizeof(client), "198.51.100.%d:50000", i + 1);
		world_attempt(w, 2000 + i * 1000, client, SERVER, 'a');
	}
	world_collect(w);
	id = id_of(w, 8080);
	assert_client(world_witness(w, id, WITNESS_LATEST), "203.0.113.66",
	    41000);
	world_attempt(w, 62000, "198.51.100.99:50000", SERVER, 'a');
	world_collect(w);
	assert_client(world_witness(w, id, WITNESS_LATEST), "198.51.100.99",
	    50000);
	world_free(w);
}

static void
restart_neither_loses_nor_doubles_witnesses(void **state)
{
	struct world *w = world_new(0);
	uint32_t count;
	uint64_t id;

	(void)state;
	half_open_scan(w, 1000);
	world_attempt(w, 100000, "198.51.100.7:50000", SERVER, 'a');
	world_collect(w);
	id = id_of(w, 8080);
	count = witnesses_of(w, id);
	world_restart(w);
	world_collect(w);
	assert_int_equal(witnesses_of(w, id), count);
	/* the next one takes the place of the latest before, and no other */
	world_attempt(w, 300000, "198.51.100.8:50001", SERVER, 'a');
	world_collect(w);
	assert_int_equal(witnesses_of(w, id), count);
	assert_client(world_witness(w, id, WITNESS_OPENER), "203.0.113.66",
	    41000);
	assert_client(world_witness(w, id, WITNESS_LATEST), "198.51.100.8",
	    50001);
	assert_int_equal(world_change(w, id, 1)->tier_to, TIER_CONFIRMED);
	world_free(w);
}

static void
place_of_a_forgotten_exposure_serves_the_next(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;
	uint64_t id;

	(void)state;
	config.max_exposures = 1;
	w = world_new_with(&config);
	half_open_scan(w, 1000);
	world_attempt(w, 10000, "203.0.113.3:43003", SERVER, 'r');
	world_attempt(w, 90000, "203.0.113.4:43004", SERVER, 'r');
	world_collect(w);
	world_attempt(w, 100000, "203.0.113.5:43005", HOST ":9090", 'a');
	world_collect(w);
	id = id_of(w, 9090);
	assert_int_equal(witnesses_of(w, id), 1);
	assert_client(world_witness(w, id, WITNESS_OPENER), "203.0.113.5",
	    43005);
	assert_int_equal(witnesses_of(w, id_of(w, 8080)), 1);
	world_free(w);
}

static void
scan_event_tells_both_halves(void **state)
{
	struct world *w = world_new(0);
	const struct finding_scan_event *event;

	(void)state;
	world_attempt(w, 1000, "203.0.113.9:40000", HOST ":81", 'r');
	world_attempt(w, 2000, "203.0.113.9:40001", HOST ":82", 's');
	world_tick(w, 400000);
	event = world_event(w, "203.0.113.9", HOST, 81);
	assert_non_null(event);
	assert_int_equal(event->rule, RULE_R1);
	assert_int_equal(event->outer.shown, SHOWN_HALF);
	assert_int_equal(event->inner.shown, SHOWN_HALF);
	assert_int_equal(event->outer.flags, 0x02);
	assert_int_equal(event->inner.flags, 0x14);
	assert_int_equal(event->inner.packets, 1);
	event = world_event(w, "203.0.113.9", HOST, 82);
	assert_non_null(event);
	assert_int_equal(event->rule, RULE_S1);
	assert_int_equal(event->outer.shown, SHOWN_HALF);
	assert_int_equal(event->inner.shown, SHOWN_NOTHING);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(half_open_scan_and_a_client_behind_it_are_both_witnesses),
		TEST(a0_confirmed_by_its_syn_is_one_witness_and_two_changes),
		TEST(second_client_by_d8_is_the_one_that_confirmed),
		TEST(retracted_exposure_takes_its_witnesses_along),
		TEST(acceptance_taken_back_is_no_witness_any_more),
		TEST(refusals_that_closed_it_are_told_until_it_accepts_again),
		TEST(two_intervals_of_one_port_keep_their_own_witnesses),
		TEST(never_more_than_five_and_the_opener_stays),
		TEST(busy_service_gets_one_latest_witness_a_minute),
		TEST(restart_neither_loses_nor_doubles_witnesses),
		TEST(place_of_a_forgotten_exposure_serves_the_next),
		TEST(scan_event_tells_both_halves),
	};

	return RUN_TESTS(tests);
}
