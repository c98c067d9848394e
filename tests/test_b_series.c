/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series B1 to B30: what the octets of an export must lead to, from
 * datagram to verdict. Here is where the decoder and the engine have to work
 * together; the table names the test of each number, here or elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "exposure/trace.h"
#include "exposure/verdict.h"
#include "tests/datagrams.h"
#include "tests/test.h"
#include "tests/world.h"

static const struct {
	int number;
	const char *file;
	const char *test;
} series[] = {
	{ 1, "test_decoder", "decoder_takes_uptimes_from_before_boot" },
	{ 1, "test_b_series", "flow_from_before_the_boot_is_judged_in_time" },
	{ 2, "test_decoder", "decoder_survives_the_wrap_of_uptime" },
	{ 3, "test_decoder", "decoder_prefers_absolute_times" },
	{ 4, "test_b_series", "flags_of_one_or_two_octets_say_the_same" },
	{ 5, "test_b_series", "flags_of_one_or_two_octets_say_the_same" },
	{ 6, "test_b_series", "reverse_flags_stay_with_their_half" },
	{ 7, "test_b_series", "reverse_flags_stay_with_their_half" },
	{ 8, "test_b_series", "biflow_without_forward_packets_has_one_opener" },
	{ 9, "test_b_series", "flags_in_a_list_tell_who_opened" },
	{ 10, "test_b_series", "reverse_initial_flags_tell_who_accepted" },
	{ 11, "test_b_series", "data_before_its_template_is_never_guessed" },
	{ 12, "test_b_series",
	    "template_in_another_order_is_read_so_from_then" },
	{ 13, "test_b_series", "templates_of_two_domains_are_not_mixed_up" },
	{ 13, "test_decoder", "decoder_forgets_templates_that_grew_old" },
	{ 14, "test_b_series", "icmp_error_is_the_same_wherever_it_is_told" },
	{ 15, "test_b_series", "new_rate_is_that_of_its_sampler_alone" },
	{ 16, "test_b_series", "netflow5_header_tells_mode_and_rate" },
	{ 17, "test_sampling", "ipfix_selectors_tell_rates_in_two_ways" },
	{ 18, "test_b_series", "datagram_that_comes_twice_is_one_attempt" },
	{ 19, "test_b_series",
	    "silence_in_a_gap_of_the_sequence_is_unresolved" },
	{ 20, "test_b_series", "firewall_end_before_its_begin_is_one_attempt" },
	{ 21, "test_b_series", "both_endpoints_of_a_translation_are_recorded" },
	{ 22, "test_b_series", "fragments_are_counted_and_not_judged" },
	{ 23, "test_b_series", "uptimes_of_two_boots_are_not_compared" },
	{ 24, "test_b_series", "flow_from_the_future_is_of_the_time_received" },
	{ 25, "test_properties", "flood_of_a_million_keeps_every_exposure" },
	{ 26, "test_properties", "order_of_the_records_makes_no_difference" },
	{ 27, "test_properties",
	    "second_exporter_that_sees_the_same_doubles_nothing" },
	{ 28, "test_properties", "lost_datagrams_make_no_false_exposure" },
	{ 29, "test_properties",
	    "exporter_clock_off_by_minutes_changes_no_exposure" },
	{ 30, "test_properties",
	    "without_the_answers_nothing_is_silent_or_refused" },
};

#define REVERSE	  29305
#define CERT	  6871
#define EXPORT_MS (INT64_C(1000) * BUILD_EXPORT_S)

/* --- from octets to verdicts ---------------------------------------------- */

#define TRACES 32

struct chain {
	struct decoding *in;
	struct world *w;
	struct engine_trace traces[TRACES];
	int count;
};

static void
remember(const struct engine_trace *t, void *arg)
{
	struct chain *c = arg;

	if (t->kind != TRACE_VERDICT)
		return;
	assert_true(c->count < TRACES);
	c->traces[c->count++] = *t;
}

