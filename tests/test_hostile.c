/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile corpus: every case of tests/hostile/ is a test of its own. Its
 * sequence is decoded, each datagram from a copy of its exact size, and the
 * records go through an engine with small tables. Every counter must be what
 * the case's .expect file says, and those it does not name must be 0.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replay.h"
#include "tests/test.h"

#include "exposure/engine.h"

#define FOLDER	     "tests/hostile"
#define CASES_MAX    999
#define CASES_MIN    200 /* fewer: the corpus is not there */
#define PATH_OCTETS  256
#define SAYS_MAX     128
#define OCTETS_MAX   (8 << 20)
#define TABLE	     64
#define FINDINGS_MAX 4096
#define SUFFIX	     ".expect"
#define INSIDE	     "10.0.0.0/8"

struct hostile {
	char path[PATH_OCTETS]; /* without the suffix */
	char name[PATH_OCTETS + SAYS_MAX];
	uint64_t flow_records;
	uint64_t counters[COUNTER_COUNT];
};

/* One at a time: both are large. */
static struct replay replay;
static uint8_t octets[OCTETS_MAX];

struct judging {
	struct counters counters;
	struct engine *engine;
	struct finding_batch *findings;
};

/* --- the cases --- */

static void
set_expected(struct hostile *h, const char *name, uint64_t value)
{
	if (strcmp(name, "flow_records") == 0) {
		h->flow_records = value;
		return;
	}
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		if (strcmp(name, counter_name((enum counter)i)) == 0) {
			h->counters[i] = value;
			return;
		}
	fprintf(stderr, "%s%s: no counter is called %s\n", h->path, SUFFIX,
	    name);
	abort();
}

/* "name value" */
static void
read_expected(struct hostile *h, char *line)
{
	char *space = strchr(line, ' ');
	char *end = NULL;
	uint64_t value;

	if (space == NULL)
		abort();
	*space = '\0';
	value = strtoull(space + 1, &end, 10);
	if (end == space + 1 || *end != '\0')
		abort();
	set_expected(h, line, value);
}

/* "# sentence", then "name value", a line each. */
static void
read_case(struct hostile *h, const char *file)
{
	char path[PATH_OCTETS + sizeof(SUFFIX)];
	char line[PATH_OCTETS];
	FILE *in;

	snprintf(h->path, sizeof(h->path), "%s/%.*s", FOLDER,
	    (int)(strlen(file) - strlen(SUFFIX)), file);
	snprintf(path, sizeof(path), "%s%s", h->path, SUFFIX);
	in = fopen(path, "r");
	if (in == NULL) {
		perror(path);
		abort();
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			snprintf(h->name, sizeof(h->name), "%.*s: %.*s",
			    PATH_OCTETS - 1, h->path + sizeof(FOLDER),
			    SAYS_MAX - 4, line + 2);
		else
			read_expected(h, line);
	}
	fclose(in);
}

static size_t
read_octets(const struct hostile *h)
{
	char path[PATH_OCTETS + 4];
	size_t length;
	FILE *in;

	snprintf(path, sizeof(path), "%s.bin", h->path);
	in = fopen(path, "rb");
	assert_non_null(in);
	length = fread(octets, 1, sizeof(octets), in);
	assert_true(length < sizeof(octets));
	fclose(in);
	return length;
}

/* --- the engine behind the decoder --- */

static void
judging_start(struct judging *j)
{
	struct engine_config config = engine_config_default();
	struct network inside;

	assert_ok(network_parse(INSIDE, &inside));
	assert_ok(prefix_set_add(&config.internal, &inside));
	config.max_pairs = TABLE;
	config.max_sources = TABLE;
	config.max_hosts = TABLE;
	config.max_exposures = TABLE;
	config.max_events = 2 * FLOW_BATCH_MAX;
	memset(&j->counters, 0, sizeof(j->counters));
	j->engine = engine_new(&config, &j->counters);
	j->findings = finding_batch_new(FINDINGS_MAX);
	assert_non_null(j->engine);
	assert_non_null(j->findings);
}

static void
collect(struct judging *j)
{
	do
		j->findings->count = 0;
	while (engine_collect(j->engine, j->findings));
}

/* Called after each datagram. */
static void
judge(struct replay *r, void *arg)
{
	struct judging *j = arg;

	assert_true(r->batch.count <= FLOW_DATAGRAM_MAX);
	engine_take(j->engine, &r->batch);
	collect(j);
}

static void
judging_end(struct judging *j)
{
	while (engine_drain(j->engine))
		collect(j);
	collect(j);
	engine_free(j->engine);
	free(j->findings);
}

/* --- the tests --- */

static void
expect_counters(const struct hostile *h)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		uint64_t counted =
		    counter_get(&replay.counters, (enum counter)i);

		if (counted == h->counters[i])
			continue;
		fprintf(stderr, "# %s is %llu, not %llu\n",
		    counter_name((enum counter)i), (unsigned long long)counted,
		    (unsigned long long)h->counters[i]);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
is_survived(void **state)
{
	const struct hostile *h = *state;
	struct decoder_config config = decoder_config_default();
	size_t length = read_octets(h);
	struct judging judging;
	const char *lie;

	config.accept_any = true;
	replay_start(&replay, &config);
	judging_start(&judging);
	replay_octets(&replay, octets, length, REPLAY_AS_SENT, judge, &judging);
	judging_end(&judging);
	lie = replay_lie(&replay);
	replay_end(&replay);
	if (lie != NULL)
		fail_msg("%s", lie);
	expect_counters(h);
	assert_int_equal(replay.records, h->flow_records);
}

static int
is_case(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(SUFFIX) && length < PATH_OCTETS / 2 &&
	       strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

int
main(void)
{
	static struct hostile cases[CASES_MAX];
	static struct CMUnitTest tests[CASES_MAX];
	struct dirent **entries;
	int count = scandir(FOLDER, &entries, is_case, alphasort);

	if (count < CASES_MIN || count > CASES_MAX) {
		fprintf(stderr, "%s: %d cases\n", FOLDER, count);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		read_case(&cases[i], entries[i]->d_name);
		free(entries[i]);
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
			.test_func = is_survived,
			.initial_state = &cases[i] };
	}
	free(entries);
	return _cmocka_run_group_tests("hostile", tests, (size_t)count, NULL,
	    NULL);
}
