/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exporters: who sends, how much, and how much got lost on the way.
 *
 * An exporter is (address, observation domain, protocol); its index is dense,
 * in the order of first appearance, and never changes. Its source port is no
 * part of it: exporters change that at every start.
 * When full: new exporters are refused. Exporters are never forgotten.
 */
#ifndef COLLECTOR_EXPORTER_H
#define COLLECTOR_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/header.h"
#include "common/counter.h"
#include "common/hash.h"

#define EXPORTERS_MAX 4096

struct exporter {
	struct exporter_info info;
	uint32_t index;
	uint32_t sequence;  /* of the last datagram in order */
	uint32_t next;	    /* that the datagram after it should have */
	uint64_t boot_ms;   /* by an options record (IE 160); 0: not told */
	bool next_is_known; /* all of the last datagram could be counted */
	bool counts_itself; /* the sequence includes the datagram's own units */
};

struct exporter_table;

/* owned: free with exporter_table_free(). 1 <= max <= EXPORTERS_MAX. */
struct exporter_table *exporter_table_new(uint32_t max,
    const struct hash_key *key);
void exporter_table_free(struct exporter_table *t); /* takes NULL */

/* The exporter of a datagram, new or known. NULL: the table is full. */
struct exporter *exporter_get(struct exporter_table *t,
    const struct addr *address, const struct export_header *header,
    int64_t now_ms);

uint32_t exporter_count(const struct exporter_table *t);
/* index < exporter_count() */
struct exporter *exporter_at(const struct exporter_table *t, uint32_t index);

/*
 * Accounts a datagram: `records` data records were announced in it, and it
 * moves the sequence number by `units` (v5: flows; v9: not used; IPFIX: data
 * records, options too). units_known is false when a set of it could not be
 * counted: then the next gap says nothing.
 *
 * A step forward is loss. A small step back is a late datagram; a large step
 * either way is a restart. Both ways to count are accepted: the number before
 * the datagram's own units (RFC 7011, 3.1), and after them (softflowd).
 */
void exporter_account(struct exporter *e, const struct export_header *header,
    int64_t now_ms, uint32_t records, uint32_t units, bool units_known,
    struct counters *counters);

#endif
