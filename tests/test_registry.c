/* SPDX-License-Identifier: Apache-2.0 */
/* One number an exporter, over restarts. */
#include <stdlib.h>
#include <string.h>

#include "daemon/registry.h"
#include "tests/datagrams.h"
#include "tests/test.h"

#define BATCH	  16
#define ENGINE_AT 20 /* in the v5 header: type, id */

/* One v5 record from an engine (the domain), as the builders' exporter. */
static void
send_numbered(struct decoding *f, uint8_t engine, uint32_t sequence)
{
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };

	build_netflow5(&f->build, sequence, 1);
	f->build.octets[ENGINE_AT] = 0;
	f->build.octets[ENGINE_AT + 1] = engine;
	build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
send_from(struct decoding *f, uint8_t engine)
{
	send_numbered(f, engine, 0);
}

static bool
update(struct decoding *f, struct registry *r, uint32_t *first)
{
	return registry_update(r, 0, decoder_exporter_count(f->decoder), first);
}

/* An exporter of the store: the builders' address, this engine. */
static struct finding_exporter
stored(uint32_t index, uint8_t engine)
{
	struct finding_exporter e;

	memset(&e, 0, sizeof(e));
	assert_ok(addr_parse("192.0.2.1", &e.address));
	e.domain = engine;
	e.protocol = EXPORT_NETFLOW5;
	e.index = index;
	e.first_seen_ms = 1000;
	e.last_seen_ms = 2000;
	e.datagrams = 100;
	e.records = 1000;
	e.lost = 10;
	return e;
}

static void
registry_numbers_exporters_as_they_come(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	uint32_t first = 99;

	assert_non_null(r);
	assert_false(update(f, r, &first));
	send_from(f, 1);
	assert_true(update(f, r, &first));
	assert_int_equal(first, 0);
	assert_int_equal(registry_number(r, 0, 0), 0);
	send_from(f, 1);
	assert_false(update(f, r, &first));
	send_from(f, 2);
	assert_true(update(f, r, &first));
	assert_int_equal(first, 1);
	assert_int_equal(registry_number(r, 0, 1), 1);
	registry_free(r);
}

static void
registry_knows_the_exporters_of_the_store_again(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_exporter one = stored(0, 1);
	struct finding_exporter two = stored(1, 2);
	uint32_t first;

	assert_non_null(r);
	registry_restore(r, &one);
	registry_restore(r, &two);
	/* in another order than the store's, and one it does not know */
	send_from(f, 2);
	send_from(f, 3);
	send_from(f, 1);
	assert_true(update(f, r, &first));
	assert_int_equal(registry_number(r, 0, 0), 1);
	assert_int_equal(registry_number(r, 0, 1), 2);
	assert_int_equal(registry_number(r, 0, 2), 0);
	registry_free(r);
}

static void
registry_counts_on_from_the_store_and_appends_what_changed(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_batch *batch = finding_batch_new(BATCH);
	struct finding_exporter one = stored(0, 1);
	struct finding_exporter two = stored(1, 2);
	uint32_t first;

	assert_non_null(r);
	assert_non_null(batch);
	registry_restore(r, &one);
	registry_restore(r, &two);
	/* the store's list once, so that the store has their numbers */
	assert_int_equal(registry_collect(r, batch), 2);
	assert_int_equal(batch->findings[1].exporter.datagrams, 100);
	assert_int_equal(registry_collect(r, batch), 0);
	send_from(f, 2);
	send_from(f, 2);
	assert_true(update(f, r, &first));
	batch->count = 0;
	assert_int_equal(registry_collect(r, batch), 1);
	assert_int_equal(batch->findings[0].kind, FINDING_EXPORTER);
	assert_int_equal(batch->findings[0].exporter.index, 1);
	assert_int_equal(batch->findings[0].exporter.datagrams, 102);
	assert_int_equal(batch->findings[0].exporter.records, 1002);
	assert_int_equal(batch->findings[0].exporter.first_seen_ms, 1000);
	assert_int_equal(batch->findings[0].exporter.last_seen_ms,
	    BUILD_RECEIVED_MS);
	assert_int_equal(registry_collect(r, batch), 0);
	registry_free(r);
	free(batch);
}

static void
registry_leaves_for_the_next_batch_what_does_not_fit(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_batch *batch = finding_batch_new(2);

	assert_non_null(r);
	assert_non_null(batch);
	for (uint8_t i = 0; i < 3; i++) {
		struct finding_exporter e = stored(i, i);

		registry_restore(r, &e);
	}
	assert_int_equal(registry_collect(r, batch), 2);
	batch->count = 0;
	assert_int_equal(registry_collect(r, batch), 1);
	assert_int_equal(batch->findings[0].exporter.index, 2);
	registry_free(r);
	free(batch);
}

/* --- hours ---------------------------------------------------------------- */

#define HOUR_MS	 INT64_C(3600000)
#define START_MS (INT64_C(1700000000) * 1000 / HOUR_MS * HOUR_MS)

/* The hours a collection gives, in order; the exporters are left out. */
static uint32_t
collect_hours(struct registry *r, struct finding_exporter_hour hours[BATCH])
{
	struct finding_batch *batch = finding_batch_new(BATCH);
	uint32_t count = 0;

	assert_non_null(batch);
	memset(hours, 0, BATCH * sizeof(hours[0]));
	registry_collect(r, batch);
	for (uint32_t i = 0; i < batch->count; i++)
		if (batch->findings[i].kind == FINDING_EXPORTER_HOUR)
			hours[count++] = batch->findings[i].exporter_hour;
	free(batch);
	return count;
}

