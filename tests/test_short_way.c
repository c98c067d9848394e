/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short ways change nothing, neither that of the common record nor that of
 * two halves in a row: over random streams an engine that takes them finds what
 * one finds that never does, octet for octet.
 */
#include <string.h>

#include "exposure/state.h"
#include "tests/test.h"
#include "tests/world.h"

#define STREAMS 20
#define RECORDS 4000

static uint32_t
below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(*seed >> 33) % n;
}

/* Few ends, so that conversations go on, are used anew, and are scanned;
 * late records, and feeds of two exporters. */
static struct flow_record
next_record(uint64_t *seed, int64_t *clock_ms)
{
	static const uint16_t ports[] = { 22, 80, 443, 21, 53, 8080 };
	static const uint8_t flags[] = { 0x02, 0x12, 0x1b, 0x1b, 0x18, 0x18,
		0x18, 0x14, 0x10, 0x01 };
	struct flow_record f = { .packets = 1 + below(seed, 20),
		.protocol = 6,
		.exporter = below(seed, 2),
		.has = FLOW_HAS_PORTS | FLOW_HAS_PACKETS | FLOW_HAS_TIMES };
	uint8_t client[4] = { 203, 0, 113, (uint8_t)below(seed, 12) };
	uint8_t host[4] = { 10, 0, 0, (uint8_t)below(seed, 3) };
	uint16_t client_port = (uint16_t)(40000 + below(seed, 10) / 9);
	uint16_t port = ports[below(seed, 6)];
	bool answer = below(seed, 2) == 0;
	bool scans = client[3] < 4; /* the others only use what there is */

	if (scans && below(seed, 4) == 0)
		f.protocol = 17;
	f.src = addr_from_v4(answer ? host : client);
	f.dst = addr_from_v4(answer ? client : host);
	f.src_port = answer ? port : client_port;
	f.dst_port = answer ? client_port : port;
	f.octets = f.packets * 100;
	if (f.protocol == 6) {
		f.has |= FLOW_HAS_TCP_FLAGS;
		f.tcp_flags =
		    flags[scans ? below(seed, 10) : 3 + below(seed, 40) / 10];
	}
	*clock_ms +=
	    below(seed, 500) == 0 ? below(seed, 400000) : below(seed, 500);
	f.received_ms = f.export_ms = *clock_ms;
	f.end_ms = *clock_ms - below(seed, 3000);
	f.start_ms = f.end_ms - below(seed, below(seed, 4) == 0 ? 90000 : 500);
	return f;
}

/* The other half, as a biflow's second record is; now and then of no packet,
 * or of another time. */
static struct flow_record
turned(const struct flow_record *f, uint64_t *seed)
{
	struct flow_record t = *f;

	t.src = f->dst;
	t.dst = f->src;
	t.src_port = f->dst_port;
	t.dst_port = f->src_port;
	if (below(seed, 8) == 0)
		t.packets = t.octets = 0;
	if (below(seed, 8) == 0)
		t.start_ms -= 200000;
	t.end_ms = t.start_ms + below(seed, 900);
	return t;
}

static void
run(struct world *w, uint64_t seed)
{
	int64_t clock_ms = WORLD_MS;

	for (int i = 0; i < RECORDS; i++) {
		w->flows->records[0] = next_record(&seed, &clock_ms);
		w->flows->count = 1;
		if (below(&seed, 3) == 0)
			w->flows->records[w->flows->count++] =
			    turned(&w->flows->records[0], &seed);
		engine_take(w->engine, w->flows);
		if (i % 100 == 0)
			world_collect(w);
	}
	world_drain(w);
}

static void
short_way_finds_what_the_long_way_finds(void **state)
{
	uint64_t taken = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		int64_t training_ms = seed % 2 == 0 ? 0 : 60000;
		struct world *want = world_new(training_ms);
		struct world *got = world_new(training_ms);

		want->engine->no_short_way = true;
		run(want, seed);
		run(got, seed);
		assert_int_equal(want->engine->short_ways, 0);
		taken += got->engine->short_ways;
		assert_true(want->exposure_count >= 6);
		assert_int_equal(want->exposure_count, got->exposure_count);
		assert_memory_equal(want->exposures, got->exposures,
		    want->exposure_count * sizeof(want->exposures[0]));
		assert_int_equal(want->event_count, got->event_count);
		assert_memory_equal(want->events, got->events,
		    want->event_count * sizeof(want->events[0]));
		assert_int_equal(want->alert_count, got->alert_count);
		assert_memory_equal(want->alerts, got->alerts,
		    want->alert_count * sizeof(want->alerts[0]));
		for (unsigned o = 0; o < OUTCOME_COUNT; o++)
			assert_int_equal(world_outcomes(want, o),
			    world_outcomes(got, o));
		world_free(want);
		world_free(got);
	}
	assert_true(taken > STREAMS * RECORDS / 50);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(short_way_finds_what_the_long_way_finds),
	};

	return RUN_TESTS(tests);
}
