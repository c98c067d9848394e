/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Element values to flow records.
 *
 * Where an exporter says one thing in several elements, the order here
 * decides: delta counters before totals before initiator's; milliseconds
 * before finer and coarser times, any absolute time before one relative to
 * the export, that before uptime, and the time of observation, which events
 * of firewalls have in place of a start and an end, last.
 */
#include <string.h>

#include "collector/resolve.h"
#include "common/wire.h"

#define MS_PER_S	  INT64_C(1000)
#define US_PER_MS	  1000U
#define TIME_MAX_MS	  UINT64_C(253402300799999) /* the year 9999 */
#define PROTOCOL_ICMP	  1
#define PROTOCOL_ICMPV6	  58
#define IP_VERSION_4	  4
#define BIFLOW_INITIATOR  1 /* biflowDirection, RFC 5103, 6.3 */
#define BIFLOW_RESPONDER  2
#define NTP_UNIX_OFFSET_S INT64_C(2208988800) /* 1900 to 1970 */
#define NTP_ERA_S	  (INT64_C(1) << 32)
#define NTP_ERA_PIVOT_S	  (INT64_C(1) << 31) /* less: after 2036 */

/* The elements that only the second half of a biflow has. */
#define REVERSE_PRESENT                                                        \
	(IE_BIT(IE_RESPONDER_OCTETS) | IE_BIT(IE_RESPONDER_PACKETS) |          \
	    IE_BIT(IE_REV_OCTETS) | IE_BIT(IE_REV_PACKETS) |                   \
	    IE_BIT(IE_REV_OCTETS_TOTAL) | IE_BIT(IE_REV_PACKETS_TOTAL) |       \
	    IE_BIT(IE_REV_TCP_FLAGS) | IE_BIT(IE_REV_INITIAL_FLAGS) |          \
	    IE_BIT(IE_REV_UNION_FLAGS))

#define EXTRAS_PRESENT                                                         \
	(IE_BIT(IE_FIREWALL_EXT) | IE_BIT(IE_FLOW_DIRECTION) |                 \
	    IE_BIT(IE_POST_SRC_V4) | IE_BIT(IE_POST_SRC_V6) |                  \
	    IE_BIT(IE_POST_SRC_PORT) | IE_BIT(IE_POST_DST_V4) |                \
	    IE_BIT(IE_POST_DST_V6) | IE_BIT(IE_POST_DST_PORT))

/* The elements a time of the first half is told by. */
#define TIMES_PRESENT                                                          \
	(IE_BIT(IE_START_MS) | IE_BIT(IE_END_MS) | IE_BIT(IE_START_US) |       \
	    IE_BIT(IE_END_US) | IE_BIT(IE_START_NS) | IE_BIT(IE_END_NS) |      \
	    IE_BIT(IE_START_S) | IE_BIT(IE_END_S) | IE_BIT(IE_START_UPTIME) |  \
	    IE_BIT(IE_END_UPTIME) | IE_BIT(IE_START_DELTA) |                   \
	    IE_BIT(IE_END_DELTA))

#define ANY_TIMES_PRESENT (TIMES_PRESENT | IE_BIT(IE_OBSERVED_MS))

#define REVERSE_TIMES_PRESENT                                                  \
	(IE_BIT(IE_REV_START_MS) | IE_BIT(IE_REV_END_MS) |                     \
	    IE_BIT(IE_REV_START_US) | IE_BIT(IE_REV_END_US) |                  \
	    IE_BIT(IE_REV_START_NS) | IE_BIT(IE_REV_END_NS) |                  \
	    IE_BIT(IE_REV_START_S) | IE_BIT(IE_REV_END_S) |                    \
	    IE_BIT(IE_REV_START_UPTIME) | IE_BIT(IE_REV_END_UPTIME))

#define V4_PRESENT (IE_BIT(IE_SRC_V4) | IE_BIT(IE_DST_V4))
#define V6_PRESENT (IE_BIT(IE_SRC_V6) | IE_BIT(IE_DST_V6))

