/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses are internal: asked twice of every record.
 *
 * The networks of a prefix set as sorted ranges that neither touch nor
 * overlap, IPv4 apart from IPv6: a few comparisons of words. Which network an
 * address belongs to, and its label, the prefix set knows.
 */
#ifndef EXPOSURE_SCOPE_H
#define EXPOSURE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

struct scope_range_v4 {
	uint32_t low, high; /* host order */
};

struct scope_range_v6 {
	uint64_t low[2], high[2]; /* host order, the upper half first */
};

struct scope {
	uint32_t v4_count;
	uint32_t v6_count;
	struct scope_range_v4 v4[PREFIX_SET_MAX];
	struct scope_range_v6 v6[PREFIX_SET_MAX];
};

void scope_init(struct scope *s, const struct prefix_set *set);

bool scope_has(const struct scope *s, const struct addr *a);

#endif
