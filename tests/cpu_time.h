/* SPDX-License-Identifier: Apache-2.0 */
/* This thread's CPU time, and medians, for benchmarks. */
#ifndef TESTS_CPU_TIME_H
#define TESTS_CPU_TIME_H

#include <stdint.h>

int64_t cpu_time_ns(void);

/* Sorts the values; count >= 1. */
double cpu_time_median(double *values, unsigned count);

#endif