static int
set_up(void **state)
{
	struct chain *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	*state = c;
	c->w = world_new(0);
	engine_set_trace(c->w->engine, remember, c);
	return decoding_set_up((void **)&c->in);
}

static int
tear_down(void **state)
{
	struct chain *c = *state;
	int err = decoding_tear_down((void **)&c->in);

	world_free(c->w);
	free(c);
	return err;
}

#define CHAIN_TEST(function)                                                   \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* Ends the datagram, decodes it, and gives the engine what came of it. */
static void
export_later(struct chain *c, int64_t later_ms)
{
	assert_int_equal(decoding_finish_later(c->in, later_ms), DECODE_OK);
	engine_take(c->w->engine, &c->in->batch);
}

static void export(struct chain *c)
{
	export_later(c, 0);
}

/* The last verdict, when no more comes. */
static const struct engine_trace *
verdict(struct chain *c)
{
	world_drain(c->w);
	assert_true(c->count > 0);
	return &c->traces[c->count - 1];
}

static void
assert_verdict(struct chain *c, enum outcome outcome, enum rule rule)
{
	const struct engine_trace *t = verdict(c);

	assert_string_equal(outcome_name(t->outcome), outcome_name(outcome));
	assert_string_equal(rule_name(t->rule), rule_name(rule));
}

static uint64_t
counted(const struct chain *c, enum counter which)
{
	return counter_get(&c->w->counters, which);
}

static const struct build_field endpoints[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 } };

static void
build_endpoints(struct build *b, const char *src, uint16_t src_port,
    const char *dst, uint16_t dst_port, uint8_t protocol)
{
	build_addr(b, src);
	build_addr(b, dst);
	build_u16(b, src_port);
	build_u16(b, dst_port);
	build_u8(b, protocol);
}

#define CLIENT "203.0.113.10"
#define SERVER "10.0.0.5"

/* One TCP packet to or from the server's port 80. */
static void
build_packet(struct build *b, bool inward, uint8_t flags)
{
	build_usual_record(b, inward ? CLIENT : SERVER, inward ? 43000 : 80,
	    inward ? SERVER : CLIENT, inward ? 80 : 43000, flags, 1);
}

static void
build_usual(struct chain *c, uint32_t sequence)
{
	build_netflow9(&c->in->build, 0, sequence);
	build_template(&c->in->build, 256, build_usual_fields,
	    FIELDS(build_usual_fields));
	build_set(&c->in->build, 256);
}

/* --- times (B1, B2, B23, B24) --------------------------------------------- */

static void
flow_from_before_the_boot_is_judged_in_time(void **state) /* B1 */
{
	struct chain *c = *state;
	struct build_netflow5_record r = { CLIENT, SERVER, 1, 40, 4293301873U,
		4293301873U, 43000, 80, 0x02, 6 };

	build_netflow5(&c->in->build, 0, 2);
	build_netflow5_record(&c->in->build, &r);
	r = (struct build_netflow5_record){ SERVER, CLIENT, 1, 40, 4293301874U,
		4293301874U, 80, 43000, 0x12, 6 };
	build_netflow5_record(&c->in->build, &r);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
	assert_int_equal(world_exposure(c->w, SERVER, 80)->first_ms,
	    EXPORT_MS - 1677423);
	assert_int_equal(counted(c, COUNTER_TIME_REPLACED), 0);
}

/* Two records of a completed connection, at these uptimes. */
static void
send_connection(struct chain *c, uint32_t sequence, bool inward,
    uint32_t uptime_ms, uint32_t first_ms)
{
	struct build_netflow5_record r = { CLIENT, SERVER, 5, 300, first_ms,
		first_ms + 100, 43000, 50123, 0x1b, 6 };

	if (!inward)
		r = (struct build_netflow5_record){ SERVER, CLIENT, 5, 300,
			first_ms, first_ms + 100, 50123, 43000, 0x1b, 6 };
	build_netflow5(&c->in->build, sequence, 1);
	wire_put_u32(c->in->build.octets + 4, uptime_ms);
	build_netflow5_record(&c->in->build, &r);
	export(c);
}

