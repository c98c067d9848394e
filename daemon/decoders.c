/* SPDX-License-Identifier: Apache-2.0 */
/* One decoder a thread, a lock each. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/udp.h"
#include "daemon/decoders.h"

static bool
is_shared(const struct decoders *d)
{
	return d->count > 1;
}

static void
lock(struct decoders *d, uint32_t thread)
{
	if (is_shared(d))
		pthread_mutex_lock(&d->locks[thread]);
}

static void
unlock(struct decoders *d, uint32_t thread)
{
	if (is_shared(d))
		pthread_mutex_unlock(&d->locks[thread]);
}

static size_t
shares_bytes(uint32_t threads)
{
	return threads > 1 ? threads * sizeof(struct counter_share) : 0;
}

static struct counters *
counters_of(struct decoders *d, uint32_t thread)
{
	return d->shares != NULL ? &d->shares[thread].own : d->sum;
}

struct decoders *
decoders_new(const struct decoder_config *config, uint32_t threads,
    struct counters *counters)
{
	struct decoders *d = calloc(1, sizeof(*d));
	size_t octets = shares_bytes(threads);

	assert(threads >= 1 && threads <= INGEST_THREADS_MAX);
	if (d == NULL)
		return NULL;
	d->count = threads;
	d->sum = counters;
	for (uint32_t i = 0; i < threads; i++)
		pthread_mutex_init(&d->locks[i], NULL);
	if (octets != 0) {
		d->shares =
		    aligned_alloc(_Alignof(struct counter_share), octets);
		if (d->shares == NULL) {
			decoders_free(d);
			return NULL;
		}
		memset(d->shares, 0, octets);
	}
	for (uint32_t i = 0; i < threads; i++) {
		d->of[i] = decoder_new(config, counters_of(d, i));
		if (d->of[i] == NULL) {
			decoders_free(d);
			return NULL;
		}
	}
	return d;
}

void
decoders_free(struct decoders *d)
{
	if (d == NULL)
		return;
	for (uint32_t i = 0; i < d->count; i++) {
		decoder_free(d->of[i]);
		pthread_mutex_destroy(&d->locks[i]);
	}
	free(d->shares);
	free(d);
}

uint64_t
decoders_bytes(const struct decoder_config *config, uint32_t threads)
{
	return sizeof(struct decoders) + shares_bytes(threads) +
	       threads * decoder_bytes(config);
}

struct decoded
decoders_decode(struct decoders *d, const struct datagram *in,
    struct flow_batch *batch)
{
	uint32_t before = batch->count;
	struct decoded out = { .received_ms = in->received_ms,
		.source = in->source,
		.thread = udp_thread_of(&in->source, d->count) };

	lock(d, out.thread);
	out.status = decoder_decode(d->of[out.thread], in, batch);
	out.exporters = decoder_exporter_count(d->of[out.thread]);
	unlock(d, out.thread);
	out.count = batch->count - before;
	return out;
}

void
decoders_accept_any(struct decoders *d, bool accept)
{
	for (uint32_t i = 0; i < d->count; i++) {
		lock(d, i);
		decoder_accept_any(d->of[i], accept);
		unlock(d, i);
	}
}

uint32_t
decoders_exporter_count(struct decoders *d, uint32_t thread)
{
	uint32_t count;

	lock(d, thread);
	count = decoder_exporter_count(d->of[thread]);
	unlock(d, thread);
	return count;
}

struct exporter_info
decoders_exporter(struct decoders *d, uint32_t thread, uint32_t index)
{
	struct exporter_info info;

	lock(d, thread);
	info = decoder_exporter(d->of[thread], index);
	unlock(d, thread);
	return info;
}

bool
decoders_memory_next(struct decoders *d, struct decoder_memory *out)
{
	bool is_there = false;

	for (uint32_t i = 0; i < d->count && !is_there; i++) {
		lock(d, i);
		is_there =
		    decoder_memory_next(d->of[i], &d->memory_cursors[i], out);
		unlock(d, i);
	}
	return is_there;
}

int
decoders_remember(struct decoders *d, const struct decoder_memory *m)
{
	uint32_t thread = udp_thread_of(&m->address, d->count);
	int err;

	lock(d, thread);
	err = decoder_remember(d->of[thread], m);
	unlock(d, thread);
	return err;
}

void
decoders_sum(struct decoders *d)
{
	for (uint32_t i = 0; d->shares != NULL && i < d->count; i++)
		counter_share_tell(&d->shares[i], d->sum);
}
