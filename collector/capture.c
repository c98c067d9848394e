/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures: down from the link layer to UDP payload, every step checked.
 *
 * Packets are hostile octets like datagrams are, so libpcap only takes the
 * file apart; the headers are read with wire.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include "collector/capture.h"
#include "common/wire.h"

#define ETHERTYPE_IPV4	   0x0800
#define ETHERTYPE_IPV6	   0x86dd
#define ETHERTYPE_VLAN	   0x8100 /* IEEE 802.1Q */
#define ETHERTYPE_QINQ	   0x88a8 /* IEEE 802.1ad */
#define ETHERTYPE_QINQ_OLD 0x9100
#define VLAN_TAGS_MAX	   4

#define MAC_OCTETS   6
#define SLL_OCTETS   14 /* before its protocol field */
#define SLL2_OCTETS  18 /* between its protocol field and the payload */
#define UDP_OCTETS   8
#define PROTOCOL_UDP 17

#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

/* IPv6 extension headers, RFC 8200, 4 */
#define IPV6_HOP_BY_HOP	    0
#define IPV6_ROUTING	    43
#define IPV6_FRAGMENT	    44
#define IPV6_DESTINATION    60
#define IPV6_EXTENSIONS_MAX 8
#define IPV6_UNIT_OCTETS    8

#define MS_PER_S  INT64_C(1000)
#define US_PER_MS 1000

/* The ethertype behind up to VLAN_TAGS_MAX tags. */
static uint16_t
skip_vlan_tags(struct wire *w, uint16_t type)
{
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ &&
		    type != ETHERTYPE_QINQ_OLD)
			break;
		wire_take(w, 2);
		type = wire_u16(w);
	}
	return type;
}

/*
 * Leaves w at the network header. False: no IP, as far as the link layer
 * says; some link types do not say, and the version is looked at later.
 */
static bool
skip_link_header(int link_type, struct wire *w)
{
	uint16_t type;

	switch (link_type) {
	case DLT_EN10MB:
		wire_take(w, 2 * MAC_OCTETS);
		type = skip_vlan_tags(w, wire_u16(w));
		break;
	case DLT_LINUX_SLL:
		wire_take(w, SLL_OCTETS);
		type = skip_vlan_tags(w, wire_u16(w));
		break;
	case DLT_LINUX_SLL2:
		type = wire_u16(w);
		wire_take(w, SLL2_OCTETS);
		type = skip_vlan_tags(w, type);
		break;
	case DLT_NULL:
	case DLT_LOOP:
		/* an address family, in numbers of the capturing system */
		wire_take(w, 4);
		return !w->failed;
	default: /* raw IP */
		return true;
	}
	return !w->failed && (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6);
}

/* Leaves *payload at the transport header; false: no whole UDP datagram. */
static bool
read_ipv4(struct wire *w, struct wire *payload, struct datagram *d)
{
	const uint8_t *source;
	uint8_t version_and_length = wire_u8(w);
	size_t header_octets = (size_t)(version_and_length & 0x0f) * 4;
	size_t total_octets;
	uint16_t fragment;
	uint8_t protocol;

	wire_take(w, 1);
	total_octets = wire_u16(w);
	wire_take(w, 2);
	fragment = wire_u16(w);
	wire_take(w, 1);
	protocol = wire_u8(w);
	wire_take(w, 2);
	source = wire_take(w, 4);
	wire_take(w, 4);
	if (w->failed || header_octets < 20 || total_octets < header_octets ||
	    protocol != PROTOCOL_UDP ||
	    (fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) != 0)
		return false;
	wire_take(w, header_octets - 20);
	*payload = wire_part(w, total_octets - header_octets);
	d->source = addr_from_v4(source);
	return !payload->failed;
}

