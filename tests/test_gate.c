/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: what it lets through to the decoding library, and what not.
 * Faults of libfixbuf 2.4.1 that its input must not reach have a test each.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/datagrams.h"

#include "collector/gate.h"
#include "collector/template.h"

static const struct build_field plain_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 } };

#define PLAIN	     plain_fields, FIELDS(plain_fields)
#define PLAIN_OCTETS 13
#define PLAIN_LINE   "10.0.0.1:1000>10.0.0.2:80 proto=6 octets=0"

static void
build_plain(struct build *b)
{
	build_addr(b, "10.0.0.1");
	build_addr(b, "10.0.0.2");
	build_u16(b, 1000);
	build_u16(b, 80);
	build_u8(b, 6);
}

/* After whatever came, a sound message must still be decoded. */
static void
expect_still_decoding(struct decoding *f)
{
	build_ipfix(&f->build, 4711, 0);
	build_template(&f->build, 65535, PLAIN);
	build_set(&f->build, 65535);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
}

/* --- sets --- */

static void
gate_reads_several_sets(void **state)
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_set(&f->build, 0);
	build_definition(&f->build, 256, PLAIN);
	build_definition(&f->build, 257, build_usual_fields, 10);
	build_set(&f->build, 257);
	build_usual_record(&f->build, "10.0.0.3", 1, "10.0.0.4", 2, 0x02, 1);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_plain(&f->build);
	build_zeros(&f->build, 2); /* padding to 4 */
	build_set(&f->build, 257);
	build_usual_record(&f->build, "10.0.0.5", 3, "10.0.0.6", 4, 0x12, 1);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.3:1>10.0.0.4:2 proto=6 flags=0x02 pkts=1 octets=60 "
	    "start=1699999999000 end=1699999999500 uptime=11000",
	    PLAIN_LINE, PLAIN_LINE,
	    "10.0.0.5:3>10.0.0.6:4 proto=6 flags=0x12 pkts=1 octets=60 "
	    "start=1699999999000 end=1699999999500 uptime=11000");
	assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED), 0);
}

static void
gate_goes_on_behind_an_unknown_template(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 300);
	build_zeros(&f->build, 21);
	build_set(&f->build, 17);
	build_zeros(&f->build, 5);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_UNKNOWN_TEMPLATE), 1);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_RESERVED), 1);
}

static void
gate_ends_quietly_at_zeros(void **state)
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_done(&f->build);
	build_zeros(&f->build, 1220); /* Palo Alto sends its whole buffer */
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED), 0);
}

static void
gate_keeps_what_came_before_a_wrong_length(void **state)
{
	static const uint16_t lengths[] = { 1, 3, 18, 65535 };
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(lengths); i++) {
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256, PLAIN);
		build_set(&f->build, 256);
		build_plain(&f->build);
		build_done(&f->build);
		build_u16(&f->build, 256);
		build_u16(&f->build, lengths[i]);
		build_plain(&f->build);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		EXPECT_FLOWS(f, PLAIN_LINE);
		assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED),
		    i + 1);
	}
}

static void
gate_counts_octets_behind_the_ipfix_length(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_done(&f->build);
	f->build.length_at = 0; /* leave the length as it is */
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_OCTETS_TRAILING), 17);
}

static void
gate_does_not_trust_the_netflow9_count(void **state)
{
	static const uint16_t counts[] = { 0, 1, 65535 };
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(counts); i++) {
		build_netflow9(&f->build, 0, 0);
		f->build.octets[2] = (uint8_t)(counts[i] >> 8);
		f->build.octets[3] = (uint8_t)counts[i];
		build_template(&f->build, 256, PLAIN);
		build_set(&f->build, 256);
		build_plain(&f->build);
		build_plain(&f->build);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE);
	}
}

/* --- fields --- */

