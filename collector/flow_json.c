/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow record as JSON, without a library: the names of interfaces are all
 * that may need escaping, and a capture may hold millions of records.
 */
#include <assert.h>
#include <string.h>

#include "collector/flow_json.h"
#include "common/timefmt.h"

#define MS_PER_S      INT64_C(1000)
#define DECIMAL_MAX   20 /* digits of UINT64_MAX */
#define TIME_FIRST_MS INT64_C(0)
#define TIME_LAST_MS  INT64_C(253402300799999) /* of year 9999 */

/* Where the next octet goes. FLOW_JSON_MAX has room for every member. */
struct line {
	char *text;
	size_t used;
};

static void
put(struct line *l, const char *octets, size_t length)
{
	assert(l->used + length < FLOW_JSON_MAX);
	memcpy(l->text + l->used, octets, length);
	l->used += length;
}

static void
put_name(struct line *l, const char *name)
{
	put(l, l->used == 0 ? "{\"" : ",\"", 2);
	put(l, name, strlen(name));
	put(l, "\":", 2);
}

static void
put_text(struct line *l, const char *name, const char *value)
{
	put_name(l, name);
	put(l, "\"", 1);
	put(l, value, strlen(value));
	put(l, "\"", 1);
}

/* value is printable ASCII. */
static void
put_escaped(struct line *l, const char *name, const char *value)
{
	put_name(l, name);
	put(l, "\"", 1);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			put(l, "\\", 1);
		put(l, value, 1);
	}
	put(l, "\"", 1);
}

static void
put_decimal(struct line *l, uint64_t value)
{
	char digits[DECIMAL_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	put(l, digits + at, sizeof(digits) - at);
}

static void
put_number(struct line *l, const char *name, uint64_t value)
{
	put_name(l, name);
	put_decimal(l, value);
}

static void
put_signed(struct line *l, const char *name, int64_t value)
{
	put_name(l, name);
	if (value < 0)
		put(l, "-", 1);
	put_decimal(l, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void
put_addr(struct line *l, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	put_text(l, name, addr_format(a, text));
}

/* A lying exporter's time may be in no year of four digits: then only the
 * number is there. */
static void
put_time(struct line *l, const char *name, const char *name_ms, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms >= TIME_FIRST_MS && ms <= TIME_LAST_MS) {
		unsigned part = (unsigned)(ms % MS_PER_S);
		const char fraction[] = { '.', (char)('0' + part / 100),
			(char)('0' + part / 10 % 10), (char)('0' + part % 10),
			'Z', '\0' };

		time_format(ms / MS_PER_S, text);
		memcpy(strchr(text, 'Z'), fraction, sizeof(fraction));
		put_text(l, name, text);
	}
	put_signed(l, name_ms, ms);
}

static const char *
protocol_name(enum export_protocol p)
{
	switch (p) {
	case EXPORT_NETFLOW5:
		return "netflow5";
	case EXPORT_NETFLOW9:
		return "netflow9";
	case EXPORT_IPFIX:
		return "ipfix";
	}
	assert(false && "an exporter without a protocol");
	return "";
}

static void
put_header(struct line *l, const struct flow_record *f,
    const struct exporter_info *e)
{
	put_addr(l, "exporter", &e->address);
	put_number(l, "exporter_port", e->source_port);
	put_number(l, "domain", e->domain);
	put_text(l, "export_protocol", protocol_name(e->protocol));
	put_time(l, "received", "received_ms", f->received_ms);
	put_time(l, "exported", "exported_ms", f->export_ms);
}

static void
put_key(struct line *l, const struct flow_record *f)
{
	put_addr(l, "src", &f->src);
	put_addr(l, "dst", &f->dst);
	if ((f->has & FLOW_HAS_PORTS) != 0) {
		put_number(l, "src_port", f->src_port);
		put_number(l, "dst_port", f->dst_port);
	}
	put_number(l, "protocol", f->protocol);
}

static void
put_measured(struct line *l, const struct flow_record *f)
{
	if ((f->has & FLOW_HAS_PACKETS) != 0)
		put_number(l, "packets", f->packets);
	put_number(l, "octets", f->octets);
	if ((f->has & FLOW_HAS_TIMES) != 0) {
		put_time(l, "start", "start_ms", f->start_ms);
		put_time(l, "end", "end_ms", f->end_ms);
	}
	if ((f->has & FLOW_HAS_UPTIME) != 0)
		put_number(l, "start_uptime_ms", f->start_uptime_ms);
	if ((f->has & FLOW_HAS_TCP_FLAGS) != 0)
		put_number(l, "tcp_flags", f->tcp_flags);
	if ((f->has & FLOW_HAS_INITIAL_FLAGS) != 0)
		put_number(l, "initial_flags", f->initial_flags);
	if ((f->has & FLOW_HAS_ICMP) != 0) {
		put_number(l, "icmp_type", f->icmp_type);
		put_number(l, "icmp_code", f->icmp_code);
	}
}

static void
put_interfaces(struct line *l, const struct flow_record *f,
    const struct flow_json_names *names)
{
	if (f->ingress_if != 0)
		put_number(l, "ingress_if", f->ingress_if);
	if (names->ingress != NULL)
		put_escaped(l, "ingress_if_name", names->ingress);
	if (f->egress_if != 0)
		put_number(l, "egress_if", f->egress_if);
	if (names->egress != NULL)
		put_escaped(l, "egress_if_name", names->egress);
}

static void
put_nat(struct line *l, const struct flow_record *f)
{
	bool has_ports = (f->has & FLOW_HAS_PORTS) != 0;

	if ((f->has & FLOW_HAS_NAT_SRC) != 0) {
		put_addr(l, "post_src", &f->post_src);
		if (has_ports)
			put_number(l, "post_src_port", f->post_src_port);
	}
	if ((f->has & FLOW_HAS_NAT) != 0) {
		put_addr(l, "post_dst", &f->post_dst);
		if (has_ports)
			put_number(l, "post_dst_port", f->post_dst_port);
	}
}

static void
put_context(struct line *l, const struct flow_record *f)
{
	if (f->ingress_vrf != 0)
		put_number(l, "ingress_vrf", f->ingress_vrf);
	if ((f->has & FLOW_HAS_DIRECTION) != 0)
		put_number(l, "direction", f->direction);
	if ((f->has & FLOW_HAS_BIFLOW_DIRECTION) != 0)
		put_number(l, "biflow_direction", f->biflow_direction);
	if ((f->has & FLOW_HAS_FIREWALL_EVENT) != 0)
		put_number(l, "firewall_event", f->firewall_event);
	if ((f->has & FLOW_HAS_FIREWALL_EXT) != 0)
		put_number(l, "firewall_ext", f->firewall_ext);
	put_nat(l, f);
	if ((f->has & FLOW_HAS_END_REASON) != 0)
		put_number(l, "end_reason", f->end_reason);
	if ((f->has & FLOW_IS_REVERSE) != 0) {
		put_name(l, "reverse");
		put(l, "true", 4);
	}
}

size_t
flow_json(const struct flow_record *f, const struct exporter_info *e,
    const struct flow_json_names *names, char text[FLOW_JSON_MAX])
{
	struct line line = { text, 0 };

	put_header(&line, f, e);
	put_key(&line, f);
	put_measured(&line, f);
	put_number(&line, "sampling", f->sampling);
	put_interfaces(&line, f, names);
	put_context(&line, f);
	put(&line, "}\n", 2);
	text[line.used] = '\0';
	return line.used;
}
