/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounds-checked reader of network-order octets.
 *
 * It is sticky: the first read past the end sets `failed`, and from then on
 * every read does nothing and gives zero. So a decoder reads straight down
 * and looks at `failed` once. It never reads outside [at, end), makes no
 * assumption of alignment or byte order, and owns nothing: the octets are
 * borrowed from the caller for as long as the reader is used.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct wire
wire_over(const void *octets, size_t length)
{
	const uint8_t *at = octets;

	return (struct wire){ at, at + length, false };
}

/* Octets not yet read; 0 once failed. */
static inline size_t
wire_left(const struct wire *w)
{
	return w->failed ? 0 : (size_t)(w->end - w->at);
}

/* The next n octets, or NULL (and failed) when fewer are left. */
static inline const uint8_t *
wire_take(struct wire *w, size_t n)
{
	const uint8_t *at = w->at;

	if (w->failed || (size_t)(w->end - w->at) < n) {
		w->failed = true;
		return NULL;
	}
	w->at += n;
	return at;
}

/* Big-endian unsigned of 0 to 8 octets: reduced-size encoding, RFC 7011 6.2. */
static inline uint64_t
wire_unsigned(struct wire *w, size_t n)
{
	const uint8_t *at = wire_take(w, n);
	uint64_t value = 0;

	for (size_t i = 0; at != NULL && i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static inline uint8_t
wire_u8(struct wire *w)
{
	return (uint8_t)wire_unsigned(w, 1);
}

static inline uint16_t
wire_u16(struct wire *w)
{
	return (uint16_t)wire_unsigned(w, 2);
}

static inline uint32_t
wire_u32(struct wire *w)
{
	return (uint32_t)wire_unsigned(w, 4);
}

static inline uint64_t
wire_u64(struct wire *w)
{
	return wire_unsigned(w, 8);
}

/* A reader of the next n octets alone; both fail when fewer are left. */
static inline struct wire
wire_part(struct wire *w, size_t n)
{
	const uint8_t *at = wire_take(w, n);

	if (at == NULL)
		return (struct wire){ w->end, w->end, true };
	return (struct wire){ at, at + n, false };
}

/* Readers of octets that are known to be there. */
static inline uint16_t
wire_get_u16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return be16toh(value);
}

static inline uint64_t
wire_get_u64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return be64toh(value);
}

/* Writers: store big-endian at p, which must have room. */
static inline void
wire_put_u16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void
wire_put_u32(uint8_t *p, uint32_t value)
{
	wire_put_u16(p, (uint16_t)(value >> 16));
	wire_put_u16(p + 2, (uint16_t)value);
}

#endif
