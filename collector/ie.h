/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The information elements this program uses: one list. From it come the
 * enum, the record the decoding library fills, and the template it fills it
 * by. Elements that are not here are skipped by their length. A reverse
 * element (RFC 5103) is a row of its own, so one we do not know can never
 * be taken for its forward twin.
 *
 * Sources: IANA's IPFIX registry; RFC 7012; RFC 5103 (PEN 29305); CERT's
 * registry (PEN 6871), where bit 0x4000 of the number means reverse.
 */
#ifndef COLLECTOR_IE_H
#define COLLECTOR_IE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/wire.h"

#define PEN_REVERSE UINT32_C(29305)
#define PEN_CERT    UINT32_C(6871)

/*
 * Nobody's number (IANA reserves it): v9 has elements above 32767, for which
 * IPFIX has no room. Here they are 32768 less, under this one: NSEL's
 * extended event, 33002, is 234.
 */
#define PEN_NETFLOW9 UINT32_MAX

#define IE_PADDING 210 /* paddingOctets */
/* RFC 7011, 7: the length that means variable, and of it the long form */
#define IE_VARIABLE	 65535
#define IE_VARIABLE_LONG 255

/*
 * X(enumerator, member, type, fit, PEN, number, name in the library)
 *
 * The order is by size, largest first, so that the record has no holes.
 * Fit: EXACT takes the type's own length only, REDUCED shorter ones too
 * (RFC 7011, 6.2: unsigned integers, but no addresses and no times).
 */
