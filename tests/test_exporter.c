/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exporters: who may send, what their sequence numbers say, and what is told
 * of each.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/datagrams.h"

#include "collector/sequence.h"

#define UPTIME_AT	 4 /* v5, v9 */
#define SECONDS_AT	 8 /* v5, v9 */
#define IPFIX_SECONDS_AT 4

static const struct build_field plain_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 4, 1, 0 } };

#define PLAIN_OCTETS 9

static struct exporter_info
info_of(const struct decoding *f, uint32_t index)
{
	return decoder_exporter(f->decoder, index);
}

/* An IPFIX datagram of so many records, and its template if wanted. */
static void
send_ipfix(struct decoding *f, uint32_t sequence, uint32_t records,
    uint32_t templates)
{
	build_ipfix(&f->build, 0, sequence);
	for (uint32_t i = 0; i < templates; i++)
		build_template(&f->build, (uint16_t)(256 + i), plain_fields,
		    FIELDS(plain_fields));
	if (records > 0)
		build_set(&f->build, 256);
	for (uint32_t i = 0; i < records; i++) {
		build_addr(&f->build, "10.0.0.1");
		build_addr(&f->build, "10.0.0.2");
		build_u8(&f->build, 47);
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, records);
}

static void
send_netflow9(struct decoding *f, uint32_t sequence)
{
	build_netflow9(&f->build, 0, sequence);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
send_netflow5(struct decoding *f, uint32_t sequence, uint16_t flows)
{
	const struct build_netflow5_record r = { "10.0.0.1", "10.0.0.2", 1, 40,
		1, 2, 1, 2, 2, 6 };

	build_netflow5(&f->build, sequence, flows);
	for (uint16_t i = 0; i < flows; i++)
		build_netflow5_record(&f->build, &r);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

/* lost, reordered, duplicates, restarts */
static void
expect_sequence(const struct decoding *f, uint64_t lost, uint64_t reordered,
    uint64_t duplicates, uint64_t restarts)
{
	struct exporter_info info = info_of(f, 0);

	assert_int_equal(info.lost, lost);
	assert_int_equal(info.reordered, reordered);
	assert_int_equal(info.duplicates, duplicates);
	assert_int_equal(info.restarts, restarts);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_LOST) -
			     decoding_counted(f, COUNTER_SEQUENCE_RECOVERED),
	    lost);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_REORDERED),
	    reordered);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_DUPLICATES),
	    duplicates);
	assert_int_equal(decoding_counted(f, COUNTER_SEQUENCE_RESTARTS),
	    restarts);
}

/* --- sequence --- */

static void
sequence_takes_late_datagrams_back_from_lost(void **state)
{
	struct decoding *f = *state;

	send_netflow9(f, 100);
	send_netflow9(f, 105); /* 101 to 104 are missing */
	expect_sequence(f, 4, 0, 0, 0);
	send_netflow9(f, 103);
	send_netflow9(f, 101);
	expect_sequence(f, 2, 2, 0, 0);
	send_netflow9(f, 106);
	send_netflow9(f, 104);
	send_netflow9(f, 102);
	send_netflow9(f, 107);
	expect_sequence(f, 0, 4, 0, 0);
}

static void
sequence_takes_late_flows_and_records_back_one_by_one(void **state)
{
	struct decoding *f = *state;

	send_netflow5(f, UINT32_MAX - 4, 2);
	send_netflow5(f, 20, 3); /* 2^32 - 3 to 19 are missing, over the wrap */
	expect_sequence(f, 23, 0, 0, 0);
	send_netflow5(f, UINT32_MAX - 2, 5); /* to 1 */
	expect_sequence(f, 18, 1, 0, 0);
	send_netflow5(f, 10, 5); /* from the middle */
	send_netflow5(f, 15, 5);
	send_netflow5(f, 2, 8);
	expect_sequence(f, 0, 4, 0, 0);
	send_netflow5(f, 23, 1);
	expect_sequence(f, 0, 4, 0, 0);
}

static void
sequence_tells_duplicates_from_late_datagrams(void **state)
{
	struct decoding *f = *state;

	send_netflow9(f, 1);
	send_netflow9(f, 1);
	send_netflow9(f, 2);
	send_netflow9(f, 4);
	send_netflow9(f, 3); /* late */
	send_netflow9(f, 3);
	send_netflow9(f, 2);
	send_netflow9(f, 5);
	expect_sequence(f, 0, 1, 3, 0);
	send_netflow9(f, 5);
	expect_sequence(f, 0, 1, 4, 0);
}

