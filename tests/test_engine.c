/* SPDX-License-Identifier: Apache-2.0 */
/* The maps, the trans-darkports and the scan events, in simulated time. */
#include <stdio.h>
#include <string.h>

#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)
#define DAY    (24 * INT64_C(3600000))

#define CLIENT	"203.0.113.10"
#define OTHER	"203.0.113.11"
#define SCANNER "198.51.100.66"

/* --- exposures --------------------------------------------------------------
 */

static void
nem_reports_a_trans_darkport_once(void **state)
{
	struct world *w = world_new(0);
	const struct finding_trans_darkport *alert;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_collect(w);
	alert = world_alert(w, "10.0.0.5", 443);
	assert_non_null(alert);
	assert_int_equal(alert->state, ALERT_NEW);
	assert_int_equal(alert->opened_ms, WORLD_MS);
	assert_false(alert->first_client_had_probed);
	for (int i = 1; i < 20; i++) {
		char from[64];

		snprintf(from, sizeof(from), OTHER ":%d", 40000 + i);
		world_attempt(w, i * 1000, from, "10.0.0.5:443", 'a');
	}
	world_drain(w);
	assert_int_equal(w->alert_count, 1);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].accepted, 20);
	assert_int_equal(w->exposures[0].clients, 2);
	world_free(w);
}

static void
training_opens_exposures_without_alerts_and_authorises_them(void **state)
{
	struct world *w = world_new(HOUR);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_collect(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].vetting, VETTING_UNVETTED);
	world_tick(w, HOUR + 1000);
	assert_int_equal(w->exposures[0].vetting, VETTING_AUTHORISED);
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(w->event_count, 0);

	world_attempt(w, HOUR + 2000, CLIENT ":40001", "10.0.0.5:8443", 'a');
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 8443);
	assert_non_null(x);
	assert_int_equal(x->vetting, VETTING_UNVETTED);
	assert_int_equal(w->alert_count, 1);
	assert_non_null(world_alert(w, "10.0.0.5", 8443));
	world_free(w);
}

static void
record_that_comes_after_training_but_began_in_it_does_not_alert(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_flow(w, HOUR + 5000,
	    CLIENT ":40001>10.0.0.5:25 proto=6 flags=0x02 pkts=1 octets=60 "
		   "start_ms=3590000 exporter=r1");
	world_flow(w, HOUR + 5000,
	    "10.0.0.5:25>" CLIENT ":40001 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=3590001 exporter=r1");
	world_drain(w);
	assert_non_null(world_exposure(w, "10.0.0.5", 25));
	assert_int_equal(world_exposure(w, "10.0.0.5", 25)->vetting,
	    VETTING_AUTHORISED);
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

static void
syn_ack_alone_opens_a_probable_exposure_at_once(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    "10.0.0.5:443>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 exporter=r1");
	world_collect(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].tier, TIER_PROBABLE);
	assert_int_equal(w->exposures[0].rule, RULE_A0);
	assert_int_equal(w->alert_count, 0);
	world_flow(w, 15000,
	    CLIENT ":40000>10.0.0.5:443 proto=6 flags=0x02 pkts=1 octets=60 "
		   "start_ms=0 exporter=r1");
	world_collect(w);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
	assert_int_equal(w->exposures[0].accepted, 1);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

static void
reset_takes_back_the_exposure_of_a_probe_from_inside(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    "10.0.0.5:51000>" CLIENT ":80 proto=6 flags=0x12 pkts=1 "
	    "octets=44 exporter=r1");
	world_collect(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->event_count, 1);
	world_flow(w, 10,
	    CLIENT ":80>10.0.0.5:51000 proto=6 flags=0x04 pkts=1 octets=40 "
		   "exporter=r1");
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(counter_get(&w->counters, COUNTER_RETRACTED_EXPOSURES),
	    1);
	world_free(w);
}

