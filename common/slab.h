/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of one size, allocated at the start, named by slot numbers.
 *
 * A place that was given back is the next to be taken, so that only as much
 * memory is ever touched as was in use at once. When full: SLAB_NONE.
 */
#ifndef COMMON_SLAB_H
#define COMMON_SLAB_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/pages.h"

#define SLAB_NONE UINT32_MAX /* no slot */

struct slab {
	uint8_t *places; /* owned */
	size_t size;	 /* of a place */
	uint32_t max;
	uint32_t unused; /* from here on none was ever taken */
	uint32_t free;	 /* those given back, chained through them */
};

/* 4 <= size. owned: slab_free(). False: no memory. */
static inline bool
slab_init(struct slab *s, uint32_t max, size_t size)
{
	assert(size >= sizeof(uint32_t));
	*s = (struct slab){ .places = pages_new(max * size),
		.size = size,
		.max = max,
		.free = SLAB_NONE };
	return s->places != NULL;
}

static inline void
slab_free(struct slab *s)
{
	pages_free(s->places, s->max * s->size);
	s->places = NULL;
}

static inline void *
slab_at(const struct slab *s, uint32_t slot)
{
	return s->places + slot * s->size;
}

/* Zeroed. */
static inline uint32_t
slab_take(struct slab *s)
{
	uint32_t slot = s->free;
	uint8_t *place;

	if (slot == SLAB_NONE)
		return s->unused < s->max ? s->unused++ : SLAB_NONE;
	place = slab_at(s, slot);
	memcpy(&s->free, place, sizeof(s->free));
	memset(place, 0, s->size);
	return slot;
}

static inline void
slab_give(struct slab *s, uint32_t slot)
{
	memcpy(slab_at(s, slot), &s->free, sizeof(s->free));
	s->free = slot;
}

#endif
