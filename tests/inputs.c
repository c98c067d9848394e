/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes every export there is in the tests. */
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/capture.h"
#include "tests/cases.h"
#include "tests/inputs.h"
#include "tests/replay.h"
#include "tests/test.h"
#include "tests/world.h"

#define TOGETHER 1000

/* The one whose records are taken; nftw() has no argument for it. */
static struct inputs *loading;

static struct input *
begin(enum input_kind kind, const char *name)
{
	struct input *in = &loading->all[loading->count];

	assert_true(loading->count < INPUTS_MAX);
	memset(in, 0, sizeof(*in));
	in->kind = kind;
	snprintf(in->name, sizeof(in->name), "%s", name);
	in->flows = calloc(INPUT_RECORDS_MAX, sizeof(*in->flows));
	in->datagram = calloc(INPUT_RECORDS_MAX, sizeof(*in->datagram));
	assert_non_null(in->flows);
	assert_non_null(in->datagram);
	return in;
}

/* Keeps it when there is anything to judge in it. */
static void
end(struct input *in)
{
	if (in->count == 0) {
		free(in->flows);
		free(in->datagram);
		return;
	}
	in->flows = realloc(in->flows, in->count * sizeof(*in->flows));
	in->datagram = realloc(in->datagram, in->count * sizeof(*in->datagram));
	assert_non_null(in->flows);
	assert_non_null(in->datagram);
	loading->count++;
}

static void
add_batch(struct input *in, const struct flow_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		if (in->count == INPUT_RECORDS_MAX)
			return;
		in->datagram[in->count] = in->datagrams;
		in->flows[in->count++] = batch->records[i];
	}
	in->datagrams++;
}

/* --- captures ------------------------------------------------------------- */

struct reader {
	struct decoder *decoder;
	struct flow_batch batch;
	struct input *in;
};

static void
take_datagram(const struct datagram *d, void *arg)
{
	struct reader *r = arg;

	r->batch.count = 0;
	decoder_decode(r->decoder, d, &r->batch);
	add_batch(r->in, &r->batch);
}

static void
load_capture(const char *path, enum input_kind kind)
{
	struct decoder_config config = decoder_config_default();
	struct counters *counters = calloc(1, sizeof(*counters));
	struct reader *r = calloc(1, sizeof(*r));
	char message[CAPTURE_MESSAGE_MAX];
	int err;

	assert_non_null(counters);
	assert_non_null(r);
	config.accept_any = true;
	r->decoder = decoder_new(&config, counters);
	r->in = begin(kind, path);
	assert_non_null(r->decoder);
	err = capture_read(path, take_datagram, r, counters, message);
	/* others' captures may be cut, or be none */
	assert_true(err == ERR_OK || err == ERR_FORMAT);
	decoder_free(r->decoder);
	r->in->files++;
	end(r->in);
	free(r);
	free(counters);
}

static int
load_fixture(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	const char *suffix = strrchr(path, '.');

	(void)st;
	(void)where;
	if (type == FTW_F && suffix != NULL &&
	    (strcmp(suffix, ".pcap") == 0 || strcmp(suffix, ".pcapng") == 0))
		load_capture(path, INPUT_CAPTURE);
	return 0;
}

/* --- corpora -------------------------------------------------------------- */

static void
take_replay(struct replay *r, void *arg)
{
	add_batch(arg, &r->batch);
}

static void
take_sequence(struct input *in, const char *path)
{
	struct decoder_config config = decoder_config_default();
	struct replay *r = calloc(1, sizeof(*r));
	FILE *file = fopen(path, "rb");
	uint8_t *octets;
	size_t length;

	assert_non_null(r);
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	length = (size_t)ftell(file);
	rewind(file);
	octets = malloc(length + 1);
	assert_non_null(octets);
	assert_int_equal(fread(octets, 1, length, file), length);
	fclose(file);
	config.accept_any = true;
	replay_start(r, &config);
	replay_octets(r, octets, length, REPLAY_AS_SENT, take_replay, in);
	replay_end(r);
	free(octets);
	free(r);
	in->files++;
}

