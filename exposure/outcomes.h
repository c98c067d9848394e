/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many conversations came out how, by which rule, in each hour, and which
 * exporter showed them.
 *
 * A bounded table keyed by (hour, exporter, outcome, rule, reason): an
 * exporter has some 30 rows an hour. When full: the earliest
 * hour the store has already makes room, and what still comes for it, or for
 * an hour before it, is counted under the hour behind it, so that an absolute
 * count already stored is never overwritten by a smaller one.
 */
#ifndef EXPOSURE_OUTCOMES_H
#define EXPOSURE_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/hash.h"
#include "exposure/finding.h"

#define OUTCOMES_MAX 32768

/* Exporters from here on are counted together, as nobody. */
#define OUTCOMES_NOBODY UINT16_MAX

/* What is counted. */
struct outcome_kind {
	uint16_t exporter; /* outcomes_exporter() */
	uint8_t outcome;
	uint8_t rule;
	uint8_t reason;
};

/* An index as flow records have it, as it is counted. */
static inline uint16_t
outcomes_exporter(uint32_t index)
{
	return index < OUTCOMES_NOBODY ? (uint16_t)index : OUTCOMES_NOBODY;
}

struct outcomes;

/* owned: outcomes_free(). NULL: no memory. */
struct outcomes *outcomes_new(const struct hash_key *key);
void outcomes_free(struct outcomes *o); /* takes NULL */
size_t outcomes_bytes(void);

/* Counts one that began at ts_ms. */
void outcomes_add(struct outcomes *o, int64_t ts_ms, struct outcome_kind kind);

/* Takes one back that was counted at ts_ms. */
void outcomes_take_back(struct outcomes *o, int64_t ts_ms,
    struct outcome_kind kind);

/* One that turns out to have begun at another time is counted elsewhere:
 * take it back and add it again. */
bool outcomes_moves(int64_t before_ms, int64_t after_ms);

/* Appends those that changed; true when the batch was too small. */
bool outcomes_collect(struct outcomes *o, struct finding_batch *batch);

/*
 * The store goes on from clock_ms, and gives back the hours that begin within
 * the two hours before it: what comes for earlier ones counts under those.
 */
void outcomes_begin(struct outcomes *o, int64_t clock_ms);

/*
 * One of the store's; hours before the earliest restored count under it.
 * Errors: ERR_RANGE (twice the same, no such outcome or rule, no such hour),
 * ERR_FULL.
 */
int outcomes_restore(struct outcomes *o,
    const struct finding_outcome *f) MUST_CHECK;

#endif
