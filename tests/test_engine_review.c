/* SPDX-License-Identifier: Apache-2.0 */
/* What a second pair of eyes found in the engine, each as a test. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exposure/clients.h"
#include "exposure/icmp_errors.h"
#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define DAY    (24 * INT64_C(3600000))

#define CLIENT	"203.0.113.10"
#define OTHER	"203.0.113.11"
#define SCANNER "198.51.100.66"
#define ROUTER	"203.0.113.1"

/* Collects all findings and forgets them: for more than a world can hold. */
static void
discard(struct world *w)
{
	bool more;

	do {
		w->batch->count = 0;
		more = engine_collect(w->engine, w->batch);
	} while (more);
}

/* As world_flow(), with another field set by the caller in between. */
static struct flow_record *
record(struct world *w, int64_t at_ms, const char *text)
{
	struct flow_record *f = &w->flows->records[0];

	assert_true(case_parse_record(text, f));
	f->received_ms = f->export_ms = WORLD_MS + at_ms;
	f->start_ms = f->end_ms = f->received_ms;
	f->has |= FLOW_HAS_TIMES;
	w->flows->count = 1;
	return f;
}

/* One firewall event as the decoder splits it: two halves, both named. */
static void
firewall_flow(struct world *w, int64_t at_ms, const char *src, const char *dst,
    unsigned event, unsigned octets_back)
{
	char text[256];
	struct flow_record *f;

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=none octets=400 exporter=r1 firewall_event=%u",
	    src, dst, event);
	(void)record(w, at_ms, text);
	engine_take(w->engine, w->flows);
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=none octets=%u exporter=r1 firewall_event=%u",
	    dst, src, octets_back, event);
	f = record(w, at_ms, text);
	f->has |= FLOW_IS_REVERSE;
	engine_take(w->engine, w->flows);
}

/* --- firewall events --------------------------------------------------------
 */

static void
firewall_event_of_an_outbound_connection_exposes_nothing(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	firewall_flow(w, 0, "10.0.0.5:20000", CLIENT ":443", 2, 5000);
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 1);
	world_free(w);
}

static void
last_packets_denied_behind_a_connection_take_nothing_back(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	firewall_flow(w, 0, CLIENT ":43000", "10.0.0.5:443", 2, 5000);
	world_collect(w);
	assert_int_equal(w->alert_count, 1);
	world_flow(w, 1000,
	    CLIENT ":43000>10.0.0.5:443 proto=6 flags=none octets=40 "
		   "exporter=r1 firewall_event=3");
	world_drain(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->alert_count, 1);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(w->events[0].answer, ANSWER_ACCEPTED);
	world_free(w);
}

static void
update_without_octets_does_not_hide_those_of_the_end(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	firewall_flow(w, 0, CLIENT ":43000", "10.0.0.5:443", 5, 0);
	firewall_flow(w, 1000, CLIENT ":43000", "10.0.0.5:443", 2, 5000);
	world_drain(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].rule, RULE_FW_BYTES);
	world_free(w);
}

static void
datagram_a_firewall_denied_is_an_event_of_its_protocol(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    SCANNER ":43000>10.0.0.5:161 proto=17 flags=none octets=0 "
		    "exporter=r1 firewall_event=3");
	world_drain(w);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(w->events[0].answer, ANSWER_DENIED);
	assert_int_equal(w->events[0].technique, TECHNIQUE_UDP);
	world_free(w);
}

/* --- exposures and their openers --------------------------------------------
 */

static void
opening_stays_an_event_when_its_interval_closes_soon(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:4444", 'a');
	world_attempt(w, 10000, OTHER ":40001", "10.0.0.5:4444", 'r');
	world_attempt(w, 71000, OTHER ":40002", "10.0.0.5:4444", 'r');
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	world_tick(w, HOUR);
	assert_non_null(world_event(w, CLIENT, "10.0.0.5", 4444));
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 4444)->place,
	    PLACE_DARKPORT);
	world_free(w);
}

