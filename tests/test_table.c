/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded table, against a simple model of itself. */
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

#include "common/table.h"

#define MODEL_KEYS 500

static const struct hash_key hash_key = { { 1, 2, 3 } };

static struct table *
new_table(uint32_t max)
{
	struct table *t =
	    table_new(max, sizeof(uint32_t), sizeof(uint64_t), &hash_key);

	assert_non_null(t);
	return t;
}

static void
table_finds_what_was_inserted(void **state)
{
	struct table *t = new_table(10);
	uint32_t key = 7;
	uint64_t *value;

	(void)state;
	assert_null(table_find(t, &key));
	value = table_insert(t, &key);
	assert_non_null(value);
	assert_int_equal(*value, 0);
	*value = 77;
	assert_ptr_equal(table_find(t, &key), value);
	assert_int_equal(*(const uint32_t *)table_key(t, value), 7);
	assert_ptr_equal(table_at(t, table_slot(t, value)), value);
	assert_int_equal(table_count(t), 1);
	assert_int_equal(table_max(t), 10);
	table_remove(t, value);
	assert_null(table_find(t, &key));
	assert_int_equal(table_count(t), 0);
	table_free(t);
}

static void
table_refuses_what_is_too_much(void **state)
{
	struct table *t = new_table(3);
	uint64_t *first = NULL;

	(void)state;
	for (uint32_t key = 0; key < 5; key++) {
		uint64_t *value = table_insert(t, &key);

		assert_int_equal(value != NULL, key < 3);
		if (key == 0)
			first = value;
	}
	table_remove(t, first);
	assert_non_null(table_insert(t, &(uint32_t){ 9 }));
	assert_null(table_insert(t, &(uint32_t){ 10 }));
	table_free(t);
}

static void
table_gives_zeroed_and_aligned_values(void **state)
{
	struct table *t = table_new(4, 5, 24, &hash_key);
	uint8_t key[5] = { 1, 2, 3, 4, 5 };

	(void)state;
	assert_non_null(t);
	for (int round = 0; round < 10; round++) {
		uint8_t *value = table_insert(t, key);

		assert_non_null(value);
		assert_int_equal((uintptr_t)value % 8, 0);
		for (int i = 0; i < 24; i++)
			assert_int_equal(value[i], 0);
		memset(value, 0xff, 24);
		table_remove(t, value);
		key[0]++;
	}
	table_free(t);
}

/* A small generator of its own: the same numbers everywhere. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static void
table_behaves_as_its_model(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 7, 64, 300, MODEL_KEYS };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct table *t = new_table(sizes[s]);
		uint64_t *model[MODEL_KEYS] = { NULL };
		uint64_t seed = s;
		uint32_t count = 0;

		for (int step = 0; step < 20000; step++) {
			uint32_t key = next_random(&seed) % MODEL_KEYS;
			uint64_t *value = table_find(t, &key);

			assert_ptr_equal(value, model[key]);
			if (value != NULL) {
				assert_int_equal(*value, key + 1);
				table_remove(t, value);
				model[key] = NULL;
				count--;
			} else if (count < sizes[s]) {
				model[key] = table_insert(t, &key);
				assert_non_null(model[key]);
				*model[key] = key + 1;
				count++;
			} else {
				assert_null(table_insert(t, &key));
			}
			assert_int_equal(table_count(t), count);
		}
		for (uint32_t key = 0; key < MODEL_KEYS; key++)
			assert_ptr_equal(table_find(t, &key), model[key]);
		table_free(t);
	}
}

static void
table_bytes_covers_its_slab(void **state)
{
	(void)state;
	assert_true(table_bytes(1000, 8, 100) >= 1000 * (8 + 104));
	assert_true(table_bytes(1000, 8, 100) < 1000 * (8 + 104) * 2);
	table_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(table_finds_what_was_inserted),
		TEST(table_refuses_what_is_too_much),
		TEST(table_gives_zeroed_and_aligned_values),
		TEST(table_behaves_as_its_model),
		TEST(table_bytes_covers_its_slab),
	};

	return RUN_TESTS(tests);
}
