/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each exporter's feed can and cannot show, learned from its records.
 *
 * A verdict is only as good as the feed: flags that are always zero are no
 * NULL scans, an unmetered direction is no silence. Learned per exporter
 * index, by counts that are halved now and then, so that a feed that changes
 * is seen to change; what was configured is never overruled.
 * A bounded array; nothing is allocated after profiles_new().
 */
#ifndef EXPOSURE_PROFILES_H
#define EXPOSURE_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"
#include "exposure/engine.h"
#include "exposure/evidence.h"
#include "exposure/finding.h"

#define PROFILES_MAX 65536

/* What was learned, and the samples behind it. */
struct feed_learned {
	enum feed_flags flags;
	enum feed_visibility visibility;
	bool shared_times;
	uint32_t flag_records;	    /* TCP records with flags */
	uint32_t visibility_halves; /* that must have had an answer */
	uint32_t visibility_found;  /* of these, with the answer */
	uint32_t time_pairs;	    /* with both halves, two packets each */
	uint32_t time_equal;	    /* of these, with equal times */
};

struct profiles;

/* owned: profiles_free(). NULL: no memory. */
struct profiles *profiles_new(void);
void profiles_free(struct profiles *p); /* takes NULL */
size_t profiles_bytes(void);

/* Configured: from now on nothing is learned of this exporter. */
void profiles_configure(struct profiles *p, uint32_t exporter,
    const struct feed_profile *profile);

/* A record, before it is judged. True: what is known of its flags changed. */
bool profiles_take(struct profiles *p, const struct flow_record *f);

/*
 * A TCP half with its other half, once for each; other may be absent.
 * same_end: both ended at the same time.
 */
void profiles_take_half(struct profiles *p, const struct half *half,
    const struct half *other, bool same_end);

/* What verdicts are to assume. exporter may be any number. */
struct feed_profile profiles_get(const struct profiles *p, uint32_t exporter);
struct feed_learned profiles_learned(const struct profiles *p,
    uint32_t exporter);

#endif
