/* SPDX-License-Identifier: Apache-2.0 */
/* One UDP datagram, as the socket or a capture gave it. */
#ifndef COLLECTOR_DATAGRAM_H
#define COLLECTOR_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* data is borrowed: valid until the callback it came by returns. */
struct datagram {
	const uint8_t *data;
	size_t length;
	int64_t received_ms; /* Unix time, milliseconds */
	struct addr source;  /* the exporter's address */
	uint16_t source_port;
};

/* Takes one datagram. */
typedef void (*datagram_fn)(const struct datagram *d, void *arg);

#endif
