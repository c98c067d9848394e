/* SPDX-License-Identifier: Apache-2.0 */
/* From flow records to the evidence of one direction. */
#include "exposure/evidence.h"
#include "exposure/protocol.h"

#define PROTO_TCP 6

/* The flags of a record in which a SYN without or with ACK was seen. */
static uint16_t
syn_evidence(uint8_t flags, const struct flow_record *f)
{
	/* no packet has both: crafted, or the flags of two directions */
	if (f->packets == 1 && (flags & TCP_RST) != 0)
		return EV_BADSYN1;
	if ((flags & TCP_ACK) == 0)
		return EV_SYN;
	if (f->packets == 1)
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
	return f->protocol == PROTO_TCP && record_flags(f) != 0;
}

bool
flow_bears_syn(const struct flow_record *f)
{
	return f->protocol == PROTO_TCP && (record_flags(f) & TCP_SYN) != 0 &&
	       f->packets != 0;
}

static uint32_t
saturate(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Of several exporters the lowest index counts: any order gives the same. */
static void
add_syn_time(struct half *h, const struct flow_record *f, int64_t start_ms)
{
	bool has_uptime = (f->has & FLOW_HAS_UPTIME) != 0;

	if ((f->has & FLOW_HAS_TIMES) == 0)
		return;
	if (h->has_syn_time && h->syn_exporter < f->exporter)
		return;
	if (h->has_syn_time && h->syn_exporter == f->exporter &&
	    h->syn_ms <= start_ms)
		return;
	h->has_syn_time = true;
	h->syn_ms = start_ms;
	h->syn_exporter = f->exporter;
	h->has_syn_uptime = has_uptime;
	h->syn_uptime_ms = has_uptime ? f->start_uptime_ms : 0;
}

static void
add_extent(struct half *h, const struct flow_record *f, int64_t start_ms,
    int64_t end_ms)
{
	uint32_t packets = saturate(f->packets);
	uint32_t octets = saturate(f->octets);

	if (!h->present || start_ms < h->first_ms)
		h->first_ms = start_ms;
	if (!h->present || end_ms > h->last_ms)
		h->last_ms = end_ms;
	if (!h->present || f->exporter < h->exporter)
		h->exporter = f->exporter;
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
	int rank = event_rank(f->firewall_event);
	int before = event_rank(h->firewall_event);

	if ((f->has & FLOW_HAS_FIREWALL_EVENT) == 0 ||
	    (f->has & FLOW_IS_REVERSE) != 0)
		return;
	if (rank > before ||
	    (rank == before && f->firewall_event > h->firewall_event))
		h->firewall_event = f->firewall_event;
}

bool
half_add(struct half *h, const struct flow_record *f, int64_t start_ms,
    int64_t end_ms)
{
	struct half before = *h;
	uint8_t flags = record_flags(f);
	uint16_t has_flags = FLOW_HAS_TCP_FLAGS | FLOW_HAS_INITIAL_FLAGS;

	if ((f->has & FLOW_HAS_PACKETS) != 0 && f->packets == 0) {
		h->evidence |= EV_ZERO;
		return h->evidence != before.evidence;
	}
	add_extent(h, f, start_ms, end_ms);
	h->reverse =
	    (f->has & FLOW_IS_REVERSE) != 0 && (!h->present || h->reverse);
	if (f->protocol == PROTO_TCP) {
		bool no_flags = (f->has & has_flags) == 0;

		h->no_flags = no_flags && (!h->present || h->no_flags);
		if (!no_flags) {
			h->evidence |= tcp_evidence(f, flags);
			h->flags |= flags;
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
	return !before.present || h->evidence != before.evidence ||
	       h->flags != before.flags;
}