static void
gate_skips_elements_it_does_not_use(void **state)
{
	static const struct build_field fields[] = { { 5, 1, 0 }, { 8, 4, 0 },
		{ 999, 7, 0 }, { 1, 3, 4242 }, { 12, 4, 0 }, { 7, 2, 0 },
		{ 8, 4, 16982 }, { 11, 2, 0 }, { 11, 2, 0 }, { 23, 4, 0 },
		{ 4, 1, 0 }, { 210, 5, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (int i = 0; i < 2; i++) {
		build_u8(&f->build, 0xff);
		build_addr(&f->build, "10.0.0.1");
		build_octets(&f->build, "\x1\x2\x3\x4\x5\x6\x7\x8\x9\xa", 10);
		build_addr(&f->build, "10.0.0.2");
		build_u16(&f->build, 1000);
		build_u32(&f->build, 0x01020304);
		build_u16(&f->build, 80);
		build_u16(&f->build, 81); /* the same element again */
		build_u32(&f->build, 99);
		build_u8(&f->build, 6);
		build_octets(&f->build, "abcde", 5);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE);
}

static void
gate_reads_past_variable_lengths(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 },
		{ 82, 65535, 0 }, { 12, 4, 0 }, { 7, 2, 0 }, { 11, 2, 0 },
		{ 293, 65535, 0 }, { 1, 65535, 0 }, { 4, 1, 0 },
		{ 77, 65535, 5951 } };
	static const uint8_t octets[300];
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (int i = 0; i < 3; i++) {
		build_addr(&f->build, "10.0.0.1");
		build_u8(&f->build, 4);
		build_octets(&f->build, "eth0", 4);
		build_addr(&f->build, "10.0.0.2");
		build_u16(&f->build, 1000);
		build_u16(&f->build, 80);
		build_u8(&f->build, 255); /* the long form of 300 */
		build_u16(&f->build, 300);
		build_octets(&f->build, octets, 300);
		build_u8(&f->build, 255); /* the long form of 0 */
		build_u16(&f->build, 0);
		build_u8(&f->build, 6);
		build_u8(&f->build, 0);
	}
	build_zeros(&f->build, 3);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED), 0);
}

static void
gate_stops_at_a_variable_length_that_does_not_fit(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 82, 65535, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (int i = 0; i < 2; i++) {
		build_addr(&f->build, "10.0.0.1");
		build_addr(&f->build, "10.0.0.2");
		build_u8(&f->build, 6);
		build_u8(&f->build, i == 0 ? 0 : 200);
	}
	build_zeros(&f->build, 20);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.2 proto=6 octets=0");
	assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED), 1);
}

static void
gate_reads_reduced_sizes_and_skips_odd_ones(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 1, 3, 0 }, { 2, 1, 0 }, { 10, 1, 0 },
		{ 14, 9, 0 }, { 6, 0, 0 }, { 152, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_octets(&f->build, "\x01\x00\x02", 3);
	build_u8(&f->build, 200);
	build_u8(&f->build, 7);
	build_octets(&f->build, "123456789abcd", 13);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 pkts=200 octets=65538 if=7>0");
}

/* --- templates --- */

static void
gate_ignores_withdrawals(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 2);
	build_definition(&f->build, 256, NULL, 0); /* this one */
	build_set(&f->build, 2);
	build_definition(&f->build, 2, NULL, 0); /* all of them */
	build_set(&f->build, 3);
	build_definition(&f->build, 3, NULL, 0);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_WITHDRAWN), 3);
}

static void
gate_counts_options_and_reads_none(void **state)
{
	static const struct build_field fields[] = { { 149, 4, 0 },
		{ 34, 4, 0 }, { 8, 4, 0 }, { 12, 4, 0 }, { 4, 1, 0 } };
	struct decoding *f = *state;

	for (int v9 = 0; v9 < 2; v9++) {
		if (v9)
			build_netflow9(&f->build, 0, 0);
		else
			build_ipfix(&f->build, 0, 0);
		build_options_template(&f->build, 256, 1, fields,
		    FIELDS(fields));
		build_set(&f->build, 256);
		build_zeros(&f->build, 3 * 17);
		build_template(&f->build, 257, PLAIN);
		build_set(&f->build, 257);
		build_plain(&f->build);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		EXPECT_FLOWS(f, PLAIN_LINE);
	}
	assert_int_equal(decoding_counted(f, COUNTER_OPTIONS_TEMPLATES), 2);
	assert_int_equal(decoding_counted(f, COUNTER_OPTIONS_RECORDS), 6);
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_ANNOUNCED), 2);
}

