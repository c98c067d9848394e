/* SPDX-License-Identifier: Apache-2.0 */
/* Who meets at an endpoint tells whether it is a service. */
#include "exposure/fan_ins.h"
#include "tests/test.h"

static const struct hash_key zero_key;

static struct addr
address(const char *prefix, uint32_t n)
{
	struct addr a;

	assert_ok(addr_parse(prefix, &a));
	a.octets[14] = (uint8_t)(n >> 8);
	a.octets[15] = (uint8_t)n;
	return a;
}

static enum fan_in
after(struct fan_ins *f, uint32_t peers, const uint16_t *ports,
    uint32_t port_count)
{
	struct addr host = address("10.0.0.0", 5);

	for (uint32_t i = 0; i < peers; i++) {
		struct addr peer = address("203.0.0.0", i);

		fan_ins_add(f, &host, 6, 50123, &peer, ports[i % port_count],
		    1000);
	}
	return fan_ins_get(f, &host, 6, 50123);
}

static void
five_peers_from_scattered_ports_make_a_responder(void **state)
{
	static const uint16_t ports[] = { 40001, 51234, 33333, 60000, 45678 };
	struct fan_ins *f = fan_ins_new(&zero_key);

	(void)state;
	assert_int_equal(after(f, 4, ports, 5), FAN_IN_UNKNOWN);
	assert_int_equal(after(f, 5, ports, 5), FAN_IN_RESPONDER);
	fan_ins_free(f);
}

static void
peers_on_one_port_make_a_client(void **state)
{
	static const uint16_t same[] = { 443 };
	static const uint16_t high[] = { 51413 };
	static const uint16_t services[] = { 443, 22, 50001, 993, 50002 };
	struct fan_ins *f = fan_ins_new(&zero_key);

	(void)state;
	assert_int_equal(after(f, 3, same, 1), FAN_IN_CLIENT);
	fan_ins_free(f);
	f = fan_ins_new(&zero_key);
	assert_int_equal(after(f, 8, high, 1), FAN_IN_CLIENT);
	fan_ins_free(f);
	f = fan_ins_new(&zero_key);
	assert_int_equal(after(f, 10, services, 5), FAN_IN_CLIENT);
	fan_ins_free(f);
}

static void
one_peer_with_many_connections_is_one_peer(void **state)
{
	struct fan_ins *f = fan_ins_new(&zero_key);
	struct addr host = address("10.0.0.0", 5);
	struct addr peer = address("203.0.0.0", 1);

	(void)state;
	for (uint16_t port = 40000; port < 40100; port++)
		fan_ins_add(f, &host, 6, 50123, &peer, port, 1000);
	assert_int_equal(fan_ins_get(f, &host, 6, 50123), FAN_IN_UNKNOWN);
	fan_ins_free(f);
}

static void
peers_are_forgotten_after_a_day(void **state)
{
	static const uint16_t ports[] = { 40001, 51234, 33333, 60000, 45678 };
	struct fan_ins *f = fan_ins_new(&zero_key);
	struct addr host = address("10.0.0.0", 5);
	struct addr peer = address("203.0.0.0", 99);

	(void)state;
	assert_int_equal(after(f, 5, ports, 5), FAN_IN_RESPONDER);
	fan_ins_add(f, &host, 6, 50123, &peer, 40000, 2 * 86400000);
	assert_int_equal(fan_ins_get(f, &host, 6, 50123), FAN_IN_UNKNOWN);
	fan_ins_free(f);
}

static void
full_table_forgets_the_endpoint_unused_longest(void **state)
{
	static const uint16_t ports[] = { 40001, 51234, 33333, 60000, 45678 };
	struct fan_ins *f = fan_ins_new(&zero_key);
	struct addr known = address("10.0.0.0", 5);
	struct addr peer = address("203.0.0.0", 1);

	(void)state;
	assert_int_equal(after(f, 5, ports, 5), FAN_IN_RESPONDER);
	for (uint32_t i = 0; i < FAN_INS_MAX - 1; i++) {
		struct addr host = address("10.1.0.0", i);

		fan_ins_add(f, &host, 6, 80, &peer, 40000, 1000);
	}
	assert_int_equal(fan_ins_get(f, &known, 6, 50123), FAN_IN_RESPONDER);
	fan_ins_add(f, &known, 6, 1, &peer, 40000, 1000);
	assert_int_equal(fan_ins_get(f, &known, 6, 50123), FAN_IN_UNKNOWN);
	fan_ins_free(f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(five_peers_from_scattered_ports_make_a_responder),
		TEST(peers_on_one_port_make_a_client),
		TEST(one_peer_with_many_connections_is_one_peer),
		TEST(peers_are_forgotten_after_a_day),
		TEST(full_table_forgets_the_endpoint_unused_longest),
	};

	return RUN_TESTS(tests);
}
