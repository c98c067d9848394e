/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams of the ingest threads, taken as one: in the order of receive
 * time, then exporter's address, then place in the stream. So what the engine
 * sees does not depend on how many threads there are, or which is ahead.
 *
 * A datagram is taken once nothing can come before it: every other stream has
 * one too, or is known to be complete up to its time. A stream's own order is
 * kept as it is. One that claims to come from more than a second ahead is not
 * waited for: the clock was set back.
 * It never asks the clock, and knows no thread.
 */
#ifndef DAEMON_MERGE_H
#define DAEMON_MERGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/flow_queue.h"

/* What a call takes at most, so that others get their turn: the store's writer
 * its batch, the tick, signals. */
#define MERGE_DATAGRAMS_MAX 256

struct merge_stream {
	struct flow_queue *queue;
	/* Set by the stream's thread, after putting: what was received until
	 * then has all been put. INT64_MAX: it has ended. */
	_Atomic int64_t complete_ms;
};

/* Takes one datagram. Both are borrowed until it returns. */
typedef void (*decoded_fn)(const struct decoded *d,
    const struct flow_record *records, void *arg);

/* Why a call ended. */
struct merge_rest {
	bool more;    /* only for MERGE_DATAGRAMS_MAX */
	bool waiting; /* one of waiting_ms is there, and */
	int64_t waiting_ms;
	uint32_t missing; /* these streams may hold an earlier one: bits */
};

/* Gives fn what can be taken. It is now_ms. Returns how many. */
uint32_t merge_take(struct merge_stream *const streams[], uint32_t count,
    int64_t now_ms, decoded_fn fn, void *arg, struct merge_rest *rest);

#endif
