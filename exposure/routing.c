/* SPDX-License-Identifier: Apache-2.0 */
/* Which tag the internal addresses of a record get. */
#include <assert.h>
#include <stdlib.h>

#include "exposure/routing.h"

#define WORD_BITS 64

struct exporter {
	uint16_t tag; /* of no VRF in particular */
	bool by_vrf;  /* rules with a VRF hold for it */
};

struct routing {
	struct routing_rules rules;
	uint32_t words;	   /* of bits, for each exporter */
	uint64_t *matches; /* of each exporter, which rules hold */
	struct exporter exporters[ROUTING_EXPORTERS_MAX];
};

static uint32_t
words_of(const struct routing_rules *rules)
{
	return (rules->count + WORD_BITS - 1) / WORD_BITS;
}

struct routing *
routing_new(const struct routing_rules *rules)
{
	struct routing *r = calloc(1, sizeof(*r));

	assert(rules->count >= 1 && rules->count <= ROUTING_RULES_MAX);
	if (r == NULL)
		return NULL;
	r->rules = *rules;
	r->words = words_of(rules);
	r->matches = calloc((size_t)r->words * ROUTING_EXPORTERS_MAX,
	    sizeof(*r->matches));
	if (r->matches == NULL) {
		routing_free(r);
		return NULL;
	}
	return r;
}

void
routing_free(struct routing *r)
{
	if (r == NULL)
		return;
	free(r->matches);
	free(r);
}

size_t
routing_bytes(const struct routing_rules *rules)
{
	if (rules->count == 0)
		return 0;
	return sizeof(struct routing) + (size_t)words_of(rules) *
					    ROUTING_EXPORTERS_MAX *
					    sizeof(uint64_t);
}

/* The first rule of this VRF or a higher one. */
static uint32_t
first_of(const struct routing *r, uint64_t vrf)
{
	uint32_t low = 0;
	uint32_t high = r->rules.count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (r->rules.rules[middle].vrf < vrf)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The tag of the first rule for this VRF that holds; 0: none does. */
static uint16_t
find(const struct routing *r, uint32_t exporter, uint32_t vrf)
{
	const uint64_t *match = &r->matches[(size_t)exporter * r->words];
	uint32_t behind = first_of(r, (uint64_t)vrf + 1);
	uint32_t at = first_of(r, vrf);

	while (at < behind) {
		uint64_t rest = match[at / WORD_BITS] >> at % WORD_BITS;

		if (rest != 0) {
			at += (uint32_t)__builtin_ctzll(rest);
			return at < behind ? r->rules.rules[at].tag : 0;
		}
		at += WORD_BITS - at % WORD_BITS;
	}
	return 0;
}

void
routing_name_exporter(struct routing *r, uint32_t number,
    const struct routing_match *match)
{
	uint32_t behind = first_of(r, 1);
	uint64_t *own;

	if (number >= ROUTING_EXPORTERS_MAX)
		return;
	own = &r->matches[(size_t)number * r->words];
	for (uint32_t i = 0; i < r->words; i++)
		own[i] = match->rules[i];
	r->exporters[number].tag = find(r, number, 0);
	r->exporters[number].by_vrf = false;
	for (uint32_t i = behind; i < r->rules.count; i++)
		if ((own[i / WORD_BITS] >> i % WORD_BITS & 1) != 0)
			r->exporters[number].by_vrf = true;
}

uint16_t
routing_tag(const struct routing *r, uint32_t exporter, uint32_t vrf)
{
	uint16_t tag = 0;

	if (exporter >= ROUTING_EXPORTERS_MAX)
		return 0;
	if (vrf != 0 && r->exporters[exporter].by_vrf)
		tag = find(r, exporter, vrf);
	return tag != 0 ? tag : r->exporters[exporter].tag;
}

const struct flow_record *
routing_apply(const struct routing *r, const struct flow_record *f,
    const struct flow_record *other, bool src_inside, bool dst_inside,
    struct flow_record *out)
{
	uint32_t there = other != NULL ? other->ingress_vrf : 0;
	uint32_t src_vrf = f->ingress_vrf != 0 ? f->ingress_vrf : there;
	uint32_t dst_vrf = there != 0 ? there : f->ingress_vrf;
	uint16_t src_tag = 0;
	uint16_t dst_tag = 0;

	if (src_inside && addr_is_v4(&f->src))
		src_tag = routing_tag(r, f->exporter, src_vrf);
	if (dst_inside && addr_is_v4(&f->dst))
		dst_tag = routing_tag(r, f->exporter, dst_vrf);
	if (src_tag == 0 && dst_tag == 0)
		return f;
	*out = *f;
	if (src_tag != 0)
		out->src = addr_with_tag(&f->src, src_tag);
	if (dst_tag != 0)
		out->dst = addr_with_tag(&f->dst, dst_tag);
	return out;
}
