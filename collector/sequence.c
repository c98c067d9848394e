/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence numbers, 32 bits, compared by their signed distance. */
#include <string.h>

#include "collector/sequence.h"

/*
 * How far back a late datagram may be: 64 datagrams of 30 units, or of as
 * many as the last one had. Ours; reordering on a real path is a few.
 */
#define REORDER_DATAGRAMS 64
#define REORDER_UNITS	  30

/* A larger step forward is a restart: 16 million flows are not lost at once. */
#define JUMP_MAX (INT32_C(1) << 24)

/* Times of boot differ by rounding and by clocks being set: not so much. */
#define BOOT_SLACK_MS INT64_C(10000)
#define UPTIME_WRAP   (INT64_C(1) << 32)

#define WAY_OWN_FIRST 1U
#define WAY_TEMPLATES 2U
#define STREAK_MIN    3 /* times in a row, for another way to be believed */

/* A datagram, measured. */
struct place {
	uint32_t number;
	uint32_t units[SEQUENCE_KINDS];
	bool counted;
	int64_t export_ms;
	int64_t boot_ms;
	bool has_boot;
	uint8_t ways;
};

/* What a way counts of a datagram: the order of units[] in place_of(). */
static unsigned
kind_of(unsigned way)
{
	return way >> 1;
}

static struct place
place_of(const struct export_header *h, const struct sequence_step *step)
{
	uint32_t all = step->records + step->options;
	struct place p = { h->sequence,
		{ all, all + step->templates, step->records,
		    step->records + step->templates },
		step->counted, h->export_ms, h->export_ms - h->uptime_ms, true,
		2 };

	switch (h->protocol) {
	case EXPORT_NETFLOW5:
		break;
	case EXPORT_NETFLOW9:
		p.units[0] = 1;
		p.counted = true;
		p.ways = 1;
		break;
	case EXPORT_IPFIX:
		p.has_boot = false;
		p.ways = SEQUENCE_WAYS;
		break;
	}
	return p;
}

/* Makes the datagram the mark. */
static void
set_mark(struct sequence *s, const struct place *p)
{
	s->number = p->number;
	memcpy(s->units, p->units, sizeof(s->units));
	s->counted = p->counted;
	s->export_ms = p->export_ms;
	s->boot_ms = p->boot_ms;
	s->started = true;
}

/* Whether `way` can tell where the datagram should be. */
static bool
can_tell(const struct sequence *s, const struct place *p, unsigned way)
{
	return (way & WAY_OWN_FIRST) != 0 ? p->counted : s->counted;
}

/* How far the datagram is from where it should be. */
static int32_t
gap_by(const struct sequence *s, const struct place *p, unsigned way)
{
	unsigned kind = kind_of(way);
	uint32_t units =
	    (way & WAY_OWN_FIRST) != 0 ? p->units[kind] : s->units[kind];

	return (int32_t)(p->number - s->number - units);
}

static bool
fits(const struct sequence *s, const struct place *p, unsigned way)
{
	return can_tell(s, p, way) && gap_by(s, p, way) == 0;
}

static void
settle(struct sequence *s)
{
	memset(s->streaks, 0, sizeof(s->streaks));
	s->disputed = 0;
}

/* The ways that would have had the datagram elsewhere. */
static uint8_t
misfits(const struct sequence *s, const struct place *p)
{
	unsigned ways = 0;

	for (unsigned w = 0; w < p->ways; w++)
		if (can_tell(s, p, w) && !fits(s, p, w))
			ways |= 1U << w;
	return (uint8_t)ways;
}

/* The gap by the way this exporter counts, which it may learn anew. */
static int32_t
find_gap(struct sequence *s, const struct place *p, uint32_t *recovered)
{
	if (fits(s, p, s->way)) {
		s->excluded |= misfits(s, p);
		settle(s);
		return 0;
	}
	if (!can_tell(s, p, s->way)) {
		int32_t step = (int32_t)(p->number - s->number);

		s->excluded |= misfits(s, p);
		return step < 0 || step >= JUMP_MAX ? step : 0;
	}
	for (unsigned w = 0; w < p->ways; w++) {
		if (!fits(s, p, w)) {
			s->streaks[w] = 0;
			continue;
		}
		if (++s->streaks[w] < STREAK_MIN &&
		    (s->excluded & 1U << w) != 0)
			continue;
		s->way = (uint8_t)w;
		s->excluded = misfits(s, p);
		*recovered = s->disputed;
		memset(s->gaps, 0, sizeof(s->gaps));
		settle(s);
		return 0;
	}
	return gap_by(s, p, s->way);
}

static void
add_gap(struct sequence *s, uint32_t from, uint32_t units)
{
	s->gaps[s->gap_at] = (struct sequence_gap){ from, units };
	s->gap_at = (uint8_t)((s->gap_at + 1U) % SEQUENCE_GAPS);
}

