/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversations that are not over: one entry for each generation of a
 * 5-tuple, in a bounded table, with a timer each.
 *
 * The key is sorted by scope, never by "source": the outer end, the inner
 * end. There is no exporter in it, so that the two directions may come from
 * two routers. A decided entry stays for a while as a tombstone: what still
 * comes for it is no new attempt.
 * When full: the oldest entry of the least worth goes: tombstones, then
 * silence already reported, then an unanswered attempt, then an answer whose
 * direction is open. The caller gives it its last verdict.
 */
#ifndef EXPOSURE_PAIRS_H
#define EXPOSURE_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/chain.h"
#include "common/hash.h"
#include "common/table.h"
#include "exposure/evidence.h"
#include "exposure/verdict.h"

enum pair_scope {
	SCOPE_EXTERNAL, /* outer is external, inner is internal */
	SCOPE_INTERNAL, /* both internal: outer is the lower address */
};

/* No padding: it is hashed and compared as octets. */
struct pair_key {
	struct addr outer;
	struct addr inner;
	uint16_t outer_port;
	uint16_t inner_port;
	uint8_t proto;
	uint8_t scope;	    /* enum pair_scope */
	uint8_t generation; /* of this 5-tuple, 0..PAIR_GENERATIONS - 1 */
	uint8_t zero;
};

#define PAIR_GENERATIONS 4

/* Of pair.claimed, beside enum side: both ends were said to have opened. */
#define PAIR_CLAIMS_DIFFER 3

/* In the order in which they are given up. */
enum pair_class {
	PAIR_ENDED,	 /* nothing more is to be found of it */
	PAIR_TOMBSTONE,	 /* decided, reported */
	PAIR_SILENT,	 /* silence reported, may yet be revoked */
	PAIR_UNANSWERED, /* the outer half alone, undecided */
	PAIR_ANSWERED,	 /* the inner half is there, undecided */
	PAIR_CLASS_COUNT
};

/* What a scan event was written for. */
enum pair_event {
	PAIR_EVENT_NONE,
	PAIR_EVENT_DARK, /* darkport, darkspace, stealth: makes a scanner */
	PAIR_EVENT_NEM,	 /* a scanner's attempt at a NEM member */
};

struct pair {
	struct half outer;
	struct half inner;
	int64_t deadline_ms;
	int64_t born_ms;   /* when its first record was received */
	int64_t hour_ms;   /* under which its outcome is counted */
	uint64_t event_id; /* of its scan event; see event */
	int64_t event_ts_ms;
	uint64_t event_mark;  /* what that event says, packed: scan.c */
	uint64_t exposure_id; /* it was counted in this exposure; 0: none */
	uint64_t timed_id;    /* in which its rule D5 was counted; 0: none */
	struct link timer;
	struct link in_class;
	struct link in_source;	/* sources.h */
	uint32_t source;	/* slot, or TABLE_NONE */
	struct verdict verdict; /* OUTCOME_NONE: none yet */
	uint8_t class;		/* enum pair_class */
	uint8_t event;		/* enum pair_event */
	uint8_t claimed;	/* enum side: IE 239; PAIR_CLAIMS_DIFFER */
	uint8_t prior;		/* enum side: an earlier generation's */
	uint8_t icmp;		/* enum icmp_error */
	bool more;		/* of generation 0: there are others */
	bool settled;		/* its final verdict was given */
	bool refused_counted;	/* in its exposure's refusals */
	bool learned;		/* the feed was learned from it */
	bool fanned_in;		/* it was counted for the fan-in test */
};

struct pairs;

/* owned: pairs_free(). NULL: no memory. */
struct pairs *pairs_new(uint32_t max, const struct hash_key *key);
void pairs_free(struct pairs *p); /* takes NULL */
size_t pairs_bytes(uint32_t max);

/*
 * The entry to which a record of this 5-tuple belongs, NULL when it begins a
 * new one; key->generation is set to where it is or would go. *prior is the
 * exact initiator of another generation, SIDE_NONE when there is none.
 * *reuse is the oldest generation when all are taken and the record begins
 * one more: the caller ends it and calls again.
 */
struct pair *pairs_find(const struct pairs *p, struct pair_key *key,
    bool bears_syn, int64_t start_ms, int64_t end_ms, enum side *prior,
    struct pair **reuse);

/* A new entry of class PAIR_UNANSWERED, no timer. NULL: full. */
struct pair *pairs_add(struct pairs *p, const struct pair_key *key);

/* Takes it out: timer and class list too. Not the source's list. */
void pairs_remove(struct pairs *p, struct pair *pair);

const struct pair_key *pairs_key(const struct pairs *p,
    const struct pair *pair);
uint32_t pairs_slot(const struct pairs *p, const struct pair *pair);
struct pair *pairs_at(const struct pairs *p, uint32_t slot);
uint32_t pairs_count(const struct pairs *p);

/* For chains through in_source. Borrowed. */
const struct table *pairs_table(const struct pairs *p);

/* Moves it to the young end of a class. */
void pairs_set_class(struct pairs *p, struct pair *pair, enum pair_class class);

/* The entry to give up next; NULL when there is none. */
struct pair *pairs_victim(const struct pairs *p);

/* The oldest of a class, and the one behind it; NULL: none. */
struct pair *pairs_oldest(const struct pairs *p, enum pair_class class);
struct pair *pairs_younger(const struct pairs *p, const struct pair *pair);

/* (Re)starts the timer. */
void pairs_set_deadline(struct pairs *p, struct pair *pair,
    int64_t deadline_ms);

/*
 * An entry whose deadline is before or at now_ms, its timer stopped; NULL
 * when there is none. Oldest second first, then first set first. now_ms
 * never goes back.
 */
struct pair *pairs_due(struct pairs *p, int64_t now_ms);

/*
 * Another generation of the same 5-tuple when this is generation 0, which
 * must outlive the others; NULL when it is free to go.
 */
struct pair *pairs_other_generation(const struct pairs *p,
    const struct pair *pair);

#endif
