/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of interfaces. Kept as, for each: its number 4 octets, the name's
 * length 1, with LAST for the last of them, the name.
 */
#include <string.h>

#include "collector/interface.h"

#define LAST 0x80U

static bool
is_printable(uint8_t octet)
{
	return octet >= ' ' && octet <= '~';
}

static unsigned
find(const struct interface_names *n, uint32_t interface)
{
	unsigned i = 0;

	while (i < n->count && n->interfaces[i] != interface)
		i++;
	return i;
}

struct wire
interface_name_of(struct wire field)
{
	size_t length = wire_left(&field);
	const uint8_t *end = length > 0 ? memchr(field.at, 0, length) : NULL;

	return wire_part(&field,
	    end != NULL ? (size_t)(end - field.at) : length);
}

bool
interface_names_learn(struct interface_names *n, uint32_t interface,
    struct wire name, bool *is_news)
{
	unsigned i = find(n, interface);
	size_t length = wire_left(&name);
	char kept[INTERFACE_NAME_MAX] = "";

	if (i == INTERFACE_NAMES)
		return false;
	if (i == n->count)
		n->count++;
	if (length > INTERFACE_NAME_MAX - 1)
		length = INTERFACE_NAME_MAX - 1;
	n->interfaces[i] = interface;
	for (size_t at = 0; at < length; at++)
		kept[at] =
		    (char)(is_printable(name.at[at]) ? name.at[at] : '?');
	*is_news = memcmp(n->names[i], kept, sizeof(kept)) != 0;
	memcpy(n->names[i], kept, sizeof(kept));
	return true;
}

const char *
interface_names_find(const struct interface_names *n, uint32_t interface)
{
	unsigned i = find(n, interface);

	return i < n->count ? n->names[i] : NULL;
}

uint16_t
interface_names_save(const struct interface_names *n,
    uint8_t out[INTERFACE_OCTETS_MAX])
{
	uint8_t *p = out;

	for (unsigned i = 0; i < n->count; i++) {
		size_t length = strlen(n->names[i]);

		wire_put_u32(p, n->interfaces[i]);
		p[4] = (uint8_t)(length | (i + 1U == n->count ? LAST : 0));
		memcpy(p + 5, n->names[i], length);
		p += 5 + length;
	}
	return (uint16_t)(p - out);
}

bool
interface_names_load(struct interface_names *out, struct wire octets)
{
	bool is_last;

	*out = (struct interface_names){ 0 };
	do {
		uint32_t interface = wire_u32(&octets);
		uint8_t length = wire_u8(&octets);
		struct wire name = wire_part(&octets, length & ~LAST);
		bool is_news;

		is_last = (length & LAST) != 0;
		if (name.failed || interface == 0 || wire_left(&name) == 0 ||
		    wire_left(&name) >= INTERFACE_NAME_MAX ||
		    !interface_names_learn(out, interface, name, &is_news))
			return false;
	} while (!is_last);
	return wire_left(&octets) == 0;
}
