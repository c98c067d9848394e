/* SPDX-License-Identifier: Apache-2.0 */
/* Times and durations as text. */
#include "tests/test.h"

#include "common/timefmt.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
time_formats_as_rfc_3339(void **state)
{
	char text[TIME_TEXT_MAX];

	(void)state;
	assert_string_equal(time_format(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(time_format(1795332780, text),
	    "2026-11-22T07:33:00Z");
	assert_string_equal(time_format(253402300799, text),
	    "9999-12-31T23:59:59Z");
}

static void
time_parses_every_form(void **state)
{
	static const struct {
		const char *text;
		int64_t time_s;
	} cases[] = {
		{ "2026-11-22T07:33:00Z", 1795332780 },
		{ "2026-11-22T07:33:00z", 1795332780 },
		{ "2026-11-22T07:33:00.999Z", 1795332780 },
		{ "2026-11-22T08:33:00+01:00", 1795332780 },
		{ "2026-11-22T02:03:00-05:30", 1795332780 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "1795332780", 1795332780 },
		{ "1795332780.5", 1795332780 },
		{ "1795332780123", 1795332780 },
		{ "0", 0 },
		{ "99999999999", 99999999999 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t time_s = -1;

		assert_ok(time_parse(cases[i].text, &time_s));
		assert_int_equal(time_s, cases[i].time_s);
	}
}

static void
time_refuses_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", ERR_FORMAT },
		{ "now", ERR_FORMAT },
		{ "12x", ERR_FORMAT },
		{ " 12", ERR_FORMAT },
		{ "+12", ERR_FORMAT },
		{ "-12", ERR_FORMAT },
		{ "2026-11-22", ERR_FORMAT },
		{ "2026-11-22T07:33:00", ERR_FORMAT },
		{ "2026-11-22T07:33:00.Z", ERR_FORMAT },
		{ "2026-11-22T07:33:00+1:00", ERR_FORMAT },
		{ "2026-11-22T07:33:00+01:00x", ERR_FORMAT },
		{ "2026-02-30T00:00:00Z", ERR_RANGE },
		{ "2026-11-22T07:33:00+24:00", ERR_RANGE },
		{ "1969-12-31T23:59:59Z", ERR_RANGE },
		{ "9999999999999999999", ERR_RANGE },
	};
	int64_t time_s = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(time_parse(cases[i].text, &time_s),
		    cases[i].err);
		assert_int_equal(time_s, 42);
	}
}

static void
duration_parses_every_unit_and_their_sums(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "90", 90000 },
		{ "90s", 90000 },
		{ "15m", 900000 },
		{ "24h", 86400000 },
		{ "7d", 604800000 },
		{ "2w", 1209600000 },
		{ "500ms", 500 },
		{ "1h30m", 5400000 },
		{ "1d2h3m4s5ms", 93784005 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ms = -1;

		assert_ok(duration_parse(cases[i].text, &ms));
		assert_int_equal(ms, cases[i].ms);
	}
}

static void
duration_refuses_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", ERR_FORMAT },
		{ "h", ERR_FORMAT },
		{ "-1s", ERR_FORMAT },
		{ "1.5h", ERR_FORMAT },
		{ "1 h", ERR_FORMAT },
		{ "1x", ERR_FORMAT },
		{ "1hh", ERR_FORMAT },
		{ "1h30", ERR_FORMAT },
		{ "101000d", ERR_RANGE },
		{ "36500d36500d", ERR_RANGE },
		{ "9999999999999999999s", ERR_RANGE },
	};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(duration_parse(cases[i].text, &ms),
		    cases[i].err);
		assert_int_equal(ms, 42);
	}
}

static void
duration_formats_shortly_and_parses_back(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1ms" },
		{ 1500, "1500ms" },
		{ 90000, "90s" },
		{ 900000, "15m" },
		{ 86400000, "1d" },
		{ 604800000, "1w" },
	};
	char text[DURATION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ms = -1;

		assert_string_equal(duration_format(cases[i].ms, text),
		    cases[i].text);
		assert_ok(duration_parse(text, &ms));
		assert_int_equal(ms, cases[i].ms);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(time_formats_as_rfc_3339),
		TEST(time_parses_every_form),
		TEST(time_refuses_what_is_none),
		TEST(duration_parses_every_unit_and_their_sums),
		TEST(duration_refuses_what_is_none),
		TEST(duration_formats_shortly_and_parses_back),
	};

	return RUN_TESTS(tests);
}
