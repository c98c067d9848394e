/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 through libsodium. */
#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/hash.h"

static_assert(sizeof(struct hash_key) == crypto_shorthash_KEYBYTES,
    "the key has SipHash's size");
static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES,
    "the hash has SipHash's size");

struct hash_key
hash_key_random(void)
{
	struct hash_key key;
	int started = sodium_init(); /* 1: it was started before */

	assert(started >= 0);
	(void)started;
	randombytes_buf(key.octets, sizeof(key.octets));
	return key;
}

uint64_t
hash_octets(const struct hash_key *key, const void *octets, size_t length)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t value;

	crypto_shorthash(out, octets, length, key->octets);
	memcpy(&value, out, sizeof(value));
	return value;
}
