/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decode door: what becomes of whole datagrams. B1 to B14 are the
 * project's list of decoder cases.
 */
#include <stdlib.h>

#include "tests/datagrams.h"

#define REVERSE	  29305
#define CERT	  6871
#define EXPORT_MS (INT64_C(1000) * BUILD_EXPORT_S)

/* Bounds that a test can reach. */
static int
set_up_small(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true;
	config.max_exporters = 2;
	config.max_domains = 2;
	config.max_templates = 3;
	config.max_fields = 16;
	return decoding_set_up_with(state, &config);
}

#define SMALL_TEST(function)                                                   \
	cmocka_unit_test_setup_teardown(function, set_up_small,                \
	    decoding_tear_down)

static const struct build_field plain_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 } };

#define PLAIN_LINE "10.0.0.1:1000>10.0.0.2:80 proto=6 octets=0"

static void
build_plain_record(struct build *b)
{
	build_addr(b, "10.0.0.1");
	build_addr(b, "10.0.0.2");
	build_u16(b, 1000);
	build_u16(b, 80);
	build_u8(b, 6);
}

/* --- the three protocols --- */

static void
decoder_decodes_netflow5(void **state)
{
	struct decoding *f = *state;
	const struct build_netflow5_record r = { "203.0.113.10", "10.0.0.5", 5,
		286, 11000, 11500, 43000, 80, 0x1b, 6 };

	build_netflow5(&f->build, 0, 1);
	build_netflow5_record(&f->build, &r);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "203.0.113.10:43000>10.0.0.5:80 proto=6 flags=0x1b pkts=5 "
	    "octets=286 start=1699999999000 end=1699999999500 uptime=11000 "
	    "if=1>2");
	assert_int_equal(f->batch.records[0].export_ms, EXPORT_MS);
	assert_int_equal(f->batch.records[0].received_ms, BUILD_RECEIVED_MS);
}

#define USUAL_LINE(flags, pkts, octets)                                        \
	"10.0.0.1:1000>10.0.0.2:80 proto=6 flags=" flags " pkts=" pkts         \
	" octets=" octets " start=1699999999000 end=1699999999500 "            \
	"uptime=11000"

static void
build_usual(struct build *b, uint8_t flags, uint32_t packets)
{
	build_usual_record(b, "10.0.0.1", 1000, "10.0.0.2", 80, flags, packets);
}

static void
decoder_decodes_netflow9(void **state)
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 7, 1);
	build_template(&f->build, 256, build_usual_fields, 10);
	build_set(&f->build, 256);
	build_usual(&f->build, 0x02, 3);
	build_usual(&f->build, 0x12, 1);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, USUAL_LINE("0x02", "3", "180"),
	    USUAL_LINE("0x12", "1", "60"));
}

static void
decoder_decodes_ipfix_with_ipv6(void **state)
{
	static const struct build_field fields[] = { { 27, 16, 0 },
		{ 28, 16, 0 }, { 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 },
		{ 152, 8, 0 }, { 153, 8, 0 }, { 136, 1, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 7, 0);
	build_template(&f->build, 300, fields, FIELDS(fields));
	build_set(&f->build, 300);
	build_addr(&f->build, "2001:db8::1");
	build_addr(&f->build, "2001:db8::2");
	build_u16(&f->build, 53);
	build_u16(&f->build, 54);
	build_u8(&f->build, 17);
	build_u64(&f->build, 1600000000123);
	build_u64(&f->build, 1600000000456);
	build_u8(&f->build, 4);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "[2001:db8::1]:53>[2001:db8::2]:54 proto=17 octets=0 "
			"start=1600000000123 end=1600000000456 reason=4");
}

static void
decoder_refuses_what_is_no_export(void **state)
{
	struct decoding *f = *state;

	assert_int_equal(decoding_octets(f, f->build.octets, 0, 0),
	    DECODE_NOT_EXPORT);
	assert_int_equal(decoding_octets(f, (const uint8_t *)"\0", 1, 0),
	    DECODE_NOT_EXPORT);
	assert_int_equal(decoding_octets(f, (const uint8_t *)"\0\x08", 2, 0),
	    DECODE_NOT_EXPORT);
	assert_int_equal(decoding_octets(f, (const uint8_t *)"GET /", 5, 0),
	    DECODE_NOT_EXPORT);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_NOT_EXPORT), 4);
	assert_int_equal(decoder_exporter_count(f->decoder), 0);
}

static void
decoder_refuses_what_is_longer_than_a_datagram(void **state)
{
	struct decoding *f = *state;
	uint8_t *octets = calloc(1, 65536);

	assert_non_null(octets);
	octets[1] = 9;
	assert_int_equal(decoding_octets(f, octets, 65536, 0),
	    DECODE_MALFORMED);
	assert_int_equal(decoding_octets(f, octets, 65535, 0), DECODE_OK);
	free(octets);
}

/* --- times (B1 to B3) --- */

static void
decoder_takes_uptimes_from_before_boot(void **state) /* B1 */
{
	struct decoding *f = *state;
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		4293301873U, 11000, 1, 2, 2, 6 };

	build_netflow5(&f->build, 0, 1);
	build_netflow5_record(&f->build, &r);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.records[0].start_ms, EXPORT_MS - 1677423);
	assert_int_equal(f->batch.records[0].start_uptime_ms, 4293301873U);
}