static void
refusals_a_minute_apart_close_and_acceptance_opens_a_new_interval(void **state)
{
	struct world *w = world_new(0);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, HOUR, CLIENT ":40001", "10.0.0.5:443", 'r');
	world_attempt(w, HOUR + 1000, CLIENT ":40002", "10.0.0.5:443", 'r');
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_OPEN);
	world_attempt(w, HOUR + MINUTE, CLIENT ":40003", "10.0.0.5:443", 'r');
	world_collect(w);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	assert_int_equal(w->exposures[0].closed_ms, WORLD_MS + HOUR);
	assert_int_equal(w->alert_count, 1);

	world_attempt(w, 2 * HOUR, CLIENT ":40004", "10.0.0.5:443", 'a');
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	x = world_exposure(w, "10.0.0.5", 443);
	assert_int_equal(x->state, EXPOSURE_OPEN);
	assert_int_equal(x->accepted, 1);
	assert_int_equal(w->alert_count, 2);
	assert_int_equal(world_alert(w, "10.0.0.5", 443)->dark_since_ms,
	    WORLD_MS + HOUR);
	world_free(w);
}

/* Closed and opened again before anybody collected: both intervals count. */
static void
interval_that_ends_between_two_collections_is_not_lost(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, HOUR, CLIENT ":40001", "10.0.0.5:443", 'r');
	world_attempt(w, HOUR + MINUTE, CLIENT ":40002", "10.0.0.5:443", 'r');
	world_attempt(w, 2 * HOUR, CLIENT ":40003", "10.0.0.5:443", 'a');
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	assert_int_equal(w->alert_count, 2);
	world_free(w);
}

static void
exposure_unseen_for_a_week_is_stale_and_comes_back(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_tick(w, 7 * DAY - MINUTE);
	assert_int_equal(w->exposures[0].state, EXPOSURE_OPEN);
	world_tick(w, 7 * DAY + MINUTE);
	assert_int_equal(w->exposures[0].state, EXPOSURE_STALE);
	world_attempt(w, 8 * DAY, CLIENT ":40001", "10.0.0.5:443", 'a');
	world_collect(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].state, EXPOSURE_OPEN);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

static void
high_port_with_one_client_is_transient_until_a_second_comes(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:50123", 'a');
	world_collect(w);
	assert_int_equal(w->exposures[0].tier, TIER_TRANSIENT);
	assert_int_equal(w->alert_count, 0);
	world_attempt(w, 1000, OTHER ":40000", "10.0.0.5:50123", 'a');
	world_collect(w);
	assert_int_equal(w->exposures[0].tier, TIER_CONFIRMED);
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

static void
transient_exposure_is_gone_after_an_hour(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:50123", 'a');
	world_tick(w, HOUR + 2 * MINUTE);
	assert_int_equal(w->exposures[0].state, EXPOSURE_CLOSED);
	assert_int_equal(w->alert_count, 0);
	world_free(w);
}

static void
two_generations_end_when_time_jumps_by_days(void **state)
{
	struct world *w = world_new(0);
	struct engine_summary summary;

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 's');
	world_attempt(w, 200000, SCANNER ":40000", "10.0.0.5:23", 's');
	world_tick(w, 400000);
	assert_int_equal(w->event_count, 2);
	/* further than the timers reach: a capture with a gap, a machine that
	 * slept */
	world_tick(w, 400000 + 3 * DAY);
	world_tick(w, 402000 + 3 * DAY);
	engine_summary(w->engine, &summary);
	assert_int_equal(summary.pairs, 0);
	assert_int_equal(w->event_count, 2);
	world_free(w);
}

static void
spoofed_syns_are_accepted_but_are_no_clients(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	for (int i = 0; i < 50; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "203.0.113.%d:5000>10.0.0.5:443 proto=6 flags=0x02 "
		    "pkts=1 octets=40 exporter=r1",
		    50 + i);
		world_flow(w, 1000, text);
		snprintf(text, sizeof(text),
		    "10.0.0.5:443>203.0.113.%d:5000 proto=6 flags=0x12 "
		    "pkts=1 octets=44 exporter=r1",
		    50 + i);
		world_flow(w, 1000, text);
	}
	world_drain(w);
	assert_int_equal(w->exposures[0].accepted, 51);
	assert_int_equal(w->exposures[0].clients, 1);
	world_free(w);
}