/* As many of these files together as make a thousand records. */
static void
load_sequences(const char *pattern)
{
	struct input *in = NULL;
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (in == NULL)
			in = begin(INPUT_CORPUS, found.gl_pathv[i]);
		take_sequence(in, found.gl_pathv[i]);
		if (in->count < TOGETHER && i + 1 < found.gl_pathc)
			continue;
		end(in);
		in = NULL;
	}
	globfree(&found);
}

static void
load_captures(const char *pattern, enum input_kind kind, bool lab)
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int before = loading->count;

		load_capture(found.gl_pathv[i], kind);
		if (loading->count > before)
			loading->all[before].lab = lab;
	}
	globfree(&found);
}

/* --- cases ---------------------------------------------------------------- */

/* A network of its own for each case. */
static void
move(struct addr *a, int number)
{
	uint8_t *at = &a->octets[addr_is_v4(a) ? 13 : 8];

	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

int
inputs_case_of(const struct addr *a)
{
	const uint8_t *at = &a->octets[addr_is_v4(a) ? 13 : 8];

	return at[0] << 8 | at[1];
}

/* Each record is a datagram of its own: any may get lost. */
static void
add_case(struct input *in, const struct inference_case *c)
{
	for (int r = 0; r < c->record_count; r++) {
		struct flow_record *f = &in->flows[in->count];

		assert_true(in->count < INPUT_RECORDS_MAX);
		*f = c->records[r];
		move(&f->src, c->number);
		move(&f->dst, c->number);
		f->exporter += 2 * (uint32_t)c->number;
		assert_true(f->exporter < INPUT_EXPORTERS);
		in->datagram[in->count++] = in->datagrams++;
	}
	in->files++;
}

/*
 * A 5-tuple is used again within seconds of its close, or the answer to its
 * second use may come before that use's SYN. To which of two attempts a record
 * belongs is then told by what came before it: a conversation is a sum, which
 * nothing that comes later takes apart. What that may change, and what not:
 * order_does_not_matter() in test_properties.c.
 */
static bool
is_reuse(const struct inference_case *c)
{
	return strstr(c->context, "reuse") != NULL;
}

static void
load_cases(void)
{
	struct inference_case *cases = calloc(CASES_MAX, sizeof(*cases));
	int count;

	assert_non_null(cases);
	count = cases_load("tests/cases/inference-cases.tsv", cases, 0);
	count = cases_load("tests/cases/further-cases.tsv", cases, count);
	assert_true(count > 0);
	for (int reuse = 0; reuse < 2; reuse++) {
		struct input *in = begin(reuse ? INPUT_REUSE : INPUT_CASES,
		    reuse ? "cases of reuse" : "cases");

		for (int i = 0; i < count; i++)
			if (is_reuse(&cases[i]) == (reuse != 0))
				add_case(in, &cases[i]);
		end(in);
	}
	free(cases);
}

struct inputs *
inputs_load(void)
{
	const char *fixtures = getenv("DARKPORT_FIXTURES");

	loading = calloc(1, sizeof(*loading));
	assert_non_null(loading);
	load_captures("tests/fixtures/*.pcap", INPUT_CAPTURE, true);
	load_captures("tests/corpus/capture/*", INPUT_CORPUS, false);
	load_sequences("tests/corpus/decoder/*");
	load_sequences("tests/corpus/ipfix/*");
	load_sequences("tests/corpus/netflow5/*");
	load_sequences("tests/corpus/netflow9/*");
	load_sequences("tests/hostile/*.bin");
	load_cases();
	if (fixtures != NULL && fixtures[0] != '\0')
		assert_int_equal(nftw(fixtures, load_fixture, 16, FTW_PHYS), 0);
	return loading;
}

void
inputs_free(struct inputs *in)
{
	if (in == NULL)
		return;
	for (int i = 0; i < in->count; i++) {
		free(in->all[i].flows);
		free(in->all[i].datagram);
	}
	free(in);
}

struct engine_config
inputs_config(void)
{
	static const char *const inside[] = { "192.0.2.0/24", "2001:db8:1::/64",
		"2001:db8:a::/48", "10.0.0.0/8", "172.16.0.0/12",
		"192.168.0.0/16", "fc00::/7", "0.0.0.0/1" };
	struct engine_config config = world_config(0);
	struct network network;

	config.internal.count = 0;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		assert_ok(network_parse(inside[i], &network));
		assert_ok(prefix_set_add(&config.internal, &network));
	}
	return config;
}
