/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long something took: counts of durations in fixed ranges.
 *
 * One writer; any number of readers, who may see a duration counted in its
 * range before it is in the sum. All start at zero and only grow.
 */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 13 /* from 1 ms to 10 s */

struct histogram {
	_Atomic uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: above all */
	_Atomic uint64_t sum_us;
};

/* The upper ends of the ranges; each belongs to the range it ends. */
extern const uint64_t histogram_bounds_us[HISTOGRAM_BOUNDS];

void histogram_add(struct histogram *h, uint64_t us);

/* Of one range alone; range <= HISTOGRAM_BOUNDS. */
uint64_t histogram_count(const struct histogram *h, unsigned range);
uint64_t histogram_sum_us(const struct histogram *h);

#endif