/*
 * Takes [from, from + units) out of the gap, whose rest on the left stays,
 * and whose rest on the right becomes a gap of its own. Returns how many.
 */
static uint32_t
fill_gap(struct sequence *s, struct sequence_gap *gap, uint32_t from,
    uint32_t units)
{
	int64_t start = (int32_t)(gap->from - from);
	int64_t end = start + gap->units;
	int64_t first = start > 0 ? start : 0;
	int64_t last = end < units ? end : units;

	if (last <= first)
		return 0;
	gap->units = (uint32_t)(first - start);
	if (end > last && gap->units == 0)
		*gap = (struct sequence_gap){ from + (uint32_t)last,
			(uint32_t)(end - last) };
	else if (end > last)
		add_gap(s, from + (uint32_t)last, (uint32_t)(end - last));
	return (uint32_t)(last - first);
}

static uint32_t
fill_gaps(struct sequence *s, uint32_t from, uint32_t units)
{
	uint32_t filled = 0;

	for (unsigned i = 0; i < SEQUENCE_GAPS && filled < units; i++) {
		struct sequence_gap *gap = &s->gaps[i];

		if (gap->units != 0 && s->number - gap->from < JUMP_MAX)
			filled += fill_gap(s, gap, from, units);
	}
	return filled;
}

/* A datagram behind the mark, and not too far. */
static struct sequence_change
take_late(struct sequence *s, const struct place *p)
{
	uint32_t units = p->units[kind_of(s->way)];
	uint32_t from =
	    (s->way & WAY_OWN_FIRST) != 0 ? p->number - units : p->number;
	struct sequence_change c = { 0 };

	if (!p->counted || units == 0) {
		c.is_late = true;
		return c;
	}
	c.recovered = fill_gaps(s, from, units);
	c.is_late = c.recovered > 0;
	c.is_duplicate = !c.is_late;
	s->disputed -= s->disputed < c.recovered ? s->disputed : c.recovered;
	return c;
}

static bool
is_behind(const struct sequence *s, const struct place *p, int32_t gap)
{
	uint32_t units = s->units[kind_of(s->way)];
	uint32_t each = p->ways == 1		? 1
			: units > REORDER_UNITS ? units
						: REORDER_UNITS;

	return gap < 0 && -(int64_t)gap <= (int64_t)each * REORDER_DATAGRAMS &&
	       p->export_ms <= s->export_ms;
}

/*
 * A newer time of boot. Uptimes wrap after 49.7 days, which looks like one
 * and is none.
 */
static bool
is_reboot(const struct sequence *s, const struct place *p)
{
	int64_t later = p->boot_ms - s->boot_ms;
	bool is_wrap = later > UPTIME_WRAP - BOOT_SLACK_MS &&
		       later < UPTIME_WRAP + BOOT_SLACK_MS;

	return p->has_boot && later > BOOT_SLACK_MS && !is_wrap;
}

bool
sequence_is_smooth(const struct sequence_change *c)
{
	return c->lost == 0 && !c->is_late && !c->is_duplicate &&
	       !c->is_restart;
}

struct sequence_change
sequence_take(struct sequence *s, const struct export_header *header,
    const struct sequence_step *step)
{
	const struct place p = place_of(header, step);
	struct sequence_change c = { 0 };
	int32_t gap;

	if (!s->started) {
		set_mark(s, &p);
		return c;
	}
	gap = find_gap(s, &p, &c.recovered);
	if (is_behind(s, &p, gap) && !is_reboot(s, &p))
		return take_late(s, &p);
	if (gap < 0 || gap >= JUMP_MAX || (gap > 0 && is_reboot(s, &p))) {
		c.is_restart = true;
		memset(s->gaps, 0, sizeof(s->gaps));
		settle(s);
	} else if (gap > 0) {
		uint32_t own = (s->way & WAY_OWN_FIRST) == 0
				   ? 0
				   : p.units[kind_of(s->way)];

		c.lost = (uint32_t)gap;
		s->disputed += (uint32_t)gap;
		add_gap(s, p.number - own - (uint32_t)gap, (uint32_t)gap);
	}
	set_mark(s, &p);
	return c;
}

enum sequence_unit
sequence_unit(const struct sequence *s, enum export_protocol protocol)
{
	switch (protocol) {
	case EXPORT_NETFLOW5:
		return SEQUENCE_FLOWS;
	case EXPORT_NETFLOW9:
		return SEQUENCE_DATAGRAMS;
	case EXPORT_IPFIX:
		break;
	}
	return (s->way & WAY_TEMPLATES) != 0 ? SEQUENCE_RECORDS_AND_TEMPLATES
					     : SEQUENCE_RECORDS;
}
