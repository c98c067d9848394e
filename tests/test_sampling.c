/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sampling rates: headers, options, records; and timeouts and names of
 * interfaces beside them.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/gate.h"
#include "tests/datagrams.h"

#include "collector/ie.h"
#include "collector/interface.h"
#include "collector/sampling.h"

#define V5_SAMPLING_AT 22

/* addresses, protocol, interfaces */
static const struct build_field flow_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 4, 1, 0 }, { 10, 4, 0 }, { 14, 4, 0 }, { 48, 1, 0 } };

/* A flow of these interfaces and this sampler. */
static void
build_flow(struct build *b, uint32_t ingress, uint32_t egress, uint8_t sampler)
{
	build_addr(b, "10.0.0.1");
	build_addr(b, "10.0.0.2");
	build_u8(b, 47);
	build_u32(b, ingress);
	build_u32(b, egress);
	build_u8(b, sampler);
}

static uint32_t
rate(const struct decoding *f, uint32_t record)
{
	assert_true(record < f->batch.count);
	return f->batch.records[record].sampling;
}

/* --- v5 --- */

static void
netflow5_sampling_is_14_bits_of_the_header(void **state)
{
	static const struct {
		uint16_t header;
		uint32_t rate;
	} rows[] = { { 0, 1 }, { 1, 1 }, { 100, 100 }, { 0x4000 | 512, 512 },
		{ 0x8000 | 1000, 1000 }, { 0x4000, 1 }, { 0xffff, 16383 } };
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		1, 2, 1, 2, 2, 6 };
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(rows); i++) {
		build_netflow5(&f->build, (uint32_t)i, 1);
		wire_put_u16(f->build.octets + V5_SAMPLING_AT, rows[i].header);
		build_netflow5_record(&f->build, &r);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		assert_int_equal(rate(f, 0), rows[i].rate);
		assert_int_equal(decoder_exporter(f->decoder, 0).sampling,
		    rows[i].rate);
	}
}

/* --- options --- */

static void
exporters_that_tell_nothing_do_not_sample(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, flow_fields, FIELDS(flow_fields));
	build_set(&f->build, 256);
	build_flow(&f->build, 1, 2, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(rate(f, 0), 1);
	assert_int_equal(decoder_exporter(f->decoder, 0).sampling, 1);
}

static void
flow_of_an_unknown_sampler_has_an_unknown_rate(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, flow_fields, FIELDS(flow_fields));
	build_set(&f->build, 256);
	build_flow(&f->build, 1, 2, 3);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(rate(f, 0), 0);
}

