/* SPDX-License-Identifier: Apache-2.0 */
/* NetFlow v5 (Cisco), v9 (RFC 3954) and IPFIX (RFC 7011), written. */
#include <assert.h>
#include <string.h>

#include "bench/encode.h"

#define MS_PER_S	   1000
#define UPTIME_MS	   86400000U /* at the first export: a day */
#define SET_HEADER_OCTETS  4
#define TEMPLATE_ID_FIRST  256 /* and one more for each layout and family */
#define OPTIONS_ID	   512
#define VARIABLE	   65535 /* RFC 7011, 7 */
#define IPFIX_TEMPLATE_SET 2
#define SAMPLING_NOT	   1 /* an interval: every packet */

struct field {
	uint16_t number;
	uint16_t length;
};

/* An address, in front of all others, is 8, 12 or 27, 28. */
static const struct field common_fields[] = {
	{ 7, 2 },  /* sourceTransportPort */
	{ 11, 2 }, /* destinationTransportPort */
	{ 4, 1 },  /* protocolIdentifier */
	{ 6, 1 },  /* tcpControlBits */
	{ 2, 4 },  /* packetDeltaCount */
	{ 1, 4 },  /* octetDeltaCount */
};
static const struct field uptime_fields[] = { { 22, 4 }, { 21, 4 } };
static const struct field unix_fields[] = { { 152, 8 }, { 153, 8 } };
static const struct field wide_fields[] = {
	{ 10, 4 }, /* ingressInterface */
	{ 14, 4 }, /* egressInterface */
	{ 16, 4 }, /* bgpSourceAsNumber */
	{ 17, 4 }, /* bgpDestinationAsNumber */
	{ 9, 1 },  /* sourceIPv4PrefixLength */
	{ 13, 1 }, /* destinationIPv4PrefixLength */
	{ 5, 1 },  /* ipClassOfService */
	{ 61, 1 }, /* flowDirection */
	{ 58, 2 }, /* vlanId */
};
#define WIDE_OCTETS 22
#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))

static void
put(struct encoded *out, uint64_t value, unsigned octets)
{
	assert(out->length + octets <= ENCODE_OCTETS_MAX);
	for (unsigned i = octets; i-- > 0;)
		out->octets[out->length++] = (uint8_t)(value >> (8 * i));
}

static void
put_octets(struct encoded *out, const void *octets, size_t n)
{
	assert(out->length + n <= ENCODE_OCTETS_MAX);
	memcpy(out->octets + out->length, octets, n);
	out->length += n;
}

static void
put_at(struct encoded *out, size_t at, uint16_t value)
{
	out->octets[at] = (uint8_t)(value >> 8);
	out->octets[at + 1] = (uint8_t)value;
}

static size_t
open_set(struct encoded *out, uint16_t id)
{
	size_t at = out->length;

	put(out, id, 2);
	put(out, 0, 2); /* the length: close_set() */
	return at;
}

/* Sets end at four octets (RFC 3954, 5.3; RFC 7011, 3.3.1 allows it). */
static void
close_set(struct encoded *out, size_t at)
{
	while ((out->length - at) % 4 != 0)
		put(out, 0, 1);
	put_at(out, at + 2, (uint16_t)(out->length - at));
}

/* Milliseconds since the boot. */
static uint32_t
uptime(const struct encoder *e, int64_t now_ms)
{
	return (uint32_t)(now_ms - e->boot_ms);
}

/* --- templates --- */

static void
put_field(struct encoded *out, uint16_t number, uint16_t length)
{
	put(out, number, 2);
	put(out, length, 2);
}

static void
put_fields(struct encoded *out, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_field(out, fields[i].number, fields[i].length);
}

static uint16_t
template_id(enum layout layout, bool is_ipv6)
{
	return (uint16_t)(TEMPLATE_ID_FIRST + 2 * (unsigned)layout + is_ipv6);
}

static void
put_template(const struct encoder *e, struct encoded *out, enum layout layout,
    bool is_ipv6)
{
	size_t count_at;
	uint16_t count = 2 + LENGTH(common_fields) + 2;

	put(out, template_id(layout, is_ipv6), 2);
	count_at = out->length;
	put(out, 0, 2);
	put_field(out, is_ipv6 ? 27 : 8, is_ipv6 ? 16 : 4);
	put_field(out, is_ipv6 ? 28 : 12, is_ipv6 ? 16 : 4);
	put_fields(out, common_fields, LENGTH(common_fields));
	put_fields(out, e->version == 9 ? uptime_fields : unix_fields, 2);
	if (layout == LAYOUT_WIDE) {
		put_fields(out, wide_fields, LENGTH(wide_fields));
		count += LENGTH(wide_fields);
	} else if (layout == LAYOUT_VARIABLE) {
		put_field(out, 82, VARIABLE); /* interfaceName */
		count++;
	}
	put_at(out, count_at, count);
}

