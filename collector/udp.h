/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP sockets: datagrams in batches, under libevent.
 *
 * One socket an address; or one for each of several threads, among which the
 * kernel shares the datagrams out by their source address alone, so that an
 * exporter stays with its thread, whatever its source port. What the kernel
 * drops because its buffer is full is counted, not guessed: the buffer is
 * asked for large, and what was granted is logged. Buffers are allocated at
 * the start and never again.
 * This file and capture.c are where datagrams get their time.
 */
#ifndef COLLECTOR_UDP_H
#define COLLECTOR_UDP_H

#include <stdint.h>

#include "collector/datagram.h"
#include "common/counter.h"
#include "common/err.h"

#define UDP_RCVBUF_DEFAULT (32 * 1024 * 1024)

struct event_base;
struct udp;

struct udp_config {
	struct addr address;	   /* ::ffff:0.0.0.0 is every IPv4 address, */
	uint16_t port;		   /* :: every IPv6 address; port 0: any free */
	uint32_t rcvbuf_bytes;	   /* to ask for; 0: UDP_RCVBUF_DEFAULT */
	struct counters *counters; /* borrowed until udp_close() */
	/*
	 * How many sockets share the address, and which of them this is: they
	 * are opened in the order 0, 1, 2... on one port. With 0 or 1 it is
	 * alone.
	 */
	uint32_t threads;
	uint32_t thread;
};

/* Which of so many threads the kernel gives an exporter's datagrams to. It
 * depends on nothing else, and is the same after a restart. */
uint32_t udp_thread_of(const struct addr *source, uint32_t threads);

/* Called after each batch of datagrams. */
typedef void (*udp_flush_fn)(void *arg);

/*
 * Opens and binds the socket and adds it to base. From then on, in base's
 * loop, fn gets every datagram and flushed (may be NULL) every end of batch.
 * *out is owned: close with udp_close(), before base is freed.
 * Errors: ERR_NOMEM; ERR_IO, with errno (EADDRINUSE, EACCES, ...).
 */
int udp_open(struct event_base *base, const struct udp_config *config,
    datagram_fn fn, udp_flush_fn flushed, void *arg,
    struct udp **out) MUST_CHECK;
void udp_close(struct udp *u); /* takes NULL */

/* What udp_open() allocates, in octets. */
size_t udp_bytes(void);

/* The port it is bound to. */
uint16_t udp_port(const struct udp *u);

/* What the kernel granted for the receive buffer, in its own counting. */
uint32_t udp_rcvbuf_bytes(const struct udp *u);

/*
 * Adds what the kernel dropped since the last call to
 * datagrams_lost_kernel. Call it now and then: the number is the kernel's,
 * 32 bits.
 */
void udp_poll_drops(struct udp *u);

#endif
