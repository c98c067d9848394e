/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams in memory, one behind the other, for programs without a socket. */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "bench/encode.h"

struct stream {
	uint32_t count;
	uint64_t records;
	size_t *starts; /* count + 1 of them */
	uint8_t *octets;
};

/* `count` datagrams of one exporter, their export time now_ms. NULL: no
 * memory. owned: stream_free(). */
struct stream *stream_new(struct encoder *e, uint32_t count, int64_t now_ms);
void stream_free(struct stream *s); /* takes NULL */

#endif
