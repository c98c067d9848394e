/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversations that are not over: one entry for each generation of a
 * 5-tuple, in a bounded table, with a timer each.
 *
 * The key is sorted by scope, never by "source": the outer end, the inner
 * end. There is no exporter in it, so that the two directions may come from
 * two routers. A decided entry stays for a while as a tombstone: what still
 * comes for it is no new attempt.
 * When full: the entry of the least worth that would end first goes:
 * tombstones, then silence already reported, then an unanswered attempt, then
 * an answer whose direction is open. The caller gives it its last verdict, and
 * begins with unanswered attempts before it is full: take.c.
 *
 * Size: an entry is 88 octets and its share of the index 7.8, so 95.8 of
 * IPv4; IPv6 ends take 32 more, 127.8. What few entries need has places of
 * its own: struct attempt, 40 octets. All are allocated for the worst case
 * and touched as they are needed.
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

/*
 * The bit fields are unsigned and assigned with a mask; see the functions
 * below. Sorted so that nothing is padded.
 */
struct pair {
	struct half outer;
	struct half inner;
	uint32_t ends[2]; /* outer, inner: IPv4 addresses as they are in
			   * memory; IPv6: the slot of both, and 0 */
	uint16_t outer_port;
	uint16_t inner_port;
	struct link queue; /* in the wheel */
	uint32_t since_s;  /* when its first record was received; of a
			    * tombstone: its last */
	uint32_t aside;	   /* noted: the slot of its struct attempt, else
			    * the exposure that counted it last */
	uint32_t last_low; /* pair_last_ms() */
	int16_t last_high;
	uint8_t proto;
	uint8_t rule : 7; /* the verdict; see pair_verdict() */
	bool internal : 1;
	uint8_t result : 5; /* pair_outcome(), pair_reason() */
	uint8_t generation : 2;
	bool more : 1; /* of generation 0: there are others */
	uint8_t technique : 4;
	uint8_t confidence : 2;
	uint8_t initiator : 2;
	uint8_t class : 3;   /* enum pair_class */
	uint8_t claimed : 2; /* enum side: IE 239; PAIR_CLAIMS_DIFFER */
	uint8_t prior : 2;   /* enum side: an earlier generation's */
	bool is_ipv6 : 1;
	bool noted : 1;		  /* it has a struct attempt */
	bool settled : 1;	  /* its final verdict was given */
	bool refused_counted : 1; /* in its exposure's refusals */
	bool learned : 1;	  /* the feed was learned from it */
	bool fanned_in : 1;	  /* it was counted for the fan-in test */
	bool counted : 1;	  /* in the exposure, as accepted */
	bool timed : 1;		  /* and its rule D5 was */
	bool client_counted : 1;  /* and its client was */
};

/* What is kept of a pair that concerns its source, or has a scan event. */
struct attempt {
	uint64_t event_id;     /* see event */
	uint32_t event_ts;     /* the event's time, its lower bits */
	uint32_t event_mark;   /* what that event says, packed: scan.c */
	struct link in_source; /* sources.h */
	uint32_t pair;
	uint32_t source;   /* slot, or TABLE_NONE */
	uint32_t exposure; /* which counted the pair last */
	uint8_t event;	   /* enum pair_event */
	uint8_t icmp;	   /* enum icmp_error */
};

struct pairs;

/* How long: W1 of a tombstone, W2 of silence. In all, milliseconds. */
struct pairs_config {
	uint32_t max;
	int64_t wait_ms;
	int64_t revoke_ms;
	struct hash_key key;
	/* W2 of what this exporter showed alone; 0, or NULL: revoke_ms. It is
	 * asked again while silence waits: what it says may change. */
	int64_t (*revoke_of)(const void *arg, uint32_t exporter);
	const void *revoke_arg; /* borrowed */
};

/* owned: pairs_free(). NULL: no memory. */
struct pairs *pairs_new(const struct pairs_config *config);
void pairs_free(struct pairs *p); /* takes NULL */
size_t pairs_bytes(uint32_t max);