static void
decoder_survives_the_wrap_of_uptime(void **state) /* B2 */
{
	struct decoding *f = *state;
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		UINT32_MAX - 99, 200, 1, 2, 2, 6 };
	const struct flow_record *record = &f->batch.records[0];

	build_netflow5(&f->build, 0, 1);
	build_netflow5_record(&f->build, &r);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(record->end_ms - record->start_ms, 300);
}

static void
decoder_prefers_absolute_times(void **state) /* B3 */
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 152, 8, 0 }, { 153, 8, 0 }, { 22, 4, 0 } };
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 1);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u64(&f->build, 1234567890123);
	build_u64(&f->build, 1234567890124);
	build_u32(&f->build, 77);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 octets=0 start=1234567890123 "
	    "end=1234567890124 uptime=77");
}

static void
decoder_reads_ntp_times(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 154, 8, 0 }, { 157, 8, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u32(&f->build, 3908988800U); /* 1700000000 */
	build_u32(&f->build, 0x80000000U); /* and a half */
	build_u32(&f->build, 3U);	   /* the era after 2036 */
	build_u32(&f->build, 0x40000000U);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 octets=0 start=1700000000500 "
	    "end=2085978499250");
}

static void
decoder_resolves_ipfix_uptimes_by_the_time_of_boot(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 160, 8, 0 }, { 22, 4, 0 }, { 21, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (int i = 0; i < 2; i++) {
		build_addr(&f->build, "10.0.0.1");
		build_addr(&f->build, "10.0.0.2");
		build_u8(&f->build, 6);
		build_u64(&f->build, i == 0 ? EXPORT_MS - 60000 : 0);
		build_u32(&f->build, 1000);
		build_u32(&f->build, 2000);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 octets=0 start=1699999941000 "
	    "end=1699999942000 uptime=1000",
	    "10.0.0.1>10.0.0.2 proto=6 octets=0 uptime=1000");
}

/* softflowd: uptimes in the records, the time of boot in the options. */
static void
decoder_takes_the_time_of_boot_from_an_options_record(void **state)
{
	static const struct build_field options[] = { { 149, 4, 0 },
		{ 160, 8, 0 } };
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 22, 4, 0 }, { 21, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_options_template(&f->build, 300, 1, options, FIELDS(options));
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 300);
	build_u32(&f->build, 0);
	build_u64(&f->build, EXPORT_MS - 60000);
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u32(&f->build, 1000);
	build_u32(&f->build, 2000);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 octets=0 start=1699999941000 "
	    "end=1699999942000 uptime=1000");
}

static void
decoder_marks_missing_times(void **state)
{
	struct decoding *f = *state;
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		0, 0, 1, 2, 2, 6 };

	build_netflow5(&f->build, 0, 1);
	build_netflow5_record(&f->build, &r);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_false(f->batch.records[0].has & FLOW_HAS_TIMES);
	assert_int_equal(f->batch.records[0].start_ms, 0);
	assert_int_equal(f->batch.records[0].end_ms, 0);
}

/* --- flags (B4, B5) --- */

static void
decode_flags(struct decoding *f, uint16_t length, uint16_t flags)
{
	const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 6, length, 0 } };

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	if (length == 2)
		build_u8(&f->build, (uint8_t)(flags >> 8));
	build_u8(&f->build, (uint8_t)flags);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 1);
	assert_true(f->batch.records[0].has & FLOW_HAS_TCP_FLAGS);
}

static void
decoder_takes_the_low_octet_of_tcp_flags(void **state) /* B4, B5 */
{
	struct decoding *f = *state;

	decode_flags(f, 1, 0x12);
	assert_int_equal(f->batch.records[0].tcp_flags, 0x12);
	decode_flags(f, 2, 0x0012);
	assert_int_equal(f->batch.records[0].tcp_flags, 0x12);
	decode_flags(f, 2, 0x0112);
	assert_int_equal(f->batch.records[0].tcp_flags, 0x12);
	decode_flags(f, 1, 0xc2);
	assert_int_equal(f->batch.records[0].tcp_flags, 0xc2);
}

/* --- biflows (B6 to B10) --- */

static const struct build_field biflow_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 6, 1, 0 }, { 2, 4, 0 },
	{ 1, 4, 0 }, { 6, 1, REVERSE }, { 2, 4, REVERSE }, { 1, 4, REVERSE },
	{ 999, 3, REVERSE }, { 10, 2, 0 }, { 14, 2, 0 }, { 239, 1, 0 } };

static void
build_biflow(struct build *b, uint8_t flags, uint32_t packets,
    uint8_t rev_flags, uint32_t rev_packets)
{
	build_ipfix(b, 0, 0);
	build_template(b, 256, biflow_fields, FIELDS(biflow_fields));
	build_set(b, 256);
	build_addr(b, "10.0.0.1");
	build_addr(b, "203.0.113.10");
	build_u16(b, 80);
	build_u16(b, 43000);
	build_u8(b, 6);
	build_u8(b, flags);
	build_u32(b, packets);
	build_u32(b, packets * 40);
	build_u8(b, rev_flags);
	build_u32(b, rev_packets);
	build_u32(b, rev_packets * 60);
	build_zeros(b, 3); /* an unknown reverse element (B7) */
	build_u16(b, 3);
	build_u16(b, 4);
	build_u8(b, 1);
}

