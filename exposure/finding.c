/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the findings, and batches of them. */
#include <inttypes.h>
#include <stdio.h>
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
DEFINE_NAMES(reason_name, REASON_LIST)
DEFINE_NAMES(feed_property_name, FEED_PROPERTY_LIST)
DEFINE_NAMES(feed_source_name, FEED_SOURCE_LIST)
DEFINE_NAMES(feed_flags_name, FEED_FLAGS_LIST)
DEFINE_NAMES(feed_visibility_name, FEED_VISIBILITY_LIST)
DEFINE_NAMES(outcome_name, OUTCOME_LIST)
DEFINE_NAMES(rule_name, RULE_LIST)
DEFINE_NAMES(change_name, CHANGE_LIST)
DEFINE_NAMES(listener_name, LISTENER_LIST)

static const char *
feed_word(enum feed_property property, int64_t value)
{
	switch (property) {
	case FEED_FLAGS:
		return feed_flags_name((unsigned)value);
	case FEED_VISIBILITY:
		return feed_visibility_name((unsigned)value);
	case FEED_SHARED_TIMES:
	case FEED_ADDRESS_ORDERED:
		return value != 0 ? "yes" : "no";
	case FEED_BIFLOW_DIRECTION:
		return value != 0 ? "ignored" : "believed";
	case FEED_LOSS:
		return value != 0 ? "lossy" : "none";
	case FEED_IDLE_TIMEOUT:
	case FEED_ACTIVE_TIMEOUT:
	case FEED_SAMPLING:
	case FEED_CLOCK_OFFSET:
	case FEED_PROPERTY_COUNT:
		break;
	}
	return NULL;
}

char *
feed_value_format(enum feed_property property, int64_t value,
    char text[FEED_VALUE_MAX])
{
	const char *word = feed_word(property, value);

	if (word != NULL)
		snprintf(text, FEED_VALUE_MAX, "%s", word);
	else
		snprintf(text, FEED_VALUE_MAX, "%" PRId64, value);
	return text;
}

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
