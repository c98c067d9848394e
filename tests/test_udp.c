/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets: real ones, over loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "tests/test.h"

#include "collector/udp.h"
#include "common/log.h"

#define WAIT_ROUNDS 200 /* of 10 ms */

/* A receiver, a socket that sends to it, and what arrived. */
struct link {
	struct event_base *base;
	struct udp *udp;
	struct counters counters;
	int sender;
	unsigned datagrams;
	unsigned flushes;
	struct datagram last;
	char text[32]; /* of the last datagram, its start */
};

static void
take(const struct datagram *d, void *arg)
{
	struct link *l = arg;
	size_t n =
	    d->length < sizeof(l->text) - 1 ? d->length : sizeof(l->text) - 1;

	l->datagrams++;
	l->last = *d;
	memcpy(l->text, d->data, n);
	l->text[n] = '\0';
}

static void
flush(void *arg)
{
	struct link *l = arg;

	l->flushes++;
}

static struct udp_config
config_for(struct link *l, const char *address)
{
	struct udp_config config = { .rcvbuf_bytes = 65536,
		.counters = &l->counters };

	assert_ok(addr_parse(address, &config.address));
	return config;
}

/* Skips the test where the machine has no such address (IPv6). */
static struct link *
open_link(const char *address, int family)
{
	struct link *l = calloc(1, sizeof(*l));
	struct udp_config config;

	assert_non_null(l);
	log_set_level(LOG_LEVEL_ERROR);
	config = config_for(l, address);
	l->base = event_base_new();
	assert_non_null(l->base);
	l->sender = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->sender < 0 ||
	    udp_open(l->base, &config, take, flush, l, &l->udp) != ERR_OK) {
		if (l->sender >= 0)
			close(l->sender);
		event_base_free(l->base);
		free(l);
		return NULL;
	}
	return l;
}

static void
close_link(struct link *l)
{
	close(l->sender);
	udp_close(l->udp);
	event_base_free(l->base);
	free(l);
}

static void
send_v4(struct link *l, const void *octets, size_t length)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(udp_port(l->udp)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	assert_int_equal(sendto(l->sender, octets, length, 0,
			     (const struct sockaddr *)&to, sizeof(to)),
	    length);
}

static void
wait_for(struct link *l, unsigned datagrams)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };

	for (int i = 0; i < WAIT_ROUNDS && l->datagrams < datagrams; i++) {
		assert_true(event_base_loop(l->base, EVLOOP_NONBLOCK) >= 0);
		if (l->datagrams < datagrams)
			nanosleep(&pause, NULL);
	}
	assert_int_equal(l->datagrams, datagrams);
}

static void
udp_receives_a_datagram(void **state)
{
	struct link *l = open_link("127.0.0.1", AF_INET);
	char text[ADDR_TEXT_MAX];
	struct sockaddr_in from = { 0 };
	socklen_t length = sizeof(from);

	(void)state;
	assert_non_null(l);
	assert_int_not_equal(udp_port(l->udp), 0);
	send_v4(l, "hello", 5);
	wait_for(l, 1);
	assert_string_equal(l->text, "hello");
	assert_int_equal(l->flushes, 1);
	assert_string_equal(addr_format(&l->last.source, text), "127.0.0.1");
	assert_int_equal(getsockname(l->sender, (struct sockaddr *)&from,
			     &length),
	    0);
	assert_int_equal(l->last.source_port, ntohs(from.sin_port));
	/* the kernel's time: now, give or take a minute */
	assert_in_range(l->last.received_ms, (time(NULL) - 60) * 1000,
	    (time(NULL) + 60) * 1000);
	assert_int_equal(counter_get(&l->counters, COUNTER_DATAGRAMS_RECEIVED),
	    1);
	assert_int_equal(counter_get(&l->counters, COUNTER_DATAGRAM_OCTETS), 5);
	close_link(l);
}

