/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints as --trace writes them, and the steps that touch them. */
#include <stdlib.h>
#include <string.h>

#include "daemon/trace_filter.h"

#define NUMBER_MAX 6 /* digits, and the NUL */

static const struct {
	const char *name;
	uint8_t number;
} protos[] = {
	{ "icmp", 1 },
	{ "tcp", 6 },
	{ "udp", 17 },
	{ "icmp6", 58 },
	{ "sctp", 132 },
};

/* Digits and nothing else, at most most. */
static int
parse_number(const char *text, unsigned long most, uint16_t *out)
{
	unsigned long value;
	size_t length = strlen(text);

	if (length == 0 || length >= NUMBER_MAX ||
	    strspn(text, "0123456789") != length)
		return ERR_FORMAT;
	value = strtoul(text, NULL, 10);
	if (value > most)
		return ERR_RANGE;
	*out = (uint16_t)value;
	return ERR_OK;
}

static int
parse_proto(const char *text, uint8_t *out)
{
	uint16_t number;

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (strcmp(text, protos[i].name) == 0) {
			*out = protos[i].number;
			return ERR_OK;
		}
	if (parse_number(text, UINT8_MAX, &number) != ERR_OK)
		return ERR_FORMAT;
	*out = (uint8_t)number;
	return ERR_OK;
}

/* The colon before a port: behind a bracket, or the only one. */
static char *
find_port(char *text)
{
	char *colon = strchr(text, ':');

	if (text[0] == '[') {
		char *end = strchr(text, ']');

		return end != NULL && end[1] == ':' ? end + 1 : NULL;
	}
	return colon != NULL && strchr(colon + 1, ':') == NULL ? colon : NULL;
}

int
trace_filter_parse(const char *text, struct trace_filter *out, const char **why)
{
	struct trace_filter f = { .port = 0 };
	char copy[ADDR_TEXT_MAX + 32];
	char *slash, *colon;

	*why = "write HOST, HOST:PORT or HOST:PORT/PROTO, an IPv6 address in "
	       "brackets";
	if (strlen(text) >= sizeof(copy))
		return ERR_FORMAT;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash != NULL) {
		*slash = '\0';
		f.has_proto = true;
		if (parse_proto(slash + 1, &f.proto) != ERR_OK) {
			*why = "no protocol: write tcp, udp, sctp, icmp, icmp6 "
			       "or its number";
			return ERR_FORMAT;
		}
	}
	colon = find_port(copy);
	if (colon != NULL) {
		*colon = '\0';
		f.has_port = true;
		if (parse_number(colon + 1, UINT16_MAX, &f.port) != ERR_OK) {
			*why = "no port: write a number from 0 to 65535";
			return ERR_RANGE;
		}
	}
	if (addr_parse(copy, &f.host) != ERR_OK)
		return ERR_FORMAT;
	*out = f;
	return ERR_OK;
}

static bool
is_at(const struct trace_filter *f, const struct addr *host, uint16_t port)
{
	return addr_equal(&f->host, host) && (!f->has_port || f->port == port);
}

static bool
matches(const struct trace_filter *f, const struct engine_trace *t)
{
	bool is_record = t->kind == TRACE_RECORD;

	if (is_record && t->record.fate == TRACE_ICMP_ERROR)
		return addr_equal(&f->host, &t->outer);
	if (f->has_proto && f->proto != t->proto)
		return false;
	if (is_at(f, &t->inner, t->inner_port))
		return true;
	/* a record without a conversation is not sorted by scope */
	return (t->internal || is_record) && is_at(f, &t->outer, t->outer_port);
}

bool
trace_filters_match(const struct trace_filters *filters,
    const struct engine_trace *t)
{
	for (uint32_t i = 0; i < filters->count; i++)
		if (matches(&filters->filters[i], t))
			return true;
	return false;
}
