/* SPDX-License-Identifier: Apache-2.0 */
/* NetFlow v5 records. */
#include "collector/netflow5.h"

void
netflow5_read(struct wire *body, struct ie_record *out)
{
	struct wire w = wire_part(body, NETFLOW5_RECORD_OCTETS);

	out->src_v4 = wire_u32(&w);
	out->dst_v4 = wire_u32(&w);
	wire_take(&w, 4);
	out->ingress_if = wire_u16(&w);
	out->egress_if = wire_u16(&w);
	out->packets = wire_u32(&w);
	out->octets = wire_u32(&w);
	out->start_uptime = wire_u32(&w);
	out->end_uptime = wire_u32(&w);
	out->src_port = wire_u16(&w);
	out->dst_port = wire_u16(&w);
	wire_take(&w, 1);
	out->tcp_flags = wire_u8(&w);
	out->protocol = wire_u8(&w);
}
