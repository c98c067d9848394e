/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing is allocated between datagram and findings: 100,000 datagrams go
 * through decoder, engine and collection while every call of the allocator
 * is counted. The linker wraps malloc, calloc and realloc for this program;
 * what shared libraries call among themselves is not seen, so for IPFIX it
 * counts our own calls, once the templates are known.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "exposure/engine.h"
#include "tests/datagrams.h"
#include "tests/test.h"

#define DATAGRAMS	  100000
#define RECORDS		  4   /* in each */
#define COLLECT_EVERY	  500 /* datagrams */
#define TICK_EVERY	  100
#define STEP_MS		  15 /* so that timers run out on the way */
#define FINDINGS	  50000
#define V5_HEADER	  24
#define V5_RECORD	  48
#define V5_SRC		  0
#define V5_DST		  4
#define V5_SRC_PORT	  32
#define V5_DST_PORT	  34
#define V5_FLAGS	  37
#define V5_SEQUENCE_AT	  16
#define IPFIX_TIME_AT	  4
#define IPFIX_DATA	  20 /* message and set header */
#define USUAL_SRC	  0  /* offsets in build_usual_fields */
#define USUAL_DST	  4
#define USUAL_SRC_PORT	  8
#define USUAL_DST_PORT	  10
#define USUAL_FLAGS	  13
#define IPFIX_SEQUENCE_AT 8

static bool counting;
static uint64_t calls;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker chose the names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *
__wrap_malloc(size_t size)
{
	calls += counting;
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	calls += counting;
	return __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	calls += counting;
	return __real_realloc(old, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* Everything a datagram passes. */
struct passage {
	struct counters counters;
	struct decoder *decoder;
	struct engine *engine;
	struct flow_batch flows;
	struct finding_batch *findings;
	struct build build;
	int64_t now_ms;
	uint64_t found;
};

/* Small tables, so that shedding is on the way as well. */
static struct passage *
open_passage(void)
{
	struct passage *p = calloc(1, sizeof(*p));
	struct engine_config engine = engine_config_default();
	struct decoder_config decoder = decoder_config_default();
	struct network n;

	assert_non_null(p);
	assert_ok(network_parse("10.0.0.0/16=inside", &n));
	assert_ok(prefix_set_add(&engine.internal, &n));
	engine.training_ms = 600 * 1000;
	engine.max_pairs = 4000;
	engine.max_sources = 5000;
	engine.max_hosts = 5000;
	engine.max_exposures = 5000;
	engine.wait_ms = 60 * 1000;
	engine.revoke_ms = 120 * 1000;
	decoder.accept_any = true;
	p->decoder = decoder_new(&decoder, &p->counters);
	p->engine = engine_new(&engine, &p->counters);
	p->findings = finding_batch_new(FINDINGS);
	p->now_ms = BUILD_RECEIVED_MS;
	assert_non_null(p->decoder);
	assert_non_null(p->engine);
	assert_non_null(p->findings);
	return p;
}

static void
close_passage(struct passage *p)
{
	engine_free(p->engine);
	decoder_free(p->decoder);
	free(p->findings);
	free(p);
}

static void
pass(struct passage *p, int n)
{
	struct datagram d = build_datagram(&p->build);
	enum decode_status status;

	p->now_ms += STEP_MS;
	d.received_ms = p->now_ms;
	p->flows.count = 0;
	status = decoder_decode(p->decoder, &d, &p->flows);
	assert_int_equal(status, DECODE_OK);
	engine_take(p->engine, &p->flows);
	if (n % TICK_EVERY == 0)
		engine_tick(p->engine, p->now_ms);
	if (n % COLLECT_EVERY != 0)
		return;
	p->findings->count = 0;
	while (engine_collect(p->engine, p->findings)) {
		p->found += p->findings->count;
		p->findings->count = 0;
	}
	p->found += p->findings->count;
}

static uint32_t
next_random(void)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(state >> 33);
}

/*
 * Makes one record another conversation: mostly questions from outside and
 * their answers, some scans of what is not there. at: the record's octets;
 * the offsets of its fields follow.
 */
struct layout {
	size_t src, dst, src_port, dst_port, flags;
};

static void
vary(uint8_t *at, const struct layout *l)
{
	static const uint8_t flags[] = { 0x02, 0x1b, 0x13, 0x14, 0x01, 0x29 };
	uint32_t client = 0xc6336400 + next_random() % 16384;
	uint32_t host = 0x0a000000 + next_random() % 8192;
	uint16_t port = (uint16_t)(next_random() % 2048);
	uint16_t client_port = (uint16_t)(32768 + next_random() % 1024);
	bool answer = next_random() % 2 == 0;

	wire_put_u32(at + l->src, answer ? host : client);
	wire_put_u32(at + l->dst, answer ? client : host);
	wire_put_u16(at + l->src_port, answer ? port : client_port);
	wire_put_u16(at + l->dst_port, answer ? client_port : port);
	at[l->flags] = flags[next_random() % sizeof(flags)];
}

static void
expect_no_calls(const struct passage *p)
{
	assert_int_equal(calls, 0);
	assert_int_equal(counter_get(&p->counters, COUNTER_RECORDS_DELIVERED),
	    DATAGRAMS * RECORDS);
	/* it did the work: attempts, scans, exposures, and shedding */
	assert_true(p->found > 1000);
	assert_true(counter_get(&p->counters, COUNTER_SCAN_EVENTS) > 1000);
	assert_true(counter_get(&p->counters, COUNTER_SHED_PAIRS) > 0);
}

static void
netflow5_allocates_nothing_between_datagram_and_findings(void **state)
{
	static const struct layout layout = { V5_SRC, V5_DST, V5_SRC_PORT,
		V5_DST_PORT, V5_FLAGS };
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };
	struct passage *p = open_passage();

	(void)state;
	build_netflow5(&p->build, 0, RECORDS);
	for (int i = 0; i < RECORDS; i++)
		build_netflow5_record(&p->build, &record);
	build_done(&p->build);
	calls = 0;
	counting = true;
	for (int n = 1; n <= DATAGRAMS; n++) {
		uint8_t *octets = p->build.octets;

		for (int i = 0; i < RECORDS; i++)
			vary(octets + V5_HEADER + i * V5_RECORD, &layout);
		wire_put_u32(octets + V5_SEQUENCE_AT,
		    (uint32_t)(n - 1) * RECORDS);
		pass(p, n);
	}
	counting = false;
	expect_no_calls(p);
	close_passage(p);
}

