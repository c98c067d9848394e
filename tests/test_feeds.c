/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a feed can show, and what the engine makes of it: silence only where
 * an answer could have been seen, else unresolved, with its reason.
 */
#include <stdio.h>

#include "exposure/profiles.h"
#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define CLIENT "203.0.113.10"

/* Conversations counted for this exporter with this outcome and reason. */
static uint64_t
counted(const struct world *w, uint32_t exporter, enum outcome outcome,
    enum reason reason)
{
	uint64_t attempts = 0;

	for (uint32_t i = 0; i < w->outcome_count; i++)
		if (w->outcomes[i].exporter == exporter &&
		    w->outcomes[i].outcome == outcome &&
		    w->outcomes[i].reason == reason)
			attempts += w->outcomes[i].attempts;
	return attempts;
}

/* One SYN that nobody answers, shown by exporter r1 or r2. */
static void
probe(struct world *w, int64_t at_ms, int port, int exporter)
{
	char text[160];

	snprintf(text, sizeof(text),
	    CLIENT ":40000>10.0.0.5:%d proto=6 flags=0x02 pkts=1 octets=44 "
		   "exporter=r%d",
	    port, exporter);
	world_flow(w, at_ms, text);
}

static void
attempts_are_counted_for_the_exporter_that_showed_them(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	probe(w, 0, 1, 1);
	probe(w, 0, 2, 2);
	probe(w, 10, 3, 2);
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	assert_int_equal(counted(w, 1, OUTCOME_SILENT, REASON_NONE), 2);
	world_free(w);
}

static void
attempt_moves_to_the_exporter_known_for_longest(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	probe(w, 0, 1, 2);
	world_tick(w, 200000);
	assert_int_equal(counted(w, 1, OUTCOME_SILENT, REASON_NONE), 1);
	/* the same SYN, late, from another router: still one attempt */
	world_flow(w, 210000,
	    CLIENT ":40000>10.0.0.5:1 proto=6 flags=0x02 pkts=1 octets=44 "
		   "start_ms=0 exporter=r1");
	world_drain(w);
	assert_int_equal(counted(w, 1, OUTCOME_SILENT, REASON_NONE), 0);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	world_free(w);
}

static void
reason_says_what_the_feed_lacks(void **state)
{
	static const struct {
		struct feed_profile feed;
		enum reason reason;
	} feeds[] = {
		{ { .one_sided = true, .sampled = true }, REASON_ONE_SIDED },
		{ { .sampled = true, .lossy = true }, REASON_SAMPLED },
		{ { .lossy = true, .partly = true }, REASON_LOSS },
		{ { .partly = true }, REASON_PARTLY },
		{ { .unheard = true }, REASON_WINDOW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++) {
		struct world *w = world_new(0);
		const struct finding_scan_event *event;

		engine_set_profile(w->engine, 0, &feeds[i].feed);
		probe(w, 0, 23, 1);
		world_drain(w);
		event = world_event(w, CLIENT, "10.0.0.5", 23);
		assert_non_null(event);
		assert_int_equal(event->answer, ANSWER_UNRESOLVED);
		assert_int_equal(event->reason, feeds[i].reason);
		assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED,
				     feeds[i].reason),
		    1);
		assert_int_equal(counter_get(&w->counters,
				     (enum counter)(
					 COUNTER_UNRESOLVED_ONE_SIDED +
					 feeds[i].reason - REASON_ONE_SIDED)),
		    1);
		world_free(w);
	}
}

/* One SYN that began and was received then, in seconds. */
static void
probe_at(struct world *w, uint16_t port, int start_s, int at_s)
{
	char text[160];

	snprintf(text, sizeof(text),
	    CLIENT ":40000>10.0.0.5:%u proto=6 flags=0x02 pkts=1 octets=44 "
		   "start_ms=%d exporter=r1",
	    port, start_s * 1000);
	world_flow(w, at_s * 1000, text);
}

/* A refusal is exported at once, and the SYN it answers 15 s later. */
static void
what_began_before_anybody_listened_is_not_silent(void **state)
{
	struct world *w = world_new(0);
	const struct finding_scan_event *event;

	(void)state;
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS + 60000);
	probe_at(w, 23, 59, 75);
	probe_at(w, 24, 60, 75);
	world_tick(w, 300000);
	event = world_event(w, CLIENT, "10.0.0.5", 23);
	assert_non_null(event);
	assert_int_equal(event->answer, ANSWER_UNRESOLVED);
	assert_int_equal(event->reason, REASON_WINDOW);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_WINDOW), 1);
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_WINDOW),
	    1);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 24)->answer,
	    ANSWER_SILENT);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	world_free(w);
}

