/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine must know of a protocol's number (IANA): whether it has
 * ports, and which ICMP messages ask and which answer.
 */
#ifndef EXPOSURE_PROTOCOL_H
#define EXPOSURE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

enum protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_DCCP = 33,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_SCTP = 132,
	PROTOCOL_UDP_LITE = 136,
};

static inline bool
protocol_is_icmp(uint8_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static inline bool
protocol_has_ports(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
	case PROTOCOL_DCCP:
	case PROTOCOL_SCTP:
	case PROTOCOL_UDP_LITE:
		return true;
	default:
		return false;
	}
}

/* It comes between IPv6's header and the payload's, which was not told
 * (RFC 8200, 4): hop-by-hop, routing, fragment, none, destination options. */
static inline bool
protocol_is_extension(uint8_t protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 ||
	       protocol == 59 || protocol == 60;
}

/* How an ICMP message takes part in a question and its answer. */
enum icmp_part { ICMP_PART_NONE, ICMP_PART_REQUEST, ICMP_PART_REPLY };

/*
 * Echo, timestamp, information, address mask (RFC 792, RFC 950); ICMPv6 echo
 * and node information (RFC 4443, RFC 4620). *query names the kind; 0: echo.
 */
static inline enum icmp_part
icmp_part_of(uint8_t protocol, uint8_t type, uint8_t *query)
{
	static const uint8_t v4[][2] = { { 8, 0 }, { 13, 14 }, { 15, 16 },
		{ 17, 18 } };
	static const uint8_t v6[][2] = { { 128, 129 }, { 139, 140 } };
	const uint8_t(*all)[2] = protocol == PROTOCOL_ICMP ? v4 : v6;
	int count = protocol == PROTOCOL_ICMP ? 4 : 2;

	for (int i = 0; i < count; i++) {
		if (type != all[i][0] && type != all[i][1])
			continue;
		*query = i == 0 ? 0 : all[i][0];
		return type == all[i][0] ? ICMP_PART_REQUEST : ICMP_PART_REPLY;
	}
	return ICMP_PART_NONE;
}

#endif
