/* SPDX-License-Identifier: Apache-2.0 */
/* The pinhole table. */
#include <stdlib.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/pinholes.h"

struct pinhole_key {
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
};

struct pinhole {
	int64_t first_ms;
	int64_t last_ms;
	struct link in_list;
};

struct pinholes {
	struct table *table;
	struct chain list; /* longest without news first */
};

_Static_assert(sizeof(struct pinhole_key) == 20, "the key has no padding");

size_t
pinholes_bytes(void)
{
	return sizeof(struct pinholes) + table_bytes(PINHOLES_MAX,
					     sizeof(struct pinhole_key),
					     sizeof(struct pinhole));
}

struct pinholes *
pinholes_new(const struct hash_key *key)
{
	struct pinholes *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->table = table_new(PINHOLES_MAX, sizeof(struct pinhole_key),
	    sizeof(struct pinhole), key);
	if (p->table == NULL) {
		free(p);
		return NULL;
	}
	p->list = chain_empty(offsetof(struct pinhole, in_list));
	return p;
}

void
pinholes_free(struct pinholes *p)
{
	if (p == NULL)
		return;
	table_free(p->table);
	free(p);
}

void
pinholes_note(struct pinholes *p, const struct addr *host, uint8_t proto,
    uint16_t port, int64_t first_ms, int64_t last_ms)
{
	struct pinhole_key key = { *host, port, proto, 0 };
	struct pinhole *hole = table_find(p->table, &key);

	if (hole != NULL && first_ms >= hole->first_ms &&
	    last_ms <= hole->last_ms)
		return;
	if (hole == NULL) {
		hole = table_insert(p->table, &key);
		if (hole == NULL) {
			hole = chain_first(&p->list, p->table);
			chain_remove(&p->list, p->table, hole);
			table_remove(p->table, hole);
			hole = table_insert(p->table, &key);
		}
		hole->first_ms = first_ms;
		hole->last_ms = last_ms;
	} else {
		chain_remove(&p->list, p->table, hole);
	}
	chain_append(&p->list, p->table, hole);
	if (last_ms > hole->last_ms)
		hole->last_ms = last_ms;
	if (first_ms < hole->first_ms)
		hole->first_ms = first_ms;
}

bool
pinholes_has(const struct pinholes *p, const struct addr *host, uint8_t proto,
    uint16_t port, int64_t ts_ms, int64_t within_ms)
{
	struct pinhole_key key = { *host, port, proto, 0 };
	const struct pinhole *hole = table_find(p->table, &key);

	return hole != NULL && hole->first_ms < ts_ms &&
	       ts_ms - hole->last_ms <= within_ms;
}
