/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flowgen: sends NetFlow v5, v9 and IPFIX, and says exactly what it sent.
 *
 * The first four datagrams of each exporter, which show how it counts, and
 * the last are sent apart from the stream, spared by the faults, so that a
 * collector can account for all of it. With --pause a line on standard input is
 * waited for before the stream and before those last ones.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "bench/encode.h"
#include "bench/faults.h"
#include "bench/sender.h"
#include "bench/traffic.h"

#define EXPORTERS_MAX 4096
#define SPARED_FIRST  4
#define PROTOCOLS_MAX 3
#define NS_PER_S      INT64_C(1000000000)
#define NS_PER_MS     1000000
#define CHECK_EVERY   32     /* datagrams between looks at the clock */
#define LAG_NS	      100000 /* behind the rate: catch up without a pause */
#define EXIT_USAGE    2
#define LONG_ONLY     256 /* getopt: this and the row's number */

#define SOURCE_FIRST  0x7f000101U /* 127.0.1.1 */
#define SOURCES_A_NET 250U

enum kind { KIND_U32, KIND_U64, KIND_SHARE, KIND_FLAG };

/* X(flag, kind, member of struct settings, least, most, help) */
#define SETTING_LIST(X)                                                        \
	X("seed", KIND_U64, seed, 0, UINT64_MAX, "of everything random")       \
	X("exporters", KIND_U32, exporters, 1, EXPORTERS_MAX,                  \
	    "exporters; the protocols take turns")                             \
	X("sources", KIND_U32, sources, 0, EXPORTERS_MAX,                      \
	    "their addresses, 127.0.1.1 and on; 0: one each")                  \
	X("ports", KIND_U32, ports, 1, SENDER_PORTS_MAX, "their source ports") \
	X("records", KIND_U32, encode.records_max, 1, ENCODE_RECORDS_MAX,      \
	    "records a datagram; v5: 30 at most")                              \
	X("records-min", KIND_U32, encode.records_min, 0, ENCODE_RECORDS_MAX,  \
	    "and at least; 0: always as many")                                 \
	X("plain", KIND_U32, encode.weight[LAYOUT_PLAIN], 0, 1000,             \
	    "weight of templates with 10 fields")                              \
	X("wide", KIND_U32, encode.weight[LAYOUT_WIDE], 0, 1000,               \
	    "weight of templates with 19 fields")                              \
	X("variable", KIND_U32, encode.weight[LAYOUT_VARIABLE], 0, 1000,       \
	    "weight of those with a variable one (IPFIX)")                     \
	X("template-every", KIND_U32, encode.template_every, 1, UINT32_MAX,    \
	    "datagrams between templates")                                     \
	X("options-every", KIND_U32, encode.options_every, 0, UINT32_MAX,      \
	    "datagrams between options; 0: none")                              \
	X("sequence", KIND_U64, sequence, 0, UINT32_MAX,                       \
	    "first sequence number; else random")                              \
	X("clients", KIND_U32, traffic.clients, 1, UINT32_MAX,                 \
	    "outside addresses that use services")                             \
	X("services", KIND_U32, traffic.services, 1, TRAFFIC_SERVICES_MAX,     \
	    "services, four a host")                                           \
	X("scanners", KIND_U32, traffic.scanners, 1, UINT32_MAX,               \
	    "outside addresses that scan")                                     \
	X("fresh", KIND_SHARE, traffic.fresh, 0, 1,                            \
	    "share of new conversations with services")                        \
	X("scans", KIND_SHARE, traffic.scans, 0, 1, "share of scan probes")    \
	X("spoofed", KIND_SHARE, traffic.spoofed, 0, 1,                        \
	    "share of SYNs from forged addresses")                             \
	X("ipv6", KIND_SHARE, traffic.ipv6, 0, 1, "share of IPv6 (not in v5)") \
	X("shared-times", KIND_FLAG, traffic.shared_times, 0, 1,               \
	    "both halves carry the same times")                                \
	X("datagrams", KIND_U64, datagrams, 0, UINT64_MAX,                     \
	    "how many in the stream")                                          \
	X("seconds", KIND_U32, seconds, 0, 86400, "or for how long")           \
	X("rate", KIND_U64, rate, 0, UINT64_MAX,                               \
	    "records a second; 0: flat out")                                   \
	X("drop", KIND_SHARE, faults.drop, 0, 1, "share of datagrams dropped") \
	X("duplicate", KIND_SHARE, faults.duplicate, 0, 1, "share sent twice") \
	X("reorder", KIND_U32, faults.reorder, 0, FAULTS_REORDER_MAX,          \
	    "hold some back for up to so many")                                \
	X("hold", KIND_SHARE, faults.hold, 0, 1, "share of those; 0.05")       \
	X("pause", KIND_FLAG, pause, 0, 1,                                     \
	    "wait for a line before and after the stream")                     \
	X("any-target", KIND_FLAG, any_target, 0, 1,                           \
	    "do not refuse targets outside this host")