/* Options in front of data, in one message, hold for it. */
static void
netflow9_samplers_and_interfaces_have_rates_of_their_own(void **state)
{
	static const struct build_field by_sampler[] = { { 1, 4, 0 },
		{ 48, 1, 0 }, { 49, 1, 0 }, { 50, 4, 0 } };
	static const struct build_field by_interface[] = { { 2, 4, 0 },
		{ 34, 4, 0 }, { 35, 1, 0 } };
	static const struct build_field by_system[] = { { 1, 4, 0 },
		{ 34, 4, 0 }, { 36, 2, 0 }, { 37, 2, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;
	struct exporter_info info;

	build_netflow9(b, 0, 0);
	build_template(b, 256, flow_fields, FIELDS(flow_fields));
	build_options_template(b, 257, 1, by_sampler, FIELDS(by_sampler));
	build_options_template(b, 258, 1, by_interface, FIELDS(by_interface));
	build_options_template(b, 259, 1, by_system, FIELDS(by_system));
	build_set(b, 256);
	build_flow(b, 7, 8, 0); /* before anything is told */
	build_set(b, 257);
	build_octets(b, "\0\0\0\1\3\2\0\0\1\0", 10); /* 3: 256 */
	build_octets(b, "\0\0\0\1\4\2\0\0\0\0", 10); /* 4: 0, not sampled */
	build_set(b, 258);
	build_octets(b, "\0\0\0\7\0\0\0\x40\1", 9); /* interface 7: 64 */
	build_set(b, 259);
	build_octets(b, "\0\0\0\1\0\0\0\x10\0\x3c\0\xf", 12); /* 16 */
	build_set(b, 256);
	build_flow(b, 7, 8, 3);
	build_flow(b, 7, 8, 4);
	build_flow(b, 7, 8, 5);
	build_flow(b, 7, 8, 0);
	build_flow(b, 8, 7, 0);
	build_flow(b, 8, 9, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 7);
	assert_int_equal(rate(f, 0), 1);
	assert_int_equal(rate(f, 1), 256);
	assert_int_equal(rate(f, 2), 1);
	assert_int_equal(rate(f, 3), 0);
	assert_int_equal(rate(f, 4), 64);
	assert_int_equal(rate(f, 5), 64);
	assert_int_equal(rate(f, 6), 16);
	info = decoder_exporter(f->decoder, 0);
	assert_int_equal(info.sampling, 16);
	assert_int_equal(info.active_timeout_s, 60);
	assert_int_equal(info.idle_timeout_s, 15);
}

/* selectorId 64 bits; 305 and 306, or 309 and 310. */
static void
ipfix_selectors_tell_rates_in_two_ways(void **state)
{
	static const struct build_field by_space[] = { { 302, 8, 0 },
		{ 304, 2, 0 }, { 305, 4, 0 }, { 306, 4, 0 } };
	static const struct build_field by_size[] = { { 302, 2, 0 },
		{ 304, 2, 0 }, { 309, 4, 0 }, { 310, 4, 0 },
		{ 335, 65535, 0 } }; /* a name: of variable length */
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 302, 8, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;
	static const uint64_t selectors[] = { UINT64_C(1) << 40, 9, 10 };

	build_ipfix(b, 0, 0);
	build_template(b, 256, fields, FIELDS(fields));
	build_options_template(b, 257, 1, by_space, FIELDS(by_space));
	build_options_template(b, 258, 1, by_size, FIELDS(by_size));
	build_set(b, 257);
	build_u64(b, UINT64_C(1) << 40);
	build_octets(b, "\0\1\0\0\0\2\0\0\0\x62", 10); /* 2 of 2 + 98 */
	build_set(b, 258);
	build_octets(b, "\0\x9\0\3\0\0\0\3\0\0\0\x1e\4name", 17); /* 3 of 30 */
	build_octets(b, "\0\xa\0\3\0\0\0\0\0\0\0\x1e\0", 13);	  /* 0: none */
	build_set(b, 256);
	for (size_t i = 0; i < FIELDS(selectors); i++) {
		build_addr(b, "10.0.0.1");
		build_addr(b, "10.0.0.2");
		build_u8(b, 47);
		build_u64(b, selectors[i]);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(rate(f, 0), 50);
	assert_int_equal(rate(f, 1), 10);
	assert_int_equal(rate(f, 2), 1);
}

static void
flow_that_tells_its_own_rate_is_believed(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 34, 4, 0 }, { 50, 2, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;
	static const uint32_t values[][3] = { { 10, 0, 10 }, { 0, 20, 20 },
		{ 0, 0, 1 }, { 1, 0, 1 } };

	build_ipfix(b, 0, 0);
	build_template(b, 256, fields, FIELDS(fields));
	build_set(b, 256);
	for (size_t i = 0; i < FIELDS(values); i++) {
		build_addr(b, "10.0.0.1");
		build_addr(b, "10.0.0.2");
		build_u8(b, 47);
		build_u32(b, values[i][0]);
		build_u16(b, (uint16_t)values[i][1]);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	for (uint32_t i = 0; i < FIELDS(values); i++)
		assert_int_equal(rate(f, i), values[i][2]);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.2 proto=47 octets=0 sampling=10",
	    "10.0.0.1>10.0.0.2 proto=47 octets=0 sampling=20",
	    "10.0.0.1>10.0.0.2 proto=47 octets=0",
	    "10.0.0.1>10.0.0.2 proto=47 octets=0");
}

static void
sampler_that_changes_its_rate_is_followed(void **state)
{
	static const struct build_field options[] = { { 48, 4, 0 },
		{ 34, 4, 0 } };
	struct decoding *f = *state;

	for (uint32_t i = 1; i < 4; i++) {
		build_ipfix(&f->build, 0, i);
		build_template(&f->build, 256, flow_fields,
		    FIELDS(flow_fields));
		build_options_template(&f->build, 257, 1, options,
		    FIELDS(options));
		build_set(&f->build, 257);
		build_u32(&f->build, 9);
		build_u32(&f->build, i * 100);
		build_set(&f->build, 256);
		build_flow(&f->build, 1, 2, 9);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		assert_int_equal(rate(f, 0), i * 100);
	}
	/* the only sampler there is stands for the exporter */
	assert_int_equal(decoder_exporter(f->decoder, 0).sampling, 300);
}

/* --- the table --- */

static void
sampling_keeps_a_bounded_number_of_samplers_and_interfaces(void **state)
{
	struct sampling s = { 0 };
	struct ie_record r = { .sampling_interval = 100 };
	const ie_set told = IE_BIT(IE_SAMPLING_INTERVAL);
	const ie_set sampler = IE_BIT(IE_SAMPLER_ID);
	const ie_set interface = IE_BIT(IE_INGRESS_IF);

	(void)state;
	for (r.sampler_id = 1; r.sampler_id <= 1000; r.sampler_id++)
		assert_int_equal(sampling_learn(&s, &r, told | sampler),
		    r.sampler_id <= SAMPLING_SAMPLERS);
	for (r.ingress_if = 1; r.ingress_if <= 1000; r.ingress_if++)
		assert_int_equal(sampling_learn(&s, &r, told | interface),
		    r.ingress_if <= SAMPLING_INTERFACES);
	r = (struct ie_record){ .sampler_id = SAMPLING_SAMPLERS };
	assert_int_equal(sampling_of(&s, &r, sampler, 0), 100);
	r.sampler_id++;
	assert_int_equal(sampling_of(&s, &r, sampler, 0), 0);
	r.ingress_if = SAMPLING_INTERFACES;
	assert_int_equal(sampling_of(&s, &r, interface, 0), 100);
	r.ingress_if++;
	assert_int_equal(sampling_of(&s, &r, interface, 0), 1);
	assert_int_equal(sampling_of(&s, &r, interface, 77), 77);
}

static void
sampling_comes_back_as_it_was_saved(void **state)
{
	struct sampling s = { .rate = 7 };
	struct ie_record r = { .sampling_interval = UINT32_MAX };
	uint8_t octets[SAMPLING_OCTETS_MAX];
	struct sampling back;
	uint16_t length;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		r.selector_id = UINT64_MAX - i;
		(void)sampling_learn(&s, &r,
		    IE_BIT(IE_SAMPLING_INTERVAL) | IE_BIT(IE_SELECTOR_ID));
		r.ingress_if = UINT32_MAX - i;
		(void)sampling_learn(&s, &r,
		    IE_BIT(IE_SAMPLING_INTERVAL) | IE_BIT(IE_INGRESS_IF));
	}
	length = sampling_save(&s, octets);
	assert_int_equal(length, SAMPLING_OCTETS_MAX);
	assert_true(sampling_load(&back, wire_over(octets, length)));
	assert_int_equal(back.rate, 7);
	assert_int_equal(back.samplers, SAMPLING_SAMPLERS);
	assert_int_equal(back.interfaces, SAMPLING_INTERFACES);
	assert_memory_equal(back.by_interface, s.by_interface,
	    sizeof(s.by_interface));
	for (unsigned i = 0; i < SAMPLING_SAMPLERS; i++) {
		assert_true(back.by_sampler[i].id == s.by_sampler[i].id);
		assert_int_equal(back.by_sampler[i].rate, s.by_sampler[i].rate);
	}
	for (uint16_t cut = 0; cut < length; cut++)
		assert_false(sampling_load(&back, wire_over(octets, cut)));
	octets[4] = SAMPLING_SAMPLERS + 1;
	assert_false(sampling_load(&back, wire_over(octets, length)));
}

/* --- names of interfaces, which options tell beside rates --- */

static void
assert_name(const struct decoding *f, uint32_t interface, const char *name)
{
	const char *known = decoder_interface_name(f->decoder, 0, interface);

	if (name == NULL) {
		assert_null(known);
		return;
	}
	assert_non_null(known);
	assert_string_equal(known, name);
}

static void
netflow9_interfaces_are_named_by_their_scope(void **state)
{
	static const struct build_field options[] = { { 2, 4, 0 }, { 83, 8, 0 },
		{ 82, 8, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;

	build_netflow9(b, 0, 0);
	build_options_template(b, 257, 1, options, FIELDS(options));
	build_set(b, 257);
	build_octets(b, "\0\0\0\7uplink\0\0Gi0/1\0\0\0", 20);
	build_octets(b, "\0\0\0\x8text\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	build_octets(b, "\0\0\0\0nowhere\0Gi0/0\0\0\0", 20);
	build_octets(b, "\0\0\0\x9\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	build_octets(b, "\0\0\0\xa\0\0\0\0\0\0\0\0\xc3\xa9\n\x7f\x1b[0m", 20);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_name(f, 7, "Gi0/1");
	assert_name(f, 8, "text"); /* no name, but a description */
	assert_name(f, 0, NULL);
	assert_name(f, 9, NULL);
	assert_name(f, 10, "?????[0m");
}

static void
ipfix_interfaces_have_names_of_any_length(void **state)
{
	static const struct build_field options[] = { { 14, 2, 0 },
		{ 82, IE_VARIABLE, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;

	build_ipfix(b, 0, 0);
	build_options_template(b, 257, 1, options, FIELDS(options));
	build_set(b, 257);
	build_octets(b, "\0\1\4eth0", 7);
	build_octets(b, "\0\2\0", 3);
	build_octets(b,
	    "\0\3\x28"
	    "0123456789012345678901234567890123456789",
	    43);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_name(f, 1, "eth0");
	assert_name(f, 2, NULL);
	assert_name(f, 3, "0123456789012345678901234567890");
	build_ipfix(b, 0, 3);
	build_set(b, 257);
	build_octets(b, "\0\1\3lan", 6);
	build_octets(b, "\0\1\0", 3); /* no name: it keeps the one it has */
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_name(f, 1, "lan");
}

static void
names_of_interfaces_are_refused_when_full(void **state)
{
	static const struct build_field options[] = { { 10, 4, 0 },
		{ 82, 4, 0 } };
	struct decoding *f = *state;
	struct build *b = &f->build;

	build_ipfix(b, 0, 0);
	build_options_template(b, 257, 1, options, FIELDS(options));
	build_set(b, 257);
	for (uint32_t i = 1; i <= INTERFACE_NAMES + 3; i++) {
		build_u32(b, i);
		build_octets(b, "old\0", 4);
	}
	build_octets(b, "\0\0\0\1new\0", 8);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_name(f, 1, "new");
	assert_name(f, INTERFACE_NAMES, "old");
	assert_name(f, INTERFACE_NAMES + 1, NULL);
	assert_int_equal(decoding_counted(f, COUNTER_INTERFACE_NAMES_REFUSED),
	    3);
}

static void
names_in_flow_records_name_no_interface(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 10, 4, 0 }, { 82, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 47);
	build_u32(&f->build, 1);
	build_octets(&f->build, "eth0", 4);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 1);
	assert_name(f, 1, NULL);
}

static void
options_beyond_the_bound_of_a_message_are_counted_and_not_read(void **state)
{
	static const struct build_field fields[] = { { 10, 4, 0 },
		{ 83, 4, 0 } };
	static const uint32_t bounds[] = { GATE_FRAME_OPTIONS,
		GATE_OPTIONS_MAX };
	struct decoding *f = *state;
	struct build *b = &f->build;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < FIELDS(bounds); i++) {
		build_ipfix(b, 0, 0);
		build_options_template(b, 300, 1, fields, FIELDS(fields));
		build_set(b, 300);
		for (uint32_t n = 0; n < bounds[i]; n++) {
			build_u32(b, i + 1);
			build_octets(b, "last", 4);
		}
		build_u32(b, i + 1);
		build_octets(b, "none", 4);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		seen += bounds[i] + 1;
		assert_int_equal(decoding_counted(f, COUNTER_OPTIONS_RECORDS),
		    seen);
		assert_string_equal(decoder_interface_name(f->decoder, 0,
					i + 1),
		    "last");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(
		    options_beyond_the_bound_of_a_message_are_counted_and_not_read),
		DECODING_TEST(netflow5_sampling_is_14_bits_of_the_header),
		DECODING_TEST(exporters_that_tell_nothing_do_not_sample),
		DECODING_TEST(flow_of_an_unknown_sampler_has_an_unknown_rate),
		DECODING_TEST(
		    netflow9_samplers_and_interfaces_have_rates_of_their_own),
		DECODING_TEST(ipfix_selectors_tell_rates_in_two_ways),
		DECODING_TEST(flow_that_tells_its_own_rate_is_believed),
		DECODING_TEST(sampler_that_changes_its_rate_is_followed),
		TEST(
		    sampling_keeps_a_bounded_number_of_samplers_and_interfaces),
		TEST(sampling_comes_back_as_it_was_saved),
		DECODING_TEST(netflow9_interfaces_are_named_by_their_scope),
		DECODING_TEST(ipfix_interfaces_have_names_of_any_length),
		DECODING_TEST(names_of_interfaces_are_refused_when_full),
		DECODING_TEST(names_in_flow_records_name_no_interface),
	};

	return RUN_TESTS(tests);
}
