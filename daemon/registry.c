/* SPDX-License-Identifier: Apache-2.0 */
/* The exporters' numbers, their counts over all lives, and by the hour. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/registry.h"

#define HOUR_MS (INT64_C(3600) * 1000)

struct entry {
	struct finding_exporter base;	   /* of earlier lives; index set */
	struct finding_exporter now;	   /* and of this one: gather() */
	struct finding_exporter_hour kept; /* of the store, at the start */
	struct finding_exporter_hour over; /* not appended; hour_ms 0: none */
	/* now's counts when the hour began */
	struct finding_exporter_hour start;
	uint64_t written_datagrams; /* now's, as last appended */
	uint64_t written_refused;
	bool written;
};

/* The exporters of one decoder that have a number. */
struct met {
	uint32_t count;
	uint32_t numbers[DECODER_EXPORTERS_MAX];
};

struct registry {
	struct decoders *decoders;
	struct met *met; /* of each thread */
	int64_t hour_ms; /* start of the present hour; 0: no time yet */
	uint32_t count;
	bool turning; /* an hour's end is not appended by all yet */
	struct entry entries[REGISTRY_MAX];
};

struct registry *
registry_new(struct decoders *d)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->decoders = d;
	r->met = calloc(d->count, sizeof(*r->met));
	if (r->met == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

size_t
registry_bytes(uint32_t threads)
{
	return sizeof(struct registry) + threads * sizeof(struct met);
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	free(r->met);
	free(r);
}

void
registry_restore(struct registry *r, const struct finding_exporter *e)
{
	struct entry *entry;

	if (r->count == REGISTRY_MAX)
		return;
	assert(e->index == r->count);
	entry = &r->entries[r->count++];
	entry->base = *e;
	entry->now = *e;
}

void
registry_restore_hour(struct registry *r, const struct finding_exporter_hour *h)
{
	if (h->exporter < r->count)
		r->entries[h->exporter].kept = *h;
}

static bool
is_same(const struct finding_exporter *e, const struct addr *address,
    uint32_t domain, uint8_t protocol)
{
	return e->domain == domain && e->protocol == protocol &&
	       addr_equal(&e->address, address);
}

/* The number for one new to a decoder. A walk: it happens once each. */
static uint32_t
number_for(struct registry *r, uint32_t thread, uint32_t decoder_index)
{
	struct exporter_info info =
	    decoders_exporter(r->decoders, thread, decoder_index);
	uint8_t protocol = (uint8_t)info.protocol;
	struct entry *entry;
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (is_same(&r->entries[i].base, &info.address, info.domain,
			protocol))
			break;
	if (i == REGISTRY_MAX)
		return REGISTRY_UNKNOWN;
	entry = &r->entries[i];
	if (i == r->count) {
		r->count++;
		entry->base.address = info.address;
		entry->base.domain = info.domain;
		entry->base.protocol = protocol;
		entry->base.sampling = 1;
		entry->base.index = i;
		entry->now = entry->base;
	}
	entry->written = false;
	return i;
}

bool
registry_update(struct registry *r, uint32_t thread, uint32_t count,
    uint32_t *first)
{
	struct met *met = &r->met[thread];

	assert(count <= DECODER_EXPORTERS_MAX);
	if (count <= met->count)
		return false;
	*first = met->count;
	for (; met->count < count; met->count++)
		met->numbers[met->count] = number_for(r, thread, met->count);
	return true;
}

uint32_t
registry_number(const struct registry *r, uint32_t thread,
    uint32_t decoder_index)
{
	assert(decoder_index < r->met[thread].count);
	return r->met[thread].numbers[decoder_index];
}

uint32_t
registry_met(const struct registry *r, uint32_t thread)
{
	return r->met[thread].count;
}

const struct finding_exporter *
registry_at(const struct registry *r, uint32_t number)
{
	return number < r->count ? &r->entries[number].base : NULL;
}

uint32_t
registry_find(const struct registry *r, const struct addr *address,
    uint32_t domain, uint8_t protocol)
{
	for (uint32_t t = 0; t < r->decoders->count; t++) {
		const struct met *met = &r->met[t];

		for (uint32_t i = 0; i < met->count; i++) {
			uint32_t number = met->numbers[i];

			if (number != REGISTRY_UNKNOWN &&
			    is_same(&r->entries[number].base, address, domain,
				protocol))
				return number;
		}
	}
	return REGISTRY_UNKNOWN;
}

/* --- counts --------------------------------------------------------------- */

/* One the decoder was only reminded of has sent nothing in this life. */
static void
add_times(struct finding_exporter *e, const struct exporter_info *info)
{
	if (info->datagrams == 0)
		return;
	if (e->first_seen_ms == 0 || info->first_seen_ms < e->first_seen_ms)
		e->first_seen_ms = info->first_seen_ms;
	if (info->last_seen_ms > e->last_seen_ms)
		e->last_seen_ms = info->last_seen_ms;
	e->clock_offset_ms = info->clock_offset_ms;
	e->shared_address = e->shared_address || info->shared_address;
}

static void
add_life(struct finding_exporter *e, const struct exporter_info *info)
{
	add_times(e, info);
	memcpy(e->name, info->name, sizeof(e->name));
	e->datagrams += info->datagrams;
	e->refused += info->refused;
	e->records += info->records;
	e->lost += info->lost;
	e->reordered += info->reordered;
	e->duplicates += info->duplicates;
	e->restarts += info->restarts;
	e->unknown_template_sets += info->unknown_template_sets;
	e->templates_changed += info->templates_changed;
	e->templates += info->templates;
	e->sampling = info->sampling;
	if (info->active_timeout_s != 0)
		e->active_timeout_s = info->active_timeout_s;
	if (info->idle_timeout_s != 0)
		e->idle_timeout_s = info->idle_timeout_s;
}

/* The entry of a decoder's exporter; NULL: it has no number. */
static struct entry *
entry_of(struct registry *r, uint32_t thread, uint32_t decoder_index)
{
	uint32_t number = r->met[thread].numbers[decoder_index];

	return number == REGISTRY_UNKNOWN ? NULL : &r->entries[number];
}

static void
begin_sum(struct entry *entry)
{
	entry->now = entry->base;
	entry->now.templates = 0;
	entry->now.shared_address = false;
}

/* Sums up earlier lives and this one. */
static void
gather(struct registry *r)
{
	uint32_t threads = r->decoders->count;

	for (uint32_t t = 0; t < threads; t++)
		for (uint32_t i = 0; i < r->met[t].count; i++) {
			struct entry *entry = entry_of(r, t, i);

			if (entry != NULL)
				begin_sum(entry);
		}
	for (uint32_t t = 0; t < threads; t++)
		for (uint32_t i = 0; i < r->met[t].count; i++) {
			struct entry *entry = entry_of(r, t, i);
			struct exporter_info info =
			    decoders_exporter(r->decoders, t, i);

			if (entry != NULL)
				add_life(&entry->now, &info);
		}
}

/* Counts less those there were; what came late makes lost ones fewer. */
static uint64_t
since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static struct finding_exporter_hour
present_hour(const struct registry *r, const struct entry *entry)
{
	const struct finding_exporter *now = &entry->now;
	const struct finding_exporter_hour *start = &entry->start;

	return (struct finding_exporter_hour){
		.exporter = now->index,
		.hour_ms = r->hour_ms,
		.datagrams = since(now->datagrams, start->datagrams),
		.records = since(now->records, start->records),
		.lost = since(now->lost, start->lost),
	};
}

/* The hour begins for an entry, or goes on where the store has it. */
static void
begin_hour(const struct registry *r, struct entry *entry)
{
	const struct finding_exporter *now = &entry->now;
	struct finding_exporter_hour had = { 0 };

	if (entry->kept.hour_ms == r->hour_ms)
		had = entry->kept;
	entry->start.datagrams = since(now->datagrams, had.datagrams);
	entry->start.records = since(now->records, had.records);
	entry->start.lost = since(now->lost, had.lost);
}

void
registry_turn(struct registry *r, int64_t now_ms)
{
	int64_t hour_ms = now_ms - now_ms % HOUR_MS;

	if (hour_ms <= r->hour_ms || r->turning)
		return;
	gather(r);
	if (r->hour_ms != 0) {
		for (uint32_t i = 0; i < r->count; i++)
			r->entries[i].over = present_hour(r, &r->entries[i]);
		r->turning = true;
	}
	r->hour_ms = hour_ms;
	for (uint32_t i = 0; i < r->count; i++)
		begin_hour(r, &r->entries[i]);
}

bool
registry_is_turning(const struct registry *r)
{
	return r->turning;
}

/* --- to the store --------------------------------------------------------- */

/* False: the batch is full. An hour in which nothing came is no finding. */
static bool
append_hour(const struct finding_exporter_hour *hour,
    struct finding_batch *batch)
{
	struct finding *f;

	if (hour->hour_ms == 0 || (hour->datagrams == 0 && hour->lost == 0))
		return true;
	f = finding_batch_add(batch, FINDING_EXPORTER_HOUR);
	if (f != NULL)
		f->exporter_hour = *hour;
	return f != NULL;
}

static bool
is_written(const struct entry *entry)
{
	return entry->written &&
	       entry->now.datagrams == entry->written_datagrams &&
	       entry->now.refused == entry->written_refused;
}

/* False: the batch is full, and this entry waits. */
static bool
append_exporter(const struct registry *r, struct entry *entry,
    struct finding_batch *batch)
{
	struct finding_exporter_hour hour = present_hour(r, entry);
	struct finding *f = finding_batch_add(batch, FINDING_EXPORTER);

	if (f == NULL)
		return false;
	f->exporter = entry->now;
	if (!append_hour(&hour, batch))
		return false;
	entry->written = true;
	entry->written_datagrams = entry->now.datagrams;
	entry->written_refused = entry->now.refused;
	return true;
}

uint32_t
registry_collect(struct registry *r, struct finding_batch *batch)
{
	uint32_t before = batch->count;

	gather(r);
	for (uint32_t i = 0; i < r->count; i++) {
		struct entry *entry = &r->entries[i];

		if (!is_written(entry) && !append_exporter(r, entry, batch))
			return batch->count - before;
		if (!append_hour(&entry->over, batch))
			return batch->count - before;
		entry->over.hour_ms = 0;
	}
	r->turning = false;
	return batch->count - before;
}
