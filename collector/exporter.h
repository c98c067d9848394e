/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exporters: who may send, who sends, how much, and how much got lost on
 * the way.
 *
 * A peer is an address; with source_port_in_key, an address and a port. An
 * exporter is (peer, observation domain, protocol); its index is dense, in
 * the order of first appearance, and never changes. The source port is
 * usually no part of it: exporters change that at every start.
 * Of the options, sampling, the time of boot, timeouts and the names of
 * interfaces are kept, over a restart too.
 *
 * When full: new peers, and new domains of a peer, are refused. Neither is
 * ever forgotten, so no flood of new ones can push out a known one.
 */
#ifndef COLLECTOR_EXPORTER_H
#define COLLECTOR_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/header.h"
#include "collector/interface.h"
#include "collector/sampling.h"
#include "collector/sequence.h"
#include "common/counter.h"
#include "common/hash.h"

#define EXPORTERS_MAX	 4096
#define EXPORTER_STREAMS 8 /* source ports told apart */
#define EXPORTER_OFFSETS 15

/* A source port, when there is more than one. */
struct stream {
	struct sequence sequence;
	int64_t seen_ms;
	uint16_t port;
};

/* What is kept of an exporter over a restart, besides its templates. */
enum exporter_fact {
	FACT_SAMPLING,
	FACT_BOOT,
	FACT_TIMEOUTS,
	FACT_NAMES,
	FACT_COUNT
};

struct fact_state {
	int64_t learned_ms;
	int64_t saved_ms; /* learned_ms as exporter_save() last gave it */
	bool is_changed;  /* since exporter_save() */
};

struct peer;

struct exporter {
	struct exporter_info info;
	struct peer *peer;
	uint32_t index;
	uint32_t header_rate; /* the sampling of a v5 header */
	uint64_t boot_ms;     /* by an options record (IE 160); 0: not told */
	struct sampling sampling;
	struct interface_names names;
	struct sequence sequence;
	struct stream streams[EXPORTER_STREAMS];
	uint8_t stream_count; /* 0: only one port so far */
	uint8_t interleaved;  /* signs that there are several exporters */
	int64_t untold_lost;  /* records: no flow record told of them yet */
	uint64_t doubtful;    /* units lost, if it is one exporter */
	struct fact_state facts[FACT_COUNT];
	bool is_remembered; /* facts are of an earlier life, not used yet */
	uint8_t offset_count;
	uint8_t offset_at;
	int64_t offsets_ms[EXPORTER_OFFSETS]; /* received - export time */
};

/* The elements that exporter_take_options() reads. */
#define EXPORTER_OPTIONS                                                       \
	(SAMPLING_PRESENT | IE_BIT(IE_BOOT_MS) | IE_BIT(IE_ACTIVE_TIMEOUT) |   \
	    IE_BIT(IE_IDLE_TIMEOUT))

struct exporter_table;

/* owned: free with exporter_table_free(). config is copied. */
struct exporter_table *exporter_table_new(const struct decoder_config *config);
void exporter_table_free(struct exporter_table *t); /* takes NULL */

/* What exporter_table_new() allocates, in octets. */
size_t exporter_table_bytes(const struct decoder_config *config);

/* How many exporters there can be. */
uint32_t exporter_table_max(const struct decoder_config *config);

/*
 * Whether the datagram's sender may send. *peer is who it is, or NULL when
 * nothing of it was ever accepted.
 */
bool exporter_is_allowed(const struct exporter_table *t,
    const struct addr *address, uint16_t port, struct peer **peer);

/* Accepts everybody from here on, or again only who may send. */
void exporter_accept_any(struct exporter_table *t, bool accept);

/* How many templates its address has; template.c counts them. Borrowed. */
uint32_t *exporter_templates_held(struct exporter *e);

/* A datagram of a known peer was refused. */
void exporter_count_refused(struct peer *peer);

/*
 * The exporter of a datagram of an allowed sender, new or known, in *out.
 * DECODE_EXPORTER_LIMIT or DECODE_DOMAIN_LIMIT: there is no place for it.
 */
enum decode_status exporter_get(struct exporter_table *t,
    const struct addr *address, uint16_t port, uint32_t domain,
    enum export_protocol protocol, int64_t now_ms, struct exporter **out);

uint32_t exporter_count(const struct exporter_table *t);
/* index < exporter_count() */
struct exporter *exporter_at(const struct exporter_table *t, uint32_t index);

/* What its users may know. */
struct exporter_info exporter_describe(const struct exporter *e);

/*
 * A datagram of e begins: its header's sampling, and whether facts of an
 * earlier life are still to be used.
 */
void exporter_start(struct exporter *e, const struct export_header *header,
    int64_t now_ms);

/* Accounts a datagram of e, in which `records` data records were announced. */
void exporter_account(struct exporter *e, const struct datagram *in,
    const struct export_header *header, uint32_t records,
    const struct sequence_step *step, struct counters *counters);

/* Records missing, or come late, since it was last asked: flow_record.lost. */
int32_t exporter_take_lost(struct exporter *e);

/* Reads one options record: sampling, the time of boot, timeouts. */
void exporter_take_options(struct exporter_table *t, struct exporter *e,
    const struct ie_record *r, ie_set present, int64_t now_ms);

/*
 * The same, what it calls the interface that it is about. False: there is no
 * place left for the name.
 */
bool exporter_take_name(struct exporter_table *t, struct exporter *e,
    const struct ie_record *r, struct wire name, int64_t now_ms);

/* How many facts exporter_save() will give. */
uint32_t exporter_changed(const struct exporter_table *t);

/*
 * The next changed fact of e: kind, id, learned_ms and octets are in *out.
 * False: there is none.
 */
bool exporter_save(struct exporter_table *t, struct exporter *e,
    struct decoder_memory *out);

/* Takes one back. False: not what exporter_save() writes. */
bool exporter_load(struct exporter *e, const struct decoder_memory *m);

/* Whose it is, for either sort of memory. */
void exporter_sign(const struct exporter_table *t, const struct exporter *e,
    struct decoder_memory *out);

#endif
