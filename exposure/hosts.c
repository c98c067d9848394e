/* SPDX-License-Identifier: Apache-2.0 */
/* The host table: one list by age, one of those to be collected. */
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/table.h"
#include "exposure/hosts.h"

struct host {
	int64_t first_ms;
	int64_t last_ms;
	uint32_t network; /* of the configured ones */
	struct link in_list;
	struct link in_dirty;
	bool dirty;
};

struct hosts {
	struct table *table;
	struct hash_key key;
	struct counters *counters;
	struct prefix_set internal;
	int64_t ttl_ms;
	struct chain list;  /* all, the first seen first */
	struct chain dirty; /* those not collected since they changed */
};

size_t
hosts_bytes(uint32_t max)
{
	return sizeof(struct hosts) +
	       table_bytes(max, sizeof(struct addr), sizeof(struct host));
}

struct hosts *
hosts_new(const struct engine_config *config, struct counters *counters)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->table = table_new(config->max_hosts, sizeof(struct addr),
	    sizeof(struct host), &config->key);
	if (h->table == NULL) {
		free(h);
		return NULL;
	}
	h->key = config->key;
	h->counters = counters;
	h->internal = config->internal;
	h->ttl_ms = config->host_ttl_ms;
	h->list = chain_empty(offsetof(struct host, in_list));
	h->dirty = chain_empty(offsetof(struct host, in_dirty));
	return h;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	table_free(h->table);
	free(h);
}

static void
mark_dirty(struct hosts *h, struct host *host)
{
	if (host->dirty)
		return;
	host->dirty = true;
	chain_append(&h->dirty, h->table, host);
}

uint64_t
hosts_hash(const struct hosts *h, const struct addr *address)
{
	if (addr_is_v4(address))
		return hash_for_table(&h->key, address->octets + 12, 4);
	return hash_for_table(&h->key, address->octets, 16);
}

void
hosts_prefetch(const struct hosts *h, uint64_t hash)
{
	table_prefetch(h->table, hash);
}

void
hosts_prefetch_entry(const struct hosts *h, uint64_t hash)
{
	table_prefetch_entry(h->table, hash);
}

static struct host *
find(const struct hosts *h, const struct addr *address)
{
	return table_find_hashed(h->table, address, hosts_hash(h, address));
}

static struct host *
add(struct hosts *h, const struct addr *address, uint64_t hash,
    int64_t start_ms, int64_t end_ms)
{
	const struct network *network =
	    prefix_set_find_internal(&h->internal, address);
	struct host *host = table_insert_hashed(h->table, address, hash);

	if (host == NULL) {
		counter_add(h->counters, COUNTER_SHED_HOSTS, 1);
		return NULL;
	}
	host->first_ms = start_ms;
	host->last_ms = end_ms;
	host->network = network == NULL
			    ? PREFIX_SET_MAX
			    : (uint32_t)(network - h->internal.networks);
	chain_append(&h->list, h->table, host);
	return host;
}

void
hosts_seen(struct hosts *h, const struct addr *address, uint64_t hash,
    int64_t start_ms, int64_t end_ms)
{
	struct host *host = table_find_hashed(h->table, address, hash);

	if (host == NULL) {
		host = add(h, address, hash, start_ms, end_ms);
		if (host != NULL)
			mark_dirty(h, host);
		return;
	}
	if (start_ms >= host->first_ms && end_ms <= host->last_ms)
		return;
	if (start_ms < host->first_ms)
		host->first_ms = start_ms;
	if (end_ms > host->last_ms)
		host->last_ms = end_ms;
	mark_dirty(h, host);
}

bool
hosts_has(const struct hosts *h, const struct addr *address)
{
	return find(h, address) != NULL;
}

int64_t
hosts_first_seen(const struct hosts *h, const struct addr *address)
{
	const struct host *host = find(h, address);

	return host == NULL ? 0 : host->first_ms;
}

void
hosts_age(struct hosts *h, int64_t now_ms)
{
	struct host *host = chain_first(&h->list, h->table);

	while (host != NULL) {
		struct host *next = chain_next(&h->list, h->table, host);

		if (now_ms - host->last_ms >= h->ttl_ms && !host->dirty) {
			chain_remove(&h->list, h->table, host);
			table_remove_hashed(h->table, host,
			    hosts_hash(h, table_key(h->table, host)));
		}
		host = next;
	}
}

bool
hosts_collect(struct hosts *h, struct finding_batch *batch)
{
	struct host *host;

	while ((host = chain_first(&h->dirty, h->table)) != NULL) {
		struct finding *f = finding_batch_add(batch, FINDING_HOST);

		if (f == NULL)
			return true;
		memcpy(&f->host.address, table_key(h->table, host),
		    sizeof(f->host.address));
		f->host.first_seen_ms = host->first_ms;
		f->host.last_seen_ms = host->last_ms;
		if (host->network < h->internal.count)
			memcpy(f->host.label,
			    h->internal.networks[host->network].label,
			    sizeof(f->host.label));
		host->dirty = false;
		chain_remove(&h->dirty, h->table, host);
	}
	return false;
}

int
hosts_restore(struct hosts *h, const struct finding_host *f)
{
	if (!finding_ms_is_valid(f->first_seen_ms) ||
	    !finding_ms_is_valid(f->last_seen_ms) || hosts_has(h, &f->address))
		return ERR_RANGE;
	return add(h, &f->address, hosts_hash(h, &f->address), f->first_seen_ms,
		   f->last_seen_ms) == NULL
		   ? ERR_FULL
		   : ERR_OK;
}

uint32_t
hosts_count(const struct hosts *h)
{
	return table_count(h->table);
}
