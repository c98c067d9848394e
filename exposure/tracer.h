/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's side of the decision trace: where its files say what they do.
 * Each hook stands behind TRACED(), so that it costs one branch, predicted,
 * when nobody listens.
 */
#ifndef EXPOSURE_TRACER_H
#define EXPOSURE_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "exposure/trace.h"

struct engine;
struct exposure;
struct pair;

#define TRACED(e) (__builtin_expect((e)->trace != NULL, 0))

/* A record that no conversation is kept for. */
void tracer_skipped(const struct engine *e, const struct flow_record *f,
    enum trace_fate fate);

/* A record, before half_add() puts it into its pair. */
void tracer_record(const struct engine *e, const struct flow_record *f,
    const struct pair *pair, bool outer, int64_t start_ms);

/* What the pair is now, and by what; before its verdict is followed.
 * in_the_end: what its feed is taken for when nothing more comes. */
void tracer_judged(const struct engine *e, const struct pair *pair,
    const struct verdict_input *in, const struct feed_profile *in_the_end,
    const struct verdict *v);

/* Its verdict changed, and is now that of the pair. */
void tracer_verdict(const struct engine *e, const struct pair *pair);

/* What its exposure was before the maps follow a verdict, and then is. */
void tracer_before_maps(struct engine *e, const struct pair *pair);
void tracer_after_maps(struct engine *e, const struct pair *pair);

/* Time changed an exposure; a nem_exposure_fn, arg is the engine. */
void tracer_aged(struct exposure *x, void *engine);

/* The pair's scan event; event NULL: taken back. */
void tracer_event(const struct engine *e, const struct pair *pair,
    const struct finding_scan_event *event, bool revised);

void tracer_icmp(const struct engine *e, const struct pair *pair,
    enum icmp_error found, bool ambiguous);

/* The pair's class and deadline were set. */
void tracer_timer(const struct engine *e, const struct pair *pair);

/* TRACE_DUE, TRACE_SHED, TRACE_OVER. */
void tracer_end(const struct engine *e, const struct pair *pair,
    enum trace_kind kind);

#endif
