/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of scan events. */
#include <stdlib.h>

#include "exposure/events.h"

struct waiting {
	struct finding_scan_event event;
	bool retracted; /* only event.id counts */
};

struct events {
	struct counters *counters;
	uint32_t max;
	uint32_t first;
	uint32_t count;
	struct waiting ring[];
};

size_t
events_bytes(uint32_t max)
{
	return sizeof(struct events) + (size_t)max * sizeof(struct waiting);
}

struct events *
events_new(uint32_t max, struct counters *counters)
{
	struct events *e = calloc(1, events_bytes(max));

	if (e == NULL)
		return NULL;
	e->max = max;
	e->counters = counters;
	return e;
}

void
events_free(struct events *e)
{
	free(e);
}

static struct waiting *
take_place(struct events *e)
{
	if (e->count == e->max) {
		counter_add(e->counters, COUNTER_SHED_EVENTS, 1);
		return NULL;
	}
	return &e->ring[(e->first + e->count++) % e->max];
}

void
events_put(struct events *e, const struct finding_scan_event *event)
{
	struct waiting *w = take_place(e);

	if (w == NULL)
		return;
	w->event = *event;
	w->retracted = false;
}

void
events_retract(struct events *e, uint64_t id)
{
	struct waiting *w = take_place(e);

	if (w == NULL)
		return;
	w->event = (struct finding_scan_event){ .id = id };
	w->retracted = true;
}

bool
events_crowded(const struct events *e)
{
	return e->count > e->max / 2;
}

bool
events_collect(struct events *e, struct finding_batch *batch)
{
	while (e->count != 0) {
		const struct waiting *w = &e->ring[e->first];
		struct finding *f = finding_batch_add(batch,
		    w->retracted ? FINDING_SCAN_EVENT_RETRACTED
				 : FINDING_SCAN_EVENT);

		if (f == NULL)
			return true;
		if (w->retracted)
			f->retracted_id = w->event.id;
		else
			f->scan_event = w->event;
		e->first = (e->first + 1) % e->max;
		e->count--;
	}
	return false;
}
