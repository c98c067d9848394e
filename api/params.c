/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings: split, decode, read each parameter by its type. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/params.h"
#include "api/percent.h"
#include "common/timefmt.h"

#define PORT_MAX  65535
#define PROTO_MAX 255

/* What one reader works on. */
struct reading {
	const char *value;
	const struct params_context *context;
	struct params *out;
	const char *wrong; /* static: what the reader refused */
};

/* Reads r->value into r->out; ERR_FORMAT and r->wrong when it cannot. */
typedef int (*reader_fn)(struct reading *r);

/* What exposures and trans-darkports can be in (the store's views). */
static const char *const exposure_states[] = { "open", "stale", "closed",
	NULL };
static const char *const alert_states[] = { "new", "acknowledged", "accepted",
	"unauthorised", "reopened", NULL };
static const char *const guard_states[] = { "active", "ended", NULL };

static const struct {
	const char *name;
	int number;
} protocols[] = {
	{ "icmp", 1 },
	{ "tcp", 6 },
	{ "udp", 17 },
	{ "icmp6", 58 },
	{ "sctp", 132 },
};

#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

static int
refuse(struct reading *r, const char *wrong)
{
	r->wrong = wrong;
	return ERR_FORMAT;
}

/* Digits only, at most 9 of them; moves past. False: there are none, or the
 * number is above max. */
static bool
take_number(const char **at, long max, long *out)
{
	long value = 0;
	int digits = 0;

	for (; isdigit((unsigned char)**at) && digits < 9; digits++)
		value = value * 10 + (*(*at)++ - '0');
	if (digits == 0 || isdigit((unsigned char)**at) || value > max)
		return false;
	*out = value;
	return true;
}

/* --- networks and addresses ------------------------------------------- */

/* The prefix with that label; a label may stand for several networks. */
static int
find_label(struct reading *r, struct prefix *out)
{
	const struct prefix_set *set = r->context->networks;
	uint32_t found = 0;

	for (uint32_t i = 0; set != NULL && i < set->count; i++)
		if (strcmp(set->networks[i].label, r->value) == 0) {
			*out = set->networks[i].prefix;
			found++;
		}
	if (found > 1)
		return refuse(r, "is the label of several networks");
	if (found == 0)
		return refuse(r, "must be a prefix, an address or the label "
				 "of a network (the % of a tag is written "
				 "%25)");
	return ERR_OK;
}

static int
read_net(struct reading *r)
{
	struct prefix *net = &r->out->filter.net;
	int err = prefix_parse(r->value, net);

	if (err == ERR_RANGE)
		return refuse(r, "has bits set behind the prefix, or too "
				 "long a prefix");
	if (err != ERR_OK && find_label(r, net) != ERR_OK)
		return ERR_FORMAT;
	r->out->filter.has_net = true;
	return ERR_OK;
}

static int
read_address(struct reading *r, struct addr *out, bool *has)
{
	if (addr_parse(r->value, out) != ERR_OK)
		return refuse(r, "must be an IPv4 or IPv6 address (the % of "
				 "a tag is written %25)");
	*has = true;
	return ERR_OK;
}

static int
read_host(struct reading *r)
{
	struct query_filter *f = &r->out->filter;

	return read_address(r, &f->host, &f->has_host);
}

static int
read_src(struct reading *r)
{
	struct query_filter *f = &r->out->filter;

	return read_address(r, &f->src, &f->has_src);
}

static int
read_dst(struct reading *r)
{
	struct query_filter *f = &r->out->filter;

	return read_address(r, &f->dst, &f->has_dst);
}

/* An observation domain: 32 bits. */
static int
read_domain(struct reading *r)
{
	uint64_t value = 0;
	const char *at = r->value;

	for (; isdigit((unsigned char)*at) && value <= UINT32_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (*at != '\0' || value > UINT32_MAX)
		return refuse(r, "must be a number 0-4294967295");
	r->out->filter.domain = (uint32_t)value;
	r->out->filter.has_domain = true;
	return ERR_OK;
}

/* --- ports and protocols ---------------------------------------------- */

/* "22" or "8000-8100"; moves past. */
static bool
take_range(const char **at, struct query_port_range *out)
{
	long low, high;

	if (!take_number(at, PORT_MAX, &low))
		return false;
	high = low;
	if (**at == '-') {
		(*at)++;
		if (!take_number(at, PORT_MAX, &high) || high < low)
			return false;
	}
	*out = (struct query_port_range){ (uint16_t)low, (uint16_t)high };
	return true;
}

static int
read_ports(struct reading *r)
{
	struct query_filter *f = &r->out->filter;
	const char *at = r->value;

	for (;;) {
		if (f->port_count == QUERY_PORTS_MAX)
			return refuse(r, "may list 16 ports or ranges");
		if (!take_range(&at, &f->ports[f->port_count]))
			break;
		f->port_count++;
		if (*at == '\0')
			return ERR_OK;
		if (*at++ != ',')
			break;
	}
	return refuse(r, "must be ports 0-65535 or ranges of them: "
			 "22,80,8000-8100");
}

static int
read_proto(struct reading *r)
{
	const char *at = r->value;
	long number;

	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (strcmp(protocols[i].name, r->value) == 0) {
			r->out->filter.proto = protocols[i].number;
			return ERR_OK;
		}
	if (!take_number(&at, PROTO_MAX, &number) || *at != '\0' || number == 0)
		return refuse(r, "must be tcp, udp, icmp, icmp6, sctp or a "
				 "number 1-255");
	r->out->filter.proto = (int)number;
	return ERR_OK;
}

/* A protocol that has darkports. */
static int
read_transport(struct reading *r)
{
	int err = read_proto(r);
	int proto = r->out->filter.proto;

	if (err != ERR_OK || (proto != 6 && proto != 17))
		return refuse(r, "must be tcp or udp");
	return ERR_OK;
}

/* --- states, times, paging -------------------------------------------- */

static int
read_word(struct reading *r, const char *const *words, const char *wrong)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, r->value) == 0) {
			snprintf(r->out->filter.state,
			    sizeof(r->out->filter.state), "%s", *words);
			return ERR_OK;
		}
	return refuse(r, wrong);
}

