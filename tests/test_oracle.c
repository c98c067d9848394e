/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ways to decode are equal: random messages through our own walk and
 * through libfixbuf.
 *
 * Templates and records are drawn at random, whole and sane, since libfixbuf
 * is no judge of others. Fixed templates get a variable field of no octets
 * for the library's side, which then decodes them. What lists of records hold
 * is read by libfixbuf from the message as it is. It has no NetFlow v5: there
 * the judge is the table of offsets, read here.
 *
 * ORACLE_MESSAGES: how many of each sort (400); ORACLE_SEED: of the first.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fixbuf/public.h>

#include "tests/datagrams.h"

#include "collector/ie.h"
#include "common/wire.h"
#include "tests/attacks.h"

#define MESSAGES     400
#define FIELDS_MAX   24
#define RECORDS_MAX  20
#define VARIABLE_MAX 300
#define REUSES	     4 /* messages of one template */
#define V5_OCTETS    48
#define V5_HEADER    24

static uint64_t state;

static uint32_t
below(uint32_t n)
{
	return (uint32_t)((attack_random(&state) >> 32) * n >> 32);
}

static unsigned long
start_random(void)
{
	const char *messages = getenv("ORACLE_MESSAGES");
	const char *seed = getenv("ORACLE_SEED");

	state = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 1;
	return messages != NULL ? strtoul(messages, NULL, 10) : MESSAGES;
}

/* --- templates and records at random --- */

struct shape {
	struct build_field fields[FIELDS_MAX + 1];
	size_t count;
};

/* One of our elements in a length it may have, or one we do not use. */
static struct build_field
any_field(bool is_netflow9, bool may_vary)
{
	const struct ie_info *info = ie_info((enum ie)below(IE_COUNT));
	struct build_field field = { info->number, info->size, info->pen };

	if (info->fit == IE_FIT_REDUCED && below(2) == 0)
		field.length = (uint16_t)(1 + below(info->size));
	if (info->pen == PEN_NETFLOW9) {
		field.number |= 0x8000;
		field.pen = 0;
	}
	if ((is_netflow9 ? field.pen != 0 : info->pen == PEN_NETFLOW9) ||
	    below(4) == 0) {
		field = (struct build_field){ (uint16_t)(400 + below(1000)),
			(uint16_t)(1 + below(below(8) == 0 ? 260 : 20)), 0 };
		if (below(20) == 0) /* of variable fields, a mark */
			field.length = IE_VARIABLE_LONG;
		if (may_vary && below(2) == 0)
			field.length = IE_VARIABLE;
	}
	return field;
}

static struct shape
any_shape(bool is_netflow9, bool may_vary)
{
	static const struct build_field v4[] = { { 4, 1, 0 }, { 8, 4, 0 },
		{ 12, 4, 0 } };
	static const struct build_field v6[] = { { 27, 16, 0 }, { 4, 1, 0 },
		{ 28, 16, 0 } };
	struct shape s = { .count = FIELDS(v4) };

	memcpy(s.fields, below(4) == 0 ? v6 : v4, sizeof(v4));
	for (uint32_t n = below(FIELDS_MAX - FIELDS(v4)); n > 0; n--) {
		size_t at = below((uint32_t)s.count + 1);

		memmove(&s.fields[at + 1], &s.fields[at],
		    (s.count - at) * sizeof(s.fields[0]));
		s.fields[at] = any_field(is_netflow9, may_vary);
		s.count++;
	}
	return s;
}

/* Any octet; zeros and ones often. */
static uint8_t
any_octet(void)
{
	uint32_t n = below(400);

	return (uint8_t)(n < 256 ? n : n < 350 ? 0 : n % 2 == 0 ? 1 : 255);
}

static void
append_length(struct build *b, uint32_t length)
{
	if (length < IE_VARIABLE_LONG && below(8) != 0) {
		build_u8(b, (uint8_t)length);
	} else {
		build_u8(b, IE_VARIABLE_LONG);
		build_u16(b, (uint16_t)length);
	}
}

static void
append_any_record(struct build *b, const struct shape *s)
{
	for (size_t i = 0; i < s->count; i++) {
		uint32_t length = s->fields[i].length;

		if (length == IE_VARIABLE) {
			length = below(below(8) == 0 ? VARIABLE_MAX : 20);
			append_length(b, length);
		}
		for (; length > 0; length--)
			build_u8(b, any_octet());
	}
}

/* --- the plan, and the library behind the gate --- */

struct both {
	struct decoding *plan;
	struct decoding *library;
};