static void
uptimes_of_two_boots_are_not_compared(void **state) /* B23 */
{
	struct chain *c = *state;

	/* the connection began 60 s ago; then the exporter booted */
	send_connection(c, 0, true, 70000, 10000);
	send_connection(c, 1, false, 9000, 9000 - 1);
	assert_verdict(c, OUTCOME_UNKNOWN_DIR, RULE_D9);
	assert_null(world_exposure(c->w, SERVER, 50123));
}

static void
flow_from_the_future_is_of_the_time_received(void **state) /* B24 */
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 6, 1, 0 },
		{ 2, 4, 0 }, { 152, 8, 0 }, { 153, 8, 0 } };
	const uint64_t hour_ahead = (uint64_t)EXPORT_MS + 3600000;
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_ipfix(b, 0, 0);
	build_template(b, 256, fields, FIELDS(fields));
	build_set(b, 256);
	for (int i = 0; i < 2; i++) {
		build_endpoints(b, i == 0 ? CLIENT : SERVER,
		    i == 0 ? 43000 : 80, i == 0 ? SERVER : CLIENT,
		    i == 0 ? 80 : 43000, 6);
		build_u8(b, i == 0 ? 0x02 : 0x12);
		build_u32(b, 1);
		build_u64(b, hour_ahead);
		build_u64(b, hour_ahead);
	}
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
	assert_int_equal(world_exposure(c->w, SERVER, 80)->first_ms,
	    BUILD_RECEIVED_MS);
	assert_int_equal(counted(c, COUNTER_TIME_REPLACED), 2);
}

/* --- flags (B4, B5) ------------------------------------------------------- */

static void
flags_of_one_or_two_octets_say_the_same(void **state) /* B4, B5 */
{
	static const struct {
		uint16_t length, syn, synack;
	} rows[] = { { 1, 0x02, 0x12 }, { 2, 0x0002, 0x0012 },
		{ 2, 0x0102, 0x0112 }, { 2, 0xf0c2, 0x0152 } };
	struct chain *c = *state;
	struct build *b = &c->in->build;

	for (uint32_t i = 0; i < FIELDS(rows); i++) {
		struct build_field fields[7];
		uint16_t port = (uint16_t)(80 + i);

		memcpy(fields, endpoints, sizeof(endpoints));
		fields[5] = (struct build_field){ 6, rows[i].length, 0 };
		fields[6] = (struct build_field){ 2, 4, 0 };
		build_ipfix(b, i, 0);
		build_template(b, 256, fields, FIELDS(fields));
		build_set(b, 256);
		for (int inward = 1; inward >= 0; inward--) {
			uint16_t flags = inward ? rows[i].syn : rows[i].synack;

			build_endpoints(b, inward ? CLIENT : SERVER,
			    inward ? 43000 : port, inward ? SERVER : CLIENT,
			    inward ? port : 43000, 6);
			if (rows[i].length == 2)
				build_u8(b, (uint8_t)(flags >> 8));
			build_u8(b, (uint8_t)flags);
			build_u32(b, 1);
		}
		export(c);
		assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
		assert_int_equal(c->traces[c->count - 1].inner_port, port);
	}
}

/* --- biflows (B6 to B10) -------------------------------------------------- */

static const struct build_field biflow_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 6, 1, 0 }, { 2, 4, 0 },
	{ 6, 1, REVERSE }, { 2, 4, REVERSE }, { 999, 3, REVERSE } };

/* The server first, as meters do that sort by address. */
static void
build_biflow(struct build *b, uint8_t flags, uint32_t packets,
    uint8_t rev_flags, uint32_t rev_packets)
{
	build_ipfix(b, 0, 0);
	build_template(b, 256, biflow_fields, FIELDS(biflow_fields));
	build_set(b, 256);
	build_endpoints(b, SERVER, 50123, CLIENT, 43000, 6);
	build_u8(b, flags);
	build_u32(b, packets);
	build_u8(b, rev_flags);
	build_u32(b, rev_packets);
	build_zeros(b, 3);
}

