/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builders of export datagrams for tests: v5, v9 and IPFIX, octet by octet,
 * right or wrong as the test wants. A datagram is put together from the
 * front; lengths are filled in when a set or the whole is finished.
 *
 *	struct build b;
 *
 *	build_ipfix(&b, domain, sequence);
 *	build_template(&b, 256, fields, FIELDS(fields));
 *	build_set(&b, 256);
 *	build_u32(&b, ...);
 *	build_done(&b);
 *	d = build_datagram(&b);
 *
 * And a decoder to put them into, with what came of it.
 */
#ifndef TESTS_DATAGRAMS_H
#define TESTS_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/test.h"

#include "collector/datagram.h"
#include "collector/decoder.h"

#define BUILD_MAX	65535
#define BUILD_EXPORT_S	1700000000U /* the headers' export time */
#define BUILD_UPTIME_MS 12000U	    /* the headers' uptime */
#define BUILD_RECEIVED_MS                                                      \
	(INT64_C(1700000000) * 1000 + 250) /* when it is received */

struct build {
	uint8_t octets[BUILD_MAX];
	size_t length;
	size_t set;	  /* where the open set starts; 0: none */
	size_t length_at; /* where the header's length goes; 0: nowhere */
	uint16_t version;
};

struct build_field {
	uint16_t number;
	uint16_t length;
	uint32_t pen; /* 0: none */
};

#define FIELDS(array) (sizeof(array) / sizeof((array)[0]))

void build_u8(struct build *b, uint8_t value);
void build_u16(struct build *b, uint16_t value);
void build_u32(struct build *b, uint32_t value);
void build_u64(struct build *b, uint64_t value);
void build_zeros(struct build *b, size_t n);
void build_octets(struct build *b, const void *octets, size_t n);
/* An address in text: 4 octets if IPv4, else 16. */
void build_addr(struct build *b, const char *text);

/* Start a datagram: the header. */
void build_netflow5(struct build *b, uint32_t sequence, uint16_t count);
void build_netflow9(struct build *b, uint32_t domain, uint32_t sequence);
void build_ipfix(struct build *b, uint32_t domain, uint32_t sequence);

/* Open a set (and finish the one before), any id. */
void build_set(struct build *b, uint16_t id);

/* A template, or options template, in a set of its own. */
void build_template(struct build *b, uint16_t id,
    const struct build_field *fields, size_t count);
void build_options_template(struct build *b, uint16_t id, size_t scopes,
    const struct build_field *fields, size_t count);

/* A template's id, count and fields alone, in the open set. */
void build_definition(struct build *b, uint16_t id,
    const struct build_field *fields, size_t count);

/* Finish: the last set's length, and the IPFIX header's. */
void build_done(struct build *b);

/* From 192.0.2.1, received at BUILD_RECEIVED_MS. Borrowed from b. */
struct datagram build_datagram(const struct build *b);

/* A v5 record. */
struct build_netflow5_record {
	const char *src;
	const char *dst;
	uint32_t packets;
	uint32_t octets;
	uint32_t first;
	uint32_t last;
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t flags;
	uint8_t protocol;
};
void build_netflow5_record(struct build *b,
    const struct build_netflow5_record *r);

/* The usual template: 8, 12, 7, 11, 4, 6, 2, 1, 22, 21. */
extern const struct build_field build_usual_fields[10];
#define BUILD_USUAL_OCTETS 34

/* A record of it: octets 60 a packet, first and last 1 s and 0.5 s ago. */
void build_usual_record(struct build *b, const char *src, uint16_t src_port,
    const char *dst, uint16_t dst_port, uint8_t flags, uint32_t packets);

/* One decoder and what it gave; every test has its own. */
struct decoding {
	struct counters counters;
	struct decoder *decoder;
	struct flow_batch batch; /* of the last datagram */
	const char *source;	 /* where it comes from; NULL: 192.0.2.1 */
	uint16_t source_port;	 /* 0: as build_datagram() has it */
	struct build build;
};

/*
 * cmocka's set-up and tear-down. Whatever was sent, nothing may have got lost
 * between gate and library, which the tear-down asserts.
 */
int decoding_set_up_with(void **state, const struct decoder_config *config);
int decoding_set_up(void **state);
int decoding_tear_down(void **state);

#define DECODING_TEST(function)                                                \
	cmocka_unit_test_setup_teardown(function, decoding_set_up,             \
	    decoding_tear_down)

uint64_t decoding_counted(const struct decoding *f, enum counter which);

/*
 * Decodes octets, later than BUILD_RECEIVED_MS, from a copy of their exact
 * size, so that a sanitizer sees what reads past the end.
 */
enum decode_status decoding_octets(struct decoding *f, const uint8_t *octets,
    size_t length, int64_t later_ms);

/* Finishes the datagram in f->build and decodes it. */
enum decode_status decoding_finish(struct decoding *f);
enum decode_status decoding_finish_later(struct decoding *f, int64_t later_ms);

/* Asserts that the last datagram gave these records, as flow_format() says. */
void decoding_expect(const struct decoding *f, const char *const *lines,
    size_t count);

#define EXPECT_FLOWS(f, ...)                                                   \
	do {                                                                   \
		static const char *const lines[] = { __VA_ARGS__ };            \
		decoding_expect((f), lines, FIELDS(lines));                    \
	} while (0)

#endif
