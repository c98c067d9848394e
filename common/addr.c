/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and prefixes: parse, print, compare, look up. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"

#define TAG_SIGN   '%'
#define TAG_DIGITS 5

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

struct addr
addr_from_v4(const uint8_t octets[4])
{
	struct addr a;

	memcpy(a.octets, v4_mapped, sizeof(v4_mapped));
	memcpy(a.octets + 12, octets, 4);
	return a;
}

struct addr
addr_from_v6(const uint8_t octets[16])
{
	struct addr a;

	memcpy(a.octets, octets, 16);
	return a;
}

int
addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets));
}

int
addr_family(const struct addr *a)
{
	return memcmp(a->octets, v4_mapped, ADDR_TAG_AT) == 0 &&
		       memcmp(a->octets + 10, v4_mapped + 10, 2) == 0
		   ? 4
		   : 6;
}

struct addr
addr_with_tag(const struct addr *a, uint16_t tag)
{
	struct addr tagged = *a;

	if (addr_family(a) == 4) {
		tagged.octets[ADDR_TAG_AT] = (uint8_t)(tag >> 8);
		tagged.octets[ADDR_TAG_AT + 1] = (uint8_t)tag;
	}
	return tagged;
}

/* One way to write each: digits alone, none too many. */
static int
parse_tag(const char *text, uint16_t *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long tag;

	if (text[digits] != '\0' || digits == 0 || digits > TAG_DIGITS ||
	    text[0] == '0')
		return ERR_FORMAT;
	tag = strtoul(text, NULL, 10);
	if (tag > ADDR_TAG_MAX)
		return ERR_FORMAT;
	*out = (uint16_t)tag;
	return ERR_OK;
}

int
addr_parse(const char *text, struct addr *out)
{
	char bare[ADDR_TEXT_MAX];
	size_t length = strlen(text);
	uint16_t tag = 0;
	uint8_t octets[16];
	struct addr plain;
	char *sign;

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
		if (memchr(text, ':', length) == NULL)
			return ERR_FORMAT;
	}
	if (length == 0 || length >= sizeof(bare))
		return ERR_FORMAT;
	memcpy(bare, text, length);
	bare[length] = '\0';
	sign = strchr(bare, TAG_SIGN);
	if (sign != NULL) {
		*sign = '\0';
		if (parse_tag(sign + 1, &tag) != ERR_OK)
			return ERR_FORMAT;
	}
	if (inet_pton(AF_INET, bare, octets) == 1) {
		plain = addr_from_v4(octets);
		*out = addr_with_tag(&plain, tag);
		return ERR_OK;
	}
	if (sign == NULL && inet_pton(AF_INET6, bare, octets) == 1) {
		*out = addr_from_v6(octets);
		return ERR_OK;
	}
	return ERR_FORMAT;
}

char *
addr_format(const struct addr *a, char text[ADDR_TEXT_MAX])
{
	uint16_t tag = addr_tag(a);
	const char *done;
	size_t used;

	if (addr_family(a) == 4)
		done = inet_ntop(AF_INET, a->octets + 12, text, ADDR_TEXT_MAX);
	else
		done = inet_ntop(AF_INET6, a->octets, text, ADDR_TEXT_MAX);
	if (done == NULL)
		text[0] = '\0';
	used = strlen(text);
	if (tag != 0)
		snprintf(text + used, ADDR_TEXT_MAX - used, "%c%u", TAG_SIGN,
		    (unsigned)tag);
	return text;
}

/* The range of a/length; false when a has bits behind the prefix. */
static bool
fill_range(const struct addr *a, unsigned length, struct prefix *out)
{
	out->low = *a;
	out->high = *a;
	out->length = (uint8_t)length;
	for (unsigned bit = length; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80U >> (bit % 8));

		if ((a->octets[bit / 8] & mask) != 0)
			return false;
		out->high.octets[bit / 8] |= mask;
	}
	return true;
}

int
prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t host_length = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long length;
	unsigned bits;
	struct prefix p;
	struct addr a;

	if (host_length >= sizeof(host))
		return ERR_FORMAT;
	memcpy(host, text, host_length);
	host[host_length] = '\0';
	if (addr_parse(host, &a) != ERR_OK)
		return ERR_FORMAT;
	bits = addr_family(&a) == 4 && strchr(host, ':') == NULL ? 32 : 128;
	length = bits;
	if (slash != NULL) {
		char *end;

		if (slash[1] < '0' || slash[1] > '9')
			return ERR_FORMAT;
		length = strtoul(slash + 1, &end, 10);
		if (*end != '\0')
			return ERR_FORMAT;
	}
	if (length > bits)
		return ERR_RANGE;
	if (!fill_range(&a, 128 - bits + (unsigned)length, &p))
		return ERR_RANGE;
	*out = p;
	return ERR_OK;
}

char *
prefix_format(const struct prefix *p, char text[PREFIX_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];
	bool v4 = addr_family(&p->low) == 4 && p->length >= 96;

	snprintf(text, PREFIX_TEXT_MAX, "%s/%d", addr_format(&p->low, host),
	    v4 ? p->length - 96 : p->length);
	return text;
}

bool
prefix_contains(const struct prefix *p, const struct addr *a)
{
	return addr_compare(&p->low, a) <= 0 && addr_compare(a, &p->high) <= 0;
}

int
network_parse(const char *text, struct network *out)
{
	char cidr[PREFIX_TEXT_MAX + 2];
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);
	struct network n = { .label = "" };
	int err;

	if (length >= sizeof(cidr))
		return ERR_FORMAT;
	memcpy(cidr, text, length);
	cidr[length] = '\0';
	err = prefix_parse(cidr, &n.prefix);
	if (err != ERR_OK)
		return err;
	if (addr_tag(&n.prefix.low) != 0)
		return ERR_FORMAT;
	if (equals != NULL) {
		size_t label_length = strlen(equals + 1);

		if (label_length == 0 || label_length >= LABEL_MAX)
			return ERR_RANGE;
		for (const char *c = equals + 1; *c != '\0'; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				return ERR_RANGE;
		memcpy(n.label, equals + 1, label_length + 1);
	}
	*out = n;
	return ERR_OK;
}

int
prefix_set_add(struct prefix_set *set, const struct network *n)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->networks[i].prefix.length == n->prefix.length &&
		    addr_equal(&set->networks[i].prefix.low, &n->prefix.low))
			return ERR_RANGE;
	if (set->count == PREFIX_SET_MAX)
		return ERR_FULL;
	set->networks[set->count++] = *n;
	return ERR_OK;
}

const struct network *
prefix_set_find(const struct prefix_set *set, const struct addr *a)
{
	const struct network *best = NULL;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct network *n = &set->networks[i];

		if (prefix_contains(&n->prefix, a) &&
		    (best == NULL || n->prefix.length > best->prefix.length))
			best = n;
	}
	return best;
}
