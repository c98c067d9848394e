/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes.
 *
 * An address is 16 octets in network order; IPv4 is kept mapped, as
 * ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that memcmp order is address order
 * and every prefix of either family is one range.
 *
 * Networks may use the same private IPv4 addresses. A tag says which routing
 * domain such an address is of: a number in octets 8 and 9,
 * ::TAG:ffff:a.b.c.d, written 10.0.0.5%7. All of a tag are one range, too.
 * No host has such an IPv6 address: ::/8 is reserved (RFC 4291, 2.4).
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"

#define ADDR_TEXT_MAX	46 /* longest text form and its NUL (RFC 4291) */
#define ADDR_TAG_AT	8  /* its octets */
#define ADDR_TAG_MAX	65535
#define LABEL_MAX	32 /* a network's label and its NUL */
#define PREFIX_TEXT_MAX (ADDR_TEXT_MAX + 4)
#define PREFIX_SET_MAX	256

struct addr {
	uint8_t octets[16];
};

/* A prefix as the range it covers; length counts from the mapped form. */
struct prefix {
	struct addr low;
	struct addr high;
	uint8_t length; /* 0..128; an IPv4 /24 is 96 + 24 */
};

struct network {
	struct prefix prefix;
	char label[LABEL_MAX]; /* "" when none was given */
};

/*
 * The configured networks. Look-up gives the longest matching prefix.
 * When full: prefix_set_add() returns ERR_FULL.
 */
struct prefix_set {
	uint32_t count;
	struct network networks[PREFIX_SET_MAX];
};

struct addr addr_from_v4(const uint8_t octets[4]);
struct addr addr_from_v6(const uint8_t octets[16]);
int addr_compare(const struct addr *a, const struct addr *b);

/* IPv4 without a tag. */
static inline bool
addr_is_v4(const struct addr *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
		0xff };
	uint64_t a8, mapped8;
	uint32_t a4, mapped4;

	memcpy(&a8, a->octets, 8);
	memcpy(&a4, a->octets + 8, 4);
	memcpy(&mapped8, mapped, 8);
	memcpy(&mapped4, mapped + 8, 4);
	return a8 == mapped8 && a4 == mapped4;
}

static inline bool
addr_equal(const struct addr *a, const struct addr *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->octets, sizeof(x));
	memcpy(y, b->octets, sizeof(y));
	return x[0] == y[0] && x[1] == y[1];
}

/* 4, with a tag or without, or 6. */
int addr_family(const struct addr *a);

/* Its tag; 0: none, or it is IPv6. */
static inline uint16_t
addr_tag(const struct addr *a)
{
	uint16_t octets;

	memcpy(&octets, a->octets + ADDR_TAG_AT, sizeof(octets));
	if (octets == 0 || addr_family(a) == 6)
		return 0;
	return (
	    uint16_t)(a->octets[ADDR_TAG_AT] << 8 | a->octets[ADDR_TAG_AT + 1]);
}

/* The same IPv4 address with this tag, in place of any other; 0: without.
 * IPv6 has none, and stays as it is. */
struct addr addr_with_tag(const struct addr *a, uint16_t tag);

/* Any textual form, "[v6]" too; a tag behind IPv4 alone. Errors: ERR_FORMAT. */
int addr_parse(const char *text, struct addr *out) MUST_CHECK;

/* RFC 5952, or dotted quad with its tag, into text[ADDR_TEXT_MAX]; returns
 * text. */
char *addr_format(const struct addr *a, char text[ADDR_TEXT_MAX]);

/*
 * "10.0.0.0/8", "2001:db8::/32", or a bare address (the whole of it); of one
 * routing domain, "10.0.0.0%7/8".
 * Host bits must be zero. Errors: ERR_FORMAT; ERR_RANGE (bits set behind the
 * prefix, or the length is too large).
 */
int prefix_parse(const char *text, struct prefix *out) MUST_CHECK;
char *prefix_format(const struct prefix *p, char text[PREFIX_TEXT_MAX]);
bool prefix_contains(const struct prefix *p, const struct addr *a);

/* "CIDR" or "CIDR=LABEL", without a tag: a network is one in every routing
 * domain. Errors: as prefix_parse; ERR_RANGE (label). */
int network_parse(const char *text, struct network *out) MUST_CHECK;

/* Errors: ERR_FULL; ERR_RANGE when the same prefix is there already. */
int prefix_set_add(struct prefix_set *set, const struct network *n) MUST_CHECK;

/* The longest prefix that holds a, or NULL. Borrowed: valid as set is. */
const struct network *prefix_set_find(const struct prefix_set *set,
    const struct addr *a);

/* The same of an internal address, whatever its tag. */
static inline const struct network *
prefix_set_find_internal(const struct prefix_set *set, const struct addr *a)
{
	struct addr plain;

	if (addr_tag(a) == 0)
		return prefix_set_find(set, a);
	plain = addr_with_tag(a, 0);
	return prefix_set_find(set, &plain);
}

#endif
