/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every counter of the program: one list. From it come the enum, the names
 * in the store's `counters` view, and the metrics with their help texts.
 * All are monotonic within one life of the daemon (gauges say so), 64 bits.
 * A new counter is a new row.
 *
 * The counters live in one page that the daemon shares, read-only, with the
 * API process. Each has one writer, so a relaxed add suffices.
 */
#ifndef COMMON_COUNTER_H
#define COMMON_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/histogram.h"

/* X(enumerator, name, help); the name is the metric's without the prefix. */
#define COUNTER_LIST(X)                                                        \
	/* udp: collector/udp.c, collector/capture.c */                        \
	X(DATAGRAMS_RECEIVED, "datagrams_received",                            \
	    "datagrams read from sockets and captures")                        \
	X(DATAGRAM_OCTETS, "datagram_octets", "octets in those datagrams")     \
	X(DATAGRAMS_LOST_KERNEL, "datagrams_lost_kernel",                      \
	    "datagrams the kernel dropped: receive buffer full")               \
	X(DATAGRAMS_OVERSIZE, "datagrams_oversize",                            \
	    "datagrams cut off by the receive buffer's size")                  \
	X(INGEST_WAITS, "ingest_waits",                                        \
	    "times an ingest thread waited: the engine had not kept up")       \
	X(CAPTURE_PACKETS_IGNORED, "capture_packets_ignored",                  \
	    "packets in captures that are no whole UDP datagram")              \
	/* decoder: every datagram ends in exactly one of these */             \
	X(DATAGRAMS_DECODED, "datagrams_decoded", "flow export datagrams")     \
	X(REFUSED_NOT_EXPORT, "datagrams_refused_not_export",                  \
	    "datagrams that are no NetFlow v5, v9 or IPFIX")                   \
	X(REFUSED_SHORT, "datagrams_refused_short",                            \
	    "datagrams shorter than their header says")                        \
	X(REFUSED_MALFORMED, "datagrams_refused_malformed",                    \
	    "datagrams with a header that contradicts itself")                 \
	X(REFUSED_EXPORTER_LIMIT, "datagrams_refused_exporter_limit",          \
	    "datagrams of exporters beyond the configured number")             \
	X(REFUSED_DOMAIN_LIMIT, "datagrams_refused_domain_limit",              \
	    "datagrams of domains beyond the configured number")               \
	X(REFUSED_NOT_ALLOWED, "datagrams_refused_not_allowed",                \
	    "datagrams of addresses that may not send")                        \
	X(OCTETS_TRAILING, "octets_trailing",                                  \
	    "octets behind the length a datagram's header tells")              \
	/* sets and templates: collector/gate.c */                             \
	X(SETS_MALFORMED, "sets_malformed",                                    \
	    "sets whose length contradicts the message")                       \
	X(SETS_UNKNOWN_TEMPLATE, "sets_unknown_template",                      \
	    "data sets whose template is not known")                           \
	X(SET_OCTETS_UNKNOWN_TEMPLATE, "set_octets_unknown_template",          \
	    "octets in those sets")                                            \
	X(SETS_RESERVED, "sets_reserved", "sets with a reserved id")           \
	X(TEMPLATES_LEARNED, "templates_learned", "templates accepted")        \
	X(TEMPLATES_CHANGED, "templates_changed",                              \
	    "templates redefined with other fields")                           \
	X(TEMPLATES_REFUSED, "templates_refused",                              \
	    "templates against the rules")                                     \
	X(TEMPLATES_REFUSED_LIMIT, "templates_refused_limit",                  \
	    "templates beyond the configured number")                          \
	X(TEMPLATES_REFUSED_FIELDS, "templates_refused_fields",                \
	    "templates of more fields than configured")                        \
	X(TEMPLATES_WITHDRAWN, "template_withdrawals_ignored",                 \
	    "template withdrawals, ignored over UDP (RFC 7011, 8.4)")          \
	X(TEMPLATES_EXPIRED, "templates_expired", "templates grown old")       \
	X(OPTIONS_TEMPLATES, "options_templates", "options templates seen")    \
	X(OPTIONS_RECORDS, "options_records", "options data records seen")     \
	X(INTERFACE_NAMES_REFUSED, "interface_names_refused",                  \
	    "names of interfaces beyond those kept of an exporter")            \
	/* records: announced = delivered + unusable + refused */              \
	X(RECORDS_ANNOUNCED, "records_announced",                              \
	    "data records found in data sets")                                 \
	X(RECORDS_DELIVERED, "records_delivered", "records decoded")           \
	X(RECORDS_REFUSED, "records_refused",                                  \
	    "records the decoding library did not give")                       \
	X(RECORDS_UNUSABLE, "records_unusable",                                \
	    "records without addresses or protocol")                           \
	X(MESSAGES_REFUSED, "messages_refused",                                \
	    "messages the decoding library did not take to the end: a bug")    \
	X(FIXBUF_WARNINGS, "fixbuf_warnings",                                  \
	    "warnings of the decoding library")                                \
	X(SEQUENCE_LOST, "sequence_lost",                                      \
	    "units missing in the exporters' sequence numbers")                \
	X(SEQUENCE_RECOVERED, "sequence_recovered",                            \
	    "of those units, what came late after all")                        \
	X(SEQUENCE_REORDERED, "sequence_reordered",                            \
	    "datagrams with an earlier sequence number than expected")         \
	X(SEQUENCE_DUPLICATES, "sequence_duplicates",                          \
	    "datagrams whose sequence number had come before")                 \
	X(SEQUENCE_RESTARTS, "sequence_restarts",                              \
	    "times an exporter began to count anew")                           \
	/* engine: exposure/ */                                                \
	X(FLOWS, "flows", "flow records judged, halves counted singly")        \
	X(FLOWS_TRANSIT, "flows_transit", "flows between outsiders")           \
	X(FLOWS_INTERNAL, "flows_internal", "flows between insiders")          \
	X(FLOWS_UNUSABLE, "flows_unusable",                                    \
	    "flows without ports: fragments, IPv6 extension headers")          \
	X(SPOOFED_INTERNAL_SRC, "spoofed_internal_src",                        \
	    "flows from inside addresses that came in from outside, dropped")  \
	X(TIME_REPLACED, "flow_times_replaced",                                \
	    "flows with impossible times, judged by the time received")        \
	X(TIME_SHIFTED, "flow_times_shifted",                                  \
	    "flows of an exporter whose clock is wrong by over ten minutes")   \
	X(CLOCK_SET_BACK, "clock_set_back",                                    \
	    "times the clock that things are received by was set back")        \
	X(ATTEMPTS, "attempts", "connection attempts decided")                 \
	X(UNRESOLVED_ONE_SIDED, "unresolved_one_sided",                        \
	    "attempts unresolved: the feed shows one direction only")          \
	X(UNRESOLVED_SAMPLED, "unresolved_sampled",                            \
	    "attempts unresolved: the feed is sampled")                        \
	X(UNRESOLVED_PARTLY, "unresolved_partly",                              \
	    "attempts unresolved: the feed lacks answers, or showed none yet") \
	X(UNRESOLVED_LOSS, "unresolved_loss",                                  \
	    "attempts unresolved: records of their time got lost")             \
	X(UNRESOLVED_SHED, "unresolved_shed",                                  \
	    "attempts unresolved: given up for lack of room")                  \
	X(UNRESOLVED_WINDOW, "unresolved_window",                              \
	    "attempts unresolved: they began before the daemon listened")      \
	X(UNRESOLVED_EVIDENCE, "unresolved_evidence",                          \
	    "attempts unresolved: what was seen says neither")                 \
	X(DENIED, "denied", "attempts of those that a firewall denied")        \
	X(UNKNOWN_DIR, "unknown_dir", "conversations of unknown direction")    \
	X(MIDSTREAM, "midstream", "records from the middle of connections")    \
	X(BACKSCATTER, "backscatter", "answers nobody asked for")              \
	X(OUTBOUND, "outbound", "connections opened from inside")              \
	X(LATE_ANSWERS, "late_answers", "answers after silence was found")     \
	X(RETRACTED_EXPOSURES, "retracted_exposures",                          \
	    "exposures taken back by stronger evidence")                       \
	X(HOSTS_FROZEN, "hosts_frozen",                                        \
	    "hosts on which everything answers: their maps were frozen")       \
	X(PORTS_TURNED_AWAY, "ports_turned_away",                              \
	    "acceptances that entered no port: the host's map is frozen")      \
	X(GENERATION_SPLITS, "generation_splits",                              \
	    "5-tuples used again for a new attempt")                           \
	X(FLAGS_PROFILE_CHANGES, "flags_profile_changes",                      \
	    "changes of what is known of exporters' TCP flags")                \
	X(FEED_CHANGES, "feed_changes",                                        \
	    "changes of what is known of exporters' feeds")                    \
	X(SHED_FEED_EVENTS, "shed_feed_events",                                \
	    "such changes not kept: too many waited for the store")            \
	X(DIR_CONFLICT, "dir_conflict",                                        \
	    "biflows whose flags contradict what is said of their opener")     \
	X(DUP_HALVES, "dup_halves", "halves that told nothing new")            \
	X(ICMP_AMBIGUOUS, "icmp_ambiguous",                                    \
	    "ICMP errors that fit several attempts, or none")                  \
	X(SHED_PAIRS, "shed_pairs",                                            \
	    "unfinished attempts given up: the pair table was full")           \
	X(SHED_SCANS, "shed_scans",                                            \
	    "attempts of known scanners only counted: the pair table was "     \
	    "full")                                                            \
	X(SHED_FLOODS, "shed_floods",                                          \
	    "attempts at an endpoint where 4096 wait, only counted: the pair " \
	    "table was full")                                                  \
	X(SHED_SILENCES, "shed_silences",                                      \
	    "silences no late answer can revoke: the pair table was full")     \
	X(SHED_SOURCES, "shed_sources",                                        \
	    "sources forgotten: the source table was full")                    \
	X(SHED_HOSTS, "shed_hosts",                                            \
	    "hosts not remembered: the host table was full")                   \
	X(SHED_EXPOSURES, "shed_exposures",                                    \
	    "exposures not kept: the exposure table was full")                 \
	X(SHED_EVENTS, "shed_events",                                          \
	    "scan events dropped: the store did not keep up")                  \
	X(PAIRS, "pairs_now", "gauge: unfinished conversations")               \
	X(SOURCES, "sources_now", "gauge: outside sources remembered")         \
	X(HOSTS, "hosts_now", "gauge: populated hosts")                        \
	X(EXPOSURES, "exposures_now", "gauge: exposures in the map")           \
	X(TRANS_DARKPORTS, "trans_darkports", "trans-darkports found")         \
	X(SCAN_EVENTS, "scan_events", "scan events found")                     \
	/* store */                                                            \
	X(STORE_COMMITS, "store_commits", "batches committed")                 \
	X(STORE_ROWS, "store_rows", "rows written")                            \
	X(STORE_ERRORS, "store_errors", "commits that failed")                 \
	X(STORE_COMMIT_US, "store_commit_microseconds",                        \
	    "time spent in commits, in all")                                   \
	X(STORE_TEMPLATES_FULL, "store_templates_not_kept",                    \
	    "templates not kept for the next start: the store has enough")