/* It is in the store as what it is, and a restart listens anew. */
static void
what_began_while_the_daemon_was_down_is_not_silent(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS);
	probe_at(w, 23, 1, 16);
	world_tick(w, 300000);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	world_restart(w);
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS + 600000);
	probe_at(w, 24, 599, 614);
	world_tick(w, 900000);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 24)->reason,
	    REASON_WINDOW);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_WINDOW), 1);
	world_free(w);
}

static void
answer_to_what_began_before_anybody_listened_counts(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS + 60000);
	probe_at(w, 23, 59, 75);
	world_tick(w, 300000);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_WINDOW), 1);
	world_flow(w, 301000,
	    "10.0.0.5:23>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=44 "
	    "start_ms=59001 exporter=r1");
	world_collect(w);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_WINDOW), 0);
	assert_int_equal(world_outcomes(w, OUTCOME_ACCEPTED_NO_ACK), 1);
	world_free(w);
}

/* Who sends what he has kept sends the answers too. */
static void
what_is_sent_long_after_its_end_was_heard_as_a_whole(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS + 3610000);
	probe_at(w, 23, 0, 3612);
	world_flow(w, 3612000, /* and who has not set his clock, may be late */
	    CLIENT ":40000>10.0.0.5:24 proto=6 flags=0x02 pkts=1 octets=44 "
		   "start_ms=0 export_ms=15000 exporter=r2");
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 2);
	world_free(w);
}

/* Else nothing would be silent until it is as late as it was. */
static void
clock_set_back_does_not_take_the_listening_back(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	engine_listen_from(w->engine, WORLD_MS + 3600000);
	probe_at(w, 23, 3601, 3602);
	probe_at(w, 24, 10, 5);
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 2);
	world_free(w);
}

/* A reset to silence: nobody does that, so the answer is missing. */
static void
evidence_against_silence_is_unresolved_whatever_the_feed(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0,
	    CLIENT ":40000>10.0.0.5:80 proto=6 flags=0x06 pkts=2 octets=84 "
		   "exporter=r1");
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_EVIDENCE), 1);
	world_free(w);
}

static void
attempts_given_up_for_room_are_unresolved_as_shed(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.max_pairs = 64;
	w = world_new_with(&config);
	world_show_both(w);
	for (int i = 0; i < 100; i++)
		probe(w, 0, 1 + i, 1);
	world_drain(w);
	/* 61 have places. The one that made room told that its source scans:
	 * the rest of the source's are counted without a place, but for the one
	 * that the room was made for */
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_SHED), 39);
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED),
	    39);
	world_free(w);
}

/* The events of a property; *last is the newest. */
static uint32_t
events_of(const struct world *w, enum feed_property property,
    struct finding_feed_event *last)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < w->feed_event_count; i++)
		if (w->feed_events[i].property == property &&
		    !w->feed_events[i].has_network) {
			*last = w->feed_events[i];
			count++;
		}
	return count;
}

static void
sampling_switched_on_takes_silence_from_what_comes_later(void **state)
{
	struct world *w = world_new(0);
	struct finding_feed_event event;

	(void)state;
	world_show_both(w);
	probe(w, 0, 1, 1);
	for (int i = 2; i < 5; i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    CLIENT ":40000>10.0.0.5:%d proto=6 flags=0x02 pkts=1 "
			   "octets=44 exporter=r1 sampling=%d",
		    i, i == 4 ? 1 : 100); /* 4: of another sampler */
		world_flow(w, 1000 * i, text);
	}
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 2);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_SAMPLED), 2);
	assert_int_equal(events_of(w, FEED_SAMPLING, &event), 1);
	assert_int_equal(event.from, 1);
	assert_int_equal(event.to, 100);
	world_free(w);
}

/* So many records of a busy second, outbound, of no account. */
static void
pass_traffic(struct world *w, int64_t at_ms, int records)
{
	for (int i = 0; i < records; i++)
		world_flow(w, at_ms,
		    "203.0.113.77:1000>198.51.100.9:2000 proto=17 pkts=1 "
		    "octets=60 exporter=r1");
}

