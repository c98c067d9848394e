/* SPDX-License-Identifier: Apache-2.0 */
/* Whose clock tells when a flow was. */
#include "exposure/flow_times.h"
#include "tests/test.h"

#define RECEIVED_MS INT64_C(1700000000000)
#define DAY_MS	    INT64_C(86400000)

static struct flow_record
flow_of(int64_t export_ms, int64_t start_ms, int64_t end_ms)
{
	return (struct flow_record){
		.received_ms = RECEIVED_MS,
		.export_ms = export_ms,
		.start_ms = start_ms,
		.end_ms = end_ms,
		.has = FLOW_HAS_TIMES,
	};
}

static void
expect_times(const struct flow_record *f, enum flow_times_kind kind,
    int64_t start_ms, int64_t end_ms)
{
	int64_t start, end;

	assert_int_equal(flow_times(f, &start, &end), kind);
	assert_int_equal(start, start_ms);
	assert_int_equal(end, end_ms);
}

static void
flow_times_of_a_right_clock_are_told(void **state)
{
	struct flow_record f =
	    flow_of(RECEIVED_MS - 1000, RECEIVED_MS - 9000, RECEIVED_MS - 2000);

	(void)state;
	expect_times(&f, FLOW_TIMES_TOLD, RECEIVED_MS - 9000,
	    RECEIVED_MS - 2000);
}

static void
flow_times_of_a_clock_a_day_behind_are_shifted(void **state)
{
	struct flow_record f = flow_of(RECEIVED_MS - DAY_MS,
	    RECEIVED_MS - DAY_MS - 9000, RECEIVED_MS - DAY_MS - 2000);

	(void)state;
	expect_times(&f, FLOW_TIMES_SHIFTED, RECEIVED_MS - 9000,
	    RECEIVED_MS - 2000);
}

/* A relay dates its headers by another clock than the meter's. */
static void
flow_times_after_their_own_export_are_not_shifted_by_it(void **state)
{
	struct flow_record f = flow_of(RECEIVED_MS - DAY_MS, RECEIVED_MS - 9000,
	    RECEIVED_MS - 2000);

	(void)state;
	expect_times(&f, FLOW_TIMES_TOLD, RECEIVED_MS - 9000,
	    RECEIVED_MS - 2000);
}

static void
flow_times_that_cannot_be_give_way_to_the_time_received(void **state)
{
	struct flow_record f =
	    flow_of(RECEIVED_MS, RECEIVED_MS + DAY_MS, RECEIVED_MS + DAY_MS);

	(void)state;
	expect_times(&f, FLOW_TIMES_REPLACED, RECEIVED_MS, RECEIVED_MS);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flow_times_of_a_right_clock_are_told),
		TEST(flow_times_of_a_clock_a_day_behind_are_shifted),
		TEST(flow_times_after_their_own_export_are_not_shifted_by_it),
		TEST(flow_times_that_cannot_be_give_way_to_the_time_received),
	};

	return RUN_TESTS(tests);
}
