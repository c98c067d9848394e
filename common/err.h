/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error convention: a function that can fail returns ERR_OK or a
 * negative code, and leaves its out parameters unchanged on failure.
 * Input from the network is not an error: it has a status and a counter.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
	ERR_OK = 0,
	ERR_NOMEM = -1,	  /* no memory */
	ERR_IO = -2,	  /* the system refused: errno says why */
	ERR_FULL = -3,	  /* a bounded table or buffer is full */
	ERR_FORMAT = -4,  /* not in the form it should have */
	ERR_RANGE = -5,	  /* in the right form, but out of range */
	ERR_VERSION = -6, /* made by a newer program */
	ERR_BUSY = -7,	  /* held by another: try again */
	ERR_NOTFOUND = -8,
	ERR_AGAIN = -9, /* nothing there now */
};

/* A short name for err, static: "no memory", "i/o error". */
const char *err_name(int err);

#endif
