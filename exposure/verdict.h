/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict: from the evidence of both halves to who opened the
 * conversation and what became of it. A pure function, no state.
 *
 * It never uses the three signals that are worthless somewhere common: the
 * order of records, the "source" of a biflow, and the start times of meters
 * that stamp both halves alike. docs/verdicts.md explains the rules.
 */
#ifndef EXPOSURE_VERDICT_H
#define EXPOSURE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "exposure/engine.h"
#include "exposure/evidence.h"
#include "exposure/finding.h"

/* The two ends of a conversation; a half is named by who sent it. */
enum side {
	SIDE_OUTER, /* the external end, where there is one */
	SIDE_INNER, /* the internal end */
	SIDE_NONE,
};

/* Of an internal endpoint: many peers meet at a server's socket (D7). */
enum fan_in { FAN_IN_UNKNOWN, FAN_IN_RESPONDER, FAN_IN_CLIENT };

enum icmp_error {
	ICMP_ERROR_NONE,
	ICMP_ERROR_CLOSED,	/* port unreachable, from the target */
	ICMP_ERROR_UNREACHABLE, /* from anywhere else, or another code */
};

/* Everything but the two halves that a verdict may use. */
struct verdict_input {
	const struct half *outer; /* what the external end sent */
	const struct half *inner; /* what the internal end sent */
	struct feed_profile feed;
	uint16_t outer_port;
	uint16_t inner_port;
	uint8_t proto;
	uint8_t header_octets; /* smallest TCP/IP packet: 40, IPv6 60 */
	bool known_service;    /* the inner endpoint is a confirmed responder */
	bool tombstone;	       /* the 5-tuple was a connection just before */
	bool related;	       /* UDP: asked at port 69, answered elsewhere */
	bool ftp_data;	       /* TCP: the end at port 20 opened, since the
				* other asked for it at port 21 */
	bool pinhole;	       /* UDP: the inner endpoint sent first */
	bool was_client;       /* TCP: the inner endpoint opened to others */
	bool final;	       /* no more records are waited for */
	enum side claimed;     /* initiator by IE 239 biflowDirection */
	enum side prior;       /* initiator in an earlier generation, exact */
	enum fan_in fan_in;
	bool *asks_fan_in; /* set when it mattered; NULL: nobody asks */
	enum icmp_error icmp;
};

struct verdict {
	uint8_t outcome;    /* enum outcome; OUTCOME_NONE: wait */
	uint8_t rule;	    /* enum rule */
	uint8_t confidence; /* enum confidence */
	uint8_t initiator;  /* enum side */
	uint8_t technique;  /* enum technique; for attempts from outside */
	uint8_t reason;	    /* enum reason; of OUTCOME_UNRESOLVED */
};

struct verdict verdict_of(const struct verdict_input *in);

/* Why it could not be told, given OUTCOME_UNRESOLVED. */
enum reason verdict_reason(const struct feed_profile *feed);

/* The outcome is an acceptance: the answer that makes an exposure. */
bool outcome_is_accepted(unsigned outcome);

/* The answer a scan event tells for this outcome. */
enum answer outcome_answer(unsigned outcome);

#endif
