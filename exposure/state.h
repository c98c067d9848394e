/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state, for the files that make up the engine. */
#ifndef EXPOSURE_STATE_H
#define EXPOSURE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "exposure/borders.h"
#include "exposure/engine.h"
#include "exposure/events.h"
#include "exposure/fan_ins.h"
#include "exposure/hosts.h"
#include "exposure/icmp_errors.h"
#include "exposure/listeners.h"
#include "exposure/nem.h"
#include "exposure/outcomes.h"
#include "exposure/pairs.h"
#include "exposure/pinholes.h"
#include "exposure/profiles.h"
#include "exposure/protocol.h"
#include "exposure/routing.h"
#include "exposure/scope.h"
#include "exposure/sources.h"
#include "exposure/tracer.h"
#include "exposure/witness.h"

/*
 * Work that strangers can make long, in one second of the data's time: looks
 * at a source's other conversations, at the exposures it opened. Some 50 ns
 * each. Beyond it an ICMP error is ambiguous, and what a source's standing
 * changes is found when its conversations end.
 */
#define STEPS_MAX 1048576

/* W1 while nothing is known: 15 s idle, 64 s of SYN-ACK retries, 30 s. */
#define DEFAULT_WAIT_MS 120000

struct engine {
	struct engine_config config;
	struct scope internal;	   /* of config.internal */
	struct counters *counters; /* borrowed */
	struct pairs *pairs;
	struct sources *sources;
	struct nem *nem;
	struct icmp_errors *errors;
	struct pinholes *pinholes;
	struct pinholes *openers; /* of TCP, by their SYN */
	struct outcomes *outcomes;
	struct events *events;
	struct profiles *profiles;
	struct fan_ins *fan_ins;
	struct witnesses *witnesses;
	struct borders *borders;
	struct routing *routing; /* NULL: no rules, no tags */
	struct listeners *listeners;
	int64_t clock_ms;
	int64_t ahead_ms;	  /* of the timers before the clock */
	int64_t listen_ms;	  /* engine_listen_from(); 0: always */
	int64_t training_from_ms; /* 0: no flow yet */
	int64_t operation_from_ms;
	uint64_t next_event_id;
	uint32_t steps; /* left of STEPS_MAX in this second of the data */
	bool baseline_vetted;
	bool networks_collected;
	bool state_dirty;
	bool control_is_news; /* FTP's, of the pair that is followed */
	bool no_short_way;    /* for tests: every record goes the long one,
			       * and no half waits unjudged */
	uint64_t short_ways;  /* records that took it */
	engine_trace_fn trace;
	void *trace_arg;
	bool traced_before; /* traced is what the exposure was */
	struct finding_exposure traced;
};

/* A pair that is looked at, and what was looked up for it. */
struct look {
	struct pair *pair;
	struct pair_key key;
	struct exposure *x; /* the map's at its inner end; NULL: none */
};

/*
 * engine.c: time, findings. take.c: records. judge.c: verdicts and what
 * follows. scan.c: scan events.
 */

/* Time moves to a record's. Removes pairs, ages the maps. */
void engine_advance(struct engine *e, int64_t now_ms);

/* W1 of an exporter: so late may an answer come. */
int64_t engine_wait_ms(const struct engine *e, uint32_t exporter);

/* When operation begins follows from training_from_ms. */
void engine_set_operation_from(struct engine *e);

struct look engine_look(const struct engine *e, struct pair *pair);

/* The map's port of a pair: 0 for ICMP. */
uint16_t pair_port(const struct pair_key *key);

/* The exposure counts the pair among those it accepted. x may be NULL. */
bool pair_is_counted_in(const struct engine *e, const struct pair *pair,
    const struct exposure *x);

/*
 * Judges a pair to which a record was added; news: it told something of
 * another kind than was known (HALF_NEWS); same_end: it is the first of
 * its half, and ended when the other half did.
 * Follows the verdict: maps, counts, scan events, timer.
 */
void judge_record(struct engine *e, struct look *look, bool news,
    bool same_end);

/*
 * One half is there, and whatever it shows, the verdict waits for the other:
 * judge_record() would give the pair its timer, and no more. True: that is
 * left to the caller. Joins it to its source, as judge_record() does.
 */
bool judge_half_way(struct engine *e, const struct look *look);

/* Judges a pair that another one tells about. */
void judge_again(struct engine *e, struct pair *pair);

/* The same when nothing more is waited for. */
void judge_final(struct engine *e, struct pair *pair);

/* A decided pair, once more, by what is known of its feed by now. */
void judge_review(struct engine *e, struct pair *pair);

/* The attempt began at another time than was known, or was shown by another
 * exporter: it is counted there. */
void judge_count_anew(struct engine *e, const struct pair *pair,
    int64_t before_ms, uint16_t before_exporter);

/* No record will come any more: learns the feeds from all open pairs. */
void judge_learn_all(struct engine *e);

/* Before it goes: the maps may have learned since what was there before it,
 * and by whom the inner end is asked. Follows what that changes. */
void judge_last(struct engine *e, struct pair *pair);

/* Its time is up: final verdict, or out. May remove pair. */
void judge_due(struct engine *e, struct pair *pair);

/* Final verdict now, for lack of room: never silence. Removes pair. */
void judge_shed(struct engine *e, struct pair *pair);

/* Takes a pair out of everything. What was found of it stays. */
void pair_drop(struct engine *e, struct pair *pair);

/* Brings the scan event of a pair in line with its verdict and the maps. */
void scan_reconcile(struct engine *e, const struct look *look);

/* judge_listeners.c: why a port listens. Of an accepted attempt: */
enum listener listener_of(const struct engine *e, const struct look *look,
    const struct verdict *v);

/*
 * TFTP (RFC 1350) is asked at port 69 and answers from another. The other one
 * of such two conversations; NULL: it is part of none.
 */
struct pair *listener_transfer(struct engine *e, const struct look *look);

/* By its ports, it may be such an answer. */
bool listener_may_transfer(const struct pair_key *key);

/* One of its ports is that of active FTP's data connections (RFC 959). */
static inline bool
listener_may_be_data(const struct pair_key *key)
{
	return (key->outer_port == FTP_DATA_PORT ||
		   key->inner_port == FTP_DATA_PORT) &&
	       key->proto == PROTOCOL_TCP;
}

/* It is such a connection, and its control connection is known. */
bool listener_is_data(const struct engine *e, const struct look *look);

/* A control connection became known: of data connections that were judged
 * without, who opened them, as far as they are remembered. */
void listener_review_data(struct engine *e, const struct look *control);

/* The pair was found to be part of one: the other one is, too. */
void listener_review_transfer(struct engine *e, const struct look *look);

/* What an acceptance, or an opening from inside, tells of other ports. */
void listener_accepted(struct engine *e, const struct look *look);
void listener_opened(struct engine *e, const struct look *look);

/* The time that deadlines are told in; it never goes back. */
int64_t engine_timer_ms(const struct engine *e);

/* A new first client: had it probed before? */
void scan_review_opener(struct engine *e, struct exposure *x);

/* The source of an outer address, made when absent; NULL: none to be had. */
struct source *engine_source(struct engine *e, const struct addr *address);

#endif
