/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exporter: conversations in, export datagrams out, in one protocol.
 *
 * v9 and IPFIX have three layouts, each with a template for IPv4 and one for
 * IPv6: plain (10 fields), wide (19 fields), and variable (IPFIX only: plain
 * and an interface name of variable length). A datagram holds records of
 * one layout. Every datagram holds at least one record.
 */
#ifndef BENCH_ENCODE_H
#define BENCH_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "bench/random.h"
#include "bench/traffic.h"

#define ENCODE_RECORDS_MAX 60	/* of v9 and IPFIX; */
#define ENCODE_V5_MAX	   30	/* as Cisco has it */
#define ENCODE_OCTETS_MAX  9216 /* room for 60 of the largest, and templates */

enum layout { LAYOUT_PLAIN, LAYOUT_WIDE, LAYOUT_VARIABLE, LAYOUT_COUNT };

struct encode_config {
	uint32_t records_min; /* a datagram; 1 <= min <= max */
	uint32_t records_max;
	uint32_t template_every; /* so many datagrams, and in the first */
	uint32_t options_every;	 /* 0: never */
	uint32_t weight[LAYOUT_COUNT];
};

struct encoder {
	const struct encode_config *config; /* borrowed */
	struct traffic *traffic;	    /* borrowed */
	struct random random;
	struct traffic_record carry; /* the half that had no room */
	int64_t boot_ms;	     /* a day before the first export */
	uint32_t version;	     /* 5, 9, 10 */
	uint32_t domain;
	uint32_t sequence;
	uint32_t datagrams;
	bool has_carry;
};

struct encoded {
	size_t length;
	uint32_t records; /* data records */
	uint32_t options; /* options data records */
	uint32_t units;	  /* by how much it moves the sequence number */
	bool has_templates;
	uint8_t octets[ENCODE_OCTETS_MAX];
};

/* version: 5, 9 or 10. The weights of the layouts must not all be 0. */
void encode_init(struct encoder *e, const struct encode_config *config,
    struct traffic *traffic, uint32_t version, uint32_t domain,
    uint32_t sequence, uint64_t seed);

/* now_ms: Unix time; the export time of the header. */
void encode_next(struct encoder *e, int64_t now_ms, struct encoded *out);

#endif
