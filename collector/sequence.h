/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence numbers: what got lost, what came late, what came twice.
 *
 * A stream is followed by the number of its last datagram in order, the mark.
 * A step forward is loss, and the gap is remembered: a late datagram that
 * falls into it takes its units back. One behind the mark that falls into no
 * gap had come before. A large step either way, a step back of a datagram
 * that was sent later, or a newer time of boot, is a restart.
 *
 * Exporters count in several ways, all accepted: before the datagram's own
 * units (RFC 7011, 3.1) or after them (softflowd), and, in IPFIX, with the
 * templates or without, and with the options data records or, as softflowd,
 * without. Ways that have fitted wherever one could tell stay open, and the
 * first datagram that only another of them fits decides; a way that did not
 * fit before is taken only when it fits three times in a row, and what was
 * counted lost meanwhile is taken back.
 *
 * Shape: no memory of its own. When more gaps are open than it can remember,
 * the oldest is given up: what comes late for it stays lost.
 */
#ifndef COLLECTOR_SEQUENCE_H
#define COLLECTOR_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/header.h"

#define SEQUENCE_GAPS  16
#define SEQUENCE_WAYS  8
#define SEQUENCE_KINDS 4

/* What moves the number in one datagram. */
struct sequence_step {
	uint32_t records;   /* v5: flows; IPFIX: data records */
	uint32_t options;   /* IPFIX: options data records */
	uint32_t templates; /* IPFIX: definitions, options templates too */
	bool counted;	    /* false: a set could not be counted */
};

struct sequence_gap {
	uint32_t from;
	uint32_t units; /* 0: free */
};

/* All zero at first. */
struct sequence {
	struct sequence_gap gaps[SEQUENCE_GAPS];
	int64_t export_ms; /* of the mark, as all of these */
	int64_t boot_ms;   /* v5, v9 */
	uint32_t number;
	uint32_t units[SEQUENCE_KINDS]; /* by way >> 1 */
	uint32_t disputed;		/* lost, unless a rival way is right */
	uint8_t gap_at;			/* the next to be written */
	uint8_t way;	  /* bit 0: own units first; bit 1: templates too;
			   * bit 2: no options data records */
	uint8_t excluded; /* ways that did not fit where this one did */
	uint8_t streaks[SEQUENCE_WAYS]; /* times that another way fitted */
	bool started;
	bool counted;
};

/* What one datagram changed; at most one of the three flags is set. */
struct sequence_change {
	uint32_t lost;	    /* units now missing */
	uint32_t recovered; /* units counted as lost that were not */
	bool is_late;
	bool is_duplicate;
	bool is_restart;
};

/* True when the datagram followed the one before. */
bool sequence_is_smooth(const struct sequence_change *c);

struct sequence_change sequence_take(struct sequence *s,
    const struct export_header *header, const struct sequence_step *step);

/* What the numbers count. */
enum sequence_unit sequence_unit(const struct sequence *s,
    enum export_protocol protocol);

#endif
