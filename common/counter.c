/* SPDX-License-Identifier: Apache-2.0 */
/* The counters' names and help texts, from the one list. */
#include <assert.h>
#include <stddef.h>

#include "common/counter.h"

static const struct {
	const char *name;
	const char *help;
} rows[COUNTER_COUNT] = {
#define COUNTER_ROW(id, name, help) { name, help },
	COUNTER_LIST(COUNTER_ROW)
#undef COUNTER_ROW
};

void
counter_share_tell(struct counter_share *share, struct counters *sum)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		uint64_t now = counter_get(&share->own, (enum counter)i);

		if (now == share->told[i])
			continue;
		counter_add(sum, (enum counter)i, now - share->told[i]);
		share->told[i] = now;
	}
}

const char *
counter_name(enum counter which)
{
	assert(which < COUNTER_COUNT);
	return rows[which].name;
}

const char *
counter_help(enum counter which)
{
	assert(which < COUNTER_COUNT);
	return rows[which].help;
}
