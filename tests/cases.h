/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of inference cases: the files of tests/cases/. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <stdbool.h>

#include "collector/flow.h"

#define CASES_MAX	 384
#define CASE_RECORDS_MAX 16
#define CASE_TEXT_MAX	 128

/* When the cases play; start_ms of a record counts from here. */
#define CASES_EPOCH_MS INT64_C(1700000000000)

struct inference_case {
	int number;
	char input[256];
	char context[CASE_TEXT_MAX];
	char expected[64]; /* "ACCEPTED/half-open" */
	char port[16];	   /* "80", "echo", "-" */
	char confidence[8];
	char rule[16];
	int record_count;
	struct flow_record records[CASE_RECORDS_MAX];
};

/*
 * Appends the cases of the file to the count ones there are; the count then,
 * or -1 with a message on stderr.
 */
int cases_load(const char *path, struct inference_case cases[CASES_MAX],
    int count);

/* "203.0.113.10:43000" or "[2001:db8::1]:43000"; changes text. */
bool case_parse_endpoint(char *text, struct addr *address, uint16_t *port);

/* One record as the table writes it; false: it is not in that form. */
bool case_parse_record(const char *text, struct flow_record *out);

#endif
