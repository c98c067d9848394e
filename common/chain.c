/* SPDX-License-Identifier: Apache-2.0 */
/* Chains through tables. */
#include "common/chain.h"

static struct link *
link_of(const struct chain *c, void *value)
{
	return (struct link *)(void *)((uint8_t *)value + c->offset);
}

static struct link *
link_at(const struct chain *c, const struct table *t, uint32_t slot)
{
	return link_of(c, table_at(t, slot));
}

struct chain
chain_empty(size_t offset)
{
	return (struct chain){ TABLE_NONE, TABLE_NONE, (uint32_t)offset };
}

void
chain_append(struct chain *c, const struct table *t, void *value)
{
	struct link *link = link_of(c, value);
	uint32_t slot = table_slot(t, value);

	link->next = TABLE_NONE;
	link->prev = c->tail;
	if (c->tail == TABLE_NONE)
		c->head = slot;
	else
		link_at(c, t, c->tail)->next = slot;
	c->tail = slot;
}

void
chain_remove(struct chain *c, const struct table *t, void *value)
{
	struct link *link = link_of(c, value);

	if (link->prev == TABLE_NONE)
		c->head = link->next;
	else
		link_at(c, t, link->prev)->next = link->next;
	if (link->next == TABLE_NONE)
		c->tail = link->prev;
	else
		link_at(c, t, link->next)->prev = link->prev;
	link->next = link->prev = TABLE_NONE;
}

void *
chain_first(const struct chain *c, const struct table *t)
{
	return c->head == TABLE_NONE ? NULL : table_at(t, c->head);
}

void *
chain_next(const struct chain *c, const struct table *t, const void *value)
{
	uint32_t next;

	next = ((const struct link *)(const void *)((const uint8_t *)value +
						    c->offset))
		   ->next;
	return next == TABLE_NONE ? NULL : table_at(t, next);
}
