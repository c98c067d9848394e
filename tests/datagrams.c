/* SPDX-License-Identifier: Apache-2.0 */
/* Builders of export datagrams, and a decoder to put them into. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/wire.h"
#include "tests/datagrams.h"

const struct build_field build_usual_fields[10] = { { 8, 4, 0 }, { 12, 4, 0 },
	{ 7, 2, 0 }, { 11, 2, 0 }, { 4, 1, 0 }, { 6, 1, 0 }, { 2, 4, 0 },
	{ 1, 8, 0 }, { 22, 4, 0 }, { 21, 4, 0 } };

void
build_octets(struct build *b, const void *octets, size_t n)
{
	assert(b->length + n <= BUILD_MAX);
	memcpy(b->octets + b->length, octets, n);
	b->length += n;
}

void
build_u8(struct build *b, uint8_t value)
{
	build_octets(b, &value, 1);
}

void
build_u16(struct build *b, uint16_t value)
{
	uint8_t octets[2];

	wire_put_u16(octets, value);
	build_octets(b, octets, sizeof(octets));
}

void
build_u32(struct build *b, uint32_t value)
{
	build_u16(b, (uint16_t)(value >> 16));
	build_u16(b, (uint16_t)value);
}

void
build_u64(struct build *b, uint64_t value)
{
	build_u32(b, (uint32_t)(value >> 32));
	build_u32(b, (uint32_t)value);
}

void
build_zeros(struct build *b, size_t n)
{
	while (n-- > 0)
		build_u8(b, 0);
}

void
build_addr(struct build *b, const char *text)
{
	struct addr a;
	int err = addr_parse(text, &a);

	assert(err == ERR_OK);
	(void)err;
	if (addr_is_v4(&a))
		build_octets(b, a.octets + 12, 4);
	else
		build_octets(b, a.octets, 16);
}

static void
start(struct build *b, uint16_t version)
{
	b->length = 0;
	b->set = 0;
	b->length_at = 0;
	b->version = version;
	build_u16(b, version);
}

void
build_netflow5(struct build *b, uint32_t sequence, uint16_t count)
{
	start(b, 5);
	build_u16(b, count);
	build_u32(b, BUILD_UPTIME_MS);
	build_u32(b, BUILD_EXPORT_S);
	build_u32(b, 0);
	build_u32(b, sequence);
	build_u16(b, 0x0102); /* engine type and id */
	build_u16(b, 0);
}

void
build_netflow9(struct build *b, uint32_t domain, uint32_t sequence)
{
	start(b, 9);
	build_u16(b, 1);
	build_u32(b, BUILD_UPTIME_MS);
	build_u32(b, BUILD_EXPORT_S);
	build_u32(b, sequence);
	build_u32(b, domain);
}

void
build_ipfix(struct build *b, uint32_t domain, uint32_t sequence)
{
	start(b, 10);
	b->length_at = b->length;
	build_u16(b, 0);
	build_u32(b, BUILD_EXPORT_S);
	build_u32(b, sequence);
	build_u32(b, domain);
}

static void
finish_set(struct build *b)
{
	if (b->set != 0)
		wire_put_u16(b->octets + b->set + 2,
		    (uint16_t)(b->length - b->set));
	b->set = 0;
}

void
build_set(struct build *b, uint16_t id)
{
	finish_set(b);
	b->set = b->length;
	build_u16(b, id);
	build_u16(b, 0);
}

static void
build_fields(struct build *b, const struct build_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		build_u16(b, (uint16_t)(fields[i].number |
					(fields[i].pen != 0 ? 0x8000 : 0)));
		build_u16(b, fields[i].length);
		if (fields[i].pen != 0)
			build_u32(b, fields[i].pen);
	}
}

void
build_definition(struct build *b, uint16_t id, const struct build_field *fields,
    size_t count)
{
	build_u16(b, id);
	build_u16(b, (uint16_t)count);
	build_fields(b, fields, count);
}

void
build_template(struct build *b, uint16_t id, const struct build_field *fields,
    size_t count)
{
	build_set(b, b->version == 9 ? 0 : 2);
	build_definition(b, id, fields, count);
}

