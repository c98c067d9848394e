/* SPDX-License-Identifier: Apache-2.0 */
/* The source table: two lists by age, and a list of attempts for each. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "exposure/sources.h"

/* So many of the places scanners do not take from the others. */
#define ORDINARY_SHARE 8

#define FILTER_BITS 12 /* it must stay in the nearest cache */

struct sources {
	struct table *table;
	struct chain lists[2]; /* without scan events, with them; the one
				* unseen longest comes first */
	uint32_t scanners;     /* in lists[1] */
	uint64_t odd;	       /* of the filter: secret */
	/* how many scanners' addresses fall into each cell */
	uint32_t filter[1 << FILTER_BITS];
};

/*
 * Multiply-shift (Dietzfelbinger et al., 1997), with a secret multiplier:
 * who chooses addresses to fall together gains some look-ups, no more.
 */
static uint32_t
cell_of(const struct sources *s, const struct addr *address)
{
	uint64_t x[2];

	memcpy(x, address->octets, sizeof(x));
	return (uint32_t)((x[0] * (s->odd << 1 | 1) + x[1]) * s->odd >>
			  (64 - FILTER_BITS));
}

/* The source is a scanner now, or is none any more. */
static void
set_scanner(struct sources *s, struct source *source, bool scanner)
{
	uint32_t cell = cell_of(s, table_key(s->table, source));

	if (source->scanner == scanner)
		return;
	s->scanners += scanner ? 1 : -1U;
	s->filter[cell] += scanner ? 1 : -1U;
	source->scanner = scanner;
}

bool
sources_may_scan(const struct sources *s, const struct addr *address)
{
	return s->filter[cell_of(s, address)] != 0;
}

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
	memcpy(&s->odd, key->octets, sizeof(s->odd));
	s->odd |= 1;
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
	source->attempts = (struct link){ TABLE_NONE, TABLE_NONE };
	source->errors = TABLE_NONE;
	chain_append(&s->lists[0], s->table, source);
	return source;
}

void
sources_remove(struct sources *s, struct source *source)
{
	assert(source->attempts.next == TABLE_NONE);
	assert(source->errors == TABLE_NONE);
	chain_remove(&s->lists[source->scanner], s->table, source);
	set_scanner(s, source, false);
	table_remove(s->table, source);
}

void
sources_release(struct sources *s, struct source *source)
{
	if (source->events == 0 && source->errors == TABLE_NONE &&
	    source->attempts.next == TABLE_NONE)
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
	set_scanner(s, source, source->events != 0);
	chain_append(&s->lists[source->scanner], s->table, source);
}

/* --- attempts ------------------------------------------------------------- */

/*
 * A list through the attempts' links, by slots of pairs_attempt_at();
 * source->attempts.next is the first, .prev the last.
 */
static uint32_t
slot_of(const struct pairs *p, const struct attempt *attempt)
{
	return pairs_at(p, attempt->pair)->aside;
}

void
sources_link(struct sources *s, struct source *source, struct pairs *p,
    struct attempt *attempt)
{
	uint32_t slot = slot_of(p, attempt);

	attempt->source = sources_slot(s, source);
	attempt->in_source.next = TABLE_NONE;
	attempt->in_source.prev = source->attempts.prev;
	if (source->attempts.prev == TABLE_NONE)
		source->attempts.next = slot;
	else
		pairs_attempt_at(p, source->attempts.prev)->in_source.next =
		    slot;
	source->attempts.prev = slot;
}

void
sources_unlink(struct sources *s, struct pairs *p, struct attempt *attempt)
{
	struct link *link = &attempt->in_source;
	struct source *source;

	if (attempt->source == TABLE_NONE)
		return;
	source = sources_at(s, attempt->source);
	if (link->prev == TABLE_NONE)
		source->attempts.next = link->next;
	else
		pairs_attempt_at(p, link->prev)->in_source.next = link->next;
	if (link->next == TABLE_NONE)
		source->attempts.prev = link->prev;
	else
		pairs_attempt_at(p, link->next)->in_source.prev = link->prev;
	attempt->source = TABLE_NONE;
}

struct attempt *
sources_first_attempt(const struct source *source, const struct pairs *p)
{
	uint32_t slot = source->attempts.next;

	return slot == TABLE_NONE ? NULL : pairs_attempt_at(p, slot);
}

struct attempt *
sources_next_attempt(const struct pairs *p, const struct attempt *attempt)
{
	uint32_t slot = attempt->in_source.next;

	return slot == TABLE_NONE ? NULL : pairs_attempt_at(p, slot);
}
