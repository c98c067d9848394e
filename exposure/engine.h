/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: flow records in, findings out.
 *
 * It pairs the two halves of each conversation, says who opened it and what
 * the other side answered, keeps the exposure maps, and finds scans. It has
 * no socket, no clock, no SQL; after engine_new() it allocates nothing.
 * Time is data: it moves with the records' received_ms and engine_tick().
 * What it finds depends on the records, not on the hash key, nor on how they
 * are cut into batches. Several engines can run side by side.
 *
 * State is bounded by the configured maxima. When a table is full: silence
 * is shed first, then scan detail, exposure never; each is counted.
 */
#ifndef EXPOSURE_ENGINE_H
#define EXPOSURE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"
#include "common/addr.h"
#include "common/counter.h"
#include "common/hash.h"
#include "exposure/borders.h"
#include "exposure/finding.h"
#include "exposure/routing.h"

struct engine_config {
	struct prefix_set internal;   /* at least one network */
	struct border_list external;  /* interfaces that lead outside */
	struct routing_rules routing; /* tags for internal addresses */
	int64_t training_ms;	      /* 0: none, operation from the start */
	bool vet_baseline;	      /* the end of training authorises */
	bool internal_scope;	      /* judge inside-to-inside flows too */
	uint32_t max_pairs;	      /* conversations remembered */
	uint32_t max_sources;	      /* outside addresses remembered */
	uint32_t max_hosts;	      /* populated hosts */
	uint32_t max_exposures;
	uint32_t max_events; /* scan events waiting for the store */
	int64_t wait_ms;     /* W1: an answer may come so late; 0: as long as
			      * the exporter's timeouts ask for, or 2 min */
	int64_t revoke_ms;   /* W2: silence may be revoked so late; 0: as
			      * the exporter's timeouts ask for, or 1845 s */
	int64_t host_ttl_ms; /* a host unseen for so long is forgotten */
	int64_t stale_ms;    /* an exposure unseen for so long is stale */
	struct hash_key key; /* of the tables; random but in tests */
};

/* The defaults; no networks, key all zero. */
struct engine_config engine_config_default(void);

/* What engine_new() will allocate with these maxima, in octets. */
uint64_t engine_bytes(const struct engine_config *config);

/* A part of it. */
struct engine_table {
	const char *name; /* static */
	uint64_t octets;
	uint32_t entries;
	uint32_t max_at; /* where its maximum is in the config; 0: fixed */
};

#define ENGINE_TABLES_MAX 16

/* All there are but for the engine itself; returns how many. */
uint32_t engine_tables(const struct engine_config *config,
    struct engine_table out[ENGINE_TABLES_MAX]);

/* What a feed can and cannot show: learned (profiles.h), or configured. */
struct feed_profile {
	bool one_sided : 1; /* the other direction is not metered */
	bool sampled : 1;   /* 1 packet in N, N > 1 or unknown */
	bool partly : 1; /* an answer may be missing by chance: losses, paths */
	bool lossy : 1;	 /* records of the attempt's time got lost */
	bool unheard : 1; /* nobody listened when it began */
	bool unsure : 1;  /* too few samples yet to say that answers are seen */
	bool no_flags : 1;     /* tcpControlBits are always 0 or absent */
	bool merged_flags : 1; /* they are those of both directions, in one half
				*/
	bool shared_times : 1; /* both halves carry the same times */
	bool no_claims : 1;    /* a biflow's order and IE 239 say nothing */
	bool is_sampling_given : 1; /* whatever the records say of sampling */
};

struct engine;

/* owned: engine_free(). counters is borrowed. NULL: no memory. */
struct engine *engine_new(const struct engine_config *config,
    struct counters *counters);
void engine_free(struct engine *e); /* takes NULL */

/* Judges a batch. Cannot fail; what it cannot use it counts. */
void engine_take(struct engine *e, const struct flow_batch *batch);

/*
 * Somebody listens from this time on: what was exported before came to nobody.
 * An attempt that began before may have been answered in time, and is not
 * silent. Not called: nothing was missed, as in a capture.
 */
void engine_listen_from(struct engine *e, int64_t from_ms);

/* Moves time on without records: silence is found, things grow stale. */
void engine_tick(struct engine *e, int64_t now_ms);

/*
 * No more records will come: gives every open attempt its final verdict.
 * True when it stopped because scan events crowd: collect, and call again.
 */
bool engine_drain(struct engine *e);

/* Scan events crowd: collect soon, or silence is found later than it could. */
bool engine_is_crowded(const struct engine *e);

/* What changed of the map is more than signs of life: nem_has_news(). */
bool engine_has_news(const struct engine *e);

/*
 * Appends what changed since it was last collected, until the batch is full.
 * True when more is waiting.
 */
bool engine_collect(struct engine *e, struct finding_batch *batch);

/*
 * One finding of the store, before the first record; in the order the store
 * gives them. Errors: ERR_FULL (the table is smaller than it was; counted),
 * ERR_RANGE (a value that cannot be).
 */
int engine_restore(struct engine *e, const struct finding *f) MUST_CHECK;

/* Properties that are configured, and not learned. */
struct feed_override {
	uint32_t given; /* 1 << enum feed_property */
	int64_t values[FEED_PROPERTY_COUNT];
};

/* exporter: as in engine_set_profile(). */
void engine_override_feed(struct engine *e, uint32_t exporter,
    const struct feed_override *given);

/* Timeouts an exporter's options tell (IE 36, IE 37), seconds; 0: not told. */
void engine_tell_timeouts(struct engine *e, uint32_t exporter,
    uint32_t active_s, uint32_t idle_s);

/* All at once: nothing is learned of it any more.
 * exporter: an index as in flow records, below 65536. Ignored above. */
void engine_set_profile(struct engine *e, uint32_t exporter,
    const struct feed_profile *profile);

/* Whose number in flow records this is: its interfaces are configured by its
 * address. Ignored from 65536 on. */
void engine_name_exporter(struct engine *e, uint32_t exporter,
    const struct addr *address);

/* Which of config.routing hold for it; none until then. Ignored from 65536
 * on, and when there are no rules. */
void engine_route_exporter(struct engine *e, uint32_t exporter,
    const struct routing_match *match);

struct engine_trace; /* exposure/trace.h */
typedef void (*engine_trace_fn)(const struct engine_trace *t, void *arg);

/* Gets every step of every decision. fn NULL: no trace, as at the start. */
void engine_set_trace(struct engine *e, engine_trace_fn fn, void *arg);

struct engine_summary {
	int64_t clock_ms;
	int64_t training_until_ms; /* 0: no training, or no flow yet */
	enum phase phase;
	uint64_t hosts;
	uint64_t exposures; /* open ones */
	uint64_t pairs;
	uint64_t sources;
};
void engine_summary(const struct engine *e, struct engine_summary *out);

#endif
