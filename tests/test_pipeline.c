/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams in, rows in a real store out; over restarts. */
#include <stdlib.h>
#include <string.h>

#include "daemon/pipeline.h"
#include "tests/datagrams.h"
#include "tests/store_fixture.h"
#include "tests/test.h"

#define WAIT_MS	  10000
#define ENGINE_AT 20 /* in the v5 header: type, id */

/* One life of a daemon over the fixture's store. */
struct life {
	struct fixture *x;
	struct writer *writer;
	struct pipeline *pipeline;
	struct build build;
	int64_t now_ms;
};

static struct life *
begin(struct fixture *x, uint32_t max_events)
{
	struct life *l = calloc(1, sizeof(*l));
	struct engine_config engine = engine_config_default();
	struct decoder_config decoder = decoder_config_default();
	struct network n;

	assert_non_null(l);
	l->x = x;
	l->now_ms = BUILD_RECEIVED_MS;
	fixture_open(x);
	assert_ok(network_parse("10.0.0.0/8=inside", &n));
	assert_ok(prefix_set_add(&engine.internal, &n));
	engine.training_ms = 0;
	engine.max_pairs = 10000;
	engine.max_sources = 1000;
	engine.max_events = max_events;
	l->pipeline = pipeline_new(&engine, &decoder, &x->counters);
	assert_non_null(l->pipeline);
	assert_ok(pipeline_restore(l->pipeline, x->store));
	l->writer = writer_start(x->store);
	assert_non_null(l->writer);
	pipeline_start(l->pipeline, l->writer);
	return l;
}

static void
finish(struct life *l)
{
	assert_ok(pipeline_finish(l->pipeline, WAIT_MS));
	assert_true(writer_stop(l->writer));
	fixture_close(l->x);
	pipeline_free(l->pipeline);
	free(l);
}

/* One conversation, both halves, that the port answers; or a probe of it. */
static struct datagram
conversation(struct life *l, uint8_t engine, const char *host, uint16_t port,
    bool answered)
{
	const struct build_netflow5_record asked = { "198.51.100.1", host, 5,
		300, 1000, 2000, 40000, port, answered ? 0x1b : 0x02, 6 };
	const struct build_netflow5_record answer = { host, "198.51.100.1", 5,
		300, 1001, 2000, port, 40000, 0x1b, 6 };
	struct datagram d;

	build_netflow5(&l->build, 0, answered ? 2 : 1);
	l->build.octets[ENGINE_AT] = 0;
	l->build.octets[ENGINE_AT + 1] = engine;
	build_netflow5_record(&l->build, &asked);
	if (answered)
		build_netflow5_record(&l->build, &answer);
	build_done(&l->build);
	d = build_datagram(&l->build);
	d.received_ms = l->now_ms;
	return d;
}

static void
pipeline_commits_with_the_tick(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	pipeline_take(&d, l->pipeline);
	pipeline_flush(l->pipeline);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 0);
	pipeline_tick(l->pipeline, l->now_ms + 1000);
	assert_true(writer_wait(l->writer, WAIT_MS));
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM exposures WHERE "
			     "host = '10.0.0.1' AND proto = 'tcp' AND "
			     "port = 80 AND exporter IS NOT NULL"),
	    1);
	assert_int_equal(fixture_int(x, "SELECT value FROM counters WHERE "
					"name = 'datagrams_decoded'"),
	    1);
	finish(l);
}

static void
pipeline_writes_nothing_when_nothing_changed(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);
	uint64_t before;

	pipeline_take(&d, l->pipeline);
	pipeline_tick(l->pipeline, l->now_ms);
	assert_true(writer_wait(l->writer, WAIT_MS));
	pipeline_tick(l->pipeline, l->now_ms);
	assert_true(writer_wait(l->writer, WAIT_MS));
	before = store_sequence(x->store);
	pipeline_tick(l->pipeline, l->now_ms);
	assert_true(writer_wait(l->writer, WAIT_MS));
	assert_int_equal(store_sequence(x->store), before);
	finish(l);
}

