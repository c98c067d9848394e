/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What single properties of a feed are learned with: shares, percentiles,
 * a running median, losses of the last minutes. Fixed size, no memory of
 * their own; all zero at first. Time is the records'.
 */
#ifndef EXPOSURE_FEED_LEARNERS_H
#define EXPOSURE_FEED_LEARNERS_H

#include <stdbool.h>
#include <stdint.h>

/* --- a share of samples, the last few thousand of which decide ------------ */

#define FEED_WINDOW 4096

struct feed_share {
	uint32_t all;
	uint32_t some;
};

void feed_share_add(struct feed_share *s, bool is_some);

/* At least so many samples, and at least so many percent of them. */
bool feed_share_is(const struct feed_share *s, uint32_t samples,
    uint32_t percent);

/* --- a percentile of durations -------------------------------------------- */

/* Buckets of 1 s to 16 s, then 16 to a doubling: to 4 h, within 7 %. */
#define FEED_BUCKETS 160

struct feed_percentile {
	uint32_t samples;
	uint16_t buckets[FEED_BUCKETS];
};

void feed_percentile_add(struct feed_percentile *p, int64_t duration_ms);

/* The whole seconds below which `percent` of them are; 0: no samples. */
uint32_t feed_percentile_s(const struct feed_percentile *p, uint32_t percent);

/* --- how far a clock is off ------------------------------------------------
 */

#define FEED_OFFSETS 15

/* Less is rounding: v9 and IPFIX tell whole seconds (RFC 3954, 5.1; RFC 7011,
 * 3.1). More is shifted record by record: flow_times.h. */
#define FEED_OFFSET_MIN_MS 2000
#define FEED_OFFSET_MAX_MS 600000

struct feed_clock {
	int64_t offsets_ms[FEED_OFFSETS]; /* received - export time */
	int64_t received_ms;		  /* of the datagram seen last */
	int64_t export_ms;
	int64_t applied_ms; /* to be added to its times */
	uint32_t samples;
};

/* One record. True: applied_ms is another. */
bool feed_clock_add(struct feed_clock *c, int64_t received_ms,
    int64_t export_ms);

/* --- losses of the last minutes --------------------------------------------
 */

#define FEED_LOSS_SLOT_MS 20000
#define FEED_LOSS_SLOTS	  48 /* 16 min: the longest W1, and a half more */

/* Where so many are missing, silence means nothing: of a thousand attempts
 * ten answers may be among them. */
#define FEED_LOSS_PERCENT 1

struct feed_losses {
	int64_t slot; /* the latest, since 1970 */
	int32_t lost[FEED_LOSS_SLOTS];
	uint32_t came[FEED_LOSS_SLOTS];
};

/* One record that came at now_ms, `lost` being missing before it (negative:
 * so many came late). now_ms behind the latest counts as the latest. */
void feed_losses_add(struct feed_losses *l, int64_t now_ms, int32_t lost);

struct feed_loss {
	uint64_t lost;
	uint64_t came;
};

/* From from_ms to now, as far as it is remembered. */
struct feed_loss feed_losses_since(const struct feed_losses *l,
    int64_t from_ms);

bool feed_loss_is_high(const struct feed_loss *l);

#endif
