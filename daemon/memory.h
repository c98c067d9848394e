/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's memory: how much it will be, how memory_limit is shared out,
 * and taking it at the start.
 *
 * Every table has a maximum, so all of it is known beforehand. It is taken
 * before the first datagram: a machine that does not have it says so then,
 * and what a flood brings later needs no more. The store's cache alone grows
 * as it is used; half of it is counted, and it is at most an eighth of the
 * whole. The API process is not in it.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <stdint.h>

#include "common/err.h"
#include "daemon/config.h"

/* The resident memory of a daemon with this configuration, in octets. */
uint64_t memory_octets(const struct config *c);

/* What the store's cache may take of it. */
uint64_t memory_cache_octets(const struct config *c);

/*
 * Sizes those tables of the engine that nobody gave a size, so that the
 * whole is as large as memory_limit allows; without a limit, leaves them.
 * They keep the proportions of their defaults, in entries: of 16, 8 pairs,
 * 4 sources, 2 events, 1 host, 1 exposure.
 * Errors: ERR_RANGE: the limit is too small; *least is what it must be.
 */
int memory_share(struct config *c, uint64_t *least) MUST_CHECK;

/*
 * Makes all memory that was allocated until now resident. Before threads are
 * started: it would take their stacks, too. expected: memory_octets(); a
 * process with much more, as sanitizers make it, is left alone.
 */
void memory_take(uint64_t expected);

#endif
