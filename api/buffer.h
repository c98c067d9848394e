/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text that grows: the body of an answer, made piece by piece.
 *
 * It is sticky, as wire.h is: once memory or the maximum runs out, `failed`
 * is set and every later append does nothing, so a writer appends straight
 * on and looks once at the end. Zeroed is empty; BUFFER_MAX bounds it.
 * owned: buffer_fini().
 */
#ifndef API_BUFFER_H
#define API_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* A page of QUERY_LIMIT_MAX rows of some 400 octets, twice over. */
#define BUFFER_MAX ((size_t)8 << 20)

struct buffer {
	char *text; /* not NUL-terminated; NULL while empty */
	size_t length;
	size_t room;
	bool failed;
};

void buffer_fini(struct buffer *b);  /* leaves it empty */
void buffer_clear(struct buffer *b); /* keeps the memory */

void buffer_add(struct buffer *b, const char *octets, size_t length);
void buffer_puts(struct buffer *b, const char *text);
void buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hands the text over (free() it) and leaves the buffer empty. */
char *buffer_take(struct buffer *b, size_t *length);

#endif
