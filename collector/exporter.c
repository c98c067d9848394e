/* SPDX-License-Identifier: Apache-2.0 */
/* The exporter table and the sequence numbers. */
#include <assert.h>
#include <stdlib.h>

#include "collector/exporter.h"
#include "common/table.h"

/*
 * How far back a late datagram may be: 64 datagrams, which are 64 units in
 * v9 and up to 30 times as many in the others. Ours; reordering on a real
 * path is a few datagrams.
 */
#define REORDER_DATAGRAMS 64
#define REORDER_UNITS	  (REORDER_DATAGRAMS * 30)

/* A larger step forward is a restart: 16 million flows are not lost at once. */
#define JUMP_MAX (INT32_C(1) << 24)

struct exporter_key {
	struct addr address;
	uint32_t domain;
	uint32_t protocol;
};

static_assert(sizeof(struct exporter_key) == 24, "the key has no padding");

struct exporter_table {
	struct table *table;
	uint32_t slots[EXPORTERS_MAX]; /* by index */
};

struct exporter_table *
exporter_table_new(uint32_t max, const struct hash_key *key)
{
	struct exporter_table *t = calloc(1, sizeof(*t));

	assert(max >= 1 && max <= EXPORTERS_MAX);
	if (t == NULL)
		return NULL;
	t->table = table_new(max, sizeof(struct exporter_key),
	    sizeof(struct exporter), key);
	if (t->table == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
exporter_table_free(struct exporter_table *t)
{
	if (t == NULL)
		return;
	table_free(t->table);
	free(t);
}

struct exporter *
exporter_get(struct exporter_table *t, const struct addr *address,
    const struct export_header *header, int64_t now_ms)
{
	const struct exporter_key key = { *address, header->domain,
		header->protocol };
	struct exporter *e = table_find(t->table, &key);

	if (e != NULL)
		return e;
	e = table_insert(t->table, &key);
	if (e == NULL)
		return NULL;
	e->index = table_count(t->table) - 1;
	t->slots[e->index] = table_slot(t->table, e);
	e->info.address = *address;
	e->info.domain = header->domain;
	e->info.protocol = header->protocol;
	e->info.first_seen_ms = now_ms;
	return e;
}

uint32_t
exporter_count(const struct exporter_table *t)
{
	return table_count(t->table);
}

struct exporter *
exporter_at(const struct exporter_table *t, uint32_t index)
{
	assert(index < table_count(t->table));
	return table_at(t->table, t->slots[index]);
}

/*
 * How far the sequence number is from where it should be. Learns on the way
 * which of the two ways to count the exporter has.
 */
static int32_t
sequence_gap(struct exporter *e, uint32_t sequence, uint32_t units)
{
	int32_t before = (int32_t)(sequence - e->next);
	int32_t after = (int32_t)(sequence - e->sequence - units);

	if (before == 0 && after != 0)
		e->counts_itself = false;
	else if (after == 0 && before != 0)
		e->counts_itself = true;
	return e->counts_itself ? after : before;
}

static void
check_sequence(struct exporter *e, const struct export_header *h,
    uint32_t units, bool units_known, struct counters *counters)
{
	bool is_v9 = h->protocol == EXPORT_NETFLOW9;
	int32_t late_max = is_v9 ? REORDER_DATAGRAMS : REORDER_UNITS;
	int32_t gap = 0;

	if (is_v9) {
		units = 1;
		units_known = true;
	}
	if (e->next_is_known)
		gap = is_v9 ? (int32_t)(h->sequence - e->next)
			    : sequence_gap(e, h->sequence, units);
	if (gap < 0 && gap >= -late_max) {
		counter_add(counters, COUNTER_SEQUENCE_REORDERED, 1);
		return; /* the later one stays the mark */
	}
	if (gap > 0 && gap < JUMP_MAX) {
		e->info.lost += (uint32_t)gap;
		counter_add(counters, COUNTER_SEQUENCE_LOST, (uint32_t)gap);
	}
	e->sequence = h->sequence;
	e->next = h->sequence + units;
	e->next_is_known = units_known;
}

void
exporter_account(struct exporter *e, const struct export_header *header,
    int64_t now_ms, uint32_t records, uint32_t units, bool units_known,
    struct counters *counters)
{
	check_sequence(e, header, units, units_known, counters);
	e->info.last_seen_ms = now_ms;
	e->info.datagrams++;
	e->info.records += records;
}
