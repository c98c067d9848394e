/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams in, rows in a real store out; over restarts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

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

/* The builders' exporter calls so the interface that leads outside. */
#define OUTSIDE_IF 99
/* The input interface of a v5 datagram's second record. */
#define ANSWER_INPUT_AT (24 + 48 + 12)

static struct life *
begin_with(struct fixture *x, uint32_t max_events,
    const struct decoder_config *decoder)
{
	struct life *l = calloc(1, sizeof(*l));
	struct engine_config engine = engine_config_default();
	struct border outside = { .interface = OUTSIDE_IF };
	struct network n;

	assert_non_null(l);
	l->x = x;
	l->now_ms = BUILD_RECEIVED_MS;
	fixture_open(x);
	assert_ok(network_parse("10.0.0.0/8=inside", &n));
	assert_ok(prefix_set_add(&engine.internal, &n));
	assert_ok(addr_parse("192.0.2.1", &outside.exporter));
	assert_ok(border_list_add(&engine.external, &outside));
	engine.training_ms = 0;
	engine.max_pairs = 10000;
	engine.max_sources = 1000;
	engine.max_events = max_events;
	l->pipeline = pipeline_new(&engine, decoder, 1, &x->counters);
	assert_non_null(l->pipeline);
	assert_ok(pipeline_restore(l->pipeline, x->store));
	l->writer = writer_start(x->store);
	assert_non_null(l->writer);
	pipeline_start(l->pipeline, l->writer);
	return l;
}

/* The builders' exporter has a public address. */
static struct life *
begin(struct fixture *x, uint32_t max_events)
{
	struct decoder_config decoder = decoder_config_default();

	decoder.accept_any = true;
	return begin_with(x, max_events, &decoder);
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
pipeline_knows_an_exporters_interfaces_by_its_address(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	l->build.octets[ANSWER_INPUT_AT + 1] = OUTSIDE_IF;
	pipeline_take(&d, l->pipeline);
	pipeline_flush(l->pipeline);
	assert_int_equal(counter_get(&x->counters,
			     COUNTER_SPOOFED_INTERNAL_SRC),
	    1);
	finish(l);
	/* and of one that the store knows already */
	l = begin(x, 1000);
	d = conversation(l, 1, "10.0.0.1", 80, true);
	l->build.octets[ANSWER_INPUT_AT + 1] = OUTSIDE_IF;
	pipeline_take(&d, l->pipeline);
	pipeline_flush(l->pipeline);
	assert_int_equal(counter_get(&x->counters,
			     COUNTER_SPOOFED_INTERNAL_SRC),
	    2);
	finish(l);
}

/* A SYN that nobody answers, of a feed that is configured so or not. */
static void
probe(struct fixture *x, const char *feed)
{
	char message[RULE_MESSAGE_MAX];
	struct feed_list feeds = { .count = 0 };
	struct life *l = begin(x, 1000);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	if (feed != NULL)
		assert_ok(feed_list_add(&feeds, feed, message));
	pipeline_set_feeds(l->pipeline, &feeds);
	pipeline_take(&d, l->pipeline); /* answers are seen */
	d = conversation(l, 1, "10.0.0.1", 23, false);
	pipeline_take(&d, l->pipeline);
	pipeline_flush(l->pipeline);
	pipeline_tick(l->pipeline, l->now_ms + 10 * 60 * 1000);
	finish(l);
}

static int64_t
probes(struct fixture *x, const char *verdict)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "SELECT coalesce(sum(attempts), 0) FROM attempt_outcomes"
	    " WHERE outcome = '%s'",
	    verdict);
	return fixture_int(x, sql);
}

static void
pipeline_believes_what_is_configured_of_a_feed(void **state)
{
	struct fixture *x = *state;
	char source[32];

	probe(x, NULL);
	assert_int_equal(probes(x, "silent"), 1);
	probe(x, "192.0.2.1: domain=1, visibility=one_sided");
	assert_int_equal(probes(x, "silent"), 1);
	assert_int_equal(probes(x, "unresolved"), 1);
	fixture_text(x,
	    "SELECT source FROM exporter_properties WHERE property ="
	    " 'visibility' AND value = 'one_sided'",
	    source, sizeof(source));
	assert_string_equal(source, "configured");
	/* and no longer when it is not configured any more */
	probe(x, "192.0.2.1: domain=2, visibility=one_sided");
	assert_int_equal(probes(x, "silent"), 2);
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM exporter_properties"
			     " WHERE source = 'configured'"),
	    0);
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

/* As many records as make a commit, all of one conversation. */
static void
flow_on(struct life *l)
{
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	for (int i = 0; i < 25000; i++)
		pipeline_take(&d, l->pipeline);
	pipeline_flush(l->pipeline);
	assert_true(writer_wait(l->writer, WAIT_MS));
}

