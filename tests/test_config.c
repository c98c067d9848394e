/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: every keyword, every way to get one wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "tests/test.h"

#define FILE_NAME "test.conf"

static int
read_text(struct config *c, const char *text, char message[CONFIG_MESSAGE_MAX])
{
	config_init(c);
	return config_read_text(c, text, strlen(text), FILE_NAME, message);
}

/* Reads text, which must be right. */
static void
read_right(struct config *c, const char *text)
{
	char message[CONFIG_MESSAGE_MAX];
	int err = read_text(c, text, message);

	if (err != ERR_OK)
		fail_msg("%s: %s", text, message);
}

/* Reads text, which must be refused with this message at its beginning. */
static void
read_wrong(const char *text, const char *expected)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config before;
	struct config c;

	config_init(&before);
	if (read_text(&c, text, message) == ERR_OK)
		fail_msg("accepted: %s", text);
	if (strncmp(message, expected, strlen(expected)) != 0)
		fail_msg("%s: message '%s', expected '%s'", text, message,
		    expected);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void
config_reads_every_keyword(void **state)
{
	struct config c;
	static char value[CONFIG_VALUE_MAX];
	char text[ENDPOINT_TEXT_MAX];

	(void)state;
	read_right(&c,
	    "internal = {\"192.0.2.0/24=servers\", \"2001:db8::/32\"}\n"
	    "listen = {\"udp://127.0.0.1:2055\", \"udp://[::1]:4739\"}\n"
	    "read = {\"a.pcap\", \"b.pcap\"}\n"
	    "store = \"/tmp/x.db\"\n"
	    "http = \"[::1]:8081\"\n"
	    "training = 48h\nvet_baseline = off\ninternal_scope = yes\n"
	    "wait = 60s\nrevoke = 15m\nhost_ttl = 7d\nstale_after = 1d\n"
	    "max_pairs = 1000\nmax_sources = 1001\nmax_hosts = 1002\n"
	    "max_exposures = 1003\nmax_events = 40004\nrcvbuf = 4M\n"
	    "ingest_threads = 4\n"
	    "max_exporters = 10\nmax_templates = 11\nmax_fields = 12\n"
	    "max_domains = 13\naccept_any = true\n"
	    "exporter_source_port = yes\n"
	    "external_interface = {\"[2001:db8::1]:4294967295\","
	    " \"192.0.2.1:7\"}\n"
	    "feed = {\"edge1: domain=7, visibility=one_sided, loss=none\","
	    " \"2001:db8::1:flags=no-syn, shared_times=yes,"
	    " address_ordered=no, biflow_direction=ignored,"
	    " idle_timeout=90, active_timeout=2m, sampling=100,"
	    " clock_offset=-1500ms\", \"10.0.0.0/8: clock_offset=3s\"}\n"
	    "exporter = {\"192.0.2.1=edge1\", \"10.0.0.0/8=lab\","
	    " \"2001:db8::1\"}\n"
	    "memory_limit = 3G\n"
	    "template_lifetime = 1h\n");
	assert_int_equal(c.engine.internal.count, 2);
	assert_string_equal(c.engine.internal.networks[0].label, "servers");
	assert_int_equal(c.listen_count, 2);
	assert_string_equal(endpoint_format(&c.listen[1], text), "[::1]:4739");
	assert_int_equal(c.read_count, 2);
	assert_string_equal(c.read[1], "b.pcap");
	assert_string_equal(c.store, "/tmp/x.db");
	assert_true(c.http_on);
	assert_string_equal(endpoint_format(&c.http, text), "[::1]:8081");
	assert_int_equal(c.engine.training_ms, 48 * 3600 * 1000);
	assert_false(c.engine.vet_baseline);
	assert_true(c.engine.internal_scope);
	assert_int_equal(c.engine.wait_ms, 60000);
	assert_int_equal(c.engine.revoke_ms, 900000);
	assert_int_equal(c.engine.host_ttl_ms, 7 * 24 * 3600 * 1000LL);
	assert_int_equal(c.engine.stale_ms, 24 * 3600 * 1000);
	assert_int_equal(c.engine.max_pairs, 1000);
	assert_int_equal(c.engine.max_sources, 1001);
	assert_int_equal(c.engine.max_hosts, 1002);
	assert_int_equal(c.engine.max_exposures, 1003);
	assert_int_equal(c.engine.max_events, 40004);
	assert_int_equal(c.rcvbuf_octets, 4 << 20);
	assert_int_equal(c.ingest_threads, 4);
	assert_int_equal(c.decoder.max_exporters, 10);
	assert_int_equal(c.decoder.max_templates, 11);
	assert_int_equal(c.decoder.max_fields, 12);
	assert_int_equal(c.decoder.max_domains, 13);
	assert_int_equal(c.memory_limit, 3LL << 30);
	assert_true(c.decoder.accept_any);
	assert_true(c.decoder.source_port_in_key);
	assert_int_equal(c.decoder.allow.count, 3);
	assert_string_equal(c.decoder.allow.networks[0].label, "edge1");
	assert_int_equal(c.decoder.allow.networks[0].prefix.length, 128);
	assert_string_equal(c.decoder.allow.networks[1].label, "lab");
	assert_string_equal(c.decoder.allow.networks[2].label, "");
	assert_int_equal(c.decoder.template_lifetime_ms, 3600 * 1000);
	assert_int_equal(c.engine.external.count, 2);
	assert_string_equal(config_format(&c, config_find("external_interface"),
				value),
	    "{\"192.0.2.1:7\", \"[2001:db8::1]:4294967295\"}");
	assert_string_equal(config_format(&c, config_find("feed"), value),
	    "{\"10.0.0.0/8: clock_offset=3s\", "
	    "\"2001:db8::1/128: flags=no-syn, shared_times=yes, "
	    "address_ordered=no, biflow_direction=ignored, "
	    "idle_timeout=90s, active_timeout=2m, sampling=100, "
	    "clock_offset=-1500ms\", "
	    "\"edge1: domain=7, visibility=one_sided, loss=none\"}");
}

