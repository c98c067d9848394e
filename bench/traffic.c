/* SPDX-License-Identifier: Apache-2.0 */
/* The conversations. */
#include <stdlib.h>
#include <string.h>

#include "bench/traffic.h"

#define TCP 6
#define UDP 17

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

#define SERVICES_A_HOST 4
#define LONGEST_MS	900 /* of a conversation */
#define ANSWER_MS	1   /* after the opener's first packet */

struct traffic {
	struct traffic_config config;
	struct random random;
	struct traffic_counts counts;
	uint8_t answered[2][TRAFFIC_SERVICES_MAX / 8]; /* by family */
};

/* Where an address is from; the values are those of the IPv6 prefixes. */
enum place {
	PLACE_INTERNAL = 0xa,
	PLACE_CLIENT = 0xc,
	PLACE_SCANNER = 0x5,
	PLACE_FORGED = 0xf,
};

struct traffic *
traffic_new(const struct traffic_config *config)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->config = *config;
	if (t->config.services > TRAFFIC_SERVICES_MAX)
		t->config.services = TRAFFIC_SERVICES_MAX;
	t->random = random_seeded(config->seed);
	return t;
}

void
traffic_free(struct traffic *t)
{
	free(t);
}

static void
put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t
ipv4_of(enum place place, uint32_t number)
{
	switch (place) {
	case PLACE_INTERNAL:
		return 0x0a140000U + (number & 0xffff);
	case PLACE_CLIENT:
		return 0xc6120000U + (number & 0x1ffff);
	case PLACE_SCANNER:
		return 0x64400000U + (number & 0x3fffff);
	case PLACE_FORGED:
		break;
	}
	return 0x01000000U + number % 0x09000000U;
}

static void
set_address(uint8_t out[16], bool is_ipv6, enum place place, uint32_t number)
{
	static const uint8_t documentation[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (!is_ipv6) {
		put_u32(out, ipv4_of(place, number));
		return;
	}
	memset(out, 0, 16);
	memcpy(out, documentation, sizeof(documentation));
	out[5] = (uint8_t)place;
	put_u32(out + 12, number);
}

/* The opener's half, ports and addresses; the rest is zero. */
static void
start_conversation(struct traffic_record *r, bool is_ipv6, enum place place,
    uint32_t source, uint16_t src_port, uint32_t host, uint16_t dst_port)
{
	memset(r, 0, sizeof(*r));
	r->is_ipv6 = is_ipv6;
	r->protocol = TCP;
	r->src_port = src_port;
	r->dst_port = dst_port;
	r->packets = 1;
	r->octets = 60;
	set_address(r->src, is_ipv6, place, source);
	set_address(r->dst, is_ipv6, PLACE_INTERNAL, host);
}

/* The other half of a, alike but for the direction. */
static void
turn(const struct traffic_record *a, struct traffic_record *out)
{
	*out = *a;
	memcpy(out->src, a->dst, sizeof(out->src));
	memcpy(out->dst, a->src, sizeof(out->dst));
	out->src_port = a->dst_port;
	out->dst_port = a->src_port;
}

static uint16_t
ephemeral_port(struct random *r)
{
	return (uint16_t)(32768 + random_below(r, 28232));
}

/* A port where nothing answers. */
static uint16_t
dark_port(struct random *r)
{
	return (uint16_t)(1024 + random_below(r, 64512));
}

static uint32_t
some_host(struct traffic *t)
{
	return random_below(&t->random, t->config.services) / SERVICES_A_HOST;
}

static unsigned
spoofed_syn(struct traffic *t, bool is_ipv6, struct traffic_record *out)
{
	start_conversation(out, is_ipv6, PLACE_FORGED, random_u32(&t->random),
	    ephemeral_port(&t->random), some_host(t), dark_port(&t->random));
	out->flags = SYN;
	t->counts.spoofed++;
	return 1;
}

/* A probe; every fourth one meets a host that refuses. */
static unsigned
scan(struct traffic *t, bool is_ipv6, struct traffic_record *out)
{
	uint32_t host = some_host(t);

	start_conversation(out, is_ipv6, PLACE_SCANNER,
	    random_below(&t->random, t->config.scanners),
	    ephemeral_port(&t->random), host, dark_port(&t->random));
	out->flags = SYN;
	t->counts.scans++;
	if (host % 4 != 3)
		return 1;
	turn(&out[0], &out[1]);
	out[1].flags = RST | ACK;
	return 2;
}

static void
note_answer(struct traffic *t, bool is_ipv6, uint32_t service)
{
	uint8_t *octet = &t->answered[is_ipv6][service / 8];
	uint8_t bit = (uint8_t)(1U << (service % 8));

	t->counts.answered++;
	if ((*octet & bit) == 0)
		t->counts.exposures++;
	*octet |= bit;
}

/* A client and a service; the fourth service of a host is the name server. */
static unsigned
serve(struct traffic *t, bool is_ipv6, struct traffic_record *out)
{
	static const uint16_t ports[SERVICES_A_HOST] = { 22, 80, 443, 53 };
	struct random *r = &t->random;
	uint32_t service = random_below(r, t->config.services);
	uint16_t port = ports[service % SERVICES_A_HOST];
	bool is_fresh = random_happens(r, t->config.fresh);
	uint32_t client = random_below(r, t->config.clients);
	/* what goes on has one port a client, so that it is one thing */
	uint16_t src_port =
	    is_fresh ? ephemeral_port(r) : (uint16_t)(61000 + client % 4000);

	start_conversation(out, is_ipv6, PLACE_CLIENT, client, src_port,
	    service / SERVICES_A_HOST, port);
	out->start_ago_ms = 2 + random_below(r, LONGEST_MS);
	out->packets = 3 + random_below(r, 20);
	out->octets = out->packets * 120;
	if (port == 53)
		out->protocol = UDP;
	else
		out->flags = is_fresh ? SYN | ACK | PSH | FIN : ACK | PSH;
	turn(&out[0], &out[1]);
	out[1].octets = out->packets * 900;
	if (!t->config.shared_times)
		out[1].start_ago_ms -= ANSWER_MS;
	if (is_fresh || port == 53) /* UDP has no middle */
		note_answer(t, is_ipv6, service);
	else
		t->counts.ongoing++;
	return 2;
}

unsigned
traffic_next(struct traffic *t, bool only_ipv4,
    struct traffic_record out[TRAFFIC_HALVES_MAX])
{
	bool is_ipv6 = random_happens(&t->random, t->config.ipv6) && !only_ipv4;
	double kind = (double)random_u32(&t->random) / 4294967296.0;

	if (kind < t->config.spoofed)
		return spoofed_syn(t, is_ipv6, out);
	if (kind < t->config.spoofed + t->config.scans)
		return scan(t, is_ipv6, out);
	return serve(t, is_ipv6, out);
}

struct traffic_counts
traffic_counts(const struct traffic *t)
{
	struct traffic_counts counts = t->counts;

	counts.attempts = counts.answered + counts.scans + counts.spoofed;
	return counts;
}