static void
completed_connections_of_two_clients_confirm_a_system_port(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 2; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "203.0.113.1%d:40000>10.0.0.5:443 proto=6 flags=0x1b "
		    "pkts=5 octets=300 start_ms=0 exporter=r1",
		    i);
		world_flow(w, 1000, text);
		snprintf(text, sizeof(text),
		    "10.0.0.5:443>203.0.113.1%d:40000 proto=6 flags=0x1b "
		    "pkts=5 octets=300 start_ms=0 exporter=r1",
		    i);
		world_flow(w, 1000, text);
		world_collect(w);
		assert_int_equal(w->exposures[0].tier,
		    i == 0 ? TIER_PROBABLE : TIER_CONFIRMED);
		assert_int_equal(w->alert_count, i);
	}
	world_free(w);
}

static void
outbound_connections_put_nothing_on_the_map(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, "10.0.0.5:40000", CLIENT ":443", 'a');
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(w->host_count, 1);
	assert_int_equal(world_outcomes(w, OUTCOME_OUTBOUND), 1);
	world_free(w);
}

/* --- scan events ------------------------------------------------------------
 */

static void
one_refused_attempt_is_a_scan_event_at_a_darkport(void **state)
{
	struct world *w = world_new(0);
	const struct finding_scan_event *event;

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_collect(w);
	event = world_event(w, SCANNER, "10.0.0.5", 23);
	assert_non_null(event);
	assert_int_equal(event->technique, TECHNIQUE_SYN);
	assert_int_equal(event->answer, ANSWER_REFUSED);
	assert_int_equal(event->place, PLACE_DARKPORT);
	assert_int_equal(event->phase, PHASE_OPERATION);
	assert_int_equal(event->src_port, 40000);
	world_free(w);
}

static void
silence_is_told_only_after_an_answer_could_have_come(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 's');
	world_tick(w, 119000);
	assert_int_equal(w->event_count, 0);
	world_tick(w, 121000);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(w->events[0].answer, ANSWER_SILENT);
	assert_int_equal(w->events[0].place, PLACE_DARKSPACE);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 1);
	world_free(w);
}

static void
late_answer_revokes_the_silence_of_the_same_event(void **state)
{
	struct world *w = world_new(0);
	uint64_t id;

	(void)state;
	world_show_both(w);
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 's');
	world_tick(w, 121000);
	assert_int_equal(w->event_count, 1);
	id = w->events[0].id;
	world_flow(w, 600000,
	    "10.0.0.5:23>" SCANNER ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=1 exporter=r1");
	world_collect(w);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(w->events[0].id, id);
	assert_int_equal(w->events[0].answer, ANSWER_ACCEPTED);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	assert_int_equal(counter_get(&w->counters, COUNTER_LATE_ANSWERS), 1);
	world_free(w);
}

/* So late was the answer; its silence was told after 2 min. */
static bool
revokes(int64_t revoke_ms, uint32_t active_s, int64_t late_ms)
{
	struct engine_config config = world_config(0);
	struct world *w;
	bool is_late;

	config.revoke_ms = revoke_ms;
	w = world_new_with(&config);
	world_show_both(w);
	if (active_s != 0)
		engine_tell_timeouts(w->engine, 0, active_s, 15);
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 's');
	world_tick(w, 121000);
	assert_int_equal(w->event_count, 1);
	world_tick(w, late_ms);
	world_flow(w, late_ms,
	    "10.0.0.5:23>" SCANNER ":40000 proto=6 flags=0x12 pkts=1 "
	    "octets=60 start_ms=1 exporter=r1");
	is_late = counter_get(&w->counters, COUNTER_LATE_ANSWERS) == 1;
	world_free(w);
	return is_late;
}