static void
opening_stays_an_event_when_the_next_interval_begins(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:4444", 'a');
	world_attempt(w, 10000, OTHER ":40001", "10.0.0.5:4444", 'r');
	world_attempt(w, 71000, OTHER ":40002", "10.0.0.5:4444", 'r');
	world_attempt(w, 80000, OTHER ":40003", "10.0.0.5:4444", 'a');
	world_tick(w, HOUR);
	assert_int_equal(w->exposure_count, 2);
	assert_non_null(world_event(w, CLIENT, "10.0.0.5", 4444));
	world_free(w);
}

/* A second router tells of the first interval when the next has begun. */
static void
late_copy_of_an_earlier_opening_does_not_open_the_next_interval(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:4444", 'a');
	world_attempt(w, 10000, OTHER ":40001", "10.0.0.5:4444", 'r');
	world_attempt(w, 71000, OTHER ":40002", "10.0.0.5:4444", 'r');
	world_attempt(w, 80000, OTHER ":40003", "10.0.0.5:4444", 'a');
	world_flow(w, 90000,
	    CLIENT ":40000>10.0.0.5:4444 proto=6 flags=0x1a pkts=4 octets=60 "
		   "start_ms=0 exporter=r2");
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 4444);
	assert_int_equal(x->id, 2);
	assert_int_equal(x->first_ms, WORLD_MS + 80000);
	assert_int_equal(x->accepted, 1);
	assert_int_equal(world_alert(w, "10.0.0.5", 4444)->opened_ms,
	    WORLD_MS + 80000);
	world_free(w);
}

/* The outer half comes from a router whose clock is some seconds ahead. */
static void
interval_opened_by_an_attempt_counted_before_has_accepted_one(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_flow(w, 0,
	    "10.0.0.5:4444>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 exporter=r1");
	world_attempt(w, 5000, OTHER ":40001", "10.0.0.5:4444", 'r');
	world_attempt(w, 66000, OTHER ":40002", "10.0.0.5:4444", 'r');
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	world_flow(w, 100000,
	    CLIENT ":40000>10.0.0.5:4444 proto=6 flags=0x1a pkts=4 octets=60 "
		   "start_ms=6000 exporter=r2");
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 4444);
	assert_int_equal(x->id, 2);
	assert_int_equal(x->accepted, 1);
	world_free(w);
}

static void
exposure_does_not_name_an_event_that_was_taken_back(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, HOUR + 5000, CLIENT ":40001", "10.0.0.5:25", 'a');
	world_collect(w);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(world_exposure(w, "10.0.0.5", 25)->event_id,
	    w->events[0].id);
	/* it was open before, as a late record tells */
	world_flow(w, HOUR + 6000,
	    OTHER ":40001>10.0.0.5:25 proto=6 flags=0x1a pkts=4 octets=60 "
		  "start_ms=3590000 exporter=r1");
	world_flow(w, HOUR + 6000,
	    "10.0.0.5:25>" OTHER ":40001 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=3590001 exporter=r1");
	world_drain(w);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(world_exposure(w, "10.0.0.5", 25)->event_id, 0);
	world_free(w);
}

/* Two routers tell of one connection, the second one first. */
static void
order_in_time_of_one_connection_counts_once(void **state)
{
	static const char *const texts[] = {
		CLIENT ":40000>10.0.0.5:2222 proto=6 flags=0x1b pkts=5 "
		       "octets=300 start_ms=0 exporter=r2",
		"10.0.0.5:2222>" CLIENT ":40000 proto=6 flags=0x1b pkts=5 "
		"octets=300 start_ms=2 exporter=r2",
		CLIENT ":40000>10.0.0.5:2222 proto=6 flags=0x1b pkts=5 "
		       "octets=300 start_ms=400 exporter=r1",
		"10.0.0.5:2222>" CLIENT ":40000 proto=6 flags=0x1b pkts=5 "
		"octets=300 start_ms=402 exporter=r1",
	};
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 4; i++)
		world_flow(w, 1000, texts[i]);
	world_drain(w);
	assert_int_equal(w->exposures[0].rule, RULE_A1_D5);
	assert_int_equal(w->exposures[0].tier, TIER_PROBABLE);
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

