/* SPDX-License-Identifier: Apache-2.0 */
/* NetFlow v5: header, records, and what is refused. */
#include "tests/datagrams.h"

#include "collector/header.h"
#include "collector/netflow5.h"

static const struct build_netflow5_record record = { "203.0.113.10", "10.0.0.5",
	5, 286, 11000, 11500, 43000, 80, 0x1b, 6 };

static enum decode_status
read_header(struct build *b, struct export_header *h, struct wire *body,
    size_t *trailing)
{
	struct datagram d = build_datagram(b);

	return header_read(&d, h, body, trailing);
}

static void
netflow5_header_has_every_field(void **state)
{
	static struct build b;
	struct export_header h;
	struct wire body;
	size_t trailing;

	(void)state;
	build_netflow5(&b, 77, 1);
	b.octets[12] = 0x1d; /* nanoseconds: 0x1dcd6500 is half a second */
	b.octets[13] = 0xcd;
	b.octets[14] = 0x65;
	b.octets[22] = 0x40; /* sampling: mode 1, 1 of 100 */
	b.octets[23] = 0x64;
	build_netflow5_record(&b, &record);
	build_zeros(&b, 5);
	assert_int_equal(read_header(&b, &h, &body, &trailing), DECODE_OK);
	assert_int_equal(h.protocol, EXPORT_NETFLOW5);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.uptime_ms, BUILD_UPTIME_MS);
	assert_int_equal(h.export_ms, INT64_C(1700000000500));
	assert_int_equal(h.sequence, 77);
	assert_int_equal(h.domain, 0x0102);
	assert_int_equal(h.sampling, 0x4064);
	assert_int_equal(wire_left(&body), NETFLOW5_RECORD_OCTETS);
	assert_int_equal(trailing, 5);
}

static void
netflow5_record_has_every_field(void **state)
{
	static struct build b;
	struct ie_record r = { 0 };
	struct wire body;

	(void)state;
	b.length = 0;
	build_netflow5_record(&b, &record);
	body = wire_over(b.octets, b.length);
	netflow5_read(&body, &r);
	assert_false(body.failed);
	assert_int_equal(wire_left(&body), 0);
	assert_int_equal(r.src_v4, 0xcb00710a);
	assert_int_equal(r.dst_v4, 0x0a000005);
	assert_int_equal(r.ingress_if, 1);
	assert_int_equal(r.egress_if, 2);
	assert_int_equal(r.packets, 5);
	assert_int_equal(r.octets, 286);
	assert_int_equal(r.start_uptime, 11000);
	assert_int_equal(r.end_uptime, 11500);
	assert_int_equal(r.src_port, 43000);
	assert_int_equal(r.dst_port, 80);
	assert_int_equal(r.tcp_flags, 0x1b);
	assert_int_equal(r.protocol, 6);
}

static void
netflow5_refuses_counts_that_do_not_fit(void **state)
{
	struct decoding *f = *state;

	build_netflow5(&f->build, 0, 31);
	for (int i = 0; i < 31; i++)
		build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_MALFORMED);
	build_netflow5(&f->build, 0, 55582);
	build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_MALFORMED);
	build_netflow5(&f->build, 0, 2);
	build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_SHORT);
	assert_int_equal(f->batch.count, 0);
	assert_int_equal(decoder_exporter_count(f->decoder), 0);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_MALFORMED), 2);
	assert_int_equal(decoding_counted(f, COUNTER_REFUSED_SHORT), 1);
}

static void
netflow5_takes_30_records_and_none(void **state)
{
	struct decoding *f = *state;

	build_netflow5(&f->build, 0, 30);
	for (int i = 0; i < 30; i++)
		build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 30);
	build_netflow5(&f->build, 30, 0);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	assert_int_equal(f->batch.count, 0);
}

static void
netflow5_refuses_every_truncation(void **state)
{
	struct decoding *f = *state;

	build_netflow5(&f->build, 0, 2);
	build_netflow5_record(&f->build, &record);
	build_netflow5_record(&f->build, &record);
	for (size_t n = 2; n < f->build.length; n++) {
		assert_int_equal(decoding_octets(f, f->build.octets, n, 0),
		    DECODE_SHORT);
		assert_int_equal(f->batch.count, 0);
	}
}

static void
netflow5_finds_icmp_in_the_destination_port(void **state)
{
	struct decoding *f = *state;
	struct build_netflow5_record icmp = record;

	icmp.protocol = 1;
	icmp.src_port = 0;
	icmp.dst_port = 771; /* 3/3: port unreachable */
	build_netflow5(&f->build, 0, 1);
	build_netflow5_record(&f->build, &icmp);
	assert_int_equal(decoding_finish(f), DECODE_OK);
	EXPECT_FLOWS(f,
	    "203.0.113.10>10.0.0.5 proto=1 flags=0x1b icmp=3/3 pkts=5 "
	    "octets=286 start=1699999999000 end=1699999999500 uptime=11000 "
	    "if=1>2");
	assert_int_equal(f->batch.records[0].dst_port, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(netflow5_header_has_every_field),
		TEST(netflow5_record_has_every_field),
		DECODING_TEST(netflow5_refuses_counts_that_do_not_fit),
		DECODING_TEST(netflow5_takes_30_records_and_none),
		DECODING_TEST(netflow5_refuses_every_truncation),
		DECODING_TEST(netflow5_finds_icmp_in_the_destination_port),
	};

	return RUN_TESTS(tests);
}
