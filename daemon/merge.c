/* SPDX-License-Identifier: Apache-2.0 */
/* Which stream's first datagram is next, and whether it may be taken yet. */
#include "daemon/merge.h"

#define AHEAD_MAX_MS 1000

/* The first datagrams of all streams, at one moment. */
struct heads {
	const struct decoded *least; /* NULL: nothing is there */
	const struct flow_record *records;
	uint32_t stream; /* its */
	/* of the streams with nothing: */
	uint32_t empty; /* bits */
	int64_t complete_ms[INGEST_THREADS_MAX];
};

static bool
is_before(const struct decoded *a, const struct decoded *b)
{
	if (a->received_ms != b->received_ms)
		return a->received_ms < b->received_ms;
	return addr_compare(&a->source, &b->source) < 0;
}

/* complete_ms is read ahead of the queue: what it speaks of is seen there. */
static void
look(struct merge_stream *const streams[], uint32_t count, struct heads *out)
{
	out->least = NULL;
	out->empty = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct flow_record *records;
		const struct decoded *first;

		out->complete_ms[i] =
		    atomic_load_explicit(&streams[i]->complete_ms,
			memory_order_acquire);
		first = flow_queue_first(streams[i]->queue, &records);
		if (first == NULL) {
			out->empty |= 1U << i;
		} else if (out->least == NULL || is_before(first, out->least)) {
			out->least = first;
			out->records = records;
			out->stream = i;
		}
	}
}

/* The empty streams that may still bring something earlier: bits. */
static uint32_t
missing_of(const struct heads *h, uint32_t count, int64_t now_ms)
{
	int64_t at_ms = h->least->received_ms;
	uint32_t missing = 0;

	if (at_ms > now_ms && at_ms - now_ms > AHEAD_MAX_MS)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		if ((h->empty & 1U << i) != 0 && h->complete_ms[i] < at_ms)
			missing |= 1U << i;
	return missing;
}

uint32_t
merge_take(struct merge_stream *const streams[], uint32_t count, int64_t now_ms,
    decoded_fn fn, void *arg, struct merge_rest *rest)
{
	uint32_t taken;
	struct heads h;

	*rest = (struct merge_rest){ .more = false };
	for (taken = 0; taken < MERGE_DATAGRAMS_MAX; taken++) {
		look(streams, count, &h);
		if (h.least == NULL)
			return taken;
		rest->missing = missing_of(&h, count, now_ms);
		if (rest->missing != 0) {
			rest->waiting = true;
			rest->waiting_ms = h.least->received_ms;
			return taken;
		}
		fn(h.least, h.records, arg);
		flow_queue_take(streams[h.stream]->queue);
	}
	rest->more = true;
	return taken;
}