static void
gap_in_the_sequence_takes_silence_from_its_time_alone(void **state)
{
	struct world *w = world_new(0);
	struct finding_feed_event event;

	(void)state;
	world_show_both(w);
	probe(w, 0, 1, 1);
	pass_traffic(w, 0, 1000);
	world_tick(w, 400000); /* silent long before the gap */
	probe(w, 2000000, 2, 1);
	pass_traffic(w, 2001000, 980);
	world_flow(w, 2002000,
	    "203.0.113.77:1000>198.51.100.9:2000 proto=17 pkts=1 octets=60 "
	    "exporter=r1 lost=20");
	world_tick(w, 2400000);
	probe(w, 5000000, 3, 1);
	pass_traffic(w, 5001000, 3000);
	world_flow(w, 5002000, /* too few to matter */
	    "203.0.113.77:1000>198.51.100.9:2000 proto=17 pkts=1 octets=60 "
	    "exporter=r1 lost=20");
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 2);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_LOSS), 1);
	assert_int_equal(events_of(w, FEED_LOSS, &event), 2); /* and back */
	world_free(w);
}

static void
direction_without_answers_never_becomes_silence(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	for (int i = 0; i < 4; i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    CLIENT ":%d>10.0.0.5:443 proto=6 flags=0x1b pkts=9 "
			   "octets=900 exporter=r1",
		    40000 + i);
		world_flow(w, i, text);
	}
	probe(w, 1000, 23, 1);
	world_drain(w);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	assert_int_equal(world_outcomes(w, OUTCOME_REFUSED), 0);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_PARTLY), 1);
	world_free(w);
}

/* A conversation of so many packets, shown by r1; answered or not. */
static void
connect_to(struct world *w, int64_t at_ms, int client_port, const char *server,
    bool is_answered)
{
	const char *client = server[0] == '[' ? "[2001:db8::1]" : CLIENT;
	char text[200];

	snprintf(text, sizeof(text),
	    "%s:%d>%s proto=6 flags=0x1b pkts=9 octets=900 exporter=r1", client,
	    client_port, server);
	world_flow(w, at_ms, text);
	if (!is_answered)
		return;
	snprintf(text, sizeof(text),
	    "%s>%s:%d proto=6 flags=0x1b pkts=9 octets=900 exporter=r1", server,
	    client, client_port);
	world_flow(w, at_ms, text);
}

static void
feed_that_never_answered_is_never_silent(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	probe(w, 0, 23, 1);
	world_flow(w, 0,
	    CLIENT ":40000>10.0.0.5:24 proto=6 flags=0x01 pkts=1 octets=40 "
		   "exporter=r1");
	world_flow(w, 0,
	    CLIENT ":40000>10.0.0.5:25 proto=6 flags=0x06 pkts=1 octets=40 "
		   "exporter=r1");
	world_flow(w, 0,
	    CLIENT ":40000>10.0.0.5:161 proto=17 flags=0x00 pkts=1 octets=60 "
		   "exporter=r1");
	world_flow(w, 0,
	    CLIENT ":0>10.0.0.5:2048 proto=1 pkts=1 octets=60 exporter=r1 "
		   "icmp=8/0");
	world_tick(w, 10000000);
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_PARTLY), 5);
	assert_int_equal(counter_get(&w->counters, COUNTER_ATTEMPTS), 5);
	for (uint32_t i = 0; i < w->event_count; i++)
		assert_int_equal(w->events[i].answer, ANSWER_UNRESOLVED);
	world_free(w);
}

static void
silence_is_told_when_the_feed_shows_its_first_answer(void **state)
{
	struct world *w = world_new(0);
	uint64_t id;

	(void)state;
	probe(w, 0, 23, 1);
	world_tick(w, 121000);
	assert_int_equal(w->event_count, 1);
	assert_int_equal(w->events[0].answer, ANSWER_UNRESOLVED);
	id = w->events[0].id;
	/* at another host, and a refusal is an answer, too */
	world_attempt(w, 200000, "203.0.113.99:4000", "10.9.9.9:80", 'r');
	world_tick(w, 202000);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->answer,
	    ANSWER_SILENT);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->id, id);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	assert_int_equal(world_outcomes(w, OUTCOME_UNRESOLVED), 0);
	/* and the silence can be revoked, as any */
	world_flow(w, 600000,
	    "10.0.0.5:23>" CLIENT ":40000 proto=6 flags=0x12 pkts=1 octets=60 "
	    "start_ms=1 exporter=r1");
	assert_int_equal(counter_get(&w->counters, COUNTER_LATE_ANSWERS), 1);
	world_free(w);
}

