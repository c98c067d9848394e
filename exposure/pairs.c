/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair table: entries in a slab under an index, and the wheel for their
 * timers and classes. Order depends on the records alone and not on the
 * hash key.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/index.h"
#include "common/slab.h"
#include "exposure/floods.h"
#include "exposure/pairs.h"
#include "exposure/wheel.h"

_Static_assert(sizeof(struct pair_key) == 40, "the key has no padding");
_Static_assert(sizeof(struct half) == 24, "halves have no padding");
_Static_assert(sizeof(struct pair) == 88, "pairs have no padding");
_Static_assert(sizeof(struct attempt) == 40, "attempts have no padding");
_Static_assert(OUTCOME_COUNT + REASON_COUNT - 1 <= 32 && RULE_COUNT <= 128 &&
		   TECHNIQUE_COUNT <= 16 && CONFIDENCE_COUNT <= 4,
    "a pair has bits for every verdict");
_Static_assert(PAIR_CLASS_COUNT == WHEEL_QUEUES, "a queue a class");

/* Both ends of an IPv6 conversation. */
struct ends {
	struct addr outer;
	struct addr inner;
};

struct pairs {
	struct slab pairs;
	struct slab ends;
	struct slab attempts;
	struct index index;
	struct hash_key key;
	uint32_t count;
	uint32_t undecided; /* of them */
	int64_t wait_s;
	int64_t revoke_s;
	int64_t (*revoke_of)(const void *arg, uint32_t exporter);
	const void *revoke_arg;
	uint32_t next; /* goes next, as a rule, or WHEEL_NONE */
	uint64_t next_hash;
	struct wheel wheel;
	struct floods floods; /* of what waits as PAIR_UNANSWERED */
};

/* What is hashed of an IPv4 pair, and compared: no padding. */
struct key_v4 {
	uint32_t ends[2];
	uint16_t outer_port;
	uint16_t inner_port;
	uint8_t proto;
	uint8_t scope;
	uint8_t zero[2];
};

_Static_assert(sizeof(struct key_v4) == 16, "the key has no padding");

/* A key that is looked for, in the form in which entries have it. */
struct sought {
	const struct pair_key *key;
	uint32_t ends[2]; /* IPv4 */
	bool is_ipv6;
	struct pair *found[PAIR_GENERATIONS];
};

size_t
pairs_bytes(uint32_t max)
{
	return sizeof(struct pairs) + index_bytes(max) +
	       (sizeof(struct pair) + sizeof(struct ends) +
		   sizeof(struct attempt)) *
		   (size_t)max;
}

size_t
pairs_entry_bytes(uint32_t max, bool is_ipv6)
{
	return sizeof(struct pair) + (is_ipv6 ? sizeof(struct ends) : 0) +
	       (index_bytes(max) + max - 1) / max;
}

struct pairs *
pairs_new(const struct pairs_config *config)
{
	struct pairs *p = calloc(1, sizeof(*p));
	bool has_memory;

	assert(config->max >= 1 && config->max <= 1U << 30);
	if (p == NULL)
		return NULL;
	has_memory = slab_init(&p->pairs, config->max, sizeof(struct pair));
	has_memory &= slab_init(&p->ends, config->max, sizeof(struct ends));
	has_memory &=
	    slab_init(&p->attempts, config->max, sizeof(struct attempt));
	has_memory &= index_init(&p->index, config->max);
	if (!has_memory) {
		pairs_free(p);
		return NULL;
	}
	p->key = config->key;
	floods_init(&p->floods, &config->key);
	p->next = WHEEL_NONE;
	p->wait_s = config->wait_ms / 1000;
	p->revoke_s = config->revoke_ms / 1000;
	p->revoke_of = config->revoke_of;
	p->revoke_arg = config->revoke_arg;
	wheel_init(&p->wheel, p->pairs.places + offsetof(struct pair, queue),
	    sizeof(struct pair), config->max);
	return p;
}

