/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps: populated hosts, and the exposures of each (its HEM); all HEMs
 * together are the NEM (paper, section 2).
 *
 * State grows with hosts and services, not with traffic: two bounded tables.
 * An entry is one interval of one (host, protocol, port): opened by the first
 * acceptance, closed by refusals, stale when nobody was accepted for long.
 * A closed one stays until its place is wanted, so that a new interval knows
 * how long the port had been dark.
 * When full: a new host or exposure is not kept, and counted; closed
 * exposures make room first.
 * Everything that changes is collected as findings, absolute, once.
 */
#ifndef EXPOSURE_NEM_H
#define EXPOSURE_NEM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/chain.h"
#include "common/counter.h"
#include "exposure/engine.h"
#include "exposure/finding.h"

struct exposure {
	struct finding_exposure finding;
	int64_t dark_since_ms;
	int64_t before_ms; /* end of the interval before this one, 0: none */
	int64_t refused_until_ms; /* latest of finding.refused */
	uint32_t opener;	  /* slot of the pair that opened it, or none */
	struct link in_list;
	struct link in_dirty;
	uint64_t lost_alert_id; /* taken back, and the store has it yet */
	bool bare;		/* nobody has shown data on it, in this life */
	bool dirty;		/* changed since it was collected */
	bool stored;		/* was collected: the store has it */
	bool alert_dirty;
	bool first_client_had_probed;
	bool clients_rose; /* finding.clients is at least so many */
	uint8_t alert_state;
};

/* Before finding.clients is told to anybody. */
void nem_estimate_clients(struct exposure *x);

/* One accepted attempt. */
struct acceptance {
	struct addr host;
	struct addr client;
	int64_t ts_ms;	 /* start of the attempt */
	int64_t last_ms; /* end of what was seen of it */
	uint32_t exporter;
	uint32_t pair; /* slot of its pair */
	uint16_t port;
	uint16_t client_port;
	uint8_t proto;
	uint8_t rule;
	uint8_t confidence;
	bool is_client;	  /* the client acknowledged: it is no spoofed SYN */
	bool one_sided;	  /* A0 on a feed that cannot show the other half */
	bool is_bare;	  /* the host showed no more than a SYN-ACK */
	uint8_t listener; /* enum listener */
	bool again;	  /* this exposure has counted the attempt */
	bool timed;	  /* ... and its rule D5 */
};

enum acceptance_effect {
	ACCEPTANCE_COUNTED,
	ACCEPTANCE_OPENED,    /* a new interval, and it is the opener */
	ACCEPTANCE_DISPLACED, /* it is earlier than the opener so far */
	ACCEPTANCE_LATE,      /* of an interval that is over; not counted */
	ACCEPTANCE_SHED,      /* the table is full */
	ACCEPTANCE_FROZEN,    /* the host's map is frozen */
};

struct nem;

/* owned: nem_free(). NULL: no memory. counters is borrowed. */
struct nem *nem_new(const struct engine_config *config,
    struct counters *counters);
void nem_free(struct nem *n); /* takes NULL */
size_t nem_bytes(const struct engine_config *config);

/* Exposures that open at or after this time are trans-darkports. */
void nem_set_operation_from(struct nem *n, int64_t from_ms);

/* Training ended: what it found is authorised by the baseline (C14). */
void nem_vet_baseline(struct nem *n);

/* An internal address sent something. hash: hosts_hash() of nem_hosts(). */
void nem_host_seen(struct nem *n, const struct addr *host, uint64_t hash,
    int64_t start_ms, int64_t end_ms);
bool nem_is_populated(const struct nem *n, const struct addr *host);

/* The present interval, open, stale or closed; NULL: never accepted. */
struct exposure *nem_find(const struct nem *n, const struct addr *host,
    uint8_t proto, uint16_t port);

/* The same in steps: hash, fetch, fetch the entry, find. */
uint64_t nem_hash(const struct nem *n, const struct addr *host, uint8_t proto,
    uint16_t port);
void nem_prefetch(const struct nem *n, uint64_t hash);
void nem_prefetch_entry(const struct nem *n, uint64_t hash);
struct exposure *nem_find_hashed(const struct nem *n, const struct addr *host,
    uint8_t proto, uint16_t port, uint64_t hash);

/* For their hashes. Borrowed. */
const struct hosts *nem_hosts(const struct nem *n);

struct exposure *nem_at(const struct nem *n, uint32_t slot);
uint32_t nem_slot(const struct nem *n, const struct exposure *x);

