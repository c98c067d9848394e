/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each exporter's feed can and cannot show, learned from its records.
 *
 * A verdict is only as good as the feed: flags that are always zero are no
 * NULL scans, an unmetered direction is no silence. Learned per exporter
 * index, by counts that are halved now and then, so that a feed that changes
 * is seen to change; what was configured is never overruled. Each change of
 * a property is an event.
 * Bounded, nothing is allocated after profiles_new(). When full: of exporters
 * beyond FEEDS_MAX nothing is learned; events beyond FEED_EVENTS_MAX that
 * wait to be collected are dropped and counted.
 */
#ifndef EXPOSURE_PROFILES_H
#define EXPOSURE_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"
#include "exposure/engine.h"
#include "exposure/evidence.h"
#include "exposure/finding.h"

#define PROFILES_MAX 65536 /* exporter indexes */

/* Exporters of which something is kept: what the decoder tells apart. */
#define FEEDS_MAX 4096

/* Networks of all of them of which visibility is kept. */
#define FEED_NETWORKS_MAX 65536
#define FEED_EVENTS_MAX	  1024

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

/* owned: profiles_free(). networks is borrowed, for its life; NULL: none.
 * counters is borrowed. NULL: no memory. */
struct profiles *profiles_new(const struct prefix_set *networks,
    struct counters *counters);
void profiles_free(struct profiles *p); /* takes NULL */
size_t profiles_bytes(void);

/* Configured: from now on nothing of what is given is learned. */
void profiles_configure(struct profiles *p, uint32_t exporter,
    const struct feed_override *given);

/* All of a profile, at once: what engine_set_profile() gives. */
void profiles_force(struct profiles *p, uint32_t exporter,
    const struct feed_profile *profile);

/* Told by the exporter's options, IE 36 and 37; 0: not told. */
void profiles_tell_timeouts(struct profiles *p, uint32_t exporter,
    uint32_t active_s, uint32_t idle_s, int64_t now_ms);

/*
 * A record, before it is judged. Returns what to add to its times: how far
 * its exporter's clock is off.
 */
int64_t profiles_take(struct profiles *p, const struct flow_record *f);

/*
 * A TCP half with its other half, once for each; other may be absent.
 * same_end: both ended at the same time. network: of the inner end; NULL:
 * both ends are inside, which tells nothing of answers to the outside.
 */
void profiles_take_half(struct profiles *p, const struct half *half,
    const struct half *other, bool same_end, const struct network *network,
    int64_t now_ms);

/*
 * A conversation had both halves, of any protocol; exporter: of its outer
 * half. Its feed shows answers, be it another exporter that does. is_inside:
 * between inner ends.
 */
void profiles_take_answer(struct profiles *p, uint32_t exporter,
    bool is_inside);

/* True, once, when a feed showed its first answer: what was not silence
 * before may be. */
bool profiles_take_first_answers(struct profiles *p);

/* A biflow said who opened it, and its flags say the same, or not. */
void profiles_take_claim(struct profiles *p, uint32_t exporter,
    bool is_contradicted, int64_t now_ms);

/* What verdicts are to assume. exporter may be any number. */
struct feed_profile profiles_get(const struct profiles *p, uint32_t exporter);

/*
 * The same for an answer to a half of this exporter that did not come, from
 * this network (NULL: both ends are inside), since from_ms. Before any answer
 * was seen, it may be missing by chance (partly).
 */
struct feed_profile profiles_missing(const struct profiles *p,
    uint32_t exporter, const struct network *network, int64_t from_ms);

/* W1: so late may a half come. 0: nothing is known of its timeouts. */
int64_t profiles_wait_ms(const struct profiles *p, uint32_t exporter);

/* W2: so late may a half of a long connection come, not below W1. 0: nothing
 * is known of its active timeout. */
int64_t profiles_revoke_ms(const struct profiles *p, uint32_t exporter);

struct feed_learned profiles_learned(const struct profiles *p,
    uint32_t exporter);

/* Appends what changed; true when the batch was too small. */
bool profiles_collect(struct profiles *p, struct finding_batch *batch,
    int64_t now_ms);

/* All samples so far are worth keeping: no more records will come. */
void profiles_settle(struct profiles *p);

/* Goes on with one of the store's. Errors: ERR_RANGE, ERR_FULL. */
int profiles_restore(struct profiles *p, const struct finding_feed *f);

#endif
