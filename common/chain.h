/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A doubly linked list of entries of one table, linked by slot numbers
 * through a struct link inside each value. Its order is that of the calls:
 * it does not depend on the table's hash key. Owns nothing, allocates
 * nothing. Who is on which chain is the user's to know.
 */
#ifndef COMMON_CHAIN_H
#define COMMON_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "common/table.h"

struct link {
	uint32_t next, prev; /* slots, or TABLE_NONE */
};

struct chain {
	uint32_t head, tail; /* slots, or TABLE_NONE */
	uint32_t offset;     /* of the struct link in a value */
};

/* An empty chain through the link at this offset of the values. */
struct chain chain_empty(size_t offset);

/* value must not be on the chain; it becomes the last. */
void chain_append(struct chain *c, const struct table *t, void *value);

/* value must be on the chain. */
void chain_remove(struct chain *c, const struct table *t, void *value);

/* The first, and the one behind value; NULL when there is none. */
void *chain_first(const struct chain *c, const struct table *t);
void *chain_next(const struct chain *c, const struct table *t,
    const void *value);

#endif