static void
gate_follows_an_id_from_data_to_options_and_back(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_options_template(&f->build, 256, 1, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_OPTIONS_RECORDS), 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_CHANGED), 2);
}

static void
gate_forgets_a_template_whose_new_form_it_refuses(void **state)
{
	struct build_field fields[200];
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(fields); i++)
		fields[i] = (struct build_field){ 8, 4, 0 };
	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_template(&f->build, 257, PLAIN); /* in the slot set free */
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_set(&f->build, 257);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED), 1);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_UNKNOWN_TEMPLATE), 1);
}

static void
gate_passes_a_refreshed_template_once(void **state)
{
	struct decoding *f = *state;

	for (int i = 0; i < 5; i++) {
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256, PLAIN);
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_CHANGED), 0);
	expect_still_decoding(f);
}

static bool
compiles(struct wire fields, uint16_t count, uint32_t max_fields,
    struct template_plan *plan)
{
	const struct template_definition definition = { .fields = fields,
		.count = count,
		.has_pens = true };

	return template_compile(&definition, max_fields, plan);
}

static void
template_compile_refuses_what_has_no_good_length(void **state)
{
	static struct template_plan plan;
	static struct build b;
	struct wire fields;

	(void)state;
	b.length = 0;
	build_u16(&b, 8);
	build_u16(&b, 0);
	fields = wire_over(b.octets, b.length);
	assert_false(compiles(fields, 0, 128, &plan));
	assert_false(compiles(fields, 1, 128, &plan));
	assert_false(compiles(fields, 2, 128, &plan));
	build_u16(&b, 999);
	build_u16(&b, TEMPLATE_OCTETS_MAX);
	fields = wire_over(b.octets, b.length);
	assert_true(compiles(fields, 2, 128, &plan));
	assert_false(compiles(fields, 2, 1, &plan));
	build_u16(&b, 4);
	build_u16(&b, 1);
	fields = wire_over(b.octets, b.length);
	assert_false(compiles(fields, 3, 128, &plan));
}

static void
template_compile_joins_what_is_skipped(void **state)
{
	static const struct build_field fields[] = { { 500, 3, 0 },
		{ 501, 4, 9 }, { 8, 4, 0 }, { 502, 65535, 0 }, { 503, 1, 0 },
		{ 504, 2, 0 }, { 8, 4, 0 } };
	static struct template_plan plan;
	static struct build b;

	(void)state;
	build_ipfix(&b, 0, 0);
	b.length = 0;
	for (size_t i = 0; i < FIELDS(fields); i++) {
		build_u16(&b, (uint16_t)(fields[i].number |
					 (fields[i].pen != 0 ? 0x8000 : 0)));
		build_u16(&b, fields[i].length);
		if (fields[i].pen != 0)
			build_u32(&b, fields[i].pen);
	}
	assert_true(compiles(wire_over(b.octets, b.length), FIELDS(fields), 128,
	    &plan));
	assert_int_equal(plan.count, 4);
	assert_int_equal(plan.fields[0].ie, IE_COUNT);
	assert_int_equal(plan.fields[0].length, 7);
	assert_int_equal(plan.fields[1].ie, IE_SRC_V4);
	assert_int_equal(plan.fields[2].length, IE_VARIABLE);
	assert_int_equal(plan.fields[3].length, 7);
	assert_int_equal(plan.octets, 19);
	assert_true(plan.is_variable);
	assert_true(plan.present == IE_BIT(IE_SRC_V4));
}

/* --- libfixbuf's faults --- */

