/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a feed can show, and what the engine makes of it: silence only where
 * an answer could have been seen, else unresolved, with its reason.
 */
#include <stdio.h>

#include "exposure/profiles.h"
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

/* A reset to silence: nobody does that, so the answer is missing. */
static void
evidence_against_silence_is_unresolved_whatever_the_feed(void **state)
{
	struct world *w = world_new(0);

	(void)state;
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
	for (int i = 0; i < 100; i++)
		probe(w, 0, 1 + i, 1);
	world_drain(w);
	/* the first that made room told that its source scans: the rest of the
	 * source's are counted without a place */
	assert_int_equal(counted(w, 0, OUTCOME_UNRESOLVED, REASON_SHED), 37);
	assert_int_equal(counter_get(&w->counters, COUNTER_UNRESOLVED_SHED),
	    37);
	world_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(attempts_are_counted_for_the_exporter_that_showed_them),
		TEST(attempt_moves_to_the_exporter_known_for_longest),
		TEST(reason_says_what_the_feed_lacks),
		TEST(evidence_against_silence_is_unresolved_whatever_the_feed),
		TEST(attempts_given_up_for_room_are_unresolved_as_shed),
	};

	return RUN_TESTS(tests);
}
