/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of datagrams, and a ring of records that they lie in. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/flow_queue.h"

/*
 * A datagram's records lie side by side: they begin before FLOW_QUEUE_RECORDS,
 * and may go on behind it. Then the next ones begin at 0.
 */
#define RECORDS_ROOM (FLOW_QUEUE_RECORDS + FLOW_DATAGRAM_MAX)

struct entry {
	struct decoded decoded;
	uint32_t at; /* of its first record */
};

struct flow_queue {
	/* how many datagrams ever; each on a cache line of its writer */
	_Alignas(64) _Atomic uint32_t put;
	uint32_t next; /* where the next record goes */
	_Alignas(64) _Atomic uint32_t taken;
	_Alignas(64) struct entry entries[FLOW_QUEUE_DATAGRAMS];
	struct flow_record records[RECORDS_ROOM];
};

struct flow_queue *
flow_queue_new(void)
{
	struct flow_queue *q =
	    aligned_alloc(_Alignof(struct flow_queue), sizeof(*q));

	if (q == NULL)
		return NULL;
	atomic_init(&q->put, 0);
	atomic_init(&q->taken, 0);
	q->next = 0;
	return q;
}

void
flow_queue_free(struct flow_queue *q)
{
	free(q);
}

size_t
flow_queue_bytes(void)
{
	return sizeof(struct flow_queue);
}

static struct entry *
entry_at(struct flow_queue *q, uint32_t number)
{
	static_assert((FLOW_QUEUE_DATAGRAMS & (FLOW_QUEUE_DATAGRAMS - 1)) == 0,
	    "numbers wrap around");
	return &q->entries[number % FLOW_QUEUE_DATAGRAMS];
}

/* The oldest record there is begins at `oldest`, the next would at next. */
static bool
has_room(const struct flow_queue *q, uint32_t oldest, uint32_t count)
{
	if (q->next > oldest)
		return true; /* up to the end, and all that is behind it */
	return q->next + count <= oldest;
}

bool
flow_queue_put(struct flow_queue *q, const struct decoded *d,
    const struct flow_record *records)
{
	uint32_t put = atomic_load_explicit(&q->put, memory_order_relaxed);
	uint32_t taken = atomic_load_explicit(&q->taken, memory_order_acquire);
	struct entry *e = entry_at(q, put);

	assert(d->count <= FLOW_DATAGRAM_MAX);
	if (put - taken == FLOW_QUEUE_DATAGRAMS)
		return false;
	if (put != taken && !has_room(q, entry_at(q, taken)->at, d->count))
		return false;
	e->decoded = *d;
	e->at = q->next;
	memcpy(&q->records[q->next], records, d->count * sizeof(*records));
	q->next += d->count;
	if (q->next >= FLOW_QUEUE_RECORDS)
		q->next = 0;
	atomic_store_explicit(&q->put, put + 1, memory_order_release);
	return true;
}

const struct decoded *
flow_queue_first(const struct flow_queue *q, const struct flow_record **records)
{
	uint32_t taken = atomic_load_explicit(&q->taken, memory_order_relaxed);
	const struct entry *e = &q->entries[taken % FLOW_QUEUE_DATAGRAMS];

	if (taken == atomic_load_explicit(&q->put, memory_order_acquire))
		return NULL;
	*records = &q->records[e->at];
	return &e->decoded;
}

void
flow_queue_take(struct flow_queue *q)
{
	uint32_t taken = atomic_load_explicit(&q->taken, memory_order_relaxed);

	atomic_store_explicit(&q->taken, taken + 1, memory_order_release);
}