static void
unanswered_halves_of_a_network_keep_it_from_silence(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, 40000, "[2001:db8:a::5]:443", true);
	for (int i = 0; i < 4; i++)
		connect_to(w, i, 40000 + i, "10.0.0.5:443", false);
	world_tick(w, 200000);
	probe(w, 300000, 23, 1);
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_PARTLY), 1);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	world_free(w);
}

static void
answers_inside_are_none_to_the_outside(void **state)
{
	struct engine_config config = world_config(0);
	struct world *w;

	(void)state;
	config.internal_scope = true;
	w = world_new_with(&config);
	for (int i = 0; i < 200; i++) {
		char client[64];

		snprintf(client, sizeof(client), "10.1.0.1:%d", 40000 + i);
		world_attempt(w, i, client, "10.0.0.5:80", 'a');
	}
	probe(w, 1000, 23, 1);
	world_attempt(w, 1000, "10.1.0.1:50000", "10.0.0.5:81", 's');
	world_drain(w);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->answer,
	    ANSWER_UNRESOLVED);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 1); /* inside */
	world_free(w);
}

static void
first_answer_outlives_a_restart(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_attempt(w, 0, "203.0.113.99:4000", "10.9.9.9:80", 'r');
	world_drain(w);
	world_restart(w);
	probe(w, 1000000, 23, 1);
	world_drain(w);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->answer,
	    ANSWER_SILENT);
	world_free(w);
}

static void
silence_is_said_less_surely_of_a_feed_seen_for_a_short_while(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, 39999, "10.0.0.5:443", true);
	probe(w, 0, 23, 1);
	world_tick(w, 200000);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->confidence,
	    CONFIDENCE_MED);
	for (int i = 0; i < 100; i++)
		connect_to(w, 300000 + i, 40000 + i, "10.0.0.5:443", true);
	probe(w, 300000, 24, 1);
	world_drain(w);
	assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 24)->confidence,
	    CONFIDENCE_HIGH);
	world_free(w);
}

/*
 * 100 halves of two networks: of neither network are there enough, of the feed
 * there are. The first one was judged long before that was known.
 */
static void
half_connections_of_a_one_sided_feed_are_in_the_map(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	connect_to(w, 0, 39999, "10.0.0.4:443", false);
	world_tick(w, 200000);
	assert_int_equal(world_exposure(w, "10.0.0.4", 443)->tier, TIER_HINT);
	for (int i = 0; i < 70; i++)
		connect_to(w, 300000, 40000 + i, "10.0.0.5:443", false);
	for (int i = 0; i < 30; i++)
		connect_to(w, 300000, 40000 + i, "[2001:db8:a::5]:22", false);
	probe(w, 300000, 23, 1);
	world_drain(w);
	assert_int_equal(world_exposure(w, "10.0.0.4", 443)->tier,
	    TIER_PROBABLE);
	assert_int_equal(world_exposure(w, "10.0.0.5", 443)->tier,
	    TIER_PROBABLE);
	assert_int_equal(world_exposure(w, "2001:db8:a::5", 22)->tier,
	    TIER_PROBABLE);
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_ONE_SIDED),
	    1);
	world_free(w);
}

static void
clock_that_is_off_is_corrected_once_it_is_known(void **state)
{
	static const int64_t shifts_ms[] = { 0, 300000, -300000, 1000 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world *w = world_new(0);
		struct flow_record *f = &w->flows->records[0];
		struct finding_feed_event event;

		assert_true(case_parse_record(CLIENT
		    ":40000>10.0.0.5:23 proto=6 flags=0x02 pkts=1 "
		    "octets=44 exporter=r2",
		    f));
		f->received_ms = WORLD_MS + 1000000;
		f->export_ms = f->received_ms + shifts_ms[i];
		f->has |= FLOW_HAS_TIMES;
		f->start_ms = f->end_ms = WORLD_MS + 990000 + shifts_ms[i];
		w->flows->count = 1;
		engine_take(w->engine, w->flows);
		world_drain(w);
		/* a second is how exactly clocks are told */
		assert_int_equal(world_event(w, CLIENT, "10.0.0.5", 23)->ts_ms,
		    WORLD_MS + 990000 + (i == 3 ? 1000 : 0));
		assert_int_equal(events_of(w, FEED_CLOCK_OFFSET, &event),
		    i == 1 || i == 2);
		world_free(w);
	}
}