static int
set_up_both(void **test)
{
	struct both *both = calloc(1, sizeof(*both));
	struct decoder_config config = decoder_config_default();

	assert_non_null(both);
	config.accept_any = true;
	assert_int_equal(decoding_set_up_with((void **)&both->plan, &config),
	    0);
	config.by_library = true;
	assert_int_equal(decoding_set_up_with((void **)&both->library, &config),
	    0);
	*test = both;
	return 0;
}

static int
tear_down_both(void **test)
{
	struct both *both = *test;

	decoding_tear_down((void **)&both->plan);
	decoding_tear_down((void **)&both->library);
	free(both);
	return 0;
}

static void
start_message(struct decoding *f, bool is_netflow9, uint32_t n)
{
	if (is_netflow9)
		build_netflow9(&f->build, 3, n);
	else
		build_ipfix(&f->build, 3, n);
}

/*
 * The same records to both. is_fixed: those for the library have a field of
 * variable length, and no octets, behind.
 */
static void
decode_by_both(struct both *both, const struct shape *s, bool is_netflow9,
    bool is_fixed, uint32_t n)
{
	struct shape other = *s;
	struct build *b = &both->library->build;
	uint32_t records = 1 + below(RECORDS_MAX);

	if (is_fixed)
		other.fields[other.count++] =
		    (struct build_field){ 500, IE_VARIABLE, 0 };
	start_message(both->plan, is_netflow9, n);
	start_message(both->library, is_netflow9, n);
	build_template(&both->plan->build, 256, s->fields, s->count);
	build_template(b, 256, other.fields, other.count);
	build_set(&both->plan->build, 256);
	build_set(b, 256);
	for (uint32_t i = 0; i < records; i++) {
		size_t from = both->plan->build.length;

		append_any_record(&both->plan->build, s);
		build_octets(b, both->plan->build.octets + from,
		    both->plan->build.length - from);
		if (is_fixed)
			build_u8(b, 0);
	}
	assert_int_equal(decoding_finish(both->plan), DECODE_OK);
	assert_int_equal(decoding_finish(both->library), DECODE_OK);
	assert_int_equal(decoding_counted(both->plan, COUNTER_SETS_MALFORMED),
	    0);
}

static void
assert_both_equal(const struct both *both, uint32_t n)
{
	const struct flow_batch *p = &both->plan->batch;
	const struct flow_batch *l = &both->library->batch;

	if (p->count != l->count)
		fail_msg("message %u: %u records, the library has %u",
		    (unsigned)n, (unsigned)p->count, (unsigned)l->count);
	for (uint32_t i = 0; i < p->count; i++) {
		/* octets: records are kept and compared as such */
		const uint8_t *plan = (const void *)&p->records[i];
		const uint8_t *library = (const void *)&l->records[i];
		char ours[FLOW_TEXT_MAX];
		char theirs[FLOW_TEXT_MAX];

		if (memcmp(plan, library, sizeof(p->records[i])) != 0)
			fail_msg("message %u, record %u:\n%s\n%s", (unsigned)n,
			    (unsigned)i, flow_format(&p->records[i], ours),
			    flow_format(&l->records[i], theirs));
	}
}

static void
compare_both(struct both *both, bool is_netflow9, bool is_fixed)
{
	static const enum counter counters[] = { COUNTER_RECORDS_ANNOUNCED,
		COUNTER_RECORDS_DELIVERED, COUNTER_RECORDS_UNUSABLE };
	unsigned long messages = start_random();
	struct shape s = { .count = 0 };

	for (uint32_t n = 0; n < messages; n++) {
		if (n % REUSES == 0)
			s = any_shape(is_netflow9, !is_fixed);
		decode_by_both(both, &s, is_netflow9, is_fixed, n);
		assert_both_equal(both, n);
	}
	for (size_t i = 0; i < FIELDS(counters); i++)
		assert_int_equal(decoding_counted(both->plan, counters[i]),
		    decoding_counted(both->library, counters[i]));
	assert_true(
	    decoding_counted(both->plan, COUNTER_RECORDS_DELIVERED) > messages);
}

static void
both_paths_read_fixed_netflow9_equally(void **test)
{
	compare_both(*test, true, true);
}

static void
both_paths_read_variable_netflow9_equally(void **test)
{
	compare_both(*test, true, false);
}

static void
both_paths_read_fixed_ipfix_equally(void **test)
{
	compare_both(*test, false, true);
}

static void
both_paths_read_variable_ipfix_equally(void **test)
{
	compare_both(*test, false, false);
}

/* --- NetFlow v5, by its table --- */

