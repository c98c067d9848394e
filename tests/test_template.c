/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: redefinition, what is kept of them over a restart, and the lists
 * of records that some describe.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/datagrams.h"

#include "collector/template.h"

#define HOUR_MS	 (INT64_C(3600) * 1000)
#define MEMORIES 64

static const struct build_field plain_fields[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 4, 1, 0 } };

#define PLAIN	   plain_fields, FIELDS(plain_fields)
#define PLAIN_LINE "10.0.0.1>10.0.0.2 proto=47 octets=0"

static void
build_plain(struct build *b)
{
	build_addr(b, "10.0.0.1");
	build_addr(b, "10.0.0.2");
	build_u8(b, 47);
}

static int
new_life(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true;
	config.key.octets[0] = 99; /* another life has another key */
	return decoding_set_up_with(state, &config);
}

/* All that f has to be kept; how many. */
static uint32_t
save(struct decoding *f, struct decoder_memory out[MEMORIES])
{
	uint32_t cursor = 0;
	uint32_t count = 0;

	memset(out, 0, MEMORIES * sizeof(out[0]));
	while (decoder_memory_next(f->decoder, &cursor, &out[count])) {
		count++;
		assert_true(count < MEMORIES);
	}
	return count;
}

/* --- redefinition --- */

static void
template_that_changes_is_counted_for_its_exporter(void **state)
{
	static const struct build_field other[] = { { 12, 4, 0 }, { 8, 4, 0 },
		{ 4, 1, 0 } };
	struct decoding *f = *state;

	for (int i = 0; i < 4; i++) {
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256,
		    i % 2 == 0 ? plain_fields : other, 3);
		build_template(&f->build, 256,
		    i % 2 == 0 ? plain_fields : other, 3);
		build_set(&f->build, 256);
		build_plain(&f->build);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		if (i % 2 == 0)
			EXPECT_FLOWS(f, PLAIN_LINE);
		else
			EXPECT_FLOWS(f, "10.0.0.2>10.0.0.1 proto=47 octets=0");
	}
	assert_int_equal(decoder_exporter(f->decoder, 0).templates_changed, 3);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_CHANGED), 3);
	assert_int_equal(decoding_counted(f, COUNTER_TEMPLATES_LEARNED), 1);
	assert_int_equal(decoder_exporter(f->decoder, 0).templates, 1);
}

/* --- over a restart --- */

