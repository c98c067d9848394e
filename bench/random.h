/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers: the same seed gives the same run, everywhere.
 * xorshift64* (Vigna, 2016), its state spread from the seed by splitmix64.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state; /* never 0 */
};

static inline struct random
random_seeded(uint64_t seed)
{
	uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (struct random){ z != 0 ? z : 1 };
}

static inline uint32_t
random_u32(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)((r->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* 0 <= result < below; below >= 1. */
static inline uint32_t
random_below(struct random *r, uint32_t below)
{
	return (uint32_t)(((uint64_t)random_u32(r) * below) >> 32);
}

/* True with this probability; never for 0, always for 1. */
static inline bool
random_happens(struct random *r, double probability)
{
	return (double)random_u32(r) < probability * 4294967296.0;
}

#endif
