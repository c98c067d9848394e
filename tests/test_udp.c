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
		TEST(udp_counts_what_the_kernel_dropped),
	};

	return RUN_TESTS(tests);
}