static void
reverse_flags_stay_with_their_half(void **state) /* B6, B7 */
{
	struct chain *c = *state;

	build_biflow(&c->in->build, 0x12, 1, 0x06, 2);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_HALF_OPEN, RULE_A1_D1);
	assert_non_null(world_exposure(c->w, SERVER, 50123));
}

static void
biflow_without_forward_packets_has_one_opener(void **state) /* B8 */
{
	struct chain *c = *state;

	world_show_both(c->w);
	build_biflow(&c->in->build, 0, 0, 0x02, 3);
	export(c);
	assert_verdict(c, OUTCOME_SILENT, RULE_S1);
	assert_int_equal(counted(c, COUNTER_ATTEMPTS), 1);
	assert_int_equal(counted(c, COUNTER_OUTBOUND), 0);
	assert_int_equal(c->w->host_count, 0); /* it sent nothing */
}

static void
flags_in_a_list_tell_who_opened(void **state) /* B9 */
{
	static const struct build_field flow[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 86, 4, 0 },
		{ 86, 4, REVERSE }, { 293, 65535, 0 } };
	static const struct build_field tcp[] = { { 184, 4, 0 },
		{ 14, 1, CERT }, { 15, 1, CERT }, { 184, 4, REVERSE },
		{ 16398, 1, CERT }, { 16399, 1, CERT } };
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_ipfix(b, 0, 0);
	build_template(b, 256, flow, FIELDS(flow));
	build_template(b, 300, tcp, FIELDS(tcp));
	build_set(b, 256);
	build_endpoints(b, CLIENT, 43000, SERVER, 50123, 6);
	build_u32(b, 5);
	build_u32(b, 4);
	/* semantic 3; template 300, 16 octets: S, APSF; SA, APSF */
	build_octets(b, "\x11\3\1\x2c\0\x10\0\0\0\1\2\x1b\0\0\0\2\x12\x1a", 18);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED, RULE_A1_D1);
	assert_non_null(world_exposure(c->w, SERVER, 50123));
}

static void
reverse_initial_flags_tell_who_accepted(void **state) /* B10 */
{
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 2, 4, 0 },
		{ 2, 4, REVERSE }, { 14, 1, CERT }, { 15, 1, CERT },
		{ 16398, 1, CERT }, { 16399, 1, CERT } };
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_ipfix(b, 0, 0);
	build_template(b, 256, fields, FIELDS(fields));
	build_set(b, 256);
	build_endpoints(b, SERVER, 40374, CLIENT, 50000, 6);
	build_u32(b, 5);
	build_u32(b, 4);
	/* the inside opened: its flags first, the acceptor's reverse */
	build_octets(b, "\x02\x1b\x12\x1a", 4);
	export(c);
	assert_verdict(c, OUTCOME_OUTBOUND, RULE_D1);
	assert_int_equal(c->w->exposure_count, 0);
}

/* --- templates (B11 to B13) ----------------------------------------------- */

static void
data_before_its_template_is_never_guessed(void **state) /* B11 */
{
	struct chain *c = *state;

	build_netflow9(&c->in->build, 0, 0);
	build_set(&c->in->build, 256);
	build_packet(&c->in->build, false, 0x12);
	export(c);
	world_drain(c->w);
	assert_int_equal(c->count, 0);
	assert_int_equal(decoding_counted(c->in, COUNTER_SETS_UNKNOWN_TEMPLATE),
	    1);
	assert_int_equal(c->w->exposure_count, 0);
	/* with its template it is read */
	build_usual(c, 1);
	build_packet(&c->in->build, true, 0x02);
	build_packet(&c->in->build, false, 0x12);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
}

