/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures: crafted ones, octet by octet, for every link type and every
 * reason to ignore a packet; and real exports of many vendors, where the
 * folder of fixtures is there ($DARKPORT_FIXTURES or ../shared/fixtures).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "tests/datagrams.h"

#include "collector/capture.h"

#define PAYLOAD "darkport"

/* A capture being written, and what reading it gave. */
struct tape {
	char path[64];
	FILE *file;
	struct counters counters;
	char message[CAPTURE_MESSAGE_MAX];
	unsigned datagrams;
	struct datagram last;
	char payload[64];
};

static int
set_up(void **state)
{
	struct tape *t = calloc(1, sizeof(*t));
	int descriptor;

	assert_non_null(t);
	snprintf(t->path, sizeof(t->path), "/tmp/darkport-test-XXXXXX");
	descriptor = mkstemp(t->path);
	assert_true(descriptor >= 0);
	t->file = fdopen(descriptor, "wb");
	assert_non_null(t->file);
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct tape *t = *state;

	if (t->file != NULL)
		fclose(t->file);
	unlink(t->path);
	free(t);
	return 0;
}

#define TAPE_TEST(function)                                                    \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void
write_octets(struct tape *t, const void *octets, size_t n)
{
	assert_int_equal(fwrite(octets, 1, n, t->file), n);
}

static void
write_u32(struct tape *t, uint32_t value)
{
	write_octets(t, &value, sizeof(value));
}

/* pcap's file header, in this machine's byte order. */
static void
write_header(struct tape *t, uint32_t link_type)
{
	write_u32(t, 0xa1b2c3d4);
	write_u32(t, 2 | 4 << 16);
	write_u32(t, 0);
	write_u32(t, 0);
	write_u32(t, 65535);
	write_u32(t, link_type);
}

static void
write_packet(struct tape *t, const struct build *b)
{
	write_u32(t, 1700000000);
	write_u32(t, 123999);
	write_u32(t, (uint32_t)b->length);
	write_u32(t, (uint32_t)b->length);
	write_octets(t, b->octets, b->length);
}

static void
take(const struct datagram *d, void *arg)
{
	struct tape *t = arg;

	t->datagrams++;
	t->last = *d;
	assert_true(d->length < sizeof(t->payload));
	memcpy(t->payload, d->data, d->length);
	t->payload[d->length] = '\0';
}

static int
read_back(struct tape *t)
{
	fclose(t->file);
	t->file = NULL;
	return capture_read(t->path, take, t, &t->counters, t->message);
}

static void
build_udp(struct build *b)
{
	build_u16(b, 4000);
	build_u16(b, 2055);
	build_u16(b, 8 + 8);
	build_u16(b, 0);
	build_octets(b, PAYLOAD, 8);
}

static void
build_ipv4(struct build *b, uint8_t options, uint16_t fragment,
    uint8_t protocol)
{
	build_u8(b, (uint8_t)(0x45 + options));
	build_u8(b, 0);
	build_u16(b, (uint16_t)(20 + 4 * options + 16));
	build_u16(b, 1);
	build_u16(b, fragment);
	build_u8(b, 64);
	build_u8(b, protocol);
	build_u16(b, 0);
	build_addr(b, "192.0.2.1");
	build_addr(b, "198.51.100.1");
	build_zeros(b, 4 * (size_t)options);
	build_udp(b);
}

static void
build_ipv6(struct build *b, uint8_t next, size_t extension_octets)
{
	build_u32(b, 0x60000000);
	build_u16(b, (uint16_t)(extension_octets + 16));
	build_u8(b, next);
	build_u8(b, 64);
	build_addr(b, "2001:db8::1");
	build_addr(b, "2001:db8::2");
}

static void
expect_one(struct tape *t, const char *source)
{
	char text[ADDR_TEXT_MAX];

	assert_ok(read_back(t));
	assert_int_equal(t->datagrams, 1);
	assert_string_equal(t->payload, PAYLOAD);
	assert_int_equal(t->last.received_ms, INT64_C(1700000000123));
	assert_int_equal(t->last.source_port, 4000);
	assert_string_equal(addr_format(&t->last.source, text), source);
	assert_int_equal(counter_get(&t->counters, COUNTER_DATAGRAMS_RECEIVED),
	    1);
	assert_int_equal(counter_get(&t->counters, COUNTER_DATAGRAM_OCTETS), 8);
}

