/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay: the UDP datagrams in a capture file, in its order, with its times.
 *
 * pcap and pcapng, by libpcap. Link types: Ethernet with up to four VLAN
 * tags, raw IP, Linux cooked (v1 and v2), BSD loopback. IPv4 with options,
 * IPv6 with extension headers. Only whole, unfragmented UDP datagrams are
 * delivered; every other packet is counted (capture_packets_ignored).
 */
#ifndef COLLECTOR_CAPTURE_H
#define COLLECTOR_CAPTURE_H

#include "collector/datagram.h"
#include "common/counter.h"
#include "common/err.h"

#define CAPTURE_MESSAGE_MAX 512

/*
 * Reads the file at path ("-": standard input) to its end and calls fn for
 * each datagram. Errors, each with a line in message that names the path:
 * ERR_IO (cannot be opened), ERR_FORMAT (no capture, an unknown link type, or
 * cut off: what comes before the cut has been delivered).
 */
int capture_read(const char *path, datagram_fn fn, void *arg,
    struct counters *counters, char message[CAPTURE_MESSAGE_MAX]) MUST_CHECK;

#endif