static const struct build_field turned[] = { { 12, 4, 0 }, { 8, 4, 0 },
	{ 11, 2, 0 }, { 7, 2, 0 }, { 4, 1, 0 }, { 6, 1, 0 }, { 2, 4, 0 },
	{ 1, 8, 0 }, { 22, 4, 0 }, { 21, 4, 0 } };

static void
template_in_another_order_is_read_so_from_then(void **state) /* B12 */
{
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_usual(c, 0);
	build_packet(b, true, 0x02);
	build_template(b, 256, turned, FIELDS(turned));
	build_set(b, 256);
	/* destination first: this is the server's answer */
	build_packet(b, true, 0x12);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
	assert_int_equal(counted(c, COUNTER_OUTBOUND), 0);
	assert_non_null(world_exposure(c->w, SERVER, 80));
	assert_int_equal(c->w->exposure_count, 1);
}

static void
templates_of_two_domains_are_not_mixed_up(void **state) /* B13 */
{
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_netflow9(b, 1, 0);
	build_template(b, 256, build_usual_fields, FIELDS(build_usual_fields));
	export(c);
	build_netflow9(b, 2, 0);
	build_template(b, 256, turned, FIELDS(turned));
	export(c);
	build_netflow9(b, 1, 1);
	build_set(b, 256);
	build_packet(b, true, 0x02);
	export(c);
	build_netflow9(b, 2, 1);
	build_set(b, 256);
	build_packet(b, true, 0x12);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
	assert_int_equal(c->w->exposure_count, 1);
}

/* --- ICMP (B14) ----------------------------------------------------------- */

static void
icmp_error_is_the_same_wherever_it_is_told(void **state) /* B14 */
{
	static const struct build_field in_port[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 7, 2, 0 }, { 11, 2, 0 } };
	static const struct build_field in_one[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 7, 2, 0 }, { 32, 2, 0 } };
	static const struct build_field in_two[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 7, 2, 0 }, { 176, 1, 0 }, { 177, 1, 0 } };
	static const struct {
		const struct build_field *fields;
		size_t count;
	} rows[] = { { in_port, FIELDS(in_port) }, { in_one, FIELDS(in_one) },
		{ in_two, FIELDS(in_two) } };
	struct chain *c = *state;
	struct build *b = &c->in->build;

	for (uint32_t i = 0; i < FIELDS(rows); i++) {
		char client[32];

		snprintf(client, sizeof(client), "203.0.113.%u", 10 + i);
		build_ipfix(b, i, 0);
		build_template(b, 256, endpoints, FIELDS(endpoints));
		build_template(b, 257, rows[i].fields, rows[i].count);
		build_set(b, 256);
		build_endpoints(b, client, 43000, SERVER, 9999, 17);
		build_set(b, 257);
		build_addr(b, SERVER);
		build_addr(b, client);
		build_u8(b, 1);
		build_u16(b, 0);
		build_u16(b, 0x0303);
		export(c);
		assert_verdict(c, OUTCOME_REFUSED, RULE_ICMP);
	}
	assert_int_equal(counted(c, COUNTER_ATTEMPTS), FIELDS(rows));
}

/* --- sampling (B15, B16) -------------------------------------------------- */

static void
new_rate_is_that_of_its_sampler_alone(void **state) /* B15 */
{
	static const struct build_field options[] = { { 48, 4, 0 },
		{ 34, 4, 0 } };
	static const struct build_field fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 48, 1, 0 } };
	static const uint32_t rates[][2] = { { 1, 100 }, { 2, 200 },
		{ 1, 500 } };
	static const uint32_t expected[][2] = { { 100, 0 }, { 100, 200 },
		{ 500, 200 } }; /* 0: sampled, and not told how */
	struct chain *c = *state;
	struct build *b = &c->in->build;

	for (uint32_t i = 0; i < FIELDS(rates); i++) {
		build_ipfix(b, 0, i);
		build_template(b, 256, fields, FIELDS(fields));
		build_options_template(b, 257, 1, options, FIELDS(options));
		build_set(b, 257);
		build_u32(b, rates[i][0]);
		build_u32(b, rates[i][1]);
		build_set(b, 256);
		for (uint8_t sampler = 1; sampler <= 2; sampler++) {
			build_addr(b, CLIENT);
			build_addr(b, SERVER);
			build_u8(b, 47);
			build_u8(b, sampler);
		}
		assert_int_equal(decoding_finish(c->in), DECODE_OK);
		assert_int_equal(c->in->batch.count, 2);
		for (int s = 0; s < 2; s++)
			assert_int_equal(c->in->batch.records[s].sampling,
			    expected[i][s]);
	}
}