/* It would give records of no length for ever. */
static void
gate_refuses_records_of_no_length(void **state) /* F1, F2 */
{
	static const struct build_field nothing[] = { { 8, 0, 0 }, { 12, 0, 0 },
		{ 4, 0, 0 } };
	struct decoding *f = *state;

	for (int v9 = 0; v9 < 2; v9++)
		for (size_t count = 0; count < 4; count += 3) {
			if (v9)
				build_netflow9(&f->build, 0, 0);
			else
				build_ipfix(&f->build, 0, 0);
			build_template(&f->build, 256, nothing, count);
			build_set(&f->build, 256);
			build_zeros(&f->build, 8);
			assert_int_equal(decoding_finish(f), DECODE_OK);
			assert_int_equal(f->batch.count, 0);
		}
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED), 3);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_WITHDRAWN), 1);
	expect_still_decoding(f);
}

/* It would read the record from behind the message. */
static void
gate_reads_no_record_from_a_short_set(void **state) /* F3 */
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	for (size_t n = 0; n < PLAIN_OCTETS; n++) {
		build_ipfix(&f->build, 0, 0);
		build_set(&f->build, 256);
		build_zeros(&f->build, n);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		assert_int_equal(f->batch.count, 0);
	}
	assert_int_equal(decoding_counted(f, COUNTER_SETS_MALFORMED),
	    PLAIN_OCTETS);
	expect_still_decoding(f);
}

/* It would take a second of time for each. */
static void
gate_refuses_thousands_of_fields(void **state) /* F4 */
{
	enum { COUNT = 16360 };
	struct build_field *fields = calloc(COUNT, sizeof(*fields));
	struct decoding *f = *state;

	assert_non_null(fields);
	for (size_t i = 0; i < COUNT; i++)
		fields[i] = (struct build_field){ 8, 4, 0 };
	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, COUNT);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED), 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_FIELDS),
	    1);
	free(fields);
	expect_still_decoding(f);
}

/* It would keep every one of them, in one chain of its hash table. */
static void
gate_shows_the_library_no_unknown_elements(void **state) /* F5 */
{
	struct build_field fields[100];
	struct decoding *f = *state;

	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < FIELDS(fields); i++)
			fields[i] = (struct build_field){ 8, 4,
				(round * 100 + i + 1) << 16 };
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256, fields, FIELDS(fields));
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	expect_still_decoding(f);
}

/* Its counter of templates in a set has 8 bits. */
static void
gate_takes_256_templates_in_a_set(void **state) /* F7 */
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_set(&f->build, 0);
	for (uint16_t i = 0; i < 256; i++)
		build_definition(&f->build, (uint16_t)(256 + i), PLAIN);
	build_set(&f->build, 511);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 256);
}

