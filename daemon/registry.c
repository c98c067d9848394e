/* SPDX-License-Identifier: Apache-2.0 */
/* The exporters' numbers. */
#include <assert.h>
#include <stdlib.h>

#include "daemon/registry.h"

/* What the decoder can number: decoder_config's maximum. */
#define DECODER_MAX 4096
#define NOT_MET	    UINT32_MAX

struct entry {
	struct finding_exporter base; /* of earlier lives; index set */
	uint64_t written_datagrams;   /* of this life, as last appended */
	uint32_t decoder_index;	      /* NOT_MET: not in this life */
	bool written;
};

struct registry {
	const struct decoder *decoder;
	uint32_t count;
	uint32_t met; /* exporters of the decoder that have a number */
	uint32_t numbers[DECODER_MAX];
	struct entry entries[REGISTRY_MAX];
};

struct registry *
registry_new(const struct decoder *d)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->decoder = d;
	return r;
}

void
registry_free(struct registry *r)
{
	free(r);
}

void
registry_restore(struct registry *r, const struct finding_exporter *e)
{
	struct entry *entry;

	if (r->count == REGISTRY_MAX)
		return;
	assert(e->index == r->count && r->met == 0);
	entry = &r->entries[r->count++];
	entry->base = *e;
	entry->decoder_index = NOT_MET;
}

static bool
is_same(const struct entry *entry, const struct exporter_info *info)
{
	return entry->base.domain == info->domain &&
	       entry->base.protocol == info->protocol &&
	       addr_equal(&entry->base.address, &info->address);
}

/* The number for one new to the decoder. A walk: it happens once each. */
static uint32_t
number_for(struct registry *r, uint32_t decoder_index)
{
	struct exporter_info info = decoder_exporter(r->decoder, decoder_index);
	struct entry *entry;
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (is_same(&r->entries[i], &info))
			break;
	if (i == REGISTRY_MAX)
		return REGISTRY_UNKNOWN;
	entry = &r->entries[i];
	if (i == r->count) {
		r->count++;
		entry->base.address = info.address;
		entry->base.domain = info.domain;
		entry->base.protocol = (uint8_t)info.protocol;
		entry->base.first_seen_ms = info.first_seen_ms;
		entry->base.index = i;
	}
	entry->decoder_index = decoder_index;
	entry->written = false;
	return i;
}

bool
registry_update(struct registry *r, uint32_t *first)
{
	uint32_t count = decoder_exporter_count(r->decoder);

	if (count == r->met)
		return false;
	assert(count <= DECODER_MAX);
	*first = r->met;
	for (; r->met < count; r->met++)
		r->numbers[r->met] = number_for(r, r->met);
	return true;
}

uint32_t
registry_number(const struct registry *r, uint32_t decoder_index)
{
	assert(decoder_index < r->met);
	return r->numbers[decoder_index];
}

/* The present state of an entry; false when it was appended already. */
static bool
present_state(const struct registry *r, struct entry *entry,
    struct finding_exporter *out)
{
	struct exporter_info info;

	*out = entry->base;
	if (entry->decoder_index == NOT_MET)
		return !entry->written;
	info = decoder_exporter(r->decoder, entry->decoder_index);
	if (entry->written && info.datagrams == entry->written_datagrams)
		return false;
	if (info.last_seen_ms > out->last_seen_ms)
		out->last_seen_ms = info.last_seen_ms;
	if (info.first_seen_ms < out->first_seen_ms)
		out->first_seen_ms = info.first_seen_ms;
	out->datagrams += info.datagrams;
	out->records += info.records;
	out->lost += info.lost;
	out->templates = info.templates;
	entry->written_datagrams = info.datagrams;
	return true;
}

uint32_t
registry_collect(struct registry *r, struct finding_batch *batch)
{
	uint32_t appended = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		struct entry *entry = &r->entries[i];
		struct finding_exporter now;
		struct finding *f;

		if (finding_batch_room(batch) == 0)
			break;
		if (!present_state(r, entry, &now))
			continue;
		f = finding_batch_add(batch, FINDING_EXPORTER);
		f->exporter = now;
		entry->written = true;
		appended++;
	}
	return appended;
}
