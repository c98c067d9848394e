/* SPDX-License-Identifier: Apache-2.0 */
/* The table of inference cases, tests/cases/inference-cases.tsv. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <stdbool.h>

#include "collector/flow.h"

#define CASES_MAX	 256
#define CASE_RECORDS_MAX 8
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

/* All cases of the file; the count, or -1 with a message on stderr. */
int cases_load(const char *path, struct inference_case cases[CASES_MAX]);

/* One record as the table writes it; false: it is not in that form. */
bool case_parse_record(const char *text, struct flow_record *out);

#endif