static void
pipeline_commits_what_is_new_before_the_tick(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);

	flow_on(l);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 1);
	finish(l);
}

static void
pipeline_leaves_signs_of_life_to_the_tick(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	uint64_t sequence;

	flow_on(l);
	pipeline_tick(l->pipeline, l->now_ms);
	assert_true(writer_wait(l->writer, WAIT_MS));
	sequence = store_sequence(x->store);
	l->now_ms += 500;
	flow_on(l);
	assert_int_equal(store_sequence(x->store), sequence);
	pipeline_tick(l->pipeline, l->now_ms + 500);
	assert_true(writer_wait(l->writer, WAIT_MS));
	assert_int_equal(store_sequence(x->store), sequence + 1);
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

/* --- memories ------------------------------------------------------------- */

/* A v9 datagram with a template, or with a record of it. */
static struct datagram
netflow9(struct life *l, uint32_t sequence, bool is_template)
{
	struct datagram d;

	build_netflow9(&l->build, 7, sequence);
	if (is_template) {
		build_template(&l->build, 256, build_usual_fields,
		    FIELDS(build_usual_fields));
	} else {
		build_set(&l->build, 256);
		build_usual_record(&l->build, "198.51.100.1", 40000, "10.0.0.7",
		    443, 0x1b, 5);
		build_usual_record(&l->build, "10.0.0.7", 443, "198.51.100.1",
		    40000, 0x1b, 5);
	}
	build_done(&l->build);
	d = build_datagram(&l->build);
	d.received_ms = l->now_ms;
	return d;
}

/* A life that hears a template, and one later that hears data only. */
static void
restart_behind_a_template(struct fixture *x, int64_t later_ms)
{
	struct life *l = begin(x, 1000);
	struct datagram d = netflow9(l, 0, true);

	pipeline_take(&d, l->pipeline);
	finish(l);
	l = begin(x, 1000);
	l->now_ms += later_ms;
	/* what the first life knew is not new, and has sent nothing yet */
	pipeline_tick(l->pipeline, l->now_ms);
	assert_true(writer_wait(l->writer, WAIT_MS));
	assert_int_equal(fixture_int(x, "SELECT datagrams FROM exporters"), 1);
	assert_int_equal(fixture_int(x, "SELECT last_seen FROM exporters"),
	    BUILD_RECEIVED_MS / 1000);
	d = netflow9(l, 1, false);
	pipeline_take(&d, l->pipeline);
	finish(l);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exporters"), 1);
	assert_int_equal(fixture_int(x, "SELECT datagrams FROM exporters"), 2);
}

static void
pipeline_decodes_the_first_data_after_a_restart(void **state)
{
	struct fixture *x = *state;

	restart_behind_a_template(x, 60000);
	assert_int_equal(fixture_int(x, "SELECT records FROM exporters"), 2);
	assert_int_equal(fixture_int(x, "SELECT unknown_template_sets FROM"
					" exporters"),
	    0);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures WHERE"
					" host = '10.0.0.7' AND port = 443"),
	    1);
}

/* The exporter may mean something else by the number after a day. */
static void
pipeline_does_not_use_a_template_of_another_day(void **state)
{
	struct fixture *x = *state;

	restart_behind_a_template(x, 2 * MEMORY_AGE_MAX_MS);
	assert_int_equal(fixture_int(x, "SELECT records FROM exporters"), 0);
	assert_int_equal(fixture_int(x, "SELECT unknown_template_sets FROM"
					" exporters"),
	    1);
}

/* What the store has of it is of no use: it is deleted, and no harm done. */
static void
pipeline_forgets_memories_that_mean_nothing(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);
	struct datagram d = netflow9(l, 0, true);
	sqlite3 *db;

	pipeline_take(&d, l->pipeline);
	finish(l);
	assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "INSERT INTO t_template SELECT exporter_id, 0,"
			     " kind, 300, 1, 2, learned_ms, octets"
			     " FROM t_template;"
			     "INSERT INTO t_template SELECT exporter_id, 0,"
			     " 77, 301, 0, 1, learned_ms, octets"
			     " FROM t_template WHERE template_id = 256;"
			     "INSERT INTO t_template SELECT exporter_id, 0,"
			     " kind, 302, 0, 1, learned_ms, x'00'"
			     " FROM t_template WHERE template_id = 256",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	finish(begin(x, 1000));
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"), 1);
	assert_int_equal(fixture_int(x, "SELECT template_id FROM t_template"),
	    256);
}

/* --- who may send --------------------------------------------------------- */