/* As many templates as there is room for, of one field, from id `first`. */
static void
define_many(struct decoding *f, uint16_t first)
{
	static const struct build_field one[] = { { 500, 1, 0 } };

	build_netflow9(&f->build, 0, 0);
	build_set(&f->build, 0);
	for (uint16_t i = 0; i < 2 * GATE_FRAME_LOOKUPS; i++)
		build_definition(&f->build, (uint16_t)(first + i), one, 1);
	assert_true(f->build.length <= GATE_FRAME_OCTETS);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
append_octet_set(struct build *b, unsigned id)
{
	build_set(b, (uint16_t)id);
	build_u8(b, 7);
}

/* Each could cost a miss of every cache; those of the last few are free. */
static void
gate_looks_up_so_many_templates_in_a_frame(void **state)
{
	struct decoding *f = *state;
	const struct counters *c = &f->counters;
	const uint16_t last = 256 + 2 * GATE_FRAME_LOOKUPS - 1;

	for (uint16_t i = 0; i < 2; i++)
		define_many(f, (uint16_t)(256 + i * GATE_FRAME_LOOKUPS));
	assert_int_equal(counter_get(c, COUNTER_TEMPLATES_LEARNED),
	    2 * GATE_FRAME_LOOKUPS);
	assert_int_equal(counter_get(c, COUNTER_TEMPLATES_REFUSED_LIMIT),
	    2 * GATE_FRAME_LOOKUPS);
	build_netflow9(&f->build, 0, 1);
	for (unsigned i = 0; i < GATE_FRAME_LOOKUPS; i++)
		append_octet_set(&f->build, 1000 + i);
	for (unsigned i = 0; i < GATE_FRAME_LOOKUPS; i++)
		append_octet_set(&f->build, last);
	append_octet_set(&f->build, 256); /* known, but not of late */
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(counter_get(c, COUNTER_RECORDS_UNUSABLE),
	    GATE_FRAME_LOOKUPS);
	assert_int_equal(counter_get(c, COUNTER_SETS_UNKNOWN_TEMPLATE),
	    GATE_FRAME_LOOKUPS + 1);
	build_netflow9(&f->build, 0, 2);
	append_octet_set(&f->build, 256);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(counter_get(c, COUNTER_RECORDS_UNUSABLE),
	    GATE_FRAME_LOOKUPS + 1);
}

/* One that changes again and again is compiled again and again. */
static void
gate_takes_so_many_redefinitions_in_a_frame(void **state)
{
	static const struct build_field fields[] = { { 500, 1, 0 },
		{ 501, 1, 0 } };
	const unsigned defined = 2 * GATE_FRAME_LOOKUPS;
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_set(&f->build, 0);
	for (unsigned i = 0; i < defined; i++)
		build_definition(&f->build, 256, &fields[i % 2], 1);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_CHANGED),
	    GATE_FRAME_LOOKUPS - 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_LIMIT),
	    defined - GATE_FRAME_LOOKUPS);
}

/* It would look at the octet behind. */
static void
gate_takes_a_variable_length_at_the_very_end(void **state) /* F8 */
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 82, 65535, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u8(&f->build, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.2 proto=6 octets=0");
	/* and one where the length is missing altogether */
	build_ipfix(&f->build, 0, 0);
	build_set(&f->build, 256);
	build_zeros(&f->build, 9);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
	expect_still_decoding(f);
}

/* It would leak each, and lose the rest of the message. */
static void
gate_refuses_template_ids_below_256(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	for (uint16_t id = 0; id < 256; id++)
		build_template(&f->build, id, PLAIN);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED), 256);
}

/* --- the two ways to decode --- */

static int
set_up_library(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true;
	config.by_library = true;
	return decoding_set_up_with(state, &config);
}

#define LIBRARY_TEST(function)                                                 \
	cmocka_unit_test_setup_teardown(function, set_up_library,              \
	    decoding_tear_down)

/*
 * A record of three elements we use and *field, its octets counting up; with
 * a variable-length field behind, it goes through the library.
 */
