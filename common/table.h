/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded, keyed hash table: every table in the program is one of these.
 *
 * Shape: `max` entries of one size in one slab allocated at the start, and an
 * index of 32-bit slot numbers over it (index.h). Nothing is allocated later.
 * An entry is key_size octets of key and then value_size octets of value,
 * the value aligned to 8; users get the address of the value, which stays
 * where it is until table_remove(). Entries can be named by slot number
 * (32 bits), which the lists through a table use.
 * When full: table_insert() returns NULL; the user decides whom to evict.
 * Keys are compared as octets: a key struct must have no padding.
 * The hash is keyed (hash.h): keys chosen by strangers cannot make it slow.
 */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/hash.h"

#define TABLE_NONE UINT32_MAX /* no slot */

struct table;

/*
 * owned: free with table_free(). NULL: no memory.
 * 1 <= max <= 2^30, 1 <= key_size.
 */
struct table *table_new(uint32_t max, size_t key_size, size_t value_size,
    const struct hash_key *key);
void table_free(struct table *t); /* takes NULL */

/* The value of key, or NULL. */
void *table_find(const struct table *t, const void *key);

/* A zeroed value for key, which must not be there yet. NULL: full. */
void *table_insert(struct table *t, const void *key);

/*
 * The same in steps, for who looks up many keys: all hashes first, then the
 * lines of the index are fetched, then those of the entries, so that the
 * waits for memory overlap. hash: table_hash() of key, or another keyed hash
 * of it, which then goes with that table in every call.
 */
uint64_t table_hash(const struct table *t, const void *key);
void table_prefetch(const struct table *t, uint64_t hash);
void table_prefetch_entry(const struct table *t, uint64_t hash);
void *table_find_hashed(const struct table *t, const void *key, uint64_t hash);
void *table_insert_hashed(struct table *t, const void *key, uint64_t hash);
void table_remove_hashed(struct table *t, void *value, uint64_t hash);

/* Takes the entry out; value is invalid afterwards. */
void table_remove(struct table *t, void *value);

/* Slot numbers: stable while the entry is in the table. */
uint32_t table_slot(const struct table *t, const void *value);
void *table_at(const struct table *t, uint32_t slot);
const void *table_key(const struct table *t, const void *value);

uint32_t table_count(const struct table *t);
uint32_t table_max(const struct table *t);

/* What table_new() allocates for these sizes, in octets. */
size_t table_bytes(uint32_t max, size_t key_size, size_t value_size);

#endif