static void
sequence_is_counted_for_each_domain(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 10; i++) {
		build_netflow9(&f->build, 1, i);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		build_netflow9(&f->build, 2, 1000 + 2 * i);
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
	assert_int_equal(info_of(f, 0).lost, 0);
	assert_int_equal(info_of(f, 1).lost, 9);
}

static void
sequence_sees_a_restart_by_the_time_of_boot(void **state)
{
	struct decoding *f = *state;

	send_netflow9(f, 10);
	send_netflow9(f, 11);
	/* a minute later, up for 2 s: not late, and not 988 lost */
	build_netflow9(&f->build, 0, 1000);
	wire_put_u32(f->build.octets + UPTIME_AT, 2000);
	wire_put_u32(f->build.octets + SECONDS_AT, BUILD_EXPORT_S + 60);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	expect_sequence(f, 0, 0, 0, 1);
	build_netflow9(&f->build, 0, 0);
	wire_put_u32(f->build.octets + UPTIME_AT, 1000);
	wire_put_u32(f->build.octets + SECONDS_AT, BUILD_EXPORT_S + 120);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	expect_sequence(f, 0, 0, 0, 2);
}

static void
sequence_takes_an_uptime_that_wraps_for_no_restart(void **state)
{
	struct decoding *f = *state;

	build_netflow9(&f->build, 0, 10);
	wire_put_u32(f->build.octets + UPTIME_AT, UINT32_MAX - 499);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_netflow9(&f->build, 0, 13);
	wire_put_u32(f->build.octets + UPTIME_AT, 500);
	wire_put_u32(f->build.octets + SECONDS_AT, BUILD_EXPORT_S + 1);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	expect_sequence(f, 2, 0, 0, 0);
}

/* IPFIX has no uptime, but a datagram sent later cannot come from before. */
static void
sequence_sees_a_restart_by_the_export_time(void **state)
{
	struct decoding *f = *state;

	send_ipfix(f, 40, 2, 1);
	build_ipfix(&f->build, 0, 0);
	wire_put_u32(f->build.octets + IPFIX_SECONDS_AT, BUILD_EXPORT_S + 30);
	build_set(&f->build, 256);
	build_zeros(&f->build, PLAIN_OCTETS);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	expect_sequence(f, 0, 0, 0, 1);
	assert_int_equal(info_of(f, 0).sequence_unit, SEQUENCE_RECORDS);
}

static void
sequence_accepts_exporters_that_count_templates(void **state)
{
	struct decoding *f = *state;

	send_ipfix(f, 0, 2, 3);
	send_ipfix(f, 5, 4, 0); /* 2 records and 3 templates */
	send_ipfix(f, 9, 1, 2);
	send_ipfix(f, 12, 1, 0);
	expect_sequence(f, 0, 0, 0, 0);
	assert_int_equal(info_of(f, 0).sequence_unit,
	    SEQUENCE_RECORDS_AND_TEMPLATES);
	send_ipfix(f, 20, 1, 0); /* 13 to 19 are missing */
	expect_sequence(f, 7, 0, 0, 0);
}

/* One options data record beside 2 data records, as softflowd begins. */
static void
send_ipfix_with_options(struct decoding *f, uint32_t sequence)
{
	static const struct build_field options[] = { { 149, 4, 0 },
		{ 34, 4, 0 } };

	build_ipfix(&f->build, 0, sequence);
	build_template(&f->build, 256, plain_fields, FIELDS(plain_fields));
	build_options_template(&f->build, 300, 1, options, FIELDS(options));
	build_set(&f->build, 300);
	build_zeros(&f->build, 8);
	build_set(&f->build, 256);
	build_zeros(&f->build, 2 * PLAIN_OCTETS);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

/* softflowd counts its own records first, and options data records never. */
static void
sequence_accepts_exporters_that_leave_options_out(void **state)
{
	struct decoding *f = *state;

	send_ipfix_with_options(f, 2);
	send_ipfix(f, 5, 3, 0);
	send_ipfix(f, 9, 4, 0);
	send_ipfix_with_options(f, 11);
	send_ipfix(f, 16, 5, 0);
	expect_sequence(f, 0, 0, 0, 0);
	send_ipfix(f, 27, 4, 0); /* 17 to 23 are missing */
	expect_sequence(f, 7, 0, 0, 0);
}

/*
 * Three in a row must fit before another way to count is believed, and then
 * nothing was lost.
 */
static void
sequence_unlearns_a_way_that_does_not_hold(void **state)
{
	struct decoding *f = *state;

	send_ipfix(f, 0, 2, 1);
	send_ipfix(f, 2, 5, 0); /* before its own: proven */
	expect_sequence(f, 0, 0, 0, 0);
	send_ipfix(f, 11, 9, 0); /* 4 lost, or 9 of its own counted first */
	assert_int_equal(info_of(f, 0).lost, 4);
	send_ipfix(f, 23, 12, 0);
	assert_int_equal(info_of(f, 0).lost, 4 + 3);
	send_ipfix(f, 43, 20, 0);
	assert_int_equal(info_of(f, 0).lost, 0);
	send_ipfix(f, 44, 1, 0);
	expect_sequence(f, 0, 0, 0, 0);
}

static void
sequence_gives_up_the_oldest_gap_when_many_are_open(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < SEQUENCE_GAPS + 2; i++)
		send_netflow9(f, 2 * i);
	expect_sequence(f, SEQUENCE_GAPS + 1, 0, 0, 0);
	for (uint32_t i = 0; i < SEQUENCE_GAPS + 1; i++)
		send_netflow9(f, 2 * i + 1);
	expect_sequence(f, 1, SEQUENCE_GAPS, 1, 0);
}

