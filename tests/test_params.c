/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings, the percent decoder, and the Host check. */
#include <stdio.h>
#include <string.h>

#include "api/hostname.h"
#include "api/params.h"
#include "api/percent.h"
#include "exposure/finding.h"
#include "tests/test.h"

#define NOW_S INT64_C(1790000000)
#define ALL                                                                    \
	(PARAM_BIT(NET) | PARAM_BIT(HOST) | PARAM_BIT(SRC) | PARAM_BIT(DST) |  \
	    PARAM_BIT(PORT) | PARAM_BIT(PROTO) | PARAM_BIT(EXPOSURE_STATE) |   \
	    PARAM_BIT(FROM) | PARAM_BIT(TO) | PARAM_BIT(LIMIT) |               \
	    PARAM_BIT(CURSOR) | PARAM_BIT(FORMAT) | PARAM_BIT(DOMAIN))

static struct prefix_set networks;
static const struct params_context context = { NOW_S, &networks };

static int
parse(const char *query, struct params *out, struct problem *why)
{
	return params_parse(query, ALL, &context, out, why);
}

/* Parses what must be accepted. */
static struct query_filter
accept(const char *query)
{
	struct params params;
	struct problem why;

	if (parse(query, &params, &why) != ERR_OK)
		fail_msg("%s: refused: %s", query == NULL ? "" : query,
		    why.detail);
	return params.filter;
}

