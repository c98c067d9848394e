/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the files that make up the verdict: the words they share, and the
 * order in which they ask each other. A file to a theme: direction, TCP,
 * UDP, ICMP, feeds without flags, feeds with merged ones, firewalls.
 * All are pure functions of the input. docs/verdicts.md explains the rules.
 */
#ifndef EXPOSURE_VERDICT_RULES_H
#define EXPOSURE_VERDICT_RULES_H

#include "exposure/verdict.h"

/* IANA's system ports, and where ephemeral ports begin on common systems. */
#define PORT_SYSTEM    1024
#define PORT_EPHEMERAL 32768

/* What RFC 9293 resets carry, and other unsolicited answers. */
#define EV_RST_ANY (EV_RSTACK1 | EV_RST1)
#define EV_SYN_ANY (EV_SYN | EV_SYNACK1 | EV_MIX)

/* --- words ---------------------------------------------------------------- */

static inline struct verdict
say(enum outcome outcome, enum rule rule, enum confidence confidence,
    enum side initiator)
{
	return (struct verdict){ .outcome = (uint8_t)outcome,
		.rule = (uint8_t)rule,
		.confidence = (uint8_t)confidence,
		.initiator = (uint8_t)initiator,
		.technique = TECHNIQUE_SYN };
}

static inline struct verdict
say_technique(struct verdict v, enum technique technique)
{
	v.technique = (uint8_t)technique;
	return v;
}

static inline struct verdict
wait_for_more(void)
{
	return say(OUTCOME_NONE, RULE_NONE, CONFIDENCE_NONE, SIDE_NONE);
}

static inline struct verdict
attempt(enum outcome outcome, enum rule rule, enum confidence confidence)
{
	return say(outcome, rule, confidence, SIDE_OUTER);
}

/* An answer would have been seen, had there been one. */
static inline bool
is_visible(const struct verdict_input *in)
{
	return !in->feed.one_sided && !in->feed.sampled && !in->feed.partly &&
	       !in->feed.lossy && !in->feed.unheard;
}

static inline bool
has(const struct half *h, unsigned evidence)
{
	return h->present && (h->evidence & evidence) != 0;
}

/* The half shows this evidence and none besides. */
static inline bool
has_only(const struct half *h, unsigned evidence)
{
	return h->present && (h->evidence & evidence) != 0 &&
	       (h->evidence & ~(evidence | EV_ZERO)) == 0;
}

static inline struct verdict
backscatter(enum rule rule, enum confidence confidence)
{
	return say(OUTCOME_BACKSCATTER, rule, confidence, SIDE_NONE);
}

/* --- direction: verdict_direction.c --------------------------------------- */

struct direction {
	enum side initiator;
	int number; /* of the D rule */
	enum confidence confidence;
};

/*
 * The half shows a SYN without ACK, and one with ACK too: its end may have
 * accepted, and sent a SYN on the same 5-tuple afterwards. Only an exact
 * SYN-ACK of the other end tells.
 */
bool syn_is_contradicted(const struct half *h, const struct half *other);

/* D5: SYN precedes SYN-ACK, told by one exporter's clock for both. */
struct direction direction_by_time(const struct verdict_input *in);

/* D6 to D9: what needs no evidence in the halves. */
struct direction direction_by_history(const struct verdict_input *in);

/* All of them; the first that matches decides. */
struct direction direction_of_tcp(const struct verdict_input *in);

/* RULE_D1 to RULE_D9 of a direction. */
enum rule direction_rule(struct direction d);

/* Both halves are those of a connection: only its direction is open. */
struct verdict verdict_by_direction(const struct verdict_input *in);

/* A connection of which one half is missing (rule A4). */
struct verdict verdict_by_direction_of_one(const struct verdict_input *in);

/* Records from the middle of a connection. */
struct verdict verdict_midstream(const struct verdict_input *in);

/* --- themes --------------------------------------------------------------- */

/* By flags; what the feed can show of them is looked at before. */
struct verdict verdict_tcp(const struct verdict_input *in);

/* TCP by sizes: neither half has flags. */
struct verdict verdict_flagless(const struct verdict_input *in);

/* What came back to an opener from outside, by its size: rules Z2, Z3. */
struct verdict verdict_by_sizes(const struct verdict_input *in,
    enum confidence confidence);

/* TCP by the flags of both directions in one word; both halves are there. */
struct verdict verdict_merged(const struct verdict_input *in);

/* By what a firewall says it did, any protocol. */
struct verdict verdict_firewall(const struct verdict_input *in);

/* UDP, and every protocol without flags. */
struct verdict verdict_udp(const struct verdict_input *in);

struct verdict verdict_icmp(const struct verdict_input *in);

#endif
