/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an exporter samples: by sampler, by interface, or as a whole.
 *
 * A rate is a number of packets, of which one was counted: 1 is no sampling,
 * 0 is not known. Shape: fixed places in the exporter's own memory. When
 * full: new samplers and interfaces are not kept, and their flows get the
 * exporter's own rate (interfaces) or 0 (samplers).
 */
#ifndef COLLECTOR_SAMPLING_H
#define COLLECTOR_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ie.h"
#include "common/wire.h"

#define SAMPLING_SAMPLERS   16
#define SAMPLING_INTERFACES 32

/* What sampling_save() writes at most. */
#define SAMPLING_OCTETS_MAX                                                    \
	(6 + SAMPLING_SAMPLERS * 12 + SAMPLING_INTERFACES * 8)

/*
 * The elements a rate can be told by. samplingAlgorithm (35), samplerMode
 * (49) and selectorAlgorithm (304) say how packets are chosen, not how many.
 */
#define SAMPLING_PRESENT                                                       \
	(IE_BIT(IE_SAMPLING_INTERVAL) | IE_BIT(IE_SAMPLER_INTERVAL) |          \
	    IE_BIT(IE_SAMPLING_PACKETS) | IE_BIT(IE_SAMPLING_SIZE))

struct sampler_rate {
	uint64_t id;
	uint32_t rate;
};

struct interface_rate {
	uint32_t interface;
	uint32_t rate;
};

/* All zero at first. */
struct sampling {
	uint32_t rate; /* of the exporter as a whole; 0: not told */
	uint8_t samplers;
	uint8_t interfaces;
	struct sampler_rate by_sampler[SAMPLING_SAMPLERS];
	struct interface_rate by_interface[SAMPLING_INTERFACES];
};

/* Reads an options record. True when something is not as it was. */
bool sampling_learn(struct sampling *s, const struct ie_record *r,
    ie_set present);

/*
 * The rate of a flow record, by what it says itself, its sampler, its
 * interfaces, the exporter, and the v5 header (0: none), in this order.
 */
uint32_t sampling_of(const struct sampling *s, const struct ie_record *r,
    ie_set present, uint32_t header_rate);

/* The rate of flows that name no sampler; the only sampler's, if one. */
uint32_t sampling_of_exporter(const struct sampling *s, uint32_t header_rate);

/* The interval in a v5 header: 14 bits; the 2 above say how it samples. */
uint32_t sampling_of_header(uint16_t sampling);

/* As octets, to be kept; returns how many. */
uint16_t sampling_save(const struct sampling *s,
    uint8_t out[SAMPLING_OCTETS_MAX]);
/* False, with *out undefined: not what sampling_save() writes. */
bool sampling_load(struct sampling *out, struct wire octets);

#endif
