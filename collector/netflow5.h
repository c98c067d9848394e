/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NetFlow v5: one fixed layout, decoded directly.
 *
 * A record, by octet offset (Cisco, NetFlow Export Datagram Format, table
 * B-4):
 *    0 source            4      24 first, uptime ms   4     38 protocol  1
 *    4 destination       4      28 last, uptime ms    4     39 tos       1
 *    8 next hop          4      32 source port        2     40 source as 2
 *   12 input interface   2      34 destination port   2     42 dest. as  2
 *   14 output interface  2      36 pad                1     44 masks     2
 *   16 packets           4      37 tcp flags          1     46 pad       2
 *   20 octets            4
 */
#ifndef COLLECTOR_NETFLOW5_H
#define COLLECTOR_NETFLOW5_H

#include "collector/ie.h"
#include "common/wire.h"

#define NETFLOW5_RECORDS_MAX   30
#define NETFLOW5_RECORD_OCTETS 48

/* The elements a record carries. */
#define NETFLOW5_PRESENT                                                       \
	(IE_BIT(IE_SRC_V4) | IE_BIT(IE_DST_V4) | IE_BIT(IE_INGRESS_IF) |       \
	    IE_BIT(IE_EGRESS_IF) | IE_BIT(IE_PACKETS) | IE_BIT(IE_OCTETS) |    \
	    IE_BIT(IE_START_UPTIME) | IE_BIT(IE_END_UPTIME) |                  \
	    IE_BIT(IE_SRC_PORT) | IE_BIT(IE_DST_PORT) | IE_BIT(IE_TCP_FLAGS) | \
	    IE_BIT(IE_PROTOCOL))

/*
 * Reads one record into *out; members that are not in NETFLOW5_PRESENT are
 * left alone. Before: body holds NETFLOW5_RECORD_OCTETS (header_read).
 */
void netflow5_read(struct wire *body, struct ie_record *out);

#endif
