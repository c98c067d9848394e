/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one decode door: datagram in, flow records out.
 *
 * NetFlow v5 has one layout. v9 (RFC 3954) and IPFIX (RFC 7011) go through
 * the gate, which checks every length, keeps the templates, and decodes
 * records of fixed length by a plan compiled from their template, the others
 * with libfixbuf. No datagram can make it crash, hang, or grow past its
 * limits: what it cannot use is counted, and the rest is still decoded.
 * It never asks the clock and, once made, does not allocate (libfixbuf's
 * own bookkeeping aside, for templates with variable-length fields).
 *
 * Counted of each datagram: one status. Of its data records:
 *     announced = delivered + unusable + refused
 * where a delivered one gave one flow record, or two if it was a biflow.
 */
#ifndef COLLECTOR_DECODER_H
#define COLLECTOR_DECODER_H

#include <stdint.h>

#include "collector/datagram.h"
#include "collector/flow.h"
#include "common/counter.h"
#include "common/hash.h"

enum decode_status {
	DECODE_OK,	       /* a flow export; records may be 0 */
	DECODE_NOT_EXPORT,     /* no version this program reads */
	DECODE_SHORT,	       /* shorter than its header says */
	DECODE_MALFORMED,      /* its header contradicts itself */
	DECODE_EXPORTER_LIMIT, /* the exporter table is full */
	DECODE_STATUS_COUNT
};

enum export_protocol {
	EXPORT_NETFLOW5 = 5,
	EXPORT_NETFLOW9 = 9,
	EXPORT_IPFIX = 10,
};

/*
 * An exporter as its users know it: (address, domain, protocol). domain is
 * the observation domain (IPFIX), the source id (v9), or engine type * 256 +
 * engine id (v5). Absolute values, since the daemon's start.
 */
struct exporter_info {
	struct addr address;
	uint32_t domain;
	enum export_protocol protocol;
	int64_t first_seen_ms;
	int64_t last_seen_ms;
	uint64_t datagrams;
	uint64_t records;
	uint64_t lost; /* sequence units missing: v5 flows, v9 datagrams,
			* IPFIX records */
	uint32_t templates;
};

struct decoder_config {
	uint32_t max_exporters; /* (address, domain, protocol); 1..4096 */
	uint32_t max_templates; /* for each of them; 1..4096 */
	uint32_t max_fields;	/* in a template; 1..1024 */
	int64_t template_lifetime_ms;
	struct hash_key key;
};

/* 1024 exporters, 256 templates, 128 fields, 1800 s; key is all zero. */
struct decoder_config decoder_config_default(void);

struct decoder;

/* owned: free with decoder_free(). counters is borrowed for its life. */
struct decoder *decoder_new(const struct decoder_config *config,
    struct counters *counters);
void decoder_free(struct decoder *d); /* takes NULL */

/*
 * Before: batch has room for FLOW_DATAGRAM_MAX records.
 * After: the datagram's records are appended in the order they came; each
 * has its exporter's index. What was refused is counted.
 */
enum decode_status decoder_decode(struct decoder *d, const struct datagram *in,
    struct flow_batch *batch);

/* Exporters seen so far; index < decoder_exporter_count(). Copied. */
uint32_t decoder_exporter_count(const struct decoder *d);
struct exporter_info decoder_exporter(const struct decoder *d, uint32_t index);

#endif