static void
decoder_splits_a_biflow(void **state) /* B6, B7 */
{
	struct decoding *f = *state;

	build_biflow(&f->build, 0x12, 1, 0x02, 2);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1:80>203.0.113.10:43000 proto=6 flags=0x12 pkts=1 "
	    "octets=40 if=3>4 biflow=1",
	    "203.0.113.10:43000>10.0.0.1:80 proto=6 flags=0x02 pkts=2 "
	    "octets=120 if=4>3 biflow=2 reverse");
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_DELIVERED), 1);
}

static void
decoder_reports_an_empty_half_with_no_packets(void **state) /* B8 */
{
	struct decoding *f = *state;

	build_biflow(&f->build, 0, 0, 0x02, 3);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1:80>203.0.113.10:43000 proto=6 flags=0x00 pkts=0 "
	    "octets=0 if=3>4 biflow=1",
	    "203.0.113.10:43000>10.0.0.1:80 proto=6 flags=0x02 pkts=3 "
	    "octets=180 if=4>3 biflow=2 reverse");
}

static void
decoder_gives_cert_flags_to_their_halves(void **state) /* B10 */
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 14, 1, CERT }, { 15, 1, CERT },
		{ 14 | 0x4000, 1, CERT }, { 15 | 0x4000, 1, CERT } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u8(&f->build, 0x02);
	build_u8(&f->build, 0x19);
	build_u8(&f->build, 0x12);
	build_u8(&f->build, 0x18);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=6 flags=0x1b initial=0x02 octets=0",
	    "10.0.0.2>10.0.0.1 proto=6 flags=0x1a initial=0x12 octets=0 "
	    "reverse");
}

static void
decoder_splits_initiator_and_responder_counters(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 231, 4, 0 }, { 232, 4, 0 }, { 298, 4, 0 },
		{ 299, 4, 0 }, { 40005, 1, 0 } };
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.1");
	build_addr(&f->build, "10.0.0.2");
	build_u8(&f->build, 6);
	build_u32(&f->build, 100);
	build_u32(&f->build, 200);
	build_u32(&f->build, 1);
	build_u32(&f->build, 2);
	build_u8(&f->build, 2);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.2 proto=6 pkts=1 octets=100 event=2",
	    "10.0.0.2>10.0.0.1 proto=6 pkts=2 octets=200 event=2 reverse");
}

/* --- templates (B11 to B13) --- */

static void
decoder_counts_data_before_its_template(void **state) /* B11 */
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 1);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_UNKNOWN_TEMPLATE), 1);
	assert_int_equal(decoding_counted(f,
			     COUNTER_SET_OCTETS_UNKNOWN_TEMPLATE),
	    13);
}

static void
decoder_follows_a_changed_template(void **state) /* B12 */
{
	static const struct build_field turned[] = { { 12, 4, 0 }, { 8, 4, 0 },
		{ 4, 1, 0 }, { 11, 2, 0 }, { 7, 2, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	build_template(&f->build, 256, turned, FIELDS(turned));
	build_set(&f->build, 256);
	build_addr(&f->build, "10.0.0.2");
	build_addr(&f->build, "10.0.0.1");
	build_u8(&f->build, 6);
	build_u16(&f->build, 80);
	build_u16(&f->build, 1000);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 1);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_CHANGED), 1);
}

static void
decoder_keeps_domains_apart(void **state) /* B13 */
{
	static const struct build_field other[] = { { 12, 4, 0 }, { 8, 4, 0 },
		{ 11, 2, 0 }, { 7, 2, 0 }, { 4, 1, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 1, 0);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_ipfix(&f->build, 2, 0);
	build_template(&f->build, 256, other, FIELDS(other));
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_ipfix(&f->build, 1, 0);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(f->batch.records[0].exporter, 0);
	build_ipfix(&f->build, 2, 0);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "10.0.0.2:80>10.0.0.1:1000 proto=6 octets=0");
	assert_int_equal(f->batch.records[0].exporter, 1);
	/* the same number in v9 is a third exporter */
	build_netflow9(&f->build, 1, 0);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
	assert_int_equal(decoder_exporter_count(f->decoder), 3);
}

static void
decoder_forgets_templates_that_grew_old(void **state) /* B13 */
{
	struct decoding *f = *state;
	const int64_t hour_ms = 3600 * 1000;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoder_exporter(f->decoder, 0).templates, 1);
	build_ipfix(&f->build, 0, 0);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish_later(f, hour_ms / 2), DECODE_OK);
	assert_int_equal(f->batch.count, 1);
	assert_int_equal(decoding_finish_later(f, hour_ms), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_EXPIRED), 1);
	assert_int_equal(decoder_exporter(f->decoder, 0).templates, 0);
}