static void
config_names_file_and_line_of_an_unknown_keyword(void **state)
{
	(void)state;
	read_wrong("# one\n\nintrenal = {\"10.0.0.0/8\"}\n", FILE_NAME ":3: ");
}

static void
config_names_file_and_line_of_a_bad_value(void **state)
{
	(void)state;
	read_wrong("internal = {\"10.0.0.0/8\",\n\"10.0.0.1/8\"}\n",
	    FILE_NAME ":2: internal '10.0.0.1/8': bits are set");
	read_wrong("\nlisten = {\"tcp://1.2.3.4:5\"}\n",
	    FILE_NAME ":2: listen 'tcp://1.2.3.4:5': write udp://");
	read_wrong("listen = {\"udp://2001:db8::1:2055\"}",
	    FILE_NAME ":1: listen");
	read_wrong("http = \"127.0.0.1\"\n", FILE_NAME ":1: http");
	read_wrong("http = \"127.0.0.1:65536\"\n", FILE_NAME ":1: http");
	read_wrong("\n\n\ntraining = soon\n",
	    FILE_NAME ":4: training 'soon': no duration");
	read_wrong("wait = 2h\n", FILE_NAME ":1: wait '2h': must be 0 to 1h");
	read_wrong("max_pairs = -1\n", FILE_NAME ":1: max_pairs '-1': no num");
	read_wrong("max_pairs = 1\n", FILE_NAME ":1: max_pairs '1': must be");
	read_wrong("max_fields = 99999999999999999999\n",
	    FILE_NAME ":1: max_fields");
	read_wrong("rcvbuf = 5T\n", FILE_NAME ":1: rcvbuf '5T': no number");
	read_wrong("rcvbuf = 4096G\n", FILE_NAME ":1: rcvbuf");
	read_wrong("ingest_threads = 0\n",
	    FILE_NAME ":1: ingest_threads '0': must be 1 to 16");
	read_wrong("ingest_threads = 65\n",
	    FILE_NAME ":1: ingest_threads '65': must be 1 to 16");
	read_wrong("ingest_threads = abc\n",
	    FILE_NAME ":1: ingest_threads 'abc': no number");
	read_wrong("vet_baseline = perhaps\n", FILE_NAME ":1: vet_baseline");
	read_wrong("store = \"\"\n", FILE_NAME ":1: store '': an empty");
	read_wrong("internal = {\"\"}\n"
		   "internal = {\"10.0.0.0/8\", \"10.0.0.0/8\"}\n",
	    FILE_NAME ":1: internal '': no prefix");
	read_wrong("exporter = {\"10.0.0.0/8=lab\", \"edge1\"}\n",
	    FILE_NAME ":1: exporter 'edge1': no prefix");
	read_wrong("max_domains = 0\n",
	    FILE_NAME ":1: max_domains '0': must be 1 to 4096");
	read_wrong("external_interface = {\"2001:db8::1:7\"}\n",
	    FILE_NAME ":1: external_interface '2001:db8::1:7': write EXP");
	read_wrong("external_interface = {\"192.0.2.1:0\"}\n",
	    FILE_NAME ":1: external_interface '192.0.2.1:0': an interface");
	read_wrong("external_interface = {\"192.0.2.1:7x\"}\n",
	    FILE_NAME ":1: external_interface '192.0.2.1:7x': write EXP");
}

