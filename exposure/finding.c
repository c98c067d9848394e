/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the findings, and batches of them. */
#include <stdlib.h>
#include <string.h>

#include "exposure/finding.h"

#define AS_TEXT(id, text) text,

#define DEFINE_NAMES(function, LIST)                                           \
	const char *function(unsigned value)                                   \
	{                                                                      \
		static const char *const names[] = { LIST(AS_TEXT) };          \
                                                                               \
		return value < sizeof(names) / sizeof(names[0]) ? names[value] \
								: "?";         \
	}

DEFINE_NAMES(exposure_state_name, EXPOSURE_STATE_LIST)
DEFINE_NAMES(tier_name, TIER_LIST)
DEFINE_NAMES(vetting_name, VETTING_LIST)
DEFINE_NAMES(confidence_name, CONFIDENCE_LIST)
DEFINE_NAMES(technique_name, TECHNIQUE_LIST)
DEFINE_NAMES(answer_name, ANSWER_LIST)
DEFINE_NAMES(place_name, PLACE_LIST)
DEFINE_NAMES(phase_name, PHASE_LIST)
DEFINE_NAMES(alert_state_name, ALERT_STATE_LIST)
DEFINE_NAMES(outcome_name, OUTCOME_LIST)
DEFINE_NAMES(rule_name, RULE_LIST)
DEFINE_NAMES(listener_name, LISTENER_LIST)

bool
finding_ms_is_valid(int64_t ms)
{
	return ms >= 0 && ms <= FINDING_MS_MAX;
}

struct finding_batch *
finding_batch_new(uint32_t max)
{
	struct finding_batch *batch;

	batch =
	    malloc(sizeof(*batch) + (size_t)max * sizeof(batch->findings[0]));
	if (batch == NULL)
		return NULL;
	batch->sequence = 0;
	batch->count = 0;
	batch->max = max;
	return batch;
}

struct finding *
finding_batch_add(struct finding_batch *batch, enum finding_kind kind)
{
	struct finding *f;

	if (batch->count == batch->max)
		return NULL;
	f = &batch->findings[batch->count++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	return f;
}

uint32_t
finding_batch_room(const struct finding_batch *batch)
{
	return batch->max - batch->count;
}