static uint32_t
number_at(const uint8_t *record, size_t offset, size_t octets)
{
	uint32_t value = 0;

	for (size_t i = 0; i < octets; i++)
		value = value << 8 | record[offset + i];
	return value;
}

static void
assert_netflow5(const struct flow_record *f, const uint8_t *r)
{
	uint8_t protocol = r[38];
	bool has_ports = protocol != 1 && protocol != 58;

	assert_memory_equal(f->src.octets + 12, r, 4);
	assert_memory_equal(f->dst.octets + 12, r + 4, 4);
	assert_int_equal(f->ingress_if, number_at(r, 12, 2));
	assert_int_equal(f->egress_if, number_at(r, 14, 2));
	assert_int_equal(f->packets, number_at(r, 16, 4));
	assert_int_equal(f->octets, number_at(r, 20, 4));
	assert_int_equal(f->start_uptime_ms, number_at(r, 24, 4));
	assert_int_equal(f->src_port, has_ports ? number_at(r, 32, 2) : 0);
	assert_int_equal(f->dst_port, has_ports ? number_at(r, 34, 2) : 0);
	assert_int_equal(f->icmp_type, has_ports ? 0 : r[34]);
	assert_int_equal(f->icmp_code, has_ports ? 0 : r[35]);
	assert_int_equal(f->tcp_flags, r[37]);
	assert_int_equal(f->protocol, protocol);
	if (number_at(r, 24, 4) != 0 && number_at(r, 28, 4) != 0) {
		int64_t export_ms = BUILD_EXPORT_S * INT64_C(1000);

		assert_true(
		    f->start_ms == export_ms + (int32_t)(number_at(r, 24, 4) -
							 BUILD_UPTIME_MS));
		assert_true(
		    f->end_ms == export_ms + (int32_t)(number_at(r, 28, 4) -
						       BUILD_UPTIME_MS));
	}
}

static void
netflow5_is_read_by_its_table(void **test)
{
	struct decoding *f = *test;
	unsigned long messages = start_random();

	for (uint32_t n = 0; n < messages; n++) {
		uint16_t count = (uint16_t)(1 + below(30));
		uint32_t at = 0;

		build_netflow5(&f->build, n, count);
		for (size_t i = 0; i < (size_t)count * V5_OCTETS; i++)
			build_u8(&f->build, any_octet());
		assert_int_equal(decoding_finish(f), DECODE_OK);
		for (uint16_t i = 0; i < count; i++) {
			const uint8_t *r =
			    f->build.octets + V5_HEADER + i * V5_OCTETS;

			if (number_at(r, 0, 4) == 0 && number_at(r, 4, 4) == 0)
				continue;
			assert_true(at < f->batch.count);
			assert_netflow5(&f->batch.records[at++], r);
		}
		assert_int_equal(at, f->batch.count);
	}
}

/* --- lists of records, by libfixbuf as they are --- */

#define SUBS	    6
#define SUB_ID	    300
#define MAIN_ID	    256
#define OUR_ID	    999
#define LISTS	    2
#define ENTRIES_MAX 8 /* LIST_ENTRIES_MAX */
#define FLAGS	    4

/* The elements of flags, as they are numbered by CERT (PEN 6871). */
static const uint16_t flag_numbers[FLAGS] = { 14, 15, 16398, 16399 };

/* What libfixbuf fills. */
struct listed {
	uint32_t src;
	uint32_t dst;
	uint8_t protocol;
	uint8_t padding[7];
	fbSubTemplateMultiList_t lists[LISTS];
};

struct library {
	fbInfoModel_t *model;
	fbSession_t *session;
	fBuf_t *buffer;
};

static void
library_open(struct library *l)
{
	static char names[][32] = { "sourceIPv4Address",
		"destinationIPv4Address", "protocolIdentifier", "paddingOctets",
		"subTemplateMultiList" };
	static fbInfoElementSpec_t ours[] = { { names[0], 4, 0 },
		{ names[1], 4, 0 }, { names[2], 1, 0 }, { names[3], 7, 0 },
		{ names[4], 0, 0 }, { names[4], 0, 0 }, FB_IESPEC_NULL };
	fbTemplate_t *t;
	GError *error = NULL;

	l->model = fbInfoModelAlloc();
	l->session = fbSessionAlloc(l->model);
	t = fbTemplateAlloc(l->model);
	assert_true(fbTemplateAppendSpecArray(t, ours, 0, &error));
	assert_true(
	    fbSessionAddTemplate(l->session, TRUE, OUR_ID, t, &error) != 0);
	l->buffer = fBufAllocForCollection(l->session, NULL);
	assert_true(fBufSetInternalTemplate(l->buffer, OUR_ID, &error));
	fBufSetAutomaticMode(l->buffer, FALSE);
}