void
build_options_template(struct build *b, uint16_t id, size_t scopes,
    const struct build_field *fields, size_t count)
{
	if (b->version == 9) {
		build_set(b, 1);
		build_u16(b, id);
		build_u16(b, (uint16_t)(4 * scopes));
		build_u16(b, (uint16_t)(4 * (count - scopes)));
	} else {
		build_set(b, 3);
		build_u16(b, id);
		build_u16(b, (uint16_t)count);
		build_u16(b, (uint16_t)scopes);
	}
	build_fields(b, fields, count);
}

void
build_done(struct build *b)
{
	finish_set(b);
	if (b->length_at != 0)
		wire_put_u16(b->octets + b->length_at, (uint16_t)b->length);
}

struct datagram
build_datagram(const struct build *b)
{
	static const uint8_t source[4] = { 192, 0, 2, 1 };

	return (struct datagram){ .data = b->octets,
		.length = b->length,
		.received_ms = BUILD_RECEIVED_MS,
		.source = addr_from_v4(source),
		.source_port = 2055 };
}

void
build_netflow5_record(struct build *b, const struct build_netflow5_record *r)
{
	build_addr(b, r->src);
	build_addr(b, r->dst);
	build_u32(b, 0);
	build_u16(b, 1);
	build_u16(b, 2);
	build_u32(b, r->packets);
	build_u32(b, r->octets);
	build_u32(b, r->first);
	build_u32(b, r->last);
	build_u16(b, r->src_port);
	build_u16(b, r->dst_port);
	build_u8(b, 0);
	build_u8(b, r->flags);
	build_u8(b, r->protocol);
	build_zeros(b, 9);
}

void
build_usual_record(struct build *b, const char *src, uint16_t src_port,
    const char *dst, uint16_t dst_port, uint8_t flags, uint32_t packets)
{
	build_addr(b, src);
	build_addr(b, dst);
	build_u16(b, src_port);
	build_u16(b, dst_port);
	build_u8(b, 6);
	build_u8(b, flags);
	build_u32(b, packets);
	build_u64(b, 60 * (uint64_t)packets);
	build_u32(b, BUILD_UPTIME_MS - 1000);
	build_u32(b, BUILD_UPTIME_MS - 500);
}

int
decoding_set_up_with(void **state, const struct decoder_config *config)
{
	struct decoding *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->decoder = decoder_new(config, &f->counters);
	assert_non_null(f->decoder);
	*state = f;
	return 0;
}

int
decoding_set_up(void **state)
{
	struct decoder_config config = decoder_config_default();

	config.accept_any = true; /* the builders' address is public */
	return decoding_set_up_with(state, &config);
}

uint64_t
decoding_counted(const struct decoding *f, enum counter which)
{
	return counter_get(&f->counters, which);
}

int
decoding_tear_down(void **state)
{
	struct decoding *f = *state;

	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_ANNOUNCED),
	    decoding_counted(f, COUNTER_RECORDS_DELIVERED) +
		decoding_counted(f, COUNTER_RECORDS_UNUSABLE));
	assert_int_equal(decoding_counted(f, COUNTER_RECORDS_REFUSED), 0);
	assert_int_equal(decoding_counted(f, COUNTER_MESSAGES_REFUSED), 0);
	assert_int_equal(decoding_counted(f, COUNTER_FIXBUF_WARNINGS), 0);
	decoder_free(f->decoder);
	free(f);
	return 0;
}

enum decode_status
decoding_octets(struct decoding *f, const uint8_t *octets, size_t length,
    int64_t later_ms)
{
	struct datagram d = build_datagram(&f->build);
	uint8_t *copy = malloc(length + (length == 0));
	enum decode_status status;

	assert_non_null(copy);
	memcpy(copy, octets, length);
	d.data = copy;
	d.length = length;
	d.received_ms += later_ms;
	if (f->source != NULL)
		assert_ok(addr_parse(f->source, &d.source));
	if (f->source_port != 0)
		d.source_port = f->source_port;
	f->batch.count = 0;
	status = decoder_decode(f->decoder, &d, &f->batch);
	free(copy);
	return status;
}

enum decode_status
decoding_finish_later(struct decoding *f, int64_t later_ms)
{
	build_done(&f->build);
	return decoding_octets(f, f->build.octets, f->build.length, later_ms);
}

enum decode_status
decoding_finish(struct decoding *f)
{
	return decoding_finish_later(f, 0);
}

void
decoding_expect(const struct decoding *f, const char *const *lines,
    size_t count)
{
	char text[FLOW_TEXT_MAX];

	assert_int_equal(f->batch.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(flow_format(&f->batch.records[i], text),
		    lines[i]);
}