/* A SYN that nobody answers, with this sampling word in the header. */
static void
send_sampled(struct chain *c, uint32_t sequence, uint16_t sampling)
{
	const struct build_netflow5_record r = { CLIENT, SERVER, 1, 40, 11000,
		11000, (uint16_t)(43000 + sequence), 80, 0x02, 6 };

	build_netflow5(&c->in->build, sequence, 1);
	wire_put_u16(c->in->build.octets + 22, sampling);
	build_netflow5_record(&c->in->build, &r);
	export(c);
}

static void
netflow5_header_tells_mode_and_rate(void **state) /* B16 */
{
	struct chain *c = *state;

	world_show_both(c->w);
	send_sampled(c, 0, 0x4064); /* mode 1, 1 in 100 */
	assert_int_equal(c->in->batch.records[0].sampling, 100);
	assert_verdict(c, OUTCOME_UNRESOLVED, RULE_S2);
	assert_int_equal(c->traces[c->count - 1].reason, REASON_SAMPLED);
	/* mode 1, every packet */
	send_sampled(c, 1, 0x4001);
	assert_int_equal(c->in->batch.records[0].sampling, 1);
	assert_verdict(c, OUTCOME_SILENT, RULE_S1);
}

/* --- loss (B19) ----------------------------------------------------------- */

#define V5_RECORDS 30 /* in a datagram */

/* A datagram of v5 at its time, its records a second old; the sequence goes
 * on. */
static void
send_at(struct chain *c, int64_t at_ms, uint32_t *sequence, uint16_t count,
    struct build_netflow5_record r)
{
	uint32_t uptime_ms = (uint32_t)at_ms + BUILD_UPTIME_MS;

	build_netflow5(&c->in->build, *sequence, count);
	wire_put_u32(c->in->build.octets + 4, uptime_ms);
	wire_put_u32(c->in->build.octets + 8,
	    (uint32_t)(at_ms / 1000) + BUILD_EXPORT_S);
	r.first = r.last = uptime_ms - 1000;
	for (uint16_t i = 0; i < count; i++)
		build_netflow5_record(&c->in->build, &r);
	*sequence += count;
	export_later(c, at_ms);
}

/* A minute of traffic that passes by, and a SYN at this port that nobody
 * answers. In the middle of it so many records get lost. */
static void
send_window(struct chain *c, int64_t from_ms, uint32_t *sequence, uint16_t port,
    int datagrams, uint32_t lost)
{
	const struct build_netflow5_record probe = { CLIENT, SERVER, 1, 40, 0,
		0, 43000, port, 0x02, 6 };
	const struct build_netflow5_record passes = { CLIENT, "198.51.100.9", 1,
		40, 0, 0, 1000, 2000, 0, 17 };

	send_at(c, from_ms, sequence, 1, probe);
	for (int i = 0; i < datagrams; i++) {
		*sequence += i == datagrams / 2 ? lost : 0;
		send_at(c, from_ms + INT64_C(60000) * i / datagrams, sequence,
		    V5_RECORDS, passes);
	}
}

