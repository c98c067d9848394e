/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a flow was, as the engine takes it: Unix ms by the receiver's clock.
 *
 * Exporters tell times by clocks of their own. Small errors are left alone:
 * they cancel in comparisons of one exporter's times. A clock that is wrong by
 * more than ten minutes would put flows into another time of the maps, before
 * the end of training even, where nothing alerts: its times are shifted by
 * what the header's export time is off. Pure functions.
 */
#ifndef EXPOSURE_FLOW_TIMES_H
#define EXPOSURE_FLOW_TIMES_H

#include <stdint.h>

#include "collector/flow.h"

enum flow_times_kind {
	FLOW_TIMES_TOLD,
	FLOW_TIMES_SHIFTED,  /* the exporter's clock is wrong */
	FLOW_TIMES_RECEIVED, /* not told */
	FLOW_TIMES_REPLACED, /* they cannot be: the time received instead */
};

enum flow_times_kind flow_times(const struct flow_record *f, int64_t *start_ms,
    int64_t *end_ms);

#endif
