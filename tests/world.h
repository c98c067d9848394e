/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine under test, with a store made of arrays: findings are applied as
 * the real store applies them, so that tests look at the state they leave.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "exposure/engine.h"

#define WORLD_MAX 8192

struct world {
	struct engine *engine;
	struct engine_config config;
	struct counters counters;
	struct flow_batch *flows;
	struct finding_batch *batch;
	struct finding_engine state;
	struct finding_exposure exposures[WORLD_MAX];
	struct finding_trans_darkport alerts[WORLD_MAX];
	struct finding_scan_event events[WORLD_MAX];
	struct finding_witness witnesses[WORLD_MAX];
	struct finding_change changes[WORLD_MAX];
	struct finding_host hosts[WORLD_MAX];
	struct finding_host_guard guards[WORLD_MAX];
	struct finding_outcome outcomes[WORLD_MAX];
	uint32_t witness_count, change_count;
	uint32_t exposure_count, alert_count, event_count, host_count;
	uint32_t guard_count, outcome_count;
	struct finding_feed feeds[WORLD_MAX];
	struct finding_feed_event feed_events[WORLD_MAX];
	uint32_t feed_count, feed_event_count;
	bool without_events; /* there are too many of them to be kept */
};

/* The time at which the worlds begin. */
#define WORLD_MS INT64_C(1700000000000)

/* 10.0.0.0/8 and 2001:db8:a::/48 are internal. Free with world_free(). */
struct world *world_new(int64_t training_ms);
struct world *world_new_with(const struct engine_config *config);
void world_free(struct world *w);

/* Says of exporters r1 to r4 that the answers to what they show are seen, too:
 * until some are, nothing is silent. */
void world_show_both(struct world *w);

/* The default configuration of a world. */
struct engine_config world_config(int64_t training_ms);

/*
 * One record, in the words of the case table; times count from WORLD_MS:
 * start_ms is the flow's, at_ms when it is received.
 */
void world_flow(struct world *w, int64_t at_ms, const char *text);

/* SYN from client, and its answer: 'a'ccepted, 'r'efused, 's'ilent. */
void world_attempt(struct world *w, int64_t at_ms, const char *client,
    const char *server, char answer);

/* Collects all findings. */
void world_collect(struct world *w);
void world_tick(struct world *w, int64_t at_ms);
void world_drain(struct world *w);

/* A new engine from what this one's findings left. */
void world_restart(struct world *w);

/* NULL when there is none; with several, the last. */
const struct finding_exposure *world_exposure(const struct world *w,
    const char *host, uint16_t port);
const struct finding_trans_darkport *world_alert(const struct world *w,
    const char *host, uint16_t port);
const struct finding_scan_event *world_event(const struct world *w,
    const char *src, const char *dst, uint16_t port);

/* The witness of an exposure that has this role; NULL: none. */
const struct witness *world_witness(const struct world *w, uint64_t exposure_id,
    enum witness_role role);

/* The change at this place; NULL: none. */
const struct change *world_change(const struct world *w, uint64_t exposure_id,
    unsigned index);

/* Attempts of all hours with this outcome. */
uint64_t world_outcomes(const struct world *w, enum outcome outcome);

#endif