/* The link header is hex text; "" for raw IP. */
static void
expect_link_type(struct tape *t, uint32_t link_type, const char *hex,
    bool is_v6)
{
	static struct build b;

	b.length = 0;
	for (; *hex != '\0'; hex += 2) {
		const char pair[3] = { hex[0], hex[1], '\0' };

		build_u8(&b, (uint8_t)strtoul(pair, NULL, 16));
	}
	if (is_v6) {
		build_ipv6(&b, 17, 0);
		build_udp(&b);
	} else {
		build_ipv4(&b, 0, 0, 17);
	}
	write_header(t, link_type);
	write_packet(t, &b);
	expect_one(t, is_v6 ? "2001:db8::1" : "192.0.2.1");
}

#define MACS "010203040506111213141516"

#define LINK_TEST(name, type, hex, is_v6)                                      \
	static void capture_reads_##name(void **state)                         \
	{                                                                      \
		expect_link_type(*state, (type), (hex), (is_v6));              \
	}

LINK_TEST(ethernet, 1, MACS "0800", false)
LINK_TEST(ethernet_with_ipv6, 1, MACS "86dd", true)
LINK_TEST(a_vlan_tag, 1, MACS "810000050800", false)
LINK_TEST(two_vlan_tags, 1, MACS "88a800058100000686dd", true)
LINK_TEST(raw_ip, 101, "", false)
LINK_TEST(raw_ipv6, 229, "", true)
LINK_TEST(raw_ipv4, 228, "", false)
LINK_TEST(linux_cooked, 113, "00000001000601020304050600000800", false)
LINK_TEST(linux_cooked_v2, 276, "86dd000000000001000100060102030405060000",
    true)
LINK_TEST(bsd_null, 0, "02000000", false)
LINK_TEST(bsd_loop, 108, "0000001e", true)

static void
capture_reads_ipv4_options(void **state)
{
	static struct build b;
	struct tape *t = *state;

	b.length = 0;
	build_ipv4(&b, 3, 0x4000, 17); /* and don't-fragment */
	build_zeros(&b, 6);	       /* Ethernet's padding */
	write_header(t, 101);
	write_packet(t, &b);
	expect_one(t, "192.0.2.1");
}

static void
capture_reads_past_ipv6_extensions(void **state)
{
	static struct build b;
	struct tape *t = *state;

	b.length = 0;
	build_ipv6(&b, 0, 24);
	build_u16(&b, 60 << 8); /* hop by hop, then destination options */
	build_zeros(&b, 6);
	build_u16(&b, 17 << 8 | 1);
	build_zeros(&b, 14);
	build_udp(&b);
	write_header(t, 101);
	write_packet(t, &b);
	expect_one(t, "2001:db8::1");
}

static void
capture_counts_what_it_ignores(void **state)
{
	static struct build b;
	struct tape *t = *state;
	unsigned packets = 0;

	write_header(t, 101);
	b.length = 0;
	build_ipv4(&b, 0, 0, 17);
	for (; b.length > 0; b.length--, packets++) {
		if (packets > 0)
			write_packet(t, &b); /* cut off anywhere */
	}
	build_ipv4(&b, 0, 0x2000, 17); /* a first fragment */
	write_packet(t, &b);
	b.length = 0;
	build_ipv4(&b, 0, 0x0001, 17); /* a later one */
	write_packet(t, &b);
	b.length = 0;
	build_ipv4(&b, 0, 0, 6); /* TCP */
	write_packet(t, &b);
	b.length = 0;
	build_ipv6(&b, 44, 8); /* a fragment */
	build_u16(&b, 17 << 8);
	build_zeros(&b, 6);
	build_udp(&b);
	write_packet(t, &b);
	b.length = 0;
	build_zeros(&b, 40); /* IP version 0 */
	write_packet(t, &b);
	b.length = 0;
	build_ipv4(&b, 0, 0, 17);
	b.octets[25] = 7; /* a UDP length below its header's */
	write_packet(t, &b);
	packets += 6 - 1;
	assert_ok(read_back(t));
	assert_int_equal(t->datagrams, 0);
	assert_int_equal(counter_get(&t->counters,
			     COUNTER_CAPTURE_PACKETS_IGNORED),
	    packets);
}

