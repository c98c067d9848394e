/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams that ask for as much work as they can: what tests/bench_hostile.c
 * searches through. An attack is a few parameters, taken at random or changed
 * at random; from them comes a sequence of datagrams, in the form of
 * tests/replay.h.
 */
#ifndef TESTS_ATTACKS_H
#define TESTS_ATTACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTACK_SMALL	   1500 /* octets: an Ethernet frame */
#define ATTACK_LARGE	   65507
#define ATTACK_LIFETIME_MS 3000 /* of templates; datagrams are 1 s apart */
#define ATTACK_OCTETS_MAX  (16 * (ATTACK_LARGE + 2))

enum attack_kind {
	ATTACK_DEFINITIONS,
	ATTACK_RECORDS, /* of templates sent before */
	ATTACK_OPTIONS, /* options records */
	ATTACK_LISTS,	/* records with lists of records */
	ATTACK_UNKNOWN, /* sets of unknown templates */
	ATTACK_KINDS
};

/* What fields beside addresses and protocol are. */
enum attack_filling {
	ATTACK_KNOWN,
	ATTACK_REVERSE,
	ATTACK_TIMES,
	ATTACK_PLAIN_UNKNOWN,
	ATTACK_ENTERPRISE,
	ATTACK_VARIABLE,
	ATTACK_STRUCTURED,
	ATTACK_FILLINGS
};

/* What came before: nothing, the same, or the same long ago. */
enum attack_before { ATTACK_FRESH, ATTACK_SEEN, ATTACK_OLD, ATTACK_BEFORES };

struct attack {
	enum attack_kind kind;
	enum attack_filling filling;
	enum attack_before before;
	uint32_t octets;  /* of the datagram: at most so many */
	uint32_t fields;  /* in a template, 1..128 */
	uint32_t ids;	  /* templates taken turns with, 1..256 */
	uint32_t step;	  /* from id to id, 1..199 */
	uint32_t records; /* or definitions, in a set; 0: all in one */
	uint32_t entries; /* in a list, 0..12 */
	bool is_netflow9;
	bool is_options; /* of definitions */
	bool is_bare;	 /* no addresses and no protocol in front */
	bool is_short;	 /* a set is an octet too short for its last record */
	bool is_cold;	 /* the processor's own caches hold other things */
};

/* xorshift64*; *state must not be 0. */
uint64_t attack_random(uint64_t *state);

struct attack attack_any(uint64_t *state);
/* One or two parameters changed. */
struct attack attack_vary(const struct attack *a, uint64_t *state);

/* The sequence, at most ATTACK_OCTETS_MAX octets; returns how many. */
size_t attack_build(const struct attack *a, uint8_t *out);

/* A line about it, for people. */
void attack_describe(const struct attack *a, char *out, size_t size);
const char *attack_kind_name(enum attack_kind kind);

#endif
