/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams in memory. */
#include <stdlib.h>
#include <string.h>

#include "bench/stream.h"

/* Room for one more datagram of the largest size. */
static int
make_room(struct stream *s, size_t used, size_t *size)
{
	uint8_t *octets;

	if (*size - used >= ENCODE_OCTETS_MAX)
		return 0;
	octets = realloc(s->octets, *size * 2);
	if (octets == NULL)
		return -1;
	s->octets = octets;
	*size *= 2;
	return 0;
}

struct stream *
stream_new(struct encoder *e, uint32_t count, int64_t now_ms)
{
	struct stream *s = calloc(1, sizeof(*s));
	size_t size = 2 * (size_t)ENCODE_OCTETS_MAX;
	size_t used = 0;
	struct encoded one;

	if (s == NULL)
		return NULL;
	s->starts = calloc((size_t)count + 1, sizeof(s->starts[0]));
	s->octets = malloc(size);
	if (s->starts == NULL || s->octets == NULL)
		goto fail;
	for (; s->count < count; s->count++) {
		if (make_room(s, used, &size) != 0)
			goto fail;
		encode_next(e, now_ms, &one);
		memcpy(s->octets + used, one.octets, one.length);
		used += one.length;
		s->starts[s->count + 1] = used;
		s->records += one.records;
	}
	return s;
fail:
	stream_free(s);
	return NULL;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	free(s->starts);
	free(s->octets);
	free(s);
}
