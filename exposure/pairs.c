/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair table: a bounded table, a timer wheel of one-second slots, and a
 * list for each class, oldest first. All three are linked by slot numbers,
 * so their order depends on the records alone and not on the hash key.
 */
#include <assert.h>
#include <stdlib.h>

#include "exposure/pairs.h"

/*
 * One second a slot: more slots than the longest wait that can be configured
 * (W2, 24 h) has seconds, so that an entry is met only when it is due; a
 * longer one goes round and is looked at again.
 */
#define WHEEL_SLOTS 131072

/*
 * A 5-tuple is used anew when its SYN comes so long after the last packet:
 * Linux repeats a SYN for up to 127 s with gaps up to 64 s; or, after both
 * ends had closed or one had reset, when it comes after one second.
 */
#define GENERATION_GAP_MS	 130000
#define GENERATION_CLOSED_GAP_MS 1000

_Static_assert(sizeof(struct pair_key) == 40, "the key has no padding");

struct pairs {
	struct table *table;
	struct chain wheel[WHEEL_SLOTS];
	struct chain classes[PAIR_CLASS_COUNT];
	int64_t wheel_s; /* the second whose slot is being emptied */
	bool wheel_runs;
};

size_t
pairs_bytes(uint32_t max)
{
	return sizeof(struct pairs) +
	       table_bytes(max, sizeof(struct pair_key), sizeof(struct pair));
}

struct pairs *
pairs_new(uint32_t max, const struct hash_key *key)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->table =
	    table_new(max, sizeof(struct pair_key), sizeof(struct pair), key);
	if (p->table == NULL) {
		free(p);
		return NULL;
	}
	for (int i = 0; i < WHEEL_SLOTS; i++)
		p->wheel[i] = chain_empty(offsetof(struct pair, timer));
	for (int i = 0; i < PAIR_CLASS_COUNT; i++)
		p->classes[i] = chain_empty(offsetof(struct pair, in_class));
	return p;
}

void
pairs_free(struct pairs *p)
{
	if (p == NULL)
		return;
	table_free(p->table);
	free(p);
}

const struct pair_key *
pairs_key(const struct pairs *p, const struct pair *pair)
{
	return table_key(p->table, pair);
}

uint32_t
pairs_slot(const struct pairs *p, const struct pair *pair)
{
	return table_slot(p->table, pair);
}

struct pair *
pairs_at(const struct pairs *p, uint32_t slot)
{
	return table_at(p->table, slot);
}

uint32_t
pairs_count(const struct pairs *p)
{
	return table_count(p->table);
}

const struct table *
pairs_table(const struct pairs *p)
{
	return p->table;
}

/* --- generations ---------------------------------------------------------- */

static int64_t
first_ms(const struct pair *pair)
{
	if (!pair->outer.present)
		return pair->inner.first_ms;
	if (!pair->inner.present || pair->outer.first_ms < pair->inner.first_ms)
		return pair->outer.first_ms;
	return pair->inner.first_ms;
}

static int64_t
last_ms(const struct pair *pair)
{
	if (!pair->outer.present)
		return pair->inner.last_ms;
	if (!pair->inner.present || pair->outer.last_ms > pair->inner.last_ms)
		return pair->outer.last_ms;
	return pair->inner.last_ms;
}

static bool
is_closed(const struct pair *pair)
{
	unsigned all = pair->outer.flags | pair->inner.flags;
	unsigned both = pair->outer.flags & pair->inner.flags;

	return (all & TCP_RST) != 0 || (both & TCP_FIN) != 0;
}

/* The record belongs to this generation. */
static bool
belongs(const struct pair *pair, bool bears_syn, int64_t start_ms,
    int64_t end_ms)
{
	bool has_syn = ((pair->outer.flags | pair->inner.flags) & TCP_SYN) != 0;

	if (!pair->outer.present && !pair->inner.present)
		return true;
	if (bears_syn) {
		int64_t gap = is_closed(pair) ? GENERATION_CLOSED_GAP_MS
					      : GENERATION_GAP_MS;

		if (start_ms > last_ms(pair) + gap)
			return false;
	}
	/* a record of an earlier generation, come late */
	if (has_syn && end_ms < first_ms(pair) - GENERATION_GAP_MS)
		return false;
	return true;
}

/* How far apart in time a record and a generation are. */
static int64_t
distance_ms(const struct pair *pair, int64_t start_ms, int64_t end_ms)
{
	if (!pair->outer.present && !pair->inner.present)
		return 0;
	if (end_ms < first_ms(pair))
		return first_ms(pair) - end_ms;
	return start_ms > last_ms(pair) ? start_ms - last_ms(pair) : 0;
}

/* Who opened this generation, where that is known exactly. */
static enum side
exact_initiator(const struct pair *pair)
{
	if ((pair->outer.evidence & EV_SYN) != 0)
		return SIDE_OUTER;
	if (pair->verdict.confidence == CONFIDENCE_HIGH)
		return (enum side)pair->verdict.initiator;
	return SIDE_NONE;
}