static void
config_refuses_wrong_feeds_and_says_why(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} wrong[] = {
		{ "192.0.2.1", "write EXPORTER: PROPERTY=VALUE" },
		{ ": loss=none", "write EXPORTER: PROPERTY=VALUE" },
		{ "192.0.2.1:", "write PROPERTY=VALUE" },
		{ "192.0.2.1: domain=7", "no property is given" },
		{ "192.0.2.1: loss", "write PROPERTY=VALUE" },
		{ "192.0.2.1/24: loss=none", "bits are set behind" },
		{ "10/8: loss=none", "the exporter is an address, a pre" },
		{ "192.0.2.1: speed=9", "a feed has no property 'speed'" },
		{ "192.0.2.1: loss=none, loss=lossy", "loss is there twice" },
		{ "192.0.2.1: domain=-1, loss=none", "domain is one number" },
		{ "192.0.2.1: loss=none x", "loss is one of none, lossy" },
		{ "192.0.2.1: visibility=unknown",
		    "visibility is one of both, partly, one_sided" },
		{ "192.0.2.1: idle_timeout=soon", "idle_timeout is a dur" },
		{ "192.0.2.1: idle_timeout=2h",
		    "idle_timeout must be 1s to 1h" },
		{ "192.0.2.1: idle_timeout=1500ms",
		    "idle_timeout must be 1s to 1h, in whole seconds" },
		{ "192.0.2.1: idle_timeout=-5s", "idle_timeout is a dur" },
		{ "192.0.2.1: clock_offset=-2d",
		    "clock_offset must be -1d to 1d" },
		{ "192.0.2.1: sampling=1:9", "the exporter is an address" },
		{ "192.0.2.1: sampling=4294967296", "sampling must be 1 to" },
		{ "192.0.2.1: sampling=0", "sampling must be 1 to" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256], expected[256];

		snprintf(text, sizeof(text), "\nfeed = {\"%s\"}\n",
		    wrong[i].text);
		snprintf(expected, sizeof(expected),
		    FILE_NAME ":2: feed '%s': %s", wrong[i].text, wrong[i].why);
		read_wrong(text, expected);
	}
	read_wrong("feed = {\"192.0.2.1: loss=none\",\n"
		   "\"192.0.2.1: flags=ok\"}\n",
	    FILE_NAME ":2: feed '192.0.2.1: flags=ok': this exporter is");
}

static void
config_reads_routing_domains_and_sorts_them(void **state)
{
	static char value[CONFIG_VALUE_MAX];
	struct config c;

	(void)state;
	read_right(&c, "routing_domain = {\"192.0.2.1: tag=7\","
		       " \"edge1: tag=65535, domain=5\","
		       " \"2001:db8::1:vrf=4294967295, tag=1\","
		       " \"192.0.2.1: vrf=100, domain=4294967295, tag=8\"}\n");
	assert_string_equal(config_format(&c, config_find("routing_domain"),
				value),
	    "{\"edge1: domain=5, tag=65535\", \"192.0.2.1/32: tag=7\", "
	    "\"192.0.2.1/32: domain=4294967295, vrf=100, tag=8\", "
	    "\"2001:db8::1/128: vrf=4294967295, tag=1\"}");
}