static void
udp_receives_more_than_a_batch(void **state)
{
	struct link *l = open_link("127.0.0.1", AF_INET);

	(void)state;
	assert_non_null(l);
	for (unsigned i = 0; i < 80; i++)
		send_v4(l, "x", 1);
	wait_for(l, 80);
	assert_true(l->flushes >= 2 && l->flushes <= 80);
	close_link(l);
}

static void
udp_receives_empty_and_largest_datagrams(void **state)
{
	struct link *l = open_link("127.0.0.1", AF_INET);
	uint8_t *octets = calloc(1, 65507);

	(void)state;
	assert_non_null(l);
	assert_non_null(octets);
	send_v4(l, octets, 0);
	wait_for(l, 1);
	assert_int_equal(l->last.length, 0);
	send_v4(l, octets, 65507);
	wait_for(l, 2);
	assert_int_equal(l->last.length, 65507);
	assert_int_equal(counter_get(&l->counters, COUNTER_DATAGRAMS_OVERSIZE),
	    0);
	free(octets);
	close_link(l);
}

static void
udp_receives_over_ipv6(void **state)
{
	struct link *l = open_link("::1", AF_INET6);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	char text[ADDR_TEXT_MAX];

	(void)state;
	if (l == NULL)
		skip();
	to.sin6_port = htons(udp_port(l->udp));
	assert_int_equal(sendto(l->sender, "six", 3, 0,
			     (const struct sockaddr *)&to, sizeof(to)),
	    3);
	wait_for(l, 1);
	assert_string_equal(l->text, "six");
	assert_string_equal(addr_format(&l->last.source, text), "::1");
	close_link(l);
}

static void
udp_open_fails_when_the_port_is_in_use(void **state)
{
	struct link *l = open_link("127.0.0.1", AF_INET);
	struct udp_config config;
	struct udp *second = NULL;

	(void)state;
	assert_non_null(l);
	config = config_for(l, "127.0.0.1");
	config.port = udp_port(l->udp);
	errno = 0;
	assert_int_equal(udp_open(l->base, &config, take, flush, l, &second),
	    ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(second);
	close_link(l);
}

#define THREADS 3

/* Several sockets of one port, each with what came to it. */
struct shared {
	struct link links[THREADS];
	uint16_t port;
};

static int
open_shared(struct shared *s, const char *address)
{
	log_set_level(LOG_LEVEL_ERROR);
	for (uint32_t i = 0; i < THREADS; i++) {
		struct link *l = &s->links[i];
		struct udp_config config = config_for(l, address);

		config.port = s->port;
		config.threads = THREADS;
		config.thread = i;
		l->base = event_base_new();
		assert_non_null(l->base);
		if (udp_open(l->base, &config, take, flush, l, &l->udp) !=
		    ERR_OK)
			return ERR_IO;
		s->port = udp_port(l->udp);
	}
	return ERR_OK;
}

static void
close_shared(struct shared *s)
{
	for (uint32_t i = 0; i < THREADS; i++) {
		udp_close(s->links[i].udp);
		if (s->links[i].base != NULL)
			event_base_free(s->links[i].base);
	}
	free(s);
}

/* Three datagrams to the port, each from another source port. */
static void
send_from(const char *source, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
	for (int i = 0; i < 3; i++) {
		int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_true(s >= 0);
		assert_int_equal(bind(s, (const struct sockaddr *)&from,
				     sizeof(from)),
		    0);
		assert_int_equal(sendto(s, "x", 1, 0,
				     (const struct sockaddr *)&to, sizeof(to)),
		    1);
		close(s);
	}
}

static void
udp_gives_an_exporter_to_one_thread_whatever_its_port(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	unsigned expected[THREADS] = { 0 };

	(void)state;
	assert_non_null(s);
	assert_ok(open_shared(s, "127.0.0.1"));
	for (unsigned i = 1; i <= 40; i++) {
		char source[ADDR_TEXT_MAX];
		struct addr a;
		uint32_t thread;

		snprintf(source, sizeof(source), "127.0.%u.%u", i % 3, i);
		assert_ok(addr_parse(source, &a));
		thread = udp_thread_of(&a, THREADS);
		assert_true(thread < THREADS);
		send_from(source, s->port);
		expected[thread] += 3;
		wait_for(&s->links[thread], expected[thread]);
		assert_true(addr_equal(&s->links[thread].last.source, &a));
	}
	for (uint32_t i = 0; i < THREADS; i++)
		assert_true(expected[i] > 0);
	close_shared(s);
}

static void
udp_shares_out_ipv6_by_the_source_address(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct addr loopback;
	struct link *l;

	(void)state;
	assert_non_null(s);
	if (open_shared(s, "::1") != ERR_OK) {
		close_shared(s);
		skip();
		return;
	}
	assert_ok(addr_parse("::1", &loopback));
	l = &s->links[udp_thread_of(&loopback, THREADS)];
	to.sin6_port = htons(s->port);
	for (unsigned i = 1; i <= 20; i++) {
		int sender = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_true(sender >= 0);
		assert_int_equal(sendto(sender, "x", 1, 0,
				     (const struct sockaddr *)&to, sizeof(to)),
		    1);
		close(sender);
		wait_for(l, i);
	}
	close_shared(s);
}

static void
threads_of_udp_differ_in_every_word_of_an_address(void **state)
{
	static const char *const sources[] = { "2001:db8::1", "2001:db8::2",
		"2001:db8::1:0:0", "2001:db8::2:0:0", "2001:db8:1::1",
		"2001:db8:2::1", "2001:db9::1", "2001:dba::1", "192.0.2.1",
		"192.0.2.2", "192.0.3.1", "192.1.2.1", "10.0.2.1" };
	unsigned seen = 0;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		assert_ok(addr_parse(sources[i], &a));
		assert_int_equal(udp_thread_of(&a, 1), 0);
		seen |= 1U << udp_thread_of(&a, 16);
	}
	/* of 16 threads, 13 addresses spread over more than a half */
	assert_true(__builtin_popcount(seen) > 7);
}

