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
send_from(struct decoding *f, uint8_t engine)
{
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };

	build_netflow5(&f->build, 0, 1);
	f->build.octets[ENGINE_AT] = 0;
	f->build.octets[ENGINE_AT + 1] = engine;
	build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_OK);
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
	struct registry *r = registry_new(f->decoder);
	uint32_t first = 99;

	assert_non_null(r);
	assert_false(registry_update(r, &first));
	send_from(f, 1);
	assert_true(registry_update(r, &first));
	assert_int_equal(first, 0);
	assert_int_equal(registry_number(r, 0), 0);
	send_from(f, 1);
	assert_false(registry_update(r, &first));
	send_from(f, 2);
	assert_true(registry_update(r, &first));
	assert_int_equal(first, 1);
	assert_int_equal(registry_number(r, 1), 1);
	registry_free(r);
}

static void
registry_knows_the_exporters_of_the_store_again(void **state)
{
	struct decoding *f = *state;
	struct registry *r = registry_new(f->decoder);
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
	assert_true(registry_update(r, &first));
	assert_int_equal(registry_number(r, 0), 1);
	assert_int_equal(registry_number(r, 1), 2);
	assert_int_equal(registry_number(r, 2), 0);
	registry_free(r);
}

static void
registry_counts_on_from_the_store_and_appends_what_changed(void **state)
{
	struct decoding *f = *state;
	struct registry *r = registry_new(f->decoder);
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
	assert_true(registry_update(r, &first));
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
	struct registry *r = registry_new(f->decoder);
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
	};

	return RUN_TESTS(tests);
}
