/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: one list of keywords.
 *
 * From the list come the options libconfuse accepts, the reading of values,
 * the output of --dump, and the check that the manual names each of them.
 * A flag of the command line sets a keyword of the same name, so both ways
 * read values with the same code. A new keyword is a row, a member and a
 * paragraph in man/darkportd.conf.5.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/decoder.h"
#include "common/addr.h"
#include "common/err.h"
#include "daemon/decoders.h"
#include "daemon/feeds.h"
#include "daemon/routing_domains.h"
#include "exposure/engine.h"

#define CONFIG_LISTEN_MAX  16
#define CONFIG_READ_MAX	   64
#define CONFIG_PATH_MAX	   1024 /* and its NUL */
#define CONFIG_MESSAGE_MAX 2048
#define ENDPOINT_TEXT_MAX  (ADDR_TEXT_MAX + 16)

/* Longest table a keyword may ask for: keeps sizes within 32-bit slots. */
#define CONFIG_TABLE_MAX (1U << 28)

struct endpoint {
	struct addr address;
	uint16_t port; /* 0: any free one */
};

struct config {
	struct engine_config engine;
	struct decoder_config decoder;
	struct feed_list feeds;
	struct routing_domain_list routing_domains;
	struct endpoint listen[CONFIG_LISTEN_MAX];
	char read[CONFIG_READ_MAX][CONFIG_PATH_MAX];
	char store[CONFIG_PATH_MAX];
	struct endpoint http;
	uint32_t listen_count;
	uint32_t read_count;
	uint32_t rcvbuf_octets; /* asked of each socket */
	uint32_t ingest_threads;
	uint64_t memory_limit; /* octets; 0: none */
	uint64_t given;	       /* rows that were set: config_is_given() */
	bool listen_given;     /* else the default, or none with read */
	bool http_on;
};

/* How a value is written; see man/darkportd.conf.5. */
enum config_kind {
	CONFIG_NETWORKS,	/* list of CIDR[=LABEL]; a struct prefix_set */
	CONFIG_LISTENS,		/* list of udp://ADDR:PORT */
	CONFIG_INTERFACES,	/* list of ADDR:NUMBER; a struct border_list */
	CONFIG_FEEDS,		/* list of feeds.h's; a struct feed_list */
	CONFIG_ROUTING_DOMAINS, /* list of routing_domains.h's */
	CONFIG_PATHS,		/* list of file names */
	CONFIG_PATH,
	CONFIG_HTTP,	 /* ADDR:PORT or none */
	CONFIG_DURATION, /* 24h; the member is int64_t, milliseconds */
	CONFIG_COUNT,	 /* the member is uint32_t */
	CONFIG_TABLE,	 /* the same: entries; or 64M: as many as fit */
	CONFIG_OCTETS,	 /* 32M; the member is uint32_t */
	CONFIG_MEMORY,	 /* 512M; the member is uint64_t */
	CONFIG_BOOL,
	CONFIG_KIND_COUNT
};

/*
 * X(keyword, kind, member of struct config, least, most, what it is).
 * Durations: least and most in milliseconds.
 */
