/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding (RFC 3986, 2.1), strictly: what cannot be decoded is
 * refused, never passed on. Callers split first and decode the pieces.
 */
#ifndef API_PERCENT_H
#define API_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/*
 * Decodes text[0..length) into out, NUL-terminated; plus_is_space as in
 * query strings. Errors: ERR_FORMAT ("%zz", a "%" at the end, an octet 0,
 * encoded or not); ERR_FULL (size is too small). out is unchanged as a text
 * only on ERR_OK; after an error its content is undefined.
 */
int percent_decode(const char *text, size_t length, bool plus_is_space,
    char *out, size_t size) MUST_CHECK;

/*
 * A text of strangers made fit to show: what is no printable ASCII becomes
 * "?", and what does not fit is cut off. size >= 1; returns out.
 */
char *percent_printable(const char *text, size_t length, char *out,
    size_t size);

#endif