struct settings {
	uint64_t seed;
	uint64_t sequence; /* SEQUENCE_RANDOM: chosen for each exporter */
	uint64_t datagrams;
	uint64_t rate;
	uint32_t exporters;
	uint32_t sources;
	uint32_t ports;
	uint32_t seconds;
	bool pause;
	bool any_target;
	struct encode_config encode;
	struct traffic_config traffic;
	struct faults_config faults;
	uint32_t protocols[PROTOCOLS_MAX];
	uint32_t protocol_count;
	struct sender_target to; /* port 0: none yet */
};

#define SEQUENCE_RANDOM UINT64_MAX

struct setting {
	const char *flag;
	enum kind kind;
	size_t offset;
	uint64_t least;
	uint64_t most;
	const char *help;
};

static const struct setting setting_rows[] = {
#define SETTING_ROW(flag, kind, member, least, most, help)                     \
	{ flag, kind, offsetof(struct settings, member), least, most, help },
	SETTING_LIST(SETTING_ROW)
#undef SETTING_ROW
};
#define LENGTH(a)     (sizeof(a) / sizeof((a)[0]))
#define SETTING_COUNT LENGTH(setting_rows)

enum { OPTION_TO = SETTING_COUNT, OPTION_PROTOCOLS, OPTION_MIX, OPTION_HELP };

/* The traffic of the benchmarks. */
static const struct mix {
	const char *name;
	struct traffic_config traffic; /* its shares */
} mixes[] = {
	{ "steady", { .fresh = 0.5, .scans = 0.05 } },
	{ "border", { .fresh = 1, .scans = 0.5 } },
	{ "flood", { .fresh = 1, .scans = 0.05, .spoofed = 0.9 } },
	{ "web", { .fresh = 1, .shared_times = true } },
	{ "v6", { .fresh = 0.5, .scans = 0.05, .ipv6 = 1 } },
};

struct exporter {
	struct encoder encoder;
	uint32_t source;
};

struct flowgen {
	struct settings settings;
	struct traffic *traffic;
	struct faults *faults;
	struct sender *sender;
	struct exporter *exporters;
	struct encoded encoded;
	uint64_t records; /* generated */
	bool failed;
};

/* --- the command line ------------------------------------------------------
 */

static struct settings
default_settings(void)
{
	return (struct settings){
		.seed = 1,
		.sequence = SEQUENCE_RANDOM,
		.datagrams = 0,
		.exporters = 3,
		.ports = 1,
		.encode = { .records_max = 24,
		    .template_every = 50,
		    .weight = { 1, 0, 0 } },
		.traffic = { .clients = 10000,
		    .services = 1000,
		    .scanners = 100,
		    .fresh = 0.5,
		    .scans = 0.05 },
		.faults = { .hold = 0.05 },
		.protocols = { 5, 9, 10 },
		.protocol_count = PROTOCOLS_MAX,
	};
}

static void
usage(FILE *out)
{
	fprintf(out,
	    "usage: flowgen --to ADDR:PORT -n DATAGRAMS | -t SECONDS "
	    "[flags]\n"
	    "  %-22s %s\n  %-22s %s\n",
	    "--protocols LIST", "of 5, 9, 10, with commas", "--mix NAME",
	    "steady, border, flood, web, v6: sets shares");
	for (size_t i = 0; i < SETTING_COUNT; i++)
		fprintf(out, "  --%-20s %s\n", setting_rows[i].flag,
		    setting_rows[i].help);
}

static bool
set_number(struct settings *s, const struct setting *row, const char *text)
{
	char *member = (char *)s + row->offset;
	char *end;
	unsigned long long number;
	double share;

	if (row->kind == KIND_FLAG) {
		*(bool *)(void *)member = true;
		return true;
	}
	if (row->kind == KIND_SHARE) {
		share = strtod(text, &end);
		*(double *)(void *)member = share;
		return end != text && *end == '\0' && share >= 0 && share <= 1;
	}
	number = strtoull(text, &end, 10);
	if (end == text || *end != '\0' || *text == '-' ||
	    number < row->least || number > row->most)
		return false;
	if (row->kind == KIND_U32)
		*(uint32_t *)(void *)member = (uint32_t)number;
	else
		*(uint64_t *)(void *)member = number;
	return true;
}

