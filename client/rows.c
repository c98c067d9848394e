/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: widths first, then lines. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "client/rows.h"

/* Appends what fits; control octets would move a terminal's cursor. */
static void
append(char text[ROWS_CELL_MAX], const char *piece)
{
	size_t used = strlen(text);

	for (; *piece != '\0' && used < ROWS_CELL_MAX - 1; piece++) {
		text[used] = *piece;
		if ((unsigned char)*piece < 0x20 || *piece == 0x7f)
			text[used] = '?';
		used++;
	}
	text[used] = '\0';
}

static void
append_value(char text[ROWS_CELL_MAX], const json_t *value)
{
	char number[32];

	if (json_is_string(value)) {
		append(text, json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(value));
		append(text, number);
	} else if (json_is_real(value)) {
		snprintf(number, sizeof(number), "%g", json_real_value(value));
		append(text, number);
	} else if (json_is_boolean(value)) {
		append(text, json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			append(text, i == 0 ? "" : ",");
			append_value(text, json_array_get(value, i));
		}
	} else if (json_is_object(value)) {
		append(text, "{..}");
	} else {
		append(text, "-");
	}
}

char *
rows_cell(const json_t *value, char text[ROWS_CELL_MAX])
{
	text[0] = '\0';
	append_value(text, value);
	return text;
}

/* The columns to show, and how many. */
static size_t
choose_columns(const json_t *rows, const char *const *columns,
    const char *chosen[ROWS_COLUMNS_MAX])
{
	/* jansson's iterators take no const */
	json_t *first = json_array_get(rows, 0);
	size_t count = 0;

	if (columns != NULL) {
		for (; count < ROWS_COLUMNS_MAX && columns[count] != NULL;
		     count++)
			chosen[count] = columns[count];
		return count;
	}
	for (void *at = json_object_iter(first);
	     at != NULL && count < ROWS_COLUMNS_MAX;
	     at = json_object_iter_next(first, at))
		chosen[count++] = json_object_iter_key(at);
	return count;
}

static void
print_cell(const char *text, size_t width, bool last, FILE *out)
{
	if (last)
		fprintf(out, "%s\n", text);
	else
		fprintf(out, "%-*s  ", (int)width, text);
}

void
rows_print(const json_t *rows, const char *const *columns, const char *prefix,
    FILE *out)
{
	const char *chosen[ROWS_COLUMNS_MAX];
	size_t count = choose_columns(rows, columns, chosen);
	size_t widths[ROWS_COLUMNS_MAX];
	char text[ROWS_CELL_MAX];
	size_t i;
	json_t *row;

	for (size_t c = 0; c < count; c++)
		widths[c] = strlen(chosen[c]);
	json_array_foreach(rows, i, row) for (size_t c = 0; c < count; c++)
	{
		size_t width =
		    strlen(rows_cell(json_object_get(row, chosen[c]), text));

		if (width > widths[c])
			widths[c] = width;
	}
	if (count != 0)
		fputs(prefix, out);
	for (size_t c = 0; c < count; c++)
		print_cell(chosen[c], widths[c], c + 1 == count, out);
	json_array_foreach(rows, i, row)
	{
		fputs(prefix, out);
		for (size_t c = 0; c < count; c++)
			print_cell(rows_cell(json_object_get(row, chosen[c]),
				       text),
			    widths[c], c + 1 == count, out);
	}
}