static void
configured_property_wins_and_is_not_learned(void **state)
{
	struct world *w = world_new(0);
	struct feed_override given = { .given = 1U << FEED_SAMPLING |
						1U << FEED_VISIBILITY };
	struct finding_feed_event event;

	(void)state;
	given.values[FEED_SAMPLING] = 1;
	given.values[FEED_VISIBILITY] = FEED_VISIBILITY_BOTH;
	engine_override_feed(w->engine, 0, &given);
	for (int i = 0; i < 10; i++)
		world_flow(w, i,
		    CLIENT ":40000>10.0.0.5:23 proto=6 flags=0x02 pkts=1 "
			   "octets=44 exporter=r1 sampling=100");
	world_drain(w);
	assert_int_equal(counted(w, 0, OUTCOME_SILENT, REASON_NONE), 1);
	assert_int_equal(events_of(w, FEED_SAMPLING, &event), 0);
	for (uint32_t i = 0; i < w->feed_count; i++)
		if (w->feeds[i].property == FEED_VISIBILITY)
			assert_int_equal(w->feeds[i].source,
			    FEED_SOURCE_CONFIGURED);
	world_free(w);
}

/* What is told of exporter r1's property now. */
static const struct finding_feed *
feed_of(const struct world *w, enum feed_property property)
{
	for (uint32_t i = 0; i < w->feed_count; i++)
		if (w->feeds[i].property == property &&
		    !w->feeds[i].has_network)
			return &w->feeds[i];
	fail_msg("nothing is told of %s", feed_property_name(property));
	return NULL;
}

/* Flags that turn out to be ok change nothing, and are known from then on. */
static void
a_value_that_stayed_is_learned_all_the_same(void **state)
{
	static const char *const flags[] = { "02", "12", "1b" };
	struct world *w = world_new(0);
	struct finding_feed_event event;
	char text[160];

	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text),
		    CLIENT ":%d>10.0.0.5:443 proto=6 flags=0x%s pkts=9 "
			   "octets=900 exporter=r1",
		    40000 + i, flags[i % 3]);
		world_flow(w, i, text);
	}
	world_drain(w);
	assert_int_equal(feed_of(w, FEED_FLAGS)->value, FEED_FLAGS_OK);
	assert_int_equal(feed_of(w, FEED_FLAGS)->source, FEED_SOURCE_LEARNED);
	assert_int_equal(feed_of(w, FEED_FLAGS)->samples, 30);
	assert_int_equal(feed_of(w, FEED_ACTIVE_TIMEOUT)->source,
	    FEED_SOURCE_DEFAULT);
	assert_int_equal(events_of(w, FEED_FLAGS, &event), 0);
	world_free(w);
}

/* Where the order is the addresses', the exporter's word is ignored: that is
 * learned, too. */
static void
biflows_in_the_order_of_addresses_are_ignored_as_learned(void **state)
{
	struct world *w = world_new(0);
	struct finding_feed_event event = { .source = FEED_SOURCE_COUNT };
	char text[160];

	(void)state;
	for (int i = 0; i < 64; i++) {
		snprintf(text, sizeof(text),
		    CLIENT ":%d>10.0.0.5:443 proto=6 flags=0x1b pkts=9 "
			   "octets=900 reverse=1 exporter=r1",
		    40000 + i);
		world_flow(w, i, text);
	}
	world_drain(w);
	assert_int_equal(feed_of(w, FEED_ADDRESS_ORDERED)->value, 1);
	assert_int_equal(feed_of(w, FEED_BIFLOW_DIRECTION)->value, 1);
	assert_int_equal(feed_of(w, FEED_BIFLOW_DIRECTION)->source,
	    FEED_SOURCE_LEARNED);
	assert_int_equal(events_of(w, FEED_BIFLOW_DIRECTION, &event), 1);
	assert_int_equal(event.source, FEED_SOURCE_LEARNED);
	world_free(w);
}

/* A probe that waited so long for its export. */
static void
exported_late(struct world *w, int i, int idle_ms)
{
	char text[160];

	snprintf(text, sizeof(text),
	    CLIENT ":%d>10.0.0.5:23 proto=6 flags=0x02 pkts=1 octets=44 "
		   "start_ms=%d exporter=r1",
	    40000 + i, 100000 - idle_ms + i);
	world_flow(w, 100000 + i, text);
}

