/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes, and the set of networks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

#include "common/addr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr
parsed(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

static struct prefix
parsed_prefix(const char *text)
{
	struct prefix p;

	assert_ok(prefix_parse(text, &p));
	return p;
}

static void
addr_parses_and_formats(void **state)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "fe80::20c:29ff:fe83:3b6e", "fe80::20c:29ff:fe83:3b6e" },
		{ "10.0.0.5%7", "10.0.0.5%7" },
		{ "255.255.255.255%65535", "255.255.255.255%65535" },
		{ "::7:ffff:10.0.0.5", "10.0.0.5%7" },
		{ "::ffff:0:10.0.0.5", "::ffff:0:a00:5" },
		{ "1::7:ffff:10.0.0.5", "1::7:ffff:a00:5" },
	};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct addr a = parsed(pairs[i][0]);

		assert_string_equal(addr_format(&a, text), pairs[i][1]);
	}
}

static void
addr_refuses_what_is_none(void **state)
{
	static const char *const texts[] = { "", "1.2.3", "1.2.3.4.5",
		"256.1.1.1", "01.2.3.4", "[1.2.3.4]", "[::1", "::1]", "[]",
		":::", "1::2::3", "example.org", "1.2.3.4 ", " ::1",
		"fe80::1%eth0", "fe80::1%7", "::ffff:10.0.0.5%7",
		"[10.0.0.5%7]", "10.0.0.5%", "10.0.0.5%0", "10.0.0.5%07",
		"10.0.0.5%65536", "10.0.0.5%7%7", "10.0.0.5%-7", "10.0.0.5%7 ",
		"10.0.0.5%4294967303", "%7", "10.0.0%7.5",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
	const struct addr before = parsed("192.0.2.77");
	struct addr a = before;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(addr_parse(texts[i], &a), ERR_FORMAT);
		assert_true(addr_equal(&a, &before));
	}
}

static void
addr_orders_ipv4_in_its_mapped_place(void **state)
{
	static const char *const in_order[] = { "::", "::1", "0.0.0.0",
		"9.255.255.255", "10.0.0.0", "255.255.255.255", "0.0.0.0%1",
		"255.255.255.255%1", "10.0.0.0%256", "10.0.0.0%65535",
		"2001:db8::", "ffff::" };

	(void)state;
	for (size_t i = 0; i < COUNT(in_order); i++)
		for (size_t j = 0; j < COUNT(in_order); j++) {
			struct addr a = parsed(in_order[i]);
			struct addr b = parsed(in_order[j]);
			int order = addr_compare(&a, &b);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
}

static void
addr_knows_its_family(void **state)
{
	struct addr v4 = parsed("::ffff:10.0.0.1");
	struct addr v6 = parsed("::10.0.0.1");

	(void)state;
	assert_true(addr_is_v4(&v4));
	assert_false(addr_is_v4(&v6));
	assert_int_equal(addr_family(&v4), 4);
	assert_int_equal(addr_family(&v6), 6);
}

static void
tag_is_put_on_ipv4_and_taken_off_again(void **state)
{
	struct addr plain = parsed("10.0.0.5");
	struct addr tagged = addr_with_tag(&plain, 258);
	struct addr again = addr_with_tag(&tagged, 7);
	struct addr off = addr_with_tag(&tagged, 0);
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_format(&tagged, text), "10.0.0.5%258");
	assert_int_equal(addr_tag(&tagged), 258);
	assert_int_equal(addr_tag(&plain), 0);
	assert_int_equal(addr_family(&tagged), 4);
	assert_false(addr_is_v4(&tagged));
	assert_false(addr_equal(&tagged, &plain));
	assert_string_equal(addr_format(&again, text), "10.0.0.5%7");
	assert_true(addr_equal(&off, &plain));
}

static void
ipv6_takes_no_tag(void **state)
{
	static const char *const texts[] = { "fd00::5", "::ffff:0:10.0.0.5",
		"::10.0.0.5", "1::7:ffff:10.0.0.5" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct addr a = parsed(texts[i]);
		struct addr tagged = addr_with_tag(&a, 7);

		assert_true(addr_equal(&a, &tagged));
		assert_int_equal(addr_tag(&a), 0);
		assert_int_equal(addr_family(&a), 6);
	}
}

static void
prefix_parses_and_formats(void **state)
{
	static const char *const pairs[][2] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "192.0.2.128/25", "192.0.2.128/25" },
		{ "::/0", "::/0" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8::1", "2001:db8::1/128" },
		{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
		{ "10.0.0.0%7/8", "10.0.0.0%7/8" },
		{ "10.0.0.5%7", "10.0.0.5%7/32" },
		{ "0.0.0.0%7/0", "0.0.0.0%7/0" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct prefix p = parsed_prefix(pairs[i][0]);

		assert_string_equal(prefix_format(&p, text), pairs[i][1]);
	}
}

static void
prefix_refuses_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", ERR_FORMAT },
		{ "/8", ERR_FORMAT },
		{ "10.0.0.0/", ERR_FORMAT },
		{ "10.0.0.0/x", ERR_FORMAT },
		{ "10.0.0.0/8x", ERR_FORMAT },
		{ "10.0.0.0/-1", ERR_FORMAT },
		{ "10.0.0.0/+8", ERR_FORMAT },
		{ "10.0.0.0/ 8", ERR_FORMAT },
		{ "10.0.0.0/8/8", ERR_FORMAT },
		{ "10.0.0.0/33", ERR_RANGE },
		{ "::/129", ERR_RANGE },
		{ "::/99999999999999999999999", ERR_RANGE },
		{ "10.0.0.1/8", ERR_RANGE },
		{ "2001:db8::1/32", ERR_RANGE },
		{ "10.128.0.0/8", ERR_RANGE },
		{ "10.0.0.0/8%7", ERR_FORMAT },
		{ "10.0.0.0%7/33", ERR_RANGE },
		{ "10.0.0.1%7/8", ERR_RANGE },
	};
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(prefix_parse(cases[i].text, &p), cases[i].err);
}

