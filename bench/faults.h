/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bad path, with exact accounts: drops, duplicates and reorders datagrams,
 * and says what a collector behind it should see.
 *
 * A datagram that is held back, or the copy of one, comes at most `reorder`
 * datagrams of all exporters later. The first and the last datagram of an
 * exporter should be spared: what is lost outside them nobody can notice.
 */
#ifndef BENCH_FAULTS_H
#define BENCH_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/encode.h"

#define FAULTS_REORDER_MAX 64

struct faults_config {
	uint64_t seed;
	double drop; /* probabilities, of each datagram */
	double duplicate;
	double hold;
	uint32_t reorder; /* 1 to FAULTS_REORDER_MAX; 0: nothing is held */
};

/* Of one exporter. Datagrams, but for the units. */
struct faults_counts {
	uint64_t generated;
	uint64_t dropped;
	uint64_t duplicated; /* copies made */
	uint64_t delivered;  /* generated - dropped + duplicated */
	uint64_t late;	     /* delivered the first time, but after a later
			      * one; */
	uint64_t again;	     /* delivered before */
	uint64_t records;    /* delivered, copies too */
	uint64_t options;
	uint64_t units;	     /* generated */
	uint64_t units_lost; /* in those dropped */
	uint64_t generated_records;
};

/* Takes one datagram that got through. encoded is borrowed. */
typedef void (
    *faults_fn)(const struct encoded *encoded, uint32_t exporter, void *arg);

struct faults;

/* owned: faults_free(). NULL: no memory. */
struct faults *faults_new(const struct faults_config *config,
    uint32_t exporters, faults_fn fn, void *arg);
void faults_free(struct faults *f); /* takes NULL */

/* One datagram on the path. spare: it gets through, once, now. */
void faults_take(struct faults *f, const struct encoded *encoded,
    uint32_t exporter, bool spare);

/* Everything that is held gets through. */
void faults_flush(struct faults *f);

/* exporter < exporters. Copied. */
struct faults_counts faults_counts(const struct faults *f, uint32_t exporter);

#endif
