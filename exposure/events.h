/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan events waiting to be collected: a bounded queue, in the order found.
 * When full: the event is dropped and counted, and keeps no place; silence
 * is found later meanwhile (engine.c), so that only a burst of refusals or
 * acceptances within one collection can fill it.
 */
#ifndef EXPOSURE_EVENTS_H
#define EXPOSURE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counter.h"
#include "exposure/finding.h"

struct events;

/* owned: events_free(). NULL: no memory. */
struct events *events_new(uint32_t max, struct counters *counters);
void events_free(struct events *e); /* takes NULL */
size_t events_bytes(uint32_t max);

/* Copied. */
void events_put(struct events *e, const struct finding_scan_event *event);

/* The event with this id was none after all. */
void events_retract(struct events *e, uint64_t id);

/* More than half of the places are taken: collect before finding more. */
bool events_crowded(const struct events *e);

/* Appends what waits; true when the batch was too small. */
bool events_collect(struct events *e, struct finding_batch *batch);

#endif