static void
silence_in_a_gap_of_the_sequence_is_unresolved(void **state) /* B19 */
{
	const struct build_netflow5_record syn = { CLIENT, SERVER, 1, 40, 0, 0,
		42000, 80, 0x02, 6 };
	const struct build_netflow5_record synack = { SERVER, CLIENT, 1, 40, 0,
		0, 80, 42000, 0x12, 6 };
	const int64_t apart_ms = 1200000;
	struct chain *c = *state;
	uint32_t sequence = 0;

	engine_set_trace(c->w->engine, NULL, NULL); /* too many pass by */
	send_at(c, 0, &sequence, 1, syn);	    /* answers are seen */
	send_at(c, 0, &sequence, 1, synack);
	/* the window of the gap has 2 % of the traffic */
	send_window(c, 0, &sequence, 1, 816, 0);
	send_window(c, apart_ms, &sequence, 2, 33, 1000);
	send_window(c, 2 * apart_ms, &sequence, 3, 816, 0);
	assert_int_equal(decoder_exporter(c->in->decoder, 0).lost, 1000);
	world_drain(c->w);
	assert_int_equal(world_outcomes(c->w, OUTCOME_SILENT), 2);
	assert_int_equal(world_outcomes(c->w, OUTCOME_UNRESOLVED), 1);
	assert_int_equal(world_event(c->w, CLIENT, SERVER, 2)->answer,
	    ANSWER_UNRESOLVED);
	assert_int_equal(world_event(c->w, CLIENT, SERVER, 2)->reason,
	    REASON_LOSS);
}

/* --- duplicates, fragments (B18, B22) ------------------------------------- */

static void
datagram_that_comes_twice_is_one_attempt(void **state) /* B18 */
{
	struct chain *c = *state;

	for (int i = 0; i < 2; i++) {
		build_usual(c, 0);
		build_packet(&c->in->build, true, 0x02);
		build_packet(&c->in->build, false, 0x12);
		export_later(c, i);
	}
	assert_verdict(c, OUTCOME_ACCEPTED_NO_ACK, RULE_A1_D1);
	assert_int_equal(counted(c, COUNTER_ATTEMPTS), 1);
	assert_int_equal(world_exposure(c->w, SERVER, 80)->accepted, 1);
	assert_int_equal(world_outcomes(c->w, OUTCOME_ACCEPTED_NO_ACK), 1);
}

static void
fragments_are_counted_and_not_judged(void **state) /* B22 */
{
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_ipfix(b, 0, 0);
	build_template(b, 256, endpoints, FIELDS(endpoints));
	build_set(b, 256);
	build_endpoints(b, CLIENT, 0, SERVER, 0, 17);
	build_endpoints(b, SERVER, 0, CLIENT, 0, 17);
	build_endpoints(b, CLIENT, 0, SERVER, 0, 6);
	export(c);
	world_drain(c->w);
	assert_int_equal(c->count, 0);
	assert_int_equal(counted(c, COUNTER_ATTEMPTS), 0);
	assert_int_equal(counted(c, COUNTER_FLOWS_UNUSABLE), 3);
	assert_int_equal(c->w->exposure_count, 0);
}

/* --- firewalls (B20, B21) ------------------------------------------------- */

static const struct build_field nsel_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 226, 4, 0 }, { 228, 2, 0 },
	{ 233, 1, 0 }, { 323, 8, 0 }, { 231, 4, 0 }, { 232, 4, 0 } };

static void
build_nsel(struct build *b, const char *dst, const char *translated,
    uint16_t translated_port, uint8_t event, int64_t event_ms,
    uint32_t responder_octets)
{
	build_endpoints(b, CLIENT, 43000, dst, 443, 6);
	build_addr(b, translated);
	build_u16(b, translated_port);
	build_u8(b, event);
	build_u64(b, (uint64_t)event_ms);
	build_u32(b, 400);
	build_u32(b, responder_octets);
}