static void
decoder_keeps_templates_for_three_refreshes(void **state)
{
	struct decoding *f = *state;
	const int64_t minute_ms = 60 * 1000;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoding_finish_later(f, 25 * minute_ms), DECODE_OK);
	build_ipfix(&f->build, 0, 0);
	build_set(&f->build, 256);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish_later(f, (25 + 75) * minute_ms),
	    DECODE_OK);
	assert_int_equal(f->batch.count, 1);
	assert_int_equal(decoding_finish_later(f, (25 + 75) * minute_ms + 1),
	    DECODE_OK);
	assert_int_equal(f->batch.count, 0);
}

/* --- ICMP (B14) --- */

static void
decode_icmp(struct decoding *f, const struct build_field *fields, size_t count,
    const char *address, uint8_t protocol)
{
	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, count);
	build_set(&f->build, 256);
	build_addr(&f->build, address);
	build_addr(&f->build, address);
	build_u8(&f->build, protocol);
	build_u8(&f->build, 3);
	build_u8(&f->build, 1);
	build_u16(&f->build, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
decoder_finds_icmp_type_and_code_wherever_they_are(void **state) /* B14 */
{
	static const struct build_field in_port[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 11, 2, 0 }, { 7, 2, 0 } };
	static const struct build_field in_both[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 32, 2, 0 }, { 11, 2, 0 } };
	static const struct build_field in_two[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 176, 1, 0 }, { 177, 1, 0 }, { 11, 2, 0 } };
	static const struct build_field v6_both[] = { { 27, 16, 0 },
		{ 28, 16, 0 }, { 4, 1, 0 }, { 139, 2, 0 }, { 32, 2, 0 } };
	static const struct build_field v6_two[] = { { 27, 16, 0 },
		{ 28, 16, 0 }, { 4, 1, 0 }, { 178, 1, 0 }, { 179, 1, 0 },
		{ 32, 2, 0 } };
	/* nfdump has the element of version 4 for both */
	static const struct build_field v6_in_v4[] = { { 27, 16, 0 },
		{ 28, 16, 0 }, { 4, 1, 0 }, { 32, 2, 0 }, { 7, 2, 0 } };
	struct decoding *f = *state;

	decode_icmp(f, in_port, FIELDS(in_port), "10.0.0.1", 1);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.1 proto=1 icmp=3/1 octets=0");
	decode_icmp(f, in_both, FIELDS(in_both), "10.0.0.1", 1);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.1 proto=1 icmp=3/1 octets=0");
	decode_icmp(f, in_two, FIELDS(in_two), "10.0.0.1", 1);
	EXPECT_FLOWS(f, "10.0.0.1>10.0.0.1 proto=1 icmp=3/1 octets=0");
	decode_icmp(f, v6_both, FIELDS(v6_both), "2001:db8::1", 58);
	EXPECT_FLOWS(f, "2001:db8::1>2001:db8::1 proto=58 icmp=3/1 octets=0");
	decode_icmp(f, v6_two, FIELDS(v6_two), "2001:db8::1", 58);
	EXPECT_FLOWS(f, "2001:db8::1>2001:db8::1 proto=58 icmp=3/1 octets=0");
	decode_icmp(f, v6_in_v4, FIELDS(v6_in_v4), "2001:db8::1", 58);
	EXPECT_FLOWS(f, "2001:db8::1>2001:db8::1 proto=58 icmp=3/1 octets=0");
}

/* A Cisco ASA's echo reply: type and code 0, the identifier in the port. */
static void
decoder_takes_no_icmp_type_from_a_firewall_events_port(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 7, 2, 0 }, { 11, 2, 0 }, { 176, 1, 0 },
		{ 177, 1, 0 }, { 233, 1, 0 } };
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "198.51.100.1");
	build_addr(&f->build, "10.0.0.1");
	build_u8(&f->build, 1);
	build_u16(&f->build, 0);
	build_u16(&f->build, 17549);
	build_u16(&f->build, 0);
	build_u8(&f->build, 2);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "198.51.100.1>10.0.0.1 proto=1 icmp=0/0 octets=0 event=2");
}

/* The standard has none in v9, but H3C's routers send a VRF's name so. */
static void
decoder_reads_netflow9_fields_of_variable_length(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 236, 65535, 0 }, { 7, 2, 0 }, { 11, 2, 0 } };
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_addr(&f->build, "198.51.100.1");
	build_addr(&f->build, "10.0.0.1");
	build_u8(&f->build, 17);
	build_u8(&f->build, 0);
	build_u16(&f->build, 137);
	build_u16(&f->build, 138);
	build_addr(&f->build, "198.51.100.2");
	build_addr(&f->build, "10.0.0.1");
	build_u8(&f->build, 17);
	build_u8(&f->build, 4);
	build_octets(&f->build, "vrf1", 4);
	build_u16(&f->build, 139);
	build_u16(&f->build, 140);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "198.51.100.1:137>10.0.0.1:138 proto=17 octets=0",
	    "198.51.100.2:139>10.0.0.1:140 proto=17 octets=0");
}

/* --- what few exporters tell --- */

/* The start of a record of addresses, protocol and ports. */
#define ENDPOINT_FIELDS                                                        \
	{ 8, 4, 0 }, { 12, 4, 0 }, { 4, 1, 0 }, { 7, 2, 0 },                   \
	{                                                                      \
		11, 2, 0                                                       \
	}