/* A random order within a window, some lost, some twice: all to be found. */
static void
sequence_accounts_exactly_for_a_bad_path(void **state)
{
	enum { DATAGRAMS = 3000, SWAP = 4 };
	static uint32_t order[DATAGRAMS];
	struct decoding *f = *state;
	uint32_t random = 12345;
	uint64_t lost = 0;
	uint64_t twice = 0;

	for (uint32_t i = 0; i < DATAGRAMS; i++)
		order[i] = i;
	for (uint32_t i = 1; i + SWAP < DATAGRAMS; i += SWAP + 1) {
		uint32_t j =
		    i + (random = random * 1103515245 + 12345) / 65536 % SWAP;
		uint32_t other = order[i];

		order[i] = order[j];
		order[j] = other;
	}
	for (uint32_t i = 0; i < DATAGRAMS; i++) {
		uint32_t dice = (random = random * 1103515245 + 12345) / 65536;
		bool is_edge = i == 0 || i == DATAGRAMS - 1;

		if (!is_edge && dice % 10 == 0) {
			lost++;
			continue;
		}
		send_netflow9(f, order[i]);
		if (dice % 10 == 1) {
			send_netflow9(f, order[i]);
			twice++;
		}
	}
	assert_int_equal(info_of(f, 0).lost, lost);
	assert_int_equal(info_of(f, 0).duplicates, twice);
	assert_int_equal(info_of(f, 0).restarts, 0);
}

/* softflowd's way: the number is the one behind the datagram's own units. */
static void
sequence_that_counts_itself_takes_late_records_back(void **state)
{
	struct decoding *f = *state;

	send_ipfix(f, 2, 2, 1);
	send_ipfix(f, 7, 5, 0);	 /* 2 to 6 */
	send_ipfix(f, 8, 1, 0);	 /* 7: proven */
	send_ipfix(f, 24, 4, 0); /* 20 to 23; 8 to 19 are missing */
	expect_sequence(f, 12, 0, 0, 0);
	send_ipfix(f, 18, 3, 0); /* 15 to 17 */
	expect_sequence(f, 9, 1, 0, 0);
	send_ipfix(f, 18, 3, 0);
	expect_sequence(f, 9, 1, 1, 0);
	send_ipfix(f, 15, 7, 0); /* 8 to 14 */
	send_ipfix(f, 20, 2, 0); /* 18 and 19 */
	send_ipfix(f, 25, 1, 0);
	expect_sequence(f, 0, 3, 1, 0);
}

/* IPFIX datagrams of differing sizes, out of order, one in eight lost. */
static void
sequence_accounts_exactly_for_records_of_a_bad_path(void **state)
{
	enum { DATAGRAMS = 1500, SWAP = 3 };
	static uint32_t starts[DATAGRAMS + 1];
	struct decoding *f = *state;
	uint64_t lost = 0;

	for (uint32_t i = 0; i < DATAGRAMS; i++)
		starts[i + 1] = starts[i] + 1 + i * 7919 % 13;
	send_ipfix(f, starts[0], starts[1] - starts[0], 1);
	send_ipfix(f, starts[1], starts[2] - starts[1], 0);
	for (uint32_t i = 2; i + SWAP < DATAGRAMS; i += SWAP)
		for (uint32_t n = 0; n < SWAP; n++) {
			uint32_t at = i + (n + i) % SWAP;
			uint32_t records = starts[at + 1] - starts[at];

			if (at % 8 == 3)
				lost += records;
			else
				send_ipfix(f, starts[at], records, 0);
			assert_int_equal(info_of(f, 0).restarts, 0);
		}
	send_ipfix(f, starts[DATAGRAMS - 1], 1, 0);
	for (uint32_t i = 2 + (DATAGRAMS - 3) / SWAP * SWAP; i < DATAGRAMS - 1;
	     i++)
		lost += starts[i + 1] - starts[i];
	assert_int_equal(info_of(f, 0).lost, lost);
	assert_int_equal(info_of(f, 0).duplicates, 0);
}