static void
expect_hour(const struct finding_exporter_hour *hour, int64_t hour_ms,
    uint64_t datagrams, uint64_t lost)
{
	assert_int_equal(hour->hour_ms, hour_ms);
	assert_int_equal(hour->datagrams, datagrams);
	assert_int_equal(hour->records, datagrams);
	assert_int_equal(hour->lost, lost);
}

static void
registry_counts_by_the_hour(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_exporter_hour hours[BATCH];
	uint32_t first;

	assert_non_null(r);
	registry_turn(r, START_MS + 10);
	send_numbered(f, 1, 0);
	send_numbered(f, 1, 1);
	update(f, r, &first);
	assert_int_equal(collect_hours(r, hours), 1);
	expect_hour(&hours[0], START_MS, 2, 0);
	registry_turn(r, START_MS + HOUR_MS - 1);
	send_numbered(f, 1, 5);
	/* this one lost three; the next hour's is another row */
	registry_turn(r, START_MS + HOUR_MS);
	send_numbered(f, 1, 6);
	assert_int_equal(collect_hours(r, hours), 2);
	expect_hour(&hours[0], START_MS + HOUR_MS, 1, 0);
	expect_hour(&hours[1], START_MS, 3, 3);
	assert_int_equal(collect_hours(r, hours), 0);
	/* time that goes back changes nothing */
	registry_turn(r, START_MS);
	send_numbered(f, 1, 7);
	assert_int_equal(collect_hours(r, hours), 1);
	expect_hour(&hours[0], START_MS + HOUR_MS, 2, 0);
	registry_free(r);
}

/* While the store does not take a batch, hours grow longer. */
static void
registry_ends_no_hour_before_the_last_end_is_appended(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_exporter_hour hours[BATCH];
	uint32_t first;

	assert_non_null(r);
	for (int64_t hour = 0; hour < 3; hour++) {
		registry_turn(r, START_MS + hour * HOUR_MS);
		send_numbered(f, 1, (uint32_t)hour);
		update(f, r, &first);
	}
	assert_int_equal(collect_hours(r, hours), 2);
	expect_hour(&hours[0], START_MS + HOUR_MS, 2, 0);
	expect_hour(&hours[1], START_MS, 1, 0);
	registry_free(r);
}

static void
registry_goes_on_with_the_hour_of_the_store(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct finding_exporter_hour hours[BATCH];
	struct finding_exporter_hour had = { START_MS, 40, 40, 4, 0 };

	for (int64_t hour = 0; hour < 2; hour++) {
		struct registry *r = registry_new(&all);
		struct finding_exporter one = stored(0, 1);
		uint64_t datagrams =
		    counter_get(&f->counters, COUNTER_DATAGRAMS_DECODED) + 1;
		uint32_t first;

		assert_non_null(r);
		registry_restore(r, &one);
		registry_restore_hour(r, &had);
		registry_turn(r, START_MS + hour * HOUR_MS + 5);
		send_numbered(f, 1, (uint32_t)hour);
		update(f, r, &first);
		assert_int_equal(collect_hours(r, hours), 1);
		/* the same hour, or another one */
		if (hour == 0)
			expect_hour(&hours[0], START_MS, 40 + datagrams, 4);
		else
			expect_hour(&hours[0], START_MS + HOUR_MS, datagrams,
			    0);
		registry_free(r);
	}
}

/* --- exporters behind one address ----------------------------------------- */

static int
set_up_with_ports(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.source_port_in_key = true;
	config.accept_any = true;
	return decoding_set_up_with(state, &config);
}

static void
registry_sums_up_exporters_that_their_port_tells_apart(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct registry *r = registry_new(&all);
	struct finding_batch *batch = finding_batch_new(BATCH);
	uint32_t first;

	assert_non_null(r);
	assert_non_null(batch);
	for (uint16_t i = 0; i < 6; i++) {
		const struct build_netflow5_record record = { "198.51.100.1",
			"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };
		struct datagram d;

		build_netflow5(&f->build, i / 2, 1);
		build_netflow5_record(&f->build, &record);
		build_done(&f->build);
		d = build_datagram(&f->build);
		d.source_port = (uint16_t)(3000 + i % 2);
		f->batch.count = 0;
		assert_int_equal(decoder_decode(f->decoder, &d, &f->batch),
		    DECODE_OK);
		update(f, r, &first);
	}
	assert_int_equal(decoder_exporter_count(f->decoder), 2);
	assert_int_equal(registry_number(r, 0, 0), 0);
	assert_int_equal(registry_number(r, 0, 1), 0);
	assert_int_equal(registry_collect(r, batch), 1);
	assert_int_equal(batch->findings[0].exporter.datagrams, 6);
	assert_int_equal(batch->findings[0].exporter.lost, 0);
	registry_free(r);
	free(batch);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(registry_numbers_exporters_as_they_come),
		DECODING_TEST(registry_knows_the_exporters_of_the_store_again),
		DECODING_TEST(
		    registry_counts_on_from_the_store_and_appends_what_changed),
		DECODING_TEST(
		    registry_leaves_for_the_next_batch_what_does_not_fit),
		DECODING_TEST(registry_counts_by_the_hour),
		DECODING_TEST(
		    registry_ends_no_hour_before_the_last_end_is_appended),
		DECODING_TEST(registry_goes_on_with_the_hour_of_the_store),
		cmocka_unit_test_setup_teardown(
		    registry_sums_up_exporters_that_their_port_tells_apart,
		    set_up_with_ports, decoding_tear_down),
	};

	return RUN_TESTS(tests);
}
