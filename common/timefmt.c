/* SPDX-License-Identifier: Apache-2.0 */
/* Times and durations: parse and print. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/timefmt.h"

#define MS_PER_S	INT64_C(1000)
#define DURATION_MAX_MS (INT64_C(100) * 366 * 86400 * MS_PER_S)
#define TIME_MAX_S	INT64_C(253402300799) /* the end of year 9999 */

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "w", 7 * 86400 * MS_PER_S },
	{ "d", 86400 * MS_PER_S },
	{ "h", 3600 * MS_PER_S },
	{ "m", 60 * MS_PER_S },
	{ "s", MS_PER_S },
	{ "ms", 1 },
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

char *
time_format(int64_t time_s, char text[TIME_TEXT_MAX])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

/* Digits only, no sign, no space; ERR_RANGE past 18 digits. */
static int
parse_digits(const char **at, int64_t *out)
{
	int64_t value = 0;
	int digits = 0;

	while (isdigit((unsigned char)**at)) {
		if (++digits > 18)
			return ERR_RANGE;
		value = value * 10 + (**at - '0');
		(*at)++;
	}
	if (digits == 0)
		return ERR_FORMAT;
	*out = value;
	return ERR_OK;
}

static int
parse_offset(const char *at, int64_t *offset_s)
{
	int hours, minutes;
	int used = 0;

	if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0) {
		*offset_s = 0;
		return ERR_OK;
	}
	if (at[0] != '+' && at[0] != '-')
		return ERR_FORMAT;
	/* NOLINTNEXTLINE(cert-err34-c): two digits cannot overflow */
	if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    used != 5 || at[6] != '\0' || !isdigit((unsigned char)at[1]) ||
	    !isdigit((unsigned char)at[4]))
		return ERR_FORMAT;
	if (hours > 23 || minutes > 59)
		return ERR_RANGE;
	*offset_s = (hours * 60 + minutes) * 60;
	if (at[0] == '-')
		*offset_s = -*offset_s;
	return ERR_OK;
}

static int
parse_rfc3339(const char *text, int64_t *out_s)
{
	struct tm tm = { 0 };
	struct tm asked;
	int64_t offset_s;
	int64_t time_s;
	const char *at;
	int err;

	at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (at == NULL)
		return ERR_FORMAT;
	if (*at == '.') {
		at++;
		if (!isdigit((unsigned char)*at))
			return ERR_FORMAT;
		while (isdigit((unsigned char)*at))
			at++;
	}
	err = parse_offset(at, &offset_s);
	if (err != ERR_OK)
		return err;
	asked = tm;
	time_s = timegm(&tm);
	if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
		return ERR_RANGE; /* the 31st of a month that has 30 */
	time_s -= offset_s;
	if (time_s < 0 || time_s > TIME_MAX_S)
		return ERR_RANGE;
	*out_s = time_s;
	return ERR_OK;
}

int
time_parse(const char *text, int64_t *out_s)
{
	const char *at = text;
	int64_t value;
	int err;

	if (strchr(text, '-') != NULL)
		return parse_rfc3339(text, out_s);
	err = parse_digits(&at, &value);
	if (err != ERR_OK)
		return err;
	if (*at == '.') {
		at++;
		while (isdigit((unsigned char)*at))
			at++;
	}
	if (*at != '\0')
		return ERR_FORMAT;
	if (value >= INT64_C(100000000000))
		value /= MS_PER_S;
	if (value > TIME_MAX_S)
		return ERR_RANGE;
	*out_s = value;
	return ERR_OK;
}

/* The unit named at *at, moved past; seconds when the text ends there. */
static int64_t
take_unit(const char **at)
{
	size_t length = 0;

	if (**at == '\0')
		return MS_PER_S;
	while (isalpha((unsigned char)(*at)[length]))
		length++;
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (strlen(units[i].name) == length &&
		    strncmp(units[i].name, *at, length) == 0) {
			*at += length;
			return units[i].ms;
		}
	return 0;
}

int
duration_parse(const char *text, int64_t *out_ms)
{
	const char *at = text;
	int64_t total = 0;

	do {
		int64_t value;
		int64_t unit;
		int err = parse_digits(&at, &value);

		if (err != ERR_OK)
			return err;
		if (*at == '\0' && total != 0)
			return ERR_FORMAT; /* "1h30": thirty of what? */
		unit = take_unit(&at);
		if (unit == 0)
			return ERR_FORMAT;
		if (value > DURATION_MAX_MS / unit ||
		    total > DURATION_MAX_MS - value * unit)
			return ERR_RANGE;
		total += value * unit;
	} while (*at != '\0');
	*out_ms = total;
	return ERR_OK;
}

char *
duration_format(int64_t duration_ms, char text[DURATION_TEXT_MAX])
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (duration_ms != 0 && duration_ms % units[i].ms == 0) {
			snprintf(text, DURATION_TEXT_MAX, "%lld%s",
			    (long long)(duration_ms / units[i].ms),
			    units[i].name);
			return text;
		}
	snprintf(text, DURATION_TEXT_MAX, "0");
	return text;
}
