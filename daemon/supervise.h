/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API process, and the page the daemon shares with it.
 *
 * The child is this same program, executed anew: after fork() alone it would
 * inherit SQLite's idea of which locks the process holds, and the locks of
 * a writer thread that is not there. So it can be started again at any time.
 * It gets three descriptors (listening socket, control socket, shared page)
 * and nothing else. It may read the page and not write it.
 */
#ifndef DAEMON_SUPERVISE_H
#define DAEMON_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counter.h"
#include "common/log.h"
#include "daemon/config.h"

struct supervise;

/*
 * Makes the page, counters all 0. Starts nothing. c is copied.
 * owned: supervise_free(). Errors: ERR_NOMEM, ERR_IO with errno.
 */
int supervise_new(const struct config *c, int64_t now_s, enum log_level level,
    struct supervise **out) MUST_CHECK;

/* The page's counters. Borrowed: valid until supervise_free(). */
struct counters *supervise_counters(struct supervise *s);

/*
 * Takes the HTTP address; *bound is it with the real port. Connections wait
 * in the kernel until the child is there. Errors: ERR_IO with errno.
 */
int supervise_listen(struct supervise *s, const struct endpoint *e,
    struct endpoint *bound) MUST_CHECK;

/* Starts the child; supervise_listen() came before. Errors: ERR_IO. */
int supervise_start(struct supervise *s) MUST_CHECK;

/* Once a second: notices that the child died, and starts another. */
void supervise_tick(struct supervise *s, int64_t now_s);

/* Ends the child and waits for it; supervise_tick() must not follow. */
void supervise_stop(struct supervise *s);
void supervise_free(struct supervise *s); /* stops, too; takes NULL */

/* main() asks first: is this process to be the API child? Then it is run. */
bool supervise_is_child(char **argv);
int supervise_run_child(void); /* the exit code */

#endif
