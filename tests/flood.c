/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods a collector on loopback, or is its well-behaved exporter.
 *
 *	flood KIND PORT DATAGRAMS RATE
 *
 * Sends DATAGRAMS to 127.0.0.1:PORT, RATE a second, or as many as there were
 * before SIGINT, and prints how many went out. Kinds:
 *	templates  65,280 templates, domain after domain
 *	domains    a new observation domain each, with a template
 *	pens       7,900 new enterprise elements each
 *	churn      templates of 128 fields that change each time
 *	exporters  each from another address of 127.1.0.0/16
 *	syn        30 SYNs each, no two alike
 *	sound      both halves of a conversation, a port each (v9, in sequence)
 * The attackers are 127.0.0.2 (exporters: 127.1.x.y), the sound exporter is
 * 127.0.0.200.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/datagrams.h"

#define ATTACKER       0x7f000002U
#define SOUND	       0x7f0000c8U
#define FORGED	       0x7f010000U
#define FORGED_COUNT   65000U
#define TEMPLATE_IDS   65280U
#define TEMPLATES_EACH 1000U
#define PENS_EACH      7900U
#define CHURN_EACH     120U
#define CHURN_FIELDS   128U
#define SYNS_EACH      30U
#define PORTS_A_HOST   4000U /* more would be a tarpit: guards.h */
#define NS_PER_S       INT64_C(1000000000)
#define AHEAD_NS       1000000 /* sleep when so far ahead */

static const struct build_field shortest[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 4, 1, 0 } };

/* --- what is sent: datagram n of each kind --- */

static void
set_time(struct build *b)
{
	size_t at = b->version == 10 ? 4 : 8;
	uint32_t now_s = htonl((uint32_t)time(NULL));

	memcpy(b->octets + at, &now_s, sizeof(now_s));
}

static void
build_templates(struct build *b, uint32_t n)
{
	uint32_t first = n * TEMPLATES_EACH % TEMPLATE_IDS;

	build_ipfix(b, n * TEMPLATES_EACH / TEMPLATE_IDS, 0);
	build_set(b, 2);
	for (uint32_t i = 0; i < TEMPLATES_EACH; i++)
		build_definition(b,
		    (uint16_t)(256 + (first + i) % TEMPLATE_IDS), shortest,
		    FIELDS(shortest));
}

static void
build_domains(struct build *b, uint32_t n)
{
	build_ipfix(b, n, 0);
	build_template(b, 256, shortest, FIELDS(shortest));
}

static void
build_pens(struct build *b, uint32_t n)
{
	build_ipfix(b, 0, 0);
	build_set(b, 2);
	for (uint32_t i = 0; i < PENS_EACH; i += 100) {
		build_u16(b, (uint16_t)(256 + i / 100));
		build_u16(b, 100);
		for (uint32_t k = 0; k < 100; k++) {
			build_u16(b, (uint16_t)(0x8000 | k));
			build_u16(b, 1);
			build_u32(b, n * PENS_EACH + i + k + 60000);
		}
	}
}

static void
build_churn(struct build *b, uint32_t n)
{
	build_netflow9(b, 0, n);
	build_set(b, 0);
	for (uint32_t i = 0; i < CHURN_EACH; i++) {
		build_u16(b, (uint16_t)(256 + i));
		build_u16(b, CHURN_FIELDS);
		for (uint32_t k = 0; k < CHURN_FIELDS; k++) {
			build_u16(b, (uint16_t)(1 + (n + i + 7 * k) % 400));
			build_u16(b, 1);
		}
	}
}

static void
build_usual(struct build *b, uint32_t domain, uint32_t n, bool with_template)
{
	char host[sizeof("192.0.2.255")];
	uint16_t port = (uint16_t)(1000 + n % PORTS_A_HOST);

	snprintf(host, sizeof(host), "192.0.2.%u",
	    (1 + n / PORTS_A_HOST) & 0xff);
	build_netflow9(b, domain, n);
	if (with_template)
		build_template(b, 256, build_usual_fields, 10);
	build_set(b, 256);
	build_usual_record(b, "198.51.100.7", 40000, host, port, 0x1b, 5);
	build_usual_record(b, host, port, "198.51.100.7", 40000, 0x1b, 5);
}

