/* SPDX-License-Identifier: Apache-2.0 */
/* The index's memory, and what changes it. */
#include <assert.h>

#include "common/index.h"
#include "common/pages.h"

/* Places taken of INDEX_PLACES when the table is full: 33 in 4 chunks. */
#define FULL_ENTRIES 33
#define FULL_CHUNKS  4

#define LINE_OCTETS 64

_Static_assert(sizeof(struct index_chunk) == LINE_OCTETS,
    "a chunk is a cache line");

static bool
is_prime(uint32_t n)
{
	for (uint32_t i = 2; (uint64_t)i * i <= n; i++)
		if (n % i == 0)
			return false;
	return true;
}

static uint32_t
chunk_count(uint32_t max)
{
	uint64_t least = (uint64_t)max * FULL_CHUNKS / FULL_ENTRIES + 1;
	uint32_t count = (uint32_t)least;

	while (!is_prime(count))
		count++;
	return count;
}

size_t
index_bytes(uint32_t max)
{
	return (size_t)chunk_count(max) * sizeof(struct index_chunk);
}

bool
index_init(struct index *ix, uint32_t max)
{
	ix->count = chunk_count(max);
	ix->chunks = pages_new(index_bytes(max));
	return ix->chunks != NULL;
}

void
index_free(struct index *ix)
{
	pages_free(ix->chunks, ix->count * sizeof(struct index_chunk));
	ix->chunks = NULL;
}

static void
set_passed(struct index_chunk *c, int by)
{
	if (c->passed != UINT16_MAX)
		c->passed = (uint16_t)(c->passed + by);
}

void
index_insert(struct index *ix, uint64_t hash, uint32_t slot)
{
	uint32_t at = index_home(ix, hash);

	for (uint32_t looked = 0; looked < ix->count; looked++) {
		struct index_chunk *c = &ix->chunks[at];
		uint64_t empty = index_matches(c, 0);

		if (empty != 0) {
			unsigned place = index_place(empty);

			c->tags[place] = index_tag(hash);
			c->slots[place] = slot;
			return;
		}
		set_passed(c, 1);
		at = index_next(ix, at, hash);
	}
	assert(false); /* fuller than full */
}

/* The place of this slot in a chunk, or INDEX_PLACES. */
static unsigned
place_of(const struct index_chunk *c, uint8_t tag, uint32_t slot)
{
	uint64_t matches = index_matches(c, tag);

	for (; matches != 0; matches &= matches - 1)
		if (c->slots[index_place(matches)] == slot)
			return index_place(matches);
	return INDEX_PLACES;
}

void
index_remove(struct index *ix, uint64_t hash, uint32_t slot)
{
	uint32_t at = index_home(ix, hash);

	for (uint32_t looked = 0; looked < ix->count; looked++) {
		struct index_chunk *c = &ix->chunks[at];
		unsigned place = place_of(c, index_tag(hash), slot);

		if (place != INDEX_PLACES) {
			c->tags[place] = 0;
			return;
		}
		set_passed(c, -1);
		at = index_next(ix, at, hash);
	}
	assert(false); /* it was never there */
}
