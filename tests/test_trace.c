/* SPDX-License-Identifier: Apache-2.0 */
/* The decision trace: its steps, its filter, its lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/trace.h"
#include "daemon/trace_why.h"
#include "tests/test.h"
#include "tests/world.h"

#define CLIENT "203.0.113.10:43000"
#define SERVER "10.0.0.5:8080"
#define STEPS  64

struct steps {
	enum trace_kind kinds[STEPS];
	uint32_t count;
};

static void
note_kind(const struct engine_trace *t, void *arg)
{
	struct steps *s = arg;

	assert_true(s->count < STEPS);
	s->kinds[s->count++] = t->kind;
}

/* The trace of one endpoint while fn runs; free() it. */
static char *
trace_of(struct world *w, const char *endpoint, void (*fn)(struct world *w))
{
	struct trace_printer printer = { .filters = { .count = 1 } };
	const char *why;
	char *text;
	size_t size;

	assert_ok(
	    trace_filter_parse(endpoint, &printer.filters.filters[0], &why));
	printer.out = open_memstream(&text, &size);
	assert_non_null(printer.out);
	engine_set_trace(w->engine, trace_print, &printer);
	fn(w);
	engine_set_trace(w->engine, NULL, NULL);
	fclose(printer.out);
	return text;
}

/* The lines are there, in this order, perhaps with others between them. */
static void
assert_lines(const char *text, const char *const *lines)
{
	const char *at = text;

	for (; *lines != NULL; lines++) {
		const char *found = strstr(at, *lines);

		if (found == NULL) {
			fail_msg("not there, or not in order: %s\nin:\n%s",
			    *lines, text);
			return;
		}
		at = found + strlen(*lines);
	}
}

static void
half_open_scan(struct world *w)
{
	world_flow(w, 1000,
	    SERVER ">" CLIENT " proto=6 flags=0x12 pkts=1 octets=44 "
		   "exporter=r1");
	world_flow(w, 1001,
	    CLIENT ">" SERVER " proto=6 flags=0x06 pkts=2 octets=84 "
		   "exporter=r1");
}

static void
record_tells_its_steps_in_order(void **state)
{
	static const enum trace_kind expected[] = { TRACE_RECORD, TRACE_JUDGED,
		TRACE_VERDICT, TRACE_MAP, TRACE_EVENT, TRACE_TIMER,
		TRACE_RECORD, TRACE_JUDGED, TRACE_VERDICT, TRACE_MAP,
		TRACE_EVENT, TRACE_TIMER };
	struct world *w = world_new(0);
	struct steps steps = { .count = 0 };

	(void)state;
	engine_set_trace(w->engine, note_kind, &steps);
	half_open_scan(w);
	assert_int_equal(steps.count, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(steps.kinds, expected, sizeof(expected));
	world_free(w);
}

static void
half_open_scan_is_explained_line_by_line(void **state)
{
	static const char *const lines[] = {
		("record 1 2023-11-14T22:13:21.000Z " SERVER " > " CLIENT
		 " tcp\n"),
		"  sent     flags ...A..S. 0x12, packets 1 octets 44",
		"  begins   generation 0, as its inner half\n",
		"  shows    SYNACK1\n",
		"  outer    not seen\n",
		"  judged   accepted by A0, confidence med",
		"  else     if nothing more comes: accepted by A1:D2",
		("  map      exposure 1 opened; tier probable, best A0 med, "
		 "accepted 1"),
		("  event    scan event 1 written: syn, accepted, darkport, in "
		 "operation, by A0 med\n"),
		"  timer    waits for more until 2023-11-14T22:15:21.000Z\n",
		"record 2 ",
		"  joins    generation 0, as its outer half\n",
		"  judged   accepted/half-open by A1:D1, confidence high",
		"  verdict  accepted/half-open by A1:D1",
		"  map      exposure 1, tier probable to confirmed",
		"  alert    trans-darkport 1 raised\n",
		"  event    scan event 1 revised: ",
		"  timer    decided: remembered until ",
		NULL,
	};
	struct world *w = world_new(0);
	char *text = trace_of(w, SERVER, half_open_scan);

	(void)state;
	assert_lines(text, lines);
	free(text);
	world_free(w);
}

static void
silence_and_its_end(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x02 pkts=3 octets=180 "
		   "exporter=r1");
	world_tick(w, 200000);
	world_tick(w, 4000000);
}

