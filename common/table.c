/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded, keyed hash table: a slab of entries under an index. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/index.h"
#include "common/pages.h"
#include "common/table.h"

#define LINE_OCTETS 64
#define FETCHED	    320 /* octets of an entry, at most */

struct table {
	uint8_t *slab;
	size_t stride;
	size_t key_size;
	size_t value_offset;
	/* stride = odd << shift; an exact division by odd is a product */
	uint64_t inverse;
	unsigned shift;
	uint32_t unused; /* slots from here on were never used */
	struct index index;
	struct hash_key key;
	uint32_t max;
	uint32_t count;
	uint32_t free_head; /* slots given back, chained through the slab */
};

static size_t
align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

size_t
table_bytes(uint32_t max, size_t key_size, size_t value_size)
{
	size_t stride = align8(align8(key_size) + value_size);

	return sizeof(struct table) + index_bytes(max) + max * stride;
}

/* Of an odd number, modulo 2^64: each step doubles the bits that are right
 * (Newton); an odd number is its own inverse in three bits. */
static uint64_t
inverse_of(uint64_t odd)
{
	uint64_t inverse = odd;

	for (int bits = 3; bits < 64; bits *= 2)
		inverse *= 2 - odd * inverse;
	return inverse;
}

struct table *
table_new(uint32_t max, size_t key_size, size_t value_size,
    const struct hash_key *key)
{
	struct table *t = calloc(1, sizeof(*t));

	assert(max >= 1 && max <= 1U << 30 && key_size >= 1);
	if (t == NULL)
		return NULL;
	t->max = max;
	t->free_head = TABLE_NONE;
	t->key_size = key_size;
	t->value_offset = align8(key_size);
	t->stride = align8(t->value_offset + value_size);
	t->shift = (unsigned)__builtin_ctzll(t->stride);
	t->inverse = inverse_of(t->stride >> t->shift);
	t->key = *key;
	t->slab = pages_new(max * t->stride);
	if (!index_init(&t->index, max) || t->slab == NULL) {
		table_free(t);
		return NULL;
	}
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	index_free(&t->index);
	pages_free(t->slab, t->max * t->stride);
	free(t);
}

static uint8_t *
entry_at(const struct table *t, uint32_t slot)
{
	return t->slab + slot * t->stride;
}

/* memcmp() by words: keys are short, and most that are compared are equal. */
static inline bool
has_key(const void *owner, uint32_t slot, const void *key)
{
	const struct table *t = owner;
	const uint8_t *a = entry_at(t, slot);
	const uint8_t *b = key;
	size_t left = t->key_size;

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
		uint64_t x, y;

		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		if (x != y)
			return false;
		a += sizeof(x);
		b += sizeof(y);
	}
	for (; left != 0; left--)
		if (*a++ != *b++)
			return false;
	return true;
}

uint64_t
table_hash(const struct table *t, const void *key)
{
	switch (t->key_size) { /* known to the compiler */
	case 16:
		return hash_for_table(&t->key, key, 16);
	case 20:
		return hash_for_table(&t->key, key, 20);
	default:
		return hash_for_table(&t->key, key, t->key_size);
	}
}

void
table_prefetch(const struct table *t, uint64_t hash)
{
	index_prefetch(&t->index, hash);
}

void
table_prefetch_entry(const struct table *t, uint64_t hash)
{
	uint32_t slot = index_guess(&t->index, hash);
	size_t lines = t->stride < FETCHED ? t->stride : FETCHED;

	if (slot == INDEX_NONE)
		return;
	for (size_t at = 0; at < lines; at += LINE_OCTETS)
		__builtin_prefetch(entry_at(t, slot) + at);
}

void *
table_find_hashed(const struct table *t, const void *key, uint64_t hash)
{
	uint32_t slot = index_find(&t->index, hash, has_key, t, key);

	return slot == INDEX_NONE ? NULL : entry_at(t, slot) + t->value_offset;
}

void *
table_find(const struct table *t, const void *key)
{
	return table_find_hashed(t, key, table_hash(t, key));
}

static uint32_t
take_slot(struct table *t)
{
	uint32_t slot = t->free_head;

	if (slot == TABLE_NONE)
		return t->unused++;
	memcpy(&t->free_head, entry_at(t, slot), sizeof(t->free_head));
	return slot;
}

void *
table_insert_hashed(struct table *t, const void *key, uint64_t hash)
{
	uint32_t slot;
	uint8_t *entry;

	if (t->count == t->max)
		return NULL;
	slot = take_slot(t);
	entry = entry_at(t, slot);
	memset(entry, 0, t->stride);
	memcpy(entry, key, t->key_size);
	index_insert(&t->index, hash, slot);
	t->count++;
	return entry + t->value_offset;
}

void *
table_insert(struct table *t, const void *key)
{
	return table_insert_hashed(t, key, table_hash(t, key));
}

void
table_remove(struct table *t, void *value)
{
	table_remove_hashed(t, value, table_hash(t, table_key(t, value)));
}

void
table_remove_hashed(struct table *t, void *value, uint64_t hash)
{
	uint32_t slot = table_slot(t, value);
	uint8_t *entry = entry_at(t, slot);

	index_remove(&t->index, hash, slot);
	memset(entry, 0, t->stride);
	memcpy(entry, &t->free_head, sizeof(t->free_head));
	t->free_head = slot;
	t->count--;
}

uint32_t
table_slot(const struct table *t, const void *value)
{
	const uint8_t *v = value;
	uint64_t offset = (uint64_t)(v - t->value_offset - t->slab);

	return (uint32_t)((offset >> t->shift) * t->inverse);
}

void *
table_at(const struct table *t, uint32_t slot)
{
	assert(slot < t->unused);
	return entry_at(t, slot) + t->value_offset;
}

const void *
table_key(const struct table *t, const void *value)
{
	return (const uint8_t *)value - t->value_offset;
}

uint32_t
table_count(const struct table *t)
{
	return t->count;
}

uint32_t
table_max(const struct table *t)
{
	return t->max;
}