#define ENDPOINTS "198.51.100.1:40000>203.0.113.5:443 proto=6 "

static void
build_endpoints(struct build *b)
{
	build_addr(b, "198.51.100.1");
	build_addr(b, "203.0.113.5");
	build_u8(b, 6);
	build_u16(b, 40000);
	build_u16(b, 443);
}

static void
decoder_reads_deltas_before_the_export_time(void **state)
{
	static const struct build_field fields[] = { ENDPOINT_FIELDS,
		{ 158, 4, 0 }, { 159, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_endpoints(&f->build);
	build_u32(&f->build, 2500999);
	build_u32(&f->build, 0); /* ended at the export: this is a time */
	build_endpoints(&f->build);
	build_u32(&f->build, UINT32_MAX); /* over an hour ago */
	build_u32(&f->build, 1000);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    ENDPOINTS "octets=0 start=1699999997500 end=1700000000000",
	    ENDPOINTS "octets=0 start=1699995705033 end=1699999999999");
}

static void
decoder_takes_absolute_times_before_relative_ones(void **state)
{
	static const struct build_field fields[] = { ENDPOINT_FIELDS,
		{ 152, 8, 0 }, { 158, 4, 0 }, { 323, 8, 0 } };
	struct decoding *f = *state;
	static const uint64_t starts[] = { UINT64_C(1699990000123), 0,
		UINT64_MAX, UINT64_C(1) << 62 };

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (size_t i = 0; i < FIELDS(starts); i++) {
		build_endpoints(&f->build);
		build_u64(&f->build, starts[i]); /* the last are no times */
		build_u32(&f->build, 1000000);
		build_u64(&f->build, UINT64_C(1699980000000));
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    ENDPOINTS "octets=0 start=1699990000123 end=1699990000123",
	    ENDPOINTS "octets=0 start=1699999999000 end=1699999999000",
	    ENDPOINTS "octets=0 start=1699999999000 end=1699999999000",
	    ENDPOINTS "octets=0 start=1699999999000 end=1699999999000");
}

/* NSEL: the time of the event, both event elements, where NAT led to. */
static void
decoder_reads_events_of_firewalls(void **state)
{
	static const struct build_field fields[] = { ENDPOINT_FIELDS,
		{ 226, 4, 0 }, { 228, 2, 0 }, { 233, 1, 0 }, { 33002, 2, 0 },
		{ 323, 8, 0 } };
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_endpoints(&f->build);
	build_addr(&f->build, "10.0.0.5");
	build_u16(&f->build, 8443);
	build_u8(&f->build, 1);
	build_u16(&f->build, 0);
	build_u64(&f->build, UINT64_C(1699999990001));
	build_endpoints(&f->build);
	build_u32(&f->build, 0); /* not translated */
	build_u16(&f->build, 0);
	build_u8(&f->build, 3);
	build_u16(&f->build, 1001);
	build_u64(&f->build, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    ENDPOINTS "octets=0 start=1699999990001 end=1699999990001 "
		      "event=1 ext=0 nat=10.0.0.5:8443",
	    ENDPOINTS "octets=0 event=3 ext=1001");
}

/* Port forwarding changes the port, a translated prefix the address alone. */
static void
decoder_fills_in_what_nat_left_alone(void **state)
{
	static const struct build_field port[] = { ENDPOINT_FIELDS,
		{ 228, 2, 0 } };
	static const struct build_field v6[] = { { 27, 16, 0 }, { 28, 16, 0 },
		{ 4, 1, 0 }, { 7, 2, 0 }, { 11, 2, 0 }, { 282, 16, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, port, FIELDS(port));
	build_template(&f->build, 257, v6, FIELDS(v6));
	build_set(&f->build, 256);
	build_endpoints(&f->build);
	build_u16(&f->build, 22);
	build_set(&f->build, 257);
	build_addr(&f->build, "2001:db8::1");
	build_addr(&f->build, "2001:db8::2");
	build_u8(&f->build, 17);
	build_u16(&f->build, 5);
	build_u16(&f->build, 53);
	build_addr(&f->build, "fd00::53");
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, ENDPOINTS "octets=0 nat=203.0.113.5:22",
	    "[2001:db8::1]:5>[2001:db8::2]:53 proto=17 octets=0 "
	    "nat=[fd00::53]:53");
}

/* Of a biflow, the first half only has it. */
static void
decoder_tells_what_nat_made_of_the_source(void **state)
{
	static const struct build_field fields[] = { ENDPOINT_FIELDS,
		{ 225, 4, 0 }, { 227, 2, 0 }, { 86, 4, REVERSE } };
	static const struct build_field v6[] = { { 27, 16, 0 }, { 28, 16, 0 },
		{ 4, 1, 0 }, { 281, 16, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_template(&f->build, 257, v6, FIELDS(v6));
	build_set(&f->build, 256);
	build_endpoints(&f->build);
	build_addr(&f->build, "192.0.2.77");
	build_u16(&f->build, 1077);
	build_u32(&f->build, 1);
	build_set(&f->build, 257);
	build_addr(&f->build, "2001:db8::1");
	build_addr(&f->build, "2001:db8::2");
	build_u8(&f->build, 47);
	build_addr(&f->build, "fd00::77");
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 3);
	assert_int_equal(f->batch.records[0].has &
			     (FLOW_HAS_NAT | FLOW_HAS_NAT_SRC),
	    FLOW_HAS_NAT_SRC);
	assert_int_equal(f->batch.records[0].post_src_port, 1077);
	assert_int_equal(f->batch.records[1].has & FLOW_HAS_NAT_SRC, 0);
	assert_int_equal(f->batch.records[1].post_src_port, 0);
	assert_true(addr_equal(&f->batch.records[2].post_src,
	    &(struct addr){ { 0xfd, [15] = 0x77 } }));
}

/* The half that came back: later by the delta, through the other VRF. */
static void
decoder_turns_delay_and_vrf_in_the_second_half(void **state)
{
	static const struct build_field fields[] = { ENDPOINT_FIELDS,
		{ 152, 8, 0 }, { 153, 8, 0 }, { 86, 4, 0 }, { 86, 4, REVERSE },
		{ 21, 4, 6871 }, { 234, 4, 0 }, { 235, 4, 0 }, { 61, 1, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_endpoints(&f->build);
	build_u64(&f->build, UINT64_C(1699999990000));
	build_u64(&f->build, UINT64_C(1699999995000));
	build_u32(&f->build, 4);
	build_u32(&f->build, 3);
	build_u32(&f->build, 25);
	build_u32(&f->build, 100);
	build_u32(&f->build, 200);
	build_u8(&f->build, 1);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    ENDPOINTS "pkts=4 octets=0 start=1699999990000 "
		      "end=1699999995000 dir=1 vrf=100",
	    "203.0.113.5:443>198.51.100.1:40000 proto=6 pkts=3 octets=0 "
	    "start=1699999990025 end=1699999995000 vrf=200 reverse");
}

/* --- addresses and use --- */

static void
decoder_takes_the_family_that_is_filled(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 27, 16, 0 }, { 28, 16, 0 }, { 4, 1, 0 }, { 60, 1, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (int v4 = 0; v4 < 2; v4++)
		for (int v6 = 0; v6 < 2; v6++) {
			build_addr(&f->build, v4 ? "10.0.0.1" : "0.0.0.0");
			build_addr(&f->build, v4 ? "10.0.0.2" : "0.0.0.0");
			build_addr(&f->build, v6 ? "2001:db8::1" : "::");
			build_addr(&f->build, v6 ? "2001:db8::2" : "::");
			build_u8(&f->build, 6);
			build_u8(&f->build, 4);
		}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, "2001:db8::1>2001:db8::2 proto=6 octets=0",
	    "10.0.0.1>10.0.0.2 proto=6 octets=0",
	    "10.0.0.1>10.0.0.2 proto=6 octets=0");
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_UNUSABLE), 1);
}

