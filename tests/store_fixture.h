/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the store share: a folder of their own, batches of made
 * up findings, and a plain connection to look into the file.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <stdint.h>

#include "common/counter.h"
#include "exposure/finding.h"
#include "store/store.h"
#include "tests/test.h"

struct fixture {
	char folder[64];
	char path[96]; /* of the store, which is not there yet */
	struct counters counters;
	struct store *store; /* fixture_open() */
};

/* cmocka's set-up and tear-down; *state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define STORE_TEST(function)                                                   \
	cmocka_unit_test_setup_teardown(function, fixture_setup,               \
	    fixture_teardown)

/* Opens, closes fixture->store; both assert that it works. */
void fixture_open(struct fixture *x);
void fixture_close(struct fixture *x);

/* Tries to; the code. A store that did open is closed again. */
int fixture_try_open(struct fixture *x, char message[STORE_MESSAGE_MAX]);

/* store_write() that must work; frees the batch. */
void fixture_write(struct fixture *x, struct finding_batch *batch);

struct addr fixture_addr(const char *text);
struct finding_batch *fixture_batch(uint64_t sequence, uint32_t max);

/* Findings made of a number, all members set; each appends one. */
struct finding *add_network(struct finding_batch *b, const char *text);
struct finding *add_exporter(struct finding_batch *b, uint32_t index);
struct finding *add_exporter_hour(struct finding_batch *b, uint32_t index);
/* One part of a template; its octets are made of the id and the part. */
struct finding *add_template(struct finding_batch *b, uint32_t exporter,
    uint16_t id, uint16_t part, uint16_t parts);
struct finding *add_host(struct finding_batch *b, uint32_t n);
struct finding *add_exposure(struct finding_batch *b, uint32_t n);
struct finding *add_trans_darkport(struct finding_batch *b, uint32_t n);
struct finding *add_scan_event(struct finding_batch *b, uint32_t n);

/* A small world: two of most things, some of each state. */
struct finding_batch *fixture_world(uint64_t sequence);

/* The first value of a query on a plain connection. */
int64_t fixture_int(const struct fixture *x, const char *sql);
void fixture_text(const struct fixture *x, const char *sql, char *out,
    size_t size);

/* A hash of the file's octets; of every table's rows. */
uint64_t fixture_file_hash(const char *path);
uint64_t fixture_rows_hash(const struct fixture *x);

void fixture_write_file(const char *path, const void *octets, size_t length);

#endif
