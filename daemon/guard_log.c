/* SPDX-License-Identifier: Apache-2.0 */
/* Which guards were logged, and the lines about them. */
#include <inttypes.h>
#include <stdbool.h>

#include "common/log.h"
#include "common/timefmt.h"
#include "daemon/guard_log.h"

#define MODULE	 "guard"
#define MS_PER_S 1000

/* GUARD_HOSTS: it is not there. */
static uint32_t
find(const struct guard_log *l, const struct finding_host_guard *g)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (l->frozen[i].since_ms == g->since_ms &&
		    addr_equal(&l->frozen[i].host, &g->host))
			return i;
	return GUARD_HOSTS;
}

static bool
add(struct guard_log *l, const struct finding_host_guard *g)
{
	if (l->count == GUARD_HOSTS)
		return false;
	l->frozen[l->count].host = g->host;
	l->frozen[l->count++].since_ms = g->since_ms;
	return true;
}

/* Begins a new interval when the last one is over, and tells what it hid. */
static bool
may_log(struct guard_log *l, int64_t now_s)
{
	if (now_s < l->from_s || now_s >= l->from_s + GUARD_LOG_S) {
		if (l->missed != 0)
			log_warnx(MODULE,
			    "%" PRIu32 " more lines like these: see the view "
			    "host_guards",
			    l->missed);
		l->from_s = now_s;
		l->lines = l->missed = 0;
	}
	if (l->lines == GUARD_LINES) {
		l->missed++;
		return false;
	}
	l->lines++;
	return true;
}

void
guard_log_restore(struct guard_log *l, const struct finding_host_guard *g)
{
	if (g->until_ms == 0)
		(void)add(l, g);
}

static void
log_ended(struct guard_log *l, const struct finding_host_guard *g,
    int64_t now_s)
{
	char host[ADDR_TEXT_MAX];
	char since[TIME_TEXT_MAX];
	char until[TIME_TEXT_MAX];

	if (may_log(l, now_s))
		log_info(MODULE,
		    "host %s: its map is frozen no more, it was from %s to %s; "
		    "%" PRIu64 " acceptances entered no port",
		    addr_format(&g->host, host),
		    time_format(g->since_ms / MS_PER_S, since),
		    time_format(g->until_ms / MS_PER_S, until), g->turned_away);
}

void
guard_log_take(struct guard_log *l, const struct finding_host_guard *g,
    int64_t now_s)
{
	uint32_t at = find(l, g);
	char host[ADDR_TEXT_MAX];
	char since[TIME_TEXT_MAX];

	if (g->until_ms != 0) {
		if (at != GUARD_HOSTS)
			l->frozen[at] = l->frozen[--l->count];
		log_ended(l, g, now_s);
		return;
	}
	if (at != GUARD_HOSTS || !add(l, g) || !may_log(l, now_s))
		return;
	log_warnx(MODULE,
	    "host %s: everything answers, as on a SYN proxy or a tarpit; its "
	    "map is frozen since %s",
	    addr_format(&g->host, host),
	    time_format(g->since_ms / MS_PER_S, since));
}