/* A completed connection of high ports, whose halves begin so far apart. */
static void
take_connection(struct world *w, const char *client, const char *server,
    int after_ms)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x1b pkts=5 octets=300 start_ms=10 "
	    "exporter=r1",
	    client, server);
	world_flow(w, 1000, text);
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x1b pkts=5 octets=300 start_ms=%d "
	    "exporter=r1",
	    server, client, 10 + after_ms);
	world_flow(w, 1000, text);
	world_collect(w);
}

static void
order_in_time_of_two_connections_confirms_a_service(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:2222", 2);
	assert_int_equal(w->exposures[0].tier, TIER_PROBABLE);
	assert_int_equal(w->alert_count, 0);
	take_connection(w, OTHER ":40000", "10.0.0.5:2222", 2);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

/* Rule D6 asks for a confirmed responder, however it was confirmed. */
static void
service_that_order_in_time_confirmed_gives_others_their_direction(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:50123", 2);
	take_connection(w, SCANNER ":40000", "10.0.0.5:50123", 0);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 1);
	take_connection(w, OTHER ":40000", "10.0.0.5:50123", 2);
	take_connection(w, SCANNER ":40001", "10.0.0.5:50123", 0);
	assert_int_equal(w->exposures[0].accepted, 3);
	/* in the end it does so for one that came before */
	world_drain(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].accepted, 4);
	world_free(w);
}

/* The exporter of the lower number counts, and tells no order: what the other
 * told of it is no sign of a service any more, to itself least of all. */
static void
order_in_time_that_does_not_hold_confirms_nothing(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:2222", 2);
	world_flow(w, 1000,
	    OTHER ":40000>10.0.0.5:2222 proto=6 flags=0x1b pkts=5 octets=300 "
		  "start_ms=10 exporter=r2");
	world_flow(w, 1000,
	    "10.0.0.5:2222>" OTHER ":40000 proto=6 flags=0x1b pkts=5 "
	    "octets=300 start_ms=12 exporter=r2");
	world_collect(w);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	take_connection(w, OTHER ":40000", "10.0.0.5:2222", 0);
	assert_int_equal(w->exposures[0].accepted, 2);
	assert_int_equal(w->exposures[0].tier, TIER_PROBABLE);
	world_free(w);
}

/* It was an opening from inside all along, as its SYN tells. */
static void
order_in_time_of_a_connection_taken_back_counts_no_more(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:2222", 2);
	take_connection(w, OTHER ":40000", "10.0.0.5:2222", 2);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	world_flow(w, 1000,
	    "10.0.0.5:2222>" OTHER ":40000 proto=6 flags=0x02 pkts=1 "
	    "octets=60 start_ms=5 exporter=r1");
	world_collect(w);
	assert_int_equal(w->exposures[0].accepted, 1);
	assert_int_equal(w->exposures[0].tier, TIER_PROBABLE);
	world_free(w);
}

/* Of one direction alone a SYN-ACK confirms; ports are a guess there, too. */
static void
guess_by_ports_on_a_one_sided_feed_confirms_nothing(void **state)
{
	struct feed_profile one_sided = { .one_sided = true };
	struct world *w = world_new(0);

	(void)state;
	engine_set_profile(w->engine, 0, &one_sided);
	world_flow(w, 1000,
	    "10.0.0.5:80>" CLIENT ":40000 proto=6 flags=0x1b pkts=5 "
	    "octets=300 start_ms=10 exporter=r1");
	world_flow(w, 1000,
	    "10.0.0.5:443>" CLIENT ":40001 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=10 exporter=r1");
	world_drain(w);
	assert_int_equal(world_exposure(w, "10.0.0.5", 80)->tier,
	    TIER_PROBABLE);
	assert_int_equal(world_exposure(w, "10.0.0.5", 443)->tier,
	    TIER_CONFIRMED);
	assert_null(world_alert(w, "10.0.0.5", 80));
	world_free(w);
}

/* A SYN from inside and what it drew. */
static void
open_to(struct world *w, int64_t at_ms, const char *from, const char *to,
    int start_ms)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x02 pkts=1 octets=60 start_ms=%d "
	    "exporter=r1",
	    from, to, start_ms);
	world_flow(w, at_ms, text);
	snprintf(text, sizeof(text),
	    "%s>%s proto=6 flags=0x12 pkts=1 octets=60 start_ms=%d "
	    "exporter=r1",
	    to, from, start_ms + 1);
	world_flow(w, at_ms, text);
}

