/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host guards: an address on which everything answers is no host with many
 * services but a SYN proxy or a tarpit before it or in its place. When more
 * than GUARD_PORTS ports of one address accept within GUARD_WINDOW_MS and
 * none of them shows data, or its map has GUARD_PORTS_MAX ports, its map is
 * frozen: what answers without data adds no port to it any more; beyond
 * GUARD_PORTS_MAX nothing does. The guard ends when nothing was turned away
 * for GUARD_QUIET_MS.
 *
 * A bounded table of the addresses that have exposures. When full: a new one
 * has no guard; the exposure table bounds what it can fill.
 */
#ifndef EXPOSURE_GUARDS_H
#define EXPOSURE_GUARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"
#include "exposure/finding.h"

#define GUARD_PORTS	200
#define GUARD_WINDOW_MS 600000
#define GUARD_QUIET_MS	3600000
#define GUARD_PORTS_MAX 4096

struct guards;

/* owned: guards_free(). NULL: no memory. */
struct guards *guards_new(uint32_t max, const struct hash_key *key);
void guards_free(struct guards *g); /* takes NULL */
size_t guards_bytes(uint32_t max);

/* A port entered the map of a host, or left it. */
void guards_port_entered(struct guards *g, const struct addr *host);
void guards_port_left(struct guards *g, const struct addr *host);

/*
 * A port that had entered at ts_ms showed no data. True: that is one too
 * many, and the map is frozen from now on; *from_ms is since when the bare
 * ports came that made it so.
 */
bool guards_port_bare(struct guards *g, const struct addr *host, int64_t ts_ms,
    int64_t *from_ms);

/* That port showed data after all. */
void guards_port_used(struct guards *g, const struct addr *host, int64_t ts_ms);

/* One more port may enter the map of this host. False: its map is frozen and
 * the port is bare, or has no room; it is frozen from now on at the latest. */
bool guards_admit(struct guards *g, const struct addr *host, bool is_bare,
    int64_t ts_ms);

/* Ends guards that have been quiet. */
void guards_age(struct guards *g, int64_t now_ms);

/* Appends what changed as FINDING_HOST_GUARD; true when there was no room. */
bool guards_collect(struct guards *g, struct finding_batch *batch);

/* One that has not ended; after the host's exposures. Errors: ERR_FULL;
 * ERR_RANGE (twice the same, or impossible times). */
int guards_restore(struct guards *g,
    const struct finding_host_guard *f) MUST_CHECK;

uint32_t guards_frozen_count(const struct guards *g);

#endif