#define IE_LIST(X)                                                             \
	X(SRC_V6, src_v6, struct addr, EXACT, 0, 27, "sourceIPv6Address")      \
	X(DST_V6, dst_v6, struct addr, EXACT, 0, 28, "destinationIPv6Address") \
	X(POST_SRC_V6, post_src_v6, struct addr, EXACT, 0, 281,                \
	    "postNATSourceIPv6Address")                                        \
	X(POST_DST_V6, post_dst_v6, struct addr, EXACT, 0, 282,                \
	    "postNATDestinationIPv6Address")                                   \
	X(OCTETS, octets, uint64_t, REDUCED, 0, 1, "octetDeltaCount")          \
	X(PACKETS, packets, uint64_t, REDUCED, 0, 2, "packetDeltaCount")       \
	X(OCTETS_TOTAL, octets_total, uint64_t, REDUCED, 0, 85,                \
	    "octetTotalCount")                                                 \
	X(PACKETS_TOTAL, packets_total, uint64_t, REDUCED, 0, 86,              \
	    "packetTotalCount")                                                \
	X(INITIATOR_OCTETS, initiator_octets, uint64_t, REDUCED, 0, 231,       \
	    "initiatorOctets")                                                 \
	X(RESPONDER_OCTETS, responder_octets, uint64_t, REDUCED, 0, 232,       \
	    "responderOctets")                                                 \
	X(INITIATOR_PACKETS, initiator_packets, uint64_t, REDUCED, 0, 298,     \
	    "initiatorPackets")                                                \
	X(RESPONDER_PACKETS, responder_packets, uint64_t, REDUCED, 0, 299,     \
	    "responderPackets")                                                \
	X(START_MS, start_ms, uint64_t, EXACT, 0, 152,                         \
	    "flowStartMilliseconds")                                           \
	X(END_MS, end_ms, uint64_t, EXACT, 0, 153, "flowEndMilliseconds")      \
	X(START_US, start_us, uint64_t, EXACT, 0, 154,                         \
	    "flowStartMicroseconds")                                           \
	X(END_US, end_us, uint64_t, EXACT, 0, 155, "flowEndMicroseconds")      \
	X(START_NS, start_ns, uint64_t, EXACT, 0, 156, "flowStartNanoseconds") \
	X(END_NS, end_ns, uint64_t, EXACT, 0, 157, "flowEndNanoseconds")       \
	X(BOOT_MS, boot_ms, uint64_t, EXACT, 0, 160,                           \
	    "systemInitTimeMilliseconds")                                      \
	X(SELECTOR_ID, selector_id, uint64_t, REDUCED, 0, 302, "selectorId")   \
	X(OBSERVED_MS, observed_ms, uint64_t, EXACT, 0, 323,                   \
	    "observationTimeMilliseconds")                                     \
	X(REV_OCTETS, rev_octets, uint64_t, REDUCED, PEN_REVERSE, 1,           \
	    "reverseOctetDeltaCount")                                          \
	X(REV_PACKETS, rev_packets, uint64_t, REDUCED, PEN_REVERSE, 2,         \
	    "reversePacketDeltaCount")                                         \
	X(REV_OCTETS_TOTAL, rev_octets_total, uint64_t, REDUCED, PEN_REVERSE,  \
	    85, "reverseOctetTotalCount")                                      \
	X(REV_PACKETS_TOTAL, rev_packets_total, uint64_t, REDUCED,             \
	    PEN_REVERSE, 86, "reversePacketTotalCount")                        \
	X(REV_START_MS, rev_start_ms, uint64_t, EXACT, PEN_REVERSE, 152,       \
	    "reverseFlowStartMilliseconds")                                    \
	X(REV_END_MS, rev_end_ms, uint64_t, EXACT, PEN_REVERSE, 153,           \
	    "reverseFlowEndMilliseconds")                                      \
	X(REV_START_US, rev_start_us, uint64_t, EXACT, PEN_REVERSE, 154,       \
	    "reverseFlowStartMicroseconds")                                    \
	X(REV_END_US, rev_end_us, uint64_t, EXACT, PEN_REVERSE, 155,           \
	    "reverseFlowEndMicroseconds")                                      \
	X(REV_START_NS, rev_start_ns, uint64_t, EXACT, PEN_REVERSE, 156,       \
	    "reverseFlowStartNanoseconds")                                     \
	X(REV_END_NS, rev_end_ns, uint64_t, EXACT, PEN_REVERSE, 157,           \
	    "reverseFlowEndNanoseconds")                                       \
	X(SRC_V4, src_v4, uint32_t, EXACT, 0, 8, "sourceIPv4Address")          \
	X(DST_V4, dst_v4, uint32_t, EXACT, 0, 12, "destinationIPv4Address")    \
	X(INGRESS_IF, ingress_if, uint32_t, REDUCED, 0, 10,                    \
	    "ingressInterface")                                                \
	X(EGRESS_IF, egress_if, uint32_t, REDUCED, 0, 14, "egressInterface")   \
	X(END_UPTIME, end_uptime, uint32_t, REDUCED, 0, 21,                    \
	    "flowEndSysUpTime")                                                \
	X(START_UPTIME, start_uptime, uint32_t, REDUCED, 0, 22,                \
	    "flowStartSysUpTime")                                              \
	X(START_S, start_s, uint32_t, EXACT, 0, 150, "flowStartSeconds")       \
	X(END_S, end_s, uint32_t, EXACT, 0, 151, "flowEndSeconds")             \
	X(REV_END_UPTIME, rev_end_uptime, uint32_t, REDUCED, PEN_REVERSE, 21,  \
	    "reverseFlowEndSysUpTime")                                         \
	X(REV_START_UPTIME, rev_start_uptime, uint32_t, REDUCED, PEN_REVERSE,  \
	    22, "reverseFlowStartSysUpTime")                                   \
	X(REV_START_S, rev_start_s, uint32_t, EXACT, PEN_REVERSE, 150,         \
	    "reverseFlowStartSeconds")                                         \
	X(REV_END_S, rev_end_s, uint32_t, EXACT, PEN_REVERSE, 151,             \
	    "reverseFlowEndSeconds")                                           \
	X(START_DELTA, start_delta, uint32_t, REDUCED, 0, 158,                 \
	    "flowStartDeltaMicroseconds")                                      \
	X(END_DELTA, end_delta, uint32_t, REDUCED, 0, 159,                     \
	    "flowEndDeltaMicroseconds")                                        \
	X(REV_DELAY_MS, rev_delay_ms, uint32_t, REDUCED, PEN_CERT, 21,         \
	    "reverseFlowDeltaMilliseconds")                                    \
	X(POST_SRC_V4, post_src_v4, uint32_t, EXACT, 0, 225,                   \
	    "postNATSourceIPv4Address")                                        \
	X(POST_DST_V4, post_dst_v4, uint32_t, EXACT, 0, 226,                   \
	    "postNATDestinationIPv4Address")                                   \
	X(INGRESS_VRF, ingress_vrf, uint32_t, REDUCED, 0, 234, "ingressVRFID") \
	X(EGRESS_VRF, egress_vrf, uint32_t, REDUCED, 0, 235, "egressVRFID")    \
	X(SAMPLING_INTERVAL, sampling_interval, uint32_t, REDUCED, 0, 34,      \
	    "samplingInterval")                                                \
	X(SAMPLER_ID, sampler_id, uint32_t, REDUCED, 0, 48, "samplerId")       \
	X(SAMPLER_INTERVAL, sampler_interval, uint32_t, REDUCED, 0, 50,        \
	    "samplerRandomInterval")                                           \
	X(SAMPLING_PACKETS, sampling_packets, uint32_t, REDUCED, 0, 305,       \
	    "samplingPacketInterval")                                          \
	X(SAMPLING_SPACE, sampling_space, uint32_t, REDUCED, 0, 306,           \
	    "samplingPacketSpace")                                             \
	X(SAMPLING_SIZE, sampling_size, uint32_t, REDUCED, 0, 309,             \
	    "samplingSize")                                                    \
	X(SAMPLING_POPULATION, sampling_population, uint32_t, REDUCED, 0, 310, \
	    "samplingPopulation")                                              \
	X(SRC_PORT, src_port, uint16_t, REDUCED, 0, 7, "sourceTransportPort")  \
	X(DST_PORT, dst_port, uint16_t, REDUCED, 0, 11,                        \
	    "destinationTransportPort")                                        \
	X(TCP_FLAGS, tcp_flags, uint16_t, REDUCED, 0, 6, "tcpControlBits")     \
	X(ICMP_V4, icmp_v4, uint16_t, REDUCED, 0, 32, "icmpTypeCodeIPv4")      \
	X(ICMP_V6, icmp_v6, uint16_t, REDUCED, 0, 139, "icmpTypeCodeIPv6")     \
	X(REV_TCP_FLAGS, rev_tcp_flags, uint16_t, REDUCED, PEN_REVERSE, 6,     \
	    "reverseTcpControlBits")                                           \
	X(POST_SRC_PORT, post_src_port, uint16_t, REDUCED, 0, 227,             \
	    "postNAPTSourceTransportPort")                                     \
	X(POST_DST_PORT, post_dst_port, uint16_t, REDUCED, 0, 228,             \
	    "postNAPTDestinationTransportPort")                                \
	X(ACTIVE_TIMEOUT, active_timeout, uint16_t, REDUCED, 0, 36,            \
	    "flowActiveTimeout")                                               \
	X(IDLE_TIMEOUT, idle_timeout, uint16_t, REDUCED, 0, 37,                \
	    "flowIdleTimeout")                                                 \
	X(FIREWALL_EXT, firewall_ext, uint16_t, REDUCED, PEN_NETFLOW9, 234,    \
	    "ciscoExtendedFirewallEvent")                                      \
	X(PROTOCOL, protocol, uint8_t, REDUCED, 0, 4, "protocolIdentifier")    \
	X(IP_VERSION, ip_version, uint8_t, REDUCED, 0, 60, "ipVersion")        \
	X(END_REASON, end_reason, uint8_t, REDUCED, 0, 136, "flowEndReason")   \
	X(ICMP_TYPE_V4, icmp_type_v4, uint8_t, REDUCED, 0, 176,                \
	    "icmpTypeIPv4")                                                    \
	X(ICMP_CODE_V4, icmp_code_v4, uint8_t, REDUCED, 0, 177,                \
	    "icmpCodeIPv4")                                                    \
	X(ICMP_TYPE_V6, icmp_type_v6, uint8_t, REDUCED, 0, 178,                \
	    "icmpTypeIPv6")                                                    \
	X(ICMP_CODE_V6, icmp_code_v6, uint8_t, REDUCED, 0, 179,                \
	    "icmpCodeIPv6")                                                    \
	X(FIREWALL_EVENT, firewall_event, uint8_t, REDUCED, 0, 233,            \
	    "firewallEvent")                                                   \
	X(FLOW_DIRECTION, flow_direction, uint8_t, REDUCED, 0, 61,             \
	    "flowDirection")                                                   \
	X(BIFLOW_DIRECTION, biflow_direction, uint8_t, REDUCED, 0, 239,        \
	    "biflowDirection")                                                 \
	X(INITIAL_FLAGS, initial_flags, uint8_t, REDUCED, PEN_CERT, 14,        \
	    "initialTCPFlags")                                                 \
	X(UNION_FLAGS, union_flags, uint8_t, REDUCED, PEN_CERT, 15,            \
	    "unionTCPFlags")                                                   \
	X(REV_INITIAL_FLAGS, rev_initial_flags, uint8_t, REDUCED, PEN_CERT,    \
	    16398, "reverseInitialTCPFlags")                                   \
	X(REV_UNION_FLAGS, rev_union_flags, uint8_t, REDUCED, PEN_CERT, 16399, \
	    "reverseUnionTCPFlags")

