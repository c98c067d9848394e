/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of hosts whose map is frozen, and how often. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/guard_log.h"
#include "tests/test.h"

#define TEXT_MAX 65536
#define T0_MS	 INT64_C(1790000000000) /* 2026-09-21T14:13:20Z */
#define T0_S	 (T0_MS / 1000)

static char text[TEXT_MAX];

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct guard_log));
	return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct finding_host_guard
guard_of(unsigned host, int64_t until_ms)
{
	struct finding_host_guard g = { .since_ms = T0_MS,
		.until_ms = until_ms,
		.turned_away = 7 };
	char address[ADDR_TEXT_MAX];

	snprintf(address, sizeof(address), "192.0.%u.%u", host / 256,
	    host % 256);
	assert_ok(addr_parse(address, &g.host));
	return g;
}

/* Takes guards of hosts from..to; returns how many lines there were. */
static unsigned
take(struct guard_log *l, unsigned from, unsigned to, int64_t until_ms,
    int64_t now_s)
{
	char name[] = "/tmp/darkport-log-XXXXXX";
	int fd = mkstemp(name);
	int before = dup(STDERR_FILENO);
	ssize_t length;
	unsigned lines = 0;

	assert_true(fd >= 0 && before >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	for (unsigned i = from; i <= to; i++) {
		struct finding_host_guard g = guard_of(i, until_ms);

		guard_log_take(l, &g, now_s);
	}
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	length = pread(fd, text, TEXT_MAX - 1, 0);
	assert_in_range(length, 0, TEXT_MAX - 2);
	text[length] = '\0';
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	close(before);
	close(fd);
	unlink(name);
	return lines;
}

static void
expect_text(const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' does not say '%s'", text, part);
}

static void
a_frozen_map_is_one_line_however_often_it_is_told(void **state)
{
	struct guard_log *l = *state;

	assert_int_equal(take(l, 9, 9, 0, T0_S), 1);
	expect_text("level=warn");
	expect_text("host 192.0.0.9: everything answers");
	expect_text("frozen since 2026-09-21T14:13:20Z");
	assert_int_equal(take(l, 9, 9, 0, T0_S + 1), 0);
	assert_int_equal(take(l, 9, 9, 0, T0_S + 1000), 0);
}

static void
the_end_of_it_is_one_line_and_it_may_begin_again(void **state)
{
	struct guard_log *l = *state;

	assert_int_equal(take(l, 9, 9, 0, T0_S), 1);
	assert_int_equal(take(l, 9, 9, T0_MS + 3600000, T0_S + 3600), 1);
	expect_text("host 192.0.0.9: its map is frozen no more, it was from "
		    "2026-09-21T14:13:20Z to 2026-09-21T15:13:20Z; 7 "
		    "acceptances");
	assert_int_equal(l->count, 0);
	assert_int_equal(take(l, 9, 9, 0, T0_S + 9000), 1);
}

static void
what_begins_and_ends_in_one_batch_is_one_line(void **state)
{
	assert_int_equal(take(*state, 9, 9, T0_MS + 3600000, T0_S), 1);
	expect_text("it was from 2026-09-21T14:13:20Z to");
}

static void
a_guard_of_an_earlier_life_is_not_news(void **state)
{
	struct guard_log *l = *state;
	struct finding_host_guard g = guard_of(9, 0);

	guard_log_restore(l, &g);
	assert_int_equal(take(l, 9, 9, 0, T0_S), 0);
	assert_int_equal(take(l, 9, 9, T0_MS + 3600000, T0_S + 3600), 1);
}

static void
a_flood_of_guards_is_few_lines_and_says_so(void **state)
{
	struct guard_log *l = *state;

	assert_int_equal(take(l, 1, 100, 0, T0_S), GUARD_LINES);
	assert_int_equal(take(l, 101, 101, 0, T0_S + GUARD_LOG_S - 1), 0);
	assert_int_equal(take(l, 102, 102, 0, T0_S + GUARD_LOG_S), 2);
	expect_text("85 more lines like these");
	expect_text("192.0.0.102");
}

static void
more_hosts_than_are_remembered_are_left_out(void **state)
{
	struct guard_log *l = *state;
	unsigned lines = 0;

	for (unsigned i = 0; i < GUARD_HOSTS; i++)
		lines += take(l, i, i, 0, T0_S + GUARD_LOG_S * (int64_t)i);
	assert_int_equal(lines, GUARD_HOSTS);
	assert_int_equal(take(l, 999, 999, 0, T0_S + 100000), 0);
	assert_int_equal(take(l, 5, 5, 0, T0_S + 100000), 0);
	/* one ends: there is room again */
	assert_int_equal(take(l, 5, 5, T0_MS + 1, T0_S + 200000), 1);
	assert_int_equal(take(l, 999, 999, 0, T0_S + 300000), 1);
}

#define GUARD_TEST(function)                                                   \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		GUARD_TEST(a_frozen_map_is_one_line_however_often_it_is_told),
		GUARD_TEST(the_end_of_it_is_one_line_and_it_may_begin_again),
		GUARD_TEST(what_begins_and_ends_in_one_batch_is_one_line),
		GUARD_TEST(a_guard_of_an_earlier_life_is_not_news),
		GUARD_TEST(a_flood_of_guards_is_few_lines_and_says_so),
		GUARD_TEST(more_hosts_than_are_remembered_are_left_out),
	};

	return RUN_TESTS(tests);
}
