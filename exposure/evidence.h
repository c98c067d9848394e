/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one direction of a conversation proves: the half accumulator.
 *
 * Evidence is set per record and OR-ed, packets are the maximum and not the
 * sum, so that the order of records, duplicates and second exporters change
 * nothing. A record of one packet is exact: its flags are one packet's; so is
 * any record with SYN and without ACK. Flags are masked to the six classic
 * bits, so that ECN (0xc2, 0x52) makes no difference.
 */
#ifndef EXPOSURE_EVIDENCE_H
#define EXPOSURE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flow.h"

/* TCP control bits (RFC 9293, 3.1), as in IE 6 tcpControlBits. */
#define TCP_FIN	    0x01U
#define TCP_SYN	    0x02U
#define TCP_RST	    0x04U
#define TCP_PSH	    0x08U
#define TCP_ACK	    0x10U
#define TCP_URG	    0x20U
#define TCP_CLASSIC 0x3fU

enum evidence {
	EV_SYN = 0x0001,     /* SYN without ACK: exact at any packet count */
	EV_SYNACK1 = 0x0002, /* SYN and ACK in one packet: exact */
	EV_MIX = 0x0004,     /* SYN and ACK over several packets: ambiguous */
	EV_RSTACK1 = 0x0008, /* RST, ACK: answers a segment without ACK */
	EV_RST1 = 0x0010,    /* RST alone: answers a segment with ACK */
	EV_DATA = 0x0020,    /* ACK, no SYN, no RST: established traffic */
	EV_NULL = 0x0040,    /* no flag at all, from a feed that has flags */
	EV_FIN = 0x0080,     /* FIN alone */
	EV_XMAS = 0x0100,    /* FIN, PSH, URG */
	EV_MAIMON1 = 0x0200, /* FIN, ACK in one packet */
	EV_ACK1 = 0x0400,    /* ACK in one packet */
	EV_BADSYN1 = 0x0800, /* SYN and RST in one packet */
	EV_ZERO = 0x1000,    /* the exporter reported it with 0 packets */
	EV_REQUEST = 0x2000, /* ICMP: echo and other requests */
	EV_REPLY = 0x4000,   /* ICMP: their replies */
	EV_OTHER = 0x8000,   /* RST with FIN or PSH, and other oddities */
};

#define EV_ACKED (EV_DATA | EV_MAIMON1 | EV_ACK1)

/* IE 233 firewallEvent; alert says nothing about a connection. */
enum firewall_event {
	FIREWALL_CREATED = 1,
	FIREWALL_DELETED = 2,
	FIREWALL_DENIED = 3,
	FIREWALL_OTHER = 4, /* alert, and what is not assigned */
	FIREWALL_UPDATED = 5,
};

/* As far behind first_ms as syn_after_ms can tell, or further. */
#define HALF_SYN_FAR UINT16_MAX

/*
 * One direction, in 24 octets: millions are kept. A zeroed half is an absent
 * one. Counts and exporter indices above 65,535 stand as 65,535: no rule
 * asks for more.
 */
struct half {
	uint32_t first_low; /* half_first_ms() */
	int16_t first_high;
	uint16_t packets;	/* the most any record had */
	uint32_t syn_uptime_ms; /* of the record that bears SYN; UDP: of any */
	uint16_t octets;	/* of the record with most packets; the most */
	uint16_t evidence;	/* enum evidence */
	uint16_t exporter;	/* the lowest index that showed anything */
	uint16_t syn_exporter;	/* the lowest index that showed a SYN's time */
	uint16_t syn_after_ms;	/* that time, behind first_ms */
	uint8_t flags : 6;	/* OR of all records, masked */
	bool sampled : 1;	/* a record was: 1 packet in N */
	bool unheard : 1;	/* nobody listened when a record began */
	bool present : 1;	/* at least one packet */
	bool has_syn_time : 1;
	bool has_syn_uptime : 1;
	bool no_flags : 1; /* no record had tcpControlBits */
	bool reverse : 1;  /* every record was a biflow's second half */
	uint8_t firewall_event : 3; /* enum firewall_event, who sent this
				     * opened */
};

/* Earliest start of any record, Unix ms. */
static inline int64_t
half_first_ms(const struct half *h)
{
	return (int64_t)h->first_high * (INT64_C(1) << 32) + h->first_low;
}

static inline void
half_set_first_ms(struct half *h, int64_t ms)
{
	h->first_low = (uint32_t)ms;
	h->first_high = (int16_t)(ms >> 32);
}

/* Of the record that bears SYN; not when it is HALF_SYN_FAR. */
static inline int64_t
half_syn_ms(const struct half *h)
{
	return half_first_ms(h) + h->syn_after_ms;
}

/* What a record told of its direction. */
enum half_news {
	HALF_SAME, /* nothing at all */
	HALF_GREW, /* earlier, or more packets; nothing of another kind */
	HALF_NEWS,
};

/* Adds a record; start_ms is its start as the engine takes it. */
enum half_news half_add(struct half *h, const struct flow_record *f,
    int64_t start_ms);

/* TCP with tcpControlBits that are not all 0. */
bool flow_has_flags(const struct flow_record *f);

/* The record bears a SYN: it may begin a new generation of its 5-tuple. */
bool flow_bears_syn(const struct flow_record *f);

#endif