static void
pipeline_refuses_strangers_but_not_in_captures(void **state)
{
	struct fixture *x = *state;
	struct decoder_config decoder = decoder_config_default();
	struct life *l = begin_with(x, 1000, &decoder);
	struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

	pipeline_replay(&d, l->pipeline);
	assert_ok(pipeline_end_replay(l->pipeline, true));
	assert_int_equal(counter_get(&x->counters, COUNTER_REFUSED_NOT_ALLOWED),
	    0);
	assert_int_equal(fixture_int(x, "SELECT datagrams FROM exporters"), 1);
	/* the same sender, live */
	pipeline_take(&d, l->pipeline);
	finish(l);
	assert_int_equal(counter_get(&x->counters, COUNTER_REFUSED_NOT_ALLOWED),
	    1);
	assert_int_equal(fixture_int(x, "SELECT datagrams FROM exporters"), 1);
	assert_int_equal(fixture_int(x, "SELECT refused FROM exporters"), 1);
}

static void
pipeline_names_exporters_by_the_allow_list(void **state)
{
	struct fixture *x = *state;
	struct decoder_config decoder = decoder_config_default();
	struct network n;
	struct life *l;
	struct datagram d;
	char name[LABEL_MAX];

	assert_ok(network_parse("192.0.2.0/24=edges", &n));
	assert_ok(prefix_set_add(&decoder.allow, &n));
	assert_ok(network_parse("192.0.2.1=edge1", &n));
	assert_ok(prefix_set_add(&decoder.allow, &n));
	l = begin_with(x, 1000, &decoder);
	d = conversation(l, 1, "10.0.0.1", 80, true);
	pipeline_take(&d, l->pipeline);
	d.source.octets[15] = 99;
	pipeline_take(&d, l->pipeline);
	d.source.octets[14] = 99;
	pipeline_take(&d, l->pipeline);
	finish(l);
	assert_int_equal(counter_get(&x->counters, COUNTER_REFUSED_NOT_ALLOWED),
	    1);
	fixture_text(x,
	    "SELECT name FROM exporters WHERE address ="
	    " '192.0.2.1'",
	    name, sizeof(name));
	assert_string_equal(name, "edge1");
	fixture_text(x,
	    "SELECT name FROM exporters WHERE address ="
	    " '192.0.2.99'",
	    name, sizeof(name));
	assert_string_equal(name, "edges");
}

/* --- hours ---------------------------------------------------------------- */

static void
pipeline_keeps_the_hours_of_a_capture(void **state)
{
	struct fixture *x = *state;
	struct life *l = begin(x, 1000);

	for (int i = 0; i < 30; i++) {
		struct datagram d = conversation(l, 1, "10.0.0.1", 80, true);

		pipeline_replay(&d, l->pipeline);
		l->now_ms += 10 * 60 * 1000;
	}
	assert_ok(pipeline_end_replay(l->pipeline, true));
	finish(l);
	assert_true(fixture_int(x, "SELECT count(*) FROM exporter_hours") >= 5);
	assert_int_equal(fixture_int(x, "SELECT sum(datagrams) FROM"
					" exporter_hours"),
	    30);
	assert_int_equal(fixture_int(x, "SELECT max(datagrams) FROM"
					" exporter_hours"),
	    6);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(
		    pipeline_knows_an_exporters_interfaces_by_its_address),
		STORE_TEST(pipeline_believes_what_is_configured_of_a_feed),
		STORE_TEST(pipeline_commits_with_the_tick),
		STORE_TEST(pipeline_commits_what_is_new_before_the_tick),
		STORE_TEST(pipeline_leaves_signs_of_life_to_the_tick),
		STORE_TEST(pipeline_writes_nothing_when_nothing_changed),
		STORE_TEST(pipeline_keeps_one_number_an_exporter_over_restarts),
		STORE_TEST(pipeline_numbers_batches_on_over_restarts),
		STORE_TEST(pipeline_decodes_the_first_data_after_a_restart),
		STORE_TEST(pipeline_does_not_use_a_template_of_another_day),
		STORE_TEST(pipeline_forgets_memories_that_mean_nothing),
		STORE_TEST(pipeline_refuses_strangers_but_not_in_captures),
		STORE_TEST(pipeline_names_exporters_by_the_allow_list),
		STORE_TEST(pipeline_keeps_the_hours_of_a_capture),
		STORE_TEST(replay_sheds_no_scan_event_spread_out),
		STORE_TEST(replay_sheds_no_scan_event_at_its_end),
		STORE_TEST(replay_sheds_no_scan_event_behind_a_gap),
		STORE_TEST(replay_sheds_no_scan_event_behind_a_long_gap),
	};

	return RUN_TESTS(tests);
}
