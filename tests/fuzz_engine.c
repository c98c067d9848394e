/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine under any sequence of records: 16 octets of input make one.
 * Few addresses and ports, so that 5-tuples meet; small tables, so that they
 * fill; times that jump. The oracle: what was collected is consistent.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/engine.h"

#define RECORD_OCTETS 16
#define BASE_MS	      INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct addr
address(uint8_t n, bool internal)
{
	struct addr a;

	(void)!addr_parse(internal ? "10.0.0.0" : "203.0.113.0", &a);
	a.octets[15] = n & 7;
	if ((n & 8) != 0 && internal)
		(void)!addr_parse("2001:db8:a::1", &a);
	return a;
}

static void
make_record(const unsigned char in[RECORD_OCTETS], int64_t *clock_ms,
    struct flow_record *f)
{
	static const uint8_t protocols[] = { 6, 6, 6, 17, 1, 58, 132, 47 };
	static const uint16_t ports[] = { 0, 80, 443, 8080, 40000, 50123, 53,
		771 };

	memset(f, 0, sizeof(*f));
	*clock_ms += in[0] < 250 ? in[0] : (in[0] - 249) * 400000;
	f->received_ms = *clock_ms;
	f->src = address(in[1], (in[1] & 0x40) != 0);
	f->dst = address(in[2], (in[2] & 0x40) != 0);
	f->protocol = protocols[in[3] & 7];
	f->src_port = ports[in[4] & 7];
	f->dst_port = ports[in[5] & 7];
	f->tcp_flags = in[6];
	f->packets = in[7] & 15;
	f->octets = in[8] * f->packets;
	f->has = (uint16_t)(in[9] | in[10] << 8) | FLOW_HAS_PORTS;
	f->start_ms = *clock_ms - (int64_t)in[11] * 1000;
	f->end_ms = f->start_ms + in[12] * 10;
	f->exporter = in[13] & 3;
	f->icmp_type = in[14] & 15;
	f->icmp_code = in[14] >> 4;
	f->initial_flags = in[15];
	f->biflow_direction = in[15] & 3;
	f->firewall_event = in[15] & 7;
}

/* Collects all, and looks at what it says. */
static void
collect(struct engine *e, struct finding_batch *batch, int64_t *attempts)
{
	bool more;

	do {
		batch->count = 0;
		more = engine_collect(e, batch);
		assert(!more || batch->count > 0);
		for (uint32_t i = 0; i < batch->count; i++) {
			const struct finding *f = &batch->findings[i];

			if (f->kind == FINDING_EXPOSURE) {
				assert(f->exposure.id != 0);
				assert(
				    f->exposure.state < EXPOSURE_STATE_COUNT);
				assert(f->exposure.accepted >= 1);
				assert(f->exposure.clients <=
				       f->exposure.accepted + 16);
			} else if (f->kind == FINDING_SCAN_EVENT) {
				assert(f->scan_event.id != 0);
				assert(f->scan_event.answer < ANSWER_COUNT);
				assert(
				    f->scan_event.technique < TECHNIQUE_COUNT);
			} else if (f->kind == FINDING_OUTCOME) {
				*attempts += (int64_t)f->outcome.attempts;
			}
		}
	} while (more);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct flow_batch flows;
	static struct counters counters;
	struct engine_config config = engine_config_default();
	struct finding_batch *batch = finding_batch_new(64);
	struct network network;
	struct engine *e;
	int64_t clock_ms = BASE_MS;
	int64_t attempts = 0;

	(void)!network_parse("10.0.0.0/8", &network);
	(void)!prefix_set_add(&config.internal, &network);
	(void)!network_parse("2001:db8:a::/48", &network);
	(void)!prefix_set_add(&config.internal, &network);
	config.training_ms = size % 2 == 0 ? 0 : 3600000;
	config.internal_scope = size % 3 == 0;
	config.max_pairs = 12;
	config.max_sources = 3;
	config.max_hosts = 3;
	config.max_exposures = 5;
	config.max_events = 128;
	e = engine_new(&config, &counters);
	assert(e != NULL && batch != NULL);
	while (size >= RECORD_OCTETS) {
		flows.count = 0;
		for (; size >= RECORD_OCTETS && flows.count < 8;
		     size -= RECORD_OCTETS, data += RECORD_OCTETS)
			make_record(data, &clock_ms,
			    &flows.records[flows.count++]);
		engine_take(e, &flows);
		if (flows.records[0].tcp_flags % 4 == 0)
			collect(e, batch, &attempts);
	}
	engine_tick(e, clock_ms + 130000);
	while (engine_drain(e))
		collect(e, batch, &attempts);
	collect(e, batch, &attempts);
	assert(attempts >= 0);
	engine_free(e);
	free(batch);
	return 0;
}