static int
read_exposure_state(struct reading *r)
{
	return read_word(r, exposure_states, "must be open, stale or closed");
}

static int
read_alert_state(struct reading *r)
{
	return read_word(r, alert_states,
	    "must be new, acknowledged, accepted, unauthorised or reopened");
}

static int
read_guard_state(struct reading *r)
{
	return read_word(r, guard_states, "must be active or ended");
}

/* A time as time_parse() takes it, "now", or "-24h": so long before now. */
static int
read_time(struct reading *r, int64_t *out_s, bool *has)
{
	const char *text = r->value;
	int64_t back_ms = 0;
	int err = ERR_OK;

	if (strcmp(text, "now") == 0 || text[0] == '-') {
		if (text[0] == '-')
			err = duration_parse(text + 1, &back_ms);
		if (err == ERR_OK)
			*out_s = r->context->now_s - back_ms / 1000;
		if (err == ERR_OK && *out_s < 0)
			*out_s = 0; /* before all times */
		r->out->relative = true;
	} else {
		err = time_parse(text, out_s);
	}
	if (err != ERR_OK)
		return refuse(r, "must be a time: RFC 3339, Unix seconds, "
				 "now, or -24h (+ is written %2B)");
	*has = true;
	return ERR_OK;
}

static int
read_from(struct reading *r)
{
	struct query_filter *f = &r->out->filter;

	return read_time(r, &f->from_s, &f->has_from);
}

static int
read_to(struct reading *r)
{
	struct query_filter *f = &r->out->filter;

	return read_time(r, &f->to_s, &f->has_to);
}

static int
read_limit(struct reading *r)
{
	const char *at = r->value;
	long limit;

	if (!take_number(&at, QUERY_LIMIT_MAX, &limit) || *at != '\0' ||
	    limit == 0)
		return refuse(r, "must be a number 1-10000");
	r->out->filter.limit = (uint32_t)limit;
	return ERR_OK;
}

static_assert(QUERY_LIMIT_MAX == 10000 && QUERY_PORTS_MAX == 16,
    "the texts above say so");

static int
read_cursor(struct reading *r)
{
	char *cursor = r->out->filter.cursor;
	size_t length = strlen(r->value);

	static_assert(PARAM_CURSOR_MAX <= sizeof(r->out->filter.cursor),
	    "a cursor given out is taken back");
	if (length >= PARAM_CURSOR_MAX)
		return refuse(r, "is longer than any cursor");
	memcpy(cursor, r->value, length + 1);
	return ERR_OK;
}

static int
read_format(struct reading *r)
{
	if (strcmp(r->value, "json") != 0)
		return refuse(r, "must be json");
	return ERR_OK;
}

/* --- the query string ------------------------------------------------- */

static const struct {
	const char *name;
	reader_fn read;
} table[] = {
#define PARAM_ROW(id, name, reader) { name, reader },
	PARAM_LIST(PARAM_ROW)
#undef PARAM_ROW
};

static_assert(PARAM_COUNT <= 32, "a set of parameters is 32 bits");

/* The allowed parameter of that name; PARAM_COUNT: there is none. */
static unsigned
find_param(const char *name, uint32_t allowed)
{
	unsigned which = 0;

	while (which < PARAM_COUNT && ((allowed & 1U << which) == 0 ||
					  strcmp(table[which].name, name) != 0))
		which++;
	return which;
}

/* Fills why for parameter name (of any octets); gives ERR_FORMAT. */
static int
blame(struct problem *why, enum problem_kind kind, const char *name,
    size_t name_length, const char *value, const char *wrong)
{
	char shown[sizeof(why->parameter)];

	percent_printable(name, name_length, shown, sizeof(shown));
	problem_set(why, kind, "%s %s", shown[0] != '\0' ? shown : "\"\"",
	    wrong);
	memcpy(why->parameter, shown, sizeof(shown));
	percent_printable(value, strlen(value), why->value, sizeof(why->value));
	return ERR_FORMAT;
}

