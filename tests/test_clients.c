/* SPDX-License-Identifier: Apache-2.0 */
/* The estimate of distinct clients. */
#include <string.h>

#include "exposure/clients.h"
#include "tests/test.h"

static struct addr
client(uint32_t n)
{
	struct addr a;

	assert_ok(addr_parse("203.0.113.0", &a));
	a.octets[12] = (uint8_t)(n >> 24);
	a.octets[13] = (uint8_t)(n >> 16);
	a.octets[14] = (uint8_t)(n >> 8);
	a.octets[15] = (uint8_t)n;
	return a;
}

static void
few_clients_are_counted_exactly(void **state)
{
	struct client_sketch s = { .count = 0 };

	(void)state;
	assert_int_equal(clients_estimate(&s), 0);
	for (uint32_t n = 0; n < CLIENT_EXACT; n++) {
		struct addr a = client(n * 7919);

		clients_add(&s, &a);
		clients_add(&s, &a);
		assert_int_equal(clients_estimate(&s), n + 1);
	}
}

static void
many_clients_are_estimated_within_three_standard_errors(void **state)
{
	static const uint32_t sizes[] = { 20, 100, 1000, 10000, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct client_sketch s = { .count = 0 };
		double error;

		for (uint32_t n = 0; n < sizes[i]; n++) {
			struct addr a = client(n * 2654435761U);

			clients_add(&s, &a);
		}
		error = (double)clients_estimate(&s) / sizes[i] - 1;
		assert_true(error > -0.39 && error < 0.39);
	}
}

static void
order_of_clients_makes_no_difference(void **state)
{
	struct client_sketch up = { .count = 0 };
	struct client_sketch down = { .count = 0 };

	(void)state;
	for (uint32_t n = 0; n < 30; n++) {
		struct addr a = client(n);
		struct addr b = client(29 - n);

		clients_add(&up, &a);
		clients_add(&down, &b);
	}
	assert_memory_equal(&up, &down, sizeof(up));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(few_clients_are_counted_exactly),
		TEST(many_clients_are_estimated_within_three_standard_errors),
		TEST(order_of_clients_makes_no_difference),
	};

	return RUN_TESTS(tests);
}
