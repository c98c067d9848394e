/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line when a host's map is frozen, and one when that ends.
 *
 * Findings tell a guard again whenever it turned something away, so what was
 * logged is remembered. When full, and beyond GUARD_LINES lines within
 * GUARD_LOG_S seconds of the data's time: no line; the guard is in the store
 * all the same. No memory of its own; ingest thread.
 */
#ifndef DAEMON_GUARD_LOG_H
#define DAEMON_GUARD_LOG_H

#include <stdint.h>

#include "exposure/finding.h"

#define GUARD_HOSTS 256
#define GUARD_LINES 16
#define GUARD_LOG_S 60

/* All zero: nothing is frozen, nothing was logged. */
struct guard_log {
	uint32_t count;
	uint32_t lines;	 /* since from_s */
	uint32_t missed; /* likewise, not written */
	int64_t from_s;
	struct {
		struct addr host;
		int64_t since_ms;
	} frozen[GUARD_HOSTS];
};

/* The store's: it was logged in an earlier life. */
void guard_log_restore(struct guard_log *l, const struct finding_host_guard *g);

/* One of a batch; now_s: what the data's clock says. */
void guard_log_take(struct guard_log *l, const struct finding_host_guard *g,
    int64_t now_s);

#endif
