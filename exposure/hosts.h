/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Populated hosts (C5): internal addresses that were seen to send anything.
 * An address not here is darkspace; a port of a host here that is not in its
 * HEM is a darkport.
 * A bounded table. When full: a new host is not kept, and counted.
 */
#ifndef EXPOSURE_HOSTS_H
#define EXPOSURE_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counter.h"
#include "exposure/engine.h"
#include "exposure/finding.h"

struct hosts;

/* owned: hosts_free(). NULL: no memory. config is copied. */
struct hosts *hosts_new(const struct engine_config *config,
    struct counters *counters);
void hosts_free(struct hosts *h); /* takes NULL */
size_t hosts_bytes(uint32_t max);

/* The hash of an address, and the fetching of what hosts_seen() will read. */
uint64_t hosts_hash(const struct hosts *h, const struct addr *address);
void hosts_prefetch(const struct hosts *h, uint64_t hash);
void hosts_prefetch_entry(const struct hosts *h, uint64_t hash);

void hosts_seen(struct hosts *h, const struct addr *address, uint64_t hash,
    int64_t start_ms, int64_t end_ms);
bool hosts_has(const struct hosts *h, const struct addr *address);

/* 0 for an unknown one. */
int64_t hosts_first_seen(const struct hosts *h, const struct addr *address);

/* Forgets those unseen for host_ttl_ms. */
void hosts_age(struct hosts *h, int64_t now_ms);

/* Appends those that changed; true when the batch was too small. */
bool hosts_collect(struct hosts *h, struct finding_batch *batch);

/* Errors: ERR_FULL; ERR_RANGE (twice the same, or impossible times). */
int hosts_restore(struct hosts *h, const struct finding_host *f) MUST_CHECK;

uint32_t hosts_count(const struct hosts *h);

#endif
