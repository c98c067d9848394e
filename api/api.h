/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API process: rows of the store over HTTP.
 *
 * It runs in a child of the daemon, with an event loop and a read-only
 * connection of its own, so that nothing a client does can hold up ingest.
 * It shares the database file, the page of counters, and one end of a
 * socketpair with the daemon; it changes none of them.
 */
#ifndef API_API_H
#define API_API_H

#include <stdint.h>

#include "common/addr.h"
#include "common/counter.h"
#include "common/err.h"

/* All pointers are borrowed for the life of api_run(). */
struct api_config {
	int listen_fd;	     /* of api_listen(); api_run() closes it */
	int control_fd;	     /* end of file: the daemon is gone. -1: none */
	const char *store;   /* path of the database; may not exist yet */
	const char *version; /* of the program */
	int64_t started_s;   /* Unix time of the daemon's start */
	const struct counters *counters;   /* NULL: none to show */
	const struct prefix_set *networks; /* labels for net=; NULL: none */
	const char *const *hosts; /* more names for Host, NULL at the end;
				   * NULL: none */
	int deadline_ms;	  /* for a whole request to arrive; 0: 10 s */
};

/*
 * A TCP socket that listens, non-blocking and close-on-exec, with
 * TCP_NODELAY for what it accepts. port 0: any; *port_out is the one taken.
 * Errors: ERR_IO, with errno (EADDRINUSE: another has the port).
 */
int api_listen(const struct addr *addr, uint16_t port, int *fd_out,
    uint16_t *port_out) MUST_CHECK;

/*
 * Serves until SIGTERM, or until control_fd ends; SIGINT is left to the
 * daemon, which a terminal tells too. Call it in a process of its own: it
 * sets signal handlers and libevent's log. Errors: ERR_NOMEM, ERR_IO.
 */
int api_run(const struct api_config *config) MUST_CHECK;

#endif
