/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets of a cursor, written in base64url (RFC 4648, 5) without padding:
 *    0  1  version, 1
 *    1  1  list
 *    2  8  hash of list and filters, but not of limit and cursor
 *   10 16  address
 *   26 24  three numbers, big-endian
 */
#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/hash.h"
#include "common/wire.h"
#include "store/cursor.h"

#define CURSOR_VERSION 1
#define CURSOR_OCTETS  50
#define NUMBERS	       3

static_assert(sodium_base64_ENCODED_LEN(CURSOR_OCTETS,
		  sodium_base64_VARIANT_URLSAFE_NO_PADDING) <= QUERY_CURSOR_MAX,
    "a cursor fits its text");

static void
put_u64(uint8_t *p, uint64_t value)
{
	wire_put_u32(p, (uint32_t)(value >> 32));
	wire_put_u32(p + 4, (uint32_t)value);
}

/* Every value that selects rows, each at a place of its own. */
struct canonical_filter {
	struct addr net_low, net_high, host, src, dst;
	int64_t from_s, to_s;
	int64_t proto;
	int64_t domain;
	struct query_port_range ports[QUERY_PORTS_MAX];
	char state[16];
	uint32_t port_count;
	uint32_t has; /* bits, in this order */
};

static_assert(sizeof(struct canonical_filter) ==
		  5 * 16 + 4 * 8 + QUERY_PORTS_MAX * 4 + 16 + 8,
    "no padding: it is hashed as octets");

/*
 * The key is no secret: a cursor made up by its user can only name another
 * place in a list that user may read anyway.
 */
static uint64_t
filter_hash(const struct query_filter *f)
{
	static const struct hash_key key = { "darkport cursor" };
	struct canonical_filter c;

	memset(&c, 0, sizeof(c));
	if (f->has_net) {
		c.net_low = f->net.low;
		c.net_high = f->net.high;
	}
	c.host = f->has_host ? f->host : c.host;
	c.src = f->has_src ? f->src : c.src;
	c.dst = f->has_dst ? f->dst : c.dst;
	c.from_s = f->has_from ? f->from_s : 0;
	c.to_s = f->has_to ? f->to_s : 0;
	c.proto = f->proto;
	c.domain = f->has_domain ? f->domain : c.domain;
	c.port_count = f->port_count;
	memcpy(c.ports, f->ports, f->port_count * sizeof(c.ports[0]));
	memcpy(c.state, f->state, strnlen(f->state, sizeof(f->state)));
	c.has = (uint32_t)f->has_net | (uint32_t)f->has_host << 1 |
		(uint32_t)f->has_src << 2 | (uint32_t)f->has_dst << 3 |
		(uint32_t)f->has_from << 4 | (uint32_t)f->has_to << 5 |
		(uint32_t)f->has_domain << 6;
	return hash_octets(&key, &c, sizeof(c));
}

void
cursor_format(enum query_list list, const struct query_filter *filter,
    const struct cursor *c, char text[QUERY_CURSOR_MAX])
{
	uint8_t octets[CURSOR_OCTETS] = { CURSOR_VERSION, (uint8_t)list };

	put_u64(octets + 2, filter_hash(filter));
	memcpy(octets + 10, c->ip.octets, sizeof(c->ip.octets));
	for (int i = 0; i < NUMBERS; i++)
		put_u64(octets + 26 + 8 * i, (uint64_t)c->numbers[i]);
	sodium_bin2base64(text, QUERY_CURSOR_MAX, octets, sizeof(octets),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int
cursor_parse(enum query_list list, const struct query_filter *filter,
    struct cursor *out)
{
	size_t length = strnlen(filter->cursor, QUERY_CURSOR_MAX);
	uint8_t octets[CURSOR_OCTETS];
	size_t decoded = 0;
	struct wire w;

	if (sodium_base642bin(octets, sizeof(octets), filter->cursor, length,
		NULL, &decoded, NULL,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    decoded != sizeof(octets))
		return ERR_FORMAT;
	w = wire_over(octets, sizeof(octets));
	if (wire_u8(&w) != CURSOR_VERSION || wire_u8(&w) != list ||
	    wire_u64(&w) != filter_hash(filter))
		return ERR_FORMAT;
	memcpy(out->ip.octets, wire_take(&w, 16), 16);
	for (int i = 0; i < NUMBERS; i++)
		out->numbers[i] = (int64_t)wire_u64(&w);
	return ERR_OK;
}