static void
capture_reads_pcapng(void **state)
{
	static struct build b;
	struct tape *t = *state;
	uint32_t octets;
	const uint64_t time_us = UINT64_C(1700000000123999);

	b.length = 0;
	build_ipv4(&b, 0, 0, 17);
	octets = (uint32_t)b.length; /* a multiple of 4 */
	write_u32(t, 0x0a0d0d0a);    /* section header */
	write_u32(t, 28);
	write_u32(t, 0x1a2b3c4d);
	write_u32(t, 1);
	write_u32(t, UINT32_MAX);
	write_u32(t, UINT32_MAX);
	write_u32(t, 28);
	write_u32(t, 1); /* interface: raw IP */
	write_u32(t, 20);
	write_u32(t, 101);
	write_u32(t, 65535);
	write_u32(t, 20);
	write_u32(t, 6); /* enhanced packet */
	write_u32(t, 32 + octets);
	write_u32(t, 0);
	write_u32(t, (uint32_t)(time_us >> 32));
	write_u32(t, (uint32_t)time_us);
	write_u32(t, octets);
	write_u32(t, octets);
	write_octets(t, b.octets, b.length);
	write_u32(t, 32 + octets);
	expect_one(t, "192.0.2.1");
}

static void
capture_says_what_is_wrong_with_a_file(void **state)
{
	struct tape *t = *state;

	assert_int_equal(capture_read("/nonexistent/x.pcap", take, t,
			     &t->counters, t->message),
	    ERR_IO);
	assert_string_equal(t->message,
	    "/nonexistent/x.pcap: No such file or directory");
	/* empty */
	assert_int_equal(read_back(t), ERR_FORMAT);
	assert_non_null(strstr(t->message, t->path));
}

static void
capture_refuses_what_is_no_capture(void **state)
{
	struct tape *t = *state;

	fputs("this is not a capture, but long enough for a header", t->file);
	assert_int_equal(read_back(t), ERR_FORMAT);
	assert_non_null(strstr(t->message, "no capture"));
}

static void
capture_refuses_an_unknown_link_type(void **state)
{
	struct tape *t = *state;

	write_header(t, 105);
	assert_int_equal(read_back(t), ERR_FORMAT);
	assert_non_null(strstr(t->message, "link type 105"));
}

static void
capture_delivers_what_comes_before_a_cut(void **state)
{
	static struct build b;
	struct tape *t = *state;

	b.length = 0;
	build_ipv4(&b, 0, 0, 17);
	write_header(t, 101);
	write_packet(t, &b);
	write_packet(t, &b);
	fflush(t->file);
	assert_int_equal(ftruncate(fileno(t->file), ftell(t->file) - 1), 0);
	assert_int_equal(read_back(t), ERR_FORMAT);
	assert_int_equal(t->datagrams, 1);
	assert_non_null(strstr(t->message, "cut off"));
}

/* --- real exports --- */

/* Data records and options records of a capture, as its collectors found. */
struct export_case {
	const char *path;
	uint32_t records;
	uint32_t options;
};

#define LOGSTASH "logstash-codec-netflow/pcap/"
#define TELEGRAF "telegraf-netflow/pcap/"
#define FLUENT	 "fluent-netflow/pcap/"
#define GRAYLOG	 "graylog-netflow/"
#define IPFIXCOL "ipfixcol/pcap/"

