/* SPDX-License-Identifier: Apache-2.0 */
/* The Host header. */
#include <string.h>
#include <strings.h>

#include "api/hostname.h"

#define NAME_MAX_OCTETS 254 /* RFC 1035, 2.3.4, and a NUL */

/* "", or ":" and 1 to 5 digits. */
static bool
is_port(const char *text)
{
	size_t digits;

	if (text[0] == '\0')
		return true;
	digits = strspn(text + 1, "0123456789");
	return text[0] == ':' && digits >= 1 && digits <= 5 &&
	       text[1 + digits] == '\0';
}

bool
hostname_allowed(const char *host, const struct addr *local,
    const char *const *names)
{
	const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
	size_t length =
	    bracket ? (size_t)(bracket + 1 - host) : strcspn(host, ":");
	char name[NAME_MAX_OCTETS];
	struct addr a;

	if (length == 0 || length >= sizeof(name) || !is_port(host + length))
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	if (strcasecmp(name, "localhost") == 0)
		return true;
	for (; names != NULL && *names != NULL; names++)
		if (strcasecmp(name, *names) == 0)
			return true;
	return local != NULL && addr_parse(name, &a) == ERR_OK &&
	       addr_equal(&a, local);
}
