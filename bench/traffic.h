/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who talks with whom: conversations at the border of one network, seeded.
 *
 * Internal: 10.20.0.0/16 and 2001:db8:a::/48, four services a host, all on
 * ports below 1024. Outside: clients in 198.18.0.0/15 and 2001:db8:c::/48,
 * scanners in 100.64.0.0/10 and 2001:db8:5::/48, forged sources in
 * 1.0.0.0 to 9.255.255.255 and 2001:db8:f::/48. Scans and forged SYNs go to
 * ports from 1024 up, where nothing answers.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/random.h"

#define TRAFFIC_SERVICES_MAX 262144 /* 65,536 hosts of four */
#define TRAFFIC_HALVES_MAX   2

struct traffic_config {
	uint64_t seed;
	uint32_t clients; /* all counts are at least 1 */
	uint32_t services;
	uint32_t scanners;
	double fresh;	   /* share of conversations with services that are new;
			    * the others go on in the middle */
	double scans;	   /* share of all conversations */
	double spoofed;	   /* share of all: SYNs from forged addresses */
	double ipv6;	   /* share of all */
	bool shared_times; /* both halves carry the same times */
};

/* One half of a conversation. */
struct traffic_record {
	uint8_t src[16]; /* IPv4: the first four octets */
	uint8_t dst[16];
	bool is_ipv6;
	uint8_t protocol;
	uint8_t flags;
	uint16_t src_port;
	uint16_t dst_port;
	uint32_t packets;
	uint32_t octets;
	uint32_t start_ago_ms; /* before the export */
	uint32_t end_ago_ms;
};

struct traffic_counts {
	uint64_t attempts; /* new conversations: those of the next three */
	uint64_t answered; /* by a service */
	uint64_t scans;
	uint64_t spoofed;
	uint64_t ongoing;   /* records from the middle, in conversations */
	uint64_t exposures; /* services, by address, that ever answered */
};

struct traffic;

/* owned: traffic_free(). NULL: no memory. */
struct traffic *traffic_new(const struct traffic_config *config);
void traffic_free(struct traffic *t); /* takes NULL */

/* The next conversation: its halves, 1 or 2, the opener's first. */
unsigned traffic_next(struct traffic *t, bool only_ipv4,
    struct traffic_record out[TRAFFIC_HALVES_MAX]);

struct traffic_counts traffic_counts(const struct traffic *t);

#endif