static void
silence_is_revoked_as_late_as_the_exporters_timeouts_ask_for(void **state)
{
	(void)state;
	/* 30 min, until something is known */
	assert_true(revokes(0, 0, 1840000));
	assert_false(revokes(0, 0, 1850000));
	/* 300 + 15 + 30 s */
	assert_true(revokes(0, 300, 340000));
	assert_false(revokes(0, 300, 350000));
	/* further than the wheel reaches */
	assert_true(revokes(0, 10000, 10040000));
	assert_false(revokes(0, 10000, 10050000));
	/* what is configured holds for all */
	assert_true(revokes(600000, 300, 590000));
	assert_false(revokes(600000, 3600, 610000));
}

static void
scans_in_training_are_recorded_with_their_phase(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:22", 'a');
	world_attempt(w, 1000, SCANNER ":40001", "10.0.0.5:23", 'r');
	world_drain(w);
	assert_int_equal(w->alert_count, 0);
	/* the refused one, and what the scanner learned: port 22 */
	assert_int_equal(w->event_count, 2);
	assert_int_equal(world_event(w, SCANNER, "10.0.0.5", 23)->phase,
	    PHASE_TRAINING);
	assert_int_equal(world_event(w, SCANNER, "10.0.0.5", 22)->place,
	    PLACE_NEM);
	world_free(w);
}

static void
attempts_at_the_map_are_no_events_until_their_source_scans(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_tick(w, HOUR + 1000);
	world_attempt(w, HOUR + 2000, SCANNER ":40000", "10.0.0.5:443", 'a');
	world_collect(w);
	assert_int_equal(w->event_count, 0);
	world_attempt(w, HOUR + 3000, SCANNER ":40001", "10.0.0.5:23", 'r');
	world_attempt(w, HOUR + 4000, SCANNER ":40002", "10.0.0.5:443", 'a');
	world_attempt(w, HOUR + 5000, CLIENT ":40003", "10.0.0.5:443", 'a');
	world_drain(w);
	/* before and after; the honest client has none */
	assert_int_equal(w->event_count, 3);
	assert_null(world_event(w, CLIENT, "10.0.0.5", 443));
	assert_int_equal(world_event(w, SCANNER, "10.0.0.5", 443)->place,
	    PLACE_NEM);
	world_free(w);
}

static void
stealth_probe_of_an_open_port_is_an_event(void **state)
{
	struct world *w = world_new(0);
	const struct finding_scan_event *event;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_flow(w, 1000,
	    SCANNER ":40000>10.0.0.5:443 proto=6 flags=0x29 pkts=1 "
		    "octets=40 exporter=r1");
	world_drain(w);
	event = world_event(w, SCANNER, "10.0.0.5", 443);
	assert_non_null(event);
	assert_int_equal(event->technique, TECHNIQUE_XMAS);
	assert_int_equal(event->answer, ANSWER_SILENT);
	assert_int_equal(event->place, PLACE_NEM);
	world_free(w);
}

static void
accepted_attempt_on_a_dark_port_is_event_and_trans_darkport(void **state)
{
	struct world *w = world_new(HOUR);
	const struct finding_scan_event *event;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, 2 * HOUR, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_attempt(w, 2 * HOUR + 1000, SCANNER ":40001", "10.0.0.5:4444",
	    'a');
	world_drain(w);
	event = world_event(w, SCANNER, "10.0.0.5", 4444);
	assert_non_null(event);
	assert_int_equal(event->answer, ANSWER_ACCEPTED);
	assert_int_equal(event->place, PLACE_DARKPORT);
	assert_true(world_alert(w, "10.0.0.5", 4444)->first_client_had_probed);
	assert_int_equal(world_exposure(w, "10.0.0.5", 4444)->event_id,
	    event->id);
	world_free(w);
}

