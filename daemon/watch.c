/* SPDX-License-Identifier: Apache-2.0 */
/* Each exporter's state as last seen, and the lines about what changed. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/watch.h"

#define MODULE	  "exporter"
#define MS_PER_S  1000
#define TITLE_MAX 160

enum line {
	LINE_SHARED,
	LINE_TEMPLATES,
	LINE_SAMPLING,
	LINE_RESTART,
	LINE_COUNT
};

/* How many lines of a kind there were, and when the last one was. */
struct limit {
	uint32_t lines;
	int64_t last_s;
};

/* An exporter as last seen. All zero: not seen yet. */
struct seen {
	uint64_t templates_changed;
	uint64_t restarts;
	uint64_t lost;	/* when the interval of the loss began */
	uint64_t units; /* likewise: what its sequence counts */
	uint32_t sampling;
	bool shared;
	bool known; /* it has sent something */
};

struct watch {
	struct decoders *decoders;
	struct limit limits[LINE_COUNT];
	int64_t loss_from_ms; /* start of the interval; 0: none yet */
	uint32_t logged;      /* in this tick */
	/* of each thread's decoder, so many */
	struct seen seen[][DECODER_EXPORTERS_MAX];
};

struct watch *
watch_new(struct decoders *d)
{
	struct watch *w = calloc(1, watch_bytes(d->count));

	if (w != NULL)
		w->decoders = d;
	return w;
}

size_t
watch_bytes(uint32_t threads)
{
	return sizeof(struct watch) +
	       threads * sizeof(((struct watch *)NULL)->seen[0]);
}

void
watch_free(struct watch *w)
{
	free(w);
}

static bool
may_log(struct watch *w, enum line kind, int64_t now_ms)
{
	struct limit *limit = &w->limits[kind];

	if (limit->lines >= WATCH_LINES &&
	    !log_limited(&limit->last_s, now_ms / MS_PER_S, WATCH_INTERVAL_S))
		return false;
	limit->lines++;
	limit->last_s = now_ms / MS_PER_S;
	w->logged++;
	return true;
}

/* "192.0.2.1 (edge1) domain 7 version 9" */
static const char *
title(const struct exporter_info *info, char text[TITLE_MAX])
{
	char address[ADDR_TEXT_MAX];
	bool named = info->name[0] != '\0';

	snprintf(text, TITLE_MAX, "%s%s%s%s domain %" PRIu32 " version %d",
	    addr_format(&info->address, address), named ? " (" : "", info->name,
	    named ? ")" : "", info->domain, (int)info->protocol);
	return text;
}

static void
watch_changes(struct watch *w, struct seen *seen,
    const struct exporter_info *info, int64_t now_ms)
{
	char who[TITLE_MAX];
	uint64_t changed = info->templates_changed - seen->templates_changed;
	uint64_t restarts = info->restarts - seen->restarts;

	if (info->shared_address && !seen->shared &&
	    may_log(w, LINE_SHARED, now_ms))
		log_warnx(MODULE,
		    "%s: several exporters share this address, as behind NAT "
		    "or a container's gateway: let them differ in their "
		    "domain, or set exporter_source_port",
		    title(info, who));
	if (changed != 0 && may_log(w, LINE_TEMPLATES, now_ms))
		log_warnx(MODULE,
		    "%s: %" PRIu64 " templates changed their fields",
		    title(info, who), changed);
	if (restarts != 0 && may_log(w, LINE_RESTART, now_ms))
		log_info(MODULE, "%s: restarted, its sequence began anew",
		    title(info, who));
}

static void
watch_sampling(struct watch *w, const struct seen *seen,
    const struct exporter_info *info, int64_t now_ms)
{
	uint32_t before = seen->known ? seen->sampling : 1;
	char who[TITLE_MAX];

	if (info->sampling == before || !may_log(w, LINE_SAMPLING, now_ms))
		return;
	if (info->sampling == 0)
		log_info(MODULE, "%s: sampled, at a rate it does not tell",
		    title(info, who));
	else
		log_info(MODULE, "%s: samples 1 of %" PRIu32 " packets",
		    title(info, who), info->sampling);
}

/* What the exporter's sequence number counts of what came. */
static uint64_t
units(const struct exporter_info *info)
{
	return info->sequence_unit == SEQUENCE_DATAGRAMS ? info->datagrams
							 : info->records;
}

/* The share lost since the interval began. */
static double
loss_share(const struct seen *seen, const struct exporter_info *info)
{
	double lost, came;

	if (info->lost <= seen->lost)
		return 0;
	lost = (double)(info->lost - seen->lost);
	came = (double)(units(info) - seen->units);
	return lost / (lost + came);
}

/* The exporter that lost the largest share, so far. */
struct worst {
	struct exporter_info info;
	double share;
	uint64_t lost;
};

/* Looks at one thread's exporters, and begins their next interval. */
static void
find_worst(struct watch *w, uint32_t thread, struct worst *worst)
{
	uint32_t count = decoders_exporter_count(w->decoders, thread);

	for (uint32_t i = 0; i < count; i++) {
		struct exporter_info info =
		    decoders_exporter(w->decoders, thread, i);
		struct seen *seen = &w->seen[thread][i];
		double share = loss_share(seen, &info);

		if (share > worst->share) {
			worst->info = info;
			worst->share = share;
			worst->lost = info.lost - seen->lost;
		}
		seen->lost = info.lost;
		seen->units = units(&info);
	}
}

/* One line an interval. */
static void
watch_loss(struct watch *w, int64_t now_ms)
{
	struct worst worst = { .share = 0 };
	char who[TITLE_MAX];

	for (uint32_t t = 0; t < w->decoders->count; t++)
		find_worst(w, t, &worst);
	w->loss_from_ms = now_ms;
	if (worst.share <= WATCH_LOSS_SHARE)
		return;
	w->logged++;
	log_warnx(MODULE,
	    "%s: %.1f %% lost on the way in the last minute, %" PRIu64 " %s",
	    title(&worst.info, who), 100 * worst.share, worst.lost,
	    worst.info.sequence_unit == SEQUENCE_DATAGRAMS ? "datagrams"
							   : "records");
}

static void
watch_thread(struct watch *w, uint32_t thread, int64_t now_ms)
{
	uint32_t count = decoders_exporter_count(w->decoders, thread);

	for (uint32_t i = 0; i < count; i++) {
		struct exporter_info info =
		    decoders_exporter(w->decoders, thread, i);
		struct seen *seen = &w->seen[thread][i];

		if (info.datagrams == 0)
			continue; /* only remembered */
		watch_changes(w, seen, &info, now_ms);
		watch_sampling(w, seen, &info, now_ms);
		seen->templates_changed = info.templates_changed;
		seen->restarts = info.restarts;
		seen->sampling = info.sampling;
		seen->shared = seen->shared || info.shared_address;
		seen->known = true;
	}
}

uint32_t
watch_tick(struct watch *w, int64_t now_ms)
{
	int64_t loss_for_ms = now_ms - w->loss_from_ms;

	w->logged = 0;
	for (uint32_t t = 0; t < w->decoders->count; t++)
		watch_thread(w, t, now_ms);
	if (w->loss_from_ms == 0)
		w->loss_from_ms = now_ms;
	else if (loss_for_ms < 0 || loss_for_ms >= WATCH_INTERVAL_S * MS_PER_S)
		watch_loss(w, now_ms);
	return w->logged;
}
