/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of JSON as a plain table, for people. */
#ifndef CLIENT_ROWS_H
#define CLIENT_ROWS_H

#include <stdio.h>

#include <jansson.h>

#define ROWS_COLUMNS_MAX 32
#define ROWS_CELL_MAX	 256

/*
 * A value as one cell: text as it is (what a terminal would obey becomes
 * '?'), lists as a,b,c, null and what is missing as "-". Returns text.
 */
char *rows_cell(const json_t *value, char text[ROWS_CELL_MAX]);

/*
 * A heading and a line a row, columns two spaces apart. columns ends with
 * NULL; NULL itself: the first row's keys. Prefix stands before each line.
 */
void rows_print(const json_t *rows, const char *const *columns,
    const char *prefix, FILE *out);

#endif
