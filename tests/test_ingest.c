/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in one thread or several: real ones, over loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "daemon/clock.h"
#include "daemon/ingest.h"
#include "tests/datagrams.h"
#include "tests/test.h"

#define THREADS	  4
#define EXPORTERS 12
#define WAIT_S	  20
#define AT_ONCE	  128 /* datagrams in a receive buffer */

/* A receiver and what its sink got. */
struct link {
	struct event_base *base;
	struct counters counters;
	struct decoders *decoders;
	struct ingest *ingest;
	struct flow_batch *flows; /* with one thread */
	struct build build;
	uint16_t port;
	int senders[EXPORTERS];
	uint32_t sent[EXPORTERS];
	uint32_t got[EXPORTERS];
	uint32_t threads_seen; /* bits */
	uint32_t datagrams;
	uint32_t records;
	uint32_t expected;
	int64_t latest_ms;
	int64_t latest_of_ms[THREADS];
	uint32_t backwards; /* note_time() */
	uint32_t flushes;
};

/*
 * Counts what comes later than a datagram of another thread that is younger.
 * Within a thread the order is the socket's: the kernel stamps the time before
 * it queues, and on a busy machine the next one may be queued first.
 */
static void
note_time(struct link *l, const struct decoded *d)
{
	int64_t *own_ms = &l->latest_of_ms[d->thread];

	if (d->received_ms < l->latest_ms && d->received_ms >= *own_ms)
		l->backwards++;
	if (d->received_ms > *own_ms)
		*own_ms = d->received_ms;
	if (d->received_ms > l->latest_ms)
		l->latest_ms = d->received_ms;
}

static void
note(struct link *l, const struct decoded *d, const struct flow_record *r)
{
	uint32_t exporter = d->source.octets[15] - 1U;

	assert_int_equal(d->status, DECODE_OK);
	assert_true(exporter < EXPORTERS);
	/* in its exporter's order: the number is in the octets */
	assert_int_equal(d->count, 1);
	assert_int_equal(r->octets, l->got[exporter] + 1);
	l->got[exporter]++;
	l->datagrams++;
	l->records += d->count;
	l->threads_seen |= 1U << d->thread;
	note_time(l, d);
	if (l->datagrams == l->expected)
		event_base_loopbreak(l->base);
}

/* The sink: a datagram_fn, a decoded_fn, a udp_flush_fn. */
static void
take(const struct datagram *d, void *arg)
{
	struct link *l = arg;
	struct decoded out;

	l->flows->count = 0;
	out = decoders_decode(l->decoders, d, l->flows);
	note(l, &out, l->flows->records);
}

static void
take_decoded(const struct decoded *d, const struct flow_record *r, void *arg)
{
	note(arg, d, r);
}

static void
flushed(void *arg)
{
	((struct link *)arg)->flushes++;
}

static void
open_senders(struct link *l)
{
	for (uint32_t i = 0; i < EXPORTERS; i++) {
		const struct sockaddr_in from = { .sin_family = AF_INET,
			.sin_addr = { htonl(INADDR_LOOPBACK + i) } };

		l->senders[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_true(l->senders[i] >= 0);
		assert_int_equal(bind(l->senders[i],
				     (const struct sockaddr *)&from,
				     sizeof(from)),
		    0);
	}
}

static struct link *
open_link(uint32_t threads)
{
	struct link *l = calloc(1, sizeof(*l));
	struct decoder_config decoder = decoder_config_default();
	struct udp_config udp = { .rcvbuf_bytes = UDP_RCVBUF_DEFAULT };

	assert_non_null(l);
	log_set_level(LOG_LEVEL_ERROR);
	l->base = event_base_new();
	assert_non_null(l->base);
	l->flows = malloc(sizeof(*l->flows));
	assert_non_null(l->flows);
	l->decoders = decoders_new(&decoder, threads, &l->counters);
	assert_non_null(l->decoders);
	l->ingest = ingest_new(threads, l->base, &l->counters);
	assert_non_null(l->ingest);
	assert_ok(addr_parse("127.0.0.1", &udp.address));
	assert_ok(ingest_listen(l->ingest, &udp, &l->port));
	open_senders(l);
	return l;
}

static void
start(struct link *l)
{
	const struct ingest_sink sink = { take, take_decoded, flushed, l };

	assert_ok(ingest_start(l->ingest, l->decoders, &sink));
}

static void
close_link(struct link *l)
{
	ingest_stop(l->ingest);
	ingest_free(l->ingest);
	decoders_free(l->decoders);
	for (uint32_t i = 0; i < EXPORTERS; i++)
		close(l->senders[i]);
	event_base_free(l->base);
	free(l->flows);
	free(l);
}

/* The next datagram of an exporter: one v5 record that has its number. */
static void
send_one(struct link *l, uint32_t exporter)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(l->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, ++l->sent[exporter], 1000, 2000, 40000, 80, 0x02,
		6 };

	build_netflow5(&l->build, l->sent[exporter] - 1, 1);
	build_netflow5_record(&l->build, &record);
	build_done(&l->build);
	assert_int_equal(sendto(l->senders[exporter], l->build.octets,
			     l->build.length, 0, (const struct sockaddr *)&to,
			     sizeof(to)),
	    l->build.length);
	l->expected++;
}

static void
give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Runs the loop until everything that was sent has come, or too long. */
static void
receive_all(struct link *l)
{
	const struct timeval most = { WAIT_S, 0 };
	struct event *timer = evtimer_new(l->base, give_up, l->base);

	assert_non_null(timer);
	evtimer_add(timer, &most);
	if (l->datagrams < l->expected)
		assert_true(event_base_loop(l->base, 0) >= 0);
	event_free(timer);
	assert_int_equal(l->datagrams, l->expected);
	assert_true(ingest_tick(l->ingest));
	decoders_sum(l->decoders);
}