/* The times of one half: raw values, 0 where there is none. */
struct times {
	uint64_t start_ms, end_ms;
	uint64_t start_us, end_us; /* NTP, both these pairs */
	uint64_t start_ns, end_ns;
	uint32_t start_s, end_s;
	uint32_t start_uptime, end_uptime;
	bool has_start_uptime;
	bool has_start_delta, has_end_delta;
	uint32_t start_delta, end_delta; /* microseconds before the export */
	uint64_t observed_ms;
};

static bool
has(ie_set present, enum ie ie)
{
	return (present & IE_BIT(ie)) != 0;
}

static bool
has_all(ie_set present, ie_set wanted)
{
	return (present & wanted) == wanted;
}

bool
resolve_is_usable(ie_set present)
{
	return has(present, IE_PROTOCOL) &&
	       (has_all(present, V4_PRESENT) || has_all(present, V6_PRESENT));
}

/* NTP's 64 bits (RFC 5905, 6) to Unix milliseconds; 0 stays 0. */
static int64_t
ntp_to_ms(uint64_t ntp)
{
	int64_t seconds = (int64_t)(ntp >> 32);
	int64_t fraction = (int64_t)(ntp & UINT32_MAX);

	if (ntp == 0)
		return 0;
	if (seconds < NTP_ERA_PIVOT_S)
		seconds += NTP_ERA_S;
	return (seconds - NTP_UNIX_OFFSET_S) * MS_PER_S +
	       (fraction * MS_PER_S >> 32);
}

static int64_t
pick_absolute(uint64_t ms, uint64_t us, uint64_t ns, uint32_t s)
{
	if (ms != 0 && ms <= TIME_MAX_MS)
		return (int64_t)ms;
	if (us != 0)
		return ntp_to_ms(us);
	if (ns != 0)
		return ntp_to_ms(ns);
	return s * MS_PER_S;
}

/*
 * Uptimes are 32 bits of milliseconds and wrap after 49.7 days: only the
 * signed distance from the header's uptime means anything. IPFIX headers
 * have no uptime; there it follows from the time of boot, when that is told.
 */
static bool
uptime_now(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, uint32_t *out_ms)
{
	const struct export_header *h = c->header;
	uint64_t boot_ms = has(present, IE_BOOT_MS) ? r->boot_ms : 0;

	if (h->protocol != EXPORT_IPFIX) {
		*out_ms = h->uptime_ms;
		return true;
	}
	if (boot_ms == 0)
		boot_ms = *c->boot_ms;
	if (boot_ms == 0)
		return false;
	*out_ms = (uint32_t)((uint64_t)h->export_ms - boot_ms);
	return true;
}

static int64_t
from_uptime(const struct export_header *h, uint32_t now_ms, uint32_t then_ms)
{
	return h->export_ms + (int32_t)(then_ms - now_ms);
}

/* Times that are relative to the header's; false: there are none. */
static bool
pick_relative(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, const struct times *t, int64_t *start, int64_t *end)
{
	uint32_t now_ms;

	if (t->has_start_delta || t->has_end_delta) {
		if (t->has_start_delta)
			*start =
			    c->header->export_ms - t->start_delta / US_PER_MS;
		if (t->has_end_delta)
			*end = c->header->export_ms - t->end_delta / US_PER_MS;
		return true;
	}
	if ((t->start_uptime == 0 && t->end_uptime == 0) ||
	    !uptime_now(c, r, present, &now_ms))
		return false;
	if (t->has_start_uptime)
		*start = from_uptime(c->header, now_ms, t->start_uptime);
	if (t->end_uptime != 0)
		*end = from_uptime(c->header, now_ms, t->end_uptime);
	return true;
}

