/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the values of information elements to flow records: which addresses,
 * which times, which counters, and one record or the two halves of a biflow.
 */
#ifndef COLLECTOR_RESOLVE_H
#define COLLECTOR_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"
#include "collector/header.h"
#include "collector/ie.h"
#include "collector/sampling.h"

#define RESOLVE_MAX 2 /* records one data record can become */

/* What is the same for all records of a datagram. */
struct resolve_context {
	const struct export_header *header;
	const uint64_t *boot_ms; /* as an options record told it; 0: none */
	const struct sampling *sampling;
	uint32_t header_rate;	  /* of a v5 header; 0: none */
	struct flow_record blank; /* exporter, received_ms, export_ms; else 0 */
};

/* Whether records with these elements can be used: addresses and protocol. */
bool resolve_is_usable(ie_set present);

/*
 * Writes the flow records of r, whose elements are `present`, to out and
 * returns how many: 1, or 2 for a biflow (the forward half first). A half
 * that the exporter reported empty is written too, with 0 packets.
 * 0: r is unusable, it names no address.
 */
unsigned resolve_record(const struct resolve_context *context,
    const struct ie_record *r, ie_set present,
    struct flow_record out[RESOLVE_MAX]);

#endif
