/* SPDX-License-Identifier: Apache-2.0 */
/* A flow record as a line of JSON. */
#include <string.h>

#include <jansson.h>

#include "tests/test.h"

#include "collector/flow_json.h"

static struct addr
parsed(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

static const struct flow_json_names no_names = { NULL, NULL };

static struct exporter_info
an_exporter(void)
{
	return (struct exporter_info){ .address = parsed("192.0.2.1"),
		.domain = 256,
		.protocol = EXPORT_NETFLOW9,
		.source_port = 2055 };
}

static void
flow_json_shows_what_every_record_has_and_no_more(void **state)
{
	const struct exporter_info e = an_exporter();
	const struct flow_record f = { .src = parsed("203.0.113.10"),
		.dst = parsed("2001:db8::5"),
		.received_ms = 1500000000123,
		.export_ms = 1500000000000,
		.protocol = 47,
		.octets = 286,
		.sampling = 1,
		/* without their bits these mean nothing */
		.src_port = 1,
		.tcp_flags = 2,
		.packets = 3,
		.start_ms = 4,
		.icmp_type = 5 };
	char text[FLOW_JSON_MAX];

	(void)state;
	flow_json(&f, &e, &no_names, text);
	assert_string_equal(text,
	    "{\"exporter\":\"192.0.2.1\",\"exporter_port\":2055,"
	    "\"domain\":256,\"export_protocol\":\"netflow9\","
	    "\"received\":\"2017-07-14T02:40:00.123Z\","
	    "\"received_ms\":1500000000123,"
	    "\"exported\":\"2017-07-14T02:40:00.000Z\","
	    "\"exported_ms\":1500000000000,"
	    "\"src\":\"203.0.113.10\",\"dst\":\"2001:db8::5\","
	    "\"protocol\":47,\"octets\":286,\"sampling\":1}\n");
}

static void
assert_number(const json_t *o, const char *name, int64_t value)
{
	const json_t *member = json_object_get(o, name);

	if (!json_is_integer(member))
		fail_msg("%s is not there", name);
	if (json_integer_value(member) != value)
		fail_msg("%s is %lld", name,
		    (long long)json_integer_value(member));
}

static void
assert_text(const json_t *o, const char *name, const char *value)
{
	const json_t *member = json_object_get(o, name);

	if (!json_is_string(member))
		fail_msg("%s is not there", name);
	assert_string_equal(json_string_value(member), value);
}

/* Every member that only some records have, each with a value of its own. */
static struct flow_record
a_full_record(void)
{
	return (struct flow_record){ .src = parsed("203.0.113.10"),
		.dst = parsed("198.51.100.5"),
		.protocol = 6,
		.src_port = 43000,
		.dst_port = 80,
		.packets = 5,
		.octets = 286,
		.start_ms = 1500000000007,
		.end_ms = 1500000001999,
		.start_uptime_ms = 21,
		.ingress_if = 22,
		.egress_if = 23,
		.ingress_vrf = 24,
		.tcp_flags = 0x1b,
		.initial_flags = 0x02,
		.icmp_type = 25,
		.icmp_code = 26,
		.biflow_direction = 1,
		.firewall_event = 27,
		.firewall_ext = 2025,
		.end_reason = 28,
		.direction = 1,
		.post_dst = parsed("10.0.0.5"),
		.post_dst_port = 8080,
		.post_src = parsed("192.0.2.77"),
		.post_src_port = 1077,
		.has = FLOW_HAS_PORTS | FLOW_HAS_TCP_FLAGS |
		       FLOW_HAS_INITIAL_FLAGS | FLOW_HAS_ICMP | FLOW_HAS_TIMES |
		       FLOW_HAS_UPTIME | FLOW_HAS_BIFLOW_DIRECTION |
		       FLOW_HAS_FIREWALL_EVENT | FLOW_HAS_END_REASON |
		       FLOW_IS_REVERSE | FLOW_HAS_PACKETS |
		       FLOW_HAS_FIREWALL_EXT | FLOW_HAS_DIRECTION |
		       FLOW_HAS_NAT | FLOW_HAS_NAT_SRC };
}

static void
flow_json_is_json_with_every_field_by_its_name(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} numbers[] = { { "src_port", 43000 }, { "dst_port", 80 },
		{ "start_ms", 1500000000007 }, { "end_ms", 1500000001999 },
		{ "start_uptime_ms", 21 }, { "ingress_if", 22 },
		{ "egress_if", 23 }, { "ingress_vrf", 24 },
		{ "tcp_flags", 0x1b }, { "initial_flags", 2 },
		{ "icmp_type", 25 }, { "icmp_code", 26 },
		{ "biflow_direction", 1 }, { "firewall_event", 27 },
		{ "firewall_ext", 2025 }, { "end_reason", 28 },
		{ "direction", 1 }, { "post_dst_port", 8080 },
		{ "post_src_port", 1077 }, { "sampling", 0 } };
	const struct exporter_info e = an_exporter();
	const struct flow_record f = a_full_record();
	char text[FLOW_JSON_MAX];
	size_t length;
	json_t *o;

	(void)state;
	length = flow_json(&f, &e, &no_names, text);
	assert_int_equal(length, strlen(text));
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_number(o, "packets", 5);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_number(o, numbers[i].name, numbers[i].value);
	assert_text(o, "start", "2017-07-14T02:40:00.007Z");
	assert_text(o, "end", "2017-07-14T02:40:01.999Z");
	assert_text(o, "post_dst", "10.0.0.5");
	assert_text(o, "post_src", "192.0.2.77");
	assert_true(json_is_true(json_object_get(o, "reverse")));
	json_decref(o);
}

