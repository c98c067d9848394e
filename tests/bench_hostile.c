/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worst datagram: CPU time of each of the hostile corpus, and of those a
 * search comes upon (attacks.h): kinds, sizes, what came before, and whether
 * the processor's caches are warm.
 *
 *	bench_hostile [ROUNDS [TRIES [SEED]]]
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
#include <sys/mman.h>
#include <time.h>

#include "common/wire.h"
#include "tests/attacks.h"
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
#define NAME_OCTETS	256
#define HEAP_OCTETS	(256 << 20)
#define OTHER_OCTETS	(4 << 20) /* more than a core's second cache */
#define SEARCH_ROUNDS	3
#define KEPT		8    /* of a search: a power of two */
#define TRIES		1000 /* of each kind and size */
#define SOUND		32   /* datagrams before the hostile ones, */
#define SOUND_RECORDS	300  /* with as many flows as a frame can bring */
#define QUIET_TRIES	40   /* waits for a moment without other programs, */
#define QUIET_WAIT_NS	25000000
#define LIFETIME_MS	(INT64_C(1800) * 1000) /* of templates */

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
static int tries = TRIES;
static int64_t lifetime_ms = LIFETIME_MS;

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
	snprintf(w->name, sizeof(w->name), "%.230s, datagram %d", name,
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
		for (uint16_t k = 0; k < SOUND_RECORDS; k++)
			build_usual_record(&b, "192.0.2.1", k, "192.0.2.2", 80,
			    0x1b, 5);
		build_done(&b);
		replay_one(&replay, b.octets, b.length, REPLAY_AS_SENT);
	}
}

/* Puts other things into the processor's own caches. */
static void
cool_down(void)
{
	static uint8_t other[OTHER_OCTETS];

	for (size_t i = 0; i < sizeof(other); i += 64)
		other[i]++;
}

static int
time_round(struct wire input, int round, bool is_cold)
{
	struct decoder_config config = decoder_config_default();
	int datagrams = 0;

	config.accept_any = true;
	config.template_lifetime_ms = lifetime_ms;
	replay_start(&replay, &config);
	decode_sound_ones();
	while (wire_left(&input) >= sizeof(uint16_t) &&
	       datagrams < DATAGRAMS_MAX) {
		size_t size = wire_u16(&input);
		const uint8_t *at = wire_take(&input, size);
		int64_t start;

		if (at == NULL)
			break;
		if (is_cold)
			cool_down();
		start = cpu_ns();
		replay_one(&replay, at, size, REPLAY_AS_SENT);
		times[datagrams][round] = cpu_ns() - start;
		sizes[datagrams++] = size;
	}
	replay_end(&replay);
	return datagrams;
}

static int
time_rounds(const uint8_t *sequence, size_t length, int times_each,
    bool is_cold)
{
	int datagrams = 0;

	for (int round = 0; round < times_each; round++)
		datagrams =
		    time_round(wire_over(sequence, length), round, is_cold);
	return datagrams;
}

static int64_t
least_ns(int datagram, int times_each)
{
	int64_t least = times[datagram][0];

	for (int round = 1; round < times_each; round++)
		if (times[datagram][round] < least)
			least = times[datagram][round];
	return least;
}

static int64_t
target_ns(size_t size)
{
	return size <= SMALL_OCTETS ? TARGET_SMALL_NS : TARGET_NS;
}

/*
 * Notes what the datagrams cost, where one is the worst so far. When that is
 * too much, measures again, in the hope that other programs are quiet.
 */
static void
time_sequence(const char *name, const uint8_t *sequence, size_t length,
    bool is_cold)
{
	static int64_t least[DATAGRAMS_MAX];
	bool is_slow = true;
	int datagrams = 0;

	for (int i = 0; is_slow && i < QUIET_TRIES; i++) {
		if (i > 0)
			(void)nanosleep(&(struct timespec){ .tv_nsec =
								QUIET_WAIT_NS },
			    NULL);
		datagrams = time_rounds(sequence, length, rounds, is_cold);
		is_slow = false;
		for (int d = 0; d < datagrams; d++) {
			int64_t ns = least_ns(d, rounds);

			if (i == 0 || ns < least[d])
				least[d] = ns;
			is_slow = is_slow || least[d] > target_ns(sizes[d]);
		}
	}
	for (int d = 0; d < datagrams; d++) {
		note(&worst_any, least[d], sizes[d], name, d + 1);
		if (sizes[d] <= SMALL_OCTETS)
			note(&worst_small, least[d], sizes[d], name, d + 1);
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
		time_sequence(entries[i]->d_name, octets, length, false);
		free(entries[i]);
	}
	free(entries);
	return count;
}