/* --- who may send --- */

static enum decode_status
send_from(struct decoding *f, const char *source, uint16_t port,
    uint32_t sequence)
{
	build_netflow9(&f->build, 0, sequence);
	f->source = source;
	f->source_port = port;
	return decoding_finish(f);
}

static int
set_up_default(void **state)
{
	const struct decoder_config config = decoder_config_default();

	return decoding_set_up_with(state, &config);
}

static void
exporters_are_accepted_on_private_addresses_only(void **state)
{
	static const char *const good[] = { "127.0.0.1", "10.255.0.1",
		"172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
		"100.127.255.255", "169.254.9.9", "::1", "fc00::1", "fdff::1",
		"fe80::1", "febf::1" };
	static const char *const bad[] = { "126.255.255.255", "11.0.0.0",
		"172.15.255.255", "172.32.0.0", "192.167.0.1", "100.63.0.1",
		"100.128.0.0", "169.253.0.1", "192.0.2.1", "::2",
		"::", "fbff::1", "fe00::1", "fec0::1", "2001:db8::1" };
	struct decoding *f = *state;

	for (size_t i = 0; i < FIELDS(good); i++)
		assert_int_equal(send_from(f, good[i], 0, 0), DECODE_OK);
	for (size_t i = 0; i < FIELDS(bad); i++)
		assert_int_equal(send_from(f, bad[i], 0, 0),
		    DECODE_NOT_ALLOWED);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_NOT_ALLOWED),
	    FIELDS(bad));
	assert_int_equal(decoder_exporter_count(f->decoder), FIELDS(good));
}

static int
set_up_allow(void **state)
{
	struct decoder_config config = decoder_config_default();
	struct network n;

	assert_ok(network_parse("192.0.2.0/24=edge", &n));
	assert_ok(prefix_set_add(&config.allow, &n));
	assert_ok(network_parse("192.0.2.7=core router", &n));
	assert_ok(prefix_set_add(&config.allow, &n));
	return decoding_set_up_with(state, &config);
}

static void
allow_list_names_exporters_and_refuses_others(void **state)
{
	struct decoding *f = *state;

	assert_int_equal(send_from(f, "192.0.2.1", 0, 0), DECODE_OK);
	assert_int_equal(send_from(f, "192.0.2.7", 0, 0), DECODE_OK);
	assert_int_equal(send_from(f, "10.0.0.1", 0, 0), DECODE_NOT_ALLOWED);
	assert_string_equal(info_of(f, 0).name, "edge");
	assert_string_equal(info_of(f, 1).name, "core router");
	assert_int_equal(decoder_exporter_count(f->decoder), 2);
}

static void
refused_datagrams_are_counted_for_their_address(void **state)
{
	struct decoding *f = *state;
	const uint8_t noise[] = { 0, 77, 1, 2, 3 };
	const uint8_t cut[] = { 0, 9, 0, 0, 0 };

	send_netflow9(f, 0);
	assert_int_equal(decoding_octets(f, noise, sizeof(noise), 0),
	    DECODE_NOT_EXPORT);
	assert_int_equal(decoding_octets(f, cut, sizeof(cut), 0), DECODE_SHORT);
	assert_int_equal(info_of(f, 0).refused, 2);
	assert_int_equal(info_of(f, 0).datagrams, 1);
}

/* --- what is told of them --- */

static void
clock_offset_is_a_median(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 15; i++) {
		build_netflow9(&f->build, 0, i);
		/* ten are 3 s behind, and some came much later than sent */
		assert_int_equal(decoding_finish_later(f,
				     i % 3 == 0 ? 500000 : 2750),
		    DECODE_OK);
	}
	assert_int_equal(info_of(f, 0).clock_offset_ms, 3000);
}