static void
firewall_end_before_its_begin_is_one_attempt(void **state) /* B20 */
{
	const int64_t begin_ms = EXPORT_MS - 9000;
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_netflow9(b, 0, 0);
	build_template(b, 256, nsel_fields, FIELDS(nsel_fields));
	build_set(b, 256);
	build_nsel(b, SERVER, SERVER, 443, 2, begin_ms + 5000, 5000);
	build_nsel(b, SERVER, SERVER, 443, 1, begin_ms, 0);
	export(c);
	assert_verdict(c, OUTCOME_ACCEPTED, RULE_FW_BYTES);
	assert_int_equal(counted(c, COUNTER_ATTEMPTS), 1);
	assert_int_equal(c->w->exposure_count, 1);
	/* in time by IE 323, not by arrival */
	assert_int_equal(world_exposure(c->w, SERVER, 443)->first_ms, begin_ms);
}

static void
both_endpoints_of_a_translation_are_recorded(void **state) /* B21 */
{
	struct chain *c = *state;
	struct build *b = &c->in->build;

	build_netflow9(b, 0, 0);
	build_template(b, 256, nsel_fields, FIELDS(nsel_fields));
	build_set(b, 256);
	build_nsel(b, "10.9.9.9", SERVER, 8443, 2, EXPORT_MS - 9000, 5000);
	export(c);
	world_drain(c->w);
	assert_non_null(world_exposure(c->w, "10.9.9.9", 443));
	assert_non_null(world_exposure(c->w, SERVER, 8443));
	assert_int_equal(c->w->exposure_count, 2);
}

/* --- the series ----------------------------------------------------------- */

/* The file runs that test. */
static bool
is_run(const char *file, const char *test)
{
	char path[64];
	char wanted[128];
	char line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "tests/%s.c", file);
	f = fopen(path, "r");
	assert_non_null(f);
	snprintf(wanted, sizeof(wanted), "%s),", test);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strstr(line, wanted) != NULL;
	fclose(f);
	return found;
}

static void
every_number_of_the_series_has_a_test_that_is_run(void **state)
{
	bool seen[31] = { false };

	(void)state;
	for (size_t i = 0; i < FIELDS(series); i++) {
		seen[series[i].number] = true;
		if (!is_run(series[i].file, series[i].test))
			fail_msg("B%d: %s is not run by %s", series[i].number,
			    series[i].test, series[i].file);
	}
	for (int b = 1; b <= 30; b++)
		if (!seen[b])
			fail_msg("B%d has no test", b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CHAIN_TEST(flow_from_before_the_boot_is_judged_in_time),
		CHAIN_TEST(uptimes_of_two_boots_are_not_compared),
		CHAIN_TEST(flow_from_the_future_is_of_the_time_received),
		CHAIN_TEST(flags_of_one_or_two_octets_say_the_same),
		CHAIN_TEST(reverse_flags_stay_with_their_half),
		CHAIN_TEST(biflow_without_forward_packets_has_one_opener),
		CHAIN_TEST(flags_in_a_list_tell_who_opened),
		CHAIN_TEST(reverse_initial_flags_tell_who_accepted),
		CHAIN_TEST(data_before_its_template_is_never_guessed),
		CHAIN_TEST(template_in_another_order_is_read_so_from_then),
		CHAIN_TEST(templates_of_two_domains_are_not_mixed_up),
		CHAIN_TEST(icmp_error_is_the_same_wherever_it_is_told),
		CHAIN_TEST(new_rate_is_that_of_its_sampler_alone),
		CHAIN_TEST(netflow5_header_tells_mode_and_rate),
		CHAIN_TEST(silence_in_a_gap_of_the_sequence_is_unresolved),
		CHAIN_TEST(datagram_that_comes_twice_is_one_attempt),
		CHAIN_TEST(fragments_are_counted_and_not_judged),
		CHAIN_TEST(firewall_end_before_its_begin_is_one_attempt),
		CHAIN_TEST(both_endpoints_of_a_translation_are_recorded),
		TEST(every_number_of_the_series_has_a_test_that_is_run),
	};

	return RUN_TESTS(tests);
}