enum ie {
#define IE_ENUM(id, member, type, fit, pen, number, name) IE_##id,
	IE_LIST(IE_ENUM)
#undef IE_ENUM
	    IE_COUNT
};

/*
 * A set of elements: bit i stands for enum ie i. The compilers' 128 bits
 * where the processor has 64; aligned so that it can be in a table's value.
 */
__extension__ typedef unsigned __int128 ie_set __attribute__((aligned(8)));

#define IE_BIT(ie) ((ie_set)1 << (ie))

/* One decoded record. All in host order but the IPv6 addresses. */
struct ie_record {
#define IE_MEMBER(id, member, type, fit, pen, number, name) type member;
	IE_LIST(IE_MEMBER)
#undef IE_MEMBER
};

enum ie_fit { IE_FIT_EXACT, IE_FIT_REDUCED };

struct ie_info {
	uint32_t pen; /* private enterprise number; 0: IANA's */
	uint16_t number;
	uint8_t size;	 /* octets in struct ie_record, */
	uint16_t offset; /* and where they start */
	enum ie_fit fit;
	const char *name; /* static; as the decoding library calls it */
};

extern const struct ie_info ie_infos[IE_COUNT];

/* ie < IE_COUNT. Static. */
static inline const struct ie_info *
ie_info(enum ie ie)
{
	return &ie_infos[ie];
}

/*
 * The element (pen, number) in a field of `length` octets; IE_COUNT when we
 * do not use it, or not in this length (variable is none of them).
 */
enum ie ie_find(uint32_t pen, uint16_t number, uint16_t length);

/*
 * The unsigned of 1 to 8 octets in network order that ends before `end`. The
 * 8 octets before it are read: any field of a message has its headers there.
 */
static inline uint64_t
ie_unsigned(const uint8_t *end, unsigned length)
{
	return wire_get_u64(end - 8) & UINT64_MAX >> (64 - 8 * length);
}

/*
 * Stores a field of a record, `length` octets in network order, in out.
 * Before: ie_find() gave ie for that length, and ie_unsigned() may read.
 */
void ie_store(struct ie_record *out, enum ie ie, const uint8_t *field,
    uint16_t length);

#endif
