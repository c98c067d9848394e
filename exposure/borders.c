/* SPDX-License-Identifier: Apache-2.0 */
/* Which interfaces lead outside. */
#include <stdlib.h>

#include "exposure/borders.h"

struct borders {
	struct border_list all;
	/* where the exporter's entries begin in the list, plus 1; 0: none */
	uint16_t first[BORDERS_EXPORTERS_MAX];
};

_Static_assert(BORDERS_MAX < UINT16_MAX, "a place fits in 16 bits");

static int
compare(const struct border *a, const struct border *b)
{
	int order = addr_compare(&a->exporter, &b->exporter);

	if (order != 0)
		return order;
	return (a->interface > b->interface) - (a->interface < b->interface);
}

int
border_list_add(struct border_list *l, const struct border *b)
{
	uint32_t at = 0;

	while (at < l->count && compare(&l->list[at], b) < 0)
		at++;
	if (b->interface == 0 ||
	    (at < l->count && compare(&l->list[at], b) == 0))
		return ERR_RANGE;
	if (l->count == BORDERS_MAX)
		return ERR_FULL;
	for (uint32_t i = l->count; i > at; i--)
		l->list[i] = l->list[i - 1];
	l->list[at] = *b;
	l->count++;
	return ERR_OK;
}

struct borders *
borders_new(const struct border_list *list)
{
	struct borders *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->all = *list;
	return b;
}

void
borders_free(struct borders *b)
{
	free(b);
}

size_t
borders_bytes(void)
{
	return sizeof(struct borders);
}

void
borders_name_exporter(struct borders *b, uint32_t number,
    const struct addr *address)
{
	if (number >= BORDERS_EXPORTERS_MAX)
		return;
	b->first[number] = 0;
	for (uint32_t i = 0; i < b->all.count; i++) {
		if (!addr_equal(&b->all.list[i].exporter, address))
			continue;
		b->first[number] = (uint16_t)(i + 1);
		return;
	}
}

bool
borders_is_outside(const struct borders *b, uint32_t number, uint32_t interface)
{
	uint32_t at;

	if (number >= BORDERS_EXPORTERS_MAX || b->first[number] == 0)
		return false;
	at = b->first[number] - 1U;
	for (uint32_t i = at;
	     i < b->all.count &&
	     addr_equal(&b->all.list[i].exporter, &b->all.list[at].exporter);
	     i++)
		if (b->all.list[i].interface == interface)
			return true;
	return false;
}