/* Octets an entry and its share of the index take. */
size_t pairs_entry_bytes(uint32_t max, bool is_ipv6);

/*
 * The hash of a 5-tuple, for the functions below; the generation does not
 * matter. The other two fetch what pairs_find() will read, in this order.
 */
uint64_t pairs_hash(const struct pairs *p, const struct pair_key *key);
void pairs_prefetch(const struct pairs *p, uint64_t hash);
void pairs_prefetch_entry(const struct pairs *p, uint64_t hash);

/*
 * The entry to which a record of this 5-tuple belongs, NULL when it begins a
 * new one; key->generation is set to where it is or would go. *prior is the
 * exact initiator of another generation, SIDE_NONE when there is none.
 * *reuse is the oldest generation when all are taken and the record begins
 * one more: the caller ends it and calls again.
 */
struct pair *pairs_find(const struct pairs *p, struct pair_key *key,
    uint64_t hash, bool bears_syn, int64_t start_ms, int64_t end_ms,
    enum side *prior, struct pair **reuse);

/* It is a generation of this 5-tuple. */
bool pairs_is_of(const struct pairs *p, const struct pair *pair,
    const struct pair_key *key);

/* It is all there is of its 5-tuple, and such a record belongs to it: what
 * pairs_find() would say, without looking. */
bool pairs_takes(const struct pair *pair, bool bears_syn, int64_t start_ms,
    int64_t end_ms);

/*
 * A new entry of class PAIR_UNANSWERED that waits for nothing yet. born_ms:
 * when its first record was received. NULL: full.
 */
struct pair *pairs_add(struct pairs *p, const struct pair_key *key,
    uint64_t hash, int64_t born_ms);

/* Takes it out, and its attempt. Not the attempt from its source's list. */
void pairs_remove(struct pairs *p, struct pair *pair);

struct pair_key pairs_key(const struct pairs *p, const struct pair *pair);
uint32_t pairs_slot(const struct pairs *p, const struct pair *pair);
struct pair *pairs_at(const struct pairs *p, uint32_t slot);
uint32_t pairs_count(const struct pairs *p);

/* Of them, those without a verdict: what is given up last. */
uint32_t pairs_undecided(const struct pairs *p);

/* Its attempt; NULL when it has none. */
struct attempt *pairs_attempt(const struct pairs *p, const struct pair *pair);

/* Before: it has none. A zeroed one, but for source, which is none. */
struct attempt *pairs_make_attempt(struct pairs *p, struct pair *pair);
struct attempt *pairs_attempt_at(const struct pairs *p, uint32_t slot);

/* --- time and class ------------------------------------------------------- */

/* Undecided: it waits until deadline_ms, at the young end of that second. */
void pairs_await(struct pairs *p, struct pair *pair, enum pair_class class,
    int64_t deadline_ms);

/* Silence, until W2 from its birth. */
void pairs_set_silent(struct pairs *p, struct pair *pair);

/* A tombstone until W1 from now_ms. Costs nothing when it is one already. */
void pairs_set_tombstone(struct pairs *p, struct pair *pair, int64_t now_ms);

void pairs_set_ended(struct pairs *p, struct pair *pair);

/* It is in the wheel. */
static inline bool
pairs_is_waiting(const struct pair *pair)
{
	return pair->queue.next != TABLE_NONE;
}

/* W2 of a pair, by who showed it. */
int64_t pairs_revoke_ms(const struct pairs *p, const struct pair *pair);

/* Whether silence could still be revoked at now_ms: it is not W2 old. */
bool pairs_is_revocable(const struct pairs *p, const struct pair *pair,
    int64_t now_ms);

/* FLOOD_MAX unanswered attempts wait at its inner end, or at one that shares
 * its counter; see floods.h. */
bool pairs_is_flooded(struct pairs *p, const struct pair_key *key);

/* The least class that any entry has that waits; PAIR_CLASS_COUNT: none. */
enum pair_class pairs_least(const struct pairs *p);