/* Both, or neither: with one of them known, it stands for both. */
static void
set_times(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, const struct times *t, struct flow_record *f)
{
	int64_t start =
	    pick_absolute(t->start_ms, t->start_us, t->start_ns, t->start_s);
	int64_t end = pick_absolute(t->end_ms, t->end_us, t->end_ns, t->end_s);

	if (t->has_start_uptime) {
		f->start_uptime_ms = t->start_uptime;
		f->has |= FLOW_HAS_UPTIME;
	}
	if (start == 0 && end == 0 &&
	    !pick_relative(c, r, present, t, &start, &end)) {
		start = pick_absolute(t->observed_ms, 0, 0, 0);
		if (start == 0)
			return;
	}
	f->start_ms = start != 0 ? start : end;
	f->end_ms = end != 0 ? end : start;
	f->has |= FLOW_HAS_TIMES;
}

/*
 * The two usual ways to tell both times: in milliseconds, or as uptimes and
 * nothing else, where the header has one. False: another, or not filled in.
 */
static bool
set_usual_times(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, struct flow_record *f)
{
	const struct export_header *h = c->header;
	int64_t start = (int64_t)r->start_ms;
	int64_t end = (int64_t)r->end_ms;

	if ((present & TIMES_PRESENT) ==
	    (IE_BIT(IE_START_UPTIME) | IE_BIT(IE_END_UPTIME))) {
		if (h->protocol == EXPORT_IPFIX || r->start_uptime == 0 ||
		    r->end_uptime == 0)
			return false;
		start = from_uptime(h, h->uptime_ms, r->start_uptime);
		end = from_uptime(h, h->uptime_ms, r->end_uptime);
		f->start_uptime_ms = r->start_uptime;
		f->has |= FLOW_HAS_UPTIME;
	} else if (has(present, IE_START_UPTIME)) {
		return false;
	}
	if (start <= 0 || start > (int64_t)TIME_MAX_MS || end <= 0 ||
	    end > (int64_t)TIME_MAX_MS)
		return false;
	f->start_ms = start;
	f->end_ms = end;
	f->has |= FLOW_HAS_TIMES;
	return true;
}

static void
set_forward_times(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, struct flow_record *f)
{
	const struct times t = { r->start_ms, r->end_ms, r->start_us, r->end_us,
		r->start_ns, r->end_ns, r->start_s, r->end_s, r->start_uptime,
		r->end_uptime, has(present, IE_START_UPTIME),
		has(present, IE_START_DELTA), has(present, IE_END_DELTA),
		r->start_delta, r->end_delta, r->observed_ms };

	set_times(c, r, present, &t, f);
}

/* The forward half's times, for a half that began later (CERT 21). */
static void
delay_times(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	uint32_t delay_ms = has(present, IE_REV_DELAY_MS) ? r->rev_delay_ms : 0;

	if ((f->has & FLOW_HAS_UPTIME) != 0)
		f->start_uptime_ms += delay_ms;
	if ((f->has & FLOW_HAS_TIMES) != 0)
		f->start_ms += delay_ms;
	if (f->end_ms < f->start_ms)
		f->end_ms = f->start_ms;
}

/*
 * Times of its own where it has them, else the forward half's, whose start is
 * reverseFlowDeltaMilliseconds later, if that is told.
 */
static void
set_reverse_times(const struct resolve_context *c, const struct ie_record *r,
    ie_set present, struct flow_record *f)
{
	const struct times t = { r->rev_start_ms, r->rev_end_ms,
		r->rev_start_us, r->rev_end_us, r->rev_start_ns, r->rev_end_ns,
		r->rev_start_s, r->rev_end_s, r->rev_start_uptime,
		r->rev_end_uptime, has(present, IE_REV_START_UPTIME), false,
		false, 0, 0, 0 };
	const uint16_t told = FLOW_HAS_TIMES | FLOW_HAS_UPTIME;
	uint16_t forward_has = f->has & told;
	uint32_t forward_uptime_ms = f->start_uptime_ms;

	f->has &= (uint16_t)~told;
	f->start_uptime_ms = 0;
	set_times(c, r, present, &t, f);
	if ((f->has & FLOW_HAS_TIMES) != 0)
		return;
	f->has |= forward_has;
	if ((f->has & FLOW_HAS_UPTIME) != 0)
		f->start_uptime_ms = forward_uptime_ms;
	delay_times(r, present, f);
}