static void
decoder_counts_records_without_protocol_as_unusable(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 },
		{ 12, 4, 0 } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	build_zeros(&f->build, 24);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_ANNOUNCED), 3);
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_UNUSABLE), 3);
}

/* --- when it is full --- */

static void
decoder_refuses_exporters_beyond_its_number(void **state)
{
	static const char *const sources[] = { "192.0.2.1", "192.0.2.2",
		"192.0.2.3" };
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(sources); i++) {
		build_netflow9(&f->build, 0, 1);
		f->source = sources[i];
		assert_int_equal(decoding_finish(f),
		    i < 2 ? DECODE_OK : DECODE_EXPORTER_LIMIT);
	}
	build_netflow9(&f->build, 0, 2);
	f->source = sources[1];
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_EXPORTER_LIMIT),
	    1);
	assert_int_equal(decoder_exporter_count(f->decoder), 2);
}

static void
decoder_refuses_domains_beyond_its_number(void **state)
{
	struct decoding *f = *state;

	for (uint32_t domain = 0; domain < 3; domain++) {
		build_netflow9(&f->build, domain, 1);
		assert_int_equal(decoding_finish(f),
		    domain < 2 ? DECODE_OK : DECODE_DOMAIN_LIMIT);
	}
	build_ipfix(&f->build, 0, 0); /* another protocol counts as well */
	assert_int_equal(decoding_finish(f), DECODE_DOMAIN_LIMIT);
	build_netflow9(&f->build, 1, 2);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_netflow9(&f->build, 7, 0); /* another address has its own */
	f->source = "192.0.2.9";
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_DOMAIN_LIMIT), 2);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_EXPORTER_LIMIT),
	    0);
	assert_int_equal(decoder_exporter(f->decoder, 0).refused, 2);
	assert_int_equal(decoder_exporter(f->decoder, 1).refused, 2);
	assert_int_equal(decoder_exporter(f->decoder, 2).refused, 0);
}

static void
decoder_refuses_templates_beyond_its_number(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	for (uint16_t id = 256; id < 260; id++)
		build_template(&f->build, id, plain_fields,
		    FIELDS(plain_fields));
	build_set(&f->build, 259);
	build_plain_record(&f->build);
	build_set(&f->build, 258);
	build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 3);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_LIMIT),
	    1);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_UNKNOWN_TEMPLATE), 1);
}

