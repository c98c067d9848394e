/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times and durations as text. Times are Unix: seconds or milliseconds, UTC.
 * Nothing here asks the clock.
 */
#ifndef COMMON_TIMEFMT_H
#define COMMON_TIMEFMT_H

#include <stdint.h>

#include "common/err.h"

#define TIME_TEXT_MAX	  32
#define DURATION_TEXT_MAX 32

/* "2026-11-22T07:33:00Z" into text; returns text. */
char *time_format(int64_t time_s, char text[TIME_TEXT_MAX]);

/*
 * RFC 3339 with Z or an offset; or a Unix time: seconds, or milliseconds
 * when >= 1e11. The result is in seconds. Errors: ERR_FORMAT, ERR_RANGE.
 */
int time_parse(const char *text, int64_t *out_s) MUST_CHECK;

/*
 * "0", "90" (seconds), "90s", "15m", "24h", "7d", "2w", "500ms", and sums of
 * them: "1h30m". Result in milliseconds. Errors: ERR_FORMAT; ERR_RANGE (more
 * than 100 years).
 */
int duration_parse(const char *text, int64_t *out_ms) MUST_CHECK;

/* The shortest such text; returns text. duration_ms >= 0. */
char *duration_format(int64_t duration_ms, char text[DURATION_TEXT_MAX]);

#endif