static struct addr
addr_from_u32(uint32_t host_order)
{
	struct addr a = { { [10] = 0xff, [11] = 0xff } };

	wire_put_u32(a.octets + 12, host_order);
	return a;
}

static bool
is_zero(const struct addr *a)
{
	static const struct addr zero;

	return addr_equal(a, &zero);
}

/*
 * Some templates have fields for both families and fill one: the one that is
 * not zero is meant. When both are filled, ipVersion decides, and IPv6 when
 * it is not there.
 */
static bool
set_addresses(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	bool v4 =
	    has_all(present, V4_PRESENT) && (r->src_v4 != 0 || r->dst_v4 != 0);
	bool v6 = has_all(present, V6_PRESENT) &&
		  (!is_zero(&r->src_v6) || !is_zero(&r->dst_v6));

	if (v4 && v6 && has(present, IE_IP_VERSION))
		v6 = r->ip_version != IP_VERSION_4;
	if (v6) {
		f->src = r->src_v6;
		f->dst = r->dst_v6;
	} else if (v4) {
		f->src = addr_from_u32(r->src_v4);
		f->dst = addr_from_u32(r->dst_v4);
	}
	return v4 || v6;
}

/*
 * ICMP's type and code come in one element (32, 139), in two (176 to 179),
 * or, from exporters with fixed layouts, in the destination port. Elements
 * that are 0 may only be unfilled, so the first that is not 0 counts.
 */
static void
set_icmp(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	bool v6 = f->protocol == PROTOCOL_ICMPV6;
	enum ie both_ie = v6 ? IE_ICMP_V6 : IE_ICMP_V4;
	enum ie type_ie = v6 ? IE_ICMP_TYPE_V6 : IE_ICMP_TYPE_V4;
	uint16_t both = v6 ? r->icmp_v6 : r->icmp_v4;
	uint8_t type = v6 ? r->icmp_type_v6 : r->icmp_type_v4;
	uint8_t code = v6 ? r->icmp_code_v6 : r->icmp_code_v4;
	/* firewall events have the echo's identifier in the ports */
	bool in_port =
	    has(present, IE_DST_PORT) && !has(present, IE_FIREWALL_EVENT);

	if (!has(present, both_ie) && !has(present, type_ie) &&
	    !has(present, IE_ICMP_V4) && !in_port)
		return;
	if (both == 0)
		both = (uint16_t)(type << 8 | code);
	if (both == 0) /* nfdump has version 4's element for both */
		both = r->icmp_v4;
	if (both == 0 && in_port)
		both = r->dst_port;
	f->icmp_type = (uint8_t)(both >> 8);
	f->icmp_code = (uint8_t)both;
	f->has |= FLOW_HAS_ICMP;
}

static void
set_transport(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	f->protocol = r->protocol;
	if (f->protocol == PROTOCOL_ICMP || f->protocol == PROTOCOL_ICMPV6) {
		set_icmp(r, present, f);
	} else if (has_all(present,
		       IE_BIT(IE_SRC_PORT) | IE_BIT(IE_DST_PORT))) {
		f->src_port = r->src_port;
		f->dst_port = r->dst_port;
		f->has |= FLOW_HAS_PORTS;
	}
}