static void
guess_is_taken_back_when_its_port_turns_out_to_be_a_clients(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:443", 0);
	take_connection(w, OTHER ":40000", "10.0.0.5:443", 0);
	take_connection(w, CLIENT ":40000", "10.0.0.5:8080", 0);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	open_to(w, 1000, "10.0.0.5:443", "198.51.100.7:40000", 5);
	open_to(w, 1000, "10.0.0.5:8080", "198.51.100.7:40000", 5);
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 3);
	world_free(w);
}

/* The conversations that the guess was made of are forgotten. */
static void
guess_that_cannot_be_judged_again_is_a_hint_at_a_clients_port(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	take_connection(w, CLIENT ":40000", "10.0.0.5:443", 0);
	take_connection(w, OTHER ":40000", "10.0.0.5:443", 0);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	world_tick(w, 5 * MINUTE);
	open_to(w, 5 * MINUTE, "10.0.0.5:443", "198.51.100.7:40000", 5);
	world_drain(w);
	assert_int_equal(w->exposures[0].tier, TIER_HINT);
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

static void
client_takes_no_exact_evidence_off_the_map(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 20, CLIENT ":40000", "10.0.0.5:443", 'a');
	take_connection(w, OTHER ":40000", "10.0.0.5:443", 0);
	open_to(w, 1000, "10.0.0.5:443", "198.51.100.7:40000", 5);
	world_drain(w);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

/* W2 of an exporter that told its timeouts: 60 s and 15 s make 109 s. */
static void
client_is_one_for_as_long_as_its_exporters_timeouts_ask_for(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	engine_tell_timeouts(w->engine, 0, 60, 15);
	open_to(w, 1000, "10.0.0.5:8080", "198.51.100.7:40000", 500);
	world_flow(w, 110000,
	    CLIENT ":40000>10.0.0.5:8080 proto=6 flags=0x1b pkts=5 "
		   "octets=300 start_ms=109500 exporter=r1");
	world_flow(w, 110000,
	    "10.0.0.5:8080>" CLIENT ":40000 proto=6 flags=0x1b pkts=5 "
	    "octets=300 start_ms=109500 exporter=r1");
	world_flow(w, 111000,
	    OTHER ":40000>10.0.0.5:8080 proto=6 flags=0x1b pkts=5 "
		  "octets=300 start_ms=110510 exporter=r1");
	world_flow(w, 111000,
	    "10.0.0.5:8080>" OTHER ":40000 proto=6 flags=0x1b pkts=5 "
	    "octets=300 start_ms=110510 exporter=r1");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 1);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].accepted, 1);
	world_free(w);
}

static void
refusals_close_in_whatever_order_they_come(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, 2 * HOUR, CLIENT ":40001", "10.0.0.5:443", 'r');
	world_flow(w, 2 * HOUR + 1000,
	    OTHER ":40002>10.0.0.5:443 proto=6 flags=0x02 pkts=1 octets=60 "
		  "start_ms=3600000 exporter=r1");
	world_flow(w, 2 * HOUR + 1000,
	    "10.0.0.5:443>" OTHER ":40002 proto=6 flags=0x14 pkts=1 "
	    "octets=40 start_ms=3600001 exporter=r1");
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	assert_int_equal(w->exposures[0].closed_ms, WORLD_MS + HOUR);
	world_free(w);
}

static void
exposure_refused_once_grows_stale_like_any_other(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, HOUR, CLIENT ":40001", "10.0.0.5:443", 'r');
	world_tick(w, 7 * DAY + MINUTE);
	assert_int_equal(w->exposures[0].state, EXPOSURE_OPEN);
	world_tick(w, 7 * DAY + HOUR + MINUTE);
	assert_int_equal(w->exposures[0].state, EXPOSURE_STALE);
	world_free(w);
}