static void
config_refuses_wrong_routing_domains_and_says_why(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} wrong[] = {
		{ "192.0.2.1", "write EXPORTER: PROPERTY=VALUE" },
		{ "192.0.2.1: 7", "write PROPERTY=VALUE" },
		{ "192.0.2.1: vrf=7", "no tag is given" },
		{ "192.0.2.1: domain=7", "no tag is given" },
		{ "192.0.2.1: tag=0", "tag must be 1 to 65535" },
		{ "192.0.2.1: tag=65536", "tag must be 1 to 65535" },
		{ "192.0.2.1: tag=4294967297", "tag must be 1 to 65535" },
		{ "192.0.2.1: tag=", "tag is a number" },
		{ "192.0.2.1: tag=0x7", "tag is a number" },
		{ "192.0.2.1: tag=customer", "tag is a number" },
		{ "192.0.2.1: tag=7, tag=8", "tag is there twice" },
		{ "192.0.2.1: vrf=0, tag=7", "vrf must be 1 to 4294967295" },
		{ "192.0.2.1: vrf=4294967296, tag=7", "vrf must be 1 to" },
		{ "192.0.2.1: vrf=red, tag=7", "vrf is a number" },
		{ "192.0.2.1: domain=x, tag=7", "domain is one number" },
		{ "192.0.2.1: loss=none, tag=7",
		    "a routing domain has no property 'loss'" },
		{ "192.0.2.1/24: tag=7", "bits are set behind" },
		{ "192.0.2.1%7: tag=7", "the exporter is an address, a pre" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256], expected[256];

		snprintf(text, sizeof(text), "\nrouting_domain = {\"%s\"}\n",
		    wrong[i].text);
		snprintf(expected, sizeof(expected),
		    FILE_NAME ":2: routing_domain '%s': %s", wrong[i].text,
		    wrong[i].why);
		read_wrong(text, expected);
	}
	read_wrong("routing_domain = {\"192.0.2.1: vrf=2, tag=7\",\n"
		   "\"192.0.2.1: tag=8\", \"192.0.2.1: vrf=2, tag=9\"}\n",
	    FILE_NAME ":2: routing_domain '192.0.2.1: vrf=2, tag=9': this "
		      "exporter, with this vrf, is there already");
}

static void
config_takes_so_many_routing_domains_and_no_more(void **state)
{
	static struct routing_domain_list list;
	char message[RULE_MESSAGE_MAX];
	char text[64];

	(void)state;
	for (unsigned i = 0; i <= ROUTING_RULES_MAX; i++) {
		snprintf(text, sizeof(text), "192.0.2.1: vrf=%u, tag=1", i + 1);
		assert_int_equal(routing_domains_add(&list, text, message),
		    i < ROUTING_RULES_MAX ? ERR_OK : ERR_FULL);
	}
	assert_string_equal(message, "more than 512 routing domains");
}

/* A network, and who sends or listens, is not of one routing domain. */
static void
config_refuses_addresses_with_a_tag(void **state)
{
	(void)state;
	read_wrong("internal = {\"10.0.0.0%7/8\"}\n",
	    FILE_NAME ":1: internal '10.0.0.0%7/8': no prefix, or one with");
	read_wrong("exporter = {\"10.0.0.1%7\"}\n",
	    FILE_NAME ":1: exporter '10.0.0.1%7': no prefix, or one with");
	read_wrong("listen = {\"udp://127.0.0.1%7:2055\"}\n",
	    FILE_NAME ":1: listen");
	read_wrong("http = \"127.0.0.1%7:80\"\n", FILE_NAME ":1: http");
	read_wrong("external_interface = {\"192.0.2.1%7:1\"}\n",
	    FILE_NAME ":1: external_interface");
	read_wrong("feed = {\"192.0.2.1%7: loss=none\"}\n",
	    FILE_NAME ":1: feed");
}

