/* SPDX-License-Identifier: Apache-2.0 */
/* `--flows`: the flow records of captures as lines of JSON. */
#ifndef DAEMON_FLOWS_H
#define DAEMON_FLOWS_H

#include <stdio.h>

#include "daemon/config.h"

/*
 * Reads the configured captures and prints each flow record to out, a line
 * each (collector/flow_json.h), in the order they came; at the end the counters
 * that are not 0 are logged. Every exporter is accepted; no store
 * and no socket is opened. A reader that leaves ends it quietly. Returns an
 * exit code of daemon/life.h and has told what failed on stderr.
 */
int flows_print(const struct config *config, FILE *out);

#endif
