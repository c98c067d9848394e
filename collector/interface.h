/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exporter calls its interfaces: interfaceName (IE 82), or, where
 * there is none, interfaceDescription (IE 83), of its options records.
 *
 * Shape: fixed places in the exporter's own memory. When full: new
 * interfaces are refused; the names of known ones still change.
 */
#ifndef COLLECTOR_INTERFACE_H
#define COLLECTOR_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"

#define INTERFACE_NAMES	   32
#define INTERFACE_NAME_MAX 32 /* octets, with the NUL: longer ones are cut */

/* All zero at first. A name is printable ASCII; other octets are '?'. */
struct interface_names {
	uint8_t count;
	uint32_t interfaces[INTERFACE_NAMES];
	char names[INTERFACE_NAMES][INTERFACE_NAME_MAX];
};

/*
 * The octets of a name: a field without what it is padded with, from its
 * first NUL on. None are left of one that was not filled in.
 */
struct wire interface_name_of(struct wire field);

/* What interface_names_save() writes at most. */
#define INTERFACE_OCTETS_MAX                                                   \
	(INTERFACE_NAMES * (4 + 1 + INTERFACE_NAME_MAX - 1))

/*
 * Keeps the name of an interface, of at least one octet; *is_news, when that
 * is not what it was called. False: there is no place left for it.
 */
bool interface_names_learn(struct interface_names *n, uint32_t interface,
    struct wire name, bool *is_news);

/* NULL: not known. Borrowed until the next change. */
const char *interface_names_find(const struct interface_names *n,
    uint32_t interface);

/* As octets, to be kept; returns how many. */
uint16_t interface_names_save(const struct interface_names *n,
    uint8_t out[INTERFACE_OCTETS_MAX]);
/* False, with *out undefined: not what interface_names_save() writes. */
bool interface_names_load(struct interface_names *out, struct wire octets);

#endif
