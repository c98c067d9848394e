/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one decode door: datagram in, flow records out.
 *
 * NetFlow v5 has one layout. v9 (RFC 3954) and IPFIX (RFC 7011) go through
 * the gate, which checks every length, keeps the templates, and decodes
 * records by a plan compiled from their template. No datagram can make it
 * crash, hang, or grow past its limits: what it cannot use is counted, and
 * the rest is still decoded. It never asks the clock and, once made, does not
 * allocate (libfixbuf's own bookkeeping aside, with by_library).
 *
 * Counted of each datagram: one status. Of its data records:
 *     announced = delivered + unusable + refused
 * where a delivered one gave one flow record, or two if it was a biflow.
 */
#ifndef COLLECTOR_DECODER_H
#define COLLECTOR_DECODER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/datagram.h"
#include "collector/flow.h"
#include "common/addr.h"
#include "common/counter.h"
#include "common/err.h"
#include "common/hash.h"

enum decode_status {
	DECODE_OK,	       /* a flow export; records may be 0 */
	DECODE_NOT_EXPORT,     /* no version this program reads */
	DECODE_SHORT,	       /* shorter than its header says */
	DECODE_MALFORMED,      /* its header contradicts itself */
	DECODE_EXPORTER_LIMIT, /* max_exporters addresses are known */
	DECODE_DOMAIN_LIMIT,   /* max_domains of the address are known */
	DECODE_NOT_ALLOWED,    /* not in the allow list */
	DECODE_STATUS_COUNT
};

enum export_protocol {
	EXPORT_NETFLOW5 = 5,
	EXPORT_NETFLOW9 = 9,
	EXPORT_IPFIX = 10,
};

/* What an exporter's sequence number counts, as far as it has shown. */
enum sequence_unit {
	SEQUENCE_FLOWS,			/* v5 */
	SEQUENCE_DATAGRAMS,		/* v9 */
	SEQUENCE_RECORDS,		/* IPFIX: data records, options too */
	SEQUENCE_RECORDS_AND_TEMPLATES, /* against RFC 7011, but it happens */
};

/*
 * An exporter as its users know it: (address, domain, protocol), and the
 * source port when decoder_config.source_port_in_key says so. domain is the
 * observation domain (IPFIX), the source id (v9), or engine type * 256 +
 * engine id (v5). Absolute values, since the daemon's start.
 */
struct exporter_info {
	struct addr address;
	uint32_t domain;
	enum export_protocol protocol;
	char name[LABEL_MAX]; /* by the allow list; "" */
	int64_t first_seen_ms;
	int64_t last_seen_ms;
	uint64_t datagrams;
	uint64_t refused; /* datagrams of its address, whatever their domain */
	uint64_t records;
	uint64_t lost; /* units missing, less those that came late */
	uint64_t reordered;
	uint64_t duplicates;
	uint64_t restarts; /* of the sequence */
	uint64_t unknown_template_sets;
	uint64_t templates_changed; /* redefined with other fields */
	int64_t clock_offset_ms;    /* median of received - export time, over
				     * the last datagrams; v9 and IPFIX tell
				     * whole seconds only, which adds up to 1 s */
	uint32_t templates;
	uint32_t sampling; /* as struct flow_record has it, without a sampler */
	uint32_t active_timeout_s; /* IE 36; 0: not told */
	uint32_t idle_timeout_s;   /* IE 37; 0: not told */
	enum sequence_unit sequence_unit;
	uint16_t source_port; /* of its last datagram; 0: none yet */
	bool shared_address;  /* several exporters hide behind it */
};

struct decoder_config {
	uint32_t max_exporters; /* addresses; 1..4096 */
	uint32_t max_domains;	/* (domain, protocol) of each; 1..4096 */
	uint32_t max_templates; /* of each of those; 1..4096 */
	uint32_t max_fields;	/* in a template; 1..1024 */
	int64_t template_lifetime_ms;
	bool source_port_in_key; /* each source port is an exporter's own */
	bool accept_any;	 /* every address, whatever allow says */
	bool by_library; /* fields of variable length with libfixbuf: for tests
			  */
	/*
	 * Who may send, with a name for each. Empty: loopback, private and
	 * link-local addresses (RFC 1918, RFC 6598, fc00::/7, fe80::/10,
	 * 169.254/16).
	 */
	struct prefix_set allow;
	struct hash_key key;
};

/*
 * 64 exporters of 16 domains of 256 templates of 128 fields, 1800 s, not
 * accept_any; key is all zero. All domains together are at most 4096, all
 * templates 8192.
 */
struct decoder_config decoder_config_default(void);

/*
 * What an exporter said once and will not say again soon, to be kept over a
 * restart. Plain octets: it can be stored as it is, field by field.
 */
enum memory_kind {
	MEMORY_TEMPLATE = 1,
	MEMORY_OPTIONS_TEMPLATE,
	MEMORY_SAMPLING, /* id 0: all rates of the exporter */
	MEMORY_BOOT,	 /* id 0 */
	MEMORY_TIMEOUTS, /* id 0 */
	MEMORY_NAMES,	 /* id 0: of all interfaces of the exporter */
};

#define MEMORY_OCTETS_MAX 1152

/*
 * One that was not given again for so long need not be kept: the exporter no
 * longer sends it, and decoder_remember()'d it would not be used.
 */
#define MEMORY_AGE_MAX_MS (INT64_C(24) * 3600 * 1000)

/* The key is all but learned_ms, length and octets. */
struct decoder_memory {
	struct addr address;
	uint32_t domain;
	uint8_t protocol;     /* enum export_protocol */
	uint8_t kind;	      /* enum memory_kind */
	uint16_t source_port; /* 0 unless source_port_in_key */
	uint16_t id;
	uint16_t length;
	int64_t learned_ms; /* or refreshed */
	uint8_t octets[MEMORY_OCTETS_MAX];
};

struct decoder;

/* owned: free with decoder_free(). counters is borrowed for its life. */
struct decoder *decoder_new(const struct decoder_config *config,
    struct counters *counters);
void decoder_free(struct decoder *d); /* takes NULL */

/* What decoder_new() allocates, in octets, the library's aside. */
uint64_t decoder_bytes(const struct decoder_config *config);

/*
 * Before: batch has room for FLOW_DATAGRAM_MAX records.
 * After: the datagram's records are appended in the order they came; each
 * has its exporter's index. What was refused is counted.
 */
enum decode_status decoder_decode(struct decoder *d, const struct datagram *in,
    struct flow_batch *batch);

/*
 * Accepts every sender from here on, as for a capture, whose reader chose it;
 * or, as at first, whom the configuration accepts.
 */
void decoder_accept_any(struct decoder *d, bool accept);

/* Exporters seen so far; index < decoder_exporter_count(). Copied. */
uint32_t decoder_exporter_count(const struct decoder *d);
struct exporter_info decoder_exporter(const struct decoder *d, uint32_t index);

/*
 * What an exporter calls one of its interfaces: printable ASCII. NULL: it did
 * not say. Borrowed until the next decoder_decode().
 */
const char *decoder_interface_name(const struct decoder *d, uint32_t exporter,
    uint32_t interface);

/*
 * The next memory that is new or changed since it was last given; false: no
 * more for now. *cursor starts at 0, and goes on from round to round as it
 * is. One that is refreshed is given again about once an hour. Costs nothing
 * when nothing has changed; otherwise a round looks at each template once.
 */
bool decoder_memory_next(struct decoder *d, uint32_t *cursor,
    struct decoder_memory *out);

/*
 * Gives back what decoder_memory_next() gave in an earlier life; it makes the
 * exporter known, with 0 datagrams. Before the first decoder_decode().
 * Errors: ERR_FORMAT (not what decoder_memory_next() gives); ERR_FULL (one
 * of the limits is met); ERR_RANGE (the address is not allowed).
 */
int decoder_remember(struct decoder *d,
    const struct decoder_memory *m) MUST_CHECK;

#endif
