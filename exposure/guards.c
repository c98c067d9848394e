/* SPDX-License-Identifier: Apache-2.0 */
/* The guard table: one list of the frozen ones, one of the changed ones. */
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/guards.h"

struct guard {
	int64_t window_ms; /* begin of the window that is counted */
	int64_t since_ms;  /* 0: not frozen */
	int64_t until_ms;  /* 0: still */
	int64_t last_ms;   /* when a port was last turned away, or frozen */
	uint64_t turned_away;
	uint32_t ports; /* of its map */
	uint32_t bare;	/* that came without data in the window */
	struct link in_frozen;
	struct link in_dirty;
	bool dirty;
};

struct guards {
	struct table *table;
	struct chain frozen;
	struct chain dirty;
	uint32_t frozen_count;
};

size_t
guards_bytes(uint32_t max)
{
	return sizeof(struct guards) +
	       table_bytes(max, sizeof(struct addr), sizeof(struct guard));
}

struct guards *
guards_new(uint32_t max, const struct hash_key *key)
{
	struct guards *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->table =
	    table_new(max, sizeof(struct addr), sizeof(struct guard), key);
	if (g->table == NULL) {
		free(g);
		return NULL;
	}
	g->frozen = chain_empty(offsetof(struct guard, in_frozen));
	g->dirty = chain_empty(offsetof(struct guard, in_dirty));
	return g;
}

void
guards_free(struct guards *g)
{
	if (g == NULL)
		return;
	table_free(g->table);
	free(g);
}

static bool
is_frozen(const struct guard *guard)
{
	return guard->since_ms != 0 && guard->until_ms == 0;
}

static void
mark_dirty(struct guards *g, struct guard *guard)
{
	if (guard->dirty)
		return;
	guard->dirty = true;
	chain_append(&g->dirty, g->table, guard);
}

static void
freeze(struct guards *g, struct guard *guard, int64_t since_ms)
{
	guard->since_ms = since_ms;
	guard->until_ms = 0;
	guard->last_ms = since_ms;
	guard->turned_away = 0;
	chain_append(&g->frozen, g->table, guard);
	g->frozen_count++;
	mark_dirty(g, guard);
}

/* Nothing is left to remember of it. */
static void
release(struct guards *g, struct guard *guard)
{
	if (guard->ports == 0 && !is_frozen(guard) && !guard->dirty)
		table_remove(g->table, guard);
}

void
guards_port_entered(struct guards *g, const struct addr *host)
{
	struct guard *guard = table_find(g->table, host);

	if (guard == NULL)
		guard = table_insert(g->table, host);
	if (guard != NULL)
		guard->ports++;
}

void
guards_port_left(struct guards *g, const struct addr *host)
{
	struct guard *guard = table_find(g->table, host);

	if (guard == NULL)
		return;
	if (guard->ports != 0)
		guard->ports--;
	release(g, guard);
}

/* The window that ts_ms falls in; one before it is as good as in it. */
static void
turn_window(struct guard *guard, int64_t ts_ms)
{
	if (guard->bare != 0 && ts_ms < guard->window_ms + GUARD_WINDOW_MS &&
	    ts_ms > guard->window_ms - GUARD_WINDOW_MS) {
		if (ts_ms < guard->window_ms)
			guard->window_ms = ts_ms;
		return;
	}
	guard->window_ms = ts_ms;
	guard->bare = 0;
}

bool
guards_port_bare(struct guards *g, const struct addr *host, int64_t ts_ms,
    int64_t *from_ms)
{
	struct guard *guard = table_find(g->table, host);

	if (guard == NULL || is_frozen(guard))
		return false;
	turn_window(guard, ts_ms);
	guard->bare++;
	if (guard->bare <= GUARD_PORTS)
		return false;
	*from_ms = guard->window_ms;
	freeze(g, guard, ts_ms);
	return true;
}

void
guards_port_used(struct guards *g, const struct addr *host, int64_t ts_ms)
{
	struct guard *guard = table_find(g->table, host);

	if (guard != NULL && guard->bare != 0 && ts_ms >= guard->window_ms)
		guard->bare--;
}

bool
guards_admit(struct guards *g, const struct addr *host, bool is_bare,
    int64_t ts_ms)
{
	struct guard *guard = table_find(g->table, host);
	bool is_full;

	if (guard == NULL)
		return true;
	is_full = guard->ports >= GUARD_PORTS_MAX;
	if (!is_full && !(is_bare && is_frozen(guard)))
		return true;
	if (!is_frozen(guard))
		freeze(g, guard, ts_ms);
	guard->turned_away++;
	if (ts_ms > guard->last_ms)
		guard->last_ms = ts_ms;
	mark_dirty(g, guard);
	return false;
}

void
guards_age(struct guards *g, int64_t now_ms)
{
	struct guard *next;

	for (struct guard *guard = chain_first(&g->frozen, g->table);
	     guard != NULL; guard = next) {
		next = chain_next(&g->frozen, g->table, guard);
		if (now_ms - guard->last_ms < GUARD_QUIET_MS)
			continue;
		guard->until_ms = guard->last_ms + GUARD_QUIET_MS;
		guard->bare = 0;
		chain_remove(&g->frozen, g->table, guard);
		g->frozen_count--;
		mark_dirty(g, guard);
	}
}

bool
guards_collect(struct guards *g, struct finding_batch *batch)
{
	struct guard *guard;

	while ((guard = chain_first(&g->dirty, g->table)) != NULL) {
		struct finding *f =
		    finding_batch_add(batch, FINDING_HOST_GUARD);

		if (f == NULL)
			return true;
		memcpy(&f->host_guard.host, table_key(g->table, guard),
		    sizeof(f->host_guard.host));
		f->host_guard.since_ms = guard->since_ms;
		f->host_guard.until_ms = guard->until_ms;
		f->host_guard.turned_away = guard->turned_away;
		guard->dirty = false;
		chain_remove(&g->dirty, g->table, guard);
		release(g, guard);
	}
	return false;
}

int
guards_restore(struct guards *g, const struct finding_host_guard *f)
{
	struct guard *guard = table_find(g->table, &f->host);

	if (!finding_ms_is_valid(f->since_ms) || f->since_ms == 0 ||
	    f->until_ms != 0 || (guard != NULL && is_frozen(guard)))
		return ERR_RANGE;
	if (guard == NULL)
		guard = table_insert(g->table, &f->host);
	if (guard == NULL)
		return ERR_FULL;
	freeze(g, guard, f->since_ms);
	guard->turned_away = f->turned_away;
	return ERR_OK;
}

uint32_t
guards_frozen_count(const struct guards *g)
{
	return g->frozen_count;
}