/* plain: IE 6. initial and later: CERT's two, whose union says the same. */
static void
set_flags(ie_set present, enum ie plain_ie, uint16_t plain, enum ie initial_ie,
    uint8_t initial, enum ie later_ie, uint8_t later, struct flow_record *f)
{
	if (has(present, plain_ie)) {
		f->tcp_flags = (uint8_t)plain;
		f->has |= FLOW_HAS_TCP_FLAGS;
	} else if (has(present, later_ie)) {
		f->tcp_flags = (uint8_t)(initial | later);
		f->has |= FLOW_HAS_TCP_FLAGS;
	}
	if (has(present, initial_ie)) {
		f->initial_flags = initial;
		f->has |= FLOW_HAS_INITIAL_FLAGS;
	}
}

/*
 * The first of three counters that the record has, in *out; false when none
 * is. A macro: elements that are constants cost a test each.
 */
#define PICK_COUNTER(present, r, a, a_ie, b, b_ie, c, c_ie, out)               \
	(has(present, a_ie)	 ? (*(out) = (r)->a, true)                     \
	    : has(present, b_ie) ? (*(out) = (r)->b, true)                     \
	    : has(present, c_ie) ? (*(out) = (r)->c, true)                     \
				 : false)

/*
 * What NAT made of one end, in *address and *port, which hold what it was;
 * false, with both as they were, if nothing was told. Exporters fill in what
 * was not translated as zero, or as it was. Elements a record does not have
 * are zero, too.
 */
static bool
translate(uint32_t v4, const struct addr *v6, uint16_t new_port,
    struct addr *address, uint16_t *port)
{
	if (v4 != 0)
		*address = addr_from_u32(v4);
	else if (!is_zero(v6))
		*address = *v6;
	else if (new_port == 0)
		return false;
	if (new_port != 0)
		*port = new_port;
	return true;
}

static void
set_nat(const struct ie_record *r, struct flow_record *f)
{
	struct addr src = f->src;
	struct addr dst = f->dst;
	uint16_t src_port = f->src_port;
	uint16_t dst_port = f->dst_port;

	if (translate(r->post_src_v4, &r->post_src_v6, r->post_src_port, &src,
		&src_port)) {
		f->post_src = src;
		f->post_src_port = src_port;
		f->has |= FLOW_HAS_NAT_SRC;
	}
	if (translate(r->post_dst_v4, &r->post_dst_v6, r->post_dst_port, &dst,
		&dst_port)) {
		f->post_dst = dst;
		f->post_dst_port = dst_port;
		f->has |= FLOW_HAS_NAT;
	}
}

/* What few exporters tell. */
static void
set_extras(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	if ((present & EXTRAS_PRESENT) == 0)
		return;
	if (has(present, IE_FIREWALL_EXT)) {
		f->firewall_ext = r->firewall_ext;
		f->has |= FLOW_HAS_FIREWALL_EXT;
	}
	if (has(present, IE_FLOW_DIRECTION)) {
		f->direction = r->flow_direction;
		f->has |= FLOW_HAS_DIRECTION;
	}
	set_nat(r, f);
}

static void
set_forward(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	if (PICK_COUNTER(present, r, packets, IE_PACKETS, packets_total,
		IE_PACKETS_TOTAL, initiator_packets, IE_INITIATOR_PACKETS,
		&f->packets))
		f->has |= FLOW_HAS_PACKETS;
	(void)PICK_COUNTER(present, r, octets, IE_OCTETS, octets_total,
	    IE_OCTETS_TOTAL, initiator_octets, IE_INITIATOR_OCTETS, &f->octets);
	set_flags(present, IE_TCP_FLAGS, r->tcp_flags, IE_INITIAL_FLAGS,
	    r->initial_flags, IE_UNION_FLAGS, r->union_flags, f);
	if (has(present, IE_BIFLOW_DIRECTION)) {
		f->biflow_direction = r->biflow_direction;
		f->has |= FLOW_HAS_BIFLOW_DIRECTION;
	}
	if (has(present, IE_FIREWALL_EVENT)) {
		f->firewall_event = r->firewall_event;
		f->has |= FLOW_HAS_FIREWALL_EVENT;
	}
	if (has(present, IE_END_REASON)) {
		f->end_reason = r->end_reason;
		f->has |= FLOW_HAS_END_REASON;
	}
	f->ingress_if = r->ingress_if;
	f->egress_if = r->egress_if;
	f->ingress_vrf = r->ingress_vrf;
	set_extras(r, present, f);
}

