/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of datagrams, as the hostile corpus and the fuzzers keep them:
 * [length, 2 octets, network order][datagram], again and again. The last may
 * be cut off. All come from one address, a second apart.
 *
 * Each is decoded from a heap copy of its exact size, so that a sanitizer
 * sees what reads one octet too many.
 */
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "collector/decoder.h"

#define REPLAY_AS_SENT 0 /* leave the versions alone */

/* A decoder that is used for one sequence, and what came of it. */
struct replay {
	struct counters counters;
	struct decoder *decoder;
	uint64_t datagrams;	 /* decoded so far */
	uint64_t records;	 /* that they gave */
	struct flow_batch batch; /* of the last of them */
};

/* Called after each datagram; its records are in r->batch. */
typedef void (*replay_fn)(struct replay *r, void *arg);

/* Small tables, so that a fuzzer reaches their ends. */
struct decoder_config replay_small_tables(void);

/* Makes the decoder; end with replay_end(). Aborts when out of memory. */
void replay_start(struct replay *r, const struct decoder_config *config);
void replay_end(struct replay *r);

/* Decodes one datagram, as the next of the sequence. */
void replay_one(struct replay *r, const uint8_t *octets, size_t length,
    uint16_t version);

/*
 * Decodes all of octets. version: what every datagram's version is set to,
 * where it has one, or REPLAY_AS_SENT. fn may be NULL.
 */
void replay_octets(struct replay *r, const uint8_t *octets, size_t length,
    uint16_t version, replay_fn fn, void *arg);

/*
 * What must hold after any datagrams: each ended in one status; the data
 * records announced were delivered, unusable or refused; the library, behind
 * the gate, refused and warned of nothing. NULL, or what does not. Static.
 */
const char *replay_lie(const struct replay *r);

/*
 * The whole of a fuzzer: decodes the input with small tables, and aborts,
 * with a line on standard error, when there is a lie.
 */
void replay_fuzz(const uint8_t *octets, size_t length, uint16_t version);

#endif
