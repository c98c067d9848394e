/* SPDX-License-Identifier: Apache-2.0 */
/* The three export headers. */
#include "collector/header.h"
#include "collector/netflow5.h"

#define MS_PER_S     INT64_C(1000)
#define NS_PER_MS    1000000U
#define IPFIX_OCTETS 16

static enum decode_status
read_netflow5(struct wire *w, struct export_header *h, struct wire *body,
    size_t *trailing)
{
	uint32_t seconds;
	size_t octets;

	h->protocol = EXPORT_NETFLOW5;
	h->count = wire_u16(w);
	h->uptime_ms = wire_u32(w);
	seconds = wire_u32(w);
	h->export_ms = seconds * MS_PER_S + wire_u32(w) / NS_PER_MS;
	h->sequence = wire_u32(w);
	h->domain = wire_u16(w);
	h->sampling = wire_u16(w);
	if (w->failed)
		return DECODE_SHORT;
	if (h->count > NETFLOW5_RECORDS_MAX)
		return DECODE_MALFORMED;
	octets = (size_t)h->count * NETFLOW5_RECORD_OCTETS;
	if (octets > wire_left(w))
		return DECODE_SHORT;
	*body = wire_part(w, octets);
	*trailing = wire_left(w);
	return DECODE_OK;
}

static enum decode_status
read_netflow9(struct wire *w, struct export_header *h, struct wire *body,
    size_t *trailing)
{
	h->protocol = EXPORT_NETFLOW9;
	(void)wire_u16(w); /* count: many exporters send nonsense */
	h->uptime_ms = wire_u32(w);
	h->export_ms = wire_u32(w) * MS_PER_S;
	h->sequence = wire_u32(w);
	h->domain = wire_u32(w);
	if (w->failed)
		return DECODE_SHORT;
	*body = *w;
	*trailing = 0;
	return DECODE_OK;
}

static enum decode_status
read_ipfix(struct wire *w, struct export_header *h, struct wire *body,
    size_t *trailing)
{
	uint16_t length;

	h->protocol = EXPORT_IPFIX;
	length = wire_u16(w);
	h->export_ms = wire_u32(w) * MS_PER_S;
	h->sequence = wire_u32(w);
	h->domain = wire_u32(w);
	if (w->failed)
		return DECODE_SHORT;
	if (length < IPFIX_OCTETS)
		return DECODE_MALFORMED;
	*body = wire_part(w, (size_t)length - IPFIX_OCTETS);
	if (body->failed)
		return DECODE_SHORT;
	*trailing = wire_left(w);
	return DECODE_OK;
}

enum decode_status
header_read(const struct datagram *d, struct export_header *out,
    struct wire *body, size_t *trailing)
{
	struct wire w = wire_over(d->data, d->length);
	uint16_t version = wire_u16(&w);

	*out = (struct export_header){ 0 };
	if (w.failed)
		return DECODE_NOT_EXPORT;
	if (d->length > UINT16_MAX)
		return DECODE_MALFORMED; /* no UDP datagram is that long */
	switch (version) {
	case EXPORT_NETFLOW5:
		return read_netflow5(&w, out, body, trailing);
	case EXPORT_NETFLOW9:
		return read_netflow9(&w, out, body, trailing);
	case EXPORT_IPFIX:
		return read_ipfix(&w, out, body, trailing);
	default:
		return DECODE_NOT_EXPORT;
	}
}