/* Templates of both protocols, sampling, boot, timeouts; all once. */
static void
teach(struct decoding *f)
{
	static const struct build_field variable[] = { { 8, 4, 0 },
		{ 12, 4, 0 }, { 4, 1, 0 }, { 14, 4, 0 }, { 22, 4, 0 },
		{ 82, 65535, 0 }, { 7, 4, 9 } };
	static const struct build_field options[] = { { 149, 4, 0 },
		{ 160, 8, 0 }, { 36, 2, 0 }, { 37, 2, 0 } };
	static const struct build_field sampling[] = { { 2, 4, 0 },
		{ 34, 4, 0 } };
	static const struct build_field names[] = { { 2, 4, 0 }, { 82, 8, 0 } };

	build_ipfix(&f->build, 5, 0);
	build_template(&f->build, 256, variable, FIELDS(variable));
	build_options_template(&f->build, 300, 1, options, FIELDS(options));
	build_set(&f->build, 300);
	build_u32(&f->build, 5);
	build_u64(&f->build, (BUILD_EXPORT_S - 100) * UINT64_C(1000));
	build_u16(&f->build, 120);
	build_u16(&f->build, 30);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	build_netflow9(&f->build, 6, 0);
	build_template(&f->build, 256, build_usual_fields, 10);
	build_options_template(&f->build, 257, 1, sampling, FIELDS(sampling));
	build_set(&f->build, 257);
	build_u32(&f->build, 3); /* the interface */
	build_u32(&f->build, 40);
	build_options_template(&f->build, 258, 1, names, FIELDS(names));
	build_set(&f->build, 258);
	build_u32(&f->build, 3);
	build_octets(&f->build, "eth3\0\0\0", 8);
	build_u32(&f->build, 4);
	build_octets(&f->build, "dmz\0\0\0\0", 8);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

/* Nothing but data, which the life before had learned to read. */
static void
expect_taught(struct decoding *f, int64_t later_ms)
{
	struct exporter_info info;

	build_ipfix(&f->build, 5, 1);
	build_set(&f->build, 256);
	build_plain(&f->build);
	build_u32(&f->build, 3);
	build_u32(&f->build, 99000); /* up for so long, and 100 s at export */
	build_octets(&f->build, "\4eth0\0\0\0\0", 9);
	assert_int_equal(decoding_finish_later(f, later_ms), DECODE_OK);
	EXPECT_FLOWS(f,
	    "10.0.0.1>10.0.0.2 proto=47 octets=0 start=1699999999000 "
	    "end=1699999999000 uptime=99000 if=0>3");
	build_netflow9(&f->build, 6, 1);
	build_set(&f->build, 257); /* the options template holds, too */
	build_u32(&f->build, 4);
	build_u32(&f->build, 50);
	build_set(&f->build, 256);
	build_usual_record(&f->build, "10.0.0.1", 1, "10.0.0.2", 2, 2, 1);
	assert_int_equal(decoding_finish_later(f, later_ms), DECODE_OK);
	assert_int_equal(f->batch.count, 1);
	assert_int_equal(decoding_counted(f, COUNTER_SETS_UNKNOWN_TEMPLATE), 0);
	info = decoder_exporter(f->decoder, f->batch.records[0].exporter);
	assert_int_equal(info.domain, 6);
	assert_int_equal(info.templates, 3);
	assert_string_equal(decoder_interface_name(f->decoder,
				f->batch.records[0].exporter, 3),
	    "eth3");
	assert_string_equal(decoder_interface_name(f->decoder,
				f->batch.records[0].exporter, 4),
	    "dmz");
}

static void
restart_forgets_neither_templates_nor_options(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	static struct decoder_memory again[MEMORIES];
	struct decoding *f = *state;
	struct decoding *next;
	uint32_t count;

	teach(f);
	count = save(f, memories);
	assert_int_equal(count, 5 + 4);
	assert_int_equal(save(f, again), 0); /* nothing is new */
	assert_int_equal(new_life((void **)&next), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_ok(decoder_remember(next->decoder, &memories[i]));
	assert_int_equal(decoder_exporter(next->decoder, 0).datagrams, 0);
	expect_taught(next, 20 * HOUR_MS); /* it was down for long */
	for (uint32_t i = 0; i < decoder_exporter_count(next->decoder); i++)
		if (decoder_exporter(next->decoder, i).domain == 5) {
			assert_int_equal(
			    decoder_exporter(next->decoder, i).active_timeout_s,
			    120);
			assert_int_equal(
			    decoder_exporter(next->decoder, i).idle_timeout_s,
			    30);
		}
	decoding_tear_down((void **)&next);
}

/* As many as are kept, each as long as can be. */
static void
restart_forgets_no_name_of_an_interface(void **state)
{
	static const struct build_field names[] = { { 2, 4, 0 },
		{ 82, INTERFACE_NAME_MAX, 0 } };
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;
	struct decoding *next;
	uint32_t count;

	build_netflow9(&f->build, 6, 0);
	build_options_template(&f->build, 258, 1, names, FIELDS(names));
	build_set(&f->build, 258);
	for (uint32_t i = 1; i <= INTERFACE_NAMES; i++) {
		build_u32(&f->build, i);
		for (int k = 0; k < INTERFACE_NAME_MAX; k++)
			build_u8(&f->build, (uint8_t)('A' + i));
	}
	assert_int_equal(decoding_finish(f), DECODE_OK);
	count = save(f, memories);
	assert_int_equal(count, 2);
	assert_int_equal(new_life((void **)&next), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_ok(decoder_remember(next->decoder, &memories[i]));
	for (uint32_t i = 1; i <= INTERFACE_NAMES; i++) {
		const char *name = decoder_interface_name(next->decoder, 0, i);

		assert_non_null(name);
		assert_int_equal(strlen(name), INTERFACE_NAME_MAX - 1);
		assert_int_equal(name[0], 'A' + i);
	}
	assert_int_equal(save(next, memories), 0);
	/* a day later, they may be those of other interfaces */
	build_netflow9(&next->build, 6, 1);
	assert_int_equal(decoding_finish_later(next,
			     MEMORY_AGE_MAX_MS + HOUR_MS),
	    DECODE_OK);
	assert_null(decoder_interface_name(next->decoder, 0, 1));
	decoding_tear_down((void **)&next);
}

static void
memory_that_is_too_old_is_not_used(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;
	struct decoding *next;
	uint32_t count;

	teach(f);
	count = save(f, memories);
	assert_int_equal(new_life((void **)&next), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_ok(decoder_remember(next->decoder, &memories[i]));
	build_ipfix(&next->build, 5, 1);
	build_set(&next->build, 256);
	build_zeros(&next->build, 30);
	assert_int_equal(decoding_finish_later(next,
			     MEMORY_AGE_MAX_MS + HOUR_MS),
	    DECODE_OK);
	assert_int_equal(next->batch.count, 0);
	assert_int_equal(decoding_counted(next, COUNTER_SETS_UNKNOWN_TEMPLATE),
	    1);
	/* the one that was asked for, and one in passing */
	assert_int_equal(decoding_counted(next, COUNTER_TEMPLATES_EXPIRED), 2);
	decoding_tear_down((void **)&next);
}

/* From its first use on, one that was remembered ages like any other. */
static void
remembered_template_lives_from_its_first_use(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;
	struct decoding *next;
	const int64_t base_ms = 10 * HOUR_MS;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(save(f, memories), 1);
	assert_int_equal(new_life((void **)&next), 0);
	assert_ok(decoder_remember(next->decoder, &memories[0]));
	for (int i = 0; i < 3; i++) { /* 0, 25 and 50 minutes */
		build_ipfix(&next->build, 0, 0);
		build_set(&next->build, 256);
		build_plain(&next->build);
		assert_int_equal(decoding_finish_later(next,
				     base_ms + i * HOUR_MS * 5 / 12),
		    DECODE_OK);
		assert_int_equal(next->batch.count, i < 2 ? 1 : 0);
	}
	decoding_tear_down((void **)&next);
}

static void
memory_of_a_refresh_is_given_once_an_hour(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;
	uint32_t given = 0;

	for (int64_t minutes = 0; minutes <= 180; minutes += 5) {
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256, PLAIN);
		assert_int_equal(decoding_finish_later(f, minutes * 60000),
		    DECODE_OK);
		given += save(f, memories);
	}
	assert_int_equal(given, 4);
	assert_true(memories[0].learned_ms == BUILD_RECEIVED_MS + 3 * HOUR_MS);
}

static void
memory_of_a_template_that_changes_is_the_new_one(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;

	for (int i = 0; i < 2; i++) {
		build_ipfix(&f->build, 0, 0);
		build_template(&f->build, 256, plain_fields, 3U - (size_t)i);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		assert_int_equal(save(f, memories), 1);
		assert_int_equal(memories[0].kind, MEMORY_TEMPLATE);
		assert_int_equal(memories[0].id, 256);
		assert_int_equal(memories[0].protocol, EXPORT_IPFIX);
		assert_int_equal(memories[0].length, 4 + 4 * (3 - i));
	}
}

static void
memory_of_nonsense_is_refused(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoding *f = *state;
	uint32_t count;

	teach(f);
	count = save(f, memories);
	for (uint32_t i = 0; i < count; i++) {
		struct decoder_memory m = memories[i];

		for (m.length = 0; m.length < memories[i].length; m.length++)
			assert_int_equal(decoder_remember(f->decoder, &m),
			    ERR_FORMAT);
		m.length = MEMORY_OCTETS_MAX + 1;
		assert_int_equal(decoder_remember(f->decoder, &m), ERR_FORMAT);
		m = memories[i];
		m.kind = 0;
		assert_int_equal(decoder_remember(f->decoder, &m), ERR_FORMAT);
		m.kind = memories[i].kind;
		m.protocol = 7;
		assert_int_equal(decoder_remember(f->decoder, &m), ERR_FORMAT);
	}
}

static void
memory_obeys_the_limits_and_the_allow_list(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoder_config config = decoder_config_default();
	struct decoding *f = *state;
	struct decoding *next;

	teach(f);
	assert_true(save(f, memories) > 0);
	assert_int_equal(decoding_set_up_with((void **)&next, &config), 0);
	assert_int_equal(decoder_remember(next->decoder, &memories[0]),
	    ERR_RANGE);
	decoding_tear_down((void **)&next);
	config.accept_any = true;
	config.max_domains = 1;
	assert_int_equal(decoding_set_up_with((void **)&next, &config), 0);
	memories[0].domain = 1;
	assert_ok(decoder_remember(next->decoder, &memories[0]));
	memories[0].domain = 2;
	assert_int_equal(decoder_remember(next->decoder, &memories[0]),
	    ERR_FULL);
	decoding_tear_down((void **)&next);
}

/* Two exporters behind one address, told apart by their ports. */
static void
memory_knows_the_port_when_it_is_in_the_key(void **state)
{
	static struct decoder_memory memories[MEMORIES];
	struct decoder_config config = decoder_config_default();
	struct decoding *lives[2];

	(void)state;
	config.accept_any = true;
	config.source_port_in_key = true;
	for (int i = 0; i < 2; i++)
		assert_int_equal(decoding_set_up_with((void **)&lives[i],
				     &config),
		    0);
	lives[0]->source_port = 40001;
	build_ipfix(&lives[0]->build, 0, 0);
	build_template(&lives[0]->build, 256, PLAIN);
	assert_int_equal(decoding_finish(lives[0]), DECODE_OK);
	assert_int_equal(save(lives[0], memories), 1);
	assert_int_equal(memories[0].source_port, 40001);
	assert_ok(decoder_remember(lives[1]->decoder, &memories[0]));
	for (uint16_t port = 40002; port > 40000; port--) {
		lives[1]->source_port = port;
		build_ipfix(&lives[1]->build, 0, 0);
		build_set(&lives[1]->build, 256);
		build_plain(&lives[1]->build);
		assert_int_equal(decoding_finish(lives[1]), DECODE_OK);
		assert_int_equal(lives[1]->batch.count, port == 40001);
	}
	for (int i = 0; i < 2; i++)
		decoding_tear_down((void **)&lives[i]);
}

/* --- lists --- */

static const struct build_field flow_with_list[] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 4, 1, 0 }, { 7, 2, 0 }, { 11, 2, 0 }, { 86, 4, 0 },
	{ 86, 4, PEN_REVERSE }, { 293, 65535, 0 } };

/* As YAF has it: sequence number, flags; and of both directions. */
static const struct build_field tcp_fields[] = { { 184, 4, 0 },
	{ 14, 1, PEN_CERT }, { 15, 1, PEN_CERT }, { 184, 4, PEN_REVERSE },
	{ 16398, 1, PEN_CERT }, { 16399, 1, PEN_CERT } };

static void
build_flow_with_list(struct build *b, const void *list, uint8_t length)
{
	build_addr(b, "10.0.0.1");
	build_addr(b, "10.0.0.2");
	build_u8(b, 6);
	build_u16(b, 1000);
	build_u16(b, 80);
	build_u32(b, 5);
	build_u32(b, 4);
	build_u8(b, length);
	build_octets(b, list, length);
}

#define FLOW_START "10.0.0.1:1000>10.0.0.2:80 proto=6 "
#define BACK_START "10.0.0.2:80>10.0.0.1:1000 proto=6 "

static void
list_gives_a_flow_its_tcp_flags(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, flow_with_list, FIELDS(flow_with_list));
	build_template(&f->build, 300, tcp_fields, FIELDS(tcp_fields));
	build_set(&f->build, 256);
	/* another template's entry, then the flags: S, APSF; SA, APSF */
	build_flow_with_list(&f->build,
	    "\3\1\x2d\0\6xx"
	    "\1\x2c\0\x10\0\0\0\1\2\x1b\0\0\0\2\x12\x1a",
	    23);
	build_flow_with_list(&f->build, "\3", 1); /* none */
	build_flow_with_list(&f->build, "", 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, FLOW_START "flags=0x1b initial=0x02 pkts=5 octets=0",
	    BACK_START "flags=0x1a initial=0x12 pkts=4 octets=0 reverse",
	    FLOW_START "pkts=5 octets=0", BACK_START "pkts=4 octets=0 reverse",
	    FLOW_START "pkts=5 octets=0", BACK_START "pkts=4 octets=0 reverse");
}