static void
config_knows_the_names_in_routing_domains(void **state)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	(void)state;
	read_right(&c, "internal = {\"10.0.0.0/8\"}\n"
		       "routing_domain = {\"edge1: vrf=3, tag=7\"}\n"
		       "exporter = {\"192.0.2.1=edge1\"}\n");
	assert_ok(config_complete(&c, message));
	assert_int_equal(c.engine.routing.count, 1);
	assert_int_equal(c.engine.routing.rules[0].vrf, 3);
	assert_int_equal(c.engine.routing.rules[0].tag, 7);
	read_right(&c, "internal = {\"10.0.0.0/8\"}\n"
		       "routing_domain = {\"edge2: tag=7\"}\n"
		       "exporter = {\"192.0.2.1=edge1\"}\n");
	assert_int_equal(config_complete(&c, message), ERR_FORMAT);
	assert_string_equal(message,
	    "routing_domain: no address, and no exporter's name: 'edge2'");
}

static void
config_knows_the_names_in_feeds(void **state)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	(void)state;
	read_right(&c,
	    "internal = {\"10.0.0.0/8\"}\nfeed = {\"edge1: loss=none\"}\n"
	    "exporter = {\"192.0.2.1=edge1\"}\n");
	assert_ok(config_complete(&c, message));
	read_right(&c,
	    "internal = {\"10.0.0.0/8\"}\nfeed = {\"edge2: loss=none\"}\n"
	    "exporter = {\"192.0.2.1=edge1\"}\n");
	assert_int_equal(config_complete(&c, message), ERR_FORMAT);
	assert_string_equal(message,
	    "feed: no address, and no exporter's name: 'edge2'");
}

static void
more_exact_feed_wins_property_by_property(void **state)
{
	struct feed_override given;
	struct addr exporter;
	struct config c;

	(void)state;
	assert_ok(addr_parse("192.0.2.1", &exporter));
	read_right(&c,
	    "feed = {\"edge1: domain=7, sampling=5\","
	    " \"edge1: sampling=4, idle_timeout=4s\","
	    " \"192.0.2.1: sampling=3, idle_timeout=3s, active_timeout=3s\","
	    " \"192.0.2.0/24: sampling=2, loss=lossy\"}\n");
	assert_true(feed_list_find(&c.feeds, &exporter, "edge1", 7, &given));
	assert_int_equal(given.values[FEED_SAMPLING], 5);
	assert_int_equal(given.values[FEED_IDLE_TIMEOUT], 4);
	assert_int_equal(given.values[FEED_ACTIVE_TIMEOUT], 3);
	assert_int_equal(given.values[FEED_LOSS], 1);
	assert_int_equal(given.given,
	    1U << FEED_SAMPLING | 1U << FEED_IDLE_TIMEOUT |
		1U << FEED_ACTIVE_TIMEOUT | 1U << FEED_LOSS);
	assert_true(feed_list_find(&c.feeds, &exporter, "edge1", 8, &given));
	assert_int_equal(given.values[FEED_SAMPLING], 4);
	assert_true(feed_list_find(&c.feeds, &exporter, "", 7, &given));
	assert_int_equal(given.values[FEED_SAMPLING], 3);
	assert_ok(addr_parse("192.0.2.9", &exporter));
	assert_true(feed_list_find(&c.feeds, &exporter, "", 7, &given));
	assert_int_equal(given.values[FEED_SAMPLING], 2);
	assert_ok(addr_parse("192.0.3.1", &exporter));
	assert_false(feed_list_find(&c.feeds, &exporter, "", 7, &given));
}

static void
config_counts_lines_right_behind_comments(void **state)
{
	(void)state;
	read_wrong("# a\n# b\n// c\n/* d\n e */\nfoo = 1\n", FILE_NAME ":6: ");
	read_wrong("store = x # a\nhttp = \"#\"# b\nfoo = 1\n",
	    FILE_NAME ":2: http '#'");
	read_wrong("store = udp://x//y # \"\ninternal = '//'\n",
	    FILE_NAME ":2: internal '//'");
	read_wrong("store = \"a\\\"#b\"\nwait = '#'\n",
	    FILE_NAME ":2: wait '#'");
}

