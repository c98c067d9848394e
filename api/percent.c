/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding, strictly. */
#include "api/percent.h"

/* -1: no hexadecimal digit. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
percent_decode(const char *text, size_t length, bool plus_is_space, char *out,
    size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '%') {
			int high = length - i > 2 ? hex_value(text[i + 1]) : -1;
			int low = length - i > 2 ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return ERR_FORMAT;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0')
			return ERR_FORMAT;
		if (used + 1 >= size)
			return ERR_FULL;
		out[used++] = c;
	}
	if (used >= size)
		return ERR_FULL;
	out[used] = '\0';
	return ERR_OK;
}

char *
percent_printable(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (; used < length && used + 1 < size; used++) {
		char c = text[used];

		out[used] = c;
		if (c < 0x20 || c >= 0x7f)
			out[used] = '?';
	}
	out[used] = '\0';
	return out;
}