static void
list_leaves_no_flags_for_the_next_record(void **state)
{
	static const struct build_field initial[] = { { 14, 1, PEN_CERT } };
	static const struct build_field later[] = { { 15, 1, PEN_CERT } };
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, flow_with_list, FIELDS(flow_with_list));
	build_template(&f->build, 300, initial, 1);
	build_template(&f->build, 301, later, 1);
	build_set(&f->build, 256);
	build_flow_with_list(&f->build, "\3\1\x2c\0\5\2", 6);	/* S */
	build_flow_with_list(&f->build, "\3\1\x2d\0\5\x10", 6); /* A */
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, FLOW_START "initial=0x02 pkts=5 octets=0",
	    BACK_START "pkts=4 octets=0 reverse",
	    FLOW_START "flags=0x10 pkts=5 octets=0",
	    BACK_START "pkts=4 octets=0 reverse");
}

static void
list_with_wrong_lengths_is_left_alone(void **state)
{
	static const uint8_t list[] = { 3, 1, 0x2c, 0, 0x10, 0, 0, 0, 1, 2,
		0x1b, 0, 0, 0, 2, 0x12, 0x1a };
	struct decoding *f = *state;

	for (size_t length = 0; length < sizeof(list); length++)
		for (unsigned told = 0; told < 256; told += 5) {
			uint8_t octets[sizeof(list)];

			memcpy(octets, list, sizeof(list));
			octets[4] = (uint8_t)told;
			build_ipfix(&f->build, 0, 0);
			build_template(&f->build, 256, flow_with_list,
			    FIELDS(flow_with_list));
			build_template(&f->build, 300, tcp_fields,
			    FIELDS(tcp_fields));
			build_set(&f->build, 256);
			build_flow_with_list(&f->build, octets,
			    (uint8_t)length);
			assert_int_equal(decoding_finish(f), DECODE_OK);
			assert_int_equal(f->batch.count, 2);
			assert_int_equal(f->batch.records[0].tcp_flags, 0);
			assert_int_equal(f->batch.records[1].tcp_flags, 0);
		}
}

