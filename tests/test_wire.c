/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of network-order octets. */
#include "tests/test.h"

#include "common/wire.h"

static const uint8_t octets[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
	0x08, 0x09 };

static void
wire_reads_big_endian_numbers(void **state)
{
	struct wire w = wire_over(octets, sizeof(octets));

	(void)state;
	assert_int_equal(wire_u8(&w), 0x01);
	assert_int_equal(wire_u16(&w), 0x0203);
	assert_int_equal(wire_u32(&w), 0x04050607);
	assert_int_equal(wire_left(&w), 2);
	w = wire_over(octets, sizeof(octets));
	assert_int_equal(wire_u64(&w), INT64_C(0x0102030405060708));
	assert_false(w.failed);
}

static void
wire_reads_numbers_of_any_size_to_8(void **state)
{
	uint64_t expected = 0;

	(void)state;
	for (size_t n = 0; n <= 8; n++) {
		struct wire w = wire_over(octets, sizeof(octets));

		assert_int_equal(wire_unsigned(&w, n), expected);
		assert_int_equal(wire_left(&w), sizeof(octets) - n);
		expected = expected << 8 | octets[n];
	}
}

static void
wire_fails_once_and_for_all(void **state)
{
	struct wire w = wire_over(octets, 3);

	(void)state;
	assert_int_equal(wire_u32(&w), 0);
	assert_true(w.failed);
	assert_int_equal(wire_left(&w), 0);
	assert_int_equal(wire_u8(&w), 0); /* though there are octets */
	assert_null(wire_take(&w, 0));
	assert_true(wire_part(&w, 0).failed);
}

static void
wire_over_nothing_has_nothing(void **state)
{
	struct wire w = wire_over(octets, 0);

	(void)state;
	assert_int_equal(wire_left(&w), 0);
	assert_non_null(wire_take(&w, 0));
	assert_false(w.failed);
	assert_null(wire_take(&w, 1));
	assert_true(w.failed);
}

static void
wire_part_ends_where_it_was_cut(void **state)
{
	struct wire w = wire_over(octets, sizeof(octets));
	struct wire part = wire_part(&w, 2);

	(void)state;
	assert_int_equal(wire_u16(&part), 0x0102);
	assert_int_equal(wire_u8(&part), 0);
	assert_true(part.failed);
	assert_false(w.failed);
	assert_int_equal(wire_u8(&w), 0x03);
	part = wire_part(&w, sizeof(octets));
	assert_true(part.failed);
	assert_true(w.failed);
	part = wire_part(&w, SIZE_MAX);
	assert_true(part.failed);
}

static void
wire_puts_what_it_reads(void **state)
{
	uint8_t out[6];
	struct wire w = wire_over(out, sizeof(out));

	(void)state;
	wire_put_u16(out, 0xfedc);
	wire_put_u32(out + 2, 0x89abcdef);
	assert_int_equal(wire_u16(&w), 0xfedc);
	assert_int_equal(wire_u32(&w), 0x89abcdef);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(wire_reads_big_endian_numbers),
		TEST(wire_reads_numbers_of_any_size_to_8),
		TEST(wire_fails_once_and_for_all),
		TEST(wire_over_nothing_has_nothing),
		TEST(wire_part_ends_where_it_was_cut),
		TEST(wire_puts_what_it_reads),
	};

	return RUN_TESTS(tests);
}
