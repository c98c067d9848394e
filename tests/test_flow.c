/* SPDX-License-Identifier: Apache-2.0 */
/* A flow record as text. */
#include <string.h>

#include "tests/test.h"

#include "collector/flow.h"

static struct addr
parsed(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

static void
flow_format_shows_what_the_record_has(void **state)
{
	struct flow_record f = { .src = parsed("203.0.113.10"),
		.dst = parsed("10.0.0.5"),
		.protocol = 6,
		.src_port = 43000,
		.dst_port = 80,
		.octets = 286,
		.packets = 5,
		.tcp_flags = 0x1b };
	char text[FLOW_TEXT_MAX];

	(void)state;
	assert_string_equal(flow_format(&f, text),
	    "203.0.113.10>10.0.0.5 proto=6 octets=286");
	f.has = FLOW_HAS_PORTS | FLOW_HAS_TCP_FLAGS | FLOW_HAS_PACKETS;
	assert_string_equal(flow_format(&f, text),
	    "203.0.113.10:43000>10.0.0.5:80 proto=6 flags=0x1b pkts=5 "
	    "octets=286");
	f.has |= FLOW_IS_REVERSE;
	assert_non_null(strstr(flow_format(&f, text), " reverse"));
}

static void
flow_format_brackets_ipv6_with_ports(void **state)
{
	struct flow_record f = { .src = parsed("2001:db8::1"),
		.dst = parsed("2001:db8::2"),
		.protocol = 17,
		.src_port = 53,
		.dst_port = 54,
		.has = FLOW_HAS_PORTS };
	char text[FLOW_TEXT_MAX];

	(void)state;
	assert_string_equal(flow_format(&f, text),
	    "[2001:db8::1]:53>[2001:db8::2]:54 proto=17 octets=0");
}

static void
flow_format_has_room_for_the_longest(void **state)
{
	struct flow_record f;
	char text[FLOW_TEXT_MAX];

	(void)state;
	memset(&f, 0xff, sizeof(f));
	f.start_ms = INT64_MIN;
	f.end_ms = INT64_MIN;
	f.src.octets[0] = 0xfe;
	flow_format(&f, text);
	assert_true(strlen(text) < FLOW_TEXT_MAX - 1);
	assert_non_null(strstr(text, " reverse")); /* its end is there */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flow_format_shows_what_the_record_has),
		TEST(flow_format_brackets_ipv6_with_ports),
		TEST(flow_format_has_room_for_the_longest),
	};

	return RUN_TESTS(tests);
}