static void
flow_json_leaves_out_the_text_of_an_impossible_time(void **state)
{
	const struct exporter_info e = an_exporter();
	struct flow_record f = a_full_record();
	char text[FLOW_JSON_MAX];

	(void)state;
	f.start_ms = -1;
	f.end_ms = INT64_MAX;
	flow_json(&f, &e, &no_names, text);
	assert_null(strstr(text, "\"start\":"));
	assert_null(strstr(text, "\"end\":"));
	assert_non_null(
	    strstr(text, "\"start_ms\":-1,\"end_ms\":9223372036854775807,"));
}

static void
flow_json_escapes_the_names_of_interfaces(void **state)
{
	const struct flow_json_names names = { "Gi0/1 \"up\"", "C:\\" };
	const struct exporter_info e = an_exporter();
	const struct flow_record f = a_full_record();
	char text[FLOW_JSON_MAX];
	json_t *o;

	(void)state;
	flow_json(&f, &e, &names, text);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_text(o, "ingress_if_name", names.ingress);
	assert_text(o, "egress_if_name", names.egress);
	json_decref(o);
}

static void
flow_json_has_room_for_the_longest(void **state)
{
	static const struct flow_json_names names = {
		"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
		"\"",
		"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"
	};
	struct exporter_info e = an_exporter();
	struct flow_record f;
	char text[FLOW_JSON_MAX];
	size_t length;

	(void)state;
	memset(&f, 0xff, sizeof(f));
	f.src = parsed("fe80:1111:2222:3333:4444:5555:6666:7777");
	f.dst = f.src;
	f.post_dst = f.src;
	f.post_src = f.src;
	f.received_ms = INT64_MIN;
	f.export_ms = INT64_MIN;
	f.start_ms = INT64_MIN;
	f.end_ms = INT64_MIN;
	e.address = f.src;
	e.domain = UINT32_MAX;
	e.source_port = UINT16_MAX;
	length = flow_json(&f, &e, &names, text);
	assert_non_null(strstr(text, "\"packets\":18446744073709551615,"));
	assert_non_null(strstr(text, "\"start_ms\":-9223372036854775808,"));
	assert_string_equal(text + length - 17, ",\"reverse\":true}\n");
	/* times in words as well, were they possible */
	assert_true(length + 4 * strlen("\"received\":\"2017-07-14T02:40:"
					"00.123Z\",") <
		    FLOW_JSON_MAX);
}

static void
flow_json_names_the_export_protocols(void **state)
{
	const struct flow_record f = { .protocol = 6 };
	struct exporter_info e = an_exporter();
	char text[FLOW_JSON_MAX];

	(void)state;
	e.protocol = EXPORT_NETFLOW5;
	flow_json(&f, &e, &no_names, text);
	assert_non_null(strstr(text, "\"export_protocol\":\"netflow5\""));
	e.protocol = EXPORT_IPFIX;
	flow_json(&f, &e, &no_names, text);
	assert_non_null(strstr(text, "\"export_protocol\":\"ipfix\""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flow_json_shows_what_every_record_has_and_no_more),
		TEST(flow_json_is_json_with_every_field_by_its_name),
		TEST(flow_json_leaves_out_the_text_of_an_impossible_time),
		TEST(flow_json_escapes_the_names_of_interfaces),
		TEST(flow_json_has_room_for_the_longest),
		TEST(flow_json_names_the_export_protocols),
	};

	return RUN_TESTS(tests);
}