/* ADDR:PORT, an IPv6 address in brackets. */
static bool
set_target(struct settings *s, const char *text)
{
	const char *colon = strrchr(text, ':');
	bool is_ipv6 = text[0] == '[';
	char address[INET6_ADDRSTRLEN];
	unsigned long port;
	size_t length;
	char *end;

	if (colon == NULL || (is_ipv6 && colon[-1] != ']'))
		return false;
	length = (size_t)(colon - text) - (is_ipv6 ? 2 : 0);
	if (length >= sizeof(address))
		return false;
	memcpy(address, text + is_ipv6, length);
	address[length] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port < 1 || port > UINT16_MAX ||
	    inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, s->to.address) !=
		1)
		return false;
	s->to.is_ipv6 = is_ipv6;
	s->to.port = (uint16_t)port;
	return true;
}

static bool
set_protocols(struct settings *s, const char *text)
{
	s->protocol_count = 0;
	for (;;) {
		char *end;
		unsigned long version = strtoul(text, &end, 10);

		if (version != 5 && version != 9 && version != 10)
			return false;
		for (uint32_t i = 0; i < s->protocol_count; i++)
			if (s->protocols[i] == version)
				return false;
		s->protocols[s->protocol_count++] = (uint32_t)version;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
}

/* Keeps the numbers of clients, services and scanners. */
static bool
set_mix(struct settings *s, const char *name)
{
	for (size_t i = 0; i < LENGTH(mixes); i++) {
		const struct traffic_config *mix = &mixes[i].traffic;

		if (strcmp(mixes[i].name, name) != 0)
			continue;
		s->traffic.fresh = mix->fresh;
		s->traffic.scans = mix->scans;
		s->traffic.spoofed = mix->spoofed;
		s->traffic.ipv6 = mix->ipv6;
		s->traffic.shared_times = mix->shared_times;
		return true;
	}
	return false;
}

static bool
set_option(struct settings *s, int which, const char *text)
{
	switch (which) {
	case OPTION_TO:
		return set_target(s, text);
	case OPTION_PROTOCOLS:
		return set_protocols(s, text);
	case OPTION_MIX:
		return set_mix(s, text);
	default:
		return set_number(s, &setting_rows[which], text);
	}
}

/* Fills in what depends on more than one flag. False: it does not fit. */
static bool
finish_settings(struct settings *s)
{
	const uint32_t *weight = s->encode.weight;

	if (s->encode.records_min == 0)
		s->encode.records_min = s->encode.records_max;
	if (s->sources == 0)
		s->sources = s->exporters;
	s->traffic.seed = s->seed;
	s->faults.seed = s->seed + 1;
	return s->to.port != 0 && (s->datagrams != 0 || s->seconds != 0) &&
	       s->encode.records_min <= s->encode.records_max &&
	       weight[0] + weight[1] + weight[2] > 0;
}

/* -n and -t are --datagrams and --seconds. */
static int
row_of(int found)
{
	const char *name = found == 'n' ? "datagrams" : "seconds";

	if (found != 'n' && found != 't')
		return found - LONG_ONLY;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(setting_rows[i].flag, name) == 0)
			return (int)i;
	abort();
}

