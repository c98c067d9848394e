/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. What a flag sets, the keyword of the same name in the
 * configuration file sets too; flags win, and a flag that makes a list
 * replaces the file's list.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/config.h"
#include "daemon/trace_filter.h"

#define OPTIONS_SETTING_MAX 512

struct options {
	bool check;
	bool dump;
	bool flows;    /* print flow records, do nothing else */
	bool verdicts; /* print verdicts, instead of the summary */
	bool version;
	bool help;
	unsigned verbose;
	struct trace_filters trace; /* endpoints to trace; count 0: none */
	const char *config_path;    /* borrowed from argv; NULL: none */
	uint32_t setting_count;
	struct {
		const struct config_keyword *keyword;
		const char *value; /* borrowed from argv */
	} settings[OPTIONS_SETTING_MAX];
};

/* One flag, as getopt and the manual know it. */
struct option_row {
	const char *name;     /* without the dashes */
	char letter;	      /* 0: none */
	const char *argument; /* NULL: takes none */
	const char *help;
};

/* The rows of the list and their number; static. */
const struct option_row *options_rows(uint32_t *count);

/*
 * Every value is read here, so a wrong one is told with its flag. message
 * is one line: the flag, the value, why. Errors: ERR_FORMAT.
 */
int options_parse(int argc, char **argv, struct options *out,
    char message[CONFIG_MESSAGE_MAX]) MUST_CHECK;

/* A flag set this keyword. */
bool options_set(const struct options *o, enum config_row row);

/* Puts the flags' values over the file's. */
void options_apply(const struct options *o, struct config *c);

void options_usage(FILE *out);

#endif
