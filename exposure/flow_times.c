/* SPDX-License-Identifier: Apache-2.0 */
/* The times of flows. */
#include <stdlib.h>

#include "exposure/finding.h"
#include "exposure/flow_times.h"

/* Flow times are believed from this on: the exporter's clock was set. */
#define TIME_MIN_MS INT64_C(946684800000) /* 2000-01-01 */
/* ... and until so long after the datagram that tells them. */
#define TIME_FUTURE_MS 600000

/* More than this is no delay on the way, nor drift: the clock is wrong. */
#define CLOCK_WRONG_MS 600000
/* Shifts are whole minutes, so that the second that export times are rounded
 * to does not come between the times of two datagrams. */
#define SHIFT_MS 60000

/*
 * By how much the clock that told the flow's times is behind; 0: it is right,
 * or nearly. No flow ends after its export: where one does, the header was
 * dated by another clock, as those of relays are.
 */
static int64_t
clock_behind_ms(const struct flow_record *f)
{
	int64_t behind_ms = f->received_ms - f->export_ms;

	if (llabs(behind_ms) <= CLOCK_WRONG_MS ||
	    f->end_ms > f->export_ms + CLOCK_WRONG_MS)
		return 0;
	behind_ms += behind_ms < 0 ? -SHIFT_MS / 2 : SHIFT_MS / 2;
	return behind_ms - behind_ms % SHIFT_MS;
}

enum flow_times_kind
flow_times(const struct flow_record *f, int64_t *start_ms, int64_t *end_ms)
{
	int64_t behind_ms, start, end;

	*start_ms = *end_ms = f->received_ms;
	if ((f->has & FLOW_HAS_TIMES) == 0)
		return FLOW_TIMES_RECEIVED;
	if (!finding_ms_is_valid(f->export_ms) ||
	    !finding_ms_is_valid(f->start_ms) ||
	    !finding_ms_is_valid(f->end_ms))
		return FLOW_TIMES_REPLACED;
	behind_ms = clock_behind_ms(f);
	start = f->start_ms + behind_ms;
	end = f->end_ms + behind_ms;
	if (start < TIME_MIN_MS || start > f->received_ms + TIME_FUTURE_MS ||
	    end > f->received_ms + TIME_FUTURE_MS)
		return FLOW_TIMES_REPLACED;
	*start_ms = start;
	*end_ms = end > start ? end : start;
	return behind_ms == 0 ? FLOW_TIMES_TOLD : FLOW_TIMES_SHIFTED;
}
