/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every export there is in the tests, decoded: the captures of
 * tests/fixtures and of $DARKPORT_FIXTURES, the corpora of the fuzzers, the
 * hostile datagrams, and the inference cases. For tests of what must hold
 * for any records. An engine costs more than what it is given here, so the
 * small ones are put together: corpora as many as make a thousand records,
 * the cases with networks and exporters of their own, 10.0.N.5 is case N.
 */
#ifndef TESTS_INPUTS_H
#define TESTS_INPUTS_H

#include <stdint.h>

#include "collector/flow.h"
#include "exposure/engine.h"

#define INPUTS_MAX	  256
#define INPUT_RECORDS_MAX 8192 /* of one; what comes then is left out */
#define INPUT_EXPORTERS	  2048 /* their indices are below */

enum input_kind {
	INPUT_CAPTURE, /* of a network: the lab's, or others' fixtures */
	INPUT_CORPUS,  /* made up: of fuzzers, or hostile */
	INPUT_CASES,   /* the inference cases */
	INPUT_REUSE,   /* those whose context says "reuse" */
	INPUT_KIND_COUNT
};

/* Only inputs that have records are kept. */
struct input {
	char name[160];
	enum input_kind kind;
	bool lab; /* of tests/fixtures: what it has to show is known */
	uint32_t count;
	struct flow_record *flows; /* owned */
	uint32_t *datagram;	   /* owned; of each: which one brought it */
	uint32_t datagrams;
	uint32_t files;
};

struct inputs {
	int count;
	struct input all[INPUTS_MAX];
};

/* Of an address in INPUT_CASES and INPUT_REUSE: the number of its case. */
int inputs_case_of(const struct addr *a);

/* owned: inputs_free(). Fails the test when a file cannot be read. */
struct inputs *inputs_load(void);
void inputs_free(struct inputs *in); /* takes NULL */

/*
 * An engine for any of them: the lab's networks, those of the cases, and all
 * that are private are internal, and the lower half of IPv4, so that whatever
 * addresses others' captures have, there are conversations to judge in them.
 * No training.
 */
struct engine_config inputs_config(void);

#endif