/* The time of boot in IPFIX, the sampling (there is none) in v9. */
static void
put_options_template(const struct encoder *e, struct encoded *out)
{
	size_t set = open_set(out, e->version == 9 ? 1 : 3);

	put(out, OPTIONS_ID, 2);
	if (e->version == 9) {
		put(out, 4, 2);	      /* octets of scope fields */
		put(out, 8, 2);	      /* octets of option fields */
		put_field(out, 1, 4); /* scope: system */
		put_field(out, 34, 4);
		put_field(out, 35, 1);
	} else {
		put(out, 2, 2);		/* fields, */
		put(out, 1, 2);		/* and the scope's among them */
		put_field(out, 149, 4); /* observationDomainId */
		put_field(out, 160, 8); /* systemInitTimeMilliseconds */
	}
	close_set(out, set);
}

/* Every layout the weights allow, in both families. Returns how many. */
static uint32_t
put_templates(const struct encoder *e, struct encoded *out)
{
	uint32_t count = 0;
	size_t set = open_set(out, e->version == 9 ? 0 : IPFIX_TEMPLATE_SET);

	for (unsigned i = 0; i < LAYOUT_COUNT; i++) {
		if (e->version == 9 && i == LAYOUT_VARIABLE)
			continue;
		put_template(e, out, (enum layout)i, false);
		put_template(e, out, (enum layout)i, true);
		count += 2;
	}
	close_set(out, set);
	if (e->config->options_every != 0) {
		put_options_template(e, out);
		count++;
	}
	out->has_templates = true;
	return count;
}

static void
put_options_data(const struct encoder *e, struct encoded *out)
{
	size_t set = open_set(out, OPTIONS_ID);

	put(out, e->domain, 4);
	if (e->version == 9) {
		put(out, SAMPLING_NOT, 4);
		put(out, 1, 1); /* deterministic */
	} else {
		put(out, (uint64_t)e->boot_ms, 8);
	}
	close_set(out, set);
	out->options++;
}

/* --- records --- */

static void
put_record(struct encoder *e, struct encoded *out,
    const struct traffic_record *r, enum layout layout, int64_t now_ms)
{
	static const uint8_t wide[WIDE_OCTETS] = { 0, 0, 0, 1, 0, 0, 0, 2 };
	size_t address = r->is_ipv6 ? 16 : 4;

	put_octets(out, r->src, address);
	put_octets(out, r->dst, address);
	put(out, r->src_port, 2);
	put(out, r->dst_port, 2);
	put(out, r->protocol, 1);
	put(out, r->flags, 1);
	put(out, r->packets, 4);
	put(out, r->octets, 4);
	if (e->version == 9) {
		put(out, uptime(e, now_ms) - r->start_ago_ms, 4);
		put(out, uptime(e, now_ms) - r->end_ago_ms, 4);
	} else {
		put(out, (uint64_t)now_ms - r->start_ago_ms, 8);
		put(out, (uint64_t)now_ms - r->end_ago_ms, 8);
	}
	if (layout == LAYOUT_WIDE) {
		put_octets(out, wide, sizeof(wide));
	} else if (layout == LAYOUT_VARIABLE) {
		uint32_t length = random_below(&e->random, 9);

		put(out, length, 1);
		put_octets(out, "ethernet", length);
	}
}

static void
put_v5_record(struct encoded *out, const struct traffic_record *r,
    uint32_t uptime_ms)
{
	put_octets(out, r->src, 4);
	put_octets(out, r->dst, 4);
	put(out, 0, 4); /* next hop */
	put(out, 1, 2); /* interfaces */
	put(out, 2, 2);
	put(out, r->packets, 4);
	put(out, r->octets, 4);
	put(out, uptime_ms - r->start_ago_ms, 4);
	put(out, uptime_ms - r->end_ago_ms, 4);
	put(out, r->src_port, 2);
	put(out, r->dst_port, 2);
	put(out, 0, 1);
	put(out, r->flags, 1);
	put(out, r->protocol, 1);
	put(out, 0, 8); /* class of service, AS numbers, masks */
	put(out, 0, 1);
}

