/* SPDX-License-Identifier: Apache-2.0 */
/* A capture of several exporters gives one store, whatever ingest_threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/capture.h"
#include "collector/udp.h"
#include "daemon/pipeline.h"
#include "tests/store_fixture.h"
#include "tests/test.h"

#define HOUR_MS	      INT64_C(3600000)
#define BEGIN_MS      INT64_C(1795531000000) /* the captures' time */
#define STEP_MS	      211		     /* between two datagrams */
#define DATAGRAMS_MAX 1024
#define WAIT_MS	      10000

/* Each is an exporter's of its own; all saw the same packets. */
static const char *const captures[] = {
	"lab.softflowd-v5.pcap",
	"lab.softflowd-v5a.pcap",
	"lab.softflowd-v9.pcap",
	"lab.softflowd-v10.pcap",
	"lab.softflowd-v10b.pcap",
	"lab.nfprobe-v9.pcap",
	"lab.nfprobe-v10.pcap",
	"lab.nfreplay-v9.pcap",
	"demo.pcap",
};

#define CAPTURES (sizeof(captures) / sizeof(captures[0]))

static const uint32_t thread_counts[] = { 1, 2, 3, 4, 16 };

#define THREAD_COUNTS (sizeof(thread_counts) / sizeof(thread_counts[0]))

/* Datagrams with octets of their own. */
struct tape {
	struct datagram datagrams[DATAGRAMS_MAX];
	uint8_t *octets[DATAGRAMS_MAX]; /* theirs */
	uint32_t count;
	uint8_t exporter; /* of those being read */
};

/* A datagram_fn. */
static void
keep(const struct datagram *d, void *arg)
{
	struct tape *t = arg;
	const uint8_t source[4] = { 10, 99, 0, t->exporter };
	uint8_t *octets = malloc(d->length + 1);
	struct datagram *kept = &t->datagrams[t->count];

	assert_true(t->count < DATAGRAMS_MAX);
	assert_non_null(octets);
	memcpy(octets, d->data, d->length);
	t->octets[t->count++] = octets;
	*kept = *d;
	kept->data = octets;
	kept->source = addr_from_v4(source);
}

static void
free_tape(struct tape *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->octets[i]);
	free(t);
}

/*
 * All captures at once: the first datagram of each, the second of each... at
 * even times, over the end of an hour.
 */
static struct tape *
read_tape(void)
{
	struct tape *all = calloc(1, sizeof(*all));
	struct tape *read = calloc(CAPTURES, sizeof(*read));
	int64_t now_ms = BEGIN_MS - BEGIN_MS % HOUR_MS + HOUR_MS - 20000;
	struct counters counters = { 0 };
	char message[CAPTURE_MESSAGE_MAX];
	char path[128];

	assert_non_null(all);
	assert_non_null(read);
	for (size_t k = 0; k < CAPTURES; k++) {
		read[k].exporter = (uint8_t)(CAPTURES - k);
		snprintf(path, sizeof(path), "tests/fixtures/%s", captures[k]);
		assert_ok(
		    capture_read(path, keep, &read[k], &counters, message));
		assert_true(read[k].count > 0);
	}
	for (uint32_t i = 0; i < DATAGRAMS_MAX; i++)
		for (size_t k = 0; k < CAPTURES; k++)
			if (i < read[k].count) {
				struct datagram *d =
				    &all->datagrams[all->count];

				*d = read[k].datagrams[i];
				all->octets[all->count++] = read[k].octets[i];
				d->received_ms = now_ms;
				now_ms += STEP_MS;
			}
	free(read);
	return all;
}