static void
silence_is_traced_from_waiting_to_forgotten(void **state)
{
	static const char *const lines[] = {
		"  judged   waits\n",
		"  else     if nothing more comes: silent by S1",
		"  timer    waits for more until 2023-11-14T22:15:21.000Z\n",
		("time 2023-11-14T22:16:40.000Z " CLIENT " - " SERVER
		 " tcp generation 0\n"),
		"  due      its time is up\n",
		"  judged   silent by S1, confidence high",
		"  given    nothing more is waited for\n",
		"  event    scan event 1 written: syn, silent, darkspace",
		"  timer    provisional: an answer revokes it until ",
		"time 2023-11-14T23:20:00.000Z ",
		"  due      its time is up\n",
		"  over     forgotten\n",
		NULL,
	};
	struct world *w = world_new(0);
	char *text;

	(void)state;
	world_show_both(w);
	text = trace_of(w, SERVER, silence_and_its_end);
	assert_lines(text, lines);
	free(text);
	world_free(w);
}

static void
life_of_an_exposure(struct world *w)
{
	world_attempt(w, 1000, CLIENT, SERVER, 'a');
	world_attempt(w, 2000, "203.0.113.11:43001", SERVER, 'r');
	world_attempt(w, 90000, "203.0.113.12:43002", SERVER, 'r');
	world_attempt(w, 120000, "203.0.113.13:43003", SERVER, 'a');
	world_attempt(w, 121000, "203.0.113.13:43003", "10.0.0.5:8081", 'a');
}

static void
closing_and_reopening_are_traced(void **state)
{
	static const char *const lines[] = {
		"  map      exposure 1 opened; ",
		"  map      exposure 1, refusal 1 since the last acceptance; ",
		("  map      exposure 1, refusal 2 since the last acceptance, "
		 "now closed since 2023-11-14T22:13:22.000Z; "),
		"  map      exposure 2 opened behind 1, which was closed; ",
		NULL,
	};
	struct world *w = world_new(0);
	char *text = trace_of(w, SERVER, life_of_an_exposure);

	(void)state;
	assert_lines(text, lines);
	assert_null(strstr(text, ":8081"));
	free(text);
	world_free(w);
}

static void
icmp_refusal(struct world *w)
{
	world_flow(w, 1000,
	    "203.0.113.10:40000>10.0.0.5:9999 proto=17 pkts=1 octets=60 "
	    "exporter=r1");
	world_flow(w, 1100,
	    "10.0.0.5:0>203.0.113.10:0 proto=1 icmp=3/3 pkts=1 octets=88 "
	    "exporter=r1");
	world_tick(w, 200000);
}

static void
icmp_errors_are_traced_where_they_come_and_where_they_match(void **state)
{
	static const char *const lines[] = {
		"record 2 ",
		"icmp type 3 code 3",
		"  icmp     an ICMP error, kept for the attempts it may answer",
		"  due      its time is up\n",
		"  icmp     port unreachable, from the target\n",
		"  judged   refused by ICMP",
		NULL,
	};
	struct world *w = world_new(0);
	char *text = trace_of(w, "10.0.0.5:9999/udp", icmp_refusal);

	(void)state;
	assert_lines(text, lines);
	free(text);
	world_free(w);
}

/* One SYN, and its time is up. */
static void
unanswered(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x02 pkts=1 octets=60 "
		   "exporter=r1");
	world_tick(w, 200000);
}

/* A connection, by a feed whose flags are always 0. */
static void
flagless(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x00 pkts=6 octets=600 "
		   "exporter=r1");
	world_flow(w, 1001,
	    SERVER ">" CLIENT " proto=6 flags=0x00 pkts=5 octets=900 "
		   "exporter=r1");
}

/* A refused attempt, a biflow: each half has the flags of both. */
static void
merged(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x16 pkts=1 octets=60 "
		   "exporter=r1");
	world_flow(w, 1001,
	    SERVER ">" CLIENT " proto=6 flags=0x16 pkts=1 octets=40 "
		   "reverse=1 exporter=r1");
}