/* Parses what must be refused, because of that parameter. */
static struct problem
refuse(const char *query, const char *parameter)
{
	struct params params;
	struct problem why;

	memset(&params, 0xa5, sizeof(params));
	if (parse(query, &params, &why) != ERR_FORMAT)
		fail_msg("%s: accepted", query);
	assert_string_equal(why.parameter, parameter);
	assert_string_not_equal(why.detail, "");
	for (size_t i = 0; i < sizeof(params); i++) /* out is unchanged */
		assert_int_equal(((const uint8_t *)&params)[i], 0xa5);
	return why;
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

static void
params_of_no_query_are_the_defaults(void **state)
{
	struct query_filter f;

	(void)state;
	f = accept(NULL);
	assert_int_equal(f.limit, QUERY_LIMIT_DEFAULT);
	assert_int_equal(f.proto, QUERY_PROTO_ANY);
	assert_int_equal(f.port_count, 0);
	assert_false(f.has_net || f.has_host || f.has_src || f.has_dst ||
		     f.has_from || f.has_to);
	assert_string_equal(f.state, "");
	assert_string_equal(f.cursor, "");
	f = accept("&&");
	assert_int_equal(f.limit, QUERY_LIMIT_DEFAULT);
}

static void
params_reads_networks_and_addresses(void **state)
{
	struct addr low = address("192.0.2.0");
	struct addr high = address("192.0.2.255");
	struct addr host = address("2001:db8::1");
	struct query_filter f;

	(void)state;
	f = accept("net=192.0.2.0/24&host=2001:DB8:0::1&src=%5B2001:db8::1%5D");
	assert_true(f.has_net && f.has_host && f.has_src && !f.has_dst);
	assert_true(addr_equal(&f.net.low, &low));
	assert_true(addr_equal(&f.net.high, &high));
	assert_true(addr_equal(&f.host, &host));
	assert_true(addr_equal(&f.src, &host));
	f = accept("net=192.0.2.255&dst=192.0.2.0");
	assert_true(addr_equal(&f.net.low, &high));
	assert_true(addr_equal(&f.net.high, &high));
	assert_true(f.has_dst && addr_equal(&f.dst, &low));
	f = accept("net=192.0.2.0%257%2F24&host=192.0.2.255%257");
	assert_int_equal(addr_tag(&f.net.low), 7);
	assert_int_equal(addr_tag(&f.net.high), 7);
	assert_int_equal(addr_tag(&f.host), 7);
	low = addr_with_tag(&low, 7);
	high = addr_with_tag(&high, 7);
	assert_true(addr_equal(&f.net.low, &low));
	assert_true(addr_equal(&f.net.high, &high));
	assert_true(addr_equal(&f.host, &high));
	refuse("host=192.0.2.1%7", "host");    /* half an escape */
	refuse("host=192.0.2.1%712", "host");  /* another one: "q2" */
	refuse("host=192.0.2.1%250", "host");  /* no tag is 0 */
	refuse("net=192.0.2.0/24%257", "net"); /* behind the address */
	refuse("src=2001:db8::1%257", "src");
	refuse("net=192.0.2.1/24", "net");
	refuse("net=192.0.2.0/33", "net");
	refuse("net=nowhere", "net");
	refuse("host=example.org", "host");
	refuse("src=192.0.2", "src");
	refuse("dst=192.0.2.0/24", "dst");
}

static void
params_reads_the_label_of_a_network(void **state)
{
	static const char *const texts[] = { "192.0.2.0/24=servers",
		"198.51.100.0/25=twice", "198.51.100.128/25=twice" };
	struct addr low = address("192.0.2.0");
	struct query_filter f;

	(void)state;
	networks.count = 0;
	for (size_t i = 0; i < 3; i++) {
		struct network n;

		assert_ok(network_parse(texts[i], &n));
		assert_ok(prefix_set_add(&networks, &n));
	}
	f = accept("net=servers");
	assert_true(f.has_net && addr_equal(&f.net.low, &low));
	assert_int_equal(f.net.length, 96 + 24);
	refuse("net=twice", "net");
	refuse("net=Servers", "net");
	networks.count = 0;
	refuse("net=servers", "net");
}

static void
params_reads_lists_of_ports(void **state)
{
	struct query_filter f;

	(void)state;
	f = accept("port=0");
	assert_int_equal(f.port_count, 1);
	assert_int_equal(f.ports[0].low, 0);
	assert_int_equal(f.ports[0].high, 0);
	f = accept("port=22,80,8000-8100,65535");
	assert_int_equal(f.port_count, 4);
	assert_int_equal(f.ports[2].low, 8000);
	assert_int_equal(f.ports[2].high, 8100);
	assert_int_equal(f.ports[3].low, 65535);
	f = accept("port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16");
	assert_int_equal(f.port_count, 16);
	refuse("port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "port");
}

static void
params_refuses_every_broken_list_of_ports(void **state)
{
	static const char *const broken[] = { "port=65536", "port=-1",
		"port=1-", "port=-", "port=80-22", "port=1,", "port=,1",
		"port=1,,2", "port=1 2", "port=0x10", "port=1-2-3",
		"port=99999999999999999999", "port=http", "port=%2031" };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		refuse(broken[i], "port");
}

static void
params_reads_protocols_by_name_and_number(void **state)
{
	static const struct {
		const char *query;
		int proto;
	} cases[] = { { "proto=tcp", 6 }, { "proto=udp", 17 },
		{ "proto=icmp", 1 }, { "proto=icmp6", 58 },
		{ "proto=sctp", 132 }, { "proto=1", 1 }, { "proto=47", 47 },
		{ "proto=255", 255 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(accept(cases[i].query).proto, cases[i].proto);
	refuse("proto=256", "proto");
	refuse("proto=0", "proto");
	refuse("proto=TCP", "proto");
	refuse("proto=-1", "proto");
	refuse("proto=tcp,udp", "proto");
}

static void
params_reads_tcp_or_udp_where_darkports_are(void **state)
{
	struct params params;
	struct problem why;

	(void)state;
	assert_ok(params_parse("proto=udp", PARAM_BIT(TRANSPORT), &context,
	    &params, &why));
	assert_int_equal(params.filter.proto, 17);
	assert_int_equal(params_parse("proto=icmp", PARAM_BIT(TRANSPORT),
			     &context, &params, &why),
	    ERR_FORMAT);
	assert_string_equal(why.detail, "proto must be tcp or udp");
}

static void
params_reads_times_in_every_form(void **state)
{
	static const struct {
		const char *query;
		int64_t from_s;
		bool relative;
	} cases[] = {
		{ "from=2026-09-21T14:13:20Z", NOW_S, false },
		{ "from=2026-09-21T15:13:20%2B01:00", NOW_S, false },
		{ "from=1790000000", NOW_S, false },
		{ "from=1790000000.75", NOW_S, false },
		{ "from=1790000000000", NOW_S, false },
		{ "from=now", NOW_S, true },
		{ "from=-24h", NOW_S - 86400, true },
		{ "from=-1h30m", NOW_S - 5400, true },
		{ "from=-7d", NOW_S - 604800, true },
	};
	struct params params;
	struct problem why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ok(parse(cases[i].query, &params, &why));
		assert_true(params.filter.has_from);
		assert_true(params.filter.from_s == cases[i].from_s);
		assert_int_equal(params.relative, cases[i].relative);
	}
	refuse("from=yesterday", "from");
	refuse("to=-", "to");
	refuse("to=--1h", "to");
	refuse("to=-1y", "to");
	refuse("to=2026-13-01T00:00:00Z", "to");
}

static void
params_refuses_an_interval_that_ends_before_it_starts(void **state)
{
	(void)state;
	accept("from=100&to=101");
	refuse("from=100&to=100", "from");
	refuse("to=now&from=now", "from");
	refuse("from=-1h&to=-2h", "from");
}

static void
params_bounds_the_limit(void **state)
{
	static const char *const broken[] = { "limit=0", "limit=10001",
		"limit=-1", "limit=1e3", "limit=9223372036854775808",
		"limit=1000000000", "limit=5x", "limit= 5" };

	(void)state;
	assert_int_equal(accept("limit=1").limit, 1);
	assert_int_equal(accept("limit=10000").limit, 10000);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		refuse(broken[i], "limit");
}

static void
params_takes_a_cursor_only_as_long_as_one_can_be(void **state)
{
	char query[256] = "cursor=";

	(void)state;
	memset(query + 7, 'a', QUERY_CURSOR_MAX - 1);
	assert_int_equal(strlen(accept(query).cursor), QUERY_CURSOR_MAX - 1);
	query[7 + QUERY_CURSOR_MAX - 1] = 'a';
	refuse(query, "cursor");
}

static void
params_takes_back_the_relative_times_a_cursor_carries(void **state)
{
	struct params first, second;
	char cursor[PARAM_CURSOR_MAX];
	char query[256];
	struct problem why;
	struct params_context later = { NOW_S + 60, NULL };

	(void)state;
	assert_ok(parse("from=-1h&to=now", &first, &why));
	params_format_cursor(&first, "abc", cursor);
	snprintf(query, sizeof(query), "from=-1h&to=now&cursor=%s", cursor);
	assert_ok(params_parse(query, ALL, &later, &second, &why));
	assert_string_equal(second.filter.cursor, "abc");
	assert_true(second.filter.from_s == NOW_S - 3600);
	assert_true(second.filter.to_s == NOW_S);
	/* absolute ones need no carrying */
	assert_ok(parse("from=1", &first, &why));
	params_format_cursor(&first, "abc", cursor);
	assert_string_equal(cursor, "abc");
	assert_int_equal(parse("from=-1h&cursor=abc", &first, &why),
	    ERR_FORMAT);
	assert_int_equal(why.kind, PROBLEM_INVALID_CURSOR);
	assert_int_equal(parse("from=-1h&cursor=a.x.2", &first, &why),
	    ERR_FORMAT);
}

static void
params_names_the_parameter_it_does_not_know(void **state)
{
	struct problem why = refuse("limit=1&colour=red", "colour");

	(void)state;
	assert_int_equal(why.kind, PROBLEM_UNKNOWN_PARAMETER);
	assert_string_equal(why.detail,
	    "colour is no parameter of this resource; it takes net, host, "
	    "domain, src, dst, port, proto, state, from, to, limit, cursor, "
	    "format");
	refuse("Limit=1", "Limit");
	refuse("=1", "");
	refuse("%01%ff=1", "%01%ff");
	refuse("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd=1",
	    "aaaaaaaaaabbbbbbbbbbccccccccccd");
}

static void
params_refuses_a_known_parameter_the_resource_does_not_take(void **state)
{
	struct params params;
	struct problem why;

	(void)state;
	assert_int_equal(params_parse("net=192.0.2.0/24&port=1", PARAM_BIT(NET),
			     &context, &params, &why),
	    ERR_FORMAT);
	assert_int_equal(why.kind, PROBLEM_UNKNOWN_PARAMETER);
	assert_string_equal(why.parameter, "port");
}

static void
params_refuses_repeated_and_empty_ones(void **state)
{
	(void)state;
	refuse("port=1&port=2", "port");
	refuse("limit=1&limit=1", "limit");
	refuse("p%6frt=1&port=2", "port");
	refuse("port", "port");
	refuse("port=", "port");
	refuse("format=csv", "format");
	accept("format=json");
}

static void
params_refuses_bad_escapes_and_nul(void **state)
{
	(void)state;
	refuse("net=%", "net");
	refuse("net=%4", "net");
	refuse("net=%zz", "net");
	refuse("net=192.0.2.1%00", "net");
	refuse("n%zzt=1", "n%zzt");
	refuse("n%00t=1", "n%00t");
	accept("net=192%2e0%2E2.1");
}

static void
params_shows_strangers_octets_as_question_marks(void **state)
{
	struct problem why = refuse("net=%1b[31m\xff%22", "net");

	(void)state;
	assert_string_equal(why.value, "?[31m?\"");
}

static void
params_refuses_a_value_longer_than_any(void **state)
{
	static char query[PARAM_VALUE_MAX + 64] = "net=";

	(void)state;
	memset(query + 4, '1', PARAM_VALUE_MAX);
	refuse(query, "net");
}

/* The words must be those the findings have: two lists that agree. */
static void
params_states_are_those_of_the_findings(void **state)
{
	const char *const *words = params_states(PARAM_EXPOSURE_STATE);

	(void)state;
	for (unsigned i = 0; i < EXPOSURE_STATE_COUNT; i++)
		assert_string_equal(words[i], exposure_state_name(i));
	assert_null(words[EXPOSURE_STATE_COUNT]);
	words = params_states(PARAM_ALERT_STATE);
	for (unsigned i = 0; i < ALERT_STATE_COUNT; i++)
		assert_string_equal(words[i], alert_state_name(i));
	assert_null(words[ALERT_STATE_COUNT]);
	words = params_states(PARAM_GUARD_STATE);
	assert_string_equal(words[0], "active");
	assert_string_equal(words[1], "ended");
	assert_null(words[2]);
	assert_string_equal(accept("state=stale").state, "stale");
	refuse("state=new", "state");
	refuse("state=open'--", "state");
}

static void
domain_is_a_number_of_32_bits(void **state)
{
	struct query_filter f = accept("domain=4294967295");

	(void)state;
	assert_true(f.has_domain);
	assert_int_equal(f.domain, UINT32_MAX);
	f = accept("domain=0");
	assert_true(f.has_domain);
	assert_int_equal(f.domain, 0);
	assert_false(accept("").has_domain);
	refuse("domain=4294967296", "domain");
	refuse("domain=99999999999999999999", "domain");
	refuse("domain=-1", "domain");
	refuse("domain=0x7", "domain");
	refuse("domain=7 ", "domain");
	refuse("domain=", "domain");
}

static void
percent_decodes_what_is_right_and_nothing_else(void **state)
{
	char out[8];

	(void)state;
	assert_ok(percent_decode("a%20b+", 6, false, out, sizeof(out)));
	assert_string_equal(out, "a b+");
	assert_ok(percent_decode("a+b", 3, true, out, sizeof(out)));
	assert_string_equal(out, "a b");
	assert_ok(percent_decode("", 0, false, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_ok(percent_decode("1234567", 7, false, out, sizeof(out)));
	assert_int_equal(percent_decode("12345678", 8, false, out, 8),
	    ERR_FULL);
	assert_int_equal(percent_decode("%4", 2, false, out, 8), ERR_FORMAT);
	assert_int_equal(percent_decode("%41", 2, false, out, 8), ERR_FORMAT);
	assert_int_equal(percent_decode("%g0", 3, false, out, 8), ERR_FORMAT);
	assert_int_equal(percent_decode("%0g", 3, false, out, 8), ERR_FORMAT);
	assert_int_equal(percent_decode("%00", 3, false, out, 8), ERR_FORMAT);
	assert_int_equal(percent_decode("a\0b", 3, false, out, 8), ERR_FORMAT);
}

static void
hostname_takes_our_addresses_and_localhost_only(void **state)
{
	static const char *const names[] = { "darkport.example", NULL };
	static const struct {
		const char *host;
		bool allowed;
	} cases[] = {
		{ "192.0.2.1", true }, { "192.0.2.1:8080", true },
		{ "[::ffff:192.0.2.1]:8080", true }, { "localhost", true },
		{ "LocalHost:1", true }, { "darkport.example", true },
		{ "Darkport.Example:443", true }, { "192.0.2.2", false },
		{ "evil.example", false }, { "localhost.evil.example", false },
		{ "localhost:", false }, { "localhost:8080x", false },
		{ "localhost:123456", false }, { "localhost ", false },
		{ "localhost@evil.example", false }, { "", false },
		{ ":8080", false }, { "[192.0.2.1]", false },
		{ "[2001:db8::1", false },
		{ "3221225985", false }, /* 192.0.2.1 as a number */
	};
	struct addr local = address("192.0.2.1");
	struct addr v6 = address("2001:db8::1");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (hostname_allowed(cases[i].host, &local, names) !=
		    cases[i].allowed)
			fail_msg("\"%s\" should %sbe allowed", cases[i].host,
			    cases[i].allowed ? "" : "not ");
	assert_true(hostname_allowed("[2001:DB8:0::1]:80", &v6, NULL));
	assert_false(hostname_allowed("[2001:db8::2]", &v6, NULL));
	assert_false(hostname_allowed("192.0.2.1", NULL, NULL));
	assert_false(hostname_allowed("darkport.example", &local, NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(params_of_no_query_are_the_defaults),
		TEST(params_reads_networks_and_addresses),
		TEST(params_reads_the_label_of_a_network),
		TEST(params_reads_lists_of_ports),
		TEST(params_refuses_every_broken_list_of_ports),
		TEST(params_reads_protocols_by_name_and_number),
		TEST(params_reads_tcp_or_udp_where_darkports_are),
		TEST(params_reads_times_in_every_form),
		TEST(params_refuses_an_interval_that_ends_before_it_starts),
		TEST(params_bounds_the_limit),
		TEST(params_takes_a_cursor_only_as_long_as_one_can_be),
		TEST(params_takes_back_the_relative_times_a_cursor_carries),
		TEST(params_names_the_parameter_it_does_not_know),
		TEST(
		    params_refuses_a_known_parameter_the_resource_does_not_take),
		TEST(params_refuses_repeated_and_empty_ones),
		TEST(params_refuses_bad_escapes_and_nul),
		TEST(params_shows_strangers_octets_as_question_marks),
		TEST(params_refuses_a_value_longer_than_any),
		TEST(domain_is_a_number_of_32_bits),
		TEST(params_states_are_those_of_the_findings),
		TEST(percent_decodes_what_is_right_and_nothing_else),
		TEST(hostname_takes_our_addresses_and_localhost_only),
	};

	return RUN_TESTS(tests);
}
