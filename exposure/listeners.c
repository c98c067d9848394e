/* SPDX-License-Identifier: Apache-2.0 */
/* FTP's control connections, and sockets that both accept and open. */
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/listeners.h"

#define HOUR_MS INT64_C(3600000)

/* Data may be told to begin a little before its control connection. */
#define BEFORE_MS 1000

struct control_key {
	struct addr outer;
	struct addr inner;
	uint8_t outbound;
	uint8_t zero[7];
};

struct control {
	int64_t first_ms;
	int64_t last_ms;
	struct link in_list;
};

struct hour_key {
	int64_t hour;
	struct socket_key socket;
	uint8_t zero[4];
};

/* Hashes of the peers so far; enough of them are enough. */
struct peers {
	uint32_t hashes[LISTENER_PEERS];
	uint32_t count;
};

struct socket_hour {
	struct peers accepted;
	struct peers opened;
	struct link in_list;
};

struct listeners {
	struct hash_key key;
	struct table *controls;
	struct table *sockets;
	struct chain control_list; /* unused longest first */
	struct chain socket_list;
};

_Static_assert(sizeof(struct control_key) == 40, "the key has no padding");
_Static_assert(sizeof(struct hour_key) == 32, "the key has no padding");

size_t
listeners_bytes(void)
{
	return sizeof(struct listeners) +
	       table_bytes(LISTENER_CONTROLS_MAX, sizeof(struct control_key),
		   sizeof(struct control)) +
	       table_bytes(LISTENER_SOCKETS_MAX, sizeof(struct hour_key),
		   sizeof(struct socket_hour));
}

struct listeners *
listeners_new(const struct hash_key *key)
{
	struct listeners *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->key = *key;
	l->controls = table_new(LISTENER_CONTROLS_MAX,
	    sizeof(struct control_key), sizeof(struct control), key);
	l->sockets = table_new(LISTENER_SOCKETS_MAX, sizeof(struct hour_key),
	    sizeof(struct socket_hour), key);
	if (l->controls == NULL || l->sockets == NULL) {
		listeners_free(l);
		return NULL;
	}
	l->control_list = chain_empty(offsetof(struct control, in_list));
	l->socket_list = chain_empty(offsetof(struct socket_hour, in_list));
	return l;
}

void
listeners_free(struct listeners *l)
{
	if (l == NULL)
		return;
	table_free(l->controls);
	table_free(l->sockets);
	free(l);
}

/*
 * The entry of a key, made when absent, at the young end of its list; the
 * oldest one makes room. *made: it is new, and zeroed.
 */
static void *
touch(struct table *table, struct chain *list, const void *key, bool *made)
{
	void *entry = table_find(table, key);

	*made = entry == NULL;
	if (entry != NULL) {
		chain_remove(list, table, entry);
	} else {
		entry = table_insert(table, key);
		if (entry == NULL) {
			void *oldest = chain_first(list, table);

			chain_remove(list, table, oldest);
			table_remove(table, oldest);
			entry = table_insert(table, key);
		}
	}
	chain_append(list, table, entry);
	return entry;
}

/* --- FTP ------------------------------------------------------------------ */

static struct control_key
control_key(const struct addr *outer, const struct addr *inner, bool outbound)
{
	return (struct control_key){ .outer = *outer,
		.inner = *inner,
		.outbound = outbound };
}

bool
listeners_note_control(struct listeners *l, const struct addr *outer,
    const struct addr *inner, bool outbound, int64_t first_ms, int64_t last_ms)
{
	struct control_key key = control_key(outer, inner, outbound);
	struct control *c;
	bool news;

	c = touch(l->controls, &l->control_list, &key, &news);
	if (news) {
		c->first_ms = first_ms;
		c->last_ms = last_ms;
		return true;
	}
	news = first_ms < c->first_ms || first_ms > c->last_ms + FTP_MS;
	if (first_ms < c->first_ms)
		c->first_ms = first_ms;
	if (last_ms > c->last_ms)
		c->last_ms = last_ms;
	return news;
}

bool
listeners_has_control(const struct listeners *l, const struct addr *outer,
    const struct addr *inner, bool outbound, int64_t ts_ms)
{
	struct control_key key = control_key(outer, inner, outbound);
	const struct control *c = table_find(l->controls, &key);

	return c != NULL && ts_ms >= c->first_ms - BEFORE_MS &&
	       ts_ms <= c->last_ms + FTP_MS;
}

/* --- P2P ------------------------------------------------------------------ */

static void
add_peer(const struct listeners *l, struct peers *p, const struct addr *peer)
{
	uint32_t hash;

	if (p->count == LISTENER_PEERS)
		return;
	hash =
	    (uint32_t)hash_octets(&l->key, peer->octets, sizeof(peer->octets));
	for (uint32_t i = 0; i < p->count; i++)
		if (p->hashes[i] == hash)
			return;
	p->hashes[p->count++] = hash;
}

bool
listeners_note_peer(struct listeners *l, const struct socket_key *socket,
    const struct addr *peer, bool accepted, int64_t ts_ms)
{
	struct hour_key key = { .hour = ts_ms / HOUR_MS, .socket = *socket };
	struct socket_hour *h;
	bool made;

	h = touch(l->sockets, &l->socket_list, &key, &made);
	add_peer(l, accepted ? &h->accepted : &h->opened, peer);
	return h->accepted.count == LISTENER_PEERS &&
	       h->opened.count == LISTENER_PEERS;
}
