/* SPDX-License-Identifier: Apache-2.0 */
/* Hourly counts of outcomes. */
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/outcomes.h"

#define HOUR_MS INT64_C(3600000)
#define RECENT	1024

struct outcome_key {
	int64_t hour_ms;
	uint16_t exporter;
	uint8_t outcome;
	uint8_t rule;
	uint8_t reason;
	uint8_t zero[3];
};

struct outcome_count {
	uint64_t attempts;
	struct link in_list;
	bool dirty;
};

struct outcomes {
	struct table *table;
	struct chain clean;
	struct chain dirty;
	int64_t floor_ms; /* earlier hours are counted under this one */
	struct outcome_count *recent[RECENT]; /* see find() */
};

_Static_assert(sizeof(struct outcome_key) == 16, "the key has no padding");

size_t
outcomes_bytes(void)
{
	return sizeof(struct outcomes) + table_bytes(OUTCOMES_MAX,
					     sizeof(struct outcome_key),
					     sizeof(struct outcome_count));
}

struct outcomes *
outcomes_new(const struct hash_key *key)
{
	struct outcomes *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->table = table_new(OUTCOMES_MAX, sizeof(struct outcome_key),
	    sizeof(struct outcome_count), key);
	if (o->table == NULL) {
		free(o);
		return NULL;
	}
	o->clean = chain_empty(offsetof(struct outcome_count, in_list));
	o->dirty = chain_empty(offsetof(struct outcome_count, in_list));
	o->floor_ms = INT64_MIN;
	return o;
}

void
outcomes_free(struct outcomes *o)
{
	if (o == NULL)
		return;
	table_free(o->table);
	free(o);
}

static const struct outcome_key *
key_of(const struct outcomes *o, const struct outcome_count *count)
{
	return table_key(o->table, count);
}

static void
mark_dirty(struct outcomes *o, struct outcome_count *count)
{
	if (count->dirty)
		return;
	count->dirty = true;
	chain_remove(&o->clean, o->table, count);
	chain_append(&o->dirty, o->table, count);
}

/* Where the count of key may be at hand: a rule's, and an exporter's. */
static struct outcome_count **
recent_of(struct outcomes *o, const struct outcome_key *key)
{
	return &o->recent[(key->rule + 128U * key->exporter) % RECENT];
}

/* The earliest of the clean ones goes. False: none is clean. */
static bool
make_room(struct outcomes *o)
{
	struct outcome_count *earliest = chain_first(&o->clean, o->table);

	if (earliest == NULL)
		return false;
	for (struct outcome_count *c = earliest; c != NULL;
	     c = chain_next(&o->clean, o->table, c))
		if (key_of(o, c)->hour_ms < key_of(o, earliest)->hour_ms)
			earliest = c;
	if (key_of(o, earliest)->hour_ms >= o->floor_ms)
		o->floor_ms = key_of(o, earliest)->hour_ms + HOUR_MS;
	*recent_of(o, key_of(o, earliest)) = NULL;
	chain_remove(&o->clean, o->table, earliest);
	table_remove(o->table, earliest);
	return true;
}

static struct outcome_count *
insert(struct outcomes *o, const struct outcome_key *key)
{
	struct outcome_count *count = table_insert(o->table, key);

	if (count != NULL)
		chain_append(&o->clean, o->table, count);
	return count;
}

/* The key under which an outcome at ts_ms is counted. */
static struct outcome_key
key_at(const struct outcomes *o, int64_t ts_ms, struct outcome_kind kind)
{
	struct outcome_key key = { .exporter = kind.exporter,
		.outcome = kind.outcome,
		.rule = kind.rule,
		.reason = kind.reason };

	key.hour_ms = ts_ms - ts_ms % HOUR_MS;
	if (key.hour_ms < o->floor_ms)
		key.hour_ms = o->floor_ms;
	return key;
}

/* The count of key: the one counted last of its rule, as a rule. */
static struct outcome_count *
find(struct outcomes *o, const struct outcome_key *key)
{
	struct outcome_count **recent = recent_of(o, key);

	if (*recent == NULL ||
	    memcmp(key_of(o, *recent), key, sizeof(*key)) != 0)
		*recent = table_find(o->table, key);
	return *recent;
}

void
outcomes_add(struct outcomes *o, int64_t ts_ms, struct outcome_kind kind)
{
	struct outcome_key key = key_at(o, ts_ms, kind);
	struct outcome_count *count = find(o, &key);

	if (count == NULL)
		count = insert(o, &key);
	if (count == NULL && make_room(o)) {
		key = key_at(o, ts_ms, kind);
		count = find(o, &key);
		if (count == NULL)
			count = insert(o, &key);
	}
	if (count == NULL)
		return; /* 32,768 unsaved: not counted */
	count->attempts++;
	mark_dirty(o, count);
}

void
outcomes_take_back(struct outcomes *o, int64_t ts_ms, struct outcome_kind kind)
{
	struct outcome_key key = key_at(o, ts_ms, kind);
	struct outcome_count *count = find(o, &key);

	if (count == NULL || count->attempts == 0)
		return;
	count->attempts--;
	mark_dirty(o, count);
}

bool
outcomes_moves(int64_t before_ms, int64_t after_ms)
{
	return before_ms / HOUR_MS != after_ms / HOUR_MS;
}

bool
outcomes_collect(struct outcomes *o, struct finding_batch *batch)
{
	struct outcome_count *count;

	while ((count = chain_first(&o->dirty, o->table)) != NULL) {
		struct finding *f = finding_batch_add(batch, FINDING_OUTCOME);

		if (f == NULL)
			return true;
		f->outcome.hour_ms = key_of(o, count)->hour_ms;
		f->outcome.outcome = key_of(o, count)->outcome;
		f->outcome.rule = key_of(o, count)->rule;
		f->outcome.reason = key_of(o, count)->reason;
		f->outcome.exporter = key_of(o, count)->exporter;
		f->outcome.attempts = count->attempts;
		count->dirty = false;
		chain_remove(&o->dirty, o->table, count);
		chain_append(&o->clean, o->table, count);
	}
	return false;
}

void
outcomes_begin(struct outcomes *o, int64_t clock_ms)
{
	o->floor_ms = clock_ms - clock_ms % HOUR_MS - HOUR_MS;
}

int
outcomes_restore(struct outcomes *o, const struct finding_outcome *f)
{
	struct outcome_key key = { .hour_ms = f->hour_ms,
		.exporter = outcomes_exporter(f->exporter),
		.outcome = f->outcome,
		.rule = f->rule,
		.reason = f->reason };
	struct outcome_count *count;

	if (f->outcome >= OUTCOME_COUNT || f->rule >= RULE_COUNT ||
	    f->reason >= REASON_COUNT || !finding_ms_is_valid(f->hour_ms) ||
	    f->hour_ms % HOUR_MS != 0 || table_find(o->table, &key) != NULL)
		return ERR_RANGE;
	count = insert(o, &key);
	if (count == NULL)
		return ERR_FULL;
	count->attempts = f->attempts;
	if (o->floor_ms == INT64_MIN || f->hour_ms < o->floor_ms)
		o->floor_ms = f->hour_ms;
	return ERR_OK;
}
