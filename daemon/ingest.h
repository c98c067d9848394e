/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where datagrams come in: the sockets, in one thread or several.
 *
 * With one thread it is the caller's: its event loop receives, and each
 * datagram goes to sink.take at once. With several, each has a socket of every
 * address, decodes what the kernel gives it (udp_thread_of()), and queues it.
 * The caller's event loop takes all queues as one (merge.h) and gives
 * sink.take_decoded what was decoded.
 *
 * When a queue is full its thread waits and receives nothing: what does not
 * fit the kernel's buffer meanwhile is dropped and counted there
 * (datagrams_lost_kernel); ingest_waits tells that it happened.
 * A thread that gets nothing is asked, when the others' datagrams wait for it;
 * an idle program does nothing at all.
 * Nothing is allocated after ingest_listen().
 */
#ifndef DAEMON_INGEST_H
#define DAEMON_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/udp.h"
#include "daemon/merge.h"

#define INGEST_ADDRESSES_MAX 16

struct ingest;

/* Where it goes, all in the caller's event loop. */
struct ingest_sink {
	datagram_fn take;	 /* with one thread */
	decoded_fn take_decoded; /* with several */
	udp_flush_fn flushed;	 /* after some of them */
	void *arg;
};

/* base is borrowed, counters too: until ingest_free(). NULL: no memory. */
struct ingest *ingest_new(uint32_t threads, struct event_base *base,
    struct counters *counters);

/* Takes NULL; after ingest_stop(). */
void ingest_free(struct ingest *i);

/* What it allocates for so many threads and addresses, in octets. */
uint64_t ingest_bytes(uint32_t threads, uint32_t addresses);

/*
 * Opens an address; *port is the one it got. At most INGEST_ADDRESSES_MAX.
 * Only address, port and rcvbuf_bytes are read of config.
 * Errors: those of udp_open(), with errno.
 */
int ingest_listen(struct ingest *i, const struct udp_config *config,
    uint16_t *port) MUST_CHECK;

/* Begins; decoders is borrowed until ingest_stop(), and for as many threads.
 * Errors: ERR_NOMEM (no thread). */
int ingest_start(struct ingest *i, struct decoders *decoders,
    const struct ingest_sink *sink) MUST_CHECK;

/* Once a second: what the kernel dropped, what the threads counted. False: a
 * thread has failed. */
bool ingest_tick(struct ingest *i);

/* Ends the threads and gives the sink what they had received; closes the
 * sockets. The loop no longer runs. Takes NULL. */
void ingest_stop(struct ingest *i);

#endif