void
pairs_free(struct pairs *p)
{
	if (p == NULL)
		return;
	slab_free(&p->pairs);
	slab_free(&p->ends);
	slab_free(&p->attempts);
	index_free(&p->index);
	free(p);
}

uint32_t
pairs_slot(const struct pairs *p, const struct pair *pair)
{
	return (uint32_t)(pair - (const struct pair *)(void *)p->pairs.places);
}

struct pair *
pairs_at(const struct pairs *p, uint32_t slot)
{
	return slab_at(&p->pairs, slot);
}

uint32_t
pairs_count(const struct pairs *p)
{
	return p->count;
}

uint32_t
pairs_undecided(const struct pairs *p)
{
	return p->undecided;
}

/* --- keys ----------------------------------------------------------------- */

static uint32_t
v4_of(const struct addr *a)
{
	uint32_t v4;

	memcpy(&v4, a->octets + 12, sizeof(v4));
	return v4;
}

static struct addr
addr_of(uint32_t v4)
{
	uint8_t octets[4];

	memcpy(octets, &v4, sizeof(octets));
	return addr_from_v4(octets);
}

static bool
is_v4(const struct pair_key *key)
{
	return addr_is_v4(&key->outer) && addr_is_v4(&key->inner);
}

struct pair_key
pairs_key(const struct pairs *p, const struct pair *pair)
{
	struct pair_key key = {
		.outer_port = pair->outer_port,
		.inner_port = pair->inner_port,
		.proto = pair->proto,
		.scope = pair->internal ? SCOPE_INTERNAL : SCOPE_EXTERNAL,
		.generation = pair->generation,
	};

	if (pair->is_ipv6) {
		const struct ends *ends = slab_at(&p->ends, pair->ends[0]);

		key.outer = ends->outer;
		key.inner = ends->inner;
	} else {
		key.outer = addr_of(pair->ends[0]);
		key.inner = addr_of(pair->ends[1]);
	}
	return key;
}

uint64_t
pairs_hash(const struct pairs *p, const struct pair_key *key)
{
	struct pair_key tuple;

	if (is_v4(key)) {
		struct key_v4 v4 = { { v4_of(&key->outer), v4_of(&key->inner) },
			key->outer_port, key->inner_port, key->proto,
			key->scope, { 0 } };

		return hash_for_table(&p->key, &v4, sizeof(v4));
	}
	tuple = *key;
	tuple.generation = 0;
	return hash_for_table(&p->key, &tuple, sizeof(tuple));
}

void
pairs_prefetch(const struct pairs *p, uint64_t hash)
{
	index_prefetch(&p->index, hash);
}

void
pairs_prefetch_entry(const struct pairs *p, uint64_t hash)
{
	uint32_t slot = index_guess(&p->index, hash);
	const uint8_t *entry;

	if (slot == INDEX_NONE)
		return;
	entry = slab_at(&p->pairs, slot);
	__builtin_prefetch(entry);
	__builtin_prefetch(entry + sizeof(struct pair) - 1);
}

static struct sought
sought_of(const struct pair_key *key)
{
	struct sought s = { .key = key, .is_ipv6 = !is_v4(key) };

	if (!s.is_ipv6) {
		s.ends[0] = v4_of(&key->outer);
		s.ends[1] = v4_of(&key->inner);
	}
	return s;
}

static bool
has_ends(const struct pairs *p, const struct pair *pair, const struct sought *s)
{
	const struct ends *ends;

	if (pair->is_ipv6 != s->is_ipv6)
		return false;
	if (!s->is_ipv6)
		return pair->ends[0] == s->ends[0] &&
		       pair->ends[1] == s->ends[1];
	ends = slab_at(&p->ends, pair->ends[0]);
	return addr_equal(&ends->outer, &s->key->outer) &&
	       addr_equal(&ends->inner, &s->key->inner);
}

