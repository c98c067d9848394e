/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP unreachable messages that were sent to outside addresses, until the
 * attempts they answer are decided.
 *
 * Flow records of ICMP carry no embedded header (RFC 792), so an error is
 * matched by whom it was sent to, when, and how many there were. One record
 * may hold several errors.
 * A ring of ICMP_ERRORS_MAX, at most ICMP_ERRORS_EACH of one source. When
 * full: the oldest is forgotten, and of one source its oldest; then an
 * attempt is silent that might have been called unreachable.
 */
#ifndef EXPOSURE_ICMP_ERRORS_H
#define EXPOSURE_ICMP_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "exposure/sources.h"

#define ICMP_ERRORS_MAX	 16384
#define ICMP_ERRORS_EACH 256 /* a scan of a /24; bounds a match's work */

enum icmp_says {
	ICMP_SAYS_NOTHING,
	ICMP_SAYS_UNREACHABLE, /* no way to the host, or a firewall's word */
	ICMP_SAYS_NO_PORT,     /* 3/3, ICMPv6 1/4: no listener there */
	ICMP_SAYS_NO_PROTOCOL, /* 3/2, ICMPv6 4/1: not spoken there */
};

struct icmp_error_record {
	struct addr from; /* who says so */
	int64_t start_ms;
	int64_t end_ms;
	uint32_t packets;
	uint32_t source; /* slot of whom it was sent to, or TABLE_NONE */
	uint32_t next;	 /* of the same source */
	uint8_t says;	 /* enum icmp_says */
};

struct icmp_errors;

/* owned: icmp_errors_free(). NULL: no memory. */
struct icmp_errors *icmp_errors_new(void);
void icmp_errors_free(struct icmp_errors *errors); /* takes NULL */

/* The record is an ICMP error of a kind that says: not reached, not open. */
bool flow_is_icmp_error(const struct flow_record *f);

/*
 * Keeps one for source, to whom it was sent. False: its oldest had to go.
 * Another source that has nothing left by it is removed from s.
 */
bool icmp_errors_add(struct icmp_errors *errors, struct sources *s,
    struct source *source, const struct flow_record *f, int64_t start_ms,
    int64_t end_ms);

/* Lets go of all of a source. */
void icmp_errors_forget(struct icmp_errors *errors, struct source *source);

/*
 * What the errors sent to its source say of an unanswered attempt. An error
 * counts when it fits this attempt alone, or when there are exactly as many
 * errors as datagrams of all attempts it fits. *ambiguous: one fits, but
 * others too, or may. *steps is how many conversations may be looked at, and
 * is counted down.
 */
enum icmp_error icmp_errors_match(const struct icmp_errors *errors,
    const struct source *source, const struct pairs *p, const struct pair *pair,
    uint32_t *steps, bool *ambiguous);

#endif