static void
decode_one_element(struct decoding *f, const struct build_field *field,
    bool by_library)
{
	const struct build_field fields[] = { { 8, 4, 0 }, *field, { 12, 4, 0 },
		{ 4, 1, 0 }, { 500, 65535, 0 } };

	build_ipfix(&f->build, by_library, 0);
	build_template(&f->build, 256, fields, FIELDS(fields) - !by_library);
	build_set(&f->build, 256);
	for (unsigned i = 0; i < 9U + field->length; i++)
		build_u8(&f->build, (uint8_t)(0x81 + i));
	if (by_library)
		build_u8(&f->build, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
gate_reads_by_plan_what_the_library_reads(void **state)
{
	static struct flow_record direct[2];
	struct decoding *f = *state;

	for (unsigned i = 0; i < IE_COUNT; i++)
		for (uint16_t length = 0; length <= 17; length++) {
			const struct ie_info *info = ie_info((enum ie)i);
			const struct build_field field = { info->number, length,
				info->pen };
			uint32_t count;

			decode_one_element(f, &field, false);
			count = f->batch.count;
			assert_in_range(count, 1, 2);
			memcpy(direct, f->batch.records,
			    count * sizeof(direct[0]));
			decode_one_element(f, &field, true);
			assert_int_equal(f->batch.count, count);
			for (uint32_t j = 0; j < count; j++) {
				direct[j].exporter =
				    f->batch.records[j].exporter;
				assert_memory_equal(&direct[j],
				    &f->batch.records[j], sizeof(direct[j]));
			}
		}
}

static void
gate_refuses_variable_templates_beyond_the_librarys_number(void **state)
{
	static const struct build_field variable[] = { { 8, 4, 0 },
		{ 12, 4, 0 }, { 4, 1, 0 }, { 82, 65535, 0 } };
	struct decoding *f = *state;
	const int64_t hour_ms = 3600 * 1000;

	for (uint32_t domain = 0; domain < 3; domain++) {
		build_ipfix(&f->build, domain, 0);
		for (uint16_t i = 0; i < 100; i++)
			build_template(&f->build, (uint16_t)(256 + i), variable,
			    FIELDS(variable));
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED),
	    GATE_LIBRARY_MAX);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_LIMIT),
	    300 - GATE_LIBRARY_MAX);
	/* one that becomes fixed makes room */
	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_template(&f->build, 999, variable, FIELDS(variable));
	build_set(&f->build, 999);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u8(&f->build, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.2 proto=6 octets=0");
	/* and so do those that grow old, one a datagram */
	build_ipfix(&f->build, 5, 0);
	for (int i = 0; i < 2 * GATE_LIBRARY_MAX; i++)
		assert_int_equal(decoding_finish_later(f, hour_ms), DECODE_OK);
	build_ipfix(&f->build, 5, 0);
	for (uint16_t i = 0; i < 200; i++)
		build_template(&f->build, (uint16_t)(256 + i), variable,
		    FIELDS(variable));
	assert_int_equal(decoding_finish_later(f, hour_ms), DECODE_OK);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_LIMIT),
	    300 - GATE_LIBRARY_MAX);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(gate_reads_several_sets),
		DECODING_TEST(gate_goes_on_behind_an_unknown_template),
		DECODING_TEST(gate_ends_quietly_at_zeros),
		DECODING_TEST(gate_keeps_what_came_before_a_wrong_length),
		DECODING_TEST(gate_counts_octets_behind_the_ipfix_length),
		DECODING_TEST(gate_does_not_trust_the_netflow9_count),
		DECODING_TEST(gate_skips_elements_it_does_not_use),
		DECODING_TEST(gate_reads_past_variable_lengths),
		DECODING_TEST(
		    gate_stops_at_a_variable_length_that_does_not_fit),
		DECODING_TEST(gate_reads_reduced_sizes_and_skips_odd_ones),
		DECODING_TEST(gate_ignores_withdrawals),
		DECODING_TEST(gate_counts_options_and_reads_none),
		DECODING_TEST(gate_follows_an_id_from_data_to_options_and_back),
		DECODING_TEST(
		    gate_forgets_a_template_whose_new_form_it_refuses),
		DECODING_TEST(gate_passes_a_refreshed_template_once),
		TEST(template_compile_refuses_what_has_no_good_length),
		TEST(template_compile_joins_what_is_skipped),
		DECODING_TEST(gate_refuses_records_of_no_length),
		DECODING_TEST(gate_reads_no_record_from_a_short_set),
		DECODING_TEST(gate_refuses_thousands_of_fields),
		DECODING_TEST(gate_shows_the_library_no_unknown_elements),
		DECODING_TEST(gate_takes_256_templates_in_a_set),
		DECODING_TEST(gate_looks_up_so_many_templates_in_a_frame),
		DECODING_TEST(gate_takes_so_many_redefinitions_in_a_frame),
		DECODING_TEST(gate_takes_a_variable_length_at_the_very_end),
		DECODING_TEST(gate_refuses_template_ids_below_256),
		LIBRARY_TEST(gate_reads_by_plan_what_the_library_reads),
		LIBRARY_TEST(
		    gate_refuses_variable_templates_beyond_the_librarys_number),
	};

	return RUN_TESTS(tests);
}
