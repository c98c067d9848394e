/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces that lead outside. A packet with an inside source that came in
 * there is forged: believed, it would let a stranger write the map.
 *
 * The configuration names them by the exporter's address and IE 10
 * ingressInterface; records name exporters by number, so the pipeline tells
 * the address of each number once. Bounded, allocated once.
 */
#ifndef EXPOSURE_BORDERS_H
#define EXPOSURE_BORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define BORDERS_MAX	      1024
#define BORDERS_EXPORTERS_MAX 65536

struct border {
	struct addr exporter;
	uint32_t interface; /* SNMP ifIndex, IE 10; never 0 */
};

/* Sorted by exporter, then interface; each once. */
struct border_list {
	uint32_t count;
	struct border list[BORDERS_MAX];
};

/* Errors: ERR_FULL; ERR_RANGE (it is there already, or interface 0). */
int border_list_add(struct border_list *l, const struct border *b) MUST_CHECK;

struct borders;

/* owned: borders_free(). The list is copied. NULL: no memory. */
struct borders *borders_new(const struct border_list *list);
void borders_free(struct borders *b); /* takes NULL */
size_t borders_bytes(void);

/* Who an exporter's number is. A number out of range is ignored. */
void borders_name_exporter(struct borders *b, uint32_t number,
    const struct addr *address);

/* The interface of this exporter is configured to lead outside. */
bool borders_is_outside(const struct borders *b, uint32_t number,
    uint32_t interface);

#endif