/* --- the search --- */

struct found {
	struct attack attack;
	double score; /* the worst datagram's time, as a share of its target */
};

static double
score(const struct attack *a, int times_each)
{
	double worst = 0;
	size_t length = attack_build(a, octets);
	int datagrams = time_rounds(octets, length, times_each, a->is_cold);

	for (int i = 0; i < datagrams; i++) {
		int64_t target =
		    sizes[i] <= SMALL_OCTETS ? TARGET_SMALL_NS : TARGET_NS;
		double share = (double)least_ns(i, times_each) / (double)target;

		if (share > worst)
			worst = share;
	}
	return worst;
}

/* Keeps it if it is worse than the least of those kept. */
static void
keep(struct found found[KEPT], const struct attack *a)
{
	struct found *least = &found[0];
	double s = score(a, SEARCH_ROUNDS);

	for (int i = 1; i < KEPT; i++)
		if (found[i].score < least->score)
			least = &found[i];
	if (s > least->score)
		*least = (struct found){ *a, s };
}

/*
 * Tries at random, and changes the worst at random, each kind and size for
 * itself; then measures the worst again, as often as the corpus.
 */
static void
search(enum attack_kind kind, bool is_large, uint64_t *state)
{
	struct found found[KEPT] = { 0 };
	char name[NAME_OCTETS];

	for (int i = 0; i < tries; i++) {
		const struct found *one =
		    &found[attack_random(state) >> 32 & (KEPT - 1)];
		struct attack a = i < tries / 2 || one->score == 0
				      ? attack_any(state)
				      : attack_vary(&one->attack, state);

		a.kind = kind;
		if (is_large)
			a.octets =
			    a.octets > SMALL_OCTETS ? a.octets : ATTACK_LARGE;
		else if (a.octets > SMALL_OCTETS)
			a.octets = SMALL_OCTETS;
		keep(found, &a);
	}
	for (int i = 0; i < KEPT; i++) {
		size_t length = attack_build(&found[i].attack, octets);

		attack_describe(&found[i].attack, name, sizeof(name));
		time_sequence(name, octets, length, found[i].attack.is_cold);
	}
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
print_both(void)
{
	bool any;
	bool small;

	any = print_worst("  of any size", &worst_any, TARGET_NS);
	small =
	    print_worst("  up to 1500 octets", &worst_small, TARGET_SMALL_NS);
	memset(&worst_any, 0, sizeof(worst_any));
	memset(&worst_small, 0, sizeof(worst_small));
	return any && small;
}

/*
 * Touches a heap that is then kept, and has all other memory there from the
 * start, where the process may lock so much: else a new exporter's page costs
 * up to 4 us more.
 */
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
	(void)mlockall(MCL_CURRENT | MCL_FUTURE);
	memset(&replay.batch, 0, sizeof(replay.batch));
}

int
main(int argc, char **argv)
{
	uint64_t state = 1;
	bool good;

	if (argc > 1)
		rounds = (int)strtol(argv[1], NULL, 10);
	if (argc > 2)
		tries = (int)strtol(argv[2], NULL, 10);
	if (argc > 3)
		state = strtoull(argv[3], NULL, 10);
	if (rounds < 1 || rounds > ROUNDS_MAX || tries < 2 || state == 0) {
		fprintf(stderr, "usage: %s [ROUNDS, 1..%d [TRIES [SEED]]]\n",
		    argv[0], ROUNDS_MAX);
		return 2;
	}
	warm_up();
	printf("sequences of the hostile corpus: %d\n", time_corpus());
	good = print_both();
	lifetime_ms = ATTACK_LIFETIME_MS;
	for (unsigned i = 0; i < 2U * ATTACK_KINDS; i++) {
		enum attack_kind kind = (enum attack_kind)(i / 2);

		printf("%s, up to %d octets: %d tried, seed %llu\n",
		    attack_kind_name(kind),
		    i % 2 != 0 ? LARGE_OCTETS : SMALL_OCTETS, tries,
		    (unsigned long long)state);
		search(kind, i % 2 != 0, &state);
		good = print_both() && good;
	}
	return good ? 0 : 1;
}
