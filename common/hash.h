/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hashes of everything whose keys come from the net. Keys are
 * chosen by strangers, so the hash key must be secret: one random key a
 * process. What ends up in the store must not depend on it.
 *
 * Tables use hash_for_table(): SipHash-1-3, inlined, so that a key of known
 * length costs a dozen nanoseconds. Fewer rounds than SipHash-2-4 are enough
 * there: a stranger sees neither hash values nor which buckets collide, and
 * no attack on one compression round is known even for who sees the values
 * (Aumasson, Bernstein: "SipHash", 2012, on reduced rounds); Rust, Python,
 * Ruby and Perl hash their tables with it for the same reason. Values that
 * are shown to anybody, as ETags are, take hash_octets(): SipHash-2-4.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
	uint8_t octets[16];
};

/* A key nobody can guess. Starts libsodium at the first call. */
struct hash_key hash_key_random(void);

/* SipHash-2-4 (libsodium). */
uint64_t hash_octets(const struct hash_key *key, const void *octets,
    size_t length);

/* --- SipHash-c-d, inlined ------------------------------------------------- */

struct siphash {
	uint64_t v0, v1, v2, v3;
};

/* Little endian, as the definition has it. */
static inline uint64_t
siphash_word(const uint8_t *at, size_t octets)
{
	uint64_t word = 0;

	memcpy(&word, at, octets);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static inline uint64_t
siphash_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
siphash_rounds(struct siphash *s, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
		s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
		s->v0 = siphash_rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
		s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
		s->v2 = siphash_rotate(s->v2, 32);
	}
}

static inline void
siphash_take(struct siphash *s, uint64_t word, int rounds)
{
	s->v3 ^= word;
	siphash_rounds(s, rounds);
	s->v0 ^= word;
}

/* c rounds a word and d at the end. */
static inline uint64_t
siphash(const struct hash_key *key, const void *octets, size_t length, int c,
    int d)
{
	const uint8_t *at = octets;
	uint64_t k0 = siphash_word(key->octets, 8);
	uint64_t k1 = siphash_word(key->octets + 8, 8);
	struct siphash s = { k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573) };
	size_t whole = length / 8;

	for (size_t i = 0; i < whole; i++)
		siphash_take(&s, siphash_word(at + 8 * i, 8), c);
	siphash_take(&s,
	    (uint64_t)length << 56 | siphash_word(at + 8 * whole, length % 8),
	    c);
	s.v2 ^= 0xff;
	siphash_rounds(&s, d);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* SipHash-1-3. */
static inline uint64_t
hash_for_table(const struct hash_key *key, const void *octets, size_t length)
{
	return siphash(key, octets, length, 1, 3);
}

#endif
