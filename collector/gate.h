/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: walks NetFlow v9 (RFC 3954) and IPFIX (RFC 7011) messages, checks
 * every length, keeps the templates, and has the records decoded.
 *
 * Records are read by their template's plan. With decoder_config.by_library,
 * those with variable-length fields go through libfixbuf, in IPFIX messages
 * the gate writes: templates have numbers of the gate's own, elements we do
 * not use are padding of the same length, data sets hold whole records. That
 * is how the tests compare the two; it is not the usual way, since a template
 * takes the library 10 to 300 microseconds, and a datagram can define 4,000.
 *
 * Options records are counted, and read (exporter.h); those in front of data
 * hold for it. Withdrawals are counted and ignored (RFC 7011, 8.4: over UDP).
 */
#ifndef COLLECTOR_GATE_H
#define COLLECTOR_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/exporter.h"
#include "collector/ie.h"
#include "common/counter.h"
#include "common/err.h"
#include "common/wire.h"

/*
 * Templates with variable-length fields that can be known at a time. When
 * full: new ones are refused. 256 cost a record 1.5 microseconds at worst.
 */
#define GATE_LIBRARY_MAX 256

/*
 * What a message may ask for besides the decoding of its records, so that
 * none takes long: look-ups of templates other than the last few used, to
 * define them or to read by them, and options records read. A frame holds no
 * more definitions of six elements, and no more samplers and interfaces are
 * kept of an exporter. Beyond it, definitions are refused, sets and lists of
 * other templates taken for those of unknown ones, and options records only
 * counted.
 */
#define GATE_FRAME_OCTETS  1500 /* a message that fits an Ethernet frame */
#define GATE_FRAME_LOOKUPS 48
#define GATE_FRAME_OPTIONS 48
#define GATE_LOOKUPS_MAX   4096 /* of any other */
#define GATE_OPTIONS_MAX   2048

/* What was in a message: data records, but for options. */
struct gate_result {
	uint32_t announced; /* data records found */
	uint32_t unusable;  /* of them, not decoded: no addresses */
	uint32_t options;   /* options data records */
	uint32_t templates; /* definitions of both sorts, known ones too */
	bool all_counted;   /* false: a set could not be counted */
};

/* Takes one decoded record, borrowed; present says which elements it has. */
typedef void (
    *gate_record_fn)(const struct ie_record *r, ie_set present, void *arg);

struct gate;
struct template_table;

/*
 * owned: free with gate_free(). exporters and counters are borrowed for its
 * life. NULL: no memory.
 */
struct gate *gate_new(const struct decoder_config *config,
    struct exporter_table *exporters, struct counters *counters);
void gate_free(struct gate *g); /* takes NULL */

/*
 * Walks the body of a message of e, and gives fn its records in their order.
 * What cannot be used is counted, and the walk goes on behind it as far as
 * lengths can be trusted.
 */
struct gate_result gate_walk(struct gate *g, struct exporter *e,
    const struct export_header *header, struct wire body, int64_t now_ms,
    gate_record_fn fn, void *arg);

/* The gate's templates, for decoder_memory_next(). */
struct template_table *gate_templates(struct gate *g);

/*
 * Takes a template of an earlier life back. Errors: ERR_FORMAT (it is against
 * the rules); ERR_FULL.
 */
int gate_remember(struct gate *g, struct exporter *e,
    const struct decoder_memory *m) MUST_CHECK;

#endif
