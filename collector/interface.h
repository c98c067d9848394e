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

/* Keeps the name of an interface. False: there is no place left for it. */
bool interface_names_learn(struct interface_names *n, uint32_t interface,
    struct wire name);

/* NULL: not known. Borrowed until the next change. */
const char *interface_names_find(const struct interface_names *n,
    uint32_t interface);

#endif
