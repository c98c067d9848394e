/* SPDX-License-Identifier: Apache-2.0 */
/* The counters' names and help texts, from the one list. */
#include <assert.h>

#include "common/counter.h"

static const struct {
	const char *name;
	const char *help;
} rows[COUNTER_COUNT] = {
#define COUNTER_ROW(id, name, help) { name, help },
	COUNTER_LIST(COUNTER_ROW)
#undef COUNTER_ROW
};

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