static void
opener_is_the_earliest_attempt_in_whatever_order_they_come(void **state)
{
	static const char *const texts[] = {
		CLIENT ":40000>10.0.0.5:443 proto=6 flags=0x02 pkts=1 "
		       "octets=60 start_ms=5000 exporter=r1",
		"10.0.0.5:443>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 "
		"octets=60 start_ms=5001 exporter=r1",
		OTHER ":40000>10.0.0.5:443 proto=6 flags=0x02 pkts=1 "
		      "octets=60 start_ms=1000 exporter=r1",
		"10.0.0.5:443>" OTHER ":40000 proto=6 flags=0x12 pkts=1 "
		"octets=60 start_ms=1001 exporter=r1",
	};
	static const int orders[][4] = { { 0, 1, 2, 3 }, { 2, 3, 0, 1 },
		{ 3, 1, 0, 2 }, { 1, 3, 2, 0 } };

	(void)state;
	for (int o = 0; o < 4; o++) {
		struct world *w = world_new(0);

		for (int i = 0; i < 4; i++) {
			world_flow(w, 20000 + i, texts[orders[o][i]]);
			world_collect(w);
		}
		world_drain(w);
		assert_int_equal(w->event_count, 1);
		assert_non_null(world_event(w, OTHER, "10.0.0.5", 443));
		assert_int_equal(w->exposures[0].first_ms, WORLD_MS + 1000);
		assert_int_equal(w->alert_count, 1);
		assert_int_equal(w->alerts[0].opened_ms, WORLD_MS + 1000);
		assert_int_equal(w->exposures[0].accepted, 2);
		world_free(w);
	}
}

static void
answers_nobody_asked_for_are_no_events(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0,
	    CLIENT ":80>10.0.0.5:51000 proto=6 flags=0x12 pkts=1 octets=44 "
		   "exporter=r1");
	world_flow(w, 0,
	    OTHER ":80>10.0.0.6:51000 proto=6 flags=0x14 pkts=1 octets=40 "
		  "exporter=r1");
	world_flow(w, 0,
	    SCANNER ":53>10.0.0.6:40000 proto=17 flags=0x00 pkts=3 "
		    "octets=9000 exporter=r1");
	world_flow(w, 0,
	    SCANNER ":44000>10.0.0.6:22 proto=6 flags=0x18 pkts=30 "
		    "octets=9000 exporter=r1");
	world_drain(w);
	assert_int_equal(w->event_count, 0);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(world_outcomes(w, OUTCOME_BACKSCATTER), 3);
	assert_int_equal(world_outcomes(w, OUTCOME_MIDSTREAM), 1);
	world_free(w);
}

static void
retransmission_is_one_attempt_and_a_new_port_is_another(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 's');
	world_attempt(w, 3000, SCANNER ":40000", "10.0.0.5:23", 's');
	world_attempt(w, 4000, SCANNER ":40001", "10.0.0.5:23", 's');
	world_drain(w);
	assert_int_equal(w->event_count, 2);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 2);
	world_free(w);
}

static void
syn_on_a_used_tuple_after_a_pause_is_a_new_attempt(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_attempt(w, 2000, SCANNER ":40000", "10.0.0.5:23", 'r');
	world_drain(w);
	assert_int_equal(w->event_count, 2);
	assert_int_equal(counter_get(&w->counters, COUNTER_GENERATION_SPLITS),
	    1);
	world_free(w);
}

static void
tuple_used_again_and_again_keeps_counting(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 20; i++)
		world_attempt(w, i * 2000, SCANNER ":40000", "10.0.0.5:23",
		    'r');
	world_drain(w);
	assert_int_equal(w->event_count, 20);
	assert_int_equal(world_outcomes(w, OUTCOME_REFUSED), 20);
	world_free(w);
}