/* The exit code; -1: go on. */
static int
parse(int argc, char **argv, struct settings *s)
{
	static const char *const extra[] = { "to", "protocols", "mix", "help" };
	struct option longs[SETTING_COUNT + LENGTH(extra) + 1] = { { 0 } };
	int found;

	for (int i = 0; i <= OPTION_HELP; i++) {
		bool has_row = (size_t)i < SETTING_COUNT;
		bool is_flag = has_row ? setting_rows[i].kind == KIND_FLAG
				       : i == OPTION_HELP;

		longs[i] =
		    (struct option){ has_row ? setting_rows[i].flag
					     : extra[(size_t)i - SETTING_COUNT],
			    is_flag ? no_argument : required_argument, NULL,
			    LONG_ONLY + i };
	}
	while ((found = getopt_long(argc, argv, "n:t:", longs, NULL)) != -1) {
		if (found == '?')
			return EXIT_USAGE;
		if (row_of(found) == OPTION_HELP) {
			usage(stdout);
			return EXIT_SUCCESS;
		}
		if (!set_option(s, row_of(found), optarg)) {
			fprintf(stderr, "flowgen: bad value: --%s %s\n",
			    longs[row_of(found)].name, optarg);
			return EXIT_USAGE;
		}
	}
	if (optind < argc || !finish_settings(s)) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* --- the stream ------------------------------------------------------------
 */

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
sleep_until(int64_t ns)
{
	const struct timespec t = { .tv_sec = ns / NS_PER_S,
		.tv_nsec = ns % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* A faults_fn: what got through is sent. */
static void
send_one(const struct encoded *encoded, uint32_t exporter, void *arg)
{
	struct flowgen *g = arg;

	if (!sender_add(g->sender, encoded->octets, encoded->length,
		g->exporters[exporter].source, exporter % g->settings.ports))
		g->failed = true;
}

static void
generate(struct flowgen *g, uint32_t exporter, int64_t now_ms, bool spare)
{
	encode_next(&g->exporters[exporter].encoder, now_ms, &g->encoded);
	g->records += g->encoded.records;
	faults_take(g->faults, &g->encoded, exporter, spare);
}

/* Some of each exporter that always arrive. */
static void
generate_spared(struct flowgen *g, uint32_t each)
{
	int64_t now_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;

	for (uint32_t i = 0; i < each * g->settings.exporters; i++)
		generate(g, i % g->settings.exporters, now_ms, true);
	g->failed |= !sender_flush(g->sender);
}

/* Waits when the stream is ahead of the rate. */
static void
keep_rate(struct flowgen *g, int64_t start_ns, uint64_t records)
{
	int64_t due_ns;

	if (g->settings.rate == 0)
		return;
	due_ns = start_ns + (int64_t)((double)records * (double)NS_PER_S /
				      (double)g->settings.rate);
	if (due_ns - clock_ns(CLOCK_MONOTONIC) < LAG_NS)
		return;
	g->failed |= !sender_flush(g->sender);
	sleep_until(due_ns);
}

/* Returns how long it took. */
static int64_t
generate_stream(struct flowgen *g)
{
	const struct settings *s = &g->settings;
	int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	int64_t end_ns = start_ns + s->seconds * NS_PER_S;
	uint64_t before = g->records;
	int64_t now_ms = 0;

	for (uint64_t i = 0; !g->failed; i++) {
		if (s->datagrams != 0 && i == s->datagrams)
			break;
		if (i % CHECK_EVERY == 0) {
			keep_rate(g, start_ns, g->records - before);
			now_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
			if (s->seconds != 0 &&
			    clock_ns(CLOCK_MONOTONIC) >= end_ns)
				break;
		}
		generate(g, (uint32_t)(i % s->exporters), now_ms, false);
	}
	faults_flush(g->faults);
	g->failed |= !sender_flush(g->sender);
	return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

static void
wait_for_a_line(const struct flowgen *g, const char *what)
{
	int c;

	if (!g->settings.pause)
		return;
	fprintf(stderr, "%s\n", what);
	do {
		c = getchar();
	} while (c != '\n' && c != EOF);
}

/* --- the report ------------------------------------------------------------
 */

static json_t *
counts_json(const struct faults_counts *c)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
	    "generated", (json_int_t)c->generated, "dropped",
	    (json_int_t)c->dropped, "duplicated", (json_int_t)c->duplicated,
	    "delivered", (json_int_t)c->delivered, "late", (json_int_t)c->late,
	    "again", (json_int_t)c->again, "records", (json_int_t)c->records,
	    "options", (json_int_t)c->options, "units", (json_int_t)c->units,
	    "units_lost", (json_int_t)c->units_lost, "generated_records",
	    (json_int_t)c->generated_records);
}

static void
add_counts(struct faults_counts *sum, const struct faults_counts *c)
{
	sum->generated += c->generated;
	sum->dropped += c->dropped;
	sum->duplicated += c->duplicated;
	sum->delivered += c->delivered;
	sum->late += c->late;
	sum->again += c->again;
	sum->records += c->records;
	sum->options += c->options;
	sum->units += c->units;
	sum->units_lost += c->units_lost;
	sum->generated_records += c->generated_records;
}

static const char *
protocol_name(uint32_t version)
{
	return version == 5 ? "netflow5" : version == 9 ? "netflow9" : "ipfix";
}

static json_t *
exporters_json(const struct flowgen *g)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < g->settings.exporters; i++) {
		const struct exporter *e = &g->exporters[i];
		struct faults_counts c = faults_counts(g->faults, i);
		struct in_addr in = { htonl(e->source) };
		json_t *o = counts_json(&c);

		json_object_set_new(o, "address",
		    json_string(sender_names_source(g->sender)
				    ? inet_ntoa(in)
				    : sender_source(g->sender)));
		json_object_set_new(o, "domain",
		    json_integer(e->encoder.domain));
		json_object_set_new(o, "protocol",
		    json_string(protocol_name(e->encoder.version)));
		json_array_append_new(list, o);
	}
	return list;
}