/* A list that describes itself: no deeper than one level, and no endless. */
static void
list_of_lists_is_not_followed(void **state)
{
	struct decoding *f = *state;

	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, flow_with_list, FIELDS(flow_with_list));
	build_set(&f->build, 256);
	build_flow_with_list(&f->build, "\3\1\0\0\x8\1\0\0\4", 9);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 2);
	assert_int_equal(f->batch.records[0].has & FLOW_HAS_TCP_FLAGS, 0);
}

/* --- full --- */

static int
few_addresses(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true;
	config.max_exporters = 4;
	config.max_domains = 64;
	return decoding_set_up_with(state, &config);
}

/* One template in each of many domains, ids from 256 up, from one address. */
static void
flood_with_templates(struct decoding *f, const char *source)
{
	f->source = source;
	for (uint32_t domain = 0; domain < 64; domain++) {
		build_ipfix(&f->build, domain, 0);
		for (uint16_t id = 256; id < 512; id++)
			build_template(&f->build, id, PLAIN);
		assert_int_equal(decoding_finish(f), DECODE_OK);
	}
}

static void
addresses_that_fill_the_table_leave_others_their_share(void **state)
{
	struct decoding *f = *state;
	uint64_t learned;

	flood_with_templates(f, "203.0.113.1");
	flood_with_templates(f, "203.0.113.2");
	flood_with_templates(f, "203.0.113.3");
	learned = decoding_counted(f, COUNTER_TEMPLATES_LEARNED);
	/* half of 8192 for all, a quarter of the other half for each */
	assert_int_equal(learned, 4096 + 3 * 1024);
	assert_true(decoding_counted(f, COUNTER_TEMPLATES_REFUSED_LIMIT) > 0);
	f->source = "203.0.113.4";
	build_ipfix(&f->build, 0, 0);
	build_template(&f->build, 256, PLAIN);
	build_set(&f->build, 256);
	build_plain(&f->build);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f, PLAIN_LINE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    addresses_that_fill_the_table_leave_others_their_share,
		    few_addresses, decoding_tear_down),
		DECODING_TEST(
		    template_that_changes_is_counted_for_its_exporter),
		DECODING_TEST(restart_forgets_neither_templates_nor_options),
		DECODING_TEST(restart_forgets_no_name_of_an_interface),
		DECODING_TEST(memory_that_is_too_old_is_not_used),
		DECODING_TEST(remembered_template_lives_from_its_first_use),
		DECODING_TEST(memory_of_a_refresh_is_given_once_an_hour),
		DECODING_TEST(memory_of_a_template_that_changes_is_the_new_one),
		DECODING_TEST(memory_of_nonsense_is_refused),
		DECODING_TEST(memory_obeys_the_limits_and_the_allow_list),
		TEST(memory_knows_the_port_when_it_is_in_the_key),
		DECODING_TEST(list_gives_a_flow_its_tcp_flags),
		DECODING_TEST(list_leaves_no_flags_for_the_next_record),
		DECODING_TEST(list_with_wrong_lengths_is_left_alone),
		DECODING_TEST(list_of_lists_is_not_followed),
	};

	return RUN_TESTS(tests);
}