static void
echo_makes_a_host_populated_and_no_trans_darkport(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    CLIENT ":0>10.0.0.5:2048 proto=1 flags=none pkts=1 octets=84 "
		   "exporter=r1 icmp=8/0");
	world_flow(w, 0,
	    "10.0.0.5:0>" CLIENT ":0 proto=1 flags=none pkts=1 octets=84 "
	    "exporter=r1 icmp=0/0");
	world_flow(w, 0,
	    CLIENT ":0>10.0.0.9:2048 proto=1 flags=none pkts=1 octets=84 "
		   "exporter=r1 icmp=8/0");
	world_drain(w);
	assert_int_equal(w->host_count, 1);
	assert_int_equal(w->alert_count, 0);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.9", 0)->place,
	    PLACE_DARKSPACE);
	world_free(w);
}

/* --- bounds -----------------------------------------------------------------
 */

static void
flood_of_syns_sheds_silence_and_keeps_every_exposure(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;
	uint64_t unresolved;

	(void)state;
	config.max_pairs = 1000;
	config.max_sources = 1000;
	w = world_new_with(&config);
	for (int i = 0; i < 200000; i++) {
		struct flow_record *f = &w->flows->records[0];
		uint32_t n = (uint32_t)i;

		assert_true(case_parse_record(
		    "203.0.113.10:5000>10.1.0.1:80 proto=6 flags=0x02 "
		    "pkts=1 octets=40 exporter=r1",
		    f));
		f->received_ms = WORLD_MS + i / 100;
		f->src.octets[12] = 100;
		f->src.octets[13] = (uint8_t)(n >> 16);
		f->src.octets[14] = (uint8_t)(n >> 8);
		f->src.octets[15] = (uint8_t)n;
		w->flows->count = 1;
		engine_take(w->engine, w->flows);
		if (i % 20000 == 0) {
			char server[32];

			snprintf(server, sizeof(server), "10.0.0.%d:443",
			    i / 20000);
			world_attempt(w, i / 100, CLIENT ":40000", server, 'a');
		}
		if (i % 1000 == 0) {
			world_collect(w);
			w->event_count = 0; /* the test's arrays are small */
		}
	}
	while (engine_drain(w->engine)) {
		world_collect(w);
		w->event_count = 0;
	}
	w->event_count = 0;
	world_collect(w);
	assert_int_equal(w->exposure_count, 10);
	unresolved = world_outcomes(w, OUTCOME_UNRESOLVED);
	assert_true(unresolved >= 190000);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT) + unresolved,
	    200000);
	world_free(w);
}

static void
full_host_and_exposure_tables_refuse_new_entries_and_count(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_hosts = 4;
	config.max_exposures = 8;
	w = world_new_with(&config);
	for (int i = 0; i < 20; i++) {
		char server[32];

		snprintf(server, sizeof(server), "10.0.0.%d:443", i);
		world_attempt(w, 0, CLIENT ":40000", server, 'a');
	}
	world_drain(w);
	assert_int_equal(w->host_count, 4);
	assert_int_equal(w->exposure_count, 8);
	assert_true(counter_get(&w->counters, COUNTER_SHED_HOSTS) >= 16);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_EXPOSURES), 12);
	world_free(w);
}

static void
closed_exposure_makes_room_for_a_new_one(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_exposures = 1;
	w = world_new_with(&config);
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.1:443", 'a');
	world_attempt(w, HOUR, CLIENT ":40001", "10.0.0.1:443", 'r');
	world_attempt(w, HOUR + MINUTE, CLIENT ":40002", "10.0.0.1:443", 'r');
	world_collect(w);
	world_attempt(w, 2 * HOUR, CLIENT ":40003", "10.0.0.2:443", 'a');
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	assert_int_equal(counter_get(&w->counters, COUNTER_SHED_EXPOSURES), 0);
	world_free(w);
}

static void
flow_from_the_future_is_judged_by_the_time_received(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0,
	    SCANNER ":40000>10.0.0.5:23 proto=6 flags=0x02 pkts=1 octets=60 "
		    "start_ms=3600000 exporter=r1");
	world_flow(w, 0,
	    "10.0.0.5:23>" SCANNER ":40000 proto=6 flags=0x14 pkts=1 "
	    "octets=40 start_ms=3600000 exporter=r1");
	world_drain(w);
	assert_int_equal(w->events[0].ts_ms, WORLD_MS);
	assert_int_equal(counter_get(&w->counters, COUNTER_TIME_REPLACED), 2);
	world_free(w);
}

