/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many unanswered attempts wait at each internal endpoint, so that a
 * flood of forged sources at one port can be told while the conversations'
 * table is nearly full.
 *
 * An array of counters of fixed size, found by a keyed hash of the endpoint,
 * and no keys in it; who enters and leaves counts. Endpoints that share a
 * counter share its limit: it can only be stricter than FLOOD_MAX. It is never
 * full.
 */
#ifndef EXPOSURE_FLOODS_H
#define EXPOSURE_FLOODS_H

#include <stdint.h>

#include "common/hash.h"

#define FLOOD_MAX      4096 /* of an endpoint */
#define FLOOD_BITS     15
#define FLOOD_COUNTERS (1U << FLOOD_BITS)

struct floods {
	uint64_t multipliers[3]; /* odd */
	uint32_t waiting[FLOOD_COUNTERS];
};

/* Before: zeroed. */
static inline void
floods_init(struct floods *f, const struct hash_key *key)
{
	for (uint64_t i = 0; i < 3; i++)
		f->multipliers[i] = hash_for_table(key, &i, sizeof(i)) | 1;
}

/*
 * The counter of an endpoint; host is its address in two words, in any form
 * that is always the same. By multiplication and shift (Dietzfelbinger et al.
 * 1997), because it is asked twice for each conversation, and who would make
 * endpoints collide gains no more than a stricter limit.
 */
static inline uint32_t *
floods_at(struct floods *f, const uint64_t host[2], uint8_t proto,
    uint16_t port)
{
	uint64_t hash = host[0] * f->multipliers[0] +
			host[1] * f->multipliers[1] +
			((uint64_t)proto << 16 | port) * f->multipliers[2];

	return &f->waiting[hash >> (64 - FLOOD_BITS)];
}

#endif
