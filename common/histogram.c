/* SPDX-License-Identifier: Apache-2.0 */
/* Durations by size. */
#include "common/histogram.h"

/* A commit takes from less than a millisecond to the seconds of a disk that
 * is busy with something else. */
const uint64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = { 1000, 2500, 5000,
	10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000 };

void
histogram_add(struct histogram *h, uint64_t us)
{
	unsigned i = 0;

	while (i < HISTOGRAM_BOUNDS && us > histogram_bounds_us[i])
		i++;
	atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

uint64_t
histogram_count(const struct histogram *h, unsigned range)
{
	return atomic_load_explicit(&h->counts[range], memory_order_relaxed);
}

uint64_t
histogram_sum_us(const struct histogram *h)
{
	return atomic_load_explicit(&h->sum_us, memory_order_relaxed);
}
