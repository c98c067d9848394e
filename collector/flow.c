/* SPDX-License-Identifier: Apache-2.0 */
/* A flow record as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "collector/flow.h"

struct line {
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void
append(struct line *line, const char *format, ...)
{
	size_t room = FLOW_TEXT_MAX - line->used;
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (wanted > 0)
		line->used += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void
append_endpoint(struct line *line, const struct flow_record *f,
    const struct addr *a, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	addr_format(a, text);
	if ((f->has & FLOW_HAS_PORTS) == 0)
		append(line, "%s", text);
	else if (addr_is_v4(a))
		append(line, "%s:%u", text, port);
	else
		append(line, "[%s]:%u", text, port);
}

/* What few exporters tell. */
static void
append_extras(struct line *line, const struct flow_record *f)
{
	if ((f->has & FLOW_HAS_FIREWALL_EXT) != 0)
		append(line, " ext=%u", f->firewall_ext);
	if ((f->has & FLOW_HAS_DIRECTION) != 0)
		append(line, " dir=%u", f->direction);
	if (f->ingress_vrf != 0)
		append(line, " vrf=%" PRIu32, f->ingress_vrf);
	if (f->sampling > 1)
		append(line, " sampling=%" PRIu32, f->sampling);
	if ((f->has & FLOW_HAS_NAT) != 0) {
		append(line, " nat=");
		append_endpoint(line, f, &f->post_dst, f->post_dst_port);
	}
	if ((f->has & FLOW_HAS_NAT_SRC) != 0) {
		append(line, " snat=");
		append_endpoint(line, f, &f->post_src, f->post_src_port);
	}
}

char *
flow_format(const struct flow_record *f, char text[FLOW_TEXT_MAX])
{
	struct line line = { text, 0 };

	append_endpoint(&line, f, &f->src, f->src_port);
	append(&line, ">");
	append_endpoint(&line, f, &f->dst, f->dst_port);
	append(&line, " proto=%u", f->protocol);
	if ((f->has & FLOW_HAS_TCP_FLAGS) != 0)
		append(&line, " flags=0x%02x", f->tcp_flags);
	if ((f->has & FLOW_HAS_INITIAL_FLAGS) != 0)
		append(&line, " initial=0x%02x", f->initial_flags);
	if ((f->has & FLOW_HAS_ICMP) != 0)
		append(&line, " icmp=%u/%u", f->icmp_type, f->icmp_code);
	if ((f->has & FLOW_HAS_PACKETS) != 0)
		append(&line, " pkts=%" PRIu64, f->packets);
	append(&line, " octets=%" PRIu64, f->octets);
	if ((f->has & FLOW_HAS_TIMES) != 0)
		append(&line, " start=%" PRId64 " end=%" PRId64, f->start_ms,
		    f->end_ms);
	if ((f->has & FLOW_HAS_UPTIME) != 0)
		append(&line, " uptime=%" PRIu32, f->start_uptime_ms);
	if (f->ingress_if != 0 || f->egress_if != 0)
		append(&line, " if=%" PRIu32 ">%" PRIu32, f->ingress_if,
		    f->egress_if);
	if ((f->has & FLOW_HAS_BIFLOW_DIRECTION) != 0)
		append(&line, " biflow=%u", f->biflow_direction);
	if ((f->has & FLOW_HAS_FIREWALL_EVENT) != 0)
		append(&line, " event=%u", f->firewall_event);
	if ((f->has & FLOW_HAS_END_REASON) != 0)
		append(&line, " reason=%u", f->end_reason);
	append_extras(&line, f);
	if ((f->has & FLOW_IS_REVERSE) != 0)
		append(&line, " reverse");
	return text;
}
