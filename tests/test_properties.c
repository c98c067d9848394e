/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for any records: over every capture of the lab the engine
 * finds the same, however the records are cut into batches, shuffled,
 * doubled, or hashed; and what is lost never makes it find what is not.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/capture.h"
#include "collector/decoder.h"
#include "tests/test.h"
#include "tests/world.h"

#define SEEDS	    10
#define RECORDS_MAX 8192

/* All records of one capture. */
struct records {
	char name[128];
	uint32_t count;
	struct flow_record *flows;
	uint32_t *datagram; /* of each: which one brought it */
	uint32_t datagrams;
};

static struct records captures[16];
static int capture_count;

/* --- reading ----------------------------------------------------------------
 */

struct reader {
	struct decoder *decoder;
	struct flow_batch *batch;
	struct records *out;
};

static void
take_datagram(const struct datagram *d, void *arg)
{
	struct reader *r = arg;

	r->batch->count = 0;
	decoder_decode(r->decoder, d, r->batch);
	for (uint32_t i = 0; i < r->batch->count; i++) {
		assert_true(r->out->count < RECORDS_MAX);
		r->out->datagram[r->out->count] = r->out->datagrams;
		r->out->flows[r->out->count++] = r->batch->records[i];
	}
	r->out->datagrams++;
}

static void
load(const char *path, struct records *out)
{
	struct decoder_config config = decoder_config_default();
	static struct counters counters;
	char message[CAPTURE_MESSAGE_MAX];
	struct reader r = { .out = out };

	snprintf(out->name, sizeof(out->name), "%s", path);
	out->flows = calloc(RECORDS_MAX, sizeof(*out->flows));
	out->datagram = calloc(RECORDS_MAX, sizeof(*out->datagram));
	config.accept_any = true;
	r.decoder = decoder_new(&config, &counters);
	r.batch = calloc(1, sizeof(*r.batch));
	assert_non_null(out->flows);
	assert_non_null(out->datagram);
	assert_non_null(r.decoder);
	assert_non_null(r.batch);
	assert_ok(capture_read(path, take_datagram, &r, &counters, message));
	decoder_free(r.decoder);
	free(r.batch);
}

