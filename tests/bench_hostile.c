/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worst datagram: CPU time of each of the hostile corpus, and of a search
 * over what costs most, definitions of templates.
 *
 *	bench_hostile [ROUNDS]
 *
 * A sequence is decoded ROUNDS times (9), each time by a new decoder that has
 * read some sound datagrams before. What a datagram cost, its copy included,
 * is the least of its rounds: all that adds to it is other programs' doing.
 * Memory comes from a heap that has been used before: first touches of pages
 * are the system's cost, not the datagram's. Targets: 1 ms for any datagram,
 * 10 us up to 1500 octets. Exit code 1 when one is missed.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/wire.h"
#include "tests/datagrams.h"
#include "tests/replay.h"

#define FOLDER		"tests/hostile"
#define SUFFIX		".bin"
#define OCTETS_MAX	(8 << 20)
#define DATAGRAMS_MAX	8192
#define ROUNDS_MAX	101
#define ROUNDS		9
#define TARGET_NS	1000000
#define TARGET_SMALL_NS 10000
#define SMALL_OCTETS	1500
#define LARGE_OCTETS	65507
#define NS_PER_S	INT64_C(1000000000)
#define NAME_OCTETS	128
#define HEAP_OCTETS	(256 << 20)
#define FIELDS_MAX	128
#define SOUND		32 /* datagrams before the hostile ones */

struct worst {
	int64_t ns;
	size_t octets;
	char name[NAME_OCTETS];
};

static struct worst worst_any, worst_small;
static struct replay replay;
static uint8_t octets[OCTETS_MAX];
static int64_t times[DATAGRAMS_MAX][ROUNDS_MAX];
static size_t sizes[DATAGRAMS_MAX];
static int rounds = ROUNDS;

static int64_t
cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
note(struct worst *w, int64_t ns, size_t size, const char *name, int datagram)
{
	if (ns <= w->ns)
		return;
	w->ns = ns;
	w->octets = size;
	snprintf(w->name, sizeof(w->name), "%.100s, datagram %d", name,
	    datagram);
}

static void
decode_sound_ones(void)
{
	static struct build b;

	for (uint32_t i = 0; i < SOUND; i++) {
		build_netflow9(&b, 4711, i);
		build_template(&b, 256, build_usual_fields, 10);
		build_set(&b, 256);
		build_usual_record(&b, "192.0.2.1", 40000, "192.0.2.2", 80,
		    0x1b, 5);
		build_done(&b);
		replay_one(&replay, b.octets, b.length, REPLAY_AS_SENT);
	}
}

static int
time_round(struct wire input, int round)
{
	struct decoder_config config = decoder_config_default();
	int datagrams = 0;

	config.accept_any = true;
	replay_start(&replay, &config);
	decode_sound_ones();
	while (wire_left(&input) >= sizeof(uint16_t) &&
	       datagrams < DATAGRAMS_MAX) {
		size_t size = wire_u16(&input);
		const uint8_t *at = wire_take(&input, size);
		int64_t start;

		if (at == NULL)
			break;
		start = cpu_ns();
		replay_one(&replay, at, size, REPLAY_AS_SENT);
		times[datagrams][round] = cpu_ns() - start;
		sizes[datagrams++] = size;
	}
	replay_end(&replay);
	return datagrams;
}

/* Notes what the datagrams cost, where one is the worst so far. */
static void
time_sequence(const char *name, const uint8_t *sequence, size_t length)
{
	int datagrams = 0;

	for (int round = 0; round < rounds; round++)
		datagrams = time_round(wire_over(sequence, length), round);
	for (int i = 0; i < datagrams; i++) {
		int64_t least = times[i][0];

		for (int round = 1; round < rounds; round++)
			if (times[i][round] < least)
				least = times[i][round];
		note(&worst_any, least, sizes[i], name, i + 1);
		if (sizes[i] <= SMALL_OCTETS)
			note(&worst_small, least, sizes[i], name, i + 1);
	}
}

/* --- the corpus --- */

static int
is_sequence(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return suffix != NULL && strcmp(suffix, SUFFIX) == 0;
}

static int
time_corpus(void)
{
	struct dirent **entries;
	int count = scandir(FOLDER, &entries, is_sequence, alphasort);

	for (int i = 0; i < count; i++) {
		char path[sizeof(FOLDER) + NAME_OCTETS];
		size_t length;
		FILE *file;

		snprintf(path, sizeof(path), "%s/%.100s", FOLDER,
		    entries[i]->d_name);
		file = fopen(path, "rb");
		if (file == NULL) {
			perror(path);
			exit(1);
		}
		length = fread(octets, 1, sizeof(octets), file);
		(void)fclose(file);
		time_sequence(entries[i]->d_name, octets, length);
		free(entries[i]);
	}
	free(entries);
	return count;
}

/* --- the search: definitions --- */

enum filling { KNOWN, UNKNOWN, ENTERPRISE, VARIABLE, LIST, FILLINGS };

static const char *const filling_names[FILLINGS] = { "known", "unknown",
	"enterprise", "variable", "list" };