#define CONFIG_SECOND 1000LL
#define CONFIG_HOUR   (3600 * CONFIG_SECOND)
#define CONFIG_YEAR   (365LL * 24 * CONFIG_HOUR)
#define CONFIG_LIST(X)                                                         \
	X(internal, CONFIG_NETWORKS, engine.internal, 0, 0,                    \
	    "the networks to watch: CIDR or CIDR=LABEL")                       \
	X(external_interface, CONFIG_INTERFACES, engine.external, 0, 0,        \
	    "where the outside comes in: EXPORTER:INTERFACE")                  \
	X(listen, CONFIG_LISTENS, listen, 0, 0,                                \
	    "where exporters send to: udp://ADDR:PORT")                        \
	X(read, CONFIG_PATHS, read, 0, 0,                                      \
	    "captures of exports, read before anything else")                  \
	X(store, CONFIG_PATH, store, 0, 0, "the SQLite file")                  \
	X(http, CONFIG_HTTP, http, 0, 0,                                       \
	    "where the HTTP API answers: ADDR:PORT, or none")                  \
	X(training, CONFIG_DURATION, engine.training_ms, 0, 100 * CONFIG_YEAR, \
	    "how long the maps are learned before changes alert; 0: not")      \
	X(vet_baseline, CONFIG_BOOL, engine.vet_baseline, 0, 0,                \
	    "the end of training authorises what it found")                    \
	X(internal_scope, CONFIG_BOOL, engine.internal_scope, 0, 0,            \
	    "judge flows between internal addresses too")                      \
	X(wait, CONFIG_DURATION, engine.wait_ms, 0, CONFIG_HOUR,               \
	    "how late an answer may come before the attempt is silent")        \
	X(revoke, CONFIG_DURATION, engine.revoke_ms, 0, 24 * CONFIG_HOUR,      \
	    "how late silence may still be revoked")                           \
	X(host_ttl, CONFIG_DURATION, engine.host_ttl_ms, CONFIG_HOUR,          \
	    100 * CONFIG_YEAR, "a host unseen for so long is forgotten")       \
	X(stale_after, CONFIG_DURATION, engine.stale_ms, CONFIG_SECOND,        \
	    100 * CONFIG_YEAR, "an exposure unseen for so long is stale")      \
	X(memory_limit, CONFIG_MEMORY, memory_limit, 0, 1LL << 40,             \
	    "what the daemon may take: sizes the tables; 0: it does not")      \
	X(max_pairs, CONFIG_TABLE, engine.max_pairs, 64, CONFIG_TABLE_MAX,     \
	    "unfinished conversations remembered")                             \
	X(max_sources, CONFIG_TABLE, engine.max_sources, 64, CONFIG_TABLE_MAX, \
	    "outside addresses remembered")                                    \
	X(max_hosts, CONFIG_TABLE, engine.max_hosts, 64, CONFIG_TABLE_MAX,     \
	    "internal hosts remembered")                                       \
	X(max_exposures, CONFIG_TABLE, engine.max_exposures, 64,               \
	    CONFIG_TABLE_MAX, "exposures in the map")                          \
	X(max_events, CONFIG_TABLE, engine.max_events, 2 * FLOW_BATCH_MAX,     \
	    CONFIG_TABLE_MAX, "scan events waiting for the store")             \
	X(rcvbuf, CONFIG_OCTETS, rcvbuf_octets, 4096, 1U << 30,                \
	    "receive buffer asked for each socket, in octets")                 \
	X(ingest_threads, CONFIG_COUNT, ingest_threads, 1, INGEST_THREADS_MAX, \
	    "threads that receive and decode")                                 \
	X(exporter, CONFIG_NETWORKS, decoder.allow, 0, 0,                      \
	    "who may send: ADDR or CIDR, with =NAME; none: private addresses") \
	X(feed, CONFIG_FEEDS, feeds, 0, 0,                                     \
	    "what exporters' feeds are like: EXPORTER: PROPERTY=VALUE, ...")   \
	X(routing_domain, CONFIG_ROUTING_DOMAINS, routing_domains, 0, 0,       \
	    "whose private addresses: EXPORTER: domain=N, vrf=N, tag=N")       \
	X(accept_any, CONFIG_BOOL, decoder.accept_any, 0, 0,                   \
	    "whoever sends is an exporter")                                    \
	X(exporter_source_port, CONFIG_BOOL, decoder.source_port_in_key, 0, 0, \
	    "tell exporters of one address apart by their source port")        \
	X(max_exporters, CONFIG_COUNT, decoder.max_exporters, 1, 4096,         \
	    "exporters: addresses")                                            \
	X(max_domains, CONFIG_COUNT, decoder.max_domains, 1, 4096,             \
	    "observation domains of each exporter")                            \
	X(max_templates, CONFIG_COUNT, decoder.max_templates, 1, 4096,         \
	    "templates of each domain")                                        \
	X(max_fields, CONFIG_COUNT, decoder.max_fields, 1, 1024,               \
	    "fields in a template")                                            \
	X(template_lifetime, CONFIG_DURATION, decoder.template_lifetime_ms,    \
	    CONFIG_SECOND, CONFIG_YEAR,                                        \
	    "a template unseen for so long expires")

struct config_keyword {
	const char *name;
	enum config_kind kind;
	size_t offset; /* of the member */
	int64_t least;
	int64_t most;
	const char *help;
};

enum config_row {
#define CONFIG_ENUM(name, kind, member, least, most, help) CONFIG_ROW_##name,
	CONFIG_LIST(CONFIG_ENUM)
#undef CONFIG_ENUM
	    CONFIG_ROW_COUNT
};

/* The rows of the list; static. */
extern const struct config_keyword config_keywords[CONFIG_ROW_COUNT];

/* NULL when there is no such keyword. */
const struct config_keyword *config_find(const char *name);

/* The defaults: no networks, nothing to read. */
void config_init(struct config *c);

/*
 * Reads one value: a list gets one more element, anything else is replaced.
 * message says why it cannot be. Errors: ERR_FORMAT, ERR_RANGE, ERR_FULL.
 */
int config_set(struct config *c, const struct config_keyword *k,
    const char *value, char message[CONFIG_MESSAGE_MAX]) MUST_CHECK;

/* Whether config_set() ever set it, so that it is no default. */
bool config_is_given(const struct config *c, const struct config_keyword *k);

/* Empties a list; anything else stays as it is. */
void config_clear(struct config *c, const struct config_keyword *k);

/*
 * Sets what the file sets. message is "FILE:LINE: why". c is changed only
 * when the whole file is right. Not for two threads at once: libconfuse
 * passes its callbacks no argument. Errors: ERR_IO (cannot be read),
 * ERR_FORMAT.
 */
int config_read_file(struct config *c, const char *path,
    char message[CONFIG_MESSAGE_MAX]) MUST_CHECK;

/* The same from memory; name stands for FILE. */
int config_read_text(struct config *c, const char *text, size_t length,
    const char *name, char message[CONFIG_MESSAGE_MAX]) MUST_CHECK;

/*
 * After file and flags: fills in what follows from the rest (where to
 * listen), and checks that the whole makes sense. Errors: ERR_FORMAT.
 */
int config_complete(struct config *c,
    char message[CONFIG_MESSAGE_MAX]) MUST_CHECK;

/* The whole configuration in the file's own syntax, with comments. */
void config_print(const struct config *c, FILE *out);

/* One value as the file writes it, into text; returns text. */
#define CONFIG_VALUE_MAX 131072 /* the longest list of rules there can be */
char *config_format(const struct config *c, const struct config_keyword *k,
    char text[CONFIG_VALUE_MAX]);

/* "192.0.2.1:80", "[2001:db8::1]:80". Errors: ERR_FORMAT, ERR_RANGE. */
int endpoint_parse(const char *text, struct endpoint *out) MUST_CHECK;
char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX]);

/* An address only this machine can reach: 127.0.0.0/8 or ::1. */
bool endpoint_is_loopback(const struct endpoint *e);

#endif