static void
reset_of_a_stray_segment_is_no_sign_of_life(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_flow(w, HOUR,
	    SCANNER ":40000>10.0.0.5:443 proto=6 flags=0x18 pkts=1 "
		    "octets=60 exporter=r1");
	world_flow(w, HOUR,
	    "10.0.0.5:443>" SCANNER ":40000 proto=6 flags=0x04 pkts=1 "
	    "octets=40 exporter=r1");
	world_drain(w);
	assert_int_equal(w->exposures[0].last_ms, WORLD_MS);
	assert_int_equal(world_outcomes(w, OUTCOME_MIDSTREAM), 1);
	world_free(w);
}

/* --- who had probed ---------------------------------------------------------
 */

static void
new_opener_does_not_inherit_the_probes_of_the_one_before(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_sources = 1;
	w = world_new_with(&config);
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_flow(w, 1000,
	    OTHER ":40000>10.0.0.5:4444 proto=6 flags=0x1a pkts=4 "
		  "octets=60 start_ms=500 exporter=r1");
	world_attempt(w, 2000, SCANNER ":40001", "10.0.0.5:23", 'r');
	world_attempt(w, 5000, SCANNER ":40002", "10.0.0.5:4444", 'a');
	world_collect(w);
	assert_true(world_alert(w, "10.0.0.5", 4444)->first_client_had_probed);
	/* the other came first, and its source is forgotten */
	world_flow(w, 6000,
	    "10.0.0.5:4444>" OTHER ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=501 exporter=r1");
	world_drain(w);
	assert_int_equal(world_alert(w, "10.0.0.5", 4444)->opened_ms,
	    WORLD_MS + 500);
	assert_false(world_alert(w, "10.0.0.5", 4444)->first_client_had_probed);
	world_free(w);
}

static void
restart_does_not_forget_that_a_first_client_had_probed(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_attempt(w, 1000, SCANNER ":40001", "10.0.0.5:4444", 'a');
	world_drain(w);
	world_restart(w);
	world_attempt(w, HOUR, SCANNER ":40002", "10.0.0.5:5555", 'a');
	world_attempt(w, 2 * HOUR, SCANNER ":40003", "10.0.0.5:24", 'r');
	world_drain(w);
	assert_true(world_alert(w, "10.0.0.5", 4444)->first_client_had_probed);
	assert_false(world_alert(w, "10.0.0.5", 5555)->first_client_had_probed);
	world_free(w);
}

/* --- attempts ---------------------------------------------------------------
 */

static void
biflow_without_any_packet_is_no_attempt(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    SCANNER ":40000>10.0.0.5:161 proto=17 flags=none pkts=0 octets=0 "
		    "exporter=r1");
	world_flow(w, 0,
	    "10.0.0.5:161>" SCANNER ":40000 proto=17 flags=none pkts=0 "
	    "octets=0 exporter=r1");
	world_drain(w);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(w->outcome_count, 0);
	world_free(w);
}

static void
syn_that_comes_after_its_answer_was_judged_is_the_same_attempt(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    "10.0.0.5:443>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 exporter=r1");
	world_tick(w, 121000);
	world_flow(w, 125000,
	    CLIENT ":40000>10.0.0.5:443 proto=6 flags=0x02 pkts=1 octets=60 "
		   "start_ms=0 exporter=r1");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	assert_int_equal(w->exposures[0].accepted, 1);
	assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
	world_free(w);
}

static void
what_comes_through_a_pinhole_does_not_keep_it_open(void **state)
{
	struct world *w = world_new(0);
	char text[256];

	(void)state;
	world_flow(w, 0,
	    "10.0.0.5:5000>" OTHER ":6000 proto=17 flags=none pkts=1 "
	    "octets=60 exporter=r1");
	world_tick(w, 150000);
	for (int i = 1; i < 6; i++) {
		int at_ms = i * 200000;

		snprintf(text, sizeof(text),
		    CLIENT ":%d>10.0.0.5:5000 proto=17 flags=none pkts=1 "
			   "octets=60 exporter=r1",
		    40000 + i);
		world_flow(w, at_ms, text);
		snprintf(text, sizeof(text),
		    "10.0.0.5:5000>" CLIENT ":%d proto=17 flags=none pkts=1 "
		    "octets=60 start_ms=%d exporter=r1",
		    40000 + i, at_ms + 1);
		world_flow(w, at_ms + 1, text);
	}
	world_drain(w);
	/* the first came through it, the others asked a service */
	assert_int_equal(world_outcomes(w, OUTCOME_ACCEPTED), 4);
	assert_non_null(world_exposure(w, "10.0.0.5", 5000));
	world_free(w);
}

