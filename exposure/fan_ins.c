/* SPDX-License-Identifier: Apache-2.0 */
/* The fan-in table. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/fan_ins.h"

/*
 * Distinct addresses for a service. A NAT gateway's ports meet several
 * services too: with 5 % of its flows to high ports, 64,000 ports and 5
 * peers a port and day, 3 peers err 8 times a day, 5 peers .02 times.
 */
#define RESPONDER_PEERS	  5
#define EPHEMERAL_PERCENT 90 /* of the peers' ports, at least */
#define SERVICE_PERCENT	  50 /* of them below 1024, or one port: a client */
#define CLIENT_PEERS	  3  /* fewer say nothing */
#define PORT_SYSTEM	  1024
#define FORGET_MS	  (INT64_C(24) * 3600 * 1000)

struct fan_in_key {
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
};

struct endpoint {
	int64_t last_ms;
	struct link in_list;
	struct addr peers[FAN_IN_PEERS];
	uint16_t ports[FAN_IN_PEERS];
	uint8_t count;
	uint8_t says; /* enum fan_in, by the peers so far */
};

struct fan_ins {
	struct table *table;
	struct chain list; /* unused longest first */
};

_Static_assert(sizeof(struct fan_in_key) == 20, "the key has no padding");

size_t
fan_ins_bytes(void)
{
	return sizeof(struct fan_ins) + table_bytes(FAN_INS_MAX,
					    sizeof(struct fan_in_key),
					    sizeof(struct endpoint));
}

struct fan_ins *
fan_ins_new(const struct hash_key *key)
{
	struct fan_ins *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->table = table_new(FAN_INS_MAX, sizeof(struct fan_in_key),
	    sizeof(struct endpoint), key);
	if (f->table == NULL) {
		free(f);
		return NULL;
	}
	f->list = chain_empty(offsetof(struct endpoint, in_list));
	return f;
}

void
fan_ins_free(struct fan_ins *f)
{
	if (f == NULL)
		return;
	table_free(f->table);
	free(f);
}

static struct endpoint *
make_endpoint(struct fan_ins *f, const struct fan_in_key *key)
{
	struct endpoint *e = table_insert(f->table, key);

	if (e == NULL) {
		e = chain_first(&f->list, f->table);
		chain_remove(&f->list, f->table, e);
		table_remove(f->table, e);
		e = table_insert(f->table, key);
	}
	chain_append(&f->list, f->table, e);
	return e;
}

/* One port for each address: peers count, not their connections. */
static bool
has_peer(const struct endpoint *e, const struct addr *peer)
{
	for (uint8_t i = 0; i < e->count; i++)
		if (addr_equal(&e->peers[i], peer))
			return true;
	return false;
}

/* How many of the peers use the port that most of them use. */
static unsigned
top_port(const struct endpoint *e)
{
	unsigned top = 0;

	for (uint8_t i = 0; i < e->count; i++) {
		unsigned same = 0;

		for (uint8_t j = 0; j < e->count; j++)
			same += e->ports[j] == e->ports[i];
		if (same > top)
			top = same;
	}
	return top;
}

/* What the peers so far say of the endpoint. */
static enum fan_in
judge(const struct endpoint *e)
{
	unsigned ephemeral = 0;
	unsigned count = e->count;
	unsigned top;

	if (count < CLIENT_PEERS)
		return FAN_IN_UNKNOWN;
	for (uint8_t i = 0; i < e->count; i++)
		ephemeral += e->ports[i] >= PORT_SYSTEM;
	top = top_port(e);
	if (top * 100 > count * SERVICE_PERCENT ||
	    (count - ephemeral) * 100 >= count * SERVICE_PERCENT)
		return FAN_IN_CLIENT;
	if (count >= RESPONDER_PEERS &&
	    ephemeral * 100 >= count * EPHEMERAL_PERCENT)
		return FAN_IN_RESPONDER;
	return FAN_IN_UNKNOWN;
}

void
fan_ins_add(struct fan_ins *f, const struct addr *host, uint8_t proto,
    uint16_t port, const struct addr *peer, uint16_t peer_port, int64_t ts_ms)
{
	struct fan_in_key key = { *host, port, proto, 0 };
	struct endpoint *e = table_find(f->table, &key);

	if (e == NULL) {
		e = make_endpoint(f, &key);
	} else {
		chain_remove(&f->list, f->table, e);
		chain_append(&f->list, f->table, e);
	}
	if (ts_ms - e->last_ms > FORGET_MS) {
		e->count = 0;
		e->says = FAN_IN_UNKNOWN;
	}
	if (ts_ms > e->last_ms)
		e->last_ms = ts_ms;
	if (e->count == FAN_IN_PEERS || has_peer(e, peer))
		return;
	e->peers[e->count] = *peer;
	e->ports[e->count++] = peer_port;
	e->says = (uint8_t)judge(e);
}

enum fan_in
fan_ins_get(const struct fan_ins *f, const struct addr *host, uint8_t proto,
    uint16_t port)
{
	struct fan_in_key key = { *host, port, proto, 0 };
	const struct endpoint *e = table_find(f->table, &key);

	return e == NULL ? FAN_IN_UNKNOWN : (enum fan_in)e->says;
}