static const struct export_case cases[] = {
	{ LOGSTASH "IPFIX-Barracuda-extended-uniflow-template-256.pcap", 2, 0 },
	{ LOGSTASH "IPFIX-Barracuda-firewall.pcap", 8, 0 },
	{ LOGSTASH "IPFIX-from-IXIA-something-something.pcap", 1, 0 },
	{ LOGSTASH "IPFIX-Mikrotik-RouterOS-6-39-2.pcap", 46, 0 },
	{ LOGSTASH "IPFIX-Netscaler-with-variable-length-fields-2.pcap", 3, 0 },
	{ LOGSTASH "IPFIX-Netscaler-with-variable-length-fields.pcap", 3, 0 },
	{ LOGSTASH "IPFIX-Netscaler-with-variable-length-fields-missing-"
		   "templates.pcap",
	    0, 0 },
	{ LOGSTASH "IPFIX-Nokia-BRAS.pcap", 1, 0 },
	{ LOGSTASH "IPFIX-OpenBSD-pflow.pcap", 26, 0 },
	{ LOGSTASH "IPFIX-options-template-from-Juniper-MX240-JunOS-15-1-R6-"
		   "S3.pcap",
	    0, 1 },
	{ LOGSTASH "IPFIX.pcap", 6, 1 },
	{ LOGSTASH "IPFIX-Procera.pcap", 8, 0 },
	{ LOGSTASH "IPFIX-vIPtela-with-VPN-id.pcap", 1, 0 },
	{ LOGSTASH "IPFIX-VMware-virtual-distributed-switch.pcap", 5, 0 },
	{ LOGSTASH "IPFIX-YAF-basic-with-applabel.pcap", 2, 1 },
	{ LOGSTASH "Juniper-SRX-options-template-with-0-scope-field-"
		   "length.pcap",
	    0, 1 },
	/* counts beyond the datagram, or beyond 30: no v5 at all */
	{ LOGSTASH "Netflow-5-invalid-01.pcap", 0, 0 },
	{ LOGSTASH "Netflow-5-invalid-02.pcap", 0, 0 },
	{ LOGSTASH "Netflow-5-valid-01.pcap", 2, 0 },
	{ LOGSTASH "Netflow5-Juniper-MX80.pcap", 29, 0 },
	{ LOGSTASH "Netflow5-mikrotik.pcap", 30, 0 },
	{ LOGSTASH "Netflow-9-Cisco-1941-K9-release-15-1.pcap", 29, 0 },
	{ LOGSTASH "Netflow-9-Cisco-ACI.pcap", 3, 0 },
	{ LOGSTASH "Netflow-9-Cisco-ASA-2.pcap", 19, 0 },
	{ LOGSTASH "Netflow-9-Cisco-ASA.pcap", 14, 0 },
	{ LOGSTASH "Netflow-9-Cisco-ASR1001-X.pcap", 25, 0 },
	{ LOGSTASH "Netflow-9-Cisco-ASR-9000-series-options-template-"
		   "256.pcap",
	    0, 19 },
	{ LOGSTASH "Netflow-9-Cisco-ASR-9000-series-template-260.pcap", 21, 0 },
	{ LOGSTASH "Netflow-9-Cisco-NBAR-flowset-262.pcap", 5, 0 },
	{ LOGSTASH "Netflow-9-Cisco-NBAR-options-template-260.pcap", 0, 15 },
	{ LOGSTASH "Netflow-9-Cisco-WLC-8500-release-8-2.pcap", 0, 0 },
	{ LOGSTASH "Netflow-9-Cisco-WLC.pcap", 19, 0 },
	{ LOGSTASH "Netflow-9-field-layer2segmentid.pcap", 1, 0 },
	{ LOGSTASH "Netflow-9-Fortigate-FortiOS-5-2-1.pcap", 1, 1 },
	{ LOGSTASH "Netflow-9-Fortigate-FortiOS-54x-appid.pcap", 17, 0 },
	{ LOGSTASH "Netflow-9-H3C-Netstream-with-varstring.pcap", 1, 0 },
	{ LOGSTASH "Netflow-9-H3C.pcap", 16, 0 },
	{ LOGSTASH "Netflow-9-Huawei-Netstream.pcap", 1, 0 },
	{ LOGSTASH "Netflow-9-IE150-IE151.pcap", 2, 0 },
	{ LOGSTASH "Netflow-9-invalid-01.pcap", 2, 1 },
	{ LOGSTASH "Netflow-9-ipt-netflow-reduced-size-encoding.pcap", 12, 0 },
	{ LOGSTASH "Netflow-9-macaddress.pcap", 29, 1 },
	{ LOGSTASH "Netflow-9-multiple-netflow-exporters.pcap", 8, 1 },
	{ LOGSTASH "Netflow-9-nprobe-DPI-L7.pcap", 1, 0 },
	{ LOGSTASH "Netflow-9-options-template-with-scope-fields.pcap", 0, 1 },
	{ LOGSTASH "Netflow-9-Palo-Alto-1-flowset-in-large-zero-filled-"
		   "packet.pcap",
	    1, 0 },
	{ LOGSTASH "Netflow-9-Palo-Alto-PAN-OS-with-app-id.pcap", 8, 0 },
	{ LOGSTASH "Netflow-9-Streamcore.pcap", 4, 0 },
	{ LOGSTASH "Netflow-9-template-with-0-length-fields.pcap", 10, 0 },
	{ LOGSTASH "Netflow-9-Ubiquiti-Edgerouter-with-MPLS-labels.pcap", 16,
	    0 },
	{ LOGSTASH "Netflow-9-valid-01.pcap", 7, 0 },
	{ LOGSTASH "bench-ipfix_sonicwall.pcap", 5, 0 },
	{ LOGSTASH "bench-ipfix_yaf_bench.pcap", 25, 0 },
	{ LOGSTASH "bench-netflow9_cisco_asa_bench.pcap", 14, 0 },
	{ LOGSTASH "bench-netflow9_cisco_asr_bench.pcap", 21, 0 },
	{ LOGSTASH "extra-ixia-271.pcap", 2, 0 },
	{ TELEGRAF "ipfix_example.pcap", 29, 2 },
	{ TELEGRAF "ipfix_options.pcap", 0, 126 },
	{ TELEGRAF "ipfix_pen_35632.pcap", 2, 0 },
	{ TELEGRAF "issue_13305.pcap", 2, 0 },
	/* its last set ends 2 octets behind the length the header tells:
	 * other collectors read on to the datagram's end, and find 2 */
	{ TELEGRAF "issue_14370.pcap", 1, 0 },
	{ TELEGRAF "netflow_v5_example.pcap", 8, 0 },
	{ TELEGRAF "netflow_v9_example.pcap", 8, 0 },
	{ TELEGRAF "netflow_v9_options.pcap", 0, 8 },
	{ FLUENT "v9-as2-template+data.pcap", 0, 0 },
	{ FLUENT "v9-mpls.pcap", 1, 0 },
	{ FLUENT "v9-sampler.pcap", 1, 1 },
	{ FLUENT "v9-startms.pcap", 1, 0 },
	{ FLUENT "v9-template+data.pcap", 1, 0 },
	{ GRAYLOG "netflow5.pcap", 4, 0 },
	{ GRAYLOG "netflow9.pcap", 21, 1 },
	{ GRAYLOG "netgraph-netflow5.pcap", 120, 0 },
	{ GRAYLOG "nprobe-netflow9-2.pcap", 6, 1 },
	{ GRAYLOG "nprobe-netflow9-3.pcap", 892, 6 },
	{ GRAYLOG "nprobe-netflow9-4.pcap", 1, 1 },
	{ GRAYLOG "nprobe-netflow9.pcap", 152, 2 },
	{ GRAYLOG "pmacctd-netflow5.pcap", 42, 0 },
	{ GRAYLOG "pmacctd-netflow9.pcap", 6, 0 },
	{ GRAYLOG "pcap/v9-2.pcap", 2, 1 },
	{ IPFIXCOL "01-odid0.pcap", 4251, 0 },
	{ IPFIXCOL "01-odid4.pcap", 4243, 0 },
	{ IPFIXCOL "02-odid0.pcap", 121, 0 },
	{ IPFIXCOL "02-odid4.pcap", 117, 0 },
	{ IPFIXCOL "03-odid0-a.pcap", 151, 0 },
	{ IPFIXCOL "03-odid0-b.pcap", 111, 0 },
	{ IPFIXCOL "04-odid256_512.pcap", 22, 0 },
	{ IPFIXCOL "bad-length-in-set-very-long.pcap", 0, 0 },
	{ IPFIXCOL "bad-length-in-set.pcap", 0, 0 },
	{ IPFIXCOL "bad-template-field-count.pcap", 0, 0 },
	{ IPFIXCOL "enterprise-from-nfv9.pcap", 57, 0 },
	{ IPFIXCOL "header-and-zeros.pcap", 0, 0 },
	{ IPFIXCOL "missing-template-258.pcap", 4, 0 },
	{ IPFIXCOL "only-data-no-templates.pcap", 0, 0 },
	{ IPFIXCOL "withdrawal-message-256.pcap", 0, 0 },
	{ "ipfixcol2/pcap/example_flows.pcap", 3979, 0 },
	{ "netgauze/flow/srv6/srv6.pcap", 86, 86 },
	{ "netgauze/crates/pcap-decoder/tests/data/"
	  "502-IPFIXv10-BGP-IPv6-CISCO-SRv6-lcomms.pcap",
	    75, 39 },
};

