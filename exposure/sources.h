/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outside addresses that matter: who has scan events, and which
 * unanswered attempts and ICMP errors are whose. Who only talks to known
 * services is not among them: state grows with services, not with clients.
 *
 * A bounded table. A source without scan events lives only as long as an
 * attempt or an ICMP error of its own; one with scan events stays.
 * When full: the one unseen longest goes, those without scan events first;
 * but an eighth of the places is theirs, so that a flood of scanners does not
 * keep all who come later from being known.
 */
#ifndef EXPOSURE_SOURCES_H
#define EXPOSURE_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"
#include "exposure/pairs.h"

struct source {
	int64_t first_probe_ms; /* earliest of its probes; see probes */
	uint32_t events;	/* scan events at dark targets, standing */
	uint32_t probes;	/* those of them that were not accepted */
	struct link attempts;	/* the first and the last: struct attempt */
	uint32_t errors;	/* ICMP errors it was sent, icmp_errors.h */
	struct link in_list;
	uint16_t error_count; /* in errors */
	bool opened;	      /* it is the first client of a trans-darkport */
	bool scanner;	      /* in the list of those with events */
};

struct sources;

/* owned: sources_free(). NULL: no memory. */
struct sources *sources_new(uint32_t max, const struct hash_key *key);
void sources_free(struct sources *s); /* takes NULL */
size_t sources_bytes(uint32_t max);

struct source *sources_find(const struct sources *s,
    const struct addr *address);

/* A new one. NULL: full, see sources_victim(). */
struct source *sources_add(struct sources *s, const struct addr *address);

/* Before: it has no attempt and no ICMP error. */
void sources_remove(struct sources *s, struct source *source);

/* Removes it when nothing needs it: no event, attempt, ICMP error. */
void sources_release(struct sources *s, struct source *source);

/* The one to forget next, NULL when there is none. */
struct source *sources_victim(const struct sources *s);

/* Moves it to the young end of its list; events decides which list. */
void sources_touch(struct sources *s, struct source *source);

struct source *sources_at(const struct sources *s, uint32_t slot);
uint32_t sources_slot(const struct sources *s, const struct source *source);
uint32_t sources_count(const struct sources *s);

/* False: the address has no scan events, and need not be looked up. */
bool sources_may_scan(const struct sources *s, const struct addr *address);

/* A conversation joins its source as an attempt, or leaves it. */
void sources_link(struct sources *s, struct source *source, struct pairs *p,
    struct attempt *attempt);
void sources_unlink(struct sources *s, struct pairs *p,
    struct attempt *attempt);

/* Its attempts, oldest first; NULL at the end. */
struct attempt *sources_first_attempt(const struct source *source,
    const struct pairs *p);
struct attempt *sources_next_attempt(const struct pairs *p,
    const struct attempt *attempt);

#endif
