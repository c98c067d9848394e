/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of decoded datagrams, and several of them taken as one. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/merge.h"
#include "tests/test.h"

#define STREAMS	  3
#define TEXT_MAX  512
#define NOW_MS	  INT64_C(1700000000000)
#define DATAGRAMS 60000 /* through a queue, from thread to thread */

/* Records that tell which datagram they are of. */
static struct flow_record records[FLOW_DATAGRAM_MAX];

/* Puts a datagram whose records' octets say its number. */
static bool
put(struct flow_queue *q, uint32_t number, uint32_t count)
{
	struct decoded d = { .received_ms = number, .count = count };

	for (uint32_t i = 0; i < count; i++) {
		records[i].octets = number;
		records[i].packets = i;
	}
	return flow_queue_put(q, &d, records);
}

/* The oldest is this one, whole. */
static void
take(struct flow_queue *q, uint32_t number, uint32_t count)
{
	const struct flow_record *r = NULL;
	const struct decoded *d = flow_queue_first(q, &r);

	assert_non_null(d);
	assert_int_equal(d->received_ms, number);
	assert_int_equal(d->count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_true(r[i].octets == number && r[i].packets == i);
	flow_queue_take(q);
}

/* Sizes that come round at every place of the ring. */
static uint32_t
size_of(uint32_t number)
{
	return number % 97 == 0 ? FLOW_DATAGRAM_MAX : number * 7919 % 61;
}

static void
a_queue_gives_back_what_was_put_in_its_order(void **state)
{
	struct flow_queue *q = flow_queue_new();
	const struct flow_record *r;
	uint32_t next = 0, oldest = 0;

	(void)state;
	assert_non_null(q);
	assert_null(flow_queue_first(q, &r));
	while (oldest < 20000) {
		while (put(q, next, size_of(next)))
			next++;
		assert_true(next > oldest); /* an empty one takes any */
		for (uint32_t n = oldest % 5 + 1; n > 0 && oldest < next; n--) {
			take(q, oldest, size_of(oldest));
			oldest++;
		}
	}
	for (; oldest < next; oldest++)
		take(q, oldest, size_of(oldest));
	assert_null(flow_queue_first(q, &r));
	flow_queue_free(q);
}

static void
a_queue_is_full_by_datagrams_or_by_records(void **state)
{
	struct flow_queue *q = flow_queue_new();
	uint32_t n;

	(void)state;
	assert_non_null(q);
	for (n = 0; n < FLOW_QUEUE_DATAGRAMS; n++)
		assert_true(put(q, n, 0));
	assert_false(put(q, n, 0));
	take(q, 0, 0);
	assert_true(put(q, n, 0));
	flow_queue_free(q);
	q = flow_queue_new();
	assert_non_null(q);
	for (n = 0; put(q, n, 100); n++)
		;
	assert_in_range(n * 100, FLOW_QUEUE_RECORDS,
	    FLOW_QUEUE_RECORDS + FLOW_DATAGRAM_MAX);
	take(q, 0, 100);
	assert_true(put(q, n, 100));
	assert_false(put(q, n, 100));
	flow_queue_free(q);
}

static void *
put_all(void *arg)
{
	static struct flow_record own[FLOW_DATAGRAM_MAX];

	for (uint32_t n = 0; n < DATAGRAMS; n++) {
		struct decoded d = { .received_ms = n, .count = n % 61 };

		for (uint32_t i = 0; i < d.count; i++) {
			own[i].octets = n;
			own[i].packets = i;
		}
		while (!flow_queue_put(arg, &d, own))
			sched_yield();
	}
	return NULL;
}

static void
a_queue_carries_from_one_thread_to_another(void **state)
{
	struct flow_queue *q = flow_queue_new();
	const struct flow_record *r;
	pthread_t thread;

	(void)state;
	assert_non_null(q);
	assert_int_equal(pthread_create(&thread, NULL, put_all, q), 0);
	for (uint32_t n = 0; n < DATAGRAMS; n++) {
		while (flow_queue_first(q, &r) == NULL)
			sched_yield();
		take(q, n, n % 61);
	}
	pthread_join(thread, NULL);
	flow_queue_free(q);
}

/* --- several -------------------------------------------------------------- */

struct streams {
	struct merge_stream own[STREAMS];
	struct merge_stream *all[STREAMS];
	struct merge_rest rest;
	char taken[TEXT_MAX]; /* "2a 3b": milliseconds from NOW_MS, exporter */
};

static struct streams *
open_streams(void)
{
	struct streams *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	for (int i = 0; i < STREAMS; i++) {
		s->all[i] = &s->own[i];
		s->own[i].queue = flow_queue_new();
		assert_non_null(s->own[i].queue);
		atomic_init(&s->own[i].complete_ms, INT64_MIN);
	}
	return s;
}

static void
close_streams(struct streams *s)
{
	for (int i = 0; i < STREAMS; i++)
		flow_queue_free(s->own[i].queue);
	free(s);
}

/* What a thread does with a datagram. Exporters are one letter. */
static void
receive(struct streams *s, int stream, int64_t at_ms, char exporter)
{
	const uint8_t octets[4] = { 192, 0, 2, (uint8_t)exporter };
	struct decoded d = { .received_ms = NOW_MS + at_ms,
		.source = addr_from_v4(octets) };

	assert_true(flow_queue_put(s->own[stream].queue, &d, records));
	s->own[stream].complete_ms = d.received_ms - 1;
}

static void
note(const struct decoded *d, const struct flow_record *r, void *arg)
{
	struct streams *s = arg;
	size_t used = strlen(s->taken);

	assert_non_null(r);
	snprintf(s->taken + used, sizeof(s->taken) - used, "%s%d%c",
	    used == 0 ? "" : " ", (int)(d->received_ms - NOW_MS),
	    d->source.octets[15]);
}

/* What comes out when it is so many milliseconds after NOW_MS. */
static const char *
merge(struct streams *s, int64_t now_ms)
{
	s->taken[0] = '\0';
	merge_take(s->all, STREAMS, NOW_MS + now_ms, note, s, &s->rest);
	return s->taken;
}

static void
streams_are_taken_by_time_then_exporter_then_place(void **state)
{
	struct streams *s = open_streams();

	(void)state;
	receive(s, 0, 1, 'c');
	receive(s, 0, 3, 'c');
	receive(s, 0, 3, 'c');
	receive(s, 0, 9, 'c');
	receive(s, 1, 1, 'a');
	receive(s, 1, 3, 'a');
	receive(s, 1, 9, 'a');
	receive(s, 2, 2, 'b');
	receive(s, 2, 3, 'b');
	receive(s, 2, 9, 'b');
	assert_string_equal(merge(s, 10), "1a 1c 2b 3a 3b 3c 3c 9a");
	close_streams(s);
}

static void
a_datagram_waits_for_a_stream_that_may_have_an_earlier_one(void **state)
{
	struct streams *s = open_streams();

	(void)state;
	receive(s, 0, 5, 'a');
	receive(s, 1, 7, 'b');
	assert_string_equal(merge(s, 10), "");
	assert_true(s->rest.waiting && !s->rest.more);
	assert_int_equal(s->rest.waiting_ms, NOW_MS + 5);
	assert_int_equal(s->rest.missing, 1U << 2);
	/* it is complete up to before: still it may have one */
	s->own[2].complete_ms = NOW_MS + 4;
	assert_string_equal(merge(s, 10), "");
	s->own[2].complete_ms = NOW_MS + 5;
	assert_string_equal(merge(s, 10), "5a");
	assert_int_equal(s->rest.missing, 1U << 0 | 1U << 2);
	/* and it does have one */
	receive(s, 2, 6, 'c');
	s->own[0].complete_ms = INT64_MAX; /* it has ended */
	assert_string_equal(merge(s, 10), "6c");
	assert_int_equal(s->rest.missing, 1U << 2);
	s->own[2].complete_ms = INT64_MAX;
	assert_string_equal(merge(s, 10), "7b");
	assert_false(s->rest.waiting);
	close_streams(s);
}

static void
a_datagram_of_a_clock_set_back_is_not_waited_for(void **state)
{
	struct streams *s = open_streams();

	(void)state;
	receive(s, 0, 3600000, 'a');
	receive(s, 0, 900, 'a');
	assert_string_equal(merge(s, 0), "3600000a");
	assert_int_equal(s->rest.waiting_ms, NOW_MS + 900);
	close_streams(s);
}

static void
a_call_takes_so_many_and_says_that_there_are_more(void **state)
{
	struct streams *s = open_streams();

	(void)state;
	for (int i = 0; i < MERGE_DATAGRAMS_MAX; i++)
		receive(s, 0, i, 'a');
	receive(s, 1, 999, 'b');
	s->own[2].complete_ms = INT64_MAX;
	(void)merge(s, 1000);
	assert_true(s->rest.more);
	s->own[0].complete_ms = INT64_MAX;
	assert_string_equal(merge(s, 1000), "999b");
	assert_false(s->rest.more || s->rest.waiting);
	close_streams(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_gives_back_what_was_put_in_its_order),
		TEST(a_queue_is_full_by_datagrams_or_by_records),
		TEST(a_queue_carries_from_one_thread_to_another),
		TEST(streams_are_taken_by_time_then_exporter_then_place),
		TEST(
		    a_datagram_waits_for_a_stream_that_may_have_an_earlier_one),
		TEST(a_datagram_of_a_clock_set_back_is_not_waited_for),
		TEST(a_call_takes_so_many_and_says_that_there_are_more),
	};

	return RUN_TESTS(tests);
}
