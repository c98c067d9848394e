/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the trace. */
#include <inttypes.h>
#include <string.h>

#include "common/timefmt.h"
#include "daemon/trace_text.h"
#include "exposure/protocol.h"

#define MS_PER_S 1000

void
trace_begin_line(FILE *out, const char *word)
{
	fprintf(out, "  %-9s", word);
}

/* Before 1970 there is nothing an exporter could mean. */
char *
trace_time(int64_t ms, char text[TRACE_TEXT_MAX])
{
	char seconds[TIME_TEXT_MAX];
	size_t length;

	if (ms < 0 || ms > FINDING_MS_MAX) {
		snprintf(text, TRACE_TEXT_MAX, "%" PRId64 "ms", ms);
		return text;
	}
	time_format(ms / MS_PER_S, seconds);
	length = strcspn(seconds, "Z");
	snprintf(text, TRACE_TEXT_MAX, "%.*s.%03dZ", (int)length, seconds,
	    (int)(ms % MS_PER_S));
	return text;
}

char *
trace_endpoint(const struct addr *a, uint16_t port, uint8_t proto,
    char text[TRACE_TEXT_MAX])
{
	char address[ADDR_TEXT_MAX];

	addr_format(a, address);
	if (!protocol_has_ports(proto))
		snprintf(text, TRACE_TEXT_MAX, "%s", address);
	else
		snprintf(text, TRACE_TEXT_MAX,
		    addr_family(a) == 4 ? "%s:%u" : "[%s]:%u", address,
		    (unsigned)port);
	return text;
}

char *
trace_proto(uint8_t proto, char text[TRACE_TEXT_MAX])
{
	const char *name = NULL;

	switch (proto) {
	case PROTOCOL_ICMP:
		name = "icmp";
		break;
	case PROTOCOL_TCP:
		name = "tcp";
		break;
	case PROTOCOL_UDP:
		name = "udp";
		break;
	case PROTOCOL_ICMP6:
		name = "icmp6";
		break;
	case PROTOCOL_SCTP:
		name = "sctp";
		break;
	default:
		break;
	}
	if (name != NULL)
		snprintf(text, TRACE_TEXT_MAX, "%s", name);
	else
		snprintf(text, TRACE_TEXT_MAX, "proto %u", (unsigned)proto);
	return text;
}

char *
trace_flags(uint8_t flags, char text[TRACE_TEXT_MAX])
{
	static const char letters[] = "CEUAPRSF";

	for (unsigned i = 0; i < 8; i++)
		text[i] =
		    (char)((flags & (0x80U >> i)) != 0 ? letters[i] : '.');
	snprintf(text + 8, TRACE_TEXT_MAX - 8, " 0x%02x", (unsigned)flags);
	return text;
}

char *
trace_evidence(uint16_t bits, char text[TRACE_TEXT_MAX])
{
	static const char *const names[] = { "SYN", "SYNACK1", "MIX", "RSTACK1",
		"RST1", "DATA", "NULL", "FIN", "XMAS", "MAIMON1", "ACK1",
		"BADSYN1", "ZERO", "REQUEST", "REPLY", "OTHER" };
	size_t used = 0;

	snprintf(text, TRACE_TEXT_MAX, "nothing");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((bits & (1U << i)) != 0)
			used +=
			    (size_t)snprintf(text + used, TRACE_TEXT_MAX - used,
				"%s%s", used != 0 ? "+" : "", names[i]);
	return text;
}

const char *
trace_side(unsigned side)
{
	switch ((enum side)side) {
	case SIDE_OUTER:
		return "outer";
	case SIDE_INNER:
		return "inner";
	case SIDE_NONE:
		break;
	}
	return "neither";
}

void
trace_print_half(const struct half *h, FILE *out)
{
	char a[TRACE_TEXT_MAX];

	if (!h->present) {
		fputs("not seen", out);
		return;
	}
	fprintf(out, "%s; ", trace_evidence(h->evidence, a));
	if (h->no_flags)
		fputs("no flags told", out);
	else
		fprintf(out, "flags %s", trace_flags(h->flags, a));
	fprintf(out, "; packets %u octets %u", h->packets, h->octets);
	fprintf(out, "; from %s on; exporter %u",
	    trace_time(half_first_ms(h), a), h->exporter);
	if (h->firewall_event != 0)
		fprintf(out, "; firewall event %u",
		    (unsigned)h->firewall_event);
}

void
trace_print_verdict(const struct verdict *v, FILE *out)
{
	if (v->outcome == OUTCOME_NONE) {
		fputs("waits", out);
		return;
	}
	fprintf(out, "%s by %s, confidence %s", outcome_name(v->outcome),
	    rule_name(v->rule), confidence_name(v->confidence));
	if (v->reason != REASON_NONE)
		fprintf(out, ", reason %s", reason_name(v->reason));
	if (v->initiator == SIDE_NONE)
		fputs(", opener unknown", out);
	else
		fprintf(out, ", opened by the %s end",
		    trace_side(v->initiator));
}

void
trace_print_extras(const struct flow_record *f, FILE *out)
{
	char text[TRACE_TEXT_MAX];

	if ((f->has & FLOW_HAS_INITIAL_FLAGS) != 0)
		fprintf(out, ", first packet %s",
		    trace_flags(f->initial_flags, text));
	if ((f->has & FLOW_HAS_ICMP) != 0)
		fprintf(out, ", icmp type %u code %u", (unsigned)f->icmp_type,
		    (unsigned)f->icmp_code);
	if ((f->has & FLOW_HAS_BIFLOW_DIRECTION) != 0)
		fprintf(out, ", biflowDirection %u",
		    (unsigned)f->biflow_direction);
	if ((f->has & FLOW_HAS_FIREWALL_EVENT) != 0)
		fprintf(out, ", firewall event %u",
		    (unsigned)f->firewall_event);
	if ((f->has & FLOW_HAS_UPTIME) != 0)
		fprintf(out, ", uptime %" PRIu32 " ms", f->start_uptime_ms);
	if (f->sampling != 1)
		fprintf(out, ", sampling %" PRIu32, f->sampling);
	if ((f->has & FLOW_IS_REVERSE) != 0)
		fputs(", reverse half of a biflow", out);
}