/* "is no parameter of this resource; it takes net, host" */
static void
name_allowed(uint32_t allowed, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size,
	    "is no parameter of this resource; it "
	    "takes %s",
	    allowed == 0 ? "none" : "");
	const char *between = "";

	for (unsigned i = 0; i < PARAM_COUNT && used < size; i++) {
		if ((allowed >> i & 1) == 0)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
		    between, table[i].name);
		between = ", ";
	}
}

/* One "name=value", or "name" alone, of length octets. */
static int
read_piece(const char *piece, size_t length, uint32_t allowed,
    const struct params_context *context, struct params *out,
    struct problem *why)
{
	const char *equals = memchr(piece, '=', length);
	size_t name_length = equals ? (size_t)(equals - piece) : length;
	size_t value_length = equals ? length - name_length - 1 : 0;
	struct reading r = { .context = context, .out = out };
	char name[sizeof(why->parameter)];
	char value[PARAM_VALUE_MAX] = "";
	char wrong[sizeof(why->detail)];
	unsigned which;
	int err;

	err = percent_decode(piece, name_length, true, name, sizeof(name));
	if (err == ERR_FORMAT)
		return blame(why, PROBLEM_INVALID_PARAMETER, piece, name_length,
		    "", "has a name with a bad percent escape or a NUL");
	which = err == ERR_OK ? find_param(name, allowed) : PARAM_COUNT;
	if (which == PARAM_COUNT) {
		name_allowed(allowed, wrong, sizeof(wrong));
		return blame(why, PROBLEM_UNKNOWN_PARAMETER, piece, name_length,
		    "", wrong);
	}
	if ((out->given & 1U << which) != 0)
		return blame(why, PROBLEM_INVALID_PARAMETER, name, strlen(name),
		    "", "is given twice");
	out->given |= 1U << which;
	if (value_length > 0)
		err = percent_decode(equals + 1, value_length, true, value,
		    sizeof(value));
	if (err != ERR_OK)
		return blame(why, PROBLEM_INVALID_PARAMETER, name, strlen(name),
		    "",
		    err == ERR_FULL ? "is too long"
				    : "has a bad percent escape or a NUL");
	r.value = value;
	r.wrong = "has no value";
	if (value[0] == '\0' || table[which].read(&r) != ERR_OK)
		return blame(why, PROBLEM_INVALID_PARAMETER, name, strlen(name),
		    value, r.wrong);
	return ERR_OK;
}

/*
 * The pages of a list asked for with relative times go on with the times of
 * the first: its cursor carries them. (The store's part of the cursor is
 * bound to them, so made-up ones are refused.)
 */
static int
take_times_of_cursor(struct query_filter *f, struct problem *why)
{
	char *from = strchr(f->cursor, '.');
	char *to = from != NULL ? strchr(from + 1, '.') : NULL;
	int64_t from_s, to_s;

	if (to == NULL)
		goto refuse;
	*from++ = '\0';
	*to++ = '\0';
	if (time_parse(from, &from_s) != ERR_OK ||
	    time_parse(to, &to_s) != ERR_OK)
		goto refuse;
	f->from_s = from_s;
	f->to_s = to_s;
	return ERR_OK;

refuse:
	problem_set(why, PROBLEM_INVALID_CURSOR, "%s", "");
	return ERR_FORMAT;
}

void
params_format_cursor(const struct params *p, const char *next,
    char out[PARAM_CURSOR_MAX])
{
	if (p->relative)
		snprintf(out, PARAM_CURSOR_MAX, "%s.%lld.%lld", next,
		    (long long)p->filter.from_s, (long long)p->filter.to_s);
	else
		snprintf(out, PARAM_CURSOR_MAX, "%s", next);
}

int
params_parse(const char *query, uint32_t allowed,
    const struct params_context *context, struct params *out,
    struct problem *why)
{
	struct params p = { .filter = { .limit = QUERY_LIMIT_DEFAULT,
				.proto = QUERY_PROTO_ANY } };
	const char *at = query != NULL ? query : "";

	while (*at != '\0') {
		size_t length = strcspn(at, "&");

		if (length > 0 &&
		    read_piece(at, length, allowed, context, &p, why) != ERR_OK)
			return ERR_FORMAT;
		at += length;
		at += *at == '&';
	}
	if (p.relative && p.filter.cursor[0] != '\0' &&
	    take_times_of_cursor(&p.filter, why) != ERR_OK)
		return ERR_FORMAT;
	if (p.filter.has_from && p.filter.has_to &&
	    p.filter.from_s >= p.filter.to_s)
		return blame(why, PROBLEM_INVALID_PARAMETER, "from", 4, "",
		    "must be before to");
	*out = p;
	return ERR_OK;
}

const char *
params_name(enum param which)
{
	assert(which < PARAM_COUNT);
	return table[which].name;
}

const char *const *
params_states(enum param which)
{
	assert(which == PARAM_EXPOSURE_STATE || which == PARAM_ALERT_STATE ||
	       which == PARAM_GUARD_STATE);
	if (which == PARAM_GUARD_STATE)
		return guard_states;
	return which == PARAM_EXPOSURE_STATE ? exposure_states : alert_states;
}
