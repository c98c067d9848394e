/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoders of all ingest threads, as one.
 *
 * Each thread has a decoder of its own, with the whole of the configured
 * limits, so that no exporter is refused that one thread alone would take.
 * Whose decoder an exporter is in follows from its address alone, by
 * udp_thread_of(): what is known of it is in one place, also when a capture
 * is read, or templates come back from the store.
 * An exporter is known here by its thread and the decoder's index.
 *
 * With one thread nothing is locked, and its counts go where they belong at
 * once. With several, each decoder has a lock, taken for one datagram or one
 * question, and counts of its own. Every function but decoders_decode() is
 * for the thread of the engine.
 */
#ifndef DAEMON_DECODERS_H
#define DAEMON_DECODERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/decoder.h"
#include "common/counter.h"

#define INGEST_THREADS_MAX 16

/* What one decoder can number: its domains of all exporters together. */
#define DECODER_EXPORTERS_MAX 4096

/* What became of one datagram. */
struct decoded {
	int64_t received_ms;
	struct addr source;
	uint32_t thread;    /* whose decoder it was */
	uint32_t exporters; /* that that decoder knows, this one's included */
	uint32_t count;	    /* flow records it gave */
	enum decode_status status;
};

/* Read it; to change is for the functions here. */
struct decoders {
	uint32_t count;
	struct decoder *of[INGEST_THREADS_MAX];
	struct counters *sum;			   /* borrowed */
	struct counter_share *shares;		   /* NULL with one thread */
	pthread_mutex_t locks[INGEST_THREADS_MAX]; /* with several */
	uint32_t memory_cursors[INGEST_THREADS_MAX];
};

/* config is copied, counters borrowed. owned: decoders_free(). NULL: no
 * memory. */
struct decoders *decoders_new(const struct decoder_config *config,
    uint32_t threads, struct counters *counters);
void decoders_free(struct decoders *d); /* takes NULL */

/* What decoders_new() allocates, in octets, the library's aside. */
uint64_t decoders_bytes(const struct decoder_config *config, uint32_t threads);

/* Any thread: decoder_decode(), by the decoder of the source. */
struct decoded decoders_decode(struct decoders *d, const struct datagram *in,
    struct flow_batch *batch);

/* decoder_accept_any(), of all. */
void decoders_accept_any(struct decoders *d, bool accept);

/* decoder_exporter_count() and decoder_exporter(), of a thread's. */
uint32_t decoders_exporter_count(struct decoders *d, uint32_t thread);
struct exporter_info decoders_exporter(struct decoders *d, uint32_t thread,
    uint32_t index);

/* decoder_memory_next(), of all; decoder_remember(), by the one whose it is. */
bool decoders_memory_next(struct decoders *d, struct decoder_memory *out);
int decoders_remember(struct decoders *d,
    const struct decoder_memory *m) MUST_CHECK;

/* Adds what the threads have counted since the last call. */
void decoders_sum(struct decoders *d);

#endif