enum counter {
#define COUNTER_ENUM(id, name, help) COUNTER_##id,
	COUNTER_LIST(COUNTER_ENUM)
#undef COUNTER_ENUM
	    COUNTER_COUNT
};

struct counters {
	_Atomic uint64_t values[COUNTER_COUNT];
	struct histogram commits; /* the writer's: how long each took */
};

static inline void
counter_add(struct counters *c, enum counter which, uint64_t n)
{
	uint64_t now =
	    atomic_load_explicit(&c->values[which], memory_order_relaxed);

	atomic_store_explicit(&c->values[which], now + n, memory_order_relaxed);
}

static inline void
counter_set(struct counters *c, enum counter which, uint64_t value)
{
	atomic_store_explicit(&c->values[which], value, memory_order_relaxed);
}

static inline uint64_t
counter_get(const struct counters *c, enum counter which)
{
	return atomic_load_explicit(&c->values[which], memory_order_relaxed);
}

/*
 * The counts of one thread of several, which share no cache line with those of
 * another; and how many of them are in the sum already.
 */
struct counter_share {
	_Alignas(64) struct counters own;	   /* the thread's alone */
	_Alignas(64) uint64_t told[COUNTER_COUNT]; /* the summing thread's */
};

/* Adds to the sum what is new in the share. Not for gauges. */
void counter_share_tell(struct counter_share *share, struct counters *sum);

/* Static texts. which < COUNTER_COUNT. */
const char *counter_name(enum counter which);
const char *counter_help(enum counter which);

#endif
