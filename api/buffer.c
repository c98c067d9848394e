/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/buffer.h"

#define ROOM_FIRST 1024

void
buffer_fini(struct buffer *b)
{
	free(b->text);
	*b = (struct buffer){ 0 };
}

void
buffer_clear(struct buffer *b)
{
	b->length = 0;
	b->failed = false;
}

/* Makes room for length more octets; false, and failed, when there is none. */
static bool
reserve(struct buffer *b, size_t length)
{
	size_t room = b->room == 0 ? ROOM_FIRST : b->room;
	char *text;

	if (b->failed || length > BUFFER_MAX - b->length) {
		b->failed = true;
		return false;
	}
	while (room < b->length + length)
		room *= 2;
	if (room == b->room)
		return true;
	text = realloc(b->text, room);
	if (text == NULL) {
		b->failed = true;
		return false;
	}
	b->text = text;
	b->room = room;
	return true;
}

void
buffer_add(struct buffer *b, const char *octets, size_t length)
{
	if (length == 0 || !reserve(b, length))
		return;
	memcpy(b->text + b->length, octets, length);
	b->length += length;
}

void
buffer_puts(struct buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

void
buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !reserve(b, (size_t)length + 1)) {
		b->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(b->text + b->length, (size_t)length + 1, format, args);
	va_end(args);
	b->length += (size_t)length;
}

char *
buffer_take(struct buffer *b, size_t *length)
{
	char *text = b->text;

	*length = b->length;
	*b = (struct buffer){ 0 };
	return text;
}