static void
pipeline_keeps_one_number_an_exporter_over_restarts(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	pipeline_take(&d, l->pipeline);
	d = conversation(l, 2, "10.0.0.2", 80, true);
	pipeline_take(&d, l->pipeline);
	finish(l);
	/* the other one comes first now */
	l = begin(x, 1000);
	l->now_ms += 60000;
	d = conversation(l, 2, "10.0.0.3", 80, true);
	pipeline_take(&d, l->pipeline);
	finish(l);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exporters"), 2);
	assert_int_equal(fixture_int(x, "SELECT datagrams FROM exporters "
					"WHERE domain = 2"),
	    2);
	assert_int_equal(fixture_int(x,
			     "SELECT count(DISTINCT exporter) FROM exposures "
			     "WHERE host IN ('10.0.0.2', '10.0.0.3')"),
	    1);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 3);
}

static void
pipeline_numbers_batches_on_over_restarts(void **state)
{
	struct fixture *x = *state;
	uint64_t last = 0;

	for (int i = 0; i < 3; i++) {
		struct life *l = begin(x, 1000);
		struct datagram d =
		    conversation(l, 1, "10.0.0.1", (uint16_t)(80 + i), true);

		pipeline_take(&d, l->pipeline);
		assert_ok(pipeline_finish(l->pipeline, WAIT_MS));
		assert_true(store_sequence(x->store) > last);
		last = store_sequence(x->store);
		finish(l);
	}
}

/*
 * A replay with more scan events than may wait for the store: spread out, so
 * that silence is found on the way; at once, so that it is found in the end;
 * and before a gap, behind which it is found all together.
 */
static void
replay_probes(struct fixture *x, int64_t step_ms, int64_t gap_ms)
{
	enum { PROBES = 3000, EVENTS = 1000 };
	struct life *l = begin(x, EVENTS);
	struct datagram last;

	for (int i = 0; i < PROBES; i++) {
		struct datagram d =
		    conversation(l, 1, "10.0.0.9", (uint16_t)(1 + i), false);

		pipeline_replay(&d, l->pipeline);
		l->now_ms += step_ms;
	}
	l->now_ms += gap_ms;
	last = conversation(l, 1, "10.0.0.8", 80, true);
	pipeline_replay(&last, l->pipeline);
	assert_ok(pipeline_end_replay(l->pipeline, true));
	assert_int_equal(counter_get(&x->counters, COUNTER_SHED_EVENTS), 0);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM scan_events "
					"WHERE answer = 'silent'"),
	    PROBES);
	finish(l);
}

static void
replay_sheds_no_scan_event_spread_out(void **state)
{
	replay_probes(*state, 500, 0);
}

static void
replay_sheds_no_scan_event_at_its_end(void **state)
{
	replay_probes(*state, 1, 0);
}

static void
replay_sheds_no_scan_event_behind_a_gap(void **state)
{
	replay_probes(*state, 1, 400000);
}

static void
replay_sheds_no_scan_event_behind_a_long_gap(void **state)
{
	replay_probes(*state, 1, 30 * 86400 * INT64_C(1000));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(pipeline_commits_with_the_tick),
		STORE_TEST(pipeline_writes_nothing_when_nothing_changed),
		STORE_TEST(pipeline_keeps_one_number_an_exporter_over_restarts),
		STORE_TEST(pipeline_numbers_batches_on_over_restarts),
		STORE_TEST(replay_sheds_no_scan_event_spread_out),
		STORE_TEST(replay_sheds_no_scan_event_at_its_end),
		STORE_TEST(replay_sheds_no_scan_event_behind_a_gap),
		STORE_TEST(replay_sheds_no_scan_event_behind_a_long_gap),
	};

	return RUN_TESTS(tests);
}