static void
library_close(struct library *l)
{
	fBufFree(l->buffer);
	fbInfoModelFree(l->model);
}

static size_t
sub_octets(const struct shape *s)
{
	size_t octets = 0;

	for (size_t i = 0; i < s->count; i++)
		octets += s->fields[i].length;
	return octets;
}

/* Some of the flags, once each, and other things. */
static struct shape
any_sub(void)
{
	struct shape s = { .count = 0 };

	for (unsigned i = 0; i < FLAGS; i++) {
		if (below(2) == 0)
			s.fields[s.count++] = (struct build_field){ 184, 4,
				below(2) == 0 ? PEN_REVERSE : 0 };
		if (below(2) == 0)
			s.fields[s.count++] =
			    (struct build_field){ flag_numbers[i], 1,
				    PEN_CERT };
	}
	if (s.count == 0)
		s.fields[s.count++] = (struct build_field){ 184, 4, 0 };
	return s;
}

static void
append_any(struct build *b, size_t octets)
{
	for (; octets > 0; octets--)
		build_u8(b, any_octet());
}

/* A list, put together in `content` first: its length comes before it. */
static void
append_list(struct build *b, uint16_t number, const struct shape subs[SUBS])
{
	static struct build content;
	uint32_t entries = below(ENTRIES_MAX + 1);
	uint32_t sub = below(SUBS);

	content.length = 0;
	build_u8(&content, (uint8_t)below(5)); /* semantic */
	if (number == 291) {		       /* basicList of octets */
		build_u16(&content, 136);
		build_u16(&content, 1);
		append_any(&content, below(20));
	} else if (number == 292) { /* subTemplateList */
		build_u16(&content, (uint16_t)(SUB_ID + sub));
		append_any(&content, below(4) * sub_octets(&subs[sub]));
	} else {
		for (; entries > 0; entries--) {
			size_t octets;

			sub = below(SUBS);
			octets = below(3) * sub_octets(&subs[sub]);
			build_u16(&content, (uint16_t)(SUB_ID + sub));
			build_u16(&content, (uint16_t)(4 + octets));
			append_any(&content, octets);
		}
	}
	append_length(b, (uint32_t)content.length);
	build_octets(b, content.octets, content.length);
}

/* A flow's template: one or two lists of several templates, and others. */
static struct shape
any_main(void)
{
	static const struct build_field front[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 }, { 293, IE_VARIABLE, 0 } };
	static const struct build_field others[] = { { 291, IE_VARIABLE, 0 },
		{ 292, IE_VARIABLE, 0 }, { 7, 2, 0 }, { 11, 2, 0 },
		{ 82, IE_VARIABLE, 0 } };
	struct shape s = { .count = FIELDS(front) };

	memcpy(s.fields, front, sizeof(front));
	for (size_t i = 0; i < FIELDS(others); i++)
		if (below(2) == 0)
			s.fields[s.count++] = others[i];
	if (below(2) == 0)
		s.fields[s.count++] = front[3];
	/* the reverse half, which wants flags of its own */
	if (below(2) == 0)
		s.fields[s.count++] = (struct build_field){ 2, 8, PEN_REVERSE };
	return s;
}

static void
append_main(struct build *b, const struct shape *s,
    const struct shape subs[SUBS])
{
	for (size_t i = 0; i < s->count; i++) {
		const struct build_field *field = &s->fields[i];

		if (field->length != IE_VARIABLE) {
			append_any(b, field->length);
		} else if (field->number == 82) {
			uint32_t length = below(20);

			append_length(b, length);
			append_any(b, length);
		} else {
			append_list(b, field->number, subs);
		}
	}
}

/* The flags that libfixbuf finds: the first of each, in each first record. */
static void
find_flags(struct listed *r, const struct shape subs[SUBS], int found[FLAGS])
{
	for (unsigned i = 0; i < FLAGS; i++)
		found[i] = -1;
	for (unsigned list = 0; list < LISTS; list++) {
		fbSubTemplateMultiListEntry_t *entry = NULL;

		while (
		    (entry = fbSubTemplateMultiListGetNextEntry(&r->lists[list],
			 entry)) != NULL) {
			uint16_t id =
			    fbSubTemplateMultiListEntryGetTemplateID(entry);
			const uint8_t *data =
			    fbSubTemplateMultiListEntryNextDataPtr(entry, NULL);
			/* libfixbuf gives one without records no id */
			const struct shape *sub =
			    &subs[id == 0 ? 0 : id - SUB_ID];

			for (size_t i = 0; data != NULL && i < sub->count;
			     data += sub->fields[i++].length)
				for (unsigned k = 0; k < FLAGS; k++)
					if (sub->fields[i].pen == PEN_CERT &&
					    sub->fields[i].number ==
						flag_numbers[k] &&
					    found[k] < 0)
						found[k] = *data;
		}
	}
}

