/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: the only place that knows the order of the stages.
 *
 *   datagram -> decoder -> flow batch -> engine -> finding batch -> writer
 *
 * There is a decoder for each ingest thread. With one, datagrams are decoded
 * here; with several, each thread decodes what it receives, and what comes in
 * here is decoded. A replay deals out its datagrams to the same decoders, in
 * the capture's order, by the thread that reads it.
 *
 * Live, time is the wall clock: a tick a second, and one batch to the writer
 * with it; while the writer is busy the engine goes on collecting, and ingest
 * never waits. In a replay, time is the capture's: it ticks each second of
 * it and hands over batches at places that depend on the capture alone, and
 * waits for the writer, so that the store's content does not depend on how
 * fast anything ran.
 * Nothing is allocated after pipeline_start().
 */
#ifndef DAEMON_PIPELINE_H
#define DAEMON_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/datagram.h"
#include "collector/decoder.h"
#include "common/counter.h"
#include "common/err.h"
#include "daemon/decoders.h"
#include "daemon/feeds.h"
#include "daemon/routing_domains.h"
#include "exposure/engine.h"
#include "store/store.h"
#include "store/writer.h"

struct pipeline;

/* All configs are copied; counters is borrowed. threads: how many decode, at
 * most INGEST_THREADS_MAX. owned: pipeline_free(). NULL: no memory. */
struct pipeline *pipeline_new(const struct engine_config *engine,
    const struct decoder_config *decoder, uint32_t threads,
    struct counters *counters);
void pipeline_free(struct pipeline *p); /* takes NULL */

/* What pipeline_new() allocates, in octets, decoders and engine aside. */
size_t pipeline_bytes(uint32_t threads);

/* The threads' decoders. Borrowed for the pipeline's life. */
struct decoders *pipeline_decoders(struct pipeline *p);

/* What is configured of feeds; before pipeline_restore(). Copied. */
void pipeline_set_feeds(struct pipeline *p, const struct feed_list *feeds);

/* What engine_config.routing was made of; before pipeline_restore(). Copied. */
void pipeline_set_routing_domains(struct pipeline *p,
    const struct routing_domain_list *domains);

/* Takes up the state of the store; before pipeline_start(), by the thread
 * that opened it. Errors: those of store_restore(). */
int pipeline_restore(struct pipeline *p, struct store *s) MUST_CHECK;

/* Tells fn every step of the engine: exposure/trace.h. */
void pipeline_trace(struct pipeline *p, engine_trace_fn fn, void *arg);

/* Who an exporter of the trace is; NULL: nobody. Borrowed until the next
 * datagram. */
const struct finding_exporter *pipeline_exporter(const struct pipeline *p,
    uint32_t exporter);

/* From here on batches go to w, borrowed until pipeline_finish(). NULL: they
 * go nowhere. */
void pipeline_start(struct pipeline *p, struct writer *w);

/* Its datagrams come as they are sent, from this time on; not called: those
 * of captures. See engine_listen_from(). */
void pipeline_listen_from(struct pipeline *p, int64_t from_ms);

/* Live: one datagram (a datagram_fn), or what a thread made of it (a
 * decoded_fn), the end of a burst, one second. */
void pipeline_take(const struct datagram *d, void *pipeline);
void pipeline_take_decoded(const struct decoded *d,
    const struct flow_record *records, void *pipeline);
void pipeline_flush(void *pipeline);
void pipeline_tick(struct pipeline *p, int64_t now_ms);

/* Replay: one datagram of a capture (a datagram_fn). Drops it once the store
 * has refused for too long; pipeline_end_replay() tells. */
void pipeline_replay(const struct datagram *d, void *pipeline);

/*
 * After the last datagram of a replay: hands over everything and waits until
 * it is committed. complete: no answer can come any more, so what is open is
 * judged first. Errors: ERR_IO (the store cannot be written).
 */
int pipeline_end_replay(struct pipeline *p, bool complete) MUST_CHECK;

/*
 * At the end of the daemon: hands over everything and waits at most
 * timeout_ms. Errors: ERR_IO (the last batch is not committed).
 */
int pipeline_finish(struct pipeline *p, int timeout_ms) MUST_CHECK;

const struct engine *pipeline_engine(const struct pipeline *p); /* borrowed */

#endif
