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

/* What some of it is for. */
struct memory_part {
	const char *name; /* static */
	uint64_t octets;
	uint64_t entries; /* 0: it is no table */
};

#define MEMORY_PARTS_MAX (ENGINE_TABLES_MAX + 8)

/* All of it, for this configuration; returns how many parts. */
uint32_t memory_parts(const struct config *c,
    struct memory_part out[MEMORY_PARTS_MAX]);

/* Their sum: the resident memory of the daemon, in octets. */
uint64_t memory_octets(const struct config *c);

/* A line for each part, and the sum. */
void memory_log(const struct config *c);

/*
 * The entries of the tables that k, a CONFIG_TABLE, sizes: as many as fit into
 * octets. Errors: ERR_RANGE: not even the least; *octets is what that takes.
 */
int memory_entries(const struct config_keyword *k, uint64_t *octets,
    uint32_t *entries) MUST_CHECK;

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