static void
config_refuses_a_network_given_twice(void **state)
{
	(void)state;
	read_wrong("internal = {\"10.0.0.0/8\", \"10.0.0.0/8=again\"}\n",
	    FILE_NAME ":1: internal '10.0.0.0/8=again': this network");
}

static void
config_refuses_broken_syntax(void **state)
{
	static const char *const texts[] = {
		"internal = {\"10.0.0.0/8\"\nstore = x\n",
		"store\n",
		"= 4\n",
		"store = {\"a\", \"b\"}\n",
		"training = \"24h\n",
		"store = a b\n",
	};
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (read_text(&c, texts[i], message) == ERR_OK)
			fail_msg("accepted: %s", texts[i]);
		assert_non_null(strstr(message, FILE_NAME ":"));
	}
}

static void
config_takes_an_empty_file(void **state)
{
	struct config before;
	struct config c;

	(void)state;
	config_init(&before);
	read_right(&c, "");
	assert_memory_equal(&c, &before, sizeof(c));
	read_right(&c, "# nothing\n");
	assert_memory_equal(&c, &before, sizeof(c));
}

static void
config_reads_a_file_and_says_when_it_cannot(void **state)
{
	char path[] = "/tmp/darkport-config-XXXXXX";
	char message[CONFIG_MESSAGE_MAX];
	struct config c;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "training = 1h\n", 14), 14);
	close(fd);
	config_init(&c);
	assert_ok(config_read_file(&c, path, message));
	assert_int_equal(c.engine.training_ms, 3600 * 1000);
	unlink(path);
	assert_int_equal(config_read_file(&c, path, message), ERR_IO);
	assert_non_null(strstr(message, path));
	assert_non_null(strstr(message, "No such file"));
	assert_int_equal(config_read_file(&c, "/tmp", message), ERR_IO);
	assert_non_null(strstr(message, "/tmp: "));
}

static void
config_print_reads_back_to_the_same(void **state)
{
	static const char *const texts[] = {
		"internal = {\"10.0.0.0/8\"}\n",
		"internal = {\"192.0.2.0/24=a b\", \"2001:db8::/32=v6\"}\n"
		"listen = {}\nread = {\"x\"}\n"
		"store = 'quote \" dollar ${HOME} back \\\\ tab\t'\n"
		"http = none\ntraining = 0\nwait = 1500ms\nrcvbuf = 5000\n",
		"internal = {\"10.0.0.0/8\"}\nread = {\"only.pcap\"}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char message[CONFIG_MESSAGE_MAX];
		struct config c;
		struct config again;
		char *text = NULL;
		char *text_again = NULL;
		size_t length;
		FILE *out = open_memstream(&text, &length);

		read_right(&c, texts[i]);
		assert_ok(config_complete(&c, message));
		config_print(&c, out);
		fclose(out);
		read_right(&again, text);
		assert_ok(config_complete(&again, message));
		out = open_memstream(&text_again, &length);
		config_print(&again, out);
		fclose(out);
		assert_string_equal(text, text_again);
		free(text);
		free(text_again);
	}
}

static void
config_complete_wants_an_internal_network(void **state)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	(void)state;
	config_init(&c);
	assert_int_equal(config_complete(&c, message), ERR_FORMAT);
	assert_non_null(strstr(message, "--internal"));
	assert_non_null(strstr(message, "internal ="));
}

static void
config_complete_chooses_where_to_listen(void **state)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	(void)state;
	read_right(&c, "internal = {\"10.0.0.0/8\"}\n");
	assert_ok(config_complete(&c, message));
	assert_int_equal(c.listen_count, 4);
	assert_int_equal(c.listen[0].port, 2055);
	assert_int_equal(c.listen[3].port, 4739);
	assert_true(c.http_on);
	read_right(&c, "internal = {\"10.0.0.0/8\"}\nread = {\"x\"}\n"
		       "http = \"127.0.0.1:1\"\n");
	assert_ok(config_complete(&c, message));
	assert_int_equal(c.listen_count, 0);
	assert_false(c.http_on);
	read_right(&c, "internal = {\"10.0.0.0/8\"}\nlisten = {}\n");
	assert_int_equal(config_complete(&c, message), ERR_FORMAT);
}