static void
decode_into(const struct datagram *d, void *arg)
{
	struct decoding *f = arg;

	f->batch.count = 0;
	(void)decoder_decode(f->decoder, d, &f->batch);
}

static void
capture_of_real_exports_gives_all_their_records(void **state)
{
	const char *folder = getenv("DARKPORT_FIXTURES");
	char message[CAPTURE_MESSAGE_MAX];

	(void)state;
	if (folder == NULL)
		folder = "../shared/fixtures";
	if (access(folder, R_OK) != 0) {
		print_message("no fixtures at %s\n", folder);
		skip();
	}
	for (size_t i = 0; i < FIELDS(cases); i++) {
		const struct export_case *c = &cases[i];
		char path[512];
		void *fixture;
		struct decoding *f;

		assert_int_equal(decoding_set_up(&fixture), 0);
		f = fixture;
		snprintf(path, sizeof(path), "%s/%s", folder, c->path);
		if (capture_read(path, decode_into, f, &f->counters, message) !=
		    ERR_OK)
			fail_msg("%s", message);
		if (decoding_counted(f, COUNTER_RECORDS_ANNOUNCED) !=
			c->records ||
		    decoding_counted(f, COUNTER_OPTIONS_RECORDS) != c->options)
			fail_msg("%s: %u records, %u options expected", c->path,
			    c->records, c->options);
		decoding_tear_down(&fixture);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TAPE_TEST(capture_reads_ethernet),
		TAPE_TEST(capture_reads_ethernet_with_ipv6),
		TAPE_TEST(capture_reads_a_vlan_tag),
		TAPE_TEST(capture_reads_two_vlan_tags),
		TAPE_TEST(capture_reads_raw_ip),
		TAPE_TEST(capture_reads_raw_ipv4),
		TAPE_TEST(capture_reads_raw_ipv6),
		TAPE_TEST(capture_reads_linux_cooked),
		TAPE_TEST(capture_reads_linux_cooked_v2),
		TAPE_TEST(capture_reads_bsd_null),
		TAPE_TEST(capture_reads_bsd_loop),
		TAPE_TEST(capture_reads_ipv4_options),
		TAPE_TEST(capture_reads_past_ipv6_extensions),
		TAPE_TEST(capture_counts_what_it_ignores),
		TAPE_TEST(capture_reads_pcapng),
		TAPE_TEST(capture_says_what_is_wrong_with_a_file),
		TAPE_TEST(capture_refuses_what_is_no_capture),
		TAPE_TEST(capture_refuses_an_unknown_link_type),
		TAPE_TEST(capture_delivers_what_comes_before_a_cut),
		TEST(capture_of_real_exports_gives_all_their_records),
	};

	return RUN_TESTS(tests);
}