/* Exactly `count` halves; one too many waits for the next datagram. */
static void
take_halves(struct encoder *e, uint32_t count, struct traffic_record *out)
{
	uint32_t have = 0;

	if (e->has_carry)
		out[have++] = e->carry;
	e->has_carry = false;
	while (have < count) {
		unsigned halves =
		    traffic_next(e->traffic, e->version == 5, &out[have]);

		have += halves;
	}
	if (have > count) {
		e->carry = out[count];
		e->has_carry = true;
	}
}

static void
put_data_sets(struct encoder *e, struct encoded *out,
    const struct traffic_record *halves, uint32_t count, enum layout layout,
    int64_t now_ms)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		size_t set = 0;

		for (uint32_t i = 0; i < count; i++) {
			if (halves[i].is_ipv6 != is_ipv6)
				continue;
			if (set == 0)
				set = open_set(out,
				    template_id(layout, is_ipv6 != 0));
			put_record(e, out, &halves[i], layout, now_ms);
		}
		if (set != 0)
			close_set(out, set);
	}
}

/* --- datagrams --- */

static enum layout
choose_layout(struct encoder *e)
{
	const uint32_t *weight = e->config->weight;
	uint32_t sum = weight[LAYOUT_PLAIN] + weight[LAYOUT_WIDE] +
		       weight[LAYOUT_VARIABLE];
	uint32_t at = random_below(&e->random, sum);

	if (at < weight[LAYOUT_PLAIN])
		return LAYOUT_PLAIN;
	if (at < weight[LAYOUT_PLAIN] + weight[LAYOUT_WIDE] || e->version == 9)
		return LAYOUT_WIDE;
	return LAYOUT_VARIABLE;
}

static void
encode_netflow5(struct encoder *e, const struct traffic_record *halves,
    uint32_t count, int64_t now_ms, struct encoded *out)
{
	put(out, 5, 2);
	put(out, count, 2);
	put(out, uptime(e, now_ms), 4);
	put(out, (uint64_t)now_ms / MS_PER_S, 4);
	put(out, (uint64_t)now_ms % MS_PER_S * 1000000, 4);
	put(out, e->sequence, 4);
	put(out, e->domain, 2); /* engine type and id */
	put(out, 0, 2);		/* sampling */
	for (uint32_t i = 0; i < count; i++)
		put_v5_record(out, &halves[i], uptime(e, now_ms));
	out->units = count;
}

static void
encode_templated(struct encoder *e, const struct traffic_record *halves,
    uint32_t count, int64_t now_ms, struct encoded *out)
{
	const struct encode_config *c = e->config;
	uint32_t templates = 0;

	put(out, e->version, 2);
	put(out, 0, 2); /* count or length: below */
	if (e->version == 9)
		put(out, uptime(e, now_ms), 4);
	put(out, (uint64_t)now_ms / MS_PER_S, 4);
	put(out, e->sequence, 4);
	put(out, e->domain, 4);
	if (e->datagrams % c->template_every == 0)
		templates = put_templates(e, out);
	if (c->options_every != 0 && e->datagrams % c->options_every == 0)
		put_options_data(e, out);
	put_data_sets(e, out, halves, count, choose_layout(e), now_ms);
	if (e->version == 9) {
		put_at(out, 2, (uint16_t)(count + templates + out->options));
		out->units = 1;
	} else {
		put_at(out, 2, (uint16_t)out->length);
		out->units = count + out->options;
	}
}

void
encode_init(struct encoder *e, const struct encode_config *config,
    struct traffic *traffic, uint32_t version, uint32_t domain,
    uint32_t sequence, uint64_t seed)
{
	*e = (struct encoder){
		.config = config,
		.traffic = traffic,
		.random = random_seeded(seed),
		.version = version,
		.domain = domain,
		.sequence = sequence,
	};
}

void
encode_next(struct encoder *e, int64_t now_ms, struct encoded *out)
{
	struct traffic_record halves[ENCODE_RECORDS_MAX + TRAFFIC_HALVES_MAX];
	uint32_t most = e->version == 5 ? ENCODE_V5_MAX : ENCODE_RECORDS_MAX;
	const struct encode_config *c = e->config;
	uint32_t count =
	    c->records_min +
	    random_below(&e->random, c->records_max - c->records_min + 1);

	if (count > most)
		count = most;
	if (e->datagrams == 0)
		e->boot_ms = now_ms - UPTIME_MS;
	take_halves(e, count, halves);
	out->length = 0;
	out->records = count;
	out->options = 0;
	out->has_templates = false;
	if (e->version == 5)
		encode_netflow5(e, halves, count, now_ms, out);
	else
		encode_templated(e, halves, count, now_ms, out);
	e->sequence += out->units;
	e->datagrams++;
}