/* A field of a kind; n makes neighbours differ. */
static struct build_field
field(enum filling filling, unsigned n)
{
	static const struct build_field known[] = { { 7, 2, 0 }, { 11, 2, 0 },
		{ 1, 8, 0 }, { 2, 8, 0 }, { 6, 2, 0 }, { 152, 8, 0 },
		{ 153, 8, 0 }, { 10, 4, 0 }, { 14, 4, 0 }, { 136, 1, 0 },
		{ 239, 1, 0 }, { 15, 1, 6871 }, { 1, 8, 29305 },
		{ 2, 8, 29305 }, { 6, 2, 29305 }, { 16399, 1, 6871 } };

	switch (filling) {
	case KNOWN:
		return known[n % FIELDS(known)];
	case ENTERPRISE:
		return (struct build_field){ (uint16_t)(1 + n % 32000), 1,
			1000 + n };
	case VARIABLE:
		return (struct build_field){ 371, 65535, 0 };
	case LIST:
		return (struct build_field){ 293, 65535, 0 };
	case UNKNOWN:
	case FILLINGS:
	default:
		return (
		    struct build_field){ (uint16_t)(400 + n % 32000), 1, 0 };
	}
}

struct attack {
	enum filling filling;
	size_t fields;	  /* in a template, with addresses and protocol */
	bool is_variable; /* its last field */
	bool one_id;	  /* all define the same id, each time otherwise */
	bool has_data;	  /* a set of one record's octets behind each */
	size_t octets;
};

/* As many definitions as fit; each differs from the one before. */
static void
build_attack(struct build *b, const struct attack *a)
{
	struct build_field fields[FIELDS_MAX] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 } };
	size_t room = 4 + 4 + a->fields * 8 + (a->has_data ? 4 + 9 + 1024 : 0);

	build_ipfix(b, 0, 0);
	for (unsigned n = 0; b->length + room <= a->octets; n++) {
		uint16_t id = (uint16_t)(256 + (a->one_id ? 0 : n % 60000));

		for (size_t i = 3; i < a->fields; i++)
			fields[i] = field(a->filling, n + (unsigned)i);
		if (a->is_variable)
			fields[a->fields - 1] = field(VARIABLE, n);
		build_template(b, id, fields, a->fields);
		if (a->has_data) {
			build_set(b, id);
			build_u32(b, 0x0a000001);
			build_u32(b, 0x0a000002);
			build_u8(b, 6);
			build_zeros(b, 1024);
		}
	}
	build_done(b);
}

static void
time_attack(const struct attack *a)
{
	static struct build b;
	char name[NAME_OCTETS];

	build_attack(&b, a);
	snprintf(name, sizeof(name), "definitions of %zu %s fields%s%s%s",
	    a->fields, filling_names[a->filling],
	    a->is_variable ? ", the last variable" : "",
	    a->one_id ? ", one id" : "", a->has_data ? ", with data" : "");
	wire_put_u16(octets, (uint16_t)b.length);
	memcpy(octets + 2, b.octets, b.length);
	time_sequence(name, octets, b.length + 2);
}

static int
search(void)
{
	static const size_t field_counts[] = { 4, 5, 8, 16, 32, 64, 128 };
	int tried = 0;

	for (unsigned i = 0; i < FILLINGS * FIELDS(field_counts) * 16; i++) {
		const struct attack a = { (enum filling)(i % FILLINGS),
			field_counts[i / FILLINGS % FIELDS(field_counts)],
			(i / (FILLINGS * FIELDS(field_counts)) & 1) != 0,
			(i / (FILLINGS * FIELDS(field_counts)) & 2) != 0,
			(i / (FILLINGS * FIELDS(field_counts)) & 4) != 0,
			(i / (FILLINGS * FIELDS(field_counts)) & 8) != 0
			    ? LARGE_OCTETS
			    : SMALL_OCTETS };

		time_attack(&a);
		tried++;
	}
	return tried;
}

/* --- */

static bool
print_worst(const char *what, const struct worst *w, int64_t target_ns)
{
	bool good = w->ns <= target_ns;

	printf("%-22s %9.1f us (target %lld us%s): %zu octets, %s\n", what,
	    (double)w->ns / 1000, (long long)target_ns / 1000,
	    good ? "" : ", MISSED", w->octets, w->name);
	return good;
}

static bool
print_both(const char *heading, int count)
{
	bool any;
	bool small;

	printf("%s: %d\n", heading, count);
	any = print_worst("  of any size", &worst_any, TARGET_NS);
	small =
	    print_worst("  up to 1500 octets", &worst_small, TARGET_SMALL_NS);
	memset(&worst_any, 0, sizeof(worst_any));
	memset(&worst_small, 0, sizeof(worst_small));
	return any && small;
}

/* Touches a heap that is then kept. */
static void
warm_up(void)
{
	void *heap;

	(void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	heap = malloc(HEAP_OCTETS);
	if (heap == NULL)
		abort();
	memset(heap, 1, HEAP_OCTETS);
	free(heap);
	memset(&replay.batch, 0, sizeof(replay.batch));
}

int
main(int argc, char **argv)
{
	bool good;

	if (argc > 1)
		rounds = (int)strtol(argv[1], NULL, 10);
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: %s [ROUNDS, 1..%d]\n", argv[0],
		    ROUNDS_MAX);
		return 2;
	}
	warm_up();
	good = print_both("sequences of the hostile corpus", time_corpus());
	good = print_both("definitions searched", search()) && good;
	return good ? 0 : 1;
}