static void
prefix_contains_its_range_and_no_more(void **state)
{
	static const struct {
		const char *prefix;
		const char *address;
		bool inside;
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0", true },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "9.255.255.255", false },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.255", true },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:7fff:ffff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix p = parsed_prefix(cases[i].prefix);
		struct addr a = parsed(cases[i].address);

		assert_int_equal(prefix_contains(&p, &a), cases[i].inside);
	}
}

static void
network_parses_its_label(void **state)
{
	struct network n;

	(void)state;
	assert_ok(network_parse("10.0.0.0/8", &n));
	assert_string_equal(n.label, "");
	assert_ok(network_parse("2001:db8::/32=the lab", &n));
	assert_string_equal(n.label, "the lab");
	assert_int_equal(network_parse("10.0.0.0/8=", &n), ERR_RANGE);
	assert_int_equal(network_parse("10.0.0.0/8=a\nb", &n), ERR_RANGE);
	assert_int_equal(
	    network_parse("10.0.0.0/8=0123456789012345678901234567890", &n),
	    ERR_OK);
	assert_int_equal(
	    network_parse("10.0.0.0/8=01234567890123456789012345678901", &n),
	    ERR_RANGE);
	assert_int_equal(network_parse("=label", &n), ERR_FORMAT);
	assert_int_equal(network_parse("10.0.0.1/8=x", &n), ERR_RANGE);
	assert_int_equal(network_parse("10.0.0.0%7/8=x", &n), ERR_FORMAT);
}

static void
prefix_set_finds_the_longest_match(void **state)
{
	static const char *const texts[] = { "10.0.0.0/8=wide",
		"10.1.0.0/16=near", "10.1.2.0/24=here", "::/0=six" };
	static const char *const finds[][2] = { { "10.9.9.9", "wide" },
		{ "10.1.9.9", "near" }, { "10.1.2.3", "here" },
		{ "2001:db8::1", "six" } };
	struct prefix_set *set = calloc(1, sizeof(*set));
	struct addr outside = parsed("192.0.2.1");
	struct network n;

	(void)state;
	assert_non_null(set);
	assert_null(prefix_set_find(set, &outside));
	for (size_t i = 0; i < 3; i++) {
		assert_ok(network_parse(texts[i], &n));
		assert_ok(prefix_set_add(set, &n));
	}
	assert_null(prefix_set_find(set, &outside));
	assert_ok(network_parse(texts[3], &n));
	assert_ok(prefix_set_add(set, &n));
	for (size_t i = 0; i < COUNT(finds); i++) {
		struct addr a = parsed(finds[i][0]);

		assert_string_equal(prefix_set_find(set, &a)->label,
		    finds[i][1]);
	}
	assert_int_equal(prefix_set_add(set, &n), ERR_RANGE); /* twice */
	free(set);
}

static void
network_is_found_whatever_the_tag_of_the_address(void **state)
{
	struct prefix_set *set = calloc(1, sizeof(*set));
	struct addr tagged = parsed("10.1.2.3%7");
	struct addr other = parsed("11.1.2.3%7");
	struct network n;

	(void)state;
	assert_non_null(set);
	assert_ok(network_parse("10.0.0.0/8", &n));
	assert_ok(prefix_set_add(set, &n));
	assert_ptr_equal(prefix_set_find_internal(set, &tagged),
	    &set->networks[0]);
	assert_null(prefix_set_find_internal(set, &other));
	/* who sends from such an address is none of 10.0.0.0/8 */
	assert_null(prefix_set_find(set, &tagged));
	free(set);
}

static void
prefix_set_refuses_more_than_it_holds(void **state)
{
	struct prefix_set *set = calloc(1, sizeof(*set));
	struct network n;
	char text[64];

	(void)state;
	assert_non_null(set);
	for (int i = 0; i <= PREFIX_SET_MAX; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0/24", i / 256, i % 256);
		assert_ok(network_parse(text, &n));
		assert_int_equal(prefix_set_add(set, &n),
		    i < PREFIX_SET_MAX ? ERR_OK : ERR_FULL);
	}
	assert_int_equal(set->count, PREFIX_SET_MAX);
	free(set);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(addr_parses_and_formats),
		TEST(addr_refuses_what_is_none),
		TEST(addr_orders_ipv4_in_its_mapped_place),
		TEST(addr_knows_its_family),
		TEST(prefix_parses_and_formats),
		TEST(prefix_refuses_what_is_none),
		TEST(tag_is_put_on_ipv4_and_taken_off_again),
		TEST(ipv6_takes_no_tag),
		TEST(network_is_found_whatever_the_tag_of_the_address),
		TEST(prefix_contains_its_range_and_no_more),
		TEST(network_parses_its_label),
		TEST(prefix_set_finds_the_longest_match),
		TEST(prefix_set_refuses_more_than_it_holds),
	};

	return RUN_TESTS(tests);
}
