/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel. */
#include "exposure/wheel.h"

#define WORD_BITS 64

static struct link *
link_at(struct wheel *w, uint32_t number)
{
	if (number >= w->max)
		return &w->places[number - w->max];
	return (struct link *)(void *)(w->first + number * w->stride);
}

/* What is behind an entry, or the first of a place. */
static uint32_t
behind(const struct wheel *w, uint32_t number)
{
	if (number >= w->max)
		return w->places[number - w->max].next;
	return (
	    (const struct link *)(const void *)(w->first + number * w->stride))
	    ->next;
}

static uint32_t
place_of(const struct wheel *w, unsigned queue, int64_t second)
{
	return w->max + queue * WHEEL_SECONDS +
	       (uint32_t)((uint64_t)second % WHEEL_SECONDS);
}

static void
mark_place(struct wheel *w, uint32_t place, bool taken)
{
	uint32_t at = place - w->max;
	uint64_t *word =
	    &w->taken[at / WHEEL_SECONDS][at % WHEEL_SECONDS / WORD_BITS];
	uint64_t bit = UINT64_C(1) << (at % WORD_BITS);

	if (((*word & bit) != 0) == taken)
		return;
	*word ^= bit;
	w->count[at / WHEEL_SECONDS] += taken ? 1 : -1U;
}

void
wheel_init(struct wheel *w, void *first, size_t stride, uint32_t max)
{
	w->first = first;
	w->stride = stride;
	w->max = max;
	w->runs = false;
	for (uint32_t i = 0; i < WHEEL_QUEUES * WHEEL_SECONDS; i++)
		w->places[i] = (struct link){ max + i, max + i };
}

void
wheel_put(struct wheel *w, uint32_t slot, unsigned queue, int64_t second)
{
	struct link *link = link_at(w, slot);
	struct link *place;
	uint32_t at;

	if (!w->runs) {
		w->second = second - WHEEL_SECONDS / 2;
		w->runs = true;
	}
	if (second < w->second)
		second = w->second;
	if (second - w->second >= WHEEL_SECONDS)
		second = w->second + WHEEL_SECONDS - 1;
	at = place_of(w, queue, second);
	place = link_at(w, at);
	link->next = at;
	link->prev = place->prev;
	link_at(w, place->prev)->next = slot;
	place->prev = slot;
	mark_place(w, at, true);
}

void
wheel_take(struct wheel *w, uint32_t slot)
{
	struct link *link = link_at(w, slot);

	if (link->next == WHEEL_NONE)
		return;
	link_at(w, link->prev)->next = link->next;
	link_at(w, link->next)->prev = link->prev;
	if (link->next == link->prev && link->next >= w->max)
		mark_place(w, link->next, false);
	link->next = link->prev = WHEEL_NONE;
}

/* The first second from `from` on, within one turn from w->second, in which
 * a queue has an entry; the end of the turn when there is none. */
static int64_t
next_taken(const struct wheel *w, unsigned queue, int64_t from)
{
	int64_t end = w->second + WHEEL_SECONDS;

	if (w->count[queue] == 0)
		return end;
	while (from < end) {
		uint32_t at = (uint32_t)((uint64_t)from % WHEEL_SECONDS);
		uint64_t word =
		    w->taken[queue][at / WORD_BITS] >> (at % WORD_BITS);

		if (word != 0) {
			from += __builtin_ctzll(word);
			return from < end ? from : end;
		}
		from += WORD_BITS - at % WORD_BITS;
	}
	return end;
}

uint32_t
wheel_first(const struct wheel *w, unsigned queue, int64_t *second)
{
	*second = next_taken(w, queue, w->second);
	if (!w->runs || *second == w->second + WHEEL_SECONDS)
		return WHEEL_NONE;
	return behind(w, place_of(w, queue, *second));
}

uint32_t
wheel_behind(const struct wheel *w, uint32_t slot)
{
	uint32_t next = behind(w, slot);

	return next < w->max ? next : WHEEL_NONE;
}

/* The second a place stands for, within the present turn. */
static int64_t
second_of(const struct wheel *w, uint32_t place)
{
	int64_t now = (int64_t)((uint64_t)w->second % WHEEL_SECONDS);
	int64_t at = (int64_t)((place - w->max) % WHEEL_SECONDS);

	return w->second + at - now + (at < now ? WHEEL_SECONDS : 0);
}

uint32_t
wheel_next(const struct wheel *w, unsigned queue, uint32_t slot)
{
	uint32_t next = behind(w, slot);
	int64_t second;

	if (next < w->max)
		return next;
	second = next_taken(w, queue, second_of(w, next) + 1);
	if (second == w->second + WHEEL_SECONDS)
		return WHEEL_NONE;
	return behind(w, place_of(w, queue, second));
}

int64_t
wheel_second(const struct wheel *w, uint32_t slot)
{
	while (slot < w->max)
		slot = behind(w, slot);
	return second_of(w, slot);
}

uint32_t
wheel_due(struct wheel *w, int64_t now_s, unsigned *queue)
{
	if (!w->runs) {
		w->second = now_s;
		w->runs = true;
	}
	for (;;) {
		int64_t soonest = now_s + 1;

		for (unsigned q = 0; q < WHEEL_QUEUES; q++) {
			int64_t second = next_taken(w, q, w->second);

			if (second < soonest &&
			    second < w->second + WHEEL_SECONDS) {
				soonest = second;
				*queue = q;
			}
		}
		if (soonest <= now_s) {
			uint32_t slot = behind(w, place_of(w, *queue, soonest));

			w->second = soonest;
			wheel_take(w, slot);
			return slot;
		}
		if (now_s > w->second)
			w->second = now_s;
		return WHEEL_NONE;
	}
}