static void
udp_does_not_share_a_port_with_another_program(void **state)
{
	struct shared *first = calloc(1, sizeof(*first));
	struct shared *second = calloc(1, sizeof(*second));

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_ok(open_shared(first, "127.0.0.1"));
	second->port = first->port;
	errno = 0;
	assert_int_equal(open_shared(second, "127.0.0.1"), ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	close_shared(first);
	close_shared(second);
}

static void
udp_counts_what_the_kernel_dropped(void **state)
{
	struct link *l = open_link("127.0.0.1", AF_INET);
	uint64_t lost;
	static const uint8_t octets[1400];
	const unsigned sent = 2000;

	(void)state;
	assert_non_null(l);
	udp_poll_drops(l->udp);
	assert_int_equal(counter_get(&l->counters,
			     COUNTER_DATAGRAMS_LOST_KERNEL),
	    0);
	for (unsigned i = 0; i < sent; i++) /* far beyond the buffer */
		send_v4(l, octets, sizeof(octets));
	udp_poll_drops(l->udp);
	lost = counter_get(&l->counters, COUNTER_DATAGRAMS_LOST_KERNEL);
	assert_true(lost > 0 && lost < sent);
	wait_for(l, sent - (unsigned)lost);
	udp_poll_drops(l->udp);
	assert_int_equal(counter_get(&l->counters,
			     COUNTER_DATAGRAMS_LOST_KERNEL),
	    lost);
	assert_true(udp_rcvbuf_bytes(l->udp) > 0);
	close_link(l);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(udp_receives_a_datagram),
		TEST(udp_receives_more_than_a_batch),
		TEST(udp_receives_empty_and_largest_datagrams),
		TEST(udp_receives_over_ipv6),
		TEST(udp_open_fails_when_the_port_is_in_use),
		TEST(udp_gives_an_exporter_to_one_thread_whatever_its_port),
		TEST(udp_shares_out_ipv6_by_the_source_address),
		TEST(threads_of_udp_differ_in_every_word_of_an_address),
		TEST(udp_does_not_share_a_port_with_another_program),
		TEST(udp_counts_what_the_kernel_dropped),
	};

	return RUN_TESTS(tests);
}
