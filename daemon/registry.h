/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exporters under one number for the whole life of the store's state.
 *
 * Each ingest thread's decoder numbers its exporters from 0 as they come, anew
 * at each start; who is meant is said by thread and index (decoders.h).
 * Findings restored from the store carry the numbers of its own list. The
 * registry begins with that list and gives a new number to whoever is not
 * in it, so that one number means one exporter on both sides.
 * Exporters that only their source port tells apart share a number: a port
 * is another after each start, and the store would never forget one.
 * Counts go on from what the store had.
 *
 * Hours are by the time received, and never go back: what is late counts in
 * the latest hour. With several threads, what they have decoded and the engine
 * has not taken yet counts already.
 * When full: further exporters have the number REGISTRY_UNKNOWN; what they
 * send is judged all the same, and its findings name no exporter.
 */
#ifndef DAEMON_REGISTRY_H
#define DAEMON_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/decoders.h"
#include "exposure/finding.h"

#define REGISTRY_MAX	 65536
#define REGISTRY_UNKNOWN UINT32_MAX

/* Findings an exporter can need at once: itself, an hour's end, an hour. */
#define REGISTRY_FINDINGS_EACH 3

struct registry;

/* owned: registry_free(). d is borrowed for its life. NULL: no memory. */
struct registry *registry_new(struct decoders *d);
void registry_free(struct registry *r); /* takes NULL */

/* What registry_new() allocates for so many threads, in octets. */
size_t registry_bytes(uint32_t threads);

/* One exporter of the store, in the order of its indexes; before any
 * datagram. One beyond REGISTRY_MAX is ignored. */
void registry_restore(struct registry *r, const struct finding_exporter *e);

/* Its latest hour; one of an exporter that is not known is ignored. */
void registry_restore_hour(struct registry *r,
    const struct finding_exporter_hour *h);

/*
 * A thread's decoder has met count exporters: numbers those that are new here.
 * True when there were any; *first is the decoder's index of the first. The
 * order of these calls is the order of the numbers.
 */
bool registry_update(struct registry *r, uint32_t thread, uint32_t count,
    uint32_t *first);

/* The number of a decoder's exporter; registry_update() came before. */
uint32_t registry_number(const struct registry *r, uint32_t thread,
    uint32_t decoder_index);

/* How many exporters of a thread's decoder have been numbered. */
uint32_t registry_met(const struct registry *r, uint32_t thread);

/* Who has a number of the store's list; address, domain, protocol are set.
 * NULL: nobody. Borrowed until the next call of a function here. */
const struct finding_exporter *registry_at(const struct registry *r,
    uint32_t number);

/* The number of an exporter some decoder has met, or REGISTRY_UNKNOWN. */
uint32_t registry_find(const struct registry *r, const struct addr *address,
    uint32_t domain, uint8_t protocol);

/* It is now_ms: what comes from here on counts in its hour. Costs nothing
 * within an hour. */
void registry_turn(struct registry *r, int64_t now_ms);

/* An hour has ended and is not appended yet; the next one cannot end. */
bool registry_is_turning(const struct registry *r);

/*
 * Appends a FINDING_EXPORTER for each exporter that changed since it was
 * last appended (each of the store's list once), each with its
 * FINDING_EXPORTER_HOUR; the rest waits for the next batch when this one is
 * full. Returns how many were appended.
 */
uint32_t registry_collect(struct registry *r, struct finding_batch *batch);

#endif