/* The value of an earlier life stands on that life's samples. */
static void
a_learned_timeout_keeps_its_samples_over_a_restart(void **state)
{
	struct world *w = world_new(0);
	int64_t value;

	(void)state;
	for (int i = 0; i < 60; i++)
		exported_late(w, i, 29500);
	world_drain(w);
	value = feed_of(w, FEED_IDLE_TIMEOUT)->value;
	assert_in_range(value, 29, 33);
	assert_int_equal(feed_of(w, FEED_IDLE_TIMEOUT)->samples, 60);
	world_restart(w);
	exported_late(w, 2000, 29500);
	world_drain(w);
	assert_int_equal(feed_of(w, FEED_IDLE_TIMEOUT)->value, value);
	assert_int_equal(feed_of(w, FEED_IDLE_TIMEOUT)->source,
	    FEED_SOURCE_LEARNED);
	assert_int_equal(feed_of(w, FEED_IDLE_TIMEOUT)->samples, 61);
	/* what was lost in an earlier life is of no account now */
	assert_int_equal(feed_of(w, FEED_LOSS)->samples, 1);
	world_free(w);
}

/* Nothing came in this life yet: nothing is learned of its losses. */
static void
what_was_lost_is_not_known_before_a_record_came(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	exported_late(w, 0, 1000);
	world_drain(w);
	assert_int_equal(feed_of(w, FEED_LOSS)->source, FEED_SOURCE_LEARNED);
	world_restart(w);
	world_drain(w);
	assert_int_equal(feed_of(w, FEED_LOSS)->source, FEED_SOURCE_DEFAULT);
	assert_int_equal(feed_of(w, FEED_LOSS)->samples, 0);
	world_free(w);
}

static void
what_was_learned_outlives_a_restart(void **state)
{
	struct world *w = world_new(0);
	struct finding_feed_event event;

	(void)state;
	for (int i = 0; i < 200; i++)
		world_flow(w, i,
		    CLIENT ":40000>10.0.0.5:443 proto=6 flags=0x00 pkts=9 "
			   "octets=900 exporter=r1");
	world_drain(w);
	assert_int_equal(events_of(w, FEED_FLAGS, &event), 1);
	assert_int_equal(event.to, FEED_FLAGS_NONE);
	assert_int_equal(event.samples, 200);
	world_restart(w);
	world_flow(w, 1000000,
	    CLIENT ":40001>10.0.0.5:444 proto=6 flags=0x00 pkts=1 octets=44 "
		   "exporter=r1");
	world_drain(w);
	/* no NULL scan, and no news */
	assert_int_equal(world_outcomes(w, OUTCOME_STEALTH_OPEN_FILTERED), 0);
	assert_int_equal(events_of(w, FEED_FLAGS, &event), 1);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(attempts_are_counted_for_the_exporter_that_showed_them),
		TEST(attempt_moves_to_the_exporter_known_for_longest),
		TEST(reason_says_what_the_feed_lacks),
		TEST(what_began_before_anybody_listened_is_not_silent),
		TEST(what_began_while_the_daemon_was_down_is_not_silent),
		TEST(answer_to_what_began_before_anybody_listened_counts),
		TEST(what_is_sent_long_after_its_end_was_heard_as_a_whole),
		TEST(clock_set_back_does_not_take_the_listening_back),
		TEST(evidence_against_silence_is_unresolved_whatever_the_feed),
		TEST(attempts_given_up_for_room_are_unresolved_as_shed),
		TEST(sampling_switched_on_takes_silence_from_what_comes_later),
		TEST(gap_in_the_sequence_takes_silence_from_its_time_alone),
		TEST(direction_without_answers_never_becomes_silence),
		TEST(feed_that_never_answered_is_never_silent),
		TEST(silence_is_told_when_the_feed_shows_its_first_answer),
		TEST(unanswered_halves_of_a_network_keep_it_from_silence),
		TEST(answers_inside_are_none_to_the_outside),
		TEST(first_answer_outlives_a_restart),
		TEST(
		    silence_is_said_less_surely_of_a_feed_seen_for_a_short_while),
		TEST(half_connections_of_a_one_sided_feed_are_in_the_map),
		TEST(clock_that_is_off_is_corrected_once_it_is_known),
		TEST(configured_property_wins_and_is_not_learned),
		TEST(a_value_that_stayed_is_learned_all_the_same),
		TEST(biflows_in_the_order_of_addresses_are_ignored_as_learned),
		TEST(a_learned_timeout_keeps_its_samples_over_a_restart),
		TEST(what_was_lost_is_not_known_before_a_record_came),
		TEST(what_was_learned_outlives_a_restart),
	};

	return RUN_TESTS(tests);
}
