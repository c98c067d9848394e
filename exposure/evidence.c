/* SPDX-License-Identifier: Apache-2.0 */
/* From flow records to the evidence of one direction. */
#include <string.h>

#include "exposure/evidence.h"
#include "exposure/protocol.h"

/* The flags of a record in which a SYN without or with ACK was seen. */
static uint16_t
syn_evidence(uint8_t flags, const struct flow_record *f)
{
	/* no packet has both: crafted, or the flags of two directions */
	if (f->packets == 1 && (flags & TCP_RST) != 0)
		return EV_BADSYN1;
	if ((flags & TCP_ACK) == 0)
		return EV_SYN;
	/* with FIN it is no acceptance: an exporter's constant, or crafted */
	if (f->packets == 1 && (flags & TCP_FIN) == 0)
		return EV_SYNACK1;
	return EV_MIX;
}

/* CERT's initialTCPFlags say exactly what the first packet was. */
static uint16_t
initial_evidence(const struct flow_record *f)
{
	uint8_t first = f->initial_flags & TCP_CLASSIC;
	uint8_t all = (f->tcp_flags | first) & TCP_CLASSIC;
	uint16_t evidence = 0;

	if ((first & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		evidence = EV_SYN;
	else if ((first & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		evidence = EV_SYNACK1;
	if (evidence != 0 && (all & (TCP_PSH | TCP_FIN)) != 0 &&
	    (all & TCP_ACK) != 0)
		evidence |= EV_DATA;
	return evidence;
}

static uint16_t
tcp_evidence(const struct flow_record *f, uint8_t flags)
{
	if ((f->has & FLOW_HAS_INITIAL_FLAGS) != 0) {
		uint16_t evidence = initial_evidence(f);

		if (evidence != 0)
			return evidence;
	}
	if ((flags & TCP_SYN) != 0)
		return syn_evidence(flags, f);
	if (flags == (TCP_RST | TCP_ACK))
		return EV_RSTACK1;
	if (flags == TCP_RST)
		return EV_RST1;
	if ((flags & TCP_RST) != 0)
		return EV_OTHER;
	if (f->packets == 1 && flags == TCP_ACK)
		return EV_ACK1;
	if (f->packets == 1 && flags == (TCP_FIN | TCP_ACK))
		return EV_MAIMON1;
	if ((flags & TCP_ACK) != 0)
		return EV_DATA;
	if (flags == 0)
		return EV_NULL;
	if (flags == TCP_FIN)
		return EV_FIN;
	if (flags == (TCP_FIN | TCP_PSH | TCP_URG))
		return EV_XMAS;
	return EV_OTHER;
}

static uint16_t
icmp_evidence(const struct flow_record *f)
{
	uint8_t query;

	if ((f->has & FLOW_HAS_ICMP) == 0)
		return EV_OTHER;
	switch (icmp_part_of(f->protocol, f->icmp_type, &query)) {
	case ICMP_PART_REQUEST:
		return EV_REQUEST;
	case ICMP_PART_REPLY:
		return EV_REPLY;
	case ICMP_PART_NONE:
		break;
	}
	return EV_OTHER;
}

static uint8_t
record_flags(const struct flow_record *f)
{
	uint8_t flags = f->tcp_flags;

	if ((f->has & FLOW_HAS_INITIAL_FLAGS) != 0)
		flags |= f->initial_flags;
	return flags & TCP_CLASSIC;
}

bool
flow_has_flags(const struct flow_record *f)
{
	return f->protocol == PROTOCOL_TCP && record_flags(f) != 0;
}

bool
flow_bears_syn(const struct flow_record *f)
{
	return f->protocol == PROTOCOL_TCP &&
	       (record_flags(f) & TCP_SYN) != 0 && f->packets != 0;
}

static uint16_t
saturate(uint64_t n)
{
	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/*
 * Of several exporters the lowest index counts: any order gives the same.
 * Before: add_extent(), so that the half begins no later than the record.
 */
static void
add_syn_time(struct half *h, const struct flow_record *f, int64_t start_ms)
{
	bool has_uptime = (f->has & FLOW_HAS_UPTIME) != 0;
	uint16_t after_ms = saturate((uint64_t)(start_ms - half_first_ms(h)));
	uint16_t exporter = saturate(f->exporter);

	if ((f->has & FLOW_HAS_TIMES) == 0)
		return;
	if (h->has_syn_time && h->syn_exporter < exporter)
		return;
	if (h->has_syn_time && h->syn_exporter == exporter &&
	    h->syn_after_ms <= after_ms)
		return;
	h->has_syn_time = true;
	h->syn_after_ms = after_ms;
	h->syn_exporter = exporter;
	h->has_syn_uptime = has_uptime;
	h->syn_uptime_ms = has_uptime ? f->start_uptime_ms : 0;
}

static void
add_extent(struct half *h, const struct flow_record *f, int64_t start_ms)
{
	uint16_t packets = saturate(f->packets);
	uint16_t octets = saturate(f->octets);
	uint16_t exporter = saturate(f->exporter);
	int64_t first_ms = half_first_ms(h);

	if (!h->present || start_ms < first_ms) {
		/* what is behind it stays where it is */
		if (h->has_syn_time)
			h->syn_after_ms =
			    saturate(h->syn_after_ms + (uint64_t)first_ms -
				     (uint64_t)start_ms);
		half_set_first_ms(h, start_ms);
	}
	if (!h->present || exporter < h->exporter)
		h->exporter = exporter;
	if (!h->present || packets > h->packets ||
	    (packets == h->packets && octets > h->octets)) {
		h->packets = packets;
		h->octets = octets;
	}
}

/* How much a firewall event tells: an end, a refusal, a beginning. */
static int
event_rank(uint8_t event)
{
	switch (event) {
	case FIREWALL_DELETED:
	case FIREWALL_UPDATED:
		return 3;
	case FIREWALL_DENIED:
		return 2;
	case FIREWALL_CREATED:
		return 1;
	default:
		return 0;
	}
}

/* The firewall names the initiator first, so the forward half alone has the
 * event. The one that tells most stays, in whatever order they come: what is
 * denied behind the end of a connection are its last packets. */
static void
add_firewall_event(struct half *h, const struct flow_record *f)
{
	unsigned event = f->firewall_event;
	int rank = event_rank(f->firewall_event);
	int before = event_rank(h->firewall_event);

	if ((f->has & FLOW_HAS_FIREWALL_EVENT) == 0 ||
	    (f->has & FLOW_IS_REVERSE) != 0)
		return;
	if (rank == 0 && event != 0)
		event = FIREWALL_OTHER;
	if (rank > before || (rank == before && event > h->firewall_event))
		h->firewall_event = event & 7U;
}

/* What a record adds to a half. */
static void
add(struct half *h, const struct flow_record *f, int64_t start_ms)
{
	uint8_t flags = record_flags(f);
	uint16_t has_flags = FLOW_HAS_TCP_FLAGS | FLOW_HAS_INITIAL_FLAGS;

	add_extent(h, f, start_ms);
	h->sampled |= f->sampling != 1;
	h->reverse =
	    (f->has & FLOW_IS_REVERSE) != 0 && (!h->present || h->reverse);
	if (f->protocol == PROTOCOL_TCP) {
		bool no_flags = (f->has & has_flags) == 0;

		h->no_flags = no_flags && (!h->present || h->no_flags);
		if (!no_flags) {
			h->evidence |= tcp_evidence(f, flags);
			h->flags = (h->flags | flags) & TCP_CLASSIC;
		}
		if (no_flags || (flags & TCP_SYN) != 0)
			add_syn_time(h, f, start_ms);
	} else {
		if (protocol_is_icmp(f->protocol))
			h->evidence |= icmp_evidence(f);
		add_syn_time(h, f, start_ms);
	}
	add_firewall_event(h, f);
	h->present = true;
}

enum half_news
half_add(struct half *h, const struct flow_record *f, int64_t start_ms)
{
	struct half before;

	if ((f->has & FLOW_HAS_PACKETS) != 0 && f->packets == 0) {
		bool is_known = (h->evidence & EV_ZERO) != 0;

		h->evidence |= EV_ZERO;
		return is_known ? HALF_SAME : HALF_NEWS;
	}
	if (!h->present) {
		add(h, f, start_ms);
		return HALF_NEWS;
	}
	before = *h;
	add(h, f, start_ms);
	if (h->evidence != before.evidence || h->flags != before.flags)
		return HALF_NEWS;
	return memcmp(h, &before, sizeof(before)) != 0 ? HALF_GREW : HALF_SAME;
}
