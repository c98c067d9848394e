/* SPDX-License-Identifier: Apache-2.0 */
/* Shares, percentiles, a median, losses. */
#include <stdlib.h>
#include <string.h>

#include "exposure/feed_learners.h"

/* --- shares --------------------------------------------------------------- */

void
feed_share_add(struct feed_share *s, bool is_some)
{
	if (s->all == FEED_WINDOW) {
		s->all /= 2;
		s->some /= 2;
	}
	s->all++;
	s->some += is_some;
}

bool
feed_share_is(const struct feed_share *s, uint32_t samples, uint32_t percent)
{
	return s->all >= samples && s->some * 100 >= s->all * percent;
}

/* --- percentiles ---------------------------------------------------------- */

#define LINEAR_S   16
#define PER_DOUBLE 16

static unsigned
bucket_of(uint32_t seconds)
{
	unsigned shift = 0;

	if (seconds < LINEAR_S)
		return seconds;
	while (seconds >> shift >= 2 * LINEAR_S)
		shift++;
	return LINEAR_S + shift * PER_DOUBLE + ((seconds >> shift) - LINEAR_S);
}

/* The last second of a bucket. */
static uint32_t
second_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < LINEAR_S)
		return bucket;
	shift = (bucket - LINEAR_S) / PER_DOUBLE;
	return (((bucket - LINEAR_S) % PER_DOUBLE + LINEAR_S + 1) << shift) - 1;
}

static void
halve(struct feed_percentile *p)
{
	p->samples = 0;
	for (int i = 0; i < FEED_BUCKETS; i++) {
		p->buckets[i] /= 2;
		p->samples += p->buckets[i];
	}
}

void
feed_percentile_add(struct feed_percentile *p, int64_t duration_ms)
{
	int64_t seconds = duration_ms < 0 ? 0 : duration_ms / 1000;
	unsigned bucket =
	    bucket_of(seconds > UINT16_MAX ? UINT16_MAX : (uint32_t)seconds);

	if (bucket >= FEED_BUCKETS)
		bucket = FEED_BUCKETS - 1;
	if (p->samples >= FEED_WINDOW)
		halve(p);
	p->buckets[bucket]++;
	p->samples++;
}

uint32_t
feed_percentile_s(const struct feed_percentile *p, uint32_t percent)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < FEED_BUCKETS; i++) {
		below += p->buckets[i];
		if (below != 0 && below * 100 >= (uint64_t)p->samples * percent)
			return second_of(i);
	}
	return 0;
}

/* --- the clock ------------------------------------------------------------ */

static int
compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t
median_ms(const struct feed_clock *c)
{
	int64_t sorted[FEED_OFFSETS];
	size_t count = c->samples < FEED_OFFSETS ? c->samples : FEED_OFFSETS;

	memcpy(sorted, c->offsets_ms, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), compare_ms);
	return sorted[count / 2];
}

static int64_t
distance_ms(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

bool
feed_clock_add(struct feed_clock *c, int64_t received_ms, int64_t export_ms)
{
	int64_t off_ms;

	if (c->samples != 0 && received_ms == c->received_ms &&
	    export_ms == c->export_ms)
		return false; /* of the same datagram */
	c->received_ms = received_ms;
	c->export_ms = export_ms;
	c->offsets_ms[c->samples % FEED_OFFSETS] = received_ms - export_ms;
	c->samples = c->samples == UINT32_MAX ? FEED_OFFSETS : c->samples + 1;
	off_ms = median_ms(c);
	if (distance_ms(off_ms, 0) <= FEED_OFFSET_MIN_MS ||
	    distance_ms(off_ms, 0) > FEED_OFFSET_MAX_MS)
		off_ms = 0;
	/* what wavers within a second or two is no news */
	if (distance_ms(off_ms, c->applied_ms) <= FEED_OFFSET_MIN_MS)
		return false;
	c->applied_ms = off_ms;
	return true;
}

/* --- losses --------------------------------------------------------------- */

void
feed_losses_add(struct feed_losses *l, int64_t now_ms, int32_t lost)
{
	int64_t slot = now_ms / FEED_LOSS_SLOT_MS;
	unsigned at;

	if (slot > l->slot + FEED_LOSS_SLOTS)
		l->slot = slot - FEED_LOSS_SLOTS;
	while (l->slot < slot) {
		l->slot++;
		at = (unsigned)(l->slot % FEED_LOSS_SLOTS);
		l->lost[at] = 0;
		l->came[at] = 0;
	}
	at = (unsigned)((uint64_t)l->slot % FEED_LOSS_SLOTS);
	l->came[at]++;
	if ((lost > 0 && l->lost[at] > INT32_MAX - lost) ||
	    (lost < 0 && l->lost[at] < INT32_MIN - lost))
		return;
	l->lost[at] += lost;
}

struct feed_loss
feed_losses_since(const struct feed_losses *l, int64_t from_ms)
{
	int64_t first = from_ms / FEED_LOSS_SLOT_MS;
	struct feed_loss sum = { 0 };
	int64_t lost = 0;

	if (first <= l->slot - FEED_LOSS_SLOTS)
		first = l->slot - FEED_LOSS_SLOTS + 1;
	for (int64_t slot = first; slot <= l->slot; slot++) {
		lost += l->lost[(uint64_t)slot % FEED_LOSS_SLOTS];
		sum.came += l->came[(uint64_t)slot % FEED_LOSS_SLOTS];
	}
	sum.lost = lost > 0 ? (uint64_t)lost : 0;
	return sum;
}

bool
feed_loss_is_high(const struct feed_loss *l)
{
	return l->lost != 0 &&
	       l->lost * 100 >= (l->lost + l->came) * FEED_LOSS_PERCENT;
}