static void
endpoint_refuses_what_could_be_read_two_ways(void **state)
{
	static const char *const wrong[] = { "", ":", "1.2.3.4",
		"1.2.3.4:", ":80", "::1:80", "[::1]", "[1.2.3.4]:80",
		"1.2.3.4:+80", "1.2.3.4: 80", "host:80", "1.2.3.4:65536" };
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (endpoint_parse(wrong[i], &e) == ERR_OK)
			fail_msg("accepted: %s", wrong[i]);
	assert_ok(endpoint_parse("[2001:db8::1]:0", &e));
	assert_false(endpoint_is_loopback(&e));
	assert_ok(endpoint_parse("[::1]:80", &e));
	assert_true(endpoint_is_loopback(&e));
	assert_ok(endpoint_parse("127.9.9.9:80", &e));
	assert_true(endpoint_is_loopback(&e));
}

/* The whole of a file; the tests run in the folder of the sources. */
static char *
slurp(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (in == NULL || text == NULL)
		fail_msg("cannot read %s", path);
	if (fread(text, 1, (1 << 16) - 1, in) == 0)
		fail_msg("%s is empty", path);
	fclose(in);
	return text;
}

static void
manual_and_example_name_every_keyword_with_its_default(void **state)
{
	char *manual = slurp("man/darkportd.conf.5");
	char *example = slurp("packaging/darkportd.conf");
	char value[CONFIG_VALUE_MAX];
	char wanted[CONFIG_VALUE_MAX + 64];
	struct config c;

	(void)state;
	config_init(&c);
	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
		const struct config_keyword *k = &config_keywords[i];

		snprintf(wanted, sizeof(wanted), "\n.It Ic %s\n", k->name);
		if (strstr(manual, wanted) == NULL)
			fail_msg("man/darkportd.conf.5: no '%s'", k->name);
		snprintf(wanted, sizeof(wanted), "\n#%s = ", k->name);
		if (strstr(example, wanted) == NULL)
			fail_msg("packaging/darkportd.conf: no '%s'", k->name);
		config_format(&c, k, value);
		if (value[0] == '{')
			continue; /* the lists are empty by default */
		snprintf(wanted, sizeof(wanted), "\n#%s = %s\n", k->name,
		    value);
		if (strstr(example, wanted) == NULL)
			fail_msg("packaging/darkportd.conf: not '%s = %s'",
			    k->name, value);
	}
	free(manual);
	free(example);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(config_reads_every_keyword),
		TEST(config_names_file_and_line_of_an_unknown_keyword),
		TEST(config_names_file_and_line_of_a_bad_value),
		TEST(config_refuses_wrong_feeds_and_says_why),
		TEST(config_reads_routing_domains_and_sorts_them),
		TEST(config_refuses_wrong_routing_domains_and_says_why),
		TEST(config_takes_so_many_routing_domains_and_no_more),
		TEST(config_refuses_addresses_with_a_tag),
		TEST(config_knows_the_names_in_routing_domains),
		TEST(config_knows_the_names_in_feeds),
		TEST(more_exact_feed_wins_property_by_property),
		TEST(config_counts_lines_right_behind_comments),
		TEST(config_refuses_a_network_given_twice),
		TEST(config_refuses_broken_syntax),
		TEST(config_takes_an_empty_file),
		TEST(config_reads_a_file_and_says_when_it_cannot),
		TEST(config_print_reads_back_to_the_same),
		TEST(config_complete_wants_an_internal_network),
		TEST(config_complete_chooses_where_to_listen),
		TEST(endpoint_refuses_what_could_be_read_two_ways),
		TEST(manual_and_example_name_every_keyword_with_its_default),
	};

	return RUN_TESTS(tests);
}