/* One life of a daemon: reads a part of the tape into the fixture's store. */
static void
live_through(struct fixture *x, uint32_t threads, const struct tape *t,
    uint32_t from, uint32_t to)
{
	struct engine_config engine = engine_config_default();
	struct decoder_config decoder = decoder_config_default();
	struct pipeline *p;
	struct network n;
	struct writer *w;

	assert_ok(network_parse("192.0.2.0/24=v4", &n));
	assert_ok(prefix_set_add(&engine.internal, &n));
	assert_ok(network_parse("2001:db8:1::/64=v6", &n));
	assert_ok(prefix_set_add(&engine.internal, &n));
	engine.training_ms = 0;
	engine.key = hash_key_random();
	decoder.key = hash_key_random();
	/* just enough, also when one thread has them all */
	decoder.max_exporters = CAPTURES;
	memset(&x->counters, 0, sizeof(x->counters));
	fixture_open(x);
	p = pipeline_new(&engine, &decoder, threads, &x->counters);
	assert_non_null(p);
	assert_ok(pipeline_restore(p, x->store));
	w = writer_start(x->store);
	assert_non_null(w);
	pipeline_start(p, w);
	for (uint32_t i = from; i < to; i++)
		pipeline_replay(&t->datagrams[i], p);
	assert_ok(pipeline_end_replay(p, to == t->count));
	assert_ok(pipeline_finish(p, WAIT_MS));
	assert_true(writer_stop(w));
	pipeline_free(p);
	fixture_close(x);
}

/* What the store has after one life, or two. A folder of its own for each. */
static uint64_t
rows_after(const struct tape *t, uint32_t threads, uint32_t threads_later)
{
	uint32_t cut = threads_later == 0 ? t->count : t->count / 3;
	void *state = NULL;
	struct fixture *x;
	uint64_t hash;

	assert_int_equal(fixture_setup(&state), 0);
	x = state;
	live_through(x, threads, t, 0, cut);
	if (threads_later != 0)
		live_through(x, threads_later, t, cut, t->count);
	assert_int_equal(fixture_int(x, "SELECT count(DISTINCT address)"
					" FROM exporters"),
	    CAPTURES);
	assert_int_equal(fixture_int(x, "SELECT count(DISTINCT hour)"
					" FROM exporter_hours"),
	    2);
	assert_true(fixture_int(x, "SELECT count(*) FROM exposures") > 10);
	assert_true(fixture_int(x, "SELECT count(*) FROM scan_events") > 100);
	assert_true(fixture_int(x, "SELECT count(*) FROM t_template") > 5);
	/* who came first in the capture is the first here */
	assert_int_equal(fixture_int(x,
			     "SELECT hex(address_ip) LIKE '%0A630009'"
			     " FROM t_exporter ORDER BY id LIMIT 1"),
	    1);
	hash = fixture_rows_hash(x);
	fixture_teardown(&state);
	return hash;
}

static void
a_capture_gives_the_same_store_with_any_number_of_threads(void **state)
{
	struct tape *t = read_tape();
	uint64_t one = rows_after(t, 1, 0);

	(void)state;
	assert_int_equal(rows_after(t, 1, 0), one);
	for (size_t i = 1; i < THREAD_COUNTS; i++)
		assert_int_equal(rows_after(t, thread_counts[i], 0), one);
	free_tape(t);
}

static void
a_restart_with_another_number_of_threads_changes_nothing(void **state)
{
	struct tape *t = read_tape();
	uint64_t one = rows_after(t, 1, 1);

	(void)state;
	for (size_t i = 1; i < THREAD_COUNTS; i++) {
		assert_int_equal(rows_after(t, thread_counts[i], 1), one);
		assert_int_equal(rows_after(t, 1, thread_counts[i]), one);
	}
	assert_int_equal(rows_after(t, 2, 4), one);
	assert_int_equal(rows_after(t, 4, 2), one);
	free_tape(t);
}

/* Without this the tests above would prove nothing. */
static void
the_exporters_are_those_of_several_threads(void **state)
{
	(void)state;
	for (size_t i = 1; i < THREAD_COUNTS; i++) {
		uint32_t seen = 0;

		for (uint32_t k = 1; k <= CAPTURES; k++) {
			const uint8_t octets[4] = { 10, 99, 0, (uint8_t)k };
			struct addr a = addr_from_v4(octets);

			seen |= 1U << udp_thread_of(&a, thread_counts[i]);
		}
		assert_true(__builtin_popcount(seen) > 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_exporters_are_those_of_several_threads),
		TEST(a_capture_gives_the_same_store_with_any_number_of_threads),
		TEST(a_restart_with_another_number_of_threads_changes_nothing),
	};

	return RUN_TESTS(tests);
}