static void
build_forged(struct build *b, uint32_t n)
{
	build_usual(b, n, 0, true);
}

static void
build_sound(struct build *b, uint32_t n)
{
	build_usual(b, 7, n, n % 10 == 0);
}

static void
build_syns(struct build *b, uint32_t n)
{
	build_netflow5(b, n * SYNS_EACH, SYNS_EACH);
	for (uint32_t i = n * SYNS_EACH; i < (n + 1) * SYNS_EACH; i++) {
		uint32_t mixed = i * 2654435761U; /* Knuth's: a permutation */

		build_u32(b, 0x0b000000 | (mixed & 0xffffff));
		build_u32(b, 0xc0000200 | (i & 0xff));
		build_u32(b, 0);
		build_u16(b, 1);
		build_u16(b, 2);
		build_u32(b, 1);
		build_u32(b, 60);
		build_u32(b, BUILD_UPTIME_MS - 10);
		build_u32(b, BUILD_UPTIME_MS - 10);
		build_u16(b, (uint16_t)(1024 + mixed % 60000));
		build_u16(b, (uint16_t)(i >> 8));
		build_u8(b, 0);
		build_u8(b, 0x02);
		build_u8(b, 6);
		build_zeros(b, 9);
	}
}

static const struct kind {
	const char *name;
	void (*build)(struct build *b, uint32_t n);
	uint32_t source;
} kinds[] = {
	{ "templates", build_templates, ATTACKER },
	{ "domains", build_domains, ATTACKER },
	{ "pens", build_pens, ATTACKER },
	{ "churn", build_churn, ATTACKER },
	{ "exporters", build_forged, FORGED },
	{ "syn", build_syns, ATTACKER },
	{ "sound", build_sound, SOUND },
};

/* --- sending --- */

static int
open_from(uint32_t source, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(source) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("socket");
		exit(1);
	}
	return fd;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static volatile sig_atomic_t enough;

static void
stop(int number)
{
	(void)number;
	enough = 1;
}

/* Waits until datagram n is due. */
static void
pace(int64_t start_ns, uint32_t n, uint32_t rate)
{
	int64_t ahead = start_ns + n * NS_PER_S / rate - now_ns();

	if (ahead > AHEAD_NS)
		(void)nanosleep(&(struct timespec){ ahead / NS_PER_S,
				    ahead % NS_PER_S },
		    NULL);
}

static uint32_t
flood(const struct kind *kind, uint16_t port, uint32_t count, uint32_t rate)
{
	static struct build b;
	int64_t start_ns = now_ns();
	uint32_t sent = 0;
	int fd = kind->source == FORGED ? -1 : open_from(kind->source, port);

	for (uint32_t n = 0; n < count && !enough; n++) {
		if (kind->source == FORGED) {
			if (fd >= 0)
				(void)close(fd);
			fd = open_from(FORGED + 1 + n % FORGED_COUNT, port);
		}
		kind->build(&b, n);
		build_done(&b);
		set_time(&b);
		sent += send(fd, b.octets, b.length, 0) == (ssize_t)b.length;
		pace(start_ns, n + 1, rate);
	}
	(void)close(fd);
	return sent;
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: %s KIND PORT DATAGRAMS RATE\n",
		    argv[0]);
		return 2;
	}
	(void)signal(SIGINT, stop);
	for (size_t i = 0; i < FIELDS(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0) {
			printf("%u\n",
			    flood(&kinds[i],
				(uint16_t)strtoul(argv[2], NULL, 10),
				(uint32_t)strtoul(argv[3], NULL, 10),
				(uint32_t)strtoul(argv[4], NULL, 10)));
			return 0;
		}
	fprintf(stderr, "no kind is called %s\n", argv[1]);
	return 2;
}
