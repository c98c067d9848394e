/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses inside. */
#include <arpa/inet.h>
#include <string.h>

#include "exposure/scope.h"

/* RFC 4291, 2.5.5.2: an IPv4 prefix of a mapped address begins here. */
#define V4_BITS 96

static uint64_t
load(const uint8_t *at, int octets)
{
	uint64_t word = 0;

	for (int i = 0; i < octets; i++)
		word = word << 8 | at[i];
	return word;
}

static uint32_t
v4_of(const struct addr *a)
{
	uint32_t v4;

	memcpy(&v4, a->octets + 12, sizeof(v4));
	return ntohl(v4);
}

static bool
is_less(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
}

/* Prefixes nest or are apart: one that is inside another adds nothing, and
 * takes the place of those inside it. */
static void
add_v4(struct scope *s, uint32_t low, uint32_t high)
{
	uint32_t kept = 0;
	uint32_t at;

	for (uint32_t i = 0; i < s->v4_count; i++)
		if (s->v4[i].low <= low && high <= s->v4[i].high)
			return;
	for (uint32_t i = 0; i < s->v4_count; i++)
		if (s->v4[i].low < low || s->v4[i].high > high)
			s->v4[kept++] = s->v4[i];
	for (at = kept; at > 0 && s->v4[at - 1].low > low; at--)
		s->v4[at] = s->v4[at - 1];
	s->v4[at] = (struct scope_range_v4){ low, high };
	s->v4_count = kept + 1;
}

static void
add_v6(struct scope *s, const struct scope_range_v6 *new)
{
	uint32_t kept = 0;
	uint32_t at;

	for (uint32_t i = 0; i < s->v6_count; i++)
		if (!is_less(new->low, s->v6[i].low) &&
		    !is_less(s->v6[i].high, new->high))
			return;
	for (uint32_t i = 0; i < s->v6_count; i++)
		if (is_less(s->v6[i].low, new->low) ||
		    is_less(new->high, s->v6[i].high))
			s->v6[kept++] = s->v6[i];
	for (at = kept; at > 0 && is_less(new->low, s->v6[at - 1].low); at--)
		s->v6[at] = s->v6[at - 1];
	s->v6[at] = *new;
	s->v6_count = kept + 1;
}

void
scope_init(struct scope *s, const struct prefix_set *set)
{
	struct addr v4_low = addr_from_v4((const uint8_t[4]){ 0, 0, 0, 0 });

	s->v4_count = s->v6_count = 0;
	for (uint32_t i = 0; i < set->count; i++) {
		const struct prefix *p = &set->networks[i].prefix;
		struct scope_range_v6 range = {
			{ load(p->low.octets, 8), load(p->low.octets + 8, 8) },
			{ load(p->high.octets, 8), load(p->high.octets + 8, 8) }
		};

		if (addr_is_v4(&p->low) && p->length >= V4_BITS)
			add_v4(s, v4_of(&p->low), v4_of(&p->high));
		else if (prefix_contains(p, &v4_low))
			add_v4(s, 0, UINT32_MAX); /* ::/0 and the like */
		if (!(addr_is_v4(&p->low) && p->length >= V4_BITS))
			add_v6(s, &range);
	}
}

bool
scope_has(const struct scope *s, const struct addr *a)
{
	uint64_t v6[2];
	uint32_t first = 0;
	uint32_t behind;

	/* the last range that begins at or before it */
	if (addr_is_v4(a)) {
		uint32_t v4 = v4_of(a);

		behind = s->v4_count;
		while (first < behind) {
			uint32_t middle = (first + behind) / 2;

			if (s->v4[middle].low <= v4)
				first = middle + 1;
			else
				behind = middle;
		}
		return first != 0 && v4 <= s->v4[first - 1].high;
	}
	v6[0] = load(a->octets, 8);
	v6[1] = load(a->octets + 8, 8);
	behind = s->v6_count;
	while (first < behind) {
		uint32_t middle = (first + behind) / 2;

		if (!is_less(v6, s->v6[middle].low))
			first = middle + 1;
		else
			behind = middle;
	}
	return first != 0 && !is_less(s->v6[first - 1].high, v6);
}