/* --- feeds ------------------------------------------------------------------
 */

static void
connections(struct world *w, int count, const char *flags, bool both)
{
	for (int i = 0; i < count; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "203.0.113.%d:%d>10.0.0.5:443 proto=6 flags=%s pkts=6 "
		    "octets=800 start_ms=1000 exporter=r1",
		    10 + i % 100, 40000 + i * 13, flags);
		world_flow(w, 2000, text);
		if (!both)
			continue;
		snprintf(text, sizeof(text),
		    "10.0.0.5:443>203.0.113.%d:%d proto=6 flags=%s pkts=5 "
		    "octets=4000 start_ms=1000 exporter=r1",
		    10 + i % 100, 40000 + i * 13, flags);
		world_flow(w, 2000, text);
	}
}

static void
exporter_without_flags_is_learned_and_its_connections_are_no_scans(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connections(w, 150, "0x00", true);
	world_flow(w, 4000,
	    SCANNER ":40001>10.0.0.9:25 proto=6 flags=0x00 pkts=1 octets=44 "
		    "exporter=r1");
	world_drain(w);
	assert_non_null(world_exposure(w, "10.0.0.5", 443));
	assert_int_equal(world_exposure(w, "10.0.0.5", 443)->rule, RULE_Z3);
	for (uint32_t i = 0; i < w->event_count; i++)
		assert_int_not_equal(w->events[i].technique, TECHNIQUE_NULL);
	world_free(w);
}

static void
one_sided_feed_is_learned_and_silence_becomes_unresolved(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, SCANNER ":40000", "10.0.0.9:23", 's');
	connections(w, 100, "0x1b", false);
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	assert_int_equal(world_event(w, SCANNER, "10.0.0.9", 23)->answer,
	    ANSWER_UNRESOLVED);
	world_free(w);
}

static void
fan_in_decides_connections_between_high_ports(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 8; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "203.0.113.%d:%d>10.0.0.5:50123 proto=6 flags=0x1b "
		    "pkts=6 octets=800 start_ms=1000 exporter=r1",
		    10 + i, 40000 + i * 997);
		world_flow(w, 2000, text);
		snprintf(text, sizeof(text),
		    "10.0.0.5:50123>203.0.113.%d:%d proto=6 flags=0x1b "
		    "pkts=5 octets=4000 start_ms=1000 exporter=r1",
		    10 + i, 40000 + i * 997);
		world_flow(w, 2000, text);
	}
	world_collect(w);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 5);
	assert_int_equal(world_outcomes(w, OUTCOME_ACCEPTED), 3);
	/* in the end it is known of the first ones as well */
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_UNKNOWN_DIR), 0);
	assert_int_equal(world_outcomes(w, OUTCOME_ACCEPTED), 8);
	assert_int_equal(world_exposure(w, "10.0.0.5", 50123)->rule,
	    RULE_A1_D7);
	world_free(w);
}

/* --- restart ----------------------------------------------------------------
 */

static void
restart_goes_on_where_it_was(void **state)
{
	struct world *w = world_new(HOUR);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, 2 * HOUR, CLIENT ":40001", "10.0.0.5:8443", 'a');
	world_drain(w);
	assert_int_equal(w->alert_count, 1);

	world_restart(w);
	world_attempt(w, 3 * HOUR, OTHER ":40000", "10.0.0.5:443", 'a');
	world_attempt(w, 3 * HOUR, OTHER ":40001", "10.0.0.5:8443", 'a');
	world_attempt(w, 3 * HOUR, OTHER ":40002", "10.0.0.5:9443", 'a');
	world_drain(w);
	x = world_exposure(w, "10.0.0.5", 443);
	assert_int_equal(x->accepted, 2);
	assert_int_equal(x->clients, 2);
	assert_int_equal(x->first_ms, WORLD_MS);
	assert_int_equal(w->exposure_count, 3);
	/* no second alert for what had one, one for what is new */
	assert_int_equal(w->alert_count, 2);
	assert_int_not_equal(w->alerts[0].id, w->alerts[1].id);
	world_free(w);
}