/* --- ICMP errors ------------------------------------------------------------
 */

static void
old_icmp_errors_make_room_for_those_of_today(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 20; i++)
		world_flow(w, i * MINUTE,
		    ROUTER ":0>" SCANNER ":0 proto=1 flags=none pkts=1 "
			   "octets=56 exporter=r1 icmp=3/1");
	world_flow(w, HOUR,
	    SCANNER ":40000>10.0.0.5:9999 proto=17 flags=none pkts=1 "
		    "octets=60 exporter=r1");
	world_flow(w, HOUR,
	    "10.0.0.5:0>" SCANNER ":0 proto=1 flags=none pkts=1 octets=56 "
	    "exporter=r1 icmp=3/3");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_REFUSED), 1);
	world_free(w);
}

static void
source_goes_with_its_last_icmp_error(void **state)
{
	struct engine_config config = world_config(0);
	struct engine_summary summary;
	struct world *w;

	(void)state;
	config.max_sources = 2 * ICMP_ERRORS_MAX;
	w = world_new_with(&config);
	for (uint32_t i = 0; i < ICMP_ERRORS_MAX + 1000; i++) {
		struct flow_record *f = record(w, 0,
		    ROUTER ":0>203.0.0.0:0 proto=1 flags=none pkts=1 "
			   "octets=56 exporter=r1 icmp=3/1");

		f->dst.octets[14] = (uint8_t)(i >> 8);
		f->dst.octets[15] = (uint8_t)i;
		engine_take(w->engine, w->flows);
	}
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.sources, ICMP_ERRORS_MAX);
	world_free(w);
}

/* --- bounds -----------------------------------------------------------------
 */

/* Seconds of processor time: generous, and far from what an O(n) walk for
 * each record takes. */
#define BOUND_S 20

static double
seconds_since(clock_t begun)
{
	return (double)(clock() - begun) / CLOCKS_PER_SEC;
}

static void
scan_that_draws_icmp_errors_is_judged_in_bounded_time(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;
	clock_t begun;

	(void)state;
	config.max_pairs = 65536;
	config.max_events = 131072;
	w = world_new_with(&config);
	for (uint32_t i = 0; i < 16; i++) {
		struct flow_record *f = record(w, 0,
		    ROUTER ":0>" SCANNER ":0 proto=1 flags=none pkts=1 "
			   "octets=56 exporter=r1 icmp=3/1");

		f->packets = 100000;
		f->end_ms += 300000;
		engine_take(w->engine, w->flows);
	}
	for (uint32_t i = 0; i < 60000; i++) {
		struct flow_record *f = record(w, 1000,
		    SCANNER ":40000>10.0.0.5:1 proto=6 flags=0x02 pkts=1 "
			    "octets=60 exporter=r1");

		f->dst_port = (uint16_t)(i + 1);
		engine_take(w->engine, w->flows);
	}
	begun = clock();
	engine_tick(w->engine, WORLD_MS + 125000);
	assert_true(seconds_since(begun) < BOUND_S);
	discard(w);
	world_free(w);
}

static void
scan_by_who_opened_an_exposure_is_judged_in_bounded_time(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;
	clock_t begun;

	(void)state;
	config.max_exposures = 65536;
	config.max_hosts = 65536;
	config.max_pairs = 65536;
	config.max_events = 131072;
	w = world_new_with(&config);
	for (uint32_t i = 0; i < 60000; i++) {
		struct flow_record *f = record(w, 0,
		    "10.0.0.5:1>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 "
		    "octets=60 exporter=r1");

		f->src.octets[13] = (uint8_t)(i >> 8);
		f->src.octets[14] = (uint8_t)i;
		engine_take(w->engine, w->flows);
		if (i % 1000 == 0)
			discard(w);
	}
	world_attempt(w, HOUR, SCANNER ":40000", "10.0.0.5:4444", 'a');
	discard(w);
	begun = clock();
	for (uint32_t i = 0; i < 20000; i++) {
		struct flow_record *f = record(w, 2 * HOUR,
		    SCANNER ":40000>10.0.0.5:1 proto=6 flags=0x01 pkts=1 "
			    "octets=40 exporter=r1");

		f->dst_port = (uint16_t)(i + 10000);
		engine_take(w->engine, w->flows);
	}
	engine_tick(w->engine, WORLD_MS + 3 * HOUR);
	discard(w);
	assert_true(seconds_since(begun) < BOUND_S);
	world_free(w);
}

