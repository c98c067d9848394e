/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, for the live edge alone: everything behind has its time from
 * the datagrams. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Unix time, milliseconds. */
static inline int64_t
clock_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