/* Two halves of which only the start tells who opened. */
static void
two_starts(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x1b pkts=6 octets=600 "
		   "start_ms=1003 exporter=r1");
	world_flow(w, 1001,
	    SERVER ">" CLIENT " proto=6 flags=0x1b pkts=5 octets=900 "
		   "start_ms=1087 exporter=r1");
}

/* What each property of a feed does to a verdict is told, with what the
 * verdict would be without it. */
static void
each_property_of_a_feed_that_matters_is_told(void **state)
{
	static const struct {
		struct feed_profile feed;
		const char *fact;
		const char *otherwise;
		void (*fn)(struct world *w);
	} cases[] = {
		{ { .one_sided = true }, "feed one-sided",
		    "if the feed showed every answer: ", unanswered },
		{ { .sampled = true }, "feed sampled",
		    "if the feed showed every answer: silent by S1",
		    unanswered },
		{ { .sampled = true }, "sampled by the configuration alone",
		    "if the feed showed every answer: silent by S1",
		    unanswered },
		{ { .partly = true }, "feed shows answers partly",
		    "if the feed showed every answer: silent by S1",
		    unanswered },
		{ { .lossy = true }, "feed lossy since it began",
		    "if the feed showed every answer: silent by S1",
		    unanswered },
		{ { .unheard = true }, "nobody listened when it began",
		    "if the feed showed every answer: silent by S1",
		    unanswered },
		{ { .unsure = true }, "feed seen for a short while",
		    "if the feed showed every answer: silent by S1, "
		    "confidence high",
		    unanswered },
		{ { .no_flags = true }, "feed without flags",
		    "if the flags were believed: ", flagless },
		{ { .merged_flags = true }, "feed merges flags",
		    "if the flags were one end's: ", merged },
		{ { .shared_times = true }, "feed shares times",
		    "if the times were compared: ", two_starts },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_new(0);
		char *text, *given, *otherwise;

		engine_set_profile(w->engine, 0, &cases[i].feed);
		text = trace_of(w, SERVER, cases[i].fn);
		given = strstr(text, cases[i].fact);
		otherwise = strstr(text, cases[i].otherwise);
		if (given == NULL || otherwise == NULL)
			fail_msg("%s, %s: not in\n%s", cases[i].fact,
			    cases[i].otherwise, text);
		free(text);
		world_free(w);
	}
}

/* A biflow says who opened it; its exporter's word is not to be believed. */
static void
claimed(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x1b pkts=6 octets=600 "
		   "exporter=r1 biflow_direction=1");
	world_flow(w, 1001,
	    SERVER ">" CLIENT " proto=6 flags=0x1b pkts=5 octets=900 "
		   "exporter=r1");
}

static void
a_word_that_is_not_believed_is_told_where_there_is_one(void **state)
{
	static const struct feed_profile feed = { .no_claims = true };
	struct world *w = world_new(0);
	char *text;

	(void)state;
	engine_set_profile(w->engine, 0, &feed);
	text = trace_of(w, SERVER, claimed);
	if (strstr(text, "exporter says outer opened") == NULL ||
	    strstr(text, "exporter's word not believed") == NULL)
		fail_msg("not in\n%s", text);
	free(text);
	world_free(w);
	w = world_new(0);
	engine_set_profile(w->engine, 0, &feed);
	text = trace_of(w, SERVER, unanswered);
	assert_null(strstr(text, "not believed"));
	free(text);
	world_free(w);
}

static void
sampled_records(struct world *w)
{
	world_flow(w, 1000,
	    CLIENT ">" SERVER " proto=6 flags=0x02 pkts=1 octets=60 "
		   "exporter=r1 sampling=100");
	world_tick(w, 200000);
}

static void
sampling_that_the_configuration_denies_is_told(void **state)
{
	struct feed_override given = { .given = 1U << FEED_SAMPLING };
	struct world *w = world_new(0);
	char *text;

	(void)state;
	given.values[FEED_SAMPLING] = 1;
	engine_override_feed(w->engine, 0, &given);
	text = trace_of(w, SERVER, sampled_records);
	if (strstr(text, "not sampled by the configuration alone") == NULL)
		fail_msg("not in\n%s", text);
	free(text);
	world_free(w);
}

