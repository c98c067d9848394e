/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded, keyed hash table. The index holds slot + 1 (0 = empty) and
 * 32 bits of the hash: most probes never touch an entry, and where an entry
 * would like to be is known without hashing its key again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"

struct bucket {
	uint32_t slot_plus_1;
	uint32_t hash; /* the lower half; its lowest bits are the home */
};

struct table {
	uint32_t max;
	uint32_t count;
	uint32_t mask;	    /* buckets - 1 */
	uint32_t free_head; /* slots given back, chained through the slab */
	uint32_t unused;    /* slots from here on were never used */
	size_t key_size;
	size_t value_offset;
	size_t stride;
	struct hash_key key;
	struct bucket *buckets;
	uint8_t *slab;
};

static size_t
align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static uint32_t
bucket_count(uint32_t max)
{
	uint32_t n = 8;

	while (n / 3 * 2 < max)
		n *= 2;
	return n;
}

size_t
table_bytes(uint32_t max, size_t key_size, size_t value_size)
{
	size_t stride = align8(align8(key_size) + value_size);

	return sizeof(struct table) +
	       bucket_count(max) * sizeof(struct bucket) + max * stride;
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
	t->mask = bucket_count(max) - 1;
	t->free_head = TABLE_NONE;
	t->key_size = key_size;
	t->value_offset = align8(key_size);
	t->stride = align8(t->value_offset + value_size);
	t->key = *key;
	t->buckets = calloc((size_t)t->mask + 1, sizeof(*t->buckets));
	t->slab = calloc(max, t->stride);
	if (t->buckets == NULL || t->slab == NULL) {
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
	free(t->buckets);
	free(t->slab);
	free(t);
}

static uint8_t *
entry_at(const struct table *t, uint32_t slot)
{
	return t->slab + slot * t->stride;
}

/*
 * The bucket that holds key, or the empty one where it would go. There is
 * always an empty one: the index is at most 2/3 full.
 */
static uint32_t
probe(const struct table *t, const void *key, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & t->mask;

	while (t->buckets[at].slot_plus_1 != 0) {
		const struct bucket *b = &t->buckets[at];

		if (b->hash == (uint32_t)hash &&
		    memcmp(entry_at(t, b->slot_plus_1 - 1), key, t->key_size) ==
			0)
			break;
		at = (at + 1) & t->mask;
	}
	return at;
}

void *
table_find(const struct table *t, const void *key)
{
	uint32_t at = probe(t, key, hash_octets(&t->key, key, t->key_size));

	if (t->buckets[at].slot_plus_1 == 0)
		return NULL;
	return table_at(t, t->buckets[at].slot_plus_1 - 1);
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
table_insert(struct table *t, const void *key)
{
	uint64_t hash = hash_octets(&t->key, key, t->key_size);
	uint32_t at;
	uint32_t slot;
	uint8_t *entry;

	if (t->count == t->max)
		return NULL;
	at = probe(t, key, hash);
	assert(t->buckets[at].slot_plus_1 == 0);
	slot = take_slot(t);
	entry = entry_at(t, slot);
	memset(entry, 0, t->stride);
	memcpy(entry, key, t->key_size);
	t->buckets[at].slot_plus_1 = slot + 1;
	t->buckets[at].hash = (uint32_t)hash;
	t->count++;
	return entry + t->value_offset;
}

/* Closes the hole at `hole`, so that probing never meets a tombstone. */
static void
shift_back(struct table *t, uint32_t hole)
{
	uint32_t at = hole;

	for (;;) {
		at = (at + 1) & t->mask;
		if (t->buckets[at].slot_plus_1 == 0)
			break;
		/* move it when its home is not in (hole, at], cyclically */
		if (((at - t->buckets[at].hash) & t->mask) >=
		    ((at - hole) & t->mask)) {
			t->buckets[hole] = t->buckets[at];
			hole = at;
		}
	}
	t->buckets[hole].slot_plus_1 = 0;
}

void
table_remove(struct table *t, void *value)
{
	uint32_t slot = table_slot(t, value);
	uint8_t *entry = entry_at(t, slot);
	uint32_t at = probe(t, entry, hash_octets(&t->key, entry, t->key_size));

	assert(t->buckets[at].slot_plus_1 == slot + 1);
	shift_back(t, at);
	memset(entry, 0, t->stride);
	memcpy(entry, &t->free_head, sizeof(t->free_head));
	t->free_head = slot;
	t->count--;
}

uint32_t
table_slot(const struct table *t, const void *value)
{
	const uint8_t *v = value;

	return (uint32_t)((size_t)(v - t->value_offset - t->slab) / t->stride);
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