static void
flood_of_scanners_does_not_keep_the_next_from_being_known(void **state)
{
	struct engine_config config = world_config(0);
	const struct finding_scan_event *event;
	struct world *w;
	char from[64];

	(void)state;
	config.max_sources = 64;
	w = world_new_with(&config);
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	for (int i = 0; i < 64; i++) {
		snprintf(from, sizeof(from), "198.18.0.%d:40000", i);
		world_attempt(w, 1000, from, "10.0.0.5:23", 'r');
	}
	world_attempt(w, HOUR, SCANNER ":40000", "10.0.0.5:24", 's');
	world_attempt(w, HOUR + 1000, OTHER ":40000", "10.0.0.5:443", 'a');
	world_tick(w, HOUR + 3 * MINUTE);
	world_attempt(w, 2 * HOUR, SCANNER ":40001", "10.0.0.5:443", 'a');
	world_drain(w);
	event = world_event(w, SCANNER, "10.0.0.5", 443);
	assert_non_null(event);
	assert_int_equal(event->place, PLACE_NEM);
	world_free(w);
}

/* What the store never had needs no place to be taken back from it. */
static void
probes_from_inside_taken_back_at_once_crowd_nothing(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_exposures = 4096;
	w = world_new_with(&config);
	for (int i = 0; i < 1500; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "10.0.0.5:%d>" CLIENT ":80 proto=6 flags=0x12 pkts=1 "
		    "octets=44 exporter=r1",
		    20000 + i);
		world_flow(w, 0, text);
		snprintf(text, sizeof(text),
		    CLIENT ":80>10.0.0.5:%d proto=6 flags=0x04 pkts=1 "
			   "octets=40 exporter=r1",
		    20000 + i);
		world_flow(w, 0, text);
	}
	assert_int_equal(counter_get(&w->counters, COUNTER_RETRACTED_EXPOSURES),
	    1500);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_EVENTS), 0);
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	world_free(w);
}

static void
estimate_of_clients_does_not_overflow(void **state)
{
	struct client_sketch s = { .count = CLIENT_EXACT + 1 };

	(void)state;
	memset(s.registers, 27, sizeof(s.registers));
	assert_true(clients_is_valid(&s));
	assert_int_equal(clients_estimate(&s), UINT32_MAX);
	s.registers[63] = 28;
	assert_false(clients_is_valid(&s));
}

/* --- what the store gives back ----------------------------------------------
 */

static struct finding
exposure_finding(void)
{
	struct finding f = { .kind = FINDING_EXPOSURE };

	f.exposure.id = 1;
	assert_ok(addr_parse("10.0.0.5", &f.exposure.host));
	f.exposure.first_ms = f.exposure.last_ms = WORLD_MS;
	f.exposure.proto = 6;
	f.exposure.port = 443;
	f.exposure.accepted = 1;
	return f;
}

static void
times_and_ids_that_cannot_be_are_not_restored(void **state)
{
	static const int64_t times_ms[] = { INT64_MIN, -1, INT64_MAX };
	struct world *w = world_new(0);
	struct finding f;

	(void)state;
	for (int i = 0; i < 3; i++) {
		f = exposure_finding();
		f.exposure.last_ms = times_ms[i];
		assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
		f = exposure_finding();
		f.exposure.refused_ms = times_ms[i];
		assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
		memset(&f, 0, sizeof(f));
		f.kind = FINDING_HOST;
		f.host.last_seen_ms = times_ms[i];
		assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
		memset(&f, 0, sizeof(f));
		f.kind = FINDING_ENGINE;
		f.engine.clock_ms = times_ms[i];
		assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
	}
	f = exposure_finding();
	f.exposure.id = INT64_MAX;
	assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
	f = exposure_finding();
	f.exposure.state = EXPOSURE_CLOSED; /* since never */
	assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
	f = exposure_finding();
	f.exposure.sketch.registers[0] = 255;
	assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
	memset(&f, 0, sizeof(f));
	f.kind = FINDING_TRANS_DARKPORT;
	f.trans_darkport.state = ALERT_STATE_COUNT;
	assert_int_equal(engine_restore(w->engine, &f), ERR_RANGE);
	f = exposure_finding();
	assert_ok(engine_restore(w->engine, &f));
	world_tick(w, 2 * DAY);
	world_free(w);
}