/* The pair is a generation of what is sought. */
static bool
is_sought(const struct pairs *p, const struct pair *pair,
    const struct sought *s)
{
	const struct pair_key *key = s->key;

	return pair->outer_port == key->outer_port &&
	       pair->inner_port == key->inner_port &&
	       pair->proto == key->proto &&
	       pair->internal == (key->scope == SCOPE_INTERNAL) &&
	       has_ends(p, pair, s);
}

bool
pairs_is_of(const struct pairs *p, const struct pair *pair,
    const struct pair_key *key)
{
	struct sought s = sought_of(key);

	return is_sought(p, pair, &s);
}

/* Collects generations; true when there can be no other. */
static bool
collect(const void *owner, uint32_t slot, const void *sought)
{
	const struct pairs *p = owner;
	struct pair *pair = pairs_at(p, slot);
	/* the index hands it through as it was given: not const */
	struct sought *s = *(struct sought *const *)sought;

	if (!is_sought(p, pair, s))
		return false;
	s->found[pair->generation] = pair;
	return pair->generation == 0 && !pair->more;
}

static void
find_generations(const struct pairs *p, struct sought *s, uint64_t hash)
{
	(void)index_find(&p->index, hash, collect, p, &s);
}

/* --- generations ---------------------------------------------------------- */

/*
 * A 5-tuple is used anew when its SYN comes so long after the last packet:
 * Linux repeats a SYN for up to 127 s with gaps up to 64 s; or, after both
 * ends had closed or one had reset, when it comes after one second.
 */
#define GENERATION_GAP_MS	 130000
#define GENERATION_CLOSED_GAP_MS 1000

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

		if (start_ms > pair_last_ms(pair) + gap)
			return false;
	}
	/* a record of an earlier generation, come late */
	if (has_syn && end_ms < pair_first_ms(pair) - GENERATION_GAP_MS)
		return false;
	return true;
}

/* How far apart in time a record and a generation are. */
static int64_t
distance_ms(const struct pair *pair, int64_t start_ms, int64_t end_ms)
{
	int64_t last_ms = pair_last_ms(pair);

	if (!pair->outer.present && !pair->inner.present)
		return 0;
	if (end_ms < pair_first_ms(pair))
		return pair_first_ms(pair) - end_ms;
	return start_ms > last_ms ? start_ms - last_ms : 0;
}

enum side
pairs_exact_initiator(const struct pair *pair)
{
	if ((pair->outer.evidence & EV_SYN) != 0)
		return SIDE_OUTER;
	if (pair->confidence == CONFIDENCE_HIGH)
		return (enum side)pair->initiator;
	return SIDE_NONE;
}

struct pair *
pairs_find(const struct pairs *p, struct pair_key *key, uint64_t hash,
    bool bears_syn, int64_t start_ms, int64_t end_ms, enum side *prior,
    struct pair **reuse)
{
	struct sought s = sought_of(key);
	uint8_t vacant = PAIR_GENERATIONS;
	struct pair *oldest = NULL;
	struct pair *nearest = NULL;

	*prior = SIDE_NONE;
	*reuse = NULL;
	find_generations(p, &s, hash);
	for (uint8_t g = 0; g < PAIR_GENERATIONS; g++) {
		struct pair *pair = s.found[g];

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
		if (pairs_exact_initiator(pair) != SIDE_NONE)
			*prior = pairs_exact_initiator(pair);
		if (oldest == NULL ||
		    pair_first_ms(pair) < pair_first_ms(oldest))
			oldest = pair;
		if (g == 0 && !pair->more) {
			vacant = 1;
			break;
		}
	}
	key->generation = nearest != NULL ? nearest->generation : vacant;
	if (nearest == NULL && vacant == PAIR_GENERATIONS)
		*reuse = oldest;
	return nearest;
}

bool
pairs_takes(const struct pair *pair, bool bears_syn, int64_t start_ms,
    int64_t end_ms)
{
	return pair->generation == 0 && !pair->more &&
	       belongs(pair, bears_syn, start_ms, end_ms);
}

