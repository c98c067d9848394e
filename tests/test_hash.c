/* SPDX-License-Identifier: Apache-2.0 */
/* The inlined SipHash, against libsodium's and the published vectors. */
#include "common/hash.h"
#include "tests/test.h"

#define LENGTH_MAX 64

/* The key and the input of the reference implementation's vectors. */
static void
count_up(uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		octets[i] = (uint8_t)i;
}

static void
inlined_siphash_equals_the_library_at_every_length(void **state)
{
	struct hash_key key;
	uint8_t in[LENGTH_MAX];

	(void)state;
	count_up(key.octets, sizeof(key.octets));
	count_up(in, sizeof(in));
	for (size_t length = 0; length <= LENGTH_MAX; length++)
		assert_int_equal(siphash(&key, in, length, 2, 4),
		    hash_octets(&key, in, length));
}

/* The reference implementation compiled with one and three rounds. */
static void
hash_for_tables_is_siphash_1_3(void **state)
{
	static const struct {
		size_t length;
		uint64_t value;
	} vectors[] = {
		{ 0, UINT64_C(0xabac0158050fc4dc) },
		{ 1, UINT64_C(0xc9f49bf37d57ca93) },
		{ 7, UINT64_C(0xd3927d989bb11140) },
		{ 8, UINT64_C(0x369095118d299a8e) },
		{ 15, UINT64_C(0xd320d86d2a519956) },
		{ 16, UINT64_C(0xcc4fdd1a7d908b66) },
		{ 40, UINT64_C(0xc1d2363299e41531) },
	};
	struct hash_key key;
	uint8_t in[LENGTH_MAX];

	(void)state;
	count_up(key.octets, sizeof(key.octets));
	count_up(in, sizeof(in));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(hash_for_table(&key, in, vectors[i].length),
		    vectors[i].value);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(inlined_siphash_equals_the_library_at_every_length),
		TEST(hash_for_tables_is_siphash_1_3),
	};

	return RUN_TESTS(tests);
}