/*
 * Makes f, a copy of the forward half, the reverse one. Its source is the
 * forward half's destination, so biflowDirection is turned too: in every
 * record, 1 says "my source opened it". What ICMP said the other way is not
 * told. A half without a count of packets and with 0 octets saw none.
 */
static void
set_reverse(const struct ie_record *r, ie_set present, struct flow_record *f)
{
	const struct addr src = f->src;
	uint16_t src_port = f->src_port;
	uint32_t ingress_if = f->ingress_if;

	f->src = f->dst;
	f->dst = src;
	f->src_port = f->dst_port;
	f->dst_port = src_port;
	f->ingress_if = f->egress_if;
	f->egress_if = ingress_if;
	f->has &=
	    (uint16_t) ~(FLOW_HAS_PACKETS | FLOW_HAS_TCP_FLAGS |
			 FLOW_HAS_INITIAL_FLAGS | FLOW_HAS_ICMP |
			 FLOW_HAS_DIRECTION | FLOW_HAS_NAT | FLOW_HAS_NAT_SRC);
	f->has |= FLOW_IS_REVERSE;
	f->ingress_vrf = r->egress_vrf;
	f->direction = 0;
	f->post_dst = (struct addr){ 0 };
	f->post_dst_port = 0;
	f->post_src = (struct addr){ 0 };
	f->post_src_port = 0;
	f->icmp_type = 0;
	f->icmp_code = 0;
	f->packets = 0;
	f->octets = 0;
	f->tcp_flags = 0;
	f->initial_flags = 0;
	if (PICK_COUNTER(present, r, rev_packets, IE_REV_PACKETS,
		rev_packets_total, IE_REV_PACKETS_TOTAL, responder_packets,
		IE_RESPONDER_PACKETS, &f->packets))
		f->has |= FLOW_HAS_PACKETS;
	if (PICK_COUNTER(present, r, rev_octets, IE_REV_OCTETS,
		rev_octets_total, IE_REV_OCTETS_TOTAL, responder_octets,
		IE_RESPONDER_OCTETS, &f->octets) &&
	    f->octets == 0)
		f->has |= FLOW_HAS_PACKETS;
	set_flags(present, IE_REV_TCP_FLAGS, r->rev_tcp_flags,
	    IE_REV_INITIAL_FLAGS, r->rev_initial_flags, IE_REV_UNION_FLAGS,
	    r->rev_union_flags, f);
	if (f->biflow_direction == BIFLOW_INITIATOR)
		f->biflow_direction = BIFLOW_RESPONDER;
	else if (f->biflow_direction == BIFLOW_RESPONDER)
		f->biflow_direction = BIFLOW_INITIATOR;
}

unsigned
resolve_record(const struct resolve_context *context, const struct ie_record *r,
    ie_set present, struct flow_record out[RESOLVE_MAX])
{
	struct flow_record *f = &out[0];

	*f = context->blank;
	if (!set_addresses(r, present, f))
		return 0;
	f->sampling =
	    sampling_of(context->sampling, r, present, context->header_rate);
	set_transport(r, present, f);
	set_forward(r, present, f);
	if ((present & ANY_TIMES_PRESENT) != 0 &&
	    !set_usual_times(context, r, present, f))
		set_forward_times(context, r, present, f);
	if ((present & REVERSE_PRESENT) == 0)
		return 1;
	out[1] = *f;
	set_reverse(r, present, &out[1]);
	if ((present & REVERSE_TIMES_PRESENT) != 0)
		set_reverse_times(context, r, present, &out[1]);
	else
		delay_times(r, present, &out[1]);
	return 2;
}
