/* SPDX-License-Identifier: Apache-2.0 */
/* The bad path. */
#include <stdlib.h>

#include "bench/faults.h"

/* Copies can be held too, and so can what comes while they are. */
#define HELD_MAX (4 * FAULTS_REORDER_MAX)

/* So far back it is remembered what was delivered; a power of two. */
#define WINDOW (8 * FAULTS_REORDER_MAX)

struct path {
	struct faults_counts counts;
	uint64_t highest;      /* position delivered, from 1; 0: none */
	uint64_t seen[WINDOW]; /* positions, by their remainder */
};

struct held {
	struct encoded encoded;
	uint64_t position; /* among its exporter's, from 1 */
	uint64_t due;	   /* when this many were taken */
	uint32_t exporter;
	bool used;
};

struct faults {
	struct faults_config config;
	struct random random;
	faults_fn fn;
	void *arg;
	uint64_t taken;
	uint32_t held_count;
	uint32_t exporters;
	struct held held[HELD_MAX];
	struct path paths[];
};

struct faults *
faults_new(const struct faults_config *config, uint32_t exporters, faults_fn fn,
    void *arg)
{
	struct faults *f =
	    calloc(1, sizeof(*f) + exporters * sizeof(f->paths[0]));

	if (f == NULL)
		return NULL;
	f->config = *config;
	f->random = random_seeded(config->seed);
	f->fn = fn;
	f->arg = arg;
	f->exporters = exporters;
	return f;
}

void
faults_free(struct faults *f)
{
	free(f);
}

static void
deliver(struct faults *f, const struct encoded *encoded, uint32_t exporter,
    uint64_t position)
{
	struct path *p = &f->paths[exporter];
	uint64_t *seen = &p->seen[position % WINDOW];

	if (position > p->highest)
		p->highest = position;
	else if (*seen == position)
		p->counts.again++;
	else
		p->counts.late++;
	*seen = position;
	p->counts.delivered++;
	p->counts.records += encoded->records;
	p->counts.options += encoded->options;
	f->fn(encoded, exporter, f->arg);
}

/* Delivers what is due; the held are few, so a walk will do. */
static void
release(struct faults *f, uint64_t now)
{
	for (uint32_t i = 0; f->held_count != 0 && i < HELD_MAX; i++) {
		struct held *h = &f->held[i];

		if (!h->used || h->due > now)
			continue;
		h->used = false;
		f->held_count--;
		deliver(f, &h->encoded, h->exporter, h->position);
	}
}

/* False: no place is left, or none was wanted. */
static bool
hold(struct faults *f, const struct encoded *encoded, uint32_t exporter,
    uint64_t position)
{
	if (f->config.reorder == 0 || f->held_count == HELD_MAX ||
	    !random_happens(&f->random, f->config.hold))
		return false;
	for (uint32_t i = 0; i < HELD_MAX; i++) {
		struct held *h = &f->held[i];

		if (h->used)
			continue;
		*h = (struct held){ .encoded = *encoded,
			.position = position,
			.due = f->taken + 1 +
			       random_below(&f->random, f->config.reorder),
			.exporter = exporter,
			.used = true };
		f->held_count++;
		return true;
	}
	return false;
}

static void
pass(struct faults *f, const struct encoded *encoded, uint32_t exporter,
    uint64_t position)
{
	if (!hold(f, encoded, exporter, position))
		deliver(f, encoded, exporter, position);
}

void
faults_take(struct faults *f, const struct encoded *encoded, uint32_t exporter,
    bool spare)
{
	struct faults_counts *c = &f->paths[exporter].counts;
	uint64_t position = ++c->generated;

	f->taken++;
	c->units += encoded->units;
	c->generated_records += encoded->records;
	if (spare) {
		deliver(f, encoded, exporter, position);
	} else if (random_happens(&f->random, f->config.drop)) {
		c->dropped++;
		c->units_lost += encoded->units;
	} else {
		pass(f, encoded, exporter, position);
		if (random_happens(&f->random, f->config.duplicate)) {
			c->duplicated++;
			pass(f, encoded, exporter, position);
		}
	}
	release(f, f->taken);
}

void
faults_flush(struct faults *f)
{
	release(f, UINT64_MAX);
}

struct faults_counts
faults_counts(const struct faults *f, uint32_t exporter)
{
	return f->paths[exporter].counts;
}
