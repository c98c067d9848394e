/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow record as one line of JSON (RFC 8259), for who reads exports with
 * other tools, and for the conformance tests.
 *
 * What the exporter did not tell is not in the line. Addresses are text;
 * times are twice there, as RFC 3339 with milliseconds and, under the name
 * with _ms, as Unix milliseconds; everything else is a number. The second
 * half of a biflow has "reverse": true.
 */
#ifndef COLLECTOR_FLOW_JSON_H
#define COLLECTOR_FLOW_JSON_H

#include <stddef.h>

#include "collector/decoder.h"
#include "collector/flow.h"

/* The longest line, its newline and its NUL. */
#define FLOW_JSON_MAX 1536

/* What the exporter calls the record's interfaces; NULL: not told. */
struct flow_json_names {
	const char *ingress; /* of decoder_interface_name() */
	const char *egress;
};

/*
 * Writes f, which came from exporter e, with a newline at its end, into
 * text. Returns its length. The names and their order:
 *   exporter exporter_port domain export_protocol received
 *   received_ms exported exported_ms src dst src_port dst_port protocol
 *   packets octets start start_ms end end_ms start_uptime_ms tcp_flags
 *   initial_flags icmp_type icmp_code sampling ingress_if ingress_if_name
 *   egress_if egress_if_name ingress_vrf direction biflow_direction
 *   firewall_event firewall_ext post_src post_src_port post_dst
 *   post_dst_port end_reason reverse
 */
size_t flow_json(const struct flow_record *f, const struct exporter_info *e,
    const struct flow_json_names *names, char text[FLOW_JSON_MAX]);

#endif
