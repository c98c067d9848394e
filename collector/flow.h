/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow record: what the collector makes and the engine judges.
 *
 * A record is one direction (RFC 7011, 2). A biflow (RFC 5103) is split into
 * two halves, the forward one first: its fields say who sent the octets, and
 * neither half says who opened the connection. Records hold no pointers, so
 * they can be copied, compared, saved and replayed.
 */
#ifndef COLLECTOR_FLOW_H
#define COLLECTOR_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* What the exporter told; a field whose bit is clear is 0 and means nothing. */
enum flow_has {
	FLOW_HAS_PORTS = 1U << 0,
	FLOW_HAS_TCP_FLAGS = 1U << 1,	  /* IE 6, or unions of CERT IE 15 */
	FLOW_HAS_INITIAL_FLAGS = 1U << 2, /* CERT (PEN 6871) IE 14 */
	FLOW_HAS_ICMP = 1U << 3,   /* IE 32, 139, 176..179, or the port */
	FLOW_HAS_TIMES = 1U << 4,  /* start_ms and end_ms */
	FLOW_HAS_UPTIME = 1U << 5, /* start_uptime_ms: IE 22 */
	FLOW_HAS_BIFLOW_DIRECTION = 1U << 6, /* IE 239, turned in the second
					      * half: 1 is this src */
	FLOW_HAS_FIREWALL_EVENT = 1U << 7,   /* IE 233, 40005 */
	FLOW_HAS_END_REASON = 1U << 8,	     /* IE 136 */
	FLOW_IS_REVERSE = 1U << 9,	     /* the second half of a biflow */
	FLOW_HAS_PACKETS = 1U << 10,
	FLOW_HAS_FIREWALL_EXT = 1U << 11, /* NSEL's 33002 */
	FLOW_HAS_DIRECTION = 1U << 12,	  /* IE 61 */
	FLOW_HAS_NAT = 1U << 13,	  /* post_dst, post_dst_port */
	FLOW_HAS_NAT_SRC = 1U << 14,	  /* post_src, post_src_port */
};

/* Addresses: network order. Ports: host order. */
struct flow_record {
	struct addr src;
	struct addr dst;
	int64_t received_ms; /* when the datagram came: socket or capture */
	int64_t export_ms;   /* the header's export time */
	int64_t start_ms;    /* of the flow, Unix time; see FLOW_HAS_TIMES */
	int64_t end_ms;
	uint64_t packets;
	uint64_t octets;
	uint32_t exporter;	  /* index of struct exporter_info, dense */
	uint32_t start_uptime_ms; /* raw, for comparisons inside one boot */
	uint32_t ingress_if;	  /* IE 10; 0 unknown */
	uint32_t egress_if;	  /* IE 14; 0 unknown */
	uint32_t ingress_vrf;	  /* IE 234; 0 unknown */
	uint32_t sampling;	  /* packets seen for each one counted: 1 not
				   * sampled; 0 sampled, but not told how */
	int32_t lost;		  /* records missing before this one, by the
				   * sequence numbers; v9: about so many.
				   * Negative: so many came late */
	uint16_t has;		  /* enum flow_has */
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t protocol;
	uint8_t tcp_flags; /* the low octet, as sent: mask before comparing */
	uint8_t initial_flags;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t biflow_direction;
	uint8_t firewall_event;
	uint8_t end_reason;
	uint8_t direction; /* 0 ingress, 1 egress, at the observation point */
	uint16_t firewall_ext;
	/*
	 * Where destination NAT sent the packets, in the forward half: the
	 * host inside that answers. What was not translated is as dst is.
	 */
	uint16_t post_dst_port;
	struct addr post_dst;
	/*
	 * The same of the source, for who reads the records: it says nothing
	 * about who is reachable.
	 */
	uint16_t post_src_port;
	struct addr post_src;
};

/*
 * Room for everything one datagram can hold, always: a biflow, which gives
 * two records, takes at least 10 octets on the wire (two IPv4 addresses, a
 * protocol, and one octet of a reverse element; ICMP needs no ports), so
 * 65,535 octets hold at most 13,106 halves. The pipeline empties the batch when
 * fewer than FLOW_DATAGRAM_MAX slots remain, so the decoder never stops half
 * way.
 */
#define FLOW_DATAGRAM_MAX 13106
#define FLOW_BATCH_MAX	  16384

struct flow_batch {
	uint32_t count;
	struct flow_record records[FLOW_BATCH_MAX];
};

/* The longest line flow_format() makes, and its NUL. */
#define FLOW_TEXT_MAX 512

/*
 * One record as one line of key=value, for tests and debugging:
 *   203.0.113.10:43000>10.0.0.5:80 proto=6 flags=0x1b pkts=5 octets=286 ...
 * Returns text.
 */
char *flow_format(const struct flow_record *f, char text[FLOW_TEXT_MAX]);

#endif