static uint64_t
count_of(const struct link *l, enum counter which)
{
	return counter_get(&l->counters, which);
}

static void
expect_counts(const struct link *l)
{
	assert_int_equal(count_of(l, COUNTER_DATAGRAMS_RECEIVED), l->expected);
	assert_int_equal(count_of(l, COUNTER_DATAGRAMS_DECODED), l->expected);
	assert_int_equal(count_of(l, COUNTER_RECORDS_DELIVERED), l->records);
	assert_int_equal(count_of(l, COUNTER_SEQUENCE_LOST), 0);
	assert_int_equal(count_of(l, COUNTER_DATAGRAMS_LOST_KERNEL), 0);
}

static void
threads_lose_nothing_of_many_exporters(void **state)
{
	struct link *l = open_link(THREADS);

	(void)state;
	start(l);
	for (uint32_t n = 0; n < 60; n++) {
		for (uint32_t i = 0; i < AT_ONCE; i++)
			send_one(l, (i * 7 + n) % EXPORTERS);
		receive_all(l);
	}
	assert_true(__builtin_popcount(l->threads_seen) > 1);
	assert_true(l->flushes > 0);
	expect_counts(l);
	close_link(l);
}

/* Then one thread has received all of its own before the next one begins. */
static void
what_waited_in_the_sockets_is_taken_in_the_order_of_time(void **state)
{
	const struct timespec pause = { 0, 2 * 1000 * 1000 };
	const struct timespec queued = { 0, 100 * 1000 * 1000 };
	struct link *l = open_link(THREADS);

	(void)state;
	for (uint32_t i = 0; i < AT_ONCE; i++) {
		send_one(l, i % EXPORTERS);
		nanosleep(&pause, NULL);
	}
	nanosleep(&queued, NULL);
	start(l);
	receive_all(l);
	assert_int_equal(l->backwards, 0);
	expect_counts(l);
	close_link(l);
}

static void
one_thread_receives_in_the_callers_loop(void **state)
{
	struct link *l = open_link(1);

	(void)state;
	start(l);
	for (uint32_t i = 0; i < AT_ONCE; i++)
		send_one(l, i % EXPORTERS);
	receive_all(l);
	assert_int_equal(l->threads_seen, 1);
	assert_int_equal(count_of(l, COUNTER_INGEST_WAITS), 0);
	expect_counts(l);
	close_link(l);
}

static void
a_lone_datagram_comes_at_once_though_other_threads_have_none(void **state)
{
	struct link *l = open_link(THREADS);
	int64_t begun_ms;

	(void)state;
	start(l);
	for (uint32_t i = 0; i < EXPORTERS; i++) {
		begun_ms = clock_now_ms();
		send_one(l, i);
		receive_all(l);
		/* some milliseconds, on a machine with time */
		assert_true(clock_now_ms() - begun_ms < WAIT_S * 1000 / 2);
	}
	close_link(l);
}

/* Until the thread has received everything, or waits itself. */
static void
wait_for_thread(struct link *l)
{
	const struct timespec pause = { 0, 1000 * 1000 };

	for (uint32_t i = 0; i < WAIT_S * 1000; i++) {
		assert_true(ingest_tick(l->ingest));
		if (count_of(l, COUNTER_INGEST_WAITS) > 0 ||
		    count_of(l, COUNTER_DATAGRAMS_RECEIVED) == l->expected)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("the thread does nothing");
}

/* Sends more than a queue holds while the loop stands still; no more at once
 * than any receive buffer holds. */
static void
overfill(struct link *l)
{
	while (l->expected < FLOW_QUEUE_DATAGRAMS + 2 * AT_ONCE) {
		send_one(l, 0);
		if (l->expected % AT_ONCE == 0)
			wait_for_thread(l);
	}
	assert_int_equal(count_of(l, COUNTER_INGEST_WAITS), 1);
	assert_true(count_of(l, COUNTER_DATAGRAMS_RECEIVED) < l->expected);
}

static void
a_thread_with_a_full_queue_waits_and_loses_nothing(void **state)
{
	struct link *l = open_link(2);

	(void)state;
	start(l);
	overfill(l);
	assert_int_equal(l->datagrams, 0);
	receive_all(l);
	expect_counts(l);
	close_link(l);
}

static void
stopping_gives_the_sink_what_was_received(void **state)
{
	struct link *l = open_link(2);

	(void)state;
	start(l);
	overfill(l);
	ingest_stop(l->ingest);
	assert_true(l->datagrams >= FLOW_QUEUE_DATAGRAMS);
	assert_int_equal(l->datagrams, count_of(l, COUNTER_DATAGRAMS_RECEIVED));
	close_link(l);
}

static void
threads_that_never_began_end(void **state)
{
	struct link *l = open_link(THREADS);

	(void)state;
	send_one(l, 0);
	close_link(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_thread_receives_in_the_callers_loop),
		TEST(threads_lose_nothing_of_many_exporters),
		TEST(what_waited_in_the_sockets_is_taken_in_the_order_of_time),
		TEST(
		    a_lone_datagram_comes_at_once_though_other_threads_have_none),
		TEST(a_thread_with_a_full_queue_waits_and_loses_nothing),
		TEST(stopping_gives_the_sink_what_was_received),
		TEST(threads_that_never_began_end),
	};

	return RUN_TESTS(tests);
}