static int
load_all(void **state)
{
	glob_t found;

	(void)state;
	if (glob("tests/fixtures/*.pcap", 0, NULL, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (strcmp(found.gl_pathv[i], "tests/fixtures/lab.pcap") != 0)
			load(found.gl_pathv[i], &captures[capture_count++]);
	globfree(&found);
	return 0;
}

static int
free_all(void **state)
{
	(void)state;
	for (int i = 0; i < capture_count; i++) {
		free(captures[i].flows);
		free(captures[i].datagram);
	}
	return 0;
}

/* --- feeding ----------------------------------------------------------------
 */

static struct engine_config
lab_config(void)
{
	struct engine_config config = world_config(0);
	struct network network;

	config.internal.count = 0;
	assert_ok(network_parse("192.0.2.0/24", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	assert_ok(network_parse("2001:db8:1::/64", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	return config;
}

static void
feed(struct world *w, const struct flow_record *flows, uint32_t count,
    uint32_t cut)
{
	for (uint32_t at = 0; at < count; at += cut) {
		uint32_t n = count - at < cut ? count - at : cut;

		memcpy(w->flows->records, flows + at, n * sizeof(*flows));
		w->flows->count = n;
		engine_take(w->engine, w->flows);
	}
}

static struct world *
world_of(const struct flow_record *flows, uint32_t count)
{
	struct engine_config config = lab_config();
	struct world *w = world_new_with(&config);

	feed(w, flows, count, 1000);
	world_drain(w);
	return w;
}

/* A small generator: the same shuffles on every machine. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(*seed >> 33);
}

static void
shuffle(struct flow_record *flows, uint32_t count, uint64_t seed)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = next_random(&seed) % i;
		struct flow_record swap = flows[i - 1];

		flows[i - 1] = flows[j];
		flows[j] = swap;
	}
}

/* As if all had come at once: only then may any come before any other. */
static void
receive_at_once(struct flow_record *flows, uint32_t count)
{
	int64_t last_ms = 0;

	for (uint32_t i = 0; i < count; i++)
		if (flows[i].received_ms > last_ms)
			last_ms = flows[i].received_ms;
	for (uint32_t i = 0; i < count; i++)
		/* exported at once, too: else a clock would seem to be off */
		flows[i].received_ms = flows[i].export_ms = last_ms;
}

static struct flow_record *
copy_of(const struct records *r, uint32_t times)
{
	struct flow_record *copy =
	    calloc(r->count * (size_t)times, sizeof(*copy));

	assert_non_null(copy);
	for (uint32_t i = 0; i < times; i++)
		memcpy(copy + i * r->count, r->flows, r->count * sizeof(*copy));
	return copy;
}

/* --- comparing --------------------------------------------------------------
 */

static int
compare_exposures(const void *a, const void *b)
{
	const struct finding_exposure *x = a;
	const struct finding_exposure *y = b;
	int order = addr_compare(&x->host, &y->host);

	if (order != 0)
		return order;
	return x->proto != y->proto ? x->proto - y->proto : x->port - y->port;
}

static int
compare_events(const void *a, const void *b)
{
	const struct finding_scan_event *x = a;
	const struct finding_scan_event *y = b;
	int order = addr_compare(&x->src, &y->src);

	if (order == 0)
		order = addr_compare(&x->dst, &y->dst);
	if (order == 0)
		order = x->port - y->port;
	if (order == 0)
		order = x->src_port - y->src_port;
	if (order == 0)
		order = x->technique - y->technique;
	if (order == 0 && x->ts_ms != y->ts_ms)
		order = x->ts_ms < y->ts_ms ? -1 : 1;
	return order;
}

static void
sort(struct world *w)
{
	qsort(w->exposures, w->exposure_count, sizeof(w->exposures[0]),
	    compare_exposures);
	qsort(w->events, w->event_count, sizeof(w->events[0]), compare_events);
}

static void
assert_same_map(struct world *a, struct world *b)
{
	sort(a);
	sort(b);
	assert_int_equal(a->exposure_count, b->exposure_count);
	for (uint32_t i = 0; i < a->exposure_count; i++) {
		const struct finding_exposure *x = &a->exposures[i];
		const struct finding_exposure *y = &b->exposures[i];

		assert_int_equal(compare_exposures(x, y), 0);
		assert_int_equal(x->first_ms, y->first_ms);
		assert_int_equal(x->last_ms, y->last_ms);
		assert_int_equal(x->accepted, y->accepted);
		assert_int_equal(x->clients, y->clients);
		assert_true(addr_equal(&x->first_client, &y->first_client));
	}
	assert_int_equal(a->host_count, b->host_count);
}

static void
assert_same_events(struct world *a, struct world *b)
{
	sort(a);
	sort(b);
	assert_int_equal(a->event_count, b->event_count);
	for (uint32_t i = 0; i < a->event_count; i++) {
		const struct finding_scan_event *x = &a->events[i];
		const struct finding_scan_event *y = &b->events[i];

		assert_int_equal(compare_events(x, y), 0);
		assert_int_equal(x->answer, y->answer);
		assert_int_equal(x->place, y->place);
	}
}

static void
assert_same_outcomes(const struct world *a, const struct world *b)
{
	for (unsigned o = 0; o < OUTCOME_COUNT; o++) {
		if (world_outcomes(a, o) != world_outcomes(b, o))
			print_error("%s differs\n", outcome_name(o));
		assert_int_equal(world_outcomes(a, o), world_outcomes(b, o));
	}
}

/* --- properties -------------------------------------------------------------
 */

static void
cut_of_the_batches_and_the_hash_key_make_no_difference(void **state)
{
	static const uint32_t cuts[] = { 1, 7, 4096 };

	(void)state;
	for (int c = 0; c < capture_count; c++) {
		struct world *want =
		    world_of(captures[c].flows, captures[c].count);

		assert_true(want->exposure_count >= 6);
		for (int i = 0; i < 3; i++) {
			struct engine_config config = lab_config();
			struct world *got;

			config.key = hash_key_random();
			got = world_new_with(&config);
			feed(got, captures[c].flows, captures[c].count,
			    cuts[i]);
			world_drain(got);
			/* every octet of it: the store must be the same */
			assert_int_equal(want->exposure_count,
			    got->exposure_count);
			assert_memory_equal(want->exposures, got->exposures,
			    want->exposure_count * sizeof(want->exposures[0]));
			assert_int_equal(want->event_count, got->event_count);
			assert_memory_equal(want->events, got->events,
			    want->event_count * sizeof(want->events[0]));
			assert_memory_equal(want->alerts, got->alerts,
			    want->alert_count * sizeof(want->alerts[0]));
			world_free(got);
		}
		world_free(want);
	}
}

static void
order_of_the_records_makes_no_difference(void **state)
{
	(void)state;
	for (int c = 0; c < capture_count; c++) {
		struct flow_record *copy = copy_of(&captures[c], 1);
		struct world *want;

		receive_at_once(copy, captures[c].count);
		want = world_of(copy, captures[c].count);
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct world *got;

			shuffle(copy, captures[c].count, seed);
			got = world_of(copy, captures[c].count);
			assert_same_map(want, got);
			assert_same_events(want, got);
			assert_same_outcomes(want, got);
			world_free(got);
		}
		world_free(want);
		free(copy);
	}
}

static void
second_exporter_that_sees_the_same_doubles_nothing(void **state)
{
	static const int64_t skews_ms[] = { 0, 400 };

	(void)state;
	for (int c = 0; c < capture_count; c++) {
		uint32_t count = captures[c].count;
		struct world *want = world_of(captures[c].flows, count);

		for (int s = 0; s < 2; s++) {
			struct flow_record *copy = copy_of(&captures[c], 2);
			struct world *got;

			for (uint32_t i = 0; i < count; i++) {
				copy[2 * i] = captures[c].flows[i];
				copy[2 * i + 1] = captures[c].flows[i];
				copy[2 * i + 1].exporter = 1;
				copy[2 * i + 1].start_ms += skews_ms[s];
				copy[2 * i + 1].end_ms += skews_ms[s];
			}
			got = world_of(copy, 2 * count);
			assert_same_outcomes(want, got);
			assert_int_equal(want->exposure_count,
			    got->exposure_count);
			assert_int_equal(want->event_count, got->event_count);
			world_free(got);
			free(copy);
		}
		world_free(want);
	}
}

static bool
is_known(const struct world *truth, const struct finding_exposure *x)
{
	for (uint32_t i = 0; i < truth->exposure_count; i++)
		if (compare_exposures(&truth->exposures[i], x) == 0)
			return true;
	return false;
}

static void
lost_datagrams_make_no_false_exposure(void **state)
{
	(void)state;
	for (int c = 0; c < capture_count; c++) {
		const struct records *r = &captures[c];
		struct world *truth = world_of(r->flows, r->count);

		for (uint32_t seed = 0; seed < SEEDS; seed++) {
			struct flow_record *kept = copy_of(r, 1);
			uint32_t count = 0;
			struct world *got;

			for (uint32_t i = 0; i < r->count; i++)
				if (r->datagram[i] % 10 != seed)
					kept[count++] = r->flows[i];
			got = world_of(kept, count);
			for (uint32_t i = 0; i < got->exposure_count; i++)
				assert_true(
				    is_known(truth, &got->exposures[i]));
			world_free(got);
			free(kept);
		}
		world_free(truth);
	}
}

static void
small_tables_lose_silence_and_no_exposure(void **state)
{
	(void)state;
	for (int c = 0; c < capture_count; c++) {
		struct world *want =
		    world_of(captures[c].flows, captures[c].count);
		struct engine_config config = lab_config();
		struct world *got;

		config.max_pairs = 16;
		config.max_sources = 4;
		got = world_new_with(&config);
		feed(got, captures[c].flows, captures[c].count, 100);
		world_drain(got);
		assert_int_equal(want->exposure_count, got->exposure_count);
		for (uint32_t i = 0; i < got->exposure_count; i++)
			assert_true(is_known(want, &got->exposures[i]));
		assert_true(
		    counter_get(&got->counters, COUNTER_SHED_PAIRS) > 0);
		world_free(got);
		world_free(want);
	}
}

static void
exporter_clock_off_by_minutes_changes_no_exposure(void **state)
{
	static const int64_t shifts_ms[] = { -300000, 300000 };

	(void)state;
	for (int c = 0; c < capture_count; c++) {
		struct world *want =
		    world_of(captures[c].flows, captures[c].count);

		for (int s = 0; s < 2; s++) {
			struct flow_record *copy = copy_of(&captures[c], 1);
			struct world *got;

			/* the inner half comes from another router */
			for (uint32_t i = 0; i < captures[c].count; i++) {
				if (i % 2 == 0)
					continue;
				copy[i].exporter = 1;
				copy[i].start_ms += shifts_ms[s];
				copy[i].end_ms += shifts_ms[s];
			}
			got = world_of(copy, captures[c].count);
			for (uint32_t i = 0; i < got->exposure_count; i++)
				assert_true(is_known(want, &got->exposures[i]));
			assert_int_equal(want->exposure_count,
			    got->exposure_count);
			world_free(got);
			free(copy);
		}
		world_free(want);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(cut_of_the_batches_and_the_hash_key_make_no_difference),
		TEST(order_of_the_records_makes_no_difference),
		TEST(second_exporter_that_sees_the_same_doubles_nothing),
		TEST(lost_datagrams_make_no_false_exposure),
		TEST(small_tables_lose_silence_and_no_exposure),
		TEST(exporter_clock_off_by_minutes_changes_no_exposure),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