static void
ipfix_allocates_nothing_once_its_template_is_known(void **state)
{
	static const struct layout layout = { USUAL_SRC, USUAL_DST,
		USUAL_SRC_PORT, USUAL_DST_PORT, USUAL_FLAGS };
	struct passage *p = open_passage();
	struct datagram d;

	(void)state;
	build_ipfix(&p->build, 7, 0);
	build_template(&p->build, 256, build_usual_fields,
	    FIELDS(build_usual_fields));
	build_done(&p->build);
	d = build_datagram(&p->build);
	assert_int_equal(decoder_decode(p->decoder, &d, &p->flows), DECODE_OK);
	build_ipfix(&p->build, 7, 0);
	build_set(&p->build, 256);
	for (int i = 0; i < RECORDS; i++)
		build_usual_record(&p->build, "198.51.100.1", 40000, "10.0.0.1",
		    80, 0x02, 5);
	build_done(&p->build);
	calls = 0;
	counting = true;
	for (int n = 1; n <= DATAGRAMS; n++) {
		uint8_t *octets = p->build.octets;

		for (int i = 0; i < RECORDS; i++)
			vary(octets + IPFIX_DATA + i * BUILD_USUAL_OCTETS,
			    &layout);
		wire_put_u32(octets + IPFIX_TIME_AT,
		    (uint32_t)(p->now_ms / 1000));
		wire_put_u32(octets + IPFIX_SEQUENCE_AT,
		    (uint32_t)(n - 1) * RECORDS);
		pass(p, n);
	}
	counting = false;
	expect_no_calls(p);
	close_passage(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(netflow5_allocates_nothing_between_datagram_and_findings),
		TEST(ipfix_allocates_nothing_once_its_template_is_known),
	};

	return RUN_TESTS(tests);
}
