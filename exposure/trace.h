/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision trace: what the engine thought, step by step, for whoever
 * asked with engine_set_trace(). One call a step; with no trace a step costs
 * one branch.
 *
 * The steps of a record come in this order: the record, how its conversation
 * is judged, the verdict if it changed, what followed in the maps and in the
 * scan events, the timer. A step may tell of another conversation than the
 * one before it: a verdict changes what others mean. What time does begins
 * with TRACE_DUE or TRACE_SHED, or has no beginning of its own.
 */
#ifndef EXPOSURE_TRACE_H
#define EXPOSURE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"
#include "exposure/engine.h"
#include "exposure/evidence.h"
#include "exposure/finding.h"
#include "exposure/verdict.h"

enum trace_kind {
	TRACE_RECORD,  /* record: it came, and where it went */
	TRACE_JUDGED,  /* judged: what its conversation is now */
	TRACE_VERDICT, /* the verdict, given or changed: the flat members */
	TRACE_MAP,     /* map: an exposure changed, or did not */
	TRACE_EVENT,   /* event: a scan event written, revised, taken back */
	TRACE_ICMP,    /* icmp: errors were looked through */
	TRACE_TIMER,   /* timer: until when it is remembered, and for what */
	TRACE_DUE,     /* the timer ended; what follows is why */
	TRACE_SHED,    /* it had to go, for lack of room */
	TRACE_OVER,    /* forgotten */
};

/* What became of a record. */
enum trace_fate {
	TRACE_JOINED, /* a conversation that was there */
	TRACE_BEGAN,  /* a new one */
	TRACE_ICMP_ERROR,
	TRACE_TRANSIT,	/* neither end is internal */
	TRACE_INTERNAL, /* both are, and internal_scope is off */
	TRACE_UNUSABLE, /* no ports, or a protocol without */
	TRACE_SPOOFED,	/* from inside, it says, but it came in from outside */
	TRACE_EMPTY,	/* 0 packets: says that nothing came */
};

struct trace_record {
	const struct flow_record *flow;
	const struct half *before; /* the half it belongs to, as it was */
	const struct half *after;
	const struct half *other; /* the half of the other end */
	enum trace_fate fate;
	enum side side;	   /* whose half it is */
	uint16_t evidence; /* the bits that this record shows */
	bool told_new;
	bool time_replaced; /* its times could not be: received_ms stands */
};

struct trace_judged {
	const struct verdict_input *input;
	const struct feed_profile *in_the_end; /* if nothing more comes */
	struct verdict before;
	struct verdict now; /* OUTCOME_NONE: waits */
};

/* before NULL: there was none; after NULL: there is none (any more). */
struct trace_map {
	const struct finding_exposure *before;
	const struct finding_exposure *after;
	bool counted; /* the exposure has counted this conversation */
	bool aged;    /* time did it, no conversation */
};

/* NULL: taken back. */
struct trace_event {
	const struct finding_scan_event *event;
	uint64_t id;
	bool revised;
};

struct trace_icmp {
	enum icmp_error found;
	bool ambiguous;
};

enum trace_timer_state {
	TRACE_WAITS,	  /* no verdict yet */
	TRACE_REVOCABLE,  /* silence is told, and may be revoked */
	TRACE_REMEMBERED, /* decided: what still comes belongs to it */
};

struct trace_timer {
	enum trace_timer_state state;
	int64_t until_ms;
};

/* Everything in it is borrowed until the callback returns. */
struct engine_trace {
	enum trace_kind kind;
	int64_t clock_ms; /* the engine's time */
	/* the conversation; of a record that has none, its src and dst */
	struct addr outer;
	struct addr inner;
	uint16_t outer_port;
	uint16_t inner_port;
	uint8_t proto;
	uint8_t generation; /* of the 5-tuple */
	bool internal;	    /* both ends are internal */
	bool ended;	    /* the conversation is forgotten: TRACE_OVER */
	/*
	 * The verdict so far. A later TRACE_VERDICT of the same 5-tuple and
	 * generation replaces it, until one has ended: then the generation's
	 * number is free, and the next one is of another conversation.
	 */
	uint8_t outcome;
	uint8_t rule;
	uint8_t confidence;
	uint8_t initiator; /* enum side */
	uint8_t technique;
	uint8_t reason; /* enum reason */
	union {
		struct trace_record record;
		struct trace_judged judged;
		struct trace_map map;
		struct trace_event event;
		struct trace_icmp icmp;
		struct trace_timer timer;
	};
};

#endif