/* It is a NEM member at this moment of the data's time. */
bool exposure_holds(const struct exposure *x, int64_t ts_ms);

/* It accepted, by exact evidence or by D5 twice: rule D6 may rely on it.
 * but_one_timed: one acceptance by D5 is that of who asks, and proves nothing
 * to it. */
bool exposure_is_confirmed(const struct exposure *x, bool but_one_timed);

/* Nothing but ports and who met there says that it accepted. */
bool exposure_is_guess(const struct exposure *x);

/* D5: the sign is the order in time, which two attempts must confirm. */
bool rule_is_timed(unsigned rule);

/* *out is NULL with ACCEPTANCE_LATE, ACCEPTANCE_SHED, ACCEPTANCE_FROZEN. */
enum acceptance_effect nem_accept(struct nem *n, const struct acceptance *a,
    struct exposure **out);

/* What it counted goes on, at last_ms, and tells nothing else; open. */
void nem_accept_again(struct nem *n, struct exposure *x, int64_t ts_ms,
    int64_t last_ms);

/* An attempt turned out not to have been accepted: takes it back. timed: it
 * was counted by D5. */
void nem_unaccept(struct nem *n, struct exposure *x, bool timed);

/* The attempt that opened it was none: the next one, which it has counted,
 * did. */
void nem_reopen_by(struct nem *n, struct exposure *x,
    const struct acceptance *a);

/*
 * What attempts show together, added up in sum, which begins zeroed: how many,
 * evidence, clients, the last time. True: this is the earliest of them.
 */
bool nem_add_up(struct finding_exposure *sum, const struct acceptance *a);

/* It rests on sum alone: an attempt of it shows less than it did, or none. */
void nem_rest_on(struct nem *n, struct exposure *x,
    const struct finding_exposure *sum);

/* The verdict of a, the attempt counted already, shows all that the one before
 * it did. */
bool nem_shows_as_much(const struct acceptance *a,
    const struct acceptance *before);

/* An attempt was refused: two, a minute apart, close the exposure (C11). */
void nem_refuse(struct nem *n, struct exposure *x, int64_t ts_ms);

/* A sign of life from the middle of a connection. */
void nem_refresh(struct nem *n, struct exposure *x, int64_t ts_ms);

/* Why it listens became known. */
void nem_set_listener(struct nem *n, struct exposure *x,
    enum listener listener);

/* It was a client's port: what rules D6 to D8 said counts no more. */
void nem_doubt(struct nem *n, struct exposure *x);

/* Its scan event or its opener's history changed. */
void nem_set_event(struct nem *n, struct exposure *x, uint64_t event_id);
void nem_set_had_probed(struct nem *n, struct exposure *x, bool had_probed);

/*
 * Calls fn for every exposure whose first client this is. *steps is how many
 * exposures may be looked at, and is counted down.
 */
typedef void (*nem_exposure_fn)(struct exposure *x, void *arg);
void nem_each_opened_by(struct nem *n, const struct addr *client,
    uint32_t *steps, nem_exposure_fn fn, void *arg);

/* Calls fn, NULL for none, for every exposure that time alone changes. */
void nem_watch_ageing(struct nem *n, nem_exposure_fn fn, void *arg);

/* Ageing: stale, transient gone, hosts forgotten. At most once a minute. */
void nem_age(struct nem *n, int64_t now_ms);

/* Appends what changed; true when the batch was too small for all. */
bool nem_collect(struct nem *n, struct finding_batch *batch);

/* More than signs of life is to be collected: an interval began or ended, or
 * its tier, alert or listener changed. */
bool nem_has_news(const struct nem *n);

int nem_restore_host(struct nem *n, const struct finding_host *f) MUST_CHECK;
/* After the exposures that have not ended. */
int nem_restore_guard(struct nem *n,
    const struct finding_host_guard *f) MUST_CHECK;
/* The open ones first; then of other ports the interval closed last, as far
 * as there is room. */
int nem_restore_exposure(struct nem *n,
    const struct finding_exposure *f) MUST_CHECK;
/* After its exposure. */
int nem_restore_alert(struct nem *n,
    const struct finding_trans_darkport *f) MUST_CHECK;

void nem_ids(const struct nem *n, struct finding_engine *out);
void nem_set_ids(struct nem *n, const struct finding_engine *in);
uint32_t nem_host_count(const struct nem *n);
uint32_t nem_open_count(const struct nem *n);

#endif