static bool
read_ipv6(struct wire *w, struct wire *payload, struct datagram *d)
{
	const uint8_t *source;
	size_t payload_octets;
	uint8_t next;

	wire_take(w, 4);
	payload_octets = wire_u16(w);
	next = wire_u8(w);
	wire_take(w, 1);
	source = wire_take(w, 16);
	wire_take(w, 16);
	*payload = wire_part(w, payload_octets);
	if (payload->failed)
		return false;
	d->source = addr_from_v6(source);
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		size_t units;

		if (next != IPV6_HOP_BY_HOP && next != IPV6_ROUTING &&
		    next != IPV6_DESTINATION)
			break; /* IPV6_FRAGMENT among them */
		next = wire_u8(payload);
		units = wire_u8(payload);
		wire_take(payload, units * IPV6_UNIT_OCTETS + 6);
	}
	return !payload->failed && next == PROTOCOL_UDP;
}

static bool
read_udp(struct wire *payload, struct datagram *d)
{
	size_t octets;

	d->source_port = wire_u16(payload);
	wire_take(payload, 2);
	octets = wire_u16(payload);
	wire_take(payload, 2);
	if (payload->failed || octets < UDP_OCTETS)
		return false;
	d->length = octets - UDP_OCTETS;
	d->data = wire_take(payload, d->length);
	return d->data != NULL;
}

/* The datagram in a packet; false: there is no whole one. */
static bool
read_packet(int link_type, const struct pcap_pkthdr *header,
    const uint8_t *octets, struct datagram *d)
{
	struct wire w = wire_over(octets, header->caplen);
	struct wire payload;
	bool good;

	if (!skip_link_header(link_type, &w) || wire_left(&w) == 0)
		return false;
	switch (*w.at >> 4) {
	case 4:
		good = read_ipv4(&w, &payload, d);
		break;
	case 6:
		good = read_ipv6(&w, &payload, d);
		break;
	default:
		good = false;
		break;
	}
	d->received_ms = (int64_t)header->ts.tv_sec * MS_PER_S +
			 header->ts.tv_usec / US_PER_MS;
	return good && read_udp(&payload, d);
}

static bool
link_type_is_known(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	default:
		return false;
	}
}

__attribute__((format(printf, 2, 3))) static void
say(char message[CAPTURE_MESSAGE_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, CAPTURE_MESSAGE_MAX, format, args);
	va_end(args);
}

/* Delivers every datagram; PCAP_ERROR_BREAK at the end, as libpcap does. */
static int
read_packets(pcap_t *pcap, datagram_fn fn, void *arg, struct counters *counters)
{
	int link_type = pcap_datalink(pcap);
	struct pcap_pkthdr *header;
	const uint8_t *octets;
	int got;

	while ((got = pcap_next_ex(pcap, &header, &octets)) == 1) {
		struct datagram d = { 0 };

		if (!read_packet(link_type, header, octets, &d)) {
			counter_add(counters, COUNTER_CAPTURE_PACKETS_IGNORED,
			    1);
			continue;
		}
		counter_add(counters, COUNTER_DATAGRAMS_RECEIVED, 1);
		counter_add(counters, COUNTER_DATAGRAM_OCTETS, d.length);
		fn(&d, arg);
	}
	return got;
}

int
capture_read(const char *path, datagram_fn fn, void *arg,
    struct counters *counters, char message[CAPTURE_MESSAGE_MAX])
{
	char error[PCAP_ERRBUF_SIZE];
	bool is_stdin = strcmp(path, "-") == 0;
	int err = ERR_OK;
	pcap_t *pcap;
	FILE *file;

	file = is_stdin ? stdin : fopen(path, "rb");
	if (file == NULL) {
		say(message, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	pcap = pcap_fopen_offline(file, error);
	if (pcap == NULL) {
		say(message, "%s: no capture: %s", path, error);
		if (!is_stdin)
			(void)fclose(file);
		return ERR_FORMAT;
	}
	if (!link_type_is_known(pcap_datalink(pcap))) {
		say(message, "%s: link type %d is not known", path,
		    pcap_datalink(pcap));
		err = ERR_FORMAT;
	} else if (read_packets(pcap, fn, arg, counters) != PCAP_ERROR_BREAK) {
		say(message, "%s: cut off: %s", path, pcap_geterr(pcap));
		err = ERR_FORMAT;
	}
	pcap_close(pcap); /* and the file with it */
	return err;
}
