/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: where a page of a list ended, as text nobody needs to understand.
 * It says which list and which filters it belongs to. Private to store/.
 */
#ifndef STORE_CURSOR_H
#define STORE_CURSOR_H

#include <stdint.h>

#include "store/query.h"

/* The sort keys of a page's last row; what a list does not use is zero. */
struct cursor {
	struct addr ip;
	int64_t numbers[3];
};

void cursor_format(enum query_list list, const struct query_filter *filter,
    const struct cursor *c, char text[QUERY_CURSOR_MAX]);

/* filter->cursor. Errors: ERR_FORMAT (not one of this list and filter). */
int cursor_parse(enum query_list list, const struct query_filter *filter,
    struct cursor *out) MUST_CHECK;

#endif