static void
training_that_is_over_does_not_begin_again_at_a_restart(void **state)
{
	struct world *w = world_new(HOUR);

	(void)state;
	world_attempt(w, 0, CLIENT ":40000", "10.0.0.5:443", 'a');
	world_tick(w, 2 * HOUR);
	world_attempt(w, 2 * HOUR, CLIENT ":40001", "10.0.0.5:8443", 'a');
	world_drain(w);
	w->config.training_ms = 10 * HOUR;
	world_restart(w);
	world_attempt(w, 3 * HOUR, CLIENT ":40002", "10.0.0.5:9443", 'a');
	world_drain(w);
	assert_int_equal(w->alert_count, 2);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nem_reports_a_trans_darkport_once),
		TEST(
		    training_opens_exposures_without_alerts_and_authorises_them),
		TEST(
		    record_that_comes_after_training_but_began_in_it_does_not_alert),
		TEST(syn_ack_alone_opens_a_probable_exposure_at_once),
		TEST(reset_takes_back_the_exposure_of_a_probe_from_inside),
		TEST(
		    refusals_a_minute_apart_close_and_acceptance_opens_a_new_interval),
		TEST(interval_that_ends_between_two_collections_is_not_lost),
		TEST(exposure_unseen_for_a_week_is_stale_and_comes_back),
		TEST(
		    high_port_with_one_client_is_transient_until_a_second_comes),
		TEST(transient_exposure_is_gone_after_an_hour),
		TEST(two_generations_end_when_time_jumps_by_days),
		TEST(spoofed_syns_are_accepted_but_are_no_clients),
		TEST(
		    completed_connections_of_two_clients_confirm_a_system_port),
		TEST(outbound_connections_put_nothing_on_the_map),
		TEST(one_refused_attempt_is_a_scan_event_at_a_darkport),
		TEST(silence_is_told_only_after_an_answer_could_have_come),
		TEST(late_answer_revokes_the_silence_of_the_same_event),
		TEST(
		    silence_is_revoked_as_late_as_the_exporters_timeouts_ask_for),
		TEST(scans_in_training_are_recorded_with_their_phase),
		TEST(
		    attempts_at_the_map_are_no_events_until_their_source_scans),
		TEST(stealth_probe_of_an_open_port_is_an_event),
		TEST(
		    accepted_attempt_on_a_dark_port_is_event_and_trans_darkport),
		TEST(
		    opener_is_the_earliest_attempt_in_whatever_order_they_come),
		TEST(answers_nobody_asked_for_are_no_events),
		TEST(retransmission_is_one_attempt_and_a_new_port_is_another),
		TEST(syn_on_a_used_tuple_after_a_pause_is_a_new_attempt),
		TEST(tuple_used_again_and_again_keeps_counting),
		TEST(echo_makes_a_host_populated_and_no_trans_darkport),
		TEST(flood_of_syns_sheds_silence_and_keeps_every_exposure),
		TEST(
		    full_host_and_exposure_tables_refuse_new_entries_and_count),
		TEST(closed_exposure_makes_room_for_a_new_one),
		TEST(flow_from_the_future_is_judged_by_the_time_received),
		TEST(
		    exporter_without_flags_is_learned_and_its_connections_are_no_scans),
		TEST(one_sided_feed_is_learned_and_silence_becomes_unresolved),
		TEST(fan_in_decides_connections_between_high_ports),
		TEST(restart_goes_on_where_it_was),
		TEST(training_that_is_over_does_not_begin_again_at_a_restart),
	};

	return RUN_TESTS(tests);
}