struct pair *
pairs_generation(const struct pairs *p, const struct pair *pair, unsigned which)
{
	struct pair_key key;
	struct sought s;

	if (pair->generation == 0 && !pair->more)
		return NULL;
	key = pairs_key(p, pair);
	s = sought_of(&key);
	find_generations(p, &s, pairs_hash(p, &key));
	return s.found[which] == pair ? NULL : s.found[which];
}

struct pair *
pairs_other_generation(const struct pairs *p, const struct pair *pair)
{
	struct pair_key key;
	struct sought s;

	if (pair->generation != 0 || !pair->more)
		return NULL;
	key = pairs_key(p, pair);
	s = sought_of(&key);
	find_generations(p, &s, pairs_hash(p, &key));
	for (int g = 1; g < PAIR_GENERATIONS; g++)
		if (s.found[g] != NULL)
			return s.found[g];
	return NULL;
}

/* --- classes and timers --------------------------------------------------- */

static int64_t
floor_s(int64_t ms)
{
	return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

static bool is_undecided(enum pair_class class)
{
	return class == PAIR_UNANSWERED || class == PAIR_ANSWERED;
}

/* What counts the attempts that wait at the inner end of this one. */
static uint32_t *
waiting_with(struct pairs *p, const struct pair *pair)
{
	uint64_t host[2] = { 0, pair->ends[1] };

	if (pair->is_ipv6) {
		const struct ends *ends = slab_at(&p->ends, pair->ends[0]);

		memcpy(host, ends->inner.octets, sizeof(host));
	}
	return floods_at(&p->floods, host, pair->proto, pair->inner_port);
}

bool
pairs_is_flooded(struct pairs *p, const struct pair_key *key)
{
	uint64_t host[2] = { 0, v4_of(&key->inner) };

	if (!is_v4(key))
		memcpy(host, key->inner.octets, sizeof(host));
	return *floods_at(&p->floods, host, key->proto, key->inner_port) >=
	       FLOOD_MAX;
}

/* It does not wait for an answer any more. */
static void
count_out(struct pairs *p, const struct pair *pair)
{
	uint32_t *waiting = waiting_with(p, pair);

	assert(*waiting != 0);
	--*waiting;
}

/* Out of the wheel, if it is there. */
static void
take_out(struct pairs *p, struct pair *pair)
{
	if (pair->class == PAIR_UNANSWERED && pairs_is_waiting(pair))
		count_out(p, pair);
	wheel_take(&p->wheel, pairs_slot(p, pair));
}

static void
put(struct pairs *p, struct pair *pair, enum pair_class class, int64_t second)
{
	take_out(p, pair);
	p->undecided -= is_undecided((enum pair_class)pair->class);
	p->undecided += is_undecided(class);
	pair->class = (unsigned)class & 7U;
	wheel_put(&p->wheel, pairs_slot(p, pair), class, second);
	if (class == PAIR_UNANSWERED)
		++*waiting_with(p, pair);
}

void
pairs_await(struct pairs *p, struct pair *pair, enum pair_class class,
    int64_t deadline_ms)
{
	put(p, pair, class, floor_s(deadline_ms));
}

int64_t
pairs_revoke_ms(const struct pairs *p, const struct pair *pair)
{
	int64_t own_ms = p->revoke_of == NULL
			     ? 0
			     : p->revoke_of(p->revoke_arg, pair_exporter(pair));

	return own_ms != 0 ? own_ms : p->revoke_s * 1000;
}

/* Until when silence may be revoked. */
static int64_t
revocable_until_s(const struct pairs *p, const struct pair *pair)
{
	return pair->since_s + pairs_revoke_ms(p, pair) / 1000;
}

void
pairs_set_silent(struct pairs *p, struct pair *pair)
{
	if (pair->class != PAIR_SILENT)
		put(p, pair, PAIR_SILENT, revocable_until_s(p, pair));
}

void
pairs_set_tombstone(struct pairs *p, struct pair *pair, int64_t now_ms)
{
	/* where it stands in the wheel is looked at when it is due there */
	pair->since_s = (uint32_t)floor_s(now_ms);
	if (pair->class != PAIR_TOMBSTONE || pair->queue.next == WHEEL_NONE)
		put(p, pair, PAIR_TOMBSTONE, pair->since_s + p->wait_s);
}

void
pairs_set_ended(struct pairs *p, struct pair *pair)
{
	put(p, pair, PAIR_ENDED, pair->since_s);
}

bool
pairs_is_revocable(const struct pairs *p, const struct pair *pair,
    int64_t now_ms)
{
	return pair->class != PAIR_TOMBSTONE &&
	       revocable_until_s(p, pair) > floor_s(now_ms);
}

/* When a decided one is over; of the others the wheel knows. */
static int64_t
over_s(const struct pairs *p, const struct pair *pair)
{
	if (pair->class == PAIR_TOMBSTONE)
		return pair->since_s + p->wait_s;
	if (pair->class == PAIR_SILENT)
		return revocable_until_s(p, pair);
	return INT64_MIN;
}

int64_t
pairs_until_ms(const struct pairs *p, const struct pair *pair)
{
	if (over_s(p, pair) != INT64_MIN)
		return over_s(p, pair) * 1000;
	return wheel_second(&p->wheel, pairs_slot(p, pair)) * 1000;
}

enum pair_class
pairs_least(const struct pairs *p)
{
	unsigned c = 0;

	while (c < PAIR_CLASS_COUNT && !wheel_has(&p->wheel, c))
		c++;
	return (enum pair_class)c;
}

struct pair *
pairs_victim(struct pairs *p)
{
	for (unsigned c = 0; c < PAIR_CLASS_COUNT; c++) {
		int64_t second;
		uint32_t slot;

		while (
		    (slot = wheel_first(&p->wheel, c, &second)) != WHEEL_NONE) {
			struct pair *pair = pairs_at(p, slot);
			struct pair *other;

			if (c == PAIR_TOMBSTONE && over_s(p, pair) > second) {
				/* a record came since it was put here */
				put(p, pair, PAIR_TOMBSTONE, over_s(p, pair));
				continue;
			}
			other = pairs_other_generation(p, pair);
			return other != NULL ? other : pair;
		}
	}
	return NULL;
}

struct pair *
pairs_oldest(const struct pairs *p, enum pair_class class)
{
	int64_t second;
	uint32_t slot = wheel_first(&p->wheel, class, &second);

	return slot == WHEEL_NONE ? NULL : pairs_at(p, slot);
}

struct pair *
pairs_younger(const struct pairs *p, const struct pair *pair)
{
	uint32_t slot = wheel_next(&p->wheel, pair->class, pairs_slot(p, pair));

	return slot == WHEEL_NONE ? NULL : pairs_at(p, slot);
}

struct pair *
pairs_due(struct pairs *p, int64_t now_ms)
{
	int64_t now_s = floor_s(now_ms);
	unsigned queue = 0;
	uint32_t slot;

	while ((slot = wheel_due(&p->wheel, now_s, &queue)) != WHEEL_NONE) {
		struct pair *pair = pairs_at(p, slot);

		if (queue == PAIR_UNANSWERED)
			count_out(p, pair);
		if (over_s(p, pair) <= now_s)
			return pair;
		wheel_put(&p->wheel, slot, pair->class, over_s(p, pair));
	}
	return NULL;
}

void
pairs_keep(struct pairs *p, struct pair *pair, int64_t now_ms)
{
	put(p, pair, (enum pair_class)pair->class, floor_s(now_ms) + p->wait_s);
}

/* --- entries -------------------------------------------------------------- */

struct attempt *
pairs_attempt_at(const struct pairs *p, uint32_t slot)
{
	return slab_at(&p->attempts, slot);
}

struct attempt *
pairs_attempt(const struct pairs *p, const struct pair *pair)
{
	return pair->noted ? pairs_attempt_at(p, pair->aside) : NULL;
}

struct attempt *
pairs_make_attempt(struct pairs *p, struct pair *pair)
{
	uint32_t slot = slab_take(&p->attempts);
	struct attempt *attempt;

	assert(slot != SLAB_NONE && !pair->noted);
	attempt = pairs_attempt_at(p, slot);
	attempt->in_source = (struct link){ TABLE_NONE, TABLE_NONE };
	attempt->pair = pairs_slot(p, pair);
	attempt->source = TABLE_NONE;
	attempt->exposure = pair->aside;
	pair->aside = slot;
	pair->noted = true;
	return attempt;
}

static void
set_ends(struct pairs *p, struct pair *pair, const struct pair_key *key)
{
	struct ends *ends;

	pair->is_ipv6 = !is_v4(key);
	if (!pair->is_ipv6) {
		pair->ends[0] = v4_of(&key->outer);
		pair->ends[1] = v4_of(&key->inner);
		return;
	}
	pair->ends[0] = slab_take(&p->ends);
	ends = slab_at(&p->ends, pair->ends[0]);
	ends->outer = key->outer;
	ends->inner = key->inner;
}

/* Generation 0 must know of the others. */
static void
tell_first_generation(struct pairs *p, const struct pair_key *key,
    uint64_t hash)
{
	struct sought s = sought_of(key);

	find_generations(p, &s, hash);
	assert(s.found[0] != NULL);
	s.found[0]->more = true;
}

struct pair *
pairs_add(struct pairs *p, const struct pair_key *key, uint64_t hash,
    int64_t born_ms)
{
	uint32_t slot = slab_take(&p->pairs);
	struct pair *pair;

	if (slot == SLAB_NONE)
		return NULL;
	if (key->generation != 0)
		tell_first_generation(p, key, hash);
	pair = pairs_at(p, slot);
	pair->queue = (struct link){ WHEEL_NONE, WHEEL_NONE };
	pair->outer_port = key->outer_port;
	pair->inner_port = key->inner_port;
	pair->proto = key->proto;
	pair->internal = key->scope == SCOPE_INTERNAL;
	pair->generation = key->generation & 3U;
	pair->since_s = (uint32_t)floor_s(born_ms);
	pair->class = PAIR_UNANSWERED;
	pair->claimed = SIDE_NONE;
	pair->prior = SIDE_NONE;
	set_ends(p, pair, key);
	index_insert(&p->index, hash, slot);
	p->count++;
	p->undecided++;
	return pair;
}

/*
 * Entries go one after the other of a queue, and nobody asked for them lately:
 * fetches what the index has of the next one, and the one behind it. A guess:
 * all it changes is when a hash is made.
 */
static void
fetch_next(struct pairs *p, uint32_t next)
{
	struct pair_key key;
	const uint8_t *entry;

	p->next = next;
	if (next == WHEEL_NONE)
		return;
	key = pairs_key(p, pairs_at(p, next));
	p->next_hash = pairs_hash(p, &key);
	index_prefetch(&p->index, p->next_hash);
	next = wheel_behind(&p->wheel, next);
	if (next == WHEEL_NONE)
		return;
	entry = slab_at(&p->pairs, next);
	__builtin_prefetch(entry);
	__builtin_prefetch(entry + sizeof(struct pair) - 1);
}

void
pairs_remove(struct pairs *p, struct pair *pair)
{
	uint32_t slot = pairs_slot(p, pair);
	uint32_t next = wheel_behind(&p->wheel, slot);
	uint64_t hash = p->next_hash;

	take_out(p, pair);
	if (slot != p->next) {
		struct pair_key key = pairs_key(p, pair);

		hash = pairs_hash(p, &key);
	}
	fetch_next(p, next);
	index_remove(&p->index, hash, slot);
	if (pair->noted)
		slab_give(&p->attempts, pair->aside);
	if (pair->is_ipv6)
		slab_give(&p->ends, pair->ends[0]);
	p->undecided -= is_undecided((enum pair_class)pair->class);
	slab_give(&p->pairs, slot);
	p->count--;
}