static void
decoder_takes_the_fullest_datagram(void **state)
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 6, 1, REVERSE } };
	struct decoding *f = *state;
	const size_t records = (65535 - 16 - 4 - 28 - 4) / 10;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, fields, FIELDS(fields));
	build_set(&f->build, 256);
	for (size_t i = 0; i < records; i++) {
		build_addr(&f->build, "10.0.0.1");
		build_addr(&f->build, "10.0.0.2");
		build_u16(&f->build, 0x0602);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 2 * records);
}

/* --- sequence numbers --- */

static void
decode_sequence(struct decoding *f, uint32_t sequence, int records)
{
	build_ipfix(&f->build, 0, sequence);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	build_set(&f->build, 256);
	for (int i = 0; i < records; i++)
		build_plain_record(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, records);
}

static void
decoder_counts_lost_ipfix_records(void **state)
{
	struct decoding *f = *state;

	decode_sequence(f, UINT32_MAX - 1, 2);
	decode_sequence(f, 0, 3); /* the number wraps: nothing is lost */
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 0);
	decode_sequence(f, 10, 1); /* 3 to 9 */
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 7);
	decode_sequence(f, 8, 2); /* late */
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_REORDERED), 1);
	decode_sequence(f, 11, 1);
	decode_sequence(f, 900000000, 1); /* restarts, both ways */
	decode_sequence(f, 5, 1);
	decode_sequence(f, 6, 1);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 7);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_REORDERED), 1);
	/* two of the seven came late */
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_RECOVERED), 2);
	assert_int_equal(decoder_exporter(f->decoder, 0).lost, 5);
	assert_int_equal(decoder_exporter(f->decoder, 0).restarts, 2);
}

static void
decoder_accepts_sequences_that_count_themselves(void **state)
{
	struct decoding *f = *state;

	decode_sequence(f, 5, 5);
	decode_sequence(f, 7, 2);
	decode_sequence(f, 16, 9);
	decode_sequence(f, 17, 1);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 0);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_REORDERED), 0);
	decode_sequence(f, 30, 3); /* 10 are missing */
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 10);
}

static void
decoder_judges_no_gap_it_could_not_count(void **state)
{
	struct decoding *f = *state;

	decode_sequence(f, 0, 2);
	build_ipfix(&f->build, 0, 2);
	build_set(&f->build, 999);
	build_zeros(&f->build, 40);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	decode_sequence(f, 6, 1);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 0);
	decode_sequence(f, 8, 1);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 1);
}

static void
decoder_counts_lost_netflow5_flows_and_netflow9_datagrams(void **state)
{
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		1, 2, 1, 2, 2, 6 };
	struct decoding *f = *state;

	for (uint32_t sequence = 0; sequence < 9; sequence += 4) {
		build_netflow5(&f->build, sequence, 1);
		build_netflow5_record(&f->build, &r);
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 6);
	for (uint32_t sequence = 10; sequence < 17; sequence += 3) {
		build_netflow9(&f->build, 0, sequence);
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST), 6 + 4);
	assert_int_equal(decoder_exporter(f->decoder, 0).lost, 6);
	assert_int_equal(decoder_exporter(f->decoder, 0).domain, 0x0102);
	assert_int_equal(decoder_exporter(f->decoder, 1).lost, 4);
	assert_int_equal(decoder_exporter(f->decoder, 1).datagrams, 3);
}

/* --- every truncation, every length --- */

static void
build_one_of(struct build *b, int protocol)
{
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		1, 2, 1, 2, 2, 6 };

	if (protocol == 5) {
		build_netflow5(b, 0, 2);
		build_netflow5_record(b, &r);
		build_netflow5_record(b, &r);
		build_done(b);
		return;
	}
	if (protocol == 9)
		build_netflow9(b, 0, 0);
	else
		build_ipfix(b, 0, 0);
	build_template(b, 256, build_usual_fields, 10);
	build_set(b, 256);
	build_usual(b, 2, 1);
	build_usual(b, 2, 1);
	build_options_template(b, 257, 1, plain_fields, 3);
	build_set(b, 257);
	build_zeros(b, 10);
	build_done(b);
}

static void
decoder_survives_every_truncation(void **state)
{
	struct decoding *f = *state;
	uint64_t datagrams = 0;

	for (int protocol = 5; protocol <= 10; protocol++) {
		if (protocol > 5 && protocol < 9)
			continue;
		build_one_of(&f->build, protocol);
		for (size_t n = 0; n <= f->build.length; n++) {
			enum decode_status status =
			    decoding_octets(f, f->build.octets, n, 0);

			datagrams++;
			if (n == f->build.length)
				assert_int_equal(f->batch.count, 2);
			else if (protocol != 9)
				assert_int_not_equal(status, DECODE_OK);
		}
	}
	assert_int_equal(datagrams,
	    decoding_counted(f, COUNTER_DATAGRAMS_DECODED) +
		decoding_counted(f, COUNTER_REFUSED_NOT_EXPORT) +
		decoding_counted(f, COUNTER_REFUSED_SHORT) +
		decoding_counted(f, COUNTER_REFUSED_MALFORMED) +
		decoding_counted(f, COUNTER_REFUSED_EXPORTER_LIMIT));
}

