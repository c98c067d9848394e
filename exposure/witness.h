/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversations that explain an exposure, and what changed it.
 *
 * Of each exposure at most WITNESSES_MAX, kept for what they explain: who
 * opened it, whose evidence is the best, who changed its tier, who came last.
 * Nothing is done for a record of a conversation that is counted already and
 * no witness. "Last" is true to LATEST_MS, so that a busy service is not
 * written anew with each client.
 * Bounded: one place for each slot of the exposure table. When there are more
 * witnesses than places, the earliest that only changed a tier goes.
 */
#ifndef EXPOSURE_WITNESS_H
#define EXPOSURE_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/counter.h"
#include "exposure/evidence.h"
#include "exposure/finding.h"
#include "exposure/nem.h"
#include "exposure/pairs.h"

struct engine;
struct look;
struct witnesses;

/* owned: witnesses_free(). NULL: no memory. counters is borrowed. */
struct witnesses *witnesses_new(uint32_t max_exposures,
    struct counters *counters);
void witnesses_free(struct witnesses *w); /* takes NULL */
size_t witnesses_bytes(uint32_t max_exposures);

/* What an exposure was before a conversation was accepted. */
struct witness_before {
	bool present;
	uint8_t tier;
	uint8_t rule;
	uint8_t confidence;
	uint64_t refused;
};

/* x NULL: there was none. */
struct witness_before witness_before(const struct exposure *x);

/* The pair, accepted by v, is counted in its exposure. */
void witness_accepted(struct engine *e, const struct look *look,
    const struct verdict *v, const struct witness_before *before,
    enum acceptance_effect effect);

/* It was refused, and its exposure was told. */
void witness_refused(struct engine *e, const struct look *look,
    const struct verdict *v, const struct witness_before *before);

/* It was not accepted after all; before its exposure is told. */
void witness_taken_back(struct engine *e, const struct look *look);

struct shown_half shown_half_of(const struct half *h, uint8_t proto);

/* Appends what changed, the exposures' own findings before; true when the
 * batch was too small. */
bool witnesses_collect(struct engine *e, struct finding_batch *batch);

/* After its exposure. Errors: ERR_RANGE. */
int witnesses_restore(struct engine *e, const struct finding *f) MUST_CHECK;

#endif
