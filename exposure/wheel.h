/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When entries are due: a timer wheel of one-second places for each of a few
 * queues. It serves as the order in which entries are given up as well: of a
 * queue, the entry due first.
 *
 * An entry is in at most one place, linked by slot numbers through a struct
 * link of its own, so that the order depends on the calls alone. The places
 * themselves are numbered behind the entries and end the lists, so that an
 * entry leaves its list without knowing which it is.
 * What is due further off than WHEEL_SECONDS stands in the last place and
 * comes early: the user looks at what it gets.
 */
#ifndef EXPOSURE_WHEEL_H
#define EXPOSURE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/chain.h"

#define WHEEL_SECONDS 8192 /* W1, 1 h at most, and what clocks may be off */
#define WHEEL_QUEUES  5
#define WHEEL_NONE    UINT32_MAX

struct wheel {
	uint8_t *first; /* the link of slot 0; borrowed */
	size_t stride;	/* from one slot's link to the next one's */
	uint32_t max;	/* slots */
	bool runs;	/* second is known */
	int64_t second; /* the one whose places are being emptied */
	struct link places[WHEEL_QUEUES * WHEEL_SECONDS];
	uint64_t taken[WHEEL_QUEUES][WHEEL_SECONDS / 64]; /* a bit a place */
	uint32_t count[WHEEL_QUEUES];			  /* of those bits */
};

void wheel_init(struct wheel *w, void *first, size_t stride, uint32_t max);

/* Behind the others that are due in this second, or in the present one. The
 * slot must be in no place. */
void wheel_put(struct wheel *w, uint32_t slot, unsigned queue, int64_t second);

/* Takes it out of its place, if it is in one. */
void wheel_take(struct wheel *w, uint32_t slot);

/*
 * Takes out one that is due at now_s, and tells its queue; WHEEL_NONE: none
 * is. Earliest second first, then the first queue, then first put first.
 * now_s never goes back.
 */
uint32_t wheel_due(struct wheel *w, int64_t now_s, unsigned *queue);

/* The one of a queue that is due first, and when; WHEEL_NONE: none. */
uint32_t wheel_first(const struct wheel *w, unsigned queue, int64_t *second);

/* The one behind it in its queue; WHEEL_NONE: none. */
uint32_t wheel_next(const struct wheel *w, unsigned queue, uint32_t slot);

static inline bool
wheel_has(const struct wheel *w, unsigned queue)
{
	return w->count[queue] != 0;
}

/* The one behind it in its place; WHEEL_NONE: none, or it is in no place. */
uint32_t wheel_behind(const struct wheel *w, uint32_t slot);

/* When one that is in a place is due. Walks to the end of the place. */
int64_t wheel_second(const struct wheel *w, uint32_t slot);

#endif
