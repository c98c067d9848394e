/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hash of every table whose keys come from the net: SipHash-2-4
 * (libsodium). Keys are chosen by strangers, so the key must be secret: one
 * random key a process. What ends up in the store must not depend on it.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint8_t octets[16];
};

/* A key nobody can guess. Starts libsodium at the first call. */
struct hash_key hash_key_random(void);

uint64_t hash_octets(const struct hash_key *key, const void *octets,
    size_t length);

#endif