/* The entry to give up next; NULL when there is none. */
struct pair *pairs_victim(struct pairs *p);

/* The one of a class that would end first, and the one behind it; NULL:
 * none. */
struct pair *pairs_oldest(const struct pairs *p, enum pair_class class);
struct pair *pairs_younger(const struct pairs *p, const struct pair *pair);

/* When its time is over, for who explains: it walks a list. */
int64_t pairs_until_ms(const struct pairs *p, const struct pair *pair);

/*
 * An entry whose time is over at now_ms, its timer stopped; NULL when there
 * is none. Earliest second first, then by class, then first set first.
 * now_ms never goes back.
 */
struct pair *pairs_due(struct pairs *p, int64_t now_ms);

/* It was due, but stays for another W1. */
void pairs_keep(struct pairs *p, struct pair *pair, int64_t now_ms);

/* Who opened this generation, where that is known exactly. */
enum side pairs_exact_initiator(const struct pair *pair);

/* Generation which of the same 5-tuple; NULL: it is none, or this one. */
struct pair *pairs_generation(const struct pairs *p, const struct pair *pair,
    unsigned which);

/*
 * Another generation of the same 5-tuple when this is generation 0, which
 * must outlive the others; NULL when it is free to go.
 */
struct pair *pairs_other_generation(const struct pairs *p,
    const struct pair *pair);

/* --- a pair's members ----------------------------------------------------- */

/* Latest end of any record, Unix ms; 0: it has none. */
static inline int64_t
pair_last_ms(const struct pair *pair)
{
	return (int64_t)pair->last_high * (INT64_C(1) << 32) + pair->last_low;
}

static inline void
pair_set_last_ms(struct pair *pair, int64_t ms)
{
	pair->last_low = (uint32_t)ms;
	pair->last_high = (int16_t)(ms >> 32);
}

/* Earliest start of any record. */
static inline int64_t
pair_first_ms(const struct pair *pair)
{
	int64_t outer_ms = half_first_ms(&pair->outer);
	int64_t inner_ms = half_first_ms(&pair->inner);

	if (!pair->outer.present)
		return inner_ms;
	return !pair->inner.present || outer_ms < inner_ms ? outer_ms
							   : inner_ms;
}

/* Whose it is: of the outer half's exporters, or what is there, the lowest
 * index. */
static inline uint16_t
pair_exporter(const struct pair *pair)
{
	return pair->outer.present ? pair->outer.exporter
				   : pair->inner.exporter;
}

/* Start of the attempt: the outer half's, or what is there. */
static inline int64_t
pair_ts_ms(const struct pair *pair)
{
	return half_first_ms(pair->outer.present ? &pair->outer : &pair->inner);
}

/* The verdict's; OUTCOME_NONE: none yet. Unresolved ones have a place for each
 * reason, behind the other outcomes. */
static inline uint8_t
pair_outcome(const struct pair *pair)
{
	return pair->result < OUTCOME_COUNT ? pair->result : OUTCOME_UNRESOLVED;
}

static inline uint8_t
pair_reason(const struct pair *pair)
{
	return pair->result < OUTCOME_COUNT
		   ? REASON_NONE
		   : (uint8_t)(pair->result - OUTCOME_COUNT + 1);
}

static inline struct verdict
pair_verdict(const struct pair *pair)
{
	return (struct verdict){ .outcome = pair_outcome(pair),
		.rule = pair->rule,
		.confidence = pair->confidence,
		.initiator = pair->initiator,
		.technique = pair->technique,
		.reason = pair_reason(pair) };
}

static inline void
pair_set_verdict(struct pair *pair, const struct verdict *v)
{
	unsigned result = v->reason == REASON_NONE
			      ? v->outcome
			      : OUTCOME_COUNT + v->reason - 1U;

	pair->result = result & 31U;
	pair->rule = v->rule & 127U;
	pair->confidence = v->confidence & 3U;
	pair->initiator = v->initiator & 3U;
	pair->technique = v->technique & 15U;
}

#endif
