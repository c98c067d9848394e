/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the store, answered as rows of JSON. Read-only: a connection
 * of its own, query_only, with a deadline; no text of a caller ever becomes
 * SQL. One object a thread.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define QUERY_LIMIT_MAX	    10000
#define QUERY_LIMIT_DEFAULT 100
#define QUERY_CURSOR_MAX    160 /* octets of text, NUL included */
#define QUERY_PORTS_MAX	    16
#define QUERY_PROTO_ANY	    (-1)

struct query;

/* Errors: ERR_IO, ERR_FORMAT, ERR_VERSION. owned: query_close(). */
int query_open(const char *path, struct query **out) MUST_CHECK;
void query_close(struct query *q); /* takes NULL */

enum query_list {
	QUERY_EXPOSURES,       /* net, host, ports, proto, state */
	QUERY_HOSTS,	       /* net, host */
	QUERY_TRANS_DARKPORTS, /* net, host, ports, proto, from, to, state */
	QUERY_SCAN_EVENTS,     /* from, to, src, dst, net (of dst), ports,
				* proto */
	QUERY_EXPORTERS,       /* host (the exporter's address), domain */
	QUERY_EXPORTER_EVENTS, /* the same, from, to */
	QUERY_COMPLETENESS,    /* the same; times are of the hour's start */
	QUERY_EXPORTER_HOURS,  /* the same */
	QUERY_HOST_GUARDS,     /* net, host, from, to (of since), state */
	QUERY_LIST_COUNT
};

struct query_port_range {
	uint16_t low;
	uint16_t high;
};

/*
 * What to give back. Zeroed and limit set: everything. A condition the list
 * does not know, as told above, is not looked at.
 */
struct query_filter {
	struct prefix net; /* valid with has_net: only addresses in it; of IPv4
			    * without a tag: in every routing domain */
	struct addr host;  /* has_host */
	struct addr src;   /* has_src */
	struct addr dst;   /* has_dst */
	int64_t from_s;	   /* >= ; has_from */
	int64_t to_s;	   /* < ; has_to */
	struct query_port_range ports[QUERY_PORTS_MAX];
	uint32_t port_count; /* 0: any */
	uint32_t domain;     /* has_domain */
	int proto;	     /* a number; 0, QUERY_PROTO_ANY: any */
	char state[16];	     /* "": any */
	bool has_net, has_host, has_src, has_dst, has_from, has_to;
	bool has_domain;
	uint32_t limit;		       /* 1..QUERY_LIMIT_MAX */
	char cursor[QUERY_CURSOR_MAX]; /* "": from the start */
};

/* Gets each row, a JSON object, borrowed during the call. Negative stops. */
typedef int (*query_row_fn)(const char *json, void *arg);

/*
 * Rows in the list's own order: exposures, hosts by address (then protocol,
 * port, id); exporters by address; all others newest first. next is the cursor
 * of the page behind, "" when there is none. Errors: ERR_FORMAT (the cursor is
 * no cursor of this list), ERR_BUSY (past the deadline), ERR_IO.
 */
int query_list(struct query *q, enum query_list list,
    const struct query_filter *filter, query_row_fn fn, void *arg,
    char next[QUERY_CURSOR_MAX]) MUST_CHECK;

/*
 * One host: {"host","populated","label","first_seen","last_seen",
 * "exposed":{"tcp":[..]},"services":[..],"darkports":{"tcp":n}}. An internal
 * address never seen gives populated false. ERR_NOTFOUND: not internal.
 */
int query_host(struct query *q, const struct addr *host, query_row_fn fn,
    void *arg) MUST_CHECK;

/*
 * The darkports of a host for one protocol (6 or 17): {"host","proto",
 * "populated","count","ranges":["0-21",..]}; darkspace has populated false.
 * ERR_NOTFOUND: not internal.
 */
int query_darkports(struct query *q, const struct addr *host, int proto,
    query_row_fn fn, void *arg) MUST_CHECK;

/*
 * Why an exposure, or a scan event, is there: one object, with the halves of
 * its conversations (schema/README.md, exposure_evidence). 1 <= id <= 2^63-1.
 * ERR_NOTFOUND: there is none of this id.
 */
int query_exposure_evidence(struct query *q, uint64_t id, query_row_fn fn,
    void *arg) MUST_CHECK;
int query_scan_event_evidence(struct query *q, uint64_t id, query_row_fn fn,
    void *arg) MUST_CHECK;

/*
 * The status object: phase, training, counts of hosts, exposures by state,
 * trans-darkports, scan events, exporters, networks, and the batch sequence.
 */
int query_status(struct query *q, query_row_fn fn, void *arg) MUST_CHECK;

/* Numbers for the metrics. */
struct query_totals {
	uint64_t hosts;
	uint64_t exposures_open, exposures_stale, exposures_closed;
	uint64_t trans_darkports_new;
	uint64_t scan_events;
};
int query_totals(struct query *q, struct query_totals *out) MUST_CHECK;

/* The sequence of the last batch committed: "generation" in answers. */
int query_generation(struct query *q, uint64_t *out) MUST_CHECK;

#endif
