/* SPDX-License-Identifier: Apache-2.0 */
/* The index, against an array: few hashes, so that chunks overflow. */
#include "common/index.h"
#include "tests/test.h"

#define SLOTS 200

/* The keys are slot numbers; who has which hash is up to the test. */
static bool
is_slot(const void *owner, uint32_t slot, const void *key)
{
	(void)owner;
	return slot == *(const uint32_t *)key;
}

static uint32_t
find(const struct index *ix, uint64_t hash, uint32_t slot)
{
	return index_find(ix, hash, is_slot, NULL, &slot);
}

static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static void
index_behaves_as_an_array_however_hashes_collide(void **state)
{
	/* so many different hashes: all in one chunk with one tag, few, many */
	static const uint32_t spreads[] = { 1, 3, 50, SLOTS };

	(void)state;
	for (size_t s = 0; s < sizeof(spreads) / sizeof(spreads[0]); s++) {
		struct index ix = { 0 };
		uint64_t hash[SLOTS];
		bool in[SLOTS] = { false };
		uint64_t seed = s;

		assert_true(index_init(&ix, SLOTS));
		for (uint32_t i = 0; i < SLOTS; i++)
			hash[i] = (uint64_t)(i % spreads[s]) *
				  UINT64_C(0x9e3779b97f4a7c15);
		for (int step = 0; step < 20000; step++) {
			uint32_t slot = next_random(&seed) % SLOTS;

			assert_int_equal(find(&ix, hash[slot], slot),
			    in[slot] ? slot : INDEX_NONE);
			if (in[slot])
				index_remove(&ix, hash[slot], slot);
			else
				index_insert(&ix, hash[slot], slot);
			in[slot] = !in[slot];
		}
		for (uint32_t i = 0; i < SLOTS; i++)
			assert_int_equal(find(&ix, hash[i], i),
			    in[i] ? i : INDEX_NONE);
		index_free(&ix);
	}
}

static void
index_leaves_no_trace_of_what_was_removed(void **state)
{
	struct index ix = { 0 };

	(void)state;
	assert_true(index_init(&ix, SLOTS));
	for (uint32_t i = 0; i < SLOTS; i++)
		index_insert(&ix, 0, i);
	for (uint32_t i = 0; i < SLOTS; i++)
		index_remove(&ix, 0, i);
	for (uint32_t c = 0; c < ix.count; c++) {
		assert_int_equal(ix.chunks[c].passed, 0);
		for (int p = 0; p < INDEX_PLACES; p++)
			assert_int_equal(ix.chunks[c].tags[p], 0);
	}
	index_free(&ix);
}

/* How many chunks a look-up reads for a key that is not there. */
static uint32_t
chunks_read(const struct index *ix, uint64_t hash)
{
	uint32_t at = index_home(ix, hash);
	uint32_t read = 1;

	while (ix->chunks[at].passed != 0 && read < ix->count) {
		at = index_next(ix, at, hash);
		read++;
	}
	return read;
}

static void
full_index_reads_a_line_and_a_half_for_an_absent_key(void **state)
{
	enum { ENTRIES = 20000 };
	static uint64_t hashes[ENTRIES];
	struct index ix = { 0 };
	uint64_t seed = 1;
	uint64_t read = 0;

	(void)state;
	assert_true(index_init(&ix, ENTRIES));
	/* each place changes hands twenty times */
	for (uint32_t i = 0; i < 20 * ENTRIES; i++) {
		uint32_t slot = i % ENTRIES;

		if (i >= ENTRIES)
			index_remove(&ix, hashes[slot], slot);
		hashes[slot] = (uint64_t)next_random(&seed) << 33 |
			       next_random(&seed) << 1;
		index_insert(&ix, hashes[slot], slot);
	}
	for (uint32_t i = 0; i < ENTRIES; i++)
		read += chunks_read(&ix, (uint64_t)next_random(&seed) << 33 |
					     next_random(&seed) << 1);
	assert_in_range(read, ENTRIES, ENTRIES * 16 / 10);
	index_free(&ix);
}

static void
index_guesses_a_slot_that_is_there(void **state)
{
	struct index ix = { 0 };

	(void)state;
	assert_true(index_init(&ix, SLOTS));
	assert_int_equal(index_guess(&ix, 77), INDEX_NONE);
	index_insert(&ix, 77, 5);
	index_prefetch(&ix, 77);
	assert_int_equal(index_guess(&ix, 77), 5);
	index_free(&ix);
}

static void
index_takes_at_most_an_eighth_of_a_line_an_entry(void **state)
{
	(void)state;
	assert_true(index_bytes(1000000) <= 8 * 1000000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(index_behaves_as_an_array_however_hashes_collide),
		TEST(index_leaves_no_trace_of_what_was_removed),
		TEST(full_index_reads_a_line_and_a_half_for_an_absent_key),
		TEST(index_guesses_a_slot_that_is_there),
		TEST(index_takes_at_most_an_eighth_of_a_line_an_entry),
	};

	return RUN_TESTS(tests);
}