/* Every pair of octets, lengths and counts among them, at hostile values. */
static void
decoder_survives_every_wrong_length(void **state)
{
	static const uint16_t values[] = { 0, 1, 2, 3, 4, 5, 7, 8, 255, 256,
		257, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct decoding *f = *state;

	for (int protocol = 5; protocol <= 10; protocol++) {
		if (protocol > 5 && protocol < 9)
			continue;
		build_one_of(&f->build, protocol);
		for (size_t at = 2; at + 2 <= f->build.length; at++)
			for (size_t i = 0; i < FIELDS(values); i++) {
				uint8_t *p = f->build.octets + at;
				uint8_t saved[2] = { p[0], p[1] };

				p[0] = (uint8_t)(values[i] >> 8);
				p[1] = (uint8_t)values[i];
				(void)decoding_octets(f, f->build.octets,
				    f->build.length, 0);
				p[0] = saved[0];
				p[1] = saved[1];
			}
	}
}

/* Records are compared and kept as octets: what was there before is gone. */
static void
record_is_written_to_its_last_octet(void **state)
{
	static struct flow_record first[2];
	struct decoding *f = *state;

	for (int i = 0; i < 2; i++) {
		memset(f->batch.records, i == 0 ? 0 : 0xa5, sizeof(first));
		build_netflow9(&f->build, 0, (uint32_t)i);
		build_template(&f->build, 256, build_usual_fields, 10);
		build_set(&f->build, 256);
		build_usual_record(&f->build, "192.0.2.1", 40000, "192.0.2.2",
		    80, 0x1b, 5);
		build_usual_record(&f->build, "192.0.2.2", 80, "192.0.2.1",
		    40000, 0x1b, 5);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		assert_int_equal(f->batch.count, 2);
		if (i == 0)
			memcpy(first, f->batch.records, sizeof(first));
	}
	assert_memory_equal(first, f->batch.records, sizeof(first));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(record_is_written_to_its_last_octet),
		DECODING_TEST(decoder_decodes_netflow5),
		DECODING_TEST(decoder_decodes_netflow9),
		DECODING_TEST(decoder_decodes_ipfix_with_ipv6),
		DECODING_TEST(decoder_refuses_what_is_no_export),
		DECODING_TEST(decoder_refuses_what_is_longer_than_a_datagram),
		DECODING_TEST(decoder_takes_uptimes_from_before_boot),
		DECODING_TEST(decoder_survives_the_wrap_of_uptime),
		DECODING_TEST(decoder_prefers_absolute_times),
		DECODING_TEST(decoder_reads_ntp_times),
		DECODING_TEST(
		    decoder_resolves_ipfix_uptimes_by_the_time_of_boot),
		DECODING_TEST(
		    decoder_takes_the_time_of_boot_from_an_options_record),
		DECODING_TEST(decoder_marks_missing_times),
		DECODING_TEST(decoder_takes_the_low_octet_of_tcp_flags),
		DECODING_TEST(decoder_splits_a_biflow),
		DECODING_TEST(decoder_reports_an_empty_half_with_no_packets),
		DECODING_TEST(decoder_gives_cert_flags_to_their_halves),
		DECODING_TEST(decoder_splits_initiator_and_responder_counters),
		DECODING_TEST(decoder_counts_data_before_its_template),
		DECODING_TEST(decoder_follows_a_changed_template),
		DECODING_TEST(decoder_keeps_domains_apart),
		DECODING_TEST(decoder_forgets_templates_that_grew_old),
		DECODING_TEST(decoder_keeps_templates_for_three_refreshes),
		DECODING_TEST(
		    decoder_finds_icmp_type_and_code_wherever_they_are),
		DECODING_TEST(
		    decoder_takes_no_icmp_type_from_a_firewall_events_port),
		DECODING_TEST(decoder_reads_netflow9_fields_of_variable_length),
		DECODING_TEST(decoder_reads_deltas_before_the_export_time),
		DECODING_TEST(
		    decoder_takes_absolute_times_before_relative_ones),
		DECODING_TEST(decoder_reads_events_of_firewalls),
		DECODING_TEST(decoder_fills_in_what_nat_left_alone),
		DECODING_TEST(decoder_tells_what_nat_made_of_the_source),
		DECODING_TEST(decoder_turns_delay_and_vrf_in_the_second_half),
		DECODING_TEST(decoder_takes_the_family_that_is_filled),
		DECODING_TEST(
		    decoder_counts_records_without_protocol_as_unusable),
		SMALL_TEST(decoder_refuses_exporters_beyond_its_number),
		SMALL_TEST(decoder_refuses_domains_beyond_its_number),
		SMALL_TEST(decoder_refuses_templates_beyond_its_number),
		DECODING_TEST(decoder_takes_the_fullest_datagram),
		DECODING_TEST(decoder_counts_lost_ipfix_records),
		DECODING_TEST(decoder_accepts_sequences_that_count_themselves),
		DECODING_TEST(decoder_judges_no_gap_it_could_not_count),
		DECODING_TEST(
		    decoder_counts_lost_netflow5_flows_and_netflow9_datagrams),
		DECODING_TEST(decoder_survives_every_truncation),
		DECODING_TEST(decoder_survives_every_wrong_length),
	};

	return RUN_TESTS(tests);
}