struct pair *
pairs_find(const struct pairs *p, struct pair_key *key, bool bears_syn,
    int64_t start_ms, int64_t end_ms, enum side *prior, struct pair **reuse)
{
	uint8_t vacant = PAIR_GENERATIONS;
	struct pair *oldest = NULL;
	struct pair *nearest = NULL;

	*prior = SIDE_NONE;
	*reuse = NULL;
	for (uint8_t g = 0; g < PAIR_GENERATIONS; g++) {
		struct pair *pair;

		key->generation = g;
		pair = table_find(p->table, key);
		if (pair == NULL) {
			if (vacant == PAIR_GENERATIONS)
				vacant = g;
			if (g == 0)
				break;
			continue;
		}
		if (belongs(pair, bears_syn, start_ms, end_ms) &&
		    (nearest == NULL ||
			distance_ms(pair, start_ms, end_ms) <
			    distance_ms(nearest, start_ms, end_ms)))
			nearest = pair;
		if (exact_initiator(pair) != SIDE_NONE)
			*prior = exact_initiator(pair);
		if (oldest == NULL || first_ms(pair) < first_ms(oldest))
			oldest = pair;
		if (g == 0 && !pair->more) {
			vacant = 1;
			break;
		}
	}
	if (nearest != NULL) {
		*key = *pairs_key(p, nearest);
		return nearest;
	}
	if (vacant == PAIR_GENERATIONS)
		*reuse = oldest;
	else
		key->generation = vacant;
	return NULL;
}

struct pair *
pairs_other_generation(const struct pairs *p, const struct pair *pair)
{
	struct pair_key key = *pairs_key(p, pair);

	if (key.generation != 0 || !pair->more)
		return NULL;
	for (key.generation = 1; key.generation < PAIR_GENERATIONS;
	     key.generation++) {
		struct pair *other = table_find(p->table, &key);

		if (other != NULL)
			return other;
	}
	return NULL;
}

/* --- classes -------------------------------------------------------------- */

void
pairs_set_class(struct pairs *p, struct pair *pair, enum pair_class class)
{
	chain_remove(&p->classes[pair->class], p->table, pair);
	pair->class = (uint8_t) class;
	chain_append(&p->classes[class], p->table, pair);
}

struct pair *
pairs_victim(const struct pairs *p)
{
	for (int c = 0; c < PAIR_CLASS_COUNT; c++) {
		struct pair *pair = chain_first(&p->classes[c], p->table);
		struct pair *other;

		if (pair == NULL)
			continue;
		other = pairs_other_generation(p, pair);
		return other != NULL ? other : pair;
	}
	return NULL;
}

struct pair *
pairs_oldest(const struct pairs *p, enum pair_class class)
{
	return chain_first(&p->classes[class], p->table);
}

struct pair *
pairs_younger(const struct pairs *p, const struct pair *pair)
{
	return chain_next(&p->classes[pair->class], p->table, pair);
}

/* --- timers --------------------------------------------------------------- */

static int64_t
floor_s(int64_t ms)
{
	return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

static struct chain *
wheel_slot(struct pairs *p, int64_t second)
{
	return &p->wheel[(uint64_t)second % WHEEL_SLOTS];
}

static void
timer_stop(struct pairs *p, struct pair *pair)
{
	if (pair->deadline_ms == 0)
		return;
	chain_remove(wheel_slot(p, floor_s(pair->deadline_ms)), p->table, pair);
	pair->deadline_ms = 0;
}

void
pairs_set_deadline(struct pairs *p, struct pair *pair, int64_t deadline_ms)
{
	timer_stop(p, pair);
	/* never into a second that was emptied already; 0 means no timer */
	if (p->wheel_runs && floor_s(deadline_ms) < p->wheel_s)
		deadline_ms = p->wheel_s * 1000;
	if (deadline_ms < 1)
		deadline_ms = 1;
	pair->deadline_ms = deadline_ms;
	chain_append(wheel_slot(p, floor_s(deadline_ms)), p->table, pair);
}

/* The first of a slot that is due at now_s; those of later rounds stay. */
static struct pair *
take_due(struct pairs *p, struct chain *slot, int64_t now_s)
{
	struct pair *pair = chain_first(slot, p->table);

	while (pair != NULL && floor_s(pair->deadline_ms) > now_s)
		pair = chain_next(slot, p->table, pair);
	if (pair != NULL)
		timer_stop(p, pair);
	return pair;
}

struct pair *
pairs_due(struct pairs *p, int64_t now_ms)
{
	int64_t now_s = floor_s(now_ms);

	if (!p->wheel_runs || now_s - p->wheel_s >= WHEEL_SLOTS) {
		/* every slot once is enough, however far time jumped */
		p->wheel_s = now_s - WHEEL_SLOTS + 1;
		p->wheel_runs = true;
	}
	for (;;) {
		struct pair *pair =
		    take_due(p, wheel_slot(p, p->wheel_s), now_s);

		if (pair != NULL || p->wheel_s >= now_s)
			return pair;
		p->wheel_s++;
	}
}

/* --- entries -------------------------------------------------------------- */

struct pair *
pairs_add(struct pairs *p, const struct pair_key *key)
{
	struct pair *pair = table_insert(p->table, key);

	if (pair == NULL)
		return NULL;
	pair->source = TABLE_NONE;
	pair->claimed = SIDE_NONE;
	pair->prior = SIDE_NONE;
	pair->class = PAIR_UNANSWERED;
	chain_append(&p->classes[PAIR_UNANSWERED], p->table, pair);
	if (key->generation != 0) {
		struct pair_key first = *key;
		struct pair *zero;

		first.generation = 0;
		zero = table_find(p->table, &first);
		assert(zero != NULL);
		zero->more = true;
	}
	return pair;
}

void
pairs_remove(struct pairs *p, struct pair *pair)
{
	timer_stop(p, pair);
	chain_remove(&p->classes[pair->class], p->table, pair);
	table_remove(p->table, pair);
}