/* By protocol, and in all under "total". */
static json_t *
protocols_json(const struct flowgen *g)
{
	json_t *o = json_object();
	struct faults_counts all = { 0 };

	for (uint32_t p = 0; p < g->settings.protocol_count; p++) {
		struct faults_counts sum = { 0 };

		for (uint32_t i = 0; i < g->settings.exporters; i++) {
			struct faults_counts c = faults_counts(g->faults, i);

			if (g->exporters[i].encoder.version ==
			    g->settings.protocols[p])
				add_counts(&sum, &c);
		}
		json_object_set_new(o, protocol_name(g->settings.protocols[p]),
		    counts_json(&sum));
		add_counts(&all, &sum);
	}
	json_object_set_new(o, "total", counts_json(&all));
	return o;
}

static void
report(const struct flowgen *g, int64_t took_ns)
{
	struct traffic_counts t = traffic_counts(g->traffic);
	json_t *o = json_pack("{s:I,s:f,s:I,s:I,s:o,s:o,s:I,s:{s:I,s:I,s:I,"
			      "s:I,s:I}}",
	    "seed", (json_int_t)g->settings.seed, "seconds",
	    (double)took_ns / (double)NS_PER_S, "datagrams",
	    (json_int_t)sender_datagrams(g->sender), "octets",
	    (json_int_t)sender_octets(g->sender), "protocols",
	    protocols_json(g), "exporters", exporters_json(g), "exposures",
	    (json_int_t)t.exposures, "conversations", "attempts",
	    (json_int_t)t.attempts, "answered", (json_int_t)t.answered, "scans",
	    (json_int_t)t.scans, "spoofed", (json_int_t)t.spoofed, "ongoing",
	    (json_int_t)t.ongoing);

	json_dumpf(o, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(o);
}

/* --- the whole -------------------------------------------------------------
 */

static void
init_exporters(struct flowgen *g)
{
	const struct settings *s = &g->settings;
	struct random r = random_seeded(s->seed + 2);

	for (uint32_t i = 0; i < s->exporters; i++) {
		struct exporter *e = &g->exporters[i];
		uint32_t source = i % s->sources;
		uint32_t sequence = random_u32(&r);

		if (s->sequence != SEQUENCE_RANDOM)
			sequence = (uint32_t)s->sequence;
		e->source = SOURCE_FIRST + source / SOURCES_A_NET * 256 +
			    source % SOURCES_A_NET;
		encode_init(&e->encoder, &s->encode, g->traffic,
		    s->protocols[i % s->protocol_count], i + 1, sequence,
		    s->seed + 3 + i);
	}
}

static bool
open_all(struct flowgen *g)
{
	const struct settings *s = &g->settings;

	g->sender = sender_new(&s->to, s->ports, s->any_target);
	g->traffic = traffic_new(&s->traffic);
	g->faults = faults_new(&s->faults, s->exporters, send_one, g);
	g->exporters = calloc(s->exporters, sizeof(*g->exporters));
	if (g->sender == NULL || g->traffic == NULL || g->faults == NULL ||
	    g->exporters == NULL)
		return false;
	init_exporters(g);
	return true;
}

static void
close_all(struct flowgen *g)
{
	free(g->exporters);
	faults_free(g->faults);
	traffic_free(g->traffic);
	sender_free(g->sender);
}

int
main(int argc, char **argv)
{
	struct flowgen g = { .settings = default_settings() };
	int code = parse(argc, argv, &g.settings);
	int64_t took_ns;

	if (code != -1)
		return code;
	if (open_all(&g)) {
		generate_spared(&g, SPARED_FIRST);
		wait_for_a_line(&g, "opened");
		took_ns = generate_stream(&g);
		wait_for_a_line(&g, "streamed");
		generate_spared(&g, 1);
		report(&g, took_ns);
	} else {
		g.failed = true;
	}
	close_all(&g);
	return g.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