static void
every_fact_is_in_the_manual(void **state)
{
	static char manual[65536];
	FILE *file = fopen("docs/trace.md", "r");

	(void)state;
	assert_non_null(file);
	assert_true(fread(manual, 1, sizeof(manual) - 1, file) > 0);
	fclose(file);
	for (unsigned i = 0; trace_fact(i) != NULL; i++) {
		char row[128];

		snprintf(row, sizeof(row), "\n| `%s` |", trace_fact(i));
		if (strstr(manual, row) == NULL)
			fail_msg("docs/trace.md has no row for %s",
			    trace_fact(i));
	}
}

static void
trace_changes_no_finding(void **state)
{
	struct world *plain = world_new(0);
	struct world *traced = world_new(0);

	(void)state;
	life_of_an_exposure(plain);
	icmp_refusal(plain);
	free(trace_of(traced, "10.0.0.5", life_of_an_exposure));
	free(trace_of(traced, "10.0.0.5", icmp_refusal));
	world_drain(plain);
	world_drain(traced);
	assert_int_equal(plain->event_count, traced->event_count);
	assert_memory_equal(plain->events, traced->events,
	    sizeof(plain->events));
	assert_int_equal(plain->exposure_count, 2 + 1);
	assert_memory_equal(plain->exposures, traced->exposures,
	    sizeof(plain->exposures));
	world_free(plain);
	world_free(traced);
}

static void
filter_reads_what_the_manual_names(void **state)
{
	static const struct {
		const char *text;
		int port; /* -1: none */
		int proto;
	} right[] = {
		{ "192.0.2.20", -1, -1 },
		{ "192.0.2.20:22", 22, -1 },
		{ "192.0.2.20:22/tcp", 22, 6 },
		{ "192.0.2.20/icmp", -1, 1 },
		{ "2001:db8::1", -1, -1 },
		{ "[2001:db8::1]", -1, -1 },
		{ "[2001:db8::1]:53/udp", 53, 17 },
		{ "[2001:db8::1]:0/58", 0, 58 },
		{ "192.0.2.20:65535/132", 65535, 132 },
	};
	struct trace_filter f;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		assert_ok(trace_filter_parse(right[i].text, &f, &why));
		assert_int_equal(f.has_port, right[i].port >= 0);
		assert_int_equal(f.has_proto, right[i].proto >= 0);
		if (f.has_port)
			assert_int_equal(f.port, right[i].port);
		if (f.has_proto)
			assert_int_equal(f.proto, right[i].proto);
	}
}

static void
filter_refuses_what_is_no_endpoint(void **state)
{
	static const char *const wrong[] = { "", ":", "host:22",
		"192.0.2.20:", "192.0.2.20:x", "192.0.2.20:65536",
		"192.0.2.20:-1", "192.0.2.20: 22", "192.0.2.20/",
		"192.0.2.20/24x", "192.0.2.20:22/quic", "192.0.2.20/256",
		"[2001:db8::1", "[2001:db8::1]22", "192.0.2.0.1:22",
		"192.0.2.20:22:23" };
	char longest[512];
	struct trace_filter f;
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (trace_filter_parse(wrong[i], &f, &why) == ERR_OK)
			fail_msg("taken: '%s'", wrong[i]);
		assert_non_null(why);
	}
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(trace_filter_parse(longest, &f, &why), ERR_FORMAT);
}

static void
every_rule_has_a_reason(void **state)
{
	(void)state;
	for (unsigned rule = 0; rule < RULE_COUNT; rule++)
		if (rule_why(rule)[0] == '\0')
			fail_msg("exposure/why.c has no sentence for rule %s",
			    rule_name(rule));
	assert_string_equal(rule_why(RULE_COUNT), "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(record_tells_its_steps_in_order),
		TEST(half_open_scan_is_explained_line_by_line),
		TEST(silence_is_traced_from_waiting_to_forgotten),
		TEST(closing_and_reopening_are_traced),
		TEST(
		    icmp_errors_are_traced_where_they_come_and_where_they_match),
		TEST(each_property_of_a_feed_that_matters_is_told),
		TEST(a_word_that_is_not_believed_is_told_where_there_is_one),
		TEST(sampling_that_the_configuration_denies_is_told),
		TEST(every_fact_is_in_the_manual),
		TEST(trace_changes_no_finding),
		TEST(filter_reads_what_the_manual_names),
		TEST(filter_refuses_what_is_no_endpoint),
		TEST(every_rule_has_a_reason),
	};

	return RUN_TESTS(tests);
}
