/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one ingest thread to the engine's: decoded datagrams, each with its
 * flow records, in the order they came. One thread puts, one takes; neither
 * ever waits in here. Nothing is allocated once it is made.
 *
 * It is empty, or full for some datagram, by records and by datagrams; an
 * empty one takes any datagram.
 */
#ifndef DAEMON_FLOW_QUEUE_H
#define DAEMON_FLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/flow.h"
#include "daemon/decoders.h"

/* Some 15 ms of what the engine takes at its fastest. */
#define FLOW_QUEUE_RECORDS   16384
#define FLOW_QUEUE_DATAGRAMS 4096

struct flow_queue;

/* owned: flow_queue_free(). NULL: no memory. */
struct flow_queue *flow_queue_new(void);
void flow_queue_free(struct flow_queue *q); /* takes NULL */

/* What flow_queue_new() allocates, in octets. */
size_t flow_queue_bytes(void);

/* The thread that puts: one datagram and its d->count records. Copied.
 * False: there is no room for it now. */
bool flow_queue_put(struct flow_queue *q, const struct decoded *d,
    const struct flow_record *records);

/* The thread that takes: the oldest datagram, and where its records are.
 * NULL: it is empty. Borrowed until flow_queue_take(). */
const struct decoded *flow_queue_first(const struct flow_queue *q,
    const struct flow_record **records);

/* The thread that takes: drops the oldest datagram. There is one. */
void flow_queue_take(struct flow_queue *q);

#endif
