/* SPDX-License-Identifier: Apache-2.0 */
/* The source table: two lists by age, and a chain of pairs for each. */
#include <assert.h>
#include <stdlib.h>

#include "common/table.h"
#include "exposure/sources.h"

/* So many of the places scanners do not take from the others. */
#define ORDINARY_SHARE 8

struct sources {
	struct table *table;
	struct chain lists[2]; /* without scan events, with them; the one
				* unseen longest comes first */
	uint32_t scanners;     /* in lists[1] */
};

size_t
sources_bytes(uint32_t max)
{
	return sizeof(struct sources) +
	       table_bytes(max, sizeof(struct addr), sizeof(struct source));
}

struct sources *
sources_new(uint32_t max, const struct hash_key *key)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->table =
	    table_new(max, sizeof(struct addr), sizeof(struct source), key);
	if (s->table == NULL) {
		free(s);
		return NULL;
	}
	for (int i = 0; i < 2; i++)
		s->lists[i] = chain_empty(offsetof(struct source, in_list));
	return s;
}

void
sources_free(struct sources *s)
{
	if (s == NULL)
		return;
	table_free(s->table);
	free(s);
}

struct source *
sources_find(const struct sources *s, const struct addr *address)
{
	return table_find(s->table, address);
}

struct source *
sources_at(const struct sources *s, uint32_t slot)
{
	return table_at(s->table, slot);
}

uint32_t
sources_slot(const struct sources *s, const struct source *source)
{
	return table_slot(s->table, source);
}

uint32_t
sources_count(const struct sources *s)
{
	return table_count(s->table);
}

struct source *
sources_add(struct sources *s, const struct addr *address)
{
	struct source *source = table_insert(s->table, address);

	if (source == NULL)
		return NULL;
	source->pairs = chain_empty(offsetof(struct pair, in_source));
	source->errors = TABLE_NONE;
	chain_append(&s->lists[0], s->table, source);
	return source;
}

void
sources_remove(struct sources *s, struct source *source)
{
	assert(source->pairs.head == TABLE_NONE);
	assert(source->errors == TABLE_NONE);
	chain_remove(&s->lists[source->scanner], s->table, source);
	s->scanners -= source->scanner;
	table_remove(s->table, source);
}

void
sources_release(struct sources *s, struct source *source)
{
	if (source->events == 0 && source->errors == TABLE_NONE &&
	    source->pairs.head == TABLE_NONE)
		sources_remove(s, source);
}

struct source *
sources_victim(const struct sources *s)
{
	uint32_t ordinary = table_count(s->table) - s->scanners;
	struct source *source = chain_first(&s->lists[1], s->table);

	if (source != NULL && ordinary <= table_max(s->table) / ORDINARY_SHARE)
		return source;
	return ordinary != 0 ? chain_first(&s->lists[0], s->table) : source;
}

void
sources_touch(struct sources *s, struct source *source)
{
	chain_remove(&s->lists[source->scanner], s->table, source);
	s->scanners -= source->scanner;
	source->scanner = source->events != 0;
	s->scanners += source->scanner;
	chain_append(&s->lists[source->scanner], s->table, source);
}

void
sources_link(struct sources *s, struct source *source, struct pairs *p,
    struct pair *pair)
{
	pair->source = sources_slot(s, source);
	chain_append(&source->pairs, pairs_table(p), pair);
}

void
sources_unlink(struct sources *s, struct pairs *p, struct pair *pair)
{
	if (pair->source == TABLE_NONE)
		return;
	chain_remove(&sources_at(s, pair->source)->pairs, pairs_table(p), pair);
	pair->source = TABLE_NONE;
}

struct pair *
sources_first_pair(const struct source *source, const struct pairs *p)
{
	return chain_first(&source->pairs, pairs_table(p));
}

struct pair *
sources_next_pair(const struct source *source, const struct pairs *p,
    const struct pair *pair)
{
	return chain_next(&source->pairs, pairs_table(p), pair);
}
