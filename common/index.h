/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a hash table: from a hash to slot numbers, a cache line a
 * look-up.
 *
 * Shape: chunks of one cache line; in each 12 places, a place being 8 bits of
 * the hash (its tag) and a slot number, and a count of the entries that found
 * this chunk full and went to the next. A look-up compares 12 tags at once
 * and asks the owner about those that are equal; it ends at a chunk that was
 * never full. The layout is that of F14 (Bronson, Shi: "Open-sourcing F14",
 * 2019). Deletion leaves no trace, but for a count that once reached its
 * maximum.
 * 8.25 of 12 places are taken when the table is full: 7.8 octets an entry. Who
 * finds a chunk full goes on by a step that its hash says, not to the next,
 * which is full because of its neighbour; the chunks are a prime number, so
 * that any step comes to all of them. In a full table whose entries come and
 * go that is 1.4 lines for a key that is not there, and 1.1 for one that is
 * (simulated; tests/test_index.c counts the first). With steps of one, the
 * first would be 1.8.
 * The owner keeps the entries and their keys, and gives the same hash each
 * time; the upper half of it says where, the lower 8 bits are the tag.
 */
#ifndef COMMON_INDEX_H
#define COMMON_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INDEX_NONE   UINT32_MAX /* no slot */
#define INDEX_PLACES 12

struct index_chunk {
	uint8_t tags[INDEX_PLACES]; /* 0: the place is empty */
	uint16_t zero;
	uint16_t passed; /* entries that went on from here; sticks at most */
	uint32_t slots[INDEX_PLACES];
};

struct index {
	struct index_chunk *chunks; /* owned */
	uint32_t count;
};

/* Room for max entries. owned: index_free(). False: no memory. */
bool index_init(struct index *ix, uint32_t max);
void index_free(struct index *ix); /* takes a zeroed one */
size_t index_bytes(uint32_t max);

/* The entry of slot has the key that is looked for. */
typedef bool (*index_is_fn)(const void *owner, uint32_t slot, const void *key);

static inline uint32_t
index_home(const struct index *ix, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * ix->count >> 32);
}

static inline uint8_t
index_tag(uint64_t hash)
{
	uint8_t tag = (uint8_t)hash;

	return tag != 0 ? tag : 1;
}

/* From 1 to the number of chunks less one; where there is one, it is 1. */
static inline uint32_t
index_step(const struct index *ix, uint64_t hash)
{
	uint64_t bits = hash >> 8 & 0xffffff; /* neither in tag nor in home */

	return 1 + (uint32_t)(bits * (ix->count - 1) >> 24);
}

static inline uint32_t
index_next(const struct index *ix, uint32_t at, uint64_t hash)
{
	uint64_t next = (uint64_t)at + index_step(ix, hash);

	return (uint32_t)(next < ix->count ? next : next - ix->count);
}

/* The tags as two little-endian words; the second has four of them. */
static inline uint64_t
index_word(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* Bit 7 of each octet that equals tag. */
static inline uint64_t
index_equal(uint64_t word, uint8_t tag)
{
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t x = word ^ tag * UINT64_C(0x0101010101010101);

	return ~(((x & low7) + low7) | x | low7);
}

/* A bit for each place with this tag: bit 7 of octet i is place i, and the
 * upper four are in bits 3 of octets 0 to 3. */
static inline uint64_t
index_matches(const struct index_chunk *c, uint8_t tag)
{
	uint64_t low = index_equal(index_word(c->tags), tag);
	uint64_t high = index_equal(index_word(c->tags + 8), tag);

	return low | (high & UINT32_MAX) >> 4;
}

/* The place of the lowest bit. */
static inline unsigned
index_place(uint64_t matches)
{
	unsigned bit = (unsigned)__builtin_ctzll(matches);

	return bit / 8 + ((bit & 7) == 3 ? 8 : 0);
}

/* The slot whose entry has key, or INDEX_NONE. */
static inline uint32_t
index_find(const struct index *ix, uint64_t hash, index_is_fn is,
    const void *owner, const void *key)
{
	uint32_t at = index_home(ix, hash);
	uint8_t tag = index_tag(hash);

	for (uint32_t looked = 0; looked < ix->count; looked++) {
		const struct index_chunk *c = &ix->chunks[at];
		uint64_t matches = index_matches(c, tag);

		for (; matches != 0; matches &= matches - 1) {
			uint32_t slot = c->slots[index_place(matches)];

			if (is(owner, slot, key))
				return slot;
		}
		if (c->passed == 0)
			break;
		at = index_next(ix, at, hash);
	}
	return INDEX_NONE;
}

/* What index_find() will read first: to be called some records ahead. */
static inline void
index_prefetch(const struct index *ix, uint64_t hash)
{
	__builtin_prefetch(&ix->chunks[index_home(ix, hash)]);
}

/* A slot that may have this hash's key, or INDEX_NONE: to be prefetched. */
static inline uint32_t
index_guess(const struct index *ix, uint64_t hash)
{
	const struct index_chunk *c = &ix->chunks[index_home(ix, hash)];
	uint64_t matches = index_matches(c, index_tag(hash));

	return matches == 0 ? INDEX_NONE : c->slots[index_place(matches)];
}

/* Before: the index holds fewer than max entries, none of this slot. */
void index_insert(struct index *ix, uint64_t hash, uint32_t slot);

/* Before: the index holds it, under this hash. */
void index_remove(struct index *ix, uint64_t hash, uint32_t slot);

#endif
