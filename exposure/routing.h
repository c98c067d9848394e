/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing domains: networks that use the same private addresses, told apart
 * by a tag in the internal IPv4 addresses of their records (addr.h).
 *
 * Rules give a tag to all records of some exporters, or to those of one VRF
 * of theirs; which rules hold for an exporter is told once, when it gets its
 * number. IPv6 has no tag: its private addresses are unique (RFC 4193).
 *
 * The VRF of an end is the one its packets come in by, IE 234 ingressVRFID.
 * Of the end they go to, a record knows it when it is half of a biflow: from
 * the other half. Alone, it is taken to be in the same VRF: where addresses
 * overlap, it is the one a router looks the destination up in.
 *
 * Bounded: ROUTING_RULES_MAX rules, allocated once.
 */
#ifndef EXPOSURE_ROUTING_H
#define EXPOSURE_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/flow.h"

#define ROUTING_RULES_MAX     512
#define ROUTING_EXPORTERS_MAX 65536

struct routing_rule {
	uint32_t vrf; /* 0: any, and records that tell none */
	uint16_t tag; /* never 0 */
};

/* Sorted by VRF; of those that hold for an exporter the first one counts,
 * one with the record's VRF before one for any. */
struct routing_rules {
	uint32_t count;
	struct routing_rule rules[ROUTING_RULES_MAX];
};

/* Which rules hold for an exporter: a bit each, bit i % 64 of word i / 64. */
struct routing_match {
	uint64_t rules[ROUTING_RULES_MAX / 64];
};

struct routing;

/* owned: routing_free(). The rules are copied; there is one at least. NULL:
 * no memory. */
struct routing *routing_new(const struct routing_rules *rules);
void routing_free(struct routing *r); /* takes NULL */

/* What routing_new() allocates; 0 without rules: it is not called. */
size_t routing_bytes(const struct routing_rules *rules);

/* Which rules hold for an exporter's number; of none that was never named.
 * A number out of range is ignored. */
void routing_name_exporter(struct routing *r, uint32_t number,
    const struct routing_match *match);

/* The tag of an end of an exporter's record in this VRF; 0: none. */
uint16_t routing_tag(const struct routing *r, uint32_t exporter, uint32_t vrf);

/*
 * The record with the tags of its internal ends: f itself when there are
 * none, else out. other is the other half of the same biflow, or NULL.
 */
const struct flow_record *routing_apply(const struct routing *r,
    const struct flow_record *f, const struct flow_record *other,
    bool src_inside, bool dst_inside, struct flow_record *out);

#endif
