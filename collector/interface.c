/* SPDX-License-Identifier: Apache-2.0 */
/* Names of interfaces. */
#include <string.h>

#include "collector/interface.h"

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
    struct wire name)
{
	unsigned i = find(n, interface);
	size_t length = wire_left(&name);
	char *to;

	if (i == INTERFACE_NAMES)
		return false;
	if (i == n->count)
		n->count++;
	if (length > INTERFACE_NAME_MAX - 1)
		length = INTERFACE_NAME_MAX - 1;
	n->interfaces[i] = interface;
	to = n->names[i];
	memset(to, 0, INTERFACE_NAME_MAX);
	for (size_t at = 0; at < length; at++)
		to[at] = (char)(is_printable(name.at[at]) ? name.at[at] : '?');
	return true;
}

const char *
interface_names_find(const struct interface_names *n, uint32_t interface)
{
	unsigned i = find(n, interface);

	return i < n->count ? n->names[i] : NULL;
}