/* The store gives back the last two hours, and those were quiet. */
static void
late_flow_after_a_restart_does_not_overwrite_a_stored_count(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	w->state.clock_ms = WORLD_MS + 8 * HOUR;
	w->state.training_from_ms = WORLD_MS;
	world_restart(w);
	world_flow(w, 8 * HOUR + 1000,
	    SCANNER ":40000>10.0.0.5:23 proto=6 flags=0x02 pkts=1 octets=60 "
		    "start_ms=1000 exporter=r1");
	world_drain(w);
	assert_int_equal(w->outcome_count, 1);
	assert_true(w->outcomes[0].hour_ms > WORLD_MS + 6 * HOUR);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(firewall_event_of_an_outbound_connection_exposes_nothing),
		TEST(last_packets_denied_behind_a_connection_take_nothing_back),
		TEST(update_without_octets_does_not_hide_those_of_the_end),
		TEST(datagram_a_firewall_denied_is_an_event_of_its_protocol),
		TEST(opening_stays_an_event_when_its_interval_closes_soon),
		TEST(opening_stays_an_event_when_the_next_interval_begins),
		TEST(
		    late_copy_of_an_earlier_opening_does_not_open_the_next_interval),
		TEST(
		    interval_opened_by_an_attempt_counted_before_has_accepted_one),
		TEST(exposure_does_not_name_an_event_that_was_taken_back),
		TEST(order_in_time_of_one_connection_counts_once),
		TEST(order_in_time_of_two_connections_confirms_a_service),
		TEST(
		    service_that_order_in_time_confirmed_gives_others_their_direction),
		TEST(order_in_time_that_does_not_hold_confirms_nothing),
		TEST(order_in_time_of_a_connection_taken_back_counts_no_more),
		TEST(guess_by_ports_on_a_one_sided_feed_confirms_nothing),
		TEST(
		    guess_is_taken_back_when_its_port_turns_out_to_be_a_clients),
		TEST(
		    guess_that_cannot_be_judged_again_is_a_hint_at_a_clients_port),
		TEST(client_takes_no_exact_evidence_off_the_map),
		TEST(
		    client_is_one_for_as_long_as_its_exporters_timeouts_ask_for),
		TEST(refusals_close_in_whatever_order_they_come),
		TEST(exposure_refused_once_grows_stale_like_any_other),
		TEST(reset_of_a_stray_segment_is_no_sign_of_life),
		TEST(new_opener_does_not_inherit_the_probes_of_the_one_before),
		TEST(restart_does_not_forget_that_a_first_client_had_probed),
		TEST(biflow_without_any_packet_is_no_attempt),
		TEST(
		    syn_that_comes_after_its_answer_was_judged_is_the_same_attempt),
		TEST(what_comes_through_a_pinhole_does_not_keep_it_open),
		TEST(old_icmp_errors_make_room_for_those_of_today),
		TEST(source_goes_with_its_last_icmp_error),
		TEST(scan_that_draws_icmp_errors_is_judged_in_bounded_time),
		TEST(scan_by_who_opened_an_exposure_is_judged_in_bounded_time),
		TEST(flood_of_scanners_does_not_keep_the_next_from_being_known),
		TEST(probes_from_inside_taken_back_at_once_crowd_nothing),
		TEST(estimate_of_clients_does_not_overflow),
		TEST(times_and_ids_that_cannot_be_are_not_restored),
		TEST(
		    late_flow_after_a_restart_does_not_overwrite_a_stored_count),
	};

	return RUN_TESTS(tests);
}