static void
unknown_template_sets_are_told_of_each_exporter(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_set(&f->build, 300);
	build_zeros(&f->build, 20);
	build_set(&f->build, 301);
	build_zeros(&f->build, 20);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_ipfix(&f->build, 1, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(info_of(f, 0).unknown_template_sets, 2);
	assert_int_equal(info_of(f, 1).unknown_template_sets, 0);
}

/* --- many behind one address --- */

static void
exporters_that_share_an_address_are_found(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 10; i++)
		for (uint16_t n = 0; n < 3; n++)
			assert_int_equal(send_from(f, NULL,
					     (uint16_t)(40000 + n),
					     n * 100000U + i),
			    DECODE_OK);
	assert_true(info_of(f, 0).shared_address);
	/* what was lost between them was not lost */
	assert_int_equal(info_of(f, 0).lost, 0);
	assert_int_equal(decoder_exporter_count(f->decoder), 1);
	/* and each is now counted alone */
	assert_int_equal(send_from(f, NULL, 40001, 100010 + 4), DECODE_OK);
	assert_int_equal(info_of(f, 0).lost, 4);
}

static void
exporter_that_restarts_on_new_ports_shares_nothing(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 30; i++)
		for (uint32_t n = 0; n < 4; n++)
			assert_int_equal(send_from(f, NULL,
					     (uint16_t)(40000 + i), n),
			    DECODE_OK);
	assert_false(info_of(f, 0).shared_address);
}

static void
exporter_with_one_number_over_many_ports_shares_nothing(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(send_from(f, NULL, (uint16_t)(40000 + i % 4),
				     i),
		    DECODE_OK);
	assert_false(info_of(f, 0).shared_address);
	expect_sequence(f, 0, 0, 0, 0);
}

static int
set_up_port_in_key(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true;
	config.source_port_in_key = true;
	return decoding_set_up_with(state, &config);
}

static void
source_port_in_the_key_makes_an_exporter_of_each(void **state)
{
	struct decoding *f = *state;

	for (uint32_t i = 0; i < 10; i++)
		for (uint16_t n = 0; n < 3; n++)
			assert_int_equal(send_from(f, NULL,
					     (uint16_t)(40000 + n),
					     n * 100000U + i),
			    DECODE_OK);
	assert_int_equal(decoder_exporter_count(f->decoder), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(info_of(f, i).source_port, 40000 + i);
		assert_int_equal(info_of(f, i).datagrams, 10);
		assert_int_equal(info_of(f, i).lost, 0);
		assert_false(info_of(f, i).shared_address);
	}
}

#define ALLOW_TEST(function, set_up)                                           \
	cmocka_unit_test_setup_teardown(function, set_up, decoding_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(sequence_takes_late_datagrams_back_from_lost),
		DECODING_TEST(
		    sequence_takes_late_flows_and_records_back_one_by_one),
		DECODING_TEST(sequence_tells_duplicates_from_late_datagrams),
		DECODING_TEST(sequence_is_counted_for_each_domain),
		DECODING_TEST(sequence_sees_a_restart_by_the_time_of_boot),
		DECODING_TEST(
		    sequence_takes_an_uptime_that_wraps_for_no_restart),
		DECODING_TEST(sequence_sees_a_restart_by_the_export_time),
		DECODING_TEST(sequence_accepts_exporters_that_count_templates),
		DECODING_TEST(
		    sequence_accepts_exporters_that_leave_options_out),
		DECODING_TEST(sequence_unlearns_a_way_that_does_not_hold),
		DECODING_TEST(
		    sequence_gives_up_the_oldest_gap_when_many_are_open),
		DECODING_TEST(sequence_accounts_exactly_for_a_bad_path),
		DECODING_TEST(
		    sequence_that_counts_itself_takes_late_records_back),
		DECODING_TEST(
		    sequence_accounts_exactly_for_records_of_a_bad_path),
		ALLOW_TEST(exporters_are_accepted_on_private_addresses_only,
		    set_up_default),
		ALLOW_TEST(allow_list_names_exporters_and_refuses_others,
		    set_up_allow),
		DECODING_TEST(refused_datagrams_are_counted_for_their_address),
		DECODING_TEST(clock_offset_is_a_median),
		DECODING_TEST(unknown_template_sets_are_told_of_each_exporter),
		DECODING_TEST(exporters_that_share_an_address_are_found),
		DECODING_TEST(
		    exporter_that_restarts_on_new_ports_shares_nothing),
		DECODING_TEST(
		    exporter_with_one_number_over_many_ports_shares_nothing),
		ALLOW_TEST(source_port_in_the_key_makes_an_exporter_of_each,
		    set_up_port_in_key),
	};

	return RUN_TESTS(tests);
}
