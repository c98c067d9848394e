/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's life, in the order main() calls it: start, replay, serve,
 * end. Each step returns an exit code and has told on stderr what failed;
 * life_end() runs in any case.
 */
#ifndef DAEMON_LIFE_H
#define DAEMON_LIFE_H

#include "common/log.h"
#include "daemon/config.h"
#include "daemon/trace_filter.h"

#define EXIT_DONE    0
#define EXIT_FAILED  1	  /* at run time */
#define EXIT_USAGE   2	  /* the command line */
#define EXIT_CONFIG  78	  /* sysexits: EX_CONFIG */
#define EXIT_NOT_YET (-1) /* go on with the next step */

struct life;

/* SIGTERM, SIGINT and SIGHUP end the program cleanly from here on. */
void life_catch_signals(void);

/* config is borrowed until life_end(). NULL: no memory. */
struct life *life_new(const struct config *config, enum log_level level);

/* Before life_start(): life_replay() prints each verdict to stdout, not the
 * summary. */
void life_print_verdicts(struct life *l);

/* Before life_start(): life_replay() prints the trace of these endpoints to
 * stdout, not the summary. */
void life_trace(struct life *l, const struct trace_filters *filters);

/* Takes the HTTP address, binds the sockets, opens the store, restores the
 * maps, starts writer and API. A store "" is none. */
int life_start(struct life *l);

/* Reads the captures and prints what they showed. */
int life_replay(struct life *l);

/* Receives until a signal. */
int life_serve(struct life *l);

/* Commits what is left, ends API and writer, closes the store; frees l.
 * The exit code of the whole: code, or EXIT_FAILED. */
int life_end(struct life *l, int code);

#endif