static void
assert_flags(const struct flow_record *f, int initial, int later)
{
	bool has_initial = (f->has & FLOW_HAS_INITIAL_FLAGS) != 0;
	bool has_flags = (f->has & FLOW_HAS_TCP_FLAGS) != 0;

	assert_int_equal(has_initial, initial >= 0);
	assert_int_equal(has_flags, later >= 0);
	assert_int_equal(f->initial_flags, initial >= 0 ? initial : 0);
	assert_int_equal(f->tcp_flags,
	    later >= 0 ? later | (initial >= 0 ? initial : 0) : 0);
}

/* Takes the message apart with libfixbuf, against what we made of it. */
static void
compare_lists(const struct decoding *f, struct library *l,
    const struct shape subs[SUBS], bool is_biflow, uint32_t records)
{
	/* libfixbuf may read 8 octets more */
	static uint8_t message[BUILD_MAX + 8];
	uint32_t at = 0;
	GError *error = NULL;

	memcpy(message, f->build.octets, f->build.length);
	fBufSetBuffer(l->buffer, message, f->build.length);
	assert_true(fBufNextMessage(l->buffer, &error));
	for (uint32_t i = 0; i < records; i++) {
		struct listed r;
		size_t length = sizeof(r);
		int found[FLAGS];

		memset(&r, 0, sizeof(r));
		if (!fBufNext(l->buffer, (uint8_t *)&r, &length, &error))
			fail_msg("%s", error->message);
		find_flags(&r, subs, found);
		for (unsigned k = 0; k < LISTS; k++)
			fbSubTemplateMultiListClear(&r.lists[k]);
		if (r.src == 0 && r.dst == 0)
			continue;
		assert_true(at < f->batch.count);
		assert_int_equal(number_at(f->batch.records[at].src.octets, 12,
				     4),
		    r.src);
		assert_int_equal(f->batch.records[at].protocol, r.protocol);
		assert_flags(&f->batch.records[at++], found[0], found[1]);
		if (is_biflow)
			assert_flags(&f->batch.records[at++], found[2],
			    found[3]);
	}
	assert_int_equal(at, f->batch.count);
	assert_false(
	    fBufNext(l->buffer, message, &(size_t){ sizeof(message) }, &error));
	g_clear_error(&error);
}

static void
lists_are_read_as_libfixbuf_reads_them(void **test)
{
	struct decoding *f = *test;
	unsigned long messages = start_random();
	struct library l;

	library_open(&l);
	for (uint32_t n = 0; n < messages; n++) {
		struct shape subs[SUBS];
		struct shape s = any_main();
		uint32_t records = 1 + below(RECORDS_MAX);
		bool is_biflow = s.fields[s.count - 1].pen == PEN_REVERSE;

		build_ipfix(&f->build, 3, 0);
		for (uint16_t i = 0; i < SUBS; i++) {
			subs[i] = any_sub();
			build_template(&f->build, (uint16_t)(SUB_ID + i),
			    subs[i].fields, subs[i].count);
		}
		build_template(&f->build, MAIN_ID, s.fields, s.count);
		build_set(&f->build, MAIN_ID);
		for (uint32_t i = 0; i < records; i++)
			append_main(&f->build, &s, subs);
		assert_int_equal(decoding_finish(f), DECODE_OK);
		compare_lists(f, &l, subs, is_biflow, records);
	}
	library_close(&l);
}

/* libfixbuf tells of sequence numbers, which are all 0 here. */
static void
say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer arg)
{
	(void)domain;
	(void)level;
	(void)message;
	(void)arg;
}

#define BOTH_TEST(function)                                                    \
	cmocka_unit_test_setup_teardown(function, set_up_both, tear_down_both)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH_TEST(both_paths_read_fixed_netflow9_equally),
		BOTH_TEST(both_paths_read_variable_netflow9_equally),
		BOTH_TEST(both_paths_read_fixed_ipfix_equally),
		BOTH_TEST(both_paths_read_variable_ipfix_equally),
		DECODING_TEST(netflow5_is_read_by_its_table),
		DECODING_TEST(lists_are_read_as_libfixbuf_reads_them),
	};

	(void)g_log_set_default_handler(say_nothing, NULL);
	return RUN_TESTS(tests);
}
